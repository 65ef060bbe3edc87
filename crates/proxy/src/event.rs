//! What an engine tells of as it happens: every operation applied to a proxy, and what became of
//! connections. Events are for observers; nothing in the engine waits for one to be read.

use crate::{Cut, Listening};
use std::net::SocketAddr;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Something that happened, at `at` since the engine was started, to the proxy of that name.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// Since the engine was started.
    pub at: Duration,
    /// The proxy's name.
    pub proxy: String,
    /// What happened.
    pub what: What,
}

/// What happened to a proxy.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum What {
    /// It was started, and listens there.
    Started {
        /// The bound address, or the given one while it is off.
        listen: String,
        /// Where it connects to.
        upstream: String,
    },
    /// It was stopped for good.
    Stopped,
    /// A fault was attached; every byte read from now on meets it.
    Attached {
        /// The fault's name.
        toxic: String,
    },
    /// A fault's settings were changed.
    Changed {
        /// The fault's name.
        toxic: String,
    },
    /// A fault was detached; what it held has left or leaves now.
    Detached {
        /// The fault's name.
        toxic: String,
    },
    /// All connections were ended at once.
    WasCut {
        /// In which way.
        how: Cut,
        /// How many.
        connections: usize,
    },
    /// The listener changed.
    Listener {
        /// What it does now.
        state: Listening,
    },
    /// It was switched on or off as a whole.
    Enabled {
        /// Whether it is on.
        on: bool,
    },
    /// It was pointed elsewhere; its connections were closed.
    Retargeted {
        /// The bound or configured address.
        listen: String,
        /// Where it connects to.
        upstream: String,
    },
    /// A client was accepted.
    Opened {
        /// The connection's number.
        connection: u64,
        /// The client.
        peer: SocketAddr,
    },
    /// A connection is over.
    Closed {
        /// The connection's number.
        connection: u64,
        /// Whether it ended by a reset.
        reset: bool,
    },
    /// An upstream refused, did not answer in time, or has no address; the client was reset.
    UpstreamFailed {
        /// The connection's number.
        connection: u64,
        /// Why, in words.
        reason: String,
    },
    /// A pipe was full and held its source back, for the first time on this connection.
    Bounded {
        /// The connection's number.
        connection: u64,
    },
    /// A client was reset at once, because the engine may have no more connections.
    TurnedAway {
        /// The client, if the system said so.
        peer: Option<SocketAddr>,
    },
}

/// A subscription; see [`Engine::events`](crate::Engine::events).
#[derive(Debug)]
pub struct Events {
    pub(crate) receiver: Receiver<Event>,
}

impl Events {
    /// The next event if there is one.
    pub fn try_next(&self) -> Option<Event> {
        self.receiver.try_recv().ok()
    }

    /// The next event, waiting so long for it; none if the time is up or the engine is gone.
    pub fn next_within(&self, wait: Duration) -> Option<Event> {
        self.receiver.recv_timeout(wait).ok()
    }
}
