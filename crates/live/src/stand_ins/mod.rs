//! Embedded stand-ins for services that nobody has bound: real protocols on real sockets.

use crate::context::Context;
use crate::options::Refused;
use crate::replica::Replica;
use assize_model::binding::StandIn;
use std::path::PathBuf;
use std::sync::Arc;

/// Starts a stand-in of this kind; it listens when this returns.
///
/// # Errors
/// It cannot be started.
pub async fn start(kind: StandIn, context: Context) -> Result<Arc<dyn Replica>, Refused> {
    Err(Refused::new(format!(
        "{}: a stand-in {kind:?} is not to be had",
        context.name()
    )))
}

/// A place that keeps backups.
#[derive(Debug)]
pub struct Vault {
    upstream: String,
}

impl Vault {
    /// Starts one that keeps its backups in `folder`; it listens when this returns, and ends when
    /// it is dropped.
    ///
    /// # Errors
    /// It cannot be started.
    pub async fn start(folder: PathBuf) -> Result<Self, Refused> {
        Err(Refused::new(format!(
            "a vault in {} is not to be had",
            folder.display()
        )))
    }

    /// Where proxies to it connect, `host:port`.
    #[must_use]
    pub fn upstream(&self) -> String {
        self.upstream.clone()
    }
}
