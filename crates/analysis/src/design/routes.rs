//! The ways that routing takes under failures, each worked out once.
//!
//! A way stays as it is while nothing on it fails, and nothing whose failure brings a standby into
//! service. So of a set of failures only those count that meet it: the way without the first of
//! them, then without those that meet that one, and so on.

use super::traffic::{Route, Traffic};
use assize_control::Fabric;
use assize_control::fabric::{Instance, Origin};
use std::collections::BTreeMap;

/// A set of elements, one bit each.
pub(super) type Bits = Box<[u64]>;

pub(super) fn has(bits: &[u64], element: u32) -> bool {
    bits[element as usize / 64] >> (element % 64) & 1 == 1
}

pub(super) fn join(bits: &mut [u64], more: &[u64]) {
    bits.iter_mut().zip(more).for_each(|(a, b)| *a |= b);
}

/// Says which spots and circuits are out when these elements have failed.
pub(super) type Out<'o> = &'o mut dyn FnMut(&[u32]) -> (Vec<bool>, Vec<bool>);

/// A way: the limits that it loads, and what would change it if it failed.
#[derive(Debug)]
pub(super) struct Found {
    /// `None`: there is no way.
    pub(super) limits: Option<Vec<u32>>,
    pub(super) meets: Bits,
}

/// What never changes: which elements are behind each circuit.
#[derive(Debug)]
pub(super) struct Behind {
    /// By circuit.
    pub(super) circuits: Vec<Bits>,
    /// By spot, elements that bring a standby there, or anywhere between single nodes, into
    /// service.
    pub(super) wakers: Vec<Bits>,
}

impl Behind {
    /// `circuits` has the elements of each circuit.
    pub(super) fn new(fabric: &Fabric<'_>, circuits: Vec<Bits>, words: usize) -> Self {
        let net = fabric.net();
        let none = || vec![0u64; words].into_boxed_slice();
        let mut wakers: Vec<Bits> = net.spots.iter().map(|_| none()).collect();
        for circuit in 0..net.circuits.len() {
            let near = net.circuits[circuit].near;
            let everywhere = net.edges[net.spots[near].node.index()]
                .iter()
                .any(|e| e.0 == circuit);
            for waker in fabric.wakers(circuit) {
                if everywhere {
                    wakers.iter_mut().for_each(|w| join(w, &circuits[waker]));
                } else {
                    join(&mut wakers[near], &circuits[waker]);
                }
            }
        }
        Self { circuits, wakers }
    }
}

/// Ways found so far, over a network of its own.
#[derive(Debug)]
pub(super) struct Routes<'a> {
    fabric: Fabric<'a>,
    behind: &'a Behind,
    traffic: &'a Traffic,
    /// By route, the circuits of the first hop.
    first: Vec<Vec<usize>>,
    found: Vec<Found>,
    /// By route, the way while nothing meets it.
    base: Vec<Option<u32>>,
    /// By route, the way by what has failed that meets it.
    known: Vec<BTreeMap<Vec<u32>, u32>>,
    /// What the network is supposed to be without, if anything was asked yet.
    without: Option<Vec<u32>>,
}

impl<'a> Routes<'a> {
    pub(super) fn new(fabric: Fabric<'a>, behind: &'a Behind, traffic: &'a Traffic) -> Self {
        let of = |r: &Route| fabric.first_hops(fabric.net().spot(r.node), r.access);
        let first = traffic.routes.iter().map(of).collect();
        Self {
            fabric,
            behind,
            traffic,
            first,
            // The way of those whose way does not matter.
            found: vec![Found {
                limits: Some(Vec::new()),
                meets: Bits::default(),
            }],
            base: vec![None; traffic.routes.len()],
            known: vec![BTreeMap::new(); traffic.routes.len()],
            without: None,
        }
    }

    pub(super) fn found(&self, number: u32) -> &Found {
        &self.found[number as usize]
    }

    /// The way of a route when these have failed, in order of number; `out` says which spots and
    /// circuits then are.
    pub(super) fn find(&mut self, route: u32, failed: &[u32], out: Out<'_>) -> u32 {
        let mut met: Vec<u32> = Vec::new();
        loop {
            let number = match self.remembered(route, &met) {
                Some(number) => number,
                None => {
                    let found = self.work_out(route, &met, out);
                    self.found.push(found);
                    let number = self.found.len() as u32 - 1;
                    self.remember(route, met.clone(), number);
                    number
                }
            };
            let meets = &self.found[number as usize].meets;
            let more = failed.iter().filter(|e| has(meets, **e));
            let mut new = more.copied().filter(|e| !met.contains(e)).peekable();
            if new.peek().is_none() {
                return number;
            }
            let new: Vec<u32> = new.collect();
            met.extend(new);
            met.sort_unstable();
        }
    }

    fn remembered(&self, route: u32, met: &[u32]) -> Option<u32> {
        match met {
            [] => self.base[route as usize],
            _ => self.known[route as usize].get(met).copied(),
        }
    }

    fn remember(&mut self, route: u32, met: Vec<u32>, number: u32) {
        if met.is_empty() {
            self.base[route as usize] = Some(number);
        } else {
            self.known[route as usize].insert(met, number);
        }
    }

    fn work_out(&mut self, route: u32, without: &[u32], out: Out<'_>) -> Found {
        if self.without.as_deref() != Some(without) {
            let (spots, circuits) = out(without);
            self.fabric.suppose(&spots, &circuits);
            self.without = Some(without.to_vec());
        }
        let spec = &self.traffic.routes[route as usize];
        let spot = self.fabric.net().spot(spec.node);
        let origin = Origin {
            spot,
            access: spec.access,
            first: &self.first[route as usize],
        };
        let to = Instance::new(spec.service, spec.replica);
        let mut meets = self.behind.wakers[spot].clone();
        if self.fabric.leg_of_users(origin, to).stop.is_some() {
            return Found {
                limits: None,
                meets,
            };
        }
        let circuits = self.fabric.route_of_users(origin, to);
        circuits
            .iter()
            .for_each(|c| join(&mut meets, &self.behind.circuits[*c]));
        let limits = circuits.iter().filter_map(|c| self.traffic.of_circuit[*c]);
        Found {
            limits: Some(limits.collect()),
            meets,
        }
    }
}
