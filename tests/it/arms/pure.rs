//! The pure arm: one pipe, virtual time, polled whenever something is due.

use super::script::{Script, Seen, Sight, Step};
use super::{CONNECTION, id, origin};
use assize_fault::{Begun, Item, Nanos, Pipe};

/// Nothing of a script takes longer.
const END: Nanos = Nanos::secs(5);

/// What the client must see.
pub(super) fn run(script: &Script) -> Seen {
    let mut pipe = Pipe::new(script.order, Pipe::DEFAULT_BOUND, origin(CONNECTION));
    for wire in &script.before {
        pipe.attach(
            Nanos::ZERO,
            id(wire.kind()),
            usize::MAX,
            wire,
            Begun::BeforeOpen,
        );
    }
    let mut seen = Vec::new();
    for (at, step) in &script.steps {
        until(&mut pipe, *at, &mut seen);
        match step {
            Step::Data(data) => pipe.input(*at, Item::Data(data.clone().into())),
            Step::End => pipe.input(*at, Item::End),
            Step::Attach(wire) => {
                pipe.attach(*at, id(wire.kind()), usize::MAX, wire, Begun::Live);
            }
            Step::Change(wire) => assert!(pipe.change(*at, id(wire.kind()), wire)),
            Step::Detach(kind) => assert!(pipe.detach(*at, id(kind))),
        }
    }
    until(&mut pipe, END, &mut seen);
    // What is after the end is not seen.
    let end = seen
        .iter()
        .position(|(_, sight)| !matches!(sight, Sight::Data(_)));
    seen.truncate(end.map_or(seen.len(), |end| end + 1));
    seen
}

fn until(pipe: &mut Pipe, end: Nanos, seen: &mut Seen) {
    while let Some(now) = pipe.next_wake().filter(|wake| *wake <= end) {
        while let Some((due, item)) = pipe.poll(now) {
            assert_eq!(due, now, "it is polled in time");
            seen.push((
                due,
                match item {
                    Item::Data(data) => Sight::Data(data.to_vec()),
                    Item::End | Item::Close => Sight::End,
                    Item::Reset => Sight::Reset,
                },
            ));
        }
    }
}
