//! What every kind of objective reads: shares by population and journey, service hours, when
//! faults were on. It measures nothing itself.

use super::live;
use super::series::{ALL, Share, Span, union};
use crate::calendar::Spans;
use crate::ids::{JourneyId, NodeId, PopulationId, ServiceId};
use crate::journal::{Attempts, Cause, Journal, Measured, Series};
use crate::objective::Objective;
use crate::plan::{Cell, Plan};
use crate::scenario::FaultEntry;
use crate::topology::SiteRange;
use assize_fault::{Nanos, Ppb};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Turns of one flapping fault that are told apart.
const MOST_TURNS: usize = 1_000_000;

/// A population and a journey that it makes.
pub(super) type Pair = (PopulationId, JourneyId);

/// Plan and journal, with what is worked out from them once.
pub(super) struct Context<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) journal: &'a Journal,
    /// Indices of the series of each pair, in order of cells.
    by_pair: BTreeMap<Pair, Vec<usize>>,
    /// Indices of the cells of each population.
    by_population: Vec<Vec<usize>>,
    /// Shares of all users of each pair; `None`: not measured.
    shares: BTreeMap<Pair, Option<Share>>,
    /// Service hours of each population within the scenario.
    hours: Vec<Spans>,
}

/// Which users of a population are meant.
#[derive(Clone, Copy)]
pub(super) enum Who<'a> {
    /// All but those at these nodes.
    Excluding(&'a [NodeId]),
    /// Those at these sites, less those at these nodes.
    At(&'a [SiteRange], &'a [NodeId]),
}

impl Who<'_> {
    pub(super) fn means(&self, cell: &Cell) -> bool {
        match self {
            Self::Excluding(nodes) => !nodes.contains(&cell.node),
            Self::At(sites, excluding) => {
                let holds = |range: &SiteRange| {
                    range.node == cell.node && range.first <= cell.first && cell.end <= range.end
                };
                !excluding.contains(&cell.node) && sites.iter().any(holds)
            }
        }
    }
}

impl<'a> Context<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, journal: &'a Journal) -> Self {
        let mut by_pair: BTreeMap<Pair, Vec<usize>> = BTreeMap::new();
        for (index, series) in journal.series.iter().enumerate() {
            if let Some(cell) = journal.cells.get(series.cell) {
                by_pair
                    .entry((cell.population, series.journey))
                    .or_default()
                    .push(index);
            }
        }
        let hours = (0..plan.topology.populations.len())
            .map(|index| service_hours(plan, PopulationId::from(index), journal.end))
            .collect();
        let mut by_population = vec![Vec::new(); plan.topology.populations.len()];
        for (index, cell) in journal.cells.iter().enumerate() {
            if let Some(list) = by_population.get_mut(cell.population.index()) {
                list.push(index);
            }
        }
        let mut context = Self {
            plan,
            journal,
            by_pair,
            by_population,
            shares: BTreeMap::new(),
            hours,
        };
        for pair in context.pairs() {
            let share = context.combine(pair, Who::Excluding(&[]), &journal.series);
            context.shares.insert(pair, share);
        }
        context
    }

    /// Every population with every journey that it makes, in file order.
    pub(super) fn pairs(&self) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for index in 0..self.plan.topology.populations.len() {
            pairs.extend(self.pairs_of(PopulationId::from(index)));
        }
        pairs
    }

    /// A population with every journey that it makes, in file order.
    pub(super) fn pairs_of(&self, population: PopulationId) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for &(journey, _) in &self.plan.topology.population(population).makes {
            if !pairs.contains(&(population, journey)) {
                pairs.push((population, journey));
            }
        }
        pairs
    }

    /// The pairs that an objective is about.
    pub(super) fn subjects(&self, objective: &Objective) -> Vec<Pair> {
        let mut pairs = self.pairs();
        pairs.retain(|&(population, journey)| {
            objective.population.is_none_or(|only| only == population)
                && objective.journey.is_none_or(|only| only == journey)
                && objective
                    .service
                    .is_none_or(|service| self.calls(journey, service))
        });
        pairs
    }

    /// Whether a journey calls a service, or writes to it.
    pub(super) fn calls(&self, journey: JourneyId, service: ServiceId) -> bool {
        let journey = self.plan.topology.journey(journey);
        journey.calls.contains(&service) || journey.writes.contains(&service)
    }

    /// Indices of the series of a pair, in order of cells.
    pub(super) fn series_of(&self, pair: Pair) -> &[usize] {
        self.by_pair.get(&pair).map_or(&[], Vec::as_slice)
    }

    /// The served share of all users of a pair.
    pub(super) fn share(&self, pair: Pair) -> Option<&Share> {
        self.shares.get(&pair)?.as_ref()
    }

    /// The served share of some users of a pair; `None` if it was not measured, or if nobody
    /// is meant.
    pub(super) fn share_of(&self, pair: Pair, who: Who<'_>) -> Option<Cow<'_, Share>> {
        if let Who::Excluding([]) = who {
            return self.share(pair).map(Cow::Borrowed);
        }
        self.combine(pair, who, &self.journal.series)
            .map(Cow::Owned)
    }

    /// The same with one cause alone; `None` if that was not recorded.
    pub(super) fn solo(&self, solo: usize, pair: Pair, who: Who<'_>) -> Option<Share> {
        self.combine(pair, who, &self.journal.solos.get(solo)?.series)
    }

    fn combine(&self, pair: Pair, who: Who<'_>, series: &[Series]) -> Option<Share> {
        let cells = &self.journal.cells;
        let list = self.by_population.get(pair.0.index());
        let of_population = || list.into_iter().flatten().map(|index| &cells[*index]);
        let meant: u64 = of_population()
            .filter(|cell| who.means(cell))
            .map(|c| c.users)
            .sum();
        let all: u64 = of_population().map(|cell| cell.users).sum();
        let indices = self.by_pair.get(&pair)?;
        let chosen = indices
            .iter()
            .filter_map(|&index| series.get(index))
            .filter(|one| {
                one.journey == pair.1
                    && cells
                        .get(one.cell)
                        .is_some_and(|c| c.population == pair.0 && who.means(c))
            });
        Share::combine(chosen, cells, meant, all - meant, self.journal.end)
    }

    /// What a live run measured of itself.
    pub(super) fn measured(&self) -> Option<&'a Measured> {
        self.journal.measured.as_ref()
    }

    /// Error of durations measured by probing; zero for what was computed.
    pub(super) fn resolution(&self) -> Nanos {
        self.measured().map_or(Nanos::ZERO, |m| m.resolution)
    }

    /// Error of the length of one attempt; zero for what was computed.
    pub(super) fn slowness(&self) -> Nanos {
        self.measured().map_or(Nanos::ZERO, |m| m.slowness)
    }

    /// Attempts of a pair.
    pub(super) fn attempts(&self, pair: Pair, who: Who<'a>) -> impl Iterator<Item = &'a Attempts> {
        let cells = &self.journal.cells;
        let all = self.measured().map_or(&[][..], |m| &m.attempts);
        all.iter().filter(move |one| {
            one.journey == pair.1
                && cells
                    .get(one.cell)
                    .is_some_and(|c| c.population == pair.0 && who.means(c))
        })
    }

    /// The share at which a journey counts as up: what the objective says; else all, in a live
    /// run less what the steady state itself failed.
    pub(super) fn level(&self, objective: &Objective, pair: Pair) -> Ppb {
        if objective.level != ALL {
            return objective.level;
        }
        live::steady_level(self, pair)
    }

    /// Service hours of a population, within the scenario.
    pub(super) fn hours(&self, population: PopulationId) -> &[Span] {
        self.hours
            .get(population.index())
            .map_or(&[], Vec::as_slice)
    }

    /// `court-staff / sign-in`.
    pub(super) fn pair_name(&self, pair: Pair) -> String {
        let topology = self.plan.topology;
        format!(
            "{} / {}",
            topology.population(pair.0).id,
            topology.journey(pair.1).id
        )
    }

    /// `service/juror-db`.
    pub(super) fn service_name(&self, service: ServiceId) -> String {
        format!("service/{}", self.plan.topology.service(service).id)
    }

    /// The name of a fault or step.
    pub(super) fn cause_name(&self, cause: Cause) -> String {
        let scenario = self.plan.scenario;
        let id = match cause {
            Cause::Fault(index) => scenario.faults.get(index).map(|fault| &fault.id),
            Cause::Step(index) => scenario.steps.get(index).map(|step| &step.id),
        };
        id.cloned().unwrap_or_else(|| "unnamed".to_string())
    }

    /// The index of the fault with this name.
    pub(super) fn fault_named(&self, id: &str) -> Option<usize> {
        self.plan
            .scenario
            .faults
            .iter()
            .position(|fault| fault.id == id)
    }

    /// The fault that an objective names, if it names one that exists.
    pub(super) fn fault_of(&self, objective: &Objective) -> Option<usize> {
        objective
            .fault
            .as_deref()
            .and_then(|id| self.fault_named(id))
    }

    /// Whether something met the fault while it was on.
    pub(super) fn bit(&self, fault: usize) -> bool {
        self.journal
            .faults
            .get(fault)
            .is_some_and(|record| record.bite.is_some())
    }

    /// The end of the last fault, at most the scenario's end; `None` without faults.
    pub(super) fn last_fault_end(&self) -> Option<Nanos> {
        self.journal
            .faults
            .iter()
            .map(|record| record.to.min(self.journal.end))
            .max()
    }

    /// When a fault was on, turn by turn.
    pub(super) fn turns(&self, fault: usize) -> Spans {
        let Some(record) = self.journal.faults.get(fault) else {
            return Spans::new();
        };
        let to = record.to.min(self.journal.end);
        match self.plan.scenario.faults.get(fault) {
            Some(FaultEntry {
                flap: Some(flap), ..
            }) if (flap.down + flap.up).0 > 0 => {
                let mut spans = Spans::new();
                let mut at = record.from;
                // No engine gets through more turns than this; no journal makes the judge try.
                while at < to && spans.len() < MOST_TURNS {
                    spans.push((at, to.min(at + flap.down)));
                    at += flap.down + flap.up;
                }
                spans
            }
            _ if record.from < to => vec![(record.from, to)],
            _ => Spans::new(),
        }
    }

    /// The beginning of the last turn of a fault that had begun by `by`.
    pub(super) fn begun(&self, fault: usize, by: Nanos) -> Option<Nanos> {
        let record = self
            .journal
            .faults
            .get(fault)
            .filter(|record| record.from <= by)?;
        match self
            .plan
            .scenario
            .faults
            .get(fault)
            .and_then(|entry| entry.flap)
        {
            Some(flap) if (flap.down + flap.up).0 > 0 => {
                let last = by.min(record.to - Nanos(1)).max(record.from);
                Some(last - (last - record.from) % (flap.down + flap.up))
            }
            _ => Some(record.from),
        }
    }

    /// When any fault was on.
    pub(super) fn faulted(&self) -> Spans {
        union(
            (0..self.journal.faults.len())
                .flat_map(|fault| self.turns(fault))
                .collect(),
        )
    }

    /// The service that an objective names; else those with state that some journey writes to,
    /// or, if none does, those with state.
    pub(super) fn stateful(&self, named: Option<ServiceId>) -> Vec<ServiceId> {
        if let Some(service) = named {
            return vec![service];
        }
        let with_state = self.services(|service| service.state.is_some());
        let journeys = &self.plan.topology.journeys;
        let is_written = |id: &ServiceId| journeys.iter().any(|j| j.writes.contains(id));
        let written: Vec<ServiceId> = with_state.iter().copied().filter(is_written).collect();
        if written.is_empty() {
            with_state
        } else {
            written
        }
    }

    /// Services of which something is true, in file order.
    pub(super) fn services(
        &self,
        is: impl Fn(&crate::topology::Service) -> bool,
    ) -> Vec<ServiceId> {
        let services = self.plan.topology.services.iter().enumerate();
        services
            .filter(|(_, s)| is(s))
            .map(|(index, _)| ServiceId::from(index))
            .collect()
    }

    /// An instant in words.
    pub(super) fn instant(&self, at: Nanos) -> String {
        super::words::instant(self.plan.scenario.start, at)
    }
}

/// Service hours of a population from the scenario's start to `end`; all of it without any.
fn service_hours(plan: &Plan<'_>, population: PopulationId, end: Nanos) -> Spans {
    let end = end.max(Nanos::ZERO);
    match &plan.topology.population(population).hours {
        None => vec![(Nanos::ZERO, end)],
        Some(hours) => hours.spans(
            &plan.topology.calendar,
            plan.scenario.start,
            Nanos::ZERO,
            end,
        ),
    }
}
