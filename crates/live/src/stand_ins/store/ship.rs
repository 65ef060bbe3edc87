//! Replication: changes go from replica to replica over a real connection through the network.
//!
//! Asynchronous: what has come by then leaves every so often. Synchronous: what comes leaves at
//! once, and its writer waits until the others have it. How far behind another replica is follows
//! from what the connection carries; nobody says it.

use super::Store;
use super::db::{Change, Known};
use crate::replica::{Effect, Trouble};
use crate::stand_ins::talk::{Client, Question, Reply, filler};
use assize_fault::Nanos;
use assize_model::topology::{Mode, Replication};
use bytes::{BufMut as _, Bytes, BytesMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::timeout;

/// About so many bytes go at once, so that a slow line shows as lag and not as silence.
const BATCH: u64 = 8 << 10;
/// One batch may take so long, in model time, and on the wall at least.
const LIMIT: (Nanos, Duration) = (Nanos::secs(30), Duration::from_secs(2));
/// A connection and its first word may take so long. Whoever asks where nothing passes is not told
/// when something does again, and has to ask anew; a system's own tries come ever more seldom.
pub(super) const GREETING: (Nanos, Duration) = (Nanos::secs(1), Duration::from_millis(100));
/// Between two looks where there is nothing to ship, and after a failure.
const AGAIN: (Nanos, Duration) = (Nanos::millis(500), Duration::from_millis(20));

/// What is known of another replica.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Peer {
    /// The number of this replica's own changes up to which it has all.
    pub(super) has: u64,
    /// When it last answered.
    pub(super) heard: Option<Nanos>,
    /// The control plane has called it down.
    pub(super) down: bool,
}

impl Store {
    /// Ships to one other replica until it is aborted.
    pub(super) async fn ship_to(self: Arc<Self>, peer: u16) {
        let (mut link, mut failed) = (None, false);
        loop {
            // What failed is tried again; for asynchronous copies, when the next is due.
            if failed && self.replication == Replication::Sync {
                tokio::time::sleep(self.wall(AGAIN)).await;
            } else {
                self.until_due().await;
            }
            failed = false;
            if !self.ships() {
                self.note_missed(peer);
                link = None;
                continue;
            }
            let shipped = self.round(peer, &mut link).await;
            failed = shipped.is_err();
            if failed {
                link = None;
            }
        }
    }

    pub(super) fn wall(&self, (model, least): (Nanos, Duration)) -> Duration {
        self.front.context.clock.wall(model).max(least)
    }

    /// When something leaves: at the next turn of the schedule, or when there is something.
    async fn until_due(&self) {
        match self.replication {
            Replication::Async { every, phase } => {
                let clock = self.front.context.clock;
                let since = (clock.now() - phase).0;
                let turn = since.div_euclid(every.0.max(1)) + 1;
                let next = phase + Nanos(every.0.saturating_mul(turn));
                tokio::time::sleep_until(clock.instant(next)).await;
                // A fault of the same instant comes first.
                self.front.context.neighbours.after_turns(next).await;
            }
            Replication::Sync => {
                let again = tokio::time::sleep(self.wall(AGAIN));
                tokio::select! {
                    () = self.written.notified() => {}
                    () = again => {}
                }
            }
        }
    }

    /// A replica that takes writes of its own ships them.
    fn ships(&self) -> bool {
        let single_writer = matches!(self.mode(), Mode::ActiveStandby | Mode::Quorum);
        (!single_writer || self.front.acts())
            && self.front.down().is_none()
            && !self.front.has(Effect::ReplicationStops)
    }

    /// Nothing leaves; what there is to ship meets the fault that is the reason.
    fn note_missed(&self, peer: u16) {
        let stopped = self.front.has(Effect::ReplicationStops);
        let due = match self.replication {
            Replication::Async { .. } => true,
            Replication::Sync => self.is_behind(peer),
        };
        if stopped && due && self.front.acts() && self.front.down().is_none() {
            self.missed.store(true, Ordering::Relaxed);
        }
    }

    /// Whether another replica has not all of this one's own changes.
    fn is_behind(&self, peer: u16) -> bool {
        let known = self.db.known().unwrap_or_default();
        let own = known.get(&self.own()).copied().unwrap_or(0);
        self.peers().get(&peer).is_some_and(|p| p.has < own)
    }

    /// Ships what there is now.
    async fn round(&self, peer: u16, link: &mut Option<Client>) -> Result<(), Trouble> {
        let end = self.db.end()?;
        let (limit, greeting) = (self.wall(LIMIT), self.wall(GREETING));
        let late = |_| Trouble::Silent("a batch was not taken in time".into());
        let (client, patience) = match link {
            Some(client) => (client, limit),
            None => {
                let way = self.front.context.neighbours.replica(peer);
                let way = way.ok_or_else(|| Trouble::Refused("no way to it".into()))?;
                let connected = timeout(greeting, Client::connect(way.via)).await;
                (link.insert(connected.map_err(late)??), greeting)
            }
        };
        // The first word asks how much the other one knows.
        let ask = self.send(client, peer, &[], false);
        let (mut epoch, mut known) = timeout(patience, ask).await.map_err(late)??;
        loop {
            let own = self.db.fact("epoch")?;
            if epoch > own {
                return Err(Trouble::Answered("it has been restored since".into()));
            }
            let anew = epoch < own;
            if anew {
                known.clear();
            }
            let batch = self.db.unknown(&known, end, BATCH)?;
            if batch.is_empty() && !anew {
                return Ok(());
            }
            let sent = self.send(client, peer, &batch, anew);
            (epoch, known) = timeout(limit, sent).await.map_err(late)??;
        }
    }

    /// One batch; what the other one then knows.
    async fn send(
        &self,
        client: &mut Client,
        peer: u16,
        batch: &[Change],
        anew: bool,
    ) -> Result<(u64, Known), Trouble> {
        if !self.ships() {
            return Err(Trouble::Refused("its copies do not leave".into()));
        }
        let path = format!(
            "/replicate?term={}&epoch={}&anew={}",
            self.db.fact("term")?,
            self.db.fact("epoch")?,
            u8::from(anew)
        );
        let reported = client.ask(&path, packed(batch)?).await?;
        let known = reported.numbered("known");
        self.heard(peer, known.get(&self.own()).copied().unwrap_or(0));
        Ok((reported.number("epoch").unwrap_or(0), known))
    }

    /// Hands over what the new primary does not know, before following it.
    pub(super) async fn hand_over(&self, client: &mut Client) -> Result<(), Trouble> {
        let (end, mut known) = (self.db.end()?, self.asked_known(client).await?);
        loop {
            let batch = self.db.unknown(&known, end, BATCH)?;
            if batch.is_empty() {
                return Ok(());
            }
            let path = format!("/replicate?merge=1&epoch={}", self.db.fact("epoch")?);
            let reported = client.ask(&path, packed(&batch)?).await?;
            let now = reported.numbered("known");
            if now == known {
                return Err(Trouble::Answered("it takes nothing over".into()));
            }
            known = now;
        }
    }

    /// How much another replica knows.
    pub(super) async fn asked_known(&self, client: &mut Client) -> Result<Known, Trouble> {
        Ok(client.ask("/known", Bytes::new()).await?.numbered("known"))
    }

    /// What another replica ships to this one.
    pub(super) fn on_shipment(&self, question: &Question) -> Result<Reply, Trouble> {
        let merge = question.number("merge") == 1;
        let single_writer = matches!(self.mode(), Mode::ActiveStandby | Mode::Quorum);
        if self.front.has(Effect::ReplicationStops) {
            self.missed.store(true, Ordering::Relaxed);
            return Ok(Reply::Silent);
        }
        let (term, epoch) = (self.db.fact("term")?, self.db.fact("epoch")?);
        if !merge && single_writer {
            if self.front.acts() {
                return Ok(Reply::Failed("it takes writes itself".into()));
            }
            if question.number("term") < term {
                return Ok(Reply::Failed("it follows a later primary".into()));
            }
            self.db.set_fact("term", question.number("term"))?;
        }
        let theirs = question.number("epoch");
        if question.number("anew") == 1 && theirs > epoch {
            self.db.clear()?;
            self.db.set_fact("epoch", theirs)?;
        } else if theirs != epoch {
            return self.on_known();
        }
        self.db.receive(&unpacked(&question.body)?)?;
        self.on_known()
    }

    /// What it knows.
    pub(super) fn on_known(&self) -> Result<Reply, Trouble> {
        let mut facts = format!("epoch={}", self.db.fact("epoch")?);
        for (origin, number) in self.db.known()? {
            facts.push_str(&format!("&known{origin}={number}"));
        }
        Ok(Reply::Done {
            facts,
            body: Bytes::new(),
        })
    }

    fn heard(&self, peer: u16, has: u64) {
        let now = self.front.context.clock.now();
        if let Some(peer) = self.peers().get_mut(&peer) {
            peer.has = has;
            peer.heard = Some(now);
        }
        self.shipped.notify_waiters();
    }
}

/// Changes, and as many bytes more as their clients had sent.
fn packed(batch: &[Change]) -> Result<Bytes, Trouble> {
    let json = serde_json::to_vec(batch).map_err(|e| Trouble::Harness(e.to_string()))?;
    let padding = batch.iter().map(|c| c.bytes).sum();
    let mut body = BytesMut::with_capacity(json.len() + 1);
    body.put(json.as_slice());
    body.put_u8(b'\n');
    body.put(filler(padding));
    Ok(body.freeze())
}

fn unpacked(body: &Bytes) -> Result<Vec<Change>, Trouble> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    let end = body.iter().position(|b| *b == b'\n').unwrap_or(body.len());
    serde_json::from_slice(&body[..end])
        .map_err(|e| Trouble::Answered(format!("a batch that cannot be read: {e}")))
}
