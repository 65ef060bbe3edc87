//! What stands before the work of every stand-in: what is wrong with it, its queue, its service
//! time, and what it needs of others, which it really asks.
//!
//! It knows no protocol. A protocol asks [`Front::serve`] for each request and says what came of it.

use super::needs::Needs;
use crate::context::Context;
use crate::replica::Effect;
use assize_control::{Done, Part, Queue};
use assize_fault::rng::Stream;
use assize_fault::{Nanos, Ppb, Rate};
use assize_model::binding::Misbehaviour;
use assize_model::faults::How;
use assize_model::plan::phases;
use assize_model::topology::{Mode, Probes, WhenFull};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

/// How long a client may wait in a queue at most; by then every journey has given up.
const PATIENCE: Nanos = Nanos::mins(10);

/// Who asks, and for how many.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Asked {
    /// The client.
    pub(super) from: u64,
    /// Requests for which this one stands.
    pub(super) weight: u64,
    /// Its cohort, 0 to 63.
    pub(super) cohort: u8,
}

/// Why a request is not served.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum No {
    /// The client is told.
    Told(String),
    /// The client hears nothing.
    Silent,
}

/// What a request found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Turn {
    /// Something that is not needed by all means was missing.
    pub(super) degraded: bool,
    /// The answer is an error although the work has been done.
    pub(super) error_after: bool,
}

/// The common part of a stand-in.
#[derive(Debug)]
pub(super) struct Front {
    /// Where it stands.
    pub(super) context: Context,
    needs: Needs,
    shard_of: [u32; 64],
    state: Mutex<State>,
    changed: Arc<Notify>,
}

#[derive(Debug)]
struct State {
    /// In the order in which they came; ending one leaves its like.
    effects: Vec<Effect>,
    /// Whether it takes requests: a standby does not until it is promoted.
    acts: bool,
    queue: Option<Queue>,
    /// Capacity as the queue has it.
    rate: Rate,
    waiting: BTreeMap<u64, oneshot::Sender<()>>,
    /// Requests so far, by client.
    asked: BTreeMap<u64, u64>,
    next: u64,
}

impl Front {
    /// Of a replica that takes requests if its mode says so.
    pub(super) fn new(context: Context) -> Self {
        let spec = context.spec();
        let single_writer = matches!(spec.mode, Mode::ActiveStandby | Mode::Quorum);
        let home = spec.replicas.iter().position(|r| r.primary).unwrap_or(0);
        let acts = !single_writer || usize::from(context.replica) == home;
        let phase = phases(context.seed, &spec.shard_key, context.phases);
        let shards = spec.shards.max(1);
        let q = &spec.queue;
        let now = context.clock.now();
        let queue = spec
            .capacity
            .map(|rate| Queue::new(rate, 1, q.max, q.when_full, q.stale_after, now));
        Self {
            shard_of: core::array::from_fn(|k| u32::from(phase[k]) * shards / 64),
            needs: Needs::new(&context),
            state: Mutex::new(State {
                effects: Vec::new(),
                acts,
                queue,
                rate: spec.capacity.unwrap_or(Rate::per_second(1)),
                waiting: BTreeMap::new(),
                asked: BTreeMap::new(),
                next: 0,
            }),
            changed: Arc::new(Notify::new()),
            context,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps its queue going; ends when the handle is aborted.
    pub(super) fn run(self: &Arc<Self>) -> JoinHandle<()> {
        let front = Arc::clone(self);
        tokio::spawn(async move {
            let changed = Arc::clone(&front.changed);
            loop {
                let wake = front.on_wake();
                match wake {
                    Some(at) => tokio::select! {
                        () = tokio::time::sleep_until(front.context.clock.instant(at)) => {}
                        () = changed.notified() => {}
                    },
                    None => changed.notified().await,
                }
            }
        })
    }

    /// Requests whose turn it is; when the next one is due.
    fn on_wake(&self) -> Option<Nanos> {
        let now = self.context.clock.now();
        let mut state = self.state();
        let mut done = Vec::new();
        let queue = state.queue.as_mut()?;
        queue.on_wake(now, &mut done);
        let next = queue.next_wake();
        state.answer(&done);
        next
    }

    /// Something is wrong from now on, or no longer.
    pub(super) fn apply(&self, effect: Effect, on: bool) {
        let mut state = self.state();
        if on {
            state.effects.push(effect);
        } else if let Some(at) = state.effects.iter().position(|e| *e == effect) {
            state.effects.remove(at);
        }
        if let (Effect::Down(_), true, Some(queue)) = (effect, on, &mut state.queue) {
            let mut lost = Vec::new();
            queue.on_lost(self.context.clock.now(), &mut lost);
            state.answer(&lost);
        }
        drop(state);
        self.set_rate();
    }

    /// The queue works at what is left of the capacity.
    fn set_rate(&self) {
        let Some(full) = self.context.spec().capacity else {
            return;
        };
        let now = self.context.clock.now();
        let left = self.needs.capacity_left();
        let mut state = self.state();
        let shares = state.effects.iter().filter_map(|e| match e {
            Effect::Capacity(share) => Some(*share),
            _ => None,
        });
        let micro = shares.chain([left]).fold(full.micro, |micro, share| {
            (u128::from(micro) * u128::from(share.0) / u128::from(Ppb::ONE.0)) as u64
        });
        let rate = Rate { micro, ..full };
        if state.rate != rate {
            state.rate = rate;
            if let Some(queue) = &mut state.queue {
                queue.on_capacity(now, rate, 1, 1);
            }
            self.changed.notify_one();
        }
    }

    /// Whether it takes requests.
    pub(super) fn acts(&self) -> bool {
        self.state().acts
    }

    /// It takes requests from now on, or no longer.
    pub(super) fn set_acts(&self, acts: bool) {
        self.state().acts = acts;
    }

    /// How it is down, if it is.
    pub(super) fn down(&self) -> Option<How> {
        self.find(|e| match e {
            Effect::Down(how) => Some(how),
            _ => None,
        })
    }

    /// The first effect of a kind.
    pub(super) fn find<T>(&self, pick: impl Fn(Effect) -> Option<T>) -> Option<T> {
        self.state().effects.iter().copied().find_map(pick)
    }

    /// Whether this effect is on.
    pub(super) fn has(&self, effect: Effect) -> bool {
        self.state().effects.contains(&effect)
    }

    /// Whether it does this wrong, in a test of the harness.
    pub(super) fn misbehaves(&self, how: Misbehaviour) -> bool {
        self.context.spec().knobs.misbehaves.contains(&how)
    }

    /// The shard of a cohort.
    pub(super) fn shard(&self, cohort: u8) -> u16 {
        self.shard_of[usize::from(cohort % 64)] as u16
    }

    /// How often a request is made, for each that was asked.
    pub(super) fn repeated(&self) -> u64 {
        let times = |e| match e {
            Effect::Repeated(n) => Some(u64::from(n)),
            _ => None,
        };
        self.find(times).unwrap_or(1).max(1)
    }

    /// Time for one exchange.
    fn service_time(&self) -> Nanos {
        let slow: Nanos = {
            let state = self.state();
            let slow = state.effects.iter().map(|e| match e {
                Effect::Slow(by) => *by,
                _ => Nanos::ZERO,
            });
            slow.sum()
        };
        self.context.spec().service_time + slow
    }

    /// The share of errors among its answers.
    fn errors(&self) -> Ppb {
        let share = |e: &Effect| match e {
            Effect::Errors(share) => share.complement(),
            _ => Ppb::ONE,
        };
        let right = self.state().effects.iter().map(share).fold(Ppb::ONE, times);
        right.complement()
    }

    /// One health check. A check of the machine passes while the machine runs.
    pub(super) async fn check(&self, probes: Probes) -> Result<(), No> {
        let lies = self.has(Effect::CheckLies) || self.misbehaves(Misbehaviour::CheckGreen);
        if probes == Probes::Host || lies {
            return Ok(());
        }
        self.answers()?;
        self.pause().await;
        if self.errors().0 * 2 >= Ppb::ONE.0 {
            return Err(No::Told("more often wrong than right".into()));
        }
        let cohort = 0;
        let asked = Asked {
            from: self.key(),
            weight: 1,
            cohort,
        };
        self.needs.ask(asked).await.map(|_| ())
    }

    fn answers(&self) -> Result<(), No> {
        let no_answer = |e| match e {
            Effect::NoAnswer(how) => Some(how),
            _ => None,
        };
        match self.find(no_answer) {
            Some(How::BlackHole) => Err(No::Silent),
            Some(How::Refuse) => Err(No::Told("it refuses requests".into())),
            None => Ok(()),
        }
    }

    /// One exchange takes its time.
    pub(super) async fn pause(&self) {
        let time = self.service_time();
        if time > Nanos::ZERO {
            tokio::time::sleep(self.context.clock.wall(time)).await;
        }
    }

    /// One request, from its arrival to the point at which its own work is done.
    pub(super) async fn serve(&self, asked: Asked) -> Result<Turn, No> {
        self.answers()?;
        if !self.acts() {
            return Err(No::Told("it is a standby".into()));
        }
        if self.has(Effect::Shard(self.shard(asked.cohort))) {
            return Err(No::Told("its shard is out".into()));
        }
        let weight = asked.weight.max(1).saturating_mul(self.repeated());
        self.queue(weight, asked.from).await?;
        self.pause().await;
        let found = self.needs.ask(Asked { weight, ..asked }).await;
        // What was found missing, or there again, changes what can be done from now on.
        self.set_rate();
        let degraded = found?;
        let error_after = match self.error_drawn(asked.from) {
            Some(false) => return Err(No::Told("an error".into())),
            drawn => drawn.is_some(),
        };
        Ok(Turn {
            degraded,
            error_after,
        })
    }

    /// Waits for its turn. A request that stands for many is one of them: its place among them is
    /// drawn, and what becomes of that one becomes of it.
    async fn queue(&self, weight: u64, from: u64) -> Result<(), No> {
        let now = self.context.clock.now();
        let turn = {
            let mut state = self.state();
            let nth = state.count(from);
            let number = state.next;
            state.next += 1;
            let Some(queue) = &mut state.queue else {
                return Ok(());
            };
            let own = self.draw("place", from, nth).below(weight);
            let part = |bit: u64, each: u64, tag: u64| Part {
                tag,
                mask: 1 << bit,
                each,
            };
            let parts = [
                part(0, own, 0),
                part(1, 1, number + 1),
                part(2, weight - own - 1, 0),
            ];
            let some: Vec<Part> = parts.into_iter().filter(|p| p.each > 0).collect();
            let mut refused = Vec::new();
            queue.offer(now, &some, now + PATIENCE, &mut refused);
            if refused.iter().any(|p| p.tag == number + 1) {
                return Err(match queue.when_full() {
                    WhenFull::Refuse => No::Told("its queue is full".into()),
                    WhenFull::Drop => No::Silent,
                });
            }
            let (tell, turn) = oneshot::channel();
            state.waiting.insert(number + 1, tell);
            turn
        };
        self.changed.notify_one();
        turn.await.map_err(|_| No::Silent)
    }

    /// Whether this answer is an error, and if so whether the work is done all the same.
    fn error_drawn(&self, from: u64) -> Option<bool> {
        let share = self.errors();
        if share == Ppb::ZERO {
            return None;
        }
        let nth = self.state().count(from);
        let mut draw = self.draw("errors", from, nth);
        (draw.below(Ppb::ONE.0) < share.0).then(|| draw.below(2) == 1)
    }

    /// Draws of this replica, by what for and by whose which request.
    fn draw(&self, what: &str, from: u64, nth: u64) -> Stream {
        let name = self.context.name();
        let (from, nth) = (from.to_string(), nth.to_string());
        Stream::new(self.context.seed, &[what, &name, &from, &nth])
    }

    /// The key by which others know this replica as a client.
    pub(super) fn key(&self) -> u64 {
        key(&self.context)
    }
}

/// The key of a replica as a client: far from those of representatives.
pub(super) fn key(context: &Context) -> u64 {
    1 << 63 | (context.service.index() as u64) << 16 | u64::from(context.replica)
}

fn times(a: Ppb, b: Ppb) -> Ppb {
    Ppb((u128::from(a.0) * u128::from(b.0) / u128::from(Ppb::ONE.0)) as u64)
}

impl State {
    /// Counts a client's requests.
    fn count(&mut self, from: u64) -> u64 {
        let count = self.asked.entry(from).or_default();
        *count += 1;
        *count
    }

    /// Tells those whose turn it is; who was lost or has waited too long hears nothing more.
    fn answer(&mut self, done: &[Done]) {
        for done in done {
            if let Some(tell) = self.waiting.remove(&done.part.tag)
                && done.served
            {
                // Who has gone meanwhile was served in vain.
                let _ = tell.send(());
            }
        }
    }
}
