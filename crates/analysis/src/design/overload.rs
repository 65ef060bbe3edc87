//! What links and services that are too small leave of the demand.
//!
//! A link carries of what is asked of it its bandwidth, a service serves its capacity, and all who
//! ask get the same share, as in `sim`. A journey gets the product over its calls; where clients
//! are spread over replicas, their mean. What queues and retries make of an overload in time is
//! a matter of `simulate`.

use super::evaluate::{AtSite, Effect, Evaluator, Outcome, Shared};
use super::traffic::Limit;
use std::collections::BTreeMap;

/// All of it, in parts per billion.
const ALL: i128 = 1_000_000_000;

/// Whether so much more than can be done is asked for, at a demand in thousandths.
pub(super) fn exceeds((asked, can): (i128, i128), demand: u64) -> bool {
    asked * i128::from(demand) > can * 1000
}

/// The limits that are asked for more than they can do.
pub(super) fn overloaded(shared: &Shared<'_>, effect: &Effect, demand: u64) -> Vec<u32> {
    let limits = shared.traffic.limits.iter().enumerate();
    let over = |(index, limit): &(usize, &Limit)| {
        let site = |h: &Vec<i128>| exceeds((h[*index], each(limit)), demand);
        exceeds(effect.loads[*index], demand) || effect.here.iter().any(site)
    };
    limits.filter(over).map(|l| l.0 as u32).collect()
}

fn share(load: (i128, i128), demand: u64) -> i128 {
    if exceeds(load, demand) {
        load.1 * 1000 * ALL / (load.0 * i128::from(demand))
    } else {
        ALL
    }
}

impl Evaluator<'_> {
    /// What is lost at each demand: what is cut off, and what is not served in full.
    pub(super) fn overload(
        &self,
        changed: &BTreeMap<usize, Outcome>,
        at_sites: &[AtSite],
        effect: &mut Effect,
    ) {
        let demands = &self.shared.demands;
        effect.losses = vec![effect.cut_off.clone(); demands.len()];
        let most = demands.iter().copied().max().unwrap_or(1000);
        if overloaded(self.shared, effect, most).is_empty() {
            return;
        }
        for (index, &demand) in demands.iter().enumerate() {
            if overloaded(self.shared, effect, demand).is_empty() {
                continue;
            }
            for unit in 0..self.base.len() {
                let asks = &self.shared.traffic.asks[unit];
                let everywhere = changed.get(&unit).unwrap_or(&self.base[unit]);
                let one = asks.weight.div_ceil(asks.sites) as i128;
                let mut left = asks.weight as i128;
                let mut lost = 0;
                for (fares, here) in at_sites.iter().zip(&effect.here) {
                    if let Some(outcome) = fares.get(&unit) {
                        let outcome = outcome.as_ref().unwrap_or(everywhere);
                        lost += one * (ALL - self.served(outcome, effect, Some(here), demand));
                        left -= one;
                    }
                }
                lost += left * (ALL - self.served(everywhere, effect, None, demand));
                // What is cut off is in the losses already.
                lost -= self.cut_off(unit, everywhere, at_sites) * ALL;
                let lost = lost / ALL;
                if lost != 0 {
                    self.lose(unit, lost, &mut effect.losses[index]);
                }
            }
        }
    }

    fn cut_off(&self, unit: usize, everywhere: &Outcome, at: &[AtSite]) -> i128 {
        let asks = &self.shared.traffic.asks[unit];
        let one = asks.weight.div_ceil(asks.sites) as i128;
        let all = if everywhere.is_none() {
            asks.weight as i128
        } else {
            0
        };
        let sites = at.iter().filter_map(|fares| fares.get(&unit)?.as_ref());
        let more = |o: &Outcome| i128::from(o.is_none()) - i128::from(everywhere.is_none());
        all + sites.map(|o| one * more(o)).sum::<i128>()
    }

    /// The share of attempts that end well, in parts per billion.
    fn served(
        &self,
        outcome: &Outcome,
        effect: &Effect,
        here: Option<&Vec<i128>>,
        demand: u64,
    ) -> i128 {
        let Some(parts) = outcome else { return 0 };
        let traffic = &self.shared.traffic;
        let mut all = ALL;
        let mut begin = 0;
        while begin < parts.len() {
            let of = parts[begin].of as usize;
            let calls = &parts[begin..begin + of];
            let carried: i128 = calls
                .iter()
                .map(|part| {
                    let limits = self.routes.found(part.way).limits.iter().flatten();
                    let shares = limits.map(|l| {
                        let limit = *l as usize;
                        match (&traffic.limits[limit], here) {
                            (limit_of @ Limit::Circuit { own: true, .. }, Some(here)) => {
                                share((here[limit], each(limit_of)), demand)
                            }
                            _ => share(effect.loads[limit], demand),
                        }
                    });
                    shares.min().unwrap_or(ALL)
                })
                .sum();
            all = all * (carried / of as i128) / ALL;
            for (limit, times) in &traffic.bounded_by[parts[begin].service as usize] {
                let one = share(effect.loads[*limit as usize], demand);
                if one != ALL {
                    (0..(*times).min(64)).for_each(|_| all = all * one / ALL);
                }
            }
            begin += of;
        }
        all
    }
}

/// What a circuit of one site can do. What no site has of its own is not counted there.
fn each(limit: &Limit) -> i128 {
    match limit {
        Limit::Circuit { each, .. } | Limit::Service { each, .. } => *each as i128,
    }
}
