//! Control calls: at once, on what is open too, and never waiting for anybody's peer.

use super::net::{
    LIMIT, connect, down, echo, echoes, ending, engine, eventually, pause, server, sink, time, to,
    up, wire,
};
use assize_fault::Wire;
use assize_proxy::{Change, Cut, Error, Listening, Toxic, What};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Far more than a control call takes, far less than what it must not wait for.
const AT_ONCE: Duration = Duration::from_secs(3);

#[test]
fn a_fault_meets_what_is_open_and_its_removal_frees_it() {
    let proxy = to(server(echo)).start().expect("a proxy");
    let mut client = connect(proxy.addr());
    assert!(echoes(&mut client));
    proxy
        .attach(down("latency", &[("latency", 150)]))
        .expect("attached");
    let (slow, ok) = time(|| echoes(&mut client));
    assert!(ok && slow >= Duration::from_millis(150), "{slow:?}");
    let wire = Some(wire("latency", &[("latency", 300)]));
    let change = Change {
        wire,
        ..Change::default()
    };
    proxy.change("latency", change).expect("changed");
    let (slower, ok) = time(|| echoes(&mut client));
    assert!(ok && slower >= Duration::from_millis(300), "{slower:?}");
    proxy.detach("latency").expect("detached");
    assert!(echoes(&mut client));
    let connections = proxy.connections().expect("connections");
    assert_eq!(connections.len(), 1);
    assert_eq!(connections[0].touched_by, ["latency"]);
    assert_eq!(connections[0].peer, client.local_addr().expect("address"));
    assert_eq!(
        (
            connections[0].upstream_bytes,
            connections[0].downstream_bytes
        ),
        (4, 4)
    );
}

#[test]
fn names_are_unique_over_both_directions_and_must_exist() {
    let proxy = to(server(echo)).start().expect("a proxy");
    proxy.attach(down("latency", &[])).expect("attached");
    let again = proxy.attach(up("latency", &[]));
    assert!(matches!(again, Err(Error::ToxicExists(name)) if name == "latency"));
    let gone = proxy.detach("other");
    assert!(matches!(gone, Err(Error::NoSuchToxic(name)) if name == "other"));
    let gone = proxy.change("other", Change::default());
    assert!(matches!(gone, Err(Error::NoSuchToxic(_))));
    assert_eq!(proxy.toxics().len(), 1);
}

#[test]
fn removing_any_fault_returns_at_once_though_clients_are_stuck() {
    let flood = server(|mut stream| while stream.write_all(&[7; 64 << 10]).is_ok() {});
    let proxy = to(flood).on(&engine(false)).start().expect("a proxy");
    // Clients that never read: both sockets and all pipes fill up.
    let stuck: Vec<TcpStream> = (0..8).map(|_| connect(proxy.addr())).collect();
    for (kind, settings) in [
        ("latency", &[("latency", 3_600_000)][..]),
        ("bandwidth", &[("rate", 0)]),
        ("slicer", &[("average_size", 1), ("delay", 1_000_000)]),
        ("slow_close", &[("delay", 3_600_000)]),
        ("limit_data", &[("bytes", 1 << 40)]),
        ("timeout", &[("timeout", 0)]),
    ] {
        let (took, done) = time(|| {
            proxy.attach(down(kind, settings))?;
            pause(Duration::from_millis(30));
            proxy.detach(kind)
        });
        done.unwrap_or_else(|error| panic!("{kind}: {error}"));
        assert!(took < AT_ONCE, "{kind}: {took:?}");
    }
    drop(stuck);
    eventually("all are closed", || proxy.counters().open == 0);
}

#[test]
fn a_thousand_connections_are_cut_at_once() {
    for how in [Cut::Close, Cut::Reset] {
        let proxy = to(server(sink))
            .on(&engine(false))
            .start()
            .expect("a proxy");
        let mut clients: Vec<TcpStream> = (0..1_000).map(|_| connect(proxy.addr())).collect();
        eventually("all are through", || {
            let connections = proxy.connections().expect("connections");
            connections.len() == 1_000 && connections.iter().all(|c| c.connected)
        });
        let (took, cut) = time(|| proxy.cut(how));
        assert_eq!(cut.expect("cut"), 1_000);
        assert!(took < AT_ONCE, "{took:?}");
        let wanted = (how == Cut::Reset).then_some(ErrorKind::ConnectionReset);
        for client in &mut clients {
            assert_eq!(ending(client), wanted);
        }
        assert_eq!(proxy.counters().open, 0);
    }
}

#[test]
fn reset_peer_resets_what_was_open_before() {
    let proxy = to(server(sink))
        .on(&engine(false))
        .start()
        .expect("a proxy");
    let mut clients: Vec<TcpStream> = (0..200).map(|_| connect(proxy.addr())).collect();
    eventually("all are through", || proxy.counters().open == 200);
    proxy
        .attach(down("reset_peer", &[("timeout", 10)]))
        .expect("attached");
    for client in &mut clients {
        assert_eq!(ending(client), Some(ErrorKind::ConnectionReset));
    }
    eventually("all are over", || proxy.counters().open == 0);
}

#[test]
fn timeout_closes_in_order_though_data_keeps_coming() {
    let drip = server(|mut stream| {
        while stream.write_all(b"drip").is_ok() {
            pause(Duration::from_millis(10));
        }
    });
    let proxy = to(drip)
        .toxic(down("timeout", &[("timeout", 200)]))
        .start()
        .expect("a proxy");
    let mut client = connect(proxy.addr());
    let (took, end) = time(|| client.read(&mut [0; 64]));
    assert_eq!(end.expect("an end in order"), 0, "what comes is swallowed");
    assert!(took < LIMIT / 2, "{took:?}");
}

#[test]
fn limit_data_gives_so_many_bytes_and_the_end() {
    let flood = server(|mut stream| while stream.write_all(&[7; 64 << 10]).is_ok() {});
    let proxy = to(flood)
        .toxic(down("limit_data", &[("bytes", 123_456)]))
        .start()
        .expect("a proxy");
    let mut client = connect(proxy.addr());
    let mut all = Vec::new();
    client.read_to_end(&mut all).expect("an end in order");
    assert_eq!(all.len(), 123_456);
}

#[test]
fn a_fault_touches_its_share_of_connections_and_keeps_to_it() {
    let proxy = to(server(echo)).name("share").start().expect("a proxy");
    let slow = Toxic {
        toxicity: 0.5,
        ..down("latency", &[("latency", 1)])
    };
    proxy.attach(slow).expect("attached");
    let _clients: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut client = connect(proxy.addr());
            assert!(echoes(&mut client));
            client
        })
        .collect();
    let touched = || -> Vec<u64> {
        let connections = proxy.connections().expect("connections");
        let touched = connections.into_iter().filter(|c| !c.touched_by.is_empty());
        touched.map(|c| c.id).collect()
    };
    let before = touched();
    // 100 of 200 are expected; the standard deviation is 7.
    assert!((60..140).contains(&before.len()), "{}", before.len());
    proxy
        .attach(up("slicer", &[("average_size", 9)]))
        .expect("attached");
    proxy.detach("slicer").expect("detached");
    let wire = Some(Wire::named("latency").expect("latency"));
    proxy
        .change(
            "latency",
            Change {
                wire,
                ..Change::default()
            },
        )
        .expect("changed");
    let still: Vec<u64> = proxy
        .connections()
        .expect("connections")
        .into_iter()
        .filter(|c| c.touched_by.iter().any(|name| name == "latency"))
        .map(|c| c.id)
        .collect();
    assert_eq!(still, before, "the draw is kept");
}

#[test]
fn a_fault_can_be_for_one_client_alone() {
    let proxy = to(server(echo)).start().expect("a proxy");
    let (mut one, mut other) = (connect(proxy.addr()), connect(proxy.addr()));
    let peer = one
        .local_addr()
        .expect("address")
        .to_string()
        .parse()
        .expect("a peer");
    let toxic = Toxic {
        peer: Some(peer),
        ..down("latency", &[("latency", 200)])
    };
    proxy.attach(toxic).expect("attached");
    assert!(time(|| echoes(&mut one)).0 >= Duration::from_millis(200));
    assert!(echoes(&mut other));
    let connections = proxy.connections().expect("connections");
    let touched: Vec<usize> = connections.iter().map(|c| c.touched_by.len()).collect();
    assert_eq!(touched, [1, 0]);
}

#[test]
fn the_engine_tells_what_happens() {
    let engine = engine(false);
    let events = engine.events();
    let proxy = to(server(echo))
        .name("db")
        .on(&engine)
        .start()
        .expect("a proxy");
    let mut client = connect(proxy.addr());
    assert!(echoes(&mut client));
    proxy.attach(down("latency", &[])).expect("attached");
    proxy.detach("latency").expect("detached");
    proxy.listener(Listening::Refuse).expect("closed");
    proxy.cut(Cut::Reset).expect("cut");
    drop(proxy);
    let mut told = Vec::new();
    while let Some(event) = events.next_within(LIMIT) {
        assert_eq!(event.proxy, "db");
        let is_last = event.what == What::Stopped;
        told.push(event.what);
        if is_last {
            break;
        }
    }
    let peer = client.local_addr().expect("address");
    for wanted in [
        What::Opened {
            connection: 1,
            peer,
        },
        What::Attached {
            toxic: "latency".into(),
        },
        What::Detached {
            toxic: "latency".into(),
        },
        What::Listener {
            state: Listening::Refuse,
        },
        What::Closed {
            connection: 1,
            reset: true,
        },
        What::WasCut {
            how: Cut::Reset,
            connections: 1,
        },
        What::Stopped,
    ] {
        assert!(told.contains(&wanted), "{wanted:?} is not among {told:#?}");
    }
}

#[test]
fn counters_follow_bytes_as_they_pass() {
    let proxy = to(server(sink)).start().expect("a proxy");
    let mut client = connect(proxy.addr());
    let piece = vec![1; 1 << 20];
    for round in 1..=20_u64 {
        client.write_all(&piece).expect("written");
        eventually("they are counted while the connection is open", || {
            let upstream = proxy.counters().upstream;
            upstream.received == round << 20 && upstream.sent == round << 20
        });
    }
    assert_eq!(proxy.counters().open, 1);
}
