//! Data arrives in small pieces.
//!
//! Attributes:
//! - `average_size` (bytes): the size of a piece. Default 0: pieces stay as they are.
//! - `size_variation` (bytes): a piece is smaller or larger by up to so much; it has at least one
//!   byte. Default 0.
//! - `delay` (µs): the pause after each piece. Default 0.
//!
//! Nothing is lost. On UDP datagrams stay whole.

use super::{Fate, Head, Machine, Wire, later};
use crate::chance::Dice;
use crate::pipe::Begun;
use crate::settings::settings;
use crate::time::Nanos;

settings! {
    /// The settings of `slicer`.
    Slicer {
        /// The size of a piece, in bytes; 0: as it is.
        average_size: i64 = 0, "bytes";
        /// How much smaller or larger a piece may be, in bytes.
        size_variation: i64 = 0, "bytes";
        /// The pause after each piece, in microseconds.
        delay: i64 = 0, "us";
    }
}

impl Slicer {
    pub(super) fn machine(&self, _now: Nanos, _begun: Begun) -> Box<dyn Machine> {
        Box::new(Slices {
            settings: self.clone(),
            free: Nanos(i64::MIN),
        })
    }

    fn draw(&self, dice: &mut Dice) -> usize {
        if self.average_size == 0 {
            return usize::MAX;
        }
        let variation = self.size_variation.max(0) as u64;
        let less = dice.up_to(variation.saturating_mul(2)) as i128 - i128::from(variation);
        let size = (i128::from(self.average_size) + less).max(1);
        usize::try_from(size).unwrap_or(usize::MAX)
    }
}

#[derive(Debug)]
struct Slices {
    settings: Slicer,
    /// The end of the last pause.
    free: Nanos,
}

impl Machine for Slices {
    fn change(&mut self, now: Nanos, wire: &Wire) -> bool {
        let Wire::Slicer(new) = wire else {
            return false;
        };
        self.settings = new.clone();
        self.free = self.free.min(now);
        true
    }

    fn decide(&mut self, head: Head<'_>, dice: &mut Dice) -> Fate {
        let at = head.earliest.max(self.free);
        let len = if head.whole {
            usize::MAX
        } else {
            self.settings.draw(dice)
        };
        Fate::Leave { at, len }
    }

    fn left(&mut self, at: Nanos, len: usize) {
        if len > 0 {
            let pause = self.settings.delay.saturating_mul(1_000);
            self.free = later(at, Nanos(pause.clamp(0, Nanos::LONGEST.0)));
        }
    }

    fn limit(&self) -> usize {
        // Pieces with pauses are a rate: the sender is to feel it.
        if self.settings.delay > 0 {
            64 << 10
        } else {
            usize::MAX
        }
    }
}
