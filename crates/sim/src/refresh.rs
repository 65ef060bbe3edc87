//! From changed element states to what users get: truth, services, entries, leases, units.
//!
//! Everything is recomputed only where something it rests on has changed, and in this order,
//! until nothing changes any more.

use crate::blame::Blame;
use crate::engine::Engine;
use crate::wakes::Wake;
use assize_control::fabric::Fault;
use assize_model::journal::DecisionKind;

impl Engine<'_> {
    /// Brings everything in line with the element states.
    pub(crate) fn settle(&mut self) {
        loop {
            if self.fabric.is_dirty() {
                self.refresh_network();
            }
            if self.services_dirty || !self.touched.is_empty() {
                self.refresh_services();
            }
            while let Some(entry) = self.stale_entries.pop() {
                self.entries[entry].stale = false;
                self.refresh_entry(entry);
            }
            while let Some(lease) = self.dirty_leases.pop() {
                self.leases[lease].dirty = false;
                self.refresh_lease(lease);
            }
            self.dirty_units.sort_unstable_by(|a, b| b.cmp(a));
            while let Some(unit) = self.dirty_units.pop() {
                self.units[unit].dirty = false;
                self.refresh_unit(unit);
            }
            if std::mem::take(&mut self.loads_dirty) {
                self.refresh_loads();
            }
            if !self.fabric.is_dirty()
                && !self.services_dirty
                && self.touched.is_empty()
                && self.stale_entries.is_empty()
                && self.dirty_units.is_empty()
            {
                return;
            }
        }
    }

    fn refresh_network(&mut self) {
        let changes = self.fabric.refresh(self.now);
        self.services_dirty |= changes.reach;
        for entry in 0..self.entries.len() {
            if changes.core || self.fabric.has_changed_at(self.entries[entry].spot) {
                self.entries[entry].legs_stale = true;
                self.mark_entry(entry);
            }
        }
        self.arm_fabric();
    }

    /// Every timer of the network is armed for when it is due.
    pub(crate) fn arm_fabric(&mut self) {
        for timer in self.fabric.timers() {
            self.wakes.arm(Wake::Fabric(timer), self.fabric.due(timer));
        }
    }

    pub(crate) fn mark_entry(&mut self, entry: usize) {
        if !std::mem::replace(&mut self.entries[entry].stale, true) {
            self.stale_entries.push(entry);
        }
    }

    pub(crate) fn mark_unit(&mut self, unit: usize) {
        if !std::mem::replace(&mut self.units[unit].dirty, true) {
            self.dirty_units.push(unit);
        }
    }

    /// A lease's server answers more or fewer of its holders.
    pub(crate) fn refresh_lease(&mut self, id: usize) {
        let now = self.now;
        let available = self.entries[self.leases[id].entry].ok;
        let change = self.leases[id].cache.on_available(now, available);
        self.after_lease_change(id, change);
        let voided = std::mem::take(&mut self.leases[id].voided);
        if !voided.is_empty() {
            let change = self.leases[id].cache.on_void(now);
            if change.lost != 0 {
                self.bite_all(&voided, || "sessions were lost".into());
            }
            self.after_lease_change(id, change);
        }
    }

    /// Records that something met a fault, the first time.
    pub(crate) fn bite(&mut self, blame: Blame, text: impl Fn() -> String) {
        if self.unbitten == 0 {
            return;
        }
        let faults = self.faults_of(blame);
        let what = self.describe(blame);
        self.bite_all(&faults, || format!("{}: {what}", text()));
    }

    pub(crate) fn bite_all(&mut self, faults: &[Fault], text: impl Fn() -> String) {
        for &fault in faults {
            if self.faults[fault].bite.is_none() && self.faults[fault].applies {
                self.faults[fault].bite = Some((self.now, text()));
                self.unbitten -= 1;
            }
        }
    }

    pub(crate) fn decide(
        &mut self,
        kind: DecisionKind,
        subject: String,
        faults: Vec<Fault>,
        service: Option<usize>,
    ) {
        self.record.decisions.push(assize_model::journal::Decision {
            at: self.now,
            kind,
            subject,
            faults,
            service: service.map(assize_model::ServiceId::from),
        });
    }
}
