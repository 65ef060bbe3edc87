//! What a worker does when it is told to: the operations of a proxy's handle, carried out on all
//! of the proxy's connections at once and answered before anything else happens.

use super::token::{Kind, Token};
use super::{Local, Worker};
use crate::chain::Chain;
use crate::core::Core;
use crate::inbox::{Answer, Message, Operation};
use crate::listener::Listener;
use crate::{Cut, files};
use assize_fault::Begun;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

impl Worker {
    pub(super) fn on_message(&mut self, message: Message) {
        match message {
            Message::Adopt(arrival) => self.adopt(arrival),
            Message::Do(core, operation, answers) => answers.add(self.carry_out(&core, operation)),
            Message::Resolved(bits, found) => {
                let token = Token::unpack(bits);
                if self.conns.get(token.place, token.generation).is_some() {
                    self.set_out(token.place, found);
                }
            }
            Message::Stop => self.stopped = true,
        }
    }

    fn carry_out(&mut self, core: &Arc<Core>, operation: Operation) -> Answer {
        let mut answer = Answer::default();
        match operation {
            Operation::Add(chain) => self.add(core, chain),
            Operation::Remove => {
                self.unlisten(core.slot);
                self.cut(core.slot, Cut::Close);
                if let Some(place) = self.proxies.get_mut(core.slot) {
                    *place = None;
                }
            }
            Operation::Listen(listener) => answer.failed = self.listen(core.slot, listener).err(),
            Operation::Unlisten => self.unlisten(core.slot),
            Operation::Chain(chain) => self.reconcile(core.slot, chain),
            Operation::Cut(how) => answer.cut = self.cut(core.slot, how),
            Operation::Describe => {
                for place in self.places(core.slot) {
                    let conn = self.conns.get_mut(place);
                    answer.connections.extend(conn.map(|conn| conn.describe()));
                }
            }
        }
        answer
    }

    fn add(&mut self, core: &Arc<Core>, chain: Arc<Chain>) {
        if self.proxies.len() <= core.slot {
            self.proxies.resize_with(core.slot + 1, || None);
        }
        if let Some(place) = self.proxies.get_mut(core.slot) {
            *place = Some(Local {
                core: Arc::clone(core),
                chain,
                listener: None,
                listeners: 0,
                conns: Vec::new(),
            });
        }
    }

    fn listen(&mut self, slot: usize, listener: Arc<Listener>) -> io::Result<()> {
        self.unlisten(slot);
        let Some(Some(local)) = self.proxies.get_mut(slot) else {
            return Ok(());
        };
        let token = Token {
            kind: Kind::Listener,
            place: slot,
            generation: local.listeners,
        };
        self.poller
            .add_listener(listener.fd.as_fd(), token.pack())?;
        local.listener = Some(listener);
        Ok(())
    }

    fn unlisten(&mut self, slot: usize) {
        let Some(Some(local)) = self.proxies.get_mut(slot) else {
            return;
        };
        local.listeners = local.listeners.wrapping_add(1) & (u32::MAX >> 1);
        if let Some(listener) = local.listener.take() {
            // It is polled, so it can be removed; closing it would do the same.
            let _ = self.poller.remove(listener.fd.as_fd());
        }
    }

    fn reconcile(&mut self, slot: usize, chain: Arc<Chain>) {
        for place in self.places(slot) {
            if let Some(conn) = self.conns.get_mut(place) {
                conn.reconcile(&chain, Begun::Live, &mut self.context);
            }
            self.pump(place);
        }
        if let Some(local) = self.local(slot) {
            local.chain = chain;
        }
    }

    fn cut(&mut self, slot: usize, how: Cut) -> usize {
        let places = self.places(slot);
        // Clients first: it is they who are to notice at once.
        let servers: Vec<_> = places
            .iter()
            .map(|&place| self.close_client(place, how))
            .collect();
        drop(servers);
        places.len()
    }

    fn places(&mut self, slot: usize) -> Vec<usize> {
        self.local(slot)
            .map_or_else(Vec::new, |local| local.conns.clone())
    }
}

/// A worker that ends takes its connections with it; their files are free again.
impl Drop for Worker {
    fn drop(&mut self) {
        let open = i64::try_from(self.conns.len()).unwrap_or(i64::MAX);
        let engine = &self.context.engine;
        engine.files.give(open.saturating_mul(files::CONNECTION));
        engine.load(self.index).store(0, Relaxed);
    }
}
