//! What the simulator costs: `cargo xtask bench sim`.
//!
//! Four questions, each with its goal: events per second beside a bare heap loop in the same run;
//! the replay of January 2019 as a whole process; runs per second of a data-centre loss over a
//! day; and the cost of more sites. It judges nothing and fails on no figure: machines differ.

mod engine;
mod heap;
mod measure;
mod process;
mod rate;
mod say;
mod sites;

use std::process::ExitCode;

const USAGE: &str = "usage: assize-bench sim [--rounds N]     (N at least 1; 7 unless given)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let rounds = match args.as_slice() {
        ["sim"] => Some(7),
        ["sim", "--rounds", n] => n.parse().ok().filter(|n| *n >= 1),
        _ => None,
    };
    let Some(rounds) = rounds else {
        say::error(USAGE);
        return ExitCode::from(2);
    };
    match sim(rounds) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::error(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn sim(rounds: usize) -> anyhow::Result<()> {
    rate::run(rounds)?;
    process::run(rounds)?;
    sites::run(rounds)
}
