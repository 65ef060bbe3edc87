//! One or more runs together, and the verdict on all of them.

use crate::Analysis;
use assize_model::drill::Drill;
use assize_model::finding::{Outcome, Status, VerdictKind};
use serde::Serialize;
use std::collections::BTreeMap;

/// What one invocation ran, in the order in which it is reported.
#[derive(Clone, Debug, Default)]
pub struct Suite {
    /// The runs.
    pub runs: Vec<Run>,
    /// By name of the topology: what it adds to the last line when targets are missed
    /// (`on_miss:`), such as `as it did in January 2019`.
    pub on_miss: BTreeMap<String, String>,
    /// What decides whatever was measured, such as an interruption.
    pub forced: Option<Forced>,
    /// The record of the drill.
    pub record: Option<Drill>,
    /// What was analysed beforehand of one of the topologies.
    pub analysis: Option<Analysis>,
}

/// A verdict that does not follow from the runs, and why.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forced {
    /// The verdict.
    pub verdict: SuiteVerdict,
    /// Why, as the last line.
    pub why: String,
}

/// One scenario.
#[derive(Clone, Debug)]
pub enum Run {
    /// It was carried out and judged.
    Judged(Box<Outcome>),
    /// It could not be carried out.
    NotRun {
        /// Name of the topology.
        topology: String,
        /// Name of the scenario.
        scenario: String,
        /// Why, in one sentence.
        reason: String,
    },
}

/// Of a suite; in order of precedence, the last one wins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuiteVerdict {
    /// Every selected objective met, or its miss accepted.
    Pass,
    /// None missed, and some not decided.
    Inconclusive,
    /// Some missed and not accepted.
    Fail,
    /// At least one scenario could not be carried out.
    CouldNotRun,
}

impl From<VerdictKind> for SuiteVerdict {
    fn from(verdict: VerdictKind) -> Self {
        match verdict {
            VerdictKind::Pass => Self::Pass,
            VerdictKind::Inconclusive => Self::Inconclusive,
            VerdictKind::Fail => Self::Fail,
        }
    }
}

/// How many findings have each status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Tally {
    /// Met.
    pub met: usize,
    /// Missed and not accepted.
    pub missed: usize,
    /// Missed and accepted.
    pub accepted: usize,
    /// Not decided, or about something that never served.
    pub open: usize,
}

impl Tally {
    /// Counts the findings of one outcome.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Self {
        let mut tally = Self::default();
        for finding in &outcome.findings {
            match (finding.status, &finding.accepted) {
                (Status::Met, _) => tally.met += 1,
                (Status::Missed, Some(_)) => tally.accepted += 1,
                (Status::Missed, None) => tally.missed += 1,
                (Status::Inconclusive | Status::NotExercised, _) => tally.open += 1,
            }
        }
        tally
    }

    /// All findings.
    #[must_use]
    pub const fn total(self) -> usize {
        self.met + self.missed + self.accepted + self.open
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            met: self.met + other.met,
            missed: self.missed + other.missed,
            accepted: self.accepted + other.accepted,
            open: self.open + other.open,
        }
    }
}

impl Run {
    /// Name of the scenario.
    #[must_use]
    pub fn scenario(&self) -> &str {
        match self {
            Self::Judged(outcome) => &outcome.scenario,
            Self::NotRun { scenario, .. } => scenario,
        }
    }

    /// Name of the topology.
    #[must_use]
    pub fn topology(&self) -> &str {
        match self {
            Self::Judged(outcome) => &outcome.topology,
            Self::NotRun { topology, .. } => topology,
        }
    }

    /// The verdict on this run alone.
    #[must_use]
    pub fn verdict(&self) -> SuiteVerdict {
        match self {
            Self::Judged(outcome) => outcome.verdict.into(),
            Self::NotRun { .. } => SuiteVerdict::CouldNotRun,
        }
    }

    /// The verdict as JSON has it.
    #[must_use]
    pub fn verdict_word(&self) -> &'static str {
        match self.verdict() {
            SuiteVerdict::Pass => "pass",
            SuiteVerdict::Inconclusive => "inconclusive",
            SuiteVerdict::Fail => "fail",
            SuiteVerdict::CouldNotRun => "could_not_run",
        }
    }

    /// Its findings, counted.
    #[must_use]
    pub fn tally(&self) -> Tally {
        match self {
            Self::Judged(outcome) => Tally::of(outcome),
            Self::NotRun { .. } => Tally::default(),
        }
    }
}

impl Suite {
    /// The worst of its runs: could not run, then fail, then inconclusive, then pass.
    #[must_use]
    pub fn verdict(&self) -> SuiteVerdict {
        if let Some(forced) = &self.forced {
            return forced.verdict;
        }
        self.runs
            .iter()
            .map(Run::verdict)
            .max()
            .unwrap_or(SuiteVerdict::Pass)
    }

    /// All findings, counted.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.runs
            .iter()
            .fold(Tally::default(), |sum, run| sum.plus(run.tally()))
    }
}
