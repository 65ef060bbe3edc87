//! Faults as changes of element states, and the way back: who is to blame for a failure.

use crate::build::default_how;
use crate::engine::Engine;
use crate::route::Blame;
use crate::state::{ActiveCut, Fault};
use assize_fault::Nanos;
use assize_model::faults::{Direction, Effect, How};
use assize_model::scenario::Target;
use assize_model::topology::Mode;

impl Engine<'_> {
    /// Switches a fault on or off.
    pub(crate) fn toggle(&mut self, fault: Fault, on: bool) {
        let entry = &self.plan.scenario.faults[fault];
        if on {
            self.faults[fault].resolved = entry.targets.iter().map(|t| self.resolve(t)).collect();
        }
        self.faults[fault].on = on;
        let targets = std::mem::take(&mut self.faults[fault].resolved);
        for effect in &entry.effects {
            match effect {
                Effect::Cut(direction) => self.cut(fault, *direction, &targets, on),
                Effect::Corrupts | Effect::Deletes if on => {
                    for target in &targets {
                        self.damage(fault, target, *effect == Effect::Deletes);
                    }
                }
                _ => {
                    for target in &targets {
                        self.apply(fault, *effect, target, on);
                    }
                }
            }
        }
        self.faults[fault].resolved = targets;
        if !on && entry.effects.contains(&Effect::Unwatched) {
            self.watched_again();
        }
    }

    /// `@primary` is whoever is primary now.
    fn resolve(&self, target: &Target) -> Target {
        match target {
            Target::Primary(service) => {
                let state = &self.services[service.index()];
                let primary = state.failover.as_ref().map_or(state.home, |f| f.primary());
                Target::Replica(*service, primary)
            }
            other => other.clone(),
        }
    }

    fn apply(&mut self, fault: Fault, effect: Effect, target: &Target, on: bool) {
        match target {
            Target::Node(node, sites) => {
                for spot in self.net.selected_spots(*node, sites) {
                    self.apply_to_spot(fault, effect, spot, on);
                }
            }
            Target::NodeReplica(node, unit) if on && effect == Effect::SessionsLost => {
                self.lose_sessions(fault, *node, usize::from(*unit));
            }
            Target::NodeReplica(node, unit) if matches!(effect, Effect::Down(_)) => {
                let spot = self.net.spot(*node);
                let down = &mut self.spots[spot].unit_down[usize::from(*unit)];
                put(down, fault, on);
                let up = down.is_empty();
                let now = self.now;
                if let Some(units) = &mut self.spots[spot].units {
                    units.on_unit(now, usize::from(*unit), up);
                }
                self.touch_spot(spot);
            }
            Target::Part(node, part, sites) => {
                for spot in self.net.selected_spots(*node, sites) {
                    let state = &mut self.spots[spot];
                    match effect {
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
                    self.apply_to_circuit(fault, effect, circuit, on);
                }
            }
            Target::Service(service) => {
                for r in 0..self.services[service.index()].replicas.len() {
                    self.apply_to_replica(fault, effect, service.index(), r, on);
                }
                let state = &mut self.services[service.index()];
                match effect {
                    Effect::BadBackup => put(&mut state.bad_backup, fault, on),
                    Effect::Repeated(times) => {
                        put_with(&mut state.repeated, fault, times, on);
                        self.loads_dirty = true;
                    }
                    Effect::RestoreSlows(left) => {
                        self.slow_restore(fault, service.index(), left, on);
                    }
                    _ => {}
                }
            }
            Target::Replica(service, replica) => {
                self.apply_to_replica(fault, effect, service.index(), usize::from(*replica), on);
            }
            Target::Shard(service, shard) if is_out(effect) => {
                let state = &mut self.services[service.index()];
                put(&mut state.shard_down[usize::from(*shard)], fault, on);
                self.touch_service(service.index());
            }
            Target::Flow(from, to) if is_out(effect) => {
                let blocked = &mut self.services[from.index()].blocked_flows;
                if on {
                    blocked.push((fault, to.0));
                } else {
                    blocked.retain(|b| b.0 != fault);
                }
                self.touched.push(from.index());
            }
            // Faults are not allowed on what is left (`TARGETS` of each).
            _ => {}
        }
    }

    fn apply_to_spot(&mut self, fault: Fault, effect: Effect, spot: usize, on: bool) {
        match effect {
            Effect::Down(how) => {
                put_with(
                    &mut self.spots[spot].down,
                    fault,
                    default_how(how, false),
                    on,
                );
                self.touch_spot(spot);
            }
            Effect::Degrade(degrade) => {
                put_with(&mut self.spots[spot].degrade, fault, degrade, on);
                self.touch_spot(spot);
            }
            Effect::Isolate => {
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
            _ => {}
        }
    }

    /// The circuits by which spared places reach an isolated one; they stay as they are.
    fn kept_for(&self, spared: &[usize], spot: usize) -> Vec<usize> {
        let node = self.net.spots[spot].node;
        let mut list = Vec::new();
        for &from in spared {
            list.extend(crate::route::circuits(
                &mut self.trees.borrow_mut(),
                &self.net,
                &self.truth,
                crate::route::From::Spot(from, &self.circuits_of_place(from)),
                node,
                u64::MAX,
            ));
        }
        list
    }

    fn circuits_of_place(&self, spot: usize) -> Vec<usize> {
        let node = self.net.spots[spot].node;
        let mut list = self.net.at_spot[spot].clone();
        if !self.plan.topology.node(node).class {
            list.extend(&self.net.at_far[node.index()]);
        }
        list
    }

    fn apply_to_circuit(&mut self, fault: Fault, effect: Effect, circuit: usize, on: bool) {
        let bandwidth = self.net.circuits[circuit].bandwidth;
        let state = &mut self.circuits[circuit];
        match effect {
            Effect::Down(how) => {
                put_with(&mut state.down, fault, default_how(how, false), on);
            }
            Effect::Degrade(degrade) => put_with(&mut state.degrade, fault, degrade, on),
            Effect::Capacity(left) => {
                let bandwidth = bandwidth.map(|b| {
                    let bits = u128::from(b.0) * u128::from(left.0) / 1_000_000_000;
                    assize_fault::Bandwidth(bits as u64)
                });
                let degrade = assize_model::faults::Degrade {
                    bandwidth,
                    ..Default::default()
                };
                put_with(&mut state.degrade, fault, degrade, on);
            }
            Effect::Isolate => put(&mut state.cut, fault, on),
            _ => return,
        }
        self.touch_circuit(circuit);
    }

    fn apply_to_replica(
        &mut self,
        fault: Fault,
        effect: Effect,
        service: usize,
        replica: usize,
        on: bool,
    ) {
        let spared = if effect == Effect::Isolate {
            self.spared(fault)
        } else {
            Vec::new()
        };
        let state = &mut self.services[service].replicas[replica];
        match effect {
            Effect::Down(how) => put_with(&mut state.down, fault, default_how(how, true), on),
            Effect::Degrade(degrade) => put_with(&mut state.degrade, fault, degrade, on),
            Effect::Capacity(left) => put_with(&mut state.capacity, fault, left, on),
            Effect::NoAnswer(how) => put_with(&mut state.no_answer, fault, how, on),
            Effect::PromotionFails => put(&mut state.no_promotion, fault, on),
            Effect::CheckLies => put(&mut state.lies, fault, on),
            Effect::CheckFailsOpen => put(&mut state.fails_open, fault, on),
            Effect::ReplicationStops => put(&mut state.no_replication, fault, on),
            Effect::Isolate => put_with(&mut state.isolated, fault, spared, on),
            _ => {}
        }
        self.touch_service(service);
    }

    /// The places that an isolated element still reaches.
    fn spared(&self, fault: Fault) -> Vec<usize> {
        self.places(&self.plan.scenario.faults[fault].against)
    }

    /// The spots at which elements are.
    pub(crate) fn places(&self, targets: &[Target]) -> Vec<usize> {
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
                    let service = self.plan.topology.service(*s);
                    spots.extend(service.replicas.iter().map(|r| self.net.spot(r.at)));
                }
                Target::Replica(s, r) => {
                    let at = self.plan.topology.service(*s).replicas[usize::from(*r)].at;
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
    fn cut(&mut self, fault: Fault, direction: Direction, targets: &[Target], on: bool) {
        let against = self.plan.scenario.faults[fault].against.clone();
        if against.is_empty() {
            for target in targets {
                match target {
                    Target::Link(link, sites) => {
                        for c in self.net.selected_circuits(*link, sites) {
                            put(&mut self.circuits[c].cut, fault, on);
                            self.touch_circuit(c);
                        }
                    }
                    Target::Flow(..) => self.apply(fault, Effect::Cut(direction), target, on),
                    Target::Node(node, sites) => {
                        for spot in self.net.selected_spots(*node, sites) {
                            self.apply_to_spot(fault, Effect::Isolate, spot, on);
                        }
                    }
                    Target::Replica(s, r) => {
                        let (s, r) = (s.index(), usize::from(*r));
                        self.apply_to_replica(fault, Effect::Isolate, s, r, on);
                    }
                    _ => {}
                }
            }
            return;
        }
        self.cuts.retain(|c| c.fault != fault);
        let (near, far) = (self.places(targets), self.places(&against));
        for circuit in 0..self.net.circuits.len() {
            let (a, b) = (
                self.net.circuits[circuit].near,
                self.net.spot(self.net.circuits[circuit].far),
            );
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
        self.all_legs_stale();
    }

    /// The cut that stops packets from one spot to another, if there is one.
    pub(crate) fn cut_between(&self, from: usize, to: usize) -> Option<Fault> {
        self.cuts
            .iter()
            .find(|c| {
                (c.out && c.near.contains(&from) && c.far.contains(&to))
                    || (c.back && c.far.contains(&from) && c.near.contains(&to))
            })
            .map(|c| c.fault)
    }

    /// The faults behind a failure.
    pub(crate) fn faults_of(&self, blame: Blame) -> Vec<Fault> {
        let mut list = Vec::new();
        match blame {
            Blame::Circuit(c) => self.circuit_faults(c, &mut list),
            Blame::Spot(s) => self.spot_faults(s, &mut list),
            Blame::Part(s, p) => list.extend(&self.spots[s].parts[p]),
            Blame::Replica(s, r) => {
                let state = &self.services[usize::from(s)].replicas[usize::from(r)];
                list.extend(state.down.iter().map(|d| d.0));
            }
            Blame::Enclosed(s) => list.extend(self.spots[s].isolated.iter().map(|i| i.0)),
            Blame::Isolated(s, r) => {
                let state = &self.services[usize::from(s)].replicas[usize::from(r)];
                list.extend(state.isolated.iter().map(|d| d.0));
            }
            Blame::NoAnswer(s, r) => {
                let state = &self.services[usize::from(s)].replicas[usize::from(r)];
                list.extend(state.no_answer.iter().map(|d| d.0));
            }
            Blame::Shard(s, i) => {
                list.extend(&self.services[usize::from(s)].shard_down[usize::from(i)]);
            }
            Blame::Flow(s, to) => {
                let blocked = &self.services[usize::from(s)].blocked_flows;
                list.extend(blocked.iter().filter(|b| b.1 == to).map(|b| b.0));
            }
            Blame::Data(s) => {
                let data = self.services[usize::from(s)].data.as_ref();
                list.extend(data.and_then(|d| d.damage).map(|d| d.1));
            }
            Blame::Cut(fault) => list.push(fault),
            Blame::NotPrimary(s, r) => list.extend(self.faults_of_peers(s, r)),
            Blame::NoRoute | Blame::Inactive => {}
        }
        list.sort_unstable();
        list.dedup();
        list
    }

    /// What keeps a replica's process from running.
    pub(crate) fn faults_of_process(&self, service: usize, replica: usize) -> Vec<Fault> {
        let at = self.plan.topology.services[service].replicas[replica].at;
        let mut list = self.faults_of(Blame::Replica(service as u16, replica as u16));
        self.spot_faults(self.net.spot(at), &mut list);
        list
    }

    /// What keeps a member of a quorum from its peers.
    fn faults_of_peers(&self, service: u16, replica: u16) -> Vec<Fault> {
        let (s, r) = (usize::from(service), usize::from(replica));
        let spec = &self.plan.topology.services[s];
        if spec.mode != Mode::Quorum || !self.services[s].replicas[r].acts {
            return Vec::new();
        }
        let mut list = Vec::new();
        for other in (0..spec.replicas.len()).filter(|o| *o != r) {
            list.extend(self.services[s].replicas[other].down.iter().map(|d| d.0));
            if let Some(blame) = self.leg_to_replica(spec.replicas[r].at, s, other).blame {
                list.extend(self.faults_of(blame));
            }
        }
        list
    }

    fn circuit_faults(&self, circuit: usize, list: &mut Vec<Fault>) {
        let state = &self.circuits[circuit];
        list.extend(state.down.iter().map(|d| d.0));
        list.extend(&state.cut);
        let c = &self.net.circuits[circuit];
        self.spot_faults(c.near, list);
        self.spot_faults(self.net.spot(c.far), list);
        for &under in &c.under {
            self.circuit_faults(under, list);
        }
    }

    pub(crate) fn spot_faults(&self, spot: usize, list: &mut Vec<Fault>) {
        let state = &self.spots[spot];
        list.extend(state.down.iter().map(|d| d.0));
        if state.units.as_ref().is_some_and(|u| !u.serves()) {
            list.extend(state.unit_down.iter().flatten());
        }
    }

    /// How a client meets this failure.
    pub(crate) fn how(&self, blame: Blame) -> How {
        let first = |list: &[(Fault, How)], default: How| list.first().map_or(default, |d| d.1);
        match blame {
            Blame::Spot(s) => first(&self.spots[s].down, How::BlackHole),
            Blame::Circuit(c) => {
                let circuit = &self.net.circuits[c];
                let places = [circuit.near, self.net.spot(circuit.far)];
                let at_places = places.iter().map(|p| self.spots[*p].down.as_slice());
                let lists = std::iter::once(self.circuits[c].down.as_slice()).chain(at_places);
                lists.flatten().next().map_or(How::BlackHole, |d| d.1)
            }
            Blame::Replica(s, r) => {
                let state = &self.services[usize::from(s)].replicas[usize::from(r)];
                first(&state.down, How::Refuse)
            }
            Blame::NoAnswer(s, r) => {
                let state = &self.services[usize::from(s)].replicas[usize::from(r)];
                first(&state.no_answer, How::BlackHole)
            }
            Blame::NotPrimary(..) | Blame::Shard(..) | Blame::Data(_) | Blame::Inactive => {
                How::Refuse
            }
            _ => How::BlackHole,
        }
    }

    /// Says in words what stops a request.
    pub(crate) fn describe(&self, blame: Blame) -> String {
        let topology = self.plan.topology;
        let service = |s: u16| topology.services[usize::from(s)].id.as_str();
        let replica = |s: u16, r: u16| {
            let spec = &topology.services[usize::from(s)];
            format!("service/{}/{}", spec.id, spec.replicas[usize::from(r)].id)
        };
        let place = |spot: usize| format!("node/{}", topology.node(self.net.spots[spot].node).id);
        match blame {
            Blame::NoRoute => "no route".into(),
            Blame::Circuit(c) => {
                format!(
                    "link/{} does not pass packets",
                    topology.link(self.net.circuits[c].link).id
                )
            }
            Blame::Spot(s) => format!("{} is down", place(s)),
            Blame::Part(s, p) => {
                let part = &topology.node(self.net.spots[s].node).parts[p].id;
                format!("{}/{part} is down", place(s))
            }
            Blame::Replica(s, r) => format!("{} is down", replica(s, r)),
            Blame::Enclosed(s) => format!("{} is isolated", place(s)),
            Blame::Isolated(s, r) => format!("{} is isolated", replica(s, r)),
            Blame::NoAnswer(s, r) => format!("{} does not answer", replica(s, r)),
            Blame::NotPrimary(s, r) => format!("{} is not primary", replica(s, r)),
            Blame::Shard(s, i) => format!("service/{}/{i} (shard) is down", service(s)),
            Blame::Flow(s, to) => {
                format!("flow/{}->{} does not pass", service(s), service(to))
            }
            Blame::Data(s) => format!(
                "the data of service/{} is damaged or being restored",
                service(s)
            ),
            Blame::Cut(fault) => {
                format!("cut by fault {}", self.plan.scenario.faults[fault].id)
            }
            Blame::Inactive => "standby, not activated".into(),
        }
    }

    /// Data is damaged now; on a service without a named replica, at its primary.
    fn damage(&mut self, fault: Fault, target: &Target, deletes: bool) {
        let (service, replica) = match target {
            Target::Service(s) => (s.index(), self.services[s.index()].source),
            Target::Replica(s, r) => (s.index(), *r),
            _ => return,
        };
        self.sync_all(service);
        let now = self.now;
        let Some(data) = &mut self.services[service].data else {
            return;
        };
        let content = &mut data.content[usize::from(replica)];
        content.damaged.get_or_insert(now);
        content.deleted |= deletes;
        data.damage.get_or_insert((now, fault));
        self.bite_all(&[fault], || "data was there to be damaged".into());
        self.note_history(service);
        self.spread_damage(service, replica);
        self.note_loss(service, Some(fault));
        self.touch_service(service);
    }

    pub(crate) fn touch_spot(&mut self, spot: usize) {
        self.network_dirty = true;
        self.services_dirty = true;
        self.spot_dirty[spot] = true;
        if !self.plan.topology.node(self.net.spots[spot].node).class {
            self.core_dirty = true;
        }
    }

    pub(crate) fn touch_circuit(&mut self, circuit: usize) {
        self.network_dirty = true;
        let near = self.net.circuits[circuit].near;
        self.spot_dirty[near] = true;
        if !self.plan.topology.node(self.net.spots[near].node).class {
            self.core_dirty = true;
            self.services_dirty = true;
        }
        for i in 0..self.net.above[circuit].len() {
            let above = self.net.above[circuit][i];
            self.touch_circuit(above);
        }
    }

    pub(crate) fn touch_service(&mut self, service: usize) {
        self.touched.push(service);
        for i in 0..self.services[service].entries.len() {
            let entry = self.services[service].entries[i];
            self.entries[entry].legs_stale = true;
            self.mark_entry(entry);
            self.entry_users_dirty(entry);
        }
    }

    fn all_legs_stale(&mut self) {
        for entry in 0..self.entries.len() {
            self.entries[entry].legs_stale = true;
            self.mark_entry(entry);
        }
        self.core_dirty = true;
        self.network_dirty = true;
        self.services_dirty = true;
    }

    /// When a fault's next change is due.
    pub(crate) fn arm_fault(&mut self, fault: Fault) {
        let spec = &self.plan.scenario.faults[fault];
        let state = &self.faults[fault];
        let (mut begins, mut ends) = (None, None);
        if state.applies && !state.ended {
            let until = if spec.bounded {
                state.until
            } else {
                Nanos::NEVER
            };
            if state.on {
                ends = Some(until);
                if let Some(flap) = spec.flap {
                    let turn = (self.now - spec.at).0 / (flap.down + flap.up).0.max(1);
                    let off = spec.at + (flap.down + flap.up) * turn + flap.down;
                    ends = Some(off.min(until));
                }
            } else if self.now < spec.at || !self.has_begun(fault) {
                begins = Some(spec.at);
            } else if let Some(flap) = spec.flap {
                let turn = (self.now - spec.at).0 / (flap.down + flap.up).0.max(1) + 1;
                let on = spec.at + (flap.down + flap.up) * turn;
                begins = Some(on).filter(|at| *at < until);
                ends = Some(until).filter(|_| begins.is_none());
            }
        }
        self.wakes
            .arm(crate::wakes::Wake::FaultBegins(fault), begins);
        self.wakes.arm(
            crate::wakes::Wake::FaultEnds(fault),
            ends.filter(|e| !e.is_never()),
        );
    }

    fn has_begun(&self, fault: Fault) -> bool {
        !self.faults[fault].resolved.is_empty()
    }
}

fn put(list: &mut Vec<Fault>, fault: Fault, on: bool) {
    if on {
        if !list.contains(&fault) {
            list.push(fault);
        }
    } else {
        list.retain(|f| *f != fault);
    }
}

pub(crate) fn put_with<T>(list: &mut Vec<(Fault, T)>, fault: Fault, value: T, on: bool) {
    list.retain(|f| f.0 != fault);
    if on {
        list.push((fault, value));
    }
}

/// Whether an effect keeps requests from passing at all.
const fn is_out(effect: Effect) -> bool {
    matches!(effect, Effect::Down(_) | Effect::Isolate | Effect::Cut(_))
}
