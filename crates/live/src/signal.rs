//! Ctrl-C and SIGTERM as a wish to end: faults are lifted, and what there is is reported.

use crate::options::{Refused, Stop};
#[cfg(unix)]
use std::time::Duration;
#[cfg(unix)]
use tokio::time::Instant;

/// Signals within this time are one.
#[cfg(unix)]
const ONE_WISH: Duration = Duration::from_secs(1);

/// From now on SIGINT and SIGTERM ask `stop`; a later one ends the process at once, for whoever
/// does not want to wait.
///
/// # Errors
/// The system does not let us listen for signals.
pub fn on_signal(stop: &Stop) -> Result<(), Refused> {
    let refused = |error: std::io::Error| Refused::new(format!("signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(refused)?;
    let stop = stop.clone();
    let listening = {
        let _inside = runtime.enter();
        Listening::new().map_err(refused)?
    };
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || runtime.block_on(listening.forward(&stop)))
        .map_err(refused)?;
    Ok(())
}

#[cfg(unix)]
struct Listening {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Listening {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn forward(mut self, stop: &Stop) {
        let mut first: Option<Instant> = None;
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
            // Who runs us may signal the process and then its group: that is one wish.
            if first.get_or_insert_with(Instant::now).elapsed() > ONE_WISH {
                // The guard ends what was started.
                let own = rustix::process::getpid();
                let _ = rustix::process::kill_process(own, rustix::process::Signal::KILL);
            }
            stop.request();
        }
    }
}

#[cfg(not(unix))]
struct Listening;

#[cfg(not(unix))]
impl Listening {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn forward(self, stop: &Stop) {
        while tokio::signal::ctrl_c().await.is_ok() {
            stop.request();
        }
    }
}
