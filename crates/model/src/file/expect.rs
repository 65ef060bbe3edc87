//! Published symptoms of a real incident, which a scenario is scored against.

use super::cx::Fields;
use super::doc::Doc;
use super::objectives::Scope;
use super::place::Span;
use crate::ids::{GroupId, JourneyId, PopulationId, ServiceId};
use crate::scenario::{Symptom, SymptomKind as Kind};
use crate::topology::Topology;
use assize_fault::{Nanos, Ppb};

/// The keys of which a symptom has exactly one.
const KINDS: [&str; 6] = [
    "share_of",
    "intermittent",
    "restored",
    "untouched",
    "lasts",
    "no_data_lost",
];

/// Reads `expect:`, a list, or the document of the file that it names.
pub(crate) fn read(
    s: &Scope<'_>,
    t: &Topology,
    f: &Fields<'_>,
    file: Option<&Doc>,
) -> Vec<Symptom> {
    let Some(doc) = f.raw("expect") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut all = |list: Vec<&Doc>| {
        for doc in list {
            if let Some(symptom) = symptom(s, t, doc) {
                found.push(symptom);
            }
        }
    };
    if doc.scalar().is_none() {
        all(f.list("expect"));
    } else if let Some(e) = file.and_then(|d| Fields::open(s.cx, d, "expectation file")) {
        if e.text("assize").as_deref() != Some("expect/v1") {
            s.cx.error(
                e.key("assize"),
                "this is not a file of symptoms",
                "it begins `assize: expect/v1`",
            );
        }
        all(e.list("expect"));
        e.finish();
    }
    found
}

fn symptom(s: &Scope<'_>, t: &Topology, doc: &Doc) -> Option<Symptom> {
    let f = Fields::open(s.cx, doc, "symptom")?;
    let stated: Vec<&'static str> = KINDS.into_iter().filter(|k| f.has(k)).collect();
    let [key] = stated[..] else {
        let help = format!("one of {}", super::problem::quoted(&KINDS, "or"));
        s.cx.error(f.at, "a symptom says one thing", help);
        return None;
    };
    let text = f.text("text");
    let kind = match key {
        "share_of" if f.has("at") || f.has("is") => share_at(s, &f),
        "share_of" => share_between(s, &f),
        "intermittent" => intermittent(s, &f),
        "restored" => restored(s, &f),
        "untouched" => population(s, &f, key).map(|population| Kind::Untouched {
            population,
            journey: journey(s, &f, false),
        }),
        "lasts" => lasts(s, &f),
        _ => no_data_lost(s, &f),
    };
    f.finish();
    let kind = kind?;
    let text = text.unwrap_or_else(|| in_words(t, &kind));
    Some(Symptom { text, kind })
}

fn share_at(s: &Scope<'_>, f: &Fields<'_>) -> Option<Kind> {
    let population = population(s, f, "share_of");
    let journey = journey(s, f, true);
    let at = f.raw("at").and_then(|d| s.instant(d, "at"));
    let (is, within) = (f.share("is"), f.share("within").unwrap_or(Ppb::ZERO));
    if !f.has("at") || !f.has("is") {
        s.cx.error(f.at, "a share at an instant has `at` and `is`", "");
    }
    Some(Kind::ShareAt {
        population: population?,
        journey: journey?,
        at: at?,
        is: is?,
        within,
    })
}

fn share_between(s: &Scope<'_>, f: &Fields<'_>) -> Option<Kind> {
    let population = population(s, f, "share_of");
    let journey = journey(s, f, true);
    let (min, max) = (f.share("min"), f.share("max"));
    if min.is_none() && max.is_none() && !s.cx.failed() {
        s.cx.error(f.at, "a share over a window has `min`, `max`, or both", "");
    }
    let (min, max) = (min.unwrap_or(Ppb::ZERO), max.unwrap_or(Ppb::ONE));
    if min > max {
        s.cx.error(f.key("min"), "`min` is above `max`", "");
    }
    let (from, to) = window(s, f)?;
    Some(Kind::ShareBetween {
        population: population?,
        journey: journey?,
        from,
        to,
        min,
        max,
    })
}

fn intermittent(s: &Scope<'_>, f: &Fields<'_>) -> Option<Kind> {
    let population = population(s, f, "intermittent");
    let journey = journey(s, f, true);
    let times = f.whole("times", 1, 1_000_000).unwrap_or(1) as u32;
    let (from, to) = window(s, f)?;
    Some(Kind::Intermittent {
        population: population?,
        journey: journey?,
        from,
        to,
        times,
    })
}

fn restored(s: &Scope<'_>, f: &Fields<'_>) -> Option<Kind> {
    let doc = f.raw("restored")?;
    let text = s.cx.text(doc, "restored")?;
    let name = text.strip_prefix("group/").unwrap_or(&text);
    let group = s.groups.find(s.cx, name, doc.at).map(GroupId::from);
    let (from, to) = window(s, f)?;
    Some(Kind::RestoredBetween {
        group: group?,
        from,
        to,
    })
}

fn lasts(s: &Scope<'_>, f: &Fields<'_>) -> Option<Kind> {
    let population = population(s, f, "lasts");
    let journey = journey(s, f, true);
    let is = f.duration("is");
    if !f.has("is") {
        s.cx.error(f.at, "`is` is missing", "the published length: `is: 36h`");
    }
    let within = f.duration_or("within", Nanos::ZERO);
    Some(Kind::Lasts {
        population: population?,
        journey: journey?,
        is: is?,
        within,
    })
}

fn no_data_lost(s: &Scope<'_>, f: &Fields<'_>) -> Option<Kind> {
    let doc = f.raw("no_data_lost")?;
    let text = s.cx.text(doc, "no_data_lost")?;
    if text == "true" {
        return Some(Kind::NoDataLost { service: None });
    }
    let name = text.strip_prefix("service/").unwrap_or(&text);
    let service = ServiceId::from(s.services.find(s.cx, name, doc.at)?);
    if s.all_services[service.index()].state.is_none() {
        s.cx.error(doc.at, format!("`{name}` has no state to lose"), "");
    }
    Some(Kind::NoDataLost {
        service: Some(service),
    })
}

fn population(s: &Scope<'_>, f: &Fields<'_>, key: &'static str) -> Option<PopulationId> {
    let doc = f.raw(key)?;
    let text = s.cx.text(doc, key)?;
    let name = text.strip_prefix("population/").unwrap_or(&text);
    s.populations
        .find(s.cx, name, doc.at)
        .map(PopulationId::from)
}

fn journey(s: &Scope<'_>, f: &Fields<'_>, needed: bool) -> Option<JourneyId> {
    let Some(doc) = f.raw("journey") else {
        if needed {
            s.cx.error(
                f.at,
                "`journey` is missing",
                "which journey the symptom was seen in",
            );
        }
        return None;
    };
    let text = s.cx.text(doc, "journey")?;
    let name = text.strip_prefix("journey/").unwrap_or(&text);
    s.journeys.find(s.cx, name, doc.at).map(JourneyId::from)
}

fn window(s: &Scope<'_>, f: &Fields<'_>) -> Option<(Nanos, Nanos)> {
    let at: Span = f.at;
    let from = f.raw("from").and_then(|d| s.instant(d, "from"));
    let to = f.raw("to").and_then(|d| s.instant(d, "to"));
    if !f.has("from") || !f.has("to") {
        s.cx.error(at, "a window has `from` and `to`", "");
    }
    let (from, to) = (from?, to?);
    s.ordered(at, from, to).then_some((from, to))
}

/// What a symptom says, where the file does not put it in words.
fn in_words(t: &Topology, kind: &Kind) -> String {
    let who = |p: PopulationId| t.population(p).id.as_str();
    let what = |j: JourneyId| t.journey(j).id.as_str();
    match kind {
        Kind::ShareAt {
            population,
            journey,
            at,
            is,
            within,
        } => {
            format!(
                "{is} ± {within} of {} have {} at {at}",
                who(*population),
                what(*journey)
            )
        }
        Kind::ShareBetween {
            population,
            journey,
            from,
            to,
            min,
            max,
        } => format!(
            "{min} to {max} of {} have {} from {from} to {to}",
            who(*population),
            what(*journey)
        ),
        Kind::Intermittent {
            population,
            journey,
            from,
            to,
            times,
        } => format!(
            "{} is intermittent for {} from {from} to {to}, at least {times} times",
            what(*journey),
            who(*population)
        ),
        Kind::RestoredBetween { group, from, to } => {
            format!(
                "group {} is restored from {from} to {to}",
                t.group(*group).id
            )
        }
        Kind::Untouched {
            population,
            journey,
        } => match journey {
            Some(j) => format!("{} of {} is untouched", what(*j), who(*population)),
            None => format!("{} is untouched", who(*population)),
        },
        Kind::Lasts {
            population,
            journey,
            is,
            within,
        } => {
            format!(
                "{} lack {} for {is} ± {within}",
                who(*population),
                what(*journey)
            )
        }
        Kind::NoDataLost {
            service: Some(service),
        } => {
            format!("no acknowledged data of {} is lost", t.service(*service).id)
        }
        Kind::NoDataLost { service: None } => "no acknowledged data is lost".to_string(),
    }
}
