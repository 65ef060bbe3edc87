//! What must not be lost: replication that stops, data that is damaged or deleted, backups that
//! are bad.

use super::*;

const COPIES: &str = "
assize: scenario/v1
topology:
  services:
    db:
      mode: active-standby
      replicas: [a, b]
      failover:
        check: {every: 2s, timeout: 1s, fall: 3, rise: 2, phase: 1s}
        promote: 30s
        failback: never
      state: {replication: {mode: async, every: 5s}}
  journeys: {write: {ledger: db, rate: 1/s, timeout: 1s}}
timeline:
  - {id: stop, at: 28s, fault: replication-stop, target: service/db}
  - {id: gone, at: 63.5s, fault: outage, target: service/db/a}
objectives: [{id: rpo, rpo: 5s, service: db}]
end: 10m
";

#[test]
fn without_shipments_all_that_was_written_since_is_missing() {
    let out = outcome(COPIES, &[]);
    bit(&out, "stop", "replication-stop");
    // The shipment at 25 s was the last, and the write of 25 s came just after: 25 to 63 s are 39
    // writes, the oldest 38.5 s before the failure.
    let data = out.services[0].data.as_ref().expect("a ledger");
    assert_eq!(data.lost, 39, "{data:?}");
    assert_eq!(time(finding(&out, "rpo").measured), d("38.5s"));
    assert_eq!(finding(&out, "rpo").status, Status::Missed);
    // It ends in time for the shipment of 60 s, which carries all before it: 60 to 63 s are lost.
    let caught_up = outcome(COPIES, &["timeline.stop.for=20s"]);
    bit(&caught_up, "stop", "replication-stop");
    let data = caught_up.services[0].data.as_ref().expect("a ledger");
    assert_eq!(data.lost, 4, "{data:?}");
    assert_eq!(time(finding(&caught_up, "rpo").measured), d("3.5s"));
}

#[test]
fn a_stop_between_two_shipments_is_not_met() {
    // Between two shipments nothing is due, so nothing meets it.
    let between = outcome(
        COPIES,
        &[
            "timeline.stop.at=26s",
            "timeline.stop.for=3s",
            "timeline.gone=null",
        ],
    );
    assert!(!fault(&between, "stop").bit);
}

/// Backups at 0, 10, 20 … min; what happens at 25 min is known 5 min later, and a restore takes
/// 10 min.
const BACKUPS: &str = "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, core: {kind: switch}, a: {kind: server}, b: {kind: server}, vault: {kind: store}}
  links:
    s: {between: [site, core]}
    l: {between: [a, core]}
    r: {between: [b, core]}
    v: {between: [vault, core]}
  services:
    db:
      mode: active-standby
      replicas: {a: {at: a}, b: {at: b}}
      failover: {check: {every: 2s, timeout: 1s, fall: 3, rise: 2}, promote: 30s, failback: never}
      state:
        replication: {mode: sync}
        backups: [{id: often, every: 10m, takes: 1m, kept_at: vault, restore_takes: 10m}]
  populations: {clerk: {at: {site: 64}}}
  journeys: {write: {ledger: db, rate: 1/s, timeout: 1s}}
timeline:
  - {id: harm, at: 25m, fault: HARM, target: service/db}
respond: [{to: harm, detect: 5m, restore: db}]
objectives:
  - {id: rpo, rpo: 10m, service: db}
  - {id: rto, rto: 20m, journey: write}
end: 2h
";

#[track_caller]
fn lost(outcome: &Outcome) -> u64 {
    outcome.services[0].data.as_ref().expect("a ledger").lost
}

#[test]
fn damage_replicates_and_only_a_backup_helps() {
    for harm in ["corruption", "deletion"] {
        let out = outcome(&BACKUPS.replace("HARM", harm), &[]);
        let harmed = fault(&out, "harm");
        assert!(harmed.bit && harmed.fault == harm, "{harmed:?}");
        // The backup begun at 20 min; the writes from 1,200 s to 1,499 s are gone.
        assert_eq!(lost(&out), 300, "{harm}");
        assert_eq!(time(finding(&out, "rpo").measured), d("5m"), "{harm}");
        assert_eq!(finding(&out, "rpo").status, Status::Met, "{harm}");
        // 5 min of people and 10 min of restoring.
        assert_eq!(rto(&out), d("15m"), "{harm}");
    }
    let out = outcome(&BACKUPS.replace("HARM", "corruption"), &[]);
    bit(&out, "harm", "corruption");
    let out = outcome(&BACKUPS.replace("HARM", "deletion"), &[]);
    bit(&out, "harm", "deletion");
}

#[test]
fn a_backup_that_began_after_the_damage_is_no_help() {
    // Known only after 17 min, at 42 min: the backups begun at 30 and 40 min hold the damage. The
    // one begun at 20 min is the last good one, as if it had been known at once.
    let out = outcome(
        &BACKUPS.replace("HARM", "corruption"),
        &["respond.0.detect=17m"],
    );
    assert_eq!(lost(&out), 300);
    assert_eq!(time(finding(&out, "rpo").measured), d("5m"));
    assert_eq!(rto(&out), d("27m"));
}

#[test]
fn without_a_backup_all_is_gone() {
    let out = outcome(
        &BACKUPS.replace("HARM", "deletion"),
        &["topology.services.db.state.backups=null", "respond=null"],
    );
    // 1,500 writes from 0 to 1,499 s, and nothing to bring them back; out to the end.
    assert!(lost(&out) >= 1_500, "{}", lost(&out));
    assert_eq!(finding(&out, "rpo").status, Status::Missed);
    assert_eq!(rto(&out), d("95m"));
    assert_eq!(finding(&out, "rto").status, Status::Missed);
}

#[test]
fn a_bad_backup_is_found_out_by_restoring_it() {
    let text = BACKUPS.replace("HARM", "corruption").replace(
        "timeline:\n",
        "timeline:\n  - {id: silent, at: 15m, fault: bad-backup, target: service/db, for: 7m}\n",
    );
    let out = outcome(&text, &[]);
    bit(&out, "silent", "bad-backup");
    // The backup of 20 min is restored first, for nothing: 10 min more. Then that of 10 min: the
    // writes from 600 s to 1,499 s are gone.
    assert_eq!(lost(&out), 900);
    assert_eq!(time(finding(&out, "rpo").measured), d("15m"));
    assert_eq!(finding(&out, "rpo").status, Status::Missed);
    assert_eq!(rto(&out), d("25m"));
    // None begins from 21 to 29 min, and none of those is chosen.
    let unmet = outcome(&text, &["timeline.silent.at=21m", "timeline.silent.for=8m"]);
    assert!(!fault(&unmet, "silent").bit);
    assert_eq!(lost(&unmet), 300);
}

#[test]
fn a_bad_backup_bites_when_one_begins() {
    let text = BACKUPS
        .replace("fault: HARM", "fault: bad-backup, for: 6m")
        .replace("respond: [{to: harm, detect: 5m, restore: db}]\n", "");
    // One begins at 30 min.
    let out = outcome(&text, &[]);
    bit(&out, "harm", "bad-backup");
    assert_eq!(rto(&out), Nanos::ZERO);
    // None begins from 21 to 29 min.
    let unmet = outcome(&text, &["timeline.harm.at=21m", "timeline.harm.for=8m"]);
    assert!(!fault(&unmet, "harm").bit);
}

const TWO_WRITERS: &str = "
assize: scenario/v1
topology:
  services:
    db:
      mode: active-active
      replicas: [n, s]
      failover: {check: {every: 2s, timeout: 1s, fall: 3, phase: 0s}, redirect: vip}
      state: {replication: {mode: async, every: 128s}}
  populations: {u: {users: 64}}
  journeys: {w: {ledger: db, rate: 1/s, timeout: 2s}}
timeline: [{id: g, at: 192s, fault: outage, target: service/db/s}]
objectives: [{id: rpo, rpo: 1m, service: db}]
end: 10m
";

#[test]
fn a_writer_that_dies_takes_with_it_what_it_had_not_shipped() {
    let out = outcome(TWO_WRITERS, &[]);
    // The last shipment left at 128 s; 64 writes came until 192 s, one of each cohort, and half of
    // the cohorts wrote to `s`.
    let data = out.services[0].data.as_ref().expect("a ledger");
    assert_eq!(data.lost, 32, "{data:?}");
    assert!(
        data.rpo > Nanos::secs(32) && data.rpo <= Nanos::secs(64),
        "{data:?}"
    );
    // Back with its disk, it has them still, but while it was away they were missing.
    let out = outcome(TWO_WRITERS, &["timeline.g.for=2m"]);
    let back = out.services[0].data.as_ref().expect("a ledger");
    assert_eq!((back.lost, back.rpo), (0, data.rpo));
    let sync = ["topology.services.db.state.replication=sync"];
    let sync = outcome(TWO_WRITERS, &sync);
    assert_eq!(sync.services[0].data.as_ref().map(|d| d.lost), Some(0));
    // Nothing is shipped: every write that `s` ever took is missing.
    let none = outcome(TWO_WRITERS, &["topology.services.db.state={}"]);
    let none = none.services[0].data.as_ref().expect("a ledger");
    assert!(none.rpo >= Nanos::secs(190) && none.lost >= 96, "{none:?}");
}

#[test]
fn two_losses_are_two_recovery_points() {
    // Shipments every 5 s. `n` dies at 62 s and takes the writes of 60 and 61 s with it: 2 s. It
    // is back at 180 s, at home again after 10 s and a promotion, and dies at 603 s: 600, 601 and
    // 602 s, 3 s. From the oldest to the newest it would be 9 min.
    let out = outcome(
        "
assize: scenario/v1
topology:
  services:
    db:
      mode: active-standby
      replicas: [n, s]
      failover: {check: {every: 2s, timeout: 1s, fall: 3, phase: 1s}, promote: 10s, redirect: vip, failback: {after: 10s}}
      state: {replication: {mode: async, every: 5s}}
  journeys: {w: {ledger: db, rate: 1/s, timeout: 1s}}
timeline:
  - {id: one, at: 62s, fault: outage, target: service/db/n, for: 118s}
  - {id: two, at: 603s, fault: outage, target: service/db/n, for: 10m}
objectives:
  - {id: rpo, rpo: 4s, service: db}
  - {id: rpo-one, rpo: 4s, service: db, fault: one}
end: 30m
",
        &[],
    );
    assert_eq!(time(finding(&out, "rpo").measured), Nanos::secs(3));
    assert_eq!(time(finding(&out, "rpo-one").measured), Nanos::secs(2));
    assert_eq!(out.services[0].data.as_ref().map(|d| d.lost), Some(5));
}

/// A primary that hangs while its check sees green, replaced by hand.
const HIDDEN: &str = "
assize: scenario/v1
topology:
  services:
    db:
      mode: active-standby
      replicas: [a, b]
      failover:
        check: {every: 2s, timeout: 1s, fall: 3, rise: 2, phase: 1s}
        promote: 30s
        failback: never
      state: {replication: {mode: async, every: 5s, phase: 0s}}
  journeys: {write: {ledger: db, rate: 0.25/s, timeout: 1s}}
timeline:
  - {id: hangs, at: 61s, fault: outage, how: blackhole, target: service/db/a}
  - {id: lies, at: 0s, fault: lying-check, target: service/db}
  - {at: 3m, do: promote, target: service/db/b}
objectives: [{id: rpo, rpo: 1m, service: db}]
end: 10m
";

#[test]
fn a_loss_that_no_check_saw_counts_to_its_fault() {
    let out = outcome(HIDDEN, &[]);
    // The shipment of 60 s was the last, before the write of that second: 60 s to the fault at 61 s.
    assert_eq!(time(finding(&out, "rpo").measured), d("1s"));
}

#[test]
fn a_ledger_is_read_when_it_is_restored_and_not_before() {
    // Deleted at 25 min; the standby takes over from the primary that then crashes, with nothing in
    // it, long before the restore of the backup begun at 20 min is through.
    let text = BACKUPS.replace("HARM", "deletion").replace(
        "timeline:\n",
        "timeline:\n  - {id: crash, at: 26m, fault: outage, target: service/db/a, for: 1h}\n",
    );
    let out = outcome(&text, &["respond.0.detect=15m"]);
    assert_eq!(time(finding(&out, "rpo").measured), d("5m"));
}

const SEALED: &str = "
assize: scenario/v1
topology:
  nodes: {dc: {kind: server}, safe: {kind: server}, site: {kind: site}}
  links: {a: {between: [site, dc]}, b: {between: [dc, safe]}}
  services:
    keys: {replicas: {a: {at: safe}}}
    db:
      replicas: {a: {at: dc}}
      state: {backups: [{every: 10m, kept_at: safe, restore_takes: 5m, needs: [keys]}]}
  populations: {u: {at: {site: 64}}}
  journeys: {w: {ledger: db, rate: 1/s, timeout: 1s}}
timeline:
  - {id: harm, at: 25m, fault: corruption, target: service/db}
  - {id: lost-keys, at: 26m, fault: outage, target: service/keys, for: 14m}
  - {id: again, at: 30m, do: restore, target: service/db}
objectives: [{id: rto, rto: 30m, journey: w}]
settle: 1h
";

#[test]
fn a_restore_waits_for_what_it_needs() {
    let out = outcome(SEALED, &[]);
    // The keys are back at 40 min, and the restore takes 5 min: 25 to 45 min.
    assert_eq!(time(finding(&out, "rto").measured), Nanos::mins(20));
    bit(&out, "lost-keys", "outage");
    let evidence = &fault(&out, "lost-keys").evidence;
    assert!(evidence.contains("a restore met it"), "{evidence}");
    assert_eq!(
        out.steps[0].outcome,
        "no backup can be restored yet; then restoring backup-1 of 20m ago, for 5m, done"
    );
    let held = outcome(SEALED, &["timeline.lost-keys=null"]);
    let rto = finding(&held, "rto");
    assert_eq!(time(rto.measured), Nanos::mins(10));
    // The restore alone takes the service away for 5 min; but it mends what `harm` did.
    let parts: Vec<_> = rto
        .attribution
        .iter()
        .map(|a| (a.cause.as_str(), a.time))
        .collect();
    assert_eq!(parts, [("harm", Nanos::mins(10))]);
}
