//! `assize trace`: one journey of one population through the network: hops, replica, caches,
//! and where it stops.

use crate::Console;
use crate::args::{EngineArgs, Plain, SetArgs};
use crate::engine::{self, Explained, ExplainedAccess};
use crate::exit::{Exit, Failure};
use assize_fault::Nanos;
use assize_model::{JourneyId, PopulationId, Topology};
use assize_report::text::{Column, Grid, Paint, paragraph};
use assize_report::words;
use serde_json::json;
use std::path::PathBuf;

/// Cohorts of a cell: users that differ only in the phase of their caches.
const COHORTS: u32 = 64;

/// Follow a user's journey through the network: hops, caches, and where it stops.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The topology, or a scenario whose topology is used.
    topology: PathBuf,
    /// Whose journey.
    population: String,
    /// Which journey.
    journey: String,
    /// What is down meanwhile, as in `what-if`. In the environment, one per line.
    #[arg(long, env = "ASSIZE_DOWN", value_name = "SELECTOR", num_args = 1..,
          value_delimiter = '\n')]
    down: Vec<String>,
    /// How long after that to look: 0s shows the moment itself, later what took over.
    #[arg(long, env = "ASSIZE_AT", value_name = "DURATION", default_value = "10m",
          value_parser = Nanos::parse)]
    at: Nanos,
    #[command(flatten)]
    sets: SetArgs,
    #[command(flatten)]
    engine: EngineArgs,
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
    let loaded = engine::topology(&arguments.topology, &arguments.sets.sets)?;
    let (population, journey) = names(arguments, &loaded.topology)?;
    // The fault outlasts the look at it.
    let length = arguments.at + Nanos::hours(1);
    let file = engine::what_if(loaded, &arguments.down, length, None)?;
    let seed = arguments.engine.seed;
    let places = engine::explain(&file, seed, population, journey, arguments.at);
    if places.is_empty() {
        return Err(not_made(arguments, &file.topology, population));
    }
    match arguments.format {
        Plain::Json => {
            let value = json!({
                "schema": "assize/trace/v1",
                "topology": file.topology.name,
                "population": arguments.population,
                "journey": arguments.journey,
                "down": arguments.down,
                "at": arguments.at,
                "places": places,
            });
            writeln!(console.out, "{value:#}")?;
        }
        Plain::Table => table(arguments, &file.topology.name, &places, console)?,
    }
    Ok(Exit::Pass)
}

fn names(arguments: &Arguments, topology: &Topology) -> Result<(PopulationId, JourneyId), Failure> {
    let populations: Vec<&str> = topology.populations.iter().map(|p| p.id.as_str()).collect();
    let journeys: Vec<&str> = topology.journeys.iter().map(|j| j.id.as_str()).collect();
    let population = index("population", &arguments.population, &populations)?;
    let journey = index("journey", &arguments.journey, &journeys)?;
    Ok((PopulationId::from(population), JourneyId::from(journey)))
}

fn index(kind: &str, name: &str, names: &[&str]) -> Result<usize, Failure> {
    names
        .iter()
        .position(|known| *known == name)
        .ok_or_else(|| {
            let help = assize_model::file::did_you_mean(name, names.iter().copied());
            Failure::Usage(format!("there is no {kind} `{name}`\n = help: {help}"))
        })
}

fn not_made(arguments: &Arguments, topology: &Topology, population: PopulationId) -> Failure {
    let makes = &topology.population(population).makes;
    let made: Vec<&str> = makes
        .iter()
        .map(|(id, _)| topology.journey(*id).id.as_str())
        .collect();
    Failure::Usage(format!(
        "`{}` does not make the journey `{}`\n = help: it makes {}",
        arguments.population,
        arguments.journey,
        words::list(&made)
    ))
}

fn table(
    arguments: &Arguments,
    topology: &str,
    places: &[Explained],
    console: &mut Console<'_>,
) -> Result<(), Failure> {
    let style = console.style(true);
    let title = format!(
        "{} of {} on {topology}",
        arguments.journey, arguments.population
    );
    writeln!(console.out, "{}", Paint::Strong.on(&title, &style))?;
    let when = match arguments.down.as_slice() {
        [] => "with nothing down".to_owned(),
        down => format!("{} after the loss of {}", arguments.at, words::list(down)),
    };
    writeln!(console.out, "{}", Paint::Faint.on(&when, &style))?;
    for alike in alike(places) {
        let Some(&first) = alike.first() else {
            continue;
        };
        let general = in_general(first);
        let place = if alike.len() > 1 { &general } else { first };
        let paint = match place.cohorts_served {
            COHORTS => Paint::Good,
            0 => Paint::Bad,
            _ => Paint::Care,
        };
        let names: Vec<&str> = alike.iter().map(|p| p.place.as_str()).collect();
        let users: u64 = alike.iter().map(|p| p.users).sum();
        let users = words::number(users as usize, "user", "users");
        writeln!(console.out)?;
        paragraph(
            console.out,
            &style,
            0,
            2,
            Paint::Strong,
            &words::list(&names),
        )?;
        let served = served(place.cohorts_served);
        paragraph(
            console.out,
            &style,
            0,
            2,
            paint,
            &format!("{users}: {served}"),
        )?;
        for access in &place.accesses {
            print_access(access, console)?;
        }
    }
    Ok(())
}

/// A place without its own name: the node that a way begins at is `site`.
fn in_general(place: &Explained) -> Explained {
    let node = place.place.split(" (").next().unwrap_or_default();
    let mut general = place.clone();
    let calls = general.accesses.iter_mut().flat_map(|a| &mut a.calls);
    for hop in calls.flat_map(|call| &mut call.hops) {
        let words: Vec<&str> = hop
            .split(' ')
            .map(|word| if word == node { "site" } else { word })
            .collect();
        *hop = words.join(" ");
    }
    general
}

/// Places one after another of which all the same is to be said.
fn alike(places: &[Explained]) -> Vec<Vec<&Explained>> {
    let text = |p: &Explained| {
        let general = in_general(p);
        format!("{} {:?}", general.cohorts_served, general.accesses)
    };
    let mut groups: Vec<Vec<&Explained>> = Vec::new();
    for place in places {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|p| text(p) == text(place)) => {
                group.push(place);
            }
            _ => groups.push(vec![place]),
        }
    }
    groups
}

fn served(cohorts: u32) -> String {
    match cohorts {
        COHORTS => "all are served".into(),
        0 => "nobody is served".into(),
        n => format!("{} are served", part(n)),
    }
}

/// A number of cohorts as a share of the users.
fn part(cohorts: u32) -> String {
    words::share(f64::from(cohorts) / f64::from(COHORTS))
}

fn print_access(access: &ExplainedAccess, console: &mut Console<'_>) -> Result<(), Failure> {
    let style = console.style(true);
    let users = match access.cohorts {
        0 => "carries nobody".to_owned(),
        COHORTS => "carries all".to_owned(),
        n => format!("carries {}", part(n)),
    };
    writeln!(
        console.out,
        "  by {}: {users}",
        Paint::Strong.on(&access.access, &style)
    )?;
    for need in &access.needs {
        paragraph(
            console.out,
            &style,
            4,
            2,
            Paint::Plain,
            &format!("needs {need}"),
        )?;
    }
    let mut grid = Grid::new(&[Column::words(""), Column::words(""), Column::figure("")]);
    for call in &access.calls {
        // Without a way there is no time that it takes.
        let latency = if call.hops.is_empty() {
            String::new()
        } else {
            call.latency.to_string()
        };
        grid.row(vec![
            (call.replica.clone(), Paint::Plain),
            (call.hops.join(" > "), Paint::Plain),
            (latency, Paint::Faint),
        ]);
        match &call.stops {
            Some(stop) => grid.note(format!("stops: {stop}"), Paint::Bad),
            None => grid.note(format!("answers {}", part(call.cohorts)), Paint::Good),
        }
    }
    grid.print(console.out, &style, 4)?;
    Ok(())
}
