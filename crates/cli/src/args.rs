//! The arguments that verbs share. Each verb's own stand in its file.

use crate::reports::Report;
use crate::verbs::Verb;
use clap::builder::PossibleValuesParser;
use clap::{Args, Parser, ValueEnum};

/// Puts a network on trial: states what must hold, breaks things on purpose, measures, and
/// gives a verdict with the evidence.
///
/// Exit codes: 0 pass, 1 an objective missed, 2 bad input or usage, 3 inconclusive, 4 the run
/// could not be carried out. Every flag can also be set in the environment, as ASSIZE_ and its
/// name in capitals.
#[derive(Debug, Parser)]
#[command(
    name = "assize",
    version,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub(crate) struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
    /// When to colour; `auto` is on a terminal, and never if NO_COLOR is set.
    #[arg(
        long,
        global = true,
        env = "ASSIZE_COLOR",
        default_value = "auto",
        value_name = "WHEN"
    )]
    pub(crate) color: Color,
}

/// When to colour.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// In any case.
    Always,
    /// In no case.
    Never,
}

impl Color {
    /// Whether to colour, given what the terminal and the environment suggest.
    pub(crate) const fn decide(self, suggested: bool) -> bool {
        match self {
            Self::Auto => suggested,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// How a verdict is printed.
#[derive(Clone, Debug, Args)]
pub(crate) struct ReportArgs {
    /// How to print.
    #[arg(
        long, env = "ASSIZE_FORMAT", default_value = "table",
        value_parser = report_formats(), value_name = "FORMAT"
    )]
    pub(crate) format: String,
    /// Print every row, reason and assumption.
    #[arg(long, short, env = "ASSIZE_VERBOSE", value_parser = flag(), num_args = 0)]
    pub(crate) verbose: bool,
    /// Write a report into a file too, such as `html=report.html` or `junit=report.xml`; as often
    /// as wanted. In the environment, one per line.
    #[arg(
        long = "report",
        env = "ASSIZE_REPORT",
        value_name = "FORMAT=FILE",
        value_parser = crate::reports::parse,
        value_delimiter = '\n'
    )]
    pub(crate) reports: Vec<Report>,
}

/// The names in the registry of formats.
fn report_formats() -> PossibleValuesParser {
    let values = assize_report::formats::REGISTRY
        .iter()
        .map(|format| clap::builder::PossibleValue::new(format.name).help(format.about));
    PossibleValuesParser::new(values)
}

/// A flag whose variable may be `1`, `true`, `yes`, `on`, or the reverse.
pub(crate) fn flag() -> clap::builder::BoolishValueParser {
    clap::builder::BoolishValueParser::new()
}

/// Variations of a file.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct SetArgs {
    /// Try a variation: a path in the file and a YAML value, such as
    /// `timeline.dc.for=4h` or `services.db.failover=null`. In the environment, one per line.
    #[arg(
        long = "set",
        env = "ASSIZE_SET",
        value_name = "PATH=VALUE",
        value_delimiter = '\n'
    )]
    pub(crate) sets: Vec<String>,
}

/// The seed, and how much of the machine to use.
#[derive(Clone, Debug, Args)]
pub(crate) struct EngineArgs {
    /// The seed of everything random. The same seed gives the same bytes.
    #[arg(long, env = "ASSIZE_SEED", default_value_t = 0, value_name = "N")]
    pub(crate) seed: u64,
    /// How many threads to use; all processors unless given. Changes no figure.
    #[arg(long, env = "ASSIZE_THREADS", value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

impl EngineArgs {
    /// Threads to use.
    pub(crate) fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(all, usize::from)
    }
}

/// `table` or `json`, for verbs that judge nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Plain {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_is_also_a_variable() {
        let command = Cli::command();
        let mut seen = 0;
        for verb in command.get_subcommands().chain([&command]) {
            for arg in verb.get_arguments() {
                let Some(long) = arg.get_long().filter(|l| !["help", "version"].contains(l)) else {
                    continue;
                };
                let variable = format!("ASSIZE_{}", long.to_uppercase().replace('-', "_"));
                let got = arg.get_env().and_then(|e| e.to_str());
                assert_eq!(got, Some(variable.as_str()), "{} --{long}", verb.get_name());
                seen += 1;
            }
        }
        assert!(seen > 20, "{seen}");
    }
}
