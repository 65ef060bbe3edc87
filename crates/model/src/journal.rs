//! Observations: what an engine recorded. The judge reads nothing else.

use crate::ids::{GroupId, JourneyId, ServiceId};
use crate::plan::{Cell, Plan};
use assize_fault::Nanos;
use serde::{Deserialize, Serialize};

/// One user, in the integer units in which served shares are kept: a sixty-fourth (one cohort
/// of a user's cell) in parts per billion.
pub const USER: u64 = 64 * 1_000_000_000;

/// Which engine recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Engine {
    /// Virtual time.
    Simulate,
    /// Real sockets.
    Run,
    /// A real incident.
    Observed,
}

/// Everything recorded of one scenario, in order of time within each list.
#[derive(Clone, Debug)]
pub struct Journal {
    /// Which engine.
    pub engine: Engine,
    /// The seed.
    pub seed: u64,
    /// The end of the scenario; every series holds until here.
    pub end: Nanos,
    /// Cells, by index.
    pub cells: Vec<Cell>,
    /// Served users per cell and journey.
    pub series: Vec<Series>,
    /// The same with one fault or step alone, for attribution; only for causes that matter.
    pub solos: Vec<Solo>,
    /// Faults, in the scenario's order.
    pub faults: Vec<FaultRecord>,
    /// Steps, in the scenario's order.
    pub steps: Vec<StepRecord>,
    /// Decisions of the control plane and of people.
    pub decisions: Vec<Decision>,
    /// Which replica served when.
    pub serving: Vec<Serving>,
    /// Overlaps in which two replicas of a single-writer service acknowledged writes.
    pub split_brain: Vec<SplitBrain>,
    /// Ledgers read back.
    pub read_backs: Vec<ReadBack>,
    /// Restores from backup.
    pub restores: Vec<Restore>,
    /// Queued work per service.
    pub queues: Vec<QueueSeries>,
    /// The first instant from which no fault touches the sites of a group; `None`: not by the end.
    pub groups: Vec<(GroupId, Option<Nanos>)>,
    /// Paths and backups that exist but never served, as selectors with what they are.
    pub not_exercised: Vec<NotExercised>,
    /// Requests that arrived at each service over requests that users made, in thousandths at
    /// worst.
    pub amplification: Vec<(ServiceId, u64)>,
    /// What a live run measured of itself; `None` for what was computed.
    pub measured: Option<Measured>,
    /// SHA-256 over every event in the order taken, in hexadecimal.
    pub trace_digest: String,
    /// Events taken.
    pub events: u64,
}

impl Journal {
    /// One of a plan in which nothing is recorded yet.
    #[must_use]
    pub fn empty(engine: Engine, plan: &Plan<'_>) -> Self {
        Self {
            engine,
            seed: plan.seed,
            end: plan.scenario.end,
            cells: plan.cells.clone(),
            series: Vec::new(),
            solos: Vec::new(),
            faults: Vec::new(),
            steps: Vec::new(),
            decisions: Vec::new(),
            serving: Vec::new(),
            split_brain: Vec::new(),
            read_backs: Vec::new(),
            restores: Vec::new(),
            queues: Vec::new(),
            groups: Vec::new(),
            not_exercised: Vec::new(),
            amplification: Vec::new(),
            measured: None,
            trace_digest: String::new(),
            events: 0,
        }
    }
}

/// What a live run measured of the machine and of itself, on which its error bounds rest.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Measured {
    /// Model seconds per wall second.
    pub pace: u32,
    /// Error of durations measured by probing, in model time.
    pub resolution: Nanos,
    /// Whether each service was the user's own system, by index.
    pub real: Vec<bool>,
    /// Attempts, and how many of them failed: per cell and journey.
    pub attempts: Vec<Attempts>,
    /// Error of the length of an attempt: how late timers were, and the longest that the
    /// un-faulted control path took, in model time.
    pub slowness: Nanos,
    /// Spans in which the harness itself was not fit to measure, in order.
    pub disturbed: Vec<Disturbed>,
    /// Services that were reached past the proxies, with the evidence.
    pub bypassed: Vec<(ServiceId, String)>,
    /// How it ended; `None`: it was killed, and `end` is that of its last record.
    pub ending: Option<crate::observation::Ending>,
    /// Exit code of the command in wrap mode.
    pub command: Option<Option<i32>>,
    /// What a reader should know.
    pub notes: Vec<String>,
}

/// Attempts of the users of a cell in a journey, each counted as it was, not smoothed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempts {
    /// Index of the cell.
    pub cell: usize,
    /// The journey.
    pub journey: JourneyId,
    /// How many began and ended before the start.
    pub steady: u64,
    /// Of which failed.
    pub steady_failed: u64,
    /// How many began from the start on, in order of time.
    pub began_at: Vec<Nanos>,
    /// Of which failed.
    pub failed_at: Vec<Nanos>,
    /// Failures between two good attempts of one representative, which make no outage: from the
    /// attempt to the next one, and the users concerned, in units of [`USER`].
    pub lone: Vec<(Nanos, Nanos, u64)>,
}

/// A span in which the harness was not fit to measure.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Disturbed {
    /// From.
    pub from: Nanos,
    /// To.
    pub to: Nanos,
    /// Nobody looked, so that an outage would not have been seen; otherwise what was seen was
    /// slower than it was.
    pub blind: bool,
    /// In words, such as `runner too slow: control p99 180ms`.
    pub what: String,
}

/// Served users of one cell in one journey, as a step function of the instant at which an
/// attempt begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Series {
    /// Index of the cell.
    pub cell: usize,
    /// The journey.
    pub journey: JourneyId,
    /// Steps in order of time; the first is at or before 0.
    pub steps: Vec<Step>,
    /// The longest an attempt that was served would have taken.
    pub worst_latency: Nanos,
}

/// From `at` on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Step {
    /// When.
    pub at: Nanos,
    /// Users served, contingency included, in units of [`USER`].
    pub served: u64,
    /// Of those, users served by a contingency.
    pub degraded: u64,
}

/// A run with one cause alone.
#[derive(Clone, Debug)]
pub struct Solo {
    /// Fault or step.
    pub cause: Cause,
    /// As [`Journal::series`], in the same order.
    pub series: Vec<Series>,
}

/// What can cause an outage.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Index of a fault.
    Fault(usize),
    /// Index of a step.
    Step(usize),
}

/// What became of a fault.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultRecord {
    /// When it began.
    pub from: Nanos,
    /// When it ended.
    pub to: Nanos,
    /// The first thing that met it, and when; `None`: it never bit.
    pub bite: Option<(Nanos, String)>,
    /// When its last effect ended (caches and queues included); for joint attribution.
    pub effect_to: Nanos,
}

/// What became of a step.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StepRecord {
    /// When.
    pub at: Nanos,
    /// What came of it, in words.
    pub outcome: String,
}

/// A decision of the control plane, or of people.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decision {
    /// When.
    pub at: Nanos,
    /// What kind.
    pub kind: DecisionKind,
    /// The element, as a selector.
    pub subject: String,
    /// The faults that had failed the element.
    pub faults: Vec<usize>,
    /// The service it concerns, if any.
    pub service: Option<ServiceId>,
}

/// Kinds of decision.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionKind {
    /// A checker called a replica down.
    Down,
    /// A checker called it up again.
    Up,
    /// Routing took an element out.
    RouteDown,
    /// Routing took it back.
    RouteUp,
    /// A promotion began.
    PromotionBegun,
    /// A promotion was completed.
    Promoted,
    /// A promotion failed.
    PromotionFailed,
    /// A fail-back began.
    FailBackBegun,
    /// The home replica serves again.
    FailedBack,
    /// A standby link or access, or the other unit of a node, came into service.
    Activated,
    /// People noticed.
    PeopleKnow,
    /// People found the cause.
    Diagnosed,
    /// People mended it.
    Mended,
}

/// A span in which a replica served users or dependants.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Serving {
    /// The service.
    pub service: ServiceId,
    /// The replica.
    pub replica: u16,
    /// From.
    pub from: Nanos,
    /// To.
    pub to: Nanos,
}

/// Two replicas acknowledged writes at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SplitBrain {
    /// The service.
    pub service: ServiceId,
    /// From.
    pub from: Nanos,
    /// To.
    pub to: Nanos,
}

/// A ledger compared with what a service still holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReadBack {
    /// The service.
    pub service: ServiceId,
    /// When.
    pub at: Nanos,
    /// At the first stable good after a failover or restore, or at the end.
    pub is_final: bool,
    /// Acknowledged writes so far.
    pub acknowledged: u64,
    /// Acknowledged and missing.
    pub lost: u64,
    /// Present more than once.
    pub duplicated: u64,
    /// Reads that returned an old value.
    pub stale: u64,
    /// Present with other content.
    pub corrupted: u64,
    /// Outcome unknown to the client.
    pub indeterminate: u64,
    /// What is missing, by the event that cost it, in the order in which those happened.
    pub losses: Vec<Loss>,
    /// The longest time in which some could have been acknowledged that would be missing, where
    /// none happened to be, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<Nanos>,
}

/// Writes lost together: by one takeover, one restore, one piece of damage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Loss {
    /// When the oldest missing write was acknowledged.
    pub oldest_at: Nanos,
    /// When the newest missing write was acknowledged.
    pub newest_at: Nanos,
    /// Until when who lost them could acknowledge some, where that is known: had more been
    /// written, the newest would lie there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Nanos>,
    /// When the newest surviving write before the oldest missing one was acknowledged.
    pub survivor_before: Option<Nanos>,
    /// When the fault that cost the writes began.
    pub fault_at: Option<Nanos>,
    /// Its index, where one can be named.
    pub fault: Option<usize>,
}

/// A restore from backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Restore {
    /// The service.
    pub service: ServiceId,
    /// Index of the schedule.
    pub backup: usize,
    /// When the backup began: its recovery point.
    pub point: Nanos,
    /// When the restore began.
    pub from: Nanos,
    /// When it was done, or found to be bad.
    pub to: Nanos,
    /// Whether the data is good.
    pub good: bool,
}

/// Queued work of a service over time, in units of [`USER`] (one request each).
#[derive(Clone, Debug)]
pub struct QueueSeries {
    /// The service.
    pub service: ServiceId,
    /// Amount from each instant on.
    pub steps: Vec<(Nanos, u64)>,
}

/// Something that exists to take over, and never served.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct NotExercised {
    /// Selector, such as `service/juror-db/south` or `link/court-lte`.
    pub element: String,
    /// What it is for, in words.
    pub what: String,
    /// The service, if it belongs to one.
    pub service: Option<ServiceId>,
}
