//! What stops a packet: which element, which faults are behind it, and how it is felt.

use super::Fabric;
use super::state::Fault;
use assize_model::faults::How;

/// What stops a packet on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stop {
    /// No path that routing believes in.
    NoRoute,
    /// A circuit that is down, or cut.
    Circuit(usize),
    /// A node, or the sites of a spot.
    Spot(usize),
    /// A part of the sites of a spot.
    Part(usize, usize),
    /// A place that is isolated.
    Enclosed(usize),
    /// A replica that is isolated.
    Isolated(u16, u16),
    /// What one service sends another.
    Flow(u16, u16),
    /// A cut between two sets of elements, by fault.
    Cut(Fault),
    /// The access is a standby that is not activated.
    Inactive,
}

impl Fabric<'_> {
    /// The faults behind a stop, in order.
    #[must_use]
    pub fn faults_of(&self, stop: Stop) -> Vec<Fault> {
        let mut list = Vec::new();
        match stop {
            Stop::Circuit(c) => self.circuit_faults(c, &mut list),
            Stop::Spot(s) => self.spot_faults(s, &mut list),
            Stop::Part(s, p) => list.extend(&self.spots[s].parts[p]),
            Stop::Enclosed(s) => list.extend(self.spots[s].isolated.iter().map(|i| i.0)),
            Stop::Isolated(s, r) => {
                let isolated = &self.replicas[usize::from(s)][usize::from(r)].isolated;
                list.extend(isolated.iter().map(|i| i.0));
            }
            Stop::Flow(from, to) => {
                let ends = (usize::from(from), usize::from(to));
                let blocked = self.flows.iter().filter(|b| (b.from, b.to) == ends);
                list.extend(blocked.map(|b| b.fault));
            }
            Stop::Cut(fault) => list.push(fault),
            Stop::NoRoute | Stop::Inactive => {}
        }
        list.sort_unstable();
        list.dedup();
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

    /// Adds the faults that keep a spot from working.
    pub fn spot_faults(&self, spot: usize, list: &mut Vec<Fault>) {
        let state = &self.spots[spot];
        list.extend(state.down.iter().map(|d| d.0));
        if state.units.as_ref().is_some_and(|u| !u.serves()) {
            list.extend(state.unit_down.iter().flatten());
        }
    }

    /// How a client meets it.
    #[must_use]
    pub fn how(&self, stop: Stop) -> How {
        let first = |mut lists: std::slice::Iter<'_, (Fault, How)>| {
            lists.next().map_or(How::BlackHole, |d| d.1)
        };
        match stop {
            Stop::Spot(s) => first(self.spots[s].down.iter()),
            Stop::Circuit(c) => {
                let circuit = &self.net.circuits[c];
                let places = [circuit.near, self.net.spot(circuit.far)];
                let at_places = places.iter().map(|p| self.spots[*p].down.as_slice());
                let lists = std::iter::once(self.circuits[c].down.as_slice()).chain(at_places);
                lists.flatten().next().map_or(How::BlackHole, |d| d.1)
            }
            Stop::Inactive => How::Refuse,
            _ => How::BlackHole,
        }
    }

    /// Says it in words.
    #[must_use]
    pub fn describe(&self, stop: Stop) -> String {
        let topology = self.plan.topology;
        let service = |s: u16| topology.services[usize::from(s)].id.as_str();
        let place = |spot: usize| format!("node/{}", topology.node(self.net.spots[spot].node).id);
        match stop {
            Stop::NoRoute => "no route".into(),
            Stop::Circuit(c) => {
                let link = &topology.link(self.net.circuits[c].link).id;
                format!("link/{link} does not pass packets")
            }
            Stop::Spot(s) => format!("{} is down", place(s)),
            Stop::Part(s, p) => {
                let part = &topology.node(self.net.spots[s].node).parts[p].id;
                format!("{}/{part} is down", place(s))
            }
            Stop::Enclosed(s) => format!("{} is isolated", place(s)),
            Stop::Isolated(s, r) => {
                let spec = &topology.services[usize::from(s)];
                let replica = &spec.replicas[usize::from(r)].id;
                format!("service/{}/{replica} is isolated", spec.id)
            }
            Stop::Flow(from, to) => {
                format!("flow/{}->{} does not pass", service(from), service(to))
            }
            Stop::Cut(fault) => format!("cut by fault {}", self.plan.scenario.faults[fault].id),
            Stop::Inactive => "standby, not activated".into(),
        }
    }
}
