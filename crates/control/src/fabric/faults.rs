//! Faults as changes of the states of the network's elements.

use super::Fabric;
use super::state::{ActiveCut, BlockedFlow, Fault, put, put_with};
use super::ways::Start;
use assize_fault::{Bandwidth, Nanos, Ppb};
use assize_model::faults::{Degrade, Direction, Effect, How};
use assize_model::scenario::Target;

/// What a fault does while it is on, or no longer does.
#[derive(Clone, Copy)]
struct Turn {
    now: Nanos,
    fault: Fault,
    effect: Effect,
    on: bool,
}

impl Fabric<'_> {
    /// A fault takes effect on its targets, or no longer does. `@primary` must have been resolved
    /// already. Effects and targets that are not the network's are left alone.
    pub fn on_fault(
        &mut self,
        now: Nanos,
        fault: Fault,
        effect: Effect,
        targets: &[Target],
        on: bool,
    ) {
        let turn = Turn {
            now,
            fault,
            effect,
            on,
        };
        if let Effect::Cut(direction) = effect {
            self.cut(turn, direction, targets);
        } else {
            targets.iter().for_each(|target| self.apply(turn, target));
        }
    }

    /// Whether the network carries out all of an effect on a target.
    #[must_use]
    pub fn carries_out(effect: Effect, target: &Target) -> bool {
        match target {
            Target::Node(..) | Target::Part(..) | Target::Link(..) | Target::Flow(..) => true,
            Target::NodeReplica(..) => effect != Effect::SessionsLost,
            Target::Service(_) | Target::Replica(..) => {
                matches!(
                    effect,
                    Effect::Cut(_) | Effect::Isolate | Effect::Degrade(_)
                )
            }
            Target::Primary(_) | Target::Shard(..) | Target::Access(_) => false,
        }
    }

    fn apply(&mut self, turn: Turn, target: &Target) {
        let Turn { fault, on, .. } = turn;
        match target {
            Target::Node(node, sites) => {
                for spot in self.net.selected_spots(*node, sites) {
                    self.apply_to_spot(turn, spot);
                }
            }
            Target::NodeReplica(node, unit) if matches!(turn.effect, Effect::Down(_)) => {
                let spot = self.net.spot(*node);
                let down = &mut self.spots[spot].unit_down[usize::from(*unit)];
                put(down, fault, on);
                let up = down.is_empty();
                if let Some(units) = &mut self.spots[spot].units {
                    units.on_unit(turn.now, usize::from(*unit), up);
                }
                self.touch_spot(spot);
            }
            Target::Part(node, part, sites) => {
                for spot in self.net.selected_spots(*node, sites) {
                    let state = &mut self.spots[spot];
                    match turn.effect {
                        Effect::Down(_) => put(&mut state.parts[usize::from(*part)], fault, on),
                        Effect::Degrade(degrade) => {
                            let list = &mut state.part_degrade[usize::from(*part)];
                            put_with(list, fault, degrade, on);
                        }
                        _ => {}
                    }
                    self.touch_spot(spot);
                }
            }
            Target::Link(link, sites) => {
                for circuit in self.net.selected_circuits(*link, sites) {
                    self.apply_to_circuit(turn, circuit);
                }
            }
            Target::Service(service) => {
                for replica in 0..self.replicas[service.index()].len() {
                    self.apply_to_replica(turn, service.index(), replica);
                }
            }
            Target::Replica(service, replica) => {
                self.apply_to_replica(turn, service.index(), usize::from(*replica));
            }
            Target::Flow(from, to) if is_out(turn.effect) => {
                self.flows.retain(|b| b.fault != fault || on);
                if on {
                    let (from, to) = (from.index(), to.index());
                    self.flows.push(BlockedFlow { fault, from, to });
                }
            }
            // The rest is not the network's, or not allowed (`TARGETS` of each fault).
            _ => {}
        }
    }

    fn apply_to_spot(&mut self, turn: Turn, spot: usize) {
        let Turn { fault, on, .. } = turn;
        let state = &mut self.spots[spot];
        match turn.effect {
            Effect::Down(how) => put_with(&mut state.down, fault, place_fails(how), on),
            Effect::Degrade(degrade) => put_with(&mut state.degrade, fault, degrade, on),
            Effect::Isolate => return self.isolate_spot(turn, spot),
            _ => return,
        }
        self.touch_spot(spot);
    }

    /// Nothing passes the circuits of a place, but those by which spared places reach it.
    fn isolate_spot(&mut self, turn: Turn, spot: usize) {
        let Turn { fault, on, .. } = turn;
        let spared = self.spared(fault);
        let kept = self.kept_for(&spared, spot);
        put_with(&mut self.spots[spot].isolated, fault, spared.clone(), on);
        self.touch_spot(spot);
        for circuit in self.circuits_of_place(spot) {
            let c = &self.net.circuits[circuit];
            let other = if c.near == spot {
                self.net.spot(c.far)
            } else {
                c.near
            };
            if !spared.contains(&other) && (!on || !kept.contains(&circuit)) {
                put(&mut self.circuits[circuit].cut, fault, on);
                self.touch_circuit(circuit);
            }
        }
    }

    /// The circuits by which spared places reach an isolated one; they stay as they are.
    fn kept_for(&self, spared: &[usize], spot: usize) -> Vec<usize> {
        let node = self.net.spots[spot].node;
        let mut list = Vec::new();
        for &from in spared {
            let first = self.circuits_of_place(from);
            list.extend(self.route(Start::Spot(from, &first), node, u64::MAX));
        }
        list
    }

    fn circuits_of_place(&self, spot: usize) -> Vec<usize> {
        let node = self.net.spots[spot].node;
        let mut list = self.net.at_spot[spot].clone();
        if !self.is_class(spot) {
            list.extend(&self.net.at_far[node.index()]);
        }
        list
    }

    fn apply_to_circuit(&mut self, turn: Turn, circuit: usize) {
        let Turn { fault, on, .. } = turn;
        let bandwidth = self.net.circuits[circuit].bandwidth;
        let state = &mut self.circuits[circuit];
        match turn.effect {
            Effect::Down(how) => put_with(&mut state.down, fault, place_fails(how), on),
            Effect::Degrade(degrade) => put_with(&mut state.degrade, fault, degrade, on),
            Effect::Capacity(left) => {
                let degrade = Degrade {
                    bandwidth: bandwidth.map(|b| narrower(b, left)),
                    ..Default::default()
                };
                put_with(&mut state.degrade, fault, degrade, on);
            }
            Effect::Isolate => put(&mut state.cut, fault, on),
            _ => return,
        }
        self.touch_circuit(circuit);
    }

    fn apply_to_replica(&mut self, turn: Turn, service: usize, replica: usize) {
        let Turn { fault, on, .. } = turn;
        let spared = match turn.effect {
            Effect::Isolate => self.spared(fault),
            _ => Vec::new(),
        };
        let state = &mut self.replicas[service][replica];
        match turn.effect {
            Effect::Degrade(degrade) => put_with(&mut state.degrade, fault, degrade, on),
            Effect::Isolate => put_with(&mut state.isolated, fault, spared, on),
            _ => {}
        }
    }

    /// The places that an isolated element still reaches.
    fn spared(&self, fault: Fault) -> Vec<usize> {
        self.places(&self.plan.scenario.faults[fault].against)
    }

    /// The spots at which elements are.
    fn places(&self, targets: &[Target]) -> Vec<usize> {
        let topology = self.plan.topology;
        let mut spots = Vec::new();
        for target in targets {
            match target {
                Target::Node(node, sites) | Target::Part(node, _, sites) => {
                    spots.extend(self.net.selected_spots(*node, sites));
                }
                Target::NodeReplica(node, _) => spots.push(self.net.spot(*node)),
                Target::Link(link, sites) => {
                    for c in self.net.selected_circuits(*link, sites) {
                        spots.push(self.net.circuits[c].near);
                        spots.push(self.net.spot(self.net.circuits[c].far));
                    }
                }
                Target::Service(s) | Target::Primary(s) | Target::Shard(s, _) => {
                    let replicas = topology.service(*s).replicas.iter();
                    spots.extend(replicas.map(|r| self.net.spot(r.at)));
                }
                Target::Replica(s, r) => {
                    let at = topology.service(*s).replicas[usize::from(*r)].at;
                    spots.push(self.net.spot(at));
                }
                Target::Flow(..) | Target::Access(_) => {}
            }
        }
        spots.sort_unstable();
        spots.dedup();
        spots
    }

    /// A cut: along links and flows where those are the targets, else between two sets of
    /// places (also on the links that join them directly). Routing does not notice it.
    fn cut(&mut self, turn: Turn, direction: Direction, targets: &[Target]) {
        let Turn { fault, on, .. } = turn;
        let plan = self.plan;
        let against = &plan.scenario.faults[fault].against;
        if against.is_empty() {
            for target in targets {
                match target {
                    Target::Flow(..) => self.apply(turn, target),
                    Target::Link(..) | Target::Node(..) | Target::Replica(..) => {
                        let effect = Effect::Isolate;
                        self.apply(Turn { effect, ..turn }, target);
                    }
                    _ => {}
                }
            }
            return;
        }
        self.cuts.retain(|c| c.fault != fault);
        let (near, far) = (self.places(targets), self.places(against));
        for circuit in 0..self.net.circuits.len() {
            let c = &self.net.circuits[circuit];
            let (a, b) = (c.near, self.net.spot(c.far));
            let joins = |x: usize, y: usize| near.contains(&x) && far.contains(&y);
            // One way leaves shipments the other way; the barrier between the places does the rest.
            if direction == Direction::Both && (joins(a, b) || joins(b, a)) {
                put(&mut self.circuits[circuit].cut, fault, on);
                self.touch_circuit(circuit);
            }
        }
        if on {
            self.cuts.push(ActiveCut {
                fault,
                near,
                far,
                out: direction != Direction::In,
                back: direction != Direction::Out,
            });
        }
        self.touch_all();
    }

    /// The cut that stops packets from one spot to another, if there is one.
    #[must_use]
    pub fn cut_between(&self, from: usize, to: usize) -> Option<Fault> {
        self.cuts
            .iter()
            .find(|c| {
                (c.out && c.near.contains(&from) && c.far.contains(&to))
                    || (c.back && c.far.contains(&from) && c.near.contains(&to))
            })
            .map(|c| c.fault)
    }

    /// Whether what one service sends another is blocked.
    #[must_use]
    pub fn is_flow_blocked(&self, from: usize, to: usize) -> bool {
        self.flows.iter().any(|b| (b.from, b.to) == (from, to))
    }
}

/// The default failure of a place or a link is a black hole.
fn place_fails(how: Option<How>) -> How {
    how.unwrap_or(How::BlackHole)
}

fn narrower(bandwidth: Bandwidth, left: Ppb) -> Bandwidth {
    let bits = u128::from(bandwidth.0) * u128::from(left.0) / 1_000_000_000;
    Bandwidth(bits as u64)
}

/// Whether an effect keeps requests from passing at all.
const fn is_out(effect: Effect) -> bool {
    matches!(effect, Effect::Down(_) | Effect::Isolate | Effect::Cut(_))
}
