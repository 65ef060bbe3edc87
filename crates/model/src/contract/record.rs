//! What was recorded of one incident, as a contract reads it: from a verdict in JSON, so that a
//! customer who holds nothing else can do the sums again.

use crate::finding::LossResult;
use crate::journal::USER;
use assize_fault::Nanos;
use jiff::Timestamp;
use serde_json::Value;

/// The most users of a population, so that products of their units fit into 128 bits.
const MOST_USERS: u64 = 10_000_000;

/// One judged scenario or incident.
#[derive(Clone, Debug)]
pub struct Record {
    /// Name of the topology.
    pub topology: String,
    /// Name of the scenario.
    pub scenario: String,
    /// `simulate`, `run` or `observed`.
    pub engine: String,
    /// Instant zero.
    pub start: Timestamp,
    /// The end, from `start`.
    pub end: Nanos,
    /// How late a change may have been seen.
    pub resolution: Nanos,
    /// Populations with their journeys.
    pub pairs: Vec<Pair>,
    /// Faults.
    pub causes: Vec<Cause>,
}

/// A population and a journey that it makes.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The population.
    pub population: String,
    /// The journey.
    pub journey: String,
    /// Users.
    pub users: u64,
    /// Sites.
    pub sites: u64,
    /// Whether it was measured at all.
    pub measured: bool,
    /// `simulation`, `stand-in`, `real` or `observed`.
    pub tested_on: &'static str,
    /// Intervals with losses, in order, disjoint.
    pub rows: Vec<LossResult>,
}

/// A fault, and who answers for what it failed.
#[derive(Clone, Debug)]
pub struct Cause {
    /// Its name.
    pub id: String,
    /// What it failed.
    pub target: String,
    /// Owner domains.
    pub owners: Vec<String>,
    /// When it was noticed, from `start`.
    pub detected: Option<Nanos>,
    /// When people knew, from `start`.
    pub reported: Option<Nanos>,
}

impl Record {
    /// Reads an `assize/verdict/v1`.
    ///
    /// # Errors
    /// Why it is none that a contract can be held against, as the rest of a sentence.
    pub fn read(verdict: &Value) -> Result<Self, String> {
        match verdict["schema"].as_str() {
            Some("assize/verdict/v1") => {}
            Some(other) => return Err(format!("is a `{other}`, not an `assize/verdict/v1`")),
            None => return Err("is no verdict: it has no `schema`".into()),
        }
        let scenario = text(verdict, "scenario")?;
        if let Some(reason) = verdict["reason"].as_str() {
            return Err(format!(
                "has no figures: {scenario} could not be run: {reason}"
            ));
        }
        let start = instant(&text(verdict, "start")?)?;
        let end = since(start, &text(verdict, "end")?)?;
        let of_run = verdict["live"]["resolution"]["ns"].as_i64();
        let resolution = of_run.or_else(|| verdict["resolution"]["ns"].as_i64());
        let mut record = Self {
            topology: text(verdict, "topology")?,
            scenario,
            engine: text(verdict, "engine")?,
            start,
            end,
            resolution: Nanos(resolution.unwrap_or(0).max(0)),
            pairs: Vec::new(),
            causes: Vec::new(),
        };
        for fault in list(verdict, "faults")? {
            record.causes.push(cause(start, fault)?);
        }
        for population in list(verdict, "populations")? {
            let id = text(population, "id")?;
            for journey in list(population, "journeys")? {
                let pair = pair(verdict, &id, population, journey)?;
                check(&pair, end)?;
                record.pairs.push(pair);
            }
        }
        Ok(record)
    }
}

fn pair(verdict: &Value, id: &str, population: &Value, journey: &Value) -> Result<Pair, String> {
    let sites = population["sites"].as_u64().ok_or(
        "was written by an older version, without what contracts need: run or judge it again",
    )?;
    let journey_id = text(journey, "id")?;
    let rows = journey["losses"].as_array().map_or(&[][..], Vec::as_slice);
    let rows = rows.iter().map(|row| row.as_str().unwrap_or("").parse());
    Ok(Pair {
        population: id.to_string(),
        users: population["users"].as_u64().ok_or("has no users")?,
        sites,
        measured: !journey["availability_all_hours"].is_null(),
        tested_on: tested_on(verdict, id, &journey_id),
        rows: rows.collect::<Result<_, _>>()?,
        journey: journey_id,
    })
}

/// Rows in order, disjoint, within the scenario, of no more users and sites than there are.
fn check(pair: &Pair, end: Nanos) -> Result<(), String> {
    let name = format!("{} / {}", pair.population, pair.journey);
    if pair.users > MOST_USERS {
        return Err(format!("has {} users of {name}: too many", pair.users));
    }
    let mut last = Nanos::ZERO;
    for row in &pair.rows {
        let all = pair.users * USER;
        let more = row.out.saturating_add(row.degraded) > all || row.sites > pair.sites;
        if row.from < last || row.to > end || more {
            return Err(format!("has losses of {name} that cannot be: `{row}`"));
        }
        last = row.to;
    }
    Ok(())
}

/// On what a journey was tested: what a finding about it says; else the weakest that fits.
fn tested_on(verdict: &Value, population: &str, journey: &str) -> &'static str {
    match verdict["engine"].as_str() {
        Some("simulate") => return "simulation",
        Some("observed") => return "observed",
        _ => {}
    }
    let subject = format!("{population} / {journey}");
    let findings = verdict["findings"].as_array();
    let mut about = findings.into_iter().flatten();
    let found = about.find(|finding| finding["subject"].as_str() == Some(&subject));
    match found.and_then(|finding| finding["tested_on"].as_str()) {
        Some("real") => "real",
        _ => "stand-in",
    }
}

fn cause(start: Timestamp, fault: &Value) -> Result<Cause, String> {
    let at = |key: &str| fault[key].as_str().map(|at| since(start, at)).transpose();
    let owners = list(fault, "owners")?.iter();
    Ok(Cause {
        id: text(fault, "id")?,
        target: text(fault, "target")?,
        owners: owners
            .filter_map(|owner| owner.as_str().map(str::to_string))
            .collect(),
        detected: at("detected")?,
        reported: at("reported")?,
    })
}

fn text(value: &Value, key: &str) -> Result<String, String> {
    let text = value[key].as_str().map(str::to_string);
    text.ok_or_else(|| format!("is no whole verdict: `{key}` is missing"))
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a [Value], String> {
    let list = value[key].as_array().map(Vec::as_slice);
    list.ok_or_else(|| format!("is no whole verdict: `{key}` is missing"))
}

fn instant(text: &str) -> Result<Timestamp, String> {
    let instant = text.parse::<Timestamp>();
    instant.map_err(|_| format!("has `{text}` where an instant should be"))
}

fn since(start: Timestamp, text: &str) -> Result<Nanos, String> {
    let ns = instant(text)?.as_nanosecond() - start.as_nanosecond();
    let ns = i64::try_from(ns).ok().map(Nanos);
    ns.filter(|ns| ns.0.abs() <= Nanos::LONGEST.0)
        .ok_or_else(|| format!("has `{text}`, which is too far from its start"))
}
