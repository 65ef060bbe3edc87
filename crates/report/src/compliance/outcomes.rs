//! The outcomes, controls and clauses that findings may support: identifiers as published, what
//! they ask in words of our own.

use serde::Serialize;

/// Edition of the NCSC's Cyber Assessment Framework.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Caf {
    /// Version 3.2.
    #[default]
    V3_2,
    /// Version 4.0.
    V4_0,
}

/// What kind of evidence something takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Takes {
    /// That a design can do it: analysis, simulation and stand-ins count too.
    Design,
    /// That it was done: only real systems and real incidents count.
    Operation,
}

/// One outcome, control or clause.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
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
}

const ISO_22301: &str = "ISO 22301:2019";
const ISO_27001: &str = "ISO/IEC 27001:2022";
const MOJ: &str = "MoJ Technical Controls Policy";

const fn entry(
    framework: &'static str,
    id: &'static str,
    name: &'static str,
    takes: Takes,
    asks: &'static str,
) -> Entry {
    Entry {
        framework,
        id,
        name,
        asks,
        takes,
    }
}

/// All of them, in the order of a report.
#[must_use]
pub fn all(caf: Caf) -> Vec<Entry> {
    use Takes::{Design, Operation};
    let (name, incident, improve) = match caf {
        Caf::V3_2 => (
            "NCSC CAF v3.2",
            (
                "Incident Root Cause Analysis",
                "what caused an incident is found",
            ),
            "what incidents teach changes the resilience of the function",
        ),
        Caf::V4_0 => (
            "NCSC CAF v4.0",
            (
                "Post Incident Analysis",
                "what caused an incident is found, and what would have happened otherwise",
            ),
            "what incidents and near misses teach, here and elsewhere, changes the resilience of the function",
        ),
    };
    let caf = |id, title, takes, asks| entry(name, id, title, takes, asks);
    vec![
        caf(
            "B5.a",
            "Resilience Preparation",
            Operation,
            "one is ready to restore essential functions, and has tried it by failing over",
        ),
        caf(
            "B5.b",
            "Design for Resilience",
            Design,
            "functions are separated; single paths, shortages and common places are found and mitigated",
        ),
        caf(
            "B5.c",
            "Backups",
            Operation,
            "backups are current, kept apart, and known to restore",
        ),
        caf(
            "D1.a",
            "Response Plan",
            Operation,
            "a plan of response covers suppliers and what the function stands on",
        ),
        caf(
            "D1.b",
            "Response and Recovery Capability",
            Operation,
            "what stands in can be activated in time, if need be at a reduced level",
        ),
        caf(
            "D1.c",
            "Testing and Exercising",
            Operation,
            "plans are exercised with scenarios from incidents of one's own and of others",
        ),
        caf("D2.a", incident.0, Operation, incident.1),
        caf(
            "D2.b",
            "Using Incidents to Drive Improvements",
            Operation,
            improve,
        ),
        entry(
            ISO_22301,
            "8.3",
            "Business continuity strategies and solutions",
            Design,
            "solutions are chosen that can meet the times to recover",
        ),
        entry(
            ISO_22301,
            "8.4.5",
            "Recovery",
            Operation,
            "what was disrupted is restored by a documented process",
        ),
        entry(
            ISO_22301,
            "8.5",
            "Exercise programme",
            Operation,
            "solutions are exercised, and what an exercise shows is acted on",
        ),
        entry(
            ISO_27001,
            "A.5.30",
            "ICT readiness for business continuity",
            Operation,
            "technology is ready for disruption, and that is tested against objectives",
        ),
        entry(
            ISO_27001,
            "A.8.13",
            "Information backup",
            Operation,
            "backups are kept and tested",
        ),
        entry(
            ISO_27001,
            "A.8.14",
            "Redundancy of information processing facilities",
            Design,
            "there is enough redundancy to be available as required",
        ),
        entry(
            MOJ,
            "POL.TCP.108",
            "Back-up procedures",
            Operation,
            "backups keep integrity and availability, and meet the recovery point that the business impact assessment asks for",
        ),
        entry(
            MOJ,
            "POL.TCP.109",
            "Log of back-ups",
            Operation,
            "every backup is logged",
        ),
        entry(
            MOJ,
            "POL.TCP.110",
            "Protection of back-ups",
            Operation,
            "backups are protected as their marking asks",
        ),
        entry(
            MOJ,
            "POL.TCP.111",
            "Not published in full where we looked",
            Operation,
            "its text was not to be had, so nothing is mapped to it",
        ),
    ]
}
