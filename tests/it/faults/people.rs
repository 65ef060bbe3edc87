//! What people and their changes do: certificates that run out, clocks, pushes, alarms, restores,
//! duplicates, controllers that forget who is signed in.

use super::*;

const TICKETS: &str = "
assize: scenario/v1
topology:
  nodes: {office: {kind: site}}
  services: {kerberos: {}, mail: {}}
  access:
    wired: {needs: [{service: kerberos, cached_for: {renew: 1h, expire: 2h}}]}
  populations:
    staff: {at: {office: 640}, access: [wired]}
  journeys:
    read: {calls: [mail]}
timeline: [{id: wrong, at: 0s, fault: clock-skew, by: 7m, target: service/kerberos, for: 90m}]
objectives: [{id: rto, rto: 10m, journey: read}]
settle: 1h
";

#[test]
fn a_clock_beyond_the_tolerance_voids_tickets_one_by_one() {
    let out = outcome(TICKETS, &[]);
    bit(&out, "wrong", "clock-skew");
    // The first cohort is due after 3600/128 = 28.125 s and holds its ticket for another hour.
    assert_eq!(detail(&out, "rto", "onset"), Nanos(3_628_125_000_000));
    // From then to the end of the fault.
    assert_eq!(rto(&out), d("90m") - Nanos(3_628_125_000_000));
    // Five minutes are tolerated, and so is what the file says.
    for set in ["timeline.wrong.by=5m", "timeline.wrong.tolerance=10m"] {
        let within = outcome(TICKETS, &[set]);
        assert!(!fault(&within, "wrong").bit);
        assert_eq!(finding(&within, "rto").status, Status::Inconclusive);
    }
}

const CERTIFICATE: &str = "
assize: scenario/v1
topology:
  services:
    app:
      mode: active-standby
      replicas: [a, b]
      failover:
        check: {every: 2s, timeout: 1s, fall: 3, rise: 2, phase: 1s, probes: host}
        promote: 30s
        failback: never
  journeys: {use: {calls: [app], timeout: 10s}}
timeline: [{id: expired, at: 0s, fault: certificate-expiry, target: service/app}]
respond: [{to: expired, detect: 10m, diagnose: 15m, fix: 5m}]
objectives: [{id: rto, rto: 1h, journey: use}, {id: detection, detection: 15m, fault: expired}]
settle: 30m
";

#[test]
fn no_standby_helps_against_a_certificate_that_both_share() {
    let out = outcome(CERTIFICATE, &[]);
    bit(&out, "expired", "certificate-expiry");
    assert_eq!(rto(&out), d("30m"));
    // The check asks the machine; only people find out.
    assert_eq!(time(finding(&out, "detection").measured), d("10m"));
}

#[test]
fn nobody_mends_what_nobody_watches() {
    let with = |blind: &str| {
        let blind = format!("timeline:\n  - {{id: blind, fault: detection-delay, {blind}}}\n  - ");
        let text = CERTIFICATE
            .replace("timeline: [", &blind)
            .replace("app}]", "app}");
        outcome(&text, &["end=2h", "settle=null"])
    };
    let out = with("at: 5m, target: service/app, for: 40m");
    bit(&out, "blind", "detection-delay");
    // Noticed at 45 instead of 10 min, and 20 min until it is mended: out for 65 min.
    assert_eq!(time(finding(&out, "detection").measured), d("45m"));
    assert_eq!(rto(&out), d("65m"));
    assert_eq!(finding(&out, "rto").status, Status::Missed);
    // Over before it would have been noticed, or about something else: no difference.
    for delay in [
        "at: 1m, target: service/app, for: 8m",
        "at: 1m, target: service/app/b, for: 40m",
    ] {
        let out = with(delay);
        assert!(!fault(&out, "blind").bit, "{delay}");
        assert_eq!(rto(&out), d("30m"), "{delay}");
    }
}

const PUSH: &str = "
assize: scenario/v1
topology:
  nodes:
    court: {kind: site, count: 10}
    core: {kind: switch}
  groups: {wave: {first: {court: 6}, second: {court: 3}}}
  links: {wan: {between: [court, core]}}
  services: {app: {replicas: {x: {at: core}}}}
  populations: {staff: {at: {court: 100}}}
  journeys: {use: {calls: [app]}}
timeline:
  - {id: push, at: 1h, fault: configuration-push, target: link/wan, waves: {first: 2h, second: 4h}}
objectives: [{id: rto, rto: 1h, journey: use}, {id: early, rto: 1h, journey: use, level: 60%}]
settle: 1h
";

#[test]
fn a_change_is_rolled_back_wave_by_wave() {
    let out = outcome(PUSH, &[]);
    bit(&out, "push-first", "configuration-push");
    bit(&out, "push-second", "configuration-push");
    let use_app = journey(&out);
    // Ten sites of ten users: 1 keeps working, 7 from 2 h on, all from 4 h on.
    let near = |at: &str, share: f64| {
        let got = served(use_app, d(at));
        assert!((got - share).abs() < 1e-9, "{at}: {got}");
    };
    near("59m", 1.0);
    near("1h30m", 0.1);
    near("3h", 0.7);
    near("4h1m", 1.0);
    // Down at 1 h; back at 4 h and 2 h. Links here are noticed and taken back at once.
    assert_eq!(rto(&out), d("3h"));
    assert_eq!(time(finding(&out, "early").measured), d("1h"));
    let restored = |id: &str| {
        out.groups
            .iter()
            .find(|g| g.id == id)
            .map(|g| g.restored_at.clone())
    };
    assert_ne!(restored("first"), restored("second"));
}

const WIFI: &str = "
assize: scenario/v1
topology:
  nodes:
    court: {kind: site}
    wlc: {kind: wifi-controller, replicas: {a: {}, b: {}}, switch_over: 120s}
    core: {kind: switch}
  links:
    tunnel: {between: [court, wlc]}
    up: {between: [wlc, core]}
  services:
    radius: {replicas: {x: {at: core}}, capacity: 10/s, queue: {max: 30, when_full: refuse, stale_after: 3s}}
    app: {replicas: {x: {at: core}}}
  access:
    wifi:
      via: [tunnel, wlc]
      needs: [{service: radius, cached_for: {renew: 10h, expire: 20h}, try: {lasts: 3s, again: 2s}}]
  populations: {staff: {at: {court: 6400}, access: [wifi]}}
  journeys: {use: {calls: [app], timeout: 1s}}
timeline:
  - {id: switch, at: 0s, fault: controller-failover, target: node/wlc/a, sessions: service/radius, for: 10m}
objectives: [{id: rto, rto: 5m, journey: use}]
settle: 30m
";

#[test]
fn a_controller_that_switches_over_makes_everybody_sign_in_again() {
    let out = outcome(WIFI, &[]);
    bit(&out, "switch", "controller-failover");
    // 120 s until the other unit serves, then 6,400 sign-ins at 10 a second: 640 s.
    assert_eq!(rto(&out), d("760s"));
    // Only sessions of an access that leads through the node are lost, and only of its active unit.
    let idle = outcome(WIFI, &["timeline.switch.target=node/wlc/b"]);
    assert!(!fault(&idle, "switch").bit);
    let plain = outcome(
        WIFI,
        &["timeline.switch={id: switch, at: 0s, fault: outage, target: node/wlc/a, for: 10m}"],
    );
    assert_eq!(rto(&plain), d("120s"));
}

const RESTORE: &str = "
assize: scenario/v1
topology:
  nodes: {vault: {kind: store}}
  services:
    db:
      replicas: {a: {role: primary}}
      state:
        backups: [{id: hourly, every: 1h, takes: 1m, kept_at: vault, size: 100GiB, restore_rate: 100GiB/h}]
  journeys: {write: {ledger: db, rate: 1/s, timeout: 1s}}
timeline:
  - {id: gone, at: 90m, fault: deletion, target: service/db}
  - {id: slow, at: 80m, fault: slow-restore, left: 25%, target: service/db, for: 20h}
respond: [{to: gone, detect: 10m, diagnose: 10m, fix: 10m, restore: db}]
objectives: [{id: rto, rto: 2h, journey: write}]
end: 24h
";

#[test]
fn a_restore_at_a_quarter_of_its_rate_takes_four_times_as_long() {
    let out = outcome(RESTORE, &[]);
    bit(&out, "slow", "slow-restore");
    // 30 min of people, and 1 h / 25 %.
    assert_eq!(rto(&out), d("4h30m"));
    // It sets in half-way: 30 min are left at 120 + 30 = 150 min, and take 2 h.
    let late = outcome(RESTORE, &["timeline.slow.at=150m"]);
    bit(&late, "slow", "slow-restore");
    assert_eq!(rto(&late), d("3h"));
    // It ends half-way: 2 h at a quarter are half an hour's work, the rest takes 30 min.
    let ends = outcome(RESTORE, &["timeline.slow.for=160m"]);
    assert_eq!(rto(&ends), d("3h"));
    let never = outcome(RESTORE, &["timeline.slow.at=20h", "timeline.slow.for=1h"]);
    assert!(!fault(&never, "slow").bit);
    assert_eq!(rto(&never), d("1h30m"));
}

const HANGS: &str = "
assize: scenario/v1
topology:
  services:
    app:
      mode: active-standby
      replicas: [a, b]
      failover:
        check: {every: 2s, timeout: 1s, fall: 3, rise: 2, phase: 1s}
        promote: 30s
        failback: never
  journeys: {use: {calls: [app], timeout: 10s}}
timeline:
  - {id: gone, at: 0s, fault: outage, how: blackhole, target: service/app/a, for: 1h}
  - {id: open, at: 0s, fault: fail-open-check, target: service/app, for: 1h}
objectives: [{id: rto, rto: 5m, journey: use}]
settle: 1h
";

#[test]
fn a_check_that_passes_without_an_answer_keeps_the_standby_asleep() {
    let out = outcome(HANGS, &[]);
    bit(&out, "open", "fail-open-check");
    assert_eq!(rto(&out), d("1h"));
    // One that refuses is found as ever: at 5 s, promoted at 35 s, and the fault is not met.
    let refused = outcome(HANGS, &["timeline.gone.how=refuse"]);
    assert!(!fault(&refused, "open").bit);
    assert_eq!(rto(&refused), d("35s"));
}

const NOTICES: &str = "
assize: scenario/v1
topology:
  services: {notify: {capacity: 100/s, queue: {max: 100, when_full: drop}}}
  populations: {courts: {users: 2880, makes: {send: 100/h}}}
  journeys: {send: {calls: [notify], timeout: 10s}}
timeline: [{id: twice, at: 10m, fault: duplicate-requests, times: 2, target: service/notify, for: 1h}]
objectives: [{id: share, availability: 99%, journey: send}]
settle: 10m
";

#[test]
fn notices_sent_twice_are_dropped_where_they_find_no_room() {
    let out = outcome(NOTICES, &[]);
    bit(&out, "twice", "duplicate-requests");
    // 2,880 × 100 an hour are 80 a second; twice that is 160, of which 100 are served: 62.5 %.
    let got = served(journey(&out), d("40m"));
    assert!((got - 0.625).abs() < 1e-6, "{got}");
    assert_eq!(served(journey(&out), d("5m")), 1.0);
}
