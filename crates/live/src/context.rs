//! What a replica is told when it is started, stand-in or driver.

use crate::clock::Clock;
use crate::replica::Neighbours;
use crate::zone::Zone;
use assize_model::ServiceId;
use assize_model::topology::{Service, Topology};
use std::path::PathBuf;
use std::sync::Arc;

/// What a replica is told when it is started. It may keep all of it.
#[derive(Clone, Debug)]
pub struct Context {
    /// The network.
    pub topology: Arc<Topology>,
    /// Its service.
    pub service: ServiceId,
    /// Which replica of it.
    pub replica: u16,
    /// Model time.
    pub clock: Clock,
    /// Whom it reaches, through the network. Answers `None` until every replica has started.
    pub neighbours: Arc<dyn Neighbours>,
    /// A folder of its own that exists and is empty.
    pub folder: PathBuf,
    /// The plan's seed: who is in which shard follows from it. Draws of a replica's own are keyed by
    /// its name as well.
    pub seed: u64,
    /// How many phases cohorts have in the plan; see [`assize_model::plan::phases`].
    pub phases: u8,
    /// The table of names.
    pub zone: Zone,
    /// Whether it may start commands.
    pub allow_exec: bool,
}

impl Context {
    /// Its service.
    #[must_use]
    pub fn spec(&self) -> &Service {
        self.topology.service(self.service)
    }

    /// `service/replica` by name, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        let service = self.spec();
        match service.replicas.get(usize::from(self.replica)) {
            Some(replica) => format!("{}/{}", service.id, replica.id),
            None => format!("{}/{}", service.id, self.replica),
        }
    }
}
