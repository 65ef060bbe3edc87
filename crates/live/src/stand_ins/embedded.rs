//! A stand-in as the engine sees it: what all kinds have in common, around what differs.

use super::door::Door;
use super::front::Front;
use crate::replica::{
    Answer, BackupReport, Call, Effect, Held, Later, Replica, Role, Transport, Trouble, Way, Work,
};
use assize_fault::Nanos;
use assize_model::binding::Misbehaviour;
use assize_model::faults::How;
use assize_model::topology::{Probes, Rejoin};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// What differs between kinds: the protocol, and the data if there is any.
pub(super) trait Kind: Send + Sync + fmt::Debug {
    /// One health check through `via`.
    fn check(&self, via: SocketAddr, probes: Probes) -> Later<'_, Result<(), Trouble>>;

    /// One request through `via`.
    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>>;

    /// It has just been promoted.
    fn promoted(&self) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async { Ok(()) })
    }

    /// It follows another from now on.
    fn follow(&self, _primary: Way, _rejoin: Rejoin) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async { Ok(()) })
    }

    /// An effect on its data.
    fn damage(&self, effect: Effect, _on: bool) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move { Err(no_data(&format!("{effect:?}"))) })
    }

    /// Every ledger entry, read through `via`.
    fn held(&self, _via: SocketAddr) -> Later<'_, Result<Vec<Held>, Trouble>> {
        Box::pin(async { Err(no_data("a read-back")) })
    }

    /// Makes a backup.
    fn backup(&self, _work: &Work) -> Later<'_, Result<BackupReport, Trouble>> {
        Box::pin(async { Err(no_data("a backup")) })
    }

    /// Restores one.
    fn restore(&self, _work: &Work) -> Later<'_, Result<BackupReport, Trouble>> {
        Box::pin(async { Err(no_data("a restore")) })
    }

    /// The control plane has called another replica down, or up.
    fn peer(&self, _index: u16, _up: bool) {}

    /// Ends what it has started.
    fn stop(&self) {}

    /// What it has observed of itself.
    fn notes(&self) -> Vec<String> {
        Vec::new()
    }

    /// A copy was due while replication was stopped.
    fn missed_a_copy(&self) -> bool {
        false
    }
}

fn no_data(what: &str) -> Trouble {
    Trouble::Unsupported(format!("{what}: this stand-in keeps no data"))
}

/// Where its clients enter.
pub(super) trait Entrance: Send + Sync + fmt::Debug {
    /// Its address.
    fn address(&self) -> SocketAddr;
    /// What carries its protocol.
    fn transport(&self) -> Transport;
    /// Crashes, in this manner, or comes back; it has when this is done.
    fn set_down(&self, how: Option<How>) -> Later<'_, ()>;
}

impl Entrance for Door {
    fn address(&self) -> SocketAddr {
        Self::address(self)
    }

    fn transport(&self) -> Transport {
        Transport::Tcp
    }

    fn set_down(&self, how: Option<How>) -> Later<'_, ()> {
        Box::pin(Self::set_down(self, how))
    }
}

/// A stand-in of any kind.
#[derive(Debug)]
pub(super) struct Embedded {
    front: Arc<Front>,
    entrance: Box<dyn Entrance>,
    kind: Arc<dyn Kind>,
    queue: JoinHandle<()>,
}

impl Embedded {
    pub(super) fn new(front: Arc<Front>, entrance: Box<dyn Entrance>, kind: Arc<dyn Kind>) -> Self {
        let queue = front.run();
        Self {
            front,
            entrance,
            kind,
            queue,
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.queue.abort();
    }
}

impl Replica for Embedded {
    fn upstream(&self) -> String {
        self.entrance.address().to_string()
    }

    fn transport(&self) -> Transport {
        self.entrance.transport()
    }

    fn is_real(&self) -> bool {
        false
    }

    fn check(&self, via: SocketAddr, probes: Probes) -> Later<'_, Result<(), Trouble>> {
        self.kind.check(via, probes)
    }

    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>> {
        self.kind.call(via, call)
    }

    /// Asked of the machine itself once a check over `via` has passed: no protocol of the stand-ins
    /// has a word for it but HTTP, and what is asked for is what the replica takes itself for.
    fn role(&self, via: SocketAddr) -> Later<'_, Result<Role, Trouble>> {
        Box::pin(async move {
            self.kind.check(via, Probes::Host).await?;
            Ok(if self.front.acts() {
                Role::Primary
            } else {
                Role::Standby
            })
        })
    }

    fn promote(&self) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async {
            let time = self.front.promotion();
            tokio::time::sleep(self.front.context.clock.wall(time)).await;
            if self.front.has(Effect::PromotionFails) {
                return Err(Trouble::Answered("the promotion failed".into()));
            }
            if self.front.down().is_some() {
                return Err(Trouble::Silent("it is down".into()));
            }
            if self.front.misbehaves(Misbehaviour::NeverPromotes) {
                return Ok(());
            }
            self.kind.promoted().await?;
            self.front.set_acts(true);
            Ok(())
        })
    }

    fn resume(&self) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async {
            self.kind.promoted().await?;
            self.front.set_acts(true);
            Ok(())
        })
    }

    fn follow(&self, primary: Way, rejoin: Rejoin) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move {
            if self.front.misbehaves(Misbehaviour::NeverStepsDown) {
                return Ok(());
            }
            self.front.set_acts(false);
            self.kind.follow(primary, rejoin).await
        })
    }

    fn apply(&self, effect: Effect, on: bool) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move {
            match effect {
                Effect::ReplicationStops
                | Effect::Corrupt
                | Effect::Delete
                | Effect::BadBackup
                | Effect::RestoreSlows(_) => self.kind.damage(effect, on).await?,
                _ => {}
            }
            self.front.apply(effect, on);
            if matches!(effect, Effect::Down(_)) {
                self.entrance.set_down(self.front.down()).await;
            }
            Ok(())
        })
    }

    fn held(&self, via: SocketAddr) -> Later<'_, Result<Vec<Held>, Trouble>> {
        self.kind.held(via)
    }

    fn backup(&self, work: &Work) -> Later<'_, Result<BackupReport, Trouble>> {
        self.kind.backup(work)
    }

    fn restore(&self, work: &Work) -> Later<'_, Result<BackupReport, Trouble>> {
        self.kind.restore(work)
    }

    fn peer(&self, index: u16, up: bool) {
        self.kind.peer(index, up);
    }

    fn stop(&self) -> Later<'_, ()> {
        self.queue.abort();
        self.kind.stop();
        self.entrance.set_down(Some(How::Refuse))
    }

    fn notes(&self) -> Vec<String> {
        self.kind.notes()
    }

    fn missed_a_copy(&self) -> bool {
        self.kind.missed_a_copy()
    }
}

impl Front {
    /// How long a promotion takes: the stand-in's own property, as its service time is.
    fn promotion(&self) -> Nanos {
        let spec = self.context.spec();
        let stated = spec.failover.as_ref().map(|f| f.promote);
        spec.knobs.promote.or(stated).unwrap_or(Nanos::ZERO)
    }
}
