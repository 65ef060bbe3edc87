//! From the observations of a live run to the journal that the judge reads.
//!
//! Pure, and as forgiving as a journal file that ends in the middle: what is not there was not
//! measured, and what names nothing of the plan is left out. Nothing is judged here.

mod control_path;
mod external;
mod log;
mod samples;
#[cfg(test)]
mod tests;
mod topology;

use crate::ids::ServiceId;
use crate::journal::{
    Engine, FaultRecord, Journal, Measured, QueueSeries, Serving, SplitBrain, StepRecord, USER,
};
use crate::observation::{Ending, Observation};
use crate::plan::Plan;
use assize_fault::Nanos;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// What a live run observed, as the judge reads it.
///
/// Solo runs, for attribution, are not among the observations: see [`Journal::adopt_solos`].
#[must_use]
pub fn fold(plan: &Plan<'_>, observations: &[Observation]) -> Journal {
    if observations.iter().all(Observation::is_sane) {
        return fold_sane(plan, observations);
    }
    let sane = observations.iter().filter(|one| one.is_sane()).cloned();
    fold_sane(plan, &sane.collect::<Vec<Observation>>())
}

fn fold_sane(plan: &Plan<'_>, observations: &[Observation]) -> Journal {
    let end = end(plan, observations);
    let machine = Machine::of(observations);
    let sampled = samples::sampled(plan, observations, &machine, end);
    let mut decisions = Vec::new();
    let mut read_backs = Vec::new();
    let mut restores = Vec::new();
    let mut split_brain = Vec::new();
    for observation in observations {
        match observation {
            Observation::Decided(decision) => decisions.push(decision.clone()),
            Observation::ReadBack(back) if known(plan, back.service) => {
                read_backs.push(back.clone());
            }
            Observation::Restored(restore) if known(plan, restore.service) => {
                restores.push(restore.clone());
            }
            &Observation::SplitBrain { service, from, to } if service < services(plan) => {
                let service = ServiceId::from(service);
                split_brain.push(SplitBrain { service, from, to });
            }
            _ => {}
        }
    }
    decisions.retain(|d| d.service.is_none_or(|service| known(plan, service)));
    let faults = faults(plan, observations, end);
    let serving = serving(plan, observations, end);
    external::decisions(plan, &serving, &faults, &mut decisions);
    decisions.sort_by_key(|d| d.at);
    let mut measured = measured(plan, observations, &machine, end);
    measured.attempts = sampled.attempts;
    measured.notes.extend(log::promotions(plan, observations));
    measured.disturbed.extend(sampled.gaps);
    measured.disturbed.sort_by_key(|d| (d.from, d.to));
    let not_exercised = topology::not_exercised(plan, observations, &serving, &restores);
    let groups = topology::groups(plan, &faults, observations);
    Journal {
        engine: Engine::Run,
        seed: plan.seed,
        end,
        cells: plan.cells.clone(),
        series: sampled.series,
        solos: Vec::new(),
        faults,
        steps: steps(plan, observations),
        decisions,
        serving,
        split_brain,
        read_backs,
        restores,
        queues: queues(plan, observations),
        groups,
        not_exercised,
        amplification: Vec::new(),
        measured: Some(measured),
        trace_digest: digest(observations),
        events: observations.len() as u64,
    }
}

impl Journal {
    /// Takes over the solo runs of a prediction of the same plan, for attribution: in the order
    /// of what was recorded here, and with the ends of effects that they show.
    pub fn adopt_solos(&mut self, prediction: &Self) {
        self.solos = prediction.solos.clone();
        for solo in &mut self.solos {
            let mut all: BTreeMap<_, _> = std::mem::take(&mut solo.series)
                .into_iter()
                .map(|one| ((one.cell, one.journey), one))
                .collect();
            let mine = self.series.iter();
            solo.series = mine
                .filter_map(|one| all.remove(&(one.cell, one.journey)))
                .collect();
            // A list of another length would be read askew.
            if solo.series.len() != self.series.len() {
                solo.series.clear();
            }
        }
        for (record, predicted) in self.faults.iter_mut().zip(&prediction.faults) {
            record.effect_to = record.effect_to.max(predicted.effect_to);
        }
    }
}

/// What the machine permits, as it said before anything was broken.
#[derive(Clone, Copy, Debug)]
struct Machine {
    pace: u32,
    jitter: Nanos,
    probe_every: Nanos,
    resolution: Nanos,
}

impl Machine {
    fn of(observations: &[Observation]) -> Self {
        let said = observations.iter().find_map(|one| match *one {
            Observation::Machine {
                pace,
                jitter,
                probe_every,
                resolution,
                ..
            } => Some(Self {
                pace: pace.max(1),
                jitter,
                probe_every,
                resolution,
            }),
            _ => None,
        });
        said.unwrap_or(Self {
            pace: 1,
            jitter: Nanos::ZERO,
            probe_every: Nanos::ZERO,
            resolution: Nanos::ZERO,
        })
    }
}

fn services(plan: &Plan<'_>) -> usize {
    plan.topology.services.len()
}

fn known(plan: &Plan<'_>, service: ServiceId) -> bool {
    service.index() < services(plan)
}

/// The end that was recorded; of a run that was killed, its last record.
fn end(plan: &Plan<'_>, observations: &[Observation]) -> Nanos {
    let ended = observations.iter().rev().find_map(|one| match one {
        Observation::Ended { at, .. } => Some(*at),
        _ => None,
    });
    let last = || observations.iter().filter_map(Observation::at).max();
    let at = ended.or_else(last).unwrap_or(Nanos::ZERO);
    at.max(Nanos::ZERO).min(plan.scenario.end)
}

fn measured(
    plan: &Plan<'_>,
    observations: &[Observation],
    machine: &Machine,
    end: Nanos,
) -> Measured {
    let control = control_path::watched(plan, observations, machine, end);
    let mut measured = Measured {
        pace: machine.pace,
        resolution: machine.resolution,
        real: vec![false; services(plan)],
        slowness: (machine.jitter + control.worst) * i64::from(machine.pace),
        disturbed: control.disturbed,
        ..Measured::default()
    };
    for one in observations {
        match one {
            Observation::TestedOn { service, real } => {
                if let Some(known) = measured.real.get_mut(*service) {
                    *known = *real;
                }
            }
            Observation::Bypassed { service, what, .. } if *service < services(plan) => {
                let service = ServiceId::from(*service);
                measured.bypassed.push((service, what.clone()));
            }
            Observation::Command { code, .. } => measured.command = Some(*code),
            Observation::Note { text, .. } => measured.notes.push(text.clone()),
            Observation::Ended { why, left, .. } => {
                measured.ending = Some(*why);
                let left = left.iter().map(|what| format!("not lifted: {what}"));
                measured.notes.extend(left);
            }
            _ => {}
        }
    }
    measured
}

/// Each fault from its first beginning to its last end.
fn faults(plan: &Plan<'_>, observations: &[Observation], end: Nanos) -> Vec<FaultRecord> {
    let entries = plan.scenario.faults.iter();
    let never = entries.map(|entry| FaultRecord {
        from: entry.at.min(end),
        to: entry.at.min(end),
        bite: None,
        effect_to: entry.at.min(end),
    });
    let mut records: Vec<FaultRecord> = never.collect();
    let mut begun = vec![false; records.len()];
    for one in observations {
        match one {
            &Observation::Fault { at, fault, on } => {
                let Some(record) = records.get_mut(fault) else {
                    continue;
                };
                if on && !begun[fault] {
                    (begun[fault], record.from) = (true, at);
                }
                record.to = if on { end } else { at.min(end) };
            }
            Observation::Bite {
                at,
                fault,
                evidence,
            } => {
                if let Some(record) = records.get_mut(*fault) {
                    record.bite.get_or_insert_with(|| (*at, evidence.clone()));
                }
            }
            _ => {}
        }
    }
    for record in &mut records {
        record.effect_to = record.to;
    }
    records
}

fn steps(plan: &Plan<'_>, observations: &[Observation]) -> Vec<StepRecord> {
    let entries = plan.scenario.steps.iter().enumerate();
    let record = |(index, entry): (usize, &crate::scenario::StepEntry)| {
        let said = observations.iter().filter_map(|one| match one {
            Observation::Step { at, step, outcome } if *step == index => Some((*at, outcome)),
            _ => None,
        });
        let said: Vec<(Nanos, &String)> = said.collect();
        let mut words: Vec<&str> = Vec::new();
        for (_, outcome) in &said {
            // What more came of it is often told with all that came before.
            words.pop_if(|last| outcome.starts_with(*last));
            words.push(outcome);
        }
        StepRecord {
            at: said.first().map_or(entry.at, |first| first.0),
            outcome: if words.is_empty() {
                "not taken".to_string()
            } else {
                words.join("; ")
            },
        }
    };
    entries.map(record).collect()
}

/// Spans in which a replica was seen to serve.
fn serving(plan: &Plan<'_>, observations: &[Observation], end: Nanos) -> Vec<Serving> {
    let mut since: BTreeMap<(ServiceId, u16), Nanos> = BTreeMap::new();
    let mut spans = Vec::new();
    let mut close = |(service, replica): (ServiceId, u16), from: Nanos, to: Nanos| {
        // A replica that served throughout served at the start.
        let from = from.max(Nanos::ZERO);
        if from < to {
            spans.push(Serving {
                service,
                replica,
                from,
                to,
            });
        }
    };
    for one in observations {
        let &Observation::Serves {
            at,
            service,
            replica,
            on,
        } = one
        else {
            continue;
        };
        let Some(replicas) = plan.topology.services.get(service) else {
            continue;
        };
        if usize::from(replica) >= replicas.replicas.len() {
            continue;
        }
        let key = (ServiceId::from(service), replica);
        if on {
            since.entry(key).or_insert(at);
        } else if let Some(from) = since.remove(&key) {
            close(key, from, at.min(end));
        }
    }
    for (key, from) in since {
        close(key, from, end);
    }
    spans.sort_by_key(|span| (span.service, span.from, span.replica));
    spans
}

fn queues(plan: &Plan<'_>, observations: &[Observation]) -> Vec<QueueSeries> {
    let mut all: BTreeMap<usize, Vec<(Nanos, u64)>> = BTreeMap::new();
    for one in observations {
        if let &Observation::Queue {
            at,
            service,
            amount,
        } = one
            && service < services(plan)
        {
            let amount = amount.saturating_mul(USER);
            all.entry(service).or_default().push((at, amount));
        }
    }
    let series = all.into_iter().map(|(service, mut steps)| {
        steps.sort_by_key(|step| step.0);
        QueueSeries {
            service: ServiceId::from(service),
            steps,
        }
    });
    series.collect()
}

/// SHA-256 over the records as lines, in hexadecimal: that of the journal file.
fn digest(observations: &[Observation]) -> String {
    let mut hash = Sha256::new();
    for one in observations {
        // Records are plain data, which JSON can always hold.
        hash.update(serde_json::to_vec(one).unwrap_or_default());
        hash.update(b"\n");
    }
    let bytes = hash.finalize();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the run was ended before its time, and how, as the rest of a sentence.
#[must_use]
pub(crate) fn cut_short(measured: &Measured) -> Option<&'static str> {
    match measured.ending {
        Some(Ending::Finished | Ending::Stable) => None,
        Some(Ending::Interrupted) => Some("was interrupted"),
        Some(Ending::Aborted) => Some("was stopped by one of its `abort_if` conditions"),
        None => Some("was killed"),
    }
}
