//! `cargo xtask ci`: everything that must hold before a change lands, in the order in which it
//! fails soonest.
//!
//! It needs cargo with rustfmt and clippy, and the registry of crates. What else a step needs and
//! this machine lacks (Python and Node for the clients of Toxiproxy and for reports, Chromium for
//! reports, which root gets installed), it names and leaves out.
//! `--full` adds what takes long.

use crate::shell::{self, cargo};
use crate::steps::Steps;
use crate::{
    clients, codegen, conformance, determinism, pages, purity, pyntm, python, seeds, slurm, soak,
    tidy,
};
use anyhow::Result;

/// How many cases each property is tried on by `--full`; the default of proptest is 256.
const CASES: &str = "4096";

/// How many random networks `--full` carries out in virtual time; the test's own number is 50.
const SEEDS: &str = "1000";

/// Takes every step; stops at the first that fails.
pub(crate) fn run(full: bool) -> Result<()> {
    let mut ci = Steps::begin(if full { "ci --full" } else { "ci" });
    ci.step("fmt", "cargo fmt --all --check", || {
        shell::run(&mut cargo(&["fmt", "--all", "--check"]))
    })?;
    ci.step("tidy", "cargo xtask tidy", tidy::run)?;
    ci.step("purity", "cargo xtask purity", purity::run)?;
    ci.step(
        "clippy",
        "cargo clippy --workspace --all-targets -- -D warnings",
        || {
            let args = [
                "clippy",
                "--workspace",
                "--all-targets",
                "--",
                "-D",
                "warnings",
            ];
            shell::run(&mut cargo(&args))
        },
    )?;
    // All failures at once; and `no` keeps insta from writing new snapshots: a golden file that differs is a failure here.
    ci.step(
        "test",
        "INSTA_UPDATE=no cargo test --workspace --no-fail-fast",
        || {
            shell::run(
                cargo(&["test", "--workspace", "--no-fail-fast", "--quiet"])
                    .env("INSTA_UPDATE", "no"),
            )
        },
    )?;
    ci.step(
        "doc",
        "RUSTDOCFLAGS='-D warnings' cargo doc --no-deps --workspace",
        || {
            let mut command = cargo(&["doc", "--quiet", "--no-deps", "--workspace"]);
            shell::run(command.env("RUSTDOCFLAGS", "-D warnings"))
        },
    )?;
    ci.step("codegen", "cargo xtask codegen --check", || {
        codegen::run(codegen::Mode::Check)
    })?;
    ci.step("determinism", "cargo xtask determinism", determinism::run)?;
    match clients::missing() {
        None => ci.step("clients", "cargo xtask clients", clients::run)?,
        Some(why) => ci.skip("clients", &why),
    }
    match pages::missing() {
        None => ci.step("pages", "cargo xtask pages", pages::run)?,
        Some(why) => ci.skip("pages", &why),
    }
    if full {
        long(&mut ci)?;
    }
    ci.end();
    Ok(())
}

fn long(ci: &mut Steps) -> Result<()> {
    let again = format!("PROPTEST_CASES={CASES} cargo test --workspace --release");
    ci.step("properties", &again, || {
        let mut command = cargo(&["test", "--workspace", "--release", "--quiet"]);
        shell::run(
            command
                .env("INSTA_UPDATE", "no")
                .env("PROPTEST_CASES", CASES),
        )
    })?;
    let again = "ASSIZE_PLAIN_RUNS=20 cargo test -p assize-tests live::anyone -- --test-threads=1";
    ci.step("plain servers", again, || {
        let plain = [
            "-p",
            "assize-tests",
            "live::anyone",
            "--",
            "--test-threads=1",
        ];
        let mut command = cargo(&["test"]);
        shell::run(command.args(plain).env("ASSIZE_PLAIN_RUNS", "20"))
    })?;
    if std::path::Path::new("/usr/lib/postgresql").is_dir() {
        let again =
            "ASSIZE_POSTGRES_TESTS=1 cargo test -p assize-tests live::pair -- --test-threads=1";
        ci.step("postgres", again, || {
            let pair = ["-p", "assize-tests", "live::pair", "--", "--test-threads=1"];
            let mut command = cargo(&["test"]);
            shell::run(command.args(pair).env("ASSIZE_POSTGRES_TESTS", "1"))
        })?;
    } else {
        ci.skip("postgres", "`apt-get install postgresql` brings it");
    }
    match python::missing() {
        None => ci.step("pyntm", "cargo xtask pyntm", pyntm::run)?,
        Some(why) => ci.skip("pyntm", &why),
    }
    match slurm::missing() {
        None => ci.step("slurm", "cargo xtask slurm", slurm::run)?,
        Some(why) => ci.skip("slurm", &why),
    }
    ci.step("soak", "cargo xtask soak proxy --minutes 1", || {
        soak::run("1", None)
    })?;
    ci.step("conformance", "cargo xtask conformance", || {
        conformance::run(None)
    })?;
    ci.step("seeds", "cargo xtask seeds", seeds::run)?;
    if shell::output(&mut cargo(&["deny", "--version"]))?
        .status
        .success()
    {
        ci.step("deny", "cargo deny --workspace check", || {
            shell::run(&mut cargo(&["deny", "--workspace", "check"]))
        })?;
    } else {
        ci.skip(
            "deny",
            "cargo-deny is not here; `cargo install --locked cargo-deny` installs it",
        );
    }
    let again = format!("ASSIZE_JOINT_SEEDS={SEEDS} cargo test --release -p assize-tests joint::");
    ci.step("joint", &again, || {
        let mut command = cargo(&["test", "--release", "-p", "assize-tests", "--quiet"]);
        shell::run(command.arg("joint::").env("ASSIZE_JOINT_SEEDS", SEEDS))
    })?;
    Ok(())
}
