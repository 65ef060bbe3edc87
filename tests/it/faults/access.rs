//! What a client needs before it can work: addresses, sign-in, names.

use super::*;

/// A standby that could hand out addresses, behind a check that asks the service, or only the
/// machine.
const ADDRESSES: &str = "
assize: scenario/v1
topology:
  nodes: {office: {kind: site}}
  services:
    dhcp:
      mode: active-standby
      replicas: [a, b]
      failover:
        check: {every: 2s, timeout: 1s, fall: 3, rise: 2, phase: 1s, probes: service}
        promote: 10s
        failback: never
    mail: {}
  access:
    wired: {needs: [{service: dhcp, cached_for: {renew: 2000s, expire: 4000s}}]}
  populations:
    staff: {at: {office: 1000}, access: [wired]}
  journeys:
    read: {calls: [mail]}
timeline: [{id: silent, at: 0s, fault: address-assignment-failure, target: service/dhcp/a, for: 2500s}]
objectives:
  - {id: rto, rto: 10m, journey: read}
  - {id: detection, detection: 10s}
settle: 1h
";

#[test]
fn addresses_from_a_standby_only_if_the_check_asks_for_one() {
    let out = outcome(ADDRESSES, &[]);
    bit(&out, "silent", "address-assignment-failure");
    // Checks at 1, 3 and 5 s wait 1 s each; leases last for hours.
    assert_eq!(time(finding(&out, "detection").measured), d("6s"));
    assert_eq!(rto(&out), Nanos::ZERO);
    assert_eq!(finding(&out, "rto").status, Status::Met);

    // The machine answers, so the standby sleeps: as worked example (b).
    let blind = outcome(
        ADDRESSES,
        &["topology.services.dhcp.failover.check.probes=host"],
    );
    bit(&blind, "silent", "address-assignment-failure");
    assert_eq!(finding(&blind, "detection").measured, None);
    assert_ne!(finding(&blind, "detection").status, Status::Met);
    assert_eq!(rto(&blind), Nanos(484_375_000_000));
}

const SIGN_IN: &str = "
assize: scenario/v1
start: 2025-01-06T09:00:00Z
topology:
  nodes: {office: {kind: site}}
  services: {sso: {}, mail: {}}
  access:
    wired: {needs: [{service: sso, cached_for: {renew: 2h, expire: 4h, aged: aligned}}]}
  populations:
    staff: {at: {office: 1000}, access: [wired], hours: 'Mon-Fri 08:00-18:00'}
  journeys:
    read: {calls: [mail]}
timeline: [{id: refused, at: 30m, fault: sign-in-failure, target: service/sso, for: 3h}]
objectives: [{id: rto, rto: 10m, journey: read}]
settle: 1h
";

#[test]
fn tickets_of_one_age_run_out_together() {
    let out = outcome(SIGN_IN, &[]);
    bit(&out, "refused", "sign-in-failure");
    // Everyone signed in at 08:00. Renewals at 10:00 are refused; all tickets end at 12:00, three
    // hours after the start, and the fault half an hour later.
    let outages = &journey(&out).outages;
    assert_eq!(outages.len(), 1, "{outages:?}");
    assert_eq!(outages[0].from_offset, d("3h"));
    assert_eq!(outages[0].share, 1.0);
    assert_eq!(rto(&out), d("30m"));
    assert_eq!(detail(&out, "rto", "onset"), d("2h30m"));
    // Over before the first ticket ends: nobody notices, and it bit all the same.
    let short = outcome(SIGN_IN, &["timeline.refused.for=2h"]);
    bit(&short, "refused", "sign-in-failure");
    assert_eq!(rto(&short), Nanos::ZERO);
    assert_eq!(finding(&short, "rto").status, Status::Met);
}

#[test]
fn a_refusal_between_two_renewals_is_not_met() {
    // Over before the first renewal: nothing met it.
    let unmet = outcome(SIGN_IN, &["timeline.refused.for=20m"]);
    assert!(!unmet.faults[0].bit, "{}", unmet.faults[0].evidence);
    assert_eq!(finding(&unmet, "rto").status, Status::Inconclusive);
}

#[test]
fn sign_in_at_every_attempt_fails_at_once() {
    let out = outcome(
        SIGN_IN,
        &[
            "topology.access.wired.needs=[sso]",
            "timeline.refused.for=20m",
        ],
    );
    bit(&out, "refused", "sign-in-failure");
    assert_eq!(rto(&out), d("20m"));
    assert_eq!(detail(&out, "rto", "onset"), Nanos::ZERO);
}

const NAMES: &str = "
assize: scenario/v1
topology:
  nodes: {office: {kind: site}}
  services: {dns: {}, mail: {}}
  access:
    wired: {needs: [{service: dns, cached_for: {renew: 5m, expire: 10m}}]}
  populations:
    staff: {at: {office: 640}, access: [wired]}
  journeys:
    read: {calls: [mail]}
timeline: [{id: servfail, at: 0s, fault: name-failure, target: service/dns, for: 8m}]
objectives: [{id: rto, rto: 10m, journey: read}]
settle: 1h
";

#[test]
fn names_are_kept_for_a_while() {
    let out = outcome(NAMES, &[]);
    bit(&out, "servfail", "name-failure");
    // The first of 64 cohorts is due 300 s / 128 after the fault and lost 300 s later; cohort k
    // at 300 + (k + 1/2) × 300/64 s, so 38 of 64 by 480 s.
    assert_eq!(detail(&out, "rto", "onset"), Nanos(302_343_750_000));
    assert_eq!(rto(&out), Nanos(480_000_000_000 - 302_343_750_000));
    assert_eq!(journey(&out).peak_out, 38.0 / 64.0);
    // Σ over k < 38 of 180 - (k + 1/2) × 4.6875 s, over 64 cohorts.
    let lost: f64 = (0..38).map(|k| 180.0 - (f64::from(k) + 0.5) * 4.6875).sum();
    let lost = Nanos((lost / 64.0 * 1e9) as i64);
    assert_eq!(journey(&out).lost_per_user, lost);
}
