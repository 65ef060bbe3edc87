//! `cargo xtask pages`: reports as their readers see them. Pages are made of shipped scenarios,
//! parsed strictly, and laid out by a headless Chromium at the width of a desk and a telephone, in
//! light and dark, and on paper; JUnit is validated against its schema.
//!
//! What is looked at is in `tests/pages`. Pictures and PDFs are left in `target/pages`, for people.

use crate::{python, say, shell};
use anyhow::{Context, Result, bail};
use std::path::PathBuf;
use std::process::Command;

/// Pages, and the command that each is made by.
const PAGES: &[(&str, &[&str])] = &[
    (
        "january-2019",
        &["simulate", "topologies/moj/scenarios/january-2019.yaml"],
    ),
    (
        "data-centre-loss",
        &["simulate", "topologies/moj/scenarios/data-centre-loss.yaml"],
    ),
    (
        "contract",
        &[
            "simulate",
            "topologies/moj/scenarios/data-centre-loss.yaml",
            "--topology",
            "topologies/moj/moj-resilient.yaml",
            "--contract",
            "contracts/model-services.yaml",
        ],
    ),
    (
        "corruption",
        &[
            "simulate",
            "topologies/moj/scenarios/juror-db-corruption.yaml",
        ],
    ),
    ("suite", &["simulate", "tests/scenarios"]),
    (
        "inconclusive",
        &["simulate", "tests/scenarios/must-stay-open.yaml"],
    ),
    ("live", &["report", "tests/stored/journal-v1"]),
];

/// The replay of nine days and 988 sites is to stay below this.
const MOST: u64 = 2_000_000;

/// What this machine needs, and how to get it.
const NEEDS: &[(&str, &str)] = &[
    (
        "python3",
        "python3 with venv: `apt-get install python3-venv`",
    ),
    ("node", "node 18 or later: `apt-get install nodejs`"),
    (
        "chromium",
        "Chromium: `apt-get install --yes chromium`, which `cargo xtask ci` does as root",
    ),
];

/// Why the pages cannot be looked at on this machine; none if they can. Root gets a missing
/// Chromium installed.
pub(crate) fn missing() -> Option<String> {
    let lacks = |program: &str| shell::output(Command::new(program).arg("--version")).is_err();
    if lacks("chromium") && is_root() {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "--yes", "--quiet", "chromium"]);
        // What came of it is asked below.
        let _ = shell::output(apt.env("DEBIAN_FRONTEND", "noninteractive"));
    }
    let mut needs = NEEDS.iter().filter(|(program, _)| lacks(program));
    needs.next().map(|(_, how)| format!("it needs {how}"))
}

fn is_root() -> bool {
    shell::stdout(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

/// Makes the pages and looks at them.
pub(crate) fn run() -> Result<()> {
    if let Some(why) = missing() {
        bail!(why);
    }
    let folder = shell::root().join("target/pages");
    std::fs::create_dir_all(&folder)?;
    let python = python::with(&folder, &scripts().join("requirements.txt"))?;
    let mut parse = Command::new(python);
    parse.arg("-B").arg(scripts().join("parse.py"));
    parse.arg(scripts().join("junit.xsd"));
    let profile = folder.join("profile");
    let _ = std::fs::remove_dir_all(&profile);
    let mut look = Command::new("node");
    look.arg(scripts().join("look.cjs")).arg("chromium");
    look.args([&profile, &folder]);
    for (name, command) in PAGES {
        let file = |ending: &str| folder.join(format!("{name}.{ending}"));
        let (html, junit) = (file("html"), file("xml"));
        let reports = [
            format!("html={}", html.display()),
            format!("junit={}", junit.display()),
        ];
        let mut assize = shell::assize(command);
        for report in &reports {
            assize.args(["--report", report]);
        }
        // Missed targets are what the pages are about; whether there is a page is seen below.
        shell::output(&mut assize)?;
        let size = std::fs::metadata(&html)
            .with_context(|| format!("there is no page of {name}"))?
            .len();
        say::line(&format!("    {name}: {size} bytes"));
        if size > MOST {
            bail!("the page of {name} has {size} bytes, and {MOST} is the most");
        }
        look.arg(format!("{name}={}", html.display()));
        parse.args([html, junit]);
    }
    shell::run(&mut parse)?;
    let looked = shell::run(&mut look);
    let _ = std::fs::remove_dir_all(&profile);
    looked
}

fn scripts() -> PathBuf {
    shell::root().join("tests/pages")
}
