//! The connection is reset (TCP RST), as by a machine that has lost its memory of it.
//!
//! Attributes:
//! - `timeout` (ms): how long after its beginning. Default 0: at once.
//!
//! On a connection that is open when the fault is added, the time begins then. On one that is
//! opened later it begins with the first data (or the end of the stream), as in the original.
//! Data that comes meanwhile is held, and delivered if the fault is removed before the reset.
//! On UDP there is no reset: the session is dropped.

use super::{Fate, Head, Machine, Wire, later, millis};
use crate::chance::Dice;
use crate::pipe::{Begun, Item};
use crate::settings::settings;
use crate::time::Nanos;

settings! {
    /// The settings of `reset_peer`.
    ResetPeer {
        /// How long after its beginning, in milliseconds.
        timeout: i64 = 0, "ms";
    }
}

impl ResetPeer {
    pub(super) fn machine(&self, now: Nanos, begun: Begun) -> Box<dyn Machine> {
        Box::new(Fuse {
            timeout: millis(self.timeout),
            lit: (begun == Begun::Live).then_some(now),
        })
    }
}

#[derive(Debug)]
struct Fuse {
    timeout: Nanos,
    /// Since when the time runs.
    lit: Option<Nanos>,
}

impl Machine for Fuse {
    fn change(&mut self, _now: Nanos, wire: &Wire) -> bool {
        let Wire::ResetPeer(new) = wire else {
            return false;
        };
        self.timeout = millis(new.timeout);
        true
    }

    fn decide(&mut self, _head: Head<'_>, _dice: &mut Dice) -> Fate {
        Fate::Stay
    }

    fn arrived(&mut self, at: Nanos) {
        self.lit.get_or_insert(at);
    }

    fn timer(&self) -> Option<Nanos> {
        self.lit.map(|since| later(since, self.timeout))
    }

    fn fire(&mut self) -> Item {
        Item::Reset
    }
}
