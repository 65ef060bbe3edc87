//! One dated row in a production database, kept fresh: how old it is in a restored backup is how
//! old the backup really is.
//!
//! Writes `assize.heartbeat` and nothing else. Connects directly, not through a proxy.

use crate::drivers::data_source;
use crate::options::{Refused, Stop};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_postgres::config::Host;
use tokio_postgres::{Config, NoTls};

/// How long one beat may take.
const BEAT: Duration = Duration::from_secs(10);
/// Where PostgreSQL listens unless the data source says otherwise.
const PORT: u16 = 5432;

const BEAT_SQL: &str = "
create schema if not exists assize;
create table if not exists assize.heartbeat (
    single boolean primary key default true check (single), at timestamptz not null);
insert into assize.heartbeat (at) values (clock_timestamp())
    on conflict (single) do update set at = excluded.at;";

/// Writes the row every so often until it is stopped, or so many times; says of each beat whether
/// it was written. Blocks; must not be called from within an asynchronous runtime.
///
/// # Errors
/// The data source is none, or the first beat fails: what never worked is no interruption.
pub fn heartbeat(
    source: &str,
    every: Duration,
    times: Option<u64>,
    stop: &Stop,
    said: &mut dyn FnMut(Result<(), String>),
) -> Result<(), Refused> {
    let config = data_source(source).map_err(Refused)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Refused::new(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        let mut ticks = interval(every.max(Duration::from_millis(1)));
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beats = 0;
        while times.is_none_or(|times| beats < times) {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.requested() => return Ok(()),
            }
            let silent = || Err(format!("no answer within {} s", BEAT.as_secs()));
            let beat = timeout(BEAT, beat(&config))
                .await
                .unwrap_or_else(|_| silent());
            match beat {
                Err(why) if beats == 0 => return Err(Refused(why)),
                beat => said(beat),
            }
            beats += 1;
        }
        Ok(())
    })
}

async fn beat(config: &Config) -> Result<(), String> {
    let host = config.get_hosts().first().cloned();
    let port = config.get_ports().first().copied().unwrap_or(PORT);
    let io = |error: std::io::Error| error.to_string();
    match host.unwrap_or(Host::Tcp("localhost".into())) {
        Host::Tcp(host) => {
            let stream = TcpStream::connect((host.as_str(), port))
                .await
                .map_err(io)?;
            written(config, stream).await
        }
        #[cfg(unix)]
        Host::Unix(folder) => {
            let path = folder.join(format!(".s.PGSQL.{port}"));
            let stream = tokio::net::UnixStream::connect(path).await.map_err(io)?;
            written(config, stream).await
        }
    }
}

async fn written<S>(config: &Config, stream: S) -> Result<(), String>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // An error of the database is said in its own words, which hold no password.
    let words = |error: tokio_postgres::Error| match error.as_db_error() {
        Some(db) => format!("{} ({})", db.message(), db.code().code()),
        None => error.to_string(),
    };
    let (client, connection) = config.connect_raw(stream, NoTls).await.map_err(words)?;
    let task = tokio::spawn(async move {
        // Its error is told to whoever asks the client.
        let _ = connection.await;
    });
    let done = client.batch_execute(BEAT_SQL).await.map_err(words);
    drop(client);
    task.abort();
    done
}
