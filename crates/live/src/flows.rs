//! Flows: one proxy each between a place and a replica (or a vault), made before the start.
//!
//! What a flow meets on its way is decided elsewhere; here it is put on its proxy, and counted.

use crate::options::Refused;
use crate::replica::Transport;
use assize_control::fabric::Quality;
use assize_fault::{Direction, Value, Wire};
use assize_model::faults::How;
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
    /// At the place that keeps backups.
    Vault(NodeId),
}

/// A flow, by its ends.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct FlowKey {
    pub(crate) origin: Origin,
    pub(crate) end: End,
}

/// What a flow's listener does.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(crate) enum Door {
    /// Lets clients in.
    #[default]
    Open,
    /// Refuses them, and resets those that are in.
    Refuse,
    /// Lets them wait for nothing.
    BlackHole,
}

/// What is put on a flow.
#[derive(Clone, PartialEq, Default, Debug)]
pub(crate) struct OnWire {
    pub(crate) door: Door,
    /// From the origin to the end, in the order in which bytes meet them.
    pub(crate) upstream: Vec<Wire>,
    /// Back.
    pub(crate) downstream: Vec<Wire>,
}

impl OnWire {
    /// What a way of this quality, or one that is stopped, comes to at a pace.
    pub(crate) fn of(stop: Option<How>, quality: &Quality, pace: u32) -> Self {
        let mut on = Self::default();
        match stop {
            Some(How::Refuse) => on.door = Door::Refuse,
            Some(How::BlackHole) => {
                on.door = Door::BlackHole;
                on.upstream.extend(Wire::named("timeout"));
                on.downstream.extend(Wire::named("timeout"));
            }
            None => {
                let latency = quality.latency.0 / i64::from(pace.max(1)) / 1_000_000;
                let mut wire = Wire::named("latency").filter(|_| latency > 0);
                if let Some(wire) = &mut wire {
                    // It takes any number of milliseconds.
                    let _ = wire.set("latency", Value::Int(latency));
                }
                on.upstream.extend(wire.clone());
                on.downstream.extend(wire);
            }
        }
        on
    }
}

/// One flow.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) key: FlowKey,
    pub(crate) name: String,
    pub(crate) addr: SocketAddr,
    carrier: Carrier,
    on: Mutex<OnWire>,
}

#[derive(Debug)]
enum Carrier {
    Tcp(Proxy),
    Udp(UdpProxy),
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
}

impl Flows {
    /// Makes a proxy for each.
    pub(crate) fn make(
        engine: &Engine,
        host: IpAddr,
        seed: u64,
        flows: Vec<Making>,
    ) -> Result<Self, Refused> {
        let mut made = Self {
            list: Vec::with_capacity(flows.len()),
            index: BTreeMap::new(),
        };
        for flow in flows {
            let refuse = |e: assize_proxy::Error| {
                Refused::new(format!("the proxy of `{}` cannot be made: {e}", flow.name))
            };
            let listen = SocketAddr::new(host, 0).to_string();
            let (carrier, addr) = match flow.transport {
                Transport::Tcp => {
                    let proxy = Proxy::tcp(listen)
                        .name(&flow.name)
                        .upstream(&flow.upstream)
                        .on(engine)
                        .start()
                        .map_err(refuse)?;
                    let addr = proxy.addr();
                    (Carrier::Tcp(proxy), addr)
                }
                Transport::Udp => {
                    let proxy = Proxy::udp(listen)
                        .name(&flow.name)
                        .upstream(&flow.upstream)
                        .seed(seed)
                        .start()
                        .map_err(refuse)?;
                    let addr = proxy.addr();
                    (Carrier::Udp(proxy), addr)
                }
            };
            made.index.insert(flow.key, made.list.len());
            made.list.push(Flow {
                key: flow.key,
                name: flow.name,
                addr,
                carrier,
                on: Mutex::default(),
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

impl Flow {
    /// Puts this on the wire instead of what is there; returns whether that is a change. It holds
    /// for open connections as well when this returns.
    pub(crate) fn put(&self, new: OnWire) -> Result<bool, assize_proxy::Error> {
        let mut on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        if *on == new {
            return Ok(false);
        }
        match &self.carrier {
            Carrier::Tcp(proxy) => put_on_tcp(proxy, &on, &new)?,
            Carrier::Udp(proxy) => put_on_udp(proxy, &on, &new)?,
        }
        *on = new;
        Ok(true)
    }

    /// Whether something is on the wire.
    pub(crate) fn is_faulted(&self) -> bool {
        *self.on.lock().unwrap_or_else(PoisonError::into_inner) != OnWire::default()
    }

    /// Whether it lets nothing through now.
    pub(crate) fn is_blocked(&self) -> bool {
        let on = self.on.lock().unwrap_or_else(PoisonError::into_inner);
        on.door != Door::Open
    }
}

fn put_on_tcp(proxy: &Proxy, old: &OnWire, new: &OnWire) -> Result<(), assize_proxy::Error> {
    if old.door != new.door {
        proxy.listener(match new.door {
            Door::Open => Listening::Open,
            Door::Refuse => Listening::Refuse,
            Door::BlackHole => Listening::Blackhole,
        })?;
    }
    let change = |name: &str, wire: &Wire| {
        let change = Change {
            wire: Some(wire.clone()),
            ..Change::default()
        };
        proxy.change(name, change)
    };
    put_wires(
        old,
        new,
        change,
        |toxic| proxy.attach(toxic),
        |name| proxy.detach(name),
    )?;
    if new.door == Door::Refuse && old.door != Door::Refuse {
        proxy.cut(Cut::Reset)?;
    }
    Ok(())
}

/// A datagram meets a closed door in its pipe: nobody tells its sender.
fn put_on_udp(proxy: &UdpProxy, old: &OnWire, new: &OnWire) -> Result<(), assize_proxy::Error> {
    let change = |name: &str, wire: &Wire| {
        let change = Change {
            wire: Some(wire.clone()),
            ..Change::default()
        };
        proxy.change(name, change)
    };
    put_wires(
        old,
        new,
        change,
        |toxic| proxy.attach(toxic),
        |name| proxy.detach(name),
    )
}

/// Changes settings in place where the kinds agree, else attaches and detaches.
fn put_wires(
    old: &OnWire,
    new: &OnWire,
    change: impl Fn(&str, &Wire) -> Result<(), assize_proxy::Error>,
    attach: impl Fn(Toxic) -> Result<(), assize_proxy::Error>,
    detach: impl Fn(&str) -> Result<(), assize_proxy::Error>,
) -> Result<(), assize_proxy::Error> {
    for (stream, old, new) in [
        (Direction::Upstream, &old.upstream, &new.upstream),
        (Direction::Downstream, &old.downstream, &new.downstream),
    ] {
        let name = |i: usize, wire: &Wire| {
            let way = if stream == Direction::Upstream {
                "out"
            } else {
                "back"
            };
            format!("{way}-{i}-{}", wire.kind())
        };
        let same = old.len() == new.len() && old.iter().zip(new).all(|(a, b)| a.kind() == b.kind());
        if same {
            for (i, (a, b)) in old.iter().zip(new).enumerate() {
                if a != b {
                    change(&name(i, b), b)?;
                }
            }
            continue;
        }
        for (i, wire) in old.iter().enumerate() {
            detach(&name(i, wire))?;
        }
        for (i, wire) in new.iter().enumerate() {
            attach(Toxic::new(name(i, wire), stream, wire.clone()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assize_proxy::EngineOptions;
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};

    fn wire(kind: &str, name: &str, value: i64) -> Wire {
        let mut wire = Wire::named(kind).unwrap_or_else(|| panic!("no {kind}"));
        wire.set(name, Value::Int(value))
            .unwrap_or_else(|e| panic!("{e:?}"));
        wire
    }

    fn one_flow() -> Result<(Engine, Flows, TcpListener), Box<dyn std::error::Error>> {
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
        };
        let flows = Flows::make(&engine, Ipv4Addr::LOCALHOST.into(), 1, vec![making])?;
        Ok((engine, flows, server))
    }

    #[test]
    fn what_is_put_on_is_met_and_what_is_taken_off_is_gone()
    -> Result<(), Box<dyn std::error::Error>> {
        let (_engine, flows, server) = one_flow()?;
        let flow = flows.get(
            flows
                .find(Origin::Beside, End::Replica(ServiceId(0), 0))
                .ok_or("no flow")?,
        );
        let slow = OnWire {
            upstream: vec![wire("latency", "latency", 60)],
            ..OnWire::default()
        };
        assert!(flow.put(slow.clone())?);
        assert!(!flow.put(slow)?, "the same again is no change");
        let mut client = TcpStream::connect(flow.addr)?;
        let (mut peer, _) = server.accept()?;
        client.write_all(b"x")?;
        let mut byte = [0];
        peer.read_exact(&mut byte)?;
        assert!(flow.put(OnWire {
            door: Door::Refuse,
            ..OnWire::default()
        })?);
        assert!(TcpStream::connect(flow.addr).is_err());
        assert!(client.read(&mut byte).is_err(), "open ones are reset");
        assert!(flow.put(OnWire::default())?);
        assert!(!flow.is_faulted());
        assert!(TcpStream::connect(flow.addr).is_ok());
        Ok(())
    }
}
