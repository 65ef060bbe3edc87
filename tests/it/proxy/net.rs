//! Servers and clients for the tests of proxies. Every socket has a time limit, so that a proxy
//! that loses something fails a test and does not hang it.

use assize_fault::{Value, Wire};
use assize_proxy::{Builder, Direction, Engine, EngineOptions, Proxy, Toxic};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// What a test waits for at most; far more than anything takes on a busy machine.
pub(super) const LIMIT: Duration = Duration::from_secs(20);

/// An engine of two workers, with either poller.
pub(super) fn engine(portable: bool) -> Engine {
    Engine::new(EngineOptions {
        workers: 2,
        portable,
        ..EngineOptions::default()
    })
    .expect("an engine")
}

/// A TCP proxy on loopback to `upstream`.
pub(super) fn to(upstream: SocketAddr) -> Builder {
    Proxy::tcp("127.0.0.1:0").upstream(upstream.to_string())
}

/// A fault of this kind with these whole-number settings.
pub(super) fn wire(kind: &str, settings: &[(&str, i64)]) -> Wire {
    let mut wire = Wire::named(kind).expect("a kind of fault");
    for (name, value) in settings {
        let set = wire.set(name, Value::Int(*value));
        set.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
    wire
}

/// The same, named after its kind, downstream.
pub(super) fn down(kind: &str, settings: &[(&str, i64)]) -> Toxic {
    Toxic::new(kind, Direction::Downstream, wire(kind, settings))
}

/// The same, upstream.
pub(super) fn up(kind: &str, settings: &[(&str, i64)]) -> Toxic {
    Toxic::new(kind, Direction::Upstream, wire(kind, settings))
}

/// A server that hands each client to `serve` on a thread of its own.
pub(super) fn server(serve: fn(TcpStream)) -> SocketAddr {
    server_on("127.0.0.1:0", serve)
}

/// The same on a given address.
pub(super) fn server_on(address: &str, serve: fn(TcpStream)) -> SocketAddr {
    let listener = TcpListener::bind(address).expect("bind");
    let address = listener.local_addr().expect("address");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            limit(&stream);
            thread::spawn(move || serve(stream));
        }
    });
    address
}

/// Sends everything back until its client ends, and then ends too.
pub(super) fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 16 << 10];
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..read]).is_err() {
            return;
        }
    }
}

/// Reads until its client ends.
pub(super) fn sink(mut stream: TcpStream) {
    let mut buffer = [0; 16 << 10];
    while let Ok(1..) = stream.read(&mut buffer) {}
}

/// A connection with time limits.
pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&address, LIMIT).expect("connect");
    limit(&stream);
    stream
}

/// How a connection ends whose upstream cannot be reached: it may be reset before the client's
/// own call has come back.
pub(super) fn lost(address: SocketAddr) -> Option<ErrorKind> {
    match TcpStream::connect_timeout(&address, LIMIT) {
        Ok(mut stream) => {
            limit(&stream);
            ending(&mut stream)
        }
        Err(error) => Some(error.kind()),
    }
}

fn limit(stream: &TcpStream) {
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream.set_write_timeout(Some(LIMIT)).expect("a limit");
}

/// Whether a byte comes back from an echo.
pub(super) fn echoes(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    stream.write_all(b"x").is_ok() && stream.read_exact(&mut byte).is_ok() && byte == *b"x"
}

/// How the stream ends when it is read on: `None` in order, else the error.
pub(super) fn ending(stream: &mut TcpStream) -> Option<ErrorKind> {
    let mut buffer = [0; 4 << 10];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(error) => return Some(error.kind()),
        }
    }
}

/// The byte that belongs at a place of a stream, so that a lost, doubled or swapped one shows.
pub(super) fn byte_at(place: u64) -> u8 {
    let mixed = place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 56) as u8
}

/// Writes `total` bytes of the pattern in pieces of up to `piece`, then ends the stream.
pub(super) fn write_pattern(
    mut stream: &TcpStream,
    total: u64,
    piece: usize,
) -> std::io::Result<()> {
    let mut at = 0;
    let mut buffer = Vec::new();
    while at < total {
        let len = (total - at).min(piece as u64);
        buffer.clear();
        buffer.extend((at..at + len).map(byte_at));
        stream.write_all(&buffer)?;
        at += len;
    }
    stream.shutdown(Shutdown::Write)
}

/// Reads to the end in pieces of up to `piece`; how many bytes came, all as the pattern has them.
pub(super) fn read_pattern(mut stream: &TcpStream, piece: usize) -> Result<u64, String> {
    let mut at = 0;
    let mut buffer = vec![0; piece];
    loop {
        let read = stream
            .read(&mut buffer)
            .map_err(|error| format!("after {at} bytes: {error}"))?;
        if read == 0 {
            return Ok(at);
        }
        for &byte in &buffer[..read] {
            if byte != byte_at(at) {
                return Err(format!("byte {at} is wrong"));
            }
            at += 1;
        }
    }
}

/// How long something takes.
#[expect(
    clippy::disallowed_methods,
    reason = "tests of real sockets run in real time"
)]
pub(super) fn time<T>(body: impl FnOnce() -> T) -> (Duration, T) {
    let begun = Instant::now();
    let value = body();
    (begun.elapsed(), value)
}

/// Asks again and again until it is so.
pub(super) fn eventually(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        pause(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

/// Lets time pass on real sockets.
#[expect(
    clippy::disallowed_methods,
    reason = "tests of real sockets run in real time"
)]
pub(super) fn pause(time: Duration) {
    thread::sleep(time);
}
