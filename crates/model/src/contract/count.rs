//! From recorded losses to what counts against a level: which hours, whose faults, from when,
//! and what is left out. All in whole units: the parts of each interval sum to the whole.

use super::record::{Pair, Record};
use super::{Clock, Contract, Exclusion, ExclusionKind, Level, Weighting};
use crate::calendar::Spans;
use crate::journal::USER;
use assize_fault::Nanos;
use std::collections::BTreeMap;

/// Stands for what nobody owns: an element without an owner domain, or no fault at all.
pub(super) const NOBODY: &str = "nobody";

/// Where a part of the downtime goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Goes {
    /// Counts against the supplier.
    Counted,
    /// Permitted maintenance.
    Maintenance,
    /// Relief.
    Relief,
    /// Before the clock of this level starts.
    Early,
    /// For others to answer.
    Others,
}

/// How many ways there are for a part to go.
pub(super) const WAYS: usize = 5;

/// An interval within the level's hours, with its weight.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) from: Nanos,
    pub(super) to: Nanos,
    /// Weight lost, of [`Count::whole`].
    pub(super) lost: u128,
    /// Its parts by owner.
    pub(super) owners: BTreeMap<String, u128>,
    /// Its parts by where they go, as [`Goes`] orders them.
    pub(super) goes: [u128; WAYS],
    /// What counts, by itself, puts the service below the level.
    pub(super) down: bool,
}

/// What a level counts, over the whole record.
#[derive(Clone, Debug, Default)]
pub(super) struct Count {
    /// All users, sites or the service, in units.
    pub(super) whole: u128,
    /// Losses in hours, in order.
    pub(super) pieces: Vec<Piece>,
    /// Windows of maintenance that hold.
    pub(super) maintenance: Spans,
    /// What a reader should know.
    pub(super) notes: Vec<String>,
    /// The weakest thing that any of its journeys was tested on.
    pub(super) tested_on: &'static str,
    /// Why there is no figure.
    pub(super) unmeasured: Option<String>,
}

/// Counts a level within some hours, given from the record's start.
pub(super) fn count(contract: &Contract, level: &Level, record: &Record, hours: &Spans) -> Count {
    let pairs: Vec<&Pair> = record.pairs.iter().filter(|p| matches(level, p)).collect();
    let mut count = Count {
        tested_on: tested_on(&pairs),
        unmeasured: unmeasured(level, record, &pairs),
        ..Count::default()
    };
    let users: u128 = pairs.iter().map(|p| u128::from(p.users * USER)).sum();
    let sites: u128 = pairs.iter().map(|p| u128::from(p.sites * USER)).sum();
    if users > u128::from(u64::MAX / 2) {
        count.unmeasured = Some(format!("{} weighs too many users at once", level.id));
        return count;
    }
    count.whole = match level.weighting {
        Weighting::UserMinutes => users,
        Weighting::SiteMinutes => sites,
        Weighting::ServiceMinutes => u128::from(USER),
    };
    let exclusions = in_force(contract, level, &mut count.notes);
    let span = |e: &Exclusion| e.window.map(|(a, b)| (at(record, a), at(record, b)));
    let of = |kind| exclusions.iter().filter(move |e| e.kind == kind);
    count.maintenance = joined(
        of(ExclusionKind::Maintenance)
            .filter_map(|e| span(e))
            .collect(),
    );
    let relief: Vec<&Exclusion> = of(ExclusionKind::Relief).copied().collect();
    let clocks = clocks(contract, level, record, &mut count.notes);
    let blame = Blame {
        contract,
        record,
        relief,
        clocks,
    };
    let mut cuts: Vec<Nanos> = hours.iter().flat_map(|&(a, b)| [a, b]).collect();
    cuts.extend(
        exclusions
            .iter()
            .filter_map(|e| span(e))
            .flat_map(|(a, b)| [a, b]),
    );
    cuts.extend(blame.clocks.values().copied());
    cuts.sort_unstable();
    cuts.dedup();
    for row in rows(level, &pairs) {
        let lost = weight(level, &row, users);
        if lost == 0 {
            continue;
        }
        for (from, to) in row.cut(&cuts) {
            if !within(hours, from) {
                continue;
            }
            let (owners, goes) = blame.parts(&row, from, within(&count.maintenance, from));
            let counted = goes[Goes::Counted as usize];
            count.pieces.push(Piece {
                from,
                to,
                lost,
                down: below(counted, users, level),
                owners: owners
                    .keys()
                    .cloned()
                    .zip(apportion(lost, owners.values()))
                    .collect(),
                goes: std::array::from_fn(|i| apportion(lost, goes.iter())[i]),
            });
        }
    }
    count
}

fn matches(level: &Level, pair: &Pair) -> bool {
    let named = |list: &[String], name: &str| list.is_empty() || list.iter().any(|n| n == name);
    named(&level.populations, &pair.population) && named(&level.journeys, &pair.journey)
}

fn tested_on(pairs: &[&Pair]) -> &'static str {
    let order = ["stand-in", "simulation", "observed", "real"];
    let mut weakest = order.into_iter();
    weakest
        .find(|on| pairs.iter().any(|pair| pair.tested_on == *on))
        .unwrap_or("nothing")
}

fn unmeasured(level: &Level, record: &Record, pairs: &[&Pair]) -> Option<String> {
    if pairs.is_empty() {
        let (run, id) = (&record.scenario, &level.id);
        return Some(format!(
            "nobody in {run} makes a journey that {id} is about"
        ));
    }
    let pair = pairs.iter().find(|pair| !pair.measured)?;
    let (population, journey) = (&pair.population, &pair.journey);
    Some(format!("nothing was recorded of {population} / {journey}"))
}

/// Exclusions of this level that hold; why others do not is noted.
fn in_force<'a>(
    contract: &'a Contract,
    level: &Level,
    notes: &mut Vec<String>,
) -> Vec<&'a Exclusion> {
    let mut holds = Vec::new();
    for one in &contract.exclusions {
        if !one.levels.is_empty() && !one.levels.contains(&level.id) {
            continue;
        }
        match refused(contract, one) {
            Some(why) => notes.push(format!("exclusion {} is not applied: {why}", one.id)),
            None => holds.push(one),
        }
    }
    holds
}

fn refused(contract: &Contract, one: &Exclusion) -> Option<String> {
    if one.approved_by.is_none() {
        return Some("nobody approved it".into());
    }
    if one.kind == ExclusionKind::Relief {
        return None;
    }
    let (from, _) = one.window?;
    let due = contract.maintenance_notice;
    let Some(notified) = one.notified else {
        return Some("no notice of it was given".into());
    };
    let given = Nanos(i64::try_from(from.as_nanosecond() - notified.as_nanosecond()).ok()?);
    (given < due).then(|| {
        format!(
            "notice of {} was given, {due} is due",
            given.max(Nanos::ZERO)
        )
    })
}

/// When the downtime of each cause begins to count, where that is not at once.
fn clocks(
    contract: &Contract,
    level: &Level,
    record: &Record,
    notes: &mut Vec<String>,
) -> BTreeMap<String, Nanos> {
    let mut clocks = BTreeMap::new();
    for cause in &record.causes {
        let stated = contract.reports.iter().find(|(id, _)| *id == cause.id);
        let reported = stated.map(|(_, t)| at(record, *t)).or(cause.reported);
        let (start, word) = match level.clock {
            Clock::Fault => continue,
            Clock::Detected => (cause.detected, "noticed"),
            Clock::Reported => (reported, "reported"),
        };
        match start {
            Some(start) => {
                clocks.insert(cause.id.clone(), start);
            }
            // Whoever notices nothing must not fare better for it.
            None if contract.supplier.iter().any(|s| cause.owners.contains(s)) => {
                let id = &cause.id;
                notes.push(format!(
                    "{id} was never {word}, so it counts from its beginning"
                ));
            }
            None => {}
        }
    }
    clocks
}

/// An interval of all journeys of a level together.
struct Row {
    from: Nanos,
    to: Nanos,
    /// Users who count as lost.
    lost: u128,
    sites: u128,
    /// Their parts by cause.
    by: BTreeMap<String, u128>,
}

impl Row {
    /// The row, divided at these instants.
    fn cut(&self, cuts: &[Nanos]) -> Vec<(Nanos, Nanos)> {
        let first = cuts.partition_point(|&at| at <= self.from);
        let inner = cuts[first..].iter().copied().take_while(|&at| at < self.to);
        let mut all = vec![self.from];
        all.extend(inner);
        all.push(self.to);
        all.windows(2).map(|pair| (pair[0], pair[1])).collect()
    }
}

/// Losses of several journeys as one list.
fn rows(level: &Level, pairs: &[&Pair]) -> Vec<Row> {
    type Change = (i128, i128, BTreeMap<String, i128>);
    let mut changes: BTreeMap<Nanos, Change> = BTreeMap::new();
    for row in pairs.iter().flat_map(|pair| &pair.rows) {
        let counts = |units: u64| {
            let counted = u128::from(units) * u128::from(level.degraded_counts.0);
            (counted / 1_000_000_000) as i128
        };
        let degraded = row.degraded_by.iter().map(|(id, part)| (id, counts(*part)));
        let out = row.by.iter().map(|(id, part)| (id, i128::from(*part)));
        let by: Vec<(&String, i128)> = out.chain(degraded).collect();
        for (at, sign) in [(row.from, 1), (row.to, -1)] {
            let change = changes.entry(at).or_default();
            change.1 += sign * i128::from(row.sites) * i128::from(USER);
            for (id, part) in &by {
                change.0 += sign * part;
                *change.2.entry((*id).clone()).or_default() += sign * part;
            }
        }
    }
    let mut rows = Vec::new();
    let (mut now, mut since): (Change, Nanos) = (Change::default(), Nanos::ZERO);
    for (at, change) in changes {
        if now.0 > 0 && since < at {
            let parts = now.2.iter().filter(|(_, part)| **part > 0);
            rows.push(Row {
                from: since,
                to: at,
                lost: now.0 as u128,
                sites: now.1 as u128,
                by: parts
                    .map(|(id, part)| (id.clone(), *part as u128))
                    .collect(),
            });
        }
        now.0 += change.0;
        now.1 += change.1;
        for (id, part) in change.2 {
            *now.2.entry(id).or_default() += part;
        }
        since = at;
    }
    rows
}

fn weight(level: &Level, row: &Row, users: u128) -> u128 {
    match level.weighting {
        Weighting::UserMinutes => row.lost,
        Weighting::SiteMinutes => row.sites,
        Weighting::ServiceMinutes if below(row.lost, users, level) => u128::from(USER),
        Weighting::ServiceMinutes => 0,
    }
}

/// Whether so many lost put the served share below what counts as up.
fn below(lost: u128, users: u128, level: &Level) -> bool {
    lost * 1_000_000_000 > users * u128::from(level.up_at.complement().0)
}

/// Who answers for what.
struct Blame<'a> {
    contract: &'a Contract,
    record: &'a Record,
    relief: Vec<&'a Exclusion>,
    clocks: BTreeMap<String, Nanos>,
}

impl Blame<'_> {
    /// The parts of a row's users by owner, and by where they go.
    fn parts(
        &self,
        row: &Row,
        at: Nanos,
        maintenance: bool,
    ) -> (BTreeMap<String, u128>, [u128; WAYS]) {
        let mut owners: BTreeMap<String, u128> = BTreeMap::new();
        let mut goes = [0; WAYS];
        for (id, part) in &row.by {
            let cause = self.record.causes.iter().find(|cause| cause.id == *id);
            let list = cause.map_or(&[][..], |cause| cause.owners.as_slice());
            let nobody = [NOBODY.to_string()];
            let list = if list.is_empty() { &nobody } else { list };
            let equal = apportion(*part, std::iter::repeat_n(&1, list.len()));
            for (owner, part) in list.iter().zip(equal) {
                *owners.entry(owner.clone()).or_default() += part;
                goes[self.way(owner, id, at, maintenance) as usize] += part;
            }
        }
        (owners, goes)
    }

    fn way(&self, owner: &String, cause: &str, at: Nanos, maintenance: bool) -> Goes {
        if !self.contract.supplier.contains(owner) {
            return Goes::Others;
        }
        if maintenance {
            return Goes::Maintenance;
        }
        let relieves = |e: &&&Exclusion| {
            let of_cause = e.faults.is_empty() || e.faults.iter().any(|f| f == cause);
            let open =
                |(from, to)| at >= self::at(self.record, from) && at < self::at(self.record, to);
            of_cause && e.window.is_none_or(open)
        };
        if self.relief.iter().find(relieves).is_some() {
            return Goes::Relief;
        }
        match self.clocks.get(cause) {
            Some(&start) if at < start => Goes::Early,
            _ => Goes::Counted,
        }
    }
}

/// Splits a whole in proportion to parts; what does not divide goes to the last that has any.
pub(super) fn apportion<'a>(
    whole: u128,
    parts: impl Iterator<Item = &'a u128> + Clone,
) -> Vec<u128> {
    let sum: u128 = parts.clone().sum();
    if sum == 0 {
        return parts.map(|_| 0).collect();
    }
    let mut out: Vec<u128> = parts.clone().map(|part| whole * part / sum).collect();
    let rest = whole - out.iter().sum::<u128>();
    let last = parts.enumerate().filter(|(_, part)| **part > 0).last();
    if let Some((index, _)) = last {
        out[index] += rest;
    }
    out
}

/// An instant, from the record's start.
pub(super) fn at(record: &Record, instant: jiff::Timestamp) -> Nanos {
    let ns = instant.as_nanosecond() - record.start.as_nanosecond();
    let limit = i128::from(Nanos::NEVER.0);
    Nanos(ns.clamp(-limit, limit) as i64)
}

/// Whether an instant lies in ordered, disjoint spans.
pub(super) fn within(spans: &[(Nanos, Nanos)], at: Nanos) -> bool {
    let past = spans.partition_point(|span| span.0 <= at);
    past > 0 && at < spans[past - 1].1
}

fn joined(mut spans: Spans) -> Spans {
    spans.retain(|(from, to)| from < to);
    spans.sort_unstable();
    let mut out = Spans::new();
    for (from, to) in spans {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}
