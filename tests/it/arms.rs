//! One body, two arms: what a fault does in a pure pipe in virtual time, it does on real sockets
//! through the engine, byte for byte and at the same time.
//!
//! Each case is a script of what the server sends and what happens to the faults meanwhile. The
//! pure arm says what the client must see; the live arm is what it sees. The tolerance: nothing
//! arrives more than 5 ms early or 60 ms late. A machine that stalls for longer gets two more
//! tries; code that is wrong is wrong in all three.

mod live;
mod pure;
mod script;

use assize_fault::{Direction, FaultId, Order, Origin};
use script::{Script, compare};

/// The seed, the name of the proxy and the connection's number: the keys of all draws.
const SEED: u64 = 1;
const PROXY: &str = "arms";
const CONNECTION: u64 = 1;

fn id(name: &str) -> FaultId {
    FaultId::named(PROXY, name)
}

fn origin(connection: u64) -> Origin {
    Origin {
        seed: SEED,
        connection,
        direction: Direction::Downstream,
    }
}

#[track_caller]
fn both(order: Order, lines: &str) {
    let script = Script::read(order, lines);
    let expected = pure::run(&script);
    let mut differs = String::new();
    for _ in 0..3 {
        let seen = match order {
            Order::Stream => live::stream(&script, &expected),
            Order::Datagram => live::datagrams(&script, &expected),
        };
        match compare(order, &expected, &seen) {
            Ok(()) => return,
            Err(why) => differs = why,
        }
    }
    panic!("{differs}\nafter\n{lines}");
}

#[track_caller]
fn stream(lines: &str) {
    both(Order::Stream, lines);
}

#[track_caller]
fn datagrams(lines: &str) {
    both(Order::Datagram, lines);
}

#[test]
fn nothing_attached() {
    stream("0ms data 1000\n 30ms data 70000\n 60ms end");
}

#[test]
fn latency() {
    stream(
        "attach latency latency=100
         0ms data 100
         30ms data 20000
         60ms end",
    );
}

#[test]
fn latency_changed_and_detached() {
    stream(
        "attach latency latency=400
         0ms data 10
         50ms data 10
         100ms change latency latency=200
         120ms data 10
         270ms data 10
         300ms detach latency
         400ms data 10",
    );
}

#[test]
fn jitter_in_all_shapes() {
    for shape in ["uniform", "normal", "pareto"] {
        stream(&format!(
            "attach latency latency=100 jitter=80 distribution={shape}
             0ms data 10\n 20ms data 10\n 40ms data 10\n 60ms data 10\n 80ms data 10\n 100ms data 10"
        ));
    }
}

#[test]
fn bandwidth() {
    stream(
        "attach bandwidth rate=100
         0ms data 20000
         300ms data 10000
         320ms change bandwidth rate=20
         400ms end",
    );
}

#[test]
fn bandwidth_zero_delivers_when_it_is_detached() {
    stream(
        "attach bandwidth
         0ms data 5000
         20ms data 5000
         200ms detach bandwidth
         250ms data 10",
    );
}

#[test]
fn slow_close() {
    stream("attach slow_close delay=200\n 0ms data 10\n 20ms end");
}

#[test]
fn timeout_under_constant_traffic() {
    stream(
        "attach timeout timeout=150
         0ms data 10\n 40ms data 10\n 80ms data 10\n 120ms data 10\n 160ms data 10",
    );
}

#[test]
fn timeout_attached_live_and_detached() {
    stream("20ms data 10\n 40ms attach timeout timeout=100\n 60ms data 10");
    stream("attach timeout\n 20ms data 10\n 120ms detach timeout");
}

#[test]
fn reset_peer() {
    stream("attach reset_peer timeout=100\n 50ms data 10");
    stream("20ms data 10\n 40ms attach reset_peer timeout=80");
    stream("attach reset_peer timeout=300\n 20ms data 10\n 100ms detach reset_peer\n 150ms end");
}

#[test]
fn slicer() {
    stream(
        "attach slicer average_size=100 size_variation=20 delay=20000\n 0ms data 1000\n 50ms end",
    );
}

#[test]
fn limit_data() {
    stream("attach limit_data bytes=1000\n 0ms data 600\n 50ms data 600\n 100ms data 10");
}

#[test]
fn packet_loss() {
    stream(
        "attach packet_loss loss_rate=0.4 rto=60
         0ms data 10\n 20ms data 10\n 40ms data 10\n 60ms data 10\n 80ms data 10\n 100ms data 10
         300ms detach packet_loss
         320ms end",
    );
}

#[test]
fn corrupt() {
    stream("attach corrupt rate=0.5\n 0ms data 100\n 20ms data 100\n 40ms data 100\n 60ms end");
}

#[test]
fn several_in_a_row() {
    stream(
        "attach slicer average_size=500
         attach latency latency=50 jitter=20
         attach bandwidth rate=50
         0ms data 5000
         100ms attach slow_close delay=100
         150ms end",
    );
}

#[test]
fn datagrams_each_in_its_own_time() {
    datagrams(
        "attach latency latency=100 jitter=100
         0ms data 10\n 10ms data 20\n 20ms data 30\n 30ms data 40\n 40ms data 50\n 50ms data 60",
    );
}

#[test]
fn datagrams_lost_doubled_and_reordered() {
    datagrams(
        "attach packet_loss loss_rate=0.3
         attach duplicate rate=0.5
         attach reorder rate=0.5 delay=100
         0ms data 10\n 20ms data 20\n 40ms data 30\n 60ms data 40\n 80ms data 50\n 100ms data 60
         120ms data 70\n 140ms data 80\n 160ms data 90",
    );
}

#[test]
fn datagrams_on_a_slow_line() {
    datagrams(
        "attach bandwidth rate=10\n 0ms data 1000\n 0ms data 500\n 50ms data 0\n 60ms data 100",
    );
}

#[test]
fn toxicity_touches_the_connections_that_it_is_drawn_for() {
    let touched = live::touched(20, 0.5);
    let expected: Vec<u64> = (1..=20)
        .filter(|connection| origin(*connection).is_touched(id("latency"), 0.5))
        .collect();
    assert_eq!(touched, expected);
    assert!(
        (1..20).contains(&expected.len()),
        "the draw tells something"
    );
}
