//! Embedded stand-ins for services that nobody has bound: real protocols on real sockets.

mod door;
mod embedded;
mod front;
mod http;
mod line;
mod needs;
mod talk;
#[cfg(test)]
mod tests;

use crate::context::Context;
use crate::options::Refused;
use crate::replica::{Replica, Trouble};
use assize_model::binding::StandIn;
use std::path::PathBuf;
use std::sync::Arc;

/// Starts a stand-in of this kind; it listens when this returns.
///
/// # Errors
/// It cannot be started.
pub async fn start(kind: StandIn, context: Context) -> Result<Arc<dyn Replica>, Refused> {
    let name = context.name();
    let started = match kind {
        StandIn::Http => http::start(context),
        _ => Err(Trouble::Unsupported(format!("a stand-in {kind:?}"))),
    };
    match started {
        Ok(embedded) => Ok(Arc::new(embedded)),
        Err(trouble) => Err(Refused::new(format!("{name}: {trouble}"))),
    }
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
