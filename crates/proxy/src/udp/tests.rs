//! UDP proxies on loopback: integrity, faults, sessions, bounds.

use super::UdpProxy;
use crate::{Change, Counters, Error, Proxy, Toxic, clock};
use assize_fault::{Direction, Nanos, Value, Wire};
use proptest::prelude::*;
use std::net::{SocketAddr, UdpSocket};
use std::thread::JoinHandle;
use std::time::Duration;

/// Answers every datagram with the same, until it is told to stop by an empty one.
struct Echo {
    addr: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    fn start(host: &str) -> Self {
        let socket = UdpSocket::bind((host, 0)).expect("a port");
        let addr = socket.local_addr().expect("an address");
        let thread = std::thread::spawn(move || {
            let mut buffer = [0; 65_536];
            while let Ok((len, peer)) = socket.recv_from(&mut buffer) {
                if buffer[..len] == *b"stop" {
                    return;
                }
                let _ = socket.send_to(&buffer[..len], peer);
            }
        });
        Self {
            addr,
            thread: Some(thread),
        }
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        let any = if self.addr.is_ipv4() {
            "127.0.0.1:0"
        } else {
            "[::1]:0"
        };
        let socket = UdpSocket::bind(any).expect("a port");
        socket.send_to(b"stop", self.addr).expect("sent");
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn wire(kind: &str, values: &[(&str, Value)]) -> Wire {
    let mut wire = Wire::named(kind).expect("a kind");
    for (name, value) in values {
        wire.set(name, value.clone()).expect("a permitted value");
    }
    wire
}

fn down(name: &str, wire: Wire) -> Toxic {
    Toxic::new(name, Direction::Downstream, wire)
}

fn client(proxy: &UdpProxy) -> UdpSocket {
    let any = if proxy.addr().is_ipv4() {
        "127.0.0.1:0"
    } else {
        "[::1]:0"
    };
    let socket = UdpSocket::bind(any).expect("a port");
    socket.connect(proxy.addr()).expect("connected");
    socket
}

/// The next datagram within so many milliseconds.
fn hear(socket: &UdpSocket, within: u64) -> Option<Vec<u8>> {
    let wait = Duration::from_millis(within);
    socket.set_read_timeout(Some(wait)).expect("a timeout");
    let mut buffer = vec![0; 65_536];
    let len = socket.recv(&mut buffer).ok()?;
    buffer.truncate(len);
    Some(buffer)
}

/// Waits until the proxy has counted what is awaited.
fn until(proxy: &UdpProxy, awaited: impl Fn(&Counters) -> bool) {
    let begun = clock::now();
    let silent = echo_less();
    loop {
        let counters = proxy.counters().expect("counters");
        if awaited(&counters) {
            return;
        }
        assert!(clock::now() - begun < Nanos::secs(10), "{counters:?}");
        assert!(hear(&silent, 5).is_none());
    }
}

fn proxy(echo: &Echo) -> UdpProxy {
    let listen = if echo.addr.is_ipv4() {
        "127.0.0.1:0"
    } else {
        "[::1]:0"
    };
    let upstream = echo.addr.to_string();
    Proxy::udp(listen)
        .upstream(upstream)
        .start()
        .expect("a proxy")
}

#[test]
fn datagrams_of_all_sizes_come_back_whole_over_both_families() {
    for host in ["127.0.0.1", "::1"] {
        let echo = Echo::start(host);
        let proxy = proxy(&echo);
        let client = client(&proxy);
        for len in [0, 1, 1_400, 9_000, 65_000] {
            let data: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            client.send(&data).expect("sent");
            assert!(hear(&client, 5_000).as_ref() == Some(&data), "{host} {len}");
        }
        let counters = proxy.counters().expect("counters");
        assert_eq!((counters.accepted, counters.open), (1, 1));
        assert_eq!(counters.upstream.sent, 75_401);
        assert_eq!(counters.downstream.sent, 75_401);
    }
}

#[test]
fn clients_are_told_apart() {
    let echo = Echo::start("127.0.0.1");
    let proxy = proxy(&echo);
    let clients: Vec<UdpSocket> = (0..20).map(|_| client(&proxy)).collect();
    for (n, client) in clients.iter().enumerate() {
        client.send(&[n as u8]).expect("sent");
    }
    for (n, client) in clients.iter().enumerate() {
        assert_eq!(hear(client, 5_000), Some(vec![n as u8]));
    }
    let sessions = proxy.sessions().expect("sessions");
    assert_eq!(sessions.len(), 20);
    assert!(
        sessions
            .iter()
            .all(|s| s.upstream_bytes == 1 && s.downstream_bytes == 1)
    );
    assert_eq!(proxy.cut().expect("a number"), 20);
    assert_eq!(proxy.counters().expect("counters").open, 0);
    // A session that was cut begins anew.
    clients[0].send(&[7]).expect("sent");
    assert_eq!(hear(&clients[0], 5_000), Some(vec![7]));
}

#[test]
fn latency_delays_and_ends_when_detached() {
    let echo = Echo::start("127.0.0.1");
    let proxy = proxy(&echo);
    let client = client(&proxy);
    let latency = |ms| wire("latency", &[("latency", Value::Int(ms))]);
    proxy.attach(down("slow", latency(60))).expect("attached");
    let again = proxy.attach(down("slow", latency(1)));
    assert!(matches!(again, Err(Error::ToxicExists(_))));
    let begun = clock::now();
    client.send(b"a").expect("sent");
    assert_eq!(hear(&client, 5_000), Some(vec![b'a']));
    assert!(clock::now() - begun >= Nanos::millis(60));
    let change = Change {
        wire: Some(latency(60_000)),
        ..Change::default()
    };
    proxy.change("slow", change).expect("changed");
    client.send(b"b").expect("sent");
    client.send(b"c").expect("sent");
    assert_eq!(hear(&client, 50), None);
    let session = &proxy.sessions().expect("sessions")[0];
    assert_eq!(session.touched_by, ["slow"]);
    // What was held leaves at once and in order.
    proxy.detach("slow").expect("detached");
    assert_eq!(hear(&client, 5_000), Some(vec![b'b']));
    assert_eq!(hear(&client, 5_000), Some(vec![b'c']));
    assert!(matches!(proxy.detach("slow"), Err(Error::NoSuchToxic(_))));
}

#[test]
fn datagrams_are_lost_doubled_and_damaged() {
    let echo = Echo::start("127.0.0.1");
    let proxy = proxy(&echo);
    let client = client(&proxy);
    let all = [("rate", Value::Int(1))];
    proxy
        .attach(down("twice", wire("duplicate", &all)))
        .expect("attached");
    client.send(&[0; 8]).expect("sent");
    assert_eq!(hear(&client, 5_000), Some(vec![0; 8]));
    assert_eq!(hear(&client, 5_000), Some(vec![0; 8]));
    proxy.detach("twice").expect("detached");
    proxy
        .attach(down("noise", wire("corrupt", &all)))
        .expect("attached");
    client.send(&[0; 8]).expect("sent");
    let damaged = hear(&client, 5_000).expect("an answer");
    let ones: u32 = damaged.iter().map(|byte| byte.count_ones()).sum();
    assert_eq!((damaged.len(), ones), (8, 1));
    proxy.detach("noise").expect("detached");
    let loss = wire("packet_loss", &[("loss_rate", Value::Float(0.5))]);
    proxy.attach(down("loss", loss)).expect("attached");
    let mut heard = 0;
    for _ in 0..100 {
        client.send(&[1]).expect("sent");
        heard += usize::from(hear(&client, 20).is_some());
    }
    // 50 expected; the standard deviation is 5, and a late answer only moves to the next.
    assert!((20..80).contains(&heard), "{heard}");
}

#[test]
fn a_timeout_swallows_and_drops_the_session() {
    let echo = Echo::start("127.0.0.1");
    let timeout = wire("timeout", &[("timeout", Value::Int(100))]);
    let proxy = Proxy::udp("127.0.0.1:0")
        .upstream(echo.addr.to_string())
        .toxic(Toxic::new("gone", Direction::Upstream, timeout))
        .start()
        .expect("a proxy");
    let client = client(&proxy);
    client.send(b"x").expect("sent");
    until(&proxy, |counters| {
        counters.accepted == 1 && counters.open == 0
    });
    assert_eq!(hear(&client, 20), None);
}

#[test]
fn the_table_is_bounded_and_idle_sessions_leave_it() {
    let echo = Echo::start("127.0.0.1");
    let proxy = Proxy::udp("127.0.0.1:0")
        .upstream(echo.addr.to_string())
        .max_sessions(2)
        .idle(Duration::from_millis(300))
        .start()
        .expect("a proxy");
    let clients: Vec<UdpSocket> = (0..3).map(|_| client(&proxy)).collect();
    for client in &clients[..2] {
        client.send(b"x").expect("sent");
        assert!(hear(client, 5_000).is_some());
    }
    clients[2].send(b"x").expect("sent");
    until(&proxy, |counters| counters.turned_away == 1);
    until(&proxy, |counters| counters.open == 0);
    assert_eq!(hear(&clients[2], 20), None);
    clients[2].send(b"y").expect("sent");
    assert_eq!(hear(&clients[2], 5_000), Some(vec![b'y']));
}

#[test]
fn a_dead_upstream_is_counted_and_does_not_end_the_session() {
    let dead = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let addr = dead.local_addr().expect("an address");
    drop(dead);
    let proxy = Proxy::udp("127.0.0.1:0")
        .upstream(addr.to_string())
        .start()
        .expect("a proxy");
    let client = client(&proxy);
    for _ in 0..3 {
        client.send(b"x").expect("sent");
        assert_eq!(hear(&client, 50), None);
    }
    let counters = proxy.counters().expect("counters");
    assert!(
        counters.upstream_failed > 0 && counters.open == 1,
        "{counters:?}"
    );
}

#[test]
fn a_port_in_use_and_a_wrong_address_are_told() {
    let echo = Echo::start("127.0.0.1");
    let taken = Proxy::udp(echo.addr.to_string())
        .upstream("127.0.0.1:1")
        .start();
    assert!(matches!(taken, Err(Error::Listen { .. })));
    let wrong = Proxy::udp("127.0.0.1:0").upstream("nowhere").start();
    assert!(matches!(wrong, Err(Error::Address { .. })));
}

#[test]
fn stopping_frees_the_port() {
    let echo = Echo::start("127.0.0.1");
    let proxy = proxy(&echo);
    let addr = proxy.addr();
    proxy.stop();
    UdpSocket::bind(addr).expect("the port is free");
}

/// Something that happens to a session.
#[derive(Clone, Debug)]
enum Event {
    Send(u16),
    Attach(u8, Wire),
    Change(u8, Wire),
    Detach(u8),
    Pause(u8),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let fault = prop_oneof![
        (0..30_i64, 0..30_i64).prop_map(|(latency, jitter)| wire(
            "latency",
            &[
                ("latency", Value::Int(latency)),
                ("jitter", Value::Int(jitter))
            ],
        )),
        (0.0..=1.0_f64, 0..20_i64).prop_map(|(rate, delay)| wire(
            "reorder",
            &[("rate", Value::Float(rate)), ("delay", Value::Int(delay))],
        )),
        (100..1_000_i64).prop_map(|rate| wire("bandwidth", &[("rate", Value::Int(rate))])),
    ];
    let event = prop_oneof![
        4 => (0..250_u16).prop_map(Event::Send),
        2 => (0..3_u8, fault.clone()).prop_map(|(name, wire)| Event::Attach(name, wire)),
        1 => (0..3_u8, fault).prop_map(|(name, wire)| Event::Change(name, wire)),
        1 => (0..3_u8).prop_map(Event::Detach),
        1 => (0..5_u8).prop_map(Event::Pause),
    ];
    // All together fit into what may wait on a slow line (16 KiB).
    prop::collection::vec(event, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn faults_that_come_and_go_lose_and_double_no_datagram(events in events()) {
        let echo = Echo::start("127.0.0.1");
        let proxy = proxy(&echo);
        let client = client(&proxy);
        let mut sent = Vec::new();
        for event in events {
            match event {
                Event::Send(len) => {
                    // The number tells datagrams apart.
                    let mut data = vec![len as u8; usize::from(len)];
                    data.extend((sent.len() as u32).to_le_bytes());
                    client.send(&data).expect("sent");
                    sent.push(data);
                }
                // Of a name that is taken or unknown the proxy says so, and goes on.
                Event::Attach(name, wire) => {
                    let stream = [Direction::Upstream, Direction::Downstream][usize::from(name % 2)];
                    let _ = proxy.attach(Toxic::new(name.to_string(), stream, wire));
                }
                Event::Change(name, wire) => {
                    let change = Change { wire: Some(wire), ..Change::default() };
                    let _ = proxy.change(&name.to_string(), change);
                }
                Event::Detach(name) => {
                    let _ = proxy.detach(&name.to_string());
                }
                Event::Pause(ms) => {
                    let _ = hear(&echo_less(), u64::from(ms) + 1);
                }
            }
        }
        for toxic in proxy.toxics().expect("toxics") {
            proxy.detach(&toxic.name).expect("detached");
        }
        let mut heard = Vec::new();
        while heard.len() < sent.len()
            && let Some(data) = hear(&client, 2_000)
        {
            heard.push(data);
        }
        prop_assert!(hear(&client, 5).is_none(), "one too many");
        heard.sort_unstable();
        sent.sort_unstable();
        prop_assert!(heard == sent, "{} of {}", heard.len(), sent.len());
    }
}

/// A socket that nobody sends to: waiting for it is waiting.
fn echo_less() -> UdpSocket {
    UdpSocket::bind("127.0.0.1:0").expect("a port")
}
