//! A UDP proxy: one session for each client, faults on its datagrams each way.
//!
//! Datagrams pass whole, through a [`Pipe`](assize_fault::Pipe) in which each keeps its own time.
//! A session begins with a client's first datagram and ends when none has passed for a while.
//! Errors that the network reports (ICMP) are counted and not handed on.

mod session;
mod worker;

use crate::poll::{Poller, Waker};
use crate::{Change, ConnectionInfo, Counters, Error, Proxy, Toxic};
use assize_fault::{Pipe, Size};
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs as _, UdpSocket};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;
use worker::Worker;

/// A UDP proxy to be; see [`Proxy::udp`].
#[derive(Clone, Debug)]
pub struct UdpBuilder {
    name: Option<String>,
    listen: String,
    upstream: String,
    settings: Settings,
    toxics: Vec<Toxic>,
}

/// What a running proxy does not change.
#[derive(Clone, Copy, Debug)]
struct Settings {
    seed: u64,
    idle: Duration,
    max_sessions: usize,
    bound: Size,
}

impl Proxy {
    /// A UDP proxy that listens on `host:port`; port 0 lets the system choose.
    ///
    /// ```
    /// use assize_fault::{Direction, Value, Wire};
    /// use assize_proxy::{Proxy, Toxic};
    ///
    /// let proxy = Proxy::udp("127.0.0.1:0").upstream("127.0.0.1:53").start()?;
    /// let mut loss = Wire::named("packet_loss").ok_or("no such fault")?;
    /// loss.set("loss_rate", Value::Float(0.2))?;
    /// proxy.attach(Toxic::new("lossy", Direction::Downstream, loss))?;
    /// // Ask `proxy.addr()` for names instead; then:
    /// proxy.detach("lossy")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn udp(listen: impl Into<String>) -> UdpBuilder {
        UdpBuilder {
            name: None,
            listen: listen.into(),
            upstream: String::new(),
            settings: Settings {
                seed: 0,
                idle: Duration::from_secs(60),
                max_sessions: 1_024,
                bound: Pipe::DEFAULT_BOUND,
            },
            toxics: Vec::new(),
        }
    }
}

impl UdpBuilder {
    /// What it is called as a key of random draws; its address unless given.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Where datagrams go: `host:port`. A name is resolved once, when the proxy starts.
    #[must_use]
    pub fn upstream(mut self, upstream: impl Into<String>) -> Self {
        self.upstream = upstream.into();
        self
    }

    /// What random draws follow from; 0 unless given.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// After how long without a datagram either way a session ends; 60 s unless given.
    #[must_use]
    pub fn idle(mut self, idle: Duration) -> Self {
        self.settings.idle = idle;
        self
    }

    /// How many sessions there may be at once, 1,024 unless given. Datagrams of further clients
    /// are dropped and counted as turned away.
    #[must_use]
    pub fn max_sessions(mut self, most: usize) -> Self {
        self.settings.max_sessions = most;
        self
    }

    /// How many bytes one direction of a session may hold back; 64 MiB unless given. Datagrams
    /// beyond it are dropped and counted as bounded.
    #[must_use]
    pub fn bound(mut self, bound: Size) -> Self {
        self.settings.bound = bound;
        self
    }

    /// A fault that is there before the first datagram can be.
    #[must_use]
    pub fn toxic(mut self, toxic: Toxic) -> Self {
        self.toxics.push(toxic);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    /// An address that cannot be used, or two faults of one name.
    pub fn start(self) -> Result<UdpProxy, Error> {
        let upstream = resolve(&self.upstream)?;
        let listen = resolve(&self.listen)?;
        let socket = UdpSocket::bind(listen).map_err(|source| Error::Listen {
            address: listen.to_string(),
            source,
        })?;
        let addr = socket
            .local_addr()
            .map_err(Error::system("bind a socket"))?;
        let name = self.name.unwrap_or_else(|| addr.to_string());
        let (poller, bell) = Poller::new(false).map_err(Error::system("create a poller"))?;
        let (commands, receiver) = channel();
        let mut worker = Worker::new(
            name.clone(),
            socket,
            upstream,
            self.settings,
            receiver,
            poller,
        )?;
        for toxic in self.toxics {
            worker.attach(toxic)?;
        }
        let thread = std::thread::Builder::new()
            .name(format!("udp {addr}"))
            .spawn(move || worker.run())
            .map_err(Error::system("start a thread"))?;
        Ok(UdpProxy {
            name,
            addr,
            commands,
            bell,
            thread: Some(thread),
        })
    }
}

/// The first address of `host:port`.
fn resolve(text: &str) -> Result<SocketAddr, Error> {
    let wrong = |reason: String| Error::Address {
        address: text.to_owned(),
        reason,
    };
    let mut all = text
        .to_socket_addrs()
        .map_err(|why| wrong(why.to_string()))?;
    all.next().ok_or_else(|| wrong("it has no address".into()))
}

/// Something for the worker to do.
type Command = Box<dyn FnOnce(&mut Worker) + Send>;

/// A running UDP proxy. It ends when it is dropped.
pub struct UdpProxy {
    name: String,
    addr: SocketAddr,
    commands: Sender<Command>,
    bell: Waker,
    thread: Option<JoinHandle<()>>,
}

/// How long a call waits for the worker, which never blocks.
const PATIENCE: Duration = Duration::from_secs(5);

impl UdpProxy {
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

    /// Attaches a fault at the end of its direction, to live and to new sessions.
    ///
    /// # Errors
    /// [`Error::ToxicExists`], [`Error::TooManyToxics`].
    pub fn attach(&self, toxic: Toxic) -> Result<(), Error> {
        self.ask(|worker| worker.attach(toxic))?
    }

    /// Changes a fault in its place; what it holds is held by the new settings.
    ///
    /// # Errors
    /// [`Error::NoSuchToxic`].
    pub fn change(&self, name: &str, change: Change) -> Result<(), Error> {
        let name = name.to_owned();
        self.ask(move |worker| worker.change(&name, change))?
    }

    /// Detaches a fault; what it holds leaves at once and in order.
    ///
    /// # Errors
    /// [`Error::NoSuchToxic`].
    pub fn detach(&self, name: &str) -> Result<(), Error> {
        let name = name.to_owned();
        self.ask(move |worker| worker.detach(&name))?
    }

    /// Its faults: those upstream in the order in which datagrams meet them, then those
    /// downstream.
    ///
    /// # Errors
    /// [`Error::Stuck`], [`Error::Stopped`].
    pub fn toxics(&self) -> Result<Vec<Toxic>, Error> {
        self.ask(|worker| worker.toxics())
    }

    /// Ends all sessions that there are now, and says how many. What they held is gone.
    ///
    /// # Errors
    /// [`Error::Stuck`], [`Error::Stopped`].
    pub fn cut(&self) -> Result<usize, Error> {
        self.ask(Worker::cut)
    }

    /// Its live sessions, by number.
    ///
    /// # Errors
    /// [`Error::Stuck`], [`Error::Stopped`].
    pub fn sessions(&self) -> Result<Vec<ConnectionInfo>, Error> {
        self.ask(|worker| worker.sessions())
    }

    /// What it has done since it was started.
    ///
    /// # Errors
    /// [`Error::Stuck`], [`Error::Stopped`].
    pub fn counters(&self) -> Result<Counters, Error> {
        self.ask(|worker| worker.counters())
    }

    /// Stops it and waits until its port is free. Dropping does the same.
    pub fn stop(self) {}

    /// Lets the worker do something, and waits until it has.
    fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Worker) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (reply, answer): (SyncSender<T>, _) = sync_channel(1);
        let command: Command = Box::new(move |worker| {
            // Who asked may have lost patience.
            let _ = reply.send(what(worker));
        });
        self.commands.send(command).map_err(|_| Error::Stopped)?;
        self.bell.wake();
        answer
            .recv_timeout(PATIENCE)
            .map_err(|_| Error::Stuck(PATIENCE))
    }
}

impl Drop for UdpProxy {
    fn drop(&mut self) {
        let stopped = self.ask(Worker::stop).is_ok();
        if let Some(thread) = self.thread.take()
            && stopped
        {
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for UdpProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UdpProxy")
            .field("name", &self.name)
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
