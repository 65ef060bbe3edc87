//! What the simulator, the proxy and live runs cost: `cargo xtask bench sim`, `bench proxy` and
//! `bench live`.
//!
//! The proxy has a folder of its own, live runs a file. The simulator has four parts, each bounded in time: events per second beside a bare heap loop in the same run;
//! runs per second of a data-centre loss over a day; the replay of January 2019 as a whole
//! process; and the cost of more sites. It judges nothing and fails on no figure: machines
//! differ. What it is doing goes to standard error, the table of results to standard output.

mod analysis;
mod engine;
mod heap;
mod live;
mod measure;
mod process;
mod proxy;
mod rate;
mod say;
mod sites;
mod soak;
mod storm;
mod table;

use std::process::ExitCode;
use table::Table;

const USAGE: &str = "\
usage: assize-bench sim [--rounds N] [PART]...
  N     at least 1; 7 unless given
  PART  events, day, replay or sites; all of them unless given
or:    assize-bench proxy [--rounds N] [--toxiproxy PATH] [PART]...
  N     at least 1; 5 unless given
  PATH  the server of Toxiproxy, to be compared too
  PART  bulk, ping, connections, idle, faults, rates or cuts; all of them unless given
or:    assize-bench live [--rounds N] [--flows N] [--rate N]
  N     rounds of both arms, at least 1: 5 unless given; flows: 2000; requests per second: 5000
or:    assize-bench analyse TOPOLOGY [DATA]
  DATA  a folder with published networks in topology-zoo/
or:    assize-bench soak MINUTES SEED";

/// A part: its name, and what measures it in so many rounds.
type Part = (&'static str, fn(usize, &mut Table) -> anyhow::Result<()>);

const PARTS: &[Part] = &[
    ("events", rate::events),
    ("day", rate::day),
    ("replay", process::run),
    ("sites", sites::run),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let other = match args.as_slice() {
        ["proxy", rest @ ..] => proxy::Order::read(rest).map(|order| proxy::run(&order)),
        ["live", rest @ ..] => live::Order::read(rest).map(|order| live::run(&order)),
        ["analyse", topology] => Some(analysis::run(None, topology)),
        ["analyse", topology, data] => Some(analysis::run(Some(data), topology)),
        ["soak", minutes, seed] => match (minutes.parse(), seed.parse()) {
            (Ok(minutes), Ok(seed)) => Some(soak::run(minutes, seed)),
            _ => None,
        },
        _ => None,
    };
    if let Some(done) = other {
        return match done {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                say::progress(&format!("error: {error:#}"));
                ExitCode::FAILURE
            }
        };
    }
    let Some((rounds, parts)) = read(&args) else {
        say::progress(USAGE);
        return ExitCode::from(2);
    };
    let mut table = Table::default();
    for (name, part) in parts {
        say::progress(name);
        if let Err(error) = part(rounds, &mut table) {
            say::progress(&format!("error: {name}: {error:#}"));
            return ExitCode::FAILURE;
        }
    }
    table.print();
    ExitCode::SUCCESS
}

/// Rounds and parts, in the order of the table; none if the arguments make no sense.
fn read(args: &[&str]) -> Option<(usize, Vec<Part>)> {
    let (rounds, names) = match args {
        ["sim", "--rounds", n, names @ ..] => (n.parse().ok().filter(|n| *n >= 1)?, names),
        ["sim", names @ ..] => (7, names),
        _ => return None,
    };
    if names.iter().any(|n| PARTS.iter().all(|p| p.0 != *n)) {
        return None;
    }
    let chosen = |part: &&Part| names.is_empty() || names.contains(&part.0);
    Some((rounds, PARTS.iter().filter(chosen).copied().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_make_no_sense_are_refused() {
        let names = |args: &[&str]| {
            read(args).map(|(n, parts)| (n, parts.iter().map(|p| p.0).collect::<Vec<_>>()))
        };
        let all = vec!["events", "day", "replay", "sites"];
        assert_eq!(names(&["sim"]), Some((7, all)));
        assert_eq!(
            names(&["sim", "--rounds", "2", "sites", "day"]),
            Some((2, vec!["day", "sites"]))
        );
        for wrong in [
            &[] as &[&str],
            &["nothing"],
            &["sim", "--rounds", "0"],
            &["sim", "nonsense"],
        ] {
            assert_eq!(names(wrong), None, "{wrong:?}");
        }
    }
}
