//! The replay of January 2019 as a person starts it: a whole process, from reading the files to
//! the printed report.

use crate::engine;
use crate::measure::{Budget, Rounds, time};
use crate::table::Table;
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// What is replayed.
const JANUARY: &str = "topologies/moj/scenarios/january-2019.yaml";

/// At most so many seconds.
const SECONDS: f64 = 0.2;

/// Measures it.
pub(crate) fn run(rounds: usize, table: &mut Table) -> Result<()> {
    let program = product()?;
    let once = || -> Result<f64> {
        let mut command = Command::new(&program);
        command
            .current_dir(engine::root())
            .args(["simulate", JANUARY])
            .stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let (took, status) = time(|| command.status());
        let status = status.with_context(|| format!("cannot start {}", program.display()))?;
        // 0, 1 and 3 are verdicts.
        if !matches!(status.code(), Some(0 | 1 | 3)) {
            bail!("`assize simulate {JANUARY}` ended with {status}");
        }
        Ok(took.as_secs_f64())
    };
    let budget = Budget::new();
    once()?; // The first one reads the program from the disk.
    let mut taken = vec![once()?];
    while taken.len() < rounds && budget.is_left() {
        taken.push(once()?);
    }
    table.millis(
        "the replay of January 2019, a whole process",
        &Rounds::new(taken),
        Some(SECONDS),
    );
    Ok(())
}

/// The product, which was built beside this program.
pub(crate) fn product() -> Result<PathBuf> {
    let here = std::env::current_exe().context("this program cannot find itself")?;
    let path = here.with_file_name(format!("assize{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        bail!(
            "there is no {}: `cargo build --release -p assize` builds it",
            path.display()
        );
    }
    Ok(path)
}
