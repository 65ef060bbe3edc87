//! As much of epoll as loads need: who is readable.

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

/// An epoll instance.
pub(super) struct Poll(OwnedFd);

impl Poll {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(CreateFlags::CLOEXEC)?))
    }

    /// Reports while it is readable, or over.
    pub(super) fn add(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::RDHUP;
        Ok(epoll::add(&self.0, fd, EventData::new_u64(token), flags)?)
    }

    /// Reports once.
    pub(super) fn add_once(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::RDHUP | EventFlags::ONESHOT;
        Ok(epoll::add(&self.0, fd, EventData::new_u64(token), flags)?)
    }

    /// Who is readable, waiting for at most so many nanoseconds.
    pub(super) fn wait(&self, most: Option<u64>) -> Vec<u64> {
        let most = most.map(|most| Timespec {
            tv_sec: (most / 1_000_000_000).cast_signed(),
            tv_nsec: (most % 1_000_000_000).cast_signed(),
        });
        let mut room = [const { MaybeUninit::<Event>::uninit() }; 256];
        let waited = epoll::wait(&self.0, &mut room, most.as_ref());
        waited.map_or_else(
            |_| Vec::new(),
            |(events, _)| events.iter().map(|event| event.data.u64()).collect(),
        )
    }
}
