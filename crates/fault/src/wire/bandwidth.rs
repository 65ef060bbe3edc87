//! Bytes leave at no more than a rate.
//!
//! Attributes:
//! - `rate` (KB/s; 1 KB is 1,000 bytes): the rate. Default 0, and 0 lets nothing pass.
//! - `shared`: `no` (default): each connection has the rate for itself. `yes`: all connections
//!   that the fault touches share it, in turns of about a millisecond each, as on one line.
//!
//! A stream leaves smoothly, in pieces of about one millisecond of the rate (at least 512 bytes),
//! each when its last byte would have passed a line of that rate. An idle line saves up nothing.
//! When about 100 ms of the rate wait here, the source is held back, so that its sender feels the
//! line. At rate 0 data waits without an end and the connection stays open; when the fault is
//! removed or the rate raised, all of it is delivered. The end of a stream passes at once when no
//! data is before it. On UDP each datagram leaves whole.

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

    fn limit(&self) -> usize {
        self.speed.backlog()
    }
}
