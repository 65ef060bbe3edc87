//! Every operation that was applied, in order: kept for a while, and told to whoever listens.
//!
//! An operation stands here once it has taken effect, never before. The newest [`KEPT`] are
//! kept; a listener that falls further behind than that is told where the gap is by the numbers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// How many operations are kept.
const KEPT: usize = 4096;

/// One operation as JSON, and its number.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    /// Counted from 1.
    pub(crate) number: u64,
    /// `{"seq":…,"at":…,"op":…,…}`.
    pub(crate) json: Arc<str>,
}

/// The operations applied so far.
#[derive(Debug)]
pub(crate) struct Journal {
    records: Mutex<VecDeque<Record>>,
    last: watch::Sender<u64>,
}

impl Journal {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self {
            records: Mutex::new(VecDeque::new()),
            last: watch::Sender::new(0),
        }
    }

    /// Notes an operation; `members` is JSON without braces that says what it was.
    pub(crate) fn note(&self, op: &str, members: &str) {
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let number = records.back().map_or(1, |last| last.number + 1);
        let at = now();
        let json = format!(r#"{{"seq":{number},"at":"{at}","op":"{op}",{members}}}"#).into();
        if records.len() == KEPT {
            records.pop_front();
        }
        records.push_back(Record { number, json });
        self.last.send_replace(number);
    }

    /// What was applied after the one of this number, as far as it is kept.
    pub(crate) fn after(&self, number: u64) -> Vec<Record> {
        let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = records.partition_point(|record| record.number <= number);
        records.range(begin..).cloned().collect()
    }

    /// The number of the newest, now and whenever it changes.
    pub(crate) fn last(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an operation is noted with the time at which it was applied; nothing is computed from it"
)]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_numbered() {
        let journal = Journal::new();
        for _ in 0..KEPT + 10 {
            journal.note("reset", r#""proxies":0"#);
        }
        let all = journal.after(0);
        assert_eq!(all.len(), KEPT);
        assert_eq!(all[0].number, 11);
        let newest = journal.after(KEPT as u64 + 9);
        assert_eq!(newest.len(), 1);
        let json: serde_json::Value = serde_json::from_str(&newest[0].json).expect("JSON");
        assert_eq!(
            (json["seq"].as_u64(), json["op"].as_str()),
            (Some(4106), Some("reset"))
        );
        assert_eq!(*journal.last().borrow(), 4106);
        assert!(journal.after(u64::MAX).is_empty());
    }
}
