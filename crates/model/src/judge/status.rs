//! From a measured figure to a status: comparison with the error bound, bite, acceptance, and
//! the verdict. It reads no series.

use super::context::{Context, Pair};
use super::live;
use super::series::Span;
use crate::finding::{AcceptedBy, Attribution, Detail, Finding, Status, Value, VerdictKind};
use crate::ids::ServiceId;
use crate::objective::Objective;
use assize_fault::Nanos;

/// A finding before bite and acceptance are applied.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) subject: String,
    pub(super) target: Option<Value>,
    pub(super) target_text: String,
    pub(super) measured: Option<Value>,
    pub(super) measured_text: String,
    pub(super) error: Option<Value>,
    pub(super) margin_text: String,
    pub(super) status: Status,
    pub(super) reason: String,
    pub(super) details: Vec<Detail>,
    pub(super) attribution: Vec<Attribution>,
    /// The fault that the finding names, beside the one that the objective names.
    pub(super) fault: Option<usize>,
    /// Read from the topology alone: no fault has to bite.
    pub(super) structural: bool,
    /// What it rests on.
    pub(super) about: About,
    /// Spans whose measurement it rests on: a slow harness would have made them look worse.
    pub(super) seconds: Vec<Span>,
    /// A mean over the whole scenario, of which a part says nothing.
    pub(super) mean: bool,
}

/// What a figure rests on; in a live run, which attempts and systems.
#[derive(Clone, Debug)]
pub(super) enum About {
    /// No more is known.
    Everything,
    /// Attempts of these users in these journeys.
    Pairs(Vec<Pair>),
    /// A service.
    Service(ServiceId),
}

/// What is written of the target that a finding is about.
#[derive(Clone, Copy)]
pub(super) struct Written<'a> {
    pub(super) id: &'a str,
    pub(super) source: &'a str,
    /// The fault that it names.
    pub(super) fault: Option<&'a str>,
}

impl<'a> From<&'a Objective> for Written<'a> {
    fn from(objective: &'a Objective) -> Self {
        Self {
            id: &objective.id,
            source: &objective.source,
            fault: objective.fault.as_deref(),
        }
    }
}

impl Draft {
    /// A finding without a measurement, and why there is none.
    pub(super) fn unmeasured(subject: String, target_text: String, reason: String) -> Self {
        Self {
            subject,
            target: None,
            target_text,
            measured: None,
            measured_text: "not measured".to_string(),
            error: None,
            margin_text: String::new(),
            status: Status::Inconclusive,
            reason,
            details: Vec::new(),
            attribution: Vec::new(),
            fault: None,
            structural: false,
            about: About::Everything,
            seconds: Vec::new(),
            mean: false,
        }
    }
}

/// Lower is better: `met` if m + e ≤ T, `missed` if m − e > T. A figure that can still grow
/// (`at_least`) is never met.
pub(super) fn lower(measured: Nanos, error: Nanos, target: Nanos, at_least: bool) -> Status {
    let (m, e, t) = (
        i128::from(measured.0),
        i128::from(error.0),
        i128::from(target.0),
    );
    if m - e > t {
        Status::Missed
    } else if m + e <= t && !at_least {
        Status::Met
    } else {
        Status::Inconclusive
    }
}

/// The worse of two, for a finding with two limits.
pub(super) fn worse(a: Status, b: Status) -> Status {
    let rank = |status: Status| match status {
        Status::Met => 0,
        Status::NotExercised => 1,
        Status::Inconclusive => 2,
        Status::Missed => 3,
    };
    if rank(b) > rank(a) { b } else { a }
}

/// `met` or `missed`.
pub(super) fn met_if(met: bool) -> Status {
    if met { Status::Met } else { Status::Missed }
}

/// Applies the bite rule, what spoils the measurement of a live run, and acceptance.
pub(super) fn finish(
    context: &Context<'_>,
    written: Written<'_>,
    kind: &'static str,
    draft: Draft,
) -> Finding {
    let (status, reason) = bite(context, written, &draft)
        .or_else(|| live::spoilt(context, &draft))
        .map_or_else(
            || (draft.status, draft.reason.clone()),
            |why| (Status::Inconclusive, why),
        );
    let accepted = (status == Status::Missed)
        .then(|| accepted(context, written.id))
        .flatten();
    Finding {
        objective: written.id.to_string(),
        kind,
        subject: draft.subject,
        target: draft.target,
        target_text: draft.target_text,
        measured: draft.measured,
        measured_text: draft.measured_text,
        error: draft.error,
        margin_text: draft.margin_text,
        predicted: None,
        status,
        accepted,
        reason,
        tested_on: if draft.structural {
            "analysis"
        } else {
            live::tested_on(context, &draft.about)
        },
        source: written.source.to_string(),
        details: draft.details,
        attribution: draft.attribution,
    }
}

/// Why nothing was put to the test; `None` if something was.
fn bite(context: &Context<'_>, written: Written<'_>, draft: &Draft) -> Option<String> {
    if draft.structural {
        return None;
    }
    if let Some(id) = written.fault {
        match context.fault_named(id) {
            None => return Some(format!("The scenario has no fault `{id}`.")),
            Some(fault) if !context.bit(fault) => return Some(never_bit(id)),
            Some(_) => {}
        }
    }
    if let Some(fault) = draft.fault
        && !context.bit(fault)
    {
        let entry = context.plan.scenario.faults.get(fault);
        return Some(never_bit(entry.map_or("", |entry| entry.id.as_str())));
    }
    let names_none = written.fault.is_none() && draft.fault.is_none();
    if names_none && !(0..context.journal.faults.len()).any(|fault| context.bit(fault)) {
        let why = if context.journal.faults.is_empty() {
            "The scenario has no fault, so nothing was put to the test."
        } else {
            "Nothing met any fault of the scenario, so nothing was put to the test."
        };
        return Some(why.to_string());
    }
    None
}

fn never_bit(id: &str) -> String {
    format!("Nothing met the fault `{id}` while it was on, so it put nothing to the test.")
}

fn accepted(context: &Context<'_>, objective: &str) -> Option<AcceptedBy> {
    let entry = context.plan.topology.accepted.iter().find(|entry| {
        entry.objective.as_deref() == Some(objective)
            && entry
                .scenario
                .as_ref()
                .is_none_or(|name| *name == context.plan.scenario.name)
    })?;
    Some(AcceptedBy {
        by: entry.by.clone(),
        until: entry.until.clone(),
        reason: entry.reason.clone(),
    })
}

/// Any missed and not accepted: fail; else any undecided: inconclusive; else pass.
#[must_use]
pub fn verdict(findings: &[Finding]) -> VerdictKind {
    let of = |finding: &Finding| match finding.status {
        Status::Missed if finding.accepted.is_none() => VerdictKind::Fail,
        Status::Inconclusive | Status::NotExercised => VerdictKind::Inconclusive,
        Status::Missed | Status::Met => VerdictKind::Pass,
    };
    findings.iter().map(of).max().unwrap_or(VerdictKind::Pass)
}

/// The verdict on several scenarios: fail before inconclusive before pass.
///
/// A suite of which nothing could be judged passes nothing: it is inconclusive.
#[must_use]
pub fn suite_verdict(verdicts: &[VerdictKind]) -> VerdictKind {
    verdicts
        .iter()
        .copied()
        .max()
        .unwrap_or(VerdictKind::Inconclusive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn too_close_to_call_is_neither() {
        let s = Nanos::secs;
        assert_eq!(lower(s(59), s(1), s(60), false), Status::Met);
        assert_eq!(lower(s(60), s(1), s(60), false), Status::Inconclusive);
        assert_eq!(lower(s(61), s(1), s(60), false), Status::Inconclusive);
        assert_eq!(lower(s(62), s(1), s(60), false), Status::Missed);
        assert_eq!(lower(s(10), s(0), s(60), true), Status::Inconclusive);
        assert_eq!(lower(s(61), s(0), s(60), true), Status::Missed);
    }

    #[test]
    fn a_suite_is_as_bad_as_its_worst() {
        use VerdictKind::{Fail, Inconclusive, Pass};
        assert_eq!(suite_verdict(&[Pass, Inconclusive, Fail]), Fail);
        assert_eq!(suite_verdict(&[Pass, Inconclusive]), Inconclusive);
        assert_eq!(suite_verdict(&[Pass, Pass]), Pass);
        assert_eq!(suite_verdict(&[]), Inconclusive);
    }

    proptest! {
        #[test]
        fn raising_the_target_never_turns_met_into_missed(
            m in 0i64..1_000, e in 0i64..100, t in 0i64..1_000, more in 0i64..1_000, open: bool,
        ) {
            let rank = |status| match status {
                Status::Met => 0,
                Status::Missed => 2,
                _ => 1,
            };
            let before = lower(Nanos(m), Nanos(e), Nanos(t), open);
            let after = lower(Nanos(m), Nanos(e), Nanos(t + more), open);
            prop_assert!(rank(after) <= rank(before));
        }
    }
}
