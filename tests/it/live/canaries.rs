//! Stand-ins that do wrong in silence: each is caught, and the figure that catches it is named.

use super::run;
use crate::worked::{finding, time};
use assize_fault::Nanos;
use assize_model::file::{LoadOptions, MemorySource, load_scenario};
use assize_model::finding::{Outcome, Status, VerdictKind};
use assize_model::observation::{Ending, Observation};
use assize_model::{Plan, fold, judge};
use std::sync::{Mutex, PoisonError};

/// A store with a standby. Its primary crashes at 9 s: checks at even seconds notice with the
/// third at 14 s, the promotion takes 4 s, and clients follow at once: 9 s. Writes are copied every
/// 2 s, so that much is lost at most.
const PAIR: &str = "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, a: {kind: router}, b: {kind: router}, vault: {kind: data-centre}}
  links:
    site-a: {between: [site, a], latency: 1ms}
    site-b: {between: [site, b], latency: 1ms}
    ab: {between: [a, b], latency: 1ms}
    va: {between: [vault, a], latency: 1ms}
  services:
    db:
      mode: active-standby
      replicas: {north: {at: a, role: primary}, south: {at: b, role: standby}}
      failover: {check: {every: 2s, timeout: 2s, fall: 3, rise: 2, from: b, phase: 0s}, promote: 4s, redirect: vip, failback: never, rejoin: rewind}
      state:
        replication: {mode: async, every: 2s, phase: 0s}
        backups: [{id: hourly, every: 1h, takes: 4s, kept_at: vault, restore_takes: 4s, size: 1GiB}]
      stand_in: {STAND_IN}
  populations: {staff: {at: {site: 64}, makes: {order: 60/h, look: 60/h}}}
  journeys: {order: {writes: [db], timeout: 4s}, look: {calls: [db], timeout: 4s}}
steady_state: {for: 20s}
timeline:
TIMELINE
objectives:
  - {id: back, rto: 14s, journey: order}
  - {id: kept, rpo: 5s, service: db}
  - {id: once, duplicates: 0, service: db}
  - {id: one-writer, split_brain: never, service: db}
settle: 15s
live: {phases: 2}
";

const CRASH: &str = "  - {id: out, at: 9s, for: 30s, fault: outage, target: service/db/north}";

/// What a run of the pair gives, and what was computed for it.
fn measured(name: &str, stand_in: &str, timeline: &str) -> (Outcome, Outcome) {
    measured_of(PAIR, name, stand_in, timeline)
}

fn measured_of(pair: &str, name: &str, stand_in: &str, timeline: &str) -> (Outcome, Outcome) {
    let text = pair
        .replace("STAND_IN", stand_in)
        .replace("TIMELINE", timeline);
    let (ended, seen) = {
        // One at a time: a run measures what the machine permits, and the others are on it too.
        static ALONE: Mutex<()> = Mutex::new(());
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        run(name, &text, |_| {}).unwrap_or_else(|e| panic!("{e}"))
    };
    assert_eq!(ended.why, Ending::Finished);
    let both = judged(&text, &seen);
    (both.measured, both.predicted)
}

/// What was measured, with what was computed for the same plan.
pub(super) struct Measured {
    pub(super) measured: Outcome,
    pub(super) predicted: Outcome,
}

/// What was seen of a scenario, judged, with the prediction beside.
pub(super) fn judged(text: &str, seen: &[Observation]) -> Measured {
    let source = MemorySource::new([("s.yaml", text)]);
    let load = LoadOptions {
        live: true,
        ..LoadOptions::default()
    };
    let (topology, scenario, _) =
        load_scenario(&source, "s.yaml".as_ref(), &load).unwrap_or_else(|e| panic!("{e}"));
    let plan = Plan::new(&topology, &scenario, 1);
    let predicted = assize_sim::simulate_with_solos(&plan, 1);
    let mut journal = fold(&plan, seen);
    journal.adopt_solos(&predicted);
    let mut measured = judge(&plan, &journal, Vec::new());
    let predicted = judge(&plan, &predicted, Vec::new());
    judge::compare(&mut measured, &predicted);
    Measured {
        measured,
        predicted,
    }
}

fn data(outcome: &Outcome) -> &assize_model::finding::DataResult {
    outcome.services[0].data.as_ref().expect("read back")
}

#[test]
fn an_honest_store_passes() {
    let (out, predicted) = measured("canary-honest", "kind: store", CRASH);
    assert_eq!(predicted.verdict, VerdictKind::Pass);
    assert_eq!(out.verdict, VerdictKind::Pass);
    let data = data(&out);
    assert!(data.acknowledged > 20, "{data:?}");
    assert_eq!((data.duplicated, data.stale, data.corrupted), (0, 0, 0));
}

#[test]
fn a_store_that_acknowledges_and_drops_is_found_out() {
    let (out, _) = measured("canary-drops", "misbehaves: [drops-writes]", CRASH);
    let kept = finding(&out, "kept");
    assert_eq!(kept.status, Status::Missed, "{}", kept.reason);
    assert!(data(&out).lost > 2, "{:?}", data(&out));
}

#[test]
fn one_old_write_that_is_forgotten_is_missed() {
    let (out, _) = measured("canary-old", "misbehaves: [forgets-old]", CRASH);
    let kept = finding(&out, "kept");
    assert_eq!(kept.status, Status::Missed, "{}", kept.reason);
    // Far older than the 2 s that replication may lag behind.
    assert!(time(kept.measured) > Nanos::secs(8));
}

#[test]
fn stale_reads_and_duplicates_are_counted() {
    let both = "misbehaves: [stale-reads, duplicates]";
    let (out, _) = measured("canary-stale", both, CRASH);
    assert!(data(&out).stale > 0, "{:?}", data(&out));
    assert!(data(&out).duplicated > 0, "{:?}", data(&out));
    assert_eq!(finding(&out, "once").status, Status::Missed);
}

#[test]
fn a_standby_that_only_says_that_it_was_promoted_does_not_serve() {
    let (out, predicted) = measured("canary-never", "misbehaves: [never-promotes]", CRASH);
    assert_eq!(finding(&predicted, "back").status, Status::Met);
    let back = finding(&out, "back");
    assert_eq!(back.status, Status::Missed, "{}", back.reason);
}

#[test]
fn a_promotion_that_is_twenty_seconds_slower_shows_as_twenty_seconds() {
    let (out, predicted) = measured("canary-slow", "promote: 24s", CRASH);
    let (back, computed) = (finding(&out, "back"), finding(&predicted, "back"));
    assert_eq!(computed.status, Status::Met, "{}", computed.reason);
    assert_eq!(back.status, Status::Missed, "{}", back.reason);
    // 20 s, and a check that came a moment before the crash would make it 22.
    let longer = time(back.measured) - time(computed.measured);
    assert!(
        (Nanos::secs(18)..Nanos::secs(25)).contains(&longer),
        "{longer}"
    );
    let difference = back.details.iter().find(|d| d.name == "difference");
    let named = difference.is_some_and(|d| d.text.contains("longer than predicted"));
    assert!(named, "{:?}", back.details);
}

#[test]
fn a_pair_that_waits_for_both_copies_loses_nothing() {
    let both = PAIR.replace("{mode: async, every: 2s, phase: 0s}", "sync");
    let (out, predicted) = measured_of(&both, "canary-sync", "kind: store", CRASH);
    assert_eq!(predicted.verdict, VerdictKind::Pass);
    let kept = finding(&out, "kept");
    assert_eq!(kept.status, Status::Met, "{}", kept.reason);
    assert_eq!(time(kept.measured), Nanos::ZERO);
    let data = data(&out);
    assert_eq!((data.lost, data.corrupted), (0, 0), "{data:?}");
    assert!(data.acknowledged > 20, "{data:?}");
}

#[test]
fn a_line_narrower_than_what_is_written_makes_copies_lag() {
    // Two writers write 64 KiB every 4 s at pace 20, 256 kbit/s, or more often at a slower one; for
    // 20 s and 40 s more. A line of 4 Mbit/s carries that, one of 64 kbit/s a quarter at most, so
    // that what is missing after the crash goes back for half a minute and more.
    let late = CRASH.replace("at: 9s", "at: 40s");
    let lost = |name: &str, line: &str| {
        let narrow = PAIR
            .replace(
                "ab: {between: [a, b], latency: 1ms}",
                &format!("ab: {{between: [a, b], latency: 1ms, bandwidth: {line}}}"),
            )
            .replace("order: {writes", "order: {sends: 64KiB, writes")
            .replace("timeout: 4s}, look", "timeout: 4s, rate: 1/s}, look");
        let (out, _) = measured_of(&narrow, name, "kind: store", &late);
        time(finding(&out, "kept").measured)
    };
    let wide = lost("canary-wide", "4Mbit/s");
    let narrow = lost("canary-narrow", "64kbit/s");
    assert!(wide < Nanos::secs(8), "{wide}");
    assert!(narrow > wide + Nanos::secs(12), "{narrow} and {wide}");
}

#[test]
fn a_check_that_stays_green_notices_nothing() {
    let expired =
        "  - {id: out, at: 9s, for: 30s, fault: certificate-expiry, target: service/db/north}";
    let (out, predicted) = measured("canary-green", "misbehaves: [check-green]", expired);
    assert_eq!(finding(&predicted, "back").status, Status::Met);
    let back = finding(&out, "back");
    assert_eq!(back.status, Status::Missed, "{}", back.reason);
}

#[test]
fn a_check_that_is_led_to_the_machine_does_not_see_a_process_that_hangs() {
    let hang = "  - {id: lie, at: 3s, for: 40s, fault: lying-check, target: service/db}
  - {id: hang, at: 9s, for: 30s, fault: outage, how: blackhole, target: service/db/north}";
    let (out, predicted) = measured("canary-led", "kind: store", hang);
    // 30 s in both, where a check that sees it would have the standby serve after 10 s.
    let (back, computed) = (finding(&out, "back"), finding(&predicted, "back"));
    assert_eq!(time(computed.measured), Nanos::secs(30));
    assert_eq!(back.status, Status::Missed, "{}", back.reason);
    assert!(time(back.measured) > Nanos::secs(24), "{}", back.reason);
    assert!(out.faults.iter().all(|f| f.bit), "{:?}", out.faults);
}

#[test]
fn a_copy_that_does_not_leave_makes_the_stop_bite() {
    let stop = "  - {id: stop, at: 3s, fault: replication-stop, target: service/db}
  - {id: out, at: 15s, for: 24s, fault: outage, target: service/db/north}";
    let (out, predicted) = measured("canary-stop", "kind: store", stop);
    assert!(out.faults.iter().all(|f| f.bit), "{:?}", out.faults);
    let (kept, computed) = (finding(&out, "kept"), finding(&predicted, "kept"));
    // The copy of 2 s was the last: 13 s.
    assert!(
        time(computed.measured) > Nanos::secs(11),
        "{}",
        computed.reason
    );
    assert!(time(kept.measured) > Nanos::secs(7), "{}", kept.reason);
}

#[test]
fn an_old_primary_that_writes_on_makes_two() {
    // It is back at 21 s, 3 s after the promotion, while most clients know the old address.
    let short = "  - {id: out, at: 9s, for: 12s, fault: outage, target: service/db/north}";
    let wrong = "misbehaves: [never-steps-down]";
    let pair = PAIR
        .replace("redirect: vip", "redirect: {dns_ttl: 30s}")
        .replace("phases: 2", "phases: 8");
    let (out, _) = measured_of(&pair, "canary-two", wrong, short);
    let one = finding(&out, "one-writer");
    assert_eq!(one.status, Status::Missed, "{}", one.reason);
}

#[test]
fn a_restore_that_changes_a_row_is_found_at_read_back() {
    let damage = "  - {id: bad, at: 9s, fault: corruption, target: service/db}
  - {at: 14s, do: restore, target: service/db}";
    let (out, _) = measured("canary-restore", "misbehaves: [corrupts-restore]", damage);
    assert!(data(&out).corrupted > 0, "{:?}", data(&out));
}
