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

#[cfg(test)]
mod tests {
    use crate::trace::{check, check_datagrams};

    #[test]
    fn exactly_so_many_bytes_pass() {
        check(
            "attach limit_data bytes=25
             0ms data 10
             1ms data 10
             2ms data 10
             3ms data 10",
            "0s data 10
             1ms data 10
             2ms data 5
             2ms close",
        );
        // The limit is met, not only exceeded.
        check(
            "attach limit_data bytes=10\n 0ms data 10",
            "0s data 10\n 0s close",
        );
        check("attach limit_data\n 4ms data 10", "4ms close");
    }

    #[test]
    fn bytes_before_a_change_count() {
        check(
            "attach limit_data bytes=1000
             0ms data 10
             1ms change limit_data bytes=15
             2ms data 10",
            "0s data 10
             2ms data 5
             2ms close",
        );
        check(
            "attach limit_data bytes=1000
             0ms data 10
             1ms change limit_data bytes=5
             2ms data 10",
            "0s data 10
             2ms close",
        );
    }

    #[test]
    fn a_datagram_passes_whole_or_not_at_all() {
        check_datagrams(
            "attach limit_data bytes=15\n 0ms data 10\n 1ms data 10",
            "0s data 10\n 1ms close",
        );
    }
}
