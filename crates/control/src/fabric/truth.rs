//! Circuits and spots: what passes, what routing believes, of what quality.

use super::quality::Quality;
use super::stop::Stop;
use super::{Changes, Fabric};
use assize_fault::{Nanos, Ppb};

/// What is true of every circuit and spot at one instant.
#[derive(Debug)]
pub struct Truth {
    /// Routing believes in the circuit.
    pub believed: Vec<bool>,
    /// The circuit is a standby that is not in service.
    pub dormant: Vec<bool>,
    /// Packets pass along the circuit (both ways).
    pub passes: Vec<bool>,
    /// The spot works.
    pub spot_up: Vec<bool>,
    /// Of each circuit.
    pub quality: Vec<Quality>,
    /// What passing or ending at a spot adds.
    pub spot_quality: Vec<Quality>,
}

impl Truth {
    /// Everything works.
    pub(super) fn new(spots: usize, circuits: usize) -> Self {
        Self {
            believed: vec![true; circuits],
            dormant: vec![false; circuits],
            passes: vec![true; circuits],
            spot_up: vec![true; spots],
            quality: vec![Quality::PERFECT; circuits],
            spot_quality: vec![Quality::PERFECT; spots],
        }
    }

    /// Whether a path may use a circuit: routing believes in it, or, to find out who is to blame
    /// for there being no route, it would if nothing had failed.
    pub(super) fn usable(&self, circuit: usize, ideal: bool) -> bool {
        (ideal || self.believed[circuit]) && !self.dormant[circuit]
    }
}

impl Fabric<'_> {
    /// Brings what is true in line with the states of the elements, once. Standbys that come
    /// into service or leave it may have changed something again; see [`Fabric::is_dirty`].
    pub fn refresh(&mut self, now: Nanos) -> Changes {
        self.dirty = false;
        let mut core = std::mem::take(&mut self.core_dirty);
        std::mem::swap(&mut self.spot_dirty, &mut self.spot_changed);
        self.spot_dirty.fill(false);
        for spot in 0..self.spots.len() {
            let state = &self.spots[spot];
            let serves = state.units.as_ref().is_none_or(crate::Units::serves);
            self.truth.spot_up[spot] = state.down.is_empty() && serves;
            self.truth.spot_quality[spot] = Quality::PERFECT.degraded(&state.degrade);
        }
        for circuit in 0..self.circuits.len() {
            if self.refresh_circuit(now, circuit) {
                let near = self.net.circuits[circuit].near;
                self.spot_changed[near] = true;
                core |= !self.is_class(near);
            }
        }
        if core {
            self.trees.get_mut().on_change();
        }
        self.refresh_standbys(now);
        Changes {
            core,
            reach: std::mem::take(&mut self.reach_dirty) || core,
        }
    }

    /// Returns whether anything that paths rest on is different now.
    fn refresh_circuit(&mut self, now: Nanos, circuit: usize) -> bool {
        let up = self.circuit_up(circuit);
        let cut = self.is_cut(circuit);
        let quality = self.circuit_quality(circuit);
        if !up && self.truth.passes[circuit] {
            let faults = self.faults_of(Stop::Circuit(circuit));
            let c = &self.net.circuits[circuit];
            let failed_by = &mut self.circuits[circuit].failed_by;
            failed_by.retain(|f| f.0 + c.detect + c.converge >= now);
            failed_by.push((now, faults));
        }
        let state = &mut self.circuits[circuit];
        self.truth.dormant[circuit] = state.activation.as_ref().is_some_and(|a| !a.active());
        state.belief.on_truth(now, up);
        let believed = state.belief.believed();
        let changed = self.truth.passes[circuit] != (up && !cut)
            || self.truth.believed[circuit] != believed
            || self.truth.quality[circuit] != quality;
        if changed {
            self.truth.passes[circuit] = up && !cut;
            self.truth.believed[circuit] = believed;
            self.truth.quality[circuit] = quality;
        }
        changed
    }

    fn circuit_up(&self, circuit: usize) -> bool {
        let state = &self.circuits[circuit];
        let c = &self.net.circuits[circuit];
        let active = |a: &crate::Activation| a.active();
        state.down.is_empty()
            && state.activation.as_ref().is_none_or(active)
            && self.truth.spot_up[c.near]
            && self.truth.spot_up[self.net.spot(c.far)]
            && c.under.iter().all(|u| self.circuit_up(*u))
    }

    /// It is cut, or something that it runs over.
    fn is_cut(&self, circuit: usize) -> bool {
        let under = &self.net.circuits[circuit].under;
        !self.circuits[circuit].cut.is_empty() || under.iter().any(|u| self.is_cut(*u))
    }

    fn circuit_quality(&self, circuit: usize) -> Quality {
        let c = &self.net.circuits[circuit];
        let own = Quality {
            latency: c.latency,
            jitter: Nanos::ZERO,
            passes: c.loss.complement(),
            correct: Ppb::ONE,
            bandwidth: c.bandwidth,
        };
        // The latency of what is below is already in the circuit's own; faults are not.
        let mut quality = own.degraded(&self.circuits[circuit].degrade);
        for &under in &c.under {
            let below = self.circuit_quality(under);
            let plain = self.net.circuits[under].latency;
            quality = quality.then(Quality {
                latency: below.latency - plain,
                ..below
            });
        }
        quality
    }

    /// Standby links that come into service by themselves: while the regular path is believed
    /// down. For a site that is any other circuit of its own; between two nodes, the path that
    /// there would be without the standby.
    fn refresh_standbys(&mut self, now: Nanos) {
        for circuit in 0..self.circuits.len() {
            if !self.comes_by_itself(circuit) {
                continue;
            }
            let wanted = self.is_wanted(circuit);
            let activation = self.circuits[circuit].activation.as_mut();
            if activation.is_some_and(|a| a.on_wanted(now, wanted)) {
                self.touch_circuit(circuit);
            }
        }
    }

    /// Whether a circuit is a standby that no step has to activate.
    pub(super) fn comes_by_itself(&self, circuit: usize) -> bool {
        let standby = self.net.circuits[circuit].standby;
        standby.is_some_and(|s| s.automatic)
    }

    /// Whether routing, as it sees the network now, wants a standby in service.
    pub(super) fn is_wanted(&self, circuit: usize) -> bool {
        let c = &self.net.circuits[circuit];
        let down = |other: &usize| {
            self.net.circuits[*other].standby.is_none() && !self.truth.believed[*other]
        };
        let beside = || self.net.at_spot[c.near].iter().any(down);
        if self.is_class(c.near) {
            beside()
        } else {
            self.regular_path(circuit, true) && !self.regular_path(circuit, false) || beside()
        }
    }

    /// Whether regular links join the ends of a link between two nodes: by design, or as
    /// routing believes now.
    fn regular_path(&self, circuit: usize, by_design: bool) -> bool {
        let c = &self.net.circuits[circuit];
        let from = self.net.spots[c.near].node;
        let mut seen = vec![false; self.net.edges.len()];
        let mut open = vec![from];
        while let Some(node) = open.pop() {
            if node == c.far {
                return true;
            }
            if std::mem::replace(&mut seen[node.index()], true)
                || (node != from && !self.net.transit[node.index()])
            {
                continue;
            }
            for &(edge, other) in &self.net.edges[node.index()] {
                let usable = self.net.circuits[edge].standby.is_none()
                    && (by_design || self.truth.believed[edge]);
                if usable && self.net.circuits[edge].networks & c.networks != 0 {
                    open.push(other);
                }
            }
        }
        false
    }
}
