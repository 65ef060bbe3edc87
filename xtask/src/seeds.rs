//! `cargo xtask seeds`: live runs with different seeds come to the verdict that is predicted.
//!
//! A seed draws the phases of checks, caches and retries. Ten of them, each run on stand-ins: what
//! a target is found to be must not depend on which.

use crate::{say, shell};
use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// The scenarios; each has a live plan of some minutes, so of some seconds on the wall.
const SCENARIOS: [&str; 2] = ["data-centre-loss", "juror-db-corruption"];

/// How many seeds each is run with.
const SEEDS: u32 = 10;

/// Runs them all; stops at the first verdict that is another.
pub(crate) fn run() -> Result<()> {
    for scenario in SCENARIOS {
        let file = format!("topologies/moj/scenarios/{scenario}.yaml");
        for seed in 1..=SEEDS {
            let seed = seed.to_string();
            let common = [file.as_str(), "--seed", &seed, "--format", "json"];
            let predicted = verdict(&["simulate", "--live"], &common)?;
            let measured = verdict(&["run", "--retry", "inconclusive=2"], &common)?;
            ensure!(
                measured == predicted,
                "{scenario} with seed {seed}: measured {measured}, predicted {predicted}"
            );
            say::line(&format!("    {scenario}, seed {seed}: {measured}"));
        }
    }
    Ok(())
}

/// The verdict that a verb comes to, whatever its exit code.
fn verdict(verb: &[&str], common: &[&str]) -> Result<String> {
    let args: Vec<&str> = verb.iter().chain(common).copied().collect();
    let output = shell::output(&mut shell::assize(&args))?;
    of(&output.stdout).with_context(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        format!("`assize {}`: {}", args.join(" "), said.trim_end())
    })
}

/// The verdict of one scenario, with the status of each target.
fn of(json: &[u8]) -> Result<String> {
    let outcome: Value = serde_json::from_slice(json).context("it printed no verdict")?;
    let verdict = outcome["verdict"].as_str().context("it has no verdict")?;
    let findings = outcome["findings"]
        .as_array()
        .context("nothing was judged")?;
    let status = |finding: &Value| {
        let text = |key: &str| finding[key].as_str().unwrap_or("?").to_owned();
        format!("{} {}", text("objective"), text("status"))
    };
    let all: Vec<String> = findings.iter().map(status).collect();
    Ok(format!("{verdict} ({})", all.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verdict_is_told_with_each_of_its_targets() {
        let one = |status: &str| {
            let json = format!(
                r#"{{"verdict": "fail", "findings": [{{"objective": "back", "status": "{status}"}}]}}"#
            );
            of(json.as_bytes()).expect("a verdict")
        };
        assert_eq!(one("missed"), "fail (back missed)");
        assert_ne!(one("missed"), one("met"));
        assert!(of(b"{}").is_err());
    }
}
