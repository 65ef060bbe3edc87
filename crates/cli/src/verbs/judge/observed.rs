//! A real incident: outages in CSV, or what Prometheus answers, judged by the same judge and held
//! against a contract.

use super::Arguments;
use crate::Console;
use crate::disk;
use crate::engine::{self, ContractFile, TopologyFile, in_words};
use crate::exit::{Exit, Failure};
use crate::verbs::{credits, simulate};
use assize_evidence::redact::Redactor;
use assize_model::calendar::{Calendar, Holidays};
use assize_model::contract::{Record, reckon};
use assize_model::observed::{self, Frame, Observed};
use assize_report::{Run, Suite};
use jiff::Timestamp;
use std::path::{Path, PathBuf};

/// What was observed, and what it is held against.
#[derive(Debug, clap::Args)]
pub(super) struct Incident {
    /// Judge a real incident instead: outages in CSV, or the answer of Prometheus to a range query.
    #[arg(long, env = "ASSIZE_OBSERVED", value_name = "FILE", conflicts_with_all = ["scenario", "journal", "bind"])]
    pub(super) observed: Option<PathBuf>,
    /// The contract whose levels the incident is held against.
    #[arg(
        long,
        env = "ASSIZE_CONTRACT",
        value_name = "FILE",
        requires = "observed"
    )]
    contract: Option<PathBuf>,
    /// The topology whose users, journeys, owners and objectives the rows name.
    #[arg(
        long,
        env = "ASSIZE_TOPOLOGY",
        value_name = "FILE",
        requires = "observed"
    )]
    topology: Option<PathBuf>,
    /// When observation began. Unless given, with the month of the first row if there is a
    /// contract, else with the first row.
    #[arg(
        long,
        env = "ASSIZE_FROM",
        value_name = "INSTANT",
        requires = "observed"
    )]
    from: Option<String>,
    /// When observation ended; likewise.
    #[arg(long, env = "ASSIZE_TO", value_name = "INSTANT", requires = "observed")]
    to: Option<String>,
}

pub(super) fn run(
    file: &Path,
    arguments: &Arguments,
    console: &mut Console<'_>,
) -> Result<Exit, Failure> {
    let incident = &arguments.incident;
    let sets = &arguments.sets.sets;
    if !sets.is_empty() && incident.topology.is_none() {
        let text = "`--set` changes a topology\n = help: give one with `--topology FILE`";
        return Err(Failure::Usage(text.into()));
    }
    let contract = incident.contract.as_deref();
    let contract = contract
        .map(|path| engine::contract(path, &[], &Redactor::default()))
        .transpose()?;
    let topology = incident.topology.as_deref();
    let topology = topology
        .map(|path| engine::topology(path, sets))
        .transpose()?;
    let calendar = calendar(topology.as_ref(), contract.as_ref());
    let observed = read(file, &calendar)?;
    let frame = Frame {
        topology: topology.as_ref().map(|file| &file.topology),
        contract: contract.as_ref().map(|file| &file.contract),
        from: instant(&calendar, incident.from.as_deref())?,
        to: instant(&calendar, incident.to.as_deref())?,
    };
    let mut outcome = observed::judge(&observed, frame)?;
    let warnings = topology.iter().flat_map(|file| &file.warnings);
    let warnings = warnings.chain(contract.iter().flat_map(|file| &file.warnings));
    outcome.warnings.extend(warnings.map(in_words));
    if let Some(file) = &contract {
        let verdict = serde_json::to_value(&outcome)
            .map_err(|error| Failure::Usage(format!("the verdict cannot be written: {error}")))?;
        let record = Record::read(&verdict)
            .map_err(|why| Failure::Usage(format!("what was observed {why}")))?;
        outcome.contract = Some(reckon(&file.contract, &record));
    }
    let credits = outcome.contract.clone();
    let suite = Suite {
        runs: vec![Run::Judged(Box::new(outcome))],
        ..Suite::default()
    };
    if arguments.report.format == "table" {
        credits::print(credits.as_slice(), console)?;
    }
    simulate::print(&suite, &arguments.report, console)
}

/// The calendar of local instants: the topology's, else the contract's, else UTC.
fn calendar(topology: Option<&TopologyFile>, contract: Option<&ContractFile>) -> Calendar {
    let of_contract = || contract.map(|file| file.contract.calendar.clone());
    let own = topology.map(|file| file.topology.calendar.clone());
    own.or_else(of_contract).unwrap_or(Calendar {
        zone: jiff::tz::TimeZone::UTC,
        holidays: Holidays::None,
    })
}

fn read(file: &Path, calendar: &Calendar) -> Result<Observed, Failure> {
    let text = disk::foreign(file)?;
    let name = file.display().to_string();
    let json = text.trim_start().starts_with('{');
    Ok(if json {
        observed::read_prometheus(&name, &text)?
    } else {
        observed::read_csv(&name, &text, calendar)?
    })
}

fn instant(calendar: &Calendar, text: Option<&str>) -> Result<Option<Timestamp>, Failure> {
    let read = |text: &str| {
        calendar
            .timestamp(text)
            .map_err(|help| Failure::Usage(format!("`{text}` is no instant\n = help: {help}")))
    };
    text.map(read).transpose()
}
