//! From a plan to running replicas and the flows between them.

use crate::clock::Clock;
use crate::context::Context;
use crate::director::{origin_of, replicas_of};
use crate::flows::{self, End, FlowKey, Flows, Ground, Origin};
use crate::network::Network;
use crate::options::{Options, Refused};
use crate::probe::spot_of;
use crate::replica::{Replica, Transport};
use crate::stand_ins::Vault;
use crate::users::called;
use crate::world::{Neighbourhood, World};
use crate::zone::Zone;
use crate::{drivers, stand_ins};
use assize_control::wire::Scale;
use assize_fault::{Nanos, Order, Stream};
use assize_model::binding::Realisation;
use assize_model::faults::Effect;
use assize_model::topology::{Probes, Service, Topology};
use assize_model::{NodeId, Plan, ServiceId};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Everything that was started. Replicas are to be stopped by [`Started::stop`].
pub(crate) struct Started {
    pub(crate) replicas: Vec<Vec<Arc<dyn Replica>>>,
    pub(crate) vaults: BTreeMap<NodeId, Vault>,
    pub(crate) world: Arc<OnceLock<Arc<World>>>,
}

impl Started {
    /// Ends every replica.
    pub(crate) async fn stop(&self) {
        for replica in self.replicas.iter().flatten() {
            replica.stop().await;
        }
    }
}

/// Starts every replica and every vault: real systems first, in the order of the file, then
/// stand-ins, on a clock that counts from there and is handed back. Those already started are
/// stopped if one cannot be.
pub(crate) async fn start_all(
    plan: &Plan<'_>,
    options: &Options,
    topology: &Arc<Topology>,
    clock: impl Fn() -> Clock,
    zone: &Zone,
) -> Result<(Started, Clock), Refused> {
    let mut started = Started {
        replicas: vec![Vec::new(); topology.services.len()],
        vaults: BTreeMap::new(),
        world: Arc::new(OnceLock::new()),
    };
    let made = async {
        let real = Making {
            plan,
            options,
            topology,
            clock: clock(),
            zone,
        };
        started.add(&real, true).await?;
        let clock = clock();
        started.add(&Making { clock, ..real }, false).await?;
        for place in vault_places(topology) {
            let folder = folder(&options.folder, &format!("vault-{}", place.index()))?;
            started.vaults.insert(place, Vault::start(folder).await?);
        }
        Ok(clock)
    };
    match made.await {
        Ok(clock) => Ok((started, clock)),
        Err(refused) => {
            started.stop().await;
            Err(refused)
        }
    }
}

/// What replicas are started from.
#[derive(Clone, Copy)]
struct Making<'a> {
    plan: &'a Plan<'a>,
    options: &'a Options,
    topology: &'a Arc<Topology>,
    clock: Clock,
    zone: &'a Zone,
}

impl Started {
    /// Starts the replicas of real services, or of stand-ins.
    async fn add(&mut self, making: &Making<'_>, real: bool) -> Result<(), Refused> {
        for (s, service) in making.topology.services.iter().enumerate() {
            if matches!(service.realised, Realisation::Bound(_)) != real {
                continue;
            }
            for r in 0..service.replicas.len() {
                let context = self.context(making, service, (s, r))?;
                let one = match &service.realised {
                    Realisation::StandIn(kind) => stand_ins::start(*kind, context).await,
                    Realisation::Bound(binding) => drivers::start(binding, context).await,
                };
                self.replicas[s].push(one?);
            }
        }
        Ok(())
    }

    fn context(
        &self,
        making: &Making<'_>,
        service: &Service,
        (s, r): (usize, usize),
    ) -> Result<Context, Refused> {
        let id = ServiceId::from(s);
        let replica = u16::try_from(r).unwrap_or(u16::MAX);
        let neighbours = Neighbourhood {
            service: id,
            replica,
            phases: client_phases(making.plan, service, r),
            world: Arc::clone(&self.world),
        };
        Ok(Context {
            topology: Arc::clone(making.topology),
            service: id,
            replica,
            clock: making.clock,
            neighbours: Arc::new(neighbours),
            folder: folder(&making.options.folder, &format!("{s}-{r}"))?,
            seed: making.plan.seed,
            phases: making.plan.phases,
            zone: making.zone.clone(),
            allow_exec: making.options.allow_exec,
        })
    }
}

fn folder(base: &Path, name: &str) -> Result<PathBuf, Refused> {
    let path = base.join(name);
    std::fs::create_dir_all(&path)
        .map_err(|e| Refused::new(format!("the folder {} cannot be made: {e}", path.display())))?;
    Ok(path)
}

/// The nodes at which backups are kept.
fn vault_places(topology: &Topology) -> BTreeSet<NodeId> {
    let states = topology.services.iter().filter_map(|s| s.state.as_ref());
    states.flat_map(|s| &s.backups).map(|b| b.kept_at).collect()
}

/// A replica that is itself a client follows names as one client of a random phase.
fn client_phases(plan: &Plan<'_>, service: &Service, replica: usize) -> Vec<u8> {
    let own = service.replicas[replica].id.as_str();
    let services = plan.topology.services.iter();
    services
        .map(|target| {
            let names = ["client", service.id.as_str(), own, target.id.as_str()];
            u8::try_from(Stream::new(plan.seed, &names).below(64)).unwrap_or(0)
        })
        .collect()
}

/// Every flow that the plan needs, by its ends.
pub(crate) fn flow_keys(plan: &Plan<'_>) -> BTreeSet<FlowKey> {
    let topology = plan.topology;
    let (mut keys, mut peers) = (BTreeSet::new(), BTreeSet::new());
    let mut to_all = |origin: Origin, service: ServiceId| {
        for r in 0..topology.service(service).replicas.len() {
            let end = End::Replica(service, r as u16);
            keys.insert(FlowKey { origin, end });
        }
    };
    for (index, cell) in plan.cells.iter().enumerate() {
        let spot = spot_of(plan, index);
        let population = topology.population(cell.population);
        for &access in &population.access {
            let origin = Origin::Users { spot, access };
            for need in &topology.access_path(access).needs {
                to_all(origin, need.service);
            }
            for (journey, _) in &population.makes {
                for service in called(topology.journey(*journey)) {
                    to_all(origin, service);
                }
            }
        }
    }
    for (s, service) in topology.services.iter().enumerate() {
        let id = ServiceId::from(s);
        let depends = &service.depends;
        let needs = depends.all_of.iter().chain(depends.any_of.iter().flatten());
        let backups = || service.state.iter().flat_map(|s| &s.backups);
        for r in 0..service.replicas.len() {
            let origin = Origin::Replica(id, r as u16);
            for need in needs.clone() {
                to_all(origin, need.service);
            }
            for need in backups().flat_map(|b| &b.needs) {
                to_all(origin, *need);
            }
            if service.replicas.len() > 1 {
                to_all(origin, id);
            }
            for p in 0..peers_of(service).len() {
                let end = End::Peer(id, p as u16);
                peers.insert(FlowKey { origin, end });
            }
        }
        if let Some(failover) = &service.failover
            && service.replicas.len() > 1
            && !failover.external
        {
            if failover.check.from.is_empty() {
                to_all(origin_of(None), id);
            }
            for from in &failover.check.from {
                to_all(origin_of(Some(*from)), id);
            }
        }
        // A read-back needs some way in any case.
        if service.state.is_some() {
            to_all(origin_of(None), id);
        }
    }
    for (s, service) in topology.services.iter().enumerate() {
        for backup in service.state.iter().flat_map(|s| &s.backups) {
            for r in 0..service.replicas.len() {
                keys.insert(FlowKey {
                    origin: Origin::Replica(ServiceId::from(s), r as u16),
                    end: End::Vault(backup.kept_at),
                });
            }
        }
    }
    keys.extend(to_machines(plan));
    // Nobody goes to itself through a proxy.
    keys.retain(|k| !matches!((k.origin, k.end), (Origin::Replica(s, r), End::Replica(t, q)) if s == t && r == q));
    keys.append(&mut peers);
    keys
}

/// The ways of health checks that ask the machine and not what runs on it, because they always do
/// or because a fault makes them.
fn to_machines(plan: &Plan<'_>) -> BTreeSet<FlowKey> {
    let topology = plan.topology;
    let lied_to = |service: ServiceId| {
        let mut faults = plan.scenario.faults.iter();
        faults.any(|f| {
            f.effects.contains(&Effect::CheckLies)
                && f.targets
                    .iter()
                    .any(|t| replicas_of(topology, t).iter().any(|at| at.0 == service))
        })
    };
    let mut keys = BTreeSet::new();
    for (s, service) in topology.services.iter().enumerate() {
        let id = ServiceId::from(s);
        let Some(failover) = service.failover.as_ref().filter(|f| !f.external) else {
            continue;
        };
        let stand_in = matches!(service.realised, Realisation::StandIn(_));
        if !stand_in || failover.check.probes != Probes::Host && !lied_to(id) {
            continue;
        }
        let from = failover
            .check
            .from
            .iter()
            .map(|node| origin_of(Some(*node)));
        let beside = failover.check.from.is_empty().then(|| origin_of(None));
        for origin in from.chain(beside) {
            let ends = (0..service.replicas.len()).map(|r| End::Machine(id, r as u16));
            keys.extend(ends.map(|end| FlowKey { origin, end }));
        }
    }
    keys
}

/// What a flow is called.
pub(crate) fn flow_name(plan: &Plan<'_>, key: FlowKey) -> String {
    let topology = plan.topology;
    let replica = |s: ServiceId, r: u16| {
        let service = topology.service(s);
        format!("{}/{}", service.id, service.replicas[usize::from(r)].id)
    };
    let from = match key.origin {
        Origin::Users { spot, access } => {
            let cell = (0..plan.cells.len()).find(|c| spot_of(plan, *c) == spot);
            let place = cell.map_or_else(String::new, |c| {
                let cell = &plan.cells[c];
                let node = topology.node(cell.node);
                if node.class {
                    format!("{}[{}..{}]", node.id, cell.first, cell.end)
                } else {
                    node.id.clone()
                }
            });
            format!("{place}({})", topology.access_path(access).id)
        }
        Origin::Replica(s, r) => replica(s, r),
        Origin::Checker(node) => format!("check@{}", topology.node(node).id),
        Origin::Beside => "beside".into(),
    };
    let to = match key.end {
        End::Replica(s, r) => replica(s, r),
        End::Machine(s, r) => format!("machine of {}", replica(s, r)),
        End::Vault(node) => format!("vault@{}", topology.node(node).id),
        End::Peer(s, p) => peers_of(topology.service(s))[usize::from(p)].clone(),
    };
    format!("{from}->{to}")
}

/// Further addresses that a real system's own control plane uses.
pub(crate) fn peers_of(service: &Service) -> &[String] {
    match &service.realised {
        Realisation::Bound(binding) => &binding.peers,
        Realisation::StandIn(_) => &[],
    }
}

/// Makes every flow of the plan.
pub(crate) fn make_flows(
    plan: &Plan<'_>,
    ground: &Ground,
    started: &Started,
    (keys, network, scale): (&[FlowKey], &mut Network<'_>, Scale),
    machine: SocketAddr,
) -> Result<Flows, Refused> {
    let mut makings = Vec::new();
    network.refresh(Nanos(i64::MIN / 4));
    for (i, &key) in keys.iter().enumerate() {
        let (upstream, transport) = match key.end {
            End::Replica(s, r) => {
                let replica = &started.replicas[s.index()][usize::from(r)];
                (replica.upstream(), replica.transport())
            }
            End::Machine(..) => (machine.to_string(), Transport::Tcp),
            End::Peer(s, p) => {
                let peer = &peers_of(plan.topology.service(s))[usize::from(p)];
                (peer.clone(), Transport::Tcp)
            }
            End::Vault(node) => match started.vaults.get(&node) {
                Some(vault) => (vault.upstream(), Transport::Tcp),
                None => return Err(Refused::new("a vault is missing")),
            },
        };
        let order = match transport {
            Transport::Tcp => Order::Stream,
            Transport::Udp => Order::Datagram,
        };
        makings.push(flows::Making {
            on: network.on_wire(i, order, scale),
            key,
            name: flow_name(plan, key),
            upstream,
            transport,
        });
    }
    Flows::make(ground, plan.seed, makings)
}
