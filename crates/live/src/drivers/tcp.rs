//! The driver `tcp`: any service that takes connections.
//!
//! It is served who is connected and not thrown out again at once: a proxy takes a connection
//! before it knows whether the service does. No byte is sent, for nobody knows what would be
//! understood; a journey that must prove more says `exec:`.

use super::protocol::{Protocol, trouble_of};
use crate::replica::{Answer, Call, Later, Trouble, What};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long a connection must last to count. A refusal comes back within a round trip.
const LASTS: Duration = Duration::from_millis(150);

/// Connections without a protocol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tcp;

/// Connects, and waits whether the connection lasts.
///
/// # Errors
/// It is refused, or closed again.
pub(super) async fn connects(via: SocketAddr) -> Result<(), Trouble> {
    let mut stream = TcpStream::connect(via).await.map_err(|e| trouble_of(&e))?;
    let mut byte = [0];
    match timeout(LASTS, stream.read(&mut byte)).await {
        // Silence, or a greeting: it is there.
        Err(_) | Ok(Ok(1..)) => Ok(()),
        Ok(Ok(0)) => Err(Trouble::Refused("closed at once".into())),
        Ok(Err(error)) => Err(trouble_of(&error)),
    }
}

impl Protocol for Tcp {
    fn check(&self, via: SocketAddr) -> Later<'_, Result<(), Trouble>> {
        Box::pin(connects(via))
    }

    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>> {
        Box::pin(async move {
            match call.what {
                What::Plain => connects(via).await.map(|()| Answer::default()),
                _ => Err(Trouble::Unsupported(
                    "the driver `tcp` only connects".into(),
                )),
            }
        })
    }
}
