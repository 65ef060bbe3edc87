//! `rpo` and `duplicates`: what a ledger, read back, shows of acknowledged writes.
//!
//! Measured from read-backs alone; it knows nothing of replication.

use super::context::Context;
use super::status::{Draft, lower, met_if};
use super::words::{text_detail, thousands, time_detail, time_margin};
use crate::finding::{Detail, Status, Value};
use crate::ids::ServiceId;
use crate::journal::{Loss, ReadBack};
use crate::objective::Objective;
use assize_fault::Nanos;

/// The recovery point of one loss and its error bound.
///
/// From the oldest missing write's acknowledgement to the later of the fault and the newest
/// one's; the bound is the gap back to the newest surviving write before it (to the start, if
/// none survived).
fn point_of(loss: &Loss) -> (Nanos, Nanos) {
    let until = loss.fault_at.unwrap_or(loss.newest_at).max(loss.newest_at);
    let survivor = loss.survivor_before.unwrap_or(Nanos::ZERO);
    let until_oldest = (until - loss.oldest_at).max(Nanos::ZERO);
    (until_oldest, loss.oldest_at - survivor.min(loss.oldest_at))
}

/// The name of the detail with [`most_of`].
pub(super) const AT_MOST: &str = "at_most";

/// What the recovery point would be if who lost writes had acknowledged them to the last, where
/// that is further than the error bound: the few who are left there may write seldom.
fn most_of(loss: &Loss) -> Option<Nanos> {
    let (measured, error) = point_of(loss);
    let most = loss.until? - loss.oldest_at;
    (most > measured + error).then_some(most)
}

/// The loss with the largest recovery point, of those that the named fault cost.
pub(super) fn worst(back: &ReadBack, fault: Option<usize>) -> Option<&Loss> {
    let losses = back.losses.iter();
    losses
        .filter(|loss| fault.is_none() || loss.fault.is_none() || loss.fault == fault)
        .max_by_key(|loss| point_of(loss))
}

/// The recovery point of one read-back and its error bound: that of the worst loss, and zero
/// only if nothing is missing.
pub(super) fn point(back: &ReadBack, fault: Option<usize>) -> (Nanos, Nanos) {
    worst(back, fault).map_or((Nanos::ZERO, Nanos::ZERO), point_of)
}

/// Read-backs of a service that count: all, or those in which the named fault cost writes, if
/// any are missing.
fn read_backs<'a>(
    context: &'a Context<'_>,
    service: ServiceId,
    fault: Option<usize>,
) -> Vec<&'a ReadBack> {
    let all = context
        .journal
        .read_backs
        .iter()
        .filter(|back| back.service == service);
    all.filter(|back| back.losses.is_empty() || worst(back, fault).is_some())
        .collect()
}

/// The read-back that is judged: the one with the largest figure, the later of equals.
pub(super) fn judged<'a>(backs: &[&'a ReadBack], fault: Option<usize>) -> Option<&'a ReadBack> {
    backs
        .iter()
        .copied()
        .max_by_key(|back| (point(back, fault), back.lost, back.at))
}

/// One finding for each service with state that the objective is about.
pub(super) fn judge(context: &Context<'_>, objective: &Objective, target: Nanos) -> Vec<Draft> {
    let fault = context.fault_of(objective);
    super::each_service(
        context,
        &context.stateful(objective.service),
        &format!("≤ {target}"),
        |service| {
            let backs = read_backs(context, service, fault);
            one(context, service, target, fault, &backs)
        },
    )
}

fn one(
    context: &Context<'_>,
    service: ServiceId,
    target: Nanos,
    fault: Option<usize>,
    backs: &[&ReadBack],
) -> Option<Draft> {
    let back = judged(backs, fault)?;
    let (measured, error) = point(back, fault);
    // A loss without an instant cannot be measured, and is no zero.
    let unknown = backs
        .iter()
        .any(|back| back.lost > 0 && back.losses.is_empty());
    let no_final = !backs.iter().any(|back| back.is_final);
    let mut status = lower(measured, error, target, unknown);
    let mut reason = reason(back, measured, status);
    if status == Status::Met && no_final {
        status = Status::Inconclusive;
        reason = "The ledger was not read back at the end.".to_string();
    }
    if back.acknowledged == 0 && back.lost == 0 {
        status = Status::Inconclusive;
        reason = "No write was acknowledged, so none could be missing.".to_string();
    }
    let damaged = backs
        .iter()
        .filter(|b| b.is_final)
        .map(|b| b.corrupted)
        .max()
        .unwrap_or(0);
    if status == Status::Met && damaged > 0 {
        status = Status::Inconclusive;
        reason = format!("{damaged} acknowledged writes were still damaged at the end.");
    }
    if unknown {
        reason = "Writes are missing, and when they were acknowledged is not known.".to_string();
    }
    let bound = if error > Nanos::ZERO {
        format!(" (± {error})")
    } else {
        String::new()
    };
    let text = if back.lost == 0 {
        "nothing lost".into()
    } else {
        format!("{measured}{bound}")
    };
    Some(Draft {
        subject: context.service_name(service),
        target: Some(Value::Time(target)),
        target_text: format!("≤ {target}"),
        measured: (!unknown).then_some(Value::Time(measured)),
        measured_text: if unknown { "not measured".into() } else { text },
        error: Some(Value::Time(error)),
        margin_text: if unknown {
            String::new()
        } else {
            time_margin(target, measured, false)
        },
        status,
        reason,
        details: details(context, fault, backs),
        ..Draft::unmeasured(String::new(), String::new(), String::new())
    })
}

fn reason(back: &ReadBack, measured: Nanos, status: Status) -> String {
    let when = if back.is_final {
        "at the end"
    } else {
        "at recovery"
    };
    if back.lost == 0 {
        return format!(
            "All {} acknowledged writes were there {when}.",
            thousands(back.acknowledged)
        );
    }
    let close = if status == Status::Inconclusive {
        "; too close to call"
    } else {
        ""
    };
    format!(
        "{} of {} acknowledged writes were missing {when}, {measured} of work{close}.",
        thousands(back.lost),
        thousands(back.acknowledged)
    )
}

fn details(context: &Context<'_>, fault: Option<usize>, backs: &[&ReadBack]) -> Vec<Detail> {
    let mut out = Vec::new();
    for (name, is_final) in [("at_recovery", false), ("final", true)] {
        let of_kind: Vec<&ReadBack> = backs
            .iter()
            .copied()
            .filter(|back| back.is_final == is_final)
            .collect();
        if let Some(back) = judged(&of_kind, fault) {
            let (measured, _) = point(back, fault);
            let text = format!("{} lost, {measured}", back.lost);
            out.push(time_detail(name, measured, text));
        }
    }
    let Some(back) = judged(backs, fault) else {
        return out;
    };
    if let Some(most) = back.unwritten.filter(|_| back.lost == 0) {
        let text = format!("up to {most}, had more been written");
        out.push(time_detail(AT_MOST, most, text));
    }
    if let Some(loss) = worst(back, fault) {
        for (name, at) in [
            ("oldest_lost_at", loss.oldest_at),
            ("newest_lost_at", loss.newest_at),
        ] {
            out.push(time_detail(name, at, context.instant(at)));
        }
        if let Some(most) = most_of(loss) {
            let text = format!("up to {most}, had more been written");
            out.push(time_detail(AT_MOST, most, text));
        }
        if back.losses.len() > 1 {
            let text = format!("{} times, each judged on its own", back.losses.len());
            out.push(text_detail("lost_separately", text));
        }
    }
    let counts = [
        ("lost", back.lost),
        ("duplicated", back.duplicated),
        ("stale", back.stale),
        ("corrupted", back.corrupted),
        ("indeterminate", back.indeterminate),
    ];
    for (name, count) in counts.into_iter().filter(|&(_, count)| count > 0) {
        out.push(Detail {
            name,
            value: Some(Value::Count(count)),
            text: count.to_string(),
        });
    }
    for restore in context
        .journal
        .restores
        .iter()
        .filter(|r| r.service == back.service)
    {
        let good = if restore.good { "good" } else { "bad" };
        let text = format!(
            "from the backup begun at {}, done at {}: {good}",
            context.instant(restore.point),
            context.instant(restore.to)
        );
        out.push(text_detail("restored", text));
    }
    out
}

/// `duplicates: 0`: acknowledged writes present more than once, at the end.
pub(super) fn duplicates(context: &Context<'_>, objective: &Objective, most: u64) -> Vec<Draft> {
    let services = context.stateful(objective.service);
    super::each_service(context, &services, &format!("≤ {most}"), |service| {
        let backs = read_backs(context, service, None);
        let found = backs
            .iter()
            .filter(|back| back.is_final)
            .map(|back| back.duplicated)
            .max()?;
        let margin = match most.checked_sub(found) {
            Some(0) => "exactly on target".to_string(),
            Some(left) => format!("+{left} to spare"),
            None => format!("over by {}", found - most),
        };
        Some(Draft {
            target: Some(Value::Count(most)),
            measured: Some(Value::Count(found)),
            measured_text: found.to_string(),
            error: Some(Value::Count(0)),
            margin_text: margin,
            status: met_if(found <= most),
            reason: format!(
                "{} acknowledged writes were there more than once at the end.",
                thousands(found)
            ),
            ..Draft::unmeasured(
                context.service_name(service),
                format!("≤ {most}"),
                String::new(),
            )
        })
    })
}
