//! One level in one month: what was reached, in which band it falls, and what follows.

use super::clauses::{percent, percent_of};
use super::count::{Count, Goes, NOBODY, WAYS};
use super::credits::{OwnerPart, PeriodResult, Shares, Stated};
use super::month::Month;
use super::{Band, Contract, Level, Remedy, Weighting};
use crate::calendar::Spans;
use crate::judge::exact::{compare_share, ratio, share_floor};
use assize_fault::{Nanos, Ppb};
use core::cmp::Ordering;
use std::collections::BTreeMap;

/// A share as a fraction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fraction {
    pub(super) part: u128,
    pub(super) whole: u128,
}

/// What a month's hours hold.
pub(super) struct Window<'a> {
    pub(super) month: Month,
    /// Hours of the level in the month, from the record's start.
    pub(super) hours: &'a Spans,
    /// The record's end.
    pub(super) end: Nanos,
    /// How late a change may have been seen.
    pub(super) resolution: Nanos,
}

/// Judges a level in a month that was measured.
pub(super) fn judge(
    contract: &Contract,
    level: &Level,
    count: &Count,
    window: &Window<'_>,
    before: Option<bool>,
) -> PeriodResult {
    let hours = length(window.hours);
    if let Some(why) = &count.unmeasured {
        return without(window.month, format!("not measured: {why}"));
    }
    if hours == Nanos::ZERO || count.whole == 0 {
        return without(
            window.month,
            "not measured: the month has no such hours".into(),
        );
    }
    let sums = Sums::of(contract, count, window);
    let counted = sums.counted(count);
    let reached = Fraction {
        part: counted.whole - counted.part,
        whole: counted.whole,
    };
    let error = error(count, window);
    let bounds = [error, 0].map(|e| Fraction {
        part: reached.part.saturating_sub(e),
        whole: reached.whole,
    });
    let best = Fraction {
        part: (reached.part + error).min(reached.whole),
        whole: reached.whole,
    };
    let mut result = of_share(level, bounds[1], before);
    let unsure = [bounds[0], best].iter().any(|bound| {
        let other = of_share(level, *bound, before);
        (other.points, other.credit_ppb, other.status)
            != (result.points, result.credit_ppb, result.status)
    });
    result.month = window.month;
    result.error = ratio(error, reached.whole);
    let mut lines = sums.lines(level, window, &reached);
    let unowned = of_share(
        level,
        Fraction {
            part: reached.part.saturating_sub(sums.unowned),
            whole: reached.whole,
        },
        before,
    );
    if (unowned.points, unowned.credit_ppb) != (result.points, result.credit_ppb) {
        let text = "what has no owner named would decide: give those elements an owner domain, or those rows an `owner`";
        lines.push(("no owner", text.into()));
        result.status = Stated::Inconclusive;
    }
    if unsure {
        let error = percent_of(error, reached.whole, 3);
        lines.push((
            "too close",
            format!("known to {error} only, which does not decide"),
        ));
        result.status = Stated::Inconclusive;
    }
    if count.tested_on == "stand-in" {
        let text = "measured on stand-ins: it shows the design, and no clause rests on it";
        lines.push(("tested on", text.into()));
        result.status = Stated::Inconclusive;
    }
    lines.append(&mut result.arithmetic);
    result.arithmetic = lines;
    result.shares = Some(sums.shares);
    result
}

/// A month without a figure.
fn without(month: Month, why: String) -> PeriodResult {
    PeriodResult {
        month,
        stated: false,
        status: Stated::Inconclusive,
        achieved: None,
        achieved_text: "not measured".into(),
        error: 0.0,
        shares: None,
        band: None,
        points: 0,
        repeat: false,
        credit: 0.0,
        then: None,
        arithmetic: vec![("reached", why)],
        credit_ppb: 0,
    }
}

/// What follows from a share that was reached; `before`: whether the month before failed.
pub(super) fn of_share(level: &Level, reached: Fraction, before: Option<bool>) -> PeriodResult {
    let compared = rounded(level, reached);
    let met = compare_share(compared.part, compared.whole, level.target.0) != Ordering::Less;
    let exact = level.round.is_none();
    let text = if exact {
        percent_of(compared.part, compared.whole, 2)
    } else {
        shown(compared)
    };
    let mut result = PeriodResult {
        status: if met { Stated::Met } else { Stated::Missed },
        achieved: Some(ratio(reached.part, reached.whole)),
        achieved_text: text.clone(),
        ..without(Month { year: 0, month: 1 }, String::new())
    };
    let target = percent(level.target);
    result.arithmetic = vec![if met {
        (
            "band",
            format!("{text} reaches the target of {target}: nothing follows"),
        )
    } else {
        ("band", format!("{text} misses the target of {target}"))
    }];
    if met {
        return result;
    }
    match &level.remedy {
        Remedy::Points(bands) => points(level, band(bands, compared), before, &mut result),
        Remedy::Credit(bands) => credit(band(bands, compared), &mut result),
        Remedy::Shortfall => {
            let ppb = share_floor(compared.part, compared.whole).unwrap_or(0);
            result.credit_ppb = level.target.0.saturating_sub(ppb);
            let missing = percent(Ppb(result.credit_ppb));
            let reached = percent(Ppb(ppb));
            let text = format!("{target} − {reached} = {missing} of the month's charges");
            result.arithmetic.push(("credit", text));
        }
    }
    result.credit = Ppb(result.credit_ppb).as_f64();
    result
}

fn band(bands: &[Band], reached: Fraction) -> Option<&Band> {
    let in_band =
        |b: &&Band| compare_share(reached.part, reached.whole, b.at_least.0) != Ordering::Less;
    bands.iter().find(in_band)
}

fn points(level: &Level, band: Option<&Band>, before: Option<bool>, result: &mut PeriodResult) {
    let Some(band) = band else { return };
    let name = named(band);
    let base = u64::from(band.points);
    let word = if base == 1 {
        "service point"
    } else {
        "service points"
    };
    let text = format!("{name}from {}: {base} {word}", percent(band.at_least));
    result.arithmetic.push(("points", text));
    result.repeat = before == Some(true) && level.repeat > 1 && base > 0;
    result.points = base;
    if result.repeat {
        result.points = base * u64::from(level.repeat);
        let text = format!(
            "missed in the month before too: {base} × {} = {}",
            level.repeat, result.points
        );
        result.arithmetic.push(("repeat", text));
    }
    result.band = Some(band.name.clone());
    result.then.clone_from(&band.then);
}

fn credit(band: Option<&Band>, result: &mut PeriodResult) {
    let Some(band) = band else { return };
    result.credit_ppb = band.credit.0;
    let (name, from) = (named(band), percent(band.at_least));
    let text = format!(
        "{name}from {from}: {} of the month's charges",
        percent(band.credit)
    );
    result.arithmetic.push(("credit", text));
    result.band = Some(band.name.clone());
    result.then.clone_from(&band.then);
}

fn named(band: &Band) -> String {
    if band.name.is_empty() {
        String::new()
    } else {
        format!("{}, ", band.name)
    }
}

/// To a multiple of the level's step, half up.
fn rounded(level: &Level, reached: Fraction) -> Fraction {
    let Some(step) = level.round else {
        return reached;
    };
    let steps = u128::from(Ppb::ONE.0 / step.0);
    // There are at most a hundred thousand steps: 110 bits are exact for 20 million users.
    let shift = (128 - reached.whole.leading_zeros()).saturating_sub(110);
    let (part, whole) = (reached.part >> shift, (reached.whole >> shift).max(1));
    let nearest = (2 * part * steps + whole) / (2 * whole);
    Fraction {
        part: nearest,
        whole: steps,
    }
}

fn shown(share: Fraction) -> String {
    let parts = share_floor(share.part, share.whole).unwrap_or(0);
    percent(Ppb(parts))
}

/// Half of what lies between what was seen and what can have been: each change of what counts,
/// in time of one resolution.
fn error(count: &Count, window: &Window<'_>) -> u128 {
    if window.resolution == Nanos::ZERO {
        return 0;
    }
    let (mut variation, mut last, mut end) = (0u128, 0u128, Nanos(i64::MIN));
    let inside = |at: Nanos| super::count::within(window.hours, at);
    for piece in count.pieces.iter().filter(|p| inside(p.from)) {
        let counted = piece.goes[Goes::Counted as usize];
        let before = if end == piece.from { last } else { 0 };
        variation += if end == piece.from {
            counted.abs_diff(before)
        } else {
            last + counted
        };
        (last, end) = (counted, piece.to);
    }
    (variation + last) * window.resolution.0.unsigned_abs() as u128
}

/// Lost time of a month, in units times nanoseconds.
struct Sums {
    lost: u128,
    goes: [u128; WAYS],
    /// Of which nobody is named as the owner.
    unowned: u128,
    shares: Shares,
    maintenance: Nanos,
}

impl Sums {
    fn of(contract: &Contract, count: &Count, window: &Window<'_>) -> Self {
        let hours = length(window.hours);
        let maintenance = length(&intersect(window.hours, &count.maintenance));
        let mut lost = 0;
        let mut goes = [0; WAYS];
        let mut owners: BTreeMap<String, u128> = BTreeMap::new();
        let inside = |at: Nanos| super::count::within(window.hours, at);
        for piece in count.pieces.iter().filter(|p| inside(p.from)) {
            let length = (piece.to - piece.from).0 as u128;
            lost += piece.lost * length;
            for (sum, part) in goes.iter_mut().zip(piece.goes) {
                *sum += part * length;
            }
            for (owner, part) in &piece.owners {
                *owners.entry(owner.clone()).or_default() += part * length;
            }
        }
        let observed = [(Nanos::ZERO, window.end)].to_vec();
        let time = |sum: u128| Nanos(i64::try_from(sum / count.whole.max(1)).unwrap_or(0));
        let all = time(lost);
        let each = count.whole.max(1);
        let own: Vec<u128> = owners.values().copied().collect();
        let (times, own) = (times(all, &goes, each), times(all, &own, each));
        let unowned = owners.get(NOBODY).copied().unwrap_or(0);
        let owners = owners.into_keys().zip(own);
        let whole = count.whole * hours.0 as u128;
        let shares = Shares {
            hours,
            observed: length(&intersect(window.hours, &observed)),
            maintenance_hours: maintenance,
            lost: all,
            as_users_had_it: ratio(whole.saturating_sub(lost), whole),
            owners: owners
                .map(|(owner, lost)| OwnerPart {
                    supplier: contract.supplier.contains(&owner),
                    owner,
                    lost,
                })
                .collect(),
            counted: times[Goes::Counted as usize],
            maintenance: times[Goes::Maintenance as usize],
            relief: times[Goes::Relief as usize],
            before_clock: times[Goes::Early as usize],
            others: times[Goes::Others as usize],
        };
        Self {
            lost,
            goes,
            unowned,
            shares,
            maintenance,
        }
    }

    /// What counts, of the hours that count.
    fn counted(&self, count: &Count) -> Fraction {
        let hours = self.shares.hours - self.maintenance;
        let whole = count.whole * hours.0.max(0) as u128;
        Fraction {
            part: self.goes[Goes::Counted as usize].min(whole),
            whole,
        }
    }

    /// The sums in words.
    fn lines(
        &self,
        level: &Level,
        window: &Window<'_>,
        reached: &Fraction,
    ) -> Vec<(&'static str, String)> {
        let s = &self.shares;
        let month = window.month.name();
        let mut lines = vec![(
            "hours",
            format!("{}: {} in {month}", level.hours_text, long(s.hours)),
        )];
        if s.observed < s.hours {
            let rest = long(s.hours - s.observed);
            lines.push((
                "not observed",
                format!("{rest} of them, which count as available"),
            ));
        }
        if s.maintenance_hours > Nanos::ZERO {
            let left = long(s.hours - s.maintenance_hours);
            let text = format!(
                "{} of permitted maintenance leave {left}",
                long(s.maintenance_hours)
            );
            lines.push(("maintenance", text));
        }
        let over = match level.weighting {
            Weighting::UserMinutes => "over all users",
            Weighting::SiteMinutes => "over all sites",
            Weighting::ServiceMinutes => "with the service down",
        };
        let had = Fraction {
            part: (s.hours - s.lost).0.max(0) as u128,
            whole: s.hours.0 as u128,
        };
        let had = percent_of(had.part, had.whole, 2);
        lines.push((
            "lost",
            format!(
                "{} {over}, whoever caused it: {had} as users had it",
                long(s.lost)
            ),
        ));
        if self.lost > 0 {
            let parts = s.owners.iter().map(|part| {
                let owner = if part.owner == NOBODY {
                    "no owner named"
                } else {
                    &part.owner
                };
                format!("{owner} {}", long(part.lost))
            });
            lines.push(("by owner", parts.collect::<Vec<_>>().join(", ")));
        }
        let left_out = [
            (s.others, "for others to answer"),
            (s.maintenance, "in permitted maintenance"),
            (s.relief, "relieved"),
            (s.before_clock, "before the clock started"),
        ];
        for (time, what) in left_out.into_iter().filter(|(time, _)| *time > Nanos::ZERO) {
            lines.push(("left out", format!("{} {what}", long(time))));
        }
        let hours = s.hours - s.maintenance_hours;
        let exact = percent_of(reached.part, reached.whole, 4);
        let text = format!(
            "({} − {}) ÷ {} = {exact}",
            long(hours),
            long(s.counted),
            long(hours)
        );
        lines.push(("reached", text));
        if let Some(step) = level.round {
            let text = format!("to {}: {}", percent(step), shown(rounded(level, *reached)));
            lines.push(("rounded", text));
        }
        lines
    }
}

/// Parts of a time, each rounded down; what is left goes to the last that has any.
fn times(all: Nanos, parts: &[u128], whole: u128) -> Vec<Nanos> {
    let time = |part: &u128| Nanos(i64::try_from(part / whole).unwrap_or(0));
    let mut out: Vec<Nanos> = parts.iter().map(time).collect();
    let rest = all - out.iter().copied().sum();
    if let Some(last) = parts.iter().rposition(|part| *part > 0) {
        out[last] += rest;
    }
    out
}

/// A time in hours and below, as contracts count: `220h`, `43h 48m`.
pub(super) fn long(time: Nanos) -> String {
    let hours = time.0 / Nanos::hours(1).0;
    let rest = Nanos(time.0 % Nanos::hours(1).0);
    match (hours, rest.0) {
        (0, _) => rest.to_string(),
        (_, 0) => format!("{hours}h"),
        _ => format!("{hours}h {rest}"),
    }
}

pub(super) fn length(spans: &[(Nanos, Nanos)]) -> Nanos {
    spans.iter().map(|&(from, to)| to - from).sum()
}

/// What two ordered lists of disjoint spans have in common.
pub(super) fn intersect(a: &[(Nanos, Nanos)], b: &[(Nanos, Nanos)]) -> Spans {
    let mut out = Spans::new();
    for &(from, to) in a {
        let first = b.partition_point(|span| span.1 <= from);
        for &(open, close) in b[first..].iter().take_while(|span| span.0 < to) {
            out.push((from.max(open), to.min(close)));
        }
    }
    out
}
