//! `--require real`: what was measured on stand-ins decides nothing about real systems.

use super::Require;
use assize_model::finding::{Finding, Outcome, Status};
use assize_model::judge;
use assize_report::Run;

/// Takes the status of findings that do not rest on what is required.
pub(crate) fn apply(run: &mut Run, require: Option<Require>) {
    let (Run::Judged(outcome), Some(Require::Real)) = (run, require) else {
        return;
    };
    for finding in &mut outcome.findings {
        let decided = matches!(finding.status, Status::Met | Status::Missed);
        if decided && finding.tested_on == "stand-in" {
            finding.status = Status::Inconclusive;
            finding.accepted = None;
            finding.reason = format!(
                "Tested on stand-ins, and real systems are required. {}",
                finding.reason
            );
        }
    }
    outcome.verdict = judge::verdict(&outcome.findings);
}

/// An outcome of which nothing was exercised, and why.
pub(super) fn not_exercised(outcome: &mut Outcome, why: &str) {
    for finding in &mut outcome.findings {
        not_shown(finding, why);
    }
    outcome.verdict = judge::verdict(&outcome.findings);
}

/// An outcome of a run that was stopped: what was missed by then stays missed.
pub(super) fn unfinished(outcome: &mut Outcome, why: &str) {
    let open = |finding: &&mut Finding| finding.status != Status::Missed;
    for finding in outcome.findings.iter_mut().filter(open) {
        not_shown(finding, why);
    }
    outcome.verdict = judge::verdict(&outcome.findings);
}

fn not_shown(finding: &mut Finding, why: &str) {
    finding.status = Status::NotExercised;
    finding.accepted = None;
    finding.measured = None;
    finding.measured_text = "not exercised".into();
    finding.margin_text = String::new();
    finding.details.clear();
    finding.reason = why.to_string();
}
