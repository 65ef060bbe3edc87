//! Clients that come in: accepted by whichever worker is woken, carried by the one that has least.

use super::Worker;
use super::token::{Kind, Token};
use crate::inbox::{Arrival, Message};
use crate::{What, files, socket};
use rustix::io::Errno;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Clients accepted before connections have their turn.
const CLIENTS: usize = 16;

/// How many more connections than another a worker may have before it hands one over. Handing
/// over costs a wake-up, so it is exact for few connections, where it matters, and lax for many.
const fn slack(least: usize) -> usize {
    least / 16
}

impl Worker {
    /// Accepts who is waiting at a listener.
    pub(super) fn accept(&mut self, token: Token) {
        let Some(local) = self.local(token.place) else {
            return;
        };
        if local.listeners != token.generation {
            return;
        }
        let Some(listener) = local.listener.clone() else {
            return;
        };
        let core = Arc::clone(&local.core);
        for _ in 0..CLIENTS {
            match socket::accept(&listener.fd) {
                Ok((fd, Some(peer))) if !listener.is_filler(peer) => {
                    let engine = &self.context.engine;
                    if engine.is_full() || !engine.files.take(files::CONNECTION) {
                        self.turn_away(&core, fd, Some(peer));
                        continue;
                    }
                    let id = core.tally.accepted.fetch_add(1, Relaxed) + 1;
                    self.place(Arrival {
                        core: Arc::clone(&core),
                        fd,
                        peer,
                        id,
                    });
                }
                // A filler of a black hole that has ended, or a client that is gone already.
                Ok(_) | Err(Errno::CONNABORTED | Errno::INTR) => {}
                Err(Errno::AGAIN) => return,
                Err(_) => {
                    // No files, no memory: let one in on the reserve and turn it away, so that it
                    // knows, and so that the listener does not report it for ever.
                    let reserve = self.context.reserve.take();
                    if let (Some(_), Ok((fd, peer))) = (reserve, socket::accept(&listener.fd)) {
                        self.turn_away(&core, fd, peer);
                    }
                    self.context.restore_reserve();
                    return;
                }
            }
        }
        // A portable poller reports a listener once only.
        self.queue.push(Token {
            kind: Kind::Listener,
            ..token
        });
    }

    /// Gives a client to the worker that has least to carry.
    fn place(&mut self, arrival: Arrival) {
        let engine = &self.context.engine;
        let loads = engine.loads.iter().map(|load| load.load(Relaxed));
        let (least, index) = loads.zip(0..).min().unwrap_or((0, self.index));
        let own = engine.load(self.index).load(Relaxed);
        let target = if own > least + slack(least) {
            index
        } else {
            self.index
        };
        engine.load(target).fetch_add(1, Relaxed);
        if target == self.index {
            self.adopt(arrival);
        } else if let Some(inbox) = engine.inboxes.get().and_then(|inboxes| inboxes.get(target)) {
            inbox.send(Message::Adopt(arrival));
        }
    }

    fn turn_away(&self, core: &crate::core::Core, fd: OwnedFd, peer: Option<SocketAddr>) {
        socket::reset_on_close(&fd);
        core.tally.turned_away.fetch_add(1, Relaxed);
        core.tell(|| What::TurnedAway { peer });
    }
}
