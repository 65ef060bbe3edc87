//! The live arm: a server, a proxy and a client on loopback, in real time.

use super::script::{Script, Seen, Sight, Step};
use super::{PROXY, SEED};
use assize_fault::{Direction, Nanos, Value, Wire};
use assize_proxy::{Change, Engine, EngineOptions, Error, Proxy, Toxic, UdpProxy};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

/// How much longer than expected it is looked for something that should not come.
const AFTER: Nanos = Nanos::millis(150);
const PATIENCE: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "this arm is about real time")]
fn now() -> Instant {
    Instant::now()
}

fn since(begun: Instant) -> Nanos {
    Nanos(now().duration_since(begun).as_nanos() as i64)
}

#[expect(clippy::disallowed_methods, reason = "this arm is about real time")]
fn wait_until(begun: Instant, at: Nanos) {
    let left = at - since(begun);
    if left > Nanos::ZERO {
        std::thread::sleep(Duration::from_nanos(left.0 as u64));
    }
}

/// Either kind of proxy.
trait Faults {
    fn attach(&self, toxic: Toxic) -> Result<(), Error>;
    fn change(&self, name: &str, change: Change) -> Result<(), Error>;
    fn detach(&self, name: &str) -> Result<(), Error>;
}

impl Faults for Proxy {
    fn attach(&self, toxic: Toxic) -> Result<(), Error> {
        self.attach(toxic)
    }
    fn change(&self, name: &str, change: Change) -> Result<(), Error> {
        self.change(name, change)
    }
    fn detach(&self, name: &str) -> Result<(), Error> {
        self.detach(name)
    }
}

impl Faults for UdpProxy {
    fn attach(&self, toxic: Toxic) -> Result<(), Error> {
        self.attach(toxic)
    }
    fn change(&self, name: &str, change: Change) -> Result<(), Error> {
        self.change(name, change)
    }
    fn detach(&self, name: &str) -> Result<(), Error> {
        self.detach(name)
    }
}

fn toxic(wire: &Wire) -> Toxic {
    Toxic::new(wire.kind(), Direction::Downstream, wire.clone())
}

/// Carries out the script from `begun` on.
fn play(script: &Script, begun: Instant, proxy: &impl Faults, mut send: impl FnMut(Option<&[u8]>)) {
    for (at, step) in &script.steps {
        wait_until(begun, *at);
        match step {
            Step::Data(data) => send(Some(data)),
            Step::End => send(None),
            Step::Attach(wire) => proxy.attach(toxic(wire)).expect("attached"),
            Step::Change(wire) => {
                let wire_new = Some(wire.clone());
                let change = Change {
                    wire: wire_new,
                    ..Change::default()
                };
                proxy.change(wire.kind(), change).expect("changed");
            }
            Step::Detach(kind) => proxy.detach(kind).expect("detached"),
        }
    }
}

/// Until when the client looks.
fn deadline(expected: &Seen) -> Nanos {
    expected.last().map_or(Nanos::ZERO, |(at, _)| *at) + AFTER
}

fn engine() -> Engine {
    let options = EngineOptions {
        seed: SEED,
        ..EngineOptions::default()
    };
    Engine::new(options).expect("an engine")
}

/// A TCP connection through a proxy: what its client sees.
pub(super) fn stream(script: &Script, expected: &Seen) -> Seen {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let upstream = listener.local_addr().expect("an address").to_string();
    let mut builder = Proxy::tcp("127.0.0.1:0")
        .name(PROXY)
        .upstream(upstream)
        .on(&engine());
    for wire in &script.before {
        builder = builder.toxic(toxic(wire));
    }
    let proxy = builder.start().expect("a proxy");
    let client = TcpStream::connect(proxy.addr()).expect("connected");
    let (mut server, _) = listener.accept().expect("a connection");
    server.set_nodelay(true).expect("set");
    let begun = now();
    let end = deadline(expected);
    let watcher = std::thread::spawn(move || watch(client, begun, end));
    play(script, begun, &proxy, |data| {
        // A connection that a fault has ended takes no more; the client's side is what counts.
        let _ = match data {
            Some(data) => server.write_all(data),
            None => server.shutdown(Shutdown::Write),
        };
    });
    watcher.join().expect("the client's thread ends")
}

fn watch(mut client: TcpStream, begun: Instant, end: Nanos) -> Seen {
    let mut seen = Vec::new();
    let mut buffer = [0; 65_536];
    loop {
        let left = end - since(begun);
        if left <= Nanos::ZERO {
            return seen;
        }
        let wait = Duration::from_nanos(left.0 as u64);
        client.set_read_timeout(Some(wait)).expect("a timeout");
        let sight = match client.read(&mut buffer) {
            Ok(0) => Sight::End,
            Ok(len) => Sight::Data(buffer[..len].to_vec()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Sight::Reset,
            Err(_) => continue,
        };
        let is_last = !matches!(sight, Sight::Data(_));
        seen.push((since(begun), sight));
        if is_last {
            return seen;
        }
    }
}

/// A UDP session through a proxy: what its client sees.
pub(super) fn datagrams(script: &Script, expected: &Seen) -> Seen {
    let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
    server.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    let upstream = server.local_addr().expect("an address").to_string();
    let mut builder = Proxy::udp("127.0.0.1:0")
        .name(PROXY)
        .upstream(upstream)
        .seed(SEED);
    for wire in &script.before {
        builder = builder.toxic(toxic(wire));
    }
    let proxy = builder.start().expect("a proxy");
    let client = UdpSocket::bind("127.0.0.1:0").expect("a port");
    client.connect(proxy.addr()).expect("connected");
    client.send(b"hello").expect("sent");
    let (_, session) = server.recv_from(&mut [0; 8]).expect("the first datagram");
    let begun = now();
    let end = deadline(expected);
    let watcher = std::thread::spawn(move || watch_datagrams(&client, begun, end));
    play(script, begun, &proxy, |data| {
        let data = data.expect("datagrams have no end");
        server.send_to(data, session).expect("sent");
    });
    watcher.join().expect("the client's thread ends")
}

fn watch_datagrams(client: &UdpSocket, begun: Instant, end: Nanos) -> Seen {
    let mut seen = Vec::new();
    let mut buffer = [0; 65_536];
    loop {
        let left = end - since(begun);
        if left <= Nanos::ZERO {
            return seen;
        }
        let wait = Duration::from_nanos(left.0 as u64);
        client.set_read_timeout(Some(wait)).expect("a timeout");
        if let Ok(len) = client.recv(&mut buffer) {
            seen.push((since(begun), Sight::Data(buffer[..len].to_vec())));
        }
    }
}

/// Which of so many connections a fault of this toxicity touches.
pub(super) fn touched(count: u64, toxicity: f64) -> Vec<u64> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let upstream = listener.local_addr().expect("an address").to_string();
    let mut wire = Wire::named("latency").expect("a kind");
    wire.set("latency", Value::Int(1))
        .expect("a permitted value");
    let fault = Toxic {
        toxicity,
        ..toxic(&wire)
    };
    let builder = Proxy::tcp("127.0.0.1:0")
        .name(PROXY)
        .upstream(upstream)
        .on(&engine());
    let proxy = builder.toxic(fault).start().expect("a proxy");
    let pairs: Vec<(TcpStream, TcpStream)> = (0..count)
        .map(|_| {
            let client = TcpStream::connect(proxy.addr()).expect("connected");
            let (mut server, _) = listener.accept().expect("a connection");
            // A byte through: the connection has its faults.
            server.write_all(b"x").expect("sent");
            (&client).read_exact(&mut [0]).expect("a byte");
            (client, server)
        })
        .collect();
    let all = proxy.connections().expect("connections");
    assert_eq!(all.len(), pairs.len());
    let touched = all.iter().filter(|one| one.touched_by == ["latency"]);
    touched.map(|one| one.id).collect()
}
