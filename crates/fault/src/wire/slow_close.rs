//! The end of the stream arrives later than the data.
//!
//! Attributes:
//! - `delay` (ms): how much later. Default 0.
//!
//! Data is not delayed. A reset is not delayed: it is no orderly close.

use super::{Fate, Head, Machine, Wire, millis};
use crate::chance::Dice;
use crate::pipe::{Begun, Item};
use crate::settings::settings;
use crate::time::Nanos;

settings! {
    /// The settings of `slow_close`.
    SlowClose {
        /// How much later the end arrives, in milliseconds.
        delay: i64 = 0, "ms";
    }
}

impl SlowClose {
    pub(super) fn machine(&self, _now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        Box::new(Closing {
            delay: millis(self.delay),
        })
    }
}

#[derive(Debug)]
struct Closing {
    delay: Nanos,
}

impl Machine for Closing {
    fn change(&mut self, _now: Nanos, wire: &Wire) -> bool {
        let Wire::SlowClose(new) = wire else {
            return false;
        };
        self.delay = millis(new.delay);
        true
    }

    fn decide(&mut self, head: Head<'_>, _dice: &mut Dice) -> Fate {
        match head.item {
            Item::End | Item::Close => head.after(self.delay),
            Item::Data(_) | Item::Reset => head.pass(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::check;

    #[test]
    fn only_the_end_is_late() {
        check(
            "attach slow_close delay=500
             0ms data 10
             10ms data 10
             20ms end",
            "0s data 10
             10ms data 10
             520ms end",
        );
    }

    #[test]
    fn removing_it_ends_at_once_and_a_reset_does_not_wait() {
        check(
            "attach slow_close delay=500
             20ms end
             30ms detach slow_close",
            "30ms end",
        );
        check("attach slow_close delay=500\n 20ms reset", "20ms reset");
    }
}
