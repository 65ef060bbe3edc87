//! What a verdict, a finding and a cause are called: the same words in every format.

use crate::suite::{Run, Suite, SuiteVerdict, Tally};
use crate::text::Paint;
use crate::words;
use assize_fault::Nanos;
use assize_model::finding::{Attribution, Detail, Finding, LiveResult, Outcome, Status, Value};

/// What a finding says that rests on stand-ins.
pub(crate) const STAND_IN: &str = "stand-in";

/// Figures printed beside a finding even if it was met: they say what the main figure hides.
const ALWAYS: [&str; 6] = [
    "spread",
    "outages",
    "below_full",
    "left_out",
    "difference",
    "predicted_status",
];
/// Figures whose text says by itself what they are.
const PLAIN: [&str; 11] = [
    "spread",
    "difference",
    "failures",
    "outages",
    "below_full",
    "left_out",
    "held",
    "degraded",
    "peak",
    "disturbance",
    "unverified",
];

/// Which scenario, and on which topology unless it holds its own.
pub(crate) fn title(scenario: &str, topology: &str) -> String {
    if scenario == topology {
        scenario.to_owned()
    } else {
        format!("{scenario} on {topology}")
    }
}

/// The status of a finding. What was met on stand-ins says so wherever it is read.
pub(crate) fn status(finding: &Finding) -> (&'static str, Paint) {
    match finding.status {
        Status::Met if finding.tested_on == STAND_IN => ("met on stand-ins", Paint::Good),
        Status::Met => ("met", Paint::Good),
        Status::Missed if finding.accepted.is_some() => ("missed, accepted", Paint::Care),
        Status::Missed => ("MISSED", Paint::Bad),
        Status::Inconclusive => ("undecided", Paint::Care),
        Status::NotExercised => ("not exercised", Paint::Care),
    }
}

/// `on stand-ins`, if anything that was met rests on them.
pub(crate) fn on_stand_ins<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> &'static str {
    let mut findings = outcomes.into_iter().flat_map(|outcome| &outcome.findings);
    if findings.any(|f| f.status == Status::Met && f.tested_on == STAND_IN) {
        " on stand-ins"
    } else {
        ""
    }
}

/// The outcomes of a suite.
pub(crate) fn outcomes(suite: &Suite) -> impl Iterator<Item = &Outcome> {
    suite.runs.iter().filter_map(|run| match run {
        Run::Judged(outcome) => Some(outcome.as_ref()),
        Run::NotRun { .. } => None,
    })
}

/// A verdict in a word or three.
pub(crate) const fn verdict_word(verdict: SuiteVerdict) -> &'static str {
    match verdict {
        SuiteVerdict::Pass => "pass",
        SuiteVerdict::Inconclusive => "inconclusive",
        SuiteVerdict::Fail => "FAIL",
        SuiteVerdict::CouldNotRun => "could not run",
    }
}

/// A verdict with the count that decided it. `on` is where it was met, as [`on_stand_ins`] says.
pub(crate) fn verdict_text(verdict: SuiteVerdict, tally: Tally, on: &str) -> String {
    let total = words::number(tally.total(), "target", "targets");
    match verdict {
        SuiteVerdict::Pass if tally.total() == 0 => "NO TARGETS".into(),
        SuiteVerdict::Pass if tally.accepted > 0 => {
            let (met, accepted) = (tally.met, tally.accepted);
            format!("PASS, {met} of {total} met{on}, {accepted} accepted")
        }
        SuiteVerdict::Pass => format!("PASS, {total} met{on}"),
        SuiteVerdict::Inconclusive => format!("INCONCLUSIVE, {} of {total} undecided", tally.open),
        SuiteVerdict::Fail => format!("FAIL, {} of {total} missed", tally.missed),
        SuiteVerdict::CouldNotRun => "COULD NOT RUN".into(),
    }
}

/// How a verdict stands out.
pub(crate) const fn verdict_paint(verdict: SuiteVerdict) -> Paint {
    match verdict {
        SuiteVerdict::Pass => Paint::Good,
        SuiteVerdict::Inconclusive => Paint::Care,
        SuiteVerdict::Fail | SuiteVerdict::CouldNotRun => Paint::Bad,
    }
}

/// How a scenario was run, and how exactly its durations are known.
pub(crate) fn how(outcome: &Outcome) -> String {
    match (outcome.engine, &outcome.live) {
        ("simulate", _) => "simulated".to_owned(),
        ("run", Some(live)) => ran(live, outcome.services.len()),
        ("run", None) => "run".to_owned(),
        _ => "observed".to_owned(),
    }
}

fn ran(live: &LiveResult, services: usize) -> String {
    let on = match live.real.len() {
        0 => "stand-ins".to_owned(),
        real if real == services => "real systems".to_owned(),
        real => format!("real systems for {real} of {services} services, stand-ins for the rest"),
    };
    let pace = match live.pace {
        0 | 1 => String::new(),
        pace => format!(", {pace} times as fast"),
    };
    let ended = match live.ended {
        "killed" => ", killed before its end",
        "interrupted" => ", interrupted",
        "aborted" => ", aborted",
        _ => "",
    };
    format!(
        "run on {on}{pace}, durations to {}{ended}",
        words::about(live.resolution)
    )
}

/// Of a run that did not come to its end: a sentence that says so.
pub(crate) fn cut(outcome: &Outcome) -> Option<&'static str> {
    match outcome.live.as_ref()?.ended {
        "killed" => Some(
            "This run was killed before its end. What stands here is what its journal holds up to \
             then.",
        ),
        "interrupted" => Some("This run was interrupted before its end."),
        "aborted" => Some("This run was aborted before its end."),
        _ => None,
    }
}

/// What was predicted, in words.
pub(crate) fn predicted(finding: &Finding) -> Option<&str> {
    let mut details = finding.details.iter();
    let found = details.find(|detail| detail.name == "predicted")?;
    Some(&found.text)
}

/// The figures beside the main one, each once, in words.
pub(crate) fn details(finding: &Finding, clock: &words::Clock, verbose: bool) -> Vec<String> {
    let wanted = |d: &&Detail| match d.name {
        // The total of the outages is in the text of their number.
        "outages_total" => false,
        // It has a column of its own.
        "predicted" => false,
        _ if verbose => true,
        "first_good" | "stable_good" | "since_fault" => false,
        "onset" if d.value == Some(Value::Time(Nanos::ZERO)) => false,
        name if finding.status == Status::Met => {
            ALWAYS.contains(&name) && d.value != Some(Value::Count(0))
        }
        _ => true,
    };
    let mut texts: Vec<String> = Vec::new();
    let mut before: Option<&Detail> = None;
    for detail in finding.details.iter().filter(wanted) {
        // First and lasting recovery are most often the same.
        if before.is_none_or(|b| b.text != detail.text) {
            let text = clock.within(&detail.text);
            texts.push(if PLAIN.contains(&detail.name) {
                text
            } else {
                let name = match detail.name {
                    "user_hours_lost" => "lost in all".to_owned(),
                    "predicted_status" => "predicted".to_owned(),
                    name => name.replace('_', " "),
                };
                format!("{name} {text}")
            });
        }
        before = Some(detail);
    }
    texts
}

/// A cause with its part of an outage.
pub(crate) fn cause(part: &Attribution) -> String {
    let mut text = format!("{} {}", part.cause, words::about(part.time));
    let mut beside = Vec::new();
    if part.joint == part.time && part.joint.0 > 0 {
        beside.push("jointly".to_owned());
    } else if part.joint.0 > 0 {
        beside.push(format!("{} of it jointly", words::about(part.joint)));
    }
    if !part.owners.is_empty() {
        beside.push(format!("owned by {}", part.owners.join(", ")));
    }
    if !beside.is_empty() {
        text.push_str(&format!(" ({})", beside.join("; ")));
    }
    text
}

/// The causes of an outage, in a sentence without its end; nothing if none is known.
pub(crate) fn causes(finding: &Finding) -> Option<String> {
    let parts: Vec<String> = finding.attribution.iter().map(cause).collect();
    (!parts.is_empty()).then(|| format!("caused by {}", words::list(&parts)))
}

/// Who accepted a miss, until when and why.
pub(crate) fn accepted(finding: &Finding) -> Option<String> {
    finding.accepted.as_ref().map(|accepted| {
        format!(
            "accepted by {} until {}: {}",
            accepted.by, accepted.until, accepted.reason
        )
    })
}
