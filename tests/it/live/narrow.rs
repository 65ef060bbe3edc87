//! A narrow line is not filled by those who look at it.

use super::run;
use assize_model::observation::{Observation, Served};

/// Eight representatives that each try five times a second would ask 392 kbit/s of a line of 64.
#[test]
fn attempts_leave_room_on_a_line_of_64_kbits() {
    let text = "assize: scenario/v1
topology:
  nodes: {office: {kind: site}, hub: {kind: switch}}
  links: {line: {between: [office, hub], bandwidth: 64kbit/s}}
  access: {wired: {via: [line]}}
  services: {app: {replicas: {a: {at: hub}}}}
  populations: {staff: {at: {office: 640}, access: [wired], makes: {use: 1/h}}}
  journeys: {use: {calls: [app], receives: 1KiB, timeout: 3s}}
timeline: []
steady_state: {for: 3s}
end: 9s
";
    let (_, seen) = run("live-narrow", text, |options| options.pace = Some(1))
        .unwrap_or_else(|e| panic!("{e}"));
    let samples = || {
        seen.iter()
            .filter(|o| matches!(o, Observation::Sample { .. }))
    };
    let failed = samples().filter(|o| {
        !matches!(
            o,
            Observation::Sample {
                served: Served::Yes,
                ..
            }
        )
    });
    let failed: Vec<_> = failed.collect();
    // Half of the line: each tries every 2.4 s, so 39 times in 12 s all together.
    let n = samples().count();
    assert!((25..60).contains(&n), "{n} attempts");
    assert!(failed.is_empty(), "{failed:?}");
    let said = |o: &Observation| matches!(o, Observation::Note { text, .. } if text.contains("less often"));
    assert!(seen.iter().any(said));
}
