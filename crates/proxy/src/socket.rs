//! Sockets as this crate wants them: never blocking, without Nagle's delay, closed on exec.
//!
//! Only what a call to the system is; who holds which socket, and when, is for others.

use crate::Error;
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, SocketAddrAny, SocketFlags, SocketType, bind, connect, getsockname, listen,
    socket_with, sockopt,
};
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Clients that may wait to be accepted; the kernel takes the smaller of this and its own limit.
pub(crate) const BACKLOG: i32 = 4096;

/// On loopback a congestion control that paces, as BBR does, halves the throughput and protects
/// nothing. Elsewhere the system's choice stands.
const LOOPBACK_CONGESTION: &str = "reno";

/// An address to listen on, as people write it: `:8080` means every address of the machine.
pub(crate) fn listen_address(text: &str) -> Result<SocketAddr, Error> {
    let full = match text {
        "" => "[::]:0".to_owned(),
        text if text.starts_with(':') => format!("[::]{text}"),
        text => text.to_owned(),
    };
    let wrong = |reason: String| Error::Address {
        address: text.to_owned(),
        reason,
    };
    let mut found: Vec<SocketAddr> = full
        .to_socket_addrs()
        .map_err(|error| wrong(error.to_string()))?
        .collect();
    // `localhost` has two addresses on most machines; clients that know one try IPv4.
    found.sort_by_key(SocketAddr::is_ipv6);
    found
        .first()
        .copied()
        .ok_or_else(|| wrong("the name has no address".to_owned()))
}

/// A bound socket that does not listen yet: its port is taken, and refuses.
pub(crate) fn bound(address: SocketAddr) -> io::Result<OwnedFd> {
    let fd = stream(address)?;
    sockopt::set_socket_reuseaddr(&fd, true)?;
    if address.is_ipv6() {
        sockopt::set_ipv6_v6only(&fd, !address.ip().is_unspecified())?;
    }
    // Accepted sockets inherit these, which saves a call for each.
    ours(&fd, address);
    bind(&fd, &address)?;
    Ok(fd)
}

/// Begins to listen.
pub(crate) fn open(fd: &OwnedFd) -> io::Result<()> {
    Ok(listen(fd, BACKLOG)?)
}

/// A socket whose connection to `address` is on its way, or made already.
pub(crate) fn connecting(address: SocketAddr) -> io::Result<OwnedFd> {
    let fd = stream(address)?;
    ours(&fd, address);
    match connect(&fd, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(fd),
        Err(error) => Err(error.into()),
    }
}

/// What became of a connection that was on its way.
pub(crate) fn connected(fd: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    sockopt::socket_error(fd)??;
    // Without a server, a port of the ephemeral range can be given to the client itself, and TCP
    // lets a socket connect to itself.
    if address.ip().is_loopback() && local(fd).is_some_and(|local| local == address) {
        return Err(Errno::CONNREFUSED.into());
    }
    Ok(())
}

/// The next client of a listener.
pub(crate) fn accept(listener: &OwnedFd) -> Result<(OwnedFd, Option<SocketAddr>), Errno> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let (fd, peer) = rustix::net::acceptfrom_with(listener, flags)?;
    Ok((fd, peer.and_then(address)))
}

/// Makes closing it a reset.
pub(crate) fn reset_on_close(fd: impl AsFd) {
    // It fails only on a socket that is no more; then there is nothing to reset.
    let _ = sockopt::set_socket_linger(fd, Some(Duration::ZERO));
}

/// The address that a socket is bound to.
pub(crate) fn local(fd: &OwnedFd) -> Option<SocketAddr> {
    getsockname(fd).ok().and_then(address)
}

fn address(any: SocketAddrAny) -> Option<SocketAddr> {
    any.try_into().ok()
}

fn stream(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(socket_with(family, SocketType::STREAM, flags, None)?)
}

/// Options that help and that a connection can do without: failures are no failures.
fn ours(fd: &OwnedFd, address: SocketAddr) {
    let _ = sockopt::set_tcp_nodelay(fd, true);
    if address.ip().to_canonical().is_loopback() {
        #[cfg(target_os = "linux")]
        let _ = sockopt::set_tcp_congestion(fd, LOOPBACK_CONGESTION);
    } else {
        let _ = sockopt::set_socket_keepalive(fd, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses_are_read_as_people_write_them() {
        for (text, address) in [
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("localhost:80", "127.0.0.1:80"),
            (":80", "[::]:80"),
            ("", "[::]:0"),
            ("[::1]:0", "[::1]:0"),
        ] {
            let read = listen_address(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(read.to_string(), address, "{text}");
        }
        for wrong in ["80", "localhost", "127.0.0.1:x", "127.0.0.1:70000"] {
            assert!(listen_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_bound_socket_refuses_until_it_is_opened() {
        let fd = bound("127.0.0.1:0".parse().expect("address")).expect("bind");
        let at = local(&fd).expect("bound");
        let refused = std::net::TcpStream::connect(at).expect_err("nobody listens");
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        open(&fd).expect("listen");
        std::net::TcpStream::connect(at).expect("somebody listens");
    }
}
