//! A worker: one thread, one poller, and the connections that are its own from acceptance to end.
//!
//! It waits for sockets and for deadlines, lets connections move bytes, and carries out between
//! two events what it is told. It never waits for anything else: no lock that is held for long,
//! no name, no peer.

mod accept;
mod conn;
mod context;
mod end;
mod faulted;
mod flow;
mod kernel_pipe;
mod orders;
mod slab;
mod timers;
mod token;
mod wait;

use crate::chain::Chain;
use crate::core::Core;
use crate::engine::Shared;
use crate::inbox::{Arrival, Inbox};
use crate::listener::Listener;
use crate::poll::{Poller, Ready};
use crate::{Cut, What, clock, files};
use assize_fault::{Begun, Nanos};
use conn::{Conn, Reach};
use context::Context;
use flow::Step;
use slab::Slab;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use timers::Timers;
use token::{Kind, Token};

/// Proxies of one engine that can be told apart.
pub(crate) use token::PLACES as MOST_PROXIES;

/// One thread's share of an engine.
#[derive(Debug)]
pub(crate) struct Worker {
    /// Which one it is.
    index: usize,
    inbox: Arc<Inbox>,
    poller: Poller,
    context: Context,
    conns: Slab<Box<Conn>>,
    /// Those of this worker's proxies, by the slot that the engine gave each.
    proxies: Vec<Option<Local>>,
    timers: Timers,
    /// What has more to do than one turn allows.
    queue: Vec<Token>,
    wait: wait::Wait,
    stopped: bool,
}

/// What a worker knows of a proxy.
#[derive(Debug)]
struct Local {
    core: Arc<Core>,
    chain: Arc<Chain>,
    listener: Option<Arc<Listener>>,
    /// How many listeners it has had, so that news of an old one is known as such.
    listeners: u32,
    /// Places of its connections.
    conns: Vec<usize>,
}

impl Worker {
    pub(crate) fn new(
        index: usize,
        engine: Arc<Shared>,
        inbox: Arc<Inbox>,
        poller: Poller,
    ) -> Self {
        let spins = engine.spins;
        Self {
            index,
            inbox,
            poller,
            context: Context::new(engine),
            conns: Slab::new(),
            proxies: Vec::new(),
            timers: Timers::default(),
            queue: Vec::new(),
            wait: wait::Wait::new(spins),
            stopped: false,
        }
    }

    /// Works until it is told to stop.
    pub(crate) fn run(mut self) {
        wait::prepare_thread();
        let mut ready = Vec::new();
        while !self.stopped {
            let next = if self.queue.is_empty() {
                self.timers.next(is_live(&self.conns))
            } else {
                Some(Nanos::ZERO)
            };
            ready.clear();
            let shared = &self.context.engine;
            self.wait
                .wait(&mut self.poller, &self.inbox, shared, &mut ready, next);
            for ready in &ready {
                self.on_ready(ready);
            }
            for token in std::mem::take(&mut self.queue) {
                self.on_turn(token);
            }
            self.on_time();
            if self.inbox.is_filled() {
                for message in self.inbox.take() {
                    self.on_message(message);
                }
            }
        }
    }

    fn on_ready(&mut self, ready: &Ready) {
        let token = Token::unpack(ready.token);
        if token.kind == Kind::Listener {
            self.accept(token);
            return;
        }
        if self.conns.get(token.place, token.generation).is_none() {
            return;
        }
        let Some(conn) = self.conns.get_mut(token.place) else {
            return;
        };
        match (token.kind, conn.server()) {
            (Kind::Server, Some(server)) => server.note(ready),
            (Kind::Server, None) => {
                let reach = conn.reach(ready.writable);
                return self.reached(token.place, reach, Some(ready));
            }
            _ => conn.client().note(ready),
        }
        self.pump(token.place);
    }

    fn on_turn(&mut self, token: Token) {
        if token.kind == Kind::Listener {
            self.accept(token);
        } else if self.conns.get(token.place, token.generation).is_some() {
            if let Some(conn) = self.conns.get_mut(token.place) {
                conn.queued = false;
            }
            self.pump(token.place);
        }
    }

    fn on_time(&mut self) {
        if self.timers.next(is_live(&self.conns)).is_none() {
            return;
        }
        let now = clock::now();
        while let Some((at, bits)) = self.timers.due(now) {
            if !is_live(&self.conns)(at, bits) {
                continue;
            }
            let place = Token::unpack(bits).place;
            let Some(conn) = self.conns.get_mut(place) else {
                continue;
            };
            conn.armed = Nanos::NEVER;
            if conn.is_overdue(now) {
                let reason = "it did not answer in time".to_owned();
                self.reached(place, Reach::Failed(reason), None);
            } else {
                self.pump(place);
            }
        }
        self.timers.sweep(self.conns.len(), is_live(&self.conns));
    }

    /// Makes an accepted client this worker's own, and sets out for its upstream.
    fn adopt(&mut self, arrival: Arrival) {
        let Arrival { core, fd, peer, id } = arrival;
        let slot = core.slot;
        let Some(local) = self
            .local(slot)
            .filter(|local| Arc::ptr_eq(&local.core, &core))
        else {
            // The proxy was stopped meanwhile; so is its client.
            self.context.engine.files.give(files::CONNECTION);
            self.context.engine.load(self.index).fetch_sub(1, Relaxed);
            core.tally.closed.fetch_add(1, Relaxed);
            return;
        };
        let place = local.conns.len();
        let chain = Arc::clone(&local.chain);
        let conn = Box::new(Conn::new(core, place, (id, peer), fd, chain));
        let (place, generation) = self.conns.insert(conn);
        if let Some(local) = self.local(slot) {
            local.conns.push(place);
        }
        let client = Token {
            kind: Kind::Client,
            place,
            generation,
        };
        let Some(conn) = self.conns.get_mut(place) else {
            return;
        };
        conn.core.tell(|| What::Opened {
            connection: id,
            peer,
        });
        if self
            .poller
            .add(conn.client().fd.as_fd(), client.pack())
            .is_err()
        {
            return self.close(place, Cut::Reset);
        }
        let upstream = conn.core.upstream();
        match upstream.resolve(&self.inbox, client.pack()) {
            Some(found) => self.set_out(place, found),
            None => self.arm(place),
        }
    }

    /// Goes on with a connection whose upstream's addresses are known now.
    fn set_out(&mut self, place: usize, found: Result<Arc<[SocketAddr]>, String>) {
        let Some(conn) = self.conns.get_mut(place) else {
            return;
        };
        let reach = match found {
            Ok(addresses) => conn.connect(addresses),
            Err(reason) => Reach::Failed(reason),
        };
        self.reached(place, reach, None);
    }

    /// Goes on after something happened to a socket on its way to the upstream.
    fn reached(&mut self, place: usize, reach: Reach, ready: Option<&Ready>) {
        let token = Token {
            kind: Kind::Server,
            place,
            generation: self.conns.generation(place),
        };
        let Some(conn) = self.conns.get_mut(place) else {
            return;
        };
        match reach {
            Reach::NotYet => {}
            Reach::Trying => {
                let polled = conn
                    .server_fd()
                    .is_some_and(|fd| self.poller.add(fd.as_fd(), token.pack()).is_ok());
                if polled {
                    self.arm(place);
                } else {
                    self.close(place, Cut::Reset);
                }
            }
            Reach::Connected(before) => {
                // The deadline for it is outdated.
                conn.armed = Nanos::NEVER;
                if let (Some(server), Some(ready)) = (conn.server(), ready) {
                    server.note(ready);
                }
                let slot = conn.core.slot;
                conn.reconcile(&before, Begun::BeforeOpen, &mut self.context);
                if let Some(Some(local)) = self.proxies.get(slot) {
                    // Those that came while the upstream was being connected to.
                    conn.reconcile(&local.chain, Begun::Live, &mut self.context);
                }
                self.pump(place);
            }
            Reach::Failed(reason) => {
                conn.core.tally.upstream_failed.fetch_add(1, Relaxed);
                let connection = conn.id();
                conn.core
                    .tell(|| What::UpstreamFailed { connection, reason });
                self.close(place, Cut::Reset);
            }
        }
    }

    /// Lets a connection move what it can, and sees to what it wants next.
    fn pump(&mut self, place: usize) {
        let Some(conn) = self.conns.get_mut(place) else {
            return;
        };
        match conn.pump(&mut self.context) {
            Step::Over(how) => return self.close(place, how),
            Step::Broken => return self.close(place, Cut::Reset),
            Step::Again if !conn.queued => {
                conn.queued = true;
                let generation = self.conns.generation(place);
                self.queue.push(Token {
                    kind: Kind::Client,
                    place,
                    generation,
                });
            }
            Step::Again | Step::Wait => {}
        }
        self.arm(place);
    }

    /// Sets the deadline that a connection wants, unless an earlier one is set.
    fn arm(&mut self, place: usize) {
        let generation = self.conns.generation(place);
        let Some(conn) = self.conns.get_mut(place) else {
            return;
        };
        if let Some(at) = conn.next_wake().filter(|&at| at < conn.armed) {
            conn.armed = at;
            let token = Token {
                kind: Kind::Client,
                place,
                generation,
            };
            self.timers.set(at, token.pack());
        }
    }

    /// Ends a connection.
    fn close(&mut self, place: usize, how: Cut) {
        drop(self.close_client(place, how));
    }

    /// Ends a connection but for the upstream's socket, which is closed when it is dropped.
    fn close_client(&mut self, place: usize, how: Cut) -> Option<OwnedFd> {
        let conn = self.conns.remove(place)?;
        let core = Arc::clone(&conn.core);
        let among = conn.place;
        let connection = conn.id();
        let server = conn.end(how, &mut self.context);
        if let Some(local) = self.local(core.slot) {
            local.conns.swap_remove(among);
            let moved = local.conns.get(among).copied();
            if let Some(moved) = moved.and_then(|place| self.conns.get_mut(place)) {
                moved.place = among;
            }
        }
        self.context.engine.files.give(files::CONNECTION);
        self.context.engine.load(self.index).fetch_sub(1, Relaxed);
        core.tally.closed.fetch_add(1, Relaxed);
        core.tell(|| What::Closed {
            connection,
            reset: how == Cut::Reset,
        });
        server
    }

    fn local(&mut self, slot: usize) -> Option<&mut Local> {
        self.proxies.get_mut(slot)?.as_mut()
    }
}

/// Whether a connection still waits for this deadline.
fn is_live(conns: &Slab<Box<Conn>>) -> impl Fn(Nanos, u64) -> bool {
    |at, bits| {
        let token = Token::unpack(bits);
        let conn = conns.get(token.place, token.generation);
        conn.is_some_and(|conn| conn.armed == at)
    }
}
