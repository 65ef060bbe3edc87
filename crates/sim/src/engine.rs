//! The event loop: virtual time jumps from one event to the next.

use crate::blame::Blame;
use crate::state::{Demand, Entry, FaultState, Lease, ServiceState, Unit};
use crate::wakes::{Wake, Wakes};
use assize_control::fabric::{Fault, Timer};
use assize_control::matured::bits;
use assize_control::{Fabric, Part, Stage};
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::journal::{Decision, DecisionKind, ReadBack, Restore, Serving, SplitBrain};
use assize_model::plan::Plan;
use assize_model::scenario::{Action, Target};
use assize_model::topology::Mode;
use sha2::{Digest, Sha256};
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A plan under way.
pub(crate) struct Engine<'a> {
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) fabric: Fabric<'a>,
    pub(crate) services: Vec<ServiceState>,
    /// Services, each after what it depends on.
    pub(crate) order: Vec<usize>,
    /// The place of each service in that order.
    pub(crate) place: Vec<usize>,
    /// Those looked at the last time; kept for its memory.
    pub(crate) concerned: Vec<usize>,
    pub(crate) scratch: crate::units::Scratch,
    /// Groups and clings of an entry, kept for their memory.
    pub(crate) scratch_groups: [Vec<(u16, u64)>; 2],
    pub(crate) entries: Vec<Entry>,
    pub(crate) leases: Vec<Lease>,
    pub(crate) units: Vec<Unit>,
    /// Unit and rank of each access that users change to.
    pub(crate) changes: Vec<(usize, usize)>,
    pub(crate) faults: Vec<FaultState>,
    pub(crate) step_applies: Vec<bool>,
    /// Tries that wait for their turn, tagged with their lease; users in 1/64.
    pub(crate) tries: BTreeMap<Nanos, Vec<Part>>,
    /// What was met where nothing can be changed: blamed when everything has settled.
    pub(crate) met: RefCell<Vec<Blame>>,
    pub(crate) demands: Vec<Demand>,
    pub(crate) loads_dirty: bool,
    /// Whether the bandwidth of a circuit can ever be too small; empty if none can.
    pub(crate) binding: Vec<bool>,
    pub(crate) record: Record,
    pub(crate) wakes: Wakes,
    /// The cohort that a replica belongs to as a client of another service.
    pub(crate) client_phase: BTreeMap<(u16, u16, u16), u8>,
    pub(crate) services_dirty: bool,
    /// Services that have changed, where not all may have.
    pub(crate) touched: Vec<usize>,
    /// The number of the first check of each service.
    pub(crate) first_check: Vec<usize>,
    pub(crate) stale_entries: Vec<usize>,
    pub(crate) dirty_leases: Vec<usize>,
    pub(crate) dirty_units: Vec<usize>,
    /// Faults that are on or to come and that nothing has met yet.
    pub(crate) unbitten: usize,
    pub(crate) now: Nanos,
}

/// What is written down on the way.
pub(crate) struct Record {
    pub(crate) decisions: Vec<Decision>,
    pub(crate) serving: Vec<Serving>,
    pub(crate) split_brain: Vec<SplitBrain>,
    pub(crate) read_backs: Vec<ReadBack>,
    pub(crate) restores: Vec<Restore>,
    pub(crate) outcomes: Vec<String>,
    /// Circuits that have been on a path in use.
    pub(crate) circuits_used: Vec<bool>,
    pub(crate) events: u64,
    /// One-way latency between replicas, as last seen while packets passed.
    pub(crate) latencies: BTreeMap<(usize, usize, usize), Nanos>,
    digest: Sha256,
    pending: Vec<u8>,
}

impl Record {
    pub(crate) fn new(steps: usize, circuits: usize) -> Self {
        Self {
            decisions: Vec::new(),
            serving: Vec::new(),
            split_brain: Vec::new(),
            read_backs: Vec::new(),
            restores: Vec::new(),
            outcomes: vec![String::new(); steps],
            circuits_used: vec![false; circuits],
            events: 0,
            latencies: BTreeMap::new(),
            digest: Sha256::new(),
            pending: Vec::with_capacity(4096),
        }
    }

    pub(crate) fn serving(&mut self, service: usize, replica: usize, from: Nanos, to: Nanos) {
        if from < to {
            self.serving.push(Serving {
                service: ServiceId::from(service),
                replica: replica as u16,
                from,
                to,
            });
        }
    }

    fn event(&mut self, at: Nanos, rank: u32) {
        self.events += 1;
        self.pending.extend_from_slice(&at.0.to_le_bytes());
        self.pending.extend_from_slice(&rank.to_le_bytes());
        if self.pending.len() > 4000 {
            self.digest.update(&self.pending);
            self.pending.clear();
        }
    }

    /// A figure that comes of a timer without an event of its own, such as a shipment or a retry.
    pub(crate) fn figure(&mut self, figures: &[i64]) {
        for figure in figures {
            self.pending.extend_from_slice(&figure.to_le_bytes());
        }
        if self.pending.len() > 4000 {
            self.digest.update(&self.pending);
            self.pending.clear();
        }
    }

    /// SHA-256 over every event in the order taken, in hexadecimal.
    pub(crate) fn digest(mut self) -> (Self, String) {
        self.digest.update(&self.pending);
        let digest = std::mem::take(&mut self.digest).finalize();
        let text = digest.iter().map(|b| format!("{b:02x}")).collect();
        (self, text)
    }
}

impl Engine<'_> {
    /// Runs up to and including `limit`.
    pub(crate) fn run(&mut self, limit: Nanos) {
        self.settle();
        while let Some((at, rank, wake)) = self.wakes.pop(limit) {
            self.now = at;
            self.record.event(at, rank);
            self.dispatch(wake);
            // What happens at one instant and is of one kind happens together.
            let more = self.wakes.peek().is_some_and(|n| n == (at, wake.class()));
            if !more {
                self.settle();
            }
        }
        self.now = limit;
    }

    fn dispatch(&mut self, wake: Wake) {
        match wake {
            Wake::FaultBegins(i) => self.on_fault(i, true),
            Wake::FaultEnds(i) => self.on_fault(i, false),
            Wake::Step(i) => self.on_step(i),
            Wake::Response(i) => self.on_response(i),
            Wake::Fabric(timer) => self.on_fabric(timer),
            Wake::Failover(i) => self.on_failover(i),
            Wake::Names(i) => self.on_names(i),
            Wake::Contact(i) => self.on_contact(i),
            Wake::Restore(i) => self.on_restore(i),
            Wake::ReadBack(i) => {
                self.services[i].read_back_at = None;
                // Data that is damaged, or being restored, serves nobody: no recovery yet.
                if self.serves_data(i) {
                    self.read_back(i, false);
                }
            }
            Wake::Opening(i) => self.on_opening(i),
            Wake::Lease(i) => {
                let change = self.leases[i].cache.on_wake(self.now);
                self.after_lease_change(i, change);
            }
            Wake::Queue(i) => {
                let mut done = Vec::new();
                let now = self.now;
                if let Some(queue) = self.queue_mut(i) {
                    queue.on_wake(now, &mut done);
                }
                self.after_queue(i, done);
            }
            Wake::Checker(i) => self.on_checker(i),
            Wake::Load(i) => self.on_load(i),
            Wake::Demand => self.loads_dirty = true,
            Wake::Backup(i) => self.on_backup(i),
            Wake::Tries => self.on_tries(),
            Wake::Change(i) => {
                let (unit, rank) = self.changes[i];
                let now = self.now;
                if let Some(change) = &mut self.units[unit].accesses[rank].change {
                    change.on_wake(now);
                }
                self.mark_unit(unit);
            }
            Wake::Paper(i) => {
                let now = self.now;
                if let Some(paper) = &mut self.units[i].paper {
                    paper.on_wake(now);
                }
                self.mark_unit(i);
            }
        }
    }

    fn on_fault(&mut self, fault: Fault, on: bool) {
        let spec = &self.plan.scenario.faults[fault];
        if on {
            let first = self.faults[fault].resolved.is_empty();
            self.toggle(fault, true);
            if first {
                let next = self.faults[fault]
                    .response
                    .as_ref()
                    .and_then(|r| r.next_wake());
                self.wakes.arm(Wake::Response(fault), next);
            }
        } else {
            self.toggle(fault, false);
            if spec.bounded && self.now >= self.faults[fault].until {
                self.end_fault(fault);
            }
        }
        self.arm_fault(fault);
    }

    fn end_fault(&mut self, fault: Fault) {
        self.faults[fault].ended = true;
        self.faults[fault].ended_at = Some(self.now);
    }

    fn on_response(&mut self, fault: Fault) {
        let mut stages = Vec::new();
        let now = self.now;
        let watched = self.is_watched(fault);
        if let Some(response) = &mut self.faults[fault].response {
            response.on_wake(now, watched, &mut stages);
            let next = response.next_wake();
            self.wakes.arm(Wake::Response(fault), next);
        }
        self.mend_later(fault);
        let subject = format!("fault/{}", self.plan.scenario.faults[fault].id);
        for stage in stages {
            let kind = match stage {
                Stage::Know => DecisionKind::PeopleKnow,
                Stage::Diagnosed => DecisionKind::Diagnosed,
                Stage::Mended => DecisionKind::Mended,
            };
            self.decide(kind, subject.clone(), vec![fault], None);
            let restore = self
                .plan
                .scenario
                .responses
                .iter()
                .find(|r| r.fault == fault)
                .and_then(|r| r.restore);
            if let Some(service) = restore.filter(|_| stage == Stage::Mended) {
                self.begin_restore(service.index());
            }
        }
    }

    fn on_step(&mut self, step: usize) {
        let now = self.now;
        let outcome = match &self.plan.scenario.steps[step].action {
            Action::Promote(service, to) => {
                let mut actions = Vec::new();
                match &mut self.services[service.index()].failover {
                    Some(machine) => {
                        machine.on_promote(now, *to, &mut actions);
                        let begun = !actions.is_empty();
                        self.carry_out(service.index(), actions);
                        if begun {
                            self.services[service.index()].step = Some(step);
                            "promotion begun"
                        } else {
                            "nothing to promote"
                        }
                    }
                    None => "this service has no standby to promote",
                }
                .to_string()
            }
            Action::FailBack(service) => {
                let mut actions = Vec::new();
                if let Some(machine) = &mut self.services[service.index()].failover {
                    machine.on_fail_back(now, &mut actions);
                }
                let begun = !actions.is_empty();
                self.carry_out(service.index(), actions);
                if begun {
                    self.services[service.index()].step = Some(step);
                    "fail-back begun"
                } else {
                    "already at home"
                }
                .to_string()
            }
            Action::Restore(service) => {
                self.services[service.index()].step = Some(step);
                self.begin_restore(service.index())
            }
            Action::Activate(targets) => self.activate(targets, true),
            Action::Deactivate(targets) => self.activate(targets, false),
            Action::RollBack(fault) => {
                let was_on = self.faults[*fault].on;
                if was_on {
                    self.toggle(*fault, false);
                }
                self.end_fault(*fault);
                self.arm_fault(*fault);
                if was_on { "rolled back" } else { "was not on" }.to_string()
            }
        };
        self.record.outcomes[step] = outcome;
    }

    /// Adds what has become of a step that began something at a service.
    pub(crate) fn note_outcome(&mut self, service: usize, what: &str, over: bool) {
        if let Some(step) = self.services[service].step {
            self.record.outcomes[step].push_str(what);
        }
        if over {
            self.services[service].step = None;
        }
    }

    fn activate(&mut self, targets: &[Target], wanted: bool) -> String {
        let touched = self.fabric.activate(self.now, targets, wanted);
        self.arm_fabric();
        for target in targets {
            if let Target::Access(access) = target
                && self.fabric.access(*access).is_some()
            {
                self.touch_access(access.index());
            }
        }
        match (touched, wanted) {
            (0, _) => "nothing of it is a standby".into(),
            (_, true) => "activated".into(),
            (_, false) => "taken out of service".into(),
        }
    }

    fn touch_access(&mut self, access: usize) {
        for entry in 0..self.entries.len() {
            if self.entries[entry].access.index() == access {
                self.entries[entry].legs_stale = true;
                self.mark_entry(entry);
            }
        }
    }

    fn on_fabric(&mut self, timer: Timer) {
        self.fabric
            .on_timer(self.now, timer, &mut self.record.decisions);
        self.wakes.arm(Wake::Fabric(timer), self.fabric.due(timer));
        if let Timer::Access(access) = timer {
            self.touch_access(access);
        }
    }

    fn on_checker(&mut self, id: usize) {
        let (service, replica) = self.checker_place(id);
        let now = self.now;
        let mut verdicts = Vec::new();
        self.services[service].checkers[replica].on_wake(now, &mut verdicts);
        let next = self.services[service].checkers[replica].next_wake();
        self.wakes.arm(Wake::Checker(id), next);
        for up in verdicts {
            self.on_verdict(service, replica, up);
        }
    }

    /// Service and replica of a check; checks are numbered through.
    fn checker_place(&self, id: usize) -> (usize, usize) {
        let service = self.first_check.partition_point(|first| *first <= id) - 1;
        (service, id - self.first_check[service])
    }

    fn on_verdict(&mut self, service: usize, replica: usize, up: bool) {
        let now = self.now;
        let spec = &self.plan.topology.services[service];
        let subject = format!("service/{}/{}", spec.id, spec.replicas[replica].id);
        let faults = self.services[service].replicas[replica].seen_faults.clone();
        self.bite_all(&faults, || "a health check failed".into());
        let first_fault = faults.first().copied();
        let kind = if up {
            DecisionKind::Up
        } else {
            DecisionKind::Down
        };
        self.decide(
            kind,
            subject,
            if up { Vec::new() } else { faults },
            Some(service),
        );
        match spec.mode {
            Mode::ActiveStandby | Mode::Quorum => {
                let mut actions = Vec::new();
                if let Some(machine) = &mut self.services[service].failover {
                    if up {
                        machine.on_up(now, replica as u16, &mut actions);
                    } else {
                        machine.on_down(now, replica as u16, &mut actions);
                    }
                }
                self.carry_out(service, actions);
            }
            Mode::ActiveActive => {
                let state = &mut self.services[service];
                if up {
                    state.rotation |= 1 << replica;
                } else {
                    state.rotation &= !(1 << replica);
                }
                self.rotate(service);
                if !up {
                    // Others take over its users: what only it holds is missing from now on.
                    self.sync_all(service);
                    self.note_loss(service, first_fault);
                    self.read_back_when_settled(service);
                }
            }
            Mode::Single | Mode::Sharded => {}
        }
        self.touched.push(service);
    }

    /// Spreads the cohorts over the replicas in rotation. With none left, traffic goes to all
    /// if the service fails open, and stays where it was otherwise.
    fn rotate(&mut self, service: usize) {
        let now = self.now;
        let spec = &self.plan.topology.services[service];
        let state = &mut self.services[service];
        let mut rotation: Vec<u8> = bits(state.rotation).map(|r| r as u8).collect();
        if rotation.is_empty() && spec.failover.as_ref().is_some_and(|f| f.fail_open) {
            rotation = (0..state.replicas.len() as u8).collect();
        }
        if rotation.is_empty() {
            return;
        }
        let record = assize_control::names::deal(&rotation, &state.spread);
        let at_once = state.names.on_record(now, record);
        self.after_names(service, at_once);
    }

    pub(crate) fn after_names(&mut self, service: usize, changed: bool) {
        let next = self.services[service].names.next_wake();
        self.wakes.arm(Wake::Names(service), next);
        if changed {
            let state = &mut self.services[service];
            let mut moved = false;
            for replica in 0..state.views.len() {
                let view = state.names.mask(replica as u8);
                moved |= (view == 0) != (state.views[replica] == 0);
                state.views[replica] = view;
            }
            if moved {
                self.touched.push(service);
            }
            for i in 0..self.services[service].entries.len() {
                let entry = self.services[service].entries[i];
                self.mark_entry(entry);
            }
            let state = &self.services[service];
            if !state.dependents.is_empty() || state.queue.is_some() || next.is_none() {
                self.touched.push(service);
            }
        }
    }

    fn on_names(&mut self, service: usize) {
        let now = self.now;
        let changed = self.services[service].names.on_wake(now);
        self.after_names(service, changed);
    }
}
