//! The faults of a proxy as its workers see them: two ordered lists that never change. A change
//! makes new ones, and each connection brings itself in line with them.

use crate::{Change, Direction, Error, Toxic};
use assize_fault::{Begun, FaultId, Nanos, Origin, Pipe};
use std::net::SocketAddr;
use std::sync::Arc;

/// Faults that one proxy may have at once.
pub(crate) const MOST_TOXICS: usize = 64;

/// A fault with the number that it keeps for life.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What its random draws are keyed by: the same name on the same proxy, the same draws.
    pub(crate) key: FaultId,
    pub(crate) toxic: Toxic,
}

impl Entry {
    /// Whether the other is this one with other settings.
    fn is_same_fault(&self, other: &Self) -> bool {
        self.key == other.key && self.toxic.wire.kind() == other.toxic.wire.kind()
    }

    /// Whether it touches this direction of the connection of this client.
    pub(crate) fn touches(&self, origin: Origin, client: SocketAddr) -> bool {
        let meets = self.toxic.peer.is_none_or(|peer| peer.meets(client));
        meets && origin.is_touched(self.key, self.toxic.toxicity)
    }
}

/// The faults of both directions, in the order in which bytes meet them.
#[derive(Clone, Default, Debug)]
pub(crate) struct Chain {
    upstream: Vec<Arc<Entry>>,
    downstream: Vec<Arc<Entry>>,
}

impl Chain {
    /// Those of one direction.
    pub(crate) fn of(&self, direction: Direction) -> &[Arc<Entry>] {
        match direction {
            Direction::Upstream => &self.upstream,
            Direction::Downstream => &self.downstream,
        }
    }

    /// All, upstream first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.upstream.iter().chain(&self.downstream)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.upstream.len() + self.downstream.len()
    }

    /// The one of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<Entry>> {
        self.all().find(|entry| entry.toxic.name == name)
    }

    /// Attaches a fault of the proxy of this name at the end of its direction.
    pub(crate) fn attach(&mut self, proxy: &str, toxic: Toxic) -> Result<(), Error> {
        if self.find(&toxic.name).is_some() {
            return Err(Error::ToxicExists(toxic.name));
        }
        if self.len() >= MOST_TOXICS {
            return Err(Error::TooManyToxics(self.len()));
        }
        let key = FaultId::named(proxy, &toxic.name);
        match toxic.stream {
            Direction::Upstream => self.upstream.push(Arc::new(Entry { key, toxic })),
            Direction::Downstream => self.downstream.push(Arc::new(Entry { key, toxic })),
        }
        Ok(())
    }

    /// Changes one in its place.
    pub(crate) fn change(&mut self, name: &str, change: Change) -> Result<(), Error> {
        let mut all = self.upstream.iter_mut().chain(&mut self.downstream);
        let place = all.find(|entry| entry.toxic.name == name);
        let place = place.ok_or_else(|| Error::NoSuchToxic(name.to_owned()))?;
        let mut toxic = place.toxic.clone();
        toxic.wire = change.wire.unwrap_or(toxic.wire);
        toxic.toxicity = change.toxicity.unwrap_or(toxic.toxicity);
        toxic.peer = change.peer.unwrap_or(toxic.peer);
        let key = place.key;
        *place = Arc::new(Entry { key, toxic });
        Ok(())
    }

    /// Takes one out.
    pub(crate) fn detach(&mut self, name: &str) -> Result<(), Error> {
        let before = self.len();
        self.upstream.retain(|entry| entry.toxic.name != name);
        self.downstream.retain(|entry| entry.toxic.name != name);
        if self.len() == before {
            return Err(Error::NoSuchToxic(name.to_owned()));
        }
        Ok(())
    }
}

/// Brings a pipe in line with the faults that it is to have, in order; `has` are those that it
/// has.
pub(crate) fn reconcile(
    pipe: &mut Pipe,
    has: &mut Vec<Arc<Entry>>,
    wanted: &[&Arc<Entry>],
    now: Nanos,
    begun: Begun,
) {
    let old = std::mem::take(has);
    for gone in &old {
        if !wanted.iter().any(|entry| entry.is_same_fault(gone)) {
            pipe.detach(now, gone.key);
        }
    }
    for (place, entry) in wanted.iter().enumerate() {
        let wire = &entry.toxic.wire;
        match old.iter().find(|old| old.is_same_fault(entry)) {
            Some(same) if Arc::ptr_eq(same, entry) => {}
            Some(_) => {
                pipe.change(now, entry.key, wire);
            }
            None => pipe.attach(now, entry.key, place, wire, begun),
        }
    }
    *has = wanted.iter().map(|entry| Arc::clone(entry)).collect();
}
