//! The connection closes after so many bytes.
//!
//! Attributes:
//! - `bytes`: how many bytes pass, per connection. Default 0: it closes at the first data.
//!
//! Exactly so many pass, then both directions close. Bytes that passed before a change of the
//! limit count; those that passed before the fault was added do not. On UDP a datagram that would
//! exceed the limit is dropped whole.

use super::{Fate, Head, Machine, Wire};
use crate::chance::Dice;
use crate::pipe::{Begun, Item};
use crate::settings::settings;
use crate::time::Nanos;

settings! {
    /// The settings of `limit_data`.
    LimitData {
        /// How many bytes pass.
        bytes: i64 = 0, "bytes";
    }
}

impl LimitData {
    pub(super) fn machine(&self, _now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        Box::new(Meter {
            limit: self.bytes,
            passed: 0,
        })
    }
}

#[derive(Debug)]
struct Meter {
    limit: i64,
    passed: i64,
}

impl Machine for Meter {
    fn change(&mut self, _now: Nanos, wire: &Wire) -> bool {
        let Wire::LimitData(new) = wire else {
            return false;
        };
        self.limit = new.bytes;
        true
    }

    fn decide(&mut self, head: Head<'_>, _dice: &mut Dice) -> Fate {
        let Item::Data(data) = &*head.item else {
            return head.pass();
        };
        let rest = usize::try_from(self.limit.saturating_sub(self.passed)).unwrap_or(0);
        if data.len() < rest {
            return head.pass();
        }
        let len = if head.whole && data.len() > rest {
            0
        } else {
            rest
        };
        Fate::Shut {
            at: head.earliest,
            len,
        }
    }

    fn left(&mut self, _at: Nanos, len: usize) {
        self.passed = self
            .passed
            .saturating_add(i64::try_from(len).unwrap_or(i64::MAX));
    }
}
