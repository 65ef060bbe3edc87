//! What an attempt asks of one service: by name, at the replica that the name gives, and what came
//! of it.

use super::{Attempt, NONE, Seen, called};
use crate::flows::{End, Origin};
use crate::replica::{Answer, Call, Entry, Trouble, What};
use crate::thin::thinned;
use assize_model::binding::{Realisation, Request, StandIn};
use assize_model::{AccessId, ServiceId};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, PoisonError};
use tokio::time::{Instant, timeout_at};

impl Attempt {
    /// A name service is asked for what is called first; anything else for what it does.
    pub(super) fn what_is_needed(&self, service: ServiceId) -> What {
        let dns = Realisation::StandIn(StandIn::Dns);
        let first = called(self.journey()).next();
        match first.filter(|_| self.world.topology.service(service).realised == dns) {
            Some(first) => What::Lookup(first),
            None => What::Plain,
        }
    }

    pub(super) fn what_is_called(&self, service: ServiceId, entry: &Entry) -> What {
        let journey = self.journey();
        if let Some(request) = &journey.request {
            let to = match request {
                Request::Http { to, .. } | Request::Sql { to, .. } | Request::Ledger { to } => {
                    Some(*to)
                }
                Request::Exec { .. } => called(journey).next(),
            };
            if to == Some(service) {
                return match request {
                    Request::Ledger { .. } => What::Write(entry.clone()),
                    other => What::Request(Arc::new(other.clone()), entry.clone()),
                };
            }
        }
        let kept = self.world.topology.service(service).state.is_some();
        match (kept, journey.writes.contains(&service)) {
            (true, true) => What::Write(entry.clone()),
            (true, false) => What::Read,
            (false, _) => What::Plain,
        }
    }

    /// One call, at each replica that this client would turn to, in turn.
    pub(super) async fn ask(
        &self,
        access: AccessId,
        service: ServiceId,
        what: What,
        until: Instant,
    ) -> Result<Answer, Trouble> {
        let journey = self.journey();
        let (from, least) = self.reader(service, &what);
        let reads = what == What::Read;
        let call = Call {
            from,
            // Arrivals that stand for many would come in bursts that no user makes: the load of
            // journeys is not that of their users. Leases are asked for by all of them.
            weight: 1,
            cohort: self.rep.cohort(),
            round_trips: journey.round_trips.max(1),
            sends: thinned(journey.sends, self.world.thin),
            receives: thinned(journey.receives, self.world.thin),
            what,
        };
        let order = self.order(access, service, reads, until).await?;
        let mut last = Trouble::Silent("no replica to turn to".into());
        for (i, &replica) in order.iter().enumerate() {
            let left = u32::try_from(order.len() - i).unwrap_or(1);
            let now = Instant::now();
            let share = until.saturating_duration_since(now) / left;
            match self
                .ask_one(access, (service, replica), &call, least, now + share)
                .await
            {
                Ok(answer) => {
                    self.rep.last_good[service.index()].store(replica, Relaxed);
                    return Ok(answer);
                }
                Err(trouble) => last = trouble,
            }
        }
        Err(last)
    }

    /// Who reads: the writer of the same representative, if one of its journeys writes there; and
    /// what has been acknowledged to it.
    fn reader(&self, service: ServiceId, what: &What) -> (u64, u64) {
        let own = self.rep.writer(self.making().journey);
        if *what != What::Read {
            return (own, 0);
        }
        for making in &self.rep.journeys {
            let writes = &self.world.topology.journey(making.journey).writes;
            if let Some(i) = writes.iter().position(|w| *w == service) {
                return (
                    self.rep.writer(making.journey),
                    making.acked[i].load(Relaxed),
                );
            }
        }
        (own, 0)
    }

    /// The replicas to turn to. Clients of a system that fails over by itself know all of them:
    /// half of them keep to the one that answered last, as those with a pool of connections do,
    /// and half go through the list anew each time, as those do that connect for each request;
    /// they find an old primary that is back. Who only reads would take anyone's answer, and so
    /// keeps to the last. Other clients go where the name points.
    async fn order(
        &self,
        access: AccessId,
        service: ServiceId,
        reads: bool,
        until: Instant,
    ) -> Result<Vec<u16>, Trouble> {
        let spec = self.world.topology.service(service);
        if spec.failover.as_ref().is_some_and(|f| f.external) {
            let good = self.rep.last_good[service.index()].load(Relaxed);
            let n = u16::try_from(spec.replicas.len()).unwrap_or(NONE);
            let mut all: Vec<u16> = (0..n).collect();
            if reads || self.rep.id.is_multiple_of(2) {
                all.sort_by_key(|r| *r != good);
            }
            return Ok(all);
        }
        let rep = &self.rep;
        let view = self.world.goes_to(rep.spot, access, service, rep.cohort());
        let Some(names) = self.name_service(access).filter(|n| *n != service) else {
            return Ok(vec![view]);
        };
        let held = {
            let looked_up = self.rep.looked_up.lock();
            looked_up.unwrap_or_else(PoisonError::into_inner)[service.index()]
        };
        match held {
            // The view changes when the time of what is held is over.
            Some((replica, of)) if of == view => Ok(vec![replica]),
            held => {
                let asked = self.look_up(access, names, service, until).await;
                let replica = match (asked, held) {
                    (Ok(replica), _) => replica,
                    (Err(_), Some((replica, _))) => return Ok(vec![replica]),
                    (Err(e), None) => return Err(e),
                };
                let mut looked_up = self
                    .rep
                    .looked_up
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner);
                looked_up[service.index()] = Some((replica, view));
                Ok(vec![replica])
            }
        }
    }

    /// The name service that this access needs, if names are really looked up.
    fn name_service(&self, access: AccessId) -> Option<ServiceId> {
        let topology = &self.world.topology;
        let needs = topology.access_path(access).needs.iter().map(|n| n.service);
        let dns = Realisation::StandIn(StandIn::Dns);
        needs
            .into_iter()
            .find(|s| topology.service(*s).realised == dns)
    }

    async fn look_up(
        &self,
        access: AccessId,
        names: ServiceId,
        service: ServiceId,
        until: Instant,
    ) -> Result<u16, Trouble> {
        let call = Call {
            from: self.rep.writer(self.making().journey),
            weight: 1,
            cohort: self.rep.cohort(),
            round_trips: 1,
            sends: assize_fault::Size(0),
            receives: assize_fault::Size(0),
            what: What::Lookup(service),
        };
        let at = self.world.view(names, self.rep.cohort());
        let answer = self.ask_one(access, (names, at), &call, 0, until).await?;
        answer
            .replica
            .ok_or_else(|| Trouble::Answered("a name without an address".into()))
    }

    /// One call at one replica; what came of it is noted.
    async fn ask_one(
        &self,
        access: AccessId,
        (service, replica): (ServiceId, u16),
        call: &Call,
        least: u64,
        until: Instant,
    ) -> Result<Answer, Trouble> {
        let world = &self.world;
        let origin = Origin::Users {
            spot: self.rep.spot,
            access,
        };
        let flow = world.flows.find(origin, End::Replica(service, replica));
        let began = world.clock.now();
        let outcome = match (flow, world.replica(service, replica)) {
            (Some(flow), Some(to)) => {
                let via = world.flows.get(flow).addr;
                let answer = timeout_at(until, to.call(via, call)).await;
                answer.unwrap_or_else(|_| Err(Trouble::Silent("no answer in time".into())))
            }
            _ => Err(Trouble::Harness("there is no such way".into())),
        };
        let wrote = match &call.what {
            What::Write(entry) | What::Request(_, entry) => Some(entry.clone()),
            _ => None,
        };
        if let (Some(entry), Ok(_)) = (&wrote, &outcome) {
            self.note_acked(service, entry);
        }
        let read = match (&call.what, &outcome) {
            (What::Read, Ok(answer)) => Some((least, answer.sequence, call.from)),
            _ => None,
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(Seen {
            flow,
            service,
            replica,
            began,
            ended: world.clock.now(),
            trouble: outcome.as_ref().err().cloned(),
            wrote,
            read,
        });
        outcome
    }

    fn note_acked(&self, service: ServiceId, entry: &Entry) {
        let writes = &self.journey().writes;
        if let Some(i) = writes.iter().position(|w| *w == service) {
            self.making().acked[i].fetch_max(entry.sequence, Relaxed);
        }
    }
}
