//! What reports show of an analysis that was made beforehand: `assize/analysis/v1`, as stored.
//!
//! Only what is shown is read, and nothing is computed again.

use serde::Deserialize;

/// An analysis of a topology.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Analysis {
    schema: String,
    kind: String,
    /// Name of the topology.
    pub name: String,
    shard: Option<serde::de::IgnoredAny>,
    /// What can fail.
    elements: Vec<Element>,
    /// Each journey of each population.
    pub journeys: Vec<Journey>,
    /// Combinations of failures, by number.
    pub sweep: Vec<Sweep>,
    /// Links and services with a limit.
    #[serde(default)]
    pub loads: Vec<Load>,
    /// What was assumed, left out or not decided.
    #[serde(default)]
    pub warnings: Vec<String>,
}

#[derive(Clone, PartialEq, Debug, Deserialize)]
struct Element {
    count: u64,
}

/// A journey of one population.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Journey {
    /// The journey.
    pub journey: String,
    /// Who makes it.
    pub population: String,
    /// What alone takes it from users at more than one site.
    pub single_points: Vec<SinglePoint>,
    /// The share of its users' time in which it can be made, where it is known.
    pub availability: Option<Availability>,
}

/// What alone takes a journey away.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct SinglePoint {
    /// The element.
    pub element: String,
    /// The share of the population that loses the journey, from 0 to 1.
    pub share: f64,
    /// Whether the weakness is known and owned.
    pub accepted: bool,
}

/// A share of time, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Debug, Deserialize)]
#[serde(untagged)]
pub enum Availability {
    /// Exactly.
    Exact {
        /// The share.
        exact: f64,
    },
    /// Between two.
    Between {
        /// At least this.
        lower: f64,
        /// At most this.
        upper: f64,
    },
}

/// Combinations of `k` failures.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Sweep {
    /// How many elements fail together.
    pub k: usize,
    /// How many combinations there are.
    pub combinations: u128,
    /// How many violate an objective.
    pub violating: u128,
    /// How many of these only because a link or a service is too small.
    #[serde(default)]
    pub overloaded: u128,
    /// Minimal violations: no less of them violates.
    pub minimal: Vec<Violation>,
}

/// A combination that violates, and what.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Violation {
    /// What fails.
    pub elements: Vec<String>,
    /// For how many combinations of single elements it stands.
    pub combinations: u128,
    /// The objectives that are missed.
    pub objectives: Vec<String>,
    /// Links and services that are asked for more than they can do.
    #[serde(default)]
    pub overloaded: Vec<String>,
}

/// How much of a link or a service is asked for.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Load {
    /// The link or the service.
    pub element: String,
    /// What it can carry or serve, with its unit.
    pub limit: String,
    /// The share of it that is asked for while nothing has failed.
    pub at_rest: f64,
    /// The worst of each number of failures.
    pub worst: Vec<Worst>,
}

/// The worst case of a link or a service.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Worst {
    /// The share of it that is asked for then.
    pub share: f64,
    /// What fails.
    pub elements: Vec<String>,
}

impl Analysis {
    /// Reads what `assize analyse --format json` wrote.
    ///
    /// # Errors
    /// Why it is no whole analysis of a topology, as the rest of a sentence, with the remedy.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        const SCHEMA: &str = "assize/analysis/v1";
        const HELP: &str = "\n = help: give what `assize analyse TOPOLOGY --format json` printed";
        let read: Result<Self, _> = serde_json::from_slice(bytes);
        let analysis = read.map_err(|error| format!("is no `{SCHEMA}`: {error}{HELP}"))?;
        if analysis.schema != SCHEMA {
            let schema = &analysis.schema;
            return Err(format!("is a `{schema}`, and no `{SCHEMA}`{HELP}"));
        }
        if analysis.kind != "topology" {
            return Err(format!(
                "is of a {}, and runs are of topologies{HELP}",
                analysis.kind
            ));
        }
        if analysis.shard.is_some() {
            return Err("is a part of one\n = help: `assize merge` makes a whole of parts".into());
        }
        Ok(analysis)
    }

    /// How many elements can fail, each site of a class counted.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.elements.iter().map(|element| element.count).sum()
    }
}

impl Load {
    /// The worst case that is worse than that without failures: the share asked for, and what has
    /// failed then.
    #[must_use]
    pub fn fullest(&self) -> Option<&Worst> {
        let worse = self.worst.iter().filter(|w| w.share > self.at_rest);
        worse.max_by(|a, b| a.share.total_cmp(&b.share))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn stored() -> Value {
        json!({"schema": "assize/analysis/v1", "kind": "topology", "name": "net",
            "elements": [{"id": "node/crown", "count": 84}, {"id": "node/core", "count": 1}],
            "journeys": [], "findings": [], "sweep": [], "warnings": []})
    }

    #[test]
    fn what_is_no_whole_analysis_of_a_topology_is_refused() {
        let read = |value: &Value| Analysis::read(value.to_string().as_bytes());
        assert_eq!(read(&stored()).expect("an analysis").size(), 85);
        for (field, value, why) in [
            (
                "schema",
                json!("assize/verdict/v1"),
                "no `assize/analysis/v1`",
            ),
            ("kind", json!("graph"), "is of a graph"),
            ("shard", json!({"index": 1, "of": 4}), "`assize merge`"),
            ("sweep", json!("none"), "is no `assize/analysis/v1`"),
        ] {
            let mut other = stored();
            other[field] = value;
            let said = read(&other).expect_err("refused");
            assert!(said.contains(why), "{field}: {said}");
        }
    }
}
