//! Who is without a journey, at how many sites, and by whose fault: what a contract reckons with.
//!
//! The attribution of an outage in `attribution` splits its time. Here each instant's users are
//! split, cell by cell, so that two unrelated incidents are told apart although they overlap:
//! each cause gets first the users whom no other cause can have cost, then an equal part of the
//! others, and never more than it costs alone. The parts sum to the whole, in whole units.

use super::attribution::{mends, owners};
use super::context::{Context, Pair};
use crate::finding::LossResult;
use crate::journal::{Cause, DecisionKind, Series, Step, USER};
use assize_fault::Nanos;
use std::collections::BTreeMap;

/// Users without the journey, in units of [`USER`], by cause (`None`: none had begun).
type By = BTreeMap<Option<Cause>, i128>;

/// What changes at an instant, or holds from one on.
#[derive(Clone, Default, PartialEq, Eq)]
struct Amount {
    out: i128,
    degraded: i128,
    sites: i64,
    by: By,
    degraded_by: By,
}

impl Amount {
    fn add(&mut self, other: &Self, sign: i128) {
        self.out += sign * other.out;
        self.degraded += sign * other.degraded;
        self.sites += sign as i64 * other.sites;
        let lists = [
            (&mut self.by, &other.by),
            (&mut self.degraded_by, &other.degraded_by),
        ];
        for (mine, others) in lists {
            for (&cause, &part) in others {
                *mine.entry(cause).or_default() += sign * part;
            }
            mine.retain(|_, part| *part != 0);
        }
    }

    fn is_nothing(&self) -> bool {
        self.out == 0 && self.degraded == 0
    }
}

/// A cause that had begun, and the series of one cell with it alone.
struct Alone<'a> {
    cause: Cause,
    from: Nanos,
    effect_to: Nanos,
    mends: bool,
    solo: Option<&'a Series>,
}

/// Consecutive intervals in which somebody was without the journey, or served by a contingency.
pub(super) fn losses(context: &Context<'_>, pair: Pair) -> Vec<LossResult> {
    let mut changes: BTreeMap<Nanos, Amount> = BTreeMap::new();
    for &index in context.series_of(pair) {
        let series = &context.journal.series[index];
        let causes = causes(context, index);
        for ((from, to), amount) in of_cell(context, series, &causes) {
            changes.entry(from).or_default().add(&amount, 1);
            changes.entry(to).or_default().add(&amount, -1);
        }
    }
    let mut rows: Vec<(Nanos, Nanos, Amount)> = Vec::new();
    let (mut now, mut since) = (Amount::default(), Nanos::ZERO);
    for (at, change) in changes {
        if !now.is_nothing() && since < at {
            match rows.last_mut() {
                Some(last) if last.1 == since && last.2 == now => last.1 = at,
                _ => rows.push((since, at, now.clone())),
            }
        }
        now.add(&change, 1);
        since = at;
    }
    rows.into_iter()
        .map(|(from, to, amount)| result(context, from, to, &amount))
        .collect()
}

fn result(context: &Context<'_>, from: Nanos, to: Nanos, amount: &Amount) -> LossResult {
    let units = |n: i128| u64::try_from(n).unwrap_or(0);
    let named = |by: &By| {
        let parts = by.iter().map(|(cause, part)| {
            let name = cause.map_or_else(String::new, |cause| context.cause_name(cause));
            (name, units(*part))
        });
        parts.collect()
    };
    LossResult {
        from,
        to,
        out: units(amount.out),
        degraded: units(amount.degraded),
        sites: u64::try_from(amount.sites).unwrap_or(0),
        by: named(&amount.by),
        degraded_by: named(&amount.degraded_by),
    }
}

/// Causes that may have a part, each with the series of this index with it alone.
fn causes<'a>(context: &'a Context<'_>, index: usize) -> Vec<Alone<'a>> {
    let journal = context.journal;
    // What nothing met has no effect, and no part.
    let faults = journal.faults.iter().enumerate();
    let faults = faults
        .filter(|(_, f)| f.bite.is_some())
        .map(|(i, f)| (Cause::Fault(i), f.from, f.effect_to.max(f.to)));
    let steps = journal.steps.iter().enumerate();
    let steps = steps.map(|(i, s)| (Cause::Step(i), s.at, Nanos::NEVER));
    let series = &journal.series[index];
    let all = faults.chain(steps).map(|(cause, from, effect_to)| {
        let solo = journal.solos.iter().find(|solo| solo.cause == cause);
        let solo = solo.and_then(|solo| solo.series.get(index));
        Alone {
            cause,
            from,
            effect_to,
            mends: mends(context, cause),
            solo: solo.filter(|s| s.cell == series.cell && s.journey == series.journey),
        }
    });
    all.collect()
}

/// The losses of one cell, piece by piece.
fn of_cell(
    context: &Context<'_>,
    series: &Series,
    causes: &[Alone<'_>],
) -> Vec<((Nanos, Nanos), Amount)> {
    let Some(cell) = context.journal.cells.get(series.cell) else {
        return Vec::new();
    };
    let all = cell.users * USER;
    let end = context.journal.end;
    let mut pieces = Vec::new();
    for (index, step) in series.steps.iter().enumerate() {
        let next = series.steps.get(index + 1).map_or(end, |next| next.at);
        let (from, to) = (step.at.max(Nanos::ZERO), next.min(end));
        let out = all.saturating_sub(step.served);
        if from >= to || (out == 0 && step.degraded == 0) {
            continue;
        }
        for span in cuts(from, to, causes).windows(2) {
            let amount = Amount {
                out: i128::from(out),
                degraded: i128::from(step.degraded),
                sites: if out == 0 {
                    0
                } else {
                    i64::from(cell.end - cell.first)
                },
                by: blame(out, span[0], causes, |step| all.saturating_sub(step.served)),
                degraded_by: blame(step.degraded, span[0], causes, |step| {
                    all.saturating_sub(step.served - step.degraded.min(step.served))
                }),
            };
            pieces.push(((span[0], span[1]), amount));
        }
    }
    pieces
}

/// Instants of a piece at which its parts can change, its ends included.
fn cuts(from: Nanos, to: Nanos, causes: &[Alone<'_>]) -> Vec<Nanos> {
    let mut cuts = vec![from, to];
    for one in causes {
        let begins = [one.from, one.effect_to];
        cuts.extend(begins.into_iter().filter(|&at| from < at && at < to));
        if let Some(solo) = one.solo {
            let past = solo.steps.partition_point(|step| step.at <= from);
            let rest = solo.steps[past..].iter().map(|step| step.at);
            cuts.extend(rest.take_while(|&at| at < to));
        }
    }
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

/// What each cause has of the users who are out (or served by a contingency) at an instant;
/// `lost` says how many a step of its solo run leaves without regular service.
fn blame(out: u64, at: Nanos, causes: &[Alone<'_>], lost: impl Fn(&Step) -> u64) -> By {
    if out == 0 {
        return By::new();
    }
    let begun = || causes.iter().filter(|one| one.from <= at);
    let alone: Vec<(&Alone<'_>, u64)> = begun()
        .filter_map(|one| {
            let step = step(one.solo?, at)?;
            Some((one, lost(step).min(out)))
        })
        .filter(|(_, lost)| *lost > 0)
        .collect();
    // A step that mends has a part only where nothing else has one.
    let only_mends = alone.iter().all(|(one, _)| one.mends);
    let alone: Vec<(Cause, u64)> = alone
        .into_iter()
        .filter(|(one, _)| only_mends || !one.mends)
        .map(|(one, lost)| (one.cause, lost))
        .collect();
    if !alone.is_empty() {
        let parts = split(out, &alone).into_iter();
        return parts.map(|(c, part)| (Some(c), i128::from(part))).collect();
    }
    let active: Vec<Cause> = begun()
        .filter(|one| at < one.effect_to && !one.mends)
        .map(|one| one.cause)
        .collect();
    let jointly = if active.is_empty() {
        begun().map(|one| one.cause).collect()
    } else {
        active
    };
    if jointly.is_empty() {
        return By::from([(None, i128::from(out))]);
    }
    let room: Vec<(Cause, u64)> = jointly.into_iter().map(|cause| (cause, out)).collect();
    let parts = equally(out, &room).into_iter();
    parts.map(|(c, part)| (Some(c), i128::from(part))).collect()
}

fn step(series: &Series, at: Nanos) -> Option<&Step> {
    let past = series.steps.partition_point(|step| step.at <= at);
    series.steps.get(past.checked_sub(1)?)
}

/// Splits users among causes that each cost so many of them alone.
fn split(out: u64, alone: &[(Cause, u64)]) -> Vec<(Cause, u64)> {
    let sum: u64 = alone.iter().map(|(_, lost)| lost).sum();
    // Together they cost more than each alone: what is more is theirs in equal parts.
    if sum <= out {
        let more = equally(out - sum, &room_for(alone, out));
        return joined(alone, &more);
    }
    let others = |lost: u64| sum - lost;
    let sole: Vec<(Cause, u64)> = alone
        .iter()
        .map(|&(cause, lost)| (cause, out.saturating_sub(others(lost))))
        .collect();
    let rest: u64 = out - sole.iter().map(|(_, part)| part).sum::<u64>();
    let room: Vec<(Cause, u64)> = alone
        .iter()
        .zip(&sole)
        .map(|(&(cause, lost), &(_, part))| (cause, lost - part))
        .collect();
    joined(&sole, &equally(rest, &room))
}

fn room_for(causes: &[(Cause, u64)], room: u64) -> Vec<(Cause, u64)> {
    causes.iter().map(|&(cause, _)| (cause, room)).collect()
}

fn joined(a: &[(Cause, u64)], b: &[(Cause, u64)]) -> Vec<(Cause, u64)> {
    let mut sum: BTreeMap<Cause, u64> = BTreeMap::new();
    for &(cause, part) in a.iter().chain(b) {
        *sum.entry(cause).or_default() += part;
    }
    sum.into_iter().filter(|(_, part)| *part > 0).collect()
}

/// Equal parts of an amount, none larger than its room; what does not divide goes to the last
/// of those with the most room. The room of all together suffices.
fn equally(amount: u64, room: &[(Cause, u64)]) -> Vec<(Cause, u64)> {
    let mut order: Vec<(u64, Cause)> = room.iter().map(|&(cause, room)| (room, cause)).collect();
    order.sort_unstable();
    let (mut left, mut count) = (amount, order.len() as u64);
    let mut parts = Vec::new();
    for (room, cause) in order {
        let part = (left / count).min(room);
        let part = if count == 1 { left } else { part };
        parts.push((cause, part));
        left -= part;
        count -= 1;
    }
    parts
}

/// The first decision about an element that a fault failed: of the control plane or of people,
/// and of people alone.
pub(super) fn noticed(context: &Context<'_>, fault: usize) -> (Option<Nanos>, Option<Nanos>) {
    let Some(record) = context.journal.faults.get(fault) else {
        return (None, None);
    };
    let about = |people: bool| {
        let mut decisions = context.journal.decisions.iter();
        let found = decisions.find(|d| {
            let by_people = d.kind == DecisionKind::PeopleKnow;
            let by_control = super::rto::is_detection_by_control_plane(d.kind);
            d.at >= record.from
                && d.faults.contains(&fault)
                && (by_people || (!people && by_control))
        });
        found.map(|d| d.at)
    };
    (about(false), about(true))
}

/// Owners of a fault's elements, by name.
pub(super) fn owners_of(context: &Context<'_>, fault: usize) -> Vec<String> {
    owners(context, Some(Cause::Fault(fault)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const A: Cause = Cause::Fault(0);
    const B: Cause = Cause::Fault(1);
    const C: Cause = Cause::Fault(2);

    #[test]
    fn users_whom_two_causes_cost_are_split_equally_and_no_others() {
        // All 64 by the first, 8 of them by the second too: 56 + 4, and 4.
        assert_eq!(split(64, &[(A, 64), (B, 8)]), [(A, 60), (B, 4)]);
        // Nobody is hit by both.
        assert_eq!(split(72, &[(A, 64), (B, 8)]), [(A, 64), (B, 8)]);
        // Together they cost 8 more than each alone.
        assert_eq!(split(16, &[(A, 4), (B, 4)]), [(A, 8), (B, 8)]);
        // No cause gets more than it costs alone.
        assert_eq!(
            split(64, &[(A, 64), (B, 1), (C, 8)]),
            [(A, 59), (B, 1), (C, 4)]
        );
    }

    proptest! {
        #[test]
        fn parts_sum_to_the_whole(
            out in 1u64..1_000_000, losses in prop::collection::vec(1u64..1_000_000, 1..6),
        ) {
            let alone: Vec<(Cause, u64)> = losses
                .iter()
                .enumerate()
                .map(|(i, &lost)| (Cause::Fault(i), lost.min(out)))
                .collect();
            let parts = split(out, &alone);
            prop_assert_eq!(parts.iter().map(|p| p.1).sum::<u64>(), out);
            let sum: u64 = alone.iter().map(|a| a.1).sum();
            if sum >= out {
                for (cause, part) in parts {
                    let most = alone.iter().find(|a| a.0 == cause).map_or(0, |a| a.1);
                    prop_assert!(part <= most);
                }
            }
        }
    }
}
