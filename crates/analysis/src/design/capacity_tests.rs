//! Loads and retained capacity under failures, against sites and failures taken one by one and
//! routed by a search written apart.

use super::tests::topology;
use super::{Compiled, Slice, Sweeper, What, compile};
use assize_fault::Nanos;
use assize_model::Plan;
use assize_model::file::bare_scenario;
use assize_model::topology::Topology;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SITES: u8 = 3;
/// The first links are those of sites.
const SITE_LINKS: usize = 3;
const FAR: u32 = u32::MAX / 4;

/// Four routers in a ring with a chord, three sites on three of them, a service on one or two.
/// Costs differ by powers of two, so that no two ways are equally long.
fn small(order: &[usize], bandwidths: [u8; 8], places: [u8; 2], standby: bool) -> String {
    let ends = [(0, 1), (1, 2), (2, 3), (3, 0), (0, 2)];
    let mut text = String::from(
        "domains: {x: {kind: duct}}\nnodes:\n  s: {kind: site, count: 3}\n  r0: {kind: router}\n  r1: {kind: router}\n  r2: {kind: router}\n  r3: {kind: router}\nlinks:\n",
    );
    let wide = |b: u8| format!("{}kbit/s", 4 + 8 * u32::from(b % 6));
    // A standby that is cheaper than the others attracts what it can as soon as one of them fails.
    let (cost, by_itself) = if standby {
        (1, ", standby: {activates_in: 1s, when: automatic}")
    } else {
        (512, "")
    };
    text.push_str(&format!(
        "  up-0: {{between: [s, r0], cost: 128, bandwidth: {}}}\n  up-1: {{between: [s, r1], cost: {cost}, bandwidth: {}, in: [x]{by_itself}}}\n  up-2: {{between: [s, r2], cost: 256, bandwidth: {}}}\n",
        wide(bandwidths[5]),
        wide(bandwidths[6]),
        wide(bandwidths[7])
    ));
    for (i, (a, b)) in ends.iter().enumerate() {
        let within = if i % 2 == 0 { ", in: [x]" } else { "" };
        text.push_str(&format!(
            "  l{i}: {{between: [r{a}, r{b}], cost: {}, bandwidth: {}{within}}}\n",
            2u32 << order[i],
            wide(bandwidths[i])
        ));
    }
    let [a, b] = places.map(|p| p % 4);
    let check = "failover: {check: {every: 1s, timeout: 1s}}";
    text.push_str(&format!("services:\n  app: {{mode: active-active, replicas: {{a: {{at: r{a}}}, b: {{at: r{b}}}}}, capacity: 20/s, {check}}}\n"));
    text.push_str("populations: {users: {at: {s: 30}, makes: {work: 3600/h}}}\n");
    text.push_str("journeys: {work: {calls: [app], timeout: 5s, sends: 100B, receives: 25B}}\n");
    text.push_str("objectives: {enough: {retained_capacity: 70%, journey: work}}\n");
    text
}

/// One failure: the element, and the site where it is one of a class.
type Failure = (u32, u8);

struct Oracle<'a> {
    topology: &'a Topology,
    compiled: &'a Compiled,
    failed: Vec<Failure>,
}

impl Oracle<'_> {
    fn out(&self, what: What, site: Option<u8>) -> bool {
        let number = self.compiled.elements.number(what).expect("an element");
        let item = &self.compiled.elements.items[number as usize];
        let domains = item
            .domains
            .iter()
            .map(|d| self.compiled.elements.number(What::Domain(*d)));
        let meant =
            |f: &Failure| f.0 == number && (item.class.is_none() || site.is_none_or(|s| s == f.1));
        self.failed.iter().any(meant)
            || domains
                .flatten()
                .any(|d| self.failed.iter().any(|f| f.0 == d))
    }

    fn works(&self, link: usize, site: Option<u8>) -> bool {
        let spec = &self.topology.links[link];
        !self.out(What::Circuit(link as u16, 0), site)
            && !self.out(What::Node(spec.from[0]), site)
            && !self.out(What::Node(spec.to), None)
    }

    /// Distances to a node over links between routers (Bellman and Ford).
    fn distances(&self, target: usize) -> Vec<u32> {
        let mut far = vec![FAR; self.topology.nodes.len()];
        far[target] = 0;
        for _ in 0..far.len() {
            for link in SITE_LINKS..self.topology.links.len() {
                let spec = &self.topology.links[link];
                let (a, b) = (spec.from[0].index(), spec.to.index());
                if self.works(link, None) {
                    far[a] = far[a].min(far[b] + spec.cost);
                    far[b] = far[b].min(far[a] + spec.cost);
                }
            }
        }
        far
    }

    /// The links from a site to a router, if there is a way.
    fn way(&self, site: u8, target: usize) -> Option<Vec<usize>> {
        let far = self.distances(target);
        let up = |link: usize| {
            let spec = &self.topology.links[link];
            let others = [0, 2].iter().all(|l| self.works(*l, Some(site)));
            let wakes = spec.standby.is_none() || !others;
            (self.works(link, Some(site)) && wakes && far[spec.to.index()] < FAR)
                .then(|| (spec.cost + far[spec.to.index()], link))
        };
        if self.out(What::Node(self.topology.populations[0].at[0].0), Some(site))
            || self.out(What::Node(target.into()), None)
        {
            return None;
        }
        let (_, first) = (0..SITE_LINKS).filter_map(up).min()?;
        let mut list = vec![first];
        let mut at = self.topology.links[first].to.index();
        while at != target {
            let step = (SITE_LINKS..self.topology.links.len()).find_map(|link| {
                let spec = &self.topology.links[link];
                let (a, b) = (spec.from[0].index(), spec.to.index());
                let other = if a == at {
                    b
                } else if b == at {
                    a
                } else {
                    return None;
                };
                (self.works(link, None) && far[at] == far[other] + spec.cost)
                    .then_some((link, other))
            });
            let (link, other) = step.expect("a way");
            list.push(link);
            at = other;
        }
        Some(list)
    }

    /// The share served of all users, and of each link what is asked of it per site and bit rate.
    fn judge(&self) -> (f64, BTreeMap<usize, f64>) {
        let at: Vec<usize> = self.topology.services[0]
            .replicas
            .iter()
            .map(|r| r.at.index())
            .collect();
        let well = |r: usize| {
            !self.out(What::Replica(0, r as u16), None) && !self.out(What::Node(at[r].into()), None)
        };
        let mut asked: BTreeMap<(usize, u8), f64> = BTreeMap::new();
        let mut ways = Vec::new();
        for site in 0..SITES {
            let found = (0..2)
                .filter(|r| well(*r))
                .filter_map(|r| self.way(site, at[r]));
            let found: Vec<Vec<usize>> = found.collect();
            for way in &found {
                for link in way {
                    let key = (*link, if *link < SITE_LINKS { site } else { 0 });
                    *asked.entry(key).or_default() += 10_000.0 / found.len() as f64;
                }
            }
            ways.push(found);
        }
        let has = |link: usize| self.topology.links[link].bandwidth.expect("one").0 as f64;
        let served = ways.iter().filter(|w| !w.is_empty()).count() as f64 * 10.0;
        let capacity = 20.0 * (0..2).filter(|r| well(*r)).count() as f64;
        let by_service = if served > capacity {
            capacity / served
        } else {
            1.0
        };
        let mut share = 0.0;
        for (site, found) in ways.iter().enumerate() {
            let carried = |way: &Vec<usize>| {
                let one = |l: &usize| {
                    let key = (*l, if *l < SITE_LINKS { site as u8 } else { 0 });
                    (has(*l) / asked[&key]).min(1.0)
                };
                way.iter().map(one).fold(1.0, f64::min)
            };
            let mean = found.iter().map(carried).sum::<f64>() / found.len().max(1) as f64;
            share += mean * by_service / f64::from(SITES);
        }
        let mut worst: BTreeMap<usize, f64> = BTreeMap::new();
        for ((link, _), asked) in asked {
            let used = worst.entry(link).or_default();
            *used = used.max(asked / has(link));
        }
        (share, worst)
    }
}

fn cases() -> impl Strategy<Value = String> {
    let order = Just((0..5).collect::<Vec<usize>>()).prop_shuffle();
    (order, any::<[u8; 8]>(), any::<[u8; 2]>(), any::<bool>())
        .prop_map(|(o, b, p, s)| small(&o, b, p, s))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn loads_and_retained_capacity_agree_with_routing_every_site_and_failure(text in cases()) {
        let topology = topology(&text);
        let compiled = compile(&topology, &[]);
        let scenario = bare_scenario(&topology, &[], Nanos::hours(1), None).expect("none is down");
        let plan = Plan::new(&topology, &scenario, 0);
        let found = Sweeper::new(&plan, &compiled, vec![1000]).sweep(2, Slice::WHOLE, 1);
        let items = &compiled.elements.items;
        let all: Vec<Failure> = (0..items.len() as u32)
            .flat_map(|e| (0..items[e as usize].count as u8).map(move |s| (e, s)))
            .collect();
        let judge = |failed: &[Failure]| {
            Oracle { topology: &topology, compiled: &compiled, failed: failed.to_vec() }.judge()
        };
        let missed = |share: f64| share < 0.7 - 1e-7;
        let rest = judge(&[]).1;
        let mut ones = (0u128, rest.clone());
        let mut twos = (0u128, rest.clone());
        let raise = |highest: &mut BTreeMap<usize, f64>, used: BTreeMap<usize, f64>| {
            for (link, used) in used {
                let most = highest.entry(link).or_default();
                *most = most.max(used);
            }
        };
        for (i, a) in all.iter().enumerate() {
            let (share, used) = judge(&[*a]);
            ones.0 += u128::from(missed(share));
            raise(&mut ones.1, used);
            for b in &all[i + 1..] {
                let (share, used) = judge(&[*a, *b]);
                twos.0 += u128::from(missed(share));
                raise(&mut twos.1, used);
            }
        }
        prop_assert_eq!(found.sweep[0].violating, ones.0);
        prop_assert_eq!(found.sweep[1].violating, twos.0);
        for (link, load) in found.loads.iter().filter(|l| l.element.starts_with("link/")).enumerate() {
            let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
            let rest = rest.get(&link).copied().unwrap_or(0.0);
            prop_assert!(near(load.at_rest, rest), "{} {rest}", load.at_rest);
            for (k, highest) in [(1, &ones.1), (2, &twos.1)] {
                let worst = load.worst.iter().find(|w| w.k == k).map_or(load.at_rest, |w| w.share);
                let wanted = highest.get(&link).copied().unwrap_or(0.0).max(rest);
                prop_assert!(near(worst, wanted), "{} k {k}: {worst} {wanted}", load.element);
            }
        }
    }
}
