//! A proxy as its user sees it.
//!
//! Every call returns when all workers have carried it out, so that after `attach` no byte passes
//! that the fault does not meet. No call waits for a connection, a client or an upstream.

use crate::{Change, ConnectionInfo, Counters, Engine, Error, Toxic};
use assize_fault::Size;
use std::net::SocketAddr;
use std::time::Duration;

/// How a connection is ended from outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// In order: both peers read the end of the stream.
    Close,
    /// By a reset: both peers get `ECONNRESET`.
    Reset,
}

/// What a listener does with new clients. Open connections are not concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listening {
    /// It accepts.
    Open,
    /// It is closed: `ECONNREFUSED` at once. The port stays taken.
    Refuse,
    /// The kernel drops connection requests, so that the client's own timeout fires. Linux only.
    Blackhole,
}

/// What a proxy is made of; see [`Proxy::tcp`].
#[derive(Clone, Debug)]
pub struct Builder {
    name: Option<String>,
    listen: String,
    upstream: String,
    engine: Option<Engine>,
    connect_timeout: Duration,
    bound: Size,
    toxics: Vec<Toxic>,
    enabled: bool,
}

impl Builder {
    /// What it is called in events and as a key of random draws; its address unless given.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Where it connects to for each client: `host:port`. A name is resolved anew as it is used.
    #[must_use]
    pub fn upstream(mut self, upstream: impl Into<String>) -> Self {
        self.upstream = upstream.into();
        self
    }

    /// The engine to run on; a small one of its own unless given.
    #[must_use]
    pub fn on(mut self, engine: &Engine) -> Self {
        self.engine = Some(engine.clone());
        self
    }

    /// How long an upstream may take to answer before its client is reset; 30 s unless given.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How many bytes one direction of one connection may hold back under its faults; 256 MiB
    /// unless given, enough for 1 GB/s at 250 ms. At the bound the source waits.
    #[must_use]
    pub fn bound(mut self, bound: Size) -> Self {
        self.bound = bound;
        self
    }

    /// A fault that is there before the first client can be.
    #[must_use]
    pub fn toxic(mut self, toxic: Toxic) -> Self {
        self.toxics.push(toxic);
        self
    }

    /// Whether it listens at once (so unless given), or only after [`Proxy::enable`].
    #[must_use]
    pub fn enabled(mut self, on: bool) -> Self {
        self.enabled = on;
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// An address that cannot be used, two faults of one name, or too many proxies.
    pub fn start(self) -> Result<Proxy, Error> {
        Err(Error::Stopped)
    }
}

/// A running proxy. It ends when it is dropped: its listener and all its connections are closed.
#[derive(Debug)]
pub struct Proxy {
    engine: Engine,
}

impl Proxy {
    /// A TCP proxy that listens on `host:port`; port 0 lets the system choose, `:port` listens on
    /// all addresses of the machine.
    #[must_use]
    pub fn tcp(listen: impl Into<String>) -> Builder {
        Builder {
            name: None,
            listen: listen.into(),
            upstream: String::new(),
            engine: None,
            connect_timeout: Duration::from_secs(30),
            bound: Size(256 << 20),
            toxics: Vec::new(),
            enabled: true,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        ""
    }

    /// The engine that it runs on.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where it listens, or last did; port 0 if it never has.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from(([0, 0, 0, 0], 0))
    }

    /// Where it listens in words: the bound address once it has listened, else what was given.
    #[must_use]
    pub fn listen(&self) -> String {
        String::new()
    }

    /// Where it connects to, as given.
    #[must_use]
    pub fn upstream(&self) -> String {
        String::new()
    }

    /// Whether it is on; see [`Proxy::enable`].
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        false
    }

    /// What its listener does.
    #[must_use]
    pub fn listening(&self) -> Listening {
        Listening::Open
    }

    /// Its faults: those upstream in the order in which bytes meet them, then those downstream.
    #[must_use]
    pub fn toxics(&self) -> Vec<Toxic> {
        Vec::new()
    }

    /// Attaches a fault at the end of its direction, to live and to new connections.
    ///
    /// # Errors
    /// [`Error::ToxicExists`], [`Error::TooManyToxics`].
    pub fn attach(&self, toxic: Toxic) -> Result<(), Error> {
        let _ = toxic;
        Err(Error::Stopped)
    }

    /// Changes a fault in its place; what it holds is held by the new settings.
    ///
    /// # Errors
    /// [`Error::NoSuchToxic`].
    pub fn change(&self, name: &str, change: Change) -> Result<(), Error> {
        let _ = change;
        Err(Error::NoSuchToxic(name.to_owned()))
    }

    /// Detaches a fault; what it holds leaves at once and in order.
    ///
    /// # Errors
    /// [`Error::NoSuchToxic`].
    pub fn detach(&self, name: &str) -> Result<(), Error> {
        Err(Error::NoSuchToxic(name.to_owned()))
    }

    /// Ends all connections that are open now, and says how many there were.
    ///
    /// # Errors
    /// [`Error::Stuck`].
    pub fn cut(&self, how: Cut) -> Result<usize, Error> {
        let _ = how;
        Err(Error::Stopped)
    }

    /// What the listener is to do with new clients.
    ///
    /// # Errors
    /// [`Error::Listen`] if the port was taken meanwhile, [`Error::Blackhole`].
    pub fn listener(&self, listening: Listening) -> Result<(), Error> {
        let _ = listening;
        Err(Error::Stopped)
    }

    /// Switches it on or off as a whole. Off: the listener and all connections are closed, faults
    /// are kept. On again: it listens where it did.
    ///
    /// # Errors
    /// [`Error::Listen`] if the port was taken meanwhile.
    pub fn enable(&self, on: bool) -> Result<(), Error> {
        let _ = on;
        Err(Error::Stopped)
    }

    /// Points it elsewhere: closes its connections, keeps its faults. None keeps what there is.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Listen`]; then it is off.
    pub fn retarget(&self, listen: Option<&str>, upstream: Option<&str>) -> Result<(), Error> {
        let _ = (listen, upstream);
        Err(Error::Stopped)
    }

    /// Its live connections, by number.
    ///
    /// # Errors
    /// [`Error::Stuck`].
    pub fn connections(&self) -> Result<Vec<ConnectionInfo>, Error> {
        Ok(Vec::new())
    }

    /// What it has done since it was started.
    #[must_use]
    pub fn counters(&self) -> Counters {
        Counters::default()
    }

    /// Stops it and waits until its port is free and its connections are closed. Dropping does
    /// the same and keeps errors to itself.
    ///
    /// # Errors
    /// [`Error::Stuck`].
    pub fn stop(self) -> Result<(), Error> {
        Ok(())
    }
}
