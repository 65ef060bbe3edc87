//! An HTTP/1.1 proxy: faults on whole exchanges rather than on bytes.
//!
//! It stands before one upstream, as a reverse proxy does, and hands requests and answers on as
//! they are, bodies as they come, upgrades (such as WebSocket) included. Each connection of a
//! client has its own to the upstream. TLS is not spoken here, nor is HTTP/2.

mod exchange;
mod fault;
mod stream;

pub use fault::{Act, HttpFault, Match};

use crate::{Cut, Error, Proxy};
use assize_fault::FaultId;
use exchange::Context;
use fault::Attached;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch;

/// As many as anybody can keep apart.
const MOST_FAULTS: usize = 256;

/// An HTTP proxy to be; see [`Proxy::http`].
#[derive(Clone, Debug)]
pub struct HttpBuilder {
    name: Option<String>,
    listen: String,
    upstream: String,
    seed: u64,
    connect_timeout: Duration,
    max_connections: usize,
    faults: Vec<HttpFault>,
}

impl Proxy {
    /// An HTTP/1.1 proxy that listens on `host:port`; port 0 lets the system choose.
    ///
    /// ```
    /// use assize_proxy::{Act, HttpFault, Match, Proxy};
    /// use http::{Method, StatusCode};
    ///
    /// let proxy = Proxy::http("127.0.0.1:0").upstream("127.0.0.1:8080").start()?;
    /// let payments = Match {
    ///     method: Some(Method::POST),
    ///     path: Some("/payments/*".into()),
    ///     first: Some(3),
    ///     ..Match::default()
    /// };
    /// let busy = Act::Status(StatusCode::SERVICE_UNAVAILABLE, "busy\n".into());
    /// proxy.attach(HttpFault::new("busy", busy).on(payments))?;
    /// // Send requests to `proxy.addr()` instead; then:
    /// assert_eq!(proxy.detach("busy")?, 0, "requests that it met");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn http(listen: impl Into<String>) -> HttpBuilder {
        HttpBuilder {
            name: None,
            listen: listen.into(),
            upstream: String::new(),
            seed: 0,
            connect_timeout: Duration::from_secs(30),
            max_connections: 1_024,
            faults: Vec::new(),
        }
    }
}

impl HttpBuilder {
    /// What it is called as a key of random draws; its address unless given.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The server that it stands before: `host:port`. A name is resolved anew as it is used.
    #[must_use]
    pub fn upstream(mut self, upstream: impl Into<String>) -> Self {
        self.upstream = upstream.into();
        self
    }

    /// What random draws follow from; 0 unless given.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How long the upstream may take to accept before its client gets a 504; 30 s unless given.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How many clients may be connected at once, 1,024 unless given; more are closed as they
    /// come.
    #[must_use]
    pub fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most;
        self
    }

    /// A fault that is there before the first request can be.
    #[must_use]
    pub fn fault(mut self, fault: HttpFault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// An address that cannot be used, or two faults of one name.
    pub fn start(self) -> Result<HttpProxy, Error> {
        let listener = TcpListener::bind(&self.listen).map_err(|source| match source.kind() {
            std::io::ErrorKind::InvalidInput => Error::Address {
                address: self.listen.clone(),
                reason: source.to_string(),
            },
            _ => Error::Listen {
                address: self.listen.clone(),
                source,
            },
        })?;
        let addr = listener
            .local_addr()
            .map_err(Error::system("bind a socket"))?;
        listener
            .set_nonblocking(true)
            .map_err(Error::system("set up a socket"))?;
        let (ends, _) = watch::channel(None);
        let context = Arc::new(Context {
            upstream: self.upstream,
            seed: self.seed,
            connect_timeout: self.connect_timeout,
            faults: Mutex::new(Vec::new()),
            tally: Tally::default(),
            ends,
        });
        let mut proxy = HttpProxy {
            name: self.name.unwrap_or_else(|| addr.to_string()),
            addr,
            context: context.clone(),
            stop: None,
        };
        for fault in self.faults {
            proxy.attach(fault)?;
        }
        let (stop, stopped) = watch::channel(());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Error::system("start a runtime"))?;
        let most = self.max_connections;
        let thread = std::thread::Builder::new()
            .name(format!("http {addr}"))
            .spawn(move || runtime.block_on(exchange::listen(listener, context, most, stopped)))
            .map_err(Error::system("start a thread"))?;
        proxy.stop = Some((stop, thread));
        Ok(proxy)
    }
}

/// What an HTTP proxy has done since it was started.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct HttpCounters {
    /// Clients accepted.
    pub accepted: u64,
    /// Clients connected now.
    pub open: u64,
    /// Requests that came.
    pub requests: u64,
    /// Requests that at least one fault met.
    pub faulted: u64,
    /// Requests that the upstream did not take: it refused, or did not accept in time.
    pub upstream_failed: u64,
    /// Clients closed at once because there may be no more.
    pub turned_away: u64,
}

/// The counters as they are kept.
#[derive(Default, Debug)]
struct Tally {
    accepted: AtomicU64,
    open: AtomicU64,
    requests: AtomicU64,
    faulted: AtomicU64,
    upstream_failed: AtomicU64,
    turned_away: AtomicU64,
}

/// A running HTTP proxy. It ends when it is dropped, and its connections with it.
#[derive(Debug)]
pub struct HttpProxy {
    name: String,
    addr: SocketAddr,
    context: Arc<Context>,
    stop: Option<(watch::Sender<()>, JoinHandle<()>)>,
}

impl HttpProxy {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Attaches a fault behind those that there are. It meets every request that comes from now
    /// on.
    ///
    /// # Errors
    /// [`Error::ToxicExists`], [`Error::TooManyToxics`].
    pub fn attach(&self, fault: HttpFault) -> Result<(), Error> {
        let mut list = self.list();
        if list.iter().any(|known| known.fault.name == fault.name) {
            return Err(Error::ToxicExists(fault.name));
        }
        if list.len() >= MOST_FAULTS {
            return Err(Error::TooManyToxics(MOST_FAULTS));
        }
        let id = FaultId::named(&self.name, &fault.name);
        list.push(Attached { fault, id, hits: 0 });
        Ok(())
    }

    /// Replaces a fault by another of the same name, in its place. Its count begins anew.
    ///
    /// # Errors
    /// [`Error::NoSuchToxic`].
    pub fn change(&self, fault: HttpFault) -> Result<(), Error> {
        let mut list = self.list();
        let known = list.iter_mut().find(|known| known.fault.name == fault.name);
        let Some(known) = known else {
            return Err(Error::NoSuchToxic(fault.name));
        };
        known.fault = fault;
        known.hits = 0;
        Ok(())
    }

    /// Detaches a fault, and says how many requests it has met. Requests that it delays already
    /// go on when their time is up.
    ///
    /// # Errors
    /// [`Error::NoSuchToxic`].
    pub fn detach(&self, name: &str) -> Result<u64, Error> {
        let mut list = self.list();
        let place = list.iter().position(|known| known.fault.name == name);
        let place = place.ok_or_else(|| Error::NoSuchToxic(name.to_owned()))?;
        Ok(list.remove(place).hits)
    }

    /// Its faults in order, each with the number of requests that it has met.
    #[must_use]
    pub fn faults(&self) -> Vec<(HttpFault, u64)> {
        let list = self.list();
        let pairs = list.iter().map(|known| (known.fault.clone(), known.hits));
        pairs.collect()
    }

    /// Ends all connections that are open now; it does not wait for them.
    pub fn cut(&self, how: Cut) {
        self.context.ends.send_replace(Some(how));
    }

    /// What it has done since it was started.
    #[must_use]
    pub fn counters(&self) -> HttpCounters {
        let tally = &self.context.tally;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        HttpCounters {
            accepted: read(&tally.accepted),
            open: read(&tally.open),
            requests: read(&tally.requests),
            faulted: read(&tally.faulted),
            upstream_failed: read(&tally.upstream_failed),
            turned_away: read(&tally.turned_away),
        }
    }

    /// Stops it and waits until its port is free. Dropping does the same.
    pub fn stop(self) {}

    fn list(&self) -> MutexGuard<'_, Vec<Attached>> {
        let faults = &self.context.faults;
        faults.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for HttpProxy {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.stop.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests;
