//! Tests of the pipe itself: the chain, the bound, what is handed over when faults come and go.

mod properties;

use crate::trace::{bytes, check, check_datagrams, origin, wire};
use crate::{Begun, FaultId, Item, Nanos, Order, Pipe, Size};

#[test]
fn without_a_fault_everything_passes_at_once() {
    check(
        "3ms data 10\n 4ms end\n 5ms data 1",
        "3ms data 10\n 4ms end",
    );
    check_datagrams("3ms data 0\n 3ms data 5", "3ms data 0\n 3ms data 5");
}

#[test]
fn faults_act_in_the_order_of_the_chain() {
    // Sliced first, then delayed; and a close from the first waits in the second.
    check(
        "attach limit_data bytes=3
         attach latency latency=10
         0ms data 2
         1ms data 2",
        "10ms data 2
         11ms data 1
         11ms close",
    );
    // The other way round the limit is met when the data arrives there.
    check(
        "attach latency latency=10
         attach limit_data bytes=3
         0ms data 2
         1ms data 2",
        "10ms data 2
         11ms data 1
         11ms close",
    );
}

#[test]
fn what_one_fault_lets_go_goes_through_those_behind_it() {
    check(
        "attach bandwidth
         attach latency latency=10
         0ms data 5
         100ms detach bandwidth",
        "110ms data 5",
    );
}

#[test]
fn a_close_drops_what_is_before_it_in_the_chain() {
    check(
        "attach latency latency=1000
         attach timeout timeout=50
         0ms data 5
         60ms data 5",
        "50ms close",
    );
}

#[test]
fn a_new_fault_does_not_touch_what_has_passed_its_place() {
    check(
        "attach latency latency=100
         0ms data 5
         50ms attach slow_close delay=5
         60ms end
         70ms detach latency",
        "70ms data 5
         75ms end",
    );
}

#[test]
fn what_comes_when_the_end_is_due_comes_too_late() {
    let mut pipe = Pipe::new(Order::Datagram, Size(100), origin(0));
    pipe.attach(
        Nanos::ZERO,
        FaultId(1),
        0,
        &wire("reset_peer timeout=5"),
        Begun::Live,
    );
    pipe.input(Nanos::millis(5), Item::Data(bytes(0, 200)));
    assert_eq!(pipe.bounded(), 0, "it was not the bound that kept it out");
    assert_eq!(
        pipe.poll(Nanos::millis(5)),
        Some((Nanos::millis(5), Item::Reset))
    );
    assert_eq!(pipe.poll(Nanos::secs(5)), None);
}

fn slow() -> Pipe {
    let mut pipe = Pipe::new(Order::Stream, Size(10_000), origin(0));
    let latency = wire("latency latency=100");
    pipe.attach(Nanos::ZERO, FaultId(1), 0, &latency, Begun::Live);
    pipe
}

#[test]
fn the_bound_holds_a_stream_back_and_says_so() {
    let mut pipe = slow();
    pipe.input(Nanos::ZERO, Item::Data(bytes(0, 5_000)));
    assert_eq!((pipe.room(), pipe.bounded()), (4_936, 0));
    pipe.input(Nanos::ZERO, Item::Data(bytes(5_000, 6_000)));
    // A stream never loses what was read, so it exceeds its bound rather.
    assert_eq!((pipe.room(), pipe.held(), pipe.bounded()), (0, 11_000, 1));
    let mut sum = 0;
    while let Some((_, item)) = pipe.poll(Nanos::millis(100)) {
        sum += item.len();
    }
    assert_eq!((sum, pipe.held(), pipe.room()), (11_000, 0, 10_000));
}

#[test]
fn a_slow_line_behind_a_long_way_is_full_and_not_flooded() {
    // 1 MB/s behind 200 ms: 100 ms of the rate may wait, and 200 ms of it be under way.
    let mut pipe = Pipe::new(Order::Stream, Size(1 << 30), origin(0));
    let (way, line) = (wire("latency latency=200"), wire("bandwidth rate=1000"));
    pipe.attach(Nanos::ZERO, FaultId(1), 0, &way, Begun::Live);
    pipe.attach(Nanos::ZERO, FaultId(2), 1, &line, Begun::Live);
    assert_eq!(pipe.room(), 300_000);
    // A source that always has more: the line never runs dry, and no more than that is held.
    let (mut now, mut came, mut left) = (Nanos::ZERO, 0, 0);
    while now < Nanos::millis(1_200) {
        let room = pipe.room();
        pipe.input(now, Item::Data(bytes(came, room.min(10_000))));
        came += room.min(10_000);
        assert!(pipe.held() <= 300_000);
        while let Some((_, item)) = pipe.poll(now) {
            left += item.len();
        }
        now += Nanos::millis(1);
    }
    // One second of the rate, less the piece that is on the line.
    assert!((998_000..=1_000_000).contains(&left), "{left}");
}

#[test]
fn tiny_items_are_bounded_too() {
    let mut pipe = slow();
    let mut count = 0;
    while pipe.room() > 0 {
        pipe.input(Nanos::ZERO, Item::Data(bytes(count, 1)));
        count += 1;
    }
    // 65 each.
    assert_eq!(count, 154);
}

#[test]
fn datagrams_beyond_the_bound_are_dropped_and_counted() {
    let mut pipe = Pipe::new(Order::Datagram, Size(3_000), origin(0));
    pipe.attach(
        Nanos::ZERO,
        FaultId(1),
        0,
        &wire("latency latency=9"),
        Begun::Live,
    );
    for _ in 0..5 {
        pipe.input(Nanos::ZERO, Item::Data(bytes(0, 1_400)));
    }
    assert_eq!((pipe.held(), pipe.bounded()), (2_800, 3));
}

#[test]
fn idle_means_that_bytes_may_go_round_it() {
    let mut pipe = slow();
    assert!(!pipe.is_idle());
    pipe.input(Nanos::ZERO, Item::Data(bytes(0, 1)));
    assert!(pipe.detach(Nanos::ZERO, FaultId(1)));
    assert!(!pipe.detach(Nanos::ZERO, FaultId(1)));
    assert!(!pipe.is_idle(), "a byte is still here");
    assert_eq!(pipe.next_wake(), Some(Nanos::ZERO));
    assert!(pipe.poll(Nanos::ZERO).is_some());
    assert!(pipe.is_idle() && pipe.next_wake().is_none());
}

#[test]
fn a_fault_of_another_kind_takes_over_what_is_held() {
    let mut pipe = slow();
    pipe.input(Nanos::ZERO, Item::Data(bytes(0, 5)));
    assert!(pipe.change(
        Nanos::millis(50),
        FaultId(1),
        &wire("slicer average_size=4")
    ));
    assert_eq!(
        pipe.poll(Nanos::millis(50)).map(|(_, item)| item.len()),
        Some(4)
    );
    assert_eq!(
        pipe.poll(Nanos::millis(50)).map(|(_, item)| item.len()),
        Some(1)
    );
}

#[test]
fn datagrams_that_a_fault_lets_go_leave_in_the_order_in_which_they_came() {
    let mut pipe = Pipe::new(Order::Datagram, Size(1 << 20), origin(0));
    let jitter = wire("latency latency=500 jitter=500");
    pipe.attach(Nanos::ZERO, FaultId(1), 0, &jitter, Begun::Live);
    for len in 1..=20 {
        pipe.input(Nanos::ZERO, Item::Data(bytes(0, len)));
    }
    assert!(pipe.detach(Nanos::ZERO, FaultId(1)));
    let left = core::iter::from_fn(|| pipe.poll(Nanos::ZERO)).map(|(_, item)| item.len());
    assert!(left.eq(1..=20));
}

#[test]
fn a_late_driver_does_not_let_a_shared_line_see_what_is_to_come() {
    // 100 bytes take 100 µs on the line. Asked in time, the second books its turn alone, because
    // the third has not come; asked late, all three are there.
    let due: Vec<Nanos> = [true, false]
        .into_iter()
        .flat_map(|in_time| {
            let mut pipe = Pipe::new(Order::Stream, Size(1 << 20), origin(0));
            let line = wire("bandwidth rate=1000 shared=yes");
            let latency = wire("latency latency=10");
            pipe.attach(Nanos::ZERO, FaultId(1), 0, &latency, Begun::Live);
            pipe.attach(Nanos::ZERO, FaultId(2), 1, &line, Begun::Live);
            for at in [0, 200_000, 250_000] {
                pipe.input(Nanos(at), Item::Data(bytes(0, 100)));
            }
            let mut due = Vec::new();
            while let Some(wake) = pipe.next_wake() {
                let now = if in_time { wake } else { Nanos::secs(1) };
                due.extend(pipe.poll(now).map(|(due, _)| due));
            }
            due
        })
        .collect();
    let after = |us: i64| Nanos::millis(10) + Nanos(us * 1_000);
    let expected = [after(100), after(300), after(400)];
    assert_eq!(due, [expected, expected].concat());
}

/// Not a measurement: a bound that only work that grows with what is held would break.
#[test]
fn a_chunk_costs_the_same_however_much_is_held() {
    let mut pipe = Pipe::new(Order::Stream, Size(1 << 40), origin(0));
    let latency = wire("latency latency=1000");
    pipe.attach(Nanos::ZERO, FaultId(1), 0, &latency, Begun::Live);
    let chunk = bytes(0, 65_536);
    // 20 GB of virtual traffic, 1.3 GB of it held at a time; the bytes are one shared buffer.
    let mut left = 0;
    for n in 0..300_000_i64 {
        pipe.input(Nanos(n * 50_000), Item::Data(chunk.clone()));
        while pipe.poll(Nanos(n * 50_000)).is_some() {
            left += 1;
        }
    }
    assert_eq!(left, 300_000 - 20_000);
}
