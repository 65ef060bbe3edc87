//! The name stand-in: DNS over UDP, which clients really ask where a service is.
//!
//! A service's name is `kC-wW-fF.SERVICE.assize`, where the first label says who asks: the cohort,
//! the users for whom it stands, the client. The answer is an address of 127.53/16 whose last two
//! bytes are the replica's index, with the TTL of the zone. It keeps no names of its own.

use super::datagrams::{self, Port};
use super::embedded::{Embedded, Kind};
use super::front::{Asked, Front, No};
use crate::clock::Clock;
use crate::context::Context;
use crate::replica::{Answer, Call, Later, Trouble, What};
use assize_fault::Nanos;
use assize_model::ServiceId;
use assize_model::topology::{Probes, Topology};
use simple_dns::rdata::{A, RData};
use simple_dns::{
    CLASS, Name, Packet, PacketFlag, QCLASS, QTYPE, Question, RCODE, ResourceRecord, TYPE,
};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

/// A question without an answer is asked again after this.
const AGAIN: (Nanos, Duration) = (Nanos::secs(1), Duration::from_millis(50));
const ZONE: &str = "assize";
/// What a check of the machine asks for.
const MACHINE: &str = "machine";
/// What a check of the service asks for.
const CHECK: &str = "check";

/// Starts it.
pub(super) async fn start(context: Context) -> Result<Embedded, Trouble> {
    let client = Arc::new(Dns {
        replica: context.replica,
        clock: context.clock,
        service: context.service,
        topology: Arc::clone(&context.topology),
        asked: AtomicU16::new(0),
    });
    let front = Arc::new(Front::new(context));
    let server = Arc::clone(&front);
    let port = Port::open(Arc::new(move |bytes| {
        let front = Arc::clone(&server);
        Box::pin(async move { answer(&front, &bytes).await })
    }));
    Ok(Embedded::new(front, Box::new(port.await?), client))
}

/// What is said to a question, if anything.
async fn answer(front: &Front, bytes: &[u8]) -> Option<Vec<u8>> {
    let query = Packet::parse(bytes).ok()?;
    if query.has_flags(PacketFlag::RESPONSE) {
        return None;
    }
    let question = query.questions.first()?.clone().into_owned();
    let name = question.qname.to_string();
    let found = match looked_up(front, &name).await {
        Ok(found) => found.ok_or(RCODE::NameError),
        Err(No::Told(_)) => Err(RCODE::ServerFailure),
        Err(No::Silent) => return None,
    };
    let mut reply = Packet::new_reply(query.id());
    reply.questions.push(question.clone());
    match found {
        Ok((address, ttl)) => reply.answers.push(ResourceRecord::new(
            question.qname,
            CLASS::IN,
            ttl,
            RData::A(A::from(address)),
        )),
        Err(code) => *reply.rcode_mut() = code,
    }
    reply.build_bytes_vec().ok()
}

/// The address under a name and its TTL in seconds; `None`: there is no such name.
async fn looked_up(front: &Front, name: &str) -> Result<Option<(Ipv4Addr, u32)>, No> {
    let labels: Vec<&str> = name.split('.').filter(|l| !l.is_empty()).collect();
    match labels[..] {
        [MACHINE, ZONE] => Ok(Some((address(0), 0))),
        [CHECK, ZONE] => {
            front.check(Probes::Service).await?;
            Ok(Some((address(0), 0)))
        }
        [who, service, ZONE] => {
            let asked = asked(who);
            let turn = front.serve(asked).await?;
            if turn.error_after {
                return Err(No::Told("an error".into()));
            }
            let mut services = front.context.topology.services.iter();
            let Some(index) = services.position(|s| s.id.eq_ignore_ascii_case(service)) else {
                return Ok(None);
            };
            let found = front
                .context
                .zone
                .lookup(ServiceId::from(index), asked.cohort);
            Ok(found.map(|(replica, ttl)| (address(replica), seconds(ttl))))
        }
        _ => Ok(None),
    }
}

/// A TTL in whole seconds, rounded up: DNS knows no others.
fn seconds(ttl: Nanos) -> u32 {
    u32::try_from(ttl.0.max(0).div_euclid(1_000_000_000)).unwrap_or(u32::MAX)
        + u32::from(ttl.0 % 1_000_000_000 > 0)
}

fn asked(label: &str) -> Asked {
    let number = |key: char| {
        let part = label.split('-').find_map(|p| p.strip_prefix(key));
        part.and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    Asked {
        from: number('f'),
        weight: number('w'),
        cohort: (number('k') % 64) as u8,
    }
}

fn address(replica: u16) -> Ipv4Addr {
    let [high, low] = replica.to_be_bytes();
    Ipv4Addr::new(127, 53, high, low)
}

/// The clients of one replica.
#[derive(Debug)]
struct Dns {
    replica: u16,
    clock: Clock,
    service: ServiceId,
    topology: Arc<Topology>,
    asked: AtomicU16,
}

impl Dns {
    /// The replica under a name.
    async fn ask(&self, via: SocketAddr, name: &str) -> Result<u16, Trouble> {
        let id = self.asked.fetch_add(1, Ordering::Relaxed);
        let harness = |e: simple_dns::SimpleDnsError| Trouble::Harness(format!("`{name}`: {e}"));
        let mut query = Packet::new_query(id);
        query.set_flags(PacketFlag::RECURSION_DESIRED);
        query.questions.push(Question::new(
            Name::new(name).map_err(harness)?,
            QTYPE::TYPE(TYPE::A),
            QCLASS::CLASS(CLASS::IN),
            false,
        ));
        let datagram = query.build_bytes_vec().map_err(harness)?;
        let again = self.clock.wall(AGAIN.0).max(AGAIN.1);
        datagrams::ask(via, &datagram, again, |bytes| read(bytes, id)).await?
    }
}

/// The answer to the question of this number.
fn read(bytes: &[u8], id: u16) -> Option<Result<u16, Trouble>> {
    let reply = Packet::parse(bytes).ok()?;
    if reply.id() != id || !reply.has_flags(PacketFlag::RESPONSE) {
        return None;
    }
    if reply.rcode() != RCODE::NoError {
        let why = format!("{:?}", reply.rcode());
        return Some(Err(Trouble::Answered(why)));
    }
    let address = reply.answers.iter().find_map(|record| match &record.rdata {
        RData::A(a) => Some(Ipv4Addr::from(a.address)),
        _ => None,
    });
    let none = Trouble::Answered("no address".into());
    Some(address.ok_or(none).map(|address| {
        let [_, _, high, low] = address.octets();
        u16::from_be_bytes([high, low])
    }))
}

impl Kind for Dns {
    fn check(&self, via: SocketAddr, probes: Probes) -> Later<'_, Result<(), Trouble>> {
        let label = match probes {
            Probes::Host => MACHINE,
            Probes::Service => CHECK,
        };
        let name = format!("{label}.{ZONE}");
        Box::pin(async move { self.ask(via, &name).await.map(|_| ()) })
    }

    /// A lookup says which replica is under the name; any other request looks up the name of this
    /// service itself.
    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>> {
        Box::pin(async move {
            let (service, is_lookup) = match call.what {
                What::Lookup(service) => (service, true),
                What::Plain => (self.service, false),
                _ => return Err(Trouble::Unsupported("it answers names".into())),
            };
            let name = format!(
                "k{}-w{}-f{}.{}.{ZONE}",
                call.cohort,
                call.weight,
                call.from,
                self.topology.service(service).id
            );
            let found = self.ask(via, &name).await?;
            Ok(Answer {
                degraded: false,
                sequence: None,
                replica: Some(if is_lookup { found } else { self.replica }),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_ttl_is_never_shorter_than_it_was() {
        assert_eq!(seconds(Nanos::secs(60)), 60);
        assert_eq!(seconds(Nanos::millis(1)), 1);
        assert_eq!(seconds(Nanos::ZERO), 0);
    }

    proptest! {
        #[test]
        fn who_asks_is_read_as_it_was_written(from: u64, weight: u64, cohort in 0u8..64) {
            let read = asked(&format!("k{cohort}-w{weight}-f{from}"));
            prop_assert_eq!(read, Asked { from, weight, cohort });
        }

        #[test]
        fn any_bytes_are_an_answer_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = read(&bytes, 0);
        }
    }
}
