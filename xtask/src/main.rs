//! The project's own tasks: `cargo xtask VERB`.
//!
//! One file per verb. Nothing here is part of the product, and nothing of the product is linked
//! in: what the tasks need of `assize` they get by running it, as a user would.

use std::process::ExitCode;

mod bench;
mod ci;
mod clients;
mod codegen;
mod conformance;
mod determinism;
mod golden;
mod new_fault;
mod pages;
mod purity;
mod pyntm;
mod python;
mod say;
mod seeds;
mod shell;
mod slurm;
mod soak;
mod steps;
mod tidy;
mod tree;

const USAGE: &str = "\
cargo xtask VERB

  ci [--full]         everything that must hold before a change lands; --full adds what is long
  tidy                the rules of the source tree that no compiler checks
  purity              the pure crates reach no clock, socket, file or global randomness
  determinism         the same bytes again, on one thread and on two, in another time zone
  codegen [--check]   write (or compare) the files generated from the source
  clients             clients of Toxiproxy from PyPI and npm against `assize proxy`, and
                      securesystemslib on an evidence pack
  pages               reports in a headless Chromium, on desk, telephone and paper, and parsed
  pyntm               loads under failure beside an independent model from PyPI
  slurm               a sweep as an array job on a Slurm of its own, one task killed
  conformance [--assize PATH]
                      every kind of fault through `assize run`, beside its prediction:
                      docs/CONFORMANCE.md
  golden [--bless]    compare (or accept) the golden output of the tests
  bench sim [--rounds N] [PART]...
                      what the simulator costs, beside a bare heap loop on this machine
  bench proxy [--rounds N] [--toxiproxy PATH] [PART]...
                      what the proxy costs and how exact it is, beside other proxies
  bench live [--rounds N] [--flows N] [--rate N]
                      what un-faulted proxies add to the requests of a live run
  bench analyse [--data DIR]
                      sweeps beside union-find from scratch, pairs of a topology, growth with sites
  seeds               live runs with ten seeds come to the verdict that is predicted
  soak proxy --minutes N [--seed N]
                      random traffic, faults that come and go, every byte checked
  new fault NAME      a new fault on elements: its file and its registry lines";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match args.as_slice() {
        [] | ["help" | "--help" | "-h"] => {
            say::line(USAGE);
            return ExitCode::SUCCESS;
        }
        ["ci"] => ci::run(false),
        ["ci", "--full"] => ci::run(true),
        ["tidy"] => tidy::run(),
        ["purity"] => purity::run(),
        ["determinism"] => determinism::run(),
        ["codegen"] => codegen::run(codegen::Mode::Write),
        ["codegen", "--check"] => codegen::run(codegen::Mode::Check),
        ["clients"] => clients::run(),
        ["clients", "inside"] => clients::inside(),
        ["pages"] => pages::run(),
        ["pyntm"] => pyntm::run(),
        ["slurm"] => slurm::run(),
        ["conformance"] => conformance::run(None),
        ["conformance", "--assize", program] => conformance::run(Some(program)),
        ["golden"] => golden::run(golden::Mode::Compare),
        ["golden", "--bless"] => golden::run(golden::Mode::Bless),
        ["bench", what @ ("sim" | "proxy" | "live"), rest @ ..] => bench::run(what, rest),
        ["bench", "analyse"] => bench::run("analyse", &[bench::TOPOLOGY]),
        ["bench", "analyse", "--data", data] => bench::run("analyse", &[bench::TOPOLOGY, data]),
        ["seeds"] => seeds::run(),
        ["soak", "proxy", "--minutes", minutes] => soak::run(minutes, None),
        ["soak", "proxy", "--minutes", minutes, "--seed", seed] => soak::run(minutes, Some(seed)),
        ["new", "fault", name] => new_fault::run(name),
        _ => {
            say::error(&format!(
                "error: `cargo xtask {}` is no task\n\n{USAGE}",
                args.join(" ")
            ));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
