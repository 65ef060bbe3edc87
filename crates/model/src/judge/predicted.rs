//! What was predicted, beside what was measured, and where the two are further apart than the
//! error bound and a tenth. It changes no status.

use super::rpo::AT_MOST;
use super::words::text_detail;
use crate::finding::{Detail, Finding, Outcome, Status, Value};
use assize_fault::Nanos;

/// Puts the figures of a prediction of the same plan beside those of an outcome.
pub fn compare(outcome: &mut Outcome, prediction: &Outcome) {
    for finding in &mut outcome.findings {
        let mut all = prediction.findings.iter();
        let found = all.find(|p| {
            (&p.objective, p.kind, &p.subject)
                == (&finding.objective, finding.kind, &finding.subject)
        });
        if let Some(predicted) = found {
            beside(finding, predicted);
        }
    }
}

fn beside(finding: &mut Finding, predicted: &Finding) {
    finding.predicted = predicted.measured;
    let text = predicted.measured_text.clone();
    let mut details = vec![Detail {
        name: "predicted",
        value: predicted.measured,
        text: text.clone(),
    }];
    let figures = finding.measured.zip(predicted.measured);
    let apart = figures.and_then(|(m, p)| {
        let p = nearest(m, p, predicted);
        further(m, p, [finding.error, predicted.error])
    });
    if let Some(apart) = apart {
        let text = format!("{apart} than predicted ({text})");
        details.push(text_detail("difference", text));
    }
    if status_differs(finding.status, predicted.status) {
        let word = match predicted.status {
            Status::Met => "met",
            Status::Missed => "missed",
            Status::Inconclusive => "undecided",
            Status::NotExercised => "not exercised",
        };
        details.push(text_detail("predicted_status", word.to_string()));
    }
    finding.details.splice(0..0, details);
}

/// What was predicted or, where that is a range, what of it is nearest to what was measured.
fn nearest(measured: Value, predicted: Value, of: &Finding) -> Value {
    let mut most = of.details.iter().filter(|d| d.name == AT_MOST);
    match (measured, predicted, most.next().and_then(|d| d.value)) {
        (Value::Time(m), Value::Time(p), Some(Value::Time(most))) => {
            Value::Time(m.clamp(p, most.max(p)))
        }
        _ => predicted,
    }
}

/// A run that could not decide does not contradict a prediction.
fn status_differs(measured: Status, predicted: Status) -> bool {
    measured != predicted && matches!(measured, Status::Met | Status::Missed)
}

/// How far apart two figures are, if that is more than the error bounds of both and a tenth of what
/// was predicted (of a share: of the smaller of the part and the rest).
fn further(measured: Value, predicted: Value, errors: [Option<Value>; 2]) -> Option<String> {
    match (measured, predicted) {
        (Value::Time(m), Value::Time(p)) => {
            let times = errors.iter().map(|error| match error {
                Some(Value::Time(e)) => *e,
                _ => Nanos::ZERO,
            });
            let allowed = times.fold(p / 10, |sum, e| sum + e);
            let apart = if m > p { m - p } else { p - m };
            let word = if m > p { "longer" } else { "shorter" };
            (apart > allowed).then(|| format!("{apart} {word}"))
        }
        (Value::Count(m), Value::Count(p)) => {
            let word = if m > p { "more" } else { "fewer" };
            (m.abs_diff(p) > p / 10).then(|| format!("{} {word}", m.abs_diff(p)))
        }
        (Value::Share(m), Value::Share(p)) => {
            let shares = errors.iter().map(|error| match error {
                Some(Value::Share(e)) => *e,
                _ => 0.0,
            });
            let apart = m - p;
            let word = if apart > 0.0 { "more" } else { "less" };
            // A billionth is what shares are kept to.
            let allowed = shares.fold(p.min(1.0 - p) / 10.0 + 1e-9, |sum, e| sum + e);
            (apart.abs() > allowed).then(|| format!("{:.2} points {word}", apart.abs() * 100.0))
        }
        (Value::UserHours(m), Value::UserHours(p)) => {
            let hours = errors.iter().map(|error| match error {
                Some(Value::UserHours(e)) => *e,
                _ => 0.0,
            });
            let apart = m - p;
            let word = if apart > 0.0 { "more" } else { "fewer" };
            let far = apart.abs() > hours.fold(p / 10.0 + 1e-9, |sum, e| sum + e);
            far.then(|| format!("{:.2} user-hours {word}", apart.abs()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apart(m: i64, p: i64, e: i64) -> Option<String> {
        let time = |s| Value::Time(Nanos::secs(s));
        further(time(m), time(p), [Some(time(e)), None])
    }

    #[test]
    fn a_difference_beyond_error_and_a_tenth_is_named() {
        // 2 s of error and a tenth of 100 s.
        assert_eq!(apart(112, 100, 2), None);
        assert_eq!(apart(113, 100, 2).as_deref(), Some("13s longer"));
        assert_eq!(apart(87, 100, 2).as_deref(), Some("13s shorter"));
        // Of 99 %, a tenth of the rest: 98.9 % is near, 98.8 % is not.
        let share = |m| further(Value::Share(m), Value::Share(0.99), [None; 2]);
        assert_eq!(share(0.989_1), None);
        assert_eq!(share(0.988).as_deref(), Some("0.20 points less"));
        assert_eq!(
            further(Value::Count(0), Value::Count(5), [None; 2]).as_deref(),
            Some("5 fewer")
        );
        // A prediction has an error of its own where it counts writes.
        let error = [Some(Value::Time(Nanos::secs(1))); 2];
        let loss = |m| {
            further(
                Value::Time(Nanos::secs(m)),
                Value::Time(Nanos::secs(4)),
                error,
            )
        };
        assert_eq!((loss(6), loss(7).as_deref()), (None, Some("3s longer")));
    }

    #[test]
    fn an_undecided_run_contradicts_nothing() {
        assert!(status_differs(Status::Missed, Status::Met));
        assert!(!status_differs(Status::Inconclusive, Status::Met));
    }
}
