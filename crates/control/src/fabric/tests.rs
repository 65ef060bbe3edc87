//! The network of one office, one user class and two data centres, driven by hand.

use super::*;
use assize_fault::{Bandwidth, Nanos, Ppb};
use assize_model::faults::How;
use assize_model::file::{LoadOptions, MemorySource, load_scenario};
use assize_model::journal::DecisionKind;
use assize_model::scenario::Scenario;
use assize_model::{NodeId, Topology};
use std::path::Path;

/// Two circuits lead from the core to each other: a short one, and a long way round. The courts
/// have a standby. The database has a replica in each data centre.
const NET: &str = "
assize: scenario/v1
topology:
  nodes:
    courts: {kind: site, count: 4}
    core: {kind: router, replicas: {a: {}, b: {}}, switch_over: 5s}
    round: {kind: router}
    dc1: {kind: server}
    dc2: {kind: server}
    mast: {kind: router}
  links:
    wan: {between: [courts, core], latency: 5ms, bandwidth: 8Mbit/s, detect: 900ms, converge: 1s}
    lte: {between: [courts, mast], cost: 50, latency: 40ms, standby: {activates_in: 30s, when: automatic}}
    mast-core: {between: [mast, core], cost: 50}
    l1: {between: [core, dc1], latency: 1ms, bandwidth: 100Mbit/s, detect: 100ms, converge: 100ms}
    l2: {between: [core, dc2], latency: 2ms}
    r1: {between: [core, round], cost: 20, latency: 10ms}
    r2: {between: [round, dc1], cost: 20, latency: 10ms}
  access:
    wired: {via: [wan]}
    mobile: {via: [lte], after: 2m}
  services:
    db:
      mode: active-standby
      replicas: {one: {at: dc1}, two: {at: dc2}}
  journeys:
    work: {calls: [db], timeout: 5s}
  populations:
    clerks: {at: {courts: 400}, access: [wired, mobile], makes: {work: 1/min}}
start: 2026-01-12T09:00:00Z
end: 1h
timeline:
";

fn load(timeline: &str) -> (Topology, Scenario) {
    let text = format!("{NET}  - {{id: f, at: 1m, fault: {timeline}}}\n");
    let source = MemorySource::new([("s.yaml", text.as_str())]);
    match load_scenario(&source, Path::new("s.yaml"), &LoadOptions::default()) {
        Ok((topology, scenario, _)) => (topology, scenario),
        Err(problems) => panic!("{problems}"),
    }
}

/// Switches every effect of a fault.
fn switch(fabric: &mut Fabric<'_>, scenario: &Scenario, fault: usize, now: Nanos, on: bool) {
    let entry = &scenario.faults[fault];
    for effect in &entry.effects {
        fabric.on_fault(now, fault, *effect, &entry.targets, on);
    }
    fabric.settle(now);
}

/// Everything that is due up to an instant, in order; what was decided.
fn wait(fabric: &mut Fabric<'_>, until: Nanos) -> Vec<(Nanos, DecisionKind, String)> {
    let mut decisions = Vec::new();
    while let Some(at) = fabric.next_wake().filter(|at| *at <= until) {
        fabric.on_wake(at, &mut decisions);
    }
    let told = decisions.into_iter();
    told.map(|d| (d.at, d.kind, d.subject)).collect()
}

const ONE: Instance = Instance::new(0, 0);
const TWO: Instance = Instance::new(0, 1);

fn core(topology: &Topology) -> NodeId {
    let at = topology.nodes.iter().position(|n| n.id == "core");
    NodeId::from(at.expect("a core"))
}

fn access(topology: &Topology, id: &str) -> AccessId {
    let at = topology.access.iter().position(|a| a.id == id);
    AccessId::from(at.expect("an access"))
}

#[test]
fn routing_believes_in_a_link_until_it_has_noticed_and_then_goes_round() {
    let (topology, scenario) = load("outage, target: link/l1");
    let plan = Plan::new(&topology, &scenario, 1);
    let mut fabric = Fabric::new(&plan);
    fabric.settle(Nanos::ZERO);
    let core = core(&topology);
    let leg = |fabric: &Fabric<'_>| fabric.leg_to_replica(core, ONE);
    assert_eq!(
        (leg(&fabric).stop, leg(&fabric).quality.latency),
        (None, Nanos::millis(1))
    );

    switch(&mut fabric, &scenario, 0, Nanos::secs(60), true);
    let stop = leg(&fabric).stop.expect("it is lost until routing knows");
    assert_eq!(fabric.faults_of(stop), [0]);
    assert_eq!(
        (fabric.how(stop), fabric.describe(stop)),
        (How::BlackHole, "link/l1 does not pass packets".into())
    );

    // It was noticed 100 ms after the fault and carried out another 100 ms later.
    let decided = wait(&mut fabric, Nanos::secs(70));
    let noticed = Nanos::secs(60) + Nanos::millis(100);
    assert_eq!(
        decided,
        [(noticed, DecisionKind::RouteDown, "link/l1".to_string())]
    );
    assert_eq!(
        (leg(&fabric).stop, leg(&fabric).quality.latency),
        (None, Nanos::millis(20))
    );

    switch(&mut fabric, &scenario, 0, Nanos::secs(80), false);
    wait(&mut fabric, Nanos::secs(90));
    assert_eq!(leg(&fabric).quality.latency, Nanos::millis(1));
}

#[test]
fn a_standby_steps_in_by_itself_and_leaves_again() {
    let (topology, scenario) = load("outage, target: link/wan");
    let plan = Plan::new(&topology, &scenario, 1);
    let mut fabric = Fabric::new(&plan);
    fabric.settle(Nanos::ZERO);
    let spot = fabric.net().spots_of(plan.cells[0].node).start;
    let mobile = access(&topology, "mobile");
    let first = fabric.first_hops(spot, mobile);
    let from = |access| Origin {
        spot,
        access,
        first: &first,
    };
    assert_eq!(
        fabric.leg_of_users(from(mobile), ONE).stop,
        Some(Stop::NoRoute)
    );
    switch(&mut fabric, &scenario, 0, Nanos::secs(60), true);
    let decided = wait(&mut fabric, Nanos::secs(91));
    assert!(decided.iter().all(|d| d.1 == DecisionKind::RouteDown));
    let decided = wait(&mut fabric, Nanos::secs(92));
    let at = Nanos::secs(91) + Nanos::millis(900);
    assert!(decided.contains(&(at, DecisionKind::Activated, "link/lte".into())));
    let leg = fabric.leg_of_users(from(mobile), ONE);
    assert_eq!((leg.stop, leg.quality.latency), (None, Nanos::millis(41)));
    switch(&mut fabric, &scenario, 0, Nanos::secs(200), false);
    wait(&mut fabric, Nanos::secs(210));
    assert!(fabric.leg_of_users(from(mobile), ONE).stop.is_some());
}

#[test]
fn another_unit_takes_over_after_its_time() {
    let (topology, scenario) = load("outage, target: node/core/a");
    let plan = Plan::new(&topology, &scenario, 1);
    let mut fabric = Fabric::new(&plan);
    fabric.settle(Nanos::ZERO);
    switch(&mut fabric, &scenario, 0, Nanos::secs(60), true);
    assert!(!fabric.meet(ONE, TWO));
    let decided = wait(&mut fabric, Nanos::secs(65));
    let taken = (
        Nanos::secs(65),
        DecisionKind::Activated,
        "node/core/b".to_string(),
    );
    assert!(
        decided.contains(&taken)
            && fabric.spot(fabric.net().spot(core(&topology))).units_used == 0b11
    );
    // Routing has to find out that the links are back.
    wait(&mut fabric, Nanos::secs(66));
    assert!(fabric.meet(ONE, TWO));
}

#[test]
fn a_cut_one_way_stops_requests_or_only_their_answers() {
    for (direction, passes) in [
        (", one_way: out", (false, true)),
        (", one_way: in", (true, false)),
        ("", (false, false)),
    ] {
        let cut = format!("partition, target: service/db/one, against: service/db/two{direction}");
        let (topology, scenario) = load(&cut);
        let plan = Plan::new(&topology, &scenario, 1);
        let mut fabric = Fabric::new(&plan);
        switch(&mut fabric, &scenario, 0, Nanos::ZERO, true);
        let there = fabric.condition(Flow::Between(ONE, TWO));
        let back = fabric.condition(Flow::Between(TWO, ONE));
        assert_eq!((there.stop, there.faults), (Some(Stop::Cut(0)), vec![0]));
        assert_eq!((there.out, there.back), passes, "{direction}");
        assert_eq!((back.back, back.out), passes, "{direction}");
        assert_eq!(fabric.carries_one_way(ONE, TWO), passes.0);
        assert_eq!(fabric.carries_one_way(TWO, ONE), passes.1);
        switch(&mut fabric, &scenario, 0, Nanos::secs(1), false);
        assert!(fabric.meet(ONE, TWO));
    }
}

#[test]
fn the_condition_of_users_has_their_lines_and_what_makes_them_worse() {
    let (topology, scenario) =
        load("degrade, target: [link/wan, service/db/one], latency: 30ms, loss: 2%");
    let plan = Plan::new(&topology, &scenario, 1);
    let mut fabric = Fabric::new(&plan);
    fabric.settle(Nanos::ZERO);
    let spot = fabric.net().spots_of(plan.cells[0].node).start;
    let wired = access(&topology, "wired");
    let first = fabric.first_hops(spot, wired);
    let flow = Flow::Users(
        Origin {
            spot,
            access: wired,
            first: &first,
        },
        ONE,
    );
    let before = fabric.condition(flow);
    assert_eq!(
        (before.quality.latency, before.faults.len()),
        (Nanos::millis(6), 0)
    );
    let lines: Vec<_> = before
        .lines
        .iter()
        .map(|l| (l.bandwidth, l.sites))
        .collect();
    assert_eq!(
        lines,
        [(Bandwidth(8_000_000), 4), (Bandwidth(100_000_000), 1)]
    );
    switch(&mut fabric, &scenario, 0, Nanos::secs(60), true);
    let after = fabric.condition(flow);
    assert_eq!(
        (after.stop, after.quality.latency, after.faults),
        (None, Nanos::millis(66), vec![0])
    );
    assert_eq!(after.quality.passes, Ppb(960_400_000));
    // What only makes the replica worse is not felt between replicas.
    let between = fabric.condition(Flow::Between(TWO, ONE));
    assert_eq!(
        (between.quality.latency, between.faults),
        (Nanos::millis(3), vec![])
    );
}

#[test]
fn what_is_supposed_is_what_a_driven_network_comes_to() {
    for target in [
        "link/wan",
        "link/l1",
        "link/lte",
        "node/core",
        "node/round",
        "node/mast",
    ] {
        let (topology, scenario) = load(&format!("outage, target: {target}"));
        let plan = Plan::new(&topology, &scenario, 1);
        let mut driven = Fabric::new(&plan);
        driven.settle(Nanos::ZERO);
        switch(&mut driven, &scenario, 0, Nanos::secs(60), true);
        wait(&mut driven, Nanos::hours(1));

        let mut supposed = Fabric::new(&plan);
        let net = supposed.net();
        let named = |kind: &str, id: &str| format!("{kind}/{id}") == target;
        let spots: Vec<bool> = net
            .spots
            .iter()
            .map(|s| named("node", &topology.node(s.node).id))
            .collect();
        let circuits: Vec<bool> = net
            .circuits
            .iter()
            .map(|c| named("link", &topology.link(c.link).id))
            .collect();
        supposed.suppose(&spots, &circuits);
        let (a, b) = (driven.truth(), supposed.truth());
        assert_eq!(a.passes, b.passes, "{target}");
        assert_eq!(a.believed, b.believed, "{target}");
        assert_eq!(a.dormant, b.dormant, "{target}");
        for access in 0..2 {
            let spot = supposed.net().spot(topology.populations[0].at[0].0);
            let first = supposed.first_hops(spot, AccessId(access));
            let origin = Origin {
                spot,
                access: AccessId(access),
                first: &first,
            };
            assert_eq!(
                driven.route_of_users(origin, ONE),
                supposed.route_of_users(origin, ONE),
                "{target}"
            );
        }
    }
}
