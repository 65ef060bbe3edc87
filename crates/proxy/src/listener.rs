//! The front door of a proxy: open, refusing, a black hole, or shut.
//!
//! What a client meets at each is the kernel's doing; here is how the kernel is brought to it.
//! Workers are told by the proxy, not from here.

use crate::inbox::lock;
use crate::{Error, Listening, socket};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Connections of our own that may be needed to fill an accept queue of length 0, at most.
const FILLERS: usize = 8;

/// So long a connection to ourselves may take before the queue counts as full.
const FILLING: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 30_000_000,
};

/// A listening socket that workers share.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) fd: OwnedFd,
    has_fillers: AtomicBool,
    fillers: Mutex<Vec<SocketAddr>>,
}

impl Listener {
    fn open(fd: OwnedFd) -> std::io::Result<Arc<Self>> {
        socket::open(&fd)?;
        Ok(Arc::new(Self {
            fd,
            has_fillers: AtomicBool::new(false),
            fillers: Mutex::default(),
        }))
    }

    /// Whether this accepted client is a filler of a black hole that has ended.
    pub(crate) fn is_filler(&self, peer: SocketAddr) -> bool {
        if !self.has_fillers.load(Ordering::Acquire) {
            return false;
        }
        let mut fillers = lock(&self.fillers);
        let peer = canonical(peer);
        let Some(place) = fillers.iter().position(|filler| *filler == peer) else {
            return false;
        };
        fillers.swap_remove(place);
        self.has_fillers
            .store(!fillers.is_empty(), Ordering::Release);
        true
    }
}

/// The state of the front door.
#[derive(Debug)]
pub(crate) enum Door {
    /// Nothing is bound.
    Shut,
    /// Workers accept.
    Open(Arc<Listener>),
    /// The port is taken and nobody listens.
    Refusing(OwnedFd),
    /// Somebody listens and the queue is full.
    Hole {
        listener: Arc<Listener>,
        fillers: Vec<OwnedFd>,
    },
}

impl Door {
    /// Binds, without letting anybody in.
    pub(crate) fn bind(address: SocketAddr) -> Result<(Self, SocketAddr), Error> {
        let failed = |source| Error::Listen {
            address: address.to_string(),
            source,
        };
        let fd = socket::bound(address).map_err(failed)?;
        let bound = socket::local(&fd).unwrap_or(address);
        Ok((Self::Refusing(fd), bound))
    }

    /// The listener that workers are to accept from.
    pub(crate) const fn listener(&self) -> Option<&Arc<Listener>> {
        match self {
            Self::Open(listener) => Some(listener),
            Self::Shut | Self::Refusing(_) | Self::Hole { .. } => None,
        }
    }

    /// Changes what clients of `address` meet. Workers must not be accepting. A door that is shut
    /// stays shut; one that cannot be changed refuses, or is shut if even that cannot be.
    pub(crate) fn turn(&mut self, to: Listening, address: SocketAddr) -> Result<(), Error> {
        let failed = |source| Error::Listen {
            address: address.to_string(),
            source,
        };
        let listener = match std::mem::replace(self, Self::Shut) {
            Self::Shut => return Ok(()),
            door if to == Listening::Refuse => {
                // Closed first: the kernel binds no second socket to a port that listens.
                drop(door);
                *self = Self::bind(address)?.0;
                return Ok(());
            }
            Self::Refusing(fd) => Listener::open(fd).map_err(failed)?,
            Self::Open(listener) => listener,
            Self::Hole { listener, fillers } => {
                let own = fillers.iter().filter_map(socket::local).map(canonical);
                lock(&listener.fillers).extend(own);
                listener.has_fillers.store(true, Ordering::Release);
                drop(fillers);
                socket::open(&listener.fd).map_err(failed)?;
                listener
            }
        };
        *self = if to == Listening::Open {
            Self::Open(listener)
        } else {
            match fill(&listener, address) {
                Ok(fillers) => Self::Hole { listener, fillers },
                Err(error) => {
                    drop(listener);
                    *self = Self::bind(address)?.0;
                    return Err(error);
                }
            }
        };
        Ok(())
    }
}

/// Fills the accept queue of a listener, so that the kernel drops further connection requests.
fn fill(listener: &Listener, address: SocketAddr) -> Result<Vec<OwnedFd>, Error> {
    let failed = |reason: String| Error::Blackhole {
        address: address.to_string(),
        reason,
    };
    if cfg!(not(target_os = "linux")) {
        return Err(failed("this system drops no requests for us".to_owned()));
    }
    // The kernel drops when more wait than this; whoever waits already counts.
    rustix::net::listen(&listener.fd, 0).map_err(|error| failed(error.to_string()))?;
    let own = reachable(address);
    let mut fillers = Vec::new();
    for _ in 0..FILLERS {
        let fd = socket::connecting(own).map_err(|error| failed(error.to_string()))?;
        let mut polled = [PollFd::new(&fd, PollFlags::OUT)];
        let came = poll(&mut polled, Some(&FILLING)).map_err(|error| failed(error.to_string()))?;
        if came == 0 {
            // This request was dropped, as those of clients will be.
            return Ok(fillers);
        }
        fillers.push(fd);
    }
    Err(failed("its queue takes more and more".to_owned()))
}

/// An address at which a listener on this one is reached from here.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}

/// A client of a listener for both families has an IPv4 address in IPv6 clothes.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::ErrorKind;
    use std::net::TcpStream;
    use std::time::Duration;

    #[test]
    fn each_state_of_the_door_is_what_a_client_meets() {
        let (mut door, at) = Door::bind("127.0.0.1:0".parse().expect("address")).expect("bind");
        let wait = Duration::from_millis(300);
        let try_it = || TcpStream::connect_timeout(&at, wait).map_err(|error| error.kind());
        for _ in 0..2 {
            door.turn(Listening::Blackhole, at).expect("a black hole");
            assert_eq!(try_it().expect_err("dropped"), ErrorKind::TimedOut);
            door.turn(Listening::Refuse, at).expect("a refusal");
            assert_eq!(try_it().expect_err("refused"), ErrorKind::ConnectionRefused);
            door.turn(Listening::Open, at).expect("open");
            assert!(try_it().is_ok());
            door.turn(Listening::Blackhole, at).expect("a black hole");
            assert_eq!(try_it().expect_err("dropped"), ErrorKind::TimedOut);
            door.turn(Listening::Open, at).expect("open");
            assert!(try_it().is_ok());
        }
    }
}
