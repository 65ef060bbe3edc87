//! Backups: which one would be restored, and what it turns out to be.
//!
//! A backup's recovery point is the instant at which it *began*. It can be restored once it is
//! complete. One that was made badly looks like any other until it is restored.

use assize_fault::Nanos;
use assize_model::plan::Plan;
use assize_model::topology::Service;

/// One backup that was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BackupRun {
    /// Index of the schedule.
    pub schedule: usize,
    /// When it began: its recovery point.
    pub began: Nanos,
    /// When it was complete.
    pub complete: Nanos,
    /// Whether a restore from it would succeed.
    pub good: bool,
}

/// The backups of one service, in order of their recovery points.
#[derive(Clone, Debug, Default)]
pub struct Backups {
    runs: Vec<BackupRun>,
    /// Runs found to be bad, by index.
    found_bad: Vec<bool>,
}

impl Backups {
    /// The backups that the schedules give, each judged `good` or not when it began.
    #[must_use]
    pub fn new(mut runs: Vec<BackupRun>) -> Self {
        runs.sort_by_key(|r| (r.began, r.schedule));
        let found_bad = vec![false; runs.len()];
        Self { runs, found_bad }
    }

    /// The newest complete backup that began before `damage` (if data was damaged) that has not been
    /// found bad and whose place can be reached.
    #[must_use]
    pub fn choose(
        &self,
        now: Nanos,
        damage: Option<Nanos>,
        reachable: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        (0..self.runs.len()).rev().find(|&i| {
            let run = &self.runs[i];
            run.complete <= now
                && damage.is_none_or(|d| run.began < d)
                && !self.found_bad[i]
                && reachable(run.schedule)
        })
    }

    /// The runs that begin (`true`) or are complete at an instant.
    #[must_use]
    pub fn at(&self, now: Nanos) -> Vec<(usize, bool)> {
        let runs = self.runs.iter().enumerate();
        runs.flat_map(|(i, r)| [(r.began, i, true), (r.complete, i, false)])
            .filter(|(at, _, _)| *at == now)
            .map(|(_, i, begins)| (i, begins))
            .collect()
    }

    /// The next instant at which a run begins or is complete.
    #[must_use]
    pub fn next_after(&self, now: Nanos) -> Option<Nanos> {
        self.runs
            .iter()
            .flat_map(|r| [r.began, r.complete])
            .filter(|at| *at > now)
            .min()
    }

    /// It could not be made: there is nothing to restore from.
    pub fn on_not_made(&mut self, index: usize) {
        self.found_bad[index] = true;
    }

    /// One of them.
    #[must_use]
    pub fn run(&self, index: usize) -> &BackupRun {
        &self.runs[index]
    }

    /// A restore from it has failed.
    pub fn on_found_bad(&mut self, index: usize) {
        self.found_bad[index] = true;
    }
}

/// The backups that the schedules of a service make, from ten intervals before the start to the
/// end; `good` says whether one that begins at an instant can be restored.
#[must_use]
pub fn scheduled(
    plan: &Plan<'_>,
    service: &Service,
    good: impl Fn(Nanos) -> bool,
) -> Vec<BackupRun> {
    let end = plan.scenario.end;
    let mut runs = Vec::new();
    for (schedule, backup) in service.state.iter().flat_map(|s| &s.backups).enumerate() {
        let every = backup.every.max(Nanos::secs(1));
        let from = -(every * 10).min(Nanos::hours(24 * 366));
        let begins = assize_model::calendar::daily_instants(
            every,
            backup.at,
            &plan.topology.calendar,
            plan.scenario.start,
            from,
            end,
        );
        runs.extend(begins.into_iter().map(|began| BackupRun {
            schedule,
            began,
            complete: began + backup.takes,
            good: good(began),
        }));
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nightly() -> Backups {
        let run = |day: i64, good| BackupRun {
            schedule: 0,
            began: Nanos::hours(day * 24),
            complete: Nanos::hours(day * 24 + 1),
            good,
        };
        Backups::new(vec![run(0, true), run(1, true), run(2, false)])
    }

    #[test]
    fn the_newest_complete_one_is_chosen() {
        let b = nightly();
        assert_eq!(b.choose(Nanos::hours(60), None, |_| true), Some(2));
        // Half an hour after it began, the third is not complete.
        assert_eq!(
            b.choose(Nanos::hours(48) + Nanos::mins(30), None, |_| true),
            Some(1)
        );
        assert_eq!(b.choose(Nanos::hours(60), None, |_| false), None);
    }

    #[test]
    fn one_that_began_after_the_damage_holds_the_damage() {
        assert_eq!(
            nightly().choose(Nanos::hours(60), Some(Nanos::hours(30)), |_| true),
            Some(1)
        );
        // The damage comes first at its instant.
        assert_eq!(
            nightly().choose(Nanos::hours(60), Some(Nanos::hours(24)), |_| true),
            Some(0)
        );
    }

    #[test]
    fn a_bad_one_is_passed_over_only_after_it_was_tried() {
        let mut b = nightly();
        b.on_found_bad(2);
        assert_eq!(b.choose(Nanos::hours(60), None, |_| true), Some(1));
    }
}
