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
    /// Somebody would know by now, if anybody watched.
    waits: bool,
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
        Self {
            stages,
            done: 0,
            waits: false,
        }
    }

    /// Stages reached. Nobody comes to know of what nobody watches.
    pub fn on_wake(&mut self, now: Nanos, watched: bool, out: &mut Vec<Stage>) {
        self.waits = self.done == 0 && !watched && self.stages[0].0 <= now;
        if self.waits {
            return;
        }
        while let Some(&(_, stage)) = self.stages.get(self.done).filter(|s| s.0 <= now) {
            out.push(stage);
            self.done += 1;
        }
    }

    /// Somebody watches again: what waited goes on as if it were noticed now.
    pub fn on_watched(&mut self, now: Nanos) {
        if std::mem::take(&mut self.waits) {
            let later = now - self.stages[0].0;
            self.stages.iter_mut().for_each(|s| s.0 += later);
        }
    }

    /// Whether somebody knows.
    #[must_use]
    pub const fn knows(&self) -> bool {
        self.done > 0
    }

    /// When the fault is mended; never, as long as nobody knows of it though it is time.
    #[must_use]
    pub const fn mended(&self) -> Nanos {
        if self.waits {
            Nanos::NEVER
        } else {
            self.stages[2].0
        }
    }

    /// When the next stage is reached.
    #[must_use]
    pub fn next_wake(&self) -> Option<Nanos> {
        let next = self.stages.get(self.done).map(|s| s.0);
        next.filter(|_| !self.waits)
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
            machine.on_wake(at, true, &mut log);
            log.dedup();
            if log.last() == Some(&Stage::Mended) {
                assert_eq!(at, Nanos::mins(10 + 174));
            }
        }
        assert_eq!(log, vec![Stage::Know, Stage::Diagnosed, Stage::Mended]);
    }

    #[test]
    fn what_nobody_watches_is_noticed_when_somebody_does() {
        let spec = Spec {
            fault: 0,
            detect: Nanos::mins(5),
            diagnose: Nanos::mins(10),
            fix: Nanos::mins(20),
            restore: None,
        };
        let mut machine = Response::new(&spec, Nanos::ZERO);
        let mut log = Vec::new();
        machine.on_wake(Nanos::mins(5), false, &mut log);
        assert_eq!((log.len(), machine.next_wake()), (0, None));
        assert!(machine.mended().is_never());
        machine.on_watched(Nanos::mins(60));
        assert_eq!(machine.next_wake(), Some(Nanos::mins(60)));
        assert_eq!(machine.mended(), Nanos::mins(90));
    }
}
