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

    fn limit(&self, span: Nanos) -> usize {
        // Pieces with pauses are a rate: the sender is to feel it.
        let Slicer {
            average_size,
            delay,
            ..
        } = self.settings;
        if delay == 0 || average_size == 0 {
            return usize::MAX;
        }
        let pauses = span.0 / delay.saturating_mul(1_000);
        let under_way = average_size.saturating_mul(pauses);
        usize::try_from(under_way)
            .unwrap_or(usize::MAX)
            .saturating_add(64 << 10)
    }
}

#[cfg(test)]
mod tests {
    use crate::trace::{check, check_datagrams, pieces};

    #[test]
    fn pieces_follow_each_other_with_a_pause() {
        check(
            "attach slicer average_size=40 delay=10000
             0ms data 100
             5ms data 10",
            "0s data 40
             10ms data 40
             20ms data 20
             30ms data 10",
        );
    }

    #[test]
    fn size_zero_leaves_pieces_as_they_are() {
        check("attach slicer\n 0ms data 70000", "0s data 70000");
        check(
            "attach slicer size_variation=9\n 0ms data 70000",
            "0s data 70000",
        );
    }

    #[test]
    fn sizes_vary_about_the_average() {
        let pieces = pieces("slicer average_size=100 size_variation=30", &[100_000]);
        let inner = &pieces[..pieces.len() - 1];
        assert!(inner.iter().all(|(_, len)| (70..=130).contains(len)));
        assert!((900..1_100).contains(&pieces.len()), "{}", pieces.len());
        assert!(inner.iter().any(|(_, len)| *len < 80) && inner.iter().any(|(_, len)| *len > 120));
    }

    #[test]
    fn more_variation_than_size_is_harmless() {
        let pieces = pieces("slicer average_size=1 size_variation=1000", &[10_000]);
        assert!(pieces.iter().all(|(_, len)| (1..=1_001).contains(len)));
        let huge = format!(
            "slicer average_size={0} size_variation={0} delay={0}",
            i64::MAX
        );
        check(&format!("attach {huge}\n 0ms data 10"), "0s data 10");
    }

    #[test]
    fn removing_it_during_a_pause_lets_go() {
        check(
            "attach slicer average_size=40 delay=10000
             0ms data 100
             5ms detach slicer",
            "0s data 40
             5ms data 60",
        );
        // So does a change: the pause is over.
        check(
            "attach slicer average_size=40 delay=10000
             0ms data 100
             5ms change slicer average_size=50",
            "0s data 40
             5ms data 50
             5ms data 10",
        );
        check_datagrams("attach slicer average_size=4\n 0ms data 100", "0s data 100");
    }
}
