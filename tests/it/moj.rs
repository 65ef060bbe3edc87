//! The Ministry of Justice network: the published figures of January 2019, the figures worked
//! out by hand in the comments of the scenarios, and what each part of the redesign earns.
//!
//! The arithmetic that is not here stands in the scenario files and in `topologies/moj/base.yaml`.

use crate::support::{Ran, assize};
use serde_json::Value;
use std::path::Path;

mod designs;
mod elements;
mod failovers;
mod hypotheses;
mod incidents;
mod january;
mod network;
mod scenarios;

const RESILIENT: &str = "moj-resilient.yaml";

fn moj(name: &str) -> String {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = tests.parent().expect("the root");
    root.join("topologies/moj").join(name).display().to_string()
}

/// The names of all scenarios of the suite, in order.
pub(crate) fn scenarios() -> Vec<String> {
    let folder = std::fs::read_dir(moj("scenarios")).expect("the folder");
    let scenario = |path: std::path::PathBuf| {
        let text = std::fs::read_to_string(&path).expect("a file");
        let is = text.lines().any(|l| l == "assize: scenario/v1");
        let name = path.file_stem()?.to_str()?.to_owned();
        is.then_some(name)
    };
    let files = folder.map(|file| file.expect("an entry").path());
    let mut names: Vec<String> = files.filter_map(scenario).collect();
    names.sort_unstable();
    names
}

fn run(scenario: &str, topology: Option<&str>, sets: &[&str], json: bool) -> Ran {
    let file = match scenario {
        "" => moj(""),
        name => moj(&format!("scenarios/{name}.yaml")),
    };
    let topology = topology.map(moj);
    let mut args = vec!["simulate", &file];
    if let Some(topology) = &topology {
        args.extend(["--topology", topology]);
    }
    for set in sets {
        args.extend(["--set", set]);
    }
    if json {
        args.extend(["--format", "json"]);
    }
    assize(&args)
}

/// A scenario on the network of 2019.
fn on_2019(scenario: &str, sets: &[&str]) -> Value {
    run(scenario, None, sets, true).json()
}

/// A scenario on the redesign.
fn on_resilient(scenario: &str, sets: &[&str]) -> Value {
    run(scenario, Some(RESILIENT), sets, true).json()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let found = value[key].as_array();
    found.unwrap_or_else(|| panic!("no list `{key}` in {value:#}"))
}

fn by_id<'a>(list: &'a [Value], id: &str) -> &'a Value {
    let found = list.iter().find(|v| v["id"] == id);
    found.unwrap_or_else(|| panic!("no {id}"))
}

fn journey<'a>(run: &'a Value, population: &str, journey: &str) -> &'a Value {
    let population = by_id(list(run, "populations"), population);
    by_id(list(population, "journeys"), journey)
}

#[track_caller]
fn finding<'a>(run: &'a Value, objective: &str) -> &'a Value {
    let found = list(run, "findings")
        .iter()
        .find(|f| f["objective"] == objective);
    found.unwrap_or_else(|| panic!("no finding {objective}"))
}

fn ns(value: &Value) -> i64 {
    value["ns"]
        .as_i64()
        .unwrap_or_else(|| panic!("not a time: {value}"))
}

/// The measured time of a finding, in nanoseconds.
#[track_caller]
fn measured(run: &Value, objective: &str) -> i64 {
    ns(&finding(run, objective)["measured"])
}

fn detail<'a>(finding: &'a Value, name: &str) -> &'a Value {
    let found = list(finding, "details").iter().find(|d| d["name"] == name);
    found.unwrap_or_else(|| panic!("no detail {name} in {finding:#}"))
}

/// The longest outage of a journey.
fn longest(journey: &Value) -> i64 {
    let outages = list(journey, "rto_outages");
    outages.iter().map(|o| ns(&o["length"])).max().unwrap_or(0)
}

/// The share served at an offset from the start, in nanoseconds.
fn served(journey: &Value, at: i64) -> f64 {
    let out = list(journey, "outages")
        .iter()
        .find(|o| ns(&o["from_offset"]) <= at && at < ns(&o["to_offset"]));
    1.0 - out.map_or(0.0, |o| number(&o["share"]))
}

#[track_caller]
fn number(value: &Value) -> f64 {
    value
        .as_f64()
        .unwrap_or_else(|| panic!("not a number: {value}"))
}

/// Figures of floats are quotients of exact integers: only the last bits may differ.
#[track_caller]
fn assert_near(got: f64, want: f64) {
    assert!(
        (got - want).abs() <= 1e-9 * want.abs().max(1.0),
        "got {got}, by hand {want}"
    );
}

const SECOND: i64 = 1_000_000_000;
const MS: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// Populations and journeys, without those that a filter leaves out.
fn journeys<'a>(run: &'a Value, keep: impl Fn(&str, &str) -> bool) -> Vec<&'a Value> {
    let mut kept = Vec::new();
    for population in list(run, "populations") {
        for journey in list(population, "journeys") {
            let id = |v: &'a Value| v["id"].as_str().unwrap_or("");
            if keep(id(population), id(journey)) {
                kept.push(journey);
            }
        }
    }
    kept
}

/// 2,000 s × (1 + 1/128), the first of 64 cohorts to lose its lease.
const FIRST_LEASE: i64 = 2_015_625 * MS;
