//! What replicas of real systems take themselves for.
//!
//! Before anything is broken a declared primary must be one. Of a system that fails over by itself
//! the roles are asked all along: so `@primary` is found when a fault fires, and takeovers are
//! seen that nobody announces. They are asked at the replicas' own addresses, as their own hosts
//! would: a fault on the network does not hide them.

use super::{Director, Report};
use crate::replica::{Replica, Role, Trouble};
use crate::world::World;
use assize_model::journal::DecisionKind;
use assize_model::topology::{Mode, Service};
use assize_model::{Plan, ServiceId};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio::time::{interval, timeout};

/// How often a replica is asked, and how long it may take to answer, on the wall.
const EVERY: Duration = Duration::from_millis(500);
const PATIENCE: Duration = Duration::from_secs(2);

/// What a replica says of itself, at its own address.
async fn role(of: &dyn Replica) -> Result<Role, Trouble> {
    let asked = async {
        let found = tokio::net::lookup_host(of.upstream()).await;
        let own = found.ok().and_then(|mut found| found.next());
        let none = || Trouble::Refused(format!("{} has no address", of.upstream()));
        of.role(own.ok_or_else(none)?).await
    };
    let silent = |_| Err(Trouble::Silent("it does not say its role".into()));
    timeout(PATIENCE, asked).await.unwrap_or_else(silent)
}

fn is_external(service: &Service) -> bool {
    service.failover.as_ref().is_some_and(|f| f.external)
}

/// What is wrong with the roles of real systems, before anything is broken. Of those that do not
/// say what they are nothing is known.
pub(crate) async fn misplaced(plan: &Plan<'_>, world: &World) -> Option<String> {
    for (service, replicas) in plan.topology.services.iter().zip(&world.replicas) {
        let one_writer = service.mode == Mode::ActiveStandby && replicas.len() > 1;
        if !one_writer || !replicas.iter().all(|r| r.is_real()) {
            continue;
        }
        let (mut primaries, mut standbys) = (Vec::new(), 0);
        for (spec, replica) in service.replicas.iter().zip(replicas) {
            match role(replica.as_ref()).await {
                Ok(Role::Primary) => primaries.push(spec),
                Ok(Role::Standby) => standbys += 1,
                Err(_) => {}
            }
        }
        if primaries.len() + standbys < replicas.len() {
            continue;
        }
        let id = &service.id;
        let found = match primaries[..] {
            [] => "no replica takes itself for the primary".to_owned(),
            [one] if one.primary || is_external(service) => continue,
            [one] => format!(
                "`{}` takes itself for the primary, and is declared a standby: write `role: \
                 primary` there",
                one.id
            ),
            [one, other, ..] => format!(
                "`{}` and `{}` both take themselves for the primary",
                one.id, other.id
            ),
        };
        return Some(format!("{id}: {found}"));
    }
    None
}

/// Asks the replicas of systems that fail over by themselves, until the set is dropped.
pub(crate) fn start(
    plan: &Plan<'_>,
    world: &Arc<World>,
    reports: &Sender<Report>,
    tasks: &mut JoinSet<()>,
) {
    for (service, spec) in plan.topology.services.iter().enumerate() {
        if !is_external(spec) || spec.mode != Mode::ActiveStandby {
            continue;
        }
        for (replica, of) in (0..).zip(&world.replicas[service]) {
            tasks.spawn(keep_asking(
                Arc::clone(of),
                (service, replica),
                reports.clone(),
            ));
        }
    }
}

async fn keep_asking(of: Arc<dyn Replica>, (service, replica): (usize, u16), to: Sender<Report>) {
    let mut ticks = interval(EVERY);
    let mut last = None;
    loop {
        ticks.tick().await;
        match role(of.as_ref()).await {
            Ok(role) if last != Some(role) => {
                last = Some(role);
                let report = Report::Role {
                    service,
                    replica,
                    role,
                };
                if to.send(report).await.is_err() {
                    return;
                }
            }
            Err(Trouble::Unsupported(_)) => return,
            // Who does not answer is what it was.
            Ok(_) | Err(_) => {}
        }
    }
}

impl Director<'_> {
    /// A replica of a system that fails over by itself says something new of itself.
    pub(super) fn on_role(&mut self, service: usize, replica: u16, role: Role) {
        let now = self.now();
        let acts = role == Role::Primary;
        let state = &mut self.services[service];
        let own = &mut state.replicas[usize::from(replica)];
        let known = std::mem::replace(&mut own.said_role, true);
        let was = std::mem::replace(&mut own.acts, acts);
        // Until its first answer the declared primary was taken for one.
        if !known || !acts || was {
            return;
        }
        let others: Vec<u16> = (0..state.replicas.len() as u16)
            .filter(|r| *r != replica && state.replicas[usize::from(*r)].acts)
            .collect();
        let on: Vec<usize> = (0..self.faults.len())
            .filter(|f| self.faults[*f].on)
            .collect();
        let id = ServiceId::from(service);
        let name = self.world.selector(id, replica);
        for other in others {
            let other = self.world.selector(id, other);
            self.note(format!(
                "{name} takes itself for the primary, and so does {other}"
            ));
        }
        self.services[service]
            .ledger
            .on_takeover(now, on.first().copied());
        self.decide(now, DecisionKind::Promoted, name, on, Some(service));
        self.read_back_when_settled(service);
    }
}
