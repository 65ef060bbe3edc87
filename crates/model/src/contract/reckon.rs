//! From a contract and a record to points and credits, period by period.

use super::clauses::percent;
use super::count::{Count, count};
use super::credits::{Credits, LevelResult, MonthResult, PeriodResult, Stated};
use super::critical::critical;
use super::level::{Fraction, Window, charges, judge, of_share};
use super::money::Money;
use super::month::Month;
use super::record::Record;
use super::{Clock, Contract, Level, Period, Weighting};
use crate::calendar::{Spans, after};
use assize_fault::{Nanos, Ppb};
use std::collections::BTreeMap;

/// What a contract makes of a record. Every period that the record touches is measured; what of
/// it lies outside the record counts as available.
#[must_use]
pub fn reckon(contract: &Contract, record: &Record) -> Credits {
    let periods = periods(contract, record);
    let mut counts = Vec::new();
    let mut levels = Vec::new();
    let mut notes = Vec::new();
    for (index, level) in contract.levels.iter().enumerate() {
        let hours: Vec<Spans> = periods
            .iter()
            .map(|&period| hours(contract, level, record, period))
            .collect();
        let all: Spans = hours.iter().flatten().copied().collect();
        let count = count(contract, level, record, &all);
        notes.extend(
            count
                .notes
                .iter()
                .map(|note| format!("{}: {note}", level.id)),
        );
        levels.push(one(contract, index, &count, record, &periods, &hours));
        counts.push(count);
    }
    let months = credits(contract, &levels);
    notes.extend(general(contract, record));
    let critical = critical(contract, record, &counts, &months);
    if contract.critical.replaces_credits && critical.iter().any(|c| c.happened) {
        let text =
            "if the customer acts on the critical failure, the credits of its months do not accrue";
        notes.push(text.into());
    }
    Credits {
        schema: "assize/credits/v1",
        contract: contract.name.clone(),
        template: contract.template,
        supplier: contract.supplier.clone(),
        topology: record.topology.clone(),
        scenario: record.scenario.clone(),
        start: instant(record, Nanos::ZERO),
        end: instant(record, record.end),
        tested_on: weakest(&counts),
        currency: contract.currency.clone(),
        critical,
        critical_effect: contract.critical.effect.clone(),
        levels,
        months,
        notes,
    }
}

/// Periods that the record touches.
fn periods(contract: &Contract, record: &Record) -> Vec<Period> {
    let at = |instant| contract.period_of(Month::at(&contract.calendar, instant));
    let end = after(record.start, record.end - Nanos(1)).unwrap_or(record.start);
    let (first, last) = (at(record.start), at(end));
    let each = std::iter::successors(Some(first), |period| Some(period.plus(1)));
    each.take_while(|period| *period == first || *period <= last)
        .collect()
}

/// Hours of a level in a period, from the record's start.
fn hours(contract: &Contract, level: &Level, record: &Record, period: Period) -> Spans {
    let calendar = &contract.calendar;
    let (from, to) = period.span(calendar, record.start);
    match &level.hours {
        Some(hours) => hours.spans(calendar, record.start, from, to),
        None => vec![(from, to)],
    }
}

fn weakest(counts: &[Count]) -> &'static str {
    let order = ["stand-in", "simulation", "observed", "real"];
    let mut order = order.into_iter();
    order
        .find(|on| counts.iter().any(|count| count.tested_on == *on))
        .unwrap_or("nothing")
}

fn one(
    contract: &Contract,
    index: usize,
    count: &Count,
    record: &Record,
    periods: &[Period],
    hours: &[Spans],
) -> LevelResult {
    let level = &contract.levels[index];
    let mut results: BTreeMap<Period, PeriodResult> = BTreeMap::new();
    let stated = contract.earlier.iter().filter(|e| e.level == index);
    let stated = stated.filter(|e| !periods.contains(&e.period));
    let stated: BTreeMap<Period, Ppb> = stated.map(|e| (e.period, e.achieved)).collect();
    let failed = |results: &BTreeMap<Period, PeriodResult>, period: Period| {
        let before = results.get(&period.plus(-1))?;
        Some(before.points > 0)
    };
    for (&period, achieved) in &stated {
        let share = Fraction {
            part: achieved.0.into(),
            whole: Ppb::ONE.0.into(),
        };
        let mut result = of_share(level, period, share, failed(&results, period));
        let text = format!("{}, as stated", percent(*achieved));
        result.arithmetic.insert(0, ("reached", text));
        result.stated = true;
        results.insert(period, result);
    }
    for (&period, hours) in periods.iter().zip(hours) {
        let window = Window {
            period,
            hours,
            end: record.end,
            resolution: record.resolution,
        };
        let before = failed(&results, period);
        results.insert(period, judge(contract, level, count, &window, before));
    }
    LevelResult {
        id: level.id.clone(),
        title: level.title.clone(),
        clause: level.clause.clone(),
        target: level.target.as_f64(),
        weighting: match level.weighting {
            Weighting::UserMinutes => "user-minutes",
            Weighting::SiteMinutes => "site-minutes",
            Weighting::ServiceMinutes => "service-minutes",
        },
        clock: match level.clock {
            Clock::Fault => "fault",
            Clock::Detected => "detected",
            Clock::Reported => "reported",
        },
        hours: level.hours_text.clone(),
        tested_on: count.tested_on,
        months: results.into_values().collect(),
    }
}

/// Points and credits of each period, the earlier ones first.
fn credits(contract: &Contract, levels: &[LevelResult]) -> Vec<MonthResult> {
    let mut all: BTreeMap<Period, Vec<&PeriodResult>> = BTreeMap::new();
    for result in levels.iter().flat_map(|level| &level.months) {
        all.entry(result.month).or_default().push(result);
    }
    let mut months: Vec<MonthResult> = Vec::new();
    for (period, results) in all {
        let next = period_of(contract, period, &results, &months);
        months.push(next);
    }
    months
}

fn period_of(
    contract: &Contract,
    period: Period,
    results: &[&PeriodResult],
    before: &[MonthResult],
) -> MonthResult {
    let mut lines: Vec<(&'static str, String)> = Vec::new();
    let points: u64 = results.iter().map(|r| r.points).sum();
    let mut ppb: u64 = results.iter().map(|r| r.credit_ppb).sum();
    if results.iter().any(|r| r.points > 0) {
        let terms: Vec<String> = results.iter().map(|r| r.points.to_string()).collect();
        lines.push(("points", format!("{} = {points}", terms.join(" + "))));
    }
    if let Some(point) = contract.point.filter(|_| points > 0) {
        let worth = points.saturating_mul(point.0);
        ppb = ppb.saturating_add(worth);
        let (each, sum) = (percent(point), percent(Ppb(worth)));
        lines.push((
            "worth",
            format!("{points} × {each} = {sum} of {}", charges(period)),
        ));
    }
    let paid = contract.charges.of_all(period);
    let mut result = MonthResult {
        month: period,
        points,
        credit: Ppb(ppb).as_f64(),
        charges: paid,
        accrued: None,
        cap_left: None,
        due: None,
        undecided: results.iter().any(|r| r.status == Stated::Inconclusive),
        arithmetic: lines,
    };
    if let Some(paid) = paid {
        in_money(contract, paid, Ppb(ppb), before, &mut result);
    } else if ppb > 0 {
        let text = "the contract states no charges, so credits stay shares".to_string();
        result.arithmetic.push(("credit", text));
    }
    result
}

fn in_money(
    contract: &Contract,
    charges: Money,
    share: Ppb,
    before: &[MonthResult],
    result: &mut MonthResult,
) {
    let (currency, share_text) = (&contract.currency, percent(share));
    let accrued = charges.share(share);
    let lines = &mut result.arithmetic;
    if accrued > Money(0) {
        let text = format!("{share_text} of {currency} {charges} = {currency} {accrued}");
        lines.push(("credit", text));
    }
    let cap = cap(contract, result.month, before);
    let mut due = accrued;
    if let Some((left, how)) = cap {
        result.cap_left = Some(left);
        if accrued > Money(0) {
            lines.push(("cap", how));
        }
        due = accrued.min(left);
        if due < accrued {
            lines.push(("due", format!("{currency} {due}: the cap is reached")));
        }
    }
    (result.accrued, result.due) = (Some(accrued), Some(due));
}

/// What the cap leaves for a period, and how that comes about.
fn cap(contract: &Contract, period: Period, before: &[MonthResult]) -> Option<(Money, String)> {
    let currency = &contract.currency;
    let year = contract.from.map(|from| Month::of(from).plus(12));
    let first_year = year.is_some_and(|end| period.from < end);
    let credited = |from: Month| -> Money {
        let earlier = before.iter().filter(|m| m.month < period);
        let months = earlier.filter(|m| m.month.from >= from);
        Money(months.filter_map(|m| m.due).map(|due| due.0).sum())
    };
    if let (true, Some(share), Some(year)) = (
        first_year,
        contract.cap.first_year,
        contract.charges.first_year,
    ) {
        let most = year.share(share);
        let used = credited(Month::of(contract.from?));
        let left = Money((most.0 - used.0).max(0));
        let text = format!(
            "first year: {} of {currency} {year} estimated = {currency} {most}, of which {currency} {used} is credited: {currency} {left} left",
            percent(share)
        );
        return Some((left, text));
    }
    let share = contract.cap.rolling?;
    let paid = (1..=12).filter_map(|n| contract.charges.of(period.from.plus(-n)));
    let paid = Money(paid.map(|money| money.0).sum());
    let most = paid.share(share);
    // The twelve months that end with this period.
    let used = credited(period.from.plus(i32::from(period.months) - 12));
    let left = Money((most.0 - used.0).max(0));
    let text = format!(
        "{} of {currency} {paid} paid in the twelve months before = {currency} {most}, of which {currency} {used} is credited: {currency} {left} left",
        percent(share)
    );
    Some((left, text))
}

/// What a reader should know of the whole.
fn general(contract: &Contract, record: &Record) -> Vec<String> {
    let mut notes = Vec::new();
    let owners = |cause: &super::record::Cause| cause.owners.clone();
    let known: Vec<String> = record.causes.iter().flat_map(owners).collect();
    if !contract.supplier.iter().any(|s| known.contains(s)) {
        let supplier = contract.supplier.join(" and ");
        notes.push(format!(
            "no fault of {} is on anything of {supplier}",
            record.scenario
        ));
    }
    for (id, _) in &contract.reports {
        if !record.causes.iter().any(|cause| cause.id == *id) {
            notes.push(format!("reports: {} has no fault {id}", record.scenario));
        }
    }
    for exclusion in &contract.exclusions {
        let unknown = exclusion
            .faults
            .iter()
            .filter(|id| !record.causes.iter().any(|c| c.id == **id));
        for id in unknown {
            notes.push(format!(
                "exclusion {}: {} has no fault {id}",
                exclusion.id, record.scenario
            ));
        }
    }
    notes
}

pub(super) fn instant(record: &Record, at: Nanos) -> String {
    after(record.start, at).map_or_else(|| "?".into(), |instant| instant.to_string())
}
