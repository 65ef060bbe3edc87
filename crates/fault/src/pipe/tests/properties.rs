//! What holds for any chain of faults, attached, changed and detached at any time.

use crate::trace::{byte, bytes, origin};
use crate::{Begun, FaultId, Item, Nanos, Order, Pipe, Size, Value, Wire};
use proptest::prelude::*;

/// Something that happens to a pipe, so long after what happened before.
#[derive(Clone, Debug)]
struct Event {
    after: i64,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Data(usize),
    Attach { id: u64, place: usize, wire: Wire },
    Change { id: u64, wire: Wire },
    Detach { id: u64 },
    Poll,
}

fn set(kind: &str, values: &[(&str, Value)]) -> Wire {
    let mut wire = Wire::named(kind).expect("a kind");
    for (name, value) in values {
        wire.set(name, value.clone()).expect("a permitted value");
    }
    wire
}

/// A fault in whose nature it is not to lose anything of a stream.
fn lossless() -> impl Strategy<Value = Wire> {
    let word = prop_oneof![Just("uniform"), Just("normal"), Just("pareto")];
    prop_oneof![
        (0..50_i64, 0..60_i64, word).prop_map(|(latency, jitter, shape)| set(
            "latency",
            &[
                ("latency", Value::Int(latency)),
                ("jitter", Value::Int(jitter)),
                ("distribution", Value::Word(shape.into())),
            ]
        )),
        (prop_oneof![Just(0), 1..100_i64], any::<bool>()).prop_map(|(rate, shared)| {
            let shared = if shared { "yes" } else { "no" };
            set(
                "bandwidth",
                &[
                    ("rate", Value::Int(rate)),
                    ("shared", Value::Word(shared.into())),
                ],
            )
        }),
        (0..500_i64, 0..600_i64, 0..3_000_i64).prop_map(|(size, variation, delay)| set(
            "slicer",
            &[
                ("average_size", Value::Int(size)),
                ("size_variation", Value::Int(variation)),
                ("delay", Value::Int(delay)),
            ]
        )),
        (0.0..=1.0_f64, 0.0..=1.0_f64, 0..30_i64).prop_map(|(rate, more, rto)| set(
            "packet_loss",
            &[
                ("loss_rate", Value::Float(rate)),
                ("correlation", Value::Float(more)),
                ("rto", Value::Int(rto)),
            ],
        )),
        (0.0..=1.0_f64, 0.0..=1.0_f64).prop_map(|(p, r)| set(
            "packet_loss",
            &[("p", Value::Float(p)), ("r", Value::Float(r)),]
        )),
        (0..200_i64).prop_map(|delay| set("slow_close", &[("delay", Value::Int(delay))])),
        (10_000..20_000_i64).prop_map(|t| set("reset_peer", &[("timeout", Value::Int(t))])),
        Just(set("duplicate", &[("rate", Value::Int(1))])),
        Just(set("reorder", &[("rate", Value::Int(1))])),
    ]
}

/// Any fault with any settings that are not refused.
fn any_fault() -> impl Strategy<Value = Wire> {
    let number = prop_oneof![
        0..3_i64,
        0..5_000_i64,
        any::<i64>(),
        Just(i64::MAX),
        Just(i64::MIN),
    ];
    let share = prop_oneof![
        0.0..=1.0_f64,
        any::<f64>(),
        Just(f64::NAN),
        Just(1.0),
        Just(0.0)
    ];
    let values = prop::collection::vec((number, share), 8);
    (0..Wire::KINDS.len(), values).prop_map(|(kind, values)| {
        let mut wire = Wire::named(Wire::KINDS[kind]).expect("a kind");
        for (attribute, (number, share)) in wire.attributes().iter().zip(values) {
            // What is refused changes nothing.
            let _ = wire.set(attribute.name, Value::Int(number));
            let _ = wire.set(attribute.name, Value::Float(share));
            let _ = wire.set(attribute.name, Value::Word("yes".into()));
        }
        wire
    })
}

fn events<S: Strategy<Value = Wire> + Clone + 'static>(
    wire: S,
) -> impl Strategy<Value = Vec<Event>> {
    let what = prop_oneof![
        6 => prop_oneof![Just(0), 1..20_usize, 1..5_000_usize].prop_map(What::Data),
        3 => (0..6_u64, 0..4_usize, wire.clone())
            .prop_map(|(id, place, wire)| What::Attach { id, place, wire }),
        2 => (0..6_u64, wire).prop_map(|(id, wire)| What::Change { id, wire }),
        2 => (0..6_u64).prop_map(|id| What::Detach { id }),
        2 => Just(What::Poll),
    ];
    let after = prop_oneof![Just(0), 0..2_000_000_i64, 0..60_000_000_i64];
    let event = (after, what).prop_map(|(after, what)| Event { after, what });
    prop::collection::vec(event, 1..60)
}

/// How a driver polls.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Driver {
    /// Whenever something is due.
    Exact,
    /// Only where the list of events says so, so mostly late.
    Late,
}

/// What left, when it was due; the bytes that came; and the pipe with the time it is.
struct Run {
    left: Vec<(Nanos, Item)>,
    came: usize,
    pipe: Pipe,
    now: Nanos,
    most: usize,
    heeds_room: bool,
}

impl Run {
    fn poll(&mut self) {
        while let Some(one) = self.pipe.poll(self.now) {
            assert!(one.0 <= self.now, "nothing leaves before it is due");
            self.left.push(one);
        }
    }

    /// Lets time go on; an exact driver wakes whenever something is due.
    fn until(&mut self, at: Nanos, driver: Driver) {
        while driver == Driver::Exact
            && let Some(wake) = self.pipe.next_wake().filter(|&wake| wake <= at)
        {
            self.now = self.now.max(wake);
            self.poll();
        }
        self.now = at;
    }

    fn happen(&mut self, what: &What) {
        let now = self.now;
        let has = |pipe: &Pipe, id| pipe.faults().any(|known| known == FaultId(id));
        match what {
            What::Data(len) => {
                let len = if self.heeds_room {
                    (*len).min(self.pipe.room())
                } else {
                    *len
                };
                self.pipe.input(now, Item::Data(bytes(self.came, len)));
                self.came += len;
            }
            What::Attach { id, place, wire } => {
                if !has(&self.pipe, *id) {
                    self.pipe
                        .attach(now, FaultId(*id), *place, wire, Begun::Live);
                }
            }
            What::Change { id, wire } => {
                let known = has(&self.pipe, *id);
                assert_eq!(self.pipe.change(now, FaultId(*id), wire), known);
            }
            What::Detach { id } => {
                let known = has(&self.pipe, *id);
                assert_eq!(self.pipe.detach(now, FaultId(*id)), known);
            }
            What::Poll => self.poll(),
        }
        self.most = self.most.max(self.pipe.held());
    }

    fn detach_all(&mut self) {
        let all: Vec<FaultId> = self.pipe.faults().collect();
        for id in all {
            self.pipe.detach(self.now, id);
        }
        self.poll();
    }
}

const BOUND: Size = Size(20_000);

fn run(order: Order, heeds_room: bool, events: &[Event], driver: Driver) -> Run {
    let mut run = Run {
        left: Vec::new(),
        came: 0,
        pipe: Pipe::new(order, BOUND, origin(1)),
        now: Nanos::ZERO,
        most: 0,
        heeds_room,
    };
    for event in events {
        run.until(run.now + Nanos(event.after), driver);
        run.happen(&event.what);
    }
    run.until(run.now + Nanos::secs(1), driver);
    run
}

/// The same faults, none of which shares what it decides by with another pipe's twin.
fn apart(events: &[Event]) -> Vec<Event> {
    let fresh = |wire: &Wire| {
        let mut copy = Wire::named(wire.kind()).expect("a kind");
        for (name, value) in wire.values() {
            copy.set(name, value).expect("a value that was permitted");
        }
        copy
    };
    let one = |event: &Event| {
        let what = match &event.what {
            What::Attach { id, place, wire } => What::Attach {
                id: *id,
                place: *place,
                wire: fresh(wire),
            },
            What::Change { id, wire } => What::Change {
                id: *id,
                wire: fresh(wire),
            },
            other => other.clone(),
        };
        Event {
            after: event.after,
            what,
        }
    };
    events.iter().map(one).collect()
}

proptest! {
    #[test]
    fn a_stream_loses_doubles_and_reorders_nothing(events in events(lossless().boxed())) {
        for driver in [Driver::Exact, Driver::Late] {
            let mut run = run(Order::Stream, true, &apart(&events), driver);
            run.pipe.input(run.now, Item::End);
            run.detach_all();
            // A reset that has come due meanwhile ends it early; what left is still in order.
            let cut = run.left.iter().any(|(_, item)| item.is_last());
            let (last, data) = run.left.split_last().expect("at least the end");
            prop_assert!(cut || last.1 == Item::End);
            let mut place = 0;
            for (_, item) in data {
                let Item::Data(data) = item else { continue };
                prop_assert!(data.iter().enumerate().all(|(n, b)| *b == byte(place + n)));
                place += data.len();
            }
            prop_assert!(cut || place == run.came, "{place} of {} bytes left", run.came);
            prop_assert!(run.left.is_sorted_by_key(|(due, _)| *due));
            prop_assert!(cut || run.pipe.is_idle());
            // What a fault holds is exact: the bound is only exceeded by what was on its way.
            prop_assert!(run.most as u64 <= BOUND.0, "{} held", run.most);
        }
    }

    #[test]
    fn late_polling_gives_the_schedule_of_exact_polling(
        events in events(any_fault().boxed()), datagrams in any::<bool>(),
    ) {
        let order = if datagrams { Order::Datagram } else { Order::Stream };
        // Room is left aside: what was not polled takes some, and then the driver would read less.
        let mut exact = run(order, false, &apart(&events), Driver::Exact);
        let mut late = run(order, false, &apart(&events), Driver::Late);
        exact.poll();
        late.poll();
        prop_assert_eq!(&exact.left, &late.left);
        prop_assert_eq!(exact.pipe.held(), late.pipe.held());
        prop_assert!(!datagrams || exact.pipe.bounded() == late.pipe.bounded());
        prop_assert_eq!(exact.pipe.next_wake(), late.pipe.next_wake());
    }

    #[test]
    fn no_settings_break_it_and_detaching_lets_go(
        events in events(any_fault().boxed()), datagrams in any::<bool>(),
    ) {
        let order = if datagrams { Order::Datagram } else { Order::Stream };
        let mut run = run(order, false, &events, Driver::Late);
        // The end of time, as far as anybody can state it.
        run.now = Nanos::NEVER;
        run.poll();
        run.detach_all();
        prop_assert_eq!(run.pipe.held(), 0);
        prop_assert!(run.pipe.is_idle());
    }

    #[test]
    fn datagrams_stay_whole_and_are_lost_only_by_what_loses_them(
        events in events(lossless().boxed()),
    ) {
        let mut run = run(Order::Datagram, false, &events, Driver::Exact);
        run.detach_all();
        let whole = |len: usize| events.iter().any(|e| matches!(e.what, What::Data(l) if l >= len));
        for (_, item) in &run.left {
            prop_assert!(!item.is_data() || whole(item.len()));
        }
        let copies = events.iter().any(|event| match &event.what {
            What::Attach { wire, .. } | What::Change { wire, .. } => wire.kind() == "duplicate",
            _ => false,
        });
        let sum: usize = run.left.iter().map(|(_, item)| item.len()).sum();
        prop_assert!(copies || sum <= run.came);
    }

    #[test]
    fn a_limit_lets_exactly_so_many_bytes_pass_whatever_else_is_on(
        events in events(lossless().boxed()), limit in 0..30_000_i64,
    ) {
        // It is the last of the chain from the beginning, and nobody touches it.
        let meter = Event {
            after: 0,
            what: What::Attach {
                id: u64::MAX,
                place: 0,
                wire: set("limit_data", &[("bytes", Value::Int(limit))]),
            },
        };
        let others = apart(&events).into_iter().map(|mut event| {
            if let What::Attach { place, .. } = &mut event.what {
                *place = 0;
            }
            event
        });
        let all: Vec<Event> = core::iter::once(meter).chain(others).collect();
        let mut run = run(Order::Stream, true, &all, Driver::Late);
        for id in 0..6 {
            run.pipe.detach(run.now, FaultId(id));
        }
        run.poll();
        let was_reset = run.left.iter().any(|(_, item)| *item == Item::Reset);
        let data = run.left.iter().filter_map(|(_, item)| match item {
            Item::Data(data) => Some(data.clone()),
            _ => None,
        });
        let passed: Vec<u8> = data.flatten().collect();
        prop_assert!(passed.iter().enumerate().all(|(n, b)| *b == byte(n)));
        let limit = usize::try_from(limit).expect("positive");
        prop_assert!(passed.len() <= limit);
        if !was_reset {
            prop_assert_eq!(passed.len(), limit.min(run.came));
            let is_closed = run.left.last().is_some_and(|(_, item)| *item == Item::Close);
            prop_assert_eq!(is_closed, run.came > 0 && run.came >= limit);
        }
    }
}
