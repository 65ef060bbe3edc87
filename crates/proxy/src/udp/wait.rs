//! Waiting for sockets and for a time, to the nanosecond where the system can.

use crate::Error;
use assize_fault::Nanos;
use rustix::event::{Timespec, epoll};
use std::os::fd::{AsFd, OwnedFd};

/// Sockets to wait for, each with a number.
#[derive(Debug)]
pub(super) struct Wait {
    epoll: OwnedFd,
}

impl Wait {
    pub(super) fn new() -> Result<Self, Error> {
        epoll::create(epoll::CreateFlags::CLOEXEC)
            .map(|epoll| Self { epoll })
            .map_err(Error::system("create a poller"))
    }

    /// Waits for this one too. It is forgotten when it is closed.
    pub(super) fn add(&self, socket: impl AsFd, number: u64) -> Result<(), Error> {
        let data = epoll::EventData::new_u64(number);
        epoll::add(&self.epoll, socket, data, epoll::EventFlags::IN)
            .map_err(Error::system("watch a socket"))
    }

    /// Waits until something can be read or `until` is over; says what can be read.
    pub(super) fn wait(&self, until: Nanos) -> Vec<u64> {
        let left = (until - crate::clock::now()).0.max(0);
        let time = Timespec {
            tv_sec: left / 1_000_000_000,
            tv_nsec: left % 1_000_000_000,
        };
        let mut ready: Vec<epoll::Event> = Vec::with_capacity(256);
        let space = rustix::buffer::spare_capacity(&mut ready);
        // An interruption is a wake like any other.
        let _ = epoll::wait(&self.epoll, space, Some(&time));
        ready.iter().map(|event| event.data.u64()).collect()
    }
}
