//! HTTP/1.1 between stand-ins and their clients: one question, one answer, real bytes both ways.
//!
//! What a question means is the stand-in's affair.

use super::door::Handler;
use super::line::Line;
use crate::net;
use crate::replica::{Later, Trouble};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;

/// The longest body either way.
pub(super) const LONGEST: usize = 64 << 20;
/// A question that has not been answered in this time, on the wall, never will be.
const HANDLE: Duration = Duration::from_secs(120);

/// A question as the server has it.
#[derive(Debug)]
pub(super) struct Question {
    /// Path, such as `/call`.
    pub(super) path: String,
    query: BTreeMap<String, String>,
    /// What was sent.
    pub(super) body: Bytes,
}

impl Question {
    /// A number of the query, or 0.
    pub(super) fn number(&self, key: &str) -> u64 {
        self.text(key).parse().unwrap_or(0)
    }

    /// A word of the query, or nothing.
    pub(super) fn text(&self, key: &str) -> &str {
        self.query.get(key).map_or("", String::as_str)
    }
}

/// What the server says.
#[derive(Debug)]
pub(super) enum Reply {
    /// It is done.
    Done {
        /// Facts, as `key=value` in a header.
        facts: String,
        /// The body.
        body: Bytes,
    },
    /// It is not done, and why.
    Failed(String),
    /// Nothing, ever.
    Silent,
}

/// What came back to a client.
#[derive(Debug, Default)]
pub(super) struct Reported {
    facts: BTreeMap<String, String>,
    /// The body.
    pub(super) body: Bytes,
}

impl Reported {
    /// The facts whose names begin like this, without that beginning.
    pub(super) fn numbered(&self, prefix: &str) -> BTreeMap<u16, u64> {
        let known = self.facts.iter().filter_map(|(name, value)| {
            let index = name.strip_prefix(prefix)?.parse().ok()?;
            Some((index, value.parse().ok()?))
        });
        known.collect()
    }

    /// A word among the facts.
    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.facts.get(key).map(String::as_str)
    }

    /// A number among the facts.
    pub(super) fn number(&self, key: &str) -> Option<u64> {
        self.facts.get(key)?.parse().ok()
    }
}

/// Answers questions.
pub(super) type Serve = Arc<dyn Fn(Question) -> Later<'static, Reply> + Send + Sync>;

const FACTS: &str = "x-assize";

/// Speaks HTTP on each connection of a door.
pub(super) fn handler(serve: Serve) -> Handler {
    Arc::new(move |line: Line| {
        let serve = Arc::clone(&serve);
        Box::pin(async move {
            let service = service_fn(move |request: Request<Incoming>| {
                let serve = Arc::clone(&serve);
                async move { Ok::<_, Infallible>(answer(request, &serve).await) }
            });
            // A client that goes away in the middle is no news.
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(line), service)
                .await;
        })
    })
}

async fn answer(request: Request<Incoming>, serve: &Serve) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_string();
    let query = pairs(request.uri().query().unwrap_or_default());
    let Ok(body) = Limited::new(request.into_body(), LONGEST).collect().await else {
        return failed(StatusCode::BAD_REQUEST, "the body did not come");
    };
    let question = Question {
        path,
        query,
        body: body.to_bytes(),
    };
    match tokio::time::timeout(HANDLE, serve(question)).await {
        Ok(Reply::Done { facts, body }) => {
            let mut response = Response::new(Full::new(body));
            if let Ok(value) = facts.parse() {
                response.headers_mut().insert(FACTS, value);
            }
            response
        }
        Ok(Reply::Failed(why)) => failed(StatusCode::SERVICE_UNAVAILABLE, &why),
        Ok(Reply::Silent) => std::future::pending().await,
        Err(_) => failed(StatusCode::GATEWAY_TIMEOUT, "it took too long"),
    }
}

fn failed(status: StatusCode, why: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(why.as_bytes())));
    *response.status_mut() = status;
    response
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

/// A connection to a stand-in. It ends when it is dropped, whatever is under way.
#[derive(Debug)]
pub(super) struct Client {
    sender: SendRequest<Full<Bytes>>,
    carrier: JoinHandle<()>,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}

impl Client {
    /// Connects through a proxy.
    pub(super) async fn connect(via: SocketAddr) -> Result<Self, Trouble> {
        let refused = |why: &dyn std::fmt::Display| Trouble::Refused(format!("{via}: {why}"));
        let stream = net::connect(via).await.map_err(|e| refused(&e))?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| refused(&e))?;
        let carrier = tokio::spawn(async move {
            // Its end shows in the question that was under way.
            let _ = connection.await;
        });
        Ok(Self { sender, carrier })
    }

    /// One question; the answer when all of it is here.
    pub(super) async fn ask(&mut self, path: &str, body: Bytes) -> Result<Reported, Trouble> {
        let request = Request::post(path)
            .header("host", "assize")
            .body(Full::new(body))
            .map_err(|e| Trouble::Harness(e.to_string()))?;
        let broken = |e: hyper::Error| Trouble::Refused(format!("the connection ended: {e}"));
        self.sender.ready().await.map_err(broken)?;
        let response = self.sender.send_request(request).await.map_err(broken)?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST)
            .collect()
            .await
            .map_err(|e| Trouble::Refused(format!("the answer broke off: {e}")))?
            .to_bytes();
        if !head.status.is_success() {
            let why = String::from_utf8_lossy(&body[..body.len().min(300)]).into_owned();
            return Err(Trouble::Answered(why));
        }
        let facts = head.headers.get(FACTS).and_then(|v| v.to_str().ok());
        Ok(Reported {
            facts: pairs(facts.unwrap_or_default()),
            body,
        })
    }
}

/// So many bytes of nothing.
pub(super) fn filler(bytes: u64) -> Bytes {
    Bytes::from(vec![
        b'.';
        usize::try_from(bytes).unwrap_or(LONGEST).min(LONGEST)
    ])
}
