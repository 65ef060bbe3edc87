//! The HTTP stand-in: pages, applications, anything that answers and keeps nothing.
//!
//! It takes its service time for each exchange, works through a queue of the capacity that it has,
//! asks what it depends on for each request, and moves the bytes that the journey says. A standby
//! answers requests with an error until it is promoted, and checks all the same.

use super::door::Door;
use super::embedded::{Embedded, Kind};
use super::front::{Asked, Front, No};
use super::talk::{self, Client, Question, Reply, Serve};
use crate::context::Context;
use crate::replica::{Answer, Call, Later, Trouble, What};
use assize_model::topology::Probes;
use bytes::{Bytes, BytesMut};
use std::net::SocketAddr;
use std::sync::Arc;

/// Starts it.
pub(super) fn start(context: Context) -> Result<Embedded, Trouble> {
    let kind = Arc::new(Http {
        replica: context.replica,
    });
    let front = Arc::new(Front::new(context));
    let door = Door::open(talk::handler(serve(&front)))?;
    Ok(Embedded::new(front, Box::new(door), kind))
}

#[derive(Debug)]
struct Http {
    replica: u16,
}

impl Kind for Http {
    fn check(&self, via: SocketAddr, probes: Probes) -> Later<'_, Result<(), Trouble>> {
        Box::pin(check(via, probes))
    }

    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>> {
        Box::pin(async move {
            match call.what {
                What::Plain => request(via, self.replica, call, "/call", Bytes::new()).await,
                _ => Err(Trouble::Unsupported("it keeps no data".into())),
            }
        })
    }
}

fn serve(front: &Arc<Front>) -> Serve {
    let front = Arc::clone(front);
    Arc::new(move |question| {
        let front = Arc::clone(&front);
        Box::pin(async move {
            match question.path.as_str() {
                "/call" => match exchange(&front, &question).await {
                    Ok(degraded) => done(&question, degraded, String::new()),
                    Err(no) => no.into(),
                },
                _ => about(&front, &question).await,
            }
        })
    })
}

/// What every stand-in over HTTP is asked about itself.
pub(super) async fn about(front: &Front, question: &Question) -> Reply {
    match question.path.as_str() {
        "/health" => {
            let host = question.text("probes") == "host";
            let probes = if host { Probes::Host } else { Probes::Service };
            match front.check(probes).await {
                Ok(()) => said(String::new()),
                Err(no) => no.into(),
            }
        }
        "/role" if front.acts() => said("role=primary".into()),
        "/role" => said("role=standby".into()),
        path => Reply::Failed(format!("there is no {path}")),
    }
}

/// One exchange of a request: the first one waits for its turn, and each takes its time. Returns
/// whether something was missing.
pub(super) async fn exchange(front: &Front, question: &Question) -> Result<bool, No> {
    if question.number("trip") > 0 {
        front.pause().await;
        return Ok(false);
    }
    let turn = front.serve(asked(question)).await?;
    if turn.error_after {
        return Err(No::Told("an error".into()));
    }
    Ok(turn.degraded)
}

/// Who asks.
pub(super) fn asked(question: &Question) -> Asked {
    Asked {
        from: question.number("from"),
        weight: question.number("weight"),
        cohort: (question.number("cohort") % 64) as u8,
    }
}

/// The answer to an exchange, with the bytes that it gives.
pub(super) fn done(question: &Question, degraded: bool, mut facts: String) -> Reply {
    if degraded {
        facts.push_str("&degraded=1");
    }
    Reply::Done {
        facts,
        body: talk::filler(question.number("gives")),
    }
}

/// An answer of facts only.
pub(super) fn said(facts: String) -> Reply {
    Reply::Done {
        facts,
        body: Bytes::new(),
    }
}

impl From<No> for Reply {
    fn from(no: No) -> Self {
        match no {
            No::Told(why) => Self::Failed(why),
            No::Silent => Self::Silent,
        }
    }
}

/// A request of so many exchanges over one connection; the last one asks for `path` and sends
/// `content` among its bytes.
pub(super) async fn request(
    via: SocketAddr,
    replica: u16,
    call: &Call,
    path: &str,
    content: Bytes,
) -> Result<Answer, Trouble> {
    let mut client = Client::connect(via).await?;
    let trips = u64::from(call.round_trips.max(1));
    let mut answer = Answer {
        replica: Some(replica),
        ..Answer::default()
    };
    for trip in 0..trips {
        let part = |all: u64| all * (trip + 1) / trips - all * trip / trips;
        let last = trip + 1 == trips;
        let (at, separator) = match path.contains('?') {
            _ if !last => ("/call", '?'),
            true => (path, '&'),
            false => (path, '?'),
        };
        let question = format!(
            "{at}{separator}from={}&weight={}&cohort={}&trip={trip}&gives={}",
            call.from,
            call.weight,
            call.cohort,
            part(call.receives.0),
        );
        let mut body = BytesMut::new();
        if last {
            body.extend_from_slice(&content);
        }
        let rest = part(call.sends.0).saturating_sub(body.len() as u64);
        body.extend_from_slice(&talk::filler(rest));
        let reported = client.ask(&question, body.freeze()).await?;
        if reported.body.len() as u64 != part(call.receives.0) {
            return Err(Trouble::Answered("the answer is not whole".into()));
        }
        answer.degraded |= reported.number("degraded") == Some(1);
        answer.sequence = reported.number("sequence").or(answer.sequence);
    }
    Ok(answer)
}

/// A health check over HTTP.
pub(super) async fn check(via: SocketAddr, probes: Probes) -> Result<(), Trouble> {
    let probes = match probes {
        Probes::Host => "host",
        Probes::Service => "service",
    };
    let mut client = Client::connect(via).await?;
    let path = format!("/health?probes={probes}");
    client.ask(&path, Bytes::new()).await.map(|_| ())
}
