//! `assize analyse --coverage RUN…`: which combinations of failures have live evidence.
//!
//! Evidence is a fault of kind `outage` or `isolate` on an element that something met (`bit`), in
//! a verdict of `assize run`; faults that overlapped in time are evidence for their combination.

use crate::exit::Failure;
use crate::stored;
use assize_analysis::coverage::{Evidence, coverage};
use assize_analysis::{Coverage, Report};
use serde_json::Value;
use std::path::PathBuf;

/// Kinds of faults that take an element out.
const OUT: [&str; 2] = ["outage", "isolate"];

/// Lays runs beside a report: verdicts, suites, folders of `run --out`, evidence packs.
pub(super) fn run(runs: &[PathBuf], report: &mut Report) -> Result<Coverage, Failure> {
    let mut evidence = Vec::new();
    for path in runs {
        for verdict in &stored::verdicts(path)? {
            let scenario = verdict["scenario"].as_str().unwrap_or("?");
            if verdict["engine"] != "run" {
                report.warnings.push(format!(
                    "{}: `{scenario}` is no live run, and no evidence",
                    path.display()
                ));
                continue;
            }
            if verdict["topology"] != report.name.as_str() {
                report.warnings.push(format!(
                    "{}: `{scenario}` is of topology {}, not of `{}`",
                    path.display(),
                    verdict["topology"],
                    report.name
                ));
                continue;
            }
            evidence.push(Evidence {
                run: format!("{}: {scenario}", path.display()),
                together: together(verdict),
            });
        }
    }
    Ok(coverage(report, &evidence))
}

/// The targets that were out together, at the beginning of each fault.
fn together(verdict: &Value) -> Vec<Vec<String>> {
    let faults = verdict["faults"].as_array().map_or(&[][..], Vec::as_slice);
    let met = |f: &&Value| {
        f["bit"] == true && f["fault"].as_str().is_some_and(|kind| OUT.contains(&kind))
    };
    let instant = |v: &Value| v.as_str().and_then(|t| t.parse::<jiff::Timestamp>().ok());
    let spans: Vec<_> = faults
        .iter()
        .filter(met)
        .filter_map(|f| {
            Some((
                instant(&f["from"])?,
                instant(&f["to"])?,
                f["target"].as_str()?,
            ))
        })
        .collect();
    let at = |now: &jiff::Timestamp| {
        let on = spans.iter().filter(|s| s.0 <= *now && *now < s.1);
        let names = on.flat_map(|s| s.2.split(',').map(|t| t.trim().to_owned()));
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    spans
        .iter()
        .map(|s| at(&s.0))
        .filter(|set| !set.is_empty())
        .collect()
}
