//! Embedded stand-ins for services that nobody has bound: real protocols on real sockets.

mod datagrams;
mod dns;
mod door;
mod embedded;
mod front;
mod http;
mod line;
mod needs;
mod radius;
mod store;
mod talk;
#[cfg(test)]
mod tests;
mod vault;

use crate::context::Context;
use crate::options::Refused;
use crate::replica::Replica;
use assize_model::binding::StandIn;
use std::sync::Arc;

pub use vault::Vault;

/// Starts a stand-in of this kind; it listens when this returns.
///
/// # Errors
/// It cannot be started.
pub async fn start(kind: StandIn, context: Context) -> Result<Arc<dyn Replica>, Refused> {
    let name = context.name();
    let started = match kind {
        StandIn::Http => http::start(context),
        StandIn::Store => store::start(context),
        StandIn::Radius => radius::start(context).await,
        StandIn::Dns => dns::start(context).await,
    };
    match started {
        Ok(embedded) => Ok(Arc::new(embedded)),
        Err(trouble) => Err(Refused::new(format!("{name}: {trouble}"))),
    }
}
