//! What findings support of the frameworks that a customer answers to, and what has no evidence.
//!
//! A finding supports an outcome; it never fulfils it. A result on stand-ins, of a simulation or
//! of an analysis supports nothing but design. A missed target stands against what it bears on.

mod outcomes;
mod rules;
mod write;

pub use outcomes::{Caf, Entry, Takes, all};
pub use write::write;

use rules::{EXERCISE, IMPROVED, INCIDENT, PLAN, RULES, suffices};
use serde::Serialize;
use serde_json::Value;

/// What stored verdicts support.
#[derive(Clone, Debug, Serialize)]
pub struct Compliance {
    /// `assize/compliance/v1`.
    pub schema: &'static str,
    /// Names of the scenarios read.
    pub runs: Vec<String>,
    /// Every outcome, control and clause.
    pub outcomes: Vec<Outcome>,
    /// Identifiers of those without evidence.
    pub no_evidence: Vec<&'static str>,
    /// Findings of simulations, analyses and stand-ins, which support design at most.
    pub design_only: usize,
}

/// One outcome, control or clause, with the evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Framework, with its edition.
    pub framework: &'static str,
    /// Identifier, as published.
    pub id: &'static str,
    /// Name.
    pub name: &'static str,
    /// What it asks, in words of our own.
    pub asks: &'static str,
    /// What kind of evidence it takes.
    pub takes: Takes,
    /// How the evidence stands.
    pub state: State,
    /// What supports it.
    pub supports: Vec<Evidence>,
    /// What stands against it.
    pub against: Vec<Evidence>,
    /// What would bear on it, and was not decided.
    pub undecided: Vec<Evidence>,
}

/// How the evidence for something stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Something supports it, and nothing stands against it.
    Supported,
    /// Something stands against it.
    Against,
    /// What bears on it was not decided.
    Undecided,
    /// Nothing bears on it.
    NoEvidence,
}

/// One piece of evidence.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Evidence {
    /// Name of the scenario.
    pub run: String,
    /// The objective; empty for a whole run.
    pub objective: String,
    /// What it is about.
    pub subject: String,
    /// What it was tested on.
    pub tested_on: Basis,
    /// What it shows, in words.
    pub shows: String,
}

/// What something was tested on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// The topology alone.
    Analysis,
    /// A simulation.
    Simulation,
    /// Embedded stand-ins.
    StandIn,
    /// The user's own systems.
    Real,
    /// A real incident.
    Observed,
}

impl Basis {
    fn of(word: &str) -> Self {
        match word {
            "analysis" => Self::Analysis,
            "simulation" => Self::Simulation,
            "real" => Self::Real,
            "observed" => Self::Observed,
            // What is not known to be real supports no more than a stand-in does.
            _ => Self::StandIn,
        }
    }

    /// As it is printed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Analysis => "analysis",
            Self::Simulation => "simulation",
            Self::StandIn => "stand-in",
            Self::Real => "real",
            Self::Observed => "observed",
        }
    }
}

/// Maps the findings of stored verdicts (`assize/verdict/v1`).
///
/// # Errors
/// Why a value is no verdict, as the rest of a sentence.
pub fn map(verdicts: &[Value], caf: Caf) -> Result<Compliance, String> {
    let mut map = Map {
        outcomes: all(caf).into_iter().map(empty).collect(),
        design_only: 0,
    };
    let mut runs = Vec::new();
    for verdict in verdicts {
        if verdict["schema"] != "assize/verdict/v1" {
            return Err("is no `assize/verdict/v1`".into());
        }
        let run = text(verdict, "scenario");
        // What could not be run shows nothing.
        for finding in list(verdict, "findings") {
            map.finding(&run, finding);
        }
        map.run(&run, verdict);
        runs.push(run);
    }
    for outcome in &mut map.outcomes {
        outcome.state = state(outcome);
    }
    let bare = map.outcomes.iter().filter(|o| o.state == State::NoEvidence);
    Ok(Compliance {
        schema: "assize/compliance/v1",
        runs,
        no_evidence: bare.map(|outcome| outcome.id).collect(),
        design_only: map.design_only,
        outcomes: map.outcomes,
    })
}

fn empty(entry: Entry) -> Outcome {
    Outcome {
        framework: entry.framework,
        id: entry.id,
        name: entry.name,
        asks: entry.asks,
        takes: entry.takes,
        state: State::NoEvidence,
        supports: Vec::new(),
        against: Vec::new(),
        undecided: Vec::new(),
    }
}

fn state(outcome: &Outcome) -> State {
    if !outcome.against.is_empty() {
        State::Against
    } else if !outcome.supports.is_empty() {
        State::Supported
    } else if !outcome.undecided.is_empty() {
        State::Undecided
    } else {
        State::NoEvidence
    }
}

struct Map {
    outcomes: Vec<Outcome>,
    design_only: usize,
}

impl Map {
    fn finding(&mut self, run: &str, finding: &Value) {
        let kind = text(finding, "kind");
        let basis = Basis::of(&text(finding, "tested_on"));
        let status = text(finding, "status");
        for rule in RULES
            .iter()
            .filter(|rule| rule.kinds.contains(&kind.as_str()))
        {
            let target = text(finding, "target_text");
            let got = text(finding, "measured_text");
            let evidence = Evidence {
                run: run.to_string(),
                objective: text(finding, "objective"),
                subject: text(finding, "subject"),
                tested_on: basis,
                shows: match status.as_str() {
                    "met" => format!("{}: {got}, {target}", rule.shows),
                    "missed" => format!("missed: {got}, {target}"),
                    _ => text(finding, "reason"),
                },
            };
            for id in rule.outcomes {
                self.bears(id, &status, evidence.clone(), rule.structural);
            }
        }
        let operation = matches!(basis, Basis::Real | Basis::Observed);
        self.design_only += usize::from(!operation);
    }

    /// Writes evidence down where it bears on an outcome.
    fn bears(&mut self, id: &str, status: &str, evidence: Evidence, structural: bool) {
        let Some(outcome) = self.outcomes.iter_mut().find(|o| o.id == id) else {
            return;
        };
        if !suffices(evidence.tested_on, outcome.takes, structural) {
            return;
        }
        match status {
            "met" => outcome.supports.push(evidence),
            "missed" => outcome.against.push(evidence),
            _ => outcome.undecided.push(evidence),
        }
    }

    /// What a run shows as a whole.
    fn run(&mut self, run: &str, verdict: &Value) {
        let findings = list(verdict, "findings");
        let on = |word: &str| findings.iter().any(|f| f["tested_on"] == word);
        let observed = verdict["engine"] == "observed";
        let real = verdict["engine"] == "run" && on("real");
        let expected = list(verdict, "expected");
        let evidence = |basis, shows: String| Evidence {
            run: run.to_string(),
            objective: String::new(),
            subject: String::new(),
            tested_on: basis,
            shows,
        };
        let mut add = |ids: &[&str], evidence: Evidence| {
            for id in ids {
                if let Some(outcome) = self.outcomes.iter_mut().find(|o| o.id == *id) {
                    outcome.supports.push(evidence.clone());
                }
            }
        };
        let bit = list(verdict, "faults")
            .iter()
            .filter(|f| f["bit"] == true)
            .count();
        if real && bit > 0 {
            let of = if expected.is_empty() {
                ""
            } else {
                ", after a published incident"
            };
            add(
                EXERCISE,
                evidence(
                    Basis::Real,
                    format!("real systems were exercised{of}, with {}", faults(bit)),
                ),
            );
            if !list(verdict, "steps").is_empty() {
                add(
                    PLAN,
                    evidence(
                        Basis::Real,
                        "the steps of a response were carried out".into(),
                    ),
                );
            }
            if !expected.is_empty() && verdict["verdict"] == "pass" {
                add(
                    IMPROVED,
                    evidence(
                        Basis::Real,
                        "a published incident was repeated, and every target is met".into(),
                    ),
                );
            }
        }
        if observed {
            add(
                INCIDENT,
                evidence(
                    Basis::Observed,
                    format!("a real incident was judged, with {}", faults(bit)),
                ),
            );
        } else if !expected.is_empty() && (real || verdict["engine"] == "simulate") {
            let hit = expected.iter().filter(|s| s["reproduced"] == true).count();
            let basis = if real { Basis::Real } else { Basis::Simulation };
            add(
                INCIDENT,
                evidence(
                    basis,
                    format!(
                        "an account of its causes explains {hit} of {} published symptoms",
                        expected.len()
                    ),
                ),
            );
        }
    }
}

fn faults(count: usize) -> String {
    crate::words::number(count, "cause", "causes")
}

fn text(value: &Value, key: &str) -> String {
    value[key].as_str().unwrap_or_default().to_string()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn verdict(engine: &str, tested_on: &str, kind: &str, status: &str) -> Value {
        json!({"schema": "assize/verdict/v1", "engine": engine, "scenario": "s", "verdict": "pass",
            "findings": [{"objective": "o", "kind": kind, "subject": "x", "status": status,
                "tested_on": tested_on, "target_text": "≤ 15m", "measured_text": "3m", "reason": "r"}],
            "faults": [{"bit": true}], "steps": [], "expected": []})
    }

    fn mapped(engine: &str, tested_on: &str, kind: &str, status: &str) -> Compliance {
        map(&[verdict(engine, tested_on, kind, status)], Caf::V3_2).expect("a map")
    }

    fn in_state(map: &Compliance, state: State) -> Vec<&'static str> {
        map.outcomes
            .iter()
            .filter(|o| o.state == state)
            .map(|o| o.id)
            .collect()
    }

    #[test]
    fn stand_ins_simulations_and_analyses_support_nothing_but_design() {
        for (engine, on) in [
            ("run", "stand-in"),
            ("simulate", "simulation"),
            ("run", "unheard-of"),
        ] {
            for kind in [
                "rto",
                "rpo",
                "availability",
                "blast_radius",
                "detection",
                "split_brain",
            ] {
                let map = mapped(engine, on, kind, "met");
                for outcome in map.outcomes.iter().filter(|o| o.takes == Takes::Operation) {
                    assert_eq!(
                        outcome.state,
                        State::NoEvidence,
                        "{kind} on {on}: {}",
                        outcome.id
                    );
                }
            }
        }
        assert_eq!(
            in_state(&mapped("run", "stand-in", "rto", "met"), State::Supported),
            ["B5.b", "8.3", "A.8.14"]
        );
        // A rule about copies is read from the topology, and needs no run.
        let rule = mapped("simulate", "analysis", "backup_rule", "met");
        assert_eq!(in_state(&rule, State::Supported), ["B5.c", "A.8.13"]);
    }

    #[test]
    fn real_systems_support_operation_and_an_exercise() {
        let map = mapped("run", "real", "rto", "met");
        assert_eq!(
            in_state(&map, State::Supported),
            [
                "B5.a", "B5.b", "D1.b", "D1.c", "8.3", "8.4.5", "8.5", "A.5.30", "A.8.14"
            ]
        );
        assert!(map.no_evidence.contains(&"POL.TCP.111") && map.no_evidence.contains(&"B5.c"));
        let data = mapped("run", "real", "rpo", "met");
        assert!(in_state(&data, State::Supported).contains(&"POL.TCP.108"));
    }

    #[test]
    fn a_miss_stands_against_and_what_was_not_decided_supports_nothing() {
        let missed = mapped("observed", "observed", "availability", "missed");
        assert!(in_state(&missed, State::Against).contains(&"D1.b"));
        assert_eq!(in_state(&missed, State::Supported), ["D2.a"]);
        let open = mapped("run", "real", "rpo", "not_exercised");
        assert!(in_state(&open, State::Undecided).contains(&"B5.c"));
        assert!(!in_state(&open, State::Supported).contains(&"B5.c"));
    }

    #[test]
    fn an_account_of_an_incident_is_analysis_of_its_cause() {
        let mut one = verdict("simulate", "simulation", "rto", "missed");
        one["expected"] = json!([{"reproduced": true}, {"reproduced": false}]);
        let map = map(&[one], Caf::V4_0).expect("a map");
        let outcome = map.outcomes.iter().find(|o| o.id == "D2.a").expect("D2.a");
        assert_eq!(
            (outcome.name, outcome.framework),
            ("Post Incident Analysis", "NCSC CAF v4.0")
        );
        assert!(
            outcome.supports[0]
                .shows
                .contains("1 of 2 published symptoms")
        );
    }

    #[test]
    fn every_rule_leads_to_an_outcome_and_identifiers_are_unique() {
        for caf in [Caf::V3_2, Caf::V4_0] {
            let ids: Vec<&str> = all(caf).iter().map(|entry| entry.id).collect();
            let mut unique = ids.clone();
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), ids.len());
            let named = RULES.iter().flat_map(|rule| rule.outcomes);
            for id in named
                .chain(EXERCISE)
                .chain(PLAN)
                .chain(INCIDENT)
                .chain(IMPROVED)
            {
                assert!(ids.contains(id), "{id}");
            }
            for id in [
                "B5.a", "B5.b", "B5.c", "D1.a", "D1.b", "D1.c", "D2.a", "D2.b", "A.5.30", "A.8.13",
                "A.8.14",
            ] {
                assert!(ids.contains(&id), "{id}");
            }
        }
    }

    #[test]
    fn what_is_printed_never_claims_to_fulfil() {
        let map = mapped("run", "stand-in", "rto", "met");
        let mut out = Vec::new();
        write(&map, &crate::Style::default(), &mut out).expect("to memory");
        let text = String::from_utf8(out).expect("text").to_lowercase();
        for word in ["complian", "fulfil", "clause met", "satisf", "certif"] {
            assert!(!text.contains(word), "{word}:\n{text}");
        }
        assert!(text.contains("no evidence"));
    }
}
