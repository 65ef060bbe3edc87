//! Flows: one proxy each between a place and a replica (or a vault), made before the start.
//!
//! What a flow meets on its way is decided elsewhere; here it is put on its proxy, and counted.

mod put;

use crate::options::Refused;
use crate::replica::Transport;
use assize_control::wire::{Door, FlowFaults};
use assize_fault::Order;
use assize_model::{AccessId, NodeId, ServiceId};
use assize_proxy::{Engine, Proxy, UdpProxy};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

/// Proxies that are made, or changed, at the same time.
pub(crate) const HANDS_AT_ONCE: usize = 32;

/// Where a flow begins.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Origin {
    /// At the users of a spot, over an access.
    Users { spot: usize, access: AccessId },
    /// At a replica that needs the other end: a dependency, a peer, a vault.
    Replica(ServiceId, u16),
    /// At a node that checks.
    Checker(NodeId),
    /// Beside the clients: nothing between but the replica's own place.
    Beside,
}

/// Where a flow ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum End {
    /// At a replica.
    Replica(ServiceId, u16),
    /// At the machine of a replica, which answers while its place works, whatever the replica does.
    Machine(ServiceId, u16),
    /// At the place that keeps backups.
    Vault(NodeId),
    /// At a further address that the system's own control plane uses, by its place in the binding.
    Peer(ServiceId, u16),
}

impl End {
    /// The replica at this end, or the one whose machine it is.
    pub(crate) const fn replica(self) -> Option<(ServiceId, u16)> {
        match self {
            Self::Replica(s, r) | Self::Machine(s, r) => Some((s, r)),
            Self::Vault(_) | Self::Peer(..) => None,
        }
    }
}

/// A flow, by its ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FlowKey {
    pub(crate) origin: Origin,
    pub(crate) end: End,
}

impl FlowKey {
    /// The replica that the other end stands beside, as its clients do: nothing is between but the
    /// replica's own place, and what cuts it off from most of its users.
    pub(crate) fn beside(self) -> Option<(ServiceId, u16)> {
        match (self.origin, self.end) {
            (Origin::Beside, end) => end.replica(),
            (Origin::Replica(s, r), End::Peer(..)) => Some((s, r)),
            _ => None,
        }
    }
}

/// One flow.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) key: FlowKey,
    pub(crate) name: String,
    pub(crate) addr: SocketAddr,
    carrier: Carrier,
    on: Mutex<FlowFaults>,
}

#[derive(Debug)]
enum Carrier {
    Tcp(Proxy),
    Udp(UdpProxy),
    /// Nothing is between.
    None(Transport),
    /// In memory, in the place of a proxy.
    #[cfg(feature = "rehearsal")]
    Air(std::sync::Arc<crate::air::Carrier>),
}

/// What carries a flow, and where it begins.
type Made = (Carrier, SocketAddr);

/// What flows are made on.
#[derive(Debug)]
pub(crate) enum Ground {
    /// Proxies, which listen on this address.
    Sockets(Engine, IpAddr),
    /// No proxies: every flow leads to its end itself, and nothing can be broken.
    Direct,
    /// Memory, in virtual time.
    #[cfg(feature = "rehearsal")]
    Air(std::sync::Arc<crate::air::Air>),
}

/// All flows of a run.
#[derive(Debug)]
pub(crate) struct Flows {
    list: Vec<Flow>,
    index: BTreeMap<FlowKey, usize>,
}

/// What a flow's proxy is made of.
pub(crate) struct Making {
    pub(crate) key: FlowKey,
    pub(crate) name: String,
    pub(crate) upstream: String,
    pub(crate) transport: Transport,
    /// What is on the wire from the beginning.
    pub(crate) on: FlowFaults,
}

impl Flows {
    /// Makes a proxy for each.
    pub(crate) fn make(ground: &Ground, seed: u64, flows: Vec<Making>) -> Result<Self, Refused> {
        let mut made = Self {
            list: Vec::with_capacity(flows.len()),
            index: BTreeMap::new(),
        };
        let carriers = carriers(ground, seed, &flows)?;
        for (flow, (carrier, addr)) in flows.into_iter().zip(carriers) {
            made.index.insert(flow.key, made.list.len());
            made.list.push(Flow {
                key: flow.key,
                name: flow.name,
                addr,
                carrier,
                on: Mutex::new(FlowFaults {
                    door: Door::Open,
                    faults: flow.on.faults,
                }),
            });
        }
        Ok(made)
    }

    /// Its number, if there is such a flow.
    pub(crate) fn find(&self, origin: Origin, end: End) -> Option<usize> {
        self.index.get(&FlowKey { origin, end }).copied()
    }

    /// One of them.
    pub(crate) fn get(&self, flow: usize) -> &Flow {
        &self.list[flow]
    }

    /// All, by number.
    pub(crate) fn all(&self) -> &[Flow] {
        &self.list
    }
}

/// A carrier for each, in their order. Proxies are made many at a time: making one waits for the
/// threads that will carry it.
fn carriers(ground: &Ground, seed: u64, flows: &[Making]) -> Result<Vec<Made>, Refused> {
    let each = flows.len().div_ceil(HANDS_AT_ONCE).max(4);
    if flows.len() <= each || !matches!(ground, Ground::Sockets(..)) {
        return flows.iter().map(|f| carrier(ground, seed, f)).collect();
    }
    let make = |some: &[Making]| -> Result<Vec<Made>, Refused> {
        some.iter().map(|f| carrier(ground, seed, f)).collect()
    };
    std::thread::scope(|scope| {
        let some = flows.chunks(each);
        let hands: Vec<_> = some.map(|some| scope.spawn(move || make(some))).collect();
        let mut made = Vec::with_capacity(flows.len());
        for hand in hands {
            let panicked = || Refused::new("a thread that makes proxies has panicked");
            made.extend(hand.join().map_err(|_| panicked())??);
        }
        Ok(made)
    })
}

fn carrier(ground: &Ground, seed: u64, flow: &Making) -> Result<Made, Refused> {
    let refuse = |why: &dyn std::fmt::Display| {
        Refused::new(format!(
            "the proxy of `{}` cannot be made: {why}",
            flow.name
        ))
    };
    let (engine, host) = match ground {
        Ground::Sockets(engine, host) => (engine, *host),
        Ground::Direct => {
            if flow.on != nothing() {
                return Err(refuse(&"without a proxy nothing can be put on it"));
            }
            let addr = flow.upstream.parse().map_err(|e| refuse(&e))?;
            return Ok((Carrier::None(flow.transport), addr));
        }
        #[cfg(feature = "rehearsal")]
        Ground::Air(air) => {
            let upstream = flow.upstream.parse().map_err(|e| refuse(&e))?;
            let (carrier, addr) = air.flow(&flow.name, upstream, flow.on.clone());
            return Ok((Carrier::Air(carrier), addr));
        }
    };
    let listen = SocketAddr::new(host, 0).to_string();
    let faults = flow.on.faults.iter().map(put::toxic);
    Ok(match flow.transport {
        Transport::Tcp => {
            let builder = Proxy::tcp(listen).name(&flow.name).upstream(&flow.upstream);
            let builder = faults.fold(builder.on(engine), assize_proxy::Builder::toxic);
            let proxy = builder.start().map_err(|e| refuse(&e))?;
            let addr = proxy.addr();
            (Carrier::Tcp(proxy), addr)
        }
        Transport::Udp => {
            let builder = Proxy::udp(listen).name(&flow.name).upstream(&flow.upstream);
            let builder = faults.fold(builder.seed(seed), assize_proxy::UdpBuilder::toxic);
            let proxy = builder.start().map_err(|e| refuse(&e))?;
            let addr = proxy.addr();
            (Carrier::Udp(proxy), addr)
        }
    })
}

impl Flow {
    /// Puts this on the wire instead of what is there; returns whether that is a change. It holds
    /// for open connections as well when this returns.
    pub(crate) fn put(&self, new: FlowFaults) -> Result<bool, assize_proxy::Error> {
        let mut on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if *on == new {
            return Ok(false);
        }
        match &self.carrier {
            Carrier::Tcp(proxy) => put::on_tcp(proxy, &on, &new)?,
            Carrier::Udp(proxy) => put::on_udp(proxy, &on, &new)?,
            Carrier::None(_) => return Ok(false),
            #[cfg(feature = "rehearsal")]
            Carrier::Air(carrier) => carrier.put(new.clone()),
        }
        *on = new;
        Ok(true)
    }

    /// Whether this is not what is on the wire.
    pub(crate) fn differs(&self, from: &FlowFaults) -> bool {
        *self.on.lock().unwrap_or_else(PoisonError::into_inner) != *from
    }

    /// Whether something is on the wire.
    pub(crate) fn is_faulted(&self) -> bool {
        *self.on.lock().unwrap_or_else(PoisonError::into_inner) != nothing()
    }

    /// Whether a connection is open over it; of datagrams nobody can say.
    pub(crate) fn is_in_use(&self) -> bool {
        match &self.carrier {
            Carrier::Tcp(proxy) => proxy.counters().open > 0,
            Carrier::Udp(_) | Carrier::None(_) => false,
            #[cfg(feature = "rehearsal")]
            Carrier::Air(carrier) => carrier.is_in_use(),
        }
    }

    /// Whether a connection was ever made over it; of datagrams nobody can say.
    pub(crate) fn was_used(&self) -> bool {
        match &self.carrier {
            Carrier::Tcp(proxy) => proxy.counters().accepted > 0,
            Carrier::Udp(_) | Carrier::None(_) => false,
            #[cfg(feature = "rehearsal")]
            Carrier::Air(_) => true,
        }
    }

    /// What carries it.
    pub(crate) const fn order(&self) -> Order {
        match self.carrier {
            Carrier::Tcp(_) | Carrier::None(Transport::Tcp) => Order::Stream,
            Carrier::Udp(_) | Carrier::None(Transport::Udp) => Order::Datagram,
            #[cfg(feature = "rehearsal")]
            Carrier::Air(_) => Order::Stream,
        }
    }

    /// Whether it lets nothing through now, in one direction at least.
    pub(crate) fn is_blocked(&self) -> bool {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        on.is_stopped()
    }
}

/// What is on a flow that nothing is wrong with.
pub(crate) const fn nothing() -> FlowFaults {
    FlowFaults {
        door: Door::Open,
        faults: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_control::wire::FlowFault;
    use assize_fault::{Direction, Ppb, Value, Wire};
    use assize_proxy::EngineOptions;
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    fn wire(kind: &str, name: &str, value: i64) -> Wire {
        let mut wire = Wire::named(kind).unwrap_or_else(|| panic!("no {kind}"));
        wire.set(name, Value::Int(value))
            .unwrap_or_else(|e| panic!("{e:?}"));
        wire
    }

    fn one_flow() -> Result<(Ground, Flows, TcpListener), Box<dyn std::error::Error>> {
        let engine = Engine::new(EngineOptions {
            workers: 1,
            ..EngineOptions::default()
        })?;
        let server = TcpListener::bind("127.0.0.1:0")?;
        let making = Making {
            key: FlowKey {
                origin: Origin::Beside,
                end: End::Replica(ServiceId(0), 0),
            },
            name: "beside-db/a".into(),
            upstream: server.local_addr()?.to_string(),
            transport: Transport::Tcp,
            on: nothing(),
        };
        let ground = Ground::Sockets(engine, Ipv4Addr::LOCALHOST.into());
        let flows = Flows::make(&ground, 1, vec![making])?;
        Ok((ground, flows, server))
    }

    #[test]
    fn what_is_put_on_is_met_and_what_is_taken_off_is_gone()
    -> Result<(), Box<dyn std::error::Error>> {
        let (_ground, flows, server) = one_flow()?;
        let flow = flows.get(
            flows
                .find(Origin::Beside, End::Replica(ServiceId(0), 0))
                .ok_or("no flow")?,
        );
        let slow = FlowFaults {
            faults: vec![FlowFault {
                name: "slow".into(),
                direction: Direction::Upstream,
                share: Ppb::ONE,
                wire: wire("latency", "latency", 60),
            }],
            ..nothing()
        };
        assert!(flow.put(slow.clone())?);
        assert!(!flow.put(slow)?, "the same again is no change");
        let mut client = TcpStream::connect(flow.addr)?;
        let (mut peer, _) = server.accept()?;
        client.write_all(b"x")?;
        let mut byte = [0];
        peer.read_exact(&mut byte)?;
        assert!(flow.put(FlowFaults {
            door: Door::Refuse,
            ..nothing()
        })?);
        assert!(TcpStream::connect(flow.addr).is_err());
        assert!(client.read(&mut byte).is_err(), "open ones are reset");
        assert!(flow.put(nothing())?);
        assert!(!flow.is_faulted());
        assert!(TcpStream::connect(flow.addr).is_ok());
        Ok(())
    }
}
