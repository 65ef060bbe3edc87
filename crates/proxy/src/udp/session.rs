//! One client: its socket towards the upstream, and a pipe each way.

use crate::ConnectionInfo;
use crate::chain::{self, Chain, Entry};
use assize_fault::{Begun, Direction, Item, Nanos, Order, Origin, Pipe, Size};
use bytes::Bytes;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// One direction of a session.
#[derive(Debug)]
pub(super) struct Way {
    pub pipe: Pipe,
    /// The faults that it has.
    entries: Vec<Arc<Entry>>,
    origin: Origin,
    /// Bytes sent to its end.
    pub sent: u64,
}

/// A client and its datagrams.
#[derive(Debug)]
pub(super) struct Session {
    pub peer: SocketAddr,
    /// Towards the upstream, and connected to it.
    pub socket: UdpSocket,
    pub up: Way,
    pub down: Way,
    /// When the worker is to look at it.
    pub wake: Nanos,
    /// When the last datagram came, either way.
    pub active: Nanos,
    number: u64,
    since: Nanos,
    touched_by: Vec<String>,
}

impl Session {
    pub(super) fn new(
        peer: SocketAddr,
        socket: UdpSocket,
        (seed, number): (u64, u64),
        bound: Size,
        now: Nanos,
    ) -> Self {
        let way = |direction| {
            let origin = Origin {
                seed,
                connection: number,
                direction,
            };
            Way {
                pipe: Pipe::new(Order::Datagram, bound, origin),
                entries: Vec::new(),
                origin,
                sent: 0,
            }
        };
        Self {
            peer,
            socket,
            up: way(Direction::Upstream),
            down: way(Direction::Downstream),
            wake: now,
            active: now,
            number,
            since: now,
            touched_by: Vec::new(),
        }
    }

    /// Brings both pipes in line with the faults of the proxy.
    pub(super) fn reconcile(&mut self, chain: &Chain, now: Nanos, begun: Begun) {
        for way in [&mut self.up, &mut self.down] {
            let all = chain.of(way.origin.direction).iter();
            let touching = all.filter(|entry| entry.touches(way.origin, self.peer));
            let wanted: Vec<&Arc<Entry>> = touching.collect();
            for entry in &wanted {
                if !self.touched_by.contains(&entry.toxic.name) {
                    self.touched_by.push(entry.toxic.name.clone());
                }
            }
            chain::reconcile(&mut way.pipe, &mut way.entries, &wanted, now, begun);
        }
    }

    /// When something of it is due: a datagram, or its end if nothing comes.
    pub(super) fn due(&self, idle: Nanos) -> Nanos {
        let end = Nanos(self.active.0.saturating_add(idle.0));
        let pipes = [self.up.pipe.next_wake(), self.down.pipe.next_wake()];
        pipes.into_iter().flatten().fold(end, Nanos::min)
    }

    /// Whether it is over: nothing has come for so long, and nothing waits.
    pub(super) fn is_over(&self, now: Nanos, idle: Nanos) -> bool {
        let held = self.up.pipe.held() + self.down.pipe.held();
        held == 0 && (now - self.active).0 >= idle.0
    }

    pub(super) fn info(&self, now: Nanos) -> ConnectionInfo {
        ConnectionInfo {
            id: self.number,
            peer: self.peer,
            age: Duration::from_nanos((now - self.since).0.max(0) as u64),
            connected: true,
            upstream_bytes: self.up.sent,
            downstream_bytes: self.down.sent,
            touched_by: self.touched_by.clone(),
        }
    }
}

impl Way {
    /// Takes one datagram. `None` when the pipe has it, else it may go on at once: nobody pays
    /// for a pipe that does nothing.
    pub(super) fn take<'a>(&mut self, now: Nanos, data: &'a [u8]) -> Option<&'a [u8]> {
        if self.pipe.is_idle() {
            return Some(data);
        }
        self.pipe
            .input(now, Item::Data(Bytes::copy_from_slice(data)));
        None
    }
}
