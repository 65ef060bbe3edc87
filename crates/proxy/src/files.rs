//! How many files the process may have open, and how many of them are taken.
//!
//! A connection through a proxy takes two, a listener one, a kernel pipe two. The soft limit is
//! raised to the hard one; a process that may raise the hard one too does so if it must.

use crate::Limits;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::sync::atomic::{AtomicI64, Ordering};

/// Files that are left to the rest of the process: its own files, the API, pollers.
const RESERVE: u64 = 128;

/// Files per connection.
pub(crate) const CONNECTION: i64 = 2;

/// What is left of the files that connections and listeners may take.
#[derive(Debug)]
pub(crate) struct Budget(AtomicI64);

impl Budget {
    /// Takes so many, or none and says no.
    pub(crate) fn take(&self, files: i64) -> bool {
        let left = self.0.fetch_sub(files, Ordering::Relaxed);
        if left < files {
            self.0.fetch_add(files, Ordering::Relaxed);
        }
        left >= files
    }

    /// Gives back what was taken.
    pub(crate) fn give(&self, files: i64) {
        self.0.fetch_add(files, Ordering::Relaxed);
    }
}

/// Raises the limit so that `connections` and as many listeners as may be find room, as far as
/// the system lets it.
pub(crate) fn raise(connections: usize, proxies: usize) -> (Limits, Budget) {
    let wanted = (connections as u64)
        .saturating_mul(CONNECTION.unsigned_abs())
        .saturating_add(proxies as u64)
        .saturating_add(RESERVE);
    let limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    let mut files = limit.current.unwrap_or(u64::MAX);
    if files < wanted {
        // An administrator's process may raise the hard limit; others get what there is of it.
        for (current, maximum) in [(wanted, hard.max(wanted)), (wanted.min(hard), hard)] {
            let new = Rlimit {
                current: Some(current),
                maximum: limit.maximum.map(|_| maximum),
            };
            if setrlimit(Resource::Nofile, new).is_ok() {
                files = current;
                break;
            }
        }
    }
    let usable = files.saturating_sub(RESERVE);
    let room = usable / CONNECTION.unsigned_abs();
    let limits = Limits {
        files,
        connections: usize::try_from(room).unwrap_or(usize::MAX).min(connections),
        hard_limit_binds: files < wanted,
    };
    (
        limits,
        Budget(AtomicI64::new(i64::try_from(usable).unwrap_or(i64::MAX))),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_gives_all_that_it_has_and_no_more() {
        let budget = Budget(AtomicI64::new(5));
        assert!(budget.take(2) && budget.take(2));
        assert!(!budget.take(2), "one is left");
        assert!(budget.take(1), "a refusal takes nothing");
        budget.give(2);
        assert!(budget.take(2));
    }

    #[test]
    fn a_small_wish_is_met_and_says_so() {
        let (limits, _) = raise(1, 1);
        assert_eq!(limits.connections, 1);
        assert!(!limits.hard_limit_binds);
    }
}
