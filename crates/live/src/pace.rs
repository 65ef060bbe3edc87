//! How fast model time may pass on this machine, which is measured before anything is broken.
//!
//! At pace p a timer of the plan is p times shorter on the wall. A pace is permitted if every timer
//! stays at or above 20 times the machine's jitter and 3 un-faulted round trips.

use crate::control_path::{ControlPath, nanos};
use crate::options::Refused;
use assize_fault::Nanos;
use assize_model::Plan;
use assize_model::binding::Realisation;
use assize_proxy::{Engine, EngineOptions};
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// The largest pace that is chosen without being asked for.
const DEFAULT: u32 = 20;

/// How often a timer is at least as long as the jitter.
const JITTERS: i64 = 20;

/// How often a timer is at least as long as a round trip.
const ROUND_TRIPS: i64 = 3;

/// What the machine permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Machine {
    /// 99th percentile of how late a timer is, on the wall.
    pub(crate) jitter: Nanos,
    /// Median of an exchange over a new connection through an un-faulted proxy, on the wall.
    pub(crate) round_trip: Nanos,
}

/// A timer of the plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Timer {
    name: String,
    length: Nanos,
}

/// How often a machine is looked at that is too busy for the plan.
const LOOKS: usize = 4;

/// Measures the machine and says at which pace the plan can run on it. One that happens to be too
/// busy is looked at again.
///
/// # Errors
/// The pace is not to be had, or the machine stays too busy for it.
pub(crate) async fn fit(
    plan: &Plan<'_>,
    asked: Option<u32>,
    path: &ControlPath,
) -> Result<(Machine, u32), Refused> {
    // What no machine permits is not waited for.
    possible(plan, asked)?;
    let mut look = 1;
    loop {
        let machine = measure(path).await?;
        match choose(plan, asked, machine) {
            Ok(pace) => return Ok((machine, pace)),
            Err(refused) if look == LOOKS => return Err(refused),
            Err(_) => look += 1,
        }
    }
}

/// Whether there is a machine on which this plan can run at this pace.
///
/// # Errors
/// There is none.
pub(crate) fn possible(plan: &Plan<'_>, asked: Option<u32>) -> Result<(), Refused> {
    let perfect = Machine {
        jitter: Nanos::ZERO,
        round_trip: Nanos::ZERO,
    };
    choose(plan, asked, perfect).map(|_| ())
}

impl Machine {
    /// Measures this machine as it is now, for a good second. Blocks; must not be called from
    /// within an asynchronous runtime.
    ///
    /// # Errors
    /// A proxy of our own cannot be made, or does not answer.
    pub fn measured(host: IpAddr) -> Result<Self, Refused> {
        let none = |e: &dyn std::error::Error| Refused::new(format!("no measurement: {e}"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| none(&e))?;
        let engine = Engine::new(EngineOptions::default()).map_err(|e| none(&e))?;
        runtime.block_on(async { measure(&ControlPath::start(&engine, host).await?).await })
    }

    /// The pace at which a plan would run on it.
    ///
    /// # Errors
    /// It cannot run at that pace, or at none.
    pub fn pace(self, plan: &Plan<'_>, asked: Option<u32>) -> Result<u32, Refused> {
        choose(plan, asked, self)
    }
}

/// Measures the machine for a good second.
async fn measure(path: &ControlPath) -> Result<Machine, Refused> {
    let mut late = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        let due = Instant::now() + Duration::from_millis(5);
        sleep_until(due).await;
        late.push(due.elapsed());
    }
    let mut trips = Vec::new();
    for _ in 0..50 {
        let trip = path
            .probe()
            .await
            .map_err(|e| Refused::new(format!("a probe of the control path failed: {e}")))?;
        trips.push(trip);
    }
    Ok(Machine {
        jitter: nanos(percentile(&mut late, 99)),
        round_trip: nanos(percentile(&mut trips, 50)),
    })
}

/// The smallest value that is at least as large as this share (in per cent) of all.
fn percentile(values: &mut [Duration], share: usize) -> Duration {
    values.sort_unstable();
    let rank = (values.len() * share).div_ceil(100).max(1) - 1;
    values.get(rank).copied().unwrap_or_default()
}

/// Every timer of the plan.
fn timers(plan: &Plan<'_>) -> Vec<Timer> {
    let mut list = Vec::new();
    let mut topology = plan.topology.clone();
    assize_model::timers::each(&mut topology, &mut |name, length| {
        list.push(Timer {
            name,
            length: *length,
        });
    });
    list
}

/// The pace of a run: the one that was asked for, if it is permitted, else the largest one.
pub(crate) fn choose(
    plan: &Plan<'_>,
    asked: Option<u32>,
    machine: Machine,
) -> Result<u32, Refused> {
    let real = plan
        .topology
        .services
        .iter()
        .find(|s| matches!(s.realised, Realisation::Bound(_)));
    let timers = timers(plan);
    match (asked.or(plan.scenario.live.pace), real) {
        (Some(0), _) => Err(Refused::new("a pace is at least 1")),
        (Some(pace), Some(service)) if pace > 1 => Err(Refused::new(format!(
            "pace {pace} is not to be had: `{}` is a real service, and real time passes at pace 1",
            service.id
        ))),
        (Some(pace), _) => permitted(&timers, pace, machine).map(|()| pace),
        (None, Some(_)) => permitted(&timers, 1, machine).map(|()| 1),
        (None, None) => {
            let best = (1..=DEFAULT)
                .rev()
                .find(|p| permitted(&timers, *p, machine).is_ok());
            best.map_or_else(|| permitted(&timers, 1, machine).map(|()| 1), Ok)
        }
    }
}

/// Whether every timer is long enough on the wall.
fn permitted(timers: &[Timer], pace: u32, machine: Machine) -> Result<(), Refused> {
    let least = (machine.jitter * JITTERS).max(machine.round_trip * ROUND_TRIPS);
    let Some(shortest) = timers.iter().min_by_key(|t| t.length) else {
        return Ok(());
    };
    let wall = Nanos(shortest.length.0 / i64::from(pace));
    if wall >= least {
        return Ok(());
    }
    let best = shortest.length.0 / least.0.max(1);
    let remedy = if best >= 1 {
        format!("at most pace {best} is possible here now")
    } else {
        "no pace is possible here now: make the timer longer, or the machine quieter".into()
    };
    Err(Refused::new(format!(
        "pace {pace} is too fast: {} is {}, which is {wall} on the wall, and this machine needs \
         {least} (20 times a timer jitter of {}, 3 round trips of {}); {remedy}",
        shortest.name, shortest.length, machine.jitter, machine.round_trip
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timer(name: &str, length: Nanos) -> Timer {
        Timer {
            name: name.into(),
            length,
        }
    }

    #[test]
    fn the_shortest_timer_decides_and_is_named() {
        let machine = Machine {
            jitter: Nanos::millis(2),
            round_trip: Nanos::millis(1),
        };
        let timers = [
            timer("check", Nanos::secs(2)),
            timer("ttl", Nanos::secs(60)),
        ];
        // 20 × 2 ms = 40 ms: 2 s allow pace 50.
        assert!(permitted(&timers, 50, machine).is_ok());
        let refused = permitted(&timers, 51, machine).map_err(|e| e.to_string());
        let text = refused.err().unwrap_or_default();
        assert!(
            text.contains("check") && text.contains("at most pace 50"),
            "{text}"
        );
    }

    #[test]
    fn slow_round_trips_bind_as_well() {
        let machine = Machine {
            jitter: Nanos::ZERO,
            round_trip: Nanos::millis(100),
        };
        let timers = [timer("check", Nanos::secs(3))];
        assert!(permitted(&timers, 10, machine).is_ok());
        assert!(permitted(&timers, 11, machine).is_err());
        assert!(permitted(&[], 11, machine).is_ok());
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut values: Vec<Duration> = (1..=200).map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut values, 99), Duration::from_millis(198));
        assert_eq!(percentile(&mut values, 50), Duration::from_millis(100));
        assert_eq!(percentile(&mut [], 50), Duration::ZERO);
    }
}
