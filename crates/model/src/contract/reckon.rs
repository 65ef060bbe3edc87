//! From a contract and a record to points, credits and critical failures, month by month.

use super::clauses::percent;
use super::count::{Count, at, count};
use super::credits::{Credits, CriticalResult, LevelResult, MonthResult, PeriodResult, Stated};
use super::level::{Fraction, Window, intersect, judge, length, long, of_share};
use super::money::Money;
use super::month::Month;
use super::record::Record;
use super::{Clock, Contract, Critical, CriticalHours, Level, Weighting};
use crate::calendar::{Spans, after};
use assize_fault::{Nanos, Ppb};
use std::collections::BTreeMap;

/// What a contract makes of a record. Every month that the record touches is measured; what of
/// it lies outside the record counts as available.
#[must_use]
pub fn reckon(contract: &Contract, record: &Record) -> Credits {
    let months = months(contract, record);
    let mut counts = Vec::new();
    let mut levels = Vec::new();
    let mut notes = Vec::new();
    for (index, level) in contract.levels.iter().enumerate() {
        let hours: Vec<Spans> = months
            .iter()
            .map(|&m| hours(contract, level, record, m))
            .collect();
        let all: Spans = hours.iter().flatten().copied().collect();
        let count = count(contract, level, record, &all);
        notes.extend(
            count
                .notes
                .iter()
                .map(|note| format!("{}: {note}", level.id)),
        );
        levels.push(one(contract, index, &count, record, &months, &hours));
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

/// Months that the record touches.
fn months(contract: &Contract, record: &Record) -> Vec<Month> {
    let first = Month::at(&contract.calendar, record.start);
    let end = after(record.start, record.end - Nanos(1)).unwrap_or(record.start);
    let last = Month::at(&contract.calendar, end).max(first);
    (0..=last.number() - first.number())
        .map(|n| first.plus(n))
        .collect()
}

/// Hours of a level in a month, from the record's start.
fn hours(contract: &Contract, level: &Level, record: &Record, month: Month) -> Spans {
    let calendar = &contract.calendar;
    let from = month.begins(calendar, record.start);
    let to = month.plus(1).begins(calendar, record.start);
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
    months: &[Month],
    hours: &[Spans],
) -> LevelResult {
    let level = &contract.levels[index];
    let mut results: BTreeMap<Month, PeriodResult> = BTreeMap::new();
    let stated = contract.earlier.iter().filter(|e| e.level == index);
    let stated = stated.filter(|e| !months.contains(&e.month));
    let stated: BTreeMap<Month, Ppb> = stated.map(|e| (e.month, e.achieved)).collect();
    let failed = |results: &BTreeMap<Month, PeriodResult>, month: Month| {
        let before = results.get(&month.plus(-1))?;
        Some(before.points > 0)
    };
    for (&month, achieved) in &stated {
        let share = Fraction {
            part: achieved.0.into(),
            whole: Ppb::ONE.0.into(),
        };
        let mut result = of_share(level, share, failed(&results, month));
        let text = format!("{}, as stated", percent(*achieved));
        result.arithmetic.insert(0, ("reached", text));
        (result.month, result.stated) = (month, true);
        results.insert(month, result);
    }
    for (&month, hours) in months.iter().zip(hours) {
        let window = Window {
            month,
            hours,
            end: record.end,
            resolution: record.resolution,
        };
        let before = failed(&results, month);
        results.insert(month, judge(contract, level, count, &window, before));
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

/// Points and credits of each month, the earlier ones first.
fn credits(contract: &Contract, levels: &[LevelResult]) -> Vec<MonthResult> {
    let mut all: BTreeMap<Month, Vec<&PeriodResult>> = BTreeMap::new();
    for result in levels.iter().flat_map(|level| &level.months) {
        all.entry(result.month).or_default().push(result);
    }
    let mut months: Vec<MonthResult> = Vec::new();
    for (month, results) in all {
        let next = month_of(contract, month, &results, &months);
        months.push(next);
    }
    months
}

fn month_of(
    contract: &Contract,
    month: Month,
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
            format!("{points} × {each} = {sum} of the month's charges"),
        ));
    }
    let charges = contract.charges.of(month);
    let mut result = MonthResult {
        month,
        points,
        credit: Ppb(ppb).as_f64(),
        charges,
        accrued: None,
        cap_left: None,
        due: None,
        undecided: results.iter().any(|r| r.status == Stated::Inconclusive),
        arithmetic: lines,
    };
    if let Some(charges) = charges {
        in_money(contract, charges, Ppb(ppb), before, &mut result);
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

/// What the cap leaves for a month, and how that comes about.
fn cap(contract: &Contract, month: Month, before: &[MonthResult]) -> Option<(Money, String)> {
    let currency = &contract.currency;
    let year = contract.from.map(|from| Month::of(from).plus(12));
    let first_year = year.is_some_and(|end| month < end);
    let credited = |from: Month| -> Money {
        let months = before.iter().filter(|m| m.month >= from && m.month < month);
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
    let paid = (1..=12).filter_map(|n| contract.charges.of(month.plus(-n)));
    let paid = Money(paid.map(|money| money.0).sum());
    let most = paid.share(share);
    let used = credited(month.plus(-11));
    let left = Money((most.0 - used.0).max(0));
    let text = format!(
        "{} of {currency} {paid} paid in the twelve months before = {currency} {most}, of which {currency} {used} is credited: {currency} {left} left",
        percent(share)
    );
    Some((left, text))
}

fn critical(
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
        let within = results
            .iter()
            .filter(|m| first <= m.month && m.month <= last);
        within.map(|m| m.points).sum()
    };
    let most = results
        .iter()
        .map(|m| (sum(m.month), m.month))
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
            format!("nothing counts as lost ({below})")
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

fn instant(record: &Record, at: Nanos) -> String {
    after(record.start, at).map_or_else(|| "?".into(), |instant| instant.to_string())
}
