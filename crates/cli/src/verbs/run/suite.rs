//! Scenarios side by side: predicted first, while nothing is measured; then those on stand-ins,
//! several at once; then those on real systems, one by one.

use super::budget::Budget;
use super::clock::Clock;
use super::one::Setting;
use super::progress::{Told, View};
use super::{Arguments, Engine, again, out, select, strict};
use crate::Console;
use crate::engine::{self, ScenarioFile};
use crate::evidence::Attempt;
use crate::exit::Failure;
use assize_live::Stop;
use assize_model::observation::Bound;
use assize_model::{Journal, Plan};
use assize_report::Run;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// What came of a scenario.
pub(super) struct Result {
    pub(super) run: Run,
    /// Faults that could not be lifted.
    pub(super) left: Vec<String>,
    /// What evidence has of each time that it was run.
    pub(super) attempts: Vec<Attempt>,
    /// Why it was not run at all.
    pub(super) left_out: Option<String>,
    /// Why it was stopped before its end.
    pub(super) cut_off: Option<String>,
}

/// Representatives and journeys of a plan from which it takes a processor of its own.
const LARGE: usize = 200;
/// How often the view is drawn anew.
const REDRAW: Duration = Duration::from_millis(200);

/// Runs all scenarios; results in their order.
pub(super) fn run_all(
    engine: Engine,
    stop: &Stop,
    files: &[ScenarioFile],
    (arguments, bound): (&Arguments, Option<&Bound>),
    console: &mut Console<'_>,
) -> std::result::Result<Vec<Result>, Failure> {
    let clock = Clock::start();
    let budget = Budget::of(arguments, clock);
    let predictions: Vec<Option<Journal>> = files
        .par_iter()
        .map(|file| engine::predict(file, arguments.engine.seed))
        .collect();
    let (real, stand_ins): (Vec<usize>, Vec<usize>) =
        (0..files.len()).partition(|&index| select::is_real(&files[index]));
    let names = out::names(files);
    let work = Work {
        engine,
        stop,
        ends: match budget {
            Some(_) => Stop::default(),
            None => stop.clone(),
        },
        files,
        arguments,
        bound,
        clock,
        budget,
        predictions: &predictions,
        names: &names,
    };
    let mut results: Vec<Option<Result>> = files.iter().map(|_| None).collect();
    let mut view = View::new(files, console);
    let jobs = jobs(files, arguments);
    work.batch(&stand_ins, jobs, &mut results, &mut view);
    work.batch(&real, 1, &mut results, &mut view);
    view.close();
    Ok(results.into_iter().flatten().collect())
}

/// One scenario for each processor; with a large plan, one for two of them.
fn jobs(files: &[ScenarioFile], arguments: &Arguments) -> usize {
    if let Some(jobs) = arguments.jobs {
        return usize::from(jobs);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let units = |file: &ScenarioFile| {
        let plan = Plan::new(&file.topology, &file.scenario, 0);
        let journeys =
            |cell: &assize_model::Cell| file.topology.population(cell.population).makes.len();
        let units: usize = plan.cells.iter().map(journeys).sum();
        units * usize::from(file.scenario.live.phases)
    };
    if files.iter().map(units).max().unwrap_or(0) > LARGE {
        processors.div_ceil(2)
    } else {
        processors
    }
}

/// What all threads share.
struct Work<'a> {
    engine: Engine,
    stop: &'a Stop,
    /// What ends the runs: that they are stopped or, where there is a budget, that it is spent.
    ends: Stop,
    files: &'a [ScenarioFile],
    arguments: &'a Arguments,
    bound: Option<&'a Bound>,
    clock: Clock,
    budget: Option<Budget>,
    predictions: &'a [Option<Journal>],
    names: &'a [String],
}

/// What a thread says to the one that prints.
type Said = (usize, Told);

impl Work<'_> {
    /// Runs these scenarios, so many at once, and shows how they fare.
    fn batch(
        &self,
        indices: &[usize],
        jobs: usize,
        results: &mut [Option<Result>],
        view: &mut View<'_, '_>,
    ) {
        let next = AtomicUsize::new(0);
        let (sender, receiver) = channel::<Said>();
        let (done, finished) = channel::<(usize, Result)>();
        std::thread::scope(|scope| {
            for _ in 0..jobs.min(indices.len()) {
                let (sender, done, next) = (sender.clone(), done.clone(), &next);
                scope.spawn(move || {
                    while let Some(&index) = indices.get(next.fetch_add(1, Ordering::Relaxed)) {
                        let result = self.one(index, &sender);
                        // The receivers outlive this scope's threads.
                        let _ = done.send((index, result));
                        let _ = sender.send((index, Told::Done));
                    }
                });
            }
            drop((sender, done));
            loop {
                if self.stop.is_requested() || self.budget.is_some_and(Budget::is_over) {
                    self.ends.request();
                }
                match receiver.recv_timeout(REDRAW) {
                    Ok((index, told)) => view.hear(index, told, self.clock.elapsed()),
                    Err(RecvTimeoutError::Timeout) => view.draw(self.clock.elapsed()),
                    Err(RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        for (index, result) in finished {
            results[index] = Some(result);
        }
    }

    fn one(&self, index: usize, sender: &Sender<Said>) -> Result {
        let file = &self.files[index];
        if self.stop.is_requested() {
            return again::together(file, Vec::new());
        }
        let budget = self.budget;
        if let Some(why) = budget.and_then(|b| b.leaves_out(file, self.arguments)) {
            return self.left_out(file, &why);
        }
        let _ = sender.send((index, Told::Begun));
        let setting = Setting {
            engine: self.engine,
            stop: &self.ends,
            arguments: self.arguments,
            name: &self.names[index],
            bound: self.bound,
        };
        let tell = |observation: &_| {
            if let Some(told) = Told::of(observation) {
                let _ = sender.send((index, told));
            }
        };
        let mut result = again::run(file, self.predictions[index].as_ref(), &setting, &tell);
        if let Some(budget) = budget.filter(|_| !self.stop.is_requested()) {
            result.cut_off = budget.cut_off(&mut result.run);
        }
        result
    }

    fn left_out(&self, file: &ScenarioFile, why: &str) -> Result {
        Result {
            run: left_out(file, self.arguments.engine.seed, why),
            left: Vec::new(),
            attempts: Vec::new(),
            left_out: Some(why.to_owned()),
            cut_off: None,
        }
    }
}

/// A scenario of which nothing was exercised, and why.
pub(super) fn left_out(file: &ScenarioFile, seed: u64, why: &str) -> Run {
    let plan = Plan::new(&file.topology, &file.scenario, seed);
    let mut outcome = engine::judged(&plan, &[], None, Vec::new());
    // Not that it was killed, which is how a journal without an end reads.
    outcome.warnings = vec![why.to_string()];
    strict::not_exercised(&mut outcome, why);
    Run::Judged(Box::new(outcome))
}
