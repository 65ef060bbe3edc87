//! One recorded fact of a live run, as it stands on one line of the journal file.
//!
//! Append-only: a reader that stops at the last whole line has a true, shorter story. What the
//! judge reads is folded from these.

use crate::journal::{Decision, ReadBack, Restore};
use assize_fault::Nanos;
use serde::{Deserialize, Serialize};

/// One fact. Times are model time from the scenario's start unless they say `wall`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Observation {
    /// The first record.
    Began {
        /// `assize/journal/v1`.
        schema: String,
        /// Name.
        topology: String,
        /// Name.
        scenario: String,
        /// Of topology and scenario as read.
        model_digest: String,
        /// The seed.
        seed: u64,
        /// RFC 3339, of the wall clock.
        wall: String,
        /// The program's version.
        version: String,
        /// What was registered before the run, if it was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bound: Option<Box<Bound>>,
    },
    /// What the machine permits, measured before anything is broken.
    Machine {
        /// Model seconds per wall second.
        pace: u32,
        /// 99th percentile of how late a timer is, on the wall.
        jitter: Nanos,
        /// Un-faulted round trip through a proxy, on the wall.
        round_trip: Nanos,
        /// Interval of probes of one representative and journey, in model time.
        probe_every: Nanos,
        /// Error of figures measured by probing: pace × (probe interval + jitter), in model time.
        resolution: Nanos,
    },
    /// A representative: number `rep`, which stands for `weight` cohorts of a cell.
    Representative {
        /// Its number; counts from 0.
        rep: u32,
        /// Index of the cell.
        cell: usize,
        /// Its cohorts, as a mask of 64.
        cohorts: u64,
    },
    /// What stands behind a service.
    TestedOn {
        /// Index of the service.
        service: usize,
        /// The user's own system, or a stand-in.
        real: bool,
    },
    /// An attempt of a representative.
    Sample {
        /// When it began; before 0 in steady state.
        #[serde(with = "plain")]
        at: Nanos,
        /// Who.
        rep: u32,
        /// Index of the journey.
        journey: usize,
        /// How long it took, in model time, from when it was due.
        #[serde(with = "plain")]
        took: Nanos,
        /// What came of it.
        served: Served,
        /// Why it failed, or empty.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// A probe through the un-faulted control path. `took` is wall time.
    Control {
        /// When.
        at: Nanos,
        /// How long, on the wall.
        took: Nanos,
        /// Whether it was answered.
        ok: bool,
    },
    /// A fault is on from now, or off.
    Fault {
        /// When.
        at: Nanos,
        /// Index in the scenario.
        fault: usize,
        /// On or off.
        on: bool,
    },
    /// Something met a fault while it was on.
    Bite {
        /// When.
        at: Nanos,
        /// Index of the fault.
        fault: usize,
        /// What.
        evidence: String,
    },
    /// A step was taken, or something more came of it.
    Step {
        /// When.
        at: Nanos,
        /// Index in the scenario.
        step: usize,
        /// In words.
        outcome: String,
    },
    /// The control plane, or people, decided.
    Decided(Decision),
    /// A replica began or ceased to serve (answers seen, not a flag).
    Serves {
        /// When.
        at: Nanos,
        /// Index of the service.
        service: usize,
        /// Index of the replica.
        replica: u16,
        /// Began or ceased.
        on: bool,
    },
    /// Two replicas of a single-writer service acknowledged writes in this span.
    SplitBrain {
        /// Index of the service.
        service: usize,
        /// From.
        from: Nanos,
        /// To.
        to: Nanos,
    },
    /// A ledger was read back.
    ReadBack(ReadBack),
    /// A restore ended.
    Restored(Restore),
    /// The phases of a restore or promotion, on the wall.
    Phases {
        /// When it was over.
        at: Nanos,
        /// Index of the service.
        service: usize,
        /// What.
        what: String,
        /// Each phase and its length on the wall.
        phases: Vec<(String, Nanos)>,
    },
    /// Queued work of a service, in requests.
    Queue {
        /// When.
        at: Nanos,
        /// Index of the service.
        service: usize,
        /// Requests.
        amount: u64,
    },
    /// Requests that reached a service although every way to it was cut, or what its replicas say
    /// to each other: they went round the proxies.
    Bypassed {
        /// When.
        at: Nanos,
        /// Index of the service.
        service: usize,
        /// Evidence.
        what: String,
    },
    /// A standby path, or a unit of a node, carried traffic.
    Exercised {
        /// Selector.
        element: String,
    },
    /// What was done to the world, in words (proxy, address, fault).
    Applied {
        /// When.
        at: Nanos,
        /// What.
        what: String,
    },
    /// Something that a reader should know.
    Note {
        /// When.
        at: Nanos,
        /// What.
        text: String,
    },
    /// A position in the log of a replica, as its own system says it: what figures can be checked
    /// against.
    Log {
        /// When it was said.
        at: Nanos,
        /// Index of the service.
        service: usize,
        /// Index of the replica.
        replica: u16,
        /// Bytes from the beginning of the log, which grow with every write.
        position: u64,
        /// What stands there.
        what: Logged,
    },
    /// The command of wrap mode ended.
    Command {
        /// When.
        at: Nanos,
        /// Its exit code; `None`: ended by a signal.
        code: Option<i32>,
    },
    /// The last record of a run that was not killed.
    Ended {
        /// When, in model time.
        at: Nanos,
        /// Why.
        why: Ending,
        /// Faults that could not be lifted, in words.
        left: Vec<String>,
    },
}

impl Observation {
    /// When it was, in model time; `None` for what has no instant.
    #[must_use]
    pub fn at(&self) -> Option<Nanos> {
        match self {
            Self::Began { .. }
            | Self::Machine { .. }
            | Self::Representative { .. }
            | Self::TestedOn { .. }
            | Self::Exercised { .. } => None,
            Self::Sample { at, took, .. } => Some(Nanos(at.0.saturating_add(took.0))),
            Self::Control { at, .. }
            | Self::Fault { at, .. }
            | Self::Bite { at, .. }
            | Self::Step { at, .. }
            | Self::Serves { at, .. }
            | Self::Phases { at, .. }
            | Self::Queue { at, .. }
            | Self::Bypassed { at, .. }
            | Self::Applied { at, .. }
            | Self::Note { at, .. }
            | Self::Log { at, .. }
            | Self::Command { at, .. }
            | Self::Ended { at, .. } => Some(*at),
            Self::Decided(decision) => Some(decision.at),
            Self::SplitBrain { to, .. } => Some(*to),
            Self::ReadBack(back) => Some(back.at),
            Self::Restored(restore) => Some(restore.to),
        }
    }

    /// Whether all its times are such that sums of a few of them cannot overflow. A journal file
    /// may have been written by anyone.
    pub(crate) fn is_sane(&self) -> bool {
        /// Eleven years.
        const LONGEST: i64 = 350_000_000_000_000_000;
        let sane = |at: Nanos| (-LONGEST..=LONGEST).contains(&at.0);
        match self {
            Self::Machine {
                pace,
                jitter,
                round_trip,
                probe_every,
                resolution,
            } => {
                // They are multiplied by the pace, and by numbers of outages.
                let short = |at: &Nanos| (0..=Nanos::mins(60).0).contains(&at.0);
                *pace <= 1_000
                    && [jitter, round_trip, probe_every, resolution]
                        .into_iter()
                        .all(short)
            }
            Self::Sample { at, took, .. } => sane(*at) && sane(*took) && took.0 >= 0,
            Self::Control { at, took, .. } => {
                sane(*at) && (0..=Nanos::hours(1).0).contains(&took.0)
            }
            Self::SplitBrain { from, to, .. } => sane(*from) && sane(*to),
            Self::ReadBack(back) => {
                let optional = |at: Option<Nanos>| at.is_none_or(sane);
                let mut losses = back.losses.iter();
                sane(back.at)
                    && losses.all(|loss| {
                        sane(loss.oldest_at)
                            && sane(loss.newest_at)
                            && optional(loss.survivor_before)
                            && optional(loss.fault_at)
                    })
            }
            Self::Restored(restore) => [restore.point, restore.from, restore.to]
                .into_iter()
                .all(sane),
            other => other.at().is_none_or(sane),
        }
    }
}

/// Nanoseconds as a number: samples are many.
mod plain {
    use assize_fault::Nanos;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde asks for a reference"
    )]
    pub(super) fn serialize<S: Serializer>(value: &Nanos, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(value.0)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Nanos, D::Error> {
        Nanos::deserialize(from)
    }
}

/// What stands at a position of a log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Logged {
    /// A ledger entry that was acknowledged: the log reached at least so far.
    Acknowledged {
        /// Its writer.
        writer: u64,
        /// Its number; counts from 1 per writer.
        sequence: u64,
    },
    /// The end of what a standby had of its primary when it was promoted.
    Promoted,
    /// The end of the log when the replica, or who follows it, was found changed: in words.
    State(String),
}

/// What binds a run to what was registered before it: `docs/EVIDENCE.md`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Bound {
    /// SHA-256 of the plan; empty without one.
    pub plan: String,
    /// What the customer chose.
    pub challenge: String,
    /// Number of the attempt, from 1; 0 without a plan.
    pub attempt: u32,
    /// SHA-256 of this attempt's entry in the register; empty without a plan.
    pub entry: String,
    /// SHA-256 of the pack that came before, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// What came of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Served {
    /// Well, in time.
    Yes,
    /// By a contingency, or without a soft dependency.
    Degraded,
    /// No.
    No,
}

/// Why a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The scenario's end.
    Finished,
    /// All was stable.
    Stable,
    /// A condition of `abort_if`.
    Aborted,
    /// Ctrl-C or a signal.
    Interrupted,
}
