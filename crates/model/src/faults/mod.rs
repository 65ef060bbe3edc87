//! Faults on elements: one file each, and one line each in [`REGISTRY`].

use assize_fault::{Bandwidth, Nanos, Ppb};

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
    /// Answers no request, while health checks still see it well.
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
