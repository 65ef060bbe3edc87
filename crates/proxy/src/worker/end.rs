//! One socket of a connection, and what is known of its readiness.
//!
//! The poller reports changes only, so what it said stays true until the system says that a call
//! would block, or a read comes back with less than was asked for.

use crate::poll::Ready;
use std::os::fd::OwnedFd;

/// One socket.
#[derive(Debug)]
pub(super) struct End {
    pub(super) fd: OwnedFd,
    pub(super) readable: bool,
    pub(super) writable: bool,
    /// The peer has ended its stream or reset it, so that reading goes on to the very end.
    pub(super) hung_up: bool,
    /// The peer has reset the connection.
    pub(super) failed: bool,
}

impl End {
    /// A socket of which nothing is known; the poller reports what it is when it is added.
    pub(super) fn new(fd: OwnedFd) -> Self {
        Self {
            fd,
            readable: false,
            writable: false,
            hung_up: false,
            failed: false,
        }
    }

    /// Takes note of what the poller says.
    pub(super) fn note(&mut self, ready: &Ready) {
        self.readable |= ready.readable || ready.hung_up || ready.failed;
        self.writable |= ready.writable;
        self.hung_up |= ready.hung_up || ready.failed;
        self.failed |= ready.failed;
    }
}
