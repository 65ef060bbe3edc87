//! JUnit XML, for build servers: a suite is a scenario, a case an objective.
//!
//! Missed is a failure, with measured against target; what could not be decided or was never
//! exercised is skipped, with its reason; a miss that is accepted passes and says so; a scenario
//! that could not be carried out is an error. Properties of a suite hold what the figures rest on
//! and each attempt of `--repeat` and `--retry`. Only elements and attributes that Jenkins, GitLab
//! and GitHub know are written. The version of the format is the property `assize.format`.

use crate::suite::{Run, Suite};
use crate::{Format, Style, credits, summary, tell, words};
use assize_model::contract::Credits;
use assize_model::drill::Drill;
use assize_model::finding::{Finding, Outcome, RunResult, Status};
use std::fmt::Write as _;
use std::io::{self, Write};

/// The registry's line.
pub const FORMAT: Format = Format {
    name: "junit",
    about: "JUnit XML for build servers: a suite is a scenario, a case an objective",
    write,
    ends_in_words: false,
};

/// The version of what is written here.
const VERSION: &str = "assize/junit/v1";

fn write(suite: &Suite, _: &Style, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: Vec<Cases> = suite.runs.iter().map(cases).collect();
    for one in &mut suites {
        one.properties.extend(suite.record.iter().flat_map(record));
    }
    suites.extend(forced(suite));
    let sum = |of: fn(&Cases) -> usize| suites.iter().map(of).sum::<usize>();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(
        out,
        r#"<testsuites name="assize" tests="{}" failures="{}" errors="{}">"#,
        sum(|s| s.cases.len()),
        sum(|s| s.count(Came::Failed)),
        sum(|s| s.count(Came::Broke)),
    )?;
    for one in &suites {
        out.write_all(one.xml().as_bytes())?;
    }
    writeln!(out, "</testsuites>")
}

/// A suite as it is written.
struct Cases {
    name: String,
    package: String,
    timestamp: Option<String>,
    properties: Vec<(String, String)>,
    cases: Vec<Case>,
    out: Vec<String>,
}

/// A case as it is written.
struct Case {
    name: String,
    came: Came,
    kind: String,
    message: String,
    /// What a person reads who opens it.
    text: Vec<String>,
}

/// What came of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Came {
    Passed,
    Failed,
    Skipped,
    Broke,
}

fn cases(run: &Run) -> Cases {
    match run {
        Run::Judged(outcome) => judged(outcome),
        Run::NotRun {
            topology,
            scenario,
            reason,
        } => Cases {
            name: scenario.clone(),
            package: topology.clone(),
            timestamp: None,
            properties: properties(&[("assize.verdict", "could_not_run")]),
            cases: vec![Case {
                name: "the scenario is carried out".into(),
                came: Came::Broke,
                kind: "could not run".into(),
                message: reason.clone(),
                text: Vec::new(),
            }],
            out: Vec::new(),
        },
    }
}

/// What decides whatever was measured, so that no build server takes the rest for the whole.
fn forced(suite: &Suite) -> Option<Cases> {
    let forced = suite.forced.as_ref()?;
    Some(Cases {
        name: "the run itself".into(),
        package: "assize".into(),
        timestamp: None,
        properties: properties(&[]),
        cases: vec![Case {
            name: "the run is carried out to its end".into(),
            came: Came::Broke,
            kind: "could not run".into(),
            message: forced.why.clone(),
            text: Vec::new(),
        }],
        out: vec![summary::last_line(suite)],
    })
}

fn properties(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let version = [
        ("assize.format", VERSION),
        ("assize.version", env!("CARGO_PKG_VERSION")),
    ];
    let all = version.iter().chain(pairs);
    all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn judged(outcome: &Outcome) -> Cases {
    let mut properties = properties(&[
        ("assize.engine", outcome.engine),
        ("assize.how", &tell::how(outcome)),
        ("assize.verdict", verdict(outcome)),
        ("assize.start", &outcome.start),
        ("assize.end", &outcome.end),
        ("assize.seed", &outcome.seed.to_string()),
        ("assize.model_digest", &outcome.model_digest),
        ("assize.trace_digest", &outcome.trace_digest),
    ]);
    if let Some(live) = &outcome.live {
        properties.push(("assize.ended".into(), live.ended.into()));
        for (index, run) in live.runs.iter().enumerate() {
            properties.push((format!("assize.attempt.{}", index + 1), attempt(run)));
        }
    }
    properties.extend(outcome.contract.iter().flat_map(contract));
    let clock = words::Clock::new(&outcome.start, &outcome.end);
    let mut out: Vec<String> = tell::cut(outcome).map(str::to_owned).into_iter().collect();
    out.extend(outcome.faults.iter().map(|fault| {
        let bit = if fault.bit { "it bit" } else { "never bit" };
        let (from, to) = (clock.show(&fault.from), clock.show(&fault.to));
        format!(
            "{}: {} of {}, {from} to {to}, {bit}",
            fault.id, fault.fault, fault.target
        )
    }));
    let idle = outcome.not_exercised.iter();
    out.extend(idle.map(|i| format!("never exercised: {} ({})", i.element, i.what)));
    out.extend(outcome.warnings.iter().map(|w| format!("warning: {w}")));
    Cases {
        name: outcome.scenario.clone(),
        package: outcome.topology.clone(),
        timestamp: Some(outcome.start.trim_end_matches('Z').to_owned()),
        properties,
        cases: outcome.findings.iter().map(|f| case(f, &clock)).collect(),
        out,
    }
}

/// What a contract makes of it: each level in each month, credits, critical failures.
fn contract(held: &Credits) -> Vec<(String, String)> {
    let (line, on) = (credits::last_line(held), held.tested_on);
    let mut all = vec![
        ("assize.contract".to_owned(), line),
        ("assize.contract.tested_on".to_owned(), on.to_owned()),
    ];
    all.extend(credits::in_short(held).map(|level| {
        let (result, name) = (level.result, &level.level);
        let points = words::number(result.points as usize, "point", "points");
        let text = format!(
            "{}: {}, {points}: {name}",
            level.status, result.achieved_text
        );
        (
            format!("assize.contract.{}.{}", level.id, result.month),
            text,
        )
    }));
    all.extend(held.months.iter().filter_map(|month| {
        let name = format!("assize.contract.credits.{}", month.month);
        Some((name, credits::due(held, month)?))
    }));
    let critical = held.critical.iter().filter(|one| one.happened).enumerate();
    all.extend(critical.map(|(index, one)| {
        let (word, sum) = (credits::happened(held, one).0, &one.arithmetic);
        let text = format!("{}: {word} ({sum})", one.clause);
        (format!("assize.contract.critical.{}", index + 1), text)
    }));
    all
}

/// The record of the drill, a property a line.
fn record(drill: &Drill) -> impl Iterator<Item = (String, String)> {
    let lines = drill.lines().into_iter().enumerate();
    lines.map(|(index, line)| (format!("assize.record.{}", index + 1), line))
}

const fn verdict(outcome: &Outcome) -> &'static str {
    match outcome.verdict {
        assize_model::finding::VerdictKind::Pass => "pass",
        assize_model::finding::VerdictKind::Inconclusive => "inconclusive",
        assize_model::finding::VerdictKind::Fail => "fail",
    }
}

/// One of several runs, on a line.
fn attempt(run: &RunResult) -> String {
    let mut text = run.verdict.to_owned();
    if run.replaced {
        text.push_str(", tried again");
    }
    if let Some(reason) = &run.reason {
        let _ = write!(text, ": {reason}");
    }
    for figure in &run.figures {
        let _ = write!(text, "; {} {}", figure.objective, figure.measured_text);
    }
    text
}

fn case(finding: &Finding, clock: &words::Clock) -> Case {
    let came = match finding.status {
        Status::Met => Came::Passed,
        Status::Missed if finding.accepted.is_some() => Came::Passed,
        Status::Missed => Came::Failed,
        Status::Inconclusive | Status::NotExercised => Came::Skipped,
    };
    let reason = clock.within(&finding.reason);
    let message = match came {
        Came::Failed => {
            let margin = match finding.margin_text.as_str() {
                "" => String::new(),
                margin => format!(": {margin}"),
            };
            let (measured, target) = (&finding.measured_text, &finding.target_text);
            format!("measured {measured}, target {target}{margin}")
        }
        Came::Skipped => format!("{}: {reason}", tell::status(finding).0),
        Came::Passed | Came::Broke => String::new(),
    };
    let predicted = tell::predicted(finding).map(|text| format!("predicted {text}"));
    let mut text = vec![format!(
        "{}: measured {}, target {}",
        tell::status(finding).0,
        finding.measured_text,
        finding.target_text
    )];
    text.extend(predicted);
    text.push(reason);
    text.extend(tell::details(finding, clock, false));
    text.extend(tell::causes(finding));
    text.extend(tell::accepted(finding));
    text.push(format!(
        "tested on {}; stated in {}",
        finding.tested_on, finding.source
    ));
    Case {
        name: format!("{}: {}", finding.objective, finding.subject),
        came,
        kind: finding.kind.to_owned(),
        message,
        text,
    }
}

impl Cases {
    fn count(&self, came: Came) -> usize {
        self.cases.iter().filter(|case| case.came == came).count()
    }

    fn xml(&self) -> String {
        let mut xml = format!(
            r#"  <testsuite name="{}" package="{}" tests="{}" failures="{}" errors="{}" skipped="{}""#,
            escape(&self.name),
            escape(&self.package),
            self.cases.len(),
            self.count(Came::Failed),
            self.count(Came::Broke),
            self.count(Came::Skipped),
        );
        if let Some(at) = &self.timestamp {
            let _ = write!(xml, r#" timestamp="{}""#, escape(at));
        }
        xml.push_str(">\n    <properties>\n");
        for (name, value) in &self.properties {
            let (name, value) = (escape(name), escape(value));
            let _ = writeln!(xml, r#"      <property name="{name}" value="{value}"/>"#);
        }
        xml.push_str("    </properties>\n");
        let class = escape(&format!("{}.{}", self.package, self.name));
        for case in &self.cases {
            case.xml(&class, &mut xml);
        }
        if !self.out.is_empty() {
            let text = escape(&self.out.join("\n"));
            let _ = writeln!(xml, "    <system-out>{text}</system-out>");
        }
        xml.push_str("  </testsuite>\n");
        xml
    }
}

impl Case {
    fn xml(&self, class: &str, xml: &mut String) {
        let name = escape(&self.name);
        let _ = writeln!(xml, r#"    <testcase name="{name}" classname="{class}">"#);
        let text = escape(&self.text.join("\n"));
        let element = match self.came {
            Came::Passed => None,
            Came::Failed => Some("failure"),
            Came::Skipped => Some("skipped"),
            Came::Broke => Some("error"),
        };
        let line = match element {
            Some(element) => {
                let (kind, message) = (escape(&self.kind), escape(&self.message));
                format!(r#"<{element} type="{kind}" message="{message}">{text}</{element}>"#)
            }
            None => format!("<system-out>{text}</system-out>"),
        };
        let _ = writeln!(xml, "      {line}\n    </testcase>");
    }
}

/// Text for element or attribute. What XML cannot hold at all is shown as a replacement mark.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => out.push(c),
            _ => out.push('\u{fffd}'),
        }
    }
    out
}

#[cfg(test)]
mod tests;
