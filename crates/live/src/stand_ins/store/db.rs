//! One replica's data: an SQLite file in WAL mode with a log of changes and the rows that they give.
//!
//! A change is known by the replica that made it and a number, so it is applied once wherever it
//! comes from. Nothing here knows of connections or roles.

use crate::ledger;
use crate::replica::{Entry, Held, Trouble};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How far each replica's changes are known, by the replica's index.
pub(super) type Known = BTreeMap<u16, u64>;

/// One change of the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Change {
    /// The replica that made it.
    pub(super) origin: u16,
    /// Counts from 1 per replica.
    pub(super) number: u64,
    /// What it is.
    pub(super) what: What,
    /// Bytes that its client sent for it: they are copied too.
    pub(super) bytes: u64,
}

/// What a change does.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) enum What {
    /// A row.
    Write {
        /// Writer, sequence and hash as the client gave them.
        writer: u64,
        /// Counts per writer.
        sequence: u64,
        /// As the client computed it.
        hash: String,
        /// What is kept.
        content: String,
        /// How often it is kept.
        copies: u64,
    },
    /// A row is forgotten.
    Forget {
        /// Its writer.
        writer: u64,
        /// Its sequence.
        sequence: u64,
    },
    /// Every row is damaged.
    Corrupt,
    /// Every row is deleted.
    Delete,
}

/// The data of one replica.
#[derive(Debug)]
pub(super) struct Db {
    connection: Mutex<Connection>,
    path: PathBuf,
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS log (
        row INTEGER PRIMARY KEY AUTOINCREMENT, origin INTEGER, number INTEGER, what TEXT,
        bytes INTEGER, UNIQUE (origin, number));
    CREATE TABLE IF NOT EXISTS entries (
        row INTEGER PRIMARY KEY AUTOINCREMENT, writer INTEGER, sequence INTEGER, hash TEXT,
        content TEXT);
    CREATE INDEX IF NOT EXISTS by_writer ON entries (writer, sequence);
    CREATE TABLE IF NOT EXISTS catalogue (content TEXT);
    CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value INTEGER);";
/// What the catalogue says while the data is whole; every request looks at it.
const CATALOGUE: &str = "entries";

fn sql(error: rusqlite::Error) -> Trouble {
    Trouble::Harness(format!("SQLite: {error}"))
}

impl Db {
    /// Opens a new file.
    pub(super) fn create(path: PathBuf) -> Result<Self, Trouble> {
        let connection = open(&path)?;
        connection.execute_batch(SCHEMA).map_err(sql)?;
        connection
            .execute("INSERT INTO catalogue VALUES (?1)", [CATALOGUE])
            .map_err(sql)?;
        Ok(Self {
            connection: Mutex::new(connection),
            path,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a change of its own, committed when this returns; its number.
    pub(super) fn change(&self, origin: u16, what: What, bytes: u64) -> Result<u64, Trouble> {
        let mut connection = self.lock();
        let work = || {
            let change = connection.transaction()?;
            let number = newest(&change, origin)? + 1;
            let record = Change {
                origin,
                number,
                what,
                bytes,
            };
            apply(&change, &record)?;
            change.commit()?;
            Ok(number)
        };
        work().map_err(sql)
    }

    /// Applies changes of others; those that are known are passed over.
    pub(super) fn receive(&self, changes: &[Change]) -> Result<(), Trouble> {
        let mut connection = self.lock();
        let mut work = || {
            let all = connection.transaction()?;
            for change in changes {
                apply(&all, change)?;
            }
            all.commit()
        };
        work().map_err(sql)
    }

    /// Whether this entry is there.
    pub(super) fn has(&self, writer: u64, sequence: u64) -> Result<bool, Trouble> {
        let connection = self.lock();
        let found = connection
            .prepare_cached("SELECT 1 FROM entries WHERE writer = ?1 AND sequence = ?2")
            .and_then(|mut q| q.exists(params![writer as i64, sequence as i64]));
        found.map_err(sql)
    }

    /// The highest sequence of a writer.
    pub(super) fn newest_of(&self, writer: u64) -> Result<u64, Trouble> {
        let connection = self.lock();
        let found: Result<Option<i64>, _> = connection
            .prepare_cached("SELECT max(sequence) FROM entries WHERE writer = ?1")
            .and_then(|mut q| q.query_row([writer as i64], |row| row.get(0)));
        found.map(|n| n.map_or(0, |n| n.max(0) as u64)).map_err(sql)
    }

    /// Whether the data is what it should be, as far as a request sees.
    pub(super) fn is_whole(&self) -> Result<bool, Trouble> {
        let connection = self.lock();
        let catalogue: Option<String> = connection
            .prepare_cached("SELECT content FROM catalogue")
            .and_then(|mut q| q.query_row([], |row| row.get(0)).optional())
            .map_err(sql)?;
        Ok(catalogue.as_deref() == Some(CATALOGUE))
    }

    /// How far each replica's changes are known here.
    pub(super) fn known(&self) -> Result<Known, Trouble> {
        let connection = self.lock();
        let mut query = connection
            .prepare_cached("SELECT origin, max(number) FROM log GROUP BY origin")
            .map_err(sql)?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)));
        rows.and_then(Iterator::collect).map_err(sql)
    }

    /// The last row of the log.
    pub(super) fn end(&self) -> Result<i64, Trouble> {
        let connection = self.lock();
        let end: Result<Option<i64>, _> =
            connection.query_row("SELECT max(row) FROM log", [], |row| row.get(0));
        Ok(end.map_err(sql)?.unwrap_or(0))
    }

    /// Changes up to a row of the log that somebody who knows this much does not know, the oldest
    /// ones first, up to about so many bytes.
    pub(super) fn unknown(&self, to: &Known, end: i64, most: u64) -> Result<Vec<Change>, Trouble> {
        let mut found = Vec::new();
        for (origin, newest) in self.known()? {
            let from = to.get(&origin).copied().unwrap_or(0);
            if from >= newest {
                continue;
            }
            let connection = self.lock();
            let mut query = connection
                .prepare_cached(
                    "SELECT row, origin, number, what, bytes FROM log
                     WHERE origin = ?1 AND number > ?2 AND row <= ?3 ORDER BY row LIMIT 200",
                )
                .map_err(sql)?;
            let rows = query.query_map(params![origin, from as i64, end], numbered);
            let rows: Result<Vec<_>, _> = rows.and_then(Iterator::collect);
            found.extend(rows.map_err(sql)?);
        }
        found.sort_by_key(|(row, _)| *row);
        let mut bytes = 0;
        let changes = found.into_iter().map(|(_, change)| change);
        Ok(changes
            .take_while(|change| {
                let fits = bytes < most;
                bytes += change.bytes + 200;
                fits
            })
            .collect())
    }

    /// Forgets what `origin` did after this number, as if it had never been.
    pub(super) fn rewind(&self, origin: u16, number: u64) -> Result<u64, Trouble> {
        let mut connection = self.lock();
        let mut work = || {
            let all = connection.transaction()?;
            let gone = all.execute(
                "DELETE FROM log WHERE origin = ?1 AND number > ?2",
                params![origin, number as i64],
            )?;
            if gone > 0 {
                replay(&all)?;
            }
            all.commit()?;
            Ok(gone as u64)
        };
        work().map_err(sql)
    }

    /// Forgets everything, to be filled anew.
    pub(super) fn clear(&self) -> Result<(), Trouble> {
        let connection = self.lock();
        connection.execute("DELETE FROM log", []).map_err(sql)?;
        replay(&connection).map_err(sql)
    }

    /// A fact by name, 0 unless it was set.
    pub(super) fn fact(&self, name: &str) -> Result<u64, Trouble> {
        let connection = self.lock();
        let value: Option<i64> = connection
            .prepare_cached("SELECT value FROM facts WHERE name = ?1")
            .and_then(|mut q| q.query_row([name], |row| row.get(0)).optional())
            .map_err(sql)?;
        Ok(value.unwrap_or(0) as u64)
    }

    /// Sets a fact.
    pub(super) fn set_fact(&self, name: &str, value: u64) -> Result<(), Trouble> {
        let connection = self.lock();
        connection
            .execute(
                "INSERT OR REPLACE INTO facts VALUES (?1, ?2)",
                params![name, value as i64],
            )
            .map(|_| ())
            .map_err(sql)
    }

    /// Every entry, with the hash of what is stored.
    pub(super) fn held(&self) -> Result<Vec<Held>, Trouble> {
        held(&self.lock())
    }

    /// Copies everything into a new file, by SQLite's backup interface, while others write.
    pub(super) fn copy_to(&self, path: &Path) -> Result<(), Trouble> {
        let from = open(&self.path)?;
        let mut to = Connection::open(path).map_err(sql)?;
        copy(&from, &mut to)
    }

    /// Replaces everything by what a file holds.
    pub(super) fn load(&self, path: &Path) -> Result<(), Trouble> {
        let from = Connection::open(path).map_err(sql)?;
        copy(&from, &mut self.lock())
    }

    /// Changes a character of the oldest row, and nothing else.
    pub(super) fn spoil_one(&self) -> Result<(), Trouble> {
        let connection = self.lock();
        connection
            .execute(
                "UPDATE entries SET content = '?' || substr(content, 2)
                 WHERE row = (SELECT min(row) FROM entries)",
                [],
            )
            .map(|_| ())
            .map_err(sql)
    }
}

fn open(path: &Path) -> Result<Connection, Trouble> {
    let connection = Connection::open(path).map_err(sql)?;
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .map_err(sql)?;
    // A crash of a stand-in is not one of the machine: what is committed is in the file.
    connection
        .pragma_update(None, "synchronous", "OFF")
        .map_err(sql)?;
    connection
        .busy_timeout(std::time::Duration::from_secs(5))
        .map_err(sql)?;
    Ok(connection)
}

fn copy(from: &Connection, to: &mut Connection) -> Result<(), Trouble> {
    let backup = rusqlite::backup::Backup::new(from, to).map_err(sql)?;
    backup
        .run_to_completion(256, std::time::Duration::from_millis(1), None)
        .map_err(sql)
}

/// Every entry in a file, with the hash of what is stored.
pub(super) fn held_in(path: &Path) -> Result<Vec<Held>, Trouble> {
    held(&Connection::open(path).map_err(sql)?)
}

fn held(connection: &Connection) -> Result<Vec<Held>, Trouble> {
    let mut query = connection
        .prepare("SELECT writer, sequence, hash, content FROM entries ORDER BY row")
        .map_err(sql)?;
    let rows = query.query_map([], |row| {
        let content: String = row.get(3)?;
        Ok(Held {
            entry: Entry {
                writer: row.get::<_, i64>(0)? as u64,
                sequence: row.get::<_, i64>(1)? as u64,
                hash: row.get(2)?,
            },
            content_hash: ledger::hash(content.as_bytes()),
        })
    });
    rows.and_then(Iterator::collect).map_err(sql)
}

fn newest(connection: &Connection, origin: u16) -> rusqlite::Result<u64> {
    let number: Option<i64> = connection
        .prepare_cached("SELECT max(number) FROM log WHERE origin = ?1")?
        .query_row([origin], |row| row.get(0))?;
    Ok(number.unwrap_or(0) as u64)
}

fn numbered(row: &Row<'_>) -> rusqlite::Result<(i64, Change)> {
    let text: String = row.get(3)?;
    let what = serde_json::from_str(&text).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(3, rusqlite::types::Type::Text, Box::new(e))
    })?;
    let change = Change {
        origin: row.get(1)?,
        number: row.get::<_, i64>(2)? as u64,
        what,
        bytes: row.get::<_, i64>(4)? as u64,
    };
    Ok((row.get(0)?, change))
}

/// Into the log, and into the rows if it was not there.
fn apply(all: &Transaction<'_>, change: &Change) -> rusqlite::Result<()> {
    let what = serde_json::to_string(&change.what)
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
    let new = all
        .prepare_cached(
            "INSERT OR IGNORE INTO log (origin, number, what, bytes) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![
            change.origin,
            change.number as i64,
            what,
            change.bytes as i64
        ])?;
    if new == 0 {
        return Ok(());
    }
    act(all, &change.what)
}

fn act(connection: &Connection, what: &What) -> rusqlite::Result<()> {
    match what {
        What::Write {
            writer,
            sequence,
            hash,
            content,
            copies,
        } => {
            let mut insert = connection.prepare_cached(
                "INSERT INTO entries (writer, sequence, hash, content) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for _ in 0..*copies {
                insert.execute(params![*writer as i64, *sequence as i64, hash, content])?;
            }
            Ok(())
        }
        What::Forget { writer, sequence } => connection
            .execute(
                "DELETE FROM entries WHERE writer = ?1 AND sequence = ?2",
                params![*writer as i64, *sequence as i64],
            )
            .map(|_| ()),
        What::Corrupt => connection.execute_batch(
            "UPDATE entries SET content = '#' || substr(content, 2);
             UPDATE catalogue SET content = '#' || substr(content, 2);",
        ),
        What::Delete => connection.execute_batch("DELETE FROM entries; DELETE FROM catalogue;"),
    }
}

/// The rows anew, from the log.
fn replay(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("DELETE FROM entries; DELETE FROM catalogue;")?;
    connection.execute("INSERT INTO catalogue VALUES (?1)", [CATALOGUE])?;
    let mut query =
        connection.prepare("SELECT row, origin, number, what, bytes FROM log ORDER BY row")?;
    let changes: Vec<(i64, Change)> = query
        .query_map([], numbered)?
        .collect::<rusqlite::Result<_>>()?;
    for (_, change) in &changes {
        act(connection, &change.what)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
