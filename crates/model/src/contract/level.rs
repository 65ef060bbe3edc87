//! One level in one period: what was reached, in which band it falls, and what follows.

use super::clauses::{percent, percent_of};
use super::count::{Count, Goes};
use super::credits::{PeriodResult, Stated};
use super::period::Period;
use super::sums::{Sums, length};
use super::{Band, Contract, Level, Remedy};
use crate::calendar::Spans;
use crate::judge::exact::{compare_share, ratio, share_floor};
use assize_fault::{Nanos, Ppb};
use core::cmp::Ordering;

/// A share as a fraction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fraction {
    pub(super) part: u128,
    pub(super) whole: u128,
}

/// What a period's hours hold.
pub(super) struct Window<'a> {
    pub(super) period: Period,
    /// Hours of the level in the period, from the record's start.
    pub(super) hours: &'a Spans,
    /// The record's end.
    pub(super) end: Nanos,
    /// How late a change may have been seen.
    pub(super) resolution: Nanos,
}

/// Judges a level in a period that was measured.
pub(super) fn judge(
    contract: &Contract,
    level: &Level,
    count: &Count,
    window: &Window<'_>,
    before: Option<bool>,
) -> PeriodResult {
    let hours = length(window.hours);
    if let Some(why) = &count.unmeasured {
        return without(window.period, format!("not measured: {why}"));
    }
    if hours == Nanos::ZERO || count.whole == 0 {
        return without(
            window.period,
            format!(
                "not measured: the {} has no such hours",
                window.period.word()
            ),
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
    let mut result = of_share(level, window.period, bounds[1], before);
    let unsure = [bounds[0], best].iter().any(|bound| {
        let other = of_share(level, window.period, *bound, before);
        (other.points, other.credit_ppb, other.status)
            != (result.points, result.credit_ppb, result.status)
    });
    result.error = ratio(error, reached.whole);
    let mut lines = sums.lines(level, window, &reached);
    let unowned = of_share(
        level,
        window.period,
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

/// A period without a figure.
fn without(period: Period, why: String) -> PeriodResult {
    PeriodResult {
        month: period,
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

/// What follows from a share that was reached; `before`: whether the period before failed.
pub(super) fn of_share(
    level: &Level,
    period: Period,
    reached: Fraction,
    before: Option<bool>,
) -> PeriodResult {
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
        ..without(period, String::new())
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
            let text = format!("{target} − {reached} = {missing} of {}", charges(period));
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
            "missed in the {} before too: {base} × {} = {}",
            result.month.word(),
            level.repeat,
            result.points
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
        "{name}from {from}: {} of {}",
        percent(band.credit),
        charges(result.month)
    );
    result.arithmetic.push(("credit", text));
    result.band = Some(band.name.clone());
    result.then.clone_from(&band.then);
}

/// Of what credits are a share, in words.
pub(super) fn charges(period: Period) -> String {
    format!("the {}'s charges", period.word())
}

fn named(band: &Band) -> String {
    if band.name.is_empty() {
        String::new()
    } else {
        format!("{}, ", band.name)
    }
}

/// To a multiple of the level's step, half up.
pub(super) fn rounded(level: &Level, reached: Fraction) -> Fraction {
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

pub(super) fn shown(share: Fraction) -> String {
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
