//! `cargo xtask determinism`: the same files give the same bytes.
//!
//! Every topology of `topologies/` is simulated over every scenario beside it: again, on one
//! thread and on two, and under another time zone and locale. Output and exit code must agree.

use crate::{say, shell, tree};
use anyhow::{Context, Result, bail};
use std::process::Command;

/// One way of running a suite.
struct Way {
    what: &'static str,
    threads: &'static str,
    vars: &'static [(&'static str, &'static str)],
}

/// The ways in which each suite is run; the first is what the others are compared with.
const WAYS: &[Way] = &[
    Way {
        what: "on one thread",
        threads: "1",
        vars: &[],
    },
    Way {
        what: "again on one thread",
        threads: "1",
        vars: &[],
    },
    Way {
        what: "on two threads",
        threads: "2",
        vars: &[],
    },
    Way {
        what: "on two threads in another time zone",
        threads: "2",
        vars: &[("TZ", "Pacific/Auckland"), ("LC_ALL", "tr_TR.UTF-8")],
    },
];

/// Simulates every suite in every way.
pub(crate) fn run() -> Result<()> {
    let suites = suites()?;
    if suites.is_empty() {
        bail!("there is no folder `scenarios` below topologies/: nothing was compared");
    }
    for suite in &suites {
        let name = suite.join(" ");
        let mut first: Option<Outcome> = None;
        for Way {
            what: way,
            threads,
            vars,
        } in WAYS
        {
            let mut command = shell::assize(&["simulate", "--format", "json"]);
            command
                .args(suite)
                .args(["--threads", threads])
                .envs(vars.iter().copied());
            let outcome = outcome(&mut command).with_context(|| format!("{name}, {way}"))?;
            match &first {
                None => first = Some(outcome),
                Some(first) => {
                    compare(first, &outcome).with_context(|| format!("{name}, {way}"))?
                }
            }
        }
        let bytes = first.map_or(0, |outcome| outcome.bytes.len());
        say::line(&format!(
            "    {name}: {bytes} bytes, the same in {} runs",
            WAYS.len()
        ));
    }
    Ok(())
}

struct Outcome {
    bytes: Vec<u8>,
    code: Option<i32>,
}

fn outcome(command: &mut Command) -> Result<Outcome> {
    let output = shell::output(command)?;
    let code = output.status.code();
    // 0, 1 and 3 are verdicts; anything else means that there is nothing to compare.
    if !matches!(code, Some(0 | 1 | 3)) {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{}` ended with {}\n{}",
            shell::text(command),
            output.status,
            said.trim_end()
        );
    }
    Ok(Outcome {
        bytes: output.stdout,
        code,
    })
}

fn compare(a: &Outcome, b: &Outcome) -> Result<()> {
    if a.code != b.code {
        bail!("exit code {:?} instead of {:?}", b.code, a.code);
    }
    if a.bytes == b.bytes {
        return Ok(());
    }
    let (a, b) = (
        String::from_utf8_lossy(&a.bytes),
        String::from_utf8_lossy(&b.bytes),
    );
    let (mut a, mut b) = (a.lines(), b.lines());
    let mut number = 1;
    loop {
        match (a.next(), b.next()) {
            (Some(x), Some(y)) if x == y => number += 1,
            (x, y) => bail!(
                "line {number} of the output differs\n  first: {}\n  now:   {}",
                x.map_or("(the end)", str::trim),
                y.map_or("(the end)", str::trim),
            ),
        }
    }
}

/// The arguments of each suite: a folder with the topologies that its scenarios name, and the
/// same folder with each topology of that folder in their place.
fn suites() -> Result<Vec<Vec<String>>> {
    let files = tree::read(&shell::root().join("topologies"))?;
    let mut folders: Vec<&str> = files
        .iter()
        .filter_map(|file| file.folder().strip_suffix("/scenarios"))
        .collect();
    folders.dedup();
    let mut suites = Vec::new();
    for folder in folders {
        let scenarios = format!("topologies/{folder}/scenarios");
        suites.push(vec![scenarios.clone()]);
        for file in files.iter().filter(|file| file.folder() == folder) {
            if file
                .text
                .lines()
                .any(|line| line.trim_end() == "assize: topology/v1")
            {
                let topology = format!("topologies/{}", file.path);
                suites.push(vec![scenarios.clone(), "--topology".to_owned(), topology]);
            }
        }
    }
    Ok(suites)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, code: i32) -> Outcome {
        Outcome {
            bytes: text.as_bytes().to_vec(),
            code: Some(code),
        }
    }

    fn difference(a: &Outcome, b: &Outcome) -> String {
        compare(a, b).map_or_else(|error| error.to_string(), |()| "none".to_owned())
    }

    #[test]
    fn the_first_line_that_differs_is_named() {
        assert_eq!(difference(&of("a\nb\n", 0), &of("a\nb\n", 0)), "none");
        let said = difference(&of("a\nb\n", 0), &of("a\nc\n", 0));
        assert!(
            said.contains("line 2 of the output differs\n  first: b\n  now:   c"),
            "{said}"
        );
        let said = difference(&of("a\n", 0), &of("a\nb\n", 0));
        assert!(
            said.contains("line 2") && said.contains("first: (the end)"),
            "{said}"
        );
    }

    #[test]
    fn an_exit_code_that_differs_is_a_difference() {
        assert!(difference(&of("a\n", 0), &of("a\n", 1)).contains("exit code Some(1)"));
    }

    #[test]
    fn a_missing_line_feed_at_the_end_is_a_difference() {
        assert_ne!(difference(&of("a\n", 0), &of("a", 0)), "none");
    }
}
