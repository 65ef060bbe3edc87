//! `--baseline RUN --regress 20%`: figures that are worse than in an earlier run by more than so
//! much, whatever their own targets say.
//!
//! Compared are durations, of which less is better, and counts. A figure that the earlier run
//! did not have is not compared.

use super::out::VERDICT;
use crate::exit::Failure;
use crate::stored;
use assize_fault::{Nanos, Ppb};
use assize_model::finding::{Finding, Outcome, Status, Value};
use assize_model::judge;
use assize_report::Run;
use std::collections::BTreeMap;
use std::path::Path;

/// The kind of a finding that says that a figure became worse.
const KIND: &str = "regression";

/// The figures of an earlier run, by scenario, kind, objective and subject.
#[derive(Debug)]
pub(super) struct Baseline(BTreeMap<[String; 4], Figure>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Figure {
    Time(Nanos),
    Count(u64),
}

/// Reads the verdict of a run: its file, its folder, or its evidence pack.
pub(super) fn read(path: &Path) -> Result<(Baseline, Vec<u8>), Failure> {
    let unusable = |why: String| {
        Failure::Usage(format!(
            "the baseline `{}` cannot be used: {why}\n = help: it is the `{VERDICT}` that --out \
             or `--format json` gave",
            path.display()
        ))
    };
    let bytes = stored::verdict(path)?;
    let baseline = from_bytes(&bytes).map_err(unusable)?;
    Ok((baseline, bytes))
}

/// Reads a verdict.
pub(super) fn from_bytes(bytes: &[u8]) -> Result<Baseline, String> {
    let json: serde_json::Value =
        serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    parse(&json)
}

fn parse(json: &serde_json::Value) -> Result<Baseline, String> {
    let alone = std::slice::from_ref(json);
    let runs = match json["schema"].as_str() {
        Some("assize/verdict/v1") => alone,
        Some("assize/suite/v1") => json["runs"].as_array().map_or(&[][..], Vec::as_slice),
        _ => return Err("it is no verdict".into()),
    };
    let mut figures = BTreeMap::new();
    for run in runs {
        for finding in run["findings"].as_array().into_iter().flatten() {
            let text = |value: &serde_json::Value| value.as_str().unwrap_or("").to_owned();
            let key = [
                text(&run["scenario"]),
                text(&finding["kind"]),
                text(&finding["objective"]),
                text(&finding["subject"]),
            ];
            let measured = &finding["measured"];
            let figure = match (measured["ns"].as_i64(), measured.as_u64()) {
                (Some(ns), _) => Figure::Time(Nanos(ns)),
                (None, Some(count)) => Figure::Count(count),
                (None, None) => continue,
            };
            figures.insert(key, figure);
        }
    }
    if figures.is_empty() {
        return Err("it holds no figure to compare with".into());
    }
    Ok(Baseline(figures))
}

impl Baseline {
    /// Adds a missed finding for each figure that is worse by more than this share, its error
    /// bound taken off.
    pub(super) fn compare(&self, run: &mut Run, regress: Ppb) {
        let Run::Judged(outcome) = run else { return };
        let worse: Vec<Finding> = outcome
            .findings
            .iter()
            .filter_map(|finding| self.regression(outcome, finding, regress))
            .collect();
        outcome.findings.extend(worse);
        outcome.verdict = judge::verdict(&outcome.findings);
    }

    fn regression(&self, outcome: &Outcome, finding: &Finding, regress: Ppb) -> Option<Finding> {
        // Too close to call, or spoilt: it shows no change for the worse.
        if !matches!(finding.status, Status::Met | Status::Missed) {
            return None;
        }
        let key = [
            outcome.scenario.clone(),
            finding.kind.to_owned(),
            finding.objective.clone(),
            finding.subject.clone(),
        ];
        let with = |base: i128| base + base * i128::from(regress.0) / 1_000_000_000;
        let before = match (self.0.get(&key)?, finding.measured?) {
            (Figure::Time(before), Value::Time(now)) => {
                let error = match finding.error {
                    Some(Value::Time(error)) => error,
                    _ => Nanos::ZERO,
                };
                let least = i128::from(now.0) - i128::from(error.0);
                (least > with(i128::from(before.0))).then(|| before.to_string())
            }
            (Figure::Count(before), Value::Count(now)) => {
                (i128::from(now) > with(i128::from(*before))).then(|| before.to_string())
            }
            _ => None,
        }?;
        Some(Finding {
            kind: KIND,
            target: None,
            target_text: format!("≤ {before} + {regress}"),
            margin_text: String::new(),
            predicted: None,
            status: Status::Missed,
            accepted: None,
            reason: format!(
                "{} now, and {before} in the baseline: worse by more than {regress}.",
                finding.measured_text
            ),
            source: "baseline".into(),
            details: Vec::new(),
            ..finding.clone()
        })
    }
}
