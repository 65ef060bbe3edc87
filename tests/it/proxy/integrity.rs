//! Every byte arrives once and in order, and so does the end of the stream, whatever faults are
//! attached, changed and detached while they are on their way.

use super::net::{
    byte_at, down, engine, pause, read_pattern, server, sink, to, up, wire, write_pattern,
};
use assize_proxy::{Change, Cut, Direction, Proxy, Toxic};
use proptest::prelude::*;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// What is done to the proxy while bytes pass.
#[derive(Clone, Debug)]
enum Act {
    Attach(usize, Direction, &'static str, Vec<(&'static str, i64)>),
    Change(usize, &'static str, Vec<(&'static str, i64)>),
    Detach(usize),
    DetachAll,
    Pause(u64),
}

/// Faults that keep every byte, with settings that keep a test short.
fn fault() -> impl Strategy<Value = (&'static str, Vec<(&'static str, i64)>)> {
    prop_oneof![
        (0..20_i64, 0..20_i64).prop_map(|(l, j)| ("latency", vec![("latency", l), ("jitter", j)])),
        (20_000..200_000_i64).prop_map(|rate| ("bandwidth", vec![("rate", rate)])),
        (500..40_000_i64, 0..400_i64).prop_map(|(size, variation)| {
            (
                "slicer",
                vec![("average_size", size), ("size_variation", variation)],
            )
        }),
        (0..20_i64).prop_map(|delay| ("slow_close", vec![("delay", delay)])),
        Just(("packet_loss", vec![("rto", 2)])),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let direction = prop_oneof![Just(Direction::Upstream), Just(Direction::Downstream)];
    prop_oneof![
        4 => (0..4_usize, direction, fault()).prop_map(|(n, d, (k, s))| Act::Attach(n, d, k, s)),
        2 => (0..4_usize, fault()).prop_map(|(n, (k, s))| Act::Change(n, k, s)),
        3 => (0..4_usize).prop_map(Act::Detach),
        1 => Just(Act::DetachAll),
        4 => (0..12_u64).prop_map(Act::Pause),
    ]
}

/// Carries out an act; one that names what is not there is refused, which is right too.
fn carry_out(proxy: &Proxy, act: &Act) {
    let name = |n: &usize| format!("fault-{n}");
    match act {
        Act::Attach(n, direction, kind, settings) => {
            let _ = proxy.attach(Toxic::new(name(n), *direction, wire(kind, settings)));
        }
        Act::Change(n, kind, settings) => {
            let wire = Some(wire(kind, settings));
            let change = Change {
                wire,
                ..Change::default()
            };
            let _ = proxy.change(&name(n), change);
        }
        Act::Detach(n) => {
            let _ = proxy.detach(&name(n));
        }
        Act::DetachAll => {
            proxy.detach_all().expect("detached");
        }
        Act::Pause(millis) => pause(Duration::from_millis(*millis)),
    }
}

#[derive(Clone, Debug)]
struct Case {
    portable: bool,
    up: (u64, usize, usize),
    down: (u64, usize, usize),
    acts: Vec<Act>,
}

fn case() -> impl Strategy<Value = Case> {
    let way = || (0..3_000_000_u64, 1_000..300_000_usize, 1_000..200_000_usize);
    let acts = prop::collection::vec(act(), 0..40);
    (any::<bool>(), way(), way(), acts).prop_map(|(portable, up, down, acts)| Case {
        portable,
        up,
        down,
        acts,
    })
}

/// Sends both ways at once, ends each way when it is done, and acts meanwhile.
fn check(case: &Case) -> Result<(), TestCaseError> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let proxy = to(listener.local_addr().expect("address"))
        .on(&engine(case.portable))
        .start()
        .expect("a proxy");
    let client = super::net::connect(proxy.addr());
    let (server, _) = listener.accept().expect("the proxy connects");
    let ((up, up_write, up_read), (down, down_write, down_read)) = (case.up, case.down);
    let (at_server, at_client) = thread::scope(|scope| {
        scope.spawn(|| write_pattern(&client, up, up_write));
        scope.spawn(|| write_pattern(&server, down, down_write));
        let at_server = scope.spawn(|| read_pattern(&server, up_read));
        let at_client = scope.spawn(|| read_pattern(&client, down_read));
        for act in &case.acts {
            carry_out(&proxy, act);
        }
        proxy.detach_all().expect("detached");
        let join = |reader: thread::ScopedJoinHandle<'_, _>| reader.join().expect("a reader");
        (join(at_server), join(at_client))
    });
    prop_assert_eq!(at_server, Ok(up));
    prop_assert_eq!(at_client, Ok(down));
    let counters = proxy.counters();
    prop_assert_eq!(
        (counters.upstream.received, counters.upstream.sent),
        (up, up)
    );
    prop_assert_eq!(
        (counters.downstream.received, counters.downstream.sent),
        (down, down)
    );
    super::net::eventually("the connection is over", || proxy.counters().open == 0);
    prop_assert_eq!(proxy.engine().held().0, 0);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn every_byte_arrives_whatever_is_attached_and_detached(case in case()) {
        check(&case)?;
    }
}

/// 96 MiB with a fault coming and going: the hand-over from the kernel's pipe to ours and back.
#[test]
fn bulk_goes_past_user_space_and_back_without_losing_a_byte() {
    const TOTAL: u64 = 96 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let proxy = to(listener.local_addr().expect("address"))
        .start()
        .expect("a proxy");
    let client = super::net::connect(proxy.addr());
    let (server, _) = listener.accept().expect("the proxy connects");
    let (read, rounds) = thread::scope(|scope| {
        scope.spawn(|| write_pattern(&client, TOTAL, 1 << 20));
        let reader = scope.spawn(|| read_pattern(&server, 1 << 20));
        let mut rounds = 0;
        while !reader.is_finished() {
            proxy
                .attach(up("latency", &[("latency", 2)]))
                .expect("attached");
            proxy
                .attach(up("slicer", &[("average_size", 30_000)]))
                .expect("attached");
            proxy.detach("latency").expect("detached");
            proxy.detach("slicer").expect("detached");
            pause(Duration::from_millis(3));
            rounds += 1;
        }
        (reader.join().expect("a reader"), rounds)
    });
    assert_eq!(read, Ok(TOTAL));
    let counters = proxy.counters().upstream;
    assert_eq!((counters.received, counters.sent), (TOTAL, TOTAL));
    if cfg!(target_os = "linux") {
        assert!(
            counters.spliced > 0,
            "nothing was spliced in {rounds} rounds"
        );
    }
    assert!(
        counters.spliced < TOTAL,
        "no byte met a fault in {rounds} rounds"
    );
}

#[test]
fn either_side_may_end_first_and_still_read() {
    // The client ends, then the server answers for as long as it likes.
    let late = server(|mut stream| {
        let mut asked = Vec::new();
        if stream.read_to_end(&mut asked).is_ok() {
            asked.reverse();
            let _ = stream.write_all(&asked);
        }
    });
    // The server ends at once, and still reads all that the client sends.
    let early = server(|stream| {
        let _ = stream.shutdown(Shutdown::Write);
        sink(stream);
    });
    for faults in [
        vec![],
        vec![
            up("latency", &[("latency", 5)]),
            down("slow_close", &[("delay", 20)]),
        ],
    ] {
        let proxy = faults
            .iter()
            .cloned()
            .fold(to(late), |proxy, fault| proxy.toxic(fault));
        let proxy = proxy.start().expect("a proxy");
        let mut client = super::net::connect(proxy.addr());
        client.write_all(b"abc").expect("written");
        client.shutdown(Shutdown::Write).expect("ended");
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).expect("an answer");
        assert_eq!(answer, b"cba");

        let proxy = faults
            .into_iter()
            .fold(to(early), |proxy, fault| proxy.toxic(fault));
        let proxy = proxy.start().expect("a proxy");
        let mut client = super::net::connect(proxy.addr());
        assert_eq!(client.read(&mut [0]).expect("the end"), 0);
        let pattern: Vec<u8> = (0..100_000).map(byte_at).collect();
        client.write_all(&pattern).expect("the server reads on");
        super::net::eventually("the server gets it all", || {
            proxy.counters().upstream.sent == 100_000
        });
    }
}

#[test]
fn a_reset_on_one_side_is_a_reset_on_the_other() {
    for fault in [None, Some(up("latency", &[("latency", 20)]))] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let proxy = to(listener.local_addr().expect("address"));
        let proxy = fault
            .into_iter()
            .fold(proxy, |proxy, fault| proxy.toxic(fault));
        let proxy = proxy.start().expect("a proxy");
        let mut client = super::net::connect(proxy.addr());
        let (mut server, _) = listener.accept().expect("the proxy connects");
        // A client that is dropped with bytes unread resets.
        server.write_all(b"unread").expect("written");
        client.peek(&mut [0]).expect("arrived");
        client.write_all(b"x").expect("written");
        server.read_exact(&mut [0]).expect("arrived");
        drop(client);
        assert_eq!(
            super::net::ending(&mut server),
            Some(std::io::ErrorKind::ConnectionReset)
        );
        super::net::eventually("the connection is over", || proxy.counters().open == 0);
    }
}

#[test]
fn what_is_cut_in_order_ends_in_order_with_all_that_was_sent() {
    let talker = server(|mut stream| {
        let _ = stream.write_all(b"first and last");
        sink(stream);
    });
    let proxy = to(talker).start().expect("a proxy");
    let mut client: TcpStream = super::net::connect(proxy.addr());
    super::net::eventually("it was sent", || proxy.counters().downstream.sent == 14);
    assert_eq!(proxy.cut(Cut::Close).expect("cut"), 1);
    let mut all = Vec::new();
    client.read_to_end(&mut all).expect("an end in order");
    assert_eq!(all, b"first and last");
}
