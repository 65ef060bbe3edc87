//! Representatives of users: real clients that make the journeys of their cohorts.
//!
//! One stands for the cohorts of a cell that share the phase of their caches. It makes every
//! attempt as a user would: over the accesses in order of preference, with the needs of each, by
//! name, with timeouts and tries. What came of it is reported; nothing is judged here.

mod asking;

use crate::replica::{Entry, Trouble};
use crate::world::World;
use assize_fault::{Nanos, Ppb};
use assize_model::observation::Served;
use assize_model::topology::{Access, Journey};
use assize_model::{AccessId, JourneyId, ServiceId};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU16, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// Nobody.
const NONE: u16 = u16::MAX;

/// Not failing.
const WELL: i64 = i64::MAX;

/// A representative.
#[derive(Debug)]
pub(crate) struct Rep {
    pub(crate) id: u32,
    pub(crate) cell: usize,
    /// Mask of 64.
    pub(crate) cohorts: u64,
    pub(crate) spot: usize,
    /// Users for whom it stands, at least 1.
    pub(crate) users: u64,
    /// Most preferred first.
    pub(crate) accesses: Vec<UsedAccess>,
    pub(crate) journeys: Vec<Making>,
    /// By service, the replica of its last answer.
    last_good: Vec<AtomicU16>,
    /// By service, the name's answer where it is really looked up, with the view that it is for.
    looked_up: Mutex<Vec<Option<(u16, u16)>>>,
}

/// An access of a representative.
#[derive(Debug)]
pub(crate) struct UsedAccess {
    pub(crate) access: AccessId,
    /// By need, whether what it keeps of it is valid; always, of what is asked anew every time.
    pub(crate) valid: Vec<AtomicBool>,
}

/// A journey of a representative.
#[derive(Debug)]
pub(crate) struct Making {
    pub(crate) journey: JourneyId,
    /// Interval of attempts, in model time.
    pub(crate) every: Nanos,
    /// First attempt after an origin common to all.
    pub(crate) phase: Nanos,
    /// By access, since when attempts over it have failed, without a break.
    failing: Vec<AtomicI64>,
    /// Since when attempts have failed, over whatever access.
    failing_at_all: AtomicI64,
    /// Entries begun.
    sequence: AtomicU64,
    /// By service in the journey's order of writes, the newest entry acknowledged.
    acked: Vec<AtomicU64>,
}

impl Making {
    /// Nothing has been tried yet.
    pub(crate) fn new(journey: JourneyId, accesses: usize, services: usize) -> Self {
        Self {
            journey,
            every: Nanos::secs(1),
            phase: Nanos::ZERO,
            failing: (0..accesses).map(|_| AtomicI64::new(WELL)).collect(),
            failing_at_all: AtomicI64::new(WELL),
            sequence: AtomicU64::new(0),
            acked: (0..services).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

/// What became of an attempt.
#[derive(Debug)]
pub(crate) struct Attempted {
    pub(crate) rep: u32,
    pub(crate) journey: JourneyId,
    /// When it was due.
    pub(crate) at: Nanos,
    /// From then to its end.
    pub(crate) took: Nanos,
    pub(crate) served: Served,
    pub(crate) why: String,
    pub(crate) seen: Vec<Seen>,
}

/// What became of one call.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// By number; `None`: there is no such flow.
    pub(crate) flow: Option<usize>,
    pub(crate) service: ServiceId,
    pub(crate) replica: u16,
    pub(crate) began: Nanos,
    pub(crate) ended: Nanos,
    pub(crate) trouble: Option<Trouble>,
    /// The entry that it wrote, or tried to.
    pub(crate) wrote: Option<Entry>,
    /// For a read: what was expected at least, what came, and whose entries these are.
    pub(crate) read: Option<(u64, Option<u64>, u64)>,
}

impl Rep {
    /// Well, and with nothing written.
    pub(crate) fn new(
        (id, cell): (u32, usize),
        (cohorts, spot, users): (u64, usize, u64),
        accesses: Vec<UsedAccess>,
        journeys: Vec<Making>,
        services: usize,
    ) -> Self {
        Self {
            id,
            cell,
            cohorts,
            spot,
            users,
            accesses,
            journeys,
            last_good: (0..services).map(|_| AtomicU16::new(NONE)).collect(),
            looked_up: Mutex::new(vec![None; services]),
        }
    }

    /// The first of its cohorts.
    pub(crate) fn cohort(&self) -> u8 {
        u8::try_from(self.cohorts.trailing_zeros().min(63)).unwrap_or(0)
    }

    /// The key of what it writes in a journey.
    pub(crate) fn writer(&self, journey: JourneyId) -> u64 {
        (u64::from(journey.0) << 32) | u64::from(self.id)
    }
}

/// One attempt of a representative.
#[derive(Clone)]
struct Attempt {
    world: Arc<World>,
    rep: Arc<Rep>,
    /// Which of its journeys.
    making: usize,
    due: Nanos,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// Makes the attempt that was due, and says what became of it.
pub(crate) async fn attempt(
    world: Arc<World>,
    rep: Arc<Rep>,
    making: usize,
    due: Nanos,
) -> Attempted {
    let this = Attempt {
        world,
        rep,
        making,
        due,
        seen: Arc::default(),
    };
    let outcome = this.tries().await;
    this.report(outcome)
}

impl Attempt {
    fn making(&self) -> &Making {
        &self.rep.journeys[self.making]
    }

    fn journey(&self) -> &Journey {
        self.world.topology.journey(self.making().journey)
    }

    /// Tries, with their pauses, within the journey's time.
    async fn tries(&self) -> Result<bool, String> {
        let clock = self.world.clock;
        let journey = self.journey();
        let retry = journey.retry;
        let end = clock.instant(self.due + journey.timeout);
        let mut pause = retry.wait;
        let mut why = String::new();
        let mut entry = self.next_entry();
        for n in 0..retry.tries.max(1) {
            if n > 0 {
                let wait = clock.wall(pause);
                if Instant::now() + wait >= end {
                    break;
                }
                sleep(wait).await;
                let longer = i128::from(pause.0) * i128::from(retry.factor_milli) / 1_000;
                pause = Nanos(i64::try_from(longer).unwrap_or(Nanos::NEVER.0));
                if !journey.idempotent {
                    entry = self.next_entry();
                }
            }
            let until = end.min(Instant::now() + clock.wall(retry.each));
            match self.one_try(&entry, until).await {
                Ok(degraded) => return Ok(degraded),
                Err(because) => why = because,
            }
        }
        Err(why)
    }

    fn next_entry(&self) -> Entry {
        let making = self.making();
        let sequence = making.sequence.fetch_add(1, Relaxed) + 1;
        crate::ledger::entry(self.rep.writer(making.journey), sequence)
    }

    /// Over every access that this user would use now, and over the next one that nothing is
    /// known of, to learn of it. Served is who is served over one that is used.
    async fn one_try(&self, entry: &Entry, until: Instant) -> Result<bool, String> {
        let ranks = self.ranks();
        if let [(rank, true)] = ranks[..] {
            return self.over(rank, entry, until).await;
        }
        let mut tries = JoinSet::new();
        for (rank, used) in ranks {
            let (this, entry) = (self.clone(), entry.clone());
            tries.spawn(async move { (used, this.over(rank, &entry, until).await) });
        }
        let mut why = "no access".to_owned();
        while let Some(done) = tries.join_next().await {
            match done {
                Ok((true, Ok(degraded))) => {
                    // The others go on: what becomes of them decides which access is used next.
                    tries.detach_all();
                    return Ok(degraded);
                }
                Ok((true, Err(because))) => why = because,
                Ok((false, _)) => {}
                Err(e) => why = format!("the harness: {e}"),
            }
        }
        Err(why)
    }

    /// The accesses to try, and whether the user has turned to each.
    fn ranks(&self) -> Vec<(usize, bool)> {
        let mut list = Vec::new();
        let mut since = i64::MIN;
        for (rank, used) in self.rep.accesses.iter().enumerate() {
            let access = self.world.topology.access_path(used.access);
            let turned = rank == 0 || self.due.0.saturating_sub(since) >= patience(access).0;
            list.push((rank, turned));
            let failing = self.making().failing[rank].load(Relaxed);
            if failing == WELL {
                break;
            }
            since = since.max(failing);
        }
        list
    }

    /// One try over one access: its needs, then the calls.
    async fn over(&self, rank: usize, entry: &Entry, until: Instant) -> Result<bool, String> {
        let outcome = self.needs_and_calls(rank, entry, until).await;
        let failing = &self.making().failing[rank];
        if outcome.is_ok() {
            failing.store(WELL, Relaxed);
        } else {
            failing.fetch_min(self.due.0, Relaxed);
        }
        outcome
    }

    async fn needs_and_calls(
        &self,
        rank: usize,
        entry: &Entry,
        until: Instant,
    ) -> Result<bool, String> {
        let topology = &self.world.topology;
        let used = &self.rep.accesses[rank];
        let access = topology.access_path(used.access);
        for (index, need) in access.needs.iter().enumerate() {
            let name = &topology.service(need.service).id;
            if need.cache.is_some() {
                if !used.valid[index].load(Relaxed) {
                    return Err(format!("{name}: nothing valid is held"));
                }
                continue;
            }
            let what = self.what_is_needed(need.service);
            self.ask(used.access, need.service, what, until)
                .await
                .map_err(|e| format!("{name}: {e}"))?;
        }
        let mut degraded = false;
        for service in called(self.journey()) {
            let name = &topology.service(service).id;
            let what = self.what_is_called(service, entry);
            let answer = self
                .ask(used.access, service, what, until)
                .await
                .map_err(|e| format!("{name}: {e}"))?;
            degraded |= answer.degraded;
        }
        Ok(degraded)
    }

    /// Whether a contingency of this capacity has room for these cohorts: the first ones get it.
    fn has_a_place(&self, capacity: Ppb) -> bool {
        let middle = u64::from(self.rep.cohort()) * 2 + u64::from(self.rep.cohorts.count_ones());
        middle * 1_000_000_000 < capacity.0 * 128
    }

    /// The sample, a contingency considered.
    fn report(&self, outcome: Result<bool, String>) -> Attempted {
        let making = self.making();
        let (served, why) = match outcome {
            Ok(degraded) => {
                making.failing_at_all.store(WELL, Relaxed);
                let served = if degraded {
                    Served::Degraded
                } else {
                    Served::Yes
                };
                (served, String::new())
            }
            Err(why) => {
                let before = making.failing_at_all.fetch_min(self.due.0, Relaxed);
                let since = before.min(self.due.0);
                match &self.journey().otherwise {
                    Some(otherwise)
                        if self.due.0 - since >= otherwise.after.0
                            && self.has_a_place(otherwise.capacity) =>
                    {
                        (
                            Served::Degraded,
                            format!("{} instead: {why}", otherwise.mode),
                        )
                    }
                    _ => (Served::No, why),
                }
            }
        };
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        Attempted {
            rep: self.rep.id,
            journey: making.journey,
            at: self.due,
            took: self.world.clock.now() - self.due,
            served,
            why,
            seen: std::mem::take(&mut *seen),
        }
    }
}

/// The services that a journey calls, each once, in order; those written to last.
pub(crate) fn called(journey: &Journey) -> impl Iterator<Item = ServiceId> + '_ {
    let written = journey.writes.iter().filter(|w| !journey.calls.contains(w));
    journey.calls.iter().chain(written).copied()
}

/// How long users fail on what they prefer before they turn to this access.
pub(crate) fn patience(access: &Access) -> Nanos {
    match access.standby {
        Some(standby) if standby.automatic => access.after + standby.activates_in,
        _ => access.after,
    }
}
