//! Bytes leave at no more than a rate.
//!
//! Attributes:
//! - `rate` (KB/s; 1 KB is 1,000 bytes): the rate. Default 0, and 0 lets nothing pass.
//! - `shared`: `no` (default): each connection has the rate for itself. `yes`: all connections
//!   that the fault touches share it, in turns of about a millisecond each, as on one line.
//!
//! A stream leaves smoothly, in pieces of about one millisecond of the rate (at least 512 bytes),
//! each when its last byte would have passed a line of that rate. An idle line saves up nothing.
//! When about 100 ms of the rate wait here (and what a `latency` before it has under way), the
//! source is held back, so that its sender feels the line. At rate 0 data waits without an end and the connection stays open; when the fault is
//! removed or the rate raised, all of it is delivered. The end of a stream passes at once when no
//! data is before it. On UDP each datagram leaves whole, and one that comes when so much waits is
//! dropped.

use super::{Fate, Head, Machine, Wire, later};
use crate::chance::Dice;
use crate::pipe::{Begun, Item};
use crate::settings::{settings, words};
use crate::shaper::{SharedShaper, Speed};
use crate::time::Nanos;

settings! {
    /// The settings of `bandwidth`.
    Bandwidth {
        /// The rate, in thousands of bytes per second.
        rate: i64 = 0, "KB/s";
    }
    beyond {
        /// Whether all connections share it.
        shared: Sharing = Sharing::No, "";
    }
}

/// Whether the connections that a fault touches share its rate.
#[derive(Clone, PartialEq, Debug)]
pub enum Sharing {
    /// Each connection has the rate for itself.
    No,
    /// They share this one; clones of the settings share it too.
    Yes(SharedShaper),
}

words! {
    /// The words for it.
    Word {
        /// Each for itself.
        No = "no",
        /// Together.
        Yes = "yes",
    }
}

impl crate::settings::Scalar for Sharing {
    const KIND: crate::Kind = <Word as crate::settings::Scalar>::KIND;

    fn value(&self) -> crate::Value {
        match self {
            Self::No => Word::No.value(),
            Self::Yes(_) => Word::Yes.value(),
        }
    }

    fn read(value: crate::Value) -> Result<Self, String> {
        Ok(match Word::read(value)? {
            Word::No => Self::No,
            Word::Yes => Self::Yes(SharedShaper::default()),
        })
    }
}

impl Bandwidth {
    pub(super) fn machine(&self, now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        let mut line = Line {
            speed: Speed::kilobytes(self.rate),
            shared: None,
            booked: None,
        };
        line.take(now, self);
        Box::new(line)
    }
}

#[derive(Debug)]
struct Line {
    speed: Speed,
    shared: Option<SharedShaper>,
    /// What the shared line has given: when it leaves, and the bytes of it that are left.
    booked: Option<(Nanos, usize)>,
}

impl Line {
    fn take(&mut self, now: Nanos, settings: &Bandwidth) {
        self.speed = Speed::kilobytes(settings.rate);
        self.booked = None;
        self.shared = match &settings.shared {
            Sharing::No => None,
            Sharing::Yes(shaper) => {
                shaper.set(now, self.speed);
                Some(shaper.clone())
            }
        };
    }
}

impl Machine for Line {
    fn change(&mut self, now: Nanos, wire: &Wire) -> bool {
        let Wire::Bandwidth(new) = wire else {
            return false;
        };
        self.take(now, new);
        true
    }

    fn decide(&mut self, head: Head<'_>, _dice: &mut Dice) -> Fate {
        let Item::Data(data) = &*head.item else {
            return head.pass();
        };
        if self.speed.is_zero() {
            return Fate::Stay;
        }
        let most = if head.whole {
            data.len()
        } else {
            self.speed.quantum()
        };
        let (at, len) = match &self.shared {
            None => {
                let len = most.min(data.len());
                (later(head.earliest, self.speed.time_for(len)), len)
            }
            Some(shaper) => *self.booked.get_or_insert_with(|| {
                let len = most.min(head.waiting);
                (shaper.book(head.earliest, len), len)
            }),
        };
        Fate::Leave {
            at: at.max(head.earliest),
            len,
        }
    }

    fn left(&mut self, _at: Nanos, len: usize) {
        // A turn of the shared line may hold several small items.
        self.booked = self
            .booked
            .map(|(at, rest)| (at, rest.saturating_sub(len)))
            .filter(|(_, rest)| *rest > 0);
    }

    fn looks_ahead(&self) -> usize {
        self.shared.as_ref().map_or(0, |_| self.speed.quantum())
    }

    fn limit(&self, span: Nanos) -> usize {
        self.speed.backlog(span)
    }
}

#[cfg(test)]
mod tests {
    use crate::Nanos;
    use crate::trace::{check, check_datagrams, pieces};

    #[test]
    fn small_data_takes_its_time_on_the_line() {
        // 100 bytes at 10,000 bytes per second: 10 ms each, one after the other.
        check(
            "attach bandwidth rate=10
             0ms data 100
             0ms data 100
             50ms data 100
             50ms end",
            "10ms data 100
             20ms data 100
             60ms data 100
             60ms end",
        );
    }

    #[test]
    fn rate_zero_stalls_and_delivers_when_it_ends() {
        check(
            "attach bandwidth
             0ms data 100
             5ms data 10
             10ms look
             20ms end
             90ms detach bandwidth",
            "10ms holds 110, room 16274
             90ms data 100
             90ms data 10
             90ms end",
        );
        check(
            "attach bandwidth
             0ms data 100
             90ms change bandwidth rate=10",
            "100ms data 100",
        );
    }

    #[test]
    fn a_change_holds_at_once_for_what_is_left_of_a_chunk() {
        // 512 bytes at 1 KB/s: due at 512 ms. At 100 ms the line becomes 512 times as fast.
        check(
            "attach bandwidth rate=1
             0ms data 1024
             100ms change bandwidth rate=512",
            "101ms data 512
             102ms data 512",
        );
    }

    #[test]
    fn the_rate_is_exact_and_smooth() {
        for (rate, tolerance, variation) in [(10_000, 0.001, 0.05), (100, 0.002, 0.3)] {
            let total = rate * 1_000;
            let chunks = vec![total / 40; 40];
            let pieces = pieces(&format!("bandwidth rate={rate}"), &chunks);
            let last = pieces.last().expect("something left").0.as_secs_f64();
            assert!(
                (last - 1.0).abs() < tolerance,
                "{rate} KB/s: 1 s took {last} s"
            );
            // Bytes in each of the 50 windows of 20 ms.
            let mut windows = [0.0; 50];
            for (at, len) in &pieces {
                let window = (at.0 - 1) / Nanos::millis(20).0;
                windows[usize::try_from(window).expect("positive").min(49)] += *len as f64;
            }
            let mean = total as f64 / 50.0;
            let squares: f64 = windows.iter().map(|w| (w - mean) * (w - mean)).sum();
            let found = (squares / 50.0).sqrt() / mean;
            assert!(
                found <= variation,
                "{rate} KB/s: coefficient of variation {found}"
            );
        }
    }

    #[test]
    fn datagrams_stay_whole() {
        check_datagrams(
            "attach bandwidth rate=1
             0ms data 1400
             0ms data 0",
            "1.4s data 1400
             1.4s data 0",
        );
        // 12 of 1,400 bytes are more than 16 KiB: the 13th finds the line full.
        let lines = "attach bandwidth".to_owned() + &"\n0ms data 1400".repeat(20);
        let left = "1ms data 1400\n".repeat(12);
        check_datagrams(&(lines + "\n1ms detach bandwidth"), &left);
    }
}
