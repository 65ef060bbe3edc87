//! The un-faulted control path: when the harness itself was too slow to measure what it says.
//!
//! Figures are stated to within the resolution; where the control path took longer than that,
//! they were not. Nor were they where one exchange over it took half as long as a try of a journey
//! or a health check may: those make several, and then fail for want of a faster machine. Which
//! findings that concerns, the judge decides.

use super::Machine;
use crate::journal::Disturbed;
use crate::observation::Observation;
use crate::plan::Plan;
use assize_fault::Nanos;

/// What the control path showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Watched {
    /// The longest answer from the start on, on the wall.
    pub(super) worst: Nanos,
    /// Spans in which it was too slow, or gave no answer.
    pub(super) disturbed: Vec<Disturbed>,
}

/// One wall second of the control path.
#[derive(Default)]
struct Second {
    took: Vec<Nanos>,
    failed: usize,
}

pub(super) fn watched(
    plan: &Plan<'_>,
    observations: &[Observation],
    machine: &Machine,
    end: Nanos,
) -> Watched {
    let pace = i64::from(machine.pace);
    let mut seconds: Vec<Second> = Vec::new();
    let mut watched = Watched::default();
    let length = Nanos::secs(1) * pace;
    let mut last = None;
    for one in observations {
        let &Observation::Control { at, took, ok } = one else {
            continue;
        };
        if at < Nanos::ZERO || at >= end {
            continue;
        }
        let index = usize::try_from(at.0 / length.0.max(1)).unwrap_or(0);
        if index >= MOST_SECONDS {
            continue;
        }
        if seconds.len() <= index {
            seconds.resize_with(index + 1, Second::default);
        }
        seconds[index].took.push(took);
        seconds[index].failed += usize::from(!ok);
        watched.worst = watched.worst.max(took);
        let since = last.replace(at).unwrap_or(Nanos::ZERO);
        if at - since > length * SILENT_SECONDS {
            watched.disturbed.push(silent(since, at, pace));
        }
    }
    let Some(last) = last else { return watched };
    if end - last > length * SILENT_SECONDS {
        watched.disturbed.push(silent(last, end, pace));
    }
    let allowed = Nanos(machine.resolution.min(shortest_try(plan) / 2).0 / pace);
    for (index, second) in seconds.into_iter().enumerate() {
        if let Some(what) = second.too_slow(allowed) {
            let from = length * i64::try_from(index).unwrap_or(0);
            extend(&mut watched.disturbed, from, from + length, what);
        }
    }
    watched.disturbed.sort_by_key(|d| (d.from, d.to));
    watched
}

/// The shortest time that a try of a journey, or a health check, may take.
fn shortest_try(plan: &Plan<'_>) -> Nanos {
    let topology = plan.topology;
    let tries = topology
        .journeys
        .iter()
        .map(|j| j.timeout.min(j.retry.each));
    let checked = topology.services.iter().filter(|s| s.replicas.len() > 1);
    let failovers = checked.filter_map(|s| s.failover.as_ref());
    let checks = failovers.filter(|f| !f.external).map(|f| f.check.timeout);
    tries.chain(checks).min().unwrap_or(Nanos::NEVER)
}

/// Wall seconds of one run that are told apart: two days.
const MOST_SECONDS: usize = 200_000;
/// Wall seconds without any probe of the control path after which nobody was looking.
const SILENT_SECONDS: i64 = 3;

fn silent(from: Nanos, to: Nanos, pace: i64) -> Disturbed {
    let wall = (to - from).0 / pace / 1_000_000_000;
    Disturbed {
        from,
        to,
        blind: true,
        what: format!("runner stood still: no probe of the control path for {wall}s"),
    }
}

impl Second {
    /// What was wrong in it, if anything was.
    fn too_slow(mut self, allowed: Nanos) -> Option<Slow> {
        self.took.sort_unstable();
        let rank = (self.took.len() * 99).div_ceil(100);
        let p99 = *self.took.get(rank.checked_sub(1)?)?;
        if self.failed > 0 {
            return Some(Slow::Failed(self.failed));
        }
        (p99 > allowed).then_some(Slow::Took(p99))
    }
}

/// How a second was too slow; of several in a row the worst is told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slow {
    Took(Nanos),
    Failed(usize),
}

impl Slow {
    fn words(self) -> String {
        match self {
            Self::Took(p99) => {
                let ms = Nanos(p99.0 / 1_000_000 * 1_000_000);
                format!("runner too slow: control p99 {ms}")
            }
            Self::Failed(1) => "runner too slow: a probe of the control path failed".to_string(),
            Self::Failed(n) => format!("runner too slow: {n} probes of the control path failed"),
        }
    }
}

/// Adds a second, to the span before it if that ends where it begins.
fn extend(spans: &mut Vec<Disturbed>, from: Nanos, to: Nanos, slow: Slow) {
    let what = slow.words();
    let before = spans.iter_mut().rev().find(|one| !one.blind);
    match before {
        Some(last) if last.to == from && last.what == what => last.to = to,
        _ => spans.push(Disturbed {
            from,
            to,
            blind: false,
            what,
        }),
    }
}
