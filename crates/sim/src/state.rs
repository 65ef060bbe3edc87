//! What changes while a plan runs: elements, services, what clients hold, what was recorded.

use crate::acks::Open;
use crate::blame::Blame;
use crate::data::{Ack, Content, Grid, LossEvent};
use assize_control::fabric::{Fault, Leg};
use assize_control::{Backups, Cache, Checker, Failover, Load, Matured, Names, Queue, Response};
use assize_fault::{Nanos, Ppb};
use assize_model::faults::How;
use assize_model::{AccessId, JourneyId, ServiceId};

#[derive(Debug)]
pub(crate) struct ReplicaState {
    pub(crate) down: Vec<(Fault, How)>,
    pub(crate) no_answer: Vec<(Fault, How)>,
    pub(crate) lies: Vec<Fault>,
    /// Checks of it that get no answer count as passed.
    pub(crate) fails_open: Vec<Fault>,
    pub(crate) no_promotion: Vec<Fault>,
    pub(crate) no_replication: Vec<Fault>,
    pub(crate) capacity: Vec<(Fault, Ppb)>,
    /// It takes itself for one that serves (a primary, or any active replica).
    pub(crate) acts: bool,
    /// How long a write takes to be copied before it is acknowledged; `None`: it waits for a copy
    /// that it cannot reach.
    pub(crate) copied_in: Option<Nanos>,
    pub(crate) well: Well,
    pub(crate) serving_since: Option<Nanos>,
    pub(crate) ever_served: bool,
    /// An old primary that has met the new one again: when they will have heard.
    pub(crate) contact_at: Option<Nanos>,
    /// Shipments to it have been arriving since, by the replica from which they come.
    pub(crate) ships_since: Vec<Option<Nanos>>,
    /// What the last check saw was caused by these.
    pub(crate) seen_faults: Vec<Fault>,
    /// What checks saw first when they last began to fail.
    pub(crate) seen_first: Option<Fault>,
}

/// Whether a replica can serve, whatever the path to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Well {
    pub(crate) blame: Option<(Blame, How)>,
    /// Capacity left by soft dependencies and faults.
    pub(crate) capacity: Ppb,
    /// Cohorts that it cannot serve: their shard of what it depends on is out.
    pub(crate) without: u64,
}

#[derive(Debug)]
pub(crate) struct ServiceState {
    pub(crate) home: u16,
    /// Whose writes count: the source of shipments and backups.
    pub(crate) source: u16,
    pub(crate) replicas: Vec<ReplicaState>,
    pub(crate) names: Names,
    /// The cohorts that look to each replica; kept in step with `names`.
    pub(crate) views: Vec<u64>,
    pub(crate) spread: [u8; 64],
    pub(crate) failover: Option<Failover>,
    pub(crate) checkers: Vec<Checker>,
    /// Replicas in rotation, for services that are active on all.
    pub(crate) rotation: u64,
    pub(crate) shard_mask: Vec<u64>,
    pub(crate) shard_down: Vec<Vec<Fault>>,
    pub(crate) entries: Vec<usize>,
    /// Services whose replicas need this one.
    pub(crate) dependents: Vec<usize>,
    /// It is among those to be looked at already.
    pub(crate) listed: bool,
    pub(crate) data: Option<DataState>,
    pub(crate) queue: Option<Queue>,
    /// Of all replicas that serve, in parts per billion of one.
    pub(crate) capacity_left: u64,
    /// What the queue was last told: that, and the rate which requests leave of it.
    pub(crate) queue_rate: (u64, u64),
    pub(crate) load: Option<Load>,
    /// The share of requests that it and all that it needs serve in time.
    pub(crate) share: Ppb,
    pub(crate) queue_steps: Vec<(Nanos, u64)>,
    pub(crate) bad_backup: Vec<Fault>,
    /// Each request arrives so often.
    pub(crate) repeated: Vec<(Fault, u32)>,
    /// The share of the restore rate that is left.
    pub(crate) restore_left: Vec<(Fault, Ppb)>,
    pub(crate) read_back_at: Option<Nanos>,
    /// The step that has begun something here that is not over yet.
    pub(crate) step: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct DataState {
    pub(crate) content: Vec<Content>,
    pub(crate) acks: Vec<Ack>,
    /// How many acknowledgements are open, by replica.
    pub(crate) open: Vec<usize>,
    pub(crate) backups: Backups,
    /// What the primary held from each instant on.
    pub(crate) history: Vec<(Nanos, Content)>,
    pub(crate) restoring: Option<Restoring>,
    /// A restore is wanted, and there is nothing yet to restore from.
    pub(crate) restore_waits: bool,
    pub(crate) damage: Option<(Nanos, Fault)>,
    /// What has gone missing so far, though some of it may have come back.
    pub(crate) losses: Vec<LossEvent>,
    /// Since when two replicas have been acknowledging.
    pub(crate) split_since: Option<Nanos>,
    pub(crate) bad_windows: Vec<(Fault, Nanos, Nanos)>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Restoring {
    pub(crate) backup: usize,
    pub(crate) from: Nanos,
    pub(crate) until: Nanos,
}

/// How the sites of a spot reach a service over an access.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) spot: usize,
    pub(crate) access: AccessId,
    pub(crate) service: ServiceId,
    /// Circuits that the first hop may use.
    pub(crate) allowed: Vec<usize>,
    /// By replica; kept while the network does not change.
    pub(crate) legs: Vec<Leg>,
    /// By replica: the circuits on the way, kept only where bandwidth can bind, and the share of
    /// transfers that they carry in time.
    pub(crate) paths: Vec<Vec<usize>>,
    pub(crate) carried: Vec<Ppb>,
    pub(crate) legs_stale: bool,
    pub(crate) stale: bool,
    pub(crate) ok: u64,
    pub(crate) refused: u64,
    /// Cohorts by the replica that serves them.
    pub(crate) groups: Vec<(u16, u64)>,
    /// Cohorts whose requests reach a replica, and who do not get its answers.
    pub(crate) unanswered: Vec<(u16, u64)>,
    /// Cohorts that stay with an old primary because they cannot reach the new one.
    pub(crate) clings: Vec<(u16, u64)>,
    pub(crate) units: Vec<usize>,
    pub(crate) leases: Vec<usize>,
}

/// A cached need of the users of a spot.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) entry: usize,
    pub(crate) service: ServiceId,
    pub(crate) cache: Cache,
    pub(crate) users: u64,
    pub(crate) lasts: Nanos,
    pub(crate) again: Nanos,
    /// Users of each cohort that obtained the lease in part of a storm (units of 1/64 user).
    pub(crate) attached: Box<[u64; 64]>,
    /// Users of each cohort whose try is under way or waits for its turn.
    pub(crate) trying: Box<[u64; 64]>,
    pub(crate) partial: bool,
    pub(crate) dirty: bool,
    /// All of it is void as of now, because of these.
    pub(crate) voided: Vec<Fault>,
    pub(crate) openings: Vec<Nanos>,
    pub(crate) units: Vec<usize>,
}

/// The users of a spot, with the same accesses, in one journey.
#[derive(Debug)]
pub(crate) struct Unit {
    pub(crate) spot: usize,
    pub(crate) journey: JourneyId,
    pub(crate) accesses: Vec<AccessUse>,
    pub(crate) paper: Option<Matured>,
    pub(crate) cells: Vec<usize>,
    pub(crate) dirty: bool,
    pub(crate) steps: Vec<Out>,
    pub(crate) worst: Nanos,
    /// How long a try takes for those who reach what they call, busy or not, at worst.
    pub(crate) path: Nanos,
    /// What its requests come to now, where that matters for data.
    pub(crate) open: Vec<Open>,
    pub(crate) grids: Vec<Grid>,
    /// Some service that it calls, directly or through others, has a capacity.
    pub(crate) loads: bool,
}

/// One access of a unit.
#[derive(Debug)]
pub(crate) struct AccessUse {
    pub(crate) access: AccessId,
    pub(crate) calls: Vec<usize>,
    pub(crate) asked: Vec<usize>,
    pub(crate) leases: Vec<usize>,
    /// Users who have failed on all preferred accesses for long enough; `None` for the first.
    pub(crate) change: Option<Matured>,
    /// Index of its wake.
    pub(crate) wake: usize,
    pub(crate) used: bool,
}

/// The state of a unit from an instant on. Shares are in units of `USER` per user.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Out {
    pub(crate) at: Nanos,
    /// Cohorts served in the normal way.
    pub(crate) mask: u64,
    /// Cohorts whose failing tries fail at once.
    pub(crate) refused: u64,
    /// Cohorts that are not served because a write of theirs waits for a copy, and that are
    /// answered when it ends, if that is in time.
    pub(crate) waits: u64,
    /// Cohorts served by the contingency.
    pub(crate) paper: u64,
    /// Share served in the normal way.
    pub(crate) normal: u64,
    /// Of a cohort that is served, the share of attempts that end well.
    pub(crate) factor: u64,
    /// Share served by the contingency.
    pub(crate) degraded: u64,
    /// How long a try takes for those served, at worst.
    pub(crate) time: Nanos,
}

#[derive(Debug)]
pub(crate) struct FaultState {
    pub(crate) on: bool,
    /// It applies in this run at all.
    pub(crate) applies: bool,
    pub(crate) ended: bool,
    pub(crate) ended_at: Option<Nanos>,
    /// When it ends; later than planned if people come to know of it later.
    pub(crate) until: Nanos,
    /// `Target::Primary` as it was when the fault fired.
    pub(crate) resolved: Vec<assize_model::scenario::Target>,
    pub(crate) bite: Option<(Nanos, String)>,
    pub(crate) response: Option<Response>,
}

/// When a population asks, and how much: windows with their factor in thousandths.
#[derive(Debug)]
pub(crate) struct Demand {
    pub(crate) windows: Vec<(Nanos, Nanos, u64)>,
}
