//! Ledgers: which acknowledged writes each replica holds, and what is missing at read-back.
//!
//! Writes are not stored one by one. A stream of writes is a grid (one every period), an
//! acknowledgement is a span of time, a mask of cohorts and a replica, and what a replica holds
//! is a list of spans by the replica that acknowledged them. Every count is exact.

use assize_fault::Nanos;

/// Before every scenario.
pub(crate) const PAST: Nanos = Nanos(i64::MIN / 4);

/// Writes acknowledged by `replica` from `from` up to and excluding `to`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Span {
    pub(crate) replica: u16,
    pub(crate) from: Nanos,
    pub(crate) to: Nanos,
}

/// What a replica, or a backup, holds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Content {
    spans: Vec<Span>,
    /// When the data was damaged, if it is.
    pub(crate) damaged: Option<Nanos>,
    /// Damaged by deletion: nothing older is left.
    pub(crate) deleted: bool,
}

impl Content {
    /// All that `replica` acknowledges.
    pub(crate) fn of(replica: u16) -> Self {
        Self {
            spans: vec![Span {
                replica,
                from: PAST,
                to: Nanos::NEVER,
            }],
            damaged: None,
            deleted: false,
        }
    }

    /// What it held at `now`.
    pub(crate) fn until(&self, now: Nanos) -> Self {
        let spans = self
            .spans
            .iter()
            .filter(|s| s.from < now)
            .map(|s| Span {
                to: s.to.min(now),
                ..*s
            })
            .collect();
        let damaged = self.damaged.filter(|d| *d <= now);
        Self {
            spans,
            damaged,
            deleted: self.deleted && damaged.is_some(),
        }
    }

    /// It also holds what `replica` acknowledges from `now` on.
    pub(crate) fn writes_from(&mut self, replica: u16, now: Nanos) {
        self.spans.push(Span {
            replica,
            from: now,
            to: Nanos::NEVER,
        });
    }

    /// It takes over what the other holds.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.spans.extend(&other.spans);
    }

    /// The parts of `from..to`, acknowledged by `replica`, that it does not hold.
    fn missing(&self, replica: u16, from: Nanos, to: Nanos) -> Vec<(Nanos, Nanos)> {
        let mut left = vec![(from, to)];
        if self.deleted {
            // Whatever came after the deletion is held like any other write.
            let cut = self.damaged.unwrap_or(to).clamp(from, to);
            let mut tail = self.subtract(replica, vec![(cut, to)]);
            let mut all = vec![(from, cut)];
            all.append(&mut tail);
            all.retain(|(a, b)| a < b);
            return all;
        }
        left = self.subtract(replica, left);
        left
    }

    fn subtract(&self, replica: u16, mut left: Vec<(Nanos, Nanos)>) -> Vec<(Nanos, Nanos)> {
        for span in self.spans.iter().filter(|s| s.replica == replica) {
            left = left
                .into_iter()
                .flat_map(|(a, b)| [(a, b.min(span.from)), (a.max(span.to), b)])
                .filter(|(a, b)| a < b)
                .collect();
        }
        left
    }
}

/// Writes of one cell: write n at `origin + n × period`, by cohort n mod 64.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Grid {
    /// The stream exists from here …
    pub(crate) from: Nanos,
    /// … to here.
    pub(crate) to: Nanos,
    pub(crate) origin: Nanos,
    pub(crate) period: Nanos,
}

impl Grid {
    /// Numbers of the writes in `from..to`.
    fn numbers(&self, from: Nanos, to: Nanos) -> std::ops::Range<i64> {
        let (from, to) = (from.max(self.from), to.min(self.to));
        if from >= to || self.period.is_never() {
            return 0..0;
        }
        let first = (from - self.origin).0.div_euclid(self.period.0)
            + i64::from((from - self.origin).0.rem_euclid(self.period.0) != 0);
        let end = (to - self.origin).0.div_euclid(self.period.0)
            + i64::from((to - self.origin).0.rem_euclid(self.period.0) != 0);
        first..end
    }

    /// How many writes of the cohorts in `mask` fall in `from..to`.
    pub(crate) fn count(&self, from: Nanos, to: Nanos, mask: u64) -> u64 {
        let numbers = self.numbers(from, to);
        let below = |n: i64| -> i64 {
            let whole = n.div_euclid(64);
            let rest = n.rem_euclid(64);
            let part = mask & ((1u64 << rest) - 1);
            whole * i64::from(mask.count_ones()) + i64::from(part.count_ones())
        };
        if numbers.is_empty() {
            0
        } else {
            (below(numbers.end) - below(numbers.start)) as u64
        }
    }

    /// The first write of the cohorts in `mask` in `from..to`.
    pub(crate) fn first(&self, from: Nanos, to: Nanos, mask: u64) -> Option<Nanos> {
        let numbers = self.numbers(from, to);
        numbers
            .clone()
            .take(64)
            .find(|n| mask & (1 << n.rem_euclid(64)) != 0)
            .map(|n| self.origin + self.period * n)
    }

    /// The last write of the cohorts in `mask` in `from..to`.
    pub(crate) fn last(&self, from: Nanos, to: Nanos, mask: u64) -> Option<Nanos> {
        let numbers = self.numbers(from, to);
        numbers
            .rev()
            .take(64)
            .find(|n| mask & (1 << n.rem_euclid(64)) != 0)
            .map(|n| self.origin + self.period * n)
    }
}

/// Acknowledgements: by this replica, for these cohorts of a unit, in this span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ack {
    pub(crate) unit: usize,
    pub(crate) replica: u16,
    pub(crate) mask: u64,
    pub(crate) from: Nanos,
    pub(crate) to: Nanos,
}

/// What a comparison of a ledger with a content yields.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) acknowledged: u64,
    pub(crate) lost: u64,
    pub(crate) corrupted: u64,
    pub(crate) oldest_lost: Option<Nanos>,
    pub(crate) newest_lost: Option<Nanos>,
    pub(crate) survivor_before: Option<Nanos>,
}

/// Compares all acknowledgements up to `now` (inclusive) with what `content` holds.
/// `grids` gives the streams of a unit.
pub(crate) fn read_back<'a>(
    acks: &[Ack],
    content: &Content,
    now: Nanos,
    grids: impl Fn(usize) -> &'a [Grid],
) -> Tally {
    let mut tally = Tally::default();
    let upto = now + Nanos(1);
    for ack in acks {
        let to = ack.to.min(upto);
        let missing = content.missing(ack.replica, ack.from, to);
        for grid in grids(ack.unit) {
            tally.acknowledged += grid.count(ack.from.max(Nanos::ZERO), to, ack.mask);
            for &(a, b) in &missing {
                let before = grid.count(a, b.min(Nanos::ZERO), ack.mask);
                tally.acknowledged += before;
                tally.lost += grid.count(a, b, ack.mask);
                tally.oldest_lost = min(tally.oldest_lost, grid.first(a, b, ack.mask));
                tally.newest_lost = tally.newest_lost.max(grid.last(a, b, ack.mask));
            }
            if let Some(damaged) = content.damaged.filter(|_| !content.deleted) {
                let from = ack.from.max(Nanos::ZERO);
                tally.corrupted += grid.count(from, to.min(damaged), ack.mask);
            }
        }
    }
    if let Some(oldest) = tally.oldest_lost {
        tally.survivor_before = survivor(acks, content, oldest, &grids);
    }
    tally
}

/// The newest write before `oldest` that is still there. Writes came at the same pace before
/// the scenario began, so there is always one: a period earlier at the latest.
fn survivor<'a>(
    acks: &[Ack],
    content: &Content,
    oldest: Nanos,
    grids: &impl Fn(usize) -> &'a [Grid],
) -> Option<Nanos> {
    let mut newest = None;
    for ack in acks.iter().filter(|a| a.from < oldest) {
        let to = ack.to.min(oldest);
        let mut held = vec![(ack.from, to)];
        for (a, b) in content.missing(ack.replica, ack.from, to) {
            held = held
                .into_iter()
                .flat_map(|(c, d)| [(c, d.min(a)), (c.max(b), d)])
                .filter(|(c, d)| c < d)
                .collect();
        }
        for grid in grids(ack.unit) {
            for &(a, b) in &held {
                newest = newest.max(grid.last(a, b, ack.mask));
            }
        }
    }
    newest
}

fn min(a: Option<Nanos>, b: Option<Nanos>) -> Option<Nanos> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The last shipment of an asynchronous replication that has arrived by `now`, having left
/// while the path was good (from `since` on). Shipments leave at `phase + n × every`.
pub(crate) fn last_shipment(
    every: Nanos,
    phase: Nanos,
    since: Nanos,
    latency: Nanos,
    now: Nanos,
) -> Option<Nanos> {
    let latest = now - latency;
    let at = latest - (latest - phase) % every.max(Nanos(1));
    (at >= since).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY_SECOND: Grid = Grid {
        from: PAST,
        to: Nanos::NEVER,
        origin: Nanos::ZERO,
        period: Nanos::secs(1),
    };

    fn ack(replica: u16, from: Nanos, to: Nanos) -> Ack {
        Ack {
            unit: 0,
            replica,
            mask: u64::MAX,
            from,
            to,
        }
    }

    #[test]
    fn shipments_leave_on_the_grid_and_take_their_time() {
        let last = |now| last_shipment(Nanos::secs(5), Nanos::ZERO, PAST, Nanos::millis(10), now);
        assert_eq!(last(Nanos::millis(63_500)), Some(Nanos::secs(60)));
        assert_eq!(last(Nanos::millis(60_009)), Some(Nanos::secs(55)));
        assert_eq!(last(Nanos::millis(60_010)), Some(Nanos::secs(60)));
        let late = last_shipment(
            Nanos::secs(5),
            Nanos::ZERO,
            Nanos::secs(61),
            Nanos::millis(10),
            Nanos::secs(64),
        );
        assert_eq!(late, None);
    }

    #[test]
    fn a_lost_primary_costs_what_was_not_shipped() {
        let mut south = Content::of(0).until(Nanos::secs(60));
        south.writes_from(1, Nanos::secs(100));
        let acks = [ack(0, Nanos::ZERO, Nanos::millis(63_500))];
        let tally = read_back(&acks, &south, Nanos::secs(100), |_| &[EVERY_SECOND]);
        // 60, 61, 62 and 63 s.
        assert_eq!(tally.lost, 4);
        assert_eq!(tally.oldest_lost, Some(Nanos::secs(60)));
        assert_eq!(tally.newest_lost, Some(Nanos::secs(63)));
        assert_eq!(tally.survivor_before, Some(Nanos::secs(59)));
        assert_eq!(tally.acknowledged, 64);
    }

    #[test]
    fn cohorts_write_in_turn() {
        let even = 0x5555_5555_5555_5555;
        assert_eq!(EVERY_SECOND.count(Nanos::ZERO, Nanos::secs(10), even), 5);
        assert_eq!(
            EVERY_SECOND.first(Nanos::secs(1), Nanos::secs(10), even),
            Some(Nanos::secs(2))
        );
        assert_eq!(
            EVERY_SECOND.last(Nanos::ZERO, Nanos::secs(10), even),
            Some(Nanos::secs(8))
        );
    }

    #[test]
    fn a_deletion_takes_what_was_there_and_not_what_comes() {
        let mut content = Content::of(0);
        content.damaged = Some(Nanos::secs(10));
        content.deleted = true;
        let acks = [ack(0, Nanos::ZERO, Nanos::secs(20))];
        let tally = read_back(&acks, &content, Nanos::secs(20), |_| &[EVERY_SECOND]);
        assert_eq!((tally.lost, tally.newest_lost), (10, Some(Nanos::secs(9))));
    }

    #[test]
    fn a_corruption_is_counted_until_it_is_restored() {
        let mut content = Content::of(0);
        content.damaged = Some(Nanos::secs(10));
        let acks = [ack(0, Nanos::ZERO, Nanos::secs(20))];
        let tally = read_back(&acks, &content, Nanos::secs(20), |_| &[EVERY_SECOND]);
        assert_eq!((tally.lost, tally.corrupted), (0, 10));
    }

    #[test]
    fn merging_loses_nothing() {
        let mut new = Content::of(0).until(Nanos::secs(60));
        new.writes_from(1, Nanos::secs(100));
        new.merge(&Content::of(0).until(Nanos::secs(124)));
        let acks = [
            ack(0, Nanos::ZERO, Nanos::secs(124)),
            ack(1, Nanos::secs(100), Nanos::secs(200)),
        ];
        assert_eq!(
            read_back(&acks, &new, Nanos::secs(200), |_| &[EVERY_SECOND]).lost,
            0
        );
    }
}
