//! What a proxy tells of its connections and of the bytes that it moved. Values only; they are
//! taken while the proxy runs and do not follow it.

use std::net::SocketAddr;
use std::time::Duration;

/// Bytes of one direction. Spliced bytes are counted as they move, like all others.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Traffic {
    /// Bytes read from the source.
    pub received: u64,
    /// Bytes written to the destination.
    pub sent: u64,
    /// Bytes of `sent` that never passed through user space.
    pub spliced: u64,
}

/// What a proxy has done since it was started.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counters {
    /// From clients to the upstream.
    pub upstream: Traffic,
    /// From the upstream to clients.
    pub downstream: Traffic,
    /// Connections accepted.
    pub accepted: u64,
    /// Connections open now, those whose upstream is still being connected to included.
    pub open: u64,
    /// Connections whose upstream refused or did not answer in time.
    pub upstream_failed: u64,
    /// Connections reset at once because the engine may have no more.
    pub turned_away: u64,
    /// Times at which the bound of a pipe held a source back.
    pub bounded: u64,
}

/// One live connection.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConnectionInfo {
    /// Its number among those of its proxy, from 1, in the order of acceptance.
    pub id: u64,
    /// The client's address.
    pub peer: SocketAddr,
    /// How long it has been open.
    pub age: Duration,
    /// Whether the upstream is connected.
    pub connected: bool,
    /// Bytes written to the upstream.
    pub upstream_bytes: u64,
    /// Bytes written to the client.
    pub downstream_bytes: u64,
    /// Names of the faults that touched it, in the order in which they first did, those
    /// detached since included.
    pub touched_by: Vec<String>,
}
