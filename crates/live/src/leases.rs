//! What representatives keep of the needs of an access: leases, tickets, sessions.
//!
//! When each is asked for and when it ends is [`assize_control::Lease`]'s to say, as in simulation;
//! here the real service is asked over the real path.
//! Ages count from the first fault that can interrupt it: a cohort of phase f is due at f of the
//! renewal age after it. In simulation it is the first that does.

use crate::director::Report;
use crate::flows::{End, Origin};
use crate::replica::{Call, Trouble, What};
use crate::users::{Rep, called};
use crate::world::World;
use assize_fault::{Nanos, Size};
use assize_model::binding::{Realisation, StandIn};
use assize_model::scenario::Target;
use assize_model::topology::{Access, Need};
use assize_model::{AccessId, NodeId, Plan, ServiceId};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, sleep, sleep_until, timeout};

/// How soon a client notices that what it holds was voided, on the wall.
const NOTICE: Duration = Duration::from_millis(50);

/// One try, if the need does not say how long it lasts, in model time.
const TRY: Nanos = Nanos::secs(5);

/// What one representative keeps of one need of one access.
pub(crate) struct Lease {
    world: Arc<World>,
    rep: Arc<Rep>,
    rank: usize,
    index: usize,
    need: Need,
    kept: assize_control::Lease,
    /// When service hours open and everybody obtains it anew, latest first; only of aligned ages.
    openings: Vec<Nanos>,
    epoch: u32,
}

/// All of a representative.
pub(crate) fn of(plan: &Plan<'_>, world: &Arc<World>, rep: &Arc<Rep>, now: Nanos) -> Vec<Lease> {
    let mut leases = Vec::new();
    for (rank, used) in rep.accesses.iter().enumerate() {
        let access = plan.topology.access_path(used.access);
        for (index, need) in access.needs.iter().enumerate() {
            let Some(spec) = &need.cache else {
                continue;
            };
            let anchor = anchor(plan, rep, access, need.service);
            let service = &plan.topology.service(need.service).id;
            let phase = |name: &str| plan.phases_of(name)[usize::from(rep.cohort())];
            let joins = access
                .joins
                .map_or(Nanos::NEVER, assize_fault::Rate::period);
            let mut kept = assize_control::Lease::new(spec, joins);
            let mut openings = Vec::new();
            if spec.aligned {
                openings = opened(plan, rep);
                let ahead = openings.partition_point(|at| *at <= Nanos::ZERO);
                let last = openings[..ahead].last().copied();
                kept.on_granted(last.unwrap_or(Nanos::ZERO));
                openings.drain(..ahead);
                openings.reverse();
            } else {
                kept.anchor(anchor, phase(&format!("{}/{service}", access.id)));
            }
            // What was due before the run is past, and what is due before the first fault is made.
            kept.wind(now);
            kept.anchor_joins(anchor, phase(&format!("{}/joins", access.id)));
            leases.push(Lease {
                world: Arc::clone(world),
                rep: Arc::clone(rep),
                rank,
                index,
                need: need.clone(),
                kept,
                openings,
                epoch: world.epoch(used.access, index),
            });
        }
    }
    leases
}

/// When the first fault begins that can stand between a representative and a service, or make its
/// replicas fail; of none of them, the first fault.
fn anchor(plan: &Plan<'_>, rep: &Rep, access: &Access, service: ServiceId) -> Nanos {
    let topology = plan.topology;
    let spec = topology.service(service);
    let mut ends: Vec<NodeId> = spec.replicas.iter().map(|r| r.at).collect();
    ends.push(plan.cells[rep.cell].node);
    ends.extend(&access.through);
    let concerns = |target: &Target| match target {
        Target::Service(s) | Target::Primary(s) | Target::Replica(s, _) => {
            *s == service || spec.depends.all_of.iter().any(|d| d.service == *s)
        }
        Target::Shard(s, _) | Target::Flow(s, _) => *s == service,
        Target::Node(node, _) | Target::NodeReplica(node, _) | Target::Part(node, ..) => {
            ends.contains(node)
        }
        Target::Link(link, _) => {
            let link = topology.link(*link);
            let mut joined = link.from.iter().chain([&link.to]);
            joined.any(|end| ends.contains(end))
        }
        Target::Access(_) => false,
    };
    let faults = || plan.scenario.faults.iter();
    let near = faults().filter(|f| f.targets.iter().any(concerns));
    let first = near.map(|f| f.at).min();
    first
        .or_else(|| faults().map(|f| f.at).min())
        .unwrap_or(Nanos::ZERO)
}

/// When the hours of a representative's users open, from long before the start to the end.
fn opened(plan: &Plan<'_>, rep: &Rep) -> Vec<Nanos> {
    let population = plan.topology.population(plan.cells[rep.cell].population);
    let Some(hours) = &population.hours else {
        return Vec::new();
    };
    let (from, end) = (-Nanos::hours(24 * 10), plan.scenario.end);
    let spans = hours.spans(&plan.topology.calendar, plan.scenario.start, from, end);
    spans.into_iter().map(|span| span.0).collect()
}

impl Lease {
    /// Keeps it valid as long as the service answers; ends when it is aborted.
    pub(crate) async fn keep(mut self, reports: Sender<Report>) {
        loop {
            self.until_due().await;
            let now = self.world.clock.now();
            let access = self.access();
            let epoch = self.world.epoch(access, self.index);
            let voided = std::mem::replace(&mut self.epoch, epoch) != epoch;
            let opens = self.openings.pop_if(|at| *at <= now).is_some();
            if voided || opens {
                self.kept.on_void(now);
                self.hold(false);
            }
            if self.kept.on_join(now) {
                self.hold(false);
            }
            self.obtain(&reports).await;
        }
    }

    fn access(&self) -> AccessId {
        self.rep.accesses[self.rank].access
    }

    fn hold(&self, valid: bool) {
        self.rep.accesses[self.rank].valid[self.index].store(valid, Relaxed);
    }

    /// Waits for the next renewal or join, or until everything is void at once.
    async fn until_due(&self) {
        let clock = self.world.clock;
        let opens = self.openings.last().copied().unwrap_or(Nanos::NEVER);
        let next = clock.instant(self.kept.asks_at().min(opens));
        while Instant::now() < next {
            if self.world.epoch(self.access(), self.index) != self.epoch {
                return;
            }
            sleep_until(next.min(Instant::now() + NOTICE)).await;
        }
    }

    /// Asks until there is an answer; what is held ends in the meantime if its time is over.
    async fn obtain(&mut self, reports: &Sender<Report>) {
        let clock = self.world.clock;
        loop {
            let end = clock.instant(self.kept.ends_at());
            let granted = {
                let asked = self.ask(reports);
                tokio::pin!(asked);
                loop {
                    tokio::select! {
                        granted = &mut asked => break granted,
                        () = sleep_until(end), if Instant::now() < end => self.hold(false),
                    }
                }
            };
            let now = clock.now();
            if granted {
                self.kept.on_granted(now);
                self.hold(true);
                return;
            }
            self.kept.on_unanswered(now);
            if now >= self.kept.ends_at() {
                self.hold(false);
            }
            let pause = clock
                .wall(self.need.try_again)
                .max(Duration::from_millis(5));
            let wakes = Instant::now() + pause;
            if Instant::now() < end && end < wakes {
                sleep_until(end).await;
                self.hold(false);
            }
            sleep(wakes.saturating_duration_since(Instant::now())).await;
        }
    }

    /// One try.
    async fn ask(&self, reports: &Sender<Report>) -> bool {
        let world = &self.world;
        let service = self.need.service;
        let cohort = self.rep.cohort();
        let replica = world.goes_to(self.rep.spot, self.access(), service, cohort);
        let origin = Origin::Users {
            spot: self.rep.spot,
            access: self.access(),
        };
        let flow = world.flows.find(origin, End::Replica(service, replica));
        let began = world.clock.now();
        let call = Call {
            from: (1 << 63) | u64::from(self.rep.id),
            weight: self.rep.users,
            cohort,
            round_trips: 1,
            sends: Size(0),
            receives: Size(0),
            what: self.what(service),
        };
        let lasts = if self.need.try_lasts > Nanos::ZERO {
            self.need.try_lasts
        } else {
            TRY
        };
        let outcome = match (flow, world.replica(service, replica)) {
            (Some(flow), Some(to)) => {
                let via = world.flows.get(flow).addr;
                let answer = timeout(world.clock.wall(lasts), to.call(via, &call)).await;
                answer.unwrap_or_else(|_| Err(Trouble::Silent("no answer in time".into())))
            }
            _ => Err(Trouble::Harness("there is no such way".into())),
        };
        let granted = outcome.is_ok();
        let report = Report::Renewed {
            flow,
            service,
            replica,
            began,
            trouble: outcome.err(),
        };
        // The director is gone only when the run is over.
        let _ = reports.send(report).await;
        granted
    }

    /// A name service is asked for the first name that a journey of the user needs.
    fn what(&self, service: ServiceId) -> What {
        let topology = &self.world.topology;
        let dns = Realisation::StandIn(StandIn::Dns);
        let mut journeys = self.rep.journeys.iter();
        let first = journeys.find_map(|m| called(topology.journey(m.journey)).next());
        match first.filter(|_| topology.service(service).realised == dns) {
            Some(first) => What::Lookup(first),
            None => What::Plain,
        }
    }
}
