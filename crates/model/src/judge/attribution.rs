//! Who has a part in an outage: each instant of it goes to the causes whose solo run is also
//! below the level then. It decides no status.
//!
//! Within an outage that is bridged over short gaps, an instant at which no solo run is below
//! goes to those whose own bridged outage covers it; failing that, to all that had begun and
//! whose effect had not ended. A step that mends has a part only where no fault has one.

use super::context::{Context, Pair, Who};
use super::series::{Span, bridge};
use crate::finding::Attribution;
use crate::ids::DomainId;
use crate::journal::Cause;
use crate::scenario::Action;
use assize_fault::{Nanos, Ppb};
use std::collections::BTreeMap;

/// Parts of some outages. The times of all parts sum to the outages' length.
#[derive(Clone, Default, Debug)]
pub(super) struct Parts {
    /// Cause (`None`: none had begun), its time, and of that its share of shared instants.
    pub(super) by_cause: BTreeMap<Option<Cause>, (Nanos, Nanos)>,
    /// Length of the instants that several causes share.
    pub(super) joint: Nanos,
}

impl Parts {
    /// Whether a cause has a part.
    pub(super) fn has(&self, cause: Cause) -> bool {
        self.by_cause
            .get(&Some(cause))
            .is_some_and(|part| part.0 > Nanos::ZERO)
    }

    /// Faults with a part.
    pub(super) fn faults(&self) -> Vec<usize> {
        let with_part = self
            .by_cause
            .iter()
            .filter(|(_, part)| part.0 > Nanos::ZERO);
        with_part
            .filter_map(|(cause, _)| match cause {
                Some(Cause::Fault(index)) => Some(*index),
                _ => None,
            })
            .collect()
    }

    /// As a finding shows them.
    pub(super) fn rows(&self, context: &Context<'_>) -> Vec<Attribution> {
        let row = |(&cause, &(time, joint)): (&Option<Cause>, &(Nanos, Nanos))| Attribution {
            cause: cause.map_or_else(|| "no cause begun".to_string(), |c| context.cause_name(c)),
            owners: owners(context, cause),
            time,
            joint,
        };
        self.by_cause
            .iter()
            .filter(|(_, part)| part.0 > Nanos::ZERO)
            .map(row)
            .collect()
    }
}

/// The names of the domains that own what a cause failed.
pub(super) fn owners(context: &Context<'_>, cause: Option<Cause>) -> Vec<String> {
    let faults = &context.plan.scenario.faults;
    let ids: &[DomainId] = match cause {
        Some(Cause::Fault(index)) => faults.get(index).map_or(&[], |fault| &fault.owners),
        _ => &[],
    };
    ids.iter()
        .map(|&id| context.plan.topology.domain(id).id.clone())
        .collect()
}

/// When a cause alone keeps the share below the level.
struct Alone {
    cause: Cause,
    /// A step that mends: while it works, what it mends is still to blame.
    mends: bool,
    from: Nanos,
    effect_to: Nanos,
    raw: Vec<Span>,
    bridged: Vec<Span>,
}

/// Causes of one pair at one level, ready to be asked about any of its outages.
pub(super) struct Causes {
    all: Vec<Alone>,
}

impl Causes {
    /// For a pair without outages, of which nobody needs to ask.
    pub(super) fn none() -> Self {
        Self { all: Vec::new() }
    }

    pub(super) fn new(
        context: &Context<'_>,
        pair: Pair,
        who: Who<'_>,
        level: Ppb,
        stable_for: Nanos,
    ) -> Self {
        let journal = context.journal;
        let faults = journal.faults.iter().enumerate();
        // What nothing met has no effect, and no part.
        let faults = faults
            .filter(|(_, f)| f.bite.is_some())
            .map(|(i, f)| (Cause::Fault(i), f.from, f.effect_to.max(f.to)));
        // Nothing says when the effect of a step ends: it lasts.
        let steps = journal.steps.iter().enumerate();
        let steps = steps.map(|(i, s)| (Cause::Step(i), s.at, Nanos::NEVER));
        let all = faults.chain(steps).map(|(cause, from, effect_to)| {
            let solo = journal.solos.iter().position(|solo| solo.cause == cause);
            let share = solo.and_then(|index| context.solo(index, pair, who));
            let raw = share.map_or_else(Vec::new, |share| share.below(level));
            let bridged = bridge(&raw, stable_for);
            Alone {
                cause,
                mends: mends(context, cause),
                from,
                effect_to,
                raw,
                bridged,
            }
        });
        Self { all: all.collect() }
    }

    /// The parts of these outages.
    pub(super) fn parts(&self, outages: &[Span]) -> Parts {
        let mut lengths: BTreeMap<Vec<Cause>, Nanos> = BTreeMap::new();
        for &(from, to) in outages {
            let cuts = self.cuts(from, to);
            for pair in cuts.windows(2) {
                *lengths.entry(self.at(pair[0])).or_default() += pair[1] - pair[0];
            }
        }
        let mut parts = Parts::default();
        for (causes, length) in &lengths {
            parts.add(causes, *length);
        }
        parts
    }

    /// Causes to which an instant goes, in order.
    pub(super) fn at(&self, at: Nanos) -> Vec<Cause> {
        let begun = || self.all.iter().filter(|one| one.from <= at);
        let pick = |is: &dyn Fn(&Alone) -> bool| -> Vec<Cause> {
            let all: Vec<&Alone> = begun().filter(|one| is(one)).collect();
            let only_mends = all.iter().all(|one| one.mends);
            let blamed = all.into_iter().filter(|one| only_mends || !one.mends);
            blamed.map(|one| one.cause).collect()
        };
        let ways: [&dyn Fn(&Alone) -> bool; 4] = [
            &|one| covers(&one.raw, at),
            &|one| covers(&one.bridged, at),
            &|one| at < one.effect_to,
            &|_| true,
        ];
        ways.iter()
            .map(|way| pick(way))
            .find(|causes| !causes.is_empty())
            .unwrap_or_default()
    }

    /// Instants within an outage at which the answer can change, its ends included.
    fn cuts(&self, from: Nanos, to: Nanos) -> Vec<Nanos> {
        let mut cuts = vec![from, to];
        for one in &self.all {
            let ends = one
                .raw
                .iter()
                .chain(&one.bridged)
                .flat_map(|&(a, b)| [a, b]);
            let all = ends.chain([one.from, one.effect_to]);
            cuts.extend(all.filter(|&at| from < at && at < to));
        }
        cuts.sort_unstable();
        cuts.dedup();
        cuts
    }
}

impl Parts {
    /// Splits a length equally; what does not divide goes to the first causes, a nanosecond each.
    fn add(&mut self, causes: &[Cause], length: Nanos) {
        if causes.is_empty() {
            self.by_cause.entry(None).or_default().0 += length;
            return;
        }
        let count = causes.len() as i64;
        let (each, rest) = (length.0 / count, length.0 % count);
        if count > 1 {
            self.joint += length;
        }
        for (index, &cause) in causes.iter().enumerate() {
            let share = Nanos(each + i64::from((index as i64) < rest));
            let part = self.by_cause.entry(Some(cause)).or_default();
            part.0 += share;
            if count > 1 {
                part.1 += share;
            }
        }
    }
}

/// Whether a cause is a step that restores, promotes, returns or rolls back.
pub(super) fn mends(context: &Context<'_>, cause: Cause) -> bool {
    let Cause::Step(index) = cause else {
        return false;
    };
    let step = context.plan.scenario.steps.get(index);
    step.is_some_and(|step| match step.action {
        Action::Promote(..) | Action::FailBack(_) | Action::Restore(_) | Action::RollBack(_) => {
            true
        }
        Action::Activate(_) | Action::Deactivate(_) => false,
    })
}

fn covers(spans: &[Span], at: Nanos) -> bool {
    let past = spans.partition_point(|span| span.0 <= at);
    past > 0 && at < spans[past - 1].1
}
