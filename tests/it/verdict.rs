//! The shape of `assize/verdict/v1` and `assize/suite/v1`: what programs rely on.

use crate::support::{assize, path};
use serde_json::Value;

fn verdict(file: &str) -> Value {
    assize(&["simulate", &path(file), "--format", "json"]).json()
}

/// Keys of an object, in order.
fn keys(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .map(|o| o.keys().map(String::as_str).collect())
        .unwrap_or_default()
}

#[test]
fn one_scenario_is_one_object_with_every_field() {
    let value = verdict("scenarios/must-fail.yaml");
    assert_eq!(value["schema"], "assize/verdict/v1");
    assert_eq!(value["engine"], "simulate");
    assert_eq!(value["verdict"], "fail");
    for key in [
        "topology",
        "scenario",
        "seed",
        "model_digest",
        "start",
        "end",
        "findings",
        "populations",
        "services",
        "groups",
        "faults",
        "expected",
        "not_exercised",
        "assumptions",
        "trace_digest",
    ] {
        assert!(
            value.get(key).is_some(),
            "{key} is missing: {:?}",
            keys(&value)
        );
    }
    for digest in ["model_digest", "trace_digest"] {
        let text = value[digest].as_str().unwrap_or("");
        assert_eq!(text.len(), 64, "{digest}: {text}");
    }
}

#[test]
fn a_finding_says_what_was_measured_on_what_and_why() {
    let value = verdict("scenarios/must-fail.yaml");
    let finding = &value["findings"][0];
    assert_eq!(finding["objective"], "write-rto");
    assert_eq!(finding["kind"], "rto");
    assert_eq!(finding["status"], "missed");
    assert_eq!(finding["tested_on"], "simulation");
    assert_eq!(finding["target"]["ns"], 60_000_000_000_i64);
    assert_eq!(finding["target"]["text"], "1m");
    // The scenario ends ten minutes after two hours without the only replica.
    assert_eq!(
        finding["measured"]["ns"], 7_200_000_000_000_i64,
        "{finding:#}"
    );
    assert!(
        finding["reason"].as_str().is_some_and(|r| r.len() > 10),
        "{finding:#}"
    );
}

#[test]
fn shares_are_numbers_and_instants_are_rfc_3339() {
    let value = verdict("scenarios/must-fail.yaml");
    let journey = &value["populations"][0]["journeys"][0];
    let availability = journey["availability"].as_f64().expect("a number");
    // Two hours out of two hours and ten minutes.
    assert!((availability - 10.0 / 130.0).abs() < 1e-6, "{availability}");
    let outage = &journey["outages"][0];
    assert_eq!(outage["share"], 1.0);
    assert_eq!(outage["from"], value["start"]);
    assert!(
        outage["to"].as_str().is_some_and(|t| t.ends_with('Z')),
        "{outage}"
    );
    assert_eq!(value["faults"][0]["bit"], true);
}

#[test]
fn several_are_a_suite_in_order_of_name() {
    let value = verdict("scenarios");
    assert_eq!(value["schema"], "assize/suite/v1");
    assert_eq!(value["verdict"], "fail");
    let names: Vec<&str> = value["runs"]
        .as_array()
        .map(|runs| runs.iter().filter_map(|r| r["scenario"].as_str()).collect())
        .unwrap_or_default();
    assert_eq!(names, ["must-fail", "must-pass", "must-stay-open"]);
    let verdicts: Vec<&str> = value["runs"]
        .as_array()
        .map(|runs| runs.iter().filter_map(|r| r["verdict"].as_str()).collect())
        .unwrap_or_default();
    assert_eq!(verdicts, ["fail", "pass", "inconclusive"]);
}

#[test]
fn json_has_standard_output_to_itself() {
    let ran = assize(&[
        "simulate",
        &path("scenarios/must-fail.yaml"),
        "--format",
        "json",
    ])
    .expect(1);
    assert!(ran.json().is_object());
    assert!(
        ran.err.ends_with("lonely misses 1 target in must-fail\n"),
        "{}",
        ran.err
    );
}

#[test]
fn only_what_was_asked_for_is_judged() {
    let set = "objectives=[{id: a, rto: 1m, journey: write}, {id: b, rto: 3h, journey: write}]";
    let file = path("scenarios/must-fail.yaml");
    let run = |only| {
        assize(&[
            "simulate", &file, "--set", set, "--only", only, "--format", "json",
        ])
    };
    assert_eq!(run("a").expect(1).json()["findings"][0]["objective"], "a");
    let value = run("b").expect(0).json();
    assert_eq!(value["findings"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_never_exercised_standby_is_listed() {
    let folder = crate::support::Folder::new("standby");
    let file = folder.write(
        "idle.yaml",
        "assize: scenario/v1\n\
         topology:\n\
         \x20 services:\n\
         \x20   db: {mode: active-standby, replicas: [one, two]}\n\
         \x20   web: {replicas: [only]}\n\
         \x20 journeys:\n\
         \x20   write: {ledger: db, rate: 1/s}\n\
         \x20   read: {calls: [web], rate: 1/s}\n\
         timeline: [{at: 0s, fault: outage, target: service/web, for: 30s}]\n\
         objectives: [{rto: 1m, journey: read}]\n",
    );
    let value = assize(&["simulate", &file, "--format", "json"])
        .expect(0)
        .json();
    let elements: Vec<&str> = value["not_exercised"]
        .as_array()
        .map(|l| l.iter().filter_map(|e| e["element"].as_str()).collect())
        .unwrap_or_default();
    assert!(elements.contains(&"service/db/two"), "{elements:?}");
}
