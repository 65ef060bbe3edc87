//! `assize analyse`: what can break a network. Topologies, plain networks in GraphML, fault trees
//! in the Open-PSA format.

mod coverage;
mod sensitivity;
pub(super) mod table;
mod timed;

use crate::Console;
use crate::args::{Plain, SetArgs};
use crate::exit::{Exit, Failure};
use crate::{disk, engine};
use assize_analysis::design::{self, Question, Slice, Wanted};
use assize_analysis::{Failing, Limits, Report, Shard, analyse_graph, analyse_tree, graphml, opsa};
use assize_fault::Nanos;
use assize_model::Topology;
use clap::ValueEnum;
use std::path::{Path, PathBuf};

/// Say what can break it: single points, cut sets, availability, every combination of failures.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A topology, a network in GraphML (`.graphml`) or a fault tree in the Open-PSA format
    /// (`.xml`).
    file: PathBuf,
    /// What fails, in a GraphML network.
    #[arg(
        long,
        env = "ASSIZE_ELEMENTS",
        default_value = "links",
        value_name = "KIND"
    )]
    elements: Elements,
    /// What must hold, in a GraphML network.
    #[arg(
        long,
        env = "ASSIZE_OBJECTIVE",
        default_value = "connected",
        value_name = "NAME"
    )]
    objective: Objective,
    /// How many elements fail together, at most: of a topology all combinations of up to 2, and
    /// beyond that the most probable ones (`reliability:`) until little is left.
    #[arg(long, env = "ASSIZE_K", default_value_t = 2, value_name = "N",
          value_parser = clap::value_parser!(u8).range(0..=8))]
    k: u8,
    /// Beyond 2 elements, how much probability may stay unexplored.
    #[arg(long, env = "ASSIZE_UNEXPLORED", default_value_t = 1e-6, value_name = "P",
          value_parser = probability)]
    unexplored: f64,
    #[command(flatten)]
    depth: Depth,
    /// The gate of a fault tree to analyse; else the one that no other refers to.
    #[arg(long, env = "ASSIZE_TOP", value_name = "GATE")]
    top: Option<String>,
    /// What is down already, such as `core-n` during planned work; may be given several times.
    #[arg(
        long,
        env = "ASSIZE_DOWN",
        value_name = "ELEMENT",
        value_delimiter = ','
    )]
    down: Vec<String>,
    /// Judge at other demands too, such as `1.1,1.5` times the usual.
    #[arg(long, env = "ASSIZE_DEMAND", value_name = "FACTOR", value_delimiter = ',',
          value_parser = factor)]
    demand: Vec<u64>,
    /// Simulate an outage of this length of each element that there is once, and judge every
    /// target: recovery time, losses, backlog.
    #[arg(long, env = "ASSIZE_TIMED", value_name = "DURATION", value_parser = Nanos::parse)]
    timed: Option<Nanos>,
    /// With `--timed`: simulate at most so many pairs too, those first that the sweep lists.
    #[arg(long, env = "ASSIZE_PAIRS", value_name = "N", default_value_t = 100)]
    pairs: u32,
    /// Say which combinations have been tried live: folders of `run --out`, or verdicts in JSON;
    /// may be given several times.
    #[arg(long, env = "ASSIZE_COVERAGE", value_name = "RUN", num_args = 1..,
          value_delimiter = '\n')]
    coverage: Vec<PathBuf>,
    /// Say which figures below `assumed:` decide: each is halved and doubled, alone, and the
    /// targets that single elements miss are worked out again.
    #[arg(long, env = "ASSIZE_SENSITIVITY", value_parser = crate::args::flag(), num_args = 0)]
    sensitivity: bool,
    /// Do one part of the sweep only, such as `3/7`; `assize merge` joins the parts.
    #[arg(long, env = "ASSIZE_SHARD", value_name = "I/N", value_parser = shard)]
    shard: Option<Slice>,
    #[command(flatten)]
    sets: SetArgs,
    /// How many threads to use; all processors unless given. Changes no figure.
    #[arg(long, env = "ASSIZE_THREADS", value_name = "N",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How to print.
    #[arg(
        long,
        env = "ASSIZE_FORMAT",
        default_value = "table",
        value_name = "FORMAT"
    )]
    format: Plain,
}

/// How much of cut sets is wanted.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Depth {
    /// List cut sets of at most so many elements.
    #[arg(long, env = "ASSIZE_ORDER", default_value_t = 3, value_name = "N",
          value_parser = clap::value_parser!(u8).range(1..=64))]
    order: u8,
    /// List at most so many cut sets.
    #[arg(long, env = "ASSIZE_MOST", default_value_t = 1000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    most: u32,
}

impl Depth {
    fn wanted(&self) -> Wanted {
        Wanted {
            order: self.order.into(),
            most: self.most as usize,
            limits: Limits::default(),
        }
    }
}

/// A topology, and its analysis as the verbs that build on it want it.
pub(super) fn analysis_of(file: &Path, depth: &Depth) -> Result<(Topology, Report), Failure> {
    let loaded = engine::topology(file, &[])?;
    let question = Question {
        k: 1,
        down: Vec::new(),
        wanted: depth.wanted(),
        slice: Slice::WHOLE,
        threads: 1,
        demands: Vec::new(),
        unexplored: 1.0,
    };
    let report = design::analyse(&loaded.topology, &question).map_err(Failure::Usage)?;
    Ok((loaded.topology, report))
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Elements {
    /// Links.
    Links,
    /// Places, with the links at them.
    Nodes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Objective {
    /// No failure separates what is left: the number of connected parts does not rise.
    Connected,
}

pub(crate) fn run(arguments: &Arguments, console: &mut Console<'_>) -> Result<Exit, Failure> {
    let report = match extension(&arguments.file).as_str() {
        "graphml" => graph(arguments)?,
        "xml" => tree(arguments)?,
        _ => topology(arguments, console)?,
    };
    match arguments.format {
        Plain::Table => table::write(&report, console)?,
        Plain::Json => write_json(&report, console)?,
    }
    Ok(Exit::Pass)
}

fn extension(file: &Path) -> String {
    let extension = file.extension().unwrap_or_default();
    extension.to_string_lossy().to_lowercase()
}

fn graph(arguments: &Arguments) -> Result<Report, Failure> {
    let Objective::Connected = arguments.objective;
    let failing = match arguments.elements {
        Elements::Links => Failing::Links,
        Elements::Nodes => Failing::Nodes,
    };
    let text = disk::foreign(&arguments.file)?;
    let graph = graphml::read(&text).map_err(|e| cannot_use(&arguments.file, &e))?;
    Ok(analyse_graph(
        &graph,
        failing,
        arguments.k.into(),
        arguments.depth.most as usize,
    ))
}

fn topology(arguments: &Arguments, console: &mut Console<'_>) -> Result<Report, Failure> {
    let loaded = engine::topology(&arguments.file, &arguments.sets.sets)?;
    for warning in &loaded.warnings {
        console.say(&warning.to_string());
    }
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    let question = Question {
        k: arguments.k.into(),
        down: arguments.down.clone(),
        wanted: arguments.depth.wanted(),
        slice: arguments.shard.unwrap_or(Slice::WHOLE),
        threads: arguments.threads.map_or_else(all, usize::from),
        demands: arguments.demand.clone(),
        unexplored: arguments.unexplored,
    };
    let mut report = design::analyse(&loaded.topology, &question).map_err(Failure::Usage)?;
    report.timed = arguments
        .timed
        .map(|length| timed::run(&loaded, &report, length, arguments.pairs as usize));
    if arguments.sensitivity {
        let sets = &arguments.sets.sets;
        let found = sensitivity::run(&arguments.file, sets, &loaded.topology)?;
        report.sensitivity = Some(found);
    }
    if !arguments.coverage.is_empty() {
        report.coverage = Some(coverage::run(&arguments.coverage, &mut report)?);
    }
    report.shard = arguments.shard.map(|s| Shard {
        index: s.index + 1,
        of: s.of,
    });
    Ok(report)
}

fn probability(text: &str) -> Result<f64, String> {
    let value = text.parse().ok().filter(|p| (0.0..=1.0).contains(p));
    value.ok_or_else(|| "write a probability, such as `1e-6`".to_owned())
}

/// A factor in thousandths.
fn factor(text: &str) -> Result<u64, String> {
    let value: Option<f64> = text.strip_suffix('x').unwrap_or(text).parse().ok();
    value
        .map(|v| (v * 1000.0).round())
        .filter(|v| (1.0..=1e9).contains(v))
        .map(|v| v as u64)
        .ok_or_else(|| "write `1.5` for half as much again; from 0.001 to 1000000".to_owned())
}

/// `i/n`, from 1.
fn shard(text: &str) -> Result<Slice, String> {
    let parts = text
        .split_once('/')
        .and_then(|(i, n)| Some((i.parse::<usize>().ok()?, n.parse::<usize>().ok()?)));
    match parts {
        Some((index, of)) if (1..=of).contains(&index) && of <= 1_000_000 => Ok(Slice {
            index: index - 1,
            of,
        }),
        _ => Err("write `3/7` for the third of seven parts".to_owned()),
    }
}

fn tree(arguments: &Arguments) -> Result<Report, Failure> {
    let text = disk::foreign(&arguments.file)?;
    let tree =
        opsa::read(&text, arguments.top.as_deref()).map_err(|e| cannot_use(&arguments.file, &e))?;
    let (order, most) = (arguments.depth.order.into(), arguments.depth.most as usize);
    Ok(analyse_tree(&tree, order, most, Limits::default()))
}

pub(super) fn cannot_use(file: &Path, error: &dyn std::error::Error) -> Failure {
    Failure::Usage(format!("{}: {error}", file.display()))
}

pub(super) fn write_json(
    report: &impl serde::Serialize,
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *console.out, report).map_err(std::io::Error::from)?;
    writeln!(console.out)?;
    Ok(())
}
