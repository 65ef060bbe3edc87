//! The order in which things happen: by instant, then by kind, then by element name.
//!
//! At one instant: fault ends, fault begins, step, control timer, check, arrival, sample; then
//! the element's name. Entries are never removed from the heap; one that is no longer armed
//! for its instant is skipped.

use assize_control::fabric::Timer;
use assize_fault::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// What is woken. The order of the variants is not the order of events; `class` is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Wake {
    FaultEnds(usize),
    FaultBegins(usize),
    Step(usize),
    Response(usize),
    Fabric(Timer),
    Failover(usize),
    Names(usize),
    Contact(usize),
    Restore(usize),
    ReadBack(usize),
    Opening(usize),
    Lease(usize),
    Queue(usize),
    Checker(usize),
    Tries,
    Change(usize),
    Paper(usize),
    Load(usize),
    Demand,
    Backup(usize),
}

impl Wake {
    pub(crate) const fn class(self) -> u8 {
        match self {
            Self::FaultEnds(_) => 0,
            Self::FaultBegins(_) => 1,
            Self::Step(_) | Self::Response(_) => 2,
            Self::Checker(_) => 4,
            Self::Tries => 5,
            Self::ReadBack(_) => 6,
            _ => 3,
        }
    }
}

const KINDS: usize = 23;

/// The heap, and for each thing when it wants to be woken.
#[derive(Debug)]
pub(crate) struct Wakes {
    heap: BinaryHeap<Reverse<(Nanos, u32)>>,
    /// Things in their order at one instant.
    order: Vec<Wake>,
    armed: Vec<Nanos>,
    bases: [usize; KINDS],
    rank_of: Vec<u32>,
}

impl Wakes {
    /// `things` with their names.
    pub(crate) fn new(mut things: Vec<(Wake, String)>) -> Self {
        things.sort_by(|a, b| (a.0.class(), &a.1, a.0).cmp(&(b.0.class(), &b.1, b.0)));
        let order: Vec<Wake> = things.into_iter().map(|t| t.0).collect();
        let mut counts = [0usize; KINDS];
        for wake in &order {
            counts[kind(*wake)] = counts[kind(*wake)].max(index(*wake) + 1);
        }
        let mut bases = [0usize; KINDS];
        for k in 1..KINDS {
            bases[k] = bases[k - 1] + counts[k - 1];
        }
        let mut rank_of = vec![0; bases[KINDS - 1] + counts[KINDS - 1]];
        for (rank, wake) in order.iter().enumerate() {
            rank_of[bases[kind(*wake)] + index(*wake)] = rank as u32;
        }
        Self {
            heap: BinaryHeap::new(),
            armed: vec![Nanos::NEVER; order.len()],
            order,
            bases,
            rank_of,
        }
    }

    /// Sets when a thing wants to be woken next.
    pub(crate) fn arm(&mut self, wake: Wake, at: Option<Nanos>) {
        let rank = self.rank_of[self.bases[kind(wake)] + index(wake)];
        let at = at.unwrap_or(Nanos::NEVER);
        let armed = &mut self.armed[rank as usize];
        if *armed != at {
            *armed = at;
            if !at.is_never() {
                self.heap.push(Reverse((at, rank)));
            }
        }
    }

    /// The next event at or before `limit`, which is then no longer armed.
    pub(crate) fn pop(&mut self, limit: Nanos) -> Option<(Nanos, u32, Wake)> {
        while let Some(&Reverse((at, rank))) = self.heap.peek() {
            if at > limit {
                return None;
            }
            self.heap.pop();
            if self.armed[rank as usize] == at {
                self.armed[rank as usize] = Nanos::NEVER;
                return Some((at, rank, self.order[rank as usize]));
            }
        }
        None
    }

    /// When the next thing happens that is not one of those; never, if nothing does.
    pub(crate) fn next_but(&self, those: impl Fn(Wake) -> bool) -> Nanos {
        let others = self.order.iter().zip(&self.armed);
        let at = others.filter(|o| !those(*o.0)).map(|o| *o.1).min();
        at.unwrap_or(Nanos::NEVER)
    }

    /// The instant and class of the next event.
    pub(crate) fn peek(&mut self) -> Option<(Nanos, u8)> {
        while let Some(&Reverse((at, rank))) = self.heap.peek() {
            if self.armed[rank as usize] == at {
                return Some((at, self.order[rank as usize].class()));
            }
            self.heap.pop();
        }
        None
    }
}

const fn kind(wake: Wake) -> usize {
    match wake {
        Wake::FaultEnds(_) => 0,
        Wake::FaultBegins(_) => 1,
        Wake::Step(_) => 2,
        Wake::Response(_) => 3,
        Wake::Fabric(Timer::Belief(_)) => 4,
        Wake::Fabric(Timer::Units(_)) => 5,
        Wake::Fabric(Timer::Circuit(_)) => 6,
        Wake::Fabric(Timer::Access(_)) => 7,
        Wake::Failover(_) => 8,
        Wake::Names(_) => 9,
        Wake::Contact(_) => 10,
        Wake::Restore(_) => 11,
        Wake::ReadBack(_) => 12,
        Wake::Opening(_) => 13,
        Wake::Lease(_) => 14,
        Wake::Queue(_) => 15,
        Wake::Checker(_) => 16,
        Wake::Tries => 17,
        Wake::Change(_) => 18,
        Wake::Paper(_) => 19,
        Wake::Load(_) => 20,
        Wake::Demand => 21,
        Wake::Backup(_) => 22,
    }
}

const fn index(wake: Wake) -> usize {
    match wake {
        Wake::FaultEnds(i)
        | Wake::FaultBegins(i)
        | Wake::Step(i)
        | Wake::Response(i)
        | Wake::Fabric(Timer::Belief(i) | Timer::Units(i) | Timer::Circuit(i) | Timer::Access(i))
        | Wake::Failover(i)
        | Wake::Names(i)
        | Wake::Contact(i)
        | Wake::Restore(i)
        | Wake::ReadBack(i)
        | Wake::Opening(i)
        | Wake::Lease(i)
        | Wake::Queue(i)
        | Wake::Checker(i)
        | Wake::Change(i)
        | Wake::Paper(i)
        | Wake::Load(i)
        | Wake::Backup(i) => i,
        Wake::Tries | Wake::Demand => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_one_instant_the_kinds_come_in_order_and_then_the_names() {
        let mut wakes = Wakes::new(vec![
            (Wake::Checker(0), "a".into()),
            (Wake::FaultBegins(0), "z".into()),
            (Wake::FaultEnds(1), "y".into()),
            (Wake::Failover(0), "db".into()),
            (Wake::Fabric(Timer::Belief(0)), "core".into()),
        ]);
        for wake in [
            Wake::Checker(0),
            Wake::FaultBegins(0),
            Wake::FaultEnds(1),
            Wake::Failover(0),
            Wake::Fabric(Timer::Belief(0)),
        ] {
            wakes.arm(wake, Some(Nanos::secs(1)));
        }
        wakes.arm(Wake::Failover(0), Some(Nanos::secs(2)));
        let order: Vec<Wake> =
            std::iter::from_fn(|| wakes.pop(Nanos::secs(9)).map(|p| p.2)).collect();
        assert_eq!(
            order,
            vec![
                Wake::FaultEnds(1),
                Wake::FaultBegins(0),
                Wake::Fabric(Timer::Belief(0)),
                Wake::Checker(0),
                Wake::Failover(0)
            ]
        );
    }
}
