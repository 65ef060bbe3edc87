//! A topology after validation: every name resolved, every default filled in.
//!
//! The fields are readable everywhere, but only `file` builds one (`non_exhaustive`), so a
//! `Topology` that exists is one whose references hold.

use crate::binding::{Knobs, Realisation, Request};
use crate::calendar::{Calendar, Hours, TimeOfDay};
use crate::ids::{
    AccessId, DomainId, GroupId, JourneyId, LinkId, NetworkId, NodeId, PartitionId, PopulationId,
    ServiceId,
};
use crate::objective::Objective;
use assize_fault::{Bandwidth, Nanos, Ppb, Rate, Size};

/// An organisation's network, what depends on it, and the targets it must meet.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Topology {
    /// `name:` of the file.
    pub name: String,
    /// Time zone and bank holidays.
    pub calendar: Calendar,
    /// Failure domains and owners.
    pub domains: Vec<Domain>,
    /// Networks, in order of first mention.
    pub networks: Vec<String>,
    /// Nodes and site classes.
    pub nodes: Vec<Node>,
    /// Partitions of sites.
    pub partitions: Vec<Partition>,
    /// Groups of all partitions.
    pub groups: Vec<Group>,
    /// Links.
    pub links: Vec<Link>,
    /// Access paths.
    pub access: Vec<Access>,
    /// Services.
    pub services: Vec<Service>,
    /// Populations.
    pub populations: Vec<Population>,
    /// Journeys.
    pub journeys: Vec<Journey>,
    /// Objectives by name; a scenario selects among them or adds its own.
    pub objectives: Vec<Objective>,
    /// What its supplier promises.
    pub contract: Option<crate::contract::Contract>,
    /// How often elements are out, for `analyse`.
    pub reliability: Vec<Reliability>,
    /// Provenance by path.
    pub assumed: Vec<Assumed>,
    /// Known weaknesses, owned and dated.
    pub accepted: Vec<Accepted>,
    /// A sentence for the last line of a run that misses objectives, `on_miss:` of the file.
    pub on_miss: Option<String>,
    /// SHA-256 over the canonical form of the merged document, in hexadecimal.
    pub digest: String,
}

/// A set of elements that fail together, or that one party owns.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Name.
    pub id: String,
    /// `supplier`, `data-centre`, `duct`, `power`, `platform`, …; free text.
    pub kind: String,
    /// Domains that this one lies in.
    pub parents: Vec<DomainId>,
}

/// A place that can fail, or a class of like sites.
#[derive(Clone, Debug)]
pub struct Node {
    /// Name.
    pub id: String,
    /// `site`, `switch`, `router`, `firewall`, `wifi-controller`, `data-centre`, `cloud`,
    /// `internet`, …; free text except for what `transit` says.
    pub kind: String,
    /// Whether paths may pass through (sites, data centres and cloud regions carry none).
    pub transit: bool,
    /// How many like sites; 1 for a single node.
    pub count: u32,
    /// Whether `count:` was given, so that elements of it can be numbered and narrowed.
    pub class: bool,
    /// Parts of each site.
    pub parts: Vec<Part>,
    /// The node's own redundancy; empty when it has none.
    pub replicas: Vec<NodeReplica>,
    /// How long the node is out when its active replica fails and another takes over.
    pub switch_over: Nanos,
    /// Domains that it lies in (directly).
    pub domains: Vec<DomainId>,
}

/// A part of each site of a node, such as its access points.
#[derive(Clone, Debug)]
pub struct Part {
    /// Name.
    pub id: String,
    /// `access-point`, `router`, …
    pub kind: String,
    /// How many per site.
    pub count: u32,
    /// Domains that it lies in (directly).
    pub domains: Vec<DomainId>,
}

/// One of several units that make up a redundant node.
#[derive(Clone, Debug)]
pub struct NodeReplica {
    /// Name.
    pub id: String,
    /// Domains that it lies in (directly).
    pub domains: Vec<DomainId>,
}

/// Joins nodes: each of `from` to `to`.
#[derive(Clone, Debug)]
pub struct Link {
    /// Name.
    pub id: String,
    /// The nodes or site classes at the near end; one circuit per site of a class.
    pub from: Vec<NodeId>,
    /// The node at the far end; never a class.
    pub to: NodeId,
    /// Networks that it carries; empty means all.
    pub carries: Vec<NetworkId>,
    /// Routing cost; the cheapest path is taken. Default 1.
    pub cost: u32,
    /// One-way delay.
    pub latency: Nanos,
    /// Shared by all flows on one circuit; `None` never binds.
    pub bandwidth: Option<Bandwidth>,
    /// Packet loss in normal service.
    pub loss: Ppb,
    /// `fibre`, `lte`, …; free text.
    pub medium: String,
    /// From failure (or repair) to the control plane noticing.
    pub detect: Nanos,
    /// From noticing to traffic on the new path.
    pub converge: Nanos,
    /// Links that this one runs over: it falls with them.
    pub over: Vec<LinkId>,
    /// Set when the link carries traffic only after activation.
    pub standby: Option<Standby>,
    /// Domains that it lies in (directly).
    pub domains: Vec<DomainId>,
}

/// How a standby link or access comes into service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standby {
    /// From activation to service.
    pub activates_in: Nanos,
    /// Whether it activates by itself when the regular path is believed down, or by a step.
    pub automatic: bool,
}

/// A way of cutting all sites into groups; the groups of one partition are disjoint.
#[derive(Clone, Debug)]
pub struct Partition {
    /// Name, such as `wave`.
    pub id: String,
    /// Its groups, in file order.
    pub groups: Vec<GroupId>,
}

/// Sites of one group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Name.
    pub id: String,
    /// The partition.
    pub partition: PartitionId,
    /// Sites.
    pub sites: Vec<SiteRange>,
}

/// Sites `first..end` of a class.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct SiteRange {
    /// The class.
    pub node: NodeId,
    /// The first site, counted from 0.
    pub first: u32,
    /// One past the last.
    pub end: u32,
}

/// A way for a population to reach the network.
#[derive(Clone, Debug)]
pub struct Access {
    /// Name.
    pub id: String,
    /// Links that the first hop must use (or run over); empty: any link of the site.
    pub first_links: Vec<LinkId>,
    /// Parts of the user's own site that must work (matched by name on each class).
    pub parts: Vec<String>,
    /// Nodes that the traffic passes through, in order, before it goes to the service.
    pub through: Vec<NodeId>,
    /// What the client needs, with its caches.
    pub needs: Vec<Need>,
    /// How long a user fails on the preferred access before changing to this one.
    pub after: Nanos,
    /// Share of the users who join anew per unit of time, if any.
    pub joins: Option<Rate>,
    /// Set when the access serves only after activation.
    pub standby: Option<Standby>,
}

/// A service that a client needs before it can use its access.
#[derive(Clone, Debug)]
pub struct Need {
    /// The service.
    pub service: ServiceId,
    /// The client's cache; `None`: asked at every attempt.
    pub cache: Option<LeaseSpec>,
    /// How long one try to obtain it lasts, as seen by a queue.
    pub try_lasts: Nanos,
    /// The pause after a failed try.
    pub try_again: Nanos,
}

/// A lease, ticket or session that a client keeps.
#[derive(Clone, Debug)]
pub struct LeaseSpec {
    /// Age at which the client renews.
    pub renew: Nanos,
    /// Age at which it is no longer valid. At least `renew`.
    pub expire: Nanos,
    /// Everyone obtained it when service hours opened, instead of evenly over time.
    pub aligned: bool,
}

/// What users need.
#[derive(Clone, Debug)]
pub struct Service {
    /// Name.
    pub id: String,
    /// How its replicas share the work.
    pub mode: Mode,
    /// Its replicas; the first with role primary is the home replica.
    pub replicas: Vec<Replica>,
    /// Networks it is reached from; empty means all.
    pub reach: Vec<NetworkId>,
    /// What happens when a replica fails; `None`: nothing by itself.
    pub failover: Option<Failover>,
    /// What its replicas need to serve.
    pub depends: Depends,
    /// Requests per second that one serving replica can handle; `None` never binds.
    pub capacity: Option<Rate>,
    /// The queue in front of each serving replica.
    pub queue: QueueSpec,
    /// Time to serve one request.
    pub service_time: Nanos,
    /// What it must not lose; `None` for a stateless service.
    pub state: Option<State>,
    /// Number of shards; 1 unless `mode: sharded`.
    pub shards: u32,
    /// Services with the same key put the same users into the shards of the same number. The
    /// service's own name unless the file says otherwise.
    pub shard_key: String,
    /// Domains of the service itself (its platform, its supplier).
    pub domains: Vec<DomainId>,
    /// What stands behind it in a live run.
    pub realised: Realisation,
    /// What its stand-in does wrong, in tests of the harness.
    pub knobs: Knobs,
}

/// How replicas share the work.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    /// One replica.
    Single,
    /// All serve; a failed one is ejected.
    ActiveActive,
    /// One serves; a standby is promoted.
    ActiveStandby,
    /// A leader serves while a majority of the replicas reach each other.
    Quorum,
    /// Shards spread over the replicas.
    Sharded,
}

/// One instance of a service.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Name.
    pub id: String,
    /// Where it runs. Never a class.
    pub at: NodeId,
    /// Whether it is the home replica (primary).
    pub primary: bool,
    /// Domains beyond those of its node.
    pub domains: Vec<DomainId>,
}

/// What happens when a replica fails.
#[derive(Clone, Debug)]
pub struct Failover {
    /// The system does it itself; the harness only watches.
    pub external: bool,
    /// How failure is noticed.
    pub check: Check,
    /// From the decision to the standby serving.
    pub promote: Nanos,
    /// How long clients keep the old address: zero for a virtual address.
    pub dns_ttl: Nanos,
    /// How long the home replica must be well before traffic returns; `None`: never.
    pub failback: Option<Nanos>,
    /// What an old primary does when it returns.
    pub rejoin: Rejoin,
    /// Send traffic to all when every replica looks bad.
    pub fail_open: bool,
}

/// A health check. Checks start every `every`, start to start.
#[derive(Clone, Debug)]
pub struct Check {
    /// Interval from start to start.
    pub every: Nanos,
    /// A check without an answer fails after this long.
    pub timeout: Nanos,
    /// Consecutive failures to call a replica down.
    pub fall: u32,
    /// Consecutive successes to call it up again.
    pub rise: u32,
    /// Where checks start from; a majority decides. Empty: from beside the replica's clients,
    /// that is, nothing between checker and replica but the replica's own node.
    pub from: Vec<NodeId>,
    /// When the first check starts, from the scenario's start; `None`: drawn from the seed.
    pub phase: Option<Nanos>,
    /// Whether the check exercises the service, or only the machine it runs on.
    pub probes: Probes,
}

/// What a health check exercises.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Probes {
    /// The service itself, end to end (its hard dependencies included).
    Service,
    /// Only that the machine answers: stays green while the service is dead.
    Host,
}

/// What an old primary does with writes that nobody else has, when it returns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rejoin {
    /// Discards them and follows the new primary.
    Rewind,
    /// Hands them over, then follows.
    Merge,
    /// Takes over again with what it has: the other's writes are lost.
    AsPrimary,
}

/// What a replica of a service needs, reached from its node.
#[derive(Clone, Debug, Default)]
pub struct Depends {
    /// Each of these.
    pub all_of: Vec<Dependency>,
    /// At least one of each list.
    pub any_of: Vec<Vec<Dependency>>,
}

/// One dependency.
#[derive(Clone, Debug)]
pub struct Dependency {
    /// The service.
    pub service: ServiceId,
    /// Capacity left without it; `None`: hard, nothing works without it.
    pub soft: Option<Ppb>,
}

/// The queue in front of a replica.
#[derive(Clone, Debug, Default)]
pub struct QueueSpec {
    /// How much it holds; `None`: without bound in the modelled system.
    pub max: Option<u64>,
    /// What happens to work that finds it full.
    pub when_full: WhenFull,
    /// Age at which waiting work is thrown away unserved; `None`: stale work is served.
    pub stale_after: Option<Nanos>,
}

/// What happens to work that finds a queue full.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WhenFull {
    /// The client is told at once.
    #[default]
    Refuse,
    /// The client learns by its own timeout.
    Drop,
}

/// What a service must not lose.
#[derive(Clone, Debug)]
pub struct State {
    /// How replicas get the writes; `None`: not replicated.
    pub replication: Option<Replication>,
    /// Backups.
    pub backups: Vec<Backup>,
}

/// How replicas get the writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Replication {
    /// A write is acknowledged when all (for a quorum: a majority) have it.
    Sync,
    /// What has come since is shipped every so often, over the path between the replicas.
    Async {
        /// Interval.
        every: Nanos,
        /// First shipment, from the scenario's start.
        phase: Nanos,
    },
}

/// A backup schedule. Its recovery point is the instant at which the backup *began*.
#[derive(Clone, Debug)]
pub struct Backup {
    /// Name, `backup` and a number unless given.
    pub id: String,
    /// Interval.
    pub every: Nanos,
    /// Time of day of the first one of a day, in the topology's time zone; `None`: counted
    /// from the scenario's start.
    pub at: Option<TimeOfDay>,
    /// How long one takes.
    pub takes: Nanos,
    /// Where it is kept.
    pub kept_at: NodeId,
    /// How long a restore takes: size over restore rate.
    pub restore_takes: Nanos,
    /// How much it holds.
    pub size: Size,
    /// Kept without connection, so that nothing on the network can damage it.
    pub offline: bool,
    /// Services that a restore needs, the one that keeps it included.
    pub needs: Vec<ServiceId>,
    /// When a restore from it was last tried, as the file states it.
    pub last_verified: Option<String>,
}

/// Users of one kind.
#[derive(Clone, Debug)]
pub struct Population {
    /// Name.
    pub id: String,
    /// How many users sit at each node or class (over all of its sites).
    pub at: Vec<(NodeId, u64)>,
    /// Ways to reach the network, most preferred first.
    pub access: Vec<AccessId>,
    /// Service hours; `None`: always.
    pub hours: Option<Hours>,
    /// Windows in which demand is multiplied (thousandths).
    pub demand: Vec<(Hours, u64)>,
    /// Journeys, with attempts per user.
    pub makes: Vec<(JourneyId, Rate)>,
}

/// What a user does end to end.
#[derive(Clone, Debug)]
pub struct Journey {
    /// Name.
    pub id: String,
    /// Services called, in order; all must answer.
    pub calls: Vec<ServiceId>,
    /// The stateful services that it writes to (called as well).
    pub writes: Vec<ServiceId>,
    /// Attempts of the whole journey per unit of time, over all users; overrides `makes`.
    pub rate: Option<Rate>,
    /// Bounds the whole attempt.
    pub timeout: Nanos,
    /// Exchanges with each service called.
    pub round_trips: u32,
    /// A write that is tried again is recognised, and done once.
    pub idempotent: bool,
    /// Bytes to each service, in all.
    pub sends: Size,
    /// Bytes from each service, in all.
    pub receives: Size,
    /// Tries.
    pub retry: Retry,
    /// What people do instead.
    pub otherwise: Option<Contingency>,
    /// What it asks in a live run; `None`: a plain exchange with each service that it calls, and
    /// a ledger entry in each that it writes to.
    pub request: Option<Request>,
}

/// Tries of one attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retry {
    /// How many tries in all. 1: no retry.
    pub tries: u32,
    /// The pause before the second try.
    pub wait: Nanos,
    /// Each later pause is this many times the one before, in thousandths.
    pub factor_milli: u64,
    /// How long one try may take; the whole timeout unless given.
    pub each: Nanos,
}

/// What people do when the journey fails.
#[derive(Clone, Debug)]
pub struct Contingency {
    /// Name, such as `paper`.
    pub mode: String,
    /// Share of the failing users whom it serves.
    pub capacity: Ppb,
    /// How long a user fails before turning to it.
    pub after: Nanos,
}

/// How often elements are out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reliability {
    /// Which: a selector, in which `*` stands for anything.
    pub selector: String,
    /// The share of time in which each of them has failed, as parts and whole.
    pub unavailable: (u64, u64),
}

/// Where a figure comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assumed {
    /// Path in the file, `populations.court-staff.at`.
    pub path: String,
    /// Why, or on what ground.
    pub reason: String,
}

/// A known weakness.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The objective whose miss is accepted; `None` for a single point of failure.
    pub objective: Option<String>,
    /// Only in this scenario; `None`: in all.
    pub scenario: Option<String>,
    /// The single point of failure that is accepted, with its journey.
    pub single_point: Option<(String, Option<String>)>,
    /// Who accepts.
    pub by: String,
    /// Until when, as a date.
    pub until: String,
    /// Why.
    pub reason: String,
}

macro_rules! lookup {
    ($($name:ident: $field:ident -> $item:ty, $id:ty);* $(;)?) => {
        impl Topology {
            $(
                #[doc = concat!("The entry of `", stringify!($field), "` with this index.")]
                #[must_use]
                pub fn $name(&self, id: $id) -> &$item {
                    &self.$field[id.index()]
                }
            )*
        }
    };
}
lookup! {
    domain: domains -> Domain, DomainId;
    node: nodes -> Node, NodeId;
    link: links -> Link, LinkId;
    group: groups -> Group, GroupId;
    access_path: access -> Access, AccessId;
    service: services -> Service, ServiceId;
    population: populations -> Population, PopulationId;
    journey: journeys -> Journey, JourneyId;
}

impl Topology {
    /// Whether some service is the user's own system.
    #[must_use]
    pub fn has_real(&self) -> bool {
        let mut services = self.services.iter();
        services.any(|service| matches!(service.realised, Realisation::Bound(_)))
    }

    /// The domains that `direct` lie in, and those that those lie in, each once, in index order.
    #[must_use]
    pub fn all_domains(&self, direct: &[DomainId]) -> Vec<DomainId> {
        let mut seen = vec![false; self.domains.len()];
        let mut stack = direct.to_vec();
        while let Some(id) = stack.pop() {
            if !std::mem::replace(&mut seen[id.index()], true) {
                stack.extend(&self.domain(id).parents);
            }
        }
        (0..seen.len())
            .filter(|&i| seen[i])
            .map(DomainId::from)
            .collect()
    }
}

impl Population {
    /// All users.
    #[must_use]
    pub fn users(&self) -> u64 {
        self.at.iter().map(|&(_, users)| users).sum()
    }
}
