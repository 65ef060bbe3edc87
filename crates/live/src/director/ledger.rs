//! What writers were told, kept beside what a service turns out to hold.

use crate::ledger::entry;
use crate::replica::{Entry, Held, Trouble};
use crate::users::Seen;
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::journal::{Loss, ReadBack};
use std::collections::BTreeMap;

/// Entries kept of one service; a run that writes more keeps the first ones.
const MOST: usize = 2_000_000;

/// What is known of the entries of one service.
#[derive(Debug)]
pub(super) struct Ledger {
    single_writer: bool,
    entries: BTreeMap<(u64, u64), Known>,
    /// What may have cost entries: when, since when the fault behind it was on, and which it is.
    events: Vec<(Nanos, Option<usize>)>,
    stale: u64,
    /// Acknowledgements not yet looked at for two writers at once: when and where.
    recent: Vec<(Nanos, u16)>,
    /// Runs of acknowledgements by one replica: which, first, last.
    runs: Vec<(u16, Nanos, Nanos)>,
    split: Option<(Nanos, Nanos)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    /// Acknowledged at.
    Acked(Nanos),
    /// An error was returned, or nothing.
    Unknown,
}

impl Ledger {
    pub(super) fn new(single_writer: bool) -> Self {
        Self {
            single_writer,
            entries: BTreeMap::new(),
            events: Vec::new(),
            stale: 0,
            recent: Vec::new(),
            runs: Vec::new(),
            split: None,
        }
    }

    /// A writer was told, or not.
    pub(super) fn on_written(&mut self, entry: &Entry, seen: &Seen) {
        let key = (entry.writer, entry.sequence);
        if self.entries.len() >= MOST && !self.entries.contains_key(&key) {
            return;
        }
        match &seen.trouble {
            None => {
                self.entries.insert(key, Known::Acked(seen.ended));
                self.recent.push((seen.ended, seen.replica));
            }
            // It may have been done before the connection broke.
            Some(Trouble::Silent(_) | Trouble::Refused(_)) => {
                self.entries.entry(key).or_insert(Known::Unknown);
            }
            Some(_) => {}
        }
    }

    /// A reader got less than had been acknowledged to it since the last takeover or damage.
    pub(super) fn on_read(&mut self, began: Nanos, least: u64, got: Option<u64>, writer: u64) {
        let acked = self.entries.get(&(writer, least));
        let lost_since = |at: Nanos| self.events.iter().any(|e| at <= e.0 && e.0 <= began);
        if let Some(Known::Acked(at)) = acked
            && got.is_none_or(|got| got < least)
            && !lost_since(*at)
        {
            self.stale += 1;
        }
    }

    pub(super) fn on_takeover(&mut self, at: Nanos, cause: Option<usize>) {
        self.events.push((at, cause));
    }

    pub(super) fn on_damage(&mut self, at: Nanos, fault: usize) {
        self.events.push((at, Some(fault)));
    }

    /// Two replicas that acknowledge by turns, each soon after the other: returns the span when
    /// it is over.
    pub(super) fn look_for_split(&mut self, before: Nanos, soon: Nanos) -> Option<(Nanos, Nanos)> {
        if !self.single_writer {
            self.recent.clear();
            return None;
        }
        self.recent.sort_unstable();
        let ripe = self.recent.partition_point(|a| a.0 < before);
        for (at, replica) in self.recent.drain(..ripe) {
            match self.runs.last_mut() {
                Some(last) if last.0 == replica && at - last.2 <= soon => last.2 = at,
                _ => self.runs.push((replica, at, at)),
            }
            if self.runs.len() > 4 {
                self.runs.remove(0);
            }
            if let [a, b, c, d] = self.runs[..] {
                let turns = a.0 == c.0 && b.0 == d.0 && a.0 != b.0;
                // Each went on meanwhile; who was silent for longer had stopped.
                let close = c.1 - a.2 <= soon && d.1 - b.2 <= soon;
                if turns && close {
                    let span = self.split.get_or_insert((b.1, c.2));
                    span.1 = span.1.max(c.2);
                }
            }
        }
        self.split.take_if(|span| span.1 + soon < before)
    }

    /// A span that is not over yet.
    pub(super) fn open_split(&mut self) -> Option<(Nanos, Nanos)> {
        self.split.take()
    }

    /// Compares what was acknowledged by `at` with what replicas hold. `began` says when the fault
    /// behind an event began.
    pub(super) fn compare(
        &self,
        service: ServiceId,
        (at, is_final): (Nanos, bool),
        held: &[Vec<Held>],
        soon: Nanos,
        began: impl Fn(usize) -> Nanos,
    ) -> ReadBack {
        let mut copies: BTreeMap<(u64, u64), (usize, bool)> = BTreeMap::new();
        for replica in held {
            let mut own: BTreeMap<(u64, u64), usize> = BTreeMap::new();
            for row in replica {
                let key = (row.entry.writer, row.entry.sequence);
                let whole = row.content_hash == row.entry.hash
                    && row.entry.hash == entry(key.0, key.1).hash;
                *own.entry(key).or_default() += 1;
                let copy = copies.entry(key).or_insert((0, false));
                copy.1 |= whole;
            }
            for (key, n) in own {
                if let Some(copy) = copies.get_mut(&key) {
                    copy.0 = copy.0.max(n);
                }
            }
        }
        let acked = || {
            self.entries.iter().filter_map(|(key, known)| match known {
                Known::Acked(when) if *when <= at => Some((*key, *when)),
                _ => None,
            })
        };
        let mut missing: Vec<Nanos> = acked()
            .filter(|(key, _)| !copies.contains_key(key))
            .map(|(_, when)| when)
            .collect();
        missing.sort_unstable();
        let unknown = self.entries.iter().filter(|(_, k)| **k == Known::Unknown);
        let n = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let mut surviving: Vec<Nanos> = acked()
            .filter(|(key, _)| copies.contains_key(key))
            .map(|(_, when)| when)
            .collect();
        surviving.sort_unstable();
        ReadBack {
            service,
            at,
            is_final,
            acknowledged: n(acked().count()),
            lost: n(missing.len()),
            duplicated: n(copies.values().filter(|c| c.0 > 1).count()),
            stale: self.stale,
            corrupted: n(acked()
                .filter(|(key, _)| copies.get(key).is_some_and(|c| !c.1))
                .count()),
            indeterminate: n(unknown.filter(|(key, _)| copies.contains_key(key)).count()),
            losses: self.losses(&missing, &surviving, soon, began),
            unwritten: None,
        }
    }

    /// What is missing, by the first event after its acknowledgement. What an old primary
    /// acknowledged before a takeover and after it, without a break of more than `soon`, is one
    /// loss.
    fn losses(
        &self,
        missing: &[Nanos],
        surviving: &[Nanos],
        soon: Nanos,
        began: impl Fn(usize) -> Nanos,
    ) -> Vec<Loss> {
        let mut losses: Vec<(usize, Loss)> = Vec::new();
        for &at in missing {
            // An old primary may go on acknowledging after the takeover that costs it those.
            let event = self.events.iter().position(|e| at <= e.0);
            let group = event.unwrap_or(self.events.len());
            let event = event.or(self.events.len().checked_sub(1));
            let cause = event.and_then(|e| self.events[e].1);
            let goes_on = |l: &(usize, Loss)| l.0 == group || at - l.1.newest_at <= soon;
            match losses.last_mut().filter(|l| goes_on(l)) {
                Some((_, loss)) => loss.newest_at = at,
                None => {
                    let before = surviving.partition_point(|s| *s < at);
                    losses.push((
                        group,
                        Loss {
                            oldest_at: at,
                            newest_at: at,
                            until: None,
                            survivor_before: before.checked_sub(1).map(|i| surviving[i]),
                            fault_at: cause.map(&began),
                            fault: cause,
                        },
                    ));
                }
            }
        }
        losses.into_iter().map(|l| l.1).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrote(at: i64, replica: u16, trouble: Option<Trouble>) -> Seen {
        Seen {
            flow: None,
            service: ServiceId(0),
            replica,
            began: Nanos::secs(at),
            ended: Nanos::secs(at),
            trouble,
            wrote: None,
            read: None,
        }
    }

    fn held(sequences: &[u64]) -> Vec<Held> {
        let row = |s: &u64| {
            let entry = entry(7, *s);
            Held {
                content_hash: entry.hash.clone(),
                entry,
            }
        };
        sequences.iter().map(row).collect()
    }

    fn ledger() -> Ledger {
        let mut ledger = Ledger::new(true);
        for s in 1..=6 {
            ledger.on_written(
                &entry(7, s),
                &wrote(i64::try_from(s).unwrap_or(0) * 10, 0, None),
            );
        }
        ledger
    }

    #[test]
    fn what_is_missing_is_laid_to_the_takeover_that_came_next() {
        let mut ledger = ledger();
        ledger.on_takeover(Nanos::secs(45), Some(0));
        let found = ledger.compare(
            ServiceId(0),
            (Nanos::secs(100), true),
            &[held(&[1, 2, 5, 6, 6])],
            Nanos::secs(2),
            |_| Nanos::secs(38),
        );
        assert_eq!(
            (found.acknowledged, found.lost, found.duplicated),
            (6, 2, 1)
        );
        let [loss] = found.losses[..] else {
            panic!("{:?}", found.losses)
        };
        assert_eq!(
            (loss.oldest_at, loss.newest_at),
            (Nanos::secs(30), Nanos::secs(40))
        );
        assert_eq!(loss.survivor_before, Some(Nanos::secs(20)));
        assert_eq!(
            (loss.fault_at, loss.fault),
            (Some(Nanos::secs(38)), Some(0))
        );
    }

    #[test]
    fn an_old_primary_that_goes_on_is_one_loss_and_one_that_comes_back_another() {
        let mut ledger = ledger();
        ledger.on_takeover(Nanos::secs(35), Some(0));
        let of = |soon| {
            let at = (Nanos::secs(100), true);
            let found = ledger.compare(ServiceId(0), at, &[held(&[1, 2])], soon, |_| Nanos(0));
            let spans = found.losses.iter().map(|l| (l.oldest_at, l.newest_at));
            spans.collect::<Vec<_>>()
        };
        let [third, fourth, last] = [30, 40, 60].map(Nanos::secs);
        assert_eq!(of(Nanos::secs(10)), [(third, last)]);
        assert_eq!(of(Nanos::secs(9)), [(third, third), (fourth, last)]);
    }

    #[test]
    fn one_changed_byte_is_seen_and_an_error_is_no_acknowledgement() {
        let mut ledger = ledger();
        ledger.on_written(
            &entry(7, 7),
            &wrote(70, 0, Some(Trouble::Silent(String::new()))),
        );
        ledger.on_written(
            &entry(7, 8),
            &wrote(80, 0, Some(Trouble::Answered(String::new()))),
        );
        let mut rows = held(&[1, 2, 3, 4, 5, 6, 7]);
        rows[3].content_hash.replace_range(0..1, "x");
        let (at, soon) = ((Nanos::secs(100), true), Nanos::secs(2));
        let found = ledger.compare(ServiceId(0), at, &[rows], soon, |_| Nanos(0));
        assert_eq!(
            (found.lost, found.corrupted, found.indeterminate),
            (0, 1, 1)
        );
    }

    #[test]
    fn what_was_acknowledged_after_the_reading_is_not_missed() {
        let found = ledger().compare(
            ServiceId(0),
            (Nanos::secs(35), false),
            &[held(&[1, 2, 3])],
            Nanos::secs(2),
            |_| Nanos(0),
        );
        assert_eq!((found.acknowledged, found.lost), (3, 0));
    }

    #[test]
    fn turns_in_quick_succession_are_two_primaries_and_one_change_is_not() {
        let soon = Nanos::secs(5);
        let mut ledger = Ledger::new(true);
        for (i, (at, replica)) in [(1, 0), (2, 0), (3, 1), (4, 1), (60, 0), (61, 0)]
            .iter()
            .enumerate()
        {
            ledger.on_written(&entry(7, i as u64), &wrote(*at, *replica, None));
        }
        assert_eq!(ledger.look_for_split(Nanos::secs(100), soon), None);
        for (i, (at, replica)) in [(101, 0), (102, 1), (103, 0), (104, 1), (105, 0)]
            .iter()
            .enumerate()
        {
            ledger.on_written(&entry(8, i as u64), &wrote(*at, *replica, None));
        }
        let span = ledger.look_for_split(Nanos::secs(200), soon);
        assert_eq!(span, Some((Nanos::secs(102), Nanos::secs(104))));
    }
}
