//! `assize heartbeat`: one dated row in a production database, kept fresh.

use crate::Console;
use crate::exit::{Exit, Failure};
use assize_fault::Nanos;
use assize_live::Stop;
use std::time::Duration;

/// Keep one dated row in a database, so that a drill can prove how old a backup of it is.
///
/// Writes the row `assize.heartbeat` and touches nothing else; SIGINT and SIGTERM end it with exit
/// code 0. A beat that fails is said, and the next one is tried.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The environment variable that holds the data source, as `env:DB_URL`. A data source itself
    /// would stand in the list of processes.
    #[arg(long, env = "ASSIZE_DSN", value_name = "env:NAME", value_parser = variable)]
    dsn: String,
    /// How often.
    #[arg(long, env = "ASSIZE_EVERY", default_value = "1m", value_name = "DURATION", value_parser = every)]
    every: Duration,
    /// End after so many beats.
    #[arg(long, env = "ASSIZE_TIMES", value_name = "N")]
    times: Option<u64>,
}

fn variable(text: &str) -> Result<String, String> {
    match text.strip_prefix("env:") {
        Some(name) if !name.is_empty() => Ok(name.to_string()),
        // The text is not repeated by us; it may be a secret.
        _ => Err("name the environment variable that holds it, as `env:DB_URL`".into()),
    }
}

fn every(text: &str) -> Result<Duration, String> {
    let every = Nanos::parse(text)?;
    match u64::try_from(every.0) {
        Ok(nanos) if nanos >= 1_000_000_000 => Ok(Duration::from_nanos(nanos)),
        _ => Err("at least 1s".into()),
    }
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let source = std::env::var(&arguments.dsn).map_err(|_| {
        Failure::Usage(format!(
            "the environment variable {} is not set",
            arguments.dsn
        ))
    })?;
    let stop = Stop::default();
    assize_live::on_signal(&stop).map_err(|refused| Failure::World(refused.to_string()))?;
    let mut beating = None;
    let beaten = assize_live::heartbeat(
        &source,
        arguments.every,
        arguments.times,
        &stop,
        &mut |beat| {
            // Only what changes is worth a line.
            if beating != Some(beat.is_ok()) {
                beating = Some(beat.is_ok());
                console.say(&match beat {
                    Ok(()) => "beating".to_string(),
                    Err(why) => format!("a beat failed: {why}"),
                });
            }
        },
    );
    match beaten {
        Ok(()) => Ok(Exit::Pass),
        Err(refused) => Err(Failure::World(format!("{}: {refused}", arguments.dsn))),
    }
}
