//! Bounds: of connections, of proxies, of what is held; each with a clear word when it is reached.

use super::net::{connect, down, echo, echoes, engine, eventually, lost, server, sink, to, up};
use assize_fault::Size;
use assize_proxy::{Engine, EngineOptions, Error, Proxy, What};
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::time::Duration;

#[test]
fn connections_beyond_the_limit_are_turned_away_and_come_back_later() {
    let options = EngineOptions {
        workers: 2,
        max_connections: 10,
        ..EngineOptions::default()
    };
    let engine = Engine::new(options).expect("an engine");
    let events = engine.events();
    let proxy = to(server(echo)).on(&engine).start().expect("a proxy");
    let mut clients: Vec<TcpStream> = (0..10).map(|_| connect(proxy.addr())).collect();
    assert!(clients.iter_mut().all(echoes));
    assert_eq!(lost(proxy.addr()), Some(ErrorKind::ConnectionReset));
    let told = std::iter::from_fn(|| events.try_next());
    assert!(
        told.into_iter()
            .any(|event| matches!(event.what, What::TurnedAway { .. }))
    );
    clients.truncate(5);
    eventually("five are over", || proxy.counters().open == 5);
    assert!(echoes(&mut connect(proxy.addr())));
    assert_eq!(proxy.counters().turned_away, 1);
}

#[test]
fn proxies_beyond_the_limit_are_an_error_with_a_remedy() {
    let options = EngineOptions {
        max_proxies: 2,
        ..EngineOptions::default()
    };
    let engine = Engine::new(options).expect("an engine");
    let upstream = server(echo);
    let first = to(upstream).on(&engine).start().expect("one");
    let _second = to(upstream).on(&engine).start().expect("two");
    let third = to(upstream).on(&engine).start().expect_err("too many");
    assert!(matches!(third, Error::TooManyProxies(2)), "{third}");
    first.stop().expect("stopped");
    to(upstream)
        .on(&engine)
        .start()
        .expect("there is room again");
}

#[test]
fn two_thousand_proxies_work_side_by_side() {
    let engine = engine(false);
    let upstream = server(echo);
    let proxies: Vec<Proxy> = (0..2_000)
        .map(|_| to(upstream).on(&engine).start().expect("a proxy"))
        .collect();
    for proxy in proxies.iter().step_by(97) {
        assert!(echoes(&mut connect(proxy.addr())));
        proxy
            .attach(down("latency", &[("latency", 1)]))
            .expect("attached");
        assert!(echoes(&mut connect(proxy.addr())));
    }
}

#[test]
fn what_is_held_is_bounded_and_reported_and_the_source_waits() {
    for (bound, held) in [(1 << 20, 1 << 30), (1 << 30, 1 << 20)] {
        let options = EngineOptions {
            workers: 1,
            max_held: Size(held),
            ..EngineOptions::default()
        };
        let engine = Engine::new(options).expect("an engine");
        let proxy = to(server(sink))
            .on(&engine)
            .bound(Size(bound))
            .toxic(up("latency", &[("latency", 3_600_000)]))
            .start()
            .expect("a proxy");
        let mut client = connect(proxy.addr());
        client
            .set_write_timeout(Some(Duration::from_millis(500)))
            .expect("a limit");
        let piece = vec![1; 1 << 20];
        let full = (0..64).find_map(|_| client.write_all(&piece).err());
        full.expect("the source waits");
        let most = bound.min(held);
        // At most one read beyond.
        assert!(engine.held().0 <= most + (64 << 10), "{:?}", engine.held());
        assert!(engine.held().0 >= most / 2, "{:?}", engine.held());
        if bound < held {
            assert!(proxy.counters().bounded > 0);
        }
        drop(client);
        proxy.detach("latency").expect("detached");
        eventually("nothing is held any more", || engine.held().0 == 0);
        eventually("all that was taken arrived", || {
            let upstream = proxy.counters().upstream;
            upstream.sent == upstream.received && proxy.counters().open == 0
        });
    }
}
