//! People: they notice, find the cause, and mend it. Often the largest part of a real RTO.

use assize_fault::Nanos;
use assize_model::scenario::Response as Spec;

/// How far they are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Somebody knows.
    Know,
    /// The cause is found.
    Diagnosed,
    /// The fault is gone.
    Mended,
}

/// The machine: one per response.
#[derive(Clone, Debug)]
pub struct Response {
    stages: [(Nanos, Stage); 3],
    done: usize,
}

impl Response {
    /// The fault has begun at `began`.
    #[must_use]
    pub fn new(spec: &Spec, began: Nanos) -> Self {
        let know = began + spec.detect;
        let found = know + spec.diagnose;
        let stages = [
            (know, Stage::Know),
            (found, Stage::Diagnosed),
            (found + spec.fix, Stage::Mended),
        ];
        Self { stages, done: 0 }
    }

    /// Stages reached.
    pub fn on_wake(&mut self, now: Nanos, out: &mut Vec<Stage>) {
        while let Some(&(at, stage)) = self.stages.get(self.done).filter(|s| s.0 <= now) {
            debug_assert!(at <= now);
            out.push(stage);
            self.done += 1;
        }
    }

    /// When the next stage is reached.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        self.stages.get(self.done).map(|s| s.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_add_up() {
        // 7 April 2021: 91 minutes to tell, 37 to diagnose, 46 to mend: 2 h 54 min.
        let spec = Spec {
            fault: 0,
            detect: Nanos::mins(91),
            diagnose: Nanos::mins(37),
            fix: Nanos::mins(46),
            restore: None,
        };
        let mut machine = Response::new(&spec, Nanos::mins(10));
        let mut log = Vec::new();
        while let Some(at) = machine.next_wake() {
            machine.on_wake(at, &mut log);
            log.dedup();
            if log.last() == Some(&Stage::Mended) {
                assert_eq!(at, Nanos::mins(10 + 174));
            }
        }
        assert_eq!(log, vec![Stage::Know, Stage::Diagnosed, Stage::Mended]);
    }
}
