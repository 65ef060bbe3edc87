//! Whether anybody would come to know of a fault, and when it is then mended.

use crate::engine::Engine;
use crate::wakes::Wake;
use assize_control::fabric::Fault;
use assize_model::faults::Effect;

impl Engine<'_> {
    /// Whether somebody who watches would notice a fault. Those that keep it from notice bite if
    /// it is time.
    pub(crate) fn is_watched(&mut self, fault: Fault) -> bool {
        let blind: Vec<Fault> = (0..self.faults.len())
            .filter(|other| self.hides(*other, fault))
            .collect();
        let due = self.faults[fault].response.as_ref();
        let due = due.is_some_and(|r| !r.knows());
        if due {
            self.bite_all(&blind, || "nobody noticed a fault because of it".into());
        }
        blind.is_empty()
    }

    fn hides(&self, other: Fault, fault: Fault) -> bool {
        let spec = &self.plan.scenario.faults[other];
        self.faults[other].on
            && spec.effects.contains(&Effect::Unwatched)
            && self.faults[fault]
                .resolved
                .iter()
                .any(|t| self.faults[other].resolved.contains(t))
    }

    /// A fault that people respond to ends when they have mended it, whenever that is.
    pub(crate) fn mend_later(&mut self, fault: Fault) {
        let Some(response) = &self.faults[fault].response else {
            return;
        };
        let mended = response.mended();
        if mended > self.faults[fault].until {
            self.faults[fault].until = mended;
            self.arm_fault(fault);
        }
    }

    /// Somebody watches again.
    pub(crate) fn watched_again(&mut self) {
        let now = self.now;
        for fault in 0..self.faults.len() {
            if !self.faults[fault].on || !self.is_watched(fault) {
                continue;
            }
            if let Some(response) = &mut self.faults[fault].response {
                response.on_watched(now);
                let (next, mended) = (response.next_wake(), response.mended());
                self.faults[fault].until = mended;
                self.wakes.arm(Wake::Response(fault), next);
                self.arm_fault(fault);
            }
        }
    }
}
