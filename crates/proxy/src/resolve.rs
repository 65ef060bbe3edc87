//! Where an upstream is. An address is there at once; a name is looked up by a thread of its own,
//! so that a name server that does not answer delays the clients of that name and nobody else.

use crate::Error;
use crate::clock;
use crate::inbox::{Inbox, Message, lock};
use assize_fault::Nanos;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// How long an answer is good for. The original asks anew for each client; a second is near
/// enough to that to follow a failover by name, and spares the name server.
const FRESH: Nanos = Nanos::secs(1);

/// Lookups at once; more fail with words.
const MOST_LOOKUPS: usize = 64;

/// Lookups that are on, over all upstreams.
static LOOKUPS: AtomicUsize = AtomicUsize::new(0);

type Found = Result<Arc<[SocketAddr]>, String>;

/// Where a proxy connects to.
#[derive(Debug)]
pub(crate) struct Upstream {
    /// As given.
    pub(crate) text: String,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Address(Arc<[SocketAddr]>),
    Name(Mutex<Lookup>),
}

#[derive(Default, Debug)]
struct Lookup {
    last: Option<(Nanos, Found)>,
    /// Who waits for the lookup that is on; none is on if this is none.
    waiting: Option<Vec<(Arc<Inbox>, u64)>>,
}

impl Upstream {
    /// Reads `host:port`; looks nothing up.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let wrong = |reason: &str| Error::Address {
            address: text.to_owned(),
            reason: reason.to_owned(),
        };
        let place = if let Ok(address) = text.parse::<SocketAddr>() {
            Place::Address(Arc::new([address]))
        } else {
            let (host, port) = text
                .rsplit_once(':')
                .ok_or_else(|| wrong("write `host:port`"))?;
            port.parse::<u16>()
                .map_err(|_| wrong("the port is no number up to 65535"))?;
            if host.is_empty() {
                // As the original has it: a port alone is one of this machine.
                let port: u16 = port.parse().map_err(|_| wrong("write `host:port`"))?;
                Place::Address(Arc::new([SocketAddr::from(([127, 0, 0, 1], port))]))
            } else {
                Place::Name(Mutex::default())
            }
        };
        let text = text.to_owned();
        Ok(Self { text, place })
    }

    /// The addresses if they are known, or what is wrong with them; none if `inbox` will be told.
    pub(crate) fn resolve(self: &Arc<Self>, inbox: &Arc<Inbox>, token: u64) -> Option<Found> {
        let lookup = match &self.place {
            Place::Address(addresses) => return Some(Ok(Arc::clone(addresses))),
            Place::Name(lookup) => lookup,
        };
        let mut state = lock(lookup);
        if let Some((at, found)) = &state.last
            && clock::now() - *at < FRESH
        {
            return Some(found.clone());
        }
        if let Some(waiting) = &mut state.waiting {
            waiting.push((Arc::clone(inbox), token));
            return None;
        }
        if LOOKUPS.fetch_add(1, Ordering::Relaxed) >= MOST_LOOKUPS {
            LOOKUPS.fetch_sub(1, Ordering::Relaxed);
            return Some(Err("too many names are being looked up".to_owned()));
        }
        state.waiting = Some(vec![(Arc::clone(inbox), token)]);
        drop(state);
        let this = Arc::clone(self);
        let thread = std::thread::Builder::new().name("assize-names".to_owned());
        if thread.spawn(move || this.look_up()).is_err() {
            self.found(Err("no thread to look the name up".to_owned()));
        }
        None
    }

    fn look_up(&self) {
        self.found(match self.text.to_socket_addrs() {
            Ok(addresses) => {
                let addresses: Arc<[SocketAddr]> = addresses.collect();
                if addresses.is_empty() {
                    Err("the name has no address".to_owned())
                } else {
                    Ok(addresses)
                }
            }
            Err(error) => Err(error.to_string()),
        });
    }

    fn found(&self, found: Found) {
        LOOKUPS.fetch_sub(1, Ordering::Relaxed);
        let Place::Name(lookup) = &self.place else {
            return;
        };
        let mut state = lock(lookup);
        state.last = Some((clock::now(), found.clone()));
        let waiting = state.waiting.take();
        drop(state);
        for (inbox, token) in waiting.into_iter().flatten() {
            inbox.send(Message::Resolved(token, found.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upstreams_are_hosts_with_ports() {
        for good in [
            "127.0.0.1:80",
            "[::1]:80",
            "db:5432",
            "db.example.test:5432",
            ":80",
        ] {
            assert!(Upstream::parse(good).is_ok(), "{good}");
        }
        for wrong in ["", "db", "db:", "db:x", "db:70000", "127.0.0.1"] {
            assert!(Upstream::parse(wrong).is_err(), "{wrong}");
        }
    }
}
