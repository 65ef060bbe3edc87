//! The network after so long that routing has noticed everything: for questions without time.

use super::Fabric;

impl Fabric<'_> {
    /// From now on just these spots and circuits are out, and always were: routing knows, and
    /// standbys that come by themselves serve where they are wanted. Nothing else of the faults
    /// and timers of this fabric counts any more, so one that is asked this is not driven.
    ///
    /// A circuit falls with its ends and with what it runs over; they need not be named.
    pub fn suppose(&mut self, spot_out: &[bool], circuit_out: &[bool]) {
        let standby = |c: &super::Circuit| c.standby.is_some();
        let mut dormant: Vec<bool> = self.net.circuits.iter().map(standby).collect();
        for (up, out) in self.truth.spot_up.iter_mut().zip(spot_out) {
            *up = !out;
        }
        // Each turn sees what the turn before brought into service, and there are so many only.
        for _ in 0..=self.net.circuits.len() {
            for circuit in 0..self.net.circuits.len() {
                let passes = self.settles_up(circuit, circuit_out, &dormant);
                self.truth.passes[circuit] = passes;
                self.truth.believed[circuit] = passes;
            }
            let mut changed = false;
            for circuit in (0..dormant.len()).filter(|c| self.comes_by_itself(*c)) {
                let now = !self.is_wanted(circuit);
                changed |= std::mem::replace(&mut dormant[circuit], now) != now;
            }
            if !changed {
                break;
            }
        }
        self.truth.dormant = dormant;
        self.trees.get_mut().on_change();
    }

    fn settles_up(&self, circuit: usize, out: &[bool], dormant: &[bool]) -> bool {
        let c = &self.net.circuits[circuit];
        !out[circuit]
            && !dormant[circuit]
            && self.truth.spot_up[c.near]
            && self.truth.spot_up[self.net.spot(c.far)]
            && c.under.iter().all(|u| self.settles_up(*u, out, dormant))
    }

    /// Circuits that decide whether a standby at the near end of `circuit` comes into service;
    /// none if it is none that comes by itself.
    #[must_use]
    pub fn wakers(&self, circuit: usize) -> Vec<usize> {
        if !self.comes_by_itself(circuit) {
            return Vec::new();
        }
        let near = self.net.circuits[circuit].near;
        if self.is_class(near) {
            return self.net.at_spot[near].clone();
        }
        let single = |c: &usize| !self.is_class(self.net.circuits[*c].near);
        (0..self.net.circuits.len()).filter(single).collect()
    }
}
