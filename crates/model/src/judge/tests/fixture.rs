//! A small network and hand-made journals for the judge's tests.

use crate::calendar::{Calendar, Holidays};
use crate::faults::Effect;
use crate::finding::{Finding, Outcome};
use crate::ids::{DomainId, JourneyId, NodeId, PartitionId, PopulationId, ServiceId};
use crate::journal::{
    Cause, Decision, DecisionKind, Engine, FaultRecord, Journal, Series, Solo, Step, StepRecord,
    USER,
};
use crate::objective::{During, Objective, ObjectiveKind};
use crate::plan::{Cell, Plan};
use crate::scenario::{Action, FaultEntry, Scenario, StepEntry};
use crate::topology::{
    Check, Depends, Domain, Failover, Group, Journey, Mode, Node, Partition, Population, Probes,
    QueueSpec, Rejoin, Replica, Retry, Service, SiteRange, State, Topology,
};
use assize_fault::{Nanos, Ppb, Rate, Size};

pub(crate) const APP: ServiceId = ServiceId(0);
pub(crate) const STAFF: PopulationId = PopulationId(0);
pub(crate) const WORK: JourneyId = JourneyId(0);
pub(crate) const CROWN: NodeId = NodeId(0);

/// 84 sites with ten users each, who do `work` on `app`, which runs at `north` and `south`.
/// Sites 0 to 9 are group `ten`.
pub(crate) struct Bench {
    pub(crate) topology: Topology,
    pub(crate) scenario: Scenario,
}

fn node(id: &str, count: u32, domains: &[u16]) -> Node {
    Node {
        id: id.into(),
        kind: if count > 1 {
            "site".into()
        } else {
            "switch".into()
        },
        transit: count == 1,
        count,
        class: count > 1,
        parts: Vec::new(),
        replicas: Vec::new(),
        switch_over: Nanos::ZERO,
        domains: domains.iter().map(|&id| DomainId(id)).collect(),
    }
}

fn domain(id: &str, parents: &[u16]) -> Domain {
    let parents = parents.iter().map(|&id| DomainId(id)).collect();
    Domain {
        id: id.into(),
        kind: "data-centre".into(),
        parents,
    }
}

fn app() -> Service {
    let replica = |id: &str, at: u16, primary| Replica {
        id: id.into(),
        at: NodeId(at),
        primary,
        domains: Vec::new(),
    };
    Service {
        realised: crate::binding::Realisation::StandIn(crate::binding::StandIn::Store),
        knobs: crate::binding::Knobs::default(),
        id: "app".into(),
        mode: Mode::ActiveStandby,
        replicas: vec![replica("north", 1, true), replica("south", 2, false)],
        reach: Vec::new(),
        failover: Some(Failover {
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
            dns_ttl: Nanos::secs(60),
            failback: None,
            rejoin: Rejoin::Rewind,
            fail_open: false,
        }),
        depends: Depends::default(),
        capacity: None,
        queue: QueueSpec::default(),
        service_time: Nanos::ZERO,
        state: Some(State {
            replication: None,
            backups: Vec::new(),
        }),
        shards: 1,
        shard_key: "app".into(),
        domains: Vec::new(),
    }
}

fn work() -> Journey {
    Journey {
        request: None,
        id: "work".into(),
        calls: vec![APP],
        writes: Vec::new(),
        rate: None,
        timeout: Nanos::secs(10),
        round_trips: 1,
        idempotent: false,
        sends: Size(0),
        receives: Size(0),
        retry: Retry {
            tries: 1,
            wait: Nanos::ZERO,
            factor_milli: 1_000,
            each: Nanos::secs(10),
        },
        otherwise: None,
    }
}

impl Bench {
    /// A scenario of this length, without faults and objectives.
    pub(crate) fn new(end: Nanos) -> Self {
        let topology = Topology {
            name: "bench".into(),
            calendar: Calendar {
                zone: jiff::tz::TimeZone::UTC,
                holidays: Holidays::None,
            },
            domains: vec![
                domain("north", &[]),
                domain("south", &[]),
                domain("owner", &[]),
            ],
            networks: Vec::new(),
            nodes: vec![
                node("crown", 84, &[]),
                node("n", 1, &[0]),
                node("s", 1, &[1]),
            ],
            partitions: vec![Partition {
                id: "wave".into(),
                groups: vec![0.into()],
            }],
            groups: vec![Group {
                id: "ten".into(),
                partition: PartitionId(0),
                sites: vec![SiteRange {
                    node: CROWN,
                    first: 0,
                    end: 10,
                }],
            }],
            links: Vec::new(),
            access: Vec::new(),
            services: vec![app()],
            populations: vec![Population {
                id: "staff".into(),
                at: vec![(CROWN, 840)],
                access: Vec::new(),
                hours: None,
                demand: Vec::new(),
                makes: vec![(WORK, Rate::per_second(1))],
            }],
            journeys: vec![work()],
            objectives: Vec::new(),
            contract: None,
            reliability: Vec::new(),
            assumed: Vec::new(),
            accepted: Vec::new(),
            on_miss: None,
            digest: "t".into(),
        };
        let scenario = Scenario {
            live: crate::binding::LivePlan::default(),
            name: "case".into(),
            path: "case.yaml".into(),
            // A Wednesday.
            start: jiff::Timestamp::from_second(1_547_625_600).unwrap_or_default(),
            steady_state: Nanos::mins(10),
            end,
            faults: Vec::new(),
            steps: Vec::new(),
            responses: Vec::new(),
            objectives: Vec::new(),
            expect: Vec::new(),
            stable_for: Nanos::secs(60),
            tags: Vec::new(),
            digest: "s".into(),
        };
        Self { topology, scenario }
    }

    /// Adds a fault of `owner`.
    pub(crate) fn fault(&mut self, id: &str, at: Nanos, until: Nanos) -> &mut Self {
        self.scenario.faults.push(FaultEntry {
            id: id.into(),
            kind: "outage",
            at,
            until,
            bounded: true,
            flap: None,
            effects: vec![Effect::Down(None)],
            targets: Vec::new(),
            against: Vec::new(),
            target_text: format!("node/{id}"),
            owners: vec![DomainId(2)],
        });
        self
    }

    /// Adds a step.
    pub(crate) fn step(&mut self, id: &str, at: Nanos) -> &mut Self {
        self.scenario.steps.push(StepEntry {
            id: id.into(),
            at,
            action: Action::FailBack(APP),
            target_text: "service/app".into(),
        });
        self
    }

    /// Adds an objective about everybody and everything.
    pub(crate) fn objective(&mut self, kind: ObjectiveKind) -> &mut Objective {
        self.scenario.objectives.push(Objective {
            id: format!("o{}", self.scenario.objectives.len()),
            kind,
            journey: None,
            population: None,
            service: None,
            level: Ppb::ONE,
            stable_for: None,
            fault: None,
            from_fault_end: false,
            excluding: Vec::new(),
            during: During::All,
            window: None,
            source: "scenario".into(),
        });
        let last = self.scenario.objectives.len() - 1;
        &mut self.scenario.objectives[last]
    }

    pub(crate) fn plan(&self) -> Plan<'_> {
        Plan::new(&self.topology, &self.scenario, 1)
    }

    /// A journal in which everybody is served throughout and every fault bit.
    pub(crate) fn journal(&self) -> Journal {
        let plan = self.plan();
        let fault = |entry: &FaultEntry| FaultRecord {
            from: entry.at,
            to: entry.until,
            bite: Some((entry.at, "a check met it".into())),
            effect_to: entry.until,
        };
        let step = |entry: &StepEntry| StepRecord {
            at: entry.at,
            outcome: "done".into(),
        };
        Journal {
            seed: 1,
            series: all_served(&plan.cells),
            faults: self.scenario.faults.iter().map(fault).collect(),
            steps: self.scenario.steps.iter().map(step).collect(),
            ..Journal::empty(Engine::Simulate, &plan)
        }
    }

    /// Judges.
    pub(crate) fn judge(&self, journal: &Journal) -> Outcome {
        crate::judge::judge(&self.plan(), journal, Vec::new())
    }

    /// Judges one objective with one finding.
    pub(crate) fn finding(&self, journal: &Journal) -> Finding {
        let mut findings = self.judge(journal).findings;
        assert_eq!(findings.len(), 1, "one finding is expected");
        findings.remove(0)
    }
}

fn all_served(cells: &[Cell]) -> Vec<Series> {
    let series = |(cell, one): (usize, &Cell)| Series {
        cell,
        journey: WORK,
        steps: vec![Step {
            at: Nanos::secs(-600),
            served: one.users * USER,
            degraded: 0,
        }],
        worst_latency: Nanos::millis(80),
    };
    cells.iter().enumerate().map(series).collect()
}

/// Takes so many users of each cell out over the spans, which are in order.
pub(crate) fn take_out(series: &mut Series, cells: &[Cell], spans: &[(Nanos, Nanos, u64)]) {
    let all = cells[series.cell].users * USER;
    for &(from, to, users) in spans {
        let served = all - (users * USER).min(all);
        series.steps.push(Step {
            at: from,
            served,
            degraded: 0,
        });
        series.steps.push(Step {
            at: to,
            served: all,
            degraded: 0,
        });
    }
}

/// Everybody out over these spans.
pub(crate) fn all_out(journal: &mut Journal, spans: &[(Nanos, Nanos)]) {
    let spans: Vec<_> = spans
        .iter()
        .map(|&(from, to)| (from, to, u64::MAX / USER))
        .collect();
    for series in &mut journal.series {
        take_out(series, &journal.cells, &spans);
    }
}

/// A solo run of a cause, in which everybody is out over these spans.
pub(crate) fn solo(journal: &mut Journal, cause: Cause, spans: &[(Nanos, Nanos)]) {
    let mut alone = Journal {
        series: all_served(&journal.cells),
        ..journal.clone()
    };
    all_out(&mut alone, spans);
    journal.solos.push(Solo {
        cause,
        series: alone.series,
    });
}

/// A decision about `app` because of the first fault.
pub(crate) fn decision(at: Nanos, kind: DecisionKind) -> Decision {
    Decision {
        at,
        kind,
        subject: "service/app/north".into(),
        faults: vec![0],
        service: Some(APP),
    }
}
