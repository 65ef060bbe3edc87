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

    /// It gets what `replica`, which holds `other`, had acknowledged by `at`, damage included.
    pub(crate) fn receive(&mut self, replica: u16, other: &Self, at: Nanos) {
        let shipped = other.until(at);
        for span in shipped.spans.iter().filter(|s| s.replica == replica) {
            let known = |s: &&mut Span| s.replica == replica && s.from == span.from;
            match self.spans.iter_mut().find(known) {
                Some(held) => held.to = held.to.max(span.to),
                None => self.spans.push(*span),
            }
        }
        if shipped.damaged.is_some() {
            self.damaged = shipped.damaged.min(self.damaged.or(shipped.damaged));
            self.deleted |= shipped.deleted;
        }
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

/// What becomes of the requests that reach a replica, in parts per billion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Fate {
    /// Writes: so many are acknowledged, and of so many no client can tell whether they were done.
    Writes { acked: u64, unsure: u64 },
    /// Writes that are done, and whose answers do not arrive.
    Unanswered,
    /// Reads of a primary that has been superseded.
    Stale,
}

impl Fate {
    pub(crate) const DONE: Self = Self::Writes {
        acked: BILLION,
        unsure: 0,
    };

    const fn acked(self) -> u64 {
        match self {
            Self::Writes { acked, .. } => acked,
            Self::Unanswered | Self::Stale => 0,
        }
    }

    const fn unsure(self) -> u64 {
        match self {
            Self::Writes { unsure, .. } => unsure,
            Self::Unanswered => BILLION,
            Self::Stale => 0,
        }
    }
}

const BILLION: u64 = 1_000_000_000;

/// Requests that reach this replica, of these cohorts of a unit, in this span.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ack {
    pub(crate) unit: usize,
    pub(crate) replica: u16,
    pub(crate) mask: u64,
    pub(crate) from: Nanos,
    pub(crate) to: Nanos,
    pub(crate) fate: Fate,
    /// Of writes whose answers do not arrive, those from here on are tried again with success;
    /// and whether each is there twice then.
    pub(crate) again_from: Option<(Nanos, bool)>,
}

/// Writes lost together, by one event: what of each replica's went missing with it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct LossEvent {
    pub(crate) spans: Vec<Span>,
    pub(crate) fault: Option<usize>,
}

/// What a comparison of a ledger with what is there yields.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) acknowledged: u64,
    pub(crate) lost: u64,
    pub(crate) corrupted: u64,
    pub(crate) duplicated: u64,
    pub(crate) stale: u64,
    pub(crate) indeterminate: u64,
    /// By loss event, for those of which something is missing now.
    pub(crate) losses: Vec<(usize, Missing)>,
    /// The longest time of an event of which nothing is missing because nothing was written.
    pub(crate) unwritten: Option<Nanos>,
}

/// The ends of what is missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Missing {
    pub(crate) oldest: Nanos,
    pub(crate) newest: Nanos,
    /// Until when some could be acknowledged that would be missing now.
    pub(crate) until: Nanos,
    pub(crate) survivor_before: Option<Nanos>,
}

/// The parts of `from..to`, acknowledged by `replica`, that none of several copies holds.
fn missing(held: &[&Content], replica: u16, from: Nanos, to: Nanos) -> Vec<(Nanos, Nanos)> {
    held.iter().fold(vec![(from, to)], |left, content| {
        let parts = left.into_iter();
        parts
            .flat_map(|(a, b)| content.missing(replica, a, b))
            .collect()
    })
}

/// When each replica acknowledged writes that are missing at `now`, as disjoint spans in order.
pub(crate) fn missing_spans(acks: &[Ack], held: &[&Content], now: Nanos) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for ack in acks.iter().filter(|a| a.fate.acked() > 0) {
        let parts = missing(held, ack.replica, ack.from, ack.to.min(now + Nanos(1)));
        spans.extend(parts.into_iter().map(|(from, to)| Span {
            replica: ack.replica,
            from,
            to,
        }));
    }
    spans.sort_unstable_by_key(|s| (s.replica, s.from, s.to));
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if last.replica == span.replica && span.from <= last.to => {
                last.to = last.to.max(span.to);
            }
            _ => joined.push(span),
        }
    }
    joined
}

/// Puts what has gone missing since the last time down as one event, due to `fault`. What only
/// goes on where an earlier loss of the same replica ended belongs to that one.
pub(crate) fn note_missing(events: &mut Vec<LossEvent>, missing: &[Span], fault: Option<usize>) {
    let mut new = LossEvent {
        spans: Vec::new(),
        fault,
    };
    for span in missing {
        let mut left = vec![(span.from, span.to)];
        let known = events.iter().flat_map(|e| &e.spans);
        for known in known.filter(|k| k.replica == span.replica) {
            left = left
                .into_iter()
                .flat_map(|(a, b)| [(a, b.min(known.from)), (a.max(known.to), b)])
                .filter(|(a, b)| a < b)
                .collect();
        }
        for (from, to) in left {
            let spans = events.iter_mut().flat_map(|e| &mut e.spans);
            let goes_on = |s: &&mut Span| s.replica == span.replica && s.to == from;
            match spans.into_iter().find(goes_on) {
                Some(earlier) => earlier.to = to,
                None => new.spans.push(Span { from, to, ..*span }),
            }
        }
    }
    if !new.spans.is_empty() {
        events.push(new);
    }
}

/// Compares all acknowledgements up to `now` (inclusive) with what the copies that can be read
/// hold, and tells what is missing by the events that cost it.
/// `grids` gives the streams of a unit.
pub(crate) fn read_back<'a>(
    acks: &[Ack],
    held: &[&Content],
    events: &[LossEvent],
    now: Nanos,
    grids: impl Fn(usize) -> &'a [Grid],
) -> Tally {
    let mut sums = Sums::default();
    let mut ends: Vec<Option<(Nanos, Nanos)>> = vec![None; events.len()];
    let mut windows: Vec<Option<(Nanos, Nanos)>> = vec![None; events.len()];
    let upto = now + Nanos(1);
    let damaged = held.iter().filter(|c| !c.deleted).filter_map(|c| c.damaged);
    let damaged = damaged.min();
    for ack in acks {
        let to = ack.to.min(upto);
        let missing = missing(held, ack.replica, ack.from, to);
        for grid in grids(ack.unit) {
            sums.add(
                ack,
                grid,
                (ack.from.max(Nanos::ZERO), to),
                &missing,
                damaged,
            );
            for ((event, ends), window) in events
                .iter()
                .zip(&mut ends)
                .zip(&mut windows)
                .filter(|_| ack.fate.acked() > 0)
            {
                let of = event.spans.iter().filter(|s| s.replica == ack.replica);
                for (span, &(a, b)) in of.flat_map(|s| missing.iter().map(move |m| (s, m))) {
                    let (a, b) = (a.max(span.from), b.min(span.to));
                    if a < b {
                        let (from, to) = window.unwrap_or((a, b));
                        *window = Some((from.min(a), to.max(b)));
                    }
                    if let Some(first) = grid.first(a, b, ack.mask) {
                        let last = grid.last(a, b, ack.mask).unwrap_or(first);
                        let (oldest, newest) = ends.unwrap_or((first, last));
                        *ends = Some((oldest.min(first), newest.max(last)));
                    }
                }
            }
        }
    }
    let mut tally = sums.tally();
    for (event, (ends, window)) in ends.into_iter().zip(windows).enumerate() {
        let Some((from, to)) = window else { continue };
        let Some((oldest, newest)) = ends else {
            tally.unwritten = tally.unwritten.max(Some(to - from));
            continue;
        };
        let missing = Missing {
            oldest,
            newest,
            until: to,
            survivor_before: survivor(acks, held, oldest, &grids),
        };
        tally.losses.push((event, missing));
    }
    tally
}

/// Counts in billionths of a request, so that shares are rounded once.
#[derive(Default)]
struct Sums {
    acknowledged: u128,
    lost: u128,
    corrupted: u128,
    duplicated: u128,
    stale: u128,
    indeterminate: u128,
}

impl Sums {
    /// Adds the requests of one stream that a span of `ack` covers.
    fn add(
        &mut self,
        ack: &Ack,
        grid: &Grid,
        (from, to): (Nanos, Nanos),
        missing: &[(Nanos, Nanos)],
        damaged: Option<Nanos>,
    ) {
        let count = |a: Nanos, b: Nanos, share: u64| {
            u128::from(grid.count(a, b, ack.mask)) * u128::from(share)
        };
        if ack.fate == Fate::Stale {
            self.stale += count(from, to, BILLION);
            return;
        }
        let (acked, unsure) = (ack.fate.acked(), ack.fate.unsure());
        self.acknowledged += count(from, to, acked);
        // What was asked for and is there, though its client was told of an error.
        self.indeterminate += count(from, to, unsure);
        for &(a, b) in missing {
            self.acknowledged += count(a, b.min(Nanos::ZERO), acked);
            self.lost += count(a, b, acked);
            self.indeterminate -= count(a.max(from), b, unsure);
        }
        if let Some((again, twofold)) = ack.again_from {
            let again = again.clamp(from, to);
            let twice = count(again, to, BILLION);
            let gone = missing.iter().map(|m| count(m.0.max(again), m.1, BILLION));
            let twice = twice - gone.sum::<u128>();
            self.duplicated += if twofold { twice } else { 0 };
            self.acknowledged += twice;
            self.indeterminate -= twice;
        }
        if let Some(damaged) = damaged {
            self.corrupted += count(from, to.min(damaged), acked);
        }
    }

    fn tally(&self) -> Tally {
        let whole = |sum: u128| ((sum + u128::from(BILLION / 2)) / u128::from(BILLION)) as u64;
        Tally {
            acknowledged: whole(self.acknowledged),
            lost: whole(self.lost),
            corrupted: whole(self.corrupted),
            duplicated: whole(self.duplicated),
            stale: whole(self.stale),
            indeterminate: whole(self.indeterminate),
            losses: Vec::new(),
            unwritten: None,
        }
    }
}

/// The newest write before `oldest` that is still there. Writes came at the same pace before
/// the scenario began, so there is always one: a period earlier at the latest.
fn survivor<'a>(
    acks: &[Ack],
    copies: &[&Content],
    oldest: Nanos,
    grids: &impl Fn(usize) -> &'a [Grid],
) -> Option<Nanos> {
    let mut newest = None;
    let before = |a: &&Ack| a.from < oldest && a.fate.acked() > 0;
    for ack in acks.iter().filter(before) {
        let to = ack.to.min(oldest);
        let mut held = vec![(ack.from, to)];
        for (a, b) in missing(copies, ack.replica, ack.from, to) {
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
            fate: Fate::DONE,
            again_from: None,
        }
    }

    /// As the engine reads back: what is missing is put down first.
    fn read(acks: &[Ack], content: &Content, now: Nanos) -> Tally {
        let mut events = Vec::new();
        note_missing(&mut events, &missing_spans(acks, &[content], now), None);
        read_back(acks, &[content], &events, now, |_| &[EVERY_SECOND])
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
        let tally = read(&acks, &south, Nanos::secs(100));
        // 60, 61, 62 and 63 s.
        assert_eq!(tally.lost, 4);
        let missing = Missing {
            oldest: Nanos::secs(60),
            newest: Nanos::secs(63),
            until: Nanos::millis(63_500),
            survivor_before: Some(Nanos::secs(59)),
        };
        assert_eq!(tally.losses, vec![(0, missing)]);
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
        let tally = read(&acks, &content, Nanos::secs(20));
        assert_eq!((tally.lost, tally.losses[0].1.newest), (10, Nanos::secs(9)));
    }

    #[test]
    fn a_corruption_is_counted_until_it_is_restored() {
        let mut content = Content::of(0);
        content.damaged = Some(Nanos::secs(10));
        let acks = [ack(0, Nanos::ZERO, Nanos::secs(20))];
        let tally = read(&acks, &content, Nanos::secs(20));
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
        assert_eq!(read(&acks, &new, Nanos::secs(200)).lost, 0);
    }

    #[test]
    fn what_an_isolated_writer_goes_on_losing_is_one_loss_and_a_later_one_another() {
        // Replica 0 is replaced at 100 s as it was at 60 s, and goes on until 124 s: one loss of
        // 60 .. 123 s. It is primary again from 200 s on and loses 530 and 531 s: another.
        let span = |from, to| Span {
            replica: 0,
            from: Nanos::secs(from),
            to: Nanos::secs(to),
        };
        let mut events = Vec::new();
        note_missing(&mut events, &[span(60, 100)], Some(0));
        note_missing(&mut events, &[span(60, 124)], Some(1));
        note_missing(&mut events, &[span(60, 124), span(530, 532)], Some(2));
        let event = |span, fault| LossEvent {
            spans: vec![span],
            fault: Some(fault),
        };
        assert_eq!(
            events,
            vec![event(span(60, 124), 0), event(span(530, 532), 2)]
        );
    }

    #[test]
    fn a_write_is_missing_only_where_no_copy_has_it() {
        let (mut a, b) = (Content::of(0), Content::of(1));
        a.receive(1, &b, Nanos::secs(180));
        let acks = [
            ack(0, Nanos::ZERO, Nanos::secs(200)),
            ack(1, Nanos::ZERO, Nanos::secs(200)),
        ];
        let count = |held: &[&Content]| {
            read_back(&acks, held, &[], Nanos::secs(200), |_| &[EVERY_SECOND]).lost
        };
        assert_eq!((count(&[&a, &b]), count(&[&a])), (0, 20));
    }

    #[test]
    fn of_errors_so_many_are_unsure_and_what_has_no_answer_is_there() {
        // 100 writes of which three in four are acknowledged; 10 without an answer, of which the
        // last 4 are done again; and 5 reads of an old primary.
        let content = Content::of(0);
        let part = |from, to, fate| Ack {
            fate,
            ..ack(0, Nanos::secs(from), Nanos::secs(to))
        };
        let mostly = Fate::Writes {
            acked: 750_000_000,
            unsure: 250_000_000,
        };
        let mut silent = part(100, 110, Fate::Unanswered);
        silent.again_from = Some((Nanos::secs(106), true));
        let acks = [part(0, 100, mostly), silent, part(110, 115, Fate::Stale)];
        let tally = read(&acks, &content, Nanos::secs(200));
        assert_eq!((tally.acknowledged, tally.indeterminate), (75 + 4, 25 + 6));
        assert_eq!((tally.duplicated, tally.stale, tally.lost), (4, 5, 0));
    }
}
