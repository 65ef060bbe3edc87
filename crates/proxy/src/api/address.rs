//! Addresses to listen on, read and refused in Go's words.
//!
//! Clients parse the address that comes back and some assert the error texts, so both are those
//! of Go's `net` package. Upstream addresses are the engine's business.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

/// What carries the bytes of a proxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Transport {
    /// As in the original.
    Tcp,
    /// For addresses that begin with [`Transport::UDP`].
    Udp,
}

impl Transport {
    /// What an address of datagrams begins with.
    pub(crate) const UDP: &'static str = "udp://";

    /// That of an address to listen on.
    pub(crate) fn of(listen: &str) -> Self {
        if listen.starts_with(Self::UDP) {
            Self::Udp
        } else {
            Self::Tcp
        }
    }

    /// What Go calls it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// An address to listen on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Resolved {
    /// As Go prints it: `127.0.0.1:3310`, `[::1]:3310`, `:0` without a host.
    pub(crate) text: String,
    /// The host, if one was given.
    host: Option<IpAddr>,
    port: u16,
}

impl Resolved {
    /// What to bind. Without a host, all interfaces if the server itself is reachable from
    /// elsewhere, only this machine otherwise; 0.0.0.0 means IPv6 too, as in Go.
    pub(crate) fn to_bind(&self, reachable: bool) -> SocketAddr {
        let any = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
        let host = match self.host {
            None if !reachable => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(host) if !host.is_unspecified() => host,
            _ if has_ipv6() => any,
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        SocketAddr::new(host, self.port)
    }
}

/// Reads `host:port`; may ask the system for the host's addresses, so it can block.
///
/// # Errors
///
/// Go's text, without the `listen tcp: ` that precedes it where something listens.
pub(crate) fn resolve(listen: &str) -> Result<Resolved, String> {
    let transport = Transport::of(listen);
    let scheme = match transport {
        Transport::Tcp => "",
        Transport::Udp => Transport::UDP,
    };
    let address = listen.strip_prefix(scheme).unwrap_or(listen);
    // Go takes no address at all for any port of any interface.
    let (host, port) = match address {
        "" => ("", ""),
        text => split(text).map_err(|why| format!("address {text}: {why}"))?,
    };
    let port = port_of(port)?;
    let host = host_of(host)?;
    let text = match host {
        None => format!("{scheme}:{port}"),
        Some(host) => format!("{scheme}{}", SocketAddr::new(host, port)),
    };
    Ok(Resolved { text, host, port })
}

/// What Go says when it cannot listen on an address.
pub(crate) fn listen_error(transport: Transport, address: SocketAddr, error: &io::Error) -> String {
    let words = match error.kind() {
        ErrorKind::AddrInUse => "address already in use".to_owned(),
        ErrorKind::AddrNotAvailable => "cannot assign requested address".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => plain(error),
    };
    format!("listen {} {address}: bind: {words}", transport.word())
}

/// An error of the system without Rust's ` (os error N)`, in lower case as C has it.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_lowercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

fn split(address: &str) -> Result<(&str, &str), &'static str> {
    let (host, port) = address.rsplit_once(':').ok_or("missing port in address")?;
    let inside = if let Some(rest) = address.strip_prefix('[') {
        let (inside, after) = rest.split_once(']').ok_or("missing ']' in address")?;
        match after.strip_prefix(':') {
            None => return Err("missing port in address"),
            Some(port) if port.contains(':') => return Err("too many colons in address"),
            Some(_) => inside,
        }
    } else if host.contains(':') {
        return Err("too many colons in address");
    } else {
        host
    };
    if inside.contains('[') || port.contains('[') {
        return Err("unexpected '[' in address");
    }
    if inside.contains(']') || port.contains(']') {
        return Err("unexpected ']' in address");
    }
    Ok((inside, port))
}

fn port_of(port: &str) -> Result<u16, String> {
    let digits = port.strip_prefix(['-', '+']).unwrap_or(port);
    if !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("lookup tcp/{port}: unknown port"));
    }
    if port.is_empty() {
        return Ok(0);
    }
    port.parse()
        .map_err(|_| format!("address {port}: invalid port"))
}

fn host_of(host: &str) -> Result<Option<IpAddr>, String> {
    if host.is_empty() {
        return Ok(None);
    }
    if let Ok(address) = host.parse() {
        return Ok(Some(address));
    }
    let unknown = || format!("lookup {host}: no such host");
    let found: Vec<IpAddr> = (host, 0)
        .to_socket_addrs()
        .map_err(|_| unknown())?
        .map(|address| address.ip())
        .collect();
    // Go listens on the first IPv4 address of a name, if it has one.
    let favourite = found.iter().find(|ip| ip.is_ipv4()).or(found.first());
    favourite.copied().map(Some).ok_or_else(unknown)
}

/// Whether this machine speaks IPv6, so that one socket can listen for both.
fn has_ipv6() -> bool {
    std::net::TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(address: &str) -> String {
        resolve(address).map_or_else(|error| error, |resolved| resolved.text)
    }

    #[test]
    fn addresses_print_as_in_go() {
        assert_eq!(text("localhost:3310"), "127.0.0.1:3310");
        assert_eq!(text("127.0.0.1:0"), "127.0.0.1:0");
        assert_eq!(text("[::1]:80"), "[::1]:80");
        assert_eq!(text(""), ":0");
        assert_eq!(text(":80"), ":80");
        assert_eq!(text("127.0.0.1:"), "127.0.0.1:0");
        assert_eq!(text("udp://localhost:53"), "udp://127.0.0.1:53");
        assert_eq!(text("udp://"), "udp://:0");
    }

    #[test]
    fn refusals_read_as_in_go() {
        assert_eq!(text("nowhere"), "address nowhere: missing port in address");
        assert_eq!(text("::1:80"), "address ::1:80: too many colons in address");
        assert_eq!(text("[::1:80"), "address [::1:80: missing ']' in address");
        assert_eq!(text("[::1]80"), "address [::1]80: missing port in address");
        assert_eq!(text("a[b:1"), "address a[b:1: unexpected '[' in address");
        assert_eq!(text("127.0.0.1:99999"), "address 99999: invalid port");
        assert_eq!(text("127.0.0.1:-1"), "address -1: invalid port");
        assert_eq!(text("127.0.0.1:smtpx"), "lookup tcp/smtpx: unknown port");
    }

    #[test]
    fn without_a_host_only_this_machine_unless_the_server_is_open_too() {
        let nowhere = resolve(":7").expect("an address");
        assert_eq!(nowhere.to_bind(false).to_string(), "127.0.0.1:7");
        assert!(nowhere.to_bind(true).ip().is_unspecified());
        let all = resolve("0.0.0.0:7").expect("an address");
        assert!(
            all.to_bind(false).ip().is_unspecified(),
            "asked for by name"
        );
    }

    #[test]
    fn a_taken_port_is_refused_in_the_words_that_clients_know() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = taken.local_addr().expect("its address");
        let error = std::net::TcpListener::bind(address).expect_err("it is taken");
        assert_eq!(
            listen_error(Transport::Tcp, address, &error),
            format!("listen tcp {address}: bind: address already in use")
        );
        let other = io::Error::from_raw_os_error(97);
        let text = listen_error(Transport::Tcp, address, &other);
        assert!(
            text.ends_with("bind: address family not supported by protocol"),
            "{text}"
        );
    }
}
