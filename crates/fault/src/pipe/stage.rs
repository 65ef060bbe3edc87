//! One fault of a chain: its machine, and what waits there.

use super::line::{Held, Line};
use super::{Begun, Item, Order};
use crate::chance::{Dice, FaultId, Origin};
use crate::time::Nanos;
use crate::wire::{Fate, Head, Machine, Wire};
use std::collections::VecDeque;

/// One fault on one pipe.
#[derive(Debug)]
pub(super) struct Stage {
    id: FaultId,
    order: Order,
    machine: Box<dyn Machine>,
    dice: Dice,
    line: Line,
    /// Bytes that wait.
    bytes: usize,
    /// Nothing that keeps its order leaves before: the last leaving, or the last change.
    not_before: Nanos,
    /// The fault has closed the connection: it does nothing any more.
    is_silent: bool,
}

/// Up to two items that leave at once.
type Leaving = (Option<Item>, Option<Item>);

impl Stage {
    pub(super) fn new(
        id: FaultId,
        now: Nanos,
        order: Order,
        wire: &Wire,
        begun: Begun,
        origin: Origin,
    ) -> Self {
        let machine = wire.machine(now, begun);
        Self {
            id,
            order,
            line: Line::new(order == Order::Stream || machine.keeps_order()),
            machine,
            dice: origin.dice(id),
            bytes: 0,
            not_before: now,
            is_silent: false,
        }
    }

    pub(super) const fn id(&self) -> FaultId {
        self.id
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn items(&self) -> usize {
        self.line.len()
    }

    /// How many bytes it lets wait, those on a way here that takes `span` included.
    pub(super) fn limit(&self, span: Nanos) -> usize {
        self.machine.limit(span)
    }

    pub(super) fn span(&self) -> Nanos {
        self.machine.span()
    }

    pub(super) fn ends_with(&self) -> Option<Item> {
        self.machine.ends_with().filter(|_| !self.is_silent)
    }

    /// When something happens here next.
    pub(super) fn next(&self) -> Option<Nanos> {
        if self.is_silent {
            return None;
        }
        self.line
            .next()
            .into_iter()
            .chain(self.machine.timer())
            .min()
    }

    /// Takes an item that comes `at`, no earlier than those before it.
    pub(super) fn push(&mut self, at: Nanos, item: Item) {
        if self.is_silent {
            return;
        }
        self.machine.arrived(at);
        self.bytes += item.len();
        self.hold(Held { arrived: at, item }, at);
    }

    /// Gives up what it holds, in the order of coming.
    pub(super) fn drain(&mut self) -> Vec<Item> {
        self.bytes = 0;
        self.line
            .drain()
            .into_iter()
            .map(|held| held.item)
            .collect()
    }

    /// Forgets what it holds and does nothing any more: the connection is closed.
    pub(super) fn silence(&mut self) {
        self.drain();
        self.is_silent = true;
    }

    /// Takes new settings, and decides again about what it holds.
    pub(super) fn change(&mut self, now: Nanos, wire: &Wire) {
        if !self.machine.change(now, wire) {
            self.machine = wire.machine(now, Begun::Live);
        }
        let held = self.line.drain();
        self.line = Line::new(self.order == Order::Stream || self.machine.keeps_order());
        self.not_before = self.not_before.max(now);
        for one in held {
            self.hold(one, now);
        }
    }

    /// Carries out what happens `at`, which is what [`Stage::next`] said.
    pub(super) fn step(&mut self, at: Nanos) -> Leaving {
        if self.line.next() != Some(at) {
            return (Some(self.machine.fire()), None);
        }
        match &mut self.line {
            Line::InOrder { queue, fate } => {
                let leaving = match (queue.pop_front(), fate.take()) {
                    (Some(held), Some(fate)) => self.carry_out(at, held, fate),
                    _ => (None, None),
                };
                self.decide_head();
                leaving
            }
            Line::ByTime { waiting, .. } => match waiting.pop_first() {
                Some((_, (held, fate))) => self.carry_out(at, held, fate),
                None => (None, None),
            },
        }
    }

    fn hold(&mut self, mut held: Held, from: Nanos) {
        match &mut self.line {
            Line::InOrder { queue, .. } => {
                queue.push_back(held);
                if queue.len() == 1 {
                    self.decide_head();
                }
            }
            Line::ByTime { waiting, count } => {
                let head = Head {
                    arrived: held.arrived,
                    earliest: held.arrived.max(from),
                    waiting: held.item.len(),
                    whole: self.order == Order::Datagram,
                    item: &mut held.item,
                };
                let fate = self.machine.decide(head, &mut self.dice);
                let at = fate.at().unwrap_or(Nanos::NEVER);
                waiting.insert((at, *count), (held, fate));
                *count += 1;
            }
        }
    }

    /// Decides about the first of those that keep their order.
    fn decide_head(&mut self) {
        let Line::InOrder { queue, fate } = &mut self.line else {
            return;
        };
        let waiting = waiting(queue, self.not_before, self.machine.looks_ahead());
        *fate = queue.front_mut().map(|held| {
            let head = Head {
                arrived: held.arrived,
                earliest: held.arrived.max(self.not_before),
                waiting,
                whole: self.order == Order::Datagram,
                item: &mut held.item,
            };
            self.machine.decide(head, &mut self.dice)
        });
    }

    fn carry_out(&mut self, at: Nanos, held: Held, fate: Fate) -> Leaving {
        self.not_before = self.not_before.max(at);
        let Held { arrived, mut item } = held;
        let whole = item.len();
        let leaving = match fate {
            Fate::Drop { .. } | Fate::Stay => (None, None),
            Fate::Twice { .. } => (Some(item.clone()), Some(item)),
            Fate::Leave { len, .. } => {
                if let (Item::Data(data), Line::InOrder { queue, .. }) = (&mut item, &mut self.line)
                    && len.max(1) < data.len()
                {
                    let rest = data.split_off(len.max(1));
                    queue.push_front(Held {
                        arrived,
                        item: Item::Data(rest),
                    });
                }
                (Some(item), None)
            }
            Fate::Shut { len, .. } => {
                if let Item::Data(data) = &mut item {
                    data.truncate(len);
                }
                (
                    Some(item).filter(|item| !item.is_empty()),
                    Some(Item::Close),
                )
            }
        };
        let left = leaving.0.as_ref().map_or(0, Item::len);
        let split = matches!((&fate, &leaving.0), (Fate::Leave { .. }, Some(_)));
        self.bytes -= if split { left } else { whole };
        self.machine.left(at, left);
        leaving
    }
}

/// The bytes that wait when the first is decided about, counted up to `enough`.
///
/// A driver that asks late has brought what came after that time already: it does not count.
fn waiting(queue: &VecDeque<Held>, not_before: Nanos, enough: usize) -> usize {
    let mut sum = 0;
    for (place, held) in queue.iter().enumerate() {
        if place > 0 && (sum >= enough || held.arrived > not_before) {
            break;
        }
        sum += held.item.len();
    }
    sum
}
