//! `rto`: the length of the longest outage that begins between start and end.
//!
//! Beside it: onset, detection, first and stable good, number and total of outages, and who has
//! a part. Fail-back is judged by its own objective.

use super::attribution::{Causes, Parts};
use super::context::{Context, Pair, Who};
use super::series::{ALL, Share, Span, bridge, length};
use super::status::{Draft, lower};
use super::words::{number, share_up, text_detail, time_detail, time_margin};
use crate::finding::{Detail, Status, Value};
use crate::journal::{Cause, DecisionKind};
use crate::objective::Objective;
use assize_fault::{Nanos, Ppb};

/// One finding for each population and journey that the objective is about.
pub(super) fn judge(context: &Context<'_>, objective: &Objective, target: Nanos) -> Vec<Draft> {
    super::each_pair(context, objective, format!("≤ {target}"), |pair| {
        let share = context.share_of(pair, Who::Excluding(&objective.excluding))?;
        Some(one(context, objective, target, pair, &share))
    })
}

/// Outages of one pair that an objective counts, with what is needed to explain them.
pub(super) struct Outages {
    pub(super) spans: Vec<Span>,
    pub(super) causes: Causes,
    /// The same, not bridged.
    raw: Vec<Span>,
    stable_for: Nanos,
    /// The share below which the journey counts as down.
    pub(super) level: Ppb,
    /// The share is below the level at the end, and that outage counts.
    pub(super) open: bool,
}

impl Outages {
    pub(super) fn of(
        context: &Context<'_>,
        objective: &Objective,
        pair: Pair,
        share: &Share,
    ) -> Self {
        Self::read(context, objective, pair, share, Nanos::ZERO)
    }

    /// The same, where outages must be so much farther apart to be two.
    fn read(
        context: &Context<'_>,
        objective: &Objective,
        pair: Pair,
        share: &Share,
        farther: Nanos,
    ) -> Self {
        let stated = objective
            .stable_for
            .unwrap_or(context.plan.scenario.stable_for);
        let stable_for = (stated + farther).max(Nanos::ZERO);
        let level = context.level(objective, pair);
        let raw = share.below(level);
        let mut spans = bridge(&raw, stable_for);
        let who = Who::Excluding(&objective.excluding);
        let causes = if spans.is_empty() {
            Causes::none()
        } else {
            Causes::new(context, pair, who, level, stable_for)
        };
        if let Some(fault) = context.fault_of(objective) {
            spans.retain(|&span| causes.parts(&[span]).has(Cause::Fault(fault)));
        }
        let open = spans.last().is_some_and(|span| span.1 >= share.end);
        Self {
            spans,
            causes,
            raw,
            stable_for,
            level,
            open,
        }
    }

    /// The readings that the resolution leaves open: of outages as far apart as `stable_for` to
    /// within one resolution, nobody can tell whether they are one or two.
    pub(super) fn readings(
        &self,
        context: &Context<'_>,
        objective: &Objective,
        pair: Pair,
        share: &Share,
    ) -> Vec<Self> {
        let e = context.resolution();
        let close = |pair: &[Span]| {
            let gap = pair[1].0 - pair[0].1;
            gap > self.stable_for - e && gap < self.stable_for + e
        };
        if e == Nanos::ZERO || !self.raw.windows(2).any(close) {
            return Vec::new();
        }
        let read = |farther| Self::read(context, objective, pair, share, farther);
        vec![read(-e), read(e)]
    }

    /// The spans whose measurement these outages rest on.
    pub(super) fn seconds(&self, context: &Context<'_>) -> Vec<Span> {
        let e = context.resolution();
        let spans = self.spans.iter();
        spans.map(|&(from, to)| (from - e, to + e)).collect()
    }

    /// The first instant at which the level held again after an outage began.
    fn first_good(&self, from: Nanos) -> Option<Nanos> {
        self.raw
            .iter()
            .find(|span| span.0 == from)
            .map(|span| span.1)
    }
}

fn one(
    context: &Context<'_>,
    objective: &Objective,
    target: Nanos,
    pair: Pair,
    share: &Share,
) -> Draft {
    let outages = Outages::of(context, objective, pair, share);
    let (longest, measured) = longest(context, objective, &outages);
    let readings = outages.readings(context, objective, pair, share);
    let farthest = readings
        .iter()
        .map(|other| apart(self::longest(context, objective, other).1, measured))
        .max()
        .unwrap_or_default();
    let error = context.resolution() + farthest;
    let mut status = lower(measured, error, target, outages.open);
    let mut reason = reason(
        context,
        objective,
        &outages,
        longest,
        (measured, error),
        status,
    );
    if status == Status::Met && share.broken_before(outages.level) {
        status = Status::Inconclusive;
        reason = "The journey was already below its level before the start.".to_string();
    }
    let mut details = details(context, objective, &outages, longest);
    if farthest > Nanos::ZERO {
        details.push(text_detail("one_or_two", one_or_two(context, &outages)));
    }
    details.extend(beside(share));
    Draft {
        subject: context.pair_name(pair),
        target: Some(Value::Time(target)),
        target_text: target_text(objective, outages.level, target),
        measured: Some(Value::Time(measured)),
        measured_text: measured_text(measured, longest, &outages),
        error: Some(Value::Time(error)),
        margin_text: time_margin(target, measured, outages.open),
        status,
        reason,
        details,
        attribution: longest
            .map_or_else(Vec::new, |span| outages.causes.parts(&[span]).rows(context)),
        seconds: outages.seconds(context),
        ..Draft::unmeasured(String::new(), String::new(), String::new())
    }
}

/// The first of the longest outages, and what of it counts.
fn longest(
    context: &Context<'_>,
    objective: &Objective,
    outages: &Outages,
) -> (Option<Span>, Nanos) {
    let counted = |&span: &Span| counted(context, objective, &outages.causes, span);
    let spans = outages.spans.iter().rev();
    let longest = spans.max_by_key(|span| counted(span)).copied();
    (longest, longest.as_ref().map_or(Nanos::ZERO, counted))
}

/// How far apart two figures are.
pub(super) fn apart(a: Nanos, b: Nanos) -> Nanos {
    (a - b).max(b - a)
}

/// Why a figure has a larger error than the resolution.
fn one_or_two(context: &Context<'_>, outages: &Outages) -> String {
    let (e, stable_for) = (context.resolution(), outages.stable_for);
    format!(
        "outages less than {stable_for} apart are one, and at a resolution of {e} it cannot be \
         told whether these are"
    )
}

/// What of an outage counts: its length, or the part after the end of the fault.
fn counted(context: &Context<'_>, objective: &Objective, causes: &Causes, span: Span) -> Nanos {
    let (from, to) = span;
    if !objective.from_fault_end {
        return to - from;
    }
    let ended = fault_end(context, objective, &causes.parts(&[span]), to);
    (to - ended.map_or(from, |at| at.max(from))).max(Nanos::ZERO)
}

/// The end of the fault that is named, else of the last that has a part, else of the last begun.
fn fault_end(
    context: &Context<'_>,
    objective: &Objective,
    parts: &Parts,
    by: Nanos,
) -> Option<Nanos> {
    let records = &context.journal.faults;
    let end = |index: usize| records.get(index).map(|record| record.to);
    if let Some(named) = context.fault_of(objective) {
        return end(named);
    }
    let with_part = parts.faults().into_iter().filter_map(end).max();
    with_part.or_else(|| records.iter().filter(|r| r.from < by).map(|r| r.to).max())
}

fn target_text(objective: &Objective, level: Ppb, target: Nanos) -> String {
    let level = if level == ALL {
        String::new()
    } else {
        format!(" for {level} of the users")
    };
    let from = if objective.from_fault_end {
        " after the fault's end"
    } else {
        ""
    };
    format!("≤ {target}{level}{from}")
}

fn measured_text(measured: Nanos, longest: Option<Span>, outages: &Outages) -> String {
    match longest {
        None => "not interrupted".to_string(),
        Some(_) if !outages.open => measured.to_string(),
        Some(span) if outages.spans.last() == Some(&span) => {
            format!("≥ {measured} (still open)")
        }
        Some(_) => format!("≥ {measured} (another outage still open)"),
    }
}

fn reason(
    context: &Context<'_>,
    objective: &Objective,
    outages: &Outages,
    longest: Option<Span>,
    (measured, error): (Nanos, Nanos),
    status: Status,
) -> String {
    let Some(span) = longest else {
        return match &objective.fault {
            Some(fault) => format!("No outage in which `{fault}` has a part."),
            None => "No user of the journey was interrupted beyond its level.".to_string(),
        };
    };
    let which = match outages.spans.len() {
        1 => "The outage".to_string(),
        count => format!("The longest of {count} outages"),
    };
    let parts = outages.causes.parts(&[span]);
    let due = due(context, &parts);
    let began = context.instant(span.0);
    let counted = if objective.from_fault_end {
        " after the fault's end"
    } else {
        ""
    };
    match (status, outages.open) {
        (Status::Inconclusive, false) => format!(
            "{which} began at {began} and lasted {measured} ± {error}{counted}{due}: too close to call."
        ),
        (Status::Inconclusive, true) => format!(
            "An outage was still open at the end after {}: too early to tell{due}.",
            context.journal.end - outages.spans.last().map_or(span.0, |last| last.0),
        ),
        (_, true) => {
            format!("{which} began at {began} and lasted {measured}{counted} or more{due}.")
        }
        (_, false) => format!("{which} began at {began} and lasted {measured}{counted}{due}."),
    }
}

/// Who has a part in an outage, as the end of a sentence; the largest parts first.
fn due(context: &Context<'_>, parts: &Parts) -> String {
    let mut causes: Vec<(Nanos, Cause)> = parts
        .by_cause
        .iter()
        .filter_map(|(cause, part)| Some((part.0, (*cause)?)))
        .collect();
    causes.retain(|(part, _)| *part > Nanos::ZERO);
    causes.sort_by_key(|&(part, _)| core::cmp::Reverse(part));
    let name = |cause: Cause| format!("`{}`", context.cause_name(cause));
    match &causes[..] {
        [] => String::new(),
        [(_, only)] => format!(", due to {}", name(*only)),
        [first @ .., last] if causes.len() <= 3 => {
            let first: Vec<String> = first
                .iter()
                .map(|&(part, cause)| format!("{} ({part})", name(cause)))
                .collect();
            format!(
                ", due to {} and {} ({})",
                first.join(", "),
                name(last.1),
                last.0
            )
        }
        [(part, first), rest @ ..] => {
            format!(
                ", due to {} ({part}) and {} other causes",
                name(*first),
                rest.len()
            )
        }
    }
}

/// Onset, detection and recovery of the longest outage.
fn details(
    context: &Context<'_>,
    objective: &Objective,
    outages: &Outages,
    longest: Option<Span>,
) -> Vec<Detail> {
    let total = length(&outages.spans);
    let text = format!("{}, {total} in all", number(outages.spans.len(), "outage"));
    let count = outages.spans.len() as u64;
    let mut out = Vec::new();
    if let Some((from, to)) = longest {
        let trigger = trigger(context, objective, &outages.causes, from);
        if let Some((fault, begun)) = trigger {
            let id = context.cause_name(Cause::Fault(fault));
            let onset = from - begun;
            out.push(time_detail(
                "onset",
                onset,
                format!("{onset} after `{id}` began"),
            ));
            out.push(detected(context, fault, begun, &id));
        }
        let still_open = outages.open && to >= context.journal.end;
        out.extend(recovery(context, outages, (from, to), still_open));
        if let (Some((fault, begun)), false) = (trigger, still_open) {
            let since = to - begun;
            let id = context.cause_name(Cause::Fault(fault));
            out.push(time_detail(
                "since_fault",
                since,
                format!("{since} after `{id}` began"),
            ));
        }
        let parts = outages.causes.parts(&[(from, to)]);
        if parts.joint > Nanos::ZERO {
            let text = format!("{} shared by several causes", parts.joint);
            out.push(time_detail("joint", parts.joint, text));
        }
    }
    out.push(Detail {
        name: "outages",
        value: Some(Value::Count(count)),
        text,
    });
    out.push(time_detail("outages_total", total, total.to_string()));
    out
}

/// First and stable good of an outage. `first_good` is the first instant at which the level held
/// again, however briefly; `stable_good` the one from which it went on to hold.
fn recovery(
    context: &Context<'_>,
    outages: &Outages,
    (from, to): Span,
    still_open: bool,
) -> Vec<Detail> {
    let at = |name, instant: Nanos| {
        time_detail(
            name,
            instant,
            format!("{} ({instant} from the start)", context.instant(instant)),
        )
    };
    let first = outages
        .first_good(from)
        .filter(|&first| first < to || !still_open);
    let not_by_end = |name| text_detail(name, "not by the end".to_string());
    let mut out = vec![
        first.map_or_else(|| not_by_end("first_good"), |first| at("first_good", first)),
        if still_open {
            not_by_end("stable_good")
        } else {
            at("stable_good", to)
        },
    ];
    let held = context.journal.end - to;
    if !still_open && held < outages.stable_for {
        let text = format!("the scenario ends {held} after recovery, too soon to show it lasting");
        out.push(text_detail("held", text));
    }
    out
}

/// The fault whose beginning started an outage: of those that have its first instant, the one
/// that began last, with that beginning (of its turn, if it flaps).
fn trigger(
    context: &Context<'_>,
    objective: &Objective,
    causes: &Causes,
    from: Nanos,
) -> Option<(usize, Nanos)> {
    if let Some(named) = context.fault_of(objective)
        && let Some(begun) = context.begun(named, from)
    {
        return Some((named, begun));
    }
    let faults = causes.at(from).into_iter().filter_map(|cause| match cause {
        Cause::Fault(index) => context.begun(index, from).map(|begun| (index, begun)),
        Cause::Step(_) => None,
    });
    faults.max_by_key(|&(index, begun)| (begun, core::cmp::Reverse(index)))
}

/// The first decision of the control plane about what the fault failed; people stand beside it.
fn detected(context: &Context<'_>, fault: usize, begun: Nanos, id: &str) -> Detail {
    let first = |is: &dyn Fn(DecisionKind) -> bool| {
        let mut decisions = context.journal.decisions.iter();
        let found = decisions.find(|d| d.at >= begun && d.faults.contains(&fault) && is(d.kind));
        found.map(|decision| decision.at - begun)
    };
    if let Some(after) = first(&is_detection_by_control_plane) {
        return time_detail("detected", after, format!("{after} after `{id}` began"));
    }
    let people = first(&|kind| kind == DecisionKind::PeopleKnow);
    let text = people.map_or_else(
        || "never".to_string(),
        |after| format!("never by the control plane; people knew {after} after `{id}` began"),
    );
    text_detail("detected", text)
}

/// Decisions that show that the control plane has noticed a failure.
pub(super) fn is_detection_by_control_plane(kind: DecisionKind) -> bool {
    use DecisionKind::{Activated, Down, Promoted, PromotionBegun, PromotionFailed, RouteDown};
    matches!(
        kind,
        Down | RouteDown | PromotionBegun | Promoted | PromotionFailed | Activated
    )
}

/// What stands beside a figure about a share: below all, degraded, left out.
pub(super) fn beside(share: &Share) -> Vec<Detail> {
    let mut out = Vec::new();
    let whole = share.whole();
    let peak = share.peak_out(&whole);
    if peak > 0 {
        let time = length(&share.below(ALL));
        let worst = share_up(peak, share.total());
        let text = format!("below 100% for {time}, at worst {worst} out");
        out.push(time_detail("below_full", time, text));
    }
    let degraded = share
        .points
        .iter()
        .map(|point| point.degraded)
        .max()
        .unwrap_or(0);
    if degraded > 0 {
        let text = format!(
            "at most {} served by a contingency",
            share_up(degraded, share.total())
        );
        out.push(text_detail("degraded", text));
    }
    if share.left_out > 0 {
        let text = format!("{} users left out", share.left_out);
        let value = Some(Value::Count(share.left_out));
        out.push(Detail {
            name: "left_out",
            value,
            text,
        });
    }
    out
}
