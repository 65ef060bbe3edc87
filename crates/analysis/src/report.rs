//! What an analysis found, as it is written: `assize/analysis/v1`.
//!
//! Data only. Lists are in a fixed order, so equal analyses are equal bytes.

use serde::Serialize;

/// The schema of [`Report`].
pub const SCHEMA: &str = "assize/analysis/v1";

/// The whole.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// `topology`, `graph` or `fault-tree`.
    pub kind: &'static str,
    /// What the file calls itself.
    pub name: String,
    /// What can fail.
    pub elements: Vec<Element>,
    /// The top event of a fault tree.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top: Option<Top>,
    /// Journeys of a topology, one entry for each population that makes it.
    pub journeys: Vec<Journey>,
    /// What is wrong with the design, in sentences.
    pub findings: Vec<Finding>,
    /// Combinations of failures, by number.
    pub sweep: Vec<Sweep>,
    /// What was assumed, left out or not decided.
    pub warnings: Vec<String>,
}

impl Report {
    /// Nothing found yet.
    #[must_use]
    pub const fn new(kind: &'static str, name: String) -> Self {
        Self {
            schema: SCHEMA,
            kind,
            name,
            elements: Vec::new(),
            top: None,
            journeys: Vec::new(),
            findings: Vec::new(),
            sweep: Vec::new(),
            warnings: Vec::new(),
        }
    }
}

/// Something that can fail.
#[derive(Clone, Debug, Serialize)]
pub struct Element {
    /// Its selector (`node/core-n`), or its name in the file.
    pub id: String,
    /// How many like ones it stands for: the sites of a class, or one.
    pub count: u64,
    /// The probability that it has failed, where the file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
}

/// The top event of a fault tree.
#[derive(Clone, Debug, Serialize)]
pub struct Top {
    /// Its name.
    pub name: String,
    /// Its probability, where it is known exactly.
    pub probability: Option<f64>,
    /// Bounds, where the probability is not known exactly.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// How many minimal cut sets there are; `null` where they did not fit.
    pub minimal_cut_sets: Option<u128>,
    /// The smallest of them.
    pub cut_sets: Vec<CutSetFound>,
    /// Events by what they contribute, greatest first.
    pub importance: Vec<ImportanceFound>,
}

/// Between two figures.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Bounds {
    /// At least this.
    pub lower: f64,
    /// At most this.
    pub upper: f64,
}

/// A minimal cut set.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct CutSetFound {
    /// Its elements.
    pub elements: Vec<String>,
    /// The probability that all have failed; `null` where one of theirs is not given.
    pub probability: Option<f64>,
}

/// What an element contributes.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct ImportanceFound {
    /// The element.
    pub element: String,
    /// By how much the whole fails more often when the element has failed.
    pub birnbaum: f64,
    /// The share of the whole's failures in which the element is critical.
    pub criticality: f64,
    /// The share of the cut sets' summed probability that the element is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fussell_vesely: Option<f64>,
}

/// A journey of one population.
#[derive(Clone, Debug, Serialize)]
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
    /// The share of time in which it can be made, for the users worst off; `null` where no
    /// element has a figure.
    pub availability: Option<Availability>,
    /// Elements by what they contribute, greatest first.
    pub importance: Vec<ImportanceFound>,
}

/// What alone takes a journey away.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct SinglePoint {
    /// The element.
    pub element: String,
    /// The share of the population that loses the journey, from 0 to 1.
    pub share: f64,
    /// Whether the weakness is known and owned.
    pub accepted: bool,
    /// Until when it is accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// A share of time.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
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
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Finding {
    /// What kind of thing: `single-point`, `shared-domain`, `backup`, `restore`, ….
    pub kind: &'static str,
    /// What it is about.
    pub subject: String,
    /// In one sentence.
    pub text: String,
    /// Whether the weakness is known and owned.
    pub accepted: bool,
}

/// Combinations of `k` failures.
#[derive(Clone, PartialEq, Debug, Serialize)]
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
    /// Why those that were skipped need no look.
    pub reasons: Vec<String>,
    /// Minimal violations: no less of them violates.
    pub minimal: Vec<Violation>,
    /// Whether the minimal violations are all listed.
    pub complete: bool,
}

/// A combination that violates, and what.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Violation {
    /// What fails.
    pub elements: Vec<String>,
    /// For how many combinations of expanded elements it stands.
    pub combinations: u128,
    /// The objectives that are missed.
    pub objectives: Vec<String>,
}
