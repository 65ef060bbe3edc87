//! Targets, as a topology or a scenario states them.

use crate::ids::{GroupId, JourneyId, NodeId, PopulationId, ServiceId};
use assize_fault::{Nanos, Ppb};

/// A target with a number.
#[derive(Clone, Debug)]
pub struct Objective {
    /// Name; made from kind and subject where the file gives none.
    pub id: String,
    /// What is measured, and the target.
    pub kind: ObjectiveKind,
    /// Only this journey.
    pub journey: Option<JourneyId>,
    /// Only this population; `None`: one finding for each that makes the journey.
    pub population: Option<PopulationId>,
    /// The service, for kinds about services.
    pub service: Option<ServiceId>,
    /// The share at which a journey counts as up. Default: all.
    pub level: Ppb,
    /// Outages less than this apart are one; `None`: the plan's default.
    pub stable_for: Option<Nanos>,
    /// Only outages in which this fault has a part.
    pub fault: Option<String>,
    /// Count from the end of the fault instead of the start of the outage.
    pub from_fault_end: bool,
    /// Users at these nodes are left out.
    pub excluding: Vec<NodeId>,
    /// Which part of the scenario counts, for availability.
    pub during: During,
    /// The window that counts, for availability; `None`: start to end.
    pub window: Option<(Nanos, Nanos)>,
    /// Where the objective is written: `topology` or `scenario`, with line; for the report.
    pub source: String,
}

/// What is measured, and its target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ObjectiveKind {
    /// `rto: 15m` — the longest outage.
    Rto(Nanos),
    /// `rpo: 0s` — of acknowledged writes that are missing.
    Rpo(Nanos),
    /// `availability: 99.9%` — user-time in service hours. Higher is better.
    Availability(Ppb),
    /// `outages: {max: 2, total: 1h}` — how many, and how long together.
    Outages {
        /// Most outages.
        max: Option<u32>,
        /// Longest together.
        total: Option<Nanos>,
    },
    /// `must_not_affect: population/x` (or `journey/x`, a list) — no user out in service hours.
    MustNotAffect(Vec<Untouched>),
    /// `blast_radius: 10%` — the peak share of users out in service hours.
    BlastRadius(Ppb),
    /// `user_hours_lost: 500h` — ∫ users out, in service hours.
    UserHoursLost(Nanos),
    /// `latency: 2s` — the time one attempt takes when served, at worst.
    Latency(Nanos),
    /// `retained_capacity: 50%` — least served over offered demand. Higher is better.
    RetainedCapacity(Ppb),
    /// `backlog: 1h` — from the end of the last fault until queued work is back to its amount
    /// at the start.
    Backlog(Nanos),
    /// `detection: 30s` — from a fault to the first decision about an element it failed.
    Detection(Nanos),
    /// `failback: 15m` — from the end of the last fault to the home replica serving again.
    Failback(Nanos),
    /// `split_brain: never`.
    SplitBrain,
    /// `duplicates: 0` — acknowledged writes present more than once.
    Duplicates(u64),
    /// `backup_rule: 3-2-1` — copies, places, one of them off-site from the primary.
    BackupRule {
        /// Copies in all, the primary included.
        copies: u32,
        /// Different nodes that hold them.
        places: u32,
        /// Copies that share no domain with the primary.
        off_site: u32,
        /// Copies that are offline.
        offline: u32,
    },
}

/// What must not be affected.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Untouched {
    /// All journeys of this population.
    Population(PopulationId),
    /// This journey, for every population that makes it.
    Journey(JourneyId),
    /// Every journey of users at the sites of this group.
    Group(GroupId),
}

/// Which part of a scenario counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum During {
    /// From start to end.
    #[default]
    All,
    /// While any fault is on.
    Fault,
    /// After the last fault has ended.
    After,
}
