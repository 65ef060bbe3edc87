//! A topology for rows that come without one: populations, what they use, and who owns it.

use super::{About, Observed};
use crate::calendar::Holidays;
use crate::contract::Contract;
use crate::file::{LoadOptions, MemorySource, Problems, load_topology};
use crate::topology::Topology;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The journey of rows that name none, where no contract names one either.
pub(super) const ANY: &str = "use";

/// Journeys that rows about a population without a journey are about: those of the contract's
/// levels about it, or one.
pub(super) fn journeys_of(contract: Option<&Contract>, population: &str) -> Vec<String> {
    let levels = contract.map_or(&[][..], |contract| &contract.levels);
    let about = levels
        .iter()
        .filter(|level| level.populations.iter().any(|p| p == population));
    let mut journeys: Vec<String> = about.flat_map(|level| level.journeys.clone()).collect();
    journeys.sort_unstable();
    journeys.dedup();
    if journeys.is_empty() {
        journeys.push(ANY.into());
    }
    journeys
}

/// Makes it, through the reader of every other topology.
pub(super) fn make(observed: &Observed, contract: Option<&Contract>) -> Result<Topology, Problems> {
    let mut made: BTreeMap<String, (u64, Vec<String>)> = BTreeMap::new();
    for row in &observed.rows {
        let entry = made
            .entry(row.about.name().to_string())
            .or_insert((0, Vec::new()));
        entry.0 = entry.0.max(row.users.unwrap_or(0));
        let journeys = match (&row.journey, &row.about) {
            (Some(journey), _) => vec![journey.clone()],
            (None, About::Population(name)) => journeys_of(contract, name),
            (None, About::Service(name)) => vec![name.clone()],
        };
        entry.1.extend(journeys);
    }
    let mut all: Vec<String> = made.values().flat_map(|(_, list)| list.clone()).collect();
    all.sort_unstable();
    all.dedup();
    // A service row without a topology is about that service's own users.
    let services: Map<String, Value> = all.iter().map(|name| (name.clone(), json!({}))).collect();
    let journeys = all
        .iter()
        .map(|name| (name.clone(), json!({"calls": [name]})));
    let owners = observed.rows.iter().flat_map(|row| row.owners.clone());
    let owners = owners.chain(contract.into_iter().flat_map(|c| c.supplier.clone()));
    let domains: Map<String, Value> = owners.map(|o| (o, json!({"kind": "supplier"}))).collect();
    let populations = made.iter().map(|(name, (users, journeys))| {
        let makes: Map<String, Value> =
            journeys.iter().map(|j| (j.clone(), json!("1/h"))).collect();
        let users = if *users == 0 { 1_000 } else { *users };
        let hours = hours(contract, name);
        (
            name.clone(),
            json!({"users": users, "makes": makes, "hours": hours}),
        )
    });
    let holidays = contract.is_some_and(|c| c.calendar.holidays == Holidays::EnglandAndWales);
    let zone = contract.and_then(|c| c.calendar.zone.iana_name().map(str::to_string));
    let file = json!({
        "assize": "topology/v1",
        "name": "as observed",
        "time_zone": zone.unwrap_or_else(|| "UTC".into()),
        "holidays": if holidays { "england-and-wales" } else { "none" },
        "domains": domains,
        "services": services,
        "journeys": journeys.collect::<Map<String, Value>>(),
        "populations": populations.collect::<Map<String, Value>>(),
    });
    let text = file.to_string();
    let source = MemorySource::new([(observed.file.as_str(), text.as_str())]);
    let options = LoadOptions::default();
    load_topology(&source, Path::new(&observed.file), &options).map(|(topology, _)| topology)
}

/// The hours of the first level about a population.
fn hours(contract: Option<&Contract>, population: &str) -> String {
    let levels = contract.map_or(&[][..], |contract| &contract.levels);
    let mut about = levels
        .iter()
        .filter(|level| level.populations.iter().any(|p| p == population));
    about
        .next()
        .map_or_else(|| "always".into(), |level| level.hours_text.clone())
}
