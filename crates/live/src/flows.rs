//! Flows: one proxy each between a place and a replica (or a vault), made before the start.
//!
//! What a flow meets on its way is decided elsewhere; here it is put on its proxy, and counted.

use crate::options::Refused;
use crate::replica::Transport;
use assize_control::wire::{Door, FlowFault, FlowFaults};
use assize_fault::{Direction, Order, Ppb, Wire};
use assize_model::{AccessId, NodeId, ServiceId};
use assize_proxy::{Change, Cut, Engine, Listening, Proxy, Toxic, UdpProxy};
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};

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
}

impl End {
    /// The replica at this end, or the one whose machine it is.
    pub(crate) const fn replica(self) -> Option<(ServiceId, u16)> {
        match self {
            Self::Replica(s, r) | Self::Machine(s, r) => Some((s, r)),
            Self::Vault(_) => None,
        }
    }
}

/// A flow, by its ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FlowKey {
    pub(crate) origin: Origin,
    pub(crate) end: End,
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
    /// In memory, in the place of a proxy.
    #[cfg(feature = "rehearsal")]
    Air(std::sync::Arc<crate::air::Carrier>),
}

/// What flows are made on.
#[derive(Debug)]
pub(crate) enum Ground {
    /// Proxies, which listen on this address.
    Sockets(Engine, IpAddr),
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
        for flow in flows {
            let (carrier, addr) = carrier(ground, seed, &flow)?;
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

fn carrier(ground: &Ground, seed: u64, flow: &Making) -> Result<(Carrier, SocketAddr), Refused> {
    let refuse = |why: &dyn std::fmt::Display| {
        Refused::new(format!(
            "the proxy of `{}` cannot be made: {why}",
            flow.name
        ))
    };
    let (engine, host) = match ground {
        Ground::Sockets(engine, host) => (engine, *host),
        #[cfg(feature = "rehearsal")]
        Ground::Air(air) => {
            let upstream = flow.upstream.parse().map_err(|e| refuse(&e))?;
            let (carrier, addr) = air.flow(&flow.name, upstream, flow.on.clone());
            return Ok((Carrier::Air(carrier), addr));
        }
    };
    let listen = SocketAddr::new(host, 0).to_string();
    let faults = flow.on.faults.iter().map(toxic);
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
            Carrier::Tcp(proxy) => put_on_tcp(proxy, &on, &new)?,
            Carrier::Udp(proxy) => put_on_udp(proxy, &on, &new)?,
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
            Carrier::Udp(_) => false,
            #[cfg(feature = "rehearsal")]
            Carrier::Air(carrier) => carrier.is_in_use(),
        }
    }

    /// What carries it.
    pub(crate) const fn order(&self) -> Order {
        match self.carrier {
            Carrier::Tcp(_) => Order::Stream,
            Carrier::Udp(_) => Order::Datagram,
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

fn put_on_tcp(
    proxy: &Proxy,
    old: &FlowFaults,
    new: &FlowFaults,
) -> Result<(), assize_proxy::Error> {
    if old.door != new.door {
        proxy.listener(match new.door {
            Door::Open => Listening::Open,
            Door::Refuse => Listening::Refuse,
            Door::BlackHole => Listening::Blackhole,
        })?;
    }
    let work = Work::between(old, new);
    if !work.is_empty() {
        proxy.rework(&work.gone, &work.changed, &work.new)?;
    }
    if new.door == Door::Refuse && old.door != Door::Refuse {
        proxy.cut(Cut::Reset)?;
    }
    Ok(())
}

/// A datagram meets a closed door in its pipe: nobody tells its sender.
fn put_on_udp(
    proxy: &UdpProxy,
    old: &FlowFaults,
    new: &FlowFaults,
) -> Result<(), assize_proxy::Error> {
    let work = Work::between(&behind_door(old), &behind_door(new));
    work.gone.iter().try_for_each(|name| proxy.detach(name))?;
    for (name, change) in work.changed {
        proxy.change(&name, change)?;
    }
    work.new
        .into_iter()
        .try_for_each(|toxic| proxy.attach(toxic))
}

fn behind_door(on: &FlowFaults) -> FlowFaults {
    let mut on = on.clone();
    if on.door != Door::Open
        && let Some(wire) = Wire::named("timeout")
    {
        on.faults.push(FlowFault {
            name: "door".into(),
            direction: Direction::Upstream,
            share: Ppb::ONE,
            wire,
        });
    }
    on
}

fn toxic(fault: &FlowFault) -> Toxic {
    let mut toxic = Toxic::new(&fault.name, fault.direction, fault.wire.clone());
    toxic.toxicity = fault.share.as_f64();
    toxic
}

/// What is to be done to get from one state of a wire to another. Settings change in place where
/// a fault of the same name goes on.
#[derive(Default)]
struct Work {
    gone: Vec<String>,
    changed: Vec<(String, Change)>,
    new: Vec<Toxic>,
}

impl Work {
    fn between(old: &FlowFaults, new: &FlowFaults) -> Self {
        let same = |a: &FlowFault, b: &FlowFault| {
            a.name == b.name && a.direction == b.direction && a.wire.kind() == b.wire.kind()
        };
        let mut work = Self::default();
        for gone in &old.faults {
            if !new.faults.iter().any(|n| same(n, gone)) {
                work.gone.push(gone.name.clone());
            }
        }
        for fault in &new.faults {
            match old.faults.iter().find(|o| same(o, fault)) {
                Some(old) if old == fault => {}
                Some(_) => work.changed.push((
                    fault.name.clone(),
                    Change {
                        wire: Some(fault.wire.clone()),
                        toxicity: Some(fault.share.as_f64()),
                        peer: None,
                    },
                )),
                None => work.new.push(toxic(fault)),
            }
        }
        work
    }

    fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.changed.is_empty() && self.new.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_fault::Value;
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
