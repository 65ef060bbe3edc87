//! The thread of a UDP proxy: it reads, asks the pipes what is due, and sends.

use super::faults::Faults;
use super::session::Session;
use super::wait::Wait;
use super::{Command, Settings};
use crate::{Change, ConnectionInfo, Counters, Error, Toxic, clock};
use assize_fault::{Begun, Direction, FaultId, Item, Nanos};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{ErrorKind, PipeReader, Read as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::mpsc::Receiver;

/// Datagrams read from one socket before others have their turn.
const TURN: usize = 64;
/// The largest datagram, and more.
const SCRATCH: usize = 64 << 10;
/// Numbers of sessions begin at 1, so that these are free.
const BELL: u64 = u64::MAX;
const LISTENER: u64 = 0;

pub(super) struct Worker {
    listener: UdpSocket,
    upstream: SocketAddr,
    settings: Settings,
    faults: Faults,
    /// By number.
    sessions: BTreeMap<u64, Session>,
    by_peer: BTreeMap<SocketAddr, u64>,
    wakes: BTreeSet<(Nanos, u64)>,
    wait: Wait,
    commands: Receiver<Command>,
    ear: PipeReader,
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
        ear: PipeReader,
    ) -> Result<Self, Error> {
        listener
            .set_nonblocking(true)
            .map_err(Error::system("set up a socket"))?;
        let wait = Wait::new()?;
        wait.add(&listener, LISTENER)?;
        wait.add(&ear, BELL)?;
        Ok(Self {
            listener,
            upstream,
            settings,
            faults: Faults::new(name),
            sessions: BTreeMap::new(),
            by_peer: BTreeMap::new(),
            wakes: BTreeSet::new(),
            wait,
            commands,
            ear,
            counters: Counters::default(),
            is_stopped: false,
            scratch: vec![0; SCRATCH],
        })
    }

    /// Until it is stopped.
    pub(super) fn run(mut self) {
        while !self.is_stopped {
            let until = self
                .wakes
                .first()
                .map_or_else(|| clock::now() + Nanos::secs(3_600), |(at, _)| *at);
            for number in self.wait.wait(until) {
                match number {
                    BELL => self.obey(),
                    LISTENER => self.hear_clients(),
                    session => self.hear_upstream(session),
                }
            }
            self.wake_up(clock::now());
        }
    }

    pub(super) fn attach(&mut self, toxic: Toxic) -> Result<(), Error> {
        self.faults.attach(toxic)?;
        self.apply(None);
        Ok(())
    }

    pub(super) fn change(&mut self, name: &str, change: Change) -> Result<(), Error> {
        let id = self.faults.change(name, change)?;
        self.apply(Some(id));
        Ok(())
    }

    pub(super) fn detach(&mut self, name: &str) -> Result<(), Error> {
        self.faults.detach(name)?;
        self.apply(None);
        Ok(())
    }

    pub(super) fn toxics(&self) -> Vec<Toxic> {
        self.faults.listed()
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

    fn obey(&mut self) {
        let mut rings = [0; 256];
        // What cannot be read rings again.
        let _ = self.ear.read(&mut rings);
        while let Ok(command) = self.commands.try_recv() {
            command(self);
        }
    }

    /// Brings every session in line with the faults.
    fn apply(&mut self, changed: Option<FaultId>) {
        let now = clock::now();
        let all: Vec<u64> = self.sessions.keys().copied().collect();
        for number in all {
            if let Some(session) = self.sessions.get_mut(&number) {
                session.apply(&self.faults, changed, now, Begun::Live);
            }
            self.deliver(number, now);
        }
    }

    fn hear_clients(&mut self) {
        for _ in 0..TURN {
            let (len, peer) = match self.listener.recv_from(&mut self.scratch) {
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
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
    }

    fn hear_upstream(&mut self, number: u64) {
        for _ in 0..TURN {
            let Some(session) = self.sessions.get(&number) else {
                return;
            };
            let len = match session.socket.recv(&mut self.scratch) {
                Ok(len) => len,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    // Nobody listens there: the next datagram of the client tries again.
                    self.counters.upstream_failed += 1;
                    continue;
                }
            };
            self.counters.downstream.received += len as u64;
            self.pass(number, Direction::Downstream, len, clock::now());
        }
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
        self.wait.add(&socket, number).ok()?;
        self.counters.accepted = number;
        let draws = (self.settings.seed, number);
        let mut session = Session::new(peer, socket, draws, self.settings.bound, now);
        session.apply(&self.faults, None, now, Begun::BeforeOpen);
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
