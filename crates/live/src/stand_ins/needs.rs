//! What a stand-in needs of other services: it asks them, through the network, for each request.
//!
//! Nothing here knows whether another service is down. What cannot be done without is asked every
//! time; what can be done without is waited for briefly, and not at all while it is missing.

use super::front::{Asked, No, key};
use crate::clock::Clock;
use crate::context::Context;
use crate::replica::{Answer, Call, Neighbours, Trouble, What};
use assize_fault::{Nanos, Ppb, Size};
use assize_model::ServiceId;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::task::JoinSet;

/// How long a request waits for what it can do without, and before it asks the next of several
/// that will do: in model time, and on the wall at least.
const BRIEFLY: (Nanos, Duration) = (Nanos::millis(500), Duration::from_millis(40));
/// A question to another service: small both ways.
const SMALL: Size = Size(200);

/// What one replica needs.
#[derive(Debug)]
pub(super) struct Needs {
    asker: Arc<Asker>,
    hard: Vec<ServiceId>,
    soft: Vec<Arc<Soft>>,
    any_of: Vec<Arc<Choice>>,
}

/// How others are asked.
#[derive(Debug)]
struct Asker {
    key: u64,
    clock: Clock,
    neighbours: Arc<dyn Neighbours>,
}

/// One that can be done without.
#[derive(Debug)]
struct Soft {
    service: ServiceId,
    /// The capacity left without it.
    left: Ppb,
    missing: AtomicBool,
    /// Somebody is asking whether it is there again.
    asking: AtomicBool,
}

/// Several of which one will do.
#[derive(Debug)]
struct Choice {
    services: Vec<ServiceId>,
    /// Which of them answered last.
    last: AtomicUsize,
}

impl Needs {
    pub(super) fn new(context: &Context) -> Self {
        let depends = &context.spec().depends;
        let hard = depends.all_of.iter().filter(|d| d.soft.is_none());
        let soft = depends.all_of.iter().filter_map(|d| {
            Some(Arc::new(Soft {
                service: d.service,
                left: d.soft?,
                missing: AtomicBool::new(false),
                asking: AtomicBool::new(false),
            }))
        });
        let any_of = depends.any_of.iter().map(|choice| {
            Arc::new(Choice {
                services: choice.iter().map(|d| d.service).collect(),
                last: AtomicUsize::new(0),
            })
        });
        Self {
            asker: Arc::new(Asker {
                key: key(context),
                clock: context.clock,
                neighbours: Arc::clone(&context.neighbours),
            }),
            hard: hard.map(|d| d.service).collect(),
            soft: soft.collect(),
            any_of: any_of.collect(),
        }
    }

    /// The share of capacity that is left without what is missing.
    pub(super) fn capacity_left(&self) -> Ppb {
        let missing = self
            .soft
            .iter()
            .filter(|s| s.missing.load(Ordering::Relaxed));
        missing.fold(Ppb::ONE, |left, s| {
            Ppb((u128::from(left.0) * u128::from(s.left.0) / u128::from(Ppb::ONE.0)) as u64)
        })
    }

    /// Asks all that one request needs, at once; returns whether something was missing that can be
    /// done without.
    pub(super) async fn ask(&self, asked: Asked) -> Result<bool, No> {
        if self.hard.is_empty() && self.soft.is_empty() && self.any_of.is_empty() {
            return Ok(false);
        }
        let mut set: JoinSet<Result<bool, Trouble>> = JoinSet::new();
        for &service in &self.hard {
            let asker = Arc::clone(&self.asker);
            set.spawn(async move { asker.ask(service, asked).await.map(|a| a.degraded) });
        }
        for choice in &self.any_of {
            let (asker, choice) = (Arc::clone(&self.asker), Arc::clone(choice));
            set.spawn(async move { choice.ask(asker, asked).await.map(|_| false) });
        }
        for soft in &self.soft {
            let (asker, soft) = (Arc::clone(&self.asker), Arc::clone(soft));
            set.spawn(async move { Ok(!soft.ask(asker, asked).await) });
        }
        let mut degraded = false;
        while let Some(answer) = set.join_next().await {
            match answer {
                Ok(Ok(missing)) => degraded |= missing,
                Ok(Err(trouble)) => return Err(No::Told(format!("what it needs: {trouble}"))),
                Err(_) => return Err(No::Told("asking what it needs was broken off".into())),
            }
        }
        Ok(degraded)
    }
}

impl Asker {
    async fn ask(&self, service: ServiceId, asked: Asked) -> Result<Answer, Trouble> {
        let way = self.neighbours.service(service, asked.cohort);
        let way = way.ok_or_else(|| Trouble::Refused("no way to it".into()))?;
        let call = Call {
            from: self.key ^ (asked.from << 32),
            weight: asked.weight,
            cohort: asked.cohort,
            round_trips: 1,
            sends: SMALL,
            receives: SMALL,
            what: What::Plain,
        };
        way.to.call(way.via, &call).await
    }

    fn briefly(&self) -> Duration {
        self.clock.wall(BRIEFLY.0).max(BRIEFLY.1)
    }
}

impl Soft {
    /// Whether it is there. While it was missing, one request at a time looks, and none waits.
    async fn ask(self: Arc<Self>, asker: Arc<Asker>, asked: Asked) -> bool {
        if self.missing.load(Ordering::Relaxed) {
            if !self.asking.swap(true, Ordering::Relaxed) {
                tokio::spawn(async move {
                    let limit = asker.briefly() * 4;
                    let there = tokio::time::timeout(limit, asker.ask(self.service, asked)).await;
                    if matches!(there, Ok(Ok(_))) {
                        self.missing.store(false, Ordering::Relaxed);
                    }
                    self.asking.store(false, Ordering::Relaxed);
                });
            }
            return false;
        }
        let answer = tokio::time::timeout(asker.briefly(), asker.ask(self.service, asked)).await;
        let there = matches!(answer, Ok(Ok(_)));
        self.missing.store(!there, Ordering::Relaxed);
        there
    }
}

impl Choice {
    /// The one that answered last is asked first; the next when it fails or is slow.
    async fn ask(&self, asker: Arc<Asker>, asked: Asked) -> Result<Answer, Trouble> {
        let count = self.services.len();
        let first = self.last.load(Ordering::Relaxed);
        let mut asking: JoinSet<(usize, Result<Answer, Trouble>)> = JoinSet::new();
        let mut next = 0;
        let mut trouble = Trouble::Refused("there is none".into());
        loop {
            if next < count {
                let index = (first + next) % count;
                let (asker, service) = (Arc::clone(&asker), self.services[index]);
                asking.spawn(async move { (index, asker.ask(service, asked).await) });
                next += 1;
            }
            let pause = async {
                if next < count {
                    tokio::time::sleep(asker.briefly()).await;
                } else {
                    std::future::pending::<()>().await;
                }
            };
            tokio::select! {
                answer = asking.join_next() => match answer {
                    Some(Ok((index, Ok(answer)))) => {
                        self.last.store(index, Ordering::Relaxed);
                        return Ok(answer);
                    }
                    Some(Ok((_, Err(why)))) => trouble = why,
                    Some(Err(_)) => {}
                    None => return Err(trouble),
                },
                () = pause => {}
            }
        }
    }
}
