//! What an analysis found, as it is written: `assize/analysis/v1`.
//!
//! Data only. Lists are in a fixed order, so equal analyses are equal bytes.

use serde::{Deserialize, Serialize};

/// The schema of [`Report`].
pub const SCHEMA: &str = "assize/analysis/v1";

/// The whole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// `topology`, `graph` or `fault-tree`.
    pub kind: String,
    /// What the file calls itself.
    pub name: String,
    /// Which part of the sweep this is, if it is not the whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// What can fail.
    pub elements: Vec<Element>,
    /// The top event of a fault tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top: Option<Top>,
    /// Journeys of a topology, one entry for each population that makes it.
    pub journeys: Vec<Journey>,
    /// What is wrong with the design, in sentences.
    pub findings: Vec<Finding>,
    /// Combinations of failures, by number.
    pub sweep: Vec<Sweep>,
    /// What was explored beyond pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub likely: Option<LikelyFound>,
    /// The same at other demands.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demands: Vec<Demand>,
    /// Links with a bandwidth and services with a capacity, and the worst case of each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<LoadFound>,
    /// What elements alone and in pairs do in time, by the simulator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed: Option<Timed>,
    /// Which combinations have live evidence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<Coverage>,
    /// Which assumed figures decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
    /// What was assumed, left out or not decided.
    pub warnings: Vec<String>,
}

impl Report {
    /// Nothing found yet.
    #[must_use]
    pub fn new(kind: &str, name: String) -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            kind: kind.to_owned(),
            name,
            shard: None,
            elements: Vec::new(),
            top: None,
            journeys: Vec::new(),
            findings: Vec::new(),
            sweep: Vec::new(),
            likely: None,
            demands: Vec::new(),
            loads: Vec::new(),
            timed: None,
            coverage: None,
            sensitivity: None,
            warnings: Vec::new(),
        }
    }
}

/// A part of a sweep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Shard {
    /// Which, from 1.
    pub index: usize,
    /// Of how many.
    pub of: usize,
}

/// Something that can fail.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Element {
    /// Its selector (`node/core-n`), or its name in the file.
    pub id: String,
    /// How many like ones it stands for: the sites of a class, or one.
    pub count: u64,
    /// The probability that it has failed, where the file says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// The top event of a fault tree.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Top {
    /// Its name.
    pub name: String,
    /// Its probability, where it is known exactly.
    pub probability: Option<f64>,
    /// Bounds, where the probability is not known exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// How many minimal cut sets there are; `null` where they did not fit.
    pub minimal_cut_sets: Option<u128>,
    /// The smallest of them.
    pub cut_sets: Vec<CutSetFound>,
    /// Events by what they contribute, greatest first.
    pub importance: Vec<ImportanceFound>,
}

/// Between two figures.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Bounds {
    /// At least this.
    pub lower: f64,
    /// At most this.
    pub upper: f64,
}

/// A minimal cut set.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct CutSetFound {
    /// Its elements.
    pub elements: Vec<String>,
    /// The probability that all have failed; `null` where one of theirs is not given.
    pub probability: Option<f64>,
}

/// What an element contributes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ImportanceFound {
    /// The element.
    pub element: String,
    /// By how much the whole fails more often when the element has failed.
    pub birnbaum: f64,
    /// The share of the whole's failures in which the element is critical.
    pub criticality: f64,
    /// The share of the cut sets' summed probability that the element is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fussell_vesely: Option<f64>,
}

/// A journey of one population.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Journey {
    /// The journey.
    pub journey: String,
    /// Who makes it.
    pub population: String,
    /// What alone takes it from users at more than one site.
    pub single_points: Vec<SinglePoint>,
    /// What of a user's own site alone takes it from the users there.
    pub site_points: Vec<SinglePoint>,
    /// The smallest combinations that take it from some user.
    pub cut_sets: Vec<CutSetFound>,
    /// How many minimal cut sets there are in all.
    pub minimal_cut_sets: Option<u128>,
    /// The share of its users' time in which it can be made; `null` where no element has a
    /// figure.
    pub availability: Option<Availability>,
    /// Elements by what they contribute, greatest first.
    pub importance: Vec<ImportanceFound>,
}

/// What alone takes a journey away.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SinglePoint {
    /// The element.
    pub element: String,
    /// The share of the population that loses the journey, from 0 to 1.
    pub share: f64,
    /// Whether the weakness is known and owned.
    pub accepted: bool,
    /// Until when it is accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A share of time.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Availability {
    /// Exactly.
    Exact {
        /// The share.
        exact: f64,
    },
    /// Between two.
    Between(Bounds),
}

/// One thing that is wrong.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// What kind of thing: `single-point`, `shared-domain`, `backup`, `restore`, ….
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// In one sentence.
    pub text: String,
    /// Whether the weakness is known and owned.
    pub accepted: bool,
}

/// Combinations of `k` failures.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sweep {
    /// How many elements fail together.
    pub k: usize,
    /// How many combinations of expanded elements there are.
    pub combinations: u128,
    /// How many were looked at.
    pub evaluated: u128,
    /// How many were not, because others decide them.
    pub skipped: u128,
    /// How many violate an objective.
    pub violating: u128,
    /// How many of these only because a link or a service is too small.
    #[serde(default, skip_serializing_if = "is_none")]
    pub overloaded: u128,
    /// Why those that were skipped need no look.
    pub reasons: Vec<String>,
    /// Minimal violations: no less of them violates.
    pub minimal: Vec<Violation>,
    /// Whether the minimal violations are all listed.
    pub complete: bool,
}

/// A combination that violates, and what.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Violation {
    /// What fails.
    pub elements: Vec<String>,
    /// For how many combinations of expanded elements it stands.
    pub combinations: u128,
    /// The objectives that are missed.
    pub objectives: Vec<String>,
    /// Links and services that are asked for more than they can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub overloaded: Vec<String>,
}

fn is_none(count: &u128) -> bool {
    *count == 0
}

/// Combinations by probability, the most probable first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LikelyFound {
    /// Up to how many elements.
    pub k: usize,
    /// How much probability was allowed to stay unexplored.
    pub goal: f64,
    /// At most so much is: no combination that was not looked at is more probable, all together.
    pub unexplored: f64,
    /// The probability, in parts of 10^18, of combinations that violate an objective.
    pub violating_parts: u64,
    /// The probability that, at some instant, elements are out that violate an objective.
    pub violating: Bounds,
}

impl LikelyFound {
    /// With the bounds that follow.
    #[must_use]
    pub fn new(k: usize, goal: f64, unexplored: f64, violating_parts: u64) -> Self {
        let lower = violating_parts as f64 / 1e18;
        Self {
            k,
            goal,
            unexplored,
            violating_parts,
            violating: Bounds {
                lower,
                upper: (lower + unexplored).min(1.0),
            },
        }
    }
}

/// The combinations at another demand.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Demand {
    /// Times the usual.
    pub factor: f64,
    /// Combinations of failures, by number.
    pub sweep: Vec<Sweep>,
}

/// How much of a link or a service is asked for at the usual demand; it grows with the demand.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LoadFound {
    /// The link or the service; of a class, the circuit of one site.
    pub element: String,
    /// What it can carry or serve; a service, for each replica that serves.
    pub limit: String,
    /// The share of it that is asked for while nothing has failed.
    pub at_rest: f64,
    /// The worst of each number of failures that is worse than that.
    pub worst: Vec<WorstFound>,
}

/// The worst case of a link or a service.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct WorstFound {
    /// How many elements fail together.
    pub k: usize,
    /// The share of it that is asked for then.
    pub share: f64,
    /// What fails.
    pub elements: Vec<String>,
}

/// Outages in virtual time, against every target.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Timed {
    /// How long each is out, in words.
    pub length: String,
    /// How many elements were simulated.
    pub simulated: usize,
    /// How many were not: those of a user's own site, and what no outage can be aimed at.
    pub left_out: usize,
    /// Targets that are missed with nothing out; they are not repeated below.
    pub at_rest: Vec<String>,
    /// Elements that miss a target, and pairs that miss one that neither does alone.
    pub missing: Vec<TimedMiss>,
    /// How many pairs of the simulated elements were simulated.
    pub pairs: usize,
    /// How many of their pairs were not.
    pub pairs_left_out: usize,
}

/// What one outage misses.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TimedMiss {
    /// What is out.
    pub elements: Vec<String>,
    /// The targets, each with what was measured, in words.
    pub missed: Vec<String>,
}

/// Live evidence for combinations of failures.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Coverage {
    /// How many live runs were laid beside.
    pub runs: usize,
    /// Combinations that were out together in one of them.
    pub covered: Vec<Covered>,
    /// How many minimal violations the sweeps list.
    pub minimal: usize,
    /// Those of them that no run has tried.
    pub open: Vec<Vec<String>>,
    /// Targets of runs that are no element of this topology.
    pub unknown: Vec<String>,
}

/// A combination that was tried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Covered {
    /// What was out.
    pub elements: Vec<String>,
    /// The runs.
    pub runs: Vec<String>,
    /// Whether it is listed as a minimal violation.
    pub misses: bool,
}

/// Assumed figures at half and at twice their value, one at a time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sensitivity {
    /// How many figures there are below the paths of `assumed:`.
    pub figures: usize,
    /// Those at which other targets are missed without some element.
    pub deciding: Vec<Decides>,
    /// Values that the file cannot have.
    pub not_varied: Vec<String>,
}

/// A figure that decides.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Decides {
    /// Its path.
    pub path: String,
    /// Its value.
    pub value: String,
    /// The value that was tried.
    pub at: String,
    /// Targets that are missed then, and were not.
    pub missed: Vec<String>,
    /// Targets that are not missed then, and were.
    pub met: Vec<String>,
}
