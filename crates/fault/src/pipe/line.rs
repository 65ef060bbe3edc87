//! What waits at a fault: in order on a stream, by the time of leaving where order does not
//! matter.

use super::Item;
use crate::time::Nanos;
use crate::wire::Fate;
use std::collections::{BTreeMap, VecDeque};

/// An item and when it came.
#[derive(Debug)]
pub(super) struct Held {
    pub arrived: Nanos,
    pub item: Item,
}

/// Items that wait.
#[derive(Debug)]
pub(super) enum Line {
    /// The first leaves first; what becomes of it is decided when it is the first.
    InOrder {
        queue: VecDeque<Held>,
        fate: Option<Fate>,
    },
    /// Each leaves at its own time, which is decided when it comes. The key is the time and a
    /// number that counts up, so that at one time the order is that of coming.
    ByTime {
        waiting: BTreeMap<(Nanos, u64), (Held, Fate)>,
        count: u64,
    },
}

impl Line {
    pub(super) const fn new(in_order: bool) -> Self {
        if in_order {
            let queue = VecDeque::new();
            Self::InOrder { queue, fate: None }
        } else {
            let waiting = BTreeMap::new();
            Self::ByTime { waiting, count: 0 }
        }
    }

    /// When the next one leaves.
    pub(super) fn next(&self) -> Option<Nanos> {
        match self {
            Self::InOrder { fate, .. } => fate.and_then(Fate::at),
            Self::ByTime { waiting, .. } => {
                let (at, _) = waiting.first_key_value()?.0;
                (!at.is_never()).then_some(*at)
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::InOrder { queue, .. } => queue.len(),
            Self::ByTime { waiting, .. } => waiting.len(),
        }
    }

    /// Takes everything, in the order of coming.
    pub(super) fn drain(&mut self) -> Vec<Held> {
        match self {
            Self::InOrder { queue, fate } => {
                *fate = None;
                queue.drain(..).collect()
            }
            Self::ByTime { waiting, .. } => {
                let mut all: Vec<_> = core::mem::take(waiting).into_iter().collect();
                all.sort_by_key(|((_, number), _)| *number);
                all.into_iter().map(|(_, (held, _))| held).collect()
            }
        }
    }
}
