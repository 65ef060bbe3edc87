//! The state in which everything begins: all elements up, all services well.

use crate::data::Content;
use crate::state::{DataState, FaultState, ReplicaState, ServiceState, Well};
use assize_control::{Backups, Checker, Failover, Names, Queue, Response, backups, names::deal};
use assize_fault::{Nanos, Ppb, Stream};
use assize_model::faults::Effect;
use assize_model::journal::Cause;
use assize_model::plan::Plan;
use assize_model::topology::{Mode, Replication, Service};

pub(crate) fn faults(plan: &Plan<'_>, only: Option<Cause>) -> Vec<FaultState> {
    plan.scenario
        .faults
        .iter()
        .enumerate()
        .map(|(i, fault)| FaultState {
            on: false,
            applies: only.is_none_or(|o| o == Cause::Fault(i)),
            ended: false,
            ended_at: None,
            until: fault.until,
            resolved: Vec::new(),
            bite: None,
            response: plan
                .scenario
                .responses
                .iter()
                .find(|r| r.fault == i)
                .map(|r| Response::new(r, fault.at)),
        })
        .collect()
}

pub(crate) fn services(plan: &Plan<'_>, only: Option<Cause>) -> Vec<ServiceState> {
    plan.topology
        .services
        .iter()
        .map(|service| self::service(plan, service, only))
        .collect()
}

fn service(plan: &Plan<'_>, service: &Service, only: Option<Cause>) -> ServiceState {
    let n = service.replicas.len();
    let home = service.replicas.iter().position(|r| r.primary).unwrap_or(0) as u16;
    let single_writer = matches!(service.mode, Mode::ActiveStandby | Mode::Quorum);
    let spread = plan.phases_of(&format!("{}/spread", service.id));
    let shard_phase = plan.phases_of(&service.shard_key);
    let shards = service.shards.max(1);
    let shard_of = |k: usize| u32::from(shard_phase[k]) * shards / 64;
    let dealt = deal(&(0..n as u8).collect::<Vec<u8>>(), &spread);
    let target: [u8; 64] = core::array::from_fn(|k| match service.mode {
        Mode::Sharded => (shard_of(k) as usize % n) as u8,
        Mode::ActiveActive => dealt[k],
        _ => home as u8,
    });
    let ttl = service.failover.as_ref().map_or(Nanos::ZERO, |f| f.dns_ttl);
    let names = Names::new(
        ttl,
        plan.phases_of(&format!("{}/names", service.id)),
        target,
    );
    let views = (0..n).map(|r| names.mask(r as u8)).collect();
    let checked = service.failover.as_ref().filter(|_| n > 1);
    ServiceState {
        home,
        source: home,
        replicas: (0..n)
            .map(|r| replica(!single_writer || r == usize::from(home), n))
            .collect(),
        names,
        views,
        spread,
        failover: single_writer.then(|| Failover::new(service.failover.as_ref(), n, home)),
        checkers: checked.map_or_else(Vec::new, |f| {
            service
                .replicas
                .iter()
                .map(|r| {
                    let phase = f.check.phase.unwrap_or_else(|| {
                        let mut stream = Stream::new(plan.seed, &["check", &service.id, &r.id]);
                        Nanos(stream.below(f.check.every.0.max(1) as u64) as i64)
                    });
                    Checker::new(&f.check, phase, Nanos::ZERO)
                })
                .collect()
        }),
        rotation: (0..n).fold(0, |m, r| m | (1 << r)),
        shard_mask: (0..shards)
            .map(|i| {
                (0..64)
                    .filter(|k| shard_of(*k) == i)
                    .fold(0, |m, k| m | (1 << k))
            })
            .collect(),
        shard_down: vec![Vec::new(); shards as usize],
        entries: Vec::new(),
        listed: false,
        dependents: Vec::new(),
        data: service
            .state
            .as_ref()
            .map(|_| data(plan, service, home, n, only)),
        queue: service.capacity.map(|capacity| {
            let q = &service.queue;
            Queue::new(capacity, 64, q.max, q.when_full, q.stale_after, Nanos::ZERO)
        }),
        capacity_left: u64::MAX,
        queue_rate: (u64::MAX, u64::MAX),
        load: None,
        share: Ppb::ONE,
        queue_steps: vec![(Nanos::ZERO, 0)],
        bad_backup: Vec::new(),
        repeated: Vec::new(),
        restore_left: Vec::new(),
        read_back_at: None,
        step: None,
    }
}

fn replica(acts: bool, n: usize) -> ReplicaState {
    ReplicaState {
        down: Vec::new(),
        no_answer: Vec::new(),
        lies: Vec::new(),
        no_promotion: Vec::new(),
        fails_open: Vec::new(),
        no_replication: Vec::new(),
        capacity: Vec::new(),
        acts,
        copied_in: Some(Nanos::ZERO),
        well: Well {
            blame: None,
            capacity: Ppb::ONE,
            without: 0,
        },
        serving_since: None,
        ever_served: false,
        contact_at: None,
        ships_since: vec![Some(crate::data::PAST); n],
        seen_faults: Vec::new(),
        seen_first: None,
    }
}

fn data(plan: &Plan<'_>, service: &Service, home: u16, n: usize, only: Option<Cause>) -> DataState {
    let state = service.state.as_ref();
    let sync = state.and_then(|s| s.replication) == Some(Replication::Sync);
    let multi = matches!(service.mode, Mode::ActiveActive | Mode::Sharded);
    let content = (0..n as u16)
        .map(|r| match (multi, sync) {
            // Every replica holds what any of them acknowledges.
            (true, true) => everything(n),
            // Of the others only what is shipped.
            (true, false) => Content::of(r),
            (false, true) => Content::of(home),
            (false, false) if r == home => Content::of(home),
            (false, false) => Content::default(),
        })
        .collect::<Vec<_>>();
    let before = if multi {
        everything(n)
    } else {
        Content::of(home)
    };
    let bad_windows = bad_windows(plan, &service.id, only);
    let runs = backups::scheduled(plan, service, |began| {
        !bad_windows
            .iter()
            .any(|(_, a, b)| *a <= began && began < *b)
    });
    DataState {
        history: vec![(crate::data::PAST, before)],
        open: vec![0; content.len()],
        content,
        acks: Vec::new(),
        backups: Backups::new(runs),
        restoring: None,
        restore_waits: false,
        damage: None,
        losses: Vec::new(),
        split_since: None,
        bad_windows,
    }
}

/// All that any of so many replicas acknowledges.
fn everything(n: usize) -> Content {
    let mut all = Content::default();
    (0..n as u16).for_each(|replica| all.merge(&Content::of(replica)));
    all
}

/// When backups of a service are made badly.
fn bad_windows(plan: &Plan<'_>, service: &str, only: Option<Cause>) -> Vec<(usize, Nanos, Nanos)> {
    use assize_model::scenario::Target;
    let about = |t: &Target| match t {
        Target::Service(s) | Target::Replica(s, _) | Target::Primary(s) => {
            plan.topology.service(*s).id == service
        }
        _ => false,
    };
    plan.scenario
        .faults
        .iter()
        .enumerate()
        .filter(|(i, _)| only.is_none_or(|o| o == Cause::Fault(*i)))
        .filter(|(_, f)| f.effects.contains(&Effect::BadBackup) && f.targets.iter().any(about))
        .map(|(i, f)| (i, f.at, f.until))
        .collect()
}

/// Services in an order in which each comes after what it depends on. Loops were refused when
/// the file was read; what would be left of one is appended so that nothing is missing.
pub(crate) fn dependency_order(plan: &Plan<'_>) -> Vec<usize> {
    let services = &plan.topology.services;
    let mut order = Vec::new();
    let mut state = vec![0u8; services.len()];
    for root in 0..services.len() {
        let mut stack = vec![(root, false)];
        while let Some((s, children_done)) = stack.pop() {
            if children_done {
                if state[s] != 2 {
                    state[s] = 2;
                    order.push(s);
                }
                continue;
            }
            if state[s] != 0 {
                continue;
            }
            state[s] = 1;
            stack.push((s, true));
            let depends = &services[s].depends;
            for d in depends.all_of.iter().chain(depends.any_of.iter().flatten()) {
                stack.push((d.service.index(), false));
            }
        }
    }
    order
}
