//! Streams between stand-ins and their clients: sockets of the system, or in a rehearsal memory.
//!
//! Everything above speaks over [`Socket`] and notices no difference.

#[cfg(feature = "rehearsal")]
use crate::air;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Clients that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// One connection.
#[derive(Debug)]
pub(crate) enum Socket {
    /// Of the system.
    Tcp(TcpStream),
    /// In memory.
    #[cfg(feature = "rehearsal")]
    Air(tokio::io::DuplexStream),
}

/// Connects to a proxy.
pub(crate) async fn connect(via: SocketAddr) -> io::Result<Socket> {
    #[cfg(feature = "rehearsal")]
    if let Some(air) = air::here() {
        return air.connect(via).await.map(Socket::Air);
    }
    TcpStream::connect(via).await.map(Socket::of)
}

impl Socket {
    fn of(stream: TcpStream) -> Self {
        // Small answers must not wait for an acknowledgement; without it they are only slower.
        let _ = stream.set_nodelay(true);
        Self::Tcp(stream)
    }

    /// Its end will be a reset, where there is such a thing.
    pub(crate) fn end_with_reset(&self) {
        match self {
            // If it fails, the client reads an end instead.
            Self::Tcp(stream) => {
                let _ = stream.set_zero_linger();
            }
            #[cfg(feature = "rehearsal")]
            Self::Air(_) => {}
        }
    }
}

/// An address of 127.0.0.1 that stays its owner's own, whether anybody listens or not: a second
/// socket is bound to it and never listens.
#[derive(Debug)]
pub(crate) struct Reserved {
    address: SocketAddr,
    _held: Option<TcpSocket>,
}

impl Reserved {
    /// A free one.
    pub(crate) fn new() -> io::Result<Self> {
        #[cfg(feature = "rehearsal")]
        if let Some(air) = air::here() {
            let address = air.address();
            return Ok(Self {
                address,
                _held: None,
            });
        }
        let held = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self {
            address: held.local_addr()?,
            _held: Some(held),
        })
    }

    /// The address.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Listens there, until what it returns is dropped.
    pub(crate) fn listen(&self) -> io::Result<Listener> {
        #[cfg(feature = "rehearsal")]
        if let Some(air) = air::here() {
            return Ok(Listener::Air(air.listen(self.address)));
        }
        bound(self.address)?.listen(BACKLOG).map(Listener::Tcp)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// Who takes connections.
#[derive(Debug)]
pub(crate) enum Listener {
    /// Of the system.
    Tcp(TcpListener),
    /// In memory.
    #[cfg(feature = "rehearsal")]
    Air(air::Incoming),
}

impl Listener {
    /// The next connection.
    pub(crate) async fn accept(&mut self) -> io::Result<Socket> {
        match self {
            Self::Tcp(listener) => listener
                .accept()
                .await
                .map(|(stream, _)| Socket::of(stream)),
            #[cfg(feature = "rehearsal")]
            Self::Air(incoming) => match incoming.recv().await {
                Some(stream) => Ok(Socket::Air(stream)),
                None => std::future::pending().await,
            },
        }
    }
}

/// Does the same with either kind.
macro_rules! either {
    ($socket:expr, $stream:ident => $done:expr) => {
        match $socket {
            Socket::Tcp($stream) => $done,
            #[cfg(feature = "rehearsal")]
            Socket::Air($stream) => $done,
        }
    };
}

impl AsyncRead for Socket {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        either!(self.get_mut(), stream => Pin::new(stream).poll_shutdown(cx))
    }
}
