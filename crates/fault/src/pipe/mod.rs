//! One direction of one connection: what comes in, the faults that it passes, what leaves when.
//!
//! A pipe never reads, waits or writes. Its driver hands over what it has read, asks what is due,
//! and when to ask again. What is due carries the time at which it was due: a driver that asks
//! late gets exactly what it would have got by asking in time, so lateness shifts a delivery and
//! never a decision.
//!
//! Faults form a chain in which each hands on to the next. Nothing is lost, doubled or reordered
//! by attaching, changing or detaching one, on a stream, except by what its manual says.
//!
//! ```
//! use assize_fault::{Begun, Direction, FaultId, Item, Nanos, Order, Origin, Pipe, Value, Wire};
//!
//! let origin = Origin { seed: 7, connection: 1, direction: Direction::Downstream };
//! let mut pipe = Pipe::new(Order::Stream, Pipe::DEFAULT_BOUND, origin);
//! let mut latency = Wire::named("latency").ok_or("no such fault")?;
//! latency.set("latency", Value::Int(100))?;
//! let id = FaultId::named("db", "slow");
//! pipe.attach(Nanos::ZERO, id, 0, &latency, Begun::Live);
//!
//! pipe.input(Nanos::millis(5), Item::Data("hello".into()));
//! assert_eq!(pipe.poll(Nanos::millis(5)), None);
//! assert_eq!(pipe.next_wake(), Some(Nanos::millis(105)));
//! // Asked 20 ms late, it says when it was due all the same.
//! let due = (Nanos::millis(105), Item::Data("hello".into()));
//! assert_eq!(pipe.poll(Nanos::millis(125)), Some(due));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod line;
mod stage;

use crate::chance::{FaultId, Origin};
use crate::time::Nanos;
use crate::unit::Size;
use crate::wire::{Wire, later};
use bytes::Bytes;
use stage::Stage;
use std::collections::VecDeque;

/// What passes through a pipe.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// Bytes; on [`Order::Datagram`] one datagram.
    Data(Bytes),
    /// The source has ended its stream (TCP FIN): to be handed on, the other direction lives.
    End,
    /// Both directions are to be closed in order, after what was before it.
    Close,
    /// Both sides are to see a reset (TCP RST).
    Reset,
}

impl Item {
    /// Its bytes; none if it is not data.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Data(data) => data.len(),
            Self::End | Self::Close | Self::Reset => 0,
        }
    }

    /// Whether it carries no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it is data, be it an empty datagram.
    #[must_use]
    pub const fn is_data(&self) -> bool {
        matches!(self, Self::Data(_))
    }

    /// Whether nothing follows it in any direction.
    const fn is_last(&self) -> bool {
        matches!(self, Self::Close | Self::Reset)
    }
}

/// What the bytes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// A stream: items leave in the order in which they came, whatever the delay of each.
    Stream,
    /// Datagrams: whole, each on its own.
    Datagram,
}

/// Whether a fault was there before the connection; `reset_peer` tells the two apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Begun {
    /// The connection is being opened.
    BeforeOpen,
    /// The connection is open.
    Live,
}

/// One direction of one connection.
#[derive(Debug)]
pub struct Pipe {
    order: Order,
    bound: usize,
    origin: Origin,
    stages: Vec<Stage>,
    /// What is due and has not been asked for.
    out: VecDeque<(Nanos, Item)>,
    /// Bytes in `out`.
    out_bytes: usize,
    /// The source has ended, or a fault has closed the connection: what comes now is ignored.
    is_shut: bool,
    /// How often the bound held the source back, or dropped a datagram.
    bounded: u64,
}

/// What each held item costs beside its bytes, so that a flood of tiny ones is bounded too.
const OVERHEAD: usize = 64;

impl Pipe {
    /// Enough for a second at 0.5 Gbit/s, or for 50 ms at 10 Gbit/s.
    pub const DEFAULT_BOUND: Size = Size(64 << 20);

    /// A pipe without a fault, which holds up to about `bound`.
    ///
    /// A stream's source is held back beyond that (see [`Pipe::room`]); a datagram is dropped.
    #[must_use]
    pub fn new(order: Order, bound: Size, origin: Origin) -> Self {
        Self {
            order,
            bound: usize::try_from(bound.0).unwrap_or(usize::MAX),
            origin,
            stages: Vec::new(),
            out: VecDeque::new(),
            out_bytes: 0,
            is_shut: false,
            bounded: 0,
        }
    }

    /// Puts a fault into the chain, before the one that is at `place` now, or at the end.
    pub fn attach(&mut self, now: Nanos, id: FaultId, place: usize, wire: &Wire, begun: Begun) {
        self.advance(now);
        let stage = Stage::new(id, now, self.order, wire, begun, self.origin);
        self.stages.insert(place.min(self.stages.len()), stage);
    }

    /// Changes a fault's settings. What it holds is held as if it had come, when it came, under
    /// the new ones. `false` if there is no such fault.
    pub fn change(&mut self, now: Nanos, id: FaultId, wire: &Wire) -> bool {
        self.advance(now);
        let stage = self.stages.iter_mut().find(|stage| stage.id() == id);
        stage.map(|stage| stage.change(now, wire)).is_some()
    }

    /// Takes a fault out. What it holds leaves it now, in the order in which it came, for the
    /// rest of the chain; `timeout` closes the connection instead. `false` if there is no such
    /// fault.
    pub fn detach(&mut self, now: Nanos, id: FaultId) -> bool {
        self.advance(now);
        let Some(place) = self.stages.iter().position(|stage| stage.id() == id) else {
            return false;
        };
        let mut stage = self.stages.remove(place);
        let last = stage.ends_with();
        let held = if last.is_some() {
            Vec::new()
        } else {
            stage.drain()
        };
        for item in held.into_iter().chain(last) {
            self.hand_on(place, now, item);
        }
        true
    }

    /// Takes what was read from the source. A stream takes it even beyond the bound.
    pub fn input(&mut self, now: Nanos, item: Item) {
        let is_nothing = self.order == Order::Stream && item.is_data() && item.is_empty();
        // What is due by now may be the end.
        self.advance(now);
        if self.is_shut || is_nothing {
            return;
        }
        if self.order == Order::Datagram && item.is_data() {
            if self.free() < item.len() {
                self.bounded += 1;
                return;
            }
            // A line that is full drops what comes, as a router does.
            if self.room() == 0 {
                return;
            }
        }
        if !item.is_data() {
            self.is_shut = true;
        }
        let was_free = self.free() > 0;
        self.hand_on(0, now, item);
        if was_free && self.free() == 0 {
            self.bounded += 1;
        }
    }

    /// How many bytes it takes before it is full. At 0 the driver stops reading.
    #[must_use]
    pub fn room(&self) -> usize {
        let (mut room, mut before, mut span) = (self.free(), 0, Nanos::ZERO);
        for stage in &self.stages {
            before += stage.bytes();
            room = room.min(stage.limit(span).saturating_sub(before));
            span = later(span, stage.span());
        }
        room
    }

    /// What is due, in order, and when it was; to be called until there is nothing.
    pub fn poll(&mut self, now: Nanos) -> Option<(Nanos, Item)> {
        if self.out.is_empty() {
            self.advance(now);
        }
        let (due, item) = self.out.pop_front()?;
        self.out_bytes -= item.len();
        Some((due, item))
    }

    /// When there is something to poll for; `None` if nothing will be without further input.
    /// There may be nothing yet when the time comes: then it says the next.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        let due = self.out.front().map(|(due, _)| *due);
        self.stages.iter().filter_map(Stage::next).chain(due).min()
    }

    /// Whether bytes may go round it: no fault is attached and nothing is held.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.stages.is_empty() && self.out.is_empty()
    }

    /// The bytes that it holds.
    #[must_use]
    pub fn held(&self) -> usize {
        self.stages.iter().map(Stage::bytes).sum::<usize>() + self.out_bytes
    }

    /// How often its bound held the source back, or dropped a datagram. Above 0 the faults were
    /// not exact: a larger bound is needed.
    #[must_use]
    pub const fn bounded(&self) -> u64 {
        self.bounded
    }

    /// The faults of the chain, in order.
    pub fn faults(&self) -> impl Iterator<Item = FaultId> {
        self.stages.iter().map(Stage::id)
    }

    /// What is left of the bound.
    fn free(&self) -> usize {
        let (mut bytes, mut items) = match self.order {
            Order::Stream => (self.out_bytes, self.out.len()),
            // What is due is on its way, however late the driver is, and datagrams never wait for
            // somebody to take them; so what is dropped does not depend on the driver.
            Order::Datagram => (0, 0),
        };
        for stage in &self.stages {
            bytes += stage.bytes();
            items += stage.items();
        }
        self.bound.saturating_sub(bytes + items * OVERHEAD)
    }

    /// Carries out everything that is due by `now`, one stage after the other: what a stage does
    /// depends on what comes to it and when, and never on the stages behind it.
    fn advance(&mut self, now: Nanos) {
        let mut place = 0;
        while place < self.stages.len() {
            while let Some(at) = self.stages[place].next().filter(|&at| at <= now) {
                let (first, second) = self.stages[place].step(at);
                for item in first.into_iter().chain(second) {
                    self.hand_on(place + 1, at, item);
                }
            }
            place += 1;
        }
    }

    /// Gives an item to the stage at `place`, or out.
    fn hand_on(&mut self, place: usize, at: Nanos, item: Item) {
        if item.is_last() {
            // What has not come so far never will.
            self.is_shut = true;
            for stage in self.stages.iter_mut().take(place) {
                stage.silence();
            }
        }
        match self.stages.get_mut(place) {
            Some(stage) => stage.push(at, item),
            None => {
                self.out_bytes += item.len();
                self.out.push_back((at, item));
            }
        }
    }
}

#[cfg(test)]
mod tests;
