//! Python with what a task wants of PyPI, in a folder of its own.

use crate::shell;
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why there can be none on this machine; nothing if there can.
pub(crate) fn missing() -> Option<String> {
    let python = Command::new("python3").arg("--version").output();
    let why = "it needs python3 with venv: `apt-get install python3-venv`";
    python.is_err().then(|| why.to_owned())
}

/// The program, with what `list` asks for; installed if it is not there or not as it is asked
/// for now.
pub(crate) fn with(folder: &Path, list: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(folder)?;
    let venv = folder.join("venv");
    let python = venv.join("bin/python");
    let wanted = std::fs::read_to_string(list)?;
    let stamp = folder.join("requirements.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    shell::run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet"]);
    pip.args(["--disable-pip-version-check", "-r"]).arg(list);
    shell::run(&mut pip).context("is the package registry within reach?")?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}
