//! Which descriptors are ready, and when to wake: the only part that differs between systems.
//!
//! Sockets are reported when they *become* ready (edge-triggered), so a worker goes on until the
//! system says that it would block, or remembers that it has not. Listeners of several workers
//! may be reported to one or to all of them. Nothing here knows what a connection is.

use assize_fault::Nanos;
use std::io;
use std::os::fd::BorrowedFd;

#[cfg(target_os = "linux")]
mod epoll;
mod portable;

/// What became of a registered descriptor. `token` is what it was registered with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Ready {
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The peer has ended its stream: reading on gives the end.
    pub(crate) hung_up: bool,
    /// The peer has reset the connection, or it could not be made: reading gives the error.
    pub(crate) failed: bool,
}

/// The token of a wake by [`Waker::wake`]; it is never reported.
const WAKE: u64 = u64::MAX;

/// Waits for descriptors and for time.
#[derive(Debug)]
pub(crate) enum Poller {
    #[cfg(target_os = "linux")]
    Epoll(epoll::Epoll),
    Portable(portable::Portable),
}

/// Ends the wait of a poller from another thread.
#[derive(Debug)]
pub(crate) enum Waker {
    #[cfg(target_os = "linux")]
    Epoll(epoll::Waker),
    Portable(portable::Waker),
}

impl Poller {
    /// The system's own, unless the portable one is asked for.
    pub(crate) fn new(portable: bool) -> io::Result<(Self, Waker)> {
        #[cfg(target_os = "linux")]
        if !portable {
            let (poller, waker) = epoll::Epoll::new()?;
            return Ok((Self::Epoll(poller), Waker::Epoll(waker)));
        }
        let _ = portable;
        let (poller, waker) = portable::Portable::new()?;
        Ok((Self::Portable(poller), Waker::Portable(waker)))
    }

    /// Reports whenever the socket becomes readable or writable, or its peer hangs up.
    pub(crate) fn add(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Epoll(poller) => poller.add(fd, token),
            Self::Portable(poller) => poller.add(fd, token),
        }
    }

    /// Reports when a listener that other workers poll too has somebody waiting.
    pub(crate) fn add_listener(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Epoll(poller) => poller.add_listener(fd, token),
            Self::Portable(poller) => poller.add(fd, token),
        }
    }

    /// Reports it no more. Closing the last duplicate of a descriptor does the same.
    pub(crate) fn remove(&self, fd: BorrowedFd<'_>) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Epoll(poller) => poller.remove(fd),
            Self::Portable(poller) => poller.remove(fd),
        }
    }

    /// Waits until something is ready, the time is up or a waker wakes it, and adds what is ready.
    pub(crate) fn wait(
        &mut self,
        ready: &mut Vec<Ready>,
        timeout: Option<Nanos>,
    ) -> io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Epoll(poller) => poller.wait(ready, timeout),
            Self::Portable(poller) => poller.wait(ready, timeout),
        }
    }
}

impl Waker {
    /// Ends the wait that is on, or the next one.
    pub(crate) fn wake(&self) {
        match self {
            #[cfg(target_os = "linux")]
            Self::Epoll(waker) => waker.wake(),
            Self::Portable(waker) => waker.wake(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::AsFd;

    const SOON: Option<Nanos> = Some(Nanos::secs(5));

    /// Waits until `token` is reported in a way that satisfies `wanted`.
    fn until(poller: &mut Poller, wanted: impl Fn(&Ready) -> bool) {
        for _ in 0..20 {
            let mut ready = Vec::new();
            poller.wait(&mut ready, SOON).expect("wait");
            if ready.iter().any(&wanted) {
                return;
            }
        }
        panic!("was not reported");
    }

    #[test]
    fn both_pollers_report_listeners_data_and_hang_ups_and_wake() {
        for portable in [false, true] {
            let (mut poller, waker) = Poller::new(portable).expect("poller");
            let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
            poller.add_listener(listener.as_fd(), 7).expect("add");
            let mut client =
                TcpStream::connect(listener.local_addr().expect("addr")).expect("connect");
            until(&mut poller, |r| r.token == 7 && r.readable);
            let (server, _) = listener.accept().expect("accept");
            poller.remove(listener.as_fd()).expect("remove");

            server.set_nonblocking(true).expect("nonblocking");
            poller.add(server.as_fd(), 8).expect("add");
            until(&mut poller, |r| r.token == 8 && r.writable);
            client.write_all(b"x").expect("write");
            until(&mut poller, |r| r.token == 8 && r.readable);
            drop(client);
            until(&mut poller, |r| r.token == 8 && r.hung_up);

            let mut ready = Vec::new();
            waker.wake();
            let begun = crate::clock::now();
            poller.wait(&mut ready, SOON).expect("wait");
            assert!(crate::clock::now() - begun < Nanos::secs(4), "it was woken");
            poller
                .wait(&mut ready, Some(Nanos::millis(2)))
                .expect("wait");
            assert!(ready.is_empty(), "{ready:?}");
        }
    }
}
