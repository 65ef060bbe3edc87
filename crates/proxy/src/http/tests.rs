//! HTTP proxies on loopback, spoken to in bytes.

use super::{Act, HttpFault, HttpProxy, Match};
use crate::{Cut, Error, Proxy, clock};
use assize_fault::Nanos;
use http::{Method, StatusCode};
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// A server that answers each request with its own head, and closes when the client does. It
/// ends with the test's process.
fn server() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || echo(stream));
        }
    });
    addr
}

fn echo(mut stream: TcpStream) {
    while let Some((head, body)) = message(&mut stream) {
        if head.contains("Upgrade: echo") {
            let answer =
                "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
            let _ = stream.write_all(answer.as_bytes());
            let mut bytes = [0; 100];
            while let Ok(len @ 1..) = stream.read(&mut bytes) {
                let _ = stream.write_all(&bytes[..len]);
            }
            return;
        }
        let text = format!("{head}{}", body.len());
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX-Case: kept\r\n\r\n",
            text.len()
        );
        if stream.write_all((head + &text).as_bytes()).is_err() {
            return;
        }
    }
}

/// The next message: its head and its body.
fn message(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.parse().ok())?
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

fn proxy() -> HttpProxy {
    let upstream = server().to_string();
    Proxy::http("127.0.0.1:0")
        .upstream(upstream)
        .start()
        .expect("a proxy")
}

fn client(proxy: &HttpProxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.addr()).expect("connected");
    let patience = Some(Duration::from_secs(10));
    stream.set_read_timeout(patience).expect("a timeout");
    stream
}

/// One exchange over a connection: the status and the body.
fn ask(stream: &mut TcpStream, method: &str, path: &str) -> Option<(u16, String)> {
    let request = format!("{method} {path} HTTP/1.1\r\nHost: here\r\nX-Tenant: a\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let (head, body) = message(stream)?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, String::from_utf8(body).ok()?))
}

fn status(code: u16) -> Act {
    Act::Status(
        StatusCode::from_u16(code).expect("a status"),
        "broken\n".into(),
    )
}

#[test]
fn exchanges_pass_as_they_are_over_one_connection() {
    let proxy = proxy();
    let mut client = client(&proxy);
    for n in 0..5 {
        let (status, body) = ask(&mut client, "GET", &format!("/{n}?q=1")).expect("an answer");
        assert_eq!(status, 200);
        assert!(
            body.starts_with(&format!("GET /{n}?q=1 HTTP/1.1\r\n")),
            "{body}"
        );
        assert!(
            body.contains("X-Tenant: a\r\n") && body.contains("Host: here\r\n"),
            "{body}"
        );
    }
    let len = 3_000_000;
    let head = format!("POST /big HTTP/1.1\r\nHost: here\r\nContent-Length: {len}\r\n\r\n");
    client.write_all(head.as_bytes()).expect("sent");
    client.write_all(&vec![7; len]).expect("sent");
    let (head, body) = message(&mut client).expect("an answer");
    assert!(head.contains("X-Case: kept"), "{head}");
    assert!(
        String::from_utf8(body)
            .expect("text")
            .ends_with("\r\n\r\n3000000")
    );
    let counters = proxy.counters();
    assert_eq!(
        (counters.accepted, counters.requests, counters.faulted),
        (1, 6, 0)
    );
}

#[test]
fn chunked_bodies_pass_as_they_come() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let upstream = listener.local_addr().expect("an address").to_string();
    let proxy = Proxy::http("127.0.0.1:0")
        .upstream(upstream)
        .start()
        .expect("a proxy");
    let mut client = client(&proxy);
    let head = "POST / HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n";
    client
        .write_all(format!("{head}3\r\nabc\r\n").as_bytes())
        .expect("sent");
    // The server sees the beginning before there is an end, and the client does too.
    let (mut server, _) = listener.accept().expect("a connection");
    let seen = |stream: &mut TcpStream, wanted: &str| {
        let mut all = Vec::new();
        let mut byte = [0];
        while !all.ends_with(wanted.as_bytes()) {
            stream.read_exact(&mut byte).expect("more");
            all.push(byte[0]);
        }
    };
    seen(&mut server, "3\r\nabc\r\n");
    client.write_all(b"2\r\nde\r\n0\r\n\r\n").expect("sent");
    seen(&mut server, "2\r\nde\r\n0\r\n\r\n");
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    server
        .write_all(format!("{head}1\r\nx\r\n").as_bytes())
        .expect("sent");
    seen(&mut client, "1\r\nx\r\n");
    server.write_all(b"0\r\n\r\n").expect("sent");
    seen(&mut client, "0\r\n\r\n");
    drop(client);
    let begun = clock::now();
    while proxy.counters().open > 0 {
        assert!(
            clock::now() - begun < Nanos::secs(10),
            "the connection stays"
        );
        std::thread::yield_now();
    }
}

#[test]
fn a_status_is_answered_for_the_requests_that_match() {
    let proxy = proxy();
    let meets = Match {
        method: Some(Method::POST),
        path: Some("/pay/*".into()),
        header: Some(("x-tenant".into(), Some("a".into()))),
        first: Some(2),
        ..Match::default()
    };
    proxy
        .attach(HttpFault::new("down", status(503)).on(meets))
        .expect("attached");
    let again = proxy.attach(HttpFault::new("down", Act::Abort));
    assert!(matches!(again, Err(Error::ToxicExists(_))));
    let mut client = client(&proxy);
    let mut code = |method, path| ask(&mut client, method, path).map(|(status, _)| status);
    assert_eq!(code("GET", "/pay/1"), Some(200));
    assert_eq!(code("POST", "/pay"), Some(200));
    assert_eq!(code("POST", "/pay/1"), Some(503));
    assert_eq!(code("POST", "/pay/2"), Some(503));
    assert_eq!(code("POST", "/pay/3"), Some(200));
    assert_eq!(proxy.faults()[0].1, 2);
    assert_eq!(proxy.detach("down").expect("detached"), 2);
    assert!(matches!(proxy.detach("down"), Err(Error::NoSuchToxic(_))));
}

#[test]
fn a_delay_comes_before_what_is_behind_it() {
    let proxy = proxy();
    let delay = Act::Delay(Duration::from_millis(80));
    proxy
        .attach(HttpFault::new("slow", delay))
        .expect("attached");
    proxy
        .attach(HttpFault::new("down", status(500)))
        .expect("attached");
    let mut client = client(&proxy);
    let begun = clock::now();
    assert_eq!(ask(&mut client, "GET", "/"), Some((500, "broken\n".into())));
    assert!(clock::now() - begun >= Nanos::millis(80));
    proxy
        .change(HttpFault::new("down", status(404)))
        .expect("changed");
    assert_eq!(
        ask(&mut client, "GET", "/").map(|(code, _)| code),
        Some(404)
    );
    assert_eq!(proxy.counters().faulted, 2);
}

#[test]
fn an_abort_is_a_reset_and_the_upstream_never_knows() {
    let proxy = proxy();
    proxy
        .attach(HttpFault::new("gone", Act::Abort))
        .expect("attached");
    let mut client = client(&proxy);
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        .expect("sent");
    let error = client.read(&mut [0; 10]).expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(proxy.counters().upstream_failed, 0);
}

#[test]
fn a_cut_ends_what_is_open_in_either_way() {
    let proxy = proxy();
    for (how, expected) in [
        (Cut::Reset, Some(ErrorKind::ConnectionReset)),
        (Cut::Close, None),
    ] {
        let mut client = client(&proxy);
        assert!(ask(&mut client, "GET", "/").is_some());
        proxy.cut(how);
        let end = client.read(&mut [0; 10]).map_err(|error| error.kind());
        assert_eq!(end, expected.map_or(Ok(0), Err));
    }
    let mut client = client(&proxy);
    assert!(ask(&mut client, "GET", "/").is_some());
}

#[test]
fn an_upstream_that_refuses_is_a_502() {
    let dead = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = dead.local_addr().expect("an address");
    drop(dead);
    let proxy = Proxy::http("127.0.0.1:0")
        .upstream(addr.to_string())
        .start()
        .expect("a proxy");
    let (code, body) = ask(&mut client(&proxy), "GET", "/").expect("an answer");
    assert_eq!(code, 502);
    assert!(body.contains("cannot connect to"), "{body}");
    assert_eq!(proxy.counters().upstream_failed, 1);
}

#[test]
fn an_upstream_that_closes_after_each_answer_is_connected_anew() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        // One answer per connection, without saying so.
        for mut stream in listener.incoming().flatten() {
            if message(&mut stream).is_some() {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        }
    });
    let proxy = Proxy::http("127.0.0.1:0")
        .upstream(addr.to_string())
        .start()
        .expect("a proxy");
    let mut client = client(&proxy);
    let mut answers = 0;
    for _ in 0..40 {
        match ask(&mut client, "GET", "/") {
            Some((code, body)) => {
                assert_eq!((code, body.as_str()), (200, "ok"));
                answers += 1;
            }
            // The request met the end of the old connection, as it could without a proxy.
            None => client = self::client(&proxy),
        }
    }
    assert!(answers >= 20, "{answers} of 40");
}

#[test]
fn an_upstream_that_dies_in_an_exchange_is_seen_to_die() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let addr = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = message(&mut stream);
        }
    });
    let proxy = Proxy::http("127.0.0.1:0")
        .upstream(addr.to_string())
        .start()
        .expect("a proxy");
    let mut client = client(&proxy);
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        .expect("sent");
    assert_eq!(client.read(&mut [0; 10]).expect("an end"), 0);
    assert_eq!(proxy.counters().upstream_failed, 1);
}

#[test]
fn an_upgrade_passes_bytes_both_ways() {
    let proxy = proxy();
    let mut client = client(&proxy);
    let request = "GET / HTTP/1.1\r\nHost: here\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    client.write_all(request.as_bytes()).expect("sent");
    let (head, _) = message(&mut client).expect("an answer");
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    for word in [b"ping", b"pong"] {
        client.write_all(word).expect("sent");
        let mut back = [0; 4];
        client.read_exact(&mut back).expect("an echo");
        assert_eq!(&back, word);
    }
    proxy.cut(Cut::Reset);
    let error = client.read(&mut [0; 10]).expect_err("a reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn what_is_no_http_gets_a_400_and_too_many_clients_are_closed() {
    let proxy = Proxy::http("127.0.0.1:0")
        .upstream(server().to_string())
        .max_connections(1)
        .start()
        .expect("a proxy");
    // The first keeps its place until it has sent something.
    let mut first = client(&proxy);
    let mut second = client(&proxy);
    assert!(!matches!(second.read(&mut [0; 10]), Ok(1..)));
    first.write_all(b"\x16\x03\x01 what\r\n\r\n").expect("sent");
    let (head, _) = message(&mut first).expect("an answer");
    assert!(head.starts_with("HTTP/1.1 400 "), "{head}");
    assert_eq!(proxy.counters().turned_away, 1);
}

#[test]
fn a_port_in_use_is_told_and_stopping_frees_it() {
    let proxy = proxy();
    let addr = proxy.addr();
    let taken = Proxy::http(addr.to_string())
        .upstream("127.0.0.1:1")
        .start();
    assert!(matches!(taken, Err(Error::Listen { .. })));
    let wrong = Proxy::http("nowhere").upstream("127.0.0.1:1").start();
    assert!(matches!(wrong, Err(Error::Address { .. })));
    proxy.stop();
    TcpListener::bind(addr).expect("the port is free");
}
