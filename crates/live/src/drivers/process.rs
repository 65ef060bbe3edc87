//! A replica that the run starts itself: `start` is a command that stays in the foreground.
//!
//! It is ready when the command `ready` succeeds, or without one when its address takes
//! connections. A crash kills it with all that it has started, and it is started again when the
//! fault ends; a hang stops it (SIGSTOP) and lets it go on. The guard ends it if the run is killed.
//! What it prints goes to `output` in the replica's folder.

use super::exec::{Commands, via_env};
use crate::guard;
use crate::reap;
use crate::replica::Trouble;
use rustix::process::Signal;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex as Lock, PoisonError};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long a process may take until it is ready.
const READY: Duration = Duration::from_secs(60);
/// How long it may take to end when asked.
const STOP: Duration = Duration::from_secs(10);
/// How often readiness is looked at.
const LOOK: Duration = Duration::from_millis(50);

/// A started replica.
#[derive(Debug)]
pub(super) struct Process {
    commands: Arc<Commands>,
    upstream: String,
    output: PathBuf,
    running: Mutex<Option<Running>>,
}

#[derive(Debug)]
struct Running {
    group: u32,
    /// Ends when the process has: with what it said.
    ended: JoinHandle<()>,
    status: Arc<Lock<Option<String>>>,
}

impl Running {
    /// How it ended, if it has.
    fn status(&self) -> Option<String> {
        self.status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Process {
    pub(super) fn new(commands: Arc<Commands>, upstream: String, output: PathBuf) -> Self {
        Self {
            commands,
            upstream,
            output,
            running: Mutex::default(),
        }
    }

    /// Starts it and waits until it is ready.
    ///
    /// # Errors
    /// Its port is taken, or it does not become ready.
    pub(super) async fn start(&self) -> Result<(), Trouble> {
        let mut running = self.running.lock().await;
        match running.take() {
            Some(there) if there.status().is_none() => {
                *running = Some(there);
                return Ok(());
            }
            // It ended by itself: what it had started may still be there.
            Some(ended) => end(ended).await,
            None => {}
        }
        if self.takes_connections().await {
            let what = format!("{} is in use already, by something else", self.upstream);
            return Err(Trouble::Refused(what));
        }
        let started = self.spawn()?;
        let ready = timeout(READY, self.ready(&started)).await;
        let trouble = match ready {
            Ok(Ok(())) => {
                *running = Some(started);
                return Ok(());
            }
            Ok(Err(trouble)) => trouble,
            Err(_) => Trouble::Silent(format!(
                "not ready after {} s{}",
                READY.as_secs(),
                self.said()
            )),
        };
        end(started).await;
        Err(trouble)
    }

    fn spawn(&self) -> Result<Running, Trouble> {
        let output = File::create(&self.output)
            .and_then(|file| Ok((file.try_clone()?, file)))
            .map_err(|error| Trouble::Harness(format!("{}: {error}", self.output.display())))?;
        let mut command = self.commands.command("start")?;
        command
            .stdout(Stdio::from(output.0))
            .stderr(Stdio::from(output.1));
        let mut child = command.spawn().map_err(|error| {
            let program = command
                .as_std()
                .get_program()
                .to_string_lossy()
                .into_owned();
            Trouble::Answered(format!("{program} cannot be started: {error}"))
        })?;
        let group = child.id().unwrap_or_default();
        guard::watch(group);
        let status = Arc::new(Lock::new(None));
        let told = status.clone();
        let ended = tokio::spawn(async move {
            let text = match child.wait().await {
                Ok(status) => status.to_string(),
                Err(error) => error.to_string(),
            };
            *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        });
        Ok(Running {
            group,
            ended,
            status,
        })
    }

    async fn ready(&self, started: &Running) -> Result<(), Trouble> {
        loop {
            let ready = if self.commands.has("ready") {
                let own = direct(&self.upstream).await;
                self.commands.run("ready", &own).await.is_ok()
            } else {
                self.takes_connections().await
            };
            if let Some(status) = started.status() {
                let what = format!("it ended before it was ready ({status}){}", self.said());
                return Err(Trouble::Answered(what));
            }
            if ready {
                return Ok(());
            }
            sleep(LOOK).await;
        }
    }

    async fn takes_connections(&self) -> bool {
        let connect = TcpStream::connect(&self.upstream);
        matches!(timeout(Duration::from_secs(1), connect).await, Ok(Ok(_)))
    }

    /// The last line that it printed, for messages.
    fn said(&self) -> String {
        let text = std::fs::read(&self.output).unwrap_or_default();
        let tail = String::from_utf8_lossy(&text[text.len().saturating_sub(2_000)..]).into_owned();
        match tail.lines().rev().find(|line| !line.trim().is_empty()) {
            Some(line) => format!("; it said: {}", self.commands.redacted(line)),
            None => String::new(),
        }
    }

    /// It crashes: it and all that it has started are killed.
    pub(super) async fn kill(&self) {
        if let Some(running) = self.running.lock().await.take() {
            end(running).await;
        }
    }

    /// It hangs, or goes on.
    pub(super) async fn pause(&self, on: bool) {
        let signal = if on { Signal::STOP } else { Signal::CONT };
        if let Some(running) = self.running.lock().await.as_ref() {
            reap::signal_all(running.group, signal);
        }
    }

    /// Ends it: by the command `stop` or else as the system asks programs to end, and by force
    /// when that takes too long.
    pub(super) async fn stop(&self) {
        let Some(mut running) = self.running.lock().await.take() else {
            return;
        };
        reap::signal_all(running.group, Signal::CONT);
        let gently = async {
            if self.commands.has("stop") {
                let own = direct(&self.upstream).await;
                let _ = self.commands.run("stop", &own).await;
            } else {
                reap::signal_group(running.group, Signal::TERM);
            }
            let _ = (&mut running.ended).await;
        };
        let _ = timeout(STOP, gently).await;
        end(running).await;
    }
}

/// The environment of commands that ask the replica itself, not through a proxy.
pub(super) async fn direct(upstream: &str) -> Vec<(&'static str, String)> {
    let own = tokio::net::lookup_host(upstream).await.ok();
    let own = own.and_then(|mut found| found.next());
    own.map(|own| via_env(own).into()).unwrap_or_default()
}

/// Kills what is left of it, and waits until it is gone.
async fn end(mut running: Running) {
    let group = running.group;
    let left = tokio::task::spawn_blocking(move || reap::end(&[group], None)).await;
    if !running.ended.is_finished() {
        let _ = timeout(STOP, &mut running.ended).await;
    }
    if left.is_ok_and(|left| left.is_empty()) {
        guard::release(group);
    }
}
