//! `cargo xtask bench sim`: builds the benchmark and the product in release mode and runs it.
//!
//! The benchmark is a crate of its own (`bench/`), because it links the simulator and this task
//! runner must not.

use crate::shell::{self, cargo};
use anyhow::Result;

/// Runs the simulator's benchmark; `args` go to it.
pub(crate) fn sim(args: &[&str]) -> Result<()> {
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
        "sim",
    ]);
    shell::run(command.args(args))
}
