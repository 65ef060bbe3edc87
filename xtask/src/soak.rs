//! `cargo xtask soak proxy --minutes N`: random traffic through a proxy whose faults come and go,
//! every byte checked. The program that does it is in `bench/`, since it links the product.

use crate::shell::{self, cargo};
use anyhow::{Context, Result};

/// Soaks the proxy; without a seed, with one of its own, which is printed.
pub(crate) fn run(minutes: &str, seed: Option<&str>) -> Result<()> {
    let minutes: u64 = minutes.parse().context("minutes are a whole number")?;
    let seed = match seed {
        Some(seed) => seed.parse().context("a seed is a whole number")?,
        None => u64::from(std::process::id()),
    };
    let args = [
        "run",
        "--quiet",
        "--release",
        "--package",
        "assize-bench",
        "--",
        "soak",
    ];
    shell::run(cargo(&args).args([minutes.to_string(), seed.to_string()]))
}
