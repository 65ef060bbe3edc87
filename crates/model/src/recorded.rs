//! The journal of a simulation as a file: one record a line, everything that the judge reads.
//!
//! The journal of a live run has observations (`observation.rs`) and is folded; a simulation
//! records what the judge reads as it is.

use crate::ids::{GroupId, ServiceId};
use crate::journal::{
    Cause, Decision, Engine, FaultRecord, Journal, NotExercised, QueueSeries, ReadBack, Restore,
    Series, Serving, Solo, SplitBrain, Step, StepRecord,
};
use crate::judge::model_digest;
use crate::observation::Bound;
use crate::plan::Plan;
use assize_fault::Nanos;
use serde::{Deserialize, Serialize};

const SCHEMA: &str = "assize/simulation/v1";

/// A line.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
enum Record {
    /// The first.
    Simulated {
        schema: String,
        topology: String,
        scenario: String,
        model_digest: String,
        seed: u64,
        version: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bound: Option<Bound>,
        end: Nanos,
        cells: usize,
        trace_digest: String,
        events: u64,
    },
    Fault(FaultRecord),
    Step(StepRecord),
    Decided(Decision),
    Serving(Serving),
    SplitBrain(SplitBrain),
    ReadBack(ReadBack),
    Restored(Restore),
    Queue {
        service: ServiceId,
        /// Instant in nanoseconds, amount.
        steps: Vec<(i64, u64)>,
    },
    Group {
        group: GroupId,
        restored_at: Option<Nanos>,
    },
    NotExercised(NotExercised),
    Amplification {
        service: ServiceId,
        milli: u64,
    },
    /// Served users of a cell in a journey; of the fault or step alone if there is a cause.
    Served {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        alone: Option<Cause>,
        cell: usize,
        journey: crate::ids::JourneyId,
        /// In nanoseconds.
        worst_latency: i64,
        /// Instant in nanoseconds, served, of which degraded; in 64ths of a user in 10⁹.
        steps: Vec<(i64, u64, u64)>,
    },
}

/// The lines of a simulation's journal.
#[must_use]
pub fn write(plan: &Plan<'_>, journal: &Journal, version: &str, bound: Option<&Bound>) -> Vec<u8> {
    let mut out = Vec::new();
    for record in records(plan, journal, version, bound) {
        // Records are plain data, which JSON can always hold.
        out.extend(serde_json::to_vec(&record).unwrap_or_default());
        out.push(b'\n');
    }
    out
}

fn records(
    plan: &Plan<'_>,
    journal: &Journal,
    version: &str,
    bound: Option<&Bound>,
) -> Vec<Record> {
    let mut all = vec![Record::Simulated {
        schema: SCHEMA.into(),
        topology: plan.topology.name.clone(),
        scenario: plan.scenario.name.clone(),
        model_digest: model_digest(plan),
        seed: plan.seed,
        version: version.into(),
        bound: bound.cloned(),
        end: journal.end,
        cells: journal.cells.len(),
        trace_digest: journal.trace_digest.clone(),
        events: journal.events,
    }];
    all.extend(journal.faults.iter().cloned().map(Record::Fault));
    all.extend(journal.steps.iter().cloned().map(Record::Step));
    all.extend(journal.decisions.iter().cloned().map(Record::Decided));
    all.extend(journal.serving.iter().copied().map(Record::Serving));
    all.extend(journal.split_brain.iter().copied().map(Record::SplitBrain));
    all.extend(journal.read_backs.iter().cloned().map(Record::ReadBack));
    all.extend(journal.restores.iter().cloned().map(Record::Restored));
    all.extend(journal.queues.iter().map(|queue| Record::Queue {
        service: queue.service,
        steps: queue.steps.iter().map(|(at, n)| (at.0, *n)).collect(),
    }));
    all.extend(
        journal
            .groups
            .iter()
            .map(|&(group, restored_at)| Record::Group { group, restored_at }),
    );
    let never = journal.not_exercised.iter().cloned();
    all.extend(never.map(Record::NotExercised));
    let amplified = journal.amplification.iter();
    all.extend(amplified.map(|&(service, milli)| Record::Amplification { service, milli }));
    all.extend(journal.series.iter().map(|one| served(None, one)));
    for solo in &journal.solos {
        let alone = solo.series.iter();
        all.extend(alone.map(|one| served(Some(solo.cause), one)));
    }
    all
}

fn served(alone: Option<Cause>, series: &Series) -> Record {
    let step = |step: &Step| (step.at.0, step.served, step.degraded);
    Record::Served {
        alone,
        cell: series.cell,
        journey: series.journey,
        worst_latency: series.worst_latency.0,
        steps: series.steps.iter().map(step).collect(),
    }
}

/// What the first record says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    /// Digest of topology and scenario.
    pub model_digest: String,
    /// The seed.
    pub seed: u64,
    /// The program's version.
    pub version: String,
    /// What was registered before.
    pub bound: Option<Bound>,
}

/// Reads the first record; `None` if it is not that of a simulation.
#[must_use]
pub fn head(bytes: &[u8]) -> Option<Head> {
    let first = bytes.split(|byte| *byte == b'\n').next()?;
    match serde_json::from_slice(first) {
        Ok(Record::Simulated {
            model_digest,
            seed,
            version,
            bound,
            ..
        }) => Some(Head {
            model_digest,
            seed,
            version,
            bound,
        }),
        _ => None,
    }
}

/// Reads a journal of this plan, as the judge takes it.
///
/// # Errors
/// A line that is none, or that names what the plan does not have.
pub fn read(plan: &Plan<'_>, bytes: &[u8]) -> Result<Journal, String> {
    let mut journal = Journal {
        end: Nanos::ZERO,
        ..Journal::empty(Engine::Simulate, plan)
    };
    for (index, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let record = serde_json::from_slice(line).map_err(|error| error.to_string());
        record
            .and_then(|record| take(plan, record, index == 0, &mut journal))
            .map_err(|why| format!("line {}: {why}", index + 1))?;
    }
    Ok(journal)
}

fn take(plan: &Plan<'_>, record: Record, first: bool, into: &mut Journal) -> Result<(), String> {
    let known = |service: ServiceId| {
        let known = service.index() < plan.topology.services.len();
        known.then_some(()).ok_or("it names no service of the plan")
    };
    if first != matches!(record, Record::Simulated { .. }) {
        return Err("the first record, and no other, says what was simulated".into());
    }
    match record {
        Record::Simulated {
            schema,
            end,
            cells,
            trace_digest,
            events,
            ..
        } => {
            if schema != SCHEMA || cells != plan.cells.len() {
                return Err("it is of another plan or version".into());
            }
            (into.end, into.trace_digest, into.events) = (end, trace_digest, events);
        }
        Record::Fault(fault) => into.faults.push(fault),
        Record::Step(step) => into.steps.push(step),
        Record::Decided(decision) => {
            decision.service.map_or(Ok(()), known)?;
            into.decisions.push(decision);
        }
        Record::Serving(serving) => {
            known(serving.service)?;
            into.serving.push(serving);
        }
        Record::SplitBrain(split) => {
            known(split.service)?;
            into.split_brain.push(split);
        }
        Record::ReadBack(back) => {
            known(back.service)?;
            into.read_backs.push(back);
        }
        Record::Restored(restore) => {
            known(restore.service)?;
            into.restores.push(restore);
        }
        Record::Queue { service, steps } => {
            known(service)?;
            let steps = steps.into_iter().map(|(at, n)| (Nanos(at), n)).collect();
            into.queues.push(QueueSeries { service, steps });
        }
        Record::Group { group, restored_at } => into.groups.push((group, restored_at)),
        Record::NotExercised(never) => into.not_exercised.push(never),
        Record::Amplification { service, milli } => {
            known(service)?;
            into.amplification.push((service, milli));
        }
        Record::Served {
            alone,
            cell,
            journey,
            worst_latency,
            steps,
        } => {
            if cell >= plan.cells.len() || journey.index() >= plan.topology.journeys.len() {
                return Err("it names no cell or journey of the plan".into());
            }
            let step = |(at, served, degraded)| Step {
                at: Nanos(at),
                served,
                degraded,
            };
            let series = Series {
                cell,
                journey,
                steps: steps.into_iter().map(step).collect(),
                worst_latency: Nanos(worst_latency),
            };
            place(alone, series, into);
        }
    }
    Ok(())
}

/// Into the list of its cause.
fn place(alone: Option<Cause>, series: Series, into: &mut Journal) {
    let Some(cause) = alone else {
        return into.series.push(series);
    };
    match into.solos.last_mut().filter(|solo| solo.cause == cause) {
        Some(solo) => solo.series.push(series),
        None => into.solos.push(Solo {
            cause,
            series: vec![series],
        }),
    }
}
