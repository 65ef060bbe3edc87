//! `cargo xtask purity`: what decides a figure reaches no clock, no socket, no file and no global
//! randomness.
//!
//! Two proofs. The dependency tree of each pure crate is free of crates that bring such things.
//! The crates' own sources name no module of the standard library that does; what a clock would
//! give is forbidden by `clippy.toml`, and a pure crate may not make an exception.

use crate::say;
use crate::shell::{self, cargo};
use crate::tree::{self, File};
use anyhow::{Result, bail};

/// The pure crates, as folders of `crates/`.
const PURE: &[&str] = &["fault", "model", "control", "sim", "analysis", "evidence"];

/// Crates that bring a runtime, sockets, a clock or randomness from the machine.
const IMPURE_CRATES: &[&str] = &[
    "tokio",
    "async-std",
    "smol",
    "hyper",
    "mio",
    "socket2",
    "rustls",
    "getrandom",
    "rand",
    "fastrand",
    "chrono",
    "time",
    "num_cpus",
];

/// Features that do the same to a crate that is fine without them.
const IMPURE_FEATURES: &[&str] = &[
    "jiff feature \"tz-system\"",
    "jiff feature \"tz-fat\"",
    "jiff feature \"tzdb-zoneinfo\"",
    "rand_core feature \"os_rng\"",
    "rand_core feature \"getrandom\"",
];

/// What a source of a pure crate does not name.
const IMPURE_PATHS: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::time::Instant",
    "std::time::SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "RandomState",
    "expect(clippy::disallowed",
    "allow(clippy::disallowed",
];

/// Checks every pure crate.
pub(crate) fn run() -> Result<()> {
    let mut wrong = Vec::new();
    for name in PURE {
        let package = format!("assize-{name}");
        let tree = shell::stdout(&mut cargo(&[
            "tree",
            "--package",
            &package,
            "--edges",
            "normal,features",
            "--prefix",
            "none",
        ]))?;
        wrong.extend(reached(&tree).into_iter().map(|what| {
            format!(
                "{package}: depends on {what}; see `cargo tree -p {package} -e normal,features`"
            )
        }));
    }
    let files = tree::read(&shell::root())?;
    wrong.extend(files.iter().filter(|file| is_pure(file)).flat_map(named));
    for line in &wrong {
        say::error(line);
    }
    if !wrong.is_empty() {
        bail!("purity: broken in {} places", wrong.len());
    }
    Ok(())
}

/// What a dependency tree, one crate or feature a line, holds that it should not.
fn reached(tree: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in tree.lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        if IMPURE_CRATES.contains(&name) {
            found.push(format!("`{name}`"));
        }
        if let Some(feature) = IMPURE_FEATURES
            .iter()
            .find(|feature| line.starts_with(**feature))
        {
            found.push(format!("`{feature}`"));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn is_pure(file: &File) -> bool {
    let inside = |name: &&str| file.path.starts_with(&format!("crates/{name}/src/"));
    file.is("rs")
        && file.stem() != "tests"
        && !file.path.contains("/tests/")
        && PURE.iter().any(inside)
}

/// The impure paths that a source names outside its tests, which stand at its end.
fn named(file: &File) -> Vec<String> {
    let product = file.text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut found = Vec::new();
    for (number, line) in product.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for path in IMPURE_PATHS.iter().filter(|path| line.contains(**path)) {
            let place = format!("{}:{}", file.path, number + 1);
            found.push(format!(
                "{place}: `{path}` in a pure crate: make it an argument"
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_is_found_by_its_whole_name_and_a_feature_by_its_own() {
        let tree = "assize-sim v0.1.0 (/a)\ntokio v1.2.3\ntokio v1.2.3 (*)\ntime-core v0.1.0\n\
            rand_chacha v0.10.0\njiff feature \"std\"\njiff feature \"tz-system\" (*)\n";
        assert_eq!(reached(tree), ["`jiff feature \"tz-system\"`", "`tokio`"]);
    }

    #[test]
    fn a_clock_is_found_in_the_product_and_not_in_its_tests() {
        let text = "//! A.\n// std::time::Instant is forbidden here.\nlet t = std::time::Instant::now();\n\
            #[cfg(test)]\nmod tests { use std::fs; }\n";
        let file = File {
            path: "crates/sim/src/a.rs".to_owned(),
            text: text.to_owned(),
        };
        assert!(is_pure(&file));
        assert_eq!(
            named(&file),
            ["crates/sim/src/a.rs:3: `std::time::Instant` in a pure crate: make it an argument"]
        );
    }

    #[test]
    fn the_edge_is_not_asked_to_be_pure() {
        let file = |path: &str| File {
            path: path.to_owned(),
            text: String::new(),
        };
        assert!(!is_pure(&file("crates/cli/src/main.rs")));
        assert!(!is_pure(&file("crates/sim/src/tests.rs")));
        assert!(!is_pure(&file("crates/simulator/src/a.rs")));
    }
}
