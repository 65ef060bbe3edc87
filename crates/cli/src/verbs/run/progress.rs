//! What a person sees while scenarios run: on a terminal a line for each, drawn anew, with what
//! is broken, who is served and how long outages have lasted against their targets; and in any
//! case a plain line for each thing that happens.

use crate::Console;
use crate::engine::ScenarioFile;
use assize_fault::Nanos;
use assize_model::journal::{Decision, DecisionKind};
use assize_model::objective::ObjectiveKind;
use assize_model::observation::{Ending, Logged, Observation, Served};
use std::collections::{BTreeMap, BTreeSet};

/// Something that a run says of itself.
#[derive(Clone, Debug)]
pub(super) enum Told {
    /// It is being prepared.
    Begun,
    /// Something happened that is said on a line.
    Event(Observation),
    /// How an attempt fared.
    Sample {
        at: Nanos,
        rep: u32,
        journey: usize,
        good: bool,
    },
    /// Who makes attempts.
    Representative { rep: u32, cell: usize, cohorts: u32 },
    /// It is over, and judged.
    Done,
}

impl Told {
    /// What of an observation is shown; `None` if nothing is.
    pub(super) fn of(observation: &Observation) -> Option<Self> {
        match observation {
            &Observation::Sample {
                at,
                rep,
                journey,
                served,
                ..
            } => Some(Self::Sample {
                at,
                rep,
                journey,
                good: served != Served::No,
            }),
            &Observation::Representative { rep, cell, cohorts } => Some(Self::Representative {
                rep,
                cell,
                cohorts: cohorts.count_ones(),
            }),
            Observation::Machine { .. }
            | Observation::Fault { .. }
            | Observation::Step { .. }
            | Observation::Decided(_)
            | Observation::Restored(_)
            | Observation::SplitBrain { .. }
            | Observation::Bypassed { .. }
            | Observation::Note { .. }
            | Observation::Log {
                what: Logged::State(_),
                ..
            }
            | Observation::Command { .. }
            | Observation::Ended { .. } => Some(Self::Event(observation.clone())),
            _ => None,
        }
    }
}

/// Columns of a line that is drawn over.
const WIDTH: usize = 100;

/// All runs, and where they are shown.
pub(super) struct View<'a, 'b> {
    console: &'a mut Console<'b>,
    runs: Vec<Watched<'a>>,
    /// Lines drawn last, which are drawn over.
    drawn: usize,
    /// When they were drawn.
    at: Nanos,
}

/// A run as it is shown.
struct Watched<'a> {
    file: &'a ScenarioFile,
    /// Between its beginning and its end.
    running: bool,
    now: Nanos,
    faults: BTreeSet<usize>,
    /// Cell and cohorts of each representative.
    reps: BTreeMap<u32, (usize, u32)>,
    /// The last two attempts of each representative in each journey: it is out when both failed.
    last: BTreeMap<(u32, usize), [bool; 2]>,
    /// Since when some of a journey's users are out.
    since: BTreeMap<usize, Nanos>,
}

impl<'a, 'b> View<'a, 'b> {
    pub(super) fn new(files: &'a [ScenarioFile], console: &'a mut Console<'b>) -> Self {
        let runs = files.iter().map(|file| Watched {
            file,
            running: false,
            now: Nanos::ZERO,
            faults: BTreeSet::new(),
            reps: BTreeMap::new(),
            last: BTreeMap::new(),
            since: BTreeMap::new(),
        });
        Self {
            runs: runs.collect(),
            console,
            drawn: 0,
            at: Nanos::ZERO,
        }
    }

    /// Takes in what a run says; `now` is wall time.
    pub(super) fn hear(&mut self, index: usize, told: Told, now: Nanos) {
        let run = &mut self.runs[index];
        match told {
            Told::Begun => {
                run.running = true;
                self.line(index, "begins");
            }
            Told::Done => {
                run.running = false;
                self.line(index, "judged");
            }
            Told::Event(observation) => {
                if let Some(text) = run.event(&observation) {
                    let at = observation
                        .at()
                        .map_or(String::new(), |at| format!("{} ", offset(at)));
                    self.line(index, &format!("{at}{text}"));
                }
            }
            Told::Sample {
                at,
                rep,
                journey,
                good,
            } => run.sample(at, rep, journey, good),
            Told::Representative { rep, cell, cohorts } => {
                run.reps.insert(rep, (cell, cohorts));
            }
        }
        if now - self.at > Nanos::millis(200) {
            self.draw(now);
        }
    }

    /// Says something of a run on a line of its own, above what is drawn over.
    fn line(&mut self, index: usize, text: &str) {
        self.clear();
        let name = &self.runs[index].file.scenario.name;
        if self.runs.len() > 1 {
            self.console.say(&format!("{name}: {text}"));
        } else {
            self.console.say(text);
        }
    }

    /// Draws the runs anew; on anything but a terminal nothing is drawn.
    pub(super) fn draw(&mut self, now: Nanos) {
        self.at = now;
        if !self.console.progress_bar {
            return;
        }
        self.clear();
        let lines: Vec<String> = self
            .runs
            .iter()
            .filter(|run| run.running)
            .map(Watched::status)
            .collect();
        for line in &lines {
            let shown: String = line.chars().take(WIDTH).collect();
            // Nobody is left to tell if standard error is closed.
            let _ = writeln!(self.console.err, "{shown}");
        }
        self.drawn = lines.len();
        let _ = self.console.err.flush();
    }

    fn clear(&mut self) {
        if self.drawn > 0 {
            let _ = write!(self.console.err, "\u{1b}[{}A\u{1b}[J", self.drawn);
            self.drawn = 0;
        }
    }

    /// Leaves no trace of what was drawn.
    pub(super) fn close(mut self) {
        self.clear();
        let _ = self.console.err.flush();
    }
}

/// `+1m 12s`, `-10s`; to the tenth of a second.
fn offset(at: Nanos) -> String {
    let tenths = Nanos(at.0.abs() / 100_000_000 * 100_000_000);
    let sign = if at < Nanos::ZERO { '-' } else { '+' };
    format!("{sign}{tenths}")
}

impl Watched<'_> {
    fn sample(&mut self, at: Nanos, rep: u32, journey: usize, good: bool) {
        self.now = self.now.max(at);
        let last = self.last.entry((rep, journey)).or_insert([true, good]);
        *last = [last[1], good];
        let out = self
            .last
            .iter()
            .any(|(key, last)| key.1 == journey && *last == [false, false]);
        if !out {
            self.since.remove(&journey);
        } else if at >= Nanos::ZERO {
            self.since.entry(journey).or_insert(at);
        }
    }

    /// What happened, in words; `None` if that is not worth a line.
    fn event(&mut self, observation: &Observation) -> Option<String> {
        let scenario = &self.file.scenario;
        match observation {
            Observation::Machine {
                pace, resolution, ..
            } => Some(format!(
                "steady state for {}, at pace {pace}; durations will be known to {resolution}",
                scenario.steady_state
            )),
            &Observation::Fault { fault, on, .. } => {
                let entry = scenario.faults.get(fault)?;
                let verb = if on {
                    self.faults.insert(fault);
                    "begins"
                } else {
                    self.faults.remove(&fault);
                    "ends"
                };
                let (id, kind, target) = (&entry.id, entry.kind, &entry.target_text);
                Some(format!("{id} {verb}: {kind} of {target}"))
            }
            Observation::Step { step, outcome, .. } => {
                let entry = scenario.steps.get(*step)?;
                Some(format!("{}: {outcome}", entry.id))
            }
            Observation::Decided(decision) => decided(decision),
            Observation::Restored(restore) => {
                let name = &self.file.topology.services.get(restore.service.index())?.id;
                let word = if restore.good {
                    "restored"
                } else {
                    "restored from a bad backup"
                };
                Some(format!(
                    "service/{name} {word} in {}",
                    restore.to - restore.from
                ))
            }
            Observation::SplitBrain { service, .. } => {
                let name = &self.file.topology.services.get(*service)?.id;
                Some(format!(
                    "service/{name}: two replicas acknowledged writes at once"
                ))
            }
            Observation::Bypassed { what, .. } => Some(format!("bypassed: {what}")),
            Observation::Note { text, .. } => Some(text.clone()),
            Observation::Log {
                service,
                replica,
                what: Logged::State(text),
                ..
            } => {
                let service = self.file.topology.services.get(*service)?;
                let replica = &service.replicas.get(usize::from(*replica))?.id;
                Some(format!("{}/{replica} says: {text}", service.id))
            }
            Observation::Command {
                code: Some(code), ..
            } => Some(format!("the command ended with exit code {code}")),
            Observation::Command { code: None, .. } => {
                Some("the command was ended by a signal".into())
            }
            Observation::Ended { why, .. } => Some(
                match why {
                    Ending::Finished => "at its end",
                    Ending::Stable => "stable, and so at its end early",
                    Ending::Aborted => "stopped by one of its `abort_if` conditions",
                    Ending::Interrupted => "interrupted",
                }
                .into(),
            ),
            _ => None,
        }
    }

    /// One line: when, what is broken, who is served, how long outages have lasted.
    fn status(&self) -> String {
        let mut parts = vec![format!("{} {}", self.file.scenario.name, offset(self.now))];
        let faults: Vec<&str> = self
            .faults
            .iter()
            .filter_map(|fault| Some(self.file.scenario.faults.get(*fault)?.id.as_str()))
            .collect();
        parts.push(match (faults.is_empty(), self.now < Nanos::ZERO) {
            (true, true) => "steady state".into(),
            (true, false) => "nothing broken".into(),
            (false, _) => faults.join(" "),
        });
        let mut served = self.served();
        served.retain(|(_, share)| *share < 100);
        parts.push(if served.is_empty() {
            "all served".into()
        } else {
            let list = served
                .iter()
                .map(|(name, share)| format!("{name} {share}%"));
            list.collect::<Vec<_>>().join(", ")
        });
        for (&journey, &since) in &self.since {
            let name = self
                .file
                .topology
                .journeys
                .get(journey)
                .map_or("", |j| j.id.as_str());
            let out = Nanos::secs((self.now - since).0 / 1_000_000_000);
            let of = self
                .target(journey)
                .map_or(String::new(), |target| format!(" of {target}"));
            parts.push(format!("{name} out {out}{of}"));
        }
        parts.join(" │ ")
    }

    /// The share of each population that is served in all its journeys, in percent, down.
    fn served(&self) -> Vec<(&str, u64)> {
        let plan = assize_model::Plan::new(&self.file.topology, &self.file.scenario, 0);
        let mut users: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
        for (&(rep, _), last) in &self.last {
            let Some(&(cell, cohorts)) = self.reps.get(&rep) else {
                continue;
            };
            let Some(cell) = plan.cells.get(cell) else {
                continue;
            };
            let weight = cell.users * u64::from(cohorts);
            let sum = users.entry(cell.population.index()).or_default();
            sum.0 += if *last == [false, false] { 0 } else { weight };
            sum.1 += weight;
        }
        let named = users.into_iter().filter(|(_, sum)| sum.1 > 0);
        let share = |(index, (served, all)): (usize, (u64, u64))| {
            let population = self.file.topology.populations.get(index)?;
            Some((population.id.as_str(), served * 100 / all))
        };
        named.filter_map(share).collect()
    }

    /// The strictest recovery time that is asked of a journey.
    fn target(&self, journey: usize) -> Option<Nanos> {
        let objectives = self.file.scenario.objectives.iter();
        let concerned = objectives.filter(|o| o.journey.is_none_or(|j| j.index() == journey));
        let targets = concerned.filter_map(|o| match o.kind {
            ObjectiveKind::Rto(target) => Some(target),
            _ => None,
        });
        targets.min()
    }
}

/// Decisions that people wait for.
fn decided(decision: &Decision) -> Option<String> {
    let what = match decision.kind {
        DecisionKind::Down => "called down",
        DecisionKind::PromotionBegun => "promotion begins",
        DecisionKind::Promoted => "promoted",
        DecisionKind::PromotionFailed => "promotion failed",
        DecisionKind::FailBackBegun => "fail-back begins",
        DecisionKind::FailedBack => "serves again as home replica",
        DecisionKind::Activated => "in service",
        DecisionKind::PeopleKnow => "people know",
        DecisionKind::Mended => "mended",
        DecisionKind::Up
        | DecisionKind::RouteDown
        | DecisionKind::RouteUp
        | DecisionKind::Diagnosed => return None,
    };
    Some(format!("{}: {what}", decision.subject))
}
