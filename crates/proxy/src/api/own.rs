//! Routes of our own, under `/assize/v1`: what Toxiproxy does not have.
//!
//! | method, path | does |
//! | --- | --- |
//! | GET `/proxies` | all proxies, with counters, listener, leases and peers of toxics |
//! | GET `/proxies/{p}` | one |
//! | POST `/populate` | as the original, and `toxics` of each proxy made with it |
//! | GET `/proxies/{p}/connections` | live connections, and the faults that touched each |
//! | DELETE `/proxies/{p}/connections?how=close\|reset` | ends them |
//! | PUT `/proxies/{p}/listener` with `{"state":"open\|refuse\|blackhole"}` | what new clients meet |
//! | GET `/operations?after=N` | what was applied, as a list |
//! | GET `/events` | the same as it happens, as server-sent events |
//!
//! A new toxic's `expires_in` and `peer` are read on all routes; the original ignores them.

use super::entry::Snapshot;
use super::error::ApiError;
use super::gojson::{Fields, Value, number, quote, scan};
use super::registry::{By, Registry};
use super::reply::Reply;
use super::routes;
use super::toxic::Kept;
use crate::{ConnectionInfo, Counters, Cut, Listening, Traffic};
use bytes::Bytes;
use http::Method;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// What the paths of these routes begin with.
pub(crate) const PREFIX: &str = "/assize/v1/";

/// How often a stream says that it is alive although nothing happens.
const ALIVE: Duration = Duration::from_secs(15);

/// A request to one of these routes.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    /// After the prefix, decoded.
    pub(crate) path: &'a str,
    pub(crate) query: &'a str,
    pub(crate) body: &'a [u8],
}

/// Carries a request out. It may block.
pub(crate) fn answer(registry: &Registry, request: &Request<'_>) -> Reply {
    let parts: Vec<&str> = request.path.split('/').collect();
    let (get, is) = (request.method == Method::GET, |m: Method| {
        *request.method == m
    });
    let result = match parts.as_slice() {
        ["proxies"] if get => {
            let all: Vec<_> = registry.list().iter().map(proxy).collect();
            Ok(Reply::json(
                200,
                format!(r#"{{"proxies":[{}]}}"#, all.join(",")),
            ))
        }
        ["proxies", name] if get => registry.show(name).map(|p| Reply::json(200, proxy(&p))),
        ["populate"] if is(Method::POST) => Ok(populate(registry, request.body)),
        ["proxies", name, "connections"] if get => registry.connections(name).map(|list| {
            let list: Vec<_> = list.iter().map(connection).collect();
            Reply::json(200, format!(r#"{{"connections":[{}]}}"#, list.join(",")))
        }),
        ["proxies", name, "connections"] if is(Method::DELETE) => {
            cut(registry, name, request.query)
        }
        ["proxies", name, "listener"] if is(Method::PUT) => listener(registry, name, request.body),
        ["operations"] if get => operations(registry, request.query),
        ["proxies"]
        | ["proxies", _]
        | ["populate" | "operations" | "events"]
        | ["proxies", _, "connections" | "listener"] => {
            Err(ApiError::new(405, "the path is known, this method is not"))
        }
        _ => Err(ApiError::new(404, "there is no such path under /assize/v1")),
    };
    result.unwrap_or_else(Reply::from)
}

/// Sends what is applied after the operation of this number, as it happens, until the server
/// stops or the reader is gone.
pub(crate) fn events(
    registry: Arc<Registry>,
    mut after: u64,
    mut stopping: watch::Receiver<bool>,
) -> Reply {
    let (sender, pieces) = mpsc::channel(16);
    tokio::spawn(async move {
        let mut last = registry.journal.last();
        loop {
            let mut text = String::new();
            for record in registry.journal.after(after) {
                after = record.number;
                text.push_str(&format!("id: {}\ndata: {}\n\n", after, record.json));
            }
            if !text.is_empty() && sender.send(Bytes::from(text)).await.is_err() {
                return;
            }
            let more = async { last.wait_for(|last| *last > after).await.is_ok() };
            let stop = async { stopping.wait_for(|stopping| *stopping).await.is_ok() };
            tokio::select! {
                more = more => if !more { return },
                _ = stop => return,
                () = sender.closed() => return,
                () = tokio::time::sleep(ALIVE) => {
                    if sender.send(Bytes::from_static(b": alive\n\n")).await.is_err() {
                        return;
                    }
                }
            }
        }
    });
    Reply::stream("text/event-stream", pieces).header(http::header::CACHE_CONTROL, "no-store")
}

/// The number after which events are wanted: that of the header if there is one, else of the
/// query; only new ones if neither says so.
pub(crate) fn events_after(registry: &Registry, header: Option<&str>, query: &str) -> u64 {
    let said = header.or_else(|| parameter(query, "after"));
    let number = said.and_then(|text| text.parse().ok());
    number.unwrap_or_else(|| *registry.journal.last().borrow())
}

/// The word for what a listener does.
pub(crate) const fn word(listening: Listening) -> &'static str {
    match listening {
        Listening::Open => "open",
        Listening::Refuse => "refuse",
        Listening::Blackhole => "blackhole",
    }
}

fn populate(registry: &Registry, body: &[u8]) -> Reply {
    let (made, result) = match routes::with_toxics(body) {
        Ok(inputs) => registry.populate(&inputs, By::Api),
        Err(error) => (Vec::new(), Err(error)),
    };
    routes::populated(&made, &result, Kept::own_json)
}

fn cut(registry: &Registry, name: &str, query: &str) -> Result<Reply, ApiError> {
    let how = match parameter(query, "how") {
        None | Some("close") => Cut::Close,
        Some("reset") => Cut::Reset,
        Some(other) => {
            let text = format!("how={other}: write `close` or `reset`");
            return Err(ApiError::new(400, text));
        }
    };
    let count = registry.cut(name, how)?;
    Ok(Reply::json(200, format!(r#"{{"connections":{count}}}"#)))
}

fn listener(registry: &Registry, name: &str, body: &[u8]) -> Result<Reply, ApiError> {
    let value = scan(body).map_err(ApiError::bad_body)?;
    let members = Fields::members(&value, "object").map_err(ApiError::bad_body)?;
    let state = members.iter().find(|(key, _)| key == "state");
    let listening = match state {
        Some((_, Value::String(word))) if word == "open" => Listening::Open,
        Some((_, Value::String(word))) if word == "refuse" => Listening::Refuse,
        Some((_, Value::String(word))) if word == "blackhole" => Listening::Blackhole,
        _ => {
            let text = r#"write {"state":"open"}, "refuse" or "blackhole""#;
            return Err(ApiError::new(400, text));
        }
    };
    registry.listener(name, listening)?;
    let word = word(listening);
    Ok(Reply::json(200, format!(r#"{{"state":"{word}"}}"#)))
}

fn operations(registry: &Registry, query: &str) -> Result<Reply, ApiError> {
    let after = match parameter(query, "after").map(str::parse) {
        None => 0,
        Some(Ok(number)) => number,
        Some(Err(_)) => return Err(ApiError::new(400, "after: the number of an operation")),
    };
    let records = registry.journal.after(after);
    let list: Vec<&str> = records.iter().map(|record| &*record.json).collect();
    let text = format!(r#"{{"operations":[{}]}}"#, list.join(","));
    Ok(Reply::json(200, text))
}

fn proxy(snapshot: &Snapshot) -> String {
    let mut text = snapshot.json(Kept::own_json);
    let Counters {
        upstream,
        downstream,
        accepted,
        open,
        upstream_failed,
        turned_away,
        bounded,
    } = snapshot.counters;
    // In the place of the closing brace.
    text.pop();
    text.push_str(&format!(
        r#","listener":"{}","counters":{{"accepted":{accepted},"open":{open},"upstream_failed":{upstream_failed},"turned_away":{turned_away},"bounded":{bounded},"upstream":{},"downstream":{}}}}}"#,
        word(snapshot.listening),
        traffic(upstream),
        traffic(downstream)
    ));
    text
}

fn traffic(traffic: Traffic) -> String {
    let Traffic {
        received,
        sent,
        spliced,
    } = traffic;
    format!(r#"{{"received":{received},"sent":{sent},"spliced":{spliced}}}"#)
}

fn connection(info: &ConnectionInfo) -> String {
    let faults: Vec<_> = info.touched_by.iter().map(|name| quote(name)).collect();
    let age = info.age.as_secs_f64();
    format!(
        r#"{{"id":{},"peer":"{}","age_s":{},"connected":{},"upstream_bytes":{},"downstream_bytes":{},"faults":[{}]}}"#,
        info.id,
        info.peer,
        number(age, age),
        info.connected,
        info.upstream_bytes,
        info.downstream_bytes,
        faults.join(",")
    )
}

/// A parameter of a query; none of ours needs decoding.
fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}
