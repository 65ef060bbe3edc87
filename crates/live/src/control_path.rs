//! The control path: an echo of our own behind a proxy that no fault ever touches.
//!
//! What is seen here is the machine and the harness, never the system under test. Before a run it
//! measures the round trip; during one, a path that becomes slow says that the runner is.

use crate::clock::Clock;
use crate::director::Report;
use crate::options::Refused;
use assize_fault::Nanos;
use assize_model::observation::Observation;
use assize_proxy::{Engine, Proxy};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::mpsc::Sender;
use tokio::task::AbortHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// Bytes of a probe, as many as a small request.
const PROBE: [u8; 64] = [b'a'; 64];

/// Between two probes, on the wall.
const EVERY: Duration = Duration::from_millis(100);

/// A probe without an answer by then has failed, on the wall.
const PATIENCE: Duration = Duration::from_secs(2);

/// An echo behind an un-faulted proxy. It ends when it is dropped.
#[derive(Debug)]
pub(crate) struct ControlPath {
    proxy: Proxy,
    echo: AbortHandle,
    /// The echo itself: it answers for the machines of stand-ins as well.
    pub(crate) machine: SocketAddr,
}

impl ControlPath {
    /// Starts the echo and its proxy.
    pub(crate) async fn start(engine: &Engine, host: IpAddr) -> Result<Self, Refused> {
        let refuse = |what: &str, e: &dyn std::error::Error| {
            Refused::new(format!("the control path cannot be made: {what}: {e}"))
        };
        let listener = TcpListener::bind((host, 0))
            .await
            .map_err(|e| refuse("an address", &e))?;
        let upstream = listener
            .local_addr()
            .map_err(|e| refuse("an address", &e))?;
        let proxy = Proxy::tcp(SocketAddr::new(host, 0).to_string())
            .name("control path")
            .upstream(upstream.to_string())
            .on(engine)
            .start()
            .map_err(|e| refuse("a proxy", &e))?;
        let echo = tokio::spawn(echo(listener)).abort_handle();
        Ok(Self {
            proxy,
            echo,
            machine: upstream,
        })
    }

    /// One connection and one exchange through the proxy.
    pub(crate) async fn probe(&self) -> io::Result<Duration> {
        probe(self.proxy.addr()).await
    }

    /// Probes until it is aborted, and hands every probe over.
    pub(crate) async fn watch(&self, clock: Clock, out: Sender<Report>) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            // From when it was due: a late timer is part of what is measured.
            let due = tick.tick().await;
            let answer = timeout(PATIENCE, self.probe()).await;
            let took = due.elapsed();
            let probed = Observation::Control {
                at: clock.model(due),
                took: nanos(took),
                ok: matches!(answer, Ok(Ok(_))),
            };
            if out.send(Report::Observed(probed)).await.is_err() {
                return;
            }
        }
    }
}

impl Drop for ControlPath {
    fn drop(&mut self) {
        self.echo.abort();
    }
}

/// One connection and one exchange through a proxy whose upstream is the echo.
pub(crate) async fn probe(via: SocketAddr) -> io::Result<Duration> {
    let begun = Instant::now();
    let mut stream = crate::net::connect(via).await?;
    stream.write_all(&PROBE).await?;
    let mut back = [0; PROBE.len()];
    stream.read_exact(&mut back).await?;
    Ok(begun.elapsed())
}

async fn echo(listener: TcpListener) {
    loop {
        let Ok((mut stream, _)) = listener.accept().await else {
            // Out of files, most likely: the probes say so.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        tokio::spawn(async move {
            let (mut read, mut write) = stream.split();
            let _ = tokio::io::copy(&mut read, &mut write).await;
        });
    }
}

/// A wall duration as nanoseconds.
pub(crate) fn nanos(length: Duration) -> Nanos {
    Nanos(i64::try_from(length.as_nanos()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_proxy::EngineOptions;
    use std::net::Ipv4Addr;

    #[tokio::test]
    async fn probes_pass_and_are_handed_over() -> Result<(), Refused> {
        let engine = Engine::new(EngineOptions {
            workers: 1,
            ..EngineOptions::default()
        })
        .map_err(|e| Refused::new(e.to_string()))?;
        let path = ControlPath::start(&engine, Ipv4Addr::LOCALHOST.into()).await?;
        assert!(path.probe().await.is_ok());
        let (out, mut seen) = tokio::sync::mpsc::channel(4);
        let clock = Clock::new(Instant::now(), 10);
        tokio::select! {
            () = path.watch(clock, out) => {}
            first = seen.recv() => assert!(
                matches!(first, Some(Report::Observed(Observation::Control { ok: true, .. }))),
                "{first:?}"
            ),
        }
        Ok(())
    }
}
