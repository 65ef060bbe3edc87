//! Faults on elements: one file each, and one line each in `REGISTRY`.
//!
//! A fault's file holds its manual (the text at its top), the targets that it is allowed, and
//! the reader of its parameters. What the effects do is not said here: both engines carry them
//! out.

use crate::file::cx::{Fields, same_word};
use crate::scenario::{Flap, Target};
use assize_fault::{Bandwidth, Nanos, Ppb};

mod address_assignment_failure;
mod bad_backup;
mod capacity_loss;
mod certificate_expiry;
mod clock_skew;
mod configuration_push;
mod controller_failover;
mod corruption;
mod degrade;
mod deletion;
mod detection_delay;
mod duplicate_requests;
mod fail_open_check;
mod failed_promotion;
mod flap;
mod isolate;
mod lying_check;
mod name_failure;
mod outage;
mod partition;
mod replication_stop;
mod shard_outage;
mod sign_in_failure;
mod slow_restore;

/// A fault, as the registry knows it.
pub struct FaultKind {
    /// Its name in a file, in kebab case.
    pub name: &'static str,
    source: &'static str,
    targets: &'static [On],
    read: fn(&Fields<'_>, &mut Params),
}

/// Kinds of element that a fault may be on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum On {
    Node,
    Unit,
    Part,
    Link,
    Service,
    Replica,
    Shard,
    Flow,
}

/// Everything that can fail.
const ANY: &[On] = &[
    On::Node,
    On::Unit,
    On::Part,
    On::Link,
    On::Service,
    On::Replica,
    On::Shard,
    On::Flow,
];
/// What has two sides.
const PLACES: &[On] = &[On::Node, On::Link, On::Service, On::Replica, On::Flow];
/// What carries load.
const LOADED: &[On] = &[On::Link, On::Service, On::Replica];
/// What can be worse without being out.
const WORSE: &[On] = &[On::Node, On::Part, On::Link, On::Service, On::Replica];
const SERVICES: &[On] = &[On::Service, On::Replica];
const SHARDS: &[On] = &[On::Shard, On::Replica];

/// What a fault's reader finds.
#[derive(Default)]
pub(crate) struct Params {
    pub effects: Vec<Effect>,
    pub flap: Option<Flap>,
    /// The field that names the far side.
    pub against: Option<&'static str>,
    /// The far side must be given unless the target is cut along its length.
    pub against_required: bool,
    /// It is on at the sites of some groups, and ends at each in its turn.
    pub waves: bool,
}

macro_rules! registry {
    ($($module:ident $name:literal;)*) => {
        /// Every fault, in alphabetical order.
        const REGISTRY: &[FaultKind] = &[$(FaultKind {
            name: $name,
            source: include_str!(concat!(stringify!($module), ".rs")),
            targets: $module::TARGETS,
            read: $module::read,
        }),*];
    };
}
registry! {
    address_assignment_failure "address-assignment-failure";
    bad_backup "bad-backup";
    capacity_loss "capacity-loss";
    certificate_expiry "certificate-expiry";
    clock_skew "clock-skew";
    configuration_push "configuration-push";
    controller_failover "controller-failover";
    corruption "corruption";
    degrade "degrade";
    deletion "deletion";
    detection_delay "detection-delay";
    duplicate_requests "duplicate-requests";
    fail_open_check "fail-open-check";
    failed_promotion "failed-promotion";
    flap "flap";
    isolate "isolate";
    lying_check "lying-check";
    name_failure "name-failure";
    outage "outage";
    partition "partition";
    replication_stop "replication-stop";
    shard_outage "shard-outage";
    sign_in_failure "sign-in-failure";
    slow_restore "slow-restore";
}

/// Every fault, in alphabetical order.
#[must_use]
pub fn all() -> &'static [FaultKind] {
    REGISTRY
}

/// The fault with this name (`_` counts as `-`).
#[must_use]
pub fn find(name: &str) -> Option<&'static FaultKind> {
    REGISTRY.iter().find(|k| same_word(k.name, name))
}

/// The manual of a fault, as text.
#[must_use]
pub fn manual(name: &str) -> Option<String> {
    find(name).map(FaultKind::manual)
}

impl FaultKind {
    /// What it does, its targets, its parameters, what proves its bite, what it stands for.
    #[must_use]
    pub fn manual(&self) -> String {
        let lines = self
            .source
            .lines()
            .map_while(|line| line.strip_prefix("//!"));
        let text: Vec<&str> = lines
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        text.join("\n")
    }

    /// The first sentence of the manual.
    #[must_use]
    pub fn summary(&self) -> String {
        let manual = self.manual();
        let first = manual.split("\n\n").next().unwrap_or("");
        first.replace('\n', " ")
    }

    pub(crate) fn read(&self, f: &Fields<'_>) -> Params {
        let mut params = Params::default();
        (self.read)(f, &mut params);
        params
    }

    /// Whether the fault may be on this element; if not, what it may be on.
    pub(crate) fn allows(&self, target: &Target) -> Result<(), String> {
        let on = match target {
            Target::Node(..) => On::Node,
            Target::NodeReplica(..) => On::Unit,
            Target::Part(..) => On::Part,
            Target::Link(..) => On::Link,
            Target::Service(_) => On::Service,
            Target::Replica(..) | Target::Primary(_) => On::Replica,
            Target::Shard(..) => On::Shard,
            Target::Flow(..) => On::Flow,
            Target::Access(_) => {
                return Err("an access path cannot fail; what it goes through can".into());
            }
        };
        if self.targets.contains(&on) {
            return Ok(());
        }
        let names: Vec<&str> = self.targets.iter().map(|t| t.selector()).collect();
        Err(format!("`{}` is for {}", self.name, names.join(", ")))
    }
}

impl On {
    fn selector(self) -> &'static str {
        match self {
            Self::Node => "`node/NAME`",
            Self::Unit => "`node/NAME/UNIT`",
            Self::Part => "`node/NAME/PART`",
            Self::Link => "`link/NAME`",
            Self::Service => "`service/NAME`",
            Self::Replica => "`service/NAME/REPLICA`",
            Self::Shard => "`service/NAME/NUMBER`",
            Self::Flow => "`flow/A->B`",
        }
    }
}

impl std::fmt::Debug for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FaultKind")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// `how: blackhole|refuse`.
pub(crate) fn how(f: &Fields<'_>) -> Option<How> {
    let words = [
        ("blackhole", How::BlackHole),
        ("black-hole", How::BlackHole),
        ("refuse", How::Refuse),
    ];
    f.choice("how", &words)
}

/// What a fault does to its targets while it is on. Both engines carry out these, and only these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Out of service. `None`: black hole for places, links and domains, crash for services.
    Down(Option<How>),
    /// In service, and worse.
    Degrade(Degrade),
    /// This share of the capacity (of a service, a link's bandwidth, a part's units) is left.
    Capacity(Ppb),
    /// Nothing passes between targets and `against` (for a link, a flow: along it).
    Cut(Direction),
    /// The target reaches nobody, and nobody reaches it, except what is on its own node and
    /// clients at `against`.
    Isolate,
    /// Answers no request, while its machine is well: a check with `probes: host` stays green.
    NoAnswer(How),
    /// A promotion of the target does not succeed.
    PromotionFails,
    /// Health checks of the target exercise only the machine it runs on.
    CheckLies,
    /// The target neither sends nor receives writes of its peers.
    ReplicationStops,
    /// Data of the target is damaged when the fault begins; the damage replicates.
    Corrupts,
    /// Data of the target is deleted when the fault begins; the deletion replicates.
    Deletes,
    /// Backups of the target that begin while it is on cannot be restored.
    BadBackup,
    /// Restores of the target keep this share of their rate.
    RestoreSlows(Ppb),
    /// Checks of the target that get no answer count as passed.
    CheckFailsOpen,
    /// Each request to the target arrives so many times.
    Repeated(u32),
    /// What users hold of the services at `against`, over accesses that lead through the node of
    /// the target, is void when its active unit fails.
    SessionsLost,
    /// People do not come to know of faults on the target.
    Unwatched,
}

/// How an element fails.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum How {
    /// Packets vanish: clients learn by their own timeouts.
    BlackHole,
    /// Connections are refused or reset: clients learn at once.
    Refuse,
}

/// Which way packets do not pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Neither way.
    Both,
    /// Not from the targets to the far side.
    Out,
    /// Not from the far side to the targets.
    In,
}

/// How much worse.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Degrade {
    /// Added one-way delay.
    pub latency: Nanos,
    /// Added variation, half-width; counts in full against a timeout.
    pub jitter: Nanos,
    /// Added packet loss.
    pub loss: Ppb,
    /// Bandwidth left, if limited.
    pub bandwidth: Option<Bandwidth>,
    /// Share of requests that end in an error.
    pub errors: Ppb,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_whole_manual() {
        for kind in all() {
            let manual = kind.manual();
            for part in ["Targets: ", "Parameters", "Bites when ", "Stands for: "] {
                assert!(manual.contains(part), "{} lacks `{part}`", kind.name);
            }
            assert!(!kind.summary().contains("Targets"), "{}", kind.name);
        }
    }

    #[test]
    fn names_are_found_in_either_case_and_sorted() {
        assert_eq!(find("lying_check").map(|k| k.name), Some("lying-check"));
        assert!(find("lying check").is_none());
        assert!(all().windows(2).all(|w| w[0].name < w[1].name));
    }
}
