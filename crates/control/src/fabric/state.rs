//! What changes in the network while a plan runs: faults on its elements, and their timers.

use super::net::Net;
use crate::{Activation, Belief, Units};
use assize_fault::Nanos;
use assize_model::faults::{Degrade, How};
use assize_model::plan::Plan;

/// A fault by index in the scenario, as a reason for something.
pub type Fault = usize;

/// The sites of a spot, or a single node.
#[derive(Debug)]
pub struct SpotState {
    /// Faults that keep it down.
    pub down: Vec<(Fault, How)>,
    /// Faults that make it worse.
    pub degrade: Vec<(Fault, Degrade)>,
    /// Faults that isolate it, with the spots that still reach it.
    pub isolated: Vec<(Fault, Vec<usize>)>,
    /// Per part of the node: faults that keep it down.
    pub parts: Vec<Vec<Fault>>,
    /// Per part of the node: faults that make it worse.
    pub part_degrade: Vec<Vec<(Fault, Degrade)>>,
    /// Only for a single node with units of its own.
    pub units: Option<Units>,
    /// Per unit: faults that keep it down.
    pub unit_down: Vec<Vec<Fault>>,
    /// Units that have been active, as a mask.
    pub units_used: u64,
}

/// One circuit.
#[derive(Debug)]
pub struct CircuitState {
    /// Faults that keep it down; routing notices.
    pub down: Vec<(Fault, How)>,
    /// Faults that cut it; routing does not notice.
    pub cut: Vec<Fault>,
    /// Faults that make it worse.
    pub degrade: Vec<(Fault, Degrade)>,
    /// What routing believes of it.
    pub belief: Belief,
    /// Of a standby.
    pub activation: Option<Activation>,
    /// What took it down, and when, for each time that routing may still act upon.
    pub(super) failed_by: Vec<(Nanos, Vec<Fault>)>,
}

/// What the network does to one replica.
#[derive(Clone, Debug, Default)]
pub struct ReplicaState {
    /// Faults that isolate it, with the spots that still reach it.
    pub isolated: Vec<(Fault, Vec<usize>)>,
    /// Faults that make it worse to reach.
    pub degrade: Vec<(Fault, Degrade)>,
}

/// A cut between two sets of spots.
#[derive(Debug)]
pub(super) struct ActiveCut {
    pub(super) fault: Fault,
    pub(super) near: Vec<usize>,
    pub(super) far: Vec<usize>,
    /// Packets from near to far do not pass.
    pub(super) out: bool,
    /// Packets from far to near do not pass.
    pub(super) back: bool,
}

/// What one service sends another does not pass.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockedFlow {
    pub(super) fault: Fault,
    pub(super) from: usize,
    pub(super) to: usize,
}

pub(super) fn spots(plan: &Plan<'_>, net: &Net) -> Vec<SpotState> {
    let of = |spot: &super::Spot| {
        let node = plan.topology.node(spot.node);
        let redundant = node.replicas.len() > 1;
        SpotState {
            down: Vec::new(),
            degrade: Vec::new(),
            isolated: Vec::new(),
            parts: vec![Vec::new(); node.parts.len()],
            part_degrade: vec![Vec::new(); node.parts.len()],
            units: redundant.then(|| Units::new(node.replicas.len(), node.switch_over)),
            unit_down: vec![Vec::new(); node.replicas.len()],
            units_used: 1,
        }
    };
    net.spots.iter().map(of).collect()
}

pub(super) fn circuits(net: &Net) -> Vec<CircuitState> {
    let of = |c: &super::Circuit| CircuitState {
        down: Vec::new(),
        cut: Vec::new(),
        degrade: Vec::new(),
        belief: if c.standby.is_some() {
            Belief::dormant(c.detect, c.converge)
        } else {
            Belief::new(c.detect, c.converge)
        },
        activation: c.standby.map(|s| Activation::new(s.activates_in)),
        failed_by: Vec::new(),
    };
    net.circuits.iter().map(of).collect()
}

/// Only accesses that a step activates have a state of their own.
pub(super) fn accesses(plan: &Plan<'_>) -> Vec<Option<Activation>> {
    let accesses = plan.topology.access.iter();
    accesses
        .map(|a| {
            a.standby
                .filter(|s| !s.automatic)
                .map(|s| Activation::new(s.activates_in))
        })
        .collect()
}

/// A fault is on a list, once, or no longer.
pub fn put(list: &mut Vec<Fault>, fault: Fault, on: bool) {
    if on {
        if !list.contains(&fault) {
            list.push(fault);
        }
    } else {
        list.retain(|f| *f != fault);
    }
}

/// A fault is on a list, once, with what it does there, or no longer.
pub fn put_with<T>(list: &mut Vec<(Fault, T)>, fault: Fault, value: T, on: bool) {
    list.retain(|f| f.0 != fault);
    if on {
        list.push((fault, value));
    }
}
