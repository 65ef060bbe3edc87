//! What must hold of every scenario, tried on generated ones: small networks, a few faults.
//!
//! A failing case prints the scenario as text, so that it can be run as it is.

use crate::worked::outcome;
use assize_fault::Nanos;
use assize_model::finding::{Finding, JourneyResult, Outcome, Status, Value};
use proptest::prelude::*;

mod generate;

use generate::{Fault, Net, fault, faults, net};

/// So many cases, or as many as `PROPTEST_CASES` says.
fn cases(by_default: u32) -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok();
    ProptestConfig {
        cases: asked.and_then(|n| n.parse().ok()).unwrap_or(by_default),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// All journeys of all populations, with the names of both.
fn journeys(outcome: &Outcome) -> impl Iterator<Item = (String, &JourneyResult)> {
    outcome.populations.iter().flat_map(|population| {
        let journeys = population.journeys.iter();
        journeys.map(|j| (format!("{} / {}", population.id, j.id), j))
    })
}

/// The longest outage of a journey.
fn longest(journey: &JourneyResult) -> Nanos {
    let lengths = journey.rto_outages.iter().map(|o| o.length);
    lengths.max().unwrap_or(Nanos::ZERO)
}

/// ∫ (1 − s), in seconds per user.
fn lost(journey: &JourneyResult) -> f64 {
    let parts = journey.outages.iter();
    parts
        .map(|o| o.share * (o.to_offset - o.from_offset).0 as f64 / 1e9)
        .sum()
}

/// Each figure of a journey, as text that is equal only if the figures are.
fn figures(journey: &JourneyResult) -> String {
    format!("{journey:?}")
}

/// An outcome as JSON, without its digests and the faults with this name.
fn without(outcome: &Outcome, fault: &str) -> serde_json::Value {
    let mut value = serde_json::to_value(outcome).expect("JSON");
    let object = value.as_object_mut().expect("an object");
    for key in ["model_digest", "trace_digest", "events"] {
        object.remove(key);
    }
    let faults = object.get_mut("faults").and_then(|f| f.as_array_mut());
    faults.expect("faults").retain(|f| f["id"] != fault);
    value
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn availability_and_outages_make_one(net in net(), faults in faults(0..4)) {
        let out = outcome(&net.scenario(&faults), &[]);
        let whole = Net::END.0 as f64 / 1e9;
        for (name, journey) in journeys(&out) {
            let lost = lost(journey);
            let sum = journey.availability + lost / whole;
            prop_assert!((sum - 1.0).abs() < 1e-9, "{name}: {sum}\n{}", net.scenario(&faults));
            prop_assert_eq!(journey.availability, journey.availability_all_hours);
            // Rounded to a nanosecond, once.
            let per_user = journey.lost_per_user.0 as f64 / 1e9;
            prop_assert!((per_user - lost).abs() < 2e-6, "{name}: {per_user} and {lost}");
            // Outages are disjoint, in order, and of somebody.
            let mut last = Nanos::ZERO;
            for o in &journey.outages {
                prop_assert!(last <= o.from_offset && o.from_offset < o.to_offset, "{o:?}");
                prop_assert!(0.0 < o.share && o.share <= 1.0, "{o:?}");
                last = o.to_offset;
            }
        }
    }

    /// The parts of an outage sum to the whole, and what several share to what is shared.
    #[test]
    fn attributed_parts_sum_to_the_whole(net in net(), faults in faults(1..5)) {
        let out = outcome(&net.scenario(&faults), &[]);
        for finding in out.findings.iter().filter(|f| f.kind == "rto") {
            let Some(Value::Time(measured)) = finding.measured else {
                continue;
            };
            let sum = |part: fn(&assize_model::finding::Attribution) -> Nanos| {
                finding.attribution.iter().map(|a| part(a).0).sum::<i64>()
            };
            prop_assert_eq!(sum(|a| a.time), measured.0, "{}\n{}", finding.subject, net.scenario(&faults));
            let joint = finding.details.iter().find(|d| d.name == "joint");
            let joint = match joint.and_then(|d| d.value) {
                Some(Value::Time(time)) => time.0,
                _ => 0,
            };
            prop_assert_eq!(sum(|a| a.joint), joint, "{}\n{}", finding.subject, net.scenario(&faults));
        }
    }

    #[test]
    fn nothing_unmeasured_is_met(net in net(), faults in faults(0..3), closed: bool) {
        let mut text = net.scenario(&faults).replace(generate::OUTAGES, generate::EVERY_OBJECTIVE);
        // Service hours of which none is in the scenario, a Monday: nothing to measure in.
        if closed {
            text = text.replace("staff: {at:", "staff: {hours: 'Sat 09:00-12:00', at:");
        }
        let out = outcome(&text, &[]);
        for finding in &out.findings {
            let nan = |v: Option<Value>| match v {
                None => true,
                Some(Value::Share(x) | Value::UserHours(x)) => x.is_nan(),
                Some(_) => false,
            };
            prop_assert!(
                finding.status != Status::Met || !nan(finding.measured) || in_words(finding),
                "{finding:?}\n{text}"
            );
        }
        // Where no fault bit, nothing is met at all.
        if !out.faults.iter().any(|f| f.bit) && !out.faults.is_empty() {
            let met = out.findings.iter().find(|f| f.status == Status::Met && f.kind != "backup_rule");
            prop_assert!(met.is_none(), "{met:?}\n{text}");
        }
    }

    /// Services of which all replicas are equal, without state: one more that no fault touches.
    #[test]
    fn one_more_replica_never_lowers_availability(net in net(), faults in faults(1..4)) {
        let few = net.all_active();
        let more = Net { spare: true, ..few.clone() };
        let before = outcome(&few.scenario(&faults), &[]);
        let after = outcome(&more.scenario(&faults), &[]);
        for ((name, a), (_, b)) in journeys(&before).zip(journeys(&after)) {
            prop_assert!(
                b.availability >= a.availability - 1e-12,
                "{name}: {} with one more, {} without\n{}",
                b.availability, a.availability, few.scenario(&faults)
            );
        }
    }

    /// Without failover and fail-back. Where leases are kept, one fault: its end is when leases are
    /// renewed, and so decides who is out first in the next outage.
    #[test]
    fn a_longer_outage_never_shortens_an_rto(
        net in net(), faults in faults(1..4), which in 0usize..4, more in 1u32..900,
    ) {
        let net = net.all_single();
        let faults = if net.lease > 0 { faults[..1].to_vec() } else { faults };
        let mut longer: Vec<Fault> = faults.clone();
        let which = which % longer.len();
        longer[which].length += more;
        let before = outcome(&net.scenario(&faults), &[]);
        let after = outcome(&net.scenario(&longer), &[]);
        for ((name, a), (_, b)) in journeys(&before).zip(journeys(&after)) {
            prop_assert!(
                longest(b) >= longest(a),
                "{name}: {} with {more} s more of fault {which}, {} without\n{}",
                longest(b), longest(a), net.scenario(&faults)
            );
        }
    }

    /// It changes only digests, its own row, and findings that name it.
    #[test]
    fn a_fault_that_nothing_meets_changes_nothing(
        net in net(), faults in faults(0..3), idle in 0usize..3, at in 0u32..3000, length in 1u32..3000,
    ) {
        let without_it = net.scenario(&faults);
        let target = [
            "fault: outage, target: link/unused",
            "fault: degrade, latency: 1s, target: node/island",
            "fault: outage, target: node/east/camera, of: {count: 1}",
        ][idle];
        let idle = format!("timeline: [{{id: idle, at: {at}s, for: {length}s, {target}}}, ");
        let with_it = without_it.replace("timeline: [", &idle);
        let before = outcome(&without_it, &[]);
        let after = outcome(&with_it, &[]);
        let row = after.faults.iter().find(|f| f.id == "idle").expect("its row");
        prop_assert!(!row.bit, "{row:?}");
        // Without any other fault, findings are inconclusive only because none bit.
        if !faults.is_empty() {
            prop_assert_eq!(without(&before, "idle"), without(&after, "idle"), "{}", with_it);
        }
        for ((name, a), (_, b)) in journeys(&before).zip(journeys(&after)) {
            prop_assert_eq!(figures(a), figures(b), "{}\n{}", name, with_it);
        }
    }

    /// Two halves of one network that share nothing: what happens in one is not seen in the other.
    #[test]
    fn faults_on_disjoint_dependencies_do_not_meet(left in net(), a in fault(), b in fault()) {
        let both = left.twin(Some(&a), Some(&b));
        let both = outcome(&both, &[]);
        let alone = [outcome(&left.twin(Some(&a), None), &[]), outcome(&left.twin(None, Some(&b)), &[])];
        let text = left.twin(Some(&a), Some(&b));
        for (half, prefix) in ["L", "R"].into_iter().enumerate() {
            let of = |out: &Outcome| -> Vec<String> {
                let own = journeys(out).filter(|(name, _)| name.starts_with(prefix));
                own.map(|(_, j)| figures(j)).collect()
            };
            prop_assert!(!of(&both).is_empty());
            prop_assert_eq!(of(&both), of(&alone[half]), "{}\n{}", prefix, text);
        }
    }
}

/// Objectives about things of which there is none, which words rather than a number answer.
fn in_words(finding: &Finding) -> bool {
    finding.kind == "split_brain"
}
