//! A wire fault as it is attached to a proxy: its name, its direction, whom it meets.
//!
//! What it does to bytes is its [`Wire`], which belongs to `assize-fault`.

use assize_fault::{Direction, Wire};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// A wire fault on a proxy.
#[derive(Clone, PartialEq, Debug)]
pub struct Toxic {
    /// Its name, unlike that of any other fault of the proxy in either direction.
    pub name: String,
    /// Which direction it acts on.
    pub stream: Direction,
    /// The share of connections that it touches, from 0 to 1, drawn once for each.
    pub toxicity: f64,
    /// What it does.
    pub wire: Wire,
    /// Whom it touches; everybody if none.
    pub peer: Option<Peer>,
}

impl Toxic {
    /// A fault that touches every connection.
    pub fn new(name: impl Into<String>, stream: Direction, wire: Wire) -> Self {
        Self {
            name: name.into(),
            stream,
            toxicity: 1.0,
            wire,
            peer: None,
        }
    }
}

/// What to change of a fault; what is none stays.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Change {
    /// New settings, of the same type of fault.
    pub wire: Option<Wire>,
    /// A new share. The draw of a connection is kept: a larger share only adds connections.
    pub toxicity: Option<f64>,
    /// Whom it touches from now on.
    pub peer: Option<Option<Peer>>,
}

/// Clients by address: `10.0.0.7`, `10.0.0.0/8`, `127.0.0.1:40312`, `[::1]:40312`, `fd00::/8`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Peer {
    address: IpAddr,
    prefix: u8,
    port: Option<u16>,
}

impl Peer {
    /// Whether this client is meant.
    #[must_use]
    pub fn meets(&self, client: SocketAddr) -> bool {
        let same_port = self.port.is_none_or(|port| port == client.port());
        // A client of a listener for both families has an IPv4 address in IPv6 clothes.
        same_port
            && match (self.address, client.ip().to_canonical()) {
                (IpAddr::V4(net), IpAddr::V4(ip)) => {
                    let host = u32::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                    net.to_bits() | host == ip.to_bits() | host
                }
                (IpAddr::V6(net), IpAddr::V6(ip)) => {
                    let host = u128::MAX.checked_shr(self.prefix.into()).unwrap_or(0);
                    net.to_bits() | host == ip.to_bits() | host
                }
                _ => false,
            }
    }
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let help = || {
            format!(
                "`{text}` names no clients; write an address, `10.0.0.0/8`, or `127.0.0.1:40312`"
            )
        };
        if let Ok(SocketAddr::V4(_) | SocketAddr::V6(_)) = text.parse::<SocketAddr>() {
            let with_port: SocketAddr = text.parse().map_err(|_| help())?;
            return Ok(Self::new(with_port.ip(), u8::MAX, Some(with_port.port())));
        }
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, prefix.parse().map_err(|_| help())?),
            None => (text, u8::MAX),
        };
        let address: IpAddr = address.parse().map_err(|_| help())?;
        let widest = if address.is_ipv4() { 32 } else { 128 };
        if text.contains('/') && prefix > widest {
            return Err(help());
        }
        Ok(Self::new(address, prefix, None))
    }
}

impl Peer {
    fn new(address: IpAddr, prefix: u8, port: Option<u16>) -> Self {
        let address = address.to_canonical();
        let widest = if address.is_ipv4() { 32 } else { 128 };
        Self {
            address,
            prefix: prefix.min(widest),
            port,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = if self.address.is_ipv4() { 32 } else { 128 };
        match self.port {
            Some(port) => SocketAddr::new(self.address, port).fmt(f),
            None if self.prefix < widest => write!(f, "{}/{}", self.address, self.prefix),
            None => self.address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_met_by_address_network_and_port() {
        for (peer, client, meant) in [
            ("10.0.0.7", "10.0.0.7:5", true),
            ("10.0.0.7", "10.0.0.8:5", false),
            ("10.0.0.0/8", "10.255.0.1:5", true),
            ("10.0.0.0/8", "11.0.0.1:5", false),
            ("0.0.0.0/0", "11.0.0.1:5", true),
            ("0.0.0.0/0", "[::1]:5", false),
            ("127.0.0.1:40312", "127.0.0.1:40312", true),
            ("127.0.0.1:40312", "127.0.0.1:40313", false),
            ("127.0.0.1", "[::ffff:127.0.0.1]:5", true),
            ("fd00::/8", "[fd12::1]:5", true),
            ("fd00::/8", "[fe80::1]:5", false),
            ("[::1]:7", "[::1]:7", true),
        ] {
            let parsed: Peer = peer.parse().unwrap_or_else(|e| panic!("{e}"));
            let client: SocketAddr = client.parse().unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(parsed.meets(client), meant, "{peer} {client}");
            assert_eq!(parsed.to_string(), peer);
        }
        for wrong in [
            "",
            "host",
            "10.0.0.0/33",
            "10.0.0.0/x",
            "::/129",
            "10.0.0.1:70000",
        ] {
            assert!(wrong.parse::<Peer>().is_err(), "{wrong}");
        }
    }
}
