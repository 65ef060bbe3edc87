//! The judge's result: what `assize/verdict/v1` holds, field for field.

use crate::contract::Credits;
use crate::picture::Picture;
use assize_fault::Nanos;
use serde::Serialize;

/// The verdict on one scenario.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// `assize/verdict/v1`.
    pub schema: &'static str,
    /// `simulate`, `run` or `observed`.
    pub engine: &'static str,
    /// Name of the topology.
    pub topology: String,
    /// Name of the scenario.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// SHA-256 over topology and scenario as read.
    pub model_digest: String,
    /// RFC 3339.
    pub start: String,
    /// RFC 3339.
    pub end: String,
    /// The verdict.
    pub verdict: VerdictKind,
    /// One per objective and subject.
    pub findings: Vec<Finding>,
    /// Populations.
    pub populations: Vec<PopulationResult>,
    /// Services.
    pub services: Vec<ServiceResult>,
    /// Groups.
    pub groups: Vec<GroupResult>,
    /// Faults.
    pub faults: Vec<FaultResult>,
    /// Steps.
    pub steps: Vec<StepResult>,
    /// Published symptoms.
    pub expected: Vec<SymptomResult>,
    /// Paths and backups that never served.
    pub not_exercised: Vec<NotExercisedResult>,
    /// Assumptions, by path.
    pub assumptions: Vec<AssumptionResult>,
    /// Warnings from reading the files, and about queues that bound, in words.
    pub warnings: Vec<String>,
    /// What a live run measured of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<LiveResult>,
    /// How late a change of an observed incident may have been seen.
    #[serde(skip_serializing_if = "is_exact")]
    pub resolution: Nanos,
    /// What a contract makes of it, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<Credits>,
    /// What a report draws; no part of the JSON.
    #[serde(skip)]
    pub picture: Picture,
    /// SHA-256 over every event in the order taken.
    pub trace_digest: String,
    /// Events taken.
    pub events: u64,
}

/// Whether every change is known exactly (or the error is among what a live run measured).
fn is_exact(resolution: &Nanos) -> bool {
    *resolution == Nanos::ZERO
}

/// What a live run measured of itself, on which its error bounds rest.
#[derive(Clone, Debug, Serialize)]
pub struct LiveResult {
    /// Model seconds per wall second.
    pub pace: u32,
    /// Error of durations measured by probing, in model time.
    pub resolution: Nanos,
    /// Error of the length of one attempt, in model time.
    pub slowness: Nanos,
    /// `finished`, `stable`, `aborted`, `interrupted` or `killed`.
    pub ended: &'static str,
    /// Attempts of users from the start on.
    pub attempts: u64,
    /// Of which failed.
    pub failed: u64,
    /// Services that were the user's own; all others were stand-ins.
    pub real: Vec<String>,
    /// When the harness was not fit to measure, and how.
    pub disturbed: Vec<String>,
    /// Every run of the scenario in order, where there was more than one; this is the worst.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunResult>,
}

/// One of several runs of a scenario.
#[derive(Clone, Debug, Serialize)]
pub struct RunResult {
    /// `pass`, `inconclusive`, `fail` or `could_not_run`.
    pub verdict: &'static str,
    /// It could not be decided, and the next was made in its place.
    pub replaced: bool,
    /// Why it could not be carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its figures.
    pub figures: Vec<RunFigure>,
}

/// A figure of one of several runs.
#[derive(Clone, Debug, Serialize)]
pub struct RunFigure {
    /// The objective.
    pub objective: String,
    /// What it is about.
    pub subject: String,
    /// Measured.
    pub measured: Option<Value>,
    /// In words.
    pub measured_text: String,
    /// Its status.
    pub status: Status,
}

/// Of a run, and of a suite. In order of precedence for a suite.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VerdictKind {
    /// Every selected objective met, or its miss accepted.
    Pass,
    /// None missed, and some not decided.
    Inconclusive,
    /// Some missed and not accepted.
    Fail,
}

/// Of a finding.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// m + e ≤ T.
    Met,
    /// m − e > T.
    Missed,
    /// Too close to call, or nothing met the fault.
    Inconclusive,
    /// About a path or backup that never served.
    NotExercised,
}

/// A measured or target value with its unit.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
#[serde(untagged)]
pub enum Value {
    /// A duration.
    Time(Nanos),
    /// A share from 0 to 1.
    Share(f64),
    /// A number of things.
    Count(u64),
    /// User-time, in user-hours.
    UserHours(f64),
}

/// One objective on one subject.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// The objective.
    pub objective: String,
    /// `rto`, `rpo`, …
    pub kind: &'static str,
    /// What it is about: `court-staff / sign-in`, `service/juror-db`.
    pub subject: String,
    /// The target; `None` for kinds whose target is in words (`never`).
    pub target: Option<Value>,
    /// The target in words, with its comparison: `≤ 15m`.
    pub target_text: String,
    /// Measured; `None` if there is no measurement.
    pub measured: Option<Value>,
    /// Measured, in words: `≥ 2h (still open)`, `not interrupted`.
    pub measured_text: String,
    /// Error bound, in the unit of `measured`.
    pub error: Option<Value>,
    /// Target less measured (mirrored where higher is better), in words.
    pub margin_text: String,
    /// What `simulate` predicted, in live runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub predicted: Option<Value>,
    /// Status.
    pub status: Status,
    /// The miss is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accepted: Option<AcceptedBy>,
    /// Why it has this status, in one sentence.
    pub reason: String,
    /// `simulation`, `stand-in`, `real`, `analysis`, `observed`.
    pub tested_on: &'static str,
    /// Where the objective is written.
    pub source: String,
    /// What is reported beside the figure, name and value: `onset`, `detected`, `first_good`,
    /// `stable_good`, `since_fault`, `outages`, `below_full`, `left_out`, …
    pub details: Vec<Detail>,
    /// Parts of the outage by fault and step; their times sum to the whole.
    pub attribution: Vec<Attribution>,
}

/// A named figure beside the main one.
#[derive(Clone, Debug, Serialize)]
pub struct Detail {
    /// Name.
    pub name: &'static str,
    /// Value, where it is a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
    /// In words.
    pub text: String,
}

/// Who accepted a miss, until when, and why.
#[derive(Clone, Debug, Serialize)]
pub struct AcceptedBy {
    /// Who.
    pub by: String,
    /// A date.
    pub until: String,
    /// Why.
    pub reason: String,
}

/// A part of an outage.
#[derive(Clone, Debug, Serialize)]
pub struct Attribution {
    /// Fault or step.
    pub cause: String,
    /// Owner domains of the faulted elements.
    pub owners: Vec<String>,
    /// Its part; shared instants are split equally.
    pub time: Nanos,
    /// Of which shared with others: its part of the shared instants. These sum to the length of
    /// the shared instants, which is also the finding's detail `joint`.
    pub joint: Nanos,
}

/// A population.
#[derive(Clone, Debug, Serialize)]
pub struct PopulationResult {
    /// Name.
    pub id: String,
    /// Users.
    pub users: u64,
    /// Sites at which they sit, those without any of them left out.
    pub sites: u64,
    /// Journeys that it makes.
    pub journeys: Vec<JourneyResult>,
}

/// One journey of a population. Figures that were not measured (or that have no service hours
/// to be measured in) are not a number, which JSON shows as `null`.
#[derive(Clone, Debug, Serialize)]
pub struct JourneyResult {
    /// Name.
    pub id: String,
    /// ∫ s over the service hours, over the service hours.
    pub availability: f64,
    /// ∫ s over the clock.
    pub availability_all_hours: f64,
    /// ∫ degraded over the service hours.
    pub degraded: f64,
    /// Peak of 1 − s in service hours.
    pub peak_out: f64,
    /// ∫ (1 − s) in service hours, in user-hours.
    pub user_hours_lost: f64,
    /// ∫ (1 − s) on the clock, per user of the population, in seconds.
    pub lost_per_user: Nanos,
    /// Consecutive intervals of constant 1 − s > 0, not bridged.
    pub outages: Vec<OutageResult>,
    /// Outages as section 4 of the design defines them, at level 100 %.
    pub rto_outages: Vec<SpanResult>,
    /// Intervals with somebody out or served by a contingency, with sites and causes, exactly:
    /// what a contract reckons with.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub losses: Vec<LossResult>,
}

/// An interval in which nothing of this changes. In JSON it is a line of text, for there are
/// thousands: `FROM TO out=UNITS degraded=UNITS sites=N CAUSE=UNITS …`, instants in nanoseconds
/// from the start, users in units of a 64,000,000,000th. The causes sum to `out`; those after a
/// word `|` to `degraded`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LossResult {
    /// From the scenario's start.
    pub from: Nanos,
    /// From the scenario's start.
    pub to: Nanos,
    /// Users without the journey, in units of [`crate::journal::USER`].
    pub out: u64,
    /// Users served by a contingency, in the same units.
    pub degraded: u64,
    /// Sites with somebody out.
    pub sites: u64,
    /// By fault or step, its part of `out`; an empty name: no cause had begun.
    pub by: Vec<(String, u64)>,
    /// The same of `degraded`.
    pub degraded_by: Vec<(String, u64)>,
}

impl std::fmt::Display for LossResult {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (self.from.0, self.to.0);
        let (out, degraded, sites) = (self.out, self.degraded, self.sites);
        write!(f, "{from} {to} out={out} degraded={degraded} sites={sites}")?;
        for (name, part) in &self.by {
            write!(f, " {name}={part}")?;
        }
        if !self.degraded_by.is_empty() {
            f.write_str(" |")?;
        }
        for (name, part) in &self.degraded_by {
            write!(f, " {name}={part}")?;
        }
        Ok(())
    }
}

impl Serialize for LossResult {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl std::str::FromStr for LossResult {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no interval of losses");
        let number = |text: Option<&str>| text?.parse::<i64>().ok().map(Nanos);
        let pair = |word: &str| {
            let (name, number) = word.rsplit_once('=')?;
            Some((name.to_string(), number.parse::<u64>().ok()?))
        };
        let mut words = text.split(' ');
        let from = number(words.next()).ok_or_else(wrong)?;
        let to = number(words.next()).ok_or_else(wrong)?;
        let mut amount = |wanted: &str| {
            let (name, number) = words.next().and_then(pair).ok_or_else(wrong)?;
            (name == wanted).then_some(number).ok_or_else(wrong)
        };
        let (out, degraded, sites) = (amount("out")?, amount("degraded")?, amount("sites")?);
        let rest: Vec<&str> = words.collect();
        let mut lists = rest.split(|word| *word == "|").map(|list| {
            let pairs = list.iter().map(|word| pair(word));
            pairs.collect::<Option<Vec<_>>>().ok_or_else(wrong)
        });
        let by = lists.next().unwrap_or_else(|| Ok(Vec::new()))?;
        let degraded_by = lists.next().unwrap_or_else(|| Ok(Vec::new()))?;
        let sum = |list: &[(String, u64)]| list.iter().map(|p| u128::from(p.1)).sum::<u128>();
        let whole = sum(&by) == u128::from(out) && sum(&degraded_by) == u128::from(degraded);
        if from >= to || !whole || lists.next().is_some() {
            return Err(wrong());
        }
        Ok(Self {
            from,
            to,
            out,
            degraded,
            sites,
            by,
            degraded_by,
        })
    }
}

/// An interval with some users out.
#[derive(Clone, Debug, Serialize)]
pub struct OutageResult {
    /// RFC 3339.
    pub from: String,
    /// RFC 3339.
    pub to: String,
    /// From the scenario's start.
    pub from_offset: Nanos,
    /// From the scenario's start.
    pub to_offset: Nanos,
    /// Share of the population without the journey.
    pub share: f64,
}

/// A span.
#[derive(Clone, Debug, Serialize)]
pub struct SpanResult {
    /// RFC 3339.
    pub from: String,
    /// RFC 3339.
    pub to: String,
    /// How long.
    pub length: Nanos,
}

/// A service.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceResult {
    /// Name.
    pub id: String,
    /// Which replica served when.
    pub served_by: Vec<ServedBy>,
    /// The ledger, for stateful services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<DataResult>,
    /// Requests that arrived over requests that users made, at worst; absent without a capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amplification: Option<f64>,
}

/// A span in which a replica served.
#[derive(Clone, Debug, Serialize)]
pub struct ServedBy {
    /// The replica.
    pub replica: String,
    /// RFC 3339.
    pub from: String,
    /// RFC 3339.
    pub to: String,
}

/// What became of the writes, at the end.
#[derive(Clone, Debug, Serialize)]
pub struct DataResult {
    /// Acknowledged writes.
    pub acknowledged: u64,
    /// Acknowledged and missing.
    pub lost: u64,
    /// Present more than once.
    pub duplicated: u64,
    /// Old values returned.
    pub stale: u64,
    /// Present with other content.
    pub corrupted: u64,
    /// Outcome unknown.
    pub indeterminate: u64,
    /// The larger of the figures at recovery and at the end.
    pub rpo: Nanos,
    /// RFC 3339.
    pub oldest_lost_at: Option<String>,
    /// RFC 3339.
    pub newest_lost_at: Option<String>,
}

/// A group.
#[derive(Clone, Debug, Serialize)]
pub struct GroupResult {
    /// Name.
    pub id: String,
    /// Sites.
    pub sites: u64,
    /// RFC 3339; `None`: not by the end.
    pub restored_at: Option<String>,
}

/// A fault.
#[derive(Clone, Debug, Serialize)]
pub struct FaultResult {
    /// Name.
    pub id: String,
    /// Kind.
    pub fault: String,
    /// Target, as written.
    pub target: String,
    /// RFC 3339.
    pub from: String,
    /// RFC 3339.
    pub to: String,
    /// Owner domains.
    pub owners: Vec<String>,
    /// RFC 3339: the first decision, of the control plane or of people, about an element that it
    /// failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detected: Option<String>,
    /// RFC 3339: when people knew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<String>,
    /// Whether something met it.
    pub bit: bool,
    /// What met it first, or why nothing could.
    pub evidence: String,
}

/// A step.
#[derive(Clone, Debug, Serialize)]
pub struct StepResult {
    /// Name.
    pub id: String,
    /// RFC 3339.
    pub at: String,
    /// What came of it.
    pub outcome: String,
}

/// A published symptom.
#[derive(Clone, Debug, Serialize)]
pub struct SymptomResult {
    /// In words.
    pub symptom: String,
    /// As published.
    pub published: String,
    /// As obtained.
    pub got: String,
    /// Whether they agree.
    pub reproduced: bool,
}

/// Something that never served.
#[derive(Clone, Debug, Serialize)]
pub struct NotExercisedResult {
    /// Selector.
    pub element: String,
    /// What it is for.
    pub what: String,
}

/// An assumption.
#[derive(Clone, Debug, Serialize)]
pub struct AssumptionResult {
    /// Path in the file.
    pub path: String,
    /// Why.
    pub reason: String,
}
