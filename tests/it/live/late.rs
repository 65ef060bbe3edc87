//! A real system goes on with a promotion that the control plane has given up.

use super::plain::server;
use super::run;
use crate::support::Folder;
use assize_model::journal::DecisionKind;
use assize_model::observation::Observation;

/// `a` is out for 3 s, so `b` is told to promote itself, which takes it 7 s; from 3 s to 6 s `b` is
/// out itself, and the promotion is given up, for `a` is back.
#[test]
fn a_promotion_that_was_given_up_and_succeeds_makes_two_primaries_and_is_named() {
    let folder = Folder::new("live-late-files");
    let followed = folder.path("followed");
    let (a, b) = (server(), server());
    let text = format!(
        "assize: scenario/v1
topology:
  services:
    web:
      mode: active-standby
      driver: http
      replicas: {{a: '127.0.0.1:{a}', b: '127.0.0.1:{b}'}}
      health: /health
      failover: {{check: {{every: 500ms, timeout: 500ms, fall: 2, rise: 2}}, promote: 1s, failback: never}}
      commands: {{promote: [sleep, '7'], follow: [touch, {followed}]}}
  journeys: {{look: {{http: GET /, to: web, rate: 5/s, timeout: 1s}}}}
steady_state: {{for: 1s}}
timeline:
  - {{id: first, at: 0s, fault: outage, target: service/web/a, for: 3s}}
  - {{id: second, at: 3s, fault: outage, target: service/web/b, for: 3s}}
objectives: [{{rto: 30s, journey: look}}]
end: 13s
"
    );
    let (_, seen) = run("live-late", &text, |options| options.allow_exec = true)
        .unwrap_or_else(|e| panic!("{e}"));
    let decided = |kind: DecisionKind| {
        let mut all = seen.iter().filter_map(move |o| match o {
            Observation::Decided(d) if d.kind == kind => Some(d.subject.as_str()),
            _ => None,
        });
        all.next()
    };
    let notes: Vec<&str> = seen
        .iter()
        .filter_map(|o| match o {
            Observation::Note { text, .. } => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(
        decided(DecisionKind::PromotionFailed),
        Some("service/web/b")
    );
    assert_eq!(decided(DecisionKind::Promoted), None, "{notes:?}");
    let named = "service/web/b was promoted after the control plane had given that up, and \
                 service/web/a is primary too: there are two";
    assert!(notes.contains(&named), "{notes:?}");
    assert!(
        std::path::Path::new(&followed).exists(),
        "it was not told to follow: {notes:?}"
    );
}
