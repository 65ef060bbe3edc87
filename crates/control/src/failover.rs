//! Failover of a service with a single writer: detect, promote, redirect; fail back; rejoin.
//!
//! The machine knows only what its checkers tell it. Whether a promotion succeeds is asked of
//! the world at the moment it is done; a standby that cannot be promoted is tried again, or
//! another in its place.

use assize_fault::Nanos;
use assize_model::topology::{Failover as Spec, Rejoin};

/// What the machine wants done, or has decided.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FailoverAction {
    /// A promotion of this replica has begun.
    Begin(u16),
    /// It is now the primary: let it write, point clients there.
    Promoted(u16),
    /// It could not be promoted.
    Failed(u16),
    /// A planned return has begun: this replica stops writing.
    Demote(u16),
    /// The home replica is primary again.
    FailedBack(u16),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    Steady,
    Promoting {
        to: u16,
        done: Nanos,
        planned: bool,
        failed_before: bool,
    },
    /// The primary is down and nobody can take over.
    Headless,
}

/// The machine.
#[derive(Clone, Debug)]
pub struct Failover {
    promote: Nanos,
    retry: Nanos,
    failback: Option<Nanos>,
    rejoin: Rejoin,
    home: u16,
    primary: u16,
    /// Whether the control plane acts at all; without it only steps do.
    automatic: bool,
    /// Promotions take as long as they take, and somebody says when one is over.
    told: bool,
    up: Vec<bool>,
    phase: Phase,
    /// When the home replica has been well long enough.
    return_at: Option<Nanos>,
}

impl Failover {
    /// All replicas are up and the home replica is primary. `spec: None` is a cold standby: only
    /// steps promote it.
    #[must_use]
    pub fn new(spec: Option<&Spec>, replicas: usize, home: u16) -> Self {
        let promote = spec.map_or(Nanos::ZERO, |s| s.promote);
        Self {
            promote,
            // A promotion that fails is tried again, but never without a pause.
            retry: promote
                .max(spec.map_or(Nanos::ZERO, |s| s.check.every))
                .max(Nanos::secs(1)),
            failback: spec.and_then(|s| s.failback),
            rejoin: spec.map_or(Rejoin::Rewind, |s| s.rejoin),
            home,
            primary: home,
            automatic: spec.is_some(),
            told: false,
            up: vec![true; replicas],
            phase: Phase::Steady,
            return_at: None,
        }
    }

    /// Promotions are over when [`Failover::on_done`] says so, however long the topology states
    /// that they take.
    #[must_use]
    pub const fn told(mut self) -> Self {
        self.told = true;
        self
    }

    /// The pause before a promotion that failed is tried again.
    #[must_use]
    pub const fn retry(&self) -> Nanos {
        self.retry
    }

    /// The replica that the control plane takes for the primary.
    #[must_use]
    pub const fn primary(&self) -> u16 {
        self.primary
    }

    /// Whether a replica is believed up.
    #[must_use]
    pub fn is_up(&self, replica: u16) -> bool {
        self.up[usize::from(replica)]
    }

    /// A checker has called a replica down.
    pub fn on_down(&mut self, now: Nanos, replica: u16, out: &mut Vec<FailoverAction>) {
        self.up[usize::from(replica)] = false;
        if replica == self.home {
            self.return_at = None;
        }
        match self.phase {
            Phase::Promoting { to, planned, .. } if to == replica => {
                out.push(FailoverAction::Failed(replica));
                self.give_up(now, planned, out);
            }
            Phase::Steady if replica == self.primary => {
                self.phase = Phase::Headless;
                self.elect(now, out);
            }
            _ => {}
        }
    }

    /// A checker has called a replica up again.
    pub fn on_up(&mut self, now: Nanos, replica: u16, out: &mut Vec<FailoverAction>) {
        self.up[usize::from(replica)] = true;
        match self.phase {
            Phase::Headless if replica == self.primary => self.phase = Phase::Steady,
            Phase::Headless => self.elect(now, out),
            Phase::Promoting {
                failed_before: true,
                planned: false,
                ..
            } if replica == self.primary => {
                self.phase = Phase::Steady;
            }
            _ => {}
        }
        self.plan_return(now);
    }

    /// An old primary has met the new one again; returns what it does with its own writes. With
    /// [`Rejoin::AsPrimary`] it has taken over with this call.
    pub fn on_contact(&mut self, now: Nanos, old: u16, out: &mut Vec<FailoverAction>) -> Rejoin {
        if self.rejoin == Rejoin::AsPrimary {
            out.push(FailoverAction::Demote(self.primary));
            self.primary = old;
            self.phase = Phase::Steady;
            self.return_at = None;
            out.push(if old == self.home {
                FailoverAction::FailedBack(old)
            } else {
                FailoverAction::Promoted(old)
            });
            self.plan_return(now);
        }
        self.rejoin
    }

    /// A step promotes a replica (`None`: the first other one that is well).
    pub fn on_promote(&mut self, now: Nanos, to: Option<u16>, out: &mut Vec<FailoverAction>) {
        if let Some(to) = to.or_else(|| self.candidate()) {
            self.begin(
                now,
                to,
                to == self.home && self.up[usize::from(self.primary)],
                out,
            );
        }
    }

    /// A step returns to the home replica.
    pub fn on_fail_back(&mut self, now: Nanos, out: &mut Vec<FailoverAction>) {
        if self.primary != self.home && self.phase == Phase::Steady {
            self.begin(now, self.home, true, out);
        }
    }

    /// What is due; `can` says whether a replica can be promoted now.
    pub fn on_wake(
        &mut self,
        now: Nanos,
        can: impl Fn(u16) -> bool,
        out: &mut Vec<FailoverAction>,
    ) {
        if let Phase::Promoting {
            to, done, planned, ..
        } = self.phase
            && done <= now
        {
            self.finish(now, to, planned, can(to), out);
        }
        if self.return_at.is_some_and(|at| at <= now) && self.phase == Phase::Steady {
            self.return_at = None;
            self.begin(now, self.home, true, out);
        }
    }

    /// A promotion that was begun is over; `ok` says how. One that was given up is nobody's any
    /// more.
    pub fn on_done(&mut self, now: Nanos, replica: u16, ok: bool, out: &mut Vec<FailoverAction>) {
        if let Phase::Promoting { to, planned, .. } = self.phase
            && to == replica
        {
            self.finish(now, to, planned, ok, out);
        }
    }

    /// When something is due.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        let done = match self.phase {
            Phase::Promoting { done, .. } => Some(done).filter(|at| !at.is_never()),
            _ => None,
        };
        let back = self.return_at.filter(|_| self.phase == Phase::Steady);
        [done, back].into_iter().flatten().min()
    }

    fn finish(
        &mut self,
        now: Nanos,
        to: u16,
        planned: bool,
        can: bool,
        out: &mut Vec<FailoverAction>,
    ) {
        if can {
            self.primary = to;
            self.phase = Phase::Steady;
            out.push(if to == self.home {
                FailoverAction::FailedBack(to)
            } else {
                FailoverAction::Promoted(to)
            });
            self.plan_return(now);
            return;
        }
        out.push(FailoverAction::Failed(to));
        if planned || self.up[usize::from(self.primary)] {
            self.give_up(now, planned, out);
            return;
        }
        let next = self.candidate_after(to).unwrap_or(to);
        self.phase = Phase::Promoting {
            to: next,
            done: self.due(now, self.retry),
            planned: false,
            failed_before: true,
        };
        out.push(FailoverAction::Begin(next));
    }

    /// A promotion is given up and the primary stays what it is. One that stepped down for a
    /// planned return takes its place again at once, well or not: nobody else has it.
    fn give_up(&mut self, now: Nanos, planned: bool, out: &mut Vec<FailoverAction>) {
        if planned {
            out.push(FailoverAction::Promoted(self.primary));
        }
        self.phase = Phase::Steady;
        if !self.up[usize::from(self.primary)] {
            self.phase = Phase::Headless;
            self.elect(now, out);
        }
    }

    fn elect(&mut self, now: Nanos, out: &mut Vec<FailoverAction>) {
        if self.automatic
            && let Some(to) = self.candidate()
        {
            self.begin(now, to, false, out);
        }
    }

    fn begin(&mut self, now: Nanos, to: u16, planned: bool, out: &mut Vec<FailoverAction>) {
        if to == self.primary {
            return;
        }
        if planned {
            out.push(FailoverAction::Demote(self.primary));
        }
        out.push(FailoverAction::Begin(to));
        self.phase = Phase::Promoting {
            to,
            done: self.due(now, self.promote),
            planned,
            failed_before: false,
        };
    }

    const fn due(&self, now: Nanos, after: Nanos) -> Nanos {
        if self.told {
            Nanos::NEVER
        } else {
            Nanos(now.0.saturating_add(after.0))
        }
    }

    /// The first replica other than the primary that is believed up.
    fn candidate(&self) -> Option<u16> {
        (0..self.up.len() as u16).find(|&r| r != self.primary && self.up[usize::from(r)])
    }

    /// The next one after a candidate that failed, going round.
    fn candidate_after(&self, failed: u16) -> Option<u16> {
        let n = self.up.len() as u16;
        (1..n)
            .map(|i| (failed + i) % n)
            .find(|&r| r != self.primary && self.up[usize::from(r)])
    }

    fn plan_return(&mut self, now: Nanos) {
        let home_is_well = self.primary != self.home && self.up[usize::from(self.home)];
        match self.failback {
            Some(after) if home_is_well => {
                self.return_at.get_or_insert(now + after);
            }
            _ => self.return_at = None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::check;
    use assize_model::topology::{Check, Probes};

    fn spec(failback: Option<Nanos>, rejoin: Rejoin) -> Spec {
        Spec {
            external: false,
            check: Check {
                every: Nanos::secs(2),
                timeout: Nanos::secs(1),
                fall: 3,
                rise: 2,
                from: Vec::new(),
                phase: None,
                probes: Probes::Service,
            },
            promote: Nanos::secs(30),
            dns_ttl: Nanos::ZERO,
            failback,
            rejoin,
            fail_open: false,
        }
    }

    fn run(spec: &Spec, cannot: Option<u16>, input: &str, expect: &str) {
        let log = std::cell::RefCell::new(Vec::new());
        let word = |action: &FailoverAction| match action {
            FailoverAction::Begin(r) => format!("begin-{r}"),
            FailoverAction::Promoted(r) => format!("promoted-{r}"),
            FailoverAction::Failed(r) => format!("failed-{r}"),
            FailoverAction::Demote(r) => format!("demote-{r}"),
            FailoverAction::FailedBack(r) => format!("failed-back-{r}"),
        };
        let note = |now: Nanos, out: &[FailoverAction]| {
            for action in out {
                log.borrow_mut()
                    .push(format!("{}s {}", now.0 / 1_000_000_000, word(action)));
            }
        };
        check(
            Failover::new(Some(spec), 2, 0),
            input,
            "",
            |m, now, event| {
                let mut out = Vec::new();
                match event {
                    "down-0" => m.on_down(now, 0, &mut out),
                    "down-1" => m.on_down(now, 1, &mut out),
                    "up-0" => m.on_up(now, 0, &mut out),
                    "up-1" => m.on_up(now, 1, &mut out),
                    "contact-0" => {
                        m.on_contact(now, 0, &mut out);
                    }
                    "promote" => m.on_promote(now, None, &mut out),
                    _ => {}
                }
                note(now, &out);
            },
            Failover::next_wake,
            |m, now, _| {
                let mut out = Vec::new();
                m.on_wake(now, |r| Some(r) != cannot, &mut out);
                note(now, &out);
            },
        );
        assert_eq!(log.into_inner().join("\n"), expect.trim(), "after {input}");
    }

    #[test]
    fn down_promotes_the_standby() {
        run(
            &spec(None, Rejoin::Rewind),
            None,
            "6s down-0",
            "6s begin-1\n36s promoted-1",
        );
    }

    #[test]
    fn the_home_replica_returns_after_it_has_been_well_for_a_while() {
        run(
            &spec(Some(Nanos::secs(60)), Rejoin::Rewind),
            None,
            "6s down-0\n100s up-0",
            "6s begin-1\n36s promoted-1\n160s demote-1\n160s begin-0\n190s failed-back-0",
        );
    }

    #[test]
    fn a_relapse_of_the_home_replica_starts_the_wait_again() {
        run(
            &spec(Some(Nanos::secs(60)), Rejoin::Rewind),
            None,
            "6s down-0\n100s up-0\n130s down-0\n150s up-0",
            "6s begin-1\n36s promoted-1\n210s demote-1\n210s begin-0\n240s failed-back-0",
        );
    }

    #[test]
    fn a_standby_that_will_not_promote_is_tried_again_until_the_primary_is_back() {
        run(
            &spec(None, Rejoin::Rewind),
            Some(1),
            "6s down-0\n80s up-0",
            "6s begin-1\n36s failed-1\n36s begin-1\n66s failed-1\n66s begin-1",
        );
    }

    #[test]
    fn nobody_is_left_to_promote_until_somebody_is_up() {
        run(
            &spec(None, Rejoin::Rewind),
            None,
            "1s down-1\n6s down-0\n50s up-1",
            "50s begin-1\n80s promoted-1",
        );
    }

    #[test]
    fn a_relapse_during_the_return_gives_the_place_back_to_the_one_that_stepped_down() {
        run(
            &spec(Some(Nanos::secs(60)), Rejoin::Rewind),
            None,
            "6s down-0\n100s up-0\n170s down-0\n200s up-0",
            "6s begin-1\n36s promoted-1\n160s demote-1\n160s begin-0\n170s failed-0\n\
             170s promoted-1\n260s demote-1\n260s begin-0\n290s failed-back-0",
        );
    }

    #[test]
    fn who_stepped_down_takes_its_place_again_also_while_it_is_unwell() {
        run(
            &spec(Some(Nanos::secs(60)), Rejoin::Rewind),
            None,
            "6s down-0\n100s up-0\n165s down-1\n170s down-0\n200s up-1",
            "6s begin-1\n36s promoted-1\n160s demote-1\n160s begin-0\n170s failed-0\n\
             170s promoted-1",
        );
    }

    #[test]
    fn a_return_that_fails_while_the_old_primary_is_unwell_goes_on_as_a_takeover() {
        run(
            &spec(Some(Nanos::secs(60)), Rejoin::Rewind),
            Some(0),
            "6s down-0\n100s up-0\n165s down-1\n195s up-1\n250s down-0",
            // Well again from 195 s on, it stays what it is when the takeover fails, too.
            "6s begin-1\n36s promoted-1\n160s demote-1\n160s begin-0\n190s failed-0\n\
             190s promoted-1\n190s begin-0\n220s failed-0",
        );
    }

    #[test]
    fn a_candidate_that_dies_after_the_primary_is_back_is_not_missed() {
        run(
            &spec(None, Rejoin::Rewind),
            None,
            "6s down-0\n16s up-0\n20s down-1\n38s up-1\n60s down-0",
            "6s begin-1\n20s failed-1\n60s begin-1\n90s promoted-1",
        );
    }

    #[test]
    fn an_old_primary_that_insists_takes_over_at_contact() {
        run(
            &spec(None, Rejoin::AsPrimary),
            None,
            "6s down-0\n100s contact-0",
            "6s begin-1\n36s promoted-1\n100s demote-1\n100s failed-back-0",
        );
    }

    #[test]
    fn one_that_is_told_waits_for_as_long_as_it_takes() {
        let mut machine = Failover::new(Some(&spec(None, Rejoin::Rewind)), 2, 0).told();
        let mut out = Vec::new();
        machine.on_down(Nanos::secs(5), 0, &mut out);
        assert_eq!(out, [FailoverAction::Begin(1)]);
        assert_eq!(machine.next_wake(), None);
        out.clear();
        machine.on_done(Nanos::secs(80), 1, false, &mut out);
        assert_eq!(out, [FailoverAction::Failed(1), FailoverAction::Begin(1)]);
        out.clear();
        machine.on_done(Nanos::secs(99), 1, true, &mut out);
        assert_eq!(out, [FailoverAction::Promoted(1)]);
        assert_eq!(machine.primary(), 1);
    }
}
