//! What a topology says about the real thing: which system stands behind a service, and what a
//! journey asks of it. Data only; secrets are named here and never held.

use crate::ids::ServiceId;
use assize_fault::Nanos;
use std::path::PathBuf;

/// The names of all drivers, in the order of their registry.
pub const DRIVERS: [&str; 5] = ["tcp", "http", "postgres", "exec", "process"];

/// What commands of a binding may do; their contract is in `docs/BINDINGS.md`.
pub const VERBS: [&str; 13] = [
    "start", "ready", "stop", "check", "role", "write", "read", "held", "promote", "follow",
    "backup", "restore", "damage",
];

/// How a service is realised in a live run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Realisation {
    /// By an embedded stand-in.
    StandIn(StandIn),
    /// By the user's own system.
    Bound(Binding),
}

/// The kind of an embedded stand-in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StandIn {
    /// An HTTP service; the default for a service without state.
    Http,
    /// A store with replication and backups; the default for a service with state.
    Store,
    /// Sign-in over RADIUS.
    Radius,
    /// Names over DNS.
    Dns,
}

/// How a stand-in differs from what the topology says of it: for tests of the harness itself,
/// which must see and name the difference. No prediction knows of it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Knobs {
    /// How long a promotion takes; `None`: as the topology says.
    pub promote: Option<Nanos>,
    /// What it does wrong.
    pub misbehaves: Vec<Misbehaviour>,
}

/// Something that a stand-in does wrong, in silence.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Misbehaviour {
    /// It acknowledges every tenth write and does not keep it.
    DropsWrites,
    /// It forgets its third write once it has ten more.
    ForgetsOld,
    /// It reads as if the newest write were not there.
    StaleReads,
    /// It keeps every tenth write twice.
    Duplicates,
    /// It changes one row after a restore has been verified.
    CorruptsRestore,
    /// It says that it has been promoted, and stays a standby.
    NeverPromotes,
    /// It goes on taking writes when it is told to follow.
    NeverStepsDown,
    /// Its health check passes, whatever its users see.
    CheckGreen,
}

impl Misbehaviour {
    /// All, by the words that files use.
    pub const ALL: [(&'static str, Self); 8] = [
        ("drops-writes", Self::DropsWrites),
        ("forgets-old", Self::ForgetsOld),
        ("stale-reads", Self::StaleReads),
        ("duplicates", Self::Duplicates),
        ("corrupts-restore", Self::CorruptsRestore),
        ("never-promotes", Self::NeverPromotes),
        ("never-steps-down", Self::NeverStepsDown),
        ("check-green", Self::CheckGreen),
    ];
}

/// A real service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// Which driver, by its name in the registry: `tcp`, `http`, `postgres`, `exec`, `process`.
    pub driver: String,
    /// `host:port` of each replica, by index.
    pub addresses: Vec<String>,
    /// Data source of a database, by the name of an environment variable that holds it.
    pub dsn: Option<EnvVar>,
    /// Further addresses that the system's own control plane uses. Each replica has a proxy to each
    /// of them, which faults of the replica cut as well.
    pub peers: Vec<String>,
    /// What a health check asks: a path for `http`.
    pub health: Option<String>,
    /// Commands by what they do (`start`, `ready`, `write`, `read`, `promote`, `backup`, `restore`, …),
    /// each a program with its arguments, by replica where they differ.
    pub commands: Vec<Command>,
    /// The folder of the file that names the driver: commands run there.
    pub folder: PathBuf,
}

/// The name of an environment variable. Its value is read when it is needed and never written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EnvVar(pub String);

/// A command of a binding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// What it does.
    pub verb: String,
    /// For one replica; `None`: for each.
    pub replica: Option<u16>,
    /// Program and arguments; `{replica}`, `{host}` and `{port}` are replaced.
    pub argv: Vec<String>,
}

/// What a journey asks in a live run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// An HTTP request.
    Http {
        /// The service that is asked.
        to: ServiceId,
        /// Method.
        method: String,
        /// Path and query.
        path: String,
        /// Body; `{id}`, `{sequence}` and `{hash}` are replaced by the ledger entry's.
        body: Option<String>,
        /// Statuses that count as served; empty: 200 to 399.
        expect: Vec<u16>,
    },
    /// An SQL statement.
    Sql {
        /// The service that is asked.
        to: ServiceId,
        /// The statement.
        statement: String,
    },
    /// A ledger entry, written and read back by the driver.
    Ledger {
        /// The service.
        to: ServiceId,
    },
    /// A command; exit code 0 counts as served.
    Exec {
        /// Program and arguments.
        argv: Vec<String>,
        /// The folder of the file that says so: the command runs there.
        folder: PathBuf,
    },
}

/// What a scenario says about its live run. The timeline of the live plan is in the scenario
/// already: the file is read with `live:` applied.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LivePlan {
    /// Whether the scenario has a `live:` section: it says that it is fit for a live run.
    pub stated: bool,
    /// Whether the file was read with it applied: the timeline is that of the live run.
    pub applied: bool,
    /// Phases per cache: a divisor of 64. Default 8.
    pub phases: u8,
    /// Model seconds per wall second; `None`: as many as the machine permits, up to 20.
    pub pace: Option<u32>,
    /// End early when every journey has been up for so long.
    pub until_stable: Option<Nanos>,
    /// Stop, and lift every fault, when one of these holds.
    pub abort_if: Vec<AbortIf>,
    /// Timers of the topology that are shorter are as long as this in the live plan; 0: all stay.
    pub shortest_timer: Nanos,
}

impl Default for LivePlan {
    fn default() -> Self {
        Self {
            stated: false,
            applied: false,
            phases: 8,
            pace: None,
            until_stable: None,
            abort_if: Vec::new(),
            shortest_timer: Nanos::ZERO,
        }
    }
}

/// A condition under which a live run is stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AbortIf {
    /// The journey whose served share is watched.
    pub journey: crate::ids::JourneyId,
    /// It is below this share …
    pub below: assize_fault::Ppb,
    /// … for so long.
    pub for_: Nanos,
}
