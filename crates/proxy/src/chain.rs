//! The faults of a proxy as its workers see them: two ordered lists that never change. A change
//! makes new ones, and each connection brings itself in line with them.

use crate::{Direction, Toxic};
use assize_fault::FaultId;
use std::sync::Arc;

/// A fault with the number that it keeps for life.
#[derive(Debug)]
pub(crate) struct Entry {
    /// What its random draws are keyed by: the same name on the same proxy, the same draws.
    pub(crate) key: FaultId,
    pub(crate) toxic: Toxic,
}

impl Entry {
    /// Whether the other is this one with other settings.
    pub(crate) fn is_same_fault(&self, other: &Self) -> bool {
        self.key == other.key && self.toxic.wire.kind() == other.toxic.wire.kind()
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

    /// Adds one at the end of its direction.
    pub(crate) fn push(&mut self, entry: Entry) {
        match entry.toxic.stream {
            Direction::Upstream => self.upstream.push(Arc::new(entry)),
            Direction::Downstream => self.downstream.push(Arc::new(entry)),
        }
    }

    /// Puts one in the place of that of the same name.
    pub(crate) fn replace(&mut self, entry: Entry) {
        let old = self.upstream.iter_mut().chain(&mut self.downstream);
        if let Some(place) = old.into_iter().find(|old| old.key == entry.key) {
            *place = Arc::new(entry);
        }
    }

    /// Takes one out.
    pub(crate) fn remove(&mut self, key: FaultId) {
        self.upstream.retain(|entry| entry.key != key);
        self.downstream.retain(|entry| entry.key != key);
    }
}
