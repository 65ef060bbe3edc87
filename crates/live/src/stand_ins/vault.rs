//! A place that keeps backups: a folder behind a socket.
//!
//! What is sent is a backup only once its manifest has come; what broke off before is none. It
//! knows nothing of what it keeps, and believes what it is told.

use super::door::Door;
use super::talk::{self, Client, Question, Reply, Serve};
use crate::options::Refused;
use crate::replica::Trouble;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a backup says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// Bytes.
    pub(super) bytes: u64,
    /// SHA-256 in hexadecimal.
    pub(super) sha256: String,
    /// Ledger entries.
    pub(super) entries: u64,
}

/// A place that keeps backups.
#[derive(Debug)]
pub struct Vault {
    door: Door,
}

impl Vault {
    /// Starts one that keeps its backups in `folder`; it listens when this returns, and ends when
    /// it is dropped.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start(folder: PathBuf) -> Result<Self, Refused> {
        std::fs::create_dir_all(&folder)
            .map_err(|e| Refused::new(format!("the vault {}: {e}", folder.display())))?;
        let serve: Serve = Arc::new(move |question| {
            let folder = folder.clone();
            Box::pin(async move {
                let done = tokio::task::spawn_blocking(move || keep(&folder, &question)).await;
                done.unwrap_or_else(|e| Reply::Failed(e.to_string()))
            })
        });
        let door = Door::open(talk::handler(serve)).map_err(|e| Refused::new(e.to_string()))?;
        Ok(Self { door })
    }

    /// Where proxies to it connect, `host:port`.
    #[must_use]
    pub fn upstream(&self) -> String {
        self.door.address().to_string()
    }
}

fn keep(folder: &Path, question: &Question) -> Reply {
    let name = question.text("name");
    if !is_name(name) {
        return Reply::Failed(format!("`{name}` is no name for a backup"));
    }
    let file = |ending: &str| folder.join(format!("{name}.{ending}"));
    let done = match question.path.as_str() {
        "/begin" => std::fs::write(file("part"), b"").map(|()| Bytes::new()),
        "/part" => append(&file("part"), &question.body),
        "/commit" => std::fs::write(file("json"), &question.body)
            .and_then(|()| std::fs::rename(file("part"), file("db")))
            .map(|()| Bytes::new()),
        "/find" => std::fs::read(file("json")).map(Bytes::from),
        "/fetch" => part(
            &file("db"),
            question.number("from"),
            question.number("bytes"),
        ),
        path => return Reply::Failed(format!("there is no {path}")),
    };
    match done {
        Ok(body) => Reply::Done {
            facts: String::new(),
            body,
        },
        Err(error) => Reply::Failed(format!("backup `{name}`: {error}")),
    }
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !name.is_empty() && name.len() <= 200 && !name.starts_with('.') && name.chars().all(plain)
}

fn append(path: &Path, bytes: &Bytes) -> std::io::Result<Bytes> {
    let mut file = std::fs::OpenOptions::new().append(true).open(path)?;
    file.write_all(bytes)?;
    Ok(Bytes::new())
}

fn part(path: &Path, from: u64, bytes: u64) -> std::io::Result<Bytes> {
    let mut file = std::fs::File::open(path)?;
    file.seek(SeekFrom::Start(from))?;
    let mut buffer = Vec::new();
    file.take(bytes.min(talk::LONGEST as u64))
        .read_to_end(&mut buffer)?;
    Ok(Bytes::from(buffer))
}

/// A vault as its client sees it, through the network.
#[derive(Debug)]
pub(super) struct Remote {
    client: Client,
    name: String,
}

impl Remote {
    /// Connects, for the backup of this name.
    pub(super) async fn connect(via: SocketAddr, name: &str) -> Result<Self, Trouble> {
        Ok(Self {
            client: Client::connect(via).await?,
            name: name.to_string(),
        })
    }

    async fn ask(&mut self, what: &str, rest: &str, body: Bytes) -> Result<Bytes, Trouble> {
        let path = format!("/{what}?name={}{rest}", self.name);
        Ok(self.client.ask(&path, body).await?.body)
    }

    pub(super) async fn begin(&mut self) -> Result<(), Trouble> {
        self.ask("begin", "", Bytes::new()).await.map(|_| ())
    }

    pub(super) async fn send(&mut self, part: Bytes) -> Result<(), Trouble> {
        self.ask("part", "", part).await.map(|_| ())
    }

    pub(super) async fn commit(&mut self, manifest: &Manifest) -> Result<(), Trouble> {
        let json = serde_json::to_vec(manifest).map_err(|e| Trouble::Harness(e.to_string()))?;
        self.ask("commit", "", Bytes::from(json)).await.map(|_| ())
    }

    pub(super) async fn find(&mut self) -> Result<Manifest, Trouble> {
        let json = self.ask("find", "", Bytes::new()).await?;
        serde_json::from_slice(&json)
            .map_err(|e| Trouble::Answered(format!("the manifest of `{}`: {e}", self.name)))
    }

    pub(super) async fn fetch(&mut self, from: u64, bytes: u64) -> Result<Bytes, Trouble> {
        let rest = format!("&from={from}&bytes={bytes}");
        self.ask("fetch", &rest, Bytes::new()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else() {
        for bad in ["", "..", ".x", "a/b", "a\\b", "a b", "%2e"] {
            assert!(!is_name(bad), "{bad}");
        }
        assert!(is_name("db-nightly-0001.a_b"));
    }

    #[tokio::test]
    async fn a_backup_without_its_manifest_is_none() -> Result<(), Trouble> {
        let folder = std::env::temp_dir().join(format!("assize-vault-{}", std::process::id()));
        let vault = Vault::start(folder.clone()).await.expect("it starts");
        let via = vault.upstream().parse().expect("an address");
        let mut remote = Remote::connect(via, "one").await?;
        remote.begin().await?;
        remote.send(Bytes::from_static(b"hello ")).await?;
        remote.send(Bytes::from_static(b"world")).await?;
        assert!(matches!(remote.find().await, Err(Trouble::Answered(_))));
        let manifest = Manifest {
            bytes: 11,
            sha256: "x".into(),
            entries: 3,
        };
        remote.commit(&manifest).await?;
        assert_eq!(remote.find().await?, manifest);
        assert_eq!(remote.fetch(6, 100).await?.as_ref(), b"world");
        let _ = std::fs::remove_dir_all(folder);
        Ok(())
    }
}
