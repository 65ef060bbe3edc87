//! Small topologies against trying every state with a search written apart.

use super::{Compiled, Slice, Sweeper, What, compile};
use crate::{Figure, Limits, Solved};
use assize_fault::Nanos;
use assize_model::file::{LoadOptions, MemorySource, bare_scenario, load_topology};
use assize_model::topology::Topology;
use assize_model::{NodeId, Plan};
use proptest::prelude::*;
use std::path::Path;

pub(super) fn topology(text: &str) -> Topology {
    let text = format!("assize: topology/v1\nname: t\n{text}");
    load_topology(
        &MemorySource::new([("t.yaml", text.as_str())]),
        Path::new("t.yaml"),
        &LoadOptions::default(),
    )
    .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
    .0
}

/// Four routers joined at random, a site class on two of them, a service on two, perhaps a
/// dependency on a third; replicas and routers in one of two domains, or in none.
fn small(links: &[(u8, u8)], places: [u8; 3], domains: [u8; 4], needs: bool) -> String {
    let within = |d: u8| ["", "in: [x]", "in: [y]"][usize::from(d % 3)];
    let mut text = String::from(
        "domains: {x: {kind: duct}, y: {kind: power}}\nnodes:\n  s: {kind: site, count: 3}\n",
    );
    for (router, domain) in domains.iter().enumerate() {
        text.push_str(&format!(
            "  r{router}: {{kind: router, {}}}\n",
            within(*domain)
        ));
    }
    text.push_str("links:\n  up-0: {between: [s, r0]}\n  up-1: {between: [s, r1], in: [x]}\n");
    for (index, (a, b)) in links.iter().enumerate() {
        let (a, b) = (a % 4, b % 4);
        let b = if a == b { (b + 1) % 4 } else { b };
        text.push_str(&format!("  l{index}: {{between: [r{a}, r{b}]}}\n"));
    }
    let [one, two, third] = places.map(|p| p % 4);
    let depends = if needs { ", needs: [base]" } else { "" };
    text.push_str(&format!(
        "services:\n  app: {{mode: active-active, replicas: {{a: {{at: r{one}}}, b: {{at: r{two}}}}}{depends}}}\n  base: {{mode: single, replicas: {{c: {{at: r{third}}}}}}}\n"
    ));
    text.push_str("populations:\n  users: {at: {s: 30}, makes: {work: 1/h}}\njourneys: {work: {calls: [app]}}\n");
    text
}

/// Whether users at one site can work, found by walking: nothing of the compiler is used.
fn works(topology: &Topology, compiled: &Compiled, failed: &dyn Fn(u32) -> bool) -> bool {
    let out = |what: What| {
        let number = compiled.elements.number(what).expect("an element");
        let domains = &compiled.elements.items[number as usize].domains;
        failed(number)
            || domains.iter().any(|d| {
                failed(
                    compiled
                        .elements
                        .number(What::Domain(*d))
                        .expect("a domain"),
                )
            })
    };
    let site = NodeId(0);
    let reached = |from: NodeId| {
        let mut seen = vec![false; topology.nodes.len()];
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            if out(What::Node(node)) || std::mem::replace(&mut seen[node.index()], true) {
                continue;
            }
            for (index, link) in topology.links.iter().enumerate() {
                let ends = (link.from[0], link.to);
                let works = !out(What::Circuit(index as u16, 0));
                // Through the site no path leads.
                if works && ends.0 == node {
                    open.push(ends.1);
                } else if works && ends.1 == node && ends.0 != site {
                    open.push(ends.0);
                }
            }
        }
        seen
    };
    let from_site = reached(site);
    let app = topology
        .services
        .iter()
        .position(|s| s.id == "app")
        .expect("app");
    let base = 1 - app;
    let spec = &topology.services[app];
    (0..2).any(|r| {
        let at = spec.replicas[r].at;
        let needed = spec.depends.all_of.is_empty() || {
            let there = topology.services[base].replicas[0].at;
            reached(at)[there.index()] && !out(What::Replica(base as u16, 0))
        };
        from_site[at.index()] && !out(What::Replica(app as u16, r as u16)) && needed
    })
}

fn cases() -> impl Strategy<Value = String> {
    let links = proptest::collection::vec((0u8..4, 0u8..4), 1..4);
    (links, any::<[u8; 3]>(), any::<[u8; 4]>(), any::<bool>())
        .prop_map(|(l, p, d, n)| small(&l, p, d, n))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn structure_availability_cut_sets_and_sweep_agree_with_trying_everything(text in cases()) {
        let topology = topology(&text);
        let compiled = compile(&topology, &[]);
        let n = compiled.elements.items.len() as u32;
        let unit = &compiled.units[0];
        let p = |e: u32| f64::from(e % 5 + 1) / 40.0;
        let (mut down, mut worst) = (0.0, Vec::new());
        for mask in 0u32..1 << n {
            let failed = |e: u32| mask >> e & 1 == 1;
            let fails = !works(&topology, &compiled, &failed);
            prop_assert_eq!(compiled.structure.fails(unit.fails, failed), fails, "{:b}", mask);
            if fails {
                down += (0..n).map(|e| if failed(e) { p(e) } else { 1.0 - p(e) }).product::<f64>();
                worst.push(mask);
            }
        }
        let solved = Solved::new(&compiled.structure, unit.fails, Limits::default());
        let Figure::Exact(found) = solved.probability(&p) else { panic!("it fits") };
        prop_assert!((found - down).abs() < 1e-9, "{found} {down}");
        let minimal = |m: &&u32| (0..n).all(|e| **m >> e & 1 == 0 || !worst.contains(&(**m & !(1 << e))));
        prop_assert_eq!(solved.count(), Some(worst.iter().filter(minimal).count() as u128));
        // The bounds by cut sets hold the exact figure: at least the likeliest of them, at most their sum.
        let (sets, _) = solved.cut_sets(n as usize, 100_000).expect("they fit");
        let product = |s: &Vec<u32>| s.iter().map(|e| p(*e)).product::<f64>();
        let sum: f64 = sets.iter().map(product).sum();
        let most = sets.iter().map(product).fold(0.0, f64::max);
        prop_assert!(most <= found + 1e-12 && found <= sum + 1e-12);
        // With no objective, any user lost violates. Sites of the class count threefold.
        let count = |e: u32| u128::from(compiled.elements.items[e as usize].count);
        let alone = |e: u32| worst.contains(&(1 << e));
        let scenario = bare_scenario(&topology, &[], Nanos::hours(1), None).expect("none is down");
        let plan = Plan::new(&topology, &scenario, 0);
        let sweeper = Sweeper::new(&plan, &compiled, vec![1000]);
        let sweep = |threads| sweeper.sweep(2, Slice::WHOLE, threads).sweep;
        let one: u128 = (0..n).filter(|e| alone(*e)).map(count).sum();
        prop_assert_eq!(sweep(1)[0].violating, one);
        prop_assert_eq!(sweep(2)[1].violating, pairs(&compiled, &worst));
    }
}

/// Pairs of expanded elements that take the journey from somebody, one by one.
fn pairs(compiled: &Compiled, worst: &[u32]) -> u128 {
    let items = &compiled.elements.items;
    let all: Vec<(u32, u32)> = (0..items.len() as u32)
        .flat_map(|e| (0..items[e as usize].count).map(move |s| (e, s)))
        .collect();
    let mut violating = 0;
    for (i, a) in all.iter().enumerate() {
        for b in &all[i + 1..] {
            let fails = (0..3).any(|site| {
                let here = |x: &(u32, u32)| items[x.0 as usize].class.is_none() || x.1 == site;
                let mask = [a, b]
                    .iter()
                    .filter(|x| here(x))
                    .fold(0u32, |m, x| m | 1 << x.0);
                worst.contains(&mask)
            });
            violating += u128::from(fails);
        }
    }
    violating
}
