//! One service with a standby, one cell, the primary out: measured close to what is computed.

use super::run;
use assize_fault::Nanos;
use assize_model::journal::DecisionKind;
use assize_model::observation::{Ending, Observation, Served};

/// Checks at even seconds: down at 10 + 4 = 14 s or, as the crash refuses, with the third start;
/// promoted 5 s later; clients follow within 4 s more.
const PAIR: &str = "
assize: scenario/v1
topology:
  nodes: {site: {kind: site}, a: {kind: router}, b: {kind: router}}
  links: {site-a: {between: [site, a], latency: 1ms}, site-b: {between: [site, b], latency: 1ms}, ab: {between: [a, b], latency: 1ms}}
  services:
    app:
      mode: active-standby
      replicas: {north: {at: a, role: primary}, south: {at: b, role: standby}}
      failover: {check: {every: 2s, timeout: 2s, fall: 3, rise: 2, from: b, phase: 0s}, promote: 5s, redirect: {dns_ttl: 4s}, failback: never}
  populations: {staff: {at: {site: 64}, makes: {look: 1/h}}}
  journeys: {look: {calls: [app], timeout: 4s}}
steady_state: {for: 20s}
timeline: [{id: out, at: 10s, for: 60s, fault: outage, target: service/app/north}]
objectives: [{rto: 60s, journey: look}]
settle: 20s
live: {pace: 10}
";

#[test]
fn the_standby_takes_over_when_it_is_computed_to() {
    let (ended, seen) = run("live-first", PAIR, |_| {}).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(ended.why, Ending::Finished, "{ended:?}");
    assert_eq!(ended.left, Vec::<String>::new());
    let decided = |kind: DecisionKind| {
        seen.iter().find_map(|o| match o {
            Observation::Decided(d) if d.kind == kind => Some(d.at),
            _ => None,
        })
    };
    let down = decided(DecisionKind::Down).expect("it is called down");
    assert!((Nanos::secs(13)..Nanos::secs(16)).contains(&down), "{down}");
    let promoted = decided(DecisionKind::Promoted).expect("the standby is promoted");
    assert!(
        (Nanos::secs(18)..Nanos::secs(22)).contains(&promoted),
        "{promoted}"
    );
    let (mut first, mut last) = (Nanos::NEVER, Nanos::ZERO);
    for o in &seen {
        if let Observation::Sample {
            at,
            served: Served::No,
            why,
            ..
        } = o
        {
            assert!(*at > Nanos::secs(5), "steady state holds: {at} {why}");
            (first, last) = (first.min(*at), last.max(*at));
        }
    }
    assert!(
        (Nanos::secs(8)..Nanos::secs(14)).contains(&first),
        "{first}"
    );
    assert!((Nanos::secs(18)..Nanos::secs(27)).contains(&last), "{last}");
    assert!(
        seen.iter()
            .any(|o| matches!(o, Observation::Bite { fault: 0, .. }))
    );
}
