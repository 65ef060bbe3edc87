//! One client with its upstream: two sockets and a flow each way.
//!
//! It says what it wants (more turns, a deadline, to be over); the worker owns it and sees to it.

use super::context::Context;
use super::end::End;
use super::flow::{Ends, Flow, Step};
use crate::chain::{Chain, Entry};
use crate::core::Core;
use crate::{ConnectionInfo, Cut, clock, socket};
use assize_fault::{Begun, Direction, Nanos, Origin};
use rustix::net::RecvFlags;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

/// What is read and thrown away of a socket before it is closed in order: bytes left unread
/// would make the kernel reset instead.
const DISCARD: usize = 1 << 20;

/// One connection.
#[derive(Debug)]
pub(super) struct Conn {
    pub(super) core: Arc<Core>,
    /// Its place among the connections of its proxy on this worker.
    pub(super) place: usize,
    /// The deadline that is set for it.
    pub(super) armed: Nanos,
    /// Whether it is on the worker's list of those who have more to do.
    pub(super) queued: bool,
    id: u64,
    peer: SocketAddr,
    since: Nanos,
    client: End,
    server: Server,
    up: Flow,
    down: Flow,
    touched: Vec<Box<str>>,
}

/// The upstream's side.
#[derive(Debug)]
enum Server {
    /// Its name is being looked up, or its connection is on its way.
    Away(Box<Away>),
    Here(End),
}

#[derive(Debug)]
struct Away {
    deadline: Nanos,
    /// The faults that were there when the client was accepted.
    chain: Arc<Chain>,
    /// The socket that is connecting, and to where.
    connecting: Option<(OwnedFd, SocketAddr)>,
    /// Where to try, and how many of these were tried.
    addresses: Arc<[SocketAddr]>,
    tried: usize,
}

/// What became of looking after an upstream.
#[derive(Debug)]
pub(super) enum Reach {
    /// A socket is on its way, and is to be polled.
    Trying,
    /// It is connected; these faults were there before the client was.
    Connected(Arc<Chain>),
    /// It is still on its way.
    NotYet,
    /// There is none, for this reason.
    Failed(String),
}

impl Conn {
    pub(super) fn new(
        core: Arc<Core>,
        place: usize,
        (id, peer): (u64, SocketAddr),
        client: OwnedFd,
        chain: Arc<Chain>,
    ) -> Self {
        let since = clock::now();
        let away = Away {
            deadline: Nanos(since.0.saturating_add(core.connect_timeout.0)),
            connecting: None,
            chain,
            addresses: Arc::default(),
            tried: 0,
        };
        Self {
            core,
            place,
            armed: Nanos::NEVER,
            queued: false,
            id,
            peer,
            since,
            client: End::new(client),
            server: Server::Away(Box::new(away)),
            up: Flow::new(),
            down: Flow::new(),
            touched: Vec::new(),
        }
    }

    pub(super) const fn id(&self) -> u64 {
        self.id
    }

    pub(super) const fn client(&mut self) -> &mut End {
        &mut self.client
    }

    /// The upstream's socket, connected or on its way.
    pub(super) fn server_fd(&self) -> Option<&OwnedFd> {
        match &self.server {
            Server::Here(end) => Some(&end.fd),
            Server::Away(away) => away.connecting.as_ref().map(|(fd, _)| fd),
        }
    }

    /// The upstream's side, once it is connected.
    pub(super) const fn server(&mut self) -> Option<&mut End> {
        match &mut self.server {
            Server::Here(end) => Some(end),
            Server::Away(_) => None,
        }
    }

    /// Begins to connect to the first of these that does not fail at once.
    pub(super) fn connect(&mut self, addresses: Arc<[SocketAddr]>) -> Reach {
        if let Server::Away(away) = &mut self.server {
            away.addresses = addresses;
        }
        self.connect_next("it has no address".to_owned())
    }

    /// Looks what became of the socket that is on its way.
    pub(super) fn reach(&mut self, is_writable: bool) -> Reach {
        let Server::Away(away) = &mut self.server else {
            return Reach::NotYet;
        };
        let Some((fd, address)) = away.connecting.take() else {
            return Reach::NotYet;
        };
        match socket::connected(&fd, address) {
            Ok(()) if is_writable => {
                let mut end = End::new(fd);
                end.writable = true;
                let chain = Arc::clone(&away.chain);
                self.server = Server::Here(end);
                Reach::Connected(chain)
            }
            Ok(()) => {
                away.connecting = Some((fd, address));
                Reach::NotYet
            }
            Err(error) => self.connect_next(error.to_string()),
        }
    }

    fn connect_next(&mut self, mut reason: String) -> Reach {
        let Server::Away(away) = &mut self.server else {
            return Reach::NotYet;
        };
        while let Some(&address) = away.addresses.get(away.tried) {
            away.tried += 1;
            match socket::connecting(address) {
                Ok(fd) => {
                    away.connecting = Some((fd, address));
                    return Reach::Trying;
                }
                Err(error) => reason = error.to_string(),
            }
        }
        Reach::Failed(reason)
    }

    /// Whether the upstream should have answered by `now` and did not.
    pub(super) fn is_overdue(&self, now: Nanos) -> bool {
        matches!(&self.server, Server::Away(away) if away.deadline <= now)
    }

    /// When it wants to be looked at whatever its sockets do.
    pub(super) fn next_wake(&self) -> Option<Nanos> {
        match &self.server {
            Server::Away(away) => Some(away.deadline),
            Server::Here(_) => {
                let wakes = self.up.next_wake().into_iter();
                wakes.chain(self.down.next_wake()).min()
            }
        }
    }

    /// Lets both directions move what they can.
    pub(super) fn pump(&mut self, cx: &mut Context) -> Step {
        let Server::Here(server) = &mut self.server else {
            return Step::Wait;
        };
        let (core, id) = (&*self.core, self.id);
        let up = Ends {
            source: &mut self.client,
            destination: server,
            core,
            direction: Direction::Upstream,
            id,
        };
        let up = pump(&mut self.up, up, cx);
        let down = Ends {
            source: server,
            destination: &mut self.client,
            core,
            direction: Direction::Downstream,
            id,
        };
        let down = pump(&mut self.down, down, cx);
        match (up, down) {
            (Step::Over(how), _) | (_, Step::Over(how)) => Step::Over(how),
            // The other direction has just had its turn.
            (Step::Broken, _) | (_, Step::Broken) => Step::Over(Cut::Reset),
            _ if self.up.finished && self.down.finished => Step::Over(Cut::Close),
            // Nobody reads from a side whose end was handed on, so nobody else would notice.
            _ if self.up.finished && self.client.failed => Step::Over(Cut::Reset),
            _ if self.down.finished && server.failed => Step::Over(Cut::Reset),
            (Step::Again, _) | (_, Step::Again) => Step::Again,
            (Step::Wait, Step::Wait) => Step::Wait,
        }
    }

    /// Brings its faults in line with those of the proxy. Before the upstream is connected there
    /// is nothing that they could touch.
    pub(super) fn reconcile(&mut self, chain: &Chain, begun: Begun, cx: &mut Context) {
        let Server::Here(server) = &mut self.server else {
            return;
        };
        for direction in [Direction::Upstream, Direction::Downstream] {
            let origin = Origin {
                seed: self.core.engine.seed,
                connection: self.id,
                direction,
            };
            let wanted: Vec<&Arc<Entry>> = chain
                .of(direction)
                .iter()
                .filter(|entry| entry.touches(origin, self.peer))
                .collect();
            for entry in &wanted {
                if !self.touched.iter().any(|name| **name == *entry.toxic.name) {
                    self.touched.push(entry.toxic.name.as_str().into());
                }
            }
            let (flow, source, destination) = match direction {
                Direction::Upstream => (&mut self.up, &mut self.client, &mut *server),
                Direction::Downstream => (&mut self.down, &mut *server, &mut self.client),
            };
            let ends = Ends {
                source,
                destination,
                core: &self.core,
                direction,
                id: self.id,
            };
            flow.reconcile(&wanted, (origin, begun), &ends, cx);
        }
    }

    /// Ends it: the client's socket is closed, the upstream's when what this gives is dropped.
    pub(super) fn end(mut self: Box<Self>, how: Cut, cx: &mut Context) -> Option<OwnedFd> {
        self.up.release(cx);
        self.down.release(cx);
        // Both ends were read: nothing is left unread.
        let is_drained = self.up.finished && self.down.finished;
        let server = self.server_fd();
        for fd in [Some(&self.client.fd), server].into_iter().flatten() {
            match how {
                Cut::Reset => socket::reset_on_close(fd),
                Cut::Close if is_drained => {}
                Cut::Close => discard(fd, cx),
            }
        }
        match self.server {
            Server::Here(end) => Some(end.fd),
            Server::Away(away) => away.connecting.map(|(fd, _)| fd),
        }
    }

    pub(super) fn describe(&self) -> ConnectionInfo {
        let age = (clock::now() - self.since).0.max(0).unsigned_abs();
        ConnectionInfo {
            id: self.id,
            peer: self.peer,
            age: Duration::from_nanos(age),
            connected: matches!(self.server, Server::Here(_)),
            upstream_bytes: self.up.sent,
            downstream_bytes: self.down.sent,
            touched_by: self.touched.iter().map(|name| (**name).into()).collect(),
        }
    }
}

/// Pumps a flow; what its destination never took is lost, as it would be without a proxy.
fn pump(flow: &mut Flow, mut ends: Ends<'_>, cx: &mut Context) -> Step {
    flow.pump(&mut ends, cx)
}

/// Reads what is there and throws it away.
fn discard(fd: &OwnedFd, cx: &mut Context) {
    let mut left = DISCARD;
    while left > 0 {
        match rustix::net::recv(fd, &mut *cx.scratch, RecvFlags::DONTWAIT) {
            Ok((read, _)) if read > 0 => left = left.saturating_sub(read),
            Ok(_) | Err(_) => return,
        }
    }
}
