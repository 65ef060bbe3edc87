//! Ledgers read back through the surviving path: at recovery, and at the end.

use super::{Director, Report};
use crate::flows::{End, Origin};
use crate::replica::{Held, Trouble};
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::observation::Observation;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Bounds one read-back, on the wall.
const PATIENCE: Duration = Duration::from_secs(60);

impl Director<'_> {
    /// A read-back is due when clients have followed the name.
    pub(super) fn read_back_when_settled(&mut self, service: usize) {
        let spec = &self.plan.topology.services[service];
        if spec.state.is_none() {
            return;
        }
        let ttl = spec.failover.as_ref().map_or(Nanos::ZERO, |f| f.dns_ttl);
        self.services[service].read_back_at = Some(self.now() + ttl);
    }

    pub(super) fn on_read_back(&mut self, _at: Nanos, service: usize) {
        self.services[service].read_back_at = None;
        let state = &self.services[service];
        // Data that is damaged, or being restored, serves nobody: no recovery yet.
        if state.damage.is_none() && !state.restoring {
            self.read_back(service, false);
        }
    }

    /// Reads every ledger back, for the last time.
    pub(crate) fn read_all_back(&mut self) {
        for service in 0..self.services.len() {
            if self.plan.topology.services[service].state.is_some() {
                self.read_back(service, true);
            }
        }
    }

    /// Asks for what is held: of a single writer at the primary, else at every replica.
    fn read_back(&mut self, service: usize, is_final: bool) {
        let id = ServiceId::from(service);
        let state = &self.services[service];
        let primary = match &state.failover {
            Some(machine) => Some(machine.primary()),
            None if state.external => self.last_to_answer(service),
            None if state.replicas.len() == 1 => Some(0),
            None => None,
        };
        let asked: Vec<u16> = match primary {
            Some(primary) => vec![primary],
            None => (0..state.replicas.len()).map(|r| r as u16).collect(),
        };
        let mut todo = Vec::new();
        for replica in asked {
            if let (Some(to), Some(via)) =
                (self.world.replica(id, replica), self.surviving(id, replica))
            {
                todo.push((replica, Arc::clone(to), via));
            }
        }
        self.services[service].reading += 1;
        let at = self.now();
        self.begin(async move {
            let mut held = Vec::new();
            for (replica, to, via) in todo {
                let read = timeout(PATIENCE, to.held(via)).await;
                let read = read.unwrap_or_else(|_| Err(Trouble::Silent("no answer".into())));
                held.push((replica, read));
            }
            Report::Held {
                service,
                is_final,
                at,
                held,
            }
        });
    }

    /// The replica that answered last.
    pub(super) fn last_to_answer(&self, service: usize) -> Option<u16> {
        let replicas = self.services[service].replicas.iter().enumerate();
        let (replica, _) = replicas
            .filter(|(_, r)| r.last_ok.is_some())
            .max_by_key(|(_, r)| r.last_ok)?;
        Some(replica as u16)
    }

    /// A way to a replica that is open now, as users have it, else from beside it.
    fn surviving(&self, service: ServiceId, replica: u16) -> Option<std::net::SocketAddr> {
        let end = End::Replica(service, replica);
        let flows = self.world.flows.all();
        let mut ways = flows.iter().filter(|f| f.key.end == end && !f.is_blocked());
        let first = ways.next()?;
        let by_user = ways.find(|f| matches!(f.key.origin, Origin::Users { .. }));
        Some(by_user.unwrap_or(first).addr)
    }

    pub(super) fn on_held(
        &mut self,
        service: usize,
        is_final: bool,
        at: Nanos,
        held: Vec<(u16, Result<Vec<Held>, Trouble>)>,
    ) {
        let id = ServiceId::from(service);
        self.services[service].reading = self.services[service].reading.saturating_sub(1);
        let mut found = Vec::new();
        for (replica, read) in held {
            match read {
                Ok(rows) => found.push(rows),
                Err(Trouble::Unsupported(_)) => {}
                Err(trouble) => {
                    let name = self.world.selector(id, replica);
                    self.note(format!("what {name} holds could not be read: {trouble}"));
                }
            }
        }
        if found.is_empty() {
            return;
        }
        let faults = &self.plan.scenario.faults;
        let ledger = &self.services[service].ledger;
        let soon = self.watch.every * 2;
        let read_back = ledger.compare(id, (at, is_final), &found, soon, |fault| faults[fault].at);
        self.say(Observation::ReadBack(read_back));
    }
}
