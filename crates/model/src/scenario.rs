//! A scenario after validation: faults with their effects and targets, steps, objectives.

use crate::binding::LivePlan;
use crate::faults::Effect;
use crate::ids::{AccessId, DomainId, GroupId, JourneyId, LinkId, NodeId, PopulationId, ServiceId};
use crate::objective::Objective;
use crate::topology::SiteRange;
use assize_fault::{Nanos, Ppb};

/// What is done to the network, and what must hold.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Scenario {
    /// The file's name without its extension.
    pub name: String,
    /// The file, as given.
    pub path: String,
    /// Instant zero.
    pub start: jiff::Timestamp,
    /// How long steady state is held before `start`.
    pub steady_state: Nanos,
    /// When the scenario ends, from `start`.
    pub end: Nanos,
    /// Faults, in file order.
    pub faults: Vec<FaultEntry>,
    /// Steps, in file order.
    pub steps: Vec<StepEntry>,
    /// Human responses: `faults[i].until` already contains their sum.
    pub responses: Vec<Response>,
    /// Objectives selected or stated.
    pub objectives: Vec<Objective>,
    /// Published symptoms.
    pub expect: Vec<Symptom>,
    /// Outages less than this apart are one.
    pub stable_for: Nanos,
    /// Tags.
    pub tags: Vec<String>,
    /// What the file says about a live run.
    pub live: LivePlan,
    /// SHA-256 over the canonical form of the document, in hexadecimal.
    pub digest: String,
}

impl Scenario {
    /// Of some faults, by index, the one that begins first; of those that begin together, the
    /// first in the file.
    #[must_use]
    pub fn first_of(&self, faults: &[usize]) -> Option<usize> {
        let known = faults.iter().copied().filter(|f| *f < self.faults.len());
        known.min_by_key(|f| (self.faults[*f].at, *f))
    }
}

/// One fault of the timeline.
#[derive(Clone, Debug)]
pub struct FaultEntry {
    /// Name, unique in the scenario.
    pub id: String,
    /// Name in the registry of faults.
    pub kind: &'static str,
    /// When it begins.
    pub at: Nanos,
    /// When it ends; the scenario's end if the file does not say.
    pub until: Nanos,
    /// Whether the file gave an end (or a response does).
    pub bounded: bool,
    /// On and off within `at..until`; `None`: on throughout.
    pub flap: Option<Flap>,
    /// What it does to its targets.
    pub effects: Vec<Effect>,
    /// The elements, domains and groups expanded.
    pub targets: Vec<Target>,
    /// The far side, for faults between two sets of elements.
    pub against: Vec<Target>,
    /// The target as the file writes it.
    pub target_text: String,
    /// Owner domains of the faulted elements, in index order.
    pub owners: Vec<DomainId>,
}

/// On for `down`, off for `up`, beginning with `down`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Flap {
    /// How long the fault is on in each turn.
    pub down: Nanos,
    /// How long it is off in each turn.
    pub up: Nanos,
}

/// An element that a fault or step is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Target {
    /// A node; of a class, all sites or those given.
    Node(NodeId, Sites),
    /// One unit of a redundant node.
    NodeReplica(NodeId, u16),
    /// A part of each site (or of the sites given); how many of each site's units, all if `None`.
    Part(NodeId, u16, Sites),
    /// A link; of a class, the circuits of all sites or of those given.
    Link(LinkId, Sites),
    /// Every replica of a service.
    Service(ServiceId),
    /// One replica.
    Replica(ServiceId, u16),
    /// Whichever replica is primary when the fault fires.
    Primary(ServiceId),
    /// One shard.
    Shard(ServiceId, u16),
    /// What one service sends another.
    Flow(ServiceId, ServiceId),
    /// An access path (steps only).
    Access(AccessId),
}

/// Which sites of a class.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sites {
    /// All of them.
    All,
    /// These, in order, disjoint. Ranges of other classes than the element's do not occur.
    Some(Vec<SiteRange>),
}

/// An action that is not a fault.
#[derive(Clone, Debug)]
pub struct StepEntry {
    /// Name, unique in the scenario.
    pub id: String,
    /// When.
    pub at: Nanos,
    /// What.
    pub action: Action,
    /// The target as the file writes it.
    pub target_text: String,
}

/// What a step does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Make this replica primary (`None`: the first standby that is well).
    Promote(ServiceId, Option<u16>),
    /// Return to the home replica.
    FailBack(ServiceId),
    /// Restore from the newest backup that is complete and reachable.
    Restore(ServiceId),
    /// Bring standby links or access paths into service.
    Activate(Vec<Target>),
    /// Take them out of service again.
    Deactivate(Vec<Target>),
    /// End a fault early.
    RollBack(usize),
}

/// People who notice, find and mend.
#[derive(Clone, Debug)]
pub struct Response {
    /// Index of the fault.
    pub fault: usize,
    /// From its beginning to somebody knowing.
    pub detect: Nanos,
    /// From knowing to the cause.
    pub diagnose: Nanos,
    /// From the cause to the mend.
    pub fix: Nanos,
    /// A service restored from backup as the last part of the mend, beginning when `fix` is done.
    pub restore: Option<ServiceId>,
}

/// One published symptom of a real incident.
#[derive(Clone, Debug)]
pub struct Symptom {
    /// In words.
    pub text: String,
    /// What must be so.
    pub kind: SymptomKind,
}

/// What a symptom says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SymptomKind {
    /// The share of a population served by a journey at an instant.
    ShareAt {
        /// Population.
        population: PopulationId,
        /// Journey.
        journey: JourneyId,
        /// Instant.
        at: Nanos,
        /// Published share.
        is: Ppb,
        /// Tolerance.
        within: Ppb,
    },
    /// The share stays within bounds over a window.
    ShareBetween {
        /// Population.
        population: PopulationId,
        /// Journey.
        journey: JourneyId,
        /// Window.
        from: Nanos,
        /// Window.
        to: Nanos,
        /// Least at any instant.
        min: Ppb,
        /// Most at any instant.
        max: Ppb,
    },
    /// The share falls and rises at least so often in a window.
    Intermittent {
        /// Population.
        population: PopulationId,
        /// Journey.
        journey: JourneyId,
        /// Window.
        from: Nanos,
        /// Window.
        to: Nanos,
        /// Falls below all, at least.
        times: u32,
    },
    /// A group's sites are back for good within a window.
    RestoredBetween {
        /// Group.
        group: GroupId,
        /// Window.
        from: Nanos,
        /// Window.
        to: Nanos,
    },
    /// A population (in one journey, or all of its own) is never below all.
    Untouched {
        /// Population.
        population: PopulationId,
        /// Journey; `None`: every journey that it makes.
        journey: Option<JourneyId>,
    },
    /// So long in all below all, for the users concerned.
    Lasts {
        /// Population.
        population: PopulationId,
        /// Journey.
        journey: JourneyId,
        /// Published length.
        is: Nanos,
        /// Tolerance.
        within: Nanos,
    },
    /// No acknowledged write of a service is missing at the end.
    NoDataLost {
        /// Service; `None`: every stateful service.
        service: Option<ServiceId>,
    },
}
