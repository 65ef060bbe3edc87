//! The books of one service: which writes were asked and acknowledged, and what a read-back of them
//! finds. Pure; the times are those that the caller gives.

use super::{content, hash};
use crate::replica::{Entry, Held};
use assize_fault::Nanos;
use assize_model::journal::Loss;
use std::collections::BTreeMap;

/// An entry by writer and sequence.
type Key = (u64, u64);

/// All writes of one service.
#[derive(Clone, Debug, Default)]
pub struct Book {
    /// When each was acknowledged first; `None`: it was asked, and no more is known.
    written: BTreeMap<Key, Option<Nanos>>,
    causes: Vec<Cause>,
    /// Causes that the last read-back has looked at: what was there then is not their doing.
    looked_at: usize,
    /// Acknowledged, and missing at the last read-back; with the index of the cause, or none.
    missing: BTreeMap<Key, Option<usize>>,
}

/// Something that may have cost writes: a takeover, a restore, damage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cause {
    /// When it happened.
    pub at: Nanos,
    /// The fault behind it, and when that began, where one can be named.
    pub fault: Option<(usize, Nanos)>,
}

/// What a read-back finds.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reckoning {
    /// Acknowledged writes so far.
    pub acknowledged: u64,
    /// Acknowledged and missing.
    pub lost: u64,
    /// Present more than once.
    pub duplicated: u64,
    /// Present with other content, or never asked for.
    pub corrupted: u64,
    /// Present and never acknowledged.
    pub indeterminate: u64,
    /// What is missing, by what cost it.
    pub losses: Vec<Loss>,
}

impl Book {
    /// A write leaves its client. From here on it may be anywhere.
    pub fn on_asked(&mut self, entry: &Entry) {
        self.written
            .entry((entry.writer, entry.sequence))
            .or_default();
    }

    /// A write was acknowledged to its client.
    pub fn on_acknowledged(&mut self, entry: &Entry, at: Nanos) {
        let known = self
            .written
            .entry((entry.writer, entry.sequence))
            .or_default();
        known.get_or_insert(at);
    }

    /// Something happened that may have cost writes. Causes come in order of time.
    pub fn on_cause(&mut self, cause: Cause) {
        self.causes.push(cause);
    }

    /// The highest acknowledged sequence of a writer, or 0: a read that knows less is stale.
    #[must_use]
    pub fn newest(&self, writer: u64) -> u64 {
        let of_writer = self.written.range((writer, 0)..=(writer, u64::MAX));
        let acknowledged = of_writer.rev().find(|(_, at)| at.is_some());
        acknowledged.map_or(0, |(key, _)| key.1)
    }

    /// Compares the books with what a replica holds. What was not missing before is put down to
    /// the first cause after its acknowledgement among those since the last read-back.
    pub fn read_back(&mut self, held: &[Held]) -> Reckoning {
        let mut copies: BTreeMap<Key, (u64, bool)> = BTreeMap::new();
        for entry in held {
            let key = (entry.entry.writer, entry.entry.sequence);
            let expected = hash(content(key.0, key.1).as_bytes());
            let whole = entry.content_hash == expected && entry.entry.hash == expected;
            let seen = copies.entry(key).or_insert((0, true));
            seen.0 += 1;
            seen.1 &= whole;
        }
        self.put_down(&copies);
        let of = |f: &dyn Fn(&Key, &(u64, bool)) -> bool| {
            copies.iter().filter(|(key, seen)| f(key, seen)).count() as u64
        };
        Reckoning {
            acknowledged: self.written.values().flatten().count() as u64,
            lost: self.missing.len() as u64,
            duplicated: of(&|_, seen| seen.0 > 1),
            corrupted: of(&|key, seen| !seen.1 || !self.written.contains_key(key)),
            indeterminate: of(&|key, _| self.written.get(key).is_some_and(Option::is_none)),
            losses: self.losses(),
        }
    }

    /// Which acknowledged writes are missing, and since what.
    fn put_down(&mut self, copies: &BTreeMap<Key, (u64, bool)>) {
        let before = std::mem::take(&mut self.missing);
        for (key, at) in &self.written {
            let (Some(at), false) = (at, copies.contains_key(key)) else {
                continue;
            };
            let cause = before.get(key).copied();
            self.missing
                .insert(*key, cause.unwrap_or_else(|| self.cause_of(*at)));
        }
        self.looked_at = self.causes.len();
    }

    /// What cost a write that was acknowledged then and is found missing now. An old primary may
    /// go on acknowledging after the takeover that costs it those writes.
    fn cause_of(&self, at: Nanos) -> Option<usize> {
        let fresh = self.looked_at..self.causes.len();
        let after = fresh.clone().find(|i| self.causes[*i].at >= at);
        let last = self.causes.len().checked_sub(1);
        after.or(last.filter(|i| fresh.contains(i) || self.causes[*i].at <= at))
    }

    fn losses(&self) -> Vec<Loss> {
        let mut by_cause: BTreeMap<Option<usize>, (Nanos, Nanos)> = BTreeMap::new();
        for (key, cause) in &self.missing {
            let Some(at) = self.written.get(key).copied().flatten() else {
                continue;
            };
            let span = by_cause.entry(*cause).or_insert((at, at));
            *span = (span.0.min(at), span.1.max(at));
        }
        let losses = by_cause.into_iter().map(|(cause, (oldest_at, newest_at))| {
            let fault = cause.and_then(|i| self.causes.get(i)?.fault);
            Loss {
                oldest_at,
                newest_at,
                survivor_before: self.survivor_before(oldest_at),
                fault_at: fault.map(|f| f.1),
                fault: fault.map(|f| f.0),
            }
        });
        losses.collect()
    }

    fn survivor_before(&self, oldest: Nanos) -> Option<Nanos> {
        let there = self
            .written
            .iter()
            .filter(|(k, _)| !self.missing.contains_key(*k));
        there
            .filter_map(|(_, at)| *at)
            .filter(|at| *at < oldest)
            .max()
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry;
    use super::*;
    use proptest::prelude::*;

    fn held(writer: u64, sequence: u64) -> Held {
        let entry = entry(writer, sequence);
        Held {
            content_hash: entry.hash.clone(),
            entry,
        }
    }

    /// Writes 1 to n of writer 1, acknowledged at so many seconds each.
    fn book(n: u64) -> Book {
        let mut book = Book::default();
        for sequence in 1..=n {
            let entry = entry(1, sequence);
            book.on_asked(&entry);
            book.on_acknowledged(&entry, Nanos::secs(sequence as i64));
        }
        book
    }

    #[test]
    fn what_is_missing_is_put_down_to_what_cost_it() {
        let mut book = book(10);
        let at = |s, fault| Cause {
            at: Nanos::secs(s),
            fault,
        };
        book.on_cause(at(10, Some((3, Nanos::secs(9)))));
        let survived: Vec<Held> = (1..=8).map(|s| held(1, s)).collect();
        let found = book.read_back(&survived);
        assert_eq!((found.acknowledged, found.lost), (10, 2));
        let loss = Loss {
            oldest_at: Nanos::secs(9),
            newest_at: Nanos::secs(10),
            survivor_before: Some(Nanos::secs(8)),
            fault_at: Some(Nanos::secs(9)),
            fault: Some(3),
        };
        assert_eq!(found.losses, vec![loss]);
        // A restore to an older state costs more, and that is not the takeover's doing.
        book.on_cause(at(20, None));
        let found = book.read_back(&survived[..5]);
        assert_eq!((found.lost, found.losses.len()), (5, 2));
        assert_eq!(found.losses[1].oldest_at, Nanos::secs(6));
        assert_eq!(found.losses[0].oldest_at, Nanos::secs(9));
        assert_eq!(found.losses[0].survivor_before, Some(Nanos::secs(5)));
        // What comes back is not lost.
        let all: Vec<Held> = (1..=10).map(|s| held(1, s)).collect();
        assert_eq!(book.read_back(&all).lost, 0);
    }

    #[test]
    fn each_kind_of_damage_has_its_own_count() {
        let mut book = book(5);
        book.on_asked(&entry(2, 1));
        let mut there: Vec<Held> = (1..=5).map(|s| held(1, s)).collect();
        there[0].content_hash = hash(b"something else");
        there.push(held(1, 3));
        there.push(held(2, 1));
        there.push(held(9, 9));
        let found = book.read_back(&there);
        let counts = (
            found.lost,
            found.duplicated,
            found.corrupted,
            found.indeterminate,
        );
        assert_eq!(counts, (0, 1, 2, 1));
        assert_eq!((book.newest(1), book.newest(2)), (5, 0));
    }

    #[test]
    fn one_old_write_that_is_missing_shows_without_any_cause() {
        let mut book = book(20);
        let there: Vec<Held> = (1..=20).filter(|s| *s != 3).map(|s| held(1, s)).collect();
        let found = book.read_back(&there);
        assert_eq!(found.lost, 1);
        assert_eq!(found.losses[0].oldest_at, Nanos::secs(3));
        assert_eq!(found.losses[0].fault, None);
    }

    proptest! {
        #[test]
        fn every_acknowledged_write_is_there_or_lost(
            there in proptest::collection::vec(any::<bool>(), 1..60),
            acknowledged in proptest::collection::vec(any::<bool>(), 60),
            causes in proptest::collection::vec(0i64..60, 0..4),
        ) {
            let mut book = Book::default();
            let mut causes = causes;
            causes.sort_unstable();
            for at in causes {
                book.on_cause(Cause { at: Nanos::secs(at), fault: None });
            }
            let mut present = Vec::new();
            let (mut acks, mut lost, mut unsure) = (0, 0, 0);
            for (i, here) in there.iter().enumerate() {
                let entry = entry(1, i as u64 + 1);
                book.on_asked(&entry);
                if acknowledged[i] {
                    book.on_acknowledged(&entry, Nanos::secs(i as i64));
                    acks += 1;
                    lost += u64::from(!here);
                } else {
                    unsure += u64::from(*here);
                }
                if *here {
                    present.push(held(1, i as u64 + 1));
                }
            }
            let found = book.read_back(&present);
            prop_assert_eq!((found.acknowledged, found.lost), (acks, lost));
            prop_assert_eq!((found.indeterminate, found.corrupted, found.duplicated), (unsure, 0, 0));
            prop_assert_eq!(found.losses.is_empty(), lost == 0);
            for loss in &found.losses {
                prop_assert!(loss.oldest_at <= loss.newest_at);
                prop_assert!(loss.survivor_before.is_none_or(|s| s < loss.oldest_at));
            }
            prop_assert_eq!(book.read_back(&present), found);
        }
    }
}
