//! A run from its plan to its end.

use crate::clock::Clock;
use crate::control_path::ControlPath;
use crate::director::{Director, Report, misplaced, start_checks, start_roles, unsupported};
use crate::flows::{End, FlowKey, Ground, Origin};
use crate::network::Network;
use crate::options::{Ended, Options, Refused};
use crate::probe::spot_of;
use crate::probe::{Arrivals, Crowd};
use crate::realise::{flow_keys, make_flows, start_all};
use crate::sparing::Ways;
use crate::world::World;
use crate::wrap::{self, Wrapped};
use crate::zone::Zone;
use crate::{leases, pace, thin};
use assize_control::wire::Scale;
use assize_fault::Nanos;
use assize_model::binding::Realisation;
use assize_model::observation::Observation;
use assize_model::{Plan, ServiceId};
use assize_proxy::{Engine, EngineOptions};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Reports that may wait for the director; who reports more waits.
const WAITING: usize = 16_384;

/// From the last preparation to the first attempt, on the wall.
const BREATH: Duration = Duration::from_millis(300);

/// How long reports are still taken after the end, on the wall.
const AFTERWARDS: Duration = Duration::from_secs(30);

/// Carries out a plan in real time and hands over what it observes, in order. Blocks until the
/// end; must not be called from within an asynchronous runtime.
///
/// # Errors
/// The run cannot be carried out; nothing has been broken then.
pub fn run(
    plan: &Plan<'_>,
    options: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("assize-run")
        .enable_all()
        .build()
        .map_err(|e| Refused::new(format!("the runtime cannot be started: {e}")))?;
    let ended = runtime.block_on(on_sockets(plan, options, sink));
    // What still waits for an answer has nothing to tell any more.
    runtime.shutdown_timeout(Duration::from_secs(2));
    ended
}

/// Carries a plan out as [`run`] does, in virtual time and over connections in memory: the same
/// director, users, stand-ins and wire faults, as fast as they can be computed, and whatever the
/// machine is doing. Stand-ins that speak over streams only.
///
/// # Errors
/// As [`run`]; also a service that a rehearsal cannot play.
#[cfg(feature = "rehearsal")]
pub fn rehearse(
    plan: &Plan<'_>,
    options: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    // A paused clock counts timers in milliseconds.
    let machine = pace::Machine {
        jitter: Nanos::millis(1),
        round_trip: Nanos::ZERO,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .map_err(|e| Refused::new(format!("the runtime cannot be started: {e}")))?;
    runtime.block_on(async {
        crate::admit(plan, options)?;
        let _stay = crate::air::Air::enter(plan.seed);
        let air = crate::air::here().ok_or_else(|| Refused::new("there is no air"))?;
        let (ground, pace) = (Ground::Air(air), pace::choose(plan, options.pace, machine)?);
        let at = crate::air::machine();
        let place = (&ground, (machine, &at), pace, None);
        prepare_and_run(plan, options, place, sink).await
    })
}

async fn on_sockets(
    plan: &Plan<'_>,
    options: &Options,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    // What stands in the plan is found before anything is touched.
    crate::admit(plan, options)?;
    let engine = Engine::new(EngineOptions {
        seed: plan.seed,
        ..EngineOptions::default()
    })
    .map_err(|e| Refused::new(format!("the proxies cannot be started: {e}")))?;
    let control = Arc::new(ControlPath::start(&engine, options.host).await?);
    let (machine, pace) = pace::fit(plan, options.pace, &control).await?;
    let ground = if options.direct {
        Ground::Direct
    } else {
        Ground::Sockets(engine, options.host)
    };
    let at = control.machine;
    let place = (&ground, (machine, &at), pace, Some(control));
    prepare_and_run(plan, options, place, sink).await
}

/// Where a run takes place, what its machine permits, how fast model time passes, and what watches
/// the machine meanwhile.
type Place<'a> = (
    &'a Ground,
    (pace::Machine, &'a SocketAddr),
    u32,
    Option<Arc<ControlPath>>,
);

async fn prepare_and_run(
    plan: &Plan<'_>,
    options: &Options,
    (ground, (machine, machine_at), pace, control): Place<'_>,
    sink: &mut dyn FnMut(Observation),
) -> Result<Ended, Refused> {
    let mut crowd = Crowd::new(plan, pace, options.probes_per_second);
    let topology = Arc::new(plan.topology.clone());
    let zone = Zone::new(&topology);
    let keys: Vec<FlowKey> = flow_keys(plan).into_iter().collect();
    // Real systems take as long as they take; stand-ins know model time from their start on, so
    // it is fixed before they are started.
    let clock = || {
        let steady = Clock::new(Instant::now(), pace).wall(plan.scenario.steady_state);
        let stand_ins = preparation(plan, keys.len());
        Clock::new(Instant::now() + stand_ins + steady, pace)
    };
    let (started, clock) = start_all(plan, options, &topology, clock, &zone).await?;
    let mut network = Network::new(plan, &keys);
    let ways = Ways::new(plan, &keys);
    let thin = thin::factor(plan, pace, ways.narrowest());
    let spared = ways.spare(&mut crowd, thin);
    let scale = Scale { pace, thin };
    let making = (keys.as_slice(), &mut network, scale);
    let flows = match make_flows(plan, ground, &started, making, *machine_at) {
        Ok(flows) => flows,
        Err(refused) => {
            started.stop().await;
            return Err(refused);
        }
    };
    let world = Arc::new(World::new(
        topology,
        clock,
        zone,
        started.replicas.clone(),
        (flows, thin),
    ));
    let _ = started.world.set(Arc::clone(&world));
    let mut why = unsupported(plan, &world).await;
    if why.is_none() {
        why = misplaced(plan, &world).await;
    }
    if let Some(why) = why {
        started.stop().await;
        return Err(Refused::new(why));
    }
    sink(Observation::Machine {
        pace,
        jitter: machine.jitter,
        round_trip: machine.round_trip,
        probe_every: crowd.every,
        resolution: crowd.every + machine.jitter * i64::from(pace),
    });
    let wrapped = options
        .wrap
        .as_ref()
        .map(|w| wrap::start(w, &found(plan, &world)));
    let wrapped = match wrapped.transpose() {
        Ok(wrapped) => wrapped,
        Err(refused) => {
            started.stop().await;
            return Err(refused);
        }
    };
    if thin > 1 {
        let text = format!("bytes and bandwidths are thinned together, {thin} times");
        sink(Observation::Note {
            at: clock.now(),
            text,
        });
    }
    for text in spared {
        let at = clock.now();
        sink(Observation::Note { at, text });
    }
    let ended = conduct(
        plan,
        options,
        (&world, control, crowd, network),
        wrapped,
        sink,
    )
    .await;
    started.stop().await;
    Ok(ended)
}

/// Where a wrapped command finds services: at the proxies of the first user group, of the home
/// replica by the service's name and of each replica by both names.
fn found(plan: &Plan<'_>, world: &World) -> Vec<(String, String)> {
    let population = plan.topology.populations.first();
    let access = population.and_then(|p| p.access.first().copied());
    let mut variables = Vec::new();
    for (s, service) in plan.topology.services.iter().enumerate() {
        let addr = |r: usize| {
            let (access, replica) = (access?, u16::try_from(r).ok()?);
            let origin = Origin::Users {
                spot: spot_of(plan, 0),
                access,
            };
            let flow = world
                .flows
                .find(origin, End::Replica(ServiceId::from(s), replica))?;
            Some(world.flows.get(flow).addr)
        };
        let home = service.replicas.iter().position(|r| r.primary).unwrap_or(0);
        variables.extend(
            addr(home)
                .into_iter()
                .flat_map(|a| wrap::variables(service, None, a)),
        );
        for (r, replica) in service.replicas.iter().enumerate() {
            let own = addr(r).into_iter();
            variables.extend(own.flat_map(|a| wrap::variables(service, Some(&replica.id), a)));
        }
    }
    variables
}

/// How long starting stand-ins and flows may take on the wall; on a machine where it takes longer
/// there is less of steady state.
fn preparation(plan: &Plan<'_>, flows: usize) -> Duration {
    let services = plan.topology.services.iter();
    let stand_ins = services.filter(|s| matches!(s.realised, Realisation::StandIn(_)));
    let flows = Duration::from_millis(2) * u32::try_from(flows).unwrap_or(0);
    stand_ins.fold(Duration::from_secs(1) + flows, |sum, service| {
        sum + Duration::from_millis(20) * u32::try_from(service.replicas.len()).unwrap_or(1)
    })
}

/// Hands on what replicas have observed of themselves.
async fn notes(world: Arc<World>, reports: Sender<Report>) {
    const EVERY: Duration = Duration::from_millis(200);
    loop {
        for one in noted(&world) {
            if reports.send(Report::Observed(one)).await.is_err() {
                return;
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What replicas have observed of themselves since this was last asked.
fn noted(world: &World) -> Vec<Observation> {
    let at = world.clock.now();
    let mut all = Vec::new();
    for (service, replicas) in world.replicas.iter().enumerate() {
        for (replica, one) in (0..).zip(replicas) {
            let notes = one.notes().into_iter();
            all.extend(notes.map(|text| Observation::Note { at, text }));
            let log = one.log().into_iter();
            all.extend(log.map(|(position, what)| Observation::Log {
                at,
                service,
                replica,
                position,
                what,
            }));
        }
    }
    all
}

/// The run itself, once everything stands.
async fn conduct(
    plan: &Plan<'_>,
    options: &Options,
    (world, control, crowd, network): (&Arc<World>, Option<Arc<ControlPath>>, Crowd, Network<'_>),
    wrapped: Option<Wrapped>,
    sink: &mut dyn FnMut(Observation),
) -> Ended {
    let clock = world.clock;
    for rep in &crowd.reps {
        sink(Observation::Representative {
            rep: rep.id,
            cell: rep.cell,
            cohorts: rep.cohorts,
        });
    }
    for (service, replicas) in world.replicas.iter().enumerate() {
        let real = replicas.iter().all(|r| r.is_real());
        sink(Observation::TestedOn { service, real });
    }
    let (reports, mut inbox): (Sender<Report>, Receiver<Report>) = channel(WAITING);
    let mut director = Director::new(
        plan,
        Arc::clone(world),
        network,
        reports.clone(),
        crowd.every,
        options.folder.clone(),
        sink,
    );
    director.point_all();
    director.on_time(Nanos(i64::MIN));
    director.make_first_backups();
    let mut tasks = JoinSet::new();
    let origin = clock.now().max(-plan.scenario.steady_state);
    if origin > -plan.scenario.steady_state {
        let held = Nanos::ZERO - origin;
        director.note(format!(
            "starting everything took longer than expected: steady state is held for {held} only"
        ));
    }
    start_checks(plan, world, origin, &reports, &mut tasks);
    start_roles(plan, world, &reports, &mut tasks);
    if let Some(control) = control {
        let reports = reports.clone();
        tasks.spawn(async move { control.watch(clock, reports).await });
    }
    tasks.spawn(notes(Arc::clone(world), reports.clone()));
    let command = wrapped.map(|mut wrapped| {
        let reports = reports.clone();
        tasks.spawn(async move {
            let code = wrapped.ended().await;
            let at = clock.now();
            // Nobody listens once the run is over.
            let _ = reports
                .send(Report::Observed(Observation::Command { at, code }))
                .await;
        })
    });
    let mut users = JoinSet::new();
    let arrivals = Arrivals::default();
    for rep in &crowd.reps {
        for lease in leases::of(plan, world, rep, clock.now()) {
            users.spawn(lease.keep(reports.clone()));
        }
        for making in 0..rep.journeys.len() {
            let (world, rep) = (Arc::clone(world), Arc::clone(rep));
            let coming = arrivals
                .clone()
                .keep_coming(world, rep, making, origin, reports.clone());
            users.spawn(coming);
        }
    }
    let why = director.drive(&mut inbox, &options.stop).await;
    let at = clock.now();
    users.abort_all();
    director.lift_all();
    // Attempts under way end by their own timeouts; their entries count.
    let longest = plan.topology.journeys.iter().map(|j| j.timeout).max();
    let rest = clock.wall(longest.unwrap_or_default()).min(AFTERWARDS) + BREATH;
    director.wait_for(&mut inbox, Instant::now() + rest).await;
    // So may the command: it has no more faults to expect, and may still have to tidy up.
    let patience = Instant::now() + AFTERWARDS;
    while command.as_ref().is_some_and(|c| !c.is_finished()) && Instant::now() < patience {
        director.wait_for(&mut inbox, Instant::now() + BREATH).await;
    }
    director.read_all_back();
    director
        .wind_down(&mut inbox, Instant::now() + AFTERWARDS)
        .await;
    tasks.abort_all();
    for one in noted(world) {
        director.say(one);
    }
    director.close();
    let turned_away = arrivals.turned_away.load(Relaxed);
    if turned_away > 0 {
        director.note(format!(
            "{turned_away} attempts were not made: too many were under way"
        ));
    }
    let left = director.what_is_left();
    director.say(Observation::Ended {
        at,
        why,
        left: left.clone(),
    });
    Ended { at, why, left }
}
