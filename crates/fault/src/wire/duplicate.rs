//! Datagrams arrive twice (UDP only).
//!
//! Attributes:
//! - `rate` (0 to 1): the share of datagrams that arrives twice. Default 0.
//!
//! The copy follows at once; `latency` with jitter behind it in the chain parts the two. A stream
//! never duplicates a byte, so on TCP the fault does nothing.

use super::{Fate, Head, Machine, Wire};
use crate::chance::Dice;
use crate::pipe::Begun;
use crate::settings::settings;
use crate::time::Nanos;

settings! {
    /// The settings of `duplicate`.
    Duplicate {
        /// The share of datagrams that arrives twice.
        rate: f64 = 0.0, "";
    }
}

impl Duplicate {
    pub(super) fn machine(&self, _now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        Box::new(Copies { rate: self.rate })
    }
}

#[derive(Debug)]
struct Copies {
    rate: f64,
}

impl Machine for Copies {
    fn change(&mut self, _now: Nanos, wire: &Wire) -> bool {
        let Wire::Duplicate(new) = wire else {
            return false;
        };
        self.rate = new.rate;
        true
    }

    fn decide(&mut self, head: Head<'_>, dice: &mut Dice) -> Fate {
        if head.whole && head.item.is_data() && dice.hits(self.rate) {
            Fate::Twice { at: head.earliest }
        } else {
            head.pass()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{check, check_datagrams};

    #[test]
    fn a_datagram_arrives_twice_and_a_stream_does_not() {
        check_datagrams(
            "attach duplicate rate=1\n 1ms data 7",
            "1ms data 7\n 1ms data 7",
        );
        check(
            "attach duplicate rate=1\n 1ms data 7\n 2ms end",
            "1ms data 7\n 2ms end",
        );
    }
}
