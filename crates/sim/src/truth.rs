//! Circuits and spots: what passes, what routing believes, of what quality.

use crate::engine::Engine;
use crate::route::{Blame, Quality};
use crate::state::Fault;
use crate::wakes::Wake;
use assize_fault::{Nanos, Ppb};
use assize_model::faults::Degrade;

impl Engine<'_> {
    /// Circuits and spots: what passes, what routing believes, of what quality.
    pub(crate) fn refresh_truth(&mut self) {
        let now = self.now;
        let mut core_changed = std::mem::take(&mut self.core_dirty);
        for spot in 0..self.spots.len() {
            let state = &self.spots[spot];
            let serves = state
                .units
                .as_ref()
                .is_none_or(assize_control::Units::serves);
            self.truth.spot_up[spot] = state.down.is_empty() && serves;
            self.truth.spot_quality[spot] = degraded(Quality::PERFECT, &state.degrade);
            if let Some(units) = &state.units {
                let next = units.next_wake();
                self.wakes.arm(Wake::Units(spot), next);
            }
        }
        for circuit in 0..self.circuits.len() {
            let up = self.circuit_up(circuit);
            let cut = !self.circuits[circuit].cut.is_empty()
                || self.net.circuits[circuit]
                    .under
                    .iter()
                    .any(|u| self.cut_below(*u));
            let quality = self.circuit_quality(circuit);
            if !up && self.truth.passes[circuit] {
                let faults = self.faults_of(Blame::Circuit(circuit));
                let c = &self.net.circuits[circuit];
                let failed_by = &mut self.circuits[circuit].failed_by;
                failed_by.retain(|f| f.0 + c.detect + c.converge >= now);
                failed_by.push((now, faults));
            }
            let state = &mut self.circuits[circuit];
            self.truth.dormant[circuit] = state.activation.as_ref().is_some_and(|a| !a.active());
            state.belief.on_truth(now, up);
            let next = state.belief.next_wake();
            let believed = state.belief.believed();
            self.wakes.arm(Wake::Belief(circuit), next);
            let changed = self.truth.passes[circuit] != (up && !cut)
                || self.truth.believed[circuit] != believed
                || self.truth.quality[circuit] != quality;
            if changed {
                self.truth.passes[circuit] = up && !cut;
                self.truth.believed[circuit] = believed;
                self.truth.quality[circuit] = quality;
                let near = self.net.circuits[circuit].near;
                self.spot_dirty[near] = true;
                core_changed |= !self.plan.topology.node(self.net.spots[near].node).class;
            }
        }
        if core_changed {
            self.trees.get_mut().on_change();
            self.services_dirty = true;
        }
        for entry in 0..self.entries.len() {
            let spot = self.entries[entry].spot;
            if core_changed || self.spot_dirty[spot] {
                self.entries[entry].legs_stale = true;
                self.mark_entry(entry);
            }
        }
        self.spot_dirty.fill(false);
        self.refresh_standbys();
    }

    pub(crate) fn circuit_up(&self, circuit: usize) -> bool {
        let state = &self.circuits[circuit];
        let c = &self.net.circuits[circuit];
        state.down.is_empty()
            && state
                .activation
                .as_ref()
                .is_none_or(assize_control::Activation::active)
            && self.truth.spot_up[c.near]
            && self.truth.spot_up[self.net.spot(c.far)]
            && c.under.iter().all(|u| self.circuit_up(*u))
    }

    pub(crate) fn cut_below(&self, circuit: usize) -> bool {
        !self.circuits[circuit].cut.is_empty()
            || self.net.circuits[circuit]
                .under
                .iter()
                .any(|u| self.cut_below(*u))
    }

    pub(crate) fn circuit_quality(&self, circuit: usize) -> Quality {
        let c = &self.net.circuits[circuit];
        let own = Quality {
            latency: c.latency,
            jitter: Nanos::ZERO,
            passes: c.loss.complement(),
            correct: Ppb::ONE,
            bandwidth: c.bandwidth,
        };
        // The latency of what is below is already in the circuit's own; faults are not.
        let mut quality = degraded(own, &self.circuits[circuit].degrade);
        for &under in &c.under {
            let below = self.circuit_quality(under);
            let plain = self.net.circuits[under].latency;
            let extra = Quality {
                latency: below.latency - plain,
                ..below
            };
            quality = quality.then(extra);
        }
        quality
    }

    /// Standby links that come into service by themselves: while the regular path is believed
    /// down. For a site that is any other circuit of its own; between two nodes, the path that
    /// there would be without the standby.
    pub(crate) fn refresh_standbys(&mut self) {
        let now = self.now;
        for circuit in 0..self.circuits.len() {
            let c = &self.net.circuits[circuit];
            if !c.standby.is_some_and(|s| s.automatic) {
                continue;
            }
            let down = |other: &usize| {
                self.net.circuits[*other].standby.is_none() && !self.truth.believed[*other]
            };
            let near = self.net.spots[c.near].node;
            let wanted = if self.plan.topology.node(near).class {
                self.net.at_spot[c.near].iter().any(down)
            } else {
                self.regular_path(circuit, true) && !self.regular_path(circuit, false)
                    || self.net.at_spot[c.near].iter().any(down)
            };
            let Some(activation) = &mut self.circuits[circuit].activation else {
                continue;
            };
            let left = activation.on_wanted(now, wanted);
            let next = activation.next_wake();
            self.wakes.arm(Wake::CircuitActive(circuit), next);
            if left {
                self.touch_circuit(circuit);
            }
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

/// A quality with the faults on it.
pub(crate) fn degraded(quality: Quality, faults: &[(Fault, Degrade)]) -> Quality {
    faults.iter().fold(quality, |q, (_, d)| {
        q.then(Quality {
            latency: d.latency,
            jitter: d.jitter,
            passes: d.loss.complement(),
            correct: d.errors.complement(),
            bandwidth: d.bandwidth,
        })
    })
}
