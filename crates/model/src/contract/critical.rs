//! Critical failures: so many points, so many hours, credits at their cap.

use super::clauses::percent;
use super::count::{Count, at};
use super::credits::{CriticalResult, MonthResult};
use super::money::Money;
use super::month::Month;
use super::reckon::instant;
use super::record::Record;
use super::sums::{intersect, length, long};
use super::{Contract, Critical, CriticalHours, Level};
use crate::calendar::{Spans, after};
use assize_fault::{Nanos, Ppb};

pub(super) fn critical(
    contract: &Contract,
    record: &Record,
    counts: &[Count],
    months: &[MonthResult],
) -> Vec<CriticalResult> {
    let Critical {
        points,
        hours,
        at_cap,
        ..
    } = &contract.critical;
    let mut all: Vec<CriticalResult> = points
        .iter()
        .map(|&(n, m)| by_points(n, m, months))
        .collect();
    for one in hours {
        let levels = contract.levels.iter().zip(counts).enumerate();
        for (index, (level, count)) in levels {
            if one.level.is_none_or(|only| only == index) {
                all.push(by_hours(contract, record, *one, level, count));
            }
        }
    }
    if *at_cap {
        let reached = months
            .iter()
            .find(|m| m.cap_left.is_some_and(|left| m.accrued >= Some(left)));
        let reached = reached.filter(|m| m.accrued > Some(Money(0)));
        all.push(CriticalResult {
            clause: "credits reach their cap".into(),
            happened: reached.is_some(),
            arithmetic: reached.map_or_else(
                || "they stay below it, or none is stated".into(),
                |m| format!("in {}", m.month.name()),
            ),
        });
    }
    all
}

fn by_points(least: u64, months: u8, results: &[MonthResult]) -> CriticalResult {
    let sum = |last: Month| -> u64 {
        let first = last.plus(1 - i32::from(months));
        let held = |m: &&MonthResult| first <= m.month.last() && m.month.last() <= last;
        let within = results.iter().filter(held);
        within.map(|m| m.points).sum()
    };
    let most = results
        .iter()
        .map(|m| (sum(m.month.last()), m.month.last()))
        .max_by_key(|(n, _)| *n);
    let (most, last) = most.unwrap_or((0, Month { year: 0, month: 1 }));
    CriticalResult {
        clause: format!("{least} or more service points in {months} months"),
        happened: most >= least,
        arithmetic: format!("{most} at most, in the {months} months to {}", last.name()),
    }
}

fn by_hours(
    contract: &Contract,
    record: &Record,
    one: CriticalHours,
    level: &Level,
    count: &Count,
) -> CriticalResult {
    let mut down: Spans = Vec::new();
    for piece in count.pieces.iter().filter(|piece| piece.down) {
        match down.last_mut() {
            Some(last) if last.1 == piece.from => last.1 = piece.to,
            _ => down.push((piece.from, piece.to)),
        }
    }
    let (most, from) = busiest(contract, record, &down, one.months);
    let (limit, months) = (long(one.more_than), one.months);
    let below = match level.up_at {
        Ppb::ONE => "anybody out".to_string(),
        share => format!("fewer than {} served", percent(share)),
    };
    CriticalResult {
        clause: format!(
            "{}: more than {limit} lost in any {months} months of its hours ({})",
            level.id, level.hours_text
        ),
        happened: most > one.more_than,
        arithmetic: if most == Nanos::ZERO {
            format!("at no time does what counts, by itself, leave {below}")
        } else {
            format!(
                "{} with {below}, from {} on",
                long(most),
                instant(record, from)
            )
        },
    }
}

/// The most that any window of so many months holds, and where the first of it begins.
fn busiest(contract: &Contract, record: &Record, down: &Spans, months: u8) -> (Nanos, Nanos) {
    let ends = down
        .iter()
        .map(|&(_, end)| (shifted(contract, record, end, -i32::from(months)), end));
    let starts = down
        .iter()
        .map(|&(start, _)| (start, shifted(contract, record, start, i32::from(months))));
    let mut best = (Nanos::ZERO, Nanos::ZERO);
    for window in ends.chain(starts) {
        let inside = intersect(down, &[window]);
        let sum = length(&inside);
        if sum > best.0 {
            best = (sum, inside[0].0);
        }
    }
    best
}

/// So many calendar months later, from the record's start.
fn shifted(contract: &Contract, record: &Record, offset: Nanos, months: i32) -> Nanos {
    let zone = &contract.calendar.zone;
    let moved = after(record.start, offset).and_then(|instant| {
        let span = jiff::Span::new().try_months(months).ok()?;
        let local = zone.to_datetime(instant).checked_add(span).ok()?;
        zone.to_ambiguous_zoned_datetime(local).compatible().ok()
    });
    moved.map_or(offset, |zoned| at(record, zoned.timestamp()))
}
