//! The director of a run: one task that carries out the timeline, does what the machines of
//! `control` decide, and says what happened.
//!
//! It alone changes what others see: what is on the wire, where names point, which access serves.
//! Everything that takes time is done by tasks, which report back; nothing here waits.

mod backups;
mod bites;
mod checks;
mod faults;
mod ledger;
mod people;
mod places;
mod read_back;
mod report;
mod roles;
mod services;
mod takeover;
mod unseen;
mod watch;
mod wires;

pub(crate) use checks::{Checked, origin_of, start as start_checks};
pub(crate) use faults::{replicas_of, unsupported};
pub(crate) use report::Report;
pub(crate) use roles::{misplaced, start as start_roles};

use crate::network::Network;
use crate::options::Stop;
use crate::world::World;
use assize_fault::Nanos;
use assize_model::journal::{Decision, DecisionKind};
use assize_model::observation::{Ending, Observation};
use assize_model::{Plan, ServiceId};
use faults::{FaultState, Hand};
use services::ServiceState;
use std::sync::Arc;
use tokio::sync::mpsc::{Receiver, Sender};
use tokio::time::sleep_until;
use unseen::Unseen;
use watch::Watch;

/// Reports taken between two looks at the clock.
const AT_ONCE: usize = 256;

/// The director.
pub(crate) struct Director<'a> {
    pub(crate) plan: &'a Plan<'a>,
    pub(crate) world: Arc<World>,
    network: Network<'a>,
    out: &'a mut dyn FnMut(Observation),
    reports: Sender<Report>,
    services: Vec<ServiceState>,
    faults: Vec<FaultState>,
    hands: Vec<Vec<Hand>>,
    /// Steps not yet taken, as indices in order of time.
    steps: std::collections::VecDeque<usize>,
    outcomes: Vec<String>,
    watch: Watch,
    unseen: Unseen,
    folder: std::path::PathBuf,
    /// Names that could not be lifted.
    left: Vec<String>,
    /// What is on the wire may differ from what should be.
    dirty: bool,
    /// All is over: nothing is put on the wire any more.
    healed: bool,
    /// Elements that were seen to carry traffic, as selectors.
    exercised: std::collections::BTreeSet<String>,
}

/// Something of the timeline, in the order in which it is taken at one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Due {
    FaultEnds(usize),
    FaultBegins(usize),
    Step(usize),
    Network,
    Names(usize),
    Failover(usize),
    Response(usize),
    Contact(usize),
    Backup(usize),
    ReadBack(usize),
    Watch,
}

impl<'a> Director<'a> {
    /// Everything well; nothing has happened yet.
    pub(crate) fn new(
        plan: &'a Plan<'a>,
        world: Arc<World>,
        network: Network<'a>,
        reports: Sender<Report>,
        probe_every: Nanos,
        folder: std::path::PathBuf,
        out: &'a mut dyn FnMut(Observation),
    ) -> Self {
        let mut steps: Vec<usize> = (0..plan.scenario.steps.len()).collect();
        steps.sort_by_key(|s| plan.scenario.steps[*s].at);
        let hands = faults::hands(&world, &reports);
        Self {
            services: services::all(plan),
            faults: faults::all(plan),
            outcomes: vec![String::new(); plan.scenario.steps.len()],
            watch: Watch::new(plan, probe_every),
            unseen: Unseen::new(plan),
            steps: steps.into(),
            plan,
            world,
            network,
            out,
            reports,
            hands,
            folder,
            left: Vec::new(),
            dirty: true,
            healed: false,
            exercised: std::collections::BTreeSet::new(),
        }
    }

    /// Carries the plan out until its end, or until something ends it earlier.
    pub(crate) async fn drive(&mut self, inbox: &mut Receiver<Report>, stop: &Stop) -> Ending {
        let clock = self.world.clock;
        loop {
            self.on_time(clock.now());
            let now = clock.now();
            if let Some(ending) = self.watch.ending(self.plan, &self.faults, now) {
                return ending;
            }
            let next = self.next_due().map_or(self.plan.scenario.end, |d| d.0);
            tokio::select! {
                biased;
                () = stop.requested() => return Ending::Interrupted,
                report = inbox.recv() => {
                    let Some(report) = report else { return Ending::Interrupted };
                    self.on_report(report);
                    for _ in 0..AT_ONCE {
                        let Ok(more) = inbox.try_recv() else { break };
                        self.on_report(more);
                    }
                }
                () = sleep_until(clock.instant(next.min(self.plan.scenario.end))) => {}
            }
        }
    }

    /// Takes reports for a while after the end, until nothing is under way that matters.
    pub(crate) async fn wind_down(
        &mut self,
        inbox: &mut Receiver<Report>,
        until: tokio::time::Instant,
    ) {
        while self.is_under_way() {
            tokio::select! {
                () = sleep_until(until) => return,
                report = inbox.recv() => match report {
                    Some(report) => self.on_report(report),
                    None => return,
                },
            }
        }
    }

    /// Takes reports until an instant.
    pub(crate) async fn wait_for(
        &mut self,
        inbox: &mut Receiver<Report>,
        until: tokio::time::Instant,
    ) {
        loop {
            tokio::select! {
                () = sleep_until(until) => return,
                report = inbox.recv() => match report {
                    Some(report) => self.on_report(report),
                    None => return,
                },
            }
        }
    }

    /// Takes everything that is due, each at its instant, and puts on the wire what follows.
    pub(crate) fn on_time(&mut self, now: Nanos) {
        while let Some((at, due)) = self.next_due().filter(|d| d.0 <= now) {
            self.take(at, due);
            self.settle();
        }
        self.settle();
        self.say_turns();
    }

    /// Tells checks how far the timeline is carried out.
    fn say_turns(&self) {
        let turn = |fault: &FaultState| fault.turn.map(|(at, _)| at);
        let under_way = |fault: &FaultState| (fault.under_way > 0).then_some(fault.turned);
        let faults = self.faults.iter();
        let waiting = faults.flat_map(|f| [turn(f), under_way(f)]).flatten();
        let step = self.steps.front().map(|&s| self.plan.scenario.steps[s].at);
        self.world
            .turns
            .set(waiting.chain(step).min().unwrap_or(Nanos::NEVER));
    }

    fn take(&mut self, at: Nanos, due: Due) {
        match due {
            Due::FaultEnds(i) => self.on_fault_turn(at, i, false),
            Due::FaultBegins(i) => self.on_fault_turn(at, i, true),
            Due::Step(i) => {
                self.steps.pop_front();
                self.on_step(at, i);
            }
            Due::Response(i) => self.on_response(at, i),
            Due::Network => self.on_network(at),
            Due::Names(s) => self.on_names(at, s),
            Due::Failover(s) => self.on_failover(at, s),
            Due::Contact(s) => self.on_contact(at, s),
            Due::Backup(s) => self.on_backup(at, s),
            Due::ReadBack(s) => self.on_read_back(at, s),
            Due::Watch => self.on_watch(at),
        }
    }

    /// What is due first.
    fn next_due(&self) -> Option<(Nanos, Due)> {
        let mut first: Option<(Nanos, Due)> = None;
        let mut add = |at: Option<Nanos>, due: Due| {
            if let Some(at) = at.filter(|at| !at.is_never())
                && first.is_none_or(|f| (at, due) < f)
            {
                first = Some((at, due));
            }
        };
        for (i, fault) in self.faults.iter().enumerate() {
            if let Some((at, on)) = fault.turn {
                add(
                    Some(at),
                    if on {
                        Due::FaultBegins(i)
                    } else {
                        Due::FaultEnds(i)
                    },
                );
            }
            let response = fault.response.as_ref().filter(|_| fault.begun);
            add(response.and_then(|r| r.next_wake()), Due::Response(i));
        }
        if let Some(&step) = self.steps.front() {
            add(Some(self.plan.scenario.steps[step].at), Due::Step(step));
        }
        add(self.network.next_wake(), Due::Network);
        for (s, service) in self.services.iter().enumerate() {
            add(service.names.next_wake(), Due::Names(s));
            add(
                service.failover.as_ref().and_then(|f| f.next_wake()),
                Due::Failover(s),
            );
            add(service.contact_at, Due::Contact(s));
            add(service.backup_at, Due::Backup(s));
            add(service.read_back_at, Due::ReadBack(s));
        }
        add(self.watch.next_wake(), Due::Watch);
        first
    }

    fn on_report(&mut self, report: Report) {
        match report {
            Report::Attempted(attempted) => self.on_attempted(attempted),
            Report::Checked(checked) => self.on_checked(checked),
            Report::Role {
                service,
                replica,
                role,
            } => self.on_role(service, replica, role),
            Report::Promoted {
                service,
                replica,
                began,
                outcome,
            } => self.on_promotion_over(service, replica, began, &outcome),
            Report::Followed {
                service,
                replica,
                outcome,
            } => self.on_followed(service, replica, &outcome),
            Report::Effected {
                fault,
                service,
                what,
                on,
                outcome,
            } => self.on_effected(fault, service, (&what, on), &outcome),
            Report::BackedUp {
                service,
                run,
                outcome,
            } => self.on_backed_up(service, run, &outcome),
            Report::Restored {
                service,
                run,
                replica,
                began,
                outcome,
            } => self.on_restored(service, (run, replica), began, &outcome),
            Report::Held {
                service,
                is_final,
                at,
                held,
            } => self.on_held(service, is_final, at, held),
            Report::Renewed {
                flow,
                service,
                replica,
                began,
                trouble,
            } => {
                let span = (began, self.now());
                self.met(
                    flow,
                    (service, replica),
                    span,
                    trouble.as_ref(),
                    "a renewal met it",
                );
            }
            Report::Observed(observation) => self.say(observation),
        }
        self.settle();
    }

    /// Puts on the wire what should be there.
    fn settle(&mut self) {
        if std::mem::take(&mut self.dirty) {
            self.put_all();
        }
    }

    pub(crate) fn say(&mut self, observation: Observation) {
        (self.out)(observation);
    }

    pub(crate) fn note(&mut self, text: impl Into<String>) {
        let at = self.now();
        self.say(Observation::Note {
            at,
            text: text.into(),
        });
    }

    fn now(&self) -> Nanos {
        self.world.clock.now()
    }

    fn decide(
        &mut self,
        at: Nanos,
        kind: DecisionKind,
        subject: String,
        faults: Vec<usize>,
        service: Option<usize>,
    ) {
        let service = service.map(ServiceId::from);
        self.say(Observation::Decided(Decision {
            at,
            kind,
            subject,
            faults,
            service,
        }));
    }

    /// Starts a task that reports.
    fn begin(&self, task: impl Future<Output = Report> + Send + 'static) {
        let reports = self.reports.clone();
        tokio::spawn(async move {
            // Nobody listens only when the run is over.
            let _ = reports.send(task.await).await;
        });
    }

    /// Whether something is going on that belongs into the journal.
    fn is_under_way(&self) -> bool {
        self.services.iter().any(|s| s.reading > 0) || self.faults.iter().any(|f| f.under_way > 0)
    }
}
