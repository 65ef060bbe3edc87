//! `assize credits`: what a contract makes of a run or an observed incident, clause by clause.

use crate::Console;
use crate::args::{Plain, SetArgs};
use crate::engine::{self, in_words};
use crate::exit::{self, Exit, Failure};
use crate::stored;
use assize_evidence::redact::Redactor;
use assize_model::contract::{Credits, Record, reckon};
use serde_json::json;
use std::path::PathBuf;

/// Say what a contract makes of a run: each service level with its arithmetic, and the credits.
///
/// Exit codes: 0 every level is met, 1 one is missed or a critical failure happened, 2 a file is
/// wrong, 3 some figure could not be decided.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A verdict or a suite in JSON (`--format json`, or `verdict.json`), the folder of a run, or
    /// an evidence pack.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The contract (`assize: contract/v1`), or a topology that states one.
    #[arg(long, env = "ASSIZE_CONTRACT", value_name = "FILE")]
    contract: PathBuf,
    #[command(flatten)]
    sets: SetArgs,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Plain,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let contract = engine::contract(
        &arguments.contract,
        &arguments.sets.sets,
        &Redactor::default(),
    )?;
    for warning in &contract.warnings {
        console.say(&format!("warning: {}", in_words(warning)));
    }
    let mut all = Vec::new();
    for verdict in stored::verdicts(&arguments.run)? {
        let record = Record::read(&verdict)
            .map_err(|why| Failure::Usage(format!("`{}` {why}", arguments.run.display())))?;
        all.push(reckon(&contract.contract, &record));
    }
    let exit = exit_of(&all);
    let written = match arguments.format {
        Plain::Json => {
            let value = match all.as_slice() {
                [one] => json!(one),
                several => json!({"schema": "assize/credits-suite/v1", "runs": several}),
            };
            writeln!(console.out, "{value:#}").map_err(Failure::from)
        }
        Plain::Table => print(&all, console),
    };
    exit::unless_closed(written, exit)
}

/// Prints what a contract makes of each run.
pub(crate) fn print(all: &[Credits], console: &mut Console<'_>) -> Result<(), Failure> {
    let style = console.style(false);
    for credits in all {
        assize_report::credits::write(credits, &style, console.out)?;
    }
    Ok(())
}

/// The worst of them.
pub(crate) fn exit_of(all: &[Credits]) -> Exit {
    if all.iter().any(Credits::missed) {
        Exit::Missed
    } else if all.iter().any(Credits::undecided) {
        Exit::Inconclusive
    } else {
        Exit::Pass
    }
}
