//! One replica of a real service: a protocol, commands for what the protocol does not do, and a
//! process if the run starts it.
//!
//! A command goes before the protocol: who writes `promote:` knows better how.

use super::exec::{self, Commands, entry_env, via_env};
use super::process::{Process, direct};
use super::protocol::Protocol;
use crate::replica::{
    Answer, BackupReport, Call, Effect, Entry, Held, Later, Replica, Role, Transport, Trouble, Way,
    What, Work,
};
use assize_model::binding::Request;
use assize_model::faults::How;
use assize_model::observation::Logged;
use assize_model::topology::{Probes, Rejoin};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::task::JoinHandle;

/// A replica of the user's own system.
#[derive(Debug)]
pub(super) struct Bound {
    /// `service/replica`, for notes.
    pub(super) name: String,
    pub(super) upstream: String,
    pub(super) protocol: Box<dyn Protocol>,
    pub(super) commands: Arc<Commands>,
    pub(super) process: Option<Process>,
    /// Whether its service has state.
    pub(super) keeps_state: bool,
    /// What faults have switched on.
    pub(super) promotion_fails: AtomicBool,
    pub(super) check_lies: AtomicBool,
    /// When its data was last damaged: a restore goes back to before that.
    pub(super) damaged_at: Mutex<Option<jiff::Timestamp>>,
    /// What keeps it pointed at its neighbours, while it runs.
    pub(super) companion: Mutex<Option<JoinHandle<()>>>,
    pub(super) notes: Mutex<Vec<String>>,
}

impl Bound {
    /// Its own address, for what its own host would do.
    pub(super) async fn own(&self) -> Result<SocketAddr, Trouble> {
        let found = tokio::net::lookup_host(&self.upstream).await;
        let found = found.ok().and_then(|mut found| found.next());
        found.ok_or_else(|| Trouble::Refused(format!("{} has no address", self.upstream)))
    }

    /// The entry that a request writes or may mention.
    fn entry_of(what: &What) -> Option<&Entry> {
        match what {
            What::Write(entry) | What::Request(_, entry) => Some(entry),
            What::Plain | What::Read | What::Lookup(_) => None,
        }
    }

    async fn asked(&self, via: SocketAddr, call: &Call) -> Result<Answer, Trouble> {
        let mut env = via_env(via).to_vec();
        env.extend(Self::entry_of(&call.what).into_iter().flat_map(entry_env));
        let ledger = |r: &Request| matches!(r, Request::Ledger { .. });
        let done = match &call.what {
            What::Request(request, _) if let Request::Exec { argv, folder } = request.as_ref() => {
                self.commands
                    .run_request(argv, folder, &env)
                    .await
                    .map(|_| None)
            }
            What::Write(_) if self.commands.has("write") => {
                self.commands.run("write", &env).await.map(|_| None)
            }
            What::Request(request, _) if ledger(request) && self.commands.has("write") => {
                self.commands.run("write", &env).await.map(|_| None)
            }
            What::Read if self.commands.has("read") => {
                env.push(("ASSIZE_WRITER", call.from.to_string()));
                let printed = self.commands.run("read", &env).await;
                printed.map(|text| text.trim().parse().ok())
            }
            _ => return self.protocol.call(via, call).await,
        };
        done.map(|sequence| Answer {
            sequence,
            ..Answer::default()
        })
    }

    async fn applied(&self, effect: Effect, on: bool) -> Result<(), Trouble> {
        match (effect, &self.process) {
            (Effect::PromotionFails, _) => self.promotion_fails.store(on, Ordering::SeqCst),
            (Effect::CheckLies, _) => self.check_lies.store(on, Ordering::SeqCst),
            (Effect::Corrupt | Effect::Delete, _) if !on => {}
            (Effect::Corrupt | Effect::Delete, _) => self.damage(effect == Effect::Delete).await?,
            (Effect::Down(How::Refuse), Some(process)) if on => process.kill().await,
            (Effect::Down(How::Refuse), Some(process)) => process.start().await?,
            (Effect::Down(How::BlackHole) | Effect::NoAnswer(How::BlackHole), Some(process)) => {
                process.pause(on).await;
            }
            _ => {
                let what =
                    format!("{effect:?} is done to a real system at its proxies, or not at all");
                return Err(Trouble::Unsupported(what));
            }
        }
        Ok(())
    }

    async fn damage(&self, delete: bool) -> Result<(), Trouble> {
        #[expect(
            clippy::disallowed_methods,
            reason = "a restore is told the instant on the wall"
        )]
        let now = jiff::Timestamp::now();
        *self
            .damaged_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(now);
        if self.commands.has("damage") {
            let what = if delete { "delete" } else { "corrupt" };
            let mut env = direct(&self.upstream).await;
            env.push(("ASSIZE_DAMAGE", what.into()));
            return self.commands.run("damage", &env).await.map(|_| ());
        }
        self.protocol.damage(self.own().await?, delete).await
    }

    async fn work(&self, verb: &str, work: Work) -> Result<BackupReport, Trouble> {
        if !self.commands.has(verb) {
            let what = format!("a real system needs a command `{verb}` for that");
            return Err(Trouble::Unsupported(what));
        }
        let mut env = direct(&self.upstream).await;
        env.push(("ASSIZE_BACKUP", work.name.clone()));
        env.push(("ASSIZE_VAULT_HOST", work.vault.ip().to_string()));
        env.push(("ASSIZE_VAULT_PORT", work.vault.port().to_string()));
        env.push(("ASSIZE_WORK_FOLDER", absolute(&work.folder)));
        let damaged = *self
            .damaged_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        env.extend(damaged.map(|at| ("ASSIZE_DAMAGED_AT", at.to_string())));
        let printed = self.commands.run(verb, &env).await?;
        Ok(exec::report(&printed))
    }

    /// What was restored is as old as the heartbeat in it.
    async fn restored(&self, work: Work) -> Result<BackupReport, Trouble> {
        let begun = tokio::time::Instant::now();
        let report = self.work("restore", work).await?;
        // Who keeps no heartbeat, or none that can be read, has a restore all the same.
        if let Ok(Some(age)) = self.protocol.heartbeat(self.own().await?).await {
            let age = age - begun.elapsed().as_secs_f64();
            let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
            notes.push(format!(
                "{}: the heartbeat in what was restored had been written {age:.1} s before the \
                 restore began",
                self.name
            ));
        }
        Ok(report)
    }
}

fn absolute(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    path.display().to_string()
}

impl Replica for Bound {
    fn upstream(&self) -> String {
        self.upstream.clone()
    }

    fn transport(&self) -> Transport {
        Transport::Tcp
    }

    fn is_real(&self) -> bool {
        true
    }

    fn check(&self, via: SocketAddr, probes: Probes) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move {
            if self.check_lies.load(Ordering::SeqCst) {
                return Ok(());
            }
            match probes {
                Probes::Host => super::tcp::connects(via).await,
                Probes::Service if self.commands.has("check") => {
                    self.commands.run("check", &via_env(via)).await.map(|_| ())
                }
                Probes::Service => self.protocol.check(via).await,
            }
        })
    }

    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>> {
        Box::pin(self.asked(via, call))
    }

    fn role(&self, via: SocketAddr) -> Later<'_, Result<Role, Trouble>> {
        Box::pin(async move {
            if !self.commands.has("role") {
                return self.protocol.role(via).await;
            }
            match self.commands.run("role", &via_env(via)).await?.trim() {
                "primary" => Ok(Role::Primary),
                "standby" => Ok(Role::Standby),
                _ => Err(Trouble::Answered(
                    "`role` prints `primary` or `standby`".into(),
                )),
            }
        })
    }

    fn promote(&self) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move {
            if self.promotion_fails.load(Ordering::SeqCst) {
                let what = "the promotion is made to fail by the scenario";
                return Err(Trouble::Answered(what.into()));
            }
            if self.commands.has("promote") {
                let env = direct(&self.upstream).await;
                return self.commands.run("promote", &env).await.map(|_| ());
            }
            if !self.keeps_state {
                // Whoever keeps nothing serves as soon as its clients are sent there.
                return Ok(());
            }
            self.protocol.promote(self.own().await?).await
        })
    }

    fn follow(&self, primary: Way, rejoin: Rejoin) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move {
            if !self.commands.has("follow") {
                if !self.keeps_state {
                    return Ok(());
                }
                // Nothing that outlives the run is changed in a system that is not ours.
                let what = "a real system needs a command `follow` for that";
                return Err(Trouble::Unsupported(what.into()));
            }
            let word = match rejoin {
                Rejoin::Rewind => "rewind",
                Rejoin::Merge => "merge",
                Rejoin::AsPrimary => "as-primary",
            };
            let mut env = direct(&self.upstream).await;
            env.push(("ASSIZE_PRIMARY_HOST", primary.via.ip().to_string()));
            env.push(("ASSIZE_PRIMARY_PORT", primary.via.port().to_string()));
            env.push(("ASSIZE_REJOIN", word.into()));
            self.commands.run("follow", &env).await.map(|_| ())
        })
    }

    fn apply(&self, effect: Effect, on: bool) -> Later<'_, Result<(), Trouble>> {
        Box::pin(self.applied(effect, on))
    }

    fn held(&self, via: SocketAddr) -> Later<'_, Result<Vec<Held>, Trouble>> {
        Box::pin(async move {
            if !self.commands.has("held") {
                return self.protocol.held(via).await;
            }
            let printed = self.commands.run("held", &via_env(via)).await?;
            exec::held(&printed)
        })
    }

    fn backup(&self, work: &Work) -> Later<'_, Result<BackupReport, Trouble>> {
        Box::pin(self.work("backup", work.clone()))
    }

    fn restore(&self, work: &Work) -> Later<'_, Result<BackupReport, Trouble>> {
        Box::pin(self.restored(work.clone()))
    }

    fn stop(&self) -> Later<'_, ()> {
        Box::pin(async move {
            let companion = self
                .companion
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            companion.inspect(JoinHandle::abort);
            if let Some(process) = &self.process {
                process.stop().await;
            }
        })
    }

    fn notes(&self) -> Vec<String> {
        std::mem::take(&mut *self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn log(&self) -> Vec<(u64, Logged)> {
        self.protocol.log()
    }
}
