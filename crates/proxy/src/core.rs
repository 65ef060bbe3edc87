//! What the handle of a proxy and the workers share of it: its settings that rarely change, and
//! its counters. No connection and no listener is here.

use crate::engine::Shared;
use crate::inbox::lock;
use crate::resolve::Upstream;
use crate::{Counters, Direction, Traffic, What};
use assize_fault::{Nanos, Size};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

/// One proxy.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) name: String,
    /// Its place among the proxies of its engine while it lives.
    pub(crate) slot: usize,
    pub(crate) bound: Size,
    pub(crate) connect_timeout: Nanos,
    pub(crate) engine: Arc<Shared>,
    pub(crate) tally: Tally,
    upstream: Mutex<Arc<Upstream>>,
}

/// Counters that workers add to as things happen.
#[derive(Default, Debug)]
pub(crate) struct Tally {
    upstream: Bytes,
    downstream: Bytes,
    pub(crate) accepted: AtomicU64,
    pub(crate) closed: AtomicU64,
    pub(crate) upstream_failed: AtomicU64,
    pub(crate) turned_away: AtomicU64,
    pub(crate) bounded: AtomicU64,
}

/// Bytes of one direction.
#[derive(Default, Debug)]
pub(crate) struct Bytes {
    pub(crate) received: AtomicU64,
    pub(crate) sent: AtomicU64,
    pub(crate) spliced: AtomicU64,
}

impl Tally {
    pub(crate) fn of(&self, direction: Direction) -> &Bytes {
        match direction {
            Direction::Upstream => &self.upstream,
            Direction::Downstream => &self.downstream,
        }
    }

    /// All counters as they are now; `open` is never negative, though they are read one by one.
    pub(crate) fn read(&self) -> Counters {
        let traffic = |bytes: &Bytes| Traffic {
            received: bytes.received.load(Relaxed),
            sent: bytes.sent.load(Relaxed),
            spliced: bytes.spliced.load(Relaxed),
        };
        let closed = self.closed.load(Relaxed);
        let accepted = self.accepted.load(Relaxed);
        Counters {
            upstream: traffic(&self.upstream),
            downstream: traffic(&self.downstream),
            accepted,
            open: accepted.saturating_sub(closed),
            upstream_failed: self.upstream_failed.load(Relaxed),
            turned_away: self.turned_away.load(Relaxed),
            bounded: self.bounded.load(Relaxed),
        }
    }
}

impl Core {
    pub(crate) fn new(
        (name, slot): (String, usize),
        bound: Size,
        connect_timeout: Nanos,
        upstream: Upstream,
        engine: Arc<Shared>,
    ) -> Self {
        Self {
            name,
            slot,
            bound,
            connect_timeout,
            engine,
            tally: Tally::default(),
            upstream: Mutex::new(Arc::new(upstream)),
        }
    }

    /// Where it connects to now.
    pub(crate) fn upstream(&self) -> Arc<Upstream> {
        Arc::clone(&lock(&self.upstream))
    }

    /// Where it is to connect to from now on.
    pub(crate) fn set_upstream(&self, upstream: Upstream) {
        *lock(&self.upstream) = Arc::new(upstream);
    }

    /// Tells observers, if there are any.
    pub(crate) fn tell(&self, what: impl FnOnce() -> What) {
        self.engine.tell(&self.name, what);
    }
}
