//! The driver `postgres`: PostgreSQL without TLS, and a ledger in a schema `assize` of its own.
//!
//! The data source gives user, password, database and options; its host and port are those of
//! the replicas, and of proxies towards them. Every request has a connection of its own. A write
//! is one committed row of `assize.ledger` (run, writer, sequence, when, log position, hash,
//! content); nothing else in the database is ever touched, damage included. `pg_is_in_recovery()`
//! tells primary from standby, `pg_promote()` promotes. Positions in its write-ahead log (LSNs) and
//! the state of replication go to the journal.

use super::protocol::{Protocol, trouble_of};
use super::secrets::Secrets;
use crate::ledger;
use crate::replica::{Answer, Call, Entry, Held, Later, Role, Trouble, What};
use assize_model::binding::Request;
use assize_model::observation::Logged;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row};

/// How many positions are kept; older ones have been read by then, or nobody reads them.
const MAX_LOGGED: usize = 10_000;

/// Made before anything is broken. A standby that a synchronous primary would wait for may not
/// have been started yet.
const SCHEMA: &str = "
set synchronous_commit = local;
create schema if not exists assize;
create table if not exists assize.ledger (
    run text not null, writer bigint not null, sequence bigint not null,
    at timestamptz not null default clock_timestamp(),
    lsn pg_lsn not null default pg_current_wal_insert_lsn(),
    hash text not null, content text not null);
create index if not exists ledger_by_writer on assize.ledger (run, writer, sequence);";

/// PostgreSQL towards one replica.
#[derive(Debug)]
pub(super) struct Postgres {
    config: Config,
    secrets: Secrets,
    /// Entries of other runs stay where they are.
    run: String,
    said: Mutex<Said>,
}

#[derive(Debug, Default)]
struct Said {
    waiting: Vec<(u64, Logged)>,
    /// What was said last of its role and replication; said again only when it changes.
    state: String,
}

/// A client, and the task that moves its bytes; both end together.
struct Connection {
    client: Client,
    task: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Reads a data source.
///
/// # Errors
/// It is none. The text is not repeated: it holds a password.
pub(crate) fn config(source: &str) -> Result<Config, String> {
    source.parse::<Config>().map_err(|_| {
        "its value is no data source such as `postgres://USER:PASSWORD@HOST/DATABASE`".to_string()
    })
}

/// The password of a data source, for taking it out of what is said.
pub(super) fn password(config: &Config) -> Option<String> {
    let password = config.get_password()?;
    Some(String::from_utf8_lossy(password).into_owned())
}

impl Postgres {
    pub(super) fn new(config: Config, secrets: Secrets, run: String) -> Self {
        Self {
            config,
            secrets,
            run,
            said: Mutex::default(),
        }
    }

    async fn connect(&self, via: SocketAddr) -> Result<Connection, Trouble> {
        let stream = TcpStream::connect(via).await.map_err(|e| trouble_of(&e))?;
        // Nagle's algorithm would add its own wait to what is measured.
        let _ = stream.set_nodelay(true);
        let connected = self.config.connect_raw(stream, NoTls).await;
        let (client, connection) = connected.map_err(|e| self.trouble(&e))?;
        let task = tokio::spawn(async move {
            // Its error is told to whoever asks the client.
            let _ = connection.await;
        });
        Ok(Connection { client, task })
    }

    /// What an error means for a request. Nothing is said that could hold the password.
    fn trouble(&self, error: &tokio_postgres::Error) -> Trouble {
        if let Some(db) = error.as_db_error() {
            let text = format!("{} ({})", db.message(), db.code().code());
            return Trouble::Answered(self.secrets.struck(&text));
        }
        let mut cause: &dyn std::error::Error = error;
        while let Some(next) = cause.source() {
            cause = next;
            if let Some(error) = cause.downcast_ref::<std::io::Error>() {
                return trouble_of(error);
            }
        }
        if error.is_closed() {
            return Trouble::Refused("the connection was closed".into());
        }
        Trouble::Answered(error.to_string())
    }

    async fn rows(
        &self,
        via: SocketAddr,
        sql: &str,
        values: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, Trouble> {
        let connection = self.connect(via).await?;
        let rows = connection.client.query(sql, values).await;
        rows.map_err(|e| self.trouble(&e))
    }

    async fn batch(&self, via: SocketAddr, sql: &str) -> Result<(), Trouble> {
        let connection = self.connect(via).await?;
        let done = connection.client.batch_execute(sql).await;
        done.map_err(|e| self.trouble(&e))
    }

    fn say(&self, position: Option<u64>, what: Logged) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.waiting.len() < MAX_LOGGED {
            said.waiting.extend(position.map(|at| (at, what)));
        }
    }

    /// What it takes itself for; what has changed since the last time is said.
    async fn look(&self, via: SocketAddr) -> Result<Role, Trouble> {
        let sql = "select pg_is_in_recovery(), \
             coalesce((select string_agg(application_name || ' ' || state || ' ' || sync_state, \
                 ', ' order by application_name) from pg_stat_replication), ''), \
             (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() \
                 else pg_current_wal_flush_lsn() end)::text";
        let rows = self.rows(via, sql, &[]).await?;
        let row = rows
            .first()
            .ok_or_else(|| Trouble::Answered("no row".into()))?;
        let text = |i| {
            row.try_get::<_, Option<String>>(i)
                .ok()
                .flatten()
                .unwrap_or_default()
        };
        let standby: bool = row.try_get(0).map_err(|e| self.trouble(&e))?;
        let (role, word) = match standby {
            true => (Role::Standby, "standby"),
            false => (Role::Primary, "primary"),
        };
        let state = match text(1) {
            followers if followers.is_empty() => word.to_string(),
            followers => format!("{word}, followed by {followers}"),
        };
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = said.state != state;
        said.state.clone_from(&state);
        drop(said);
        if changed {
            self.say(lsn(&text(2)), Logged::State(state));
        }
        Ok(role)
    }

    async fn write(&self, via: SocketAddr, entry: &Entry) -> Result<(), Trouble> {
        let sql = "insert into assize.ledger (run, writer, sequence, hash, content) \
             values ($1, $2, $3, $4, $5) returning pg_current_wal_insert_lsn()::text";
        let (writer, sequence) = (entry.writer.cast_signed(), entry.sequence.cast_signed());
        let content = ledger::content(entry.writer, entry.sequence);
        let connection = self.connect(via).await?;
        let values: [&(dyn ToSql + Sync); 5] =
            [&self.run, &writer, &sequence, &entry.hash, &content];
        let rows = connection.client.query(sql, &values).await;
        let rows = rows.map_err(|e| self.trouble(&e))?;
        let at = rows
            .first()
            .and_then(|row| row.try_get::<_, String>(0).ok());
        let what = Logged::Acknowledged {
            writer: entry.writer,
            sequence: entry.sequence,
        };
        self.say(at.and_then(|at| lsn(&at)), what);
        Ok(())
    }

    async fn read(&self, via: SocketAddr, writer: u64) -> Result<Option<u64>, Trouble> {
        let sql = "select max(sequence) from assize.ledger where run = $1 and writer = $2";
        let rows = self
            .rows(via, sql, &[&self.run, &writer.cast_signed()])
            .await?;
        let found = rows
            .first()
            .and_then(|row| row.try_get::<_, Option<i64>>(0).ok().flatten());
        Ok(found.map(i64::cast_unsigned))
    }

    async fn entries(&self, via: SocketAddr) -> Result<Vec<Held>, Trouble> {
        let sql = "select writer, sequence, hash, content from assize.ledger where run = $1 \
             order by writer, sequence";
        let rows = self.rows(via, sql, &[&self.run]).await?;
        let entry = |row: &Row| -> Result<Held, tokio_postgres::Error> {
            Ok(Held {
                entry: Entry {
                    writer: row.try_get::<_, i64>(0)?.cast_unsigned(),
                    sequence: row.try_get::<_, i64>(1)?.cast_unsigned(),
                    hash: row.try_get(2)?,
                },
                content_hash: ledger::hash(row.try_get::<_, String>(3)?.as_bytes()),
            })
        };
        rows.iter()
            .map(entry)
            .collect::<Result<_, _>>()
            .map_err(|e| self.trouble(&e))
    }

    async fn promoted(&self, own: SocketAddr) -> Result<(), Trouble> {
        if self.look(own).await? == Role::Primary {
            return Ok(());
        }
        let done = self.rows(own, "select pg_promote(true, 60)", &[]).await?;
        let done = done.first().map(|row| row.try_get::<_, bool>(0));
        if !matches!(done, Some(Ok(true))) {
            return Err(Trouble::Answered("pg_promote() gave up after 60 s".into()));
        }
        // It stays what it was when recovery ended, with all that had still been received.
        let sql = "select pg_last_wal_replay_lsn()::text";
        let rows = self.rows(own, sql, &[]).await?;
        let at = rows
            .first()
            .and_then(|row| row.try_get::<_, Option<String>>(0).ok().flatten());
        self.say(at.and_then(|at| lsn(&at)), Logged::Promoted);
        Ok(())
    }

    /// How old the heartbeat is that the database holds, in seconds; `None`: it holds none.
    async fn beat(&self, own: SocketAddr) -> Result<Option<f64>, Trouble> {
        let there = "select to_regclass('assize.heartbeat') is not null";
        let rows = self.rows(own, there, &[]).await?;
        if !rows
            .first()
            .is_some_and(|row| matches!(row.try_get(0), Ok(true)))
        {
            return Ok(None);
        }
        let age = "select extract(epoch from clock_timestamp() - at)::float8 from assize.heartbeat";
        let rows = self.rows(own, age, &[]).await?;
        let age = rows.first().map(|row| row.try_get(0)).transpose();
        age.map_err(|e| self.trouble(&e))
    }

    async fn damaged(&self, own: SocketAddr, delete: bool) -> Result<(), Trouble> {
        let sql = if delete {
            "delete from assize.ledger where run = $1"
        } else {
            "update assize.ledger set content = 'damaged ' || content where run = $1"
        };
        let connection = self.connect(own).await?;
        let rows = connection.client.execute(sql, &[&self.run]).await;
        match rows.map_err(|e| self.trouble(&e))? {
            0 => Err(Trouble::Answered("there was no entry to damage".into())),
            _ => Ok(()),
        }
    }
}

/// Bytes from the beginning of the log, of `0/3000148`.
fn lsn(text: &str) -> Option<u64> {
    let (high, low) = text.split_once('/')?;
    let high = u64::from_str_radix(high, 16).ok()?;
    Some(high << 32 | u64::from(u32::from_str_radix(low, 16).ok()?))
}

impl Protocol for Postgres {
    fn ready(&self, own: SocketAddr) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move {
            match self.look(own).await? {
                Role::Primary => self.batch(own, SCHEMA).await,
                Role::Standby => Ok(()),
            }
        })
    }

    fn check(&self, via: SocketAddr) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move { self.look(via).await.map(|_| ()) })
    }

    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>> {
        Box::pin(async move {
            let mut answer = Answer::default();
            match &call.what {
                What::Plain => self.batch(via, "select 1").await?,
                What::Write(entry) => self.write(via, entry).await?,
                What::Read => answer.sequence = self.read(via, call.from).await?,
                What::Request(request, entry) => match request.as_ref() {
                    Request::Ledger { .. } => self.write(via, entry).await?,
                    Request::Sql { statement, .. } => {
                        self.batch(via, &super::http::filled(statement, entry))
                            .await?;
                    }
                    _ => return Err(Trouble::Unsupported("not a request in SQL".into())),
                },
                What::Lookup(_) => {
                    return Err(Trouble::Unsupported("a database knows no names".into()));
                }
            }
            Ok(answer)
        })
    }

    fn role(&self, via: SocketAddr) -> Later<'_, Result<Role, Trouble>> {
        Box::pin(self.look(via))
    }

    fn promote(&self, own: SocketAddr) -> Later<'_, Result<(), Trouble>> {
        Box::pin(self.promoted(own))
    }

    fn damage(&self, own: SocketAddr, delete: bool) -> Later<'_, Result<(), Trouble>> {
        Box::pin(self.damaged(own, delete))
    }

    fn held(&self, via: SocketAddr) -> Later<'_, Result<Vec<Held>, Trouble>> {
        Box::pin(self.entries(via))
    }

    fn heartbeat(&self, own: SocketAddr) -> Later<'_, Result<Option<f64>, Trouble>> {
        Box::pin(self.beat(own))
    }

    fn log(&self) -> Vec<(u64, Logged)> {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut said.waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_bytes() {
        assert_eq!(lsn("0/3000148"), Some(0x0300_0148));
        assert_eq!(lsn("1/0"), Some(1 << 32));
        assert_eq!((lsn(""), lsn("3000148"), lsn("x/1")), (None, None, None));
    }

    #[test]
    fn a_wrong_data_source_is_not_repeated() {
        let error = config("postgres://u:hunter2@h:port/d").unwrap_err();
        assert!(!error.contains("hunter2"), "{error}");
        let config = config("postgres://u:hunter2@h/d").unwrap();
        assert_eq!(password(&config).as_deref(), Some("hunter2"));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
