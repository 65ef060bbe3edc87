//! Health checks that are really made: across the network, at their times, counted by vote.

use super::{Director, Report};
use crate::flows::{End, Origin};
use crate::network::Network;
use crate::replica::{Effect, Trouble};
use crate::world::World;
use assize_fault::{Nanos, Stream};
use assize_model::topology::Probes;
use assize_model::{NodeId, Plan, ServiceId};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep_until, timeout_at};

/// A health check that is over.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) service: usize,
    pub(crate) replica: u16,
    /// The node that checks; `None`: from beside the clients.
    pub(crate) from: Option<NodeId>,
    /// Checks of one round start together.
    pub(crate) round: u64,
    pub(crate) flow: usize,
    pub(crate) began: Nanos,
    pub(crate) ended: Nanos,
    pub(crate) outcome: Result<(), Trouble>,
}

impl Checked {
    /// Whether the place that checks worked when the check began, and works.
    fn was_made(&self, network: &Network<'_>) -> bool {
        self.from
            .is_none_or(|node| network.works_since(node, self.began))
    }
}

/// The checks of one replica that started together.
#[derive(Debug, Default)]
pub(super) struct Round {
    came: usize,
    counted: bool,
    votes: Vec<Checked>,
}

/// Starts every check of the plan, from `origin` on; they end when the set is dropped.
pub(crate) fn start(
    plan: &Plan<'_>,
    world: &Arc<World>,
    origin: Nanos,
    reports: &Sender<Report>,
    tasks: &mut tokio::task::JoinSet<()>,
) {
    for (s, service) in plan.topology.services.iter().enumerate() {
        let Some(failover) = service.failover.as_ref() else {
            continue;
        };
        if failover.external || service.replicas.len() < 2 {
            continue;
        }
        for (r, replica) in service.replicas.iter().enumerate() {
            let phase = failover.check.phase.unwrap_or_else(|| {
                let mut stream = Stream::new(plan.seed, &["check", &service.id, &replica.id]);
                let every = failover.check.every.0.max(1).unsigned_abs();
                Nanos(i64::try_from(stream.below(every)).unwrap_or(0))
            });
            let every = failover.check.every.max(Nanos(1));
            let first = origin + (phase - origin) % every;
            for from in voters_of(&failover.check.from) {
                let check = Check {
                    world: Arc::clone(world),
                    service: s,
                    replica: u16::try_from(r).unwrap_or(0),
                    from,
                };
                tasks.spawn(check.keep_going(first, every, reports.clone()));
            }
        }
    }
}

/// Where checks are made from.
fn voters_of(from: &[NodeId]) -> impl Iterator<Item = Option<NodeId>> {
    let beside = from.is_empty().then_some(None);
    beside.into_iter().chain(from.iter().copied().map(Some))
}

/// The origin of the flow of a check.
pub(crate) fn origin_of(from: Option<NodeId>) -> Origin {
    from.map_or(Origin::Beside, Origin::Checker)
}

#[derive(Clone)]
struct Check {
    world: Arc<World>,
    service: usize,
    replica: u16,
    from: Option<NodeId>,
}

impl Check {
    async fn keep_going(self, first: Nanos, every: Nanos, reports: Sender<Report>) {
        for round in 0u64.. {
            let after = every
                .0
                .saturating_mul(i64::try_from(round).unwrap_or(i64::MAX));
            let due = first + Nanos(after);
            sleep_until(self.world.clock.instant(due)).await;
            // On its own: the next one starts in time, whatever becomes of this one.
            let (this, reports) = (self.clone(), reports.clone());
            tokio::spawn(async move {
                if let Some(checked) = this.once(round, due).await {
                    let _ = reports.send(Report::Checked(checked)).await;
                }
            });
        }
    }

    async fn once(&self, round: u64, due: Nanos) -> Option<Checked> {
        let id = ServiceId::from(self.service);
        let flow = self
            .world
            .flows
            .find(origin_of(self.from), End::Replica(id, self.replica))?;
        let check = &self.world.topology.service(id).failover.as_ref()?.check;
        let replica = self.world.replica(id, self.replica)?;
        let clock = self.world.clock;
        let until = clock.instant(due + check.timeout);
        // A fault of the same instant comes first.
        let patience = clock.wall(check.timeout) / 2;
        let turns = &self.world.turns;
        turns.done_through(due, check.timeout, patience).await;
        let machine = self.machine(id, check.probes);
        let asked = async {
            match machine {
                Some(flow) => ask_machine(self.world.flows.get(flow).addr).await,
                None => {
                    let via = self.world.flows.get(flow).addr;
                    replica.check(via, check.probes).await
                }
            }
        };
        let outcome = timeout_at(until, asked)
            .await
            .unwrap_or_else(|_| Err(Trouble::Silent("no answer in time".into())));
        Some(Checked {
            service: self.service,
            replica: self.replica,
            from: self.from,
            round,
            flow: machine.unwrap_or(flow),
            began: due,
            ended: clock.now(),
            outcome,
        })
    }
}

impl Check {
    /// The way to the machine, if the check asks that alone.
    fn machine(&self, id: ServiceId, probes: Probes) -> Option<usize> {
        let alone = probes == Probes::Host || self.world.are_checks_lied_to(id, self.replica);
        let end = End::Machine(id, self.replica);
        let flow = self.world.flows.find(origin_of(self.from), end);
        flow.filter(|_| alone)
    }
}

/// Asks a machine whether it is there.
async fn ask_machine(via: SocketAddr) -> Result<(), Trouble> {
    match crate::control_path::probe(via).await {
        Ok(_) => Ok(()),
        Err(e) => Err(Trouble::Refused(format!("{via}: {e}"))),
    }
}

impl Director<'_> {
    /// One check is over; its round is counted as soon as the rest cannot turn it.
    pub(super) fn on_checked(&mut self, checked: Checked) {
        let (service, replica) = (checked.service, checked.replica);
        let Some(failover) = &self.plan.topology.services[service].failover else {
            return;
        };
        let voters = failover.check.from.len().max(1);
        let key = (replica, checked.round);
        let round = self.services[service].rounds.entry(key).or_default();
        round.came += 1;
        let (all_came, counted) = (round.came >= voters, round.counted);
        if !counted {
            round.votes.push(checked);
        }
        // Who is out makes no check, and answers for none that it should have made.
        let works = |from: Option<NodeId>| from.is_none_or(|node| self.network.works(node));
        let cast = || round.votes.iter().filter(|v| v.was_made(&self.network));
        let (came, failed) = (
            cast().count(),
            cast().filter(|v| v.outcome.is_err()).count(),
        );
        let whole = voters_of(&failover.check.from)
            .filter(|from| works(*from))
            .count();
        let settled = failed * 2 > whole || (came - failed) * 2 >= whole.max(1);
        let votes = if !counted && (settled || all_came) {
            round.counted = true;
            std::mem::take(&mut round.votes)
        } else {
            Vec::new()
        };
        if all_came {
            self.services[service].rounds.remove(&key);
        }
        if votes.is_empty() {
            return;
        }
        // Who restores a server has told its watchers: they promote nobody in its place meanwhile.
        if self.services[service].restoring {
            return;
        }
        if let Some(good) = self.count(&votes) {
            let machine = &mut self.services[service].replicas[usize::from(replica)].votes;
            if let Some(up) = machine.on_result(good) {
                self.on_verdict(service, replica, up);
            }
        }
    }

    /// Whether a round found the replica well; `None` where every checker was itself out.
    fn count(&mut self, votes: &[Checked]) -> Option<bool> {
        let (mut failed, mut cast) = (0, 0);
        let mut faults = Vec::new();
        for vote in votes {
            if !vote.was_made(&self.network) {
                continue;
            }
            cast += 1;
            let span = (vote.began, vote.ended);
            let at = (ServiceId::from(vote.service), vote.replica);
            let Err(trouble) = &vote.outcome else {
                self.bite_liars(vote);
                self.met(Some(vote.flow), at, span, None, "a health check met it");
                continue;
            };
            let fails_open = self.fails_open(vote);
            if matches!(trouble, Trouble::Silent(_)) && !fails_open.is_empty() {
                for fault in fails_open {
                    self.bite(fault, "a health check without an answer passed");
                }
                continue;
            }
            failed += 1;
            let blamed = self.met(
                Some(vote.flow),
                at,
                span,
                Some(trouble),
                "a health check met it",
            );
            faults.extend(blamed);
        }
        let first = votes.first()?;
        if cast == 0 {
            return None;
        }
        let good = failed * 2 <= cast;
        let state = &mut self.services[first.service].replicas[usize::from(first.replica)];
        if good {
            state.seen_faults.clear();
        } else {
            faults.sort_unstable();
            faults.dedup();
            if state.seen_faults.is_empty() {
                let begun_first = self.plan.scenario.first_of(&faults);
                state.seen_first = begun_first.or(state.seen_first);
            }
            state.seen_faults = faults;
        }
        Some(good)
    }

    fn fails_open(&self, vote: &Checked) -> Vec<usize> {
        let is_it =
            |e: assize_model::faults::Effect| e == assize_model::faults::Effect::CheckFailsOpen;
        self.faults_about(vote.service, vote.replica, is_it)
    }

    fn liars(&self, vote: &Checked) -> Vec<usize> {
        let lying = |e: Effect| e == Effect::CheckLies;
        self.faults_with(vote.service, vote.replica, lying, vote.began)
    }

    /// A check that sees green while users get nothing has met a fault that makes it lie.
    fn bite_liars(&mut self, vote: &Checked) {
        let liars = self.liars(vote);
        let state = &self.services[vote.service].replicas[usize::from(vote.replica)];
        if liars.is_empty() || state.serving || !state.acts {
            return;
        }
        for fault in liars {
            self.bite(fault, "a health check saw green while it was down");
        }
    }
}
