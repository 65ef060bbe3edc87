//! Linux: epoll, with timeouts in nanoseconds (`epoll_pwait2`, Linux 5.11).

use super::{Ready, WAKE};
use assize_fault::Nanos;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};

/// How many events one wait takes.
const EVENTS: usize = 256;

/// An epoll instance.
#[derive(Debug)]
pub(crate) struct Epoll {
    epoll: OwnedFd,
}

/// An event counter that the epoll instance watches.
#[derive(Debug)]
pub(crate) struct Waker(OwnedFd);

impl Epoll {
    pub(super) fn new() -> io::Result<(Self, Waker)> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        // Edge-triggered: the counter need not be read for the next write to be seen.
        let flags = EventFlags::IN | EventFlags::ET;
        epoll::add(&epoll, &wake, EventData::new_u64(WAKE), flags)?;
        let this = Self { epoll };
        Ok((this, Waker(wake)))
    }

    pub(super) fn add(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(
            &self.epoll,
            fd,
            EventData::new_u64(token),
            flags,
        )?)
    }

    pub(super) fn add_listener(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        // Level-triggered, so that a worker may leave clients to others; exclusive, so that one
        // client does not wake all workers.
        let flags = EventFlags::IN | EventFlags::EXCLUSIVE;
        Ok(epoll::add(
            &self.epoll,
            fd,
            EventData::new_u64(token),
            flags,
        )?)
    }

    pub(super) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    pub(super) fn wait(&self, ready: &mut Vec<Ready>, timeout: Option<Nanos>) -> io::Result<()> {
        let timeout = timeout.map(|t| Timespec {
            tv_sec: t.0.max(0) / 1_000_000_000,
            tv_nsec: t.0.max(0) % 1_000_000_000,
        });
        let mut room = [const { MaybeUninit::<Event>::uninit() }; EVENTS];
        let events = match epoll::wait(&self.epoll, &mut room, timeout.as_ref()) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        for event in events {
            let flags = event.flags;
            let token = event.data.u64();
            if token == WAKE {
                // It said all by ending the wait.
                continue;
            }
            ready.push(Ready {
                token,
                readable: flags.contains(EventFlags::IN),
                writable: flags.contains(EventFlags::OUT),
                hung_up: flags.intersects(EventFlags::RDHUP | EventFlags::HUP),
                failed: flags.contains(EventFlags::ERR),
            });
        }
        Ok(())
    }
}

impl Waker {
    pub(super) fn wake(&self) {
        // It fails only when 2^64 - 2 wakes are outstanding; then one more is not needed.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }
}
