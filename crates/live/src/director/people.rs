//! Steps of the plan, and people who notice, find and mend.

use super::Director;
use assize_control::Stage;
use assize_fault::Nanos;
use assize_model::faults::Effect;
use assize_model::journal::DecisionKind;
use assize_model::observation::Observation;
use assize_model::scenario::{Action, Target};

impl Director<'_> {
    pub(super) fn on_step(&mut self, at: Nanos, step: usize) {
        let plan = self.plan;
        let outcome = match &plan.scenario.steps[step].action {
            Action::Promote(service, to) => {
                let mut actions = Vec::new();
                let s = service.index();
                if let Some(machine) = &mut self.services[s].failover {
                    machine.on_promote(at, *to, &mut actions);
                    let begun = !actions.is_empty();
                    self.services[s].step = begun.then_some(step);
                    self.carry_out(s, actions);
                    if begun {
                        "promotion begun"
                    } else {
                        "nothing to promote"
                    }
                    .to_owned()
                } else {
                    "this service has no standby to promote".to_owned()
                }
            }
            Action::FailBack(service) => {
                let mut actions = Vec::new();
                let s = service.index();
                if let Some(machine) = &mut self.services[s].failover {
                    machine.on_fail_back(at, &mut actions);
                }
                let begun = !actions.is_empty();
                self.services[s].step = begun.then_some(step);
                self.carry_out(s, actions);
                if begun {
                    "fail-back begun"
                } else {
                    "already at home"
                }
                .to_owned()
            }
            Action::Restore(service) => {
                self.services[service.index()].step = Some(step);
                self.begin_restore(service.index())
            }
            Action::Activate(targets) => self.activate(at, targets, true),
            Action::Deactivate(targets) => self.activate(at, targets, false),
            Action::RollBack(fault) => {
                let was_on = self.faults[*fault].on;
                self.toggle(*fault, false);
                self.faults[*fault].turn = None;
                self.faults[*fault].ended = true;
                if was_on { "rolled back" } else { "was not on" }.to_owned()
            }
        };
        self.outcomes[step].clone_from(&outcome);
        self.say(Observation::Step { at, step, outcome });
    }

    fn activate(&mut self, at: Nanos, targets: &[Target], wanted: bool) -> String {
        let touched = self.network.activate(at, targets, wanted);
        self.dirty = true;
        match (touched, wanted) {
            (false, _) => "nothing of it is a standby".into(),
            (true, true) => "activated".into(),
            (true, false) => "taken out of service".into(),
        }
    }

    pub(super) fn on_response(&mut self, at: Nanos, fault: usize) {
        let mut stages = Vec::new();
        let watched = self.is_watched(fault);
        if let Some(response) = &mut self.faults[fault].response {
            response.on_wake(at, watched, &mut stages);
        }
        self.mend_later(fault);
        let subject = format!("fault/{}", self.plan.scenario.faults[fault].id);
        for stage in stages {
            let kind = match stage {
                Stage::Know => DecisionKind::PeopleKnow,
                Stage::Diagnosed => DecisionKind::Diagnosed,
                Stage::Mended => DecisionKind::Mended,
            };
            self.decide(at, kind, subject.clone(), vec![fault], None);
            let responses = &self.plan.scenario.responses;
            let restore = responses
                .iter()
                .find(|r| r.fault == fault)
                .and_then(|r| r.restore);
            if let Some(service) = restore.filter(|_| stage == Stage::Mended) {
                let outcome = self.begin_restore(service.index());
                self.note(format!("mended, and {outcome}"));
            }
        }
    }

    /// Whether somebody who watches would notice a fault.
    fn is_watched(&mut self, fault: usize) -> bool {
        let blind: Vec<usize> = (0..self.faults.len())
            .filter(|other| self.hides(*other, fault))
            .collect();
        let response = self.faults[fault].response.as_ref();
        if response.is_some_and(|r| !r.knows()) {
            for &other in &blind {
                self.bite(other, "nobody noticed a fault because of it");
            }
        }
        blind.is_empty()
    }

    fn hides(&self, other: usize, fault: usize) -> bool {
        let hides = &self.faults[other];
        hides.on
            && self.plan.scenario.faults[other]
                .effects
                .contains(&Effect::Unwatched)
            && self.faults[fault]
                .resolved
                .iter()
                .any(|t| hides.resolved.contains(t))
    }

    /// A fault that people respond to ends when they have mended it.
    fn mend_later(&mut self, fault: usize) {
        let state = &mut self.faults[fault];
        let Some(mended) = state
            .response
            .as_ref()
            .map(assize_control::Response::mended)
        else {
            return;
        };
        if mended > state.until {
            state.until = mended;
            if let Some((at, false)) = &mut state.turn {
                *at = mended;
            }
        }
    }

    /// Somebody watches again.
    pub(super) fn watched_again(&mut self) {
        let now = self.now();
        for fault in 0..self.faults.len() {
            if !self.faults[fault].on || !self.is_watched(fault) {
                continue;
            }
            let state = &mut self.faults[fault];
            if let Some(response) = &mut state.response {
                response.on_watched(now);
                state.until = response.mended();
                if let Some((at, false)) = &mut state.turn {
                    *at = state.until;
                }
            }
        }
    }
}
