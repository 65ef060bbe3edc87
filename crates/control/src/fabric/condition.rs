//! The condition of one flow: what passes in each direction, and what the way is like. It is what
//! an engine with real sockets asks for after each change.

use super::{Fabric, Fault, Instance, Leg, Origin, Quality, Stop};
use assize_fault::Bandwidth;
use assize_model::NodeId;
use assize_model::faults::How;

/// A flow: who connects to whom.
#[derive(Clone, Copy, Debug)]
pub enum Flow<'a> {
    /// Users of a spot over an access to a replica.
    Users(Origin<'a>, Instance),
    /// A node (of a checker) to a replica.
    Node(NodeId, Instance),
    /// A replica to another, of its own or of another service.
    Between(Instance, Instance),
    /// A replica to the place of a backup of its service.
    Vault(Instance, NodeId),
}

/// What a flow meets now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// What stops it, in one direction at least.
    pub stop: Option<Stop>,
    /// How whoever connects meets that.
    pub how: How,
    /// What the client sends arrives.
    pub out: bool,
    /// What the server sends arrives.
    pub back: bool,
    /// What the way is like, one way; perfect if the flow is stopped.
    pub quality: Quality,
    /// The limited circuits on the way.
    pub lines: Vec<Line>,
    /// The faults that it meets: those behind the stop, or those that make the way worse.
    pub faults: Vec<Fault>,
}

/// A circuit of limited bandwidth; whoever sends over it shares it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// Which.
    pub circuit: usize,
    /// What is left of its bandwidth, for one site.
    pub bandwidth: Bandwidth,
    /// How many sites have such a circuit each.
    pub sites: u32,
}

impl Fabric<'_> {
    /// What a flow meets now, as of the last refresh.
    #[must_use]
    pub fn condition(&self, flow: Flow<'_>) -> Condition {
        let leg = self.leg_of(flow);
        if let Some(stop) = leg.stop {
            let (out, back) = self.passes(flow, stop);
            return Condition {
                stop: Some(stop),
                how: self.how(stop),
                out,
                back,
                quality: Quality::PERFECT,
                lines: Vec::new(),
                faults: self.faults_of(stop),
            };
        }
        let route = match flow {
            Flow::Users(from, to) => self.route_of_users(from, to),
            Flow::Node(from, to) => self.route_to_replica(from, to),
            Flow::Between(from, to) => self.route_to_replica(self.at(from), to),
            Flow::Vault(from, vault) => self.route_to_replica(vault, from),
        };
        Condition {
            stop: None,
            how: How::BlackHole,
            out: true,
            back: true,
            quality: leg.quality,
            lines: route.iter().filter_map(|c| self.line(*c)).collect(),
            faults: self.faults_on(flow, &route),
        }
    }

    fn leg_of(&self, flow: Flow<'_>) -> Leg {
        let mut leg = match flow {
            Flow::Users(from, to) => self.leg_of_users(from, to),
            Flow::Node(from, to) => self.leg_to_replica(from, to),
            Flow::Between(from, to) => self.leg_between(from, to),
            Flow::Vault(from, vault) => self.leg_to_vault(from, vault),
        };
        // What makes a replica worse to reach is felt by users and checks.
        if let Flow::Users(_, to) | Flow::Node(_, to) = flow {
            let worse = &self.replicas[to.service][to.replica].degrade;
            leg.quality = leg.quality.degraded(worse);
        }
        leg
    }

    /// A cut may leave one direction open; anything else stops both.
    fn passes(&self, flow: Flow<'_>, stop: Stop) -> (bool, bool) {
        if !matches!(stop, Stop::Cut(_)) {
            return (false, false);
        }
        let place = |instance: Instance| self.net.spot(self.at(instance));
        let (a, b) = match flow {
            Flow::Users(from, to) => (from.spot, place(to)),
            Flow::Node(from, to) => (self.net.spot(from), place(to)),
            Flow::Between(from, to) => (place(from), place(to)),
            Flow::Vault(from, vault) => (place(from), self.net.spot(vault)),
        };
        let passes = |from, to| self.cut_between(from, to).is_none();
        (passes(a, b), passes(b, a))
    }

    fn line(&self, circuit: usize) -> Option<Line> {
        let c = &self.net.circuits[circuit];
        let worse = self.circuits[circuit].degrade.iter();
        let limits = worse.filter_map(|d| d.1.bandwidth).chain(c.bandwidth);
        let near = self.net.spots[c.near];
        Some(Line {
            circuit,
            bandwidth: limits.min()?,
            sites: near.end - near.first,
        })
    }

    /// The faults that make a way worse: on its circuits, the places that it passes, the parts
    /// that its users need, and the replica at its end.
    fn faults_on(&self, flow: Flow<'_>, route: &[usize]) -> Vec<Fault> {
        let mut places: Vec<usize> = Vec::new();
        let mut faults: Vec<Fault> = Vec::new();
        for &circuit in route {
            faults.extend(self.circuits[circuit].degrade.iter().map(|d| d.0));
            let c = &self.net.circuits[circuit];
            places.extend([c.near, self.net.spot(c.far)]);
        }
        if let Flow::Users(from, _) = flow {
            places.push(from.spot);
            let needs = &self.plan.topology.access_path(from.access).parts;
            let parts = &self
                .plan
                .topology
                .node(self.net.spots[from.spot].node)
                .parts;
            let worse = parts.iter().zip(&self.spots[from.spot].part_degrade);
            let worse = worse.filter(|(part, _)| needs.contains(&part.id));
            faults.extend(worse.flat_map(|(_, list)| list).map(|d| d.0));
        }
        if let Flow::Users(_, to) | Flow::Node(_, to) = flow {
            let worse = self.replicas[to.service][to.replica].degrade.iter();
            faults.extend(worse.map(|d| d.0));
        }
        let worse = places.iter().flat_map(|p| &self.spots[*p].degrade);
        faults.extend(worse.map(|d| d.0));
        faults.sort_unstable();
        faults.dedup();
        faults
    }
}
