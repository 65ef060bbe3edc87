//! The thread of a UDP proxy: it reads, asks the pipes what is due, and sends.

use super::session::Session;
use super::{Command, Settings};
use crate::chain::Chain;
use crate::poll::Poller;
use crate::{Change, ConnectionInfo, Counters, Error, Toxic, clock};
use assize_fault::{Begun, Direction, Item, Nanos};
use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::fd::AsFd as _;
use std::sync::mpsc::Receiver;

/// Datagrams read from one socket before others have their turn.
const TURN: usize = 64;
/// The largest datagram, and more.
const SCRATCH: usize = 64 << 10;
/// Numbers of sessions begin at 1, so that this one is free.
const LISTENER: u64 = 0;

pub(super) struct Worker {
    listener: UdpSocket,
    upstream: SocketAddr,
    settings: Settings,
    name: String,
    chain: Chain,
    /// By number.
    sessions: BTreeMap<u64, Session>,
    by_peer: BTreeMap<SocketAddr, u64>,
    wakes: BTreeSet<(Nanos, u64)>,
    poller: Poller,
    /// Sockets that may have more to read than their turn allowed.
    unread: BTreeSet<u64>,
    commands: Receiver<Command>,
    counters: Counters,
    is_stopped: bool,
    scratch: Vec<u8>,
}

impl Worker {
    pub(super) fn new(
        name: String,
        listener: UdpSocket,
        upstream: SocketAddr,
        settings: Settings,
        commands: Receiver<Command>,
        poller: Poller,
    ) -> Result<Self, Error> {
        listener
            .set_nonblocking(true)
            .map_err(Error::system("set up a socket"))?;
        poller
            .add_listener(listener.as_fd(), LISTENER)
            .map_err(Error::system("watch a socket"))?;
        Ok(Self {
            listener,
            upstream,
            settings,
            name,
            chain: Chain::default(),
            sessions: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            wakes: BTreeSet::new(),
            poller,
            unread: BTreeSet::new(),
            commands,
            counters: Counters::default(),
            is_stopped: false,
            scratch: vec![0; SCRATCH],
        })
    }

    /// Until it is stopped.
    pub(super) fn run(mut self) {
        let mut ready = Vec::new();
        while !self.is_stopped {
            let timeout = match self.wakes.first() {
                _ if !self.unread.is_empty() => Some(Nanos::ZERO),
                Some((at, _)) => Some((*at - clock::now()).max(Nanos::ZERO)),
                None => None,
            };
            ready.clear();
            if self.poller.wait(&mut ready, timeout).is_err() {
                // A poller fails only when it is misused or memory is short: look again.
                ready.clear();
            }
            let mut readable = std::mem::take(&mut self.unread);
            readable.extend(ready.iter().map(|ready| ready.token));
            for token in readable {
                let is_empty = match token {
                    LISTENER => self.hear_clients(),
                    session => self.hear_upstream(session),
                };
                if !is_empty {
                    self.unread.insert(token);
                }
            }
            // After what came before them.
            while let Ok(command) = self.commands.try_recv() {
                command(&mut self);
            }
            self.wake_up(clock::now());
        }
    }

    pub(super) fn attach(&mut self, toxic: Toxic) -> Result<(), Error> {
        self.chain.attach(&self.name, toxic)?;
        self.reconcile();
        Ok(())
    }

    pub(super) fn change(&mut self, name: &str, change: Change) -> Result<(), Error> {
        self.chain.change(name, change)?;
        self.reconcile();
        Ok(())
    }

    pub(super) fn detach(&mut self, name: &str) -> Result<(), Error> {
        self.chain.detach(name)?;
        self.reconcile();
        Ok(())
    }

    pub(super) fn toxics(&self) -> Vec<Toxic> {
        self.chain.all().map(|entry| entry.toxic.clone()).collect()
    }

    pub(super) fn cut(&mut self) -> usize {
        let count = self.sessions.len();
        self.sessions.clear();
        self.by_peer.clear();
        self.wakes.clear();
        count
    }

    pub(super) fn sessions(&self) -> Vec<ConnectionInfo> {
        let now = clock::now();
        self.sessions
            .values()
            .map(|session| session.info(now))
            .collect()
    }

    pub(super) fn counters(&self) -> Counters {
        let open = self.sessions.len() as u64;
        Counters {
            open,
            ..self.counters
        }
    }

    pub(super) fn stop(&mut self) {
        self.is_stopped = true;
    }

    /// Brings every session in line with the faults.
    fn reconcile(&mut self) {
        let now = clock::now();
        let all: Vec<u64> = self.sessions.keys().copied().collect();
        for number in all {
            if let Some(session) = self.sessions.get_mut(&number) {
                session.reconcile(&self.chain, now, Begun::Live);
            }
            self.deliver(number, now);
        }
    }

    /// Reads what clients sent, for one turn; whether there is no more.
    fn hear_clients(&mut self) -> bool {
        for _ in 0..TURN {
            let (len, peer) = match self.listener.recv_from(&mut self.scratch) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                // An error that the network reported about a datagram sent earlier.
                Err(_) => continue,
            };
            let now = clock::now();
            self.counters.upstream.received += len as u64;
            let Some(number) = self.session_of(peer, now) else {
                self.counters.turned_away += 1;
                continue;
            };
            self.pass(number, Direction::Upstream, len, now);
        }
        false
    }

    /// Reads what the upstream sent in a session, for one turn; whether there is no more.
    fn hear_upstream(&mut self, number: u64) -> bool {
        for _ in 0..TURN {
            let Some(session) = self.sessions.get(&number) else {
                return true;
            };
            let len = match session.socket.recv(&mut self.scratch) {
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return true,
                Err(_) => {
                    // Nobody listens there: the next datagram of the client tries again.
                    self.counters.upstream_failed += 1;
                    continue;
                }
            };
            self.counters.downstream.received += len as u64;
            self.pass(number, Direction::Downstream, len, clock::now());
        }
        false
    }

    /// Takes a datagram from the scratch into a session.
    fn pass(&mut self, number: u64, direction: Direction, len: usize, now: Nanos) {
        let Some(session) = self.sessions.get_mut(&number) else {
            return;
        };
        session.active = now;
        let way = match direction {
            Direction::Upstream => &mut session.up,
            Direction::Downstream => &mut session.down,
        };
        let bounded = way.pipe.bounded();
        let at_once = way.take(now, &self.scratch[..len]).is_some();
        self.counters.bounded += way.pipe.bounded() - bounded;
        if at_once {
            send(
                &self.listener,
                session,
                direction,
                &self.scratch[..len],
                &mut self.counters,
            );
        }
        self.deliver(number, now);
    }

    /// The session of a client, which begins with its first datagram; none if there are as many
    /// as there may be.
    fn session_of(&mut self, peer: SocketAddr, now: Nanos) -> Option<u64> {
        if let Some(number) = self.by_peer.get(&peer) {
            return Some(*number);
        }
        if self.sessions.len() >= self.settings.max_sessions {
            return None;
        }
        let number = self.counters.accepted + 1;
        let socket = connected(self.upstream).ok()?;
        self.poller.add_listener(socket.as_fd(), number).ok()?;
        self.counters.accepted = number;
        let draws = (self.settings.seed, number);
        let mut session = Session::new(peer, socket, draws, self.settings.bound, now);
        session.reconcile(&self.chain, now, Begun::BeforeOpen);
        self.wakes.insert((session.wake, number));
        self.sessions.insert(number, session);
        self.by_peer.insert(peer, number);
        Some(number)
    }

    /// Looks at every session whose time has come.
    fn wake_up(&mut self, now: Nanos) {
        while let Some(&(at, number)) = self.wakes.first()
            && at <= now
        {
            self.deliver(number, now);
        }
    }

    /// Sends what is due in a session, and notes when to look again.
    fn deliver(&mut self, number: u64, now: Nanos) {
        let idle = Nanos(i64::try_from(self.settings.idle.as_nanos()).unwrap_or(i64::MAX));
        let Some(session) = self.sessions.get_mut(&number) else {
            return;
        };
        self.wakes.remove(&(session.wake, number));
        let mut is_over = session.is_over(now, idle);
        for direction in [Direction::Upstream, Direction::Downstream] {
            loop {
                let way = match direction {
                    Direction::Upstream => &mut session.up,
                    Direction::Downstream => &mut session.down,
                };
                match way.pipe.poll(now) {
                    Some((_, Item::Data(data))) => {
                        send(
                            &self.listener,
                            session,
                            direction,
                            &data,
                            &mut self.counters,
                        );
                    }
                    // There is nothing to close or reset in UDP but what the proxy remembers.
                    Some((_, Item::End | Item::Close | Item::Reset)) => is_over = true,
                    None => break,
                }
            }
        }
        if is_over {
            self.by_peer.remove(&session.peer);
            self.sessions.remove(&number);
            return;
        }
        session.wake = session.due(idle).max(Nanos(now.0 + 1));
        self.wakes.insert((session.wake, number));
    }
}

/// Sends a datagram on. One that the system does not take is lost, as on any full line.
fn send(
    listener: &UdpSocket,
    session: &mut Session,
    direction: Direction,
    data: &[u8],
    counters: &mut Counters,
) {
    let (result, way, traffic) = match direction {
        Direction::Upstream => (
            session.socket.send(data),
            &mut session.up,
            &mut counters.upstream,
        ),
        Direction::Downstream => (
            listener.send_to(data, session.peer),
            &mut session.down,
            &mut counters.downstream,
        ),
    };
    match result {
        Ok(len) => {
            way.sent += len as u64;
            traffic.sent += len as u64;
        }
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => counters.upstream_failed += 1,
        Err(_) => {}
    }
}

/// A socket that speaks with this address only.
fn connected(upstream: SocketAddr) -> std::io::Result<UdpSocket> {
    let any: SocketAddr = match upstream {
        SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
        SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(upstream)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
