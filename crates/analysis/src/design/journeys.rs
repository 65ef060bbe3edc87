//! What each journey of each population stands on: single points, cut sets, availability.

use super::accepted::Register;
use super::compile::{Compiled, Unit};
use super::elements::What;
use crate::program::{Program, Scratch};
use crate::report::{Availability, Bounds, CutSetFound, ImportanceFound, Journey, SinglePoint};
use crate::solve::{Figure, Limits, Solved};
use crate::structure::{Ref, Structure};
use assize_model::topology::Topology;
use assize_model::{JourneyId, NodeId, PopulationId};
use std::collections::BTreeMap;

/// How much of it is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Cut sets of at most so many elements.
    pub order: usize,
    /// At most so many of them, per journey.
    pub most: usize,
    /// How much may be spent on one structure.
    pub limits: Limits,
}

/// One entry for each journey of each population, in the order of the file.
pub(crate) fn of(
    topology: &Topology,
    compiled: &Compiled,
    p: &[Option<f64>],
    register: &Register<'_>,
    wanted: Wanted,
) -> (Vec<Journey>, Vec<String>) {
    let mut analyst = Analyst {
        topology,
        compiled,
        p,
        register,
        wanted,
        structure: compiled.structure.clone(),
        solved: BTreeMap::new(),
        warnings: Vec::new(),
    };
    let mut groups: Vec<((PopulationId, JourneyId), Vec<&Unit>)> = Vec::new();
    for unit in &compiled.units {
        let key = (unit.population, unit.journey);
        match groups.last_mut().filter(|g| g.0 == key) {
            Some(group) => group.1.push(unit),
            None => groups.push((key, vec![unit])),
        }
    }
    let journeys = groups
        .iter()
        .map(|(key, units)| analyst.journey(*key, units))
        .collect();
    (journeys, analyst.warnings)
}

struct Analyst<'a> {
    topology: &'a Topology,
    compiled: &'a Compiled,
    p: &'a [Option<f64>],
    register: &'a Register<'a>,
    wanted: Wanted,
    structure: Structure,
    solved: BTreeMap<Ref, Solved>,
    warnings: Vec<String>,
}

impl Analyst<'_> {
    fn journey(
        &mut self,
        (population, journey): (PopulationId, JourneyId),
        units: &[&Unit],
    ) -> Journey {
        let (population, journey) = (
            self.topology.population(population),
            self.topology.journey(journey),
        );
        let (single_points, site_points) = self.points(&journey.id, units);
        let top = self.structure.or(units.iter().map(|u| u.fails));
        self.solve(top);
        let name = |e: &u32| self.compiled.elements.items[*e as usize].id.clone();
        let solved = &self.solved[&top];
        let (sets, complete) = solved
            .cut_sets(self.wanted.order, self.wanted.most)
            .unwrap_or_default();
        let minimal_cut_sets = solved.count();
        let title = format!("{} of {}", journey.id, population.id);
        if minimal_cut_sets.is_none() {
            self.warnings.push(format!(
                "{title}: the minimal cut sets did not fit and were not counted"
            ));
        } else if !complete {
            self.warnings.push(format!(
                "{title}: the first {} minimal cut sets are listed; there are more",
                sets.len()
            ));
        }
        let cut_sets = sets
            .iter()
            .map(|set| CutSetFound {
                elements: set.iter().map(name).collect(),
                probability: set.iter().map(|e| self.p[*e as usize]).product(),
            })
            .collect();
        let known = self.p.iter().any(Option::is_some);
        let availability = known.then(|| self.availability(units));
        let q = |e: u32| self.p[e as usize].unwrap_or(0.0);
        let importance = if known {
            self.solved[&top].importance(&q)
        } else {
            Vec::new()
        };
        let importance = importance
            .into_iter()
            .filter(|i| i.criticality > 0.0)
            .take(self.wanted.most)
            .map(|i| ImportanceFound {
                element: name(&i.event),
                birnbaum: i.birnbaum,
                criticality: i.criticality,
                fussell_vesely: i.fussell_vesely,
            })
            .collect();
        Journey {
            journey: journey.id.clone(),
            population: population.id.clone(),
            single_points,
            site_points,
            cut_sets,
            minimal_cut_sets,
            availability,
            importance,
        }
    }

    fn solve(&mut self, top: Ref) {
        if !self.solved.contains_key(&top) {
            let solved = Solved::new(&self.structure, top, self.wanted.limits);
            self.solved.insert(top, solved);
        }
    }

    /// The mean over the users of the share of time in which they can make the journey.
    fn availability(&mut self, units: &[&Unit]) -> Availability {
        let total: u128 = units.iter().map(|u| u.weight).sum();
        let (mut lower, mut upper, mut exact) = (0.0, 0.0, true);
        for unit in units {
            self.solve(unit.fails);
            let q = |e: u32| self.p[e as usize].unwrap_or(0.0);
            let figure = self.solved[&unit.fails].probability(&q);
            let share = unit.weight as f64 / total.max(1) as f64;
            exact &= matches!(figure, Figure::Exact(_));
            lower += share * figure.lower();
            upper += share * figure.upper();
        }
        if exact {
            Availability::Exact { exact: 1.0 - lower }
        } else {
            Availability::Between(Bounds {
                lower: 1.0 - upper,
                upper: 1.0 - lower,
            })
        }
    }

    /// What alone takes the journey away, and whose it is: what there is once, and what belongs
    /// to a user's own site.
    fn points(&self, journey: &str, units: &[&Unit]) -> (Vec<SinglePoint>, Vec<SinglePoint>) {
        let tops: Vec<Ref> = units.iter().map(|u| u.fails).collect();
        let program = Program::new(&self.compiled.structure, &tops);
        let total: u128 = units.iter().map(|u| u.weight).sum();
        let (mut shared, mut of_site) = (Vec::new(), Vec::new());
        let mut scratch = Scratch::default();
        let events = program.events();
        let mut state = vec![0u64; self.compiled.elements.items.len()];
        for batch in events.chunks(64) {
            state.fill(0);
            batch
                .iter()
                .enumerate()
                .for_each(|(bit, e)| state[*e as usize] = 1 << bit);
            program.run(&mut scratch, &state);
            for (bit, &element) in batch.iter().enumerate() {
                let lost = |i: &usize| program.output(&scratch, *i) >> bit & 1 == 1;
                let losing: Vec<&Unit> = (0..units.len()).filter(lost).map(|i| units[i]).collect();
                let weight: u128 = losing.iter().map(|u| u.weight).sum();
                if weight == 0 {
                    continue;
                }
                let own = losing.iter().all(|u| self.belongs(element, u.node));
                let point = self.point(element, journey, weight as f64 / total as f64);
                if own {
                    of_site.push(point)
                } else {
                    shared.push(point)
                }
            }
        }
        (shared, of_site)
    }

    /// Whether an element is part of a site, so that only the users there stand on it.
    fn belongs(&self, element: u32, site: NodeId) -> bool {
        match self.compiled.elements.items[element as usize].what {
            What::Node(node) | What::Unit(node, _) | What::Part(node, _) => node == site,
            What::Circuit(link, end) => {
                self.topology.links[usize::from(link)].from[usize::from(end)] == site
            }
            What::Replica(..) | What::Shard(..) | What::Domain(_) => false,
        }
    }

    fn point(&self, element: u32, journey: &str, share: f64) -> SinglePoint {
        let item = &self.compiled.elements.items[element as usize];
        let accepted = self.register.find(&item.id, journey);
        SinglePoint {
            element: item.id.clone(),
            // Of a class one site fails, not all.
            share: share / f64::from(item.count),
            accepted: accepted.is_some(),
            until: accepted.map(|a| a.until.clone()),
        }
    }
}
