//! Sections 5 and 6: what toxics do to bytes when they are set over the API, and the defects of
//! the original that must not be here. The figures of each fault are tested elsewhere.

use super::server::{Api, LIMIT, connect, echo, round_trip};
use crate::support::free_port;
use assize_proxy::api::Settings;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};

#[expect(clippy::disallowed_methods, reason = "a delay is what is tested")]
fn now() -> Instant {
    Instant::now()
}

/// How long a round trip took.
fn timed(client: &mut TcpStream) -> Duration {
    let begun = now();
    round_trip(client, b"ping").expect("an echo");
    now() - begun
}

#[test]
fn latencies_of_both_streams_and_of_several_toxics_add_up() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    let mut client = connect(listen);
    api.toxic(
        "p",
        r#"{"name":"a","type":"latency","stream":"upstream","attributes":{"latency":60}}"#,
    );
    api.toxic(
        "p",
        r#"{"name":"b","type":"latency","attributes":{"latency":50}}"#,
    );
    api.toxic(
        "p",
        r#"{"name":"c","type":"latency","attributes":{"latency":40}}"#,
    );
    // 60 + 50 + 40; a connection that was open before meets them too.
    for client in [&mut client, &mut connect(listen)] {
        let took = timed(client);
        assert!(took >= Duration::from_millis(150), "{took:?}");
        assert!(took < Duration::from_millis(1_000), "{took:?}");
    }
    assert_eq!(api.ask("DELETE", "/proxies/p/toxics/a", "").status, 204);
    let took = timed(&mut client);
    assert!(took >= Duration::from_millis(90), "{took:?}");
    api.expect(("POST", "/reset", ""), 204, "");
    round_trip(&mut client, b"still open").expect("the connection survives it all");
}

#[test]
fn a_rate_of_zero_stalls_and_delivers_when_it_is_removed() {
    let api = Api::start();
    let mut client = connect(api.proxy("p", echo()));
    round_trip(&mut client, b"flows").expect("an echo");
    // How testcontainers cuts a connection.
    for (name, stream) in [("up", "upstream"), ("down", "downstream")] {
        let body = format!(
            r#"{{"name":"{name}","type":"bandwidth","stream":"{stream}","attributes":{{"rate":0}}}}"#
        );
        api.toxic("p", &body);
    }
    client.write_all(b"held back").expect("it is taken");
    client
        .set_read_timeout(Some(Duration::from_millis(200)))
        .expect("a limit");
    let nothing = client.read(&mut [0; 16]).expect_err("nothing comes");
    assert!(
        matches!(nothing.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{nothing}"
    );
    client.set_read_timeout(Some(LIMIT)).expect("a limit");
    for name in ["up", "down"] {
        assert_eq!(
            api.ask("DELETE", &format!("/proxies/p/toxics/{name}"), "")
                .status,
            204
        );
    }
    let mut back = [0; 9];
    client.read_exact(&mut back).expect("it arrives");
    assert_eq!(&back, b"held back");
}

#[test]
fn a_half_closed_connection_still_answers() {
    let api = Api::start();
    let mut client = connect(api.proxy("p", echo()));
    client.write_all(b"question").expect("it is taken");
    client.shutdown(Shutdown::Write).expect("half of it");
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).expect("an answer");
    assert_eq!(answer, b"question");
}

#[test]
#[cfg(target_os = "linux")]
fn a_dead_upstream_keeps_no_other_client_waiting() {
    let api = Api::start();
    // An address that never answers: a proxy whose listener swallows.
    let hole = api.proxy("hole", echo());
    let path = "/assize/v1/proxies/hole/listener";
    assert_eq!(api.ask("PUT", path, r#"{"state":"blackhole"}"#).status, 200);
    let listen = api.proxy("dead", hole);
    let waiting: Vec<_> = (0..8).map(|_| connect(listen)).collect();
    let alive = api.proxy("alive", echo());
    round_trip(&mut connect(alive), b"x").expect("an echo at once");
    let body = format!(r#"{{"upstream":"{}"}}"#, echo());
    assert_eq!(api.ask("POST", "/proxies/dead", &body).status, 200);
    round_trip(&mut connect(listen), b"x").expect("an echo at once");
    drop(waiting);
}

#[test]
fn an_upstream_that_refuses_is_seen_by_the_client() {
    let api = Api::start();
    let listen = api.proxy("p", free_port());
    let ended = TcpStream::connect(listen).and_then(|mut stream| {
        stream.set_read_timeout(Some(LIMIT))?;
        stream.read(&mut [0; 1])
    });
    let kind = ended.as_ref().map_err(std::io::Error::kind);
    let seen = matches!(
        kind,
        Ok(0) | Err(ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused)
    );
    assert!(seen, "{ended:?}");
}

#[test]
fn a_timeout_fires_although_data_keeps_coming() {
    let api = Api::start();
    let mut client = connect(api.proxy("p", echo()));
    api.toxic(
        "p",
        r#"{"type":"timeout","stream":"upstream","attributes":{"timeout":200}}"#,
    );
    client
        .set_read_timeout(Some(Duration::from_millis(10)))
        .expect("a limit");
    let begun = now();
    while now() - begun < LIMIT {
        // Data more often than the timeout: in the original each piece begins it anew.
        let written = client.write_all(b"x");
        let ended = match client.read(&mut [0; 8]) {
            Ok(0) => true,
            Ok(_) => panic!("data passes a timeout"),
            Err(error) => !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
        };
        if ended || written.is_err() {
            return;
        }
    }
    panic!("it never fires");
}

#[test]
fn a_timeout_that_is_removed_closes_the_connection() {
    let api = Api::start();
    let mut client = connect(api.proxy("p", echo()));
    round_trip(&mut client, b"x").expect("an echo");
    api.toxic(
        "p",
        r#"{"name":"t","type":"timeout","attributes":{"timeout":0}}"#,
    );
    assert_eq!(api.ask("DELETE", "/proxies/p/toxics/t", "").status, 204);
    let end = client.read(&mut [0; 8]);
    assert!(matches!(end, Ok(0)), "{end:?}");
}

#[test]
fn a_reset_reaches_connections_that_were_open_before() {
    let api = Api::start();
    let mut client = connect(api.proxy("p", echo()));
    round_trip(&mut client, b"x").expect("an echo");
    api.toxic("p", r#"{"type":"reset_peer","attributes":{"timeout":10}}"#);
    let error = client.read(&mut [0; 8]).expect_err("a reset, not an end");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_reset_that_does_not_touch_a_connection_lets_it_end_in_order() {
    let api = Api::start();
    let listen = api.proxy("p", echo());
    // In the original every connection of the proxy ends by a reset from then on.
    api.toxic(
        "p",
        r#"{"type":"reset_peer","toxicity":0,"attributes":{"timeout":1}}"#,
    );
    let mut client = connect(listen);
    round_trip(&mut client, b"x").expect("an echo");
    client.shutdown(Shutdown::Write).expect("half of it");
    let end = client.read(&mut [0; 8]);
    assert!(matches!(end, Ok(0)), "{end:?}");
}

#[test]
fn toxicity_is_drawn_once_for_a_connection_and_follows_from_the_seed() {
    let draws = |seed| {
        let api = Api::with(Settings {
            seed,
            ..Settings::default()
        });
        let listen = api.proxy("p", echo());
        let mut clients: Vec<_> = (0..24)
            .map(|_| {
                let mut client = connect(listen);
                round_trip(&mut client, b"x").expect("an echo");
                client
            })
            .collect();
        api.toxic(
            "p",
            r#"{"name":"t","type":"bandwidth","toxicity":0.5,"attributes":{"rate":0}}"#,
        );
        let stalls = |clients: &mut Vec<TcpStream>| -> Vec<bool> {
            clients
                .iter_mut()
                .for_each(|c| c.write_all(b"y").expect("it is taken"));
            // All of them have the same time, at the end of which a moment is enough.
            let end = now() + Duration::from_millis(500);
            let mut one = |client: &mut TcpStream| {
                let left = end.saturating_duration_since(now());
                let limit = left.max(Duration::from_millis(1));
                client.set_read_timeout(Some(limit)).expect("a limit");
                client.read(&mut [0; 4]).is_err()
            };
            clients.iter_mut().map(&mut one).collect()
        };
        let before = stalls(&mut clients);
        // In the original a neighbour or an update draws anew.
        api.toxic("p", r#"{"name":"other","type":"latency"}"#);
        assert_eq!(
            api.ask(
                "POST",
                "/proxies/p/toxics/t",
                r#"{"attributes":{"rate":0}}"#
            )
            .status,
            200
        );
        assert_eq!(before, stalls(&mut clients), "drawn anew");
        let count = before.iter().filter(|stalled| **stalled).count();
        assert!((1..24).contains(&count), "{count} of 24 at one half");
        before
    };
    let first = draws(7);
    assert_eq!(first, draws(7), "the same seed");
    assert_ne!(first, draws(8), "another seed; equal once in 16 million");
}

#[test]
fn removal_never_hangs_whatever_the_peers_do() {
    let api = Api::start();
    // An upstream that never reads, a client that never reads.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let upstream = listener.local_addr().expect("its address");
    let mut client = connect(api.proxy("p", upstream));
    let (_server, _) = listener.accept().expect("a connection");
    client
        .set_write_timeout(Some(Duration::from_millis(100)))
        .expect("a limit");
    for kind in [
        "latency",
        "bandwidth",
        "slow_close",
        "slicer",
        "limit_data",
        "reset_peer",
        "timeout",
    ] {
        for stream in ["upstream", "downstream"] {
            let body = format!(
                r#"{{"name":"t","type":"{kind}","stream":"{stream}","attributes":{{"latency":60000,"rate":1,"delay":60000,"average_size":10,"bytes":1000000000,"timeout":60000}}}}"#
            );
            api.toxic("p", &body);
            let _ = client.write(&[0; 65_536]);
            let begun = now();
            assert_eq!(
                api.ask("DELETE", "/proxies/p/toxics/t", "").status,
                204,
                "{kind}"
            );
            let took = now() - begun;
            assert!(took < Duration::from_secs(5), "{kind} {stream}: {took:?}");
        }
    }
}

#[test]
fn a_slicer_of_its_defaults_harms_nothing() {
    let api = Api::start();
    let mut client = connect(api.proxy("p", echo()));
    for attributes in [
        r#"{}"#,
        r#"{"average_size":0,"size_variation":5}"#,
        r#"{"average_size":1,"size_variation":100}"#,
    ] {
        api.toxic(
            "p",
            &format!(r#"{{"name":"t","type":"slicer","attributes":{attributes}}}"#),
        );
        let message = vec![7; 10_000];
        assert_eq!(round_trip(&mut client, &message).expect("an echo"), message);
        assert_eq!(api.ask("DELETE", "/proxies/p/toxics/t", "").status, 204);
    }
}
