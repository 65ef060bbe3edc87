//! `cargo xtask pyntm`: loads and retained capacity under failure beside pyNTM, an independent
//! model of networks. What is compared is in `tests/pyntm`.

use crate::{python, shell};
use anyhow::{Result, bail};
use std::process::Command;

/// Compares on three networks; the first difference is an error.
pub(crate) fn run() -> Result<()> {
    if let Some(why) = python::missing() {
        bail!(why);
    }
    shell::run(&mut shell::cargo(&[
        "build",
        "--quiet",
        "--package",
        "assize",
    ]))?;
    let folder = shell::root().join("target/pyntm");
    let scripts = shell::root().join("tests/pyntm");
    let mut compare = Command::new(python::with(&folder, &scripts.join("requirements.txt"))?);
    compare.arg("-B").arg(scripts.join("compare.py"));
    compare.arg(shell::root().join("target/debug/assize"));
    shell::run(compare.arg(folder.join("networks")))
}
