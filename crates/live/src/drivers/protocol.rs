//! What a driver speaks: the part of a replica that differs from one protocol to the next.

use crate::replica::{Answer, Call, Held, Later, Role, Trouble};
use assize_model::observation::Logged;
use std::fmt;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;

/// A protocol. What it does not do by itself a command of the binding may do.
pub(super) trait Protocol: Send + Sync + fmt::Debug {
    /// Finds the replica ready before anything is broken, at its own address.
    fn ready(&self, own: SocketAddr) -> Later<'_, Result<(), Trouble>> {
        self.check(own)
    }

    /// One end-to-end check.
    fn check(&self, via: SocketAddr) -> Later<'_, Result<(), Trouble>>;

    /// One request.
    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>>;

    /// What the replica takes itself for.
    fn role(&self, via: SocketAddr) -> Later<'_, Result<Role, Trouble>> {
        let _ = via;
        unsupported("it does not say whether it is primary")
    }

    /// Makes it take writes, at its own address.
    fn promote(&self, own: SocketAddr) -> Later<'_, Result<(), Trouble>> {
        let _ = own;
        unsupported("it cannot be promoted; give it a command `promote`")
    }

    /// Damages (or deletes) its ledger and nothing else, at its own address.
    fn damage(&self, own: SocketAddr, delete: bool) -> Later<'_, Result<(), Trouble>> {
        let _ = (own, delete);
        unsupported("its data cannot be damaged; give it a command `damage`")
    }

    /// Every ledger entry that it holds.
    fn held(&self, via: SocketAddr) -> Later<'_, Result<Vec<Held>, Trouble>> {
        let _ = via;
        unsupported("it keeps no ledger; give it a command `held`")
    }

    /// How many seconds ago the newest heartbeat in its data was written (see `heartbeat`), at its
    /// own address.
    fn heartbeat(&self, own: SocketAddr) -> Later<'_, Result<Option<f64>, Trouble>> {
        let _ = own;
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Positions of the replica's log, since last asked.
    fn log(&self) -> Vec<(u64, Logged)> {
        Vec::new()
    }
}

fn unsupported<T>(what: &'static str) -> Later<'static, Result<T, Trouble>>
where
    T: Send + 'static,
{
    Box::pin(std::future::ready(Err(Trouble::Unsupported(what.into()))))
}

/// What an error of the system means for a request.
pub(super) fn trouble_of(error: &Error) -> Trouble {
    let text = error.to_string();
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
            Trouble::Silent(text)
        }
        ErrorKind::AddrNotAvailable | ErrorKind::OutOfMemory => Trouble::Harness(text),
        // Out of descriptors, for this process or the machine.
        _ if matches!(error.raw_os_error(), Some(23 | 24)) => Trouble::Harness(text),
        _ => Trouble::Refused(text),
    }
}
