//! Whole files: what they become, and what is said about wrong ones.

mod any;
mod bound;
mod document;
mod good;
mod table;
mod wrong;

use super::*;
use crate::faults::Effect;
use crate::ids::*;
use crate::scenario::{Action, Sites, Target};
use crate::topology::{Mode, Replication, SiteRange};
use assize_fault::Nanos;
use proptest::prelude::*;

/// A topology that uses every section and nearly every field.
const FULL: &str = include_str!("../testdata/full.yaml");
/// A scenario over it.
const FULL_SCENARIO: &str = include_str!("../testdata/full-scenario.yaml");

fn source() -> MemorySource {
    MemorySource::new([("full.yaml", FULL), ("scenarios/s.yaml", FULL_SCENARIO)])
}

fn topology(text: &str) -> Result<(Topology, Vec<Problem>), Problems> {
    let source = MemorySource::new([("t.yaml", text)]);
    load_topology(&source, Path::new("t.yaml"), &LoadOptions::default())
}

fn scenario(text: &str) -> Result<(Topology, Scenario, Vec<Problem>), Problems> {
    let source = MemorySource::new([("s.yaml", text), ("full.yaml", FULL)]);
    load_scenario(&source, Path::new("s.yaml"), &LoadOptions::default())
}

fn full() -> Topology {
    topology(FULL).unwrap_or_else(|p| panic!("{p}")).0
}

fn with_sets(sets: &[&str]) -> Result<(Topology, Scenario, Vec<Problem>), Problems> {
    let options = LoadOptions {
        sets: sets.iter().map(ToString::to_string).collect(),
        ..LoadOptions::default()
    };
    load_scenario(&source(), Path::new("scenarios/s.yaml"), &options)
}

/// The problem that mentions a text; fails with all of them if there is none.
fn problem<T: std::fmt::Debug>(result: Result<T, Problems>, text: &str) -> Problem {
    let problems = result.expect_err("there should be a problem");
    let found = problems
        .0
        .iter()
        .find(|p| p.what.contains(text) || p.help.contains(text));
    found
        .unwrap_or_else(|| panic!("no problem says `{text}`:\n{problems}"))
        .clone()
}
