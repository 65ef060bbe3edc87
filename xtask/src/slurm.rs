//! `cargo xtask slurm`: a sweep as an array job on a real Slurm of the test's own, on 127.0.0.1,
//! by `deploy/slurm.sh` as it is shipped; one of the tasks is killed and queued again. The joined
//! bytes are those of one process. What is done is in `tests/slurm`.

use crate::shell;
use anyhow::{Result, bail};
use std::process::Command;

/// Why it cannot be done on this machine; nothing if it can.
pub(crate) fn missing() -> Option<String> {
    let has = |program: &&str| {
        let mut which = Command::new("sh");
        which.args(["-c", &format!("command -v {program}")]);
        shell::output(&mut which).is_ok_and(|o| o.status.success())
    };
    let programs = ["slurmctld", "slurmd", "munged", "python3"];
    if !programs.iter().all(has) {
        return Some("it needs Slurm: `apt-get install slurm-wlm`".to_owned());
    }
    let root = shell::stdout(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    (!root).then(|| "slurmd starts jobs as root only".to_owned())
}

/// Runs it.
pub(crate) fn run() -> Result<()> {
    if let Some(why) = missing() {
        bail!(why);
    }
    shell::run(&mut shell::cargo(&[
        "build",
        "--quiet",
        "--package",
        "assize",
    ]))?;
    let root = shell::root();
    let mut sweep = Command::new(root.join("tests/slurm/sweep.sh"));
    sweep.arg(root.join("target/debug/assize"));
    sweep.arg(root.join("target/slurm"));
    shell::run(sweep.arg(root.join("topologies/moj/moj-2019.yaml")))
}
