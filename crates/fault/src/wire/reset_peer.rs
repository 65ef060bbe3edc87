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
            not_before: now,
        })
    }
}

#[derive(Debug)]
struct Fuse {
    timeout: Nanos,
    /// Since when the time runs.
    lit: Option<Nanos>,
    /// The settings are those of this time on.
    not_before: Nanos,
}

impl Machine for Fuse {
    fn change(&mut self, now: Nanos, wire: &Wire) -> bool {
        let Wire::ResetPeer(new) = wire else {
            return false;
        };
        self.timeout = millis(new.timeout);
        self.not_before = now;
        true
    }

    fn decide(&mut self, _head: Head<'_>, _dice: &mut Dice) -> Fate {
        Fate::Stay
    }

    fn arrived(&mut self, at: Nanos) {
        self.lit.get_or_insert(at);
    }

    fn timer(&self) -> Option<Nanos> {
        let due = later(self.lit?, self.timeout);
        Some(due.max(self.not_before))
    }

    fn fire(&mut self) -> Item {
        Item::Reset
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::check;

    #[test]
    fn live_it_counts_from_its_beginning_without_data() {
        check("5ms attach reset_peer", "5ms reset");
        check("5ms attach reset_peer timeout=100", "105ms reset");
    }

    #[test]
    fn before_the_connection_it_waits_for_the_first_data() {
        check("attach reset_peer\n 1h look", "1h holds 0, room 1048576");
        check(
            "attach reset_peer timeout=100
             50ms data 10
             120ms data 10",
            "150ms reset",
        );
        check("attach reset_peer\n 7ms end", "7ms reset");
    }

    #[test]
    fn removed_in_time_nothing_is_lost() {
        check(
            "attach reset_peer timeout=100
             50ms data 10
             60ms data 20
             70ms detach reset_peer
             300ms data 1",
            "70ms data 10
             70ms data 20
             300ms data 1",
        );
    }

    #[test]
    fn a_shorter_time_that_is_over_resets_at_once() {
        check(
            "0ms attach reset_peer timeout=1000
             50ms change reset_peer timeout=10",
            "50ms reset",
        );
    }
}
