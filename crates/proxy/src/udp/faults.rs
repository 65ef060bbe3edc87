//! The faults of a proxy in order, and which of them a pipe has to have.

use crate::{Change, Error, Toxic};
use assize_fault::{Begun, Direction, FaultId, Nanos, Origin, Pipe};
use std::net::SocketAddr;

/// As many as anybody can keep apart.
const MOST: usize = 256;

/// The faults of one proxy, in the order in which they were attached.
#[derive(Debug)]
pub(super) struct Faults {
    proxy: String,
    list: Vec<(FaultId, Toxic)>,
}

impl Faults {
    pub(super) const fn new(proxy: String) -> Self {
        let list = Vec::new();
        Self { proxy, list }
    }

    pub(super) fn attach(&mut self, toxic: Toxic) -> Result<(), Error> {
        if self.find(&toxic.name).is_ok() {
            return Err(Error::ToxicExists(toxic.name));
        }
        if self.list.len() >= MOST {
            return Err(Error::TooManyToxics(MOST));
        }
        let id = FaultId::named(&self.proxy, &toxic.name);
        self.list.push((id, toxic));
        Ok(())
    }

    pub(super) fn change(&mut self, name: &str, change: Change) -> Result<FaultId, Error> {
        let place = self.find(name)?;
        let (id, toxic) = &mut self.list[place];
        toxic.wire = change.wire.unwrap_or_else(|| toxic.wire.clone());
        toxic.toxicity = change.toxicity.unwrap_or(toxic.toxicity);
        toxic.peer = change.peer.unwrap_or(toxic.peer);
        Ok(*id)
    }

    pub(super) fn detach(&mut self, name: &str) -> Result<(), Error> {
        let place = self.find(name)?;
        self.list.remove(place);
        Ok(())
    }

    /// Those upstream, then those downstream.
    pub(super) fn listed(&self) -> Vec<Toxic> {
        let of = |direction| {
            let all = self.list.iter().map(|(_, toxic)| toxic);
            all.filter(move |toxic| toxic.stream == direction).cloned()
        };
        of(Direction::Upstream)
            .chain(of(Direction::Downstream))
            .collect()
    }

    pub(super) fn name(&self, id: FaultId) -> Option<&str> {
        let found = self.list.iter().find(|(known, _)| *known == id);
        found.map(|(_, toxic)| toxic.name.as_str())
    }

    /// Brings a pipe in line with the list; `changed` has new settings.
    pub(super) fn apply(
        &self,
        pipe: &mut Pipe,
        origin: Origin,
        peer: SocketAddr,
        changed: Option<FaultId>,
        (now, begun): (Nanos, Begun),
    ) {
        let wanted = self.list.iter().filter(|(id, toxic)| {
            toxic.stream == origin.direction
                && toxic.peer.is_none_or(|meant| meant.meets(peer))
                && origin.is_touched(*id, toxic.toxicity)
        });
        let wanted: Vec<&(FaultId, Toxic)> = wanted.collect();
        let present: Vec<FaultId> = pipe.faults().collect();
        for id in &present {
            if !wanted.iter().any(|(known, _)| known == id) {
                pipe.detach(now, *id);
            }
        }
        for (place, (id, toxic)) in wanted.into_iter().enumerate() {
            if !present.contains(id) {
                pipe.attach(now, *id, place, &toxic.wire, begun);
            } else if changed == Some(*id) {
                pipe.change(now, *id, &toxic.wire);
            }
        }
    }

    fn find(&self, name: &str) -> Result<usize, Error> {
        let place = self.list.iter().position(|(_, toxic)| toxic.name == name);
        place.ok_or_else(|| Error::NoSuchToxic(name.to_owned()))
    }
}
