//! What all parts of a run share: addresses, replicas, what clients hold of names.
//!
//! The director alone writes here; users and replicas read.

use crate::clock::Clock;
use crate::flows::{End, Flows, Origin};
use crate::replica::{Later, Neighbours, Replica, Way};
use crate::turns::Turns;
use crate::zone::Zone;
use assize_control::wire::Scale;
use assize_fault::Nanos;
use assize_model::scenario::{FaultEntry, Target};
use assize_model::topology::Topology;
use assize_model::{AccessId, ServiceId};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What all parts of a run share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) topology: Arc<Topology>,
    pub(crate) clock: Clock,
    pub(crate) zone: Zone,
    /// By service and replica.
    pub(crate) replicas: Vec<Vec<Arc<dyn Replica>>>,
    pub(crate) flows: Flows,
    /// By how much bytes are thinned.
    pub(crate) thin: u32,
    /// By service and cohort, the replica that clients go to: the answer that they hold.
    views: Vec<[AtomicU16; 64]>,
    /// Who stays with an old primary, by spot, access and service: users who cannot reach the new one.
    clings: Mutex<BTreeMap<(usize, AccessId, ServiceId), u16>>,
    /// By access and need, how often everything held of it has become void.
    epochs: Vec<Vec<AtomicU32>>,
    /// By service, a mask of replicas whose checks are made to ask the machine alone.
    lied_to: Vec<AtomicU64>,
    /// The first turn of the timeline that is not carried out yet.
    pub(crate) turns: Turns,
}

impl World {
    /// Everybody goes where the zone says.
    pub(crate) fn new(
        topology: Arc<Topology>,
        clock: Clock,
        zone: Zone,
        replicas: Vec<Vec<Arc<dyn Replica>>>,
        (flows, thin): (Flows, u32),
    ) -> Self {
        let views = (0..topology.services.len())
            .map(|s| {
                let record = zone.record(ServiceId::from(s));
                std::array::from_fn(|k| {
                    AtomicU16::new(record.as_ref().map_or(0, |r| r.replicas[k]))
                })
            })
            .collect();
        let epochs = topology
            .access
            .iter()
            .map(|a| a.needs.iter().map(|_| AtomicU32::new(0)).collect())
            .collect();
        let lied_to = topology
            .services
            .iter()
            .map(|_| AtomicU64::new(0))
            .collect();
        Self {
            topology,
            clock,
            zone,
            replicas,
            flows,
            thin,
            views,
            clings: Mutex::default(),
            epochs,
            lied_to,
            turns: Turns::default(),
        }
    }

    /// How model figures become those of the wall.
    pub(crate) fn scale(&self) -> Scale {
        Scale {
            pace: self.clock.pace(),
            thin: self.thin,
        }
    }

    /// The replica that clients of this cohort go to.
    pub(crate) fn view(&self, service: ServiceId, cohort: u8) -> u16 {
        self.views[service.index()][usize::from(cohort % 64)].load(Relaxed)
    }

    /// The replica that users of a spot go to over an access: where the name leads, or an old primary
    /// that still takes writes, where the new one cannot be reached.
    pub(crate) fn goes_to(
        &self,
        spot: usize,
        access: AccessId,
        service: ServiceId,
        cohort: u8,
    ) -> u16 {
        let clings = self.clings.lock().unwrap_or_else(PoisonError::into_inner);
        let old = clings.get(&(spot, access, service)).copied();
        old.unwrap_or_else(|| self.view(service, cohort))
    }

    /// Who stays with which old primary of a service from now on.
    pub(crate) fn set_clings(&self, service: ServiceId, new: &BTreeMap<(usize, AccessId), u16>) {
        let mut clings = self.clings.lock().unwrap_or_else(PoisonError::into_inner);
        clings.retain(|key, _| key.2 != service);
        clings.extend(
            new.iter()
                .map(|((spot, access), old)| ((*spot, *access, service), *old)),
        );
    }

    /// Who stays with an old primary of a service now.
    pub(crate) fn clings(&self, service: ServiceId) -> BTreeMap<(usize, AccessId), u16> {
        let clings = self.clings.lock().unwrap_or_else(PoisonError::into_inner);
        let own = clings.iter().filter(|(key, _)| key.2 == service);
        own.map(|((spot, access, _), old)| ((*spot, *access), *old))
            .collect()
    }

    /// Clients of this cohort go there from now on.
    pub(crate) fn set_view(&self, service: ServiceId, cohort: u8, replica: u16) {
        self.views[service.index()][usize::from(cohort % 64)].store(replica, Relaxed);
    }

    /// Everything that is held of the services that a fault names, over accesses that lead
    /// through its node, is void from now on; returns how many accesses that concerns.
    pub(crate) fn lose_sessions(&self, fault: &FaultEntry) -> usize {
        let of = |target: &Target| match target {
            Target::Service(s) | Target::Primary(s) | Target::Replica(s, _) => Some(*s),
            _ => None,
        };
        let services: Vec<ServiceId> = fault.against.iter().filter_map(of).collect();
        let nodes: Vec<_> = fault
            .targets
            .iter()
            .filter_map(|t| match t {
                Target::NodeReplica(node, _) => Some(*node),
                _ => None,
            })
            .collect();
        let mut concerned = 0;
        for (access, epochs) in self.topology.access.iter().zip(&self.epochs) {
            if !access.through.iter().any(|n| nodes.contains(n)) {
                continue;
            }
            for (need, epoch) in access.needs.iter().zip(epochs) {
                if services.contains(&need.service) {
                    epoch.fetch_add(1, Relaxed);
                    concerned += 1;
                }
            }
        }
        concerned
    }

    /// Checks of a replica ask its machine alone, or no longer.
    pub(crate) fn lie_to_checks(&self, service: ServiceId, replica: u16, lie: bool) {
        let (all, bit) = (&self.lied_to[service.index()], 1 << (replica % 64));
        if lie {
            all.fetch_or(bit, Relaxed);
        } else {
            all.fetch_and(!bit, Relaxed);
        }
    }

    /// Whether checks of a replica are made to ask its machine alone.
    pub(crate) fn are_checks_lied_to(&self, service: ServiceId, replica: u16) -> bool {
        self.lied_to[service.index()].load(Relaxed) & (1 << (replica % 64)) != 0
    }

    /// Counts how often what is held of a need of an access has become void at once.
    pub(crate) fn epoch(&self, access: AccessId, need: usize) -> u32 {
        self.epochs[access.index()][need].load(Relaxed)
    }

    /// A replica.
    pub(crate) fn replica(&self, service: ServiceId, replica: u16) -> Option<&Arc<dyn Replica>> {
        self.replicas
            .get(service.index())?
            .get(usize::from(replica))
    }

    /// The way from somewhere to a replica, if there is a flow.
    pub(crate) fn way(&self, from: Origin, service: ServiceId, replica: u16) -> Option<Way> {
        let flow = self.flows.find(from, End::Replica(service, replica))?;
        Some(Way {
            via: self.flows.get(flow).addr,
            to: Arc::clone(self.replica(service, replica)?),
        })
    }

    /// `service/NAME/REPLICA`.
    pub(crate) fn selector(&self, service: ServiceId, replica: u16) -> String {
        let spec = self.topology.service(service);
        let name = spec.replicas.get(usize::from(replica));
        format!(
            "service/{}/{}",
            spec.id,
            name.map_or("?", |r| r.id.as_str())
        )
    }
}

/// What one replica finds from where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Neighbourhood {
    pub(crate) service: ServiceId,
    pub(crate) replica: u16,
    /// The phase with which it follows each service's name, as one client, by service.
    pub(crate) phases: Vec<u8>,
    /// Filled once everything has started.
    pub(crate) world: Arc<OnceLock<Arc<World>>>,
}

impl Neighbourhood {
    fn origin(&self) -> Origin {
        Origin::Replica(self.service, self.replica)
    }
}

impl Neighbours for Neighbourhood {
    fn service(&self, service: ServiceId, cohort: u8) -> Option<Way> {
        let world = self.world.get()?;
        let spec = world.topology.services.get(service.index())?;
        // Of a sharded service each user needs their own shard; any other name is the
        // replica's own to look up.
        let cohort = if spec.mode == assize_model::topology::Mode::Sharded {
            cohort
        } else {
            self.phases.get(service.index()).copied().unwrap_or(0)
        };
        world.way(self.origin(), service, world.view(service, cohort))
    }

    fn replica(&self, index: u16) -> Option<Way> {
        let world = self.world.get()?;
        world.way(self.origin(), self.service, index)
    }

    fn peer(&self, index: u16) -> Option<SocketAddr> {
        let world = self.world.get()?;
        let end = End::Peer(self.service, index);
        let flow = world.flows.find(self.origin(), end)?;
        Some(world.flows.get(flow).addr)
    }

    fn vault(&self, backup: usize) -> Option<SocketAddr> {
        let world = self.world.get()?;
        let state = world.topology.service(self.service).state.as_ref()?;
        let node = state.backups.get(backup)?.kept_at;
        let flow = world.flows.find(self.origin(), End::Vault(node))?;
        Some(world.flows.get(flow).addr)
    }

    fn after_turns(&self, at: Nanos) -> Later<'_, ()> {
        Box::pin(async move {
            if let Some(world) = self.world.get() {
                let lately = Nanos::secs(1) * i64::from(world.clock.pace());
                let patience = std::time::Duration::from_millis(200);
                world.turns.done_through(at, lately, patience).await;
            }
        })
    }
}
