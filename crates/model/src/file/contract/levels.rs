//! Service levels: what is promised, how it is measured, and what follows when it is missed.

use super::super::cx::{Cx, Fields, check_name};
use super::super::doc::Doc;
use crate::calendar::Hours;
use crate::contract::{Band, Clock, Level, Remedy, Weighting};
use assize_fault::Ppb;

/// The smallest step to which a figure is rounded: a thousandth of a percent.
const LEAST_STEP: u64 = 10_000;

pub(super) fn levels(f: &Fields<'_>) -> Vec<Level> {
    let entries = f.entries("levels");
    if entries.is_empty() {
        let help = "write `levels: {NAME: {target: 99%, bands: […]}}`";
        f.cx.error(f.key("levels"), "a contract has at least one level", help);
    }
    let levels = entries.into_iter().filter_map(|(id, at, doc)| {
        check_name(f.cx, "service level", id, at);
        level(f.cx, id, doc)
    });
    levels.collect()
}

fn level(cx: &Cx, id: &str, doc: &Doc) -> Option<Level> {
    let f = Fields::open(cx, doc, "service level")?;
    let names = |key| f.texts(key).into_iter().map(|(text, _)| text).collect();
    if !f.has("target") {
        cx.error(f.at, "`target` is missing", "such as `target: 99%`");
    }
    let hours_text = f.text("hours").unwrap_or_else(|| "always".into());
    let hours = f.raw("hours").filter(|_| hours_text != "always");
    let hours = hours.and_then(|d| cx.parsed(d, "hours", "hours", Hours::parse));
    let round = f.share("round");
    if let (Some(step), Some(d)) = (round, f.raw("round")) {
        let divides = step.0 >= LEAST_STEP && Ppb::ONE.0.is_multiple_of(step.0);
        if !divides {
            let help = "a step is from 0.001% up and divides 100%, such as `0.1%`";
            cx.error(d.at, format!("`round: {step}` is no step"), help);
        }
    }
    let weightings = [
        ("user-minutes", Weighting::UserMinutes),
        ("site-minutes", Weighting::SiteMinutes),
        ("service-minutes", Weighting::ServiceMinutes),
    ];
    let target = f.share("target").unwrap_or(Ppb::ONE);
    let level = Level {
        id: id.to_string(),
        title: f.text("title").unwrap_or_else(|| id.to_string()),
        clause: f.text("clause"),
        populations: names("population"),
        journeys: names("journey"),
        target,
        hours,
        hours_text,
        weighting: f
            .choice("weighting", &weightings)
            .unwrap_or(Weighting::UserMinutes),
        up_at: f.share("level").unwrap_or(Ppb::ONE),
        clock: clock(&f).unwrap_or(Clock::Fault),
        degraded_counts: degraded(&f).unwrap_or(Ppb::ZERO),
        round: round.filter(|step| step.0 >= LEAST_STEP),
        remedy: remedy(&f, target),
        repeat: f.whole("repeat", 1, 100).unwrap_or(1) as u32,
    };
    f.finish();
    Some(level)
}

const CLOCKS: [(&str, Clock); 3] = [
    ("fault", Clock::Fault),
    ("detected", Clock::Detected),
    ("reported", Clock::Reported),
];

fn clock(f: &Fields<'_>) -> Option<Clock> {
    let doc = f.raw("clock")?;
    if doc.scalar().is_some() {
        return f.choice("clock", &CLOCKS);
    }
    let f = Fields::open(f.cx, doc, "clock")?;
    let clock = f.choice("starts", &CLOCKS);
    f.finish();
    clock
}

/// A share, or all or nothing of it.
fn degraded(f: &Fields<'_>) -> Option<Ppb> {
    match f.raw("degraded_counts")?.scalar() {
        Some("true") => Some(Ppb::ONE),
        Some("false") => Some(Ppb::ZERO),
        _ => f.share("degraded_counts"),
    }
}

fn remedy(f: &Fields<'_>, target: Ppb) -> Remedy {
    let cx = f.cx;
    let place = f.key("bands");
    let docs = f.list("bands");
    let bands: Vec<(Band, bool, bool)> = docs.iter().filter_map(|doc| band(cx, doc)).collect();
    let shortfall = f.choice("credit", &[("shortfall", ())]).is_some();
    if shortfall != docs.is_empty() {
        let help = "write `bands: [{at_least: 0%, points: 4}]`, or `credit: shortfall`";
        cx.error(place, "a level has either `bands` or `credit`", help);
    }
    if shortfall {
        return Remedy::Shortfall;
    }
    let points = bands.iter().any(|(_, points, _)| *points);
    let credit = bands.iter().any(|(_, _, credit)| *credit);
    if points && credit {
        cx.error(
            place,
            "bands have points or credits, not both",
            "write two levels",
        );
    }
    let mut bands: Vec<Band> = bands.into_iter().map(|(band, ..)| band).collect();
    bands.sort_by_key(|band| std::cmp::Reverse(band.at_least));
    if bands
        .windows(2)
        .any(|pair| pair[0].at_least == pair[1].at_least)
    {
        cx.error(place, "two bands begin at the same share", "");
    }
    if let Some(first) = bands.first().filter(|band| band.at_least >= target) {
        let (from, name) = (first.at_least, &first.name);
        let help = "at the target and above nothing follows";
        cx.error(
            place,
            format!("the band {name} begins at {from}, and the target is {target}"),
            help,
        );
    }
    if bands.last().is_some_and(|band| band.at_least > Ppb::ZERO) {
        let help = "give the lowest band `at_least: 0%`";
        cx.error(
            place,
            "nothing is said of figures below the lowest band",
            help,
        );
    }
    if credit {
        Remedy::Credit(bands)
    } else {
        Remedy::Points(bands)
    }
}

/// A band, and whether it has points and a credit.
fn band(cx: &Cx, doc: &Doc) -> Option<(Band, bool, bool)> {
    let f = Fields::open(cx, doc, "band")?;
    if !f.has("at_least") {
        cx.error(f.at, "`at_least` is missing", "such as `at_least: 98%`");
    }
    let (points, credit) = (f.whole("points", 0, 10_000), f.share("credit"));
    let stated = (f.has_key("points"), f.has_key("credit"));
    if stated.0 == stated.1 {
        cx.error(f.at, "a band has either `points` or a `credit`", "");
    }
    let band = Band {
        at_least: f.share("at_least").unwrap_or_default(),
        name: f.text("name").unwrap_or_default(),
        points: points.unwrap_or(0) as u32,
        credit: credit.unwrap_or_default(),
        then: f.text("then"),
    };
    f.finish();
    Some((band, stated.0, stated.1))
}
