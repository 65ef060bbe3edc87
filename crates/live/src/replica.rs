//! One replica of one service as the engine sees it, real or stand-in.
//!
//! Drivers (real services) and stand-ins (embedded ones) implement [`Replica`], one file each; the
//! director knows nothing else of them. Every address that is handed in is one of a proxy: nobody
//! here connects to a replica directly but for what its own host would do (start, stop, damage).

use assize_fault::{Nanos, Ppb, Size};
use assize_model::ServiceId;
use assize_model::binding::Request;
use assize_model::faults::How;
use assize_model::observation::Logged;
use assize_model::topology::{Probes, Rejoin};
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

/// A future of this crate's traits.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What carries a replica's protocol.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

/// What a replica takes itself for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// It takes writes.
    Primary,
    /// It follows another.
    Standby,
}

/// One replica of one service.
pub trait Replica: Send + Sync + fmt::Debug {
    /// Where proxies to it connect, `host:port`.
    fn upstream(&self) -> String;

    /// What carries its protocol.
    fn transport(&self) -> Transport;

    /// Whether this is the user's own system. A stand-in supports no claim about a real one.
    fn is_real(&self) -> bool;

    /// One health check through `via`; what it exercises is `probes`. The caller bounds its time.
    fn check(&self, via: SocketAddr, probes: Probes) -> Later<'_, Result<(), Trouble>>;

    /// One request of a user or of a dependent replica through `via`. The caller bounds its time;
    /// dropping the future abandons the request.
    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>>;

    /// What it takes itself for, asked over `via`.
    fn role(&self, via: SocketAddr) -> Later<'_, Result<Role, Trouble>>;

    /// Makes it take writes. The time that this takes is the system's own: nobody adds any.
    fn promote(&self) -> Later<'_, Result<(), Trouble>>;

    /// Makes it take writes again, after it stepped down for another that then could not take over.
    fn resume(&self) -> Later<'_, Result<(), Trouble>> {
        self.promote()
    }

    /// Makes it follow `primary` (its address through a proxy, as seen from this replica's host).
    fn follow(&self, primary: Way, rejoin: Rejoin) -> Later<'_, Result<(), Trouble>>;

    /// Something is wrong with it from now on (`on`), or no longer. [`Trouble::Unsupported`]:
    /// the director does it at the proxies, where that is possible.
    fn apply(&self, effect: Effect, on: bool) -> Later<'_, Result<(), Trouble>>;

    /// Every ledger entry that it holds, read through `via`.
    fn held(&self, via: SocketAddr) -> Later<'_, Result<Vec<Held>, Trouble>>;

    /// Makes a backup and moves it into a vault's folder through the network at `vault`.
    fn backup(&self, work: &Work) -> Later<'_, Result<BackupReport, Trouble>>;

    /// Replaces its data by a backup fetched through the network.
    fn restore(&self, work: &Work) -> Later<'_, Result<BackupReport, Trouble>>;

    /// The control plane has called another replica of the service down, or up again. Who
    /// replicates synchronously waits no longer for one that is down; a real system is told by its
    /// own control plane.
    fn peer(&self, _index: u16, _up: bool) {}

    /// Ends what it has started. Called once, also after failures; must not hang.
    fn stop(&self) -> Later<'_, ()>;

    /// What it has observed of itself beside what it was asked (a command that failed, a
    /// replication lag), in words, for the journal.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// Positions of its own log that it has said since it was last asked for them.
    fn log(&self) -> Vec<(u64, Logged)> {
        Vec::new()
    }

    /// Whether a copy was due since replication was last stopped by a fault, and did not leave.
    fn missed_a_copy(&self) -> bool {
        false
    }
}

/// One request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// Who asks, as a key: the representative's number, or a dependent replica's.
    pub from: u64,
    /// Users for whom it stands; a stand-in's capacity counts it so often. At least 1.
    pub weight: u64,
    /// Which of 64 cohorts (shards are chosen by it).
    pub cohort: u8,
    /// Exchanges.
    pub round_trips: u32,
    /// Bytes to the service, in all.
    pub sends: Size,
    /// Bytes from the service, in all.
    pub receives: Size,
    /// What is asked.
    pub what: What,
}

/// What a request asks; a driver that does not know a kind answers [`Trouble::Unsupported`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// An exchange of the service's own kind: a page, a lookup, a sign-in.
    Plain,
    /// Asks a name service where requests to this service go ([`Answer::replica`]). The cohort of
    /// the call is part of the question, as different cohorts may be sent to different replicas.
    Lookup(ServiceId),
    /// Writes a ledger entry.
    Write(Entry),
    /// Reads the newest entry of this writer; stale if older than what it has had acknowledged.
    Read,
    /// The journey's own request, from the file (`http:`, `sql:`, `exec:`), with the entry that it
    /// may mention.
    Request(Arc<Request>, Entry),
}

/// A ledger entry. Its content is a function of writer and sequence, so a changed byte is seen.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Entry {
    /// Writer: journey and representative.
    pub writer: u64,
    /// Counts from 1 per writer.
    pub sequence: u64,
    /// SHA-256 of the content, in hexadecimal.
    pub hash: String,
}

/// A ledger entry that a replica holds.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Held {
    /// The entry as stored.
    pub entry: Entry,
    /// The hash computed from the stored content; differs if the content was damaged.
    pub content_hash: String,
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Answer {
    /// A dependency was missing that is not needed by all means.
    pub degraded: bool,
    /// The highest sequence of this writer that the service knows (reads).
    pub sequence: Option<u64>,
    /// The replica that answered, where the protocol says so.
    pub replica: Option<u16>,
}

/// Why something did not succeed.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Trouble {
    /// The connection was refused or reset.
    #[error("refused: {0}")]
    Refused(String),
    /// No answer in time.
    #[error("no answer: {0}")]
    Silent(String),
    /// It answered with an error, and has not done what was asked.
    #[error("an error: {0}")]
    Answered(String),
    /// This kind of replica cannot do it.
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The harness itself is at fault (out of files, a bug).
    #[error("the harness: {0}")]
    Harness(String),
}

/// Something that is wrong with a replica; the director turns faults into these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// It has crashed: connections reset and new ones refused, or all silent.
    Down(How),
    /// It hangs or refuses requests, though its machine is well and its checks of the machine pass.
    NoAnswer(How),
    /// Only this share of its capacity is left.
    Capacity(Ppb),
    /// This much is added to its service time.
    Slow(Nanos),
    /// So many of its answers are errors.
    Errors(Ppb),
    /// A promotion of it fails.
    PromotionFails,
    /// Its health check says that all is well, whatever its users see.
    CheckLies,
    /// Its copies stop leaving, or arriving.
    ReplicationStops,
    /// Its data is damaged, once, when switched on.
    Corrupt,
    /// Its data is deleted, once, when switched on.
    Delete,
    /// Backups made from now on cannot be restored.
    BadBackup,
    /// Only this share of the restore rate is left.
    RestoreSlows(Ppb),
    /// It is asked so often for each request.
    Repeated(u32),
    /// One shard of it is out.
    Shard(u16),
    /// Sessions that it has granted are void.
    SessionsLost,
}

/// How to reach a replica from somewhere: through which proxy.
#[derive(Clone, Debug)]
pub struct Way {
    /// The proxy's address.
    pub via: SocketAddr,
    /// The replica at its other end.
    pub to: Arc<dyn Replica>,
}

/// What a replica finds from where it stands. The director answers.
pub trait Neighbours: Send + Sync + fmt::Debug {
    /// The replica of a service that requests from here are sent to now.
    fn service(&self, service: ServiceId, cohort: u8) -> Option<Way>;
    /// Another replica of one's own service.
    fn replica(&self, index: u16) -> Option<Way>;
    /// The proxy on the way to a further address that one's own control plane uses, by its place in
    /// the binding.
    fn peer(&self, _index: u16) -> Option<SocketAddr> {
        None
    }
    /// The proxy on the way to the vault that keeps a backup, `host:port` of which is in `Work`.
    fn vault(&self, backup: usize) -> Option<SocketAddr>;
    /// Returns when what the timeline does at this instant is done: what a replica does by its own
    /// timers comes after it. At once where there is no timeline.
    fn after_turns(&self, _at: Nanos) -> Later<'_, ()> {
        Box::pin(async {})
    }
}

/// One backup or restore.
#[derive(Clone, Debug)]
pub struct Work {
    /// Index of the schedule.
    pub backup: usize,
    /// Where the vault is, through a proxy.
    pub vault: SocketAddr,
    /// The name of the backup in the vault.
    pub name: String,
    /// How long the transfer of its whole size takes by the topology (the rate is size over this).
    pub takes: Nanos,
    /// A folder of the run's own for what lies between.
    pub folder: PathBuf,
}

/// What became of a backup or restore.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BackupReport {
    /// Bytes moved.
    pub bytes: u64,
    /// Phases with how long each took on the wall, in order: find, fetch, load, verify.
    pub phases: Vec<(&'static str, std::time::Duration)>,
    /// Entries that it held.
    pub entries: u64,
}
