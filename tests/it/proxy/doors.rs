//! What clients meet before a connection is open: listeners that refuse, swallow or are off, and
//! upstreams that are dead, slow, elsewhere or known by name only.

use super::net::{
    LIMIT, connect, down, echo, echoes, ending, engine, eventually, lost, pause, server, server_on,
    time, to,
};
use assize_proxy::{Listening, Proxy};
use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

#[test]
fn a_refusing_listener_refuses_at_once_and_leaves_open_connections_alone() {
    let proxy = to(server(echo))
        .on(&engine(false))
        .start()
        .expect("a proxy");
    let mut before = connect(proxy.addr());
    assert!(echoes(&mut before));
    for _ in 0..3 {
        proxy.listener(Listening::Refuse).expect("closed");
        let (took, refused) = time(|| TcpStream::connect_timeout(&proxy.addr(), LIMIT));
        assert_eq!(
            refused.expect_err("refused").kind(),
            ErrorKind::ConnectionRefused
        );
        assert!(took < LIMIT / 4, "{took:?}");
        assert!(echoes(&mut before));
        proxy.listener(Listening::Open).expect("open");
        assert!(echoes(&mut connect(proxy.addr())));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_black_hole_makes_the_clients_own_timeout_fire() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", ":0"] {
        let proxy = Proxy::tcp(listen)
            .upstream(server(echo).to_string())
            .on(&engine(false));
        let proxy = proxy.start().expect("a proxy");
        let mut at = proxy.addr();
        if at.ip().is_unspecified() {
            at.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
        }
        let mut before = connect(at);
        assert!(echoes(&mut before), "{listen}");
        proxy.listener(Listening::Blackhole).expect("a black hole");
        let second = Duration::from_secs(1);
        let (took, lost) = time(|| TcpStream::connect_timeout(&at, second));
        assert_eq!(
            lost.expect_err("lost").kind(),
            ErrorKind::TimedOut,
            "{listen}"
        );
        assert!(took >= second);
        assert!(echoes(&mut before));
        proxy.listener(Listening::Open).expect("open");
        assert!(echoes(&mut connect(at)), "{listen}");
        assert_eq!(proxy.counters().accepted, 2, "fillers are no clients");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_client_that_keeps_trying_gets_through_when_the_hole_is_filled() {
    let proxy = to(server(echo))
        .on(&engine(false))
        .start()
        .expect("a proxy");
    proxy.listener(Listening::Blackhole).expect("a black hole");
    let at = proxy.addr();
    let trying = std::thread::spawn(move || echoes(&mut connect(at)));
    pause(Duration::from_millis(300));
    assert!(!trying.is_finished());
    proxy.listener(Listening::Open).expect("open");
    assert!(trying.join().expect("a client"));
}

#[test]
fn a_proxy_that_is_off_refuses_and_comes_back_where_it_was() {
    let proxy = to(server(echo))
        .toxic(down("latency", &[]))
        .start()
        .expect("a proxy");
    let at = proxy.addr();
    for _ in 0..3 {
        let mut client = connect(at);
        assert!(echoes(&mut client));
        proxy.enable(false).expect("off");
        assert_eq!(ending(&mut client), None, "closed in order");
        let refused = TcpStream::connect(at).expect_err("off");
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        drop(TcpListener::bind(at).expect("the port is free"));
        proxy.enable(true).expect("on");
        assert_eq!((proxy.addr(), proxy.toxics().len()), (at, 1));
    }
}

#[test]
fn a_listener_that_cannot_be_opened_says_which_and_why() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let at = taken.local_addr().expect("address");
    let failed = Proxy::tcp(at.to_string()).upstream("127.0.0.1:1").start();
    let error = failed.expect_err("taken");
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot listen on {at}: ")),
        "{error}"
    );

    let proxy = Proxy::tcp(at.to_string())
        .upstream("127.0.0.1:1")
        .enabled(false)
        .start();
    let proxy = proxy.expect("it does not listen yet");
    assert_eq!(proxy.listen(), at.to_string());
    assert!(proxy.enable(true).is_err());
    assert!(!proxy.is_enabled());
    drop(taken);
    proxy.enable(true).expect("on");
}

#[test]
fn an_upstream_that_refuses_resets_its_client() {
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        listener.local_addr().expect("address")
    };
    let proxy = to(gone).start().expect("a proxy");
    assert_eq!(lost(proxy.addr()), Some(ErrorKind::ConnectionReset));
    eventually("it is counted", || proxy.counters().upstream_failed == 1);
}

/// A black hole of our own is the dead upstream.
#[test]
#[cfg(target_os = "linux")]
fn a_dead_upstream_keeps_nobody_waiting_but_its_own_clients() {
    let engine = engine(false);
    let hole = to(server(echo)).on(&engine).start().expect("a proxy");
    hole.listener(Listening::Blackhole).expect("a black hole");
    let proxy = to(hole.addr())
        .connect_timeout(Duration::from_millis(1_500))
        .on(&engine);
    let proxy = proxy.start().expect("a proxy");
    let (took, mut waiting) =
        time(|| -> Vec<TcpStream> { (0..20).map(|_| connect(proxy.addr())).collect() });
    assert!(
        took < Duration::from_secs(1),
        "accepting waits for no upstream: {took:?}"
    );
    // Clients that come after the proxy was pointed elsewhere do not wait for those before.
    let other = to(server(echo)).on(&engine).start().expect("a proxy");
    assert!(echoes(&mut connect(other.addr())));
    for client in &mut waiting {
        assert_eq!(ending(client), Some(ErrorKind::ConnectionReset));
    }
    eventually("all have failed", || proxy.counters().upstream_failed == 20);
}

#[test]
fn names_and_ipv6_lead_to_upstreams_too() {
    let port = server(echo).port();
    let six = server_on("[::1]:0", echo);
    let wrong = "no-such-host.invalid:80".to_owned();
    for (upstream, works) in [
        (format!("localhost:{port}"), true),
        (six.to_string(), true),
        (wrong, false),
    ] {
        let proxy = Proxy::tcp("[::1]:0")
            .upstream(upstream.as_str())
            .start()
            .expect("a proxy");
        for _ in 0..3 {
            if works {
                assert!(echoes(&mut connect(proxy.addr())), "{upstream}");
            } else {
                assert_eq!(lost(proxy.addr()), Some(ErrorKind::ConnectionReset));
            }
        }
    }
}

#[test]
fn retargeting_drops_connections_and_keeps_faults() {
    let other = server(|mut stream| {
        let _ = std::io::Write::write_all(&mut stream, b"other");
    });
    let proxy = to(server(echo))
        .toxic(down("latency", &[]))
        .start()
        .expect("a proxy");
    let mut client = connect(proxy.addr());
    assert!(echoes(&mut client));
    let at = proxy.addr();
    proxy
        .retarget(None, Some(&other.to_string()))
        .expect("pointed elsewhere");
    assert_eq!(ending(&mut client), None);
    assert_eq!(
        (proxy.addr(), proxy.upstream(), proxy.toxics().len()),
        (at, other.to_string(), 1)
    );
    let mut answer = String::new();
    connect(at).read_to_string(&mut answer).expect("an answer");
    assert_eq!(answer, "other");
    assert!(proxy.retarget(None, Some("nonsense")).is_err());
    proxy.retarget(Some("127.0.0.1:0"), None).expect("moved");
    assert_ne!(proxy.addr(), at);
    assert!(TcpStream::connect(at).is_err());
    assert!(TcpStream::connect(proxy.addr()).is_ok());
}
