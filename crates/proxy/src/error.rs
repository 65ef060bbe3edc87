//! What can go wrong when a proxy is made or changed. Nothing here is about one connection: those
//! end as TCP ends them, and are told by events.

use std::io;
use std::time::Duration;

/// Why a proxy could not be started or changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An address that is no `host:port`, or a host that has no address.
    #[error("`{address}` is no address: {reason}")]
    Address {
        /// As given.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The listener could not be opened.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address after resolution, such as `127.0.0.1:3310`.
        address: String,
        /// What the system says: [`io::ErrorKind::AddrInUse`] when the port is taken.
        source: io::Error,
    },
    /// The system refused something that the engine cannot do without.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried, in words.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// No fault of that name is attached to the proxy.
    #[error("no fault is called `{0}`")]
    NoSuchToxic(String),
    /// A fault of that name is attached already, in either direction.
    #[error("a fault is called `{0}` already")]
    ToxicExists(String),
    /// The engine has as many proxies as it may.
    #[error("the engine has {0} proxies, and may have no more; stop one, or raise `max_proxies`")]
    TooManyProxies(usize),
    /// The proxy has as many faults as it may.
    #[error("the proxy has {0} faults, and may have no more; detach one")]
    TooManyToxics(usize),
    /// The kernel could not be brought to drop connection requests on this listener.
    #[error("cannot make {address} a black hole: {reason}")]
    Blackhole {
        /// Where it listens.
        address: String,
        /// Why not.
        reason: String,
    },
    /// A worker did not answer in time; the operation may take effect later.
    #[error("a worker of the engine did not answer within {0:?}")]
    Stuck(Duration),
    /// The proxy or its engine was stopped.
    #[error("the proxy was stopped")]
    Stopped,
}

impl Error {
    /// For [`Error::System`], to be used with `map_err`.
    pub(crate) fn system<E: Into<io::Error>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self::System {
            what,
            source: source.into(),
        }
    }
}
