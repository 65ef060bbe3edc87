//! The seam to the product: files in, one simulated run out.

use anyhow::{Result, anyhow};
use assize_model::file::{self, LoadOptions, Problems, Severity, Source};
use assize_model::{Journal, Plan, Scenario, Topology};
use std::path::{Path, PathBuf};

/// A scenario with its topology.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    topology: Topology,
    scenario: Scenario,
}

impl Loaded {
    /// Cuts, plans and simulates once; judges nothing, and runs no fault alone.
    pub(crate) fn run(&self) -> Journal {
        assize_sim::simulate(&self.plan())
    }

    /// Plans it.
    pub(crate) fn plan(&self) -> Plan<'_> {
        Plan::new(&self.topology, &self.scenario, 0)
    }
}

/// Reads a scenario of the repository.
pub(crate) fn load(path: &str, sets: &[&str]) -> Result<Loaded> {
    read(&Disk, &root().join(path), sets)
}

/// Reads a scenario, topology inline, from memory.
pub(crate) fn load_text(text: &str) -> Result<Loaded> {
    read(&Memory(text), Path::new("bench.yaml"), &[])
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

fn read(source: &dyn Source, path: &Path, sets: &[&str]) -> Result<Loaded> {
    let sets = sets.iter().map(|set| (*set).to_owned()).collect();
    let options = LoadOptions {
        sets,
        ..LoadOptions::default()
    };
    let (topology, scenario, _) =
        file::load_scenario(source, path, &options).map_err(|problems| in_words(&problems))?;
    Ok(Loaded { topology, scenario })
}

fn in_words(problems: &Problems) -> anyhow::Error {
    let first: Vec<String> = problems
        .0
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .take(5)
        .map(ToString::to_string)
        .collect();
    anyhow!("the scenario cannot be read\n{}", first.join("\n"))
}

struct Disk;

impl Source for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        std::fs::read(path).map_err(|error| error.to_string())
    }
}

struct Memory<'a>(&'a str);

impl Source for Memory<'_> {
    fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
        Ok(self.0.as_bytes().to_vec())
    }
}
