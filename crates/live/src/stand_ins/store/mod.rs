//! The store stand-in: keeps ledger entries in an SQLite file, copies them to its other replicas,
//! backs them up and restores them.
//!
//! A write is acknowledged once it is committed, and, where replication is synchronous, once the
//! others have it. What a takeover, a cut or a restore costs is what was not copied by then.

mod backup;
mod db;
mod ship;

use super::door::Door;
use super::embedded::{Embedded, Kind};
use super::front::{Front, No};
use super::http;
use super::talk::{self, Client, Question, Reply, Serve};
use crate::context::Context;
use crate::ledger;
use crate::replica::{
    Answer, BackupReport, Call, Effect, Held, Later, Trouble, Way, What as Asks, Work,
};
use assize_fault::Nanos;
use assize_model::binding::Misbehaviour;
use assize_model::topology::{Mode, Probes, Rejoin, Replication};
use bytes::Bytes;
use db::{Db, What};
use ship::Peer;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Who has not been heard of for so long is not of a majority.
const LAPSE: Nanos = Nanos::secs(3);

/// One replica of a store.
#[derive(Debug)]
struct Store {
    front: Arc<Front>,
    db: Db,
    replication: Replication,
    /// A write that is tried again is recognised.
    idempotent: bool,
    peers: Mutex<BTreeMap<u16, Peer>>,
    /// Something was written.
    written: Notify,
    /// Something has arrived elsewhere.
    shipped: Notify,
    restoring: AtomicBool,
    /// A copy was due while replication was stopped, since it was.
    missed: AtomicBool,
    writes: AtomicU64,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

/// Starts it.
pub(super) fn start(context: Context) -> Result<Embedded, Trouble> {
    let spec = context.spec();
    let replication = spec.state.as_ref().and_then(|s| s.replication);
    let others = (0..spec.replicas.len() as u16).filter(|r| *r != context.replica);
    let peer = Peer {
        has: 0,
        heard: None,
        down: false,
    };
    let journeys = context.topology.journeys.iter();
    let mut writing = journeys.filter(|j| j.writes.contains(&context.service));
    let store = Arc::new(Store {
        db: Db::create(context.folder.join("store.sqlite"))?,
        replication: replication.unwrap_or(Replication::Sync),
        idempotent: writing.all(|j| j.idempotent),
        peers: Mutex::new(match replication {
            Some(_) => others.map(|r| (r, peer)).collect(),
            None => BTreeMap::new(),
        }),
        written: Notify::new(),
        shipped: Notify::new(),
        restoring: AtomicBool::new(false),
        missed: AtomicBool::new(false),
        writes: AtomicU64::new(0),
        tasks: Mutex::default(),
        front: Arc::new(Front::new(context)),
    });
    let door = Door::open(talk::handler(store.serve()))?;
    let peers: Vec<u16> = store.peers().keys().copied().collect();
    for peer in peers {
        let task = tokio::spawn(Arc::clone(&store).ship_to(peer));
        store.tasks().push(task);
    }
    let front = Arc::clone(&store.front);
    Ok(Embedded::new(
        front,
        Box::new(door),
        Arc::new(Handle(store)),
    ))
}

/// The store as the engine's calls see it.
#[derive(Debug)]
struct Handle(Arc<Store>);

impl Store {
    fn peers(&self) -> MutexGuard<'_, BTreeMap<u16, Peer>> {
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn own(&self) -> u16 {
        self.front.context.replica
    }

    fn mode(&self) -> Mode {
        self.front.context.spec().mode
    }

    fn serve(self: &Arc<Self>) -> Serve {
        let store = Arc::clone(self);
        Arc::new(move |question| {
            let store = Arc::clone(&store);
            Box::pin(async move { store.answer(&question).await.unwrap_or_else(Into::into) })
        })
    }

    async fn answer(&self, question: &Question) -> Result<Reply, No> {
        match question.path.as_str() {
            "/replicate" => Ok(self.on_shipment(question)?),
            "/known" => Ok(self.on_known()?),
            "/held" => Ok(self.all_held()?),
            "/call" | "/write" | "/read" => self.exchange(question).await,
            "/health" if question.text("probes") != "host" && !self.has_majority() => {
                Err(No::Told("it has no majority".into()))
            }
            _ => Ok(http::about(&self.front, question).await),
        }
    }

    /// One exchange of a request; the last one reads or writes.
    async fn exchange(&self, question: &Question) -> Result<Reply, No> {
        let (mut degraded, mut error_after) = (false, false);
        if question.number("trip") == 0 {
            let turn = self.front.serve(http::asked(question)).await?;
            (degraded, error_after) = (turn.degraded, turn.error_after);
        } else {
            self.front.pause().await;
        }
        self.fit()?;
        let facts = match question.path.as_str() {
            "/write" => self.write(question).await?,
            "/read" => {
                let newest = self.db.newest_of(question.number("writer"))?;
                let stale = self.front.misbehaves(Misbehaviour::StaleReads);
                format!("sequence={}", newest.saturating_sub(u64::from(stale)))
            }
            _ => String::new(),
        };
        if error_after {
            return Err(No::Told("an error".into()));
        }
        Ok(http::done(question, degraded, facts))
    }

    /// Whether it can serve at all: its data is whole, and its majority there.
    fn fit(&self) -> Result<(), No> {
        if self.restoring.load(Ordering::Relaxed) {
            return Err(No::Told("its data is being restored".into()));
        }
        if !self.db.is_whole()? {
            return Err(No::Told("its data is damaged".into()));
        }
        if !self.has_majority() {
            return Err(No::Told("it has no majority".into()));
        }
        Ok(())
    }

    /// Of a quorum, whether it takes writes and has heard of a majority lately.
    fn has_majority(&self) -> bool {
        if self.mode() != Mode::Quorum || !self.front.acts() {
            return true;
        }
        let since = self.front.context.clock.now() - LAPSE;
        let peers = self.peers();
        let heard = peers
            .values()
            .filter(|p| p.heard.is_some_and(|at| at >= since));
        (heard.count() + 1) * 2 > peers.len() + 1
    }

    async fn write(&self, question: &Question) -> Result<String, No> {
        let (writer, sequence) = (question.number("writer"), question.number("sequence"));
        let nth = self.writes.fetch_add(1, Ordering::Relaxed) + 1;
        let every_tenth = |how| nth.is_multiple_of(10) && self.front.misbehaves(how);
        let known = self.idempotent && self.db.has(writer, sequence)?;
        if known || every_tenth(Misbehaviour::DropsWrites) {
            return Ok(format!("sequence={sequence}"));
        }
        let content = ledger::content(writer, sequence);
        let given = question.body.get(..content.len()).unwrap_or_default();
        let copies = match self.front.repeated() {
            n if !self.idempotent => n,
            _ => 1,
        };
        let what = What::Write {
            writer,
            sequence,
            hash: question.text("hash").to_string(),
            content: String::from_utf8_lossy(given).into_owned(),
            copies: copies + u64::from(every_tenth(Misbehaviour::Duplicates)),
        };
        let bytes = question.body.len() as u64;
        let number = self.db.change(self.own(), what, bytes)?;
        self.written.notify_waiters();
        if sequence == 13 && self.front.misbehaves(Misbehaviour::ForgetsOld) {
            let forget = What::Forget {
                writer,
                sequence: 3,
            };
            self.db.change(self.own(), forget, 0)?;
        }
        self.until_copied(number).await;
        Ok(format!("sequence={sequence}"))
    }

    /// Returns once those have the change who must have it before it is acknowledged.
    async fn until_copied(&self, number: u64) {
        if self.replication != Replication::Sync {
            return;
        }
        loop {
            let shipped = self.shipped.notified();
            tokio::pin!(shipped);
            shipped.as_mut().enable();
            if self.is_copied(number) {
                return;
            }
            shipped.await;
        }
    }

    fn is_copied(&self, number: u64) -> bool {
        let peers = self.peers();
        let have = peers.values().filter(|p| p.has >= number).count();
        if self.mode() == Mode::Quorum {
            return (have + 1) * 2 > peers.len() + 1;
        }
        peers.values().all(|p| p.down || p.has >= number)
    }

    fn all_held(&self) -> Result<Reply, Trouble> {
        let held = self.db.held()?;
        let rows: Vec<_> = held
            .iter()
            .map(|h| {
                (
                    h.entry.writer,
                    h.entry.sequence,
                    &h.entry.hash,
                    &h.content_hash,
                )
            })
            .collect();
        let json = serde_json::to_vec(&rows).map_err(|e| Trouble::Harness(e.to_string()))?;
        Ok(Reply::Done {
            facts: String::new(),
            body: Bytes::from(json),
        })
    }

    /// Becomes a follower. What the new primary does not know is forgotten; it is handed over if
    /// the file says so, or if this is a planned return and the other one does not write yet.
    async fn follow(&self, primary: Way, rejoin: Rejoin) -> Result<(), Trouble> {
        let greeting = async {
            let mut client = Client::connect(primary.via).await?;
            let role = client.ask("/role", Bytes::new()).await?;
            Ok::<_, Trouble>((client, role))
        };
        let late = |_| Trouble::Silent("the primary does not answer".into());
        let greeted = timeout(self.wall(ship::GREETING), greeting).await;
        let (mut client, role) = greeted.map_err(late)??;
        if rejoin == Rejoin::Merge || role.text("role") == Some("standby") {
            return self.hand_over(&mut client).await;
        }
        let known = self.asked_known(&mut client).await?;
        for origin in self.db.known()?.into_keys() {
            self.db
                .rewind(origin, known.get(&origin).copied().unwrap_or(0))?;
        }
        Ok(())
    }
}

impl From<Trouble> for No {
    fn from(trouble: Trouble) -> Self {
        Self::Told(trouble.to_string())
    }
}

impl Kind for Handle {
    fn check(&self, via: SocketAddr, probes: Probes) -> Later<'_, Result<(), Trouble>> {
        Box::pin(http::check(via, probes))
    }

    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>> {
        let own = self.0.own();
        Box::pin(async move {
            match &call.what {
                Asks::Plain => http::request(via, own, call, "/call", Bytes::new()).await,
                Asks::Read => {
                    let path = format!("/read?writer={}", call.from);
                    http::request(via, own, call, &path, Bytes::new()).await
                }
                Asks::Write(entry) => {
                    let (writer, sequence) = (entry.writer, entry.sequence);
                    let path = format!(
                        "/write?writer={writer}&sequence={sequence}&hash={}",
                        entry.hash
                    );
                    let content = Bytes::from(ledger::content(writer, sequence));
                    http::request(via, own, call, &path, content).await
                }
                Asks::Lookup(_) | Asks::Request(..) => Err(Trouble::Unsupported(
                    "a stand-in does not know a request of its own".into(),
                )),
            }
        })
    }

    fn promoted(&self) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async {
            let term = self.0.db.fact("term")?;
            self.0.db.set_fact("term", term + 1)
        })
    }

    fn follow(&self, primary: Way, rejoin: Rejoin) -> Later<'_, Result<(), Trouble>> {
        Box::pin(self.0.follow(primary, rejoin))
    }

    fn damage(&self, effect: Effect, on: bool) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move {
            let what = match effect {
                Effect::Corrupt if on => What::Corrupt,
                Effect::Delete if on => What::Delete,
                Effect::ReplicationStops if on => {
                    self.0.missed.store(false, Ordering::Relaxed);
                    return Ok(());
                }
                _ => return Ok(()),
            };
            self.0.db.change(self.0.own(), what, 0)?;
            self.0.written.notify_waiters();
            Ok(())
        })
    }

    fn held(&self, via: SocketAddr) -> Later<'_, Result<Vec<Held>, Trouble>> {
        Box::pin(async move {
            let mut client = Client::connect(via).await?;
            let reported = client.ask("/held", Bytes::new()).await?;
            let rows: Vec<(u64, u64, String, String)> = serde_json::from_slice(&reported.body)
                .map_err(|e| Trouble::Answered(e.to_string()))?;
            let held = |(writer, sequence, hash, content_hash)| Held {
                entry: crate::replica::Entry {
                    writer,
                    sequence,
                    hash,
                },
                content_hash,
            };
            Ok(rows.into_iter().map(held).collect())
        })
    }

    fn backup(&self, work: &Work) -> Later<'_, Result<BackupReport, Trouble>> {
        let work = work.clone();
        Box::pin(async move { self.0.back_up(&work).await })
    }

    fn restore(&self, work: &Work) -> Later<'_, Result<BackupReport, Trouble>> {
        let work = work.clone();
        Box::pin(async move { self.0.restore(&work).await })
    }

    fn peer(&self, index: u16, up: bool) {
        if let Some(peer) = self.0.peers().get_mut(&index) {
            peer.down = !up;
        }
        self.0.shipped.notify_waiters();
    }

    fn stop(&self) {
        self.0.tasks().drain(..).for_each(|task| task.abort());
    }

    fn missed_a_copy(&self) -> bool {
        self.0.missed.load(Ordering::Relaxed)
    }

    fn notes(&self) -> Vec<String> {
        let own = self.0.own();
        let known = self.0.db.known().unwrap_or_default();
        let written = known.get(&own).copied().unwrap_or(0);
        let peers = self.0.peers();
        let note = |(peer, p): (&u16, &Peer)| {
            let behind = written.saturating_sub(p.has);
            format!(
                "replica {peer} has {} of its {written} changes, {behind} fewer",
                p.has
            )
        };
        peers.iter().map(note).collect()
    }
}
