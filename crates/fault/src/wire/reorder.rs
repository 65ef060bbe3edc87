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

#[cfg(test)]
mod tests {
    use crate::trace::{check, check_datagrams};

    #[test]
    fn one_that_is_held_back_is_overtaken() {
        check_datagrams(
            "attach reorder rate=1 delay=20
             0ms data 1
             5ms change reorder rate=0
             6ms data 2",
            // The change decides again about the first, which then need not wait.
            "5ms data 1
             6ms data 2",
        );
        check_datagrams("attach reorder rate=1\n 0ms data 1", "10ms data 1");
        check("attach reorder rate=1\n 0ms data 1", "0s data 1");
    }

    #[test]
    fn about_half_are_out_of_place_at_half() {
        use crate::{Begun, FaultId, Item, Nanos, Order, Pipe, Size};
        let mut pipe = Pipe::new(Order::Datagram, Size(1 << 20), crate::trace::origin(0));
        let fault = crate::trace::wire("reorder rate=0.5 delay=5");
        pipe.attach(Nanos::ZERO, FaultId(1), 0, &fault, Begun::BeforeOpen);
        let mut seen = Vec::new();
        for n in 0..100_u8 {
            pipe.input(Nanos::millis(n.into()), Item::Data(vec![n].into()));
        }
        while let Some((due, Item::Data(data))) = pipe.poll(Nanos::secs(1)) {
            let wait = due - Nanos::millis(data[0].into());
            assert!(wait == Nanos::ZERO || wait == Nanos::millis(5));
            seen.push(data[0]);
        }
        let late = seen.windows(2).filter(|pair| pair[0] > pair[1]).count();
        assert!((15..50).contains(&late), "{late}");
        seen.sort_unstable();
        assert_eq!(seen, (0..100).collect::<Vec<u8>>());
    }
}
