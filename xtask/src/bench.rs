//! `cargo xtask bench sim`, `bench proxy` and `bench live`: builds the benchmark and the product in release mode and runs it.
//!
//! The benchmark is a crate of its own (`bench/`), because it links the simulator and this task
//! runner must not.

use crate::shell::{self, cargo};
use anyhow::Result;

/// The topology whose pairs are measured.
pub(crate) const TOPOLOGY: &str = "topologies/moj/moj-2019.yaml";

/// Runs the benchmark of `what`, the simulator, the proxy, live runs or the analysis; `args` go to it.
pub(crate) fn run(what: &str, args: &[&str]) -> Result<()> {
    let build = [
        "build",
        "--release",
        "--package",
        "assize",
        "--package",
        "assize-bench",
    ];
    shell::run(&mut cargo(&build))?;
    let mut command = cargo(&[
        "run",
        "--quiet",
        "--release",
        "--package",
        "assize-bench",
        "--",
        what,
    ]);
    shell::run(command.args(args))
}
