//! Backups into a vault and restores from it, through the network and at the topology's rate.
//!
//! A backup that is made badly looks like any other in the vault; a restore finds out.

use super::Store;
use super::db::{Db, held_in};
use crate::replica::{BackupReport, Effect, Trouble, Work};
use crate::stand_ins::vault::{Manifest, Remote};
use assize_fault::{Nanos, Ppb};
use assize_model::binding::Misbehaviour;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};

/// A transfer goes in so many parts, each in its time.
const PARTS: u64 = 20;
/// A part that does not get through may take so much longer, on the wall.
const STUCK: Duration = Duration::from_secs(20);

/// How a backup is made badly: one way after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bad {
    Truncated,
    Corrupted,
    Stale,
}

/// The time since something, and from now on since now.
struct Stopwatch(Instant);

impl Stopwatch {
    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now - self.0;
        self.0 = now;
        lap
    }
}

impl Store {
    /// Copies the data as it is now, and moves the copy into the vault.
    pub(super) async fn back_up(&self, work: &Work) -> Result<BackupReport, Trouble> {
        if self.front.down().is_some() {
            return Err(Trouble::Silent("it is down".into()));
        }
        let mut watch = Stopwatch(Instant::now());
        let made = self.make(work)?;
        let made_in = watch.lap();
        let mut remote = bounded(Remote::connect(work.vault, &work.name)).await?;
        bounded(remote.begin()).await?;
        let size = made.file.len() as u64;
        let mut due = Instant::now();
        for part in 0..PARTS {
            let (from, to) = bounds(size, part);
            bounded(remote.send(made.file.slice(from..to))).await?;
            due += self.part_time(work.takes, false);
            sleep_until(due).await;
        }
        bounded(remote.commit(&made.manifest)).await?;
        Ok(BackupReport {
            bytes: size,
            phases: vec![("copy", made_in), ("send", watch.lap())],
            entries: made.manifest.entries,
        })
    }

    /// The copy, and what it says of itself.
    fn make(&self, work: &Work) -> Result<Made, Trouble> {
        let bad = self.front.has(Effect::BadBackup);
        let count = self.db.fact("bad_backups")?;
        let kinds = [Bad::Truncated, Bad::Corrupted, Bad::Stale];
        let kind = bad.then(|| kinds[(count % 3) as usize]);
        if bad {
            self.db.set_fact("bad_backups", count + 1)?;
        }
        std::fs::create_dir_all(&work.folder).map_err(no_file)?;
        let path = work.folder.join(format!("{}.made", work.name));
        let _ = std::fs::remove_file(&path);
        self.db.copy_to(&path)?;
        // The job that copies what was there long ago does not see that it is old.
        let entries = held_in(&path)?.len().max(usize::from(bad)) as u64;
        if kind == Some(Bad::Stale) {
            std::fs::remove_file(&path).map_err(no_file)?;
            Db::create(path.clone())?.copy_to(&path.with_extension("old"))?;
            std::fs::rename(path.with_extension("old"), &path).map_err(no_file)?;
        }
        let mut file = std::fs::read(&path).map_err(no_file)?;
        let manifest = Manifest {
            bytes: file.len() as u64,
            sha256: sha256(&file),
            entries,
        };
        match kind {
            Some(Bad::Truncated) => file.truncate(file.len() / 2),
            Some(Bad::Corrupted) => {
                let middle = file.len() / 2;
                file.iter_mut()
                    .skip(middle)
                    .take(64)
                    .for_each(|b| *b ^= 0x55);
            }
            _ => {}
        }
        Ok(Made {
            file: Bytes::from(file),
            manifest,
        })
    }

    /// Finds the backup, fetches it, checks it, and takes it for its data.
    pub(super) async fn restore(&self, work: &Work) -> Result<BackupReport, Trouble> {
        if self.restoring.swap(true, Ordering::Relaxed) {
            return Err(Trouble::Answered("a restore is under way".into()));
        }
        let done = self.restore_from(work).await;
        self.restoring.store(false, Ordering::Relaxed);
        done
    }

    async fn restore_from(&self, work: &Work) -> Result<BackupReport, Trouble> {
        let mut watch = Stopwatch(Instant::now());
        let mut remote = bounded(Remote::connect(work.vault, &work.name)).await?;
        let manifest = bounded(remote.find()).await?;
        let mut phases = vec![("find", watch.lap())];
        let file = self.fetch(&mut remote, &manifest, work).await?;
        phases.push(("fetch", watch.lap()));
        let path = work.folder.join(format!("{}.fetched", work.name));
        let entries = self.verified(&file, &manifest, &path)?;
        let verified = watch.lap();
        let epoch = self.db.fact("epoch")?;
        let term = self.db.fact("term")?;
        self.db.load(&path)?;
        // Whoever follows must forget what the restore does not know.
        self.db.set_fact("epoch", epoch + 1)?;
        self.db.set_fact("term", term)?;
        phases.push(("load", watch.lap()));
        phases.push(("verify", verified));
        if self.front.misbehaves(Misbehaviour::CorruptsRestore) {
            self.db.spoil_one()?;
        }
        self.written.notify_waiters();
        Ok(BackupReport {
            bytes: file.len() as u64,
            phases,
            entries,
        })
    }

    async fn fetch(
        &self,
        remote: &mut Remote,
        manifest: &Manifest,
        work: &Work,
    ) -> Result<Vec<u8>, Trouble> {
        let mut file = Vec::new();
        let mut due = Instant::now();
        for part in 0..PARTS {
            let (from, to) = bounds(manifest.bytes, part);
            let piece = remote.fetch(from as u64, (to - from) as u64);
            file.extend_from_slice(&bounded(piece).await?);
            due += self.part_time(work.takes, true);
            sleep_until(due).await;
        }
        Ok(file)
    }

    /// What was fetched is what was made: its length, its hash, and every entry in it.
    fn verified(&self, file: &[u8], manifest: &Manifest, path: &Path) -> Result<u64, Trouble> {
        let bad = |why: String| Trouble::Answered(format!("the backup is bad: {why}"));
        if file.len() as u64 != manifest.bytes {
            let what = format!("{} of {} bytes", file.len(), manifest.bytes);
            return Err(bad(what));
        }
        if sha256(file) != manifest.sha256 {
            return Err(bad("its bytes are not those that were made".into()));
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(no_file)?;
        }
        std::fs::write(path, file).map_err(no_file)?;
        let held = held_in(path).map_err(|t| bad(t.to_string()))?;
        if held.len() as u64 != manifest.entries {
            let what = format!("{} of {} entries", held.len(), manifest.entries);
            return Err(bad(what));
        }
        let damaged = held
            .iter()
            .filter(|h| h.entry.hash != h.content_hash)
            .count();
        if damaged > 0 {
            return Err(bad(format!("{damaged} entries are damaged")));
        }
        Ok(manifest.entries)
    }

    /// How long one part takes at least, on the wall.
    fn part_time(&self, takes: Nanos, restore: bool) -> Duration {
        let slow = self.front.find(|e| match e {
            Effect::RestoreSlows(left) if restore => Some(left),
            _ => None,
        });
        let left = slow.map_or(Ppb::ONE.0, |left| left.0.max(1));
        let part =
            i128::from(takes.0) * i128::from(Ppb::ONE.0) / i128::from(left) / i128::from(PARTS);
        let part = Nanos(part.min(i128::from(Nanos::NEVER.0)) as i64);
        self.front.context.clock.wall(part)
    }
}

struct Made {
    file: Bytes,
    manifest: Manifest,
}

/// Part `index` of so many bytes.
fn bounds(size: u64, index: u64) -> (usize, usize) {
    let at = |i: u64| (size * i / PARTS) as usize;
    (at(index), at(index + 1))
}

fn sha256(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn no_file(error: std::io::Error) -> Trouble {
    Trouble::Harness(format!("a backup's file: {error}"))
}

async fn bounded<T>(step: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    match timeout(STUCK, step).await {
        Ok(done) => done,
        Err(_) => Err(Trouble::Silent("the vault does not answer".into())),
    }
}
