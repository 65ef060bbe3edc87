//! The same input gives the same bytes: again, and on any number of threads.

use crate::support::{assize, path};

fn bytes(file: &str, extra: &[&str]) -> String {
    let file = path(file);
    let mut args = vec!["simulate", &file, "--format", "json"];
    args.extend(extra);
    assize(&args).out
}

#[test]
fn two_runs_and_other_threads_are_byte_identical() {
    for file in ["scenarios", "scenarios/must-fail.yaml"] {
        let first = bytes(file, &["--threads", "1"]);
        assert!(first.contains("trace_digest"));
        assert_eq!(first, bytes(file, &["--threads", "1"]));
        assert_eq!(first, bytes(file, &["--threads", "2"]));
        assert_eq!(first, bytes(file, &["--threads", "7"]));
    }
}

#[test]
fn a_timer_that_fires_changes_the_digest() {
    let digest = |set: &str| {
        let file = path("scenarios/must-pass.yaml");
        let value = assize(&["simulate", &file, "--format", "json", "--set", set]).json();
        value["trace_digest"].as_str().map(str::to_owned)
    };
    let base = digest("settle=10m");
    assert!(base.is_some());
    assert_ne!(
        base,
        digest("topology.services.web.failover.check.every=2100ms")
    );
    assert_ne!(base, digest("timeline.loss.for=11m"));
}

#[test]
fn the_seed_is_in_the_verdict() {
    let value: serde_json::Value =
        serde_json::from_str(&bytes("scenarios/must-pass.yaml", &["--seed", "7"])).expect("JSON");
    assert_eq!(value["seed"], 7);
}
