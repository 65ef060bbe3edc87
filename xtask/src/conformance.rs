//! `cargo xtask conformance`: every kind of fault through `assize run` on stand-ins, and what was
//! measured beside what was predicted, as `docs/CONFORMANCE.md`.
//!
//! The scenarios are in `conformance/`, one fault each with its figures by hand. It fails if a
//! figure is further from its prediction than its error and a tenth, if a fault met nothing, or if
//! a scenario could not be run.

use crate::{say, shell};
use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::fmt::Write as _;
use std::process::Command;

const FOLDER: &str = "conformance";
const DOCUMENT: &str = "docs/CONFORMANCE.md";

/// Differences that are known: scenario, objective, and why.
const KNOWN: &[(&str, &str, &str)] = &[];

const HEAD: &str = "\
# Conformance

Written by `cargo xtask conformance`; do not edit.

Each scenario of `conformance/` breaks one thing, on real sockets with stand-ins, and each figure that \
`assize run` measured stands beside what `assize simulate` predicted for the same plan.
A figure is within if it is no further from its prediction than its stated error and a tenth.
The arithmetic of every prediction is in the scenario's first lines.

| fault | figure | predicted | measured | error | difference | within |
| --- | --- | ---: | ---: | ---: | ---: | --- |
";

/// One figure of one scenario.
#[derive(Debug)]
struct Row {
    scenario: String,
    objective: String,
    kind: String,
    predicted: Figure,
    measured: Figure,
    error: Figure,
}

/// A figure of a verdict: a duration in nanoseconds, a share or a count.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Figure {
    Time(f64),
    Share(f64),
    Count(f64),
}

/// Runs all scenarios and writes the table; `assize` is a program that is built already.
pub(crate) fn run(assize: Option<&str>) -> Result<()> {
    let args = [
        "run",
        FOLDER,
        "--format",
        "json",
        "--retry",
        "inconclusive=2",
    ];
    let mut command = match assize {
        Some(program) => {
            let mut command = Command::new(program);
            command.current_dir(shell::root()).args(args);
            command
        }
        None => shell::assize(&args),
    };
    let output = shell::output(&mut command)?;
    let suite: Value = serde_json::from_slice(&output.stdout).with_context(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("`assize run` printed no verdict:\n{}", said.trim_end())
    })?;
    let rows = rows(&suite)?;
    let path = shell::root().join(DOCUMENT);
    std::fs::write(&path, document(&rows)).with_context(|| format!("cannot write {DOCUMENT}"))?;
    say::line(&format!("    wrote {DOCUMENT}, {} figures", rows.len()));
    let apart: Vec<String> = rows
        .iter()
        .filter(|row| !row.is_within() && row.known().is_none())
        .map(Row::in_words)
        .collect();
    ensure!(
        apart.is_empty(),
        "further from the prediction than the error and a tenth:\n  {}",
        apart.join("\n  ")
    );
    Ok(())
}

/// The figures of all runs; an error if one of them says nothing.
fn rows(suite: &Value) -> Result<Vec<Row>> {
    let runs = suite["runs"].as_array().context("the suite has no runs")?;
    let mut rows = Vec::new();
    for run in runs {
        let scenario = run["scenario"].as_str().context("a run without a name")?;
        let Some(findings) = run["findings"].as_array() else {
            bail!("{scenario} was not run: {}", run["reason"]);
        };
        for fault in run["faults"].as_array().into_iter().flatten() {
            ensure!(
                fault["bit"] == true,
                "{scenario}: nothing met the fault {}",
                fault["id"]
            );
        }
        for finding in findings {
            rows.push(row(scenario, finding).with_context(|| {
                format!(
                    "{scenario}, {}: {}",
                    finding["objective"], finding["reason"]
                )
            })?);
        }
    }
    rows.sort_by(|a, b| (&a.scenario, &a.objective).cmp(&(&b.scenario, &b.objective)));
    Ok(rows)
}

fn row(scenario: &str, finding: &Value) -> Result<Row> {
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    Ok(Row {
        scenario: scenario.to_owned(),
        objective: text("objective"),
        kind: text("kind"),
        predicted: Figure::read(&finding["predicted"]).context("nothing was predicted")?,
        measured: Figure::read(&finding["measured"]).context("nothing was measured")?,
        error: Figure::read(&finding["error"]).context("no error is stated")?,
    })
}

impl Figure {
    fn read(value: &Value) -> Option<Self> {
        if let Some(ns) = value.get("ns") {
            return Some(Self::Time(ns.as_f64()?));
        }
        let number = value.as_f64()?;
        Some(match value.as_u64() {
            Some(_) => Self::Count(number),
            None => Self::Share(number),
        })
    }

    const fn value(self) -> f64 {
        match self {
            Self::Time(value) | Self::Share(value) | Self::Count(value) => value,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Time(ns) if ns.abs() < 1e9 => format!("{:.0} ms", ns / 1e6),
            Self::Time(ns) => format!("{:.1} s", ns / 1e9),
            Self::Share(share) => format!("{:.1} %", share * 100.0),
            Self::Count(count) => format!("{count}"),
        }
    }

    /// The same kind of figure with another value.
    const fn with(self, value: f64) -> Self {
        match self {
            Self::Time(_) => Self::Time(value),
            Self::Share(_) => Self::Share(value),
            Self::Count(_) => Self::Count(value),
        }
    }
}

impl Row {
    fn difference(&self) -> f64 {
        self.measured.value() - self.predicted.value()
    }

    fn is_within(&self) -> bool {
        // Of a share, a tenth of the smaller of the part and the rest.
        let (part, allowed) = (self.predicted.value(), self.error.value());
        let tenth = match self.predicted {
            Figure::Share(share) => share.min(1.0 - share) / 10.0,
            Figure::Time(_) | Figure::Count(_) => part / 10.0,
        };
        self.difference().abs() <= allowed + tenth + 1e-9
    }

    fn known(&self) -> Option<&'static str> {
        let is_it =
            |known: &&(&str, &str, &str)| known.0 == self.scenario && known.1 == self.objective;
        KNOWN.iter().find(is_it).map(|known| known.2)
    }

    fn in_words(&self) -> String {
        format!(
            "{}, {}: {} measured, {} predicted",
            self.scenario,
            self.kind,
            self.measured.text(),
            self.predicted.text()
        )
    }
}

fn document(rows: &[Row]) -> String {
    let mut text = HEAD.to_owned();
    for row in rows {
        let within = match (row.is_within(), row.known()) {
            (true, _) => "yes".to_owned(),
            (false, Some(why)) => format!("no: {why}"),
            (false, None) => "**no**".to_owned(),
        };
        let _ = writeln!(
            text,
            "| [{0}](../{FOLDER}/{0}.yaml) | {1} | {2} | {3} | {4} | {5} | {within} |",
            row.scenario,
            row.kind.replace('_', " "),
            row.predicted.text(),
            row.measured.text(),
            row.error.text(),
            row.measured.with(row.difference()).text(),
        );
    }
    text
}

/// The faults that the folder has scenarios of, in order.
#[cfg(test)]
fn scenarios(root: &std::path::Path) -> Vec<String> {
    let files = std::fs::read_dir(root.join(FOLDER)).into_iter().flatten();
    let mut names: Vec<String> = files
        .filter_map(|file| {
            let path = file.ok()?.path();
            let text = std::fs::read_to_string(&path).ok()?;
            let is_scenario = text.lines().any(|line| line == "assize: scenario/v1");
            is_scenario.then(|| path.file_stem().map(|s| s.to_string_lossy().into_owned()))?
        })
        .collect();
    names.sort_unstable();
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(predicted: Value, measured: Value, error: Value) -> Row {
        let finding = json!({"objective": "back", "kind": "rto", "predicted": predicted,
            "measured": measured, "error": error});
        row("flap", &finding).expect("a row")
    }

    #[test]
    fn the_error_and_a_tenth_are_allowed_and_no_more() {
        let time = |s: f64| json!({"ns": s * 1e9, "text": ""});
        // 4 s of error and a tenth of 26 s.
        assert!(one(time(26.0), time(32.5), time(4.0)).is_within());
        assert!(!one(time(26.0), time(32.7), time(4.0)).is_within());
        assert!(!one(time(26.0), time(19.3), time(4.0)).is_within());
        assert!(one(json!(3), json!(3), json!(0)).is_within());
        assert!(!one(json!(3), json!(4), json!(0)).is_within());
        // Of 81 % a tenth of the rest: 1.9 points.
        assert!(one(json!(0.81), json!(0.828), json!(0.0)).is_within());
        assert!(!one(json!(0.81), json!(0.84), json!(0.0)).is_within());
    }

    #[test]
    fn what_was_not_run_or_met_nothing_is_no_conformance() {
        let not_run = json!({"runs": [{"scenario": "flap", "reason": "no pace"}]});
        let error = rows(&not_run).expect_err("it was not run");
        assert!(error.to_string().contains("was not run"), "{error}");
        let unmet = json!({"runs": [{"scenario": "flap", "findings": [],
            "faults": [{"id": "f", "bit": false}]}]});
        let error = rows(&unmet).expect_err("nothing met it");
        assert!(error.to_string().contains("nothing met"), "{error}");
    }

    #[test]
    fn every_kind_of_fault_has_its_scenario() {
        let names = scenarios(&shell::root());
        for name in [
            "bad-backup",
            "bandwidth",
            "corruption",
            "deletion",
            "failed-promotion",
            "flap",
            "jitter",
            "latency",
            "loss",
            "lying-check",
            "name-failure",
            "one-way-partition",
            "outage-black-hole",
            "outage-refuse",
            "replication-stop",
            "sign-in-failure",
        ] {
            assert!(names.iter().any(|n| n == name), "{name}: {names:?}");
        }
    }
}
