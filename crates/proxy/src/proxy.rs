//! A proxy as its user sees it.
//!
//! Every call returns when all workers have carried it out, so that after `attach` no byte passes
//! that the fault does not meet. No call waits for a connection, a client or an upstream.

use crate::chain::Chain;
use crate::core::Core;
use crate::inbox::{Operation, lock};
use crate::listener::Door;
use crate::resolve::Upstream;
use crate::{Change, ConnectionInfo, Counters, Engine, EngineOptions, Error, Toxic, What, socket};
use assize_fault::{Nanos, Size};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
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
        let engine = match self.engine {
            Some(engine) => engine,
            None => Engine::new(EngineOptions {
                workers: 1,
                ..EngineOptions::default()
            })?,
        };
        let upstream = Upstream::parse(&self.upstream)?;
        let name = self.name.unwrap_or_else(|| self.listen.clone());
        let mut chain = Chain::default();
        for toxic in self.toxics {
            chain.attach(&name, toxic)?;
        }
        let shared = engine.shared();
        let slot = shared.take_slot()?;
        let timeout = i64::try_from(self.connect_timeout.as_nanos()).unwrap_or(i64::MAX);
        let core = Arc::new(Core::new(
            (name, slot),
            self.bound,
            Nanos(timeout),
            upstream,
            Arc::clone(shared),
        ));
        let chain = Arc::new(chain);
        let proxy = Proxy {
            core,
            control: Mutex::new(Control {
                chain: Arc::clone(&chain),
                door: Door::Shut,
                listening: Listening::Open,
                listen: self.listen,
                address: SocketAddr::from(([0, 0, 0, 0], 0)),
                enabled: false,
                stopped: false,
            }),
            engine,
        };
        // From here on dropping the proxy gives everything back.
        proxy.order(&Operation::Add(chain))?;
        let mut control = lock(&proxy.control);
        if self.enabled {
            proxy.open(&mut control)?;
        } else {
            socket::listen_address(&control.listen)?;
        }
        proxy.core.tell(|| What::Started {
            listen: control.listen.clone(),
            upstream: self.upstream,
        });
        drop(control);
        Ok(proxy)
    }
}

/// A running proxy. It ends when it is dropped: its listener and all its connections are closed.
#[derive(Debug)]
pub struct Proxy {
    core: Arc<Core>,
    control: Mutex<Control>,
    engine: Engine,
}

/// What only the handle changes. Workers never take its lock, so calls may wait for them with it.
#[derive(Debug)]
struct Control {
    chain: Arc<Chain>,
    door: Door,
    listening: Listening,
    listen: String,
    address: SocketAddr,
    enabled: bool,
    stopped: bool,
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
        &self.core.name
    }

    /// The engine that it runs on.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Where it listens, or last did; `0.0.0.0:0` if it never has.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        lock(&self.control).address
    }

    /// Where it listens in words: the bound address once it has listened, else what was given.
    #[must_use]
    pub fn listen(&self) -> String {
        lock(&self.control).listen.clone()
    }

    /// Where it connects to, as given.
    #[must_use]
    pub fn upstream(&self) -> String {
        self.core.upstream().text.clone()
    }

    /// Whether it is on; see [`Proxy::enable`].
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        lock(&self.control).enabled
    }

    /// What its listener does while it is on.
    #[must_use]
    pub fn listening(&self) -> Listening {
        lock(&self.control).listening
    }

    /// Its faults: those upstream in the order in which bytes meet them, then those downstream.
    #[must_use]
    pub fn toxics(&self) -> Vec<Toxic> {
        let chain = Arc::clone(&lock(&self.control).chain);
        chain.all().map(|entry| entry.toxic.clone()).collect()
    }

    /// Attaches a fault at the end of its direction, to live and to new connections.
    ///
    /// # Errors
    /// [`Error::ToxicExists`], [`Error::TooManyToxics`].
    pub fn attach(&self, toxic: Toxic) -> Result<(), Error> {
        let name = toxic.name.clone();
        self.rechain(|chain| chain.attach(&self.core.name, toxic))?;
        self.core.tell(|| What::Attached { toxic: name });
        Ok(())
    }

    /// Changes a fault in its place; what it holds is held by the new settings.
    ///
    /// # Errors
    /// [`Error::NoSuchToxic`].
    pub fn change(&self, name: &str, change: Change) -> Result<(), Error> {
        self.rechain(|chain| chain.change(name, change))?;
        let toxic = name.to_owned();
        self.core.tell(|| What::Changed { toxic });
        Ok(())
    }

    /// Detaches a fault; what it holds leaves at once and in order.
    ///
    /// # Errors
    /// [`Error::NoSuchToxic`].
    pub fn detach(&self, name: &str) -> Result<(), Error> {
        self.rechain(|chain| chain.detach(name))?;
        let toxic = name.to_owned();
        self.core.tell(|| What::Detached { toxic });
        Ok(())
    }

    /// Detaches, changes and attaches faults, in this order and at once: no byte meets only some
    /// of it.
    ///
    /// # Errors
    /// As for each by itself; nothing has changed then.
    pub fn rework(
        &self,
        gone: &[String],
        changed: &[(String, Change)],
        new: &[Toxic],
    ) -> Result<(), Error> {
        self.rechain(|chain| {
            gone.iter().try_for_each(|name| chain.detach(name))?;
            for (name, change) in changed {
                chain.change(name, change.clone())?;
            }
            let mut new = new.iter();
            new.try_for_each(|toxic| chain.attach(&self.core.name, toxic.clone()))
        })?;
        for toxic in gone {
            self.core.tell(|| What::Detached {
                toxic: toxic.clone(),
            });
        }
        for (toxic, _) in changed {
            self.core.tell(|| What::Changed {
                toxic: toxic.clone(),
            });
        }
        for toxic in new {
            self.core.tell(|| What::Attached {
                toxic: toxic.name.clone(),
            });
        }
        Ok(())
    }

    /// Detaches all faults at once, and says how many there were.
    ///
    /// # Errors
    /// [`Error::Stuck`].
    pub fn detach_all(&self) -> Result<usize, Error> {
        let gone = self.rechain(|chain| Ok(std::mem::take(chain)))?;
        for entry in gone.all() {
            let toxic = entry.toxic.name.clone();
            self.core.tell(|| What::Detached { toxic });
        }
        Ok(gone.len())
    }

    /// Ends all connections that are open now, and says how many there were.
    ///
    /// # Errors
    /// [`Error::Stuck`].
    pub fn cut(&self, how: Cut) -> Result<usize, Error> {
        let connections = self.order(&Operation::Cut(how))?.cut;
        self.core.tell(|| What::WasCut { how, connections });
        Ok(connections)
    }

    /// What the listener is to do with new clients. A proxy that is off takes note of it.
    ///
    /// # Errors
    /// [`Error::Listen`] if the port was taken meanwhile, [`Error::Blackhole`].
    pub fn listener(&self, listening: Listening) -> Result<(), Error> {
        let mut control = lock(&self.control);
        if control.listening == listening {
            return Ok(());
        }
        control.listening = listening;
        if control.enabled {
            self.turn(&mut control)?;
        }
        self.core.tell(|| What::Listener { state: listening });
        Ok(())
    }

    /// Switches it on or off as a whole. Off: the listener and all connections are closed, faults
    /// are kept. On again: it listens where it did.
    ///
    /// # Errors
    /// [`Error::Listen`] if the port was taken meanwhile.
    pub fn enable(&self, on: bool) -> Result<(), Error> {
        let mut control = lock(&self.control);
        if control.enabled == on {
            return Ok(());
        }
        if on {
            self.open(&mut control)?;
        } else {
            self.shut(&mut control)?;
        }
        self.core.tell(|| What::Enabled { on });
        Ok(())
    }

    /// Points it elsewhere: closes its connections, keeps its faults. None keeps what there is.
    ///
    /// # Errors
    /// [`Error::Address`], and nothing has changed; [`Error::Listen`], and it is off.
    pub fn retarget(&self, listen: Option<&str>, upstream: Option<&str>) -> Result<(), Error> {
        let upstream = upstream.map(Upstream::parse).transpose()?;
        listen.map(socket::listen_address).transpose()?;
        let mut control = lock(&self.control);
        let was_enabled = control.enabled;
        self.shut(&mut control)?;
        if let Some(upstream) = upstream {
            self.core.set_upstream(upstream);
        }
        if let Some(listen) = listen {
            listen.clone_into(&mut control.listen);
        }
        if was_enabled {
            self.open(&mut control)?;
        }
        self.core.tell(|| What::Retargeted {
            listen: control.listen.clone(),
            upstream: self.upstream(),
        });
        Ok(())
    }

    /// Its live connections, by number.
    ///
    /// # Errors
    /// [`Error::Stuck`].
    pub fn connections(&self) -> Result<Vec<ConnectionInfo>, Error> {
        let mut connections = self.order(&Operation::Describe)?.connections;
        connections.sort_unstable_by_key(|connection| connection.id);
        Ok(connections)
    }

    /// What it has done since it was started.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.core.tally.read()
    }

    /// Stops it and waits until its port is free and its connections are closed. Dropping does
    /// the same and keeps errors to itself.
    ///
    /// # Errors
    /// [`Error::Stuck`].
    pub fn stop(self) -> Result<(), Error> {
        self.end()
    }

    fn end(&self) -> Result<(), Error> {
        let mut control = lock(&self.control);
        if std::mem::replace(&mut control.stopped, true) {
            return Ok(());
        }
        self.shut(&mut control)?;
        self.order(&Operation::Remove)?;
        // Only now: a worker that has not answered may still know the slot.
        self.core.engine.give_slot(self.core.slot);
        self.core.tell(|| What::Stopped);
        Ok(())
    }

    fn order(&self, operation: &Operation) -> Result<crate::inbox::Answer, Error> {
        self.core.engine.order(&self.core, operation)
    }

    /// Changes the faults, and returns when every connection follows them.
    fn rechain<T>(&self, edit: impl FnOnce(&mut Chain) -> Result<T, Error>) -> Result<T, Error> {
        let mut control = lock(&self.control);
        let mut chain = Chain::clone(&control.chain);
        let value = edit(&mut chain)?;
        control.chain = Arc::new(chain);
        self.order(&Operation::Chain(Arc::clone(&control.chain)))?;
        Ok(value)
    }

    /// Binds and lets clients in, or does with them what `listening` says.
    fn open(&self, control: &mut Control) -> Result<(), Error> {
        let address = socket::listen_address(&control.listen)?;
        let (door, bound) = Door::bind(address)?;
        control.door = door;
        control.address = bound;
        control.listen = bound.to_string();
        control.enabled = true;
        let turned = self.turn(control);
        if turned.is_err() {
            self.shut(control)?;
        }
        turned
    }

    /// Brings the door in line with `listening`.
    fn turn(&self, control: &mut Control) -> Result<(), Error> {
        if control.door.listener().is_some() {
            self.order(&Operation::Unlisten)?;
        }
        let turned = control.door.turn(control.listening, control.address);
        if let Some(listener) = control.door.listener() {
            let listening = self.order(&Operation::Listen(Arc::clone(listener)))?;
            if let Some(source) = listening.failed {
                let what = "poll the listener";
                return Err(Error::System { what, source });
            }
        }
        turned
    }

    /// Closes the listener and all connections.
    fn shut(&self, control: &mut Control) -> Result<(), Error> {
        if control.enabled {
            self.order(&Operation::Unlisten)?;
            control.door = Door::Shut;
            control.enabled = false;
            // After the workers have stopped accepting, so that none slips through.
            self.order(&Operation::Cut(Cut::Close))?;
        }
        Ok(())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // There is nobody to tell; a worker that does not answer keeps its slot.
        let _ = self.end();
    }
}
