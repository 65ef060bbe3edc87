//! The sign-in stand-in: RADIUS over UDP (RFC 2865), as controllers and gateways speak it.
//!
//! Each user's Access-Request is checked against a secret and a password that all stand-ins share;
//! what it needs (a certificate's status, say) is asked before it is accepted. A journey of several
//! exchanges is challenged that often. A check of the machine is a Status-Server (RFC 5997).

mod packet;

use super::datagrams::{self, Port};
use super::embedded::{Embedded, Kind};
use super::front::{Asked, Front, No};
use crate::clock::Clock;
use crate::context::Context;
use crate::replica::{Answer, Call, Later, Trouble, What};
use assize_fault::{Nanos, Stream};
use assize_model::topology::Probes;
use packet::{Code, Packet, REPLY_MESSAGE, STATE, USER_NAME};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// On loopback it keeps nothing secret; it makes the packets whole.
const SECRET: &[u8] = b"assize stand-in";
const PASSWORD: &[u8] = b"correct horse battery staple";
/// A request without an answer is sent again after this.
const AGAIN: (Nanos, Duration) = (Nanos::secs(1), Duration::from_millis(50));
/// Answers that are kept for requests that come again.
const KEPT: usize = 1024;
/// The name of a health check.
const CHECK: &str = "check";
const DEGRADED: &str = "degraded";

#[derive(Debug)]
struct Server {
    front: Arc<Front>,
    recent: Mutex<Recent>,
}

/// Requests of late, so that one that comes again is not served again.
#[derive(Debug, Default)]
struct Recent {
    /// By authenticator; `None` while it is being answered.
    answers: BTreeMap<[u8; 16], Option<Vec<u8>>>,
    order: VecDeque<[u8; 16]>,
}

/// Starts it.
pub(super) async fn start(context: Context) -> Result<Embedded, Trouble> {
    let client = Arc::new(Radius {
        replica: context.replica,
        clock: context.clock,
        seed: context.seed,
        name: context.name(),
        asked: AtomicU64::new(0),
    });
    let front = Arc::new(Front::new(context));
    let server = Arc::new(Server {
        front: Arc::clone(&front),
        recent: Mutex::default(),
    });
    let port = Port::open(Arc::new(move |bytes| {
        let server = Arc::clone(&server);
        Box::pin(async move { server.answer(&bytes).await })
    }));
    Ok(Embedded::new(front, Box::new(port.await?), client))
}

impl Server {
    async fn answer(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let request = packet::read_request(bytes, SECRET)?;
        {
            let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(answer) = recent.answers.get(&request.authenticator) {
                return answer.clone();
            }
            recent.put(request.authenticator, None);
        }
        let answer = self.decide(&request).await;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.put(request.authenticator, answer.clone());
        answer
    }

    async fn decide(&self, request: &Packet) -> Option<Vec<u8>> {
        let say = |code, kind: u8, text: &str| {
            let attributes = [(kind, text.as_bytes().to_vec())];
            packet::answer(code, request, &attributes, SECRET)
        };
        if request.code == Code::Status {
            return Some(packet::answer(Code::Accept, request, &[], SECRET));
        }
        if request.password(SECRET) != PASSWORD {
            return Some(say(Code::Reject, REPLY_MESSAGE, "wrong password"));
        }
        let name = request.text(USER_NAME);
        let done = if name == CHECK {
            self.front.check(Probes::Service).await.map(|()| false)
        } else {
            let (asked, trips) = user(&name);
            let trip: u64 = request.text(STATE).parse().unwrap_or(0);
            let done = self.exchange(asked, trip).await;
            if done.is_ok() && trip + 1 < trips {
                let state = (trip + 1).to_string();
                return Some(say(Code::Challenge, STATE, &state));
            }
            done
        };
        match done {
            Ok(true) => Some(say(Code::Accept, REPLY_MESSAGE, DEGRADED)),
            Ok(false) => Some(packet::answer(Code::Accept, request, &[], SECRET)),
            Err(No::Told(why)) => Some(say(Code::Reject, REPLY_MESSAGE, &why)),
            Err(No::Silent) => None,
        }
    }

    /// The first exchange waits for its turn, and each takes its time.
    async fn exchange(&self, asked: Asked, trip: u64) -> Result<bool, No> {
        if trip > 0 {
            self.front.pause().await;
            return Ok(false);
        }
        let turn = self.front.serve(asked).await?;
        if turn.error_after {
            return Err(No::Told("an error".into()));
        }
        Ok(turn.degraded)
    }
}

impl Recent {
    fn put(&mut self, key: [u8; 16], answer: Option<Vec<u8>>) {
        if self.answers.insert(key, answer).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > KEPT {
            if let Some(old) = self.order.pop_front() {
                self.answers.remove(&old);
            }
        }
    }
}

/// Who a user name stands for, and of how many exchanges its sign-in is.
fn user(name: &str) -> (Asked, u64) {
    let mut numbers = name.split('.').map(|n| n.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let asked = Asked {
        from: next(),
        weight: next(),
        cohort: (next() % 64) as u8,
    };
    (asked, next().max(1))
}

/// Clients of one replica.
#[derive(Debug)]
struct Radius {
    replica: u16,
    clock: Clock,
    seed: u64,
    name: String,
    asked: AtomicU64,
}

impl Radius {
    async fn ask(
        &self,
        via: SocketAddr,
        code: Code,
        attributes: &[(u8, Vec<u8>)],
    ) -> Result<Packet, Trouble> {
        let nth = self.asked.fetch_add(1, Ordering::Relaxed);
        let mut draw = Stream::new(self.seed, &["radius", &self.name, &nth.to_string()]);
        let mut authenticator = [0; 16];
        authenticator[..8].copy_from_slice(&draw.bits().to_be_bytes());
        authenticator[8..].copy_from_slice(&draw.bits().to_be_bytes());
        let id = (nth % 256) as u8;
        let password = (code == Code::Request).then_some(PASSWORD);
        let datagram = packet::request(code, id, authenticator, attributes, password, SECRET);
        let again = self.clock.wall(AGAIN.0).max(AGAIN.1);
        datagrams::ask(via, &datagram, again, |bytes| {
            packet::read_answer(bytes, id, &authenticator, SECRET)
        })
        .await
    }

    async fn sign_in(&self, via: SocketAddr, name: &str) -> Result<Answer, Trouble> {
        let mut state = String::new();
        loop {
            let mut attributes = vec![(USER_NAME, name.as_bytes().to_vec())];
            if !state.is_empty() {
                attributes.push((STATE, state.clone().into_bytes()));
            }
            let answer = self.ask(via, Code::Request, &attributes).await?;
            match answer.code {
                Code::Accept => {
                    return Ok(Answer {
                        degraded: answer.text(REPLY_MESSAGE) == DEGRADED,
                        sequence: None,
                        replica: Some(self.replica),
                    });
                }
                Code::Challenge => state = answer.text(STATE),
                _ => {
                    let why = answer.text(REPLY_MESSAGE);
                    return Err(Trouble::Answered(format!("rejected: {why}")));
                }
            }
        }
    }
}

impl Kind for Radius {
    fn check(&self, via: SocketAddr, probes: Probes) -> Later<'_, Result<(), Trouble>> {
        Box::pin(async move {
            match probes {
                Probes::Host => self.ask(via, Code::Status, &[]).await.map(|_| ()),
                Probes::Service => self.sign_in(via, CHECK).await.map(|_| ()),
            }
        })
    }

    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>> {
        Box::pin(async move {
            if call.what != What::Plain {
                return Err(Trouble::Unsupported("it signs users in".into()));
            }
            let name = format!(
                "{}.{}.{}.{}",
                call.from, call.weight, call.cohort, call.round_trips
            );
            self.sign_in(via, &name).await
        })
    }
}
