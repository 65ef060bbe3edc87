//! Some datagrams are overtaken by later ones (UDP only).
//!
//! Attributes:
//! - `rate` (0 to 1): the share of datagrams that is held back. Default 0.
//! - `delay` (ms): for how long; those that come meanwhile overtake it. Default 10.
//!
//! A stream keeps its order, so on TCP the fault does nothing.

use super::{Fate, Head, Machine, Wire, millis};
use crate::chance::Dice;
use crate::pipe::Begun;
use crate::settings::settings;
use crate::time::Nanos;

settings! {
    /// The settings of `reorder`.
    Reorder {
        /// The share of datagrams that is held back.
        rate: f64 = 0.0, "";
        /// For how long, in milliseconds.
        delay: i64 = 10, "ms";
    }
}

impl Reorder {
    pub(super) fn machine(&self, _now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        Box::new(Overtaking(self.clone()))
    }
}

#[derive(Debug)]
struct Overtaking(Reorder);

impl Machine for Overtaking {
    fn change(&mut self, _now: Nanos, wire: &Wire) -> bool {
        let Wire::Reorder(new) = wire else {
            return false;
        };
        self.0 = new.clone();
        true
    }

    fn decide(&mut self, head: Head<'_>, dice: &mut Dice) -> Fate {
        if head.whole && head.item.is_data() && dice.hits(self.0.rate) {
            head.after(millis(self.0.delay))
        } else {
            head.pass()
        }
    }

    fn keeps_order(&self) -> bool {
        false
    }
}
