//! What happens to one client: its requests one after the other, through the faults to the
//! upstream and back.

use super::Tally;
use super::fault::{Act, Attached};
use super::stream::{Client, Reset};
use crate::Cut;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{Builder as ClientBuilder, SendRequest};
use hyper::server::conn::http1::Builder as ServerBuilder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::io::ErrorKind;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};

/// The head of a request must have come within this time.
const HEAD: Duration = Duration::from_secs(30);
/// How long to leave the listener alone when the system cannot accept, as out of descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// What all connections of a proxy share.
#[derive(Debug)]
pub(super) struct Context {
    pub upstream: String,
    pub seed: u64,
    pub connect_timeout: Duration,
    pub faults: Mutex<Vec<Attached>>,
    pub tally: Tally,
    /// Changes whenever the connections that are open then are to end.
    pub ends: watch::Sender<Option<Cut>>,
}

type Answer = Response<Either<Incoming, Full<Bytes>>>;

/// Why a client gets no answer at all.
#[derive(Debug, thiserror::Error)]
#[error("the connection is ended")]
struct Ended;

/// Accepts clients until the other end of `stopped` is dropped.
pub(super) async fn listen(
    listener: std::net::TcpListener,
    context: Arc<Context>,
    most: usize,
    mut stopped: watch::Receiver<()>,
) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    let room = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => return,
        };
        let Ok((stream, _)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        let Ok(permit) = room.clone().try_acquire_owned() else {
            count(&context.tally.turned_away);
            continue;
        };
        count(&context.tally.accepted);
        count(&context.tally.open);
        let context = context.clone();
        tokio::spawn(async move {
            serve(stream, &context).await;
            context.tally.open.fetch_sub(1, Ordering::Relaxed);
            drop(permit);
        });
    }
}

/// One client, until it or a cut ends it.
async fn serve(stream: TcpStream, context: &Arc<Context>) {
    let mut ends = context.ends.subscribe();
    // It has no say in how exact a delay is if small packets wait for others.
    let _ = stream.set_nodelay(true);
    let reset = Reset::default();
    let client = Client {
        stream,
        reset: reset.clone(),
    };
    let link = Arc::new(tokio::sync::Mutex::new(None));
    let service = service_fn(|request| {
        let (context, link, reset) = (context.clone(), link.clone(), reset.clone());
        async move { exchange(request, &context, &link, &reset).await }
    });
    let connection = pin!(
        ServerBuilder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .preserve_header_case(true)
            .half_close(true)
            .serve_connection(TokioIo::new(client), service)
            .with_upgrades()
    );
    // What goes wrong on a connection concerns its client, who sees it.
    until_cut(connection, &mut ends, &reset).await;
}

/// Waits for a connection or for what ends all; the client's socket is still open then, so that
/// it can be made to end by a reset.
async fn until_cut<C: Future + Unpin>(
    mut connection: C,
    ends: &mut watch::Receiver<Option<Cut>>,
    reset: &Reset,
) {
    tokio::select! {
        _ = &mut connection => {}
        _ = ends.changed() => {
            if *ends.borrow() == Some(Cut::Reset) {
                reset.set();
            }
        }
    }
}

/// One request and its answer.
async fn exchange(
    request: Request<Incoming>,
    context: &Context,
    link: &tokio::sync::Mutex<Option<SendRequest<Incoming>>>,
    reset: &Reset,
) -> Result<Answer, Ended> {
    let (parts, body) = request.into_parts();
    for act in meet(&parts, context) {
        match act {
            Act::Delay(time) => sleep(time).await,
            Act::Status(status, text) => return Ok(own(status, text)),
            Act::Abort => {
                reset.set();
                return Err(Ended);
            }
        }
    }
    let request = Request::from_parts(parts, body);
    forward(request, context, &mut *link.lock().await, reset).await
}

/// What the faults do to a request, in order; what ends it is last.
fn meet(request: &http::request::Parts, context: &Context) -> Vec<Act> {
    let number = context.tally.requests.fetch_add(1, Ordering::Relaxed);
    let mut faults = context
        .faults
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut acts = Vec::new();
    for attached in &mut *faults {
        if attached.meets(request, context.seed, number) {
            acts.push(attached.fault.act.clone());
            if !matches!(attached.fault.act, Act::Delay(_)) {
                break;
            }
        }
    }
    if !acts.is_empty() {
        count(&context.tally.faulted);
    }
    acts
}

/// Hands a request to the upstream over the client's own connection there.
async fn forward(
    mut request: Request<Incoming>,
    context: &Context,
    link: &mut Option<SendRequest<Incoming>>,
    reset: &Reset,
) -> Result<Answer, Ended> {
    let upgrade = hyper::upgrade::on(&mut request);
    loop {
        let kept = match link.take() {
            // The upstream may have closed it since the last answer.
            Some(mut kept) => kept.ready().await.is_ok().then_some(kept),
            None => None,
        };
        let is_new = kept.is_none();
        let mut sender = match kept {
            Some(kept) => kept,
            None => match connect(context).await {
                Ok(sender) => sender,
                Err((status, why)) => {
                    count(&context.tally.upstream_failed);
                    return Ok(own(status, why));
                }
            },
        };
        match sender.try_send_request(request).await {
            Ok(answer) => {
                *link = Some(sender);
                return Ok(handed_on(answer, upgrade, context, reset));
            }
            Err(mut error) => match error.take_message() {
                // It closed at the same moment: nothing was sent, so it may be sent anew.
                Some(unsent) if !is_new => request = unsent,
                _ => {
                    count(&context.tally.upstream_failed);
                    return Err(ended(error.error(), reset));
                }
            },
        }
    }
}

/// The upstream has gone in the middle of an exchange. The client sees what it would have seen
/// without a proxy: nothing is made up, and nothing is sent twice.
fn ended(error: &hyper::Error, reset: &Reset) -> Ended {
    let cause = std::error::Error::source(error);
    let cause = cause.and_then(|cause| cause.downcast_ref::<std::io::Error>());
    if cause.is_some_and(|cause| cause.kind() == ErrorKind::ConnectionReset) {
        reset.set();
    }
    Ended
}

/// A connection to the upstream, or what the client gets instead.
async fn connect(context: &Context) -> Result<SendRequest<Incoming>, (StatusCode, String)> {
    let upstream = &context.upstream;
    let connecting = timeout(context.connect_timeout, TcpStream::connect(upstream));
    let stream = match connecting.await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            let why = format!("cannot connect to {upstream}: {error}");
            return Err((StatusCode::BAD_GATEWAY, why));
        }
        Err(_) => {
            let why = format!("{upstream} did not accept in time");
            return Err((StatusCode::GATEWAY_TIMEOUT, why));
        }
    };
    let _ = stream.set_nodelay(true);
    let handshake = ClientBuilder::new()
        .preserve_header_case(true)
        .handshake(TokioIo::new(stream));
    let (sender, connection) = handshake
        .await
        .map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    // It ends with its sender, so with its client.
    tokio::spawn(connection.with_upgrades());
    Ok(sender)
}

/// The upstream's answer; after one that switches protocols, bytes pass both ways.
fn handed_on(
    mut answer: Response<Incoming>,
    upgrade: hyper::upgrade::OnUpgrade,
    context: &Context,
    reset: &Reset,
) -> Answer {
    if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
        let upstream = hyper::upgrade::on(&mut answer);
        let (mut ends, reset) = (context.ends.subscribe(), reset.clone());
        tokio::spawn(async move {
            if let (Ok(client), Ok(upstream)) = tokio::join!(upgrade, upstream) {
                let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
                let copying = pin!(tokio::io::copy_bidirectional(&mut client, &mut upstream));
                until_cut(copying, &mut ends, &reset).await;
            }
        });
    }
    answer.map(Either::Left)
}

/// An answer of the proxy itself.
fn own(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Either::Right(Full::new(Bytes::from(text))));
    *answer.status_mut() = status;
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    answer.headers_mut().insert(header::CONTENT_TYPE, plain);
    answer
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
