//! Other systems, through `mio`: kqueue and its like. Timeouts are as fine as `mio` makes them,
//! whole milliseconds on some systems.

use super::{Ready, WAKE};
use assize_fault::Nanos;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// How many events one wait takes.
const EVENTS: usize = 256;

/// A `mio` poll.
#[derive(Debug)]
pub(crate) struct Portable {
    poll: Poll,
    events: Events,
}

/// A `mio` waker.
#[derive(Debug)]
pub(crate) struct Waker(mio::Waker);

impl Portable {
    pub(super) fn new() -> io::Result<(Self, Waker)> {
        let poll = Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), Token(WAKE as usize))?;
        let events = Events::with_capacity(EVENTS);
        Ok((Self { poll, events }, Waker(waker)))
    }

    pub(super) fn add(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        let token = Token(token as usize);
        self.poll
            .registry()
            .register(&mut SourceFd(&fd.as_raw_fd()), token, interest)
    }

    pub(super) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        self.poll
            .registry()
            .deregister(&mut SourceFd(&fd.as_raw_fd()))
    }

    pub(super) fn wait(
        &mut self,
        ready: &mut Vec<Ready>,
        timeout: Option<Nanos>,
    ) -> io::Result<()> {
        let timeout = timeout.map(|t| Duration::from_nanos(t.0.max(0).unsigned_abs()));
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        for event in &self.events {
            let token = event.token().0 as u64;
            if token == WAKE {
                continue;
            }
            ready.push(Ready {
                token,
                readable: event.is_readable(),
                writable: event.is_writable(),
                hung_up: event.is_read_closed(),
                failed: event.is_error(),
            });
        }
        Ok(())
    }
}

impl Waker {
    pub(super) fn wake(&self) {
        // A wake that fails finds the poller gone or about to look anyway.
        let _ = self.0.wake();
    }
}
