//! How a live run is to be, how it is stopped from outside, and how it ends or is refused.

use assize_fault::Nanos;
use assize_model::observation::Ending;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::Notify;

/// How a run is to be.
#[derive(Clone, Debug)]
pub struct Options {
    /// Model seconds per wall second; `None`: what the plan says, or the most that the machine
    /// permits, up to 20.
    pub pace: Option<u32>,
    /// Whether the file may start commands (`exec`, `process`).
    pub allow_exec: bool,
    /// Where proxies listen.
    pub host: IpAddr,
    /// Ends the run early from outside.
    pub stop: Stop,
    /// The user's own tests, which are the traffic beside that of the plan.
    pub wrap: Option<Wrap>,
    /// Where data of stand-ins, vaults and backups is kept; it must exist. The caller removes it.
    pub folder: PathBuf,
    /// The most attempts per wall second of all representatives together.
    pub probes_per_second: u32,
    /// Users and checks go to replicas themselves, without proxies: what to compare proxies with.
    /// A plan that breaks something, or whose ways are not perfect, is refused.
    pub direct: bool,
}

impl Options {
    /// On loopback, at the best pace, without commands; data of stand-ins below `folder`.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self {
            pace: None,
            allow_exec: false,
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            stop: Stop::default(),
            wrap: None,
            folder,
            probes_per_second: 800,
            direct: false,
        }
    }
}

/// A command that runs beside the plan, with the addresses of the proxies in its environment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrap {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Set beside the environment of this process and the addresses.
    pub env: Vec<(String, String)>,
}

/// Ends a run early: every fault is lifted, what there is is reported. Clones are handles of the
/// same switch.
#[derive(Clone, Default, Debug)]
pub struct Stop(Arc<Switch>);

#[derive(Default, Debug)]
struct Switch {
    on: AtomicBool,
    changed: Notify,
}

impl Stop {
    /// Asks the run to end. May be called more than once, and from any thread.
    pub fn request(&self) {
        self.0.on.store(true, Ordering::SeqCst);
        self.0.changed.notify_waiters();
    }

    /// Whether it was asked.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.on.load(Ordering::SeqCst)
    }

    /// Returns once it was asked.
    pub async fn requested(&self) {
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.is_requested() {
                return;
            }
            changed.await;
        }
    }
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
    /// When, in model time.
    pub at: Nanos,
    /// Why.
    pub why: Ending,
    /// Faults that could not be lifted, in words; empty if the world is as it was.
    pub left: Vec<String>,
}

/// A run that was not begun, and why. Nothing has been broken.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

impl Refused {
    /// With this sentence.
    pub fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stop_reaches_who_waits_and_who_comes_later() {
        let stop = Stop::default();
        let waiter = tokio::spawn({
            let stop = stop.clone();
            async move { stop.requested().await }
        });
        tokio::task::yield_now().await;
        assert!(!stop.is_requested());
        stop.request();
        assert!(waiter.await.is_ok());
        stop.requested().await;
    }
}
