//! How a Rust test puts a proxy between its client and its server: `cargo run --example in_a_test`.
//!
//! Everything runs in this process and on ports that the system chooses. The server answers each
//! line with the same line; the proxy makes it slow, then unreachable, then well again.

use assize_fault::{Value, Wire};
use assize_proxy::{Cut, Direction, Listening, Proxy, Toxic};
use std::error::Error;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

fn main() -> Result<(), Box<dyn Error>> {
    let proxy = Proxy::tcp("127.0.0.1:0")
        .upstream(echo_server()?.to_string())
        .start()?;

    let mut client = BufReader::new(TcpStream::connect(proxy.addr())?);
    say("without a fault", ask(&mut client)?);

    let mut latency = Wire::named("latency").ok_or("no such fault")?;
    latency.set("latency", Value::Int(100))?;
    proxy.attach(Toxic::new("slow", Direction::Downstream, latency))?;
    let slow = ask(&mut client)?;
    assert!(
        slow >= Duration::from_millis(100),
        "the answer was held back"
    );
    say("with 100 ms of latency", slow);
    proxy.detach("slow")?;

    proxy.cut(Cut::Reset)?;
    let cut = ask(&mut client).expect_err("the connection is gone");
    assert_eq!(cut.kind(), ErrorKind::ConnectionReset);

    proxy.listener(Listening::Refuse)?;
    let refused = TcpStream::connect(proxy.addr()).expect_err("nobody listens");
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);

    proxy.listener(Listening::Open)?;
    let mut client = BufReader::new(TcpStream::connect(proxy.addr())?);
    say("after all that", ask(&mut client)?);

    for connection in proxy.connections()? {
        say(&format!("connection {}", connection.id), connection.age);
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example shows what it does")]
fn say(what: &str, took: Duration) {
    println!("{what}: {took:?}");
}

/// Asks once, and says how long the answer took.
#[expect(
    clippy::disallowed_methods,
    reason = "how long it takes is what the example shows"
)]
fn ask(client: &mut BufReader<TcpStream>) -> std::io::Result<Duration> {
    let begun = Instant::now();
    client.get_mut().write_all(b"hello\n")?;
    let mut answer = String::new();
    client.read_line(&mut answer)?;
    if answer != "hello\n" {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(begun.elapsed())
}

fn echo_server() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || -> std::io::Result<()> {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                while stream.read_line(&mut line)? > 0 {
                    stream.get_mut().write_all(line.as_bytes())?;
                    line.clear();
                }
                Ok(())
            });
        }
    });
    Ok(address)
}
