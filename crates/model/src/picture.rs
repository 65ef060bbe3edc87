//! What a report draws beside the figures: where things stand, what was done to them, what took
//! over. It decides nothing and is no part of `assize/verdict/v1`.

use crate::journal::DecisionKind;
use assize_fault::Nanos;

/// The network and what happened to it, by name.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The scenario's file, as given.
    pub path: String,
    /// Whether the scenario's live plan was laid over it.
    pub live: bool,
    /// Nodes and site classes.
    pub places: Vec<Place>,
    /// Links.
    pub links: Vec<Line>,
    /// Replicas of services, in the order of the services.
    pub replicas: Vec<Hosted>,
    /// Of each fault, on for and off for, if it comes and goes.
    pub flaps: Vec<Option<(Nanos, Nanos)>>,
    /// Decisions of the control plane and of people, in order of time.
    pub events: Vec<Event>,
    /// Restores from backup, in order of time.
    pub drills: Vec<Drill>,
}

/// A node or a class of like sites.
#[derive(Clone, Debug)]
pub struct Place {
    /// Name.
    pub id: String,
    /// `site`, `switch`, …
    pub kind: String,
    /// How many like sites.
    pub count: u32,
    /// The data centre that it lies in; several if its units lie apart.
    pub zone: String,
    /// Users who sit there.
    pub users: u64,
    /// What was done to it or to what runs on it.
    pub marks: Vec<Mark>,
    /// What served here instead of another: replicas, or the other unit.
    pub instead: Vec<String>,
}

/// A link, or the circuits of site classes.
#[derive(Clone, Debug)]
pub struct Line {
    /// Name.
    pub id: String,
    /// Indices of the places at the near end.
    pub from: Vec<usize>,
    /// Index of the place at the far end.
    pub to: usize,
    /// `fibre`, `lte`, …; may be empty.
    pub medium: String,
    /// It carries traffic only after activation.
    pub standby: bool,
    /// What was done to it.
    pub marks: Vec<Mark>,
    /// When it came into service instead of another.
    pub activated: Option<Nanos>,
}

/// What a fault did to an element.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Index of the fault.
    pub fault: usize,
    /// How much of the element, in words: `180 of 780 circuits`, `service/db/a`; empty for all.
    pub part: String,
}

/// A replica of a service.
#[derive(Clone, Debug)]
pub struct Hosted {
    /// The service.
    pub service: String,
    /// The replica.
    pub replica: String,
    /// Where it runs.
    pub at: String,
    /// Whether it is the home replica, where that matters.
    pub primary: bool,
}

/// A decision.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, from the start.
    pub at: Nanos,
    /// What kind.
    pub kind: DecisionKind,
    /// The element, as a selector.
    pub subject: String,
    /// Indices of the faults that had failed the element.
    pub faults: Vec<usize>,
}

/// A restore from backup.
#[derive(Clone, Debug)]
pub struct Drill {
    /// The service.
    pub service: String,
    /// The schedule.
    pub backup: String,
    /// When the backup began, from the start: its recovery point.
    pub point: Nanos,
    /// When the restore began.
    pub from: Nanos,
    /// When it was done, or found to be bad.
    pub to: Nanos,
    /// Whether the data was good.
    pub good: bool,
}
