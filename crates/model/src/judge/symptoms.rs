//! Published symptoms, scored against what was recorded. They never enter the verdict.

use super::context::{Context, Pair};
use super::exact::{BILLION, share_ceil};
use super::series::{ALL, Share, Span, length};
use super::words::{share_down, share_up};
use crate::finding::SymptomResult;
use crate::ids::{GroupId, JourneyId, PopulationId, ServiceId};
use crate::journal::ReadBack;
use crate::scenario::{Symptom, SymptomKind};
use assize_fault::{Nanos, Ppb};

/// One row for each published symptom, in the scenario's order.
pub(super) fn score(context: &Context<'_>) -> Vec<SymptomResult> {
    context
        .plan
        .scenario
        .expect
        .iter()
        .map(|symptom| one(context, symptom))
        .collect()
}

/// As published, as obtained, and whether they agree.
struct Score {
    published: String,
    got: String,
    reproduced: bool,
}

impl Score {
    fn new(published: String, got: String, reproduced: bool) -> Self {
        Self {
            published,
            got,
            reproduced,
        }
    }

    fn missing(published: String, why: &str) -> Self {
        Self::new(published, why.to_string(), false)
    }
}

fn one(context: &Context<'_>, symptom: &Symptom) -> SymptomResult {
    let score = score_kind(context, &symptom.kind);
    SymptomResult {
        symptom: symptom.text.clone(),
        published: score.published,
        got: score.got,
        reproduced: score.reproduced,
    }
}

fn score_kind(context: &Context<'_>, kind: &SymptomKind) -> Score {
    use SymptomKind as Kind;
    match *kind {
        Kind::ShareAt {
            population,
            journey,
            at,
            is,
            within,
        } => {
            let published = within_text(is, within);
            with_share(
                context,
                (population, journey),
                published,
                |share, published| share_at(context, share, published, at, is, within),
            )
        }
        Kind::ShareBetween {
            population,
            journey,
            from,
            to,
            min,
            max,
        } => {
            let published = span_text(&min.to_string(), &max.to_string());
            with_share(
                context,
                (population, journey),
                published,
                |share, published| share_between(share, published, (from, to), min, max),
            )
        }
        Kind::Intermittent {
            population,
            journey,
            from,
            to,
            times,
        } => {
            let published = format!("at least {times} times");
            with_share(
                context,
                (population, journey),
                published,
                |share, published| intermittent(share, published, (from, to), times),
            )
        }
        Kind::RestoredBetween { group, from, to } => restored(context, group, from, to),
        Kind::Untouched {
            population,
            journey,
        } => untouched(context, population, journey),
        Kind::Lasts {
            population,
            journey,
            is,
            within,
        } => {
            let published = within_text(is, within);
            with_share(
                context,
                (population, journey),
                published,
                |share, published| {
                    let got = length(&share.below(ALL));
                    Score::new(published, got.to_string(), (got.0 - is.0).abs() <= within.0)
                },
            )
        }
        Kind::NoDataLost { service } => no_data_lost(context, service),
    }
}

/// Falls below all that also rise again in the window; one that does not is no intermittence.
fn intermittent(share: &Share, published: String, window: Span, times: u32) -> Score {
    let below = share.below(ALL);
    let falls = below
        .iter()
        .filter(|span| window.0 <= span.0 && span.1 <= window.1);
    let count = falls.filter(|span| span.1 < share.end).count();
    Score::new(
        published,
        format!("{count} times"),
        count as u64 >= u64::from(times),
    )
}

fn with_share(
    context: &Context<'_>,
    pair: Pair,
    published: String,
    score: impl FnOnce(&Share, String) -> Score,
) -> Score {
    match context.share(pair) {
        Some(share) => score(share, published),
        None => Score::missing(published, "not measured"),
    }
}

fn share_at(
    context: &Context<'_>,
    share: &Share,
    published: String,
    at: Nanos,
    is: Ppb,
    within: Ppb,
) -> Score {
    if at < Nanos::ZERO || at > context.journal.end {
        return Score::missing(published, "outside the scenario");
    }
    let served = share.at(at).served;
    let (got, want) = (
        served * u128::from(BILLION),
        share.total() * u128::from(is.0),
    );
    let reproduced = got.abs_diff(want) <= share.total() * u128::from(within.0);
    Score::new(published, share_down(served, share.total()), reproduced)
}

/// `75% ± 2%`; exact ones say only what they are.
fn within_text<T: std::fmt::Display + Default + PartialEq>(is: T, within: T) -> String {
    if within == T::default() {
        is.to_string()
    } else {
        format!("{is} ± {within}")
    }
}

/// `80% to 90%`, or `87.5%` throughout.
fn span_text(least: &str, most: &str) -> String {
    if least == most {
        least.to_string()
    } else {
        format!("{least} to {most}")
    }
}

fn share_between(share: &Share, published: String, window: Span, min: Ppb, max: Ppb) -> Score {
    let Some(least) = share.least(&[window]) else {
        return Score::missing(published, "outside the scenario");
    };
    let total = share.total();
    let most = total - fewest_out(share, window);
    let at_least = !share.is_below(least, min);
    let at_most = most * u128::from(BILLION) <= total * u128::from(max.0);
    let got = span_text(&share_down(least, total), &share_up(most, total));
    Score::new(published, got, at_least && at_most)
}

/// The fewest out at any instant of a window.
fn fewest_out(share: &Share, window: Span) -> u128 {
    let inside = share
        .pieces()
        .filter(|((from, to), _)| *from < window.1 && *to > window.0);
    let out = inside.map(|(_, point)| share.total().saturating_sub(point.served));
    out.min().unwrap_or(0)
}

fn restored(context: &Context<'_>, group: GroupId, from: Nanos, to: Nanos) -> Score {
    let published = format!(
        "between {} and {}",
        context.instant(from),
        context.instant(to)
    );
    match context.journal.groups.iter().find(|one| one.0 == group) {
        None => Score::missing(published, "not measured"),
        Some((_, None)) => Score::missing(published, "not by the end"),
        Some((_, Some(at))) => {
            let reproduced = from <= *at && *at <= to;
            let got = if *at == Nanos::ZERO {
                "never touched".to_string()
            } else {
                context.instant(*at)
            };
            Score::new(published, got, reproduced)
        }
    }
}

fn untouched(context: &Context<'_>, population: PopulationId, journey: Option<JourneyId>) -> Score {
    let published = "untouched".to_string();
    let mut pairs = context.pairs();
    pairs.retain(|pair| pair.0 == population && journey.is_none_or(|only| only == pair.1));
    if pairs.is_empty() {
        return Score::missing(published, "makes no such journey");
    }
    let mut worst: Option<(u64, String, Pair)> = None;
    for pair in pairs {
        let Some(share) = context.share(pair) else {
            return Score::missing(published, "not measured");
        };
        let peak = share.peak_out(&share.whole());
        let ppb = share_ceil(peak, share.total()).unwrap_or(0);
        if peak > 0 && worst.as_ref().is_none_or(|one| ppb > one.0) {
            worst = Some((ppb, share_up(peak, share.total()), pair));
        }
    }
    match worst {
        None => {
            let id = &context.plan.topology.population(population).id;
            Score::new(published, format!("{id} untouched"), true)
        }
        Some((_, text, pair)) => {
            let got = format!("{text} of {} out", context.pair_name(pair));
            Score::new(published, got, false)
        }
    }
}

fn no_data_lost(context: &Context<'_>, service: Option<ServiceId>) -> Score {
    let published = "nothing lost".to_string();
    let services = context.stateful(service);
    let mut lost = Vec::new();
    for service in services {
        let finals = context.journal.read_backs.iter();
        let finals: Vec<&ReadBack> = finals
            .filter(|back| back.service == service && back.is_final)
            .collect();
        let Some(most) = finals.iter().map(|back| back.lost).max() else {
            let why = format!(
                "{} was not read back at the end",
                context.service_name(service)
            );
            return Score::missing(published, &why);
        };
        if most > 0 {
            lost.push(format!(
                "{most} writes of {}",
                context.service_name(service)
            ));
        }
    }
    if lost.is_empty() {
        return Score::new(published, "nothing lost".to_string(), true);
    }
    Score::new(published, format!("lost: {}", lost.join(", ")), false)
}
