//! What tasks tell the director.

use super::Checked;
use crate::replica::{BackupReport, Held, Role, Trouble};
use crate::users::Attempted;
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::observation::Observation;

/// What tasks tell the director.
#[derive(Debug)]
pub(crate) enum Report {
    /// An attempt of a representative is over.
    Attempted(Attempted),
    /// A health check is over.
    Checked(Checked),
    /// A replica of a system that fails over by itself says something new of itself.
    Role {
        service: usize,
        replica: u16,
        role: Role,
    },
    /// A promotion is over.
    Promoted {
        service: usize,
        replica: u16,
        began: Nanos,
        outcome: Result<(), Trouble>,
    },
    /// A replica follows the primary, or does not.
    Followed {
        service: usize,
        replica: u16,
        outcome: Result<(), Trouble>,
    },
    /// A fault is on or off at a replica, or could not be switched.
    Effected {
        fault: usize,
        service: usize,
        what: String,
        on: bool,
        outcome: Result<(), Trouble>,
    },
    /// A backup is made, or not.
    BackedUp {
        service: usize,
        run: usize,
        outcome: Result<BackupReport, Trouble>,
    },
    /// A restore is over.
    Restored {
        service: usize,
        run: usize,
        replica: u16,
        began: Nanos,
        outcome: Result<BackupReport, Trouble>,
    },
    /// What replicas hold, by replica, as far as they could be asked.
    Held {
        service: usize,
        is_final: bool,
        at: Nanos,
        held: Vec<(u16, Result<Vec<Held>, Trouble>)>,
    },
    /// A client renewed what it keeps of a need, or did not.
    Renewed {
        flow: Option<usize>,
        service: ServiceId,
        replica: u16,
        began: Nanos,
        trouble: Option<Trouble>,
    },
    /// Something to be recorded as it is.
    Observed(Observation),
}
