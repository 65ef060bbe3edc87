//! `--budget`: wall time for all scenarios together. One that would not fit is not begun; one that
//! takes longer than it was thought to is stopped, and what it has not shown by then is not
//! exercised.

use super::clock::Clock;
use super::{Arguments, strict};
use crate::engine::ScenarioFile;
use assize_fault::Nanos;
use assize_live::{Machine, Options};
use assize_model::Plan;
use assize_model::binding::Realisation;
use assize_report::Run;
use std::path::PathBuf;

/// On the wall: measuring the machine, proxies and stand-ins, and reading ledgers back.
const AROUND: Nanos = Nanos::secs(4);
/// On the wall: starting one server by a command of the file.
const SERVER: Nanos = Nanos::secs(3);

/// The wall time that there is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    whole: Nanos,
    clock: Clock,
    /// What this machine permits; `None`: it could not be measured.
    machine: Option<Machine>,
}

impl Budget {
    /// The budget that was given, if one was; measures the machine then.
    pub(super) fn of(arguments: &Arguments, clock: Clock) -> Option<Self> {
        let whole = arguments.budget?;
        let host = Options::new(PathBuf::new()).host;
        Some(Self {
            whole,
            clock,
            machine: Machine::measured(host).ok(),
        })
    }

    /// Whether it is spent.
    pub(super) fn is_over(self) -> bool {
        self.clock.elapsed() >= self.whole
    }

    /// Whether a scenario would take longer than what is left, in a sentence.
    pub(super) fn leaves_out(self, file: &ScenarioFile, arguments: &Arguments) -> Option<String> {
        let spent = self.clock.elapsed();
        let needed = self.needed(file, arguments);
        (spent + needed > self.whole).then(|| {
            let left = Nanos::secs((self.whole - spent).max(Nanos::ZERO).0 / 1_000_000_000);
            format!(
                "Left out: it takes up to {needed}, and of the budget of {} {left} was left.",
                self.whole
            )
        })
    }

    /// What a run that was stopped has not shown.
    pub(super) fn cut_off(self, run: &mut Run) -> Option<String> {
        let why = format!("The budget of {} was spent before its end.", self.whole);
        cut_off(run, &why).then_some(why)
    }

    /// How long a scenario takes at most on the wall, over all its repetitions, to the second: at
    /// the pace that this machine permits, and to its end.
    fn needed(self, file: &ScenarioFile, arguments: &Arguments) -> Nanos {
        let plan = Plan::new(&file.topology, &file.scenario, arguments.engine.seed);
        let pace = self
            .machine
            .and_then(|machine| machine.pace(&plan, arguments.pace).ok());
        let model = file.scenario.steady_state + file.scenario.end;
        let wall = Nanos(model.0 / i64::from(pace.unwrap_or(1).max(1)));
        let once = wall + AROUND + SERVER * servers(file);
        let times = i64::from(arguments.repeat.max(1));
        Nanos::secs((once.0 / 1_000_000_000).saturating_mul(times))
    }
}

/// What a run that was stopped for this reason has not shown; whether it was stopped.
pub(super) fn cut_off(run: &mut Run, why: &str) -> bool {
    let Run::Judged(outcome) = run else {
        return false;
    };
    let ended = outcome.live.as_ref().map(|live| live.ended);
    if ended != Some("interrupted") {
        return false;
    }
    strict::unfinished(outcome, why);
    true
}

/// How many servers the run starts.
fn servers(file: &ScenarioFile) -> i64 {
    let started = file.topology.services.iter().filter(|service| {
        matches!(&service.realised, Realisation::Bound(binding)
            if binding.commands.iter().any(|c| c.verb == "start"))
    });
    let replicas: usize = started.map(|service| service.replicas.len()).sum();
    i64::try_from(replicas).unwrap_or(0)
}
