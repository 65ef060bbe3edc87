//! The server: a thread that accepts connections, and what one request goes through.
//!
//! Requests and answers are handled on one thread; what they ask for may block and is done on a
//! few others. Everything that a client can make large or slow has a limit here.

use super::address::{self, Transport};
use super::error::ApiError;
use super::gojson::quote;
use super::guard::{self, Guard};
use super::own;
use super::patient::Patient;
use super::registry::{By, Registry};
use super::reply::{Content, Reply};
use super::routes::{self, Route};
use super::{Settings, request_id};
use crate::{Engine, EngineOptions, Limits};
use bytes::Bytes;
use http::header::HeaderName;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

/// A request must have come within this time, its head and its body each.
const READ: Duration = Duration::from_secs(15);
/// An answer must be taken within this time.
const WRITE: Duration = Duration::from_secs(30);
/// An operation must be done within this time.
const HANDLE: Duration = Duration::from_secs(25);
/// Requests under way when the server stops have this long to end.
const STOP: Duration = Duration::from_secs(5);
/// The longest body: a list of ten thousand proxies, each with a few toxics.
const LONGEST_BODY: usize = 4 << 20;
/// The longest head of a request.
const LONGEST_HEAD: usize = 64 << 10;
/// Connections at once; more are closed as they come.
const MOST_CONNECTIONS: usize = 1024;
/// Threads for what may block.
const BLOCKING: usize = 16;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-toxiproxy-request-id");

/// A server. Its proxies are stopped with it, at the latest when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    stopping: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
    /// Until it is served.
    listener: Option<std::net::TcpListener>,
}

impl Server {
    /// Binds a server and serves it.
    ///
    /// # Errors
    /// As [`Server::bind`] and [`Server::serve`].
    pub fn start(settings: Settings) -> Result<Self, ApiError> {
        let mut server = Self::bind(settings)?;
        server.serve()?;
        Ok(server)
    }

    /// Takes the address. Clients that connect wait until [`Server::serve`], so that the first of
    /// them finds what [`Server::populate`] has made.
    ///
    /// # Errors
    /// The address cannot be listened on, or the engine cannot be started.
    pub fn bind(settings: Settings) -> Result<Self, ApiError> {
        let engine = Engine::new(EngineOptions {
            seed: settings.seed,
            ..settings.engine.clone()
        });
        let engine = engine.map_err(|error| ApiError::system(error.to_string()))?;
        let (listener, address) = bind(&settings)?;
        let loopback = address.ip().is_loopback();
        let (stopping, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            registry: Arc::new(Registry::new(engine, !loopback)),
            guard: Guard {
                loopback,
                host: settings.host.clone(),
                token: settings.token.clone(),
            },
            settings,
            stopping: stopped,
        });
        Ok(Self {
            address,
            shared,
            stopping,
            thread: None,
            listener: Some(listener),
        })
    }

    /// Answers requests from now on, on a thread of its own.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn serve(&mut self) -> Result<(), ApiError> {
        let Some(listener) = self.listener.take() else {
            return Ok(());
        };
        let system = |error: io::Error| ApiError::system(error.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING)
            .build()
            .map_err(system)?;
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new()
            .name("assize-api".to_owned())
            .spawn(move || runtime.block_on(serve(listener, shared)))
            .map_err(system)?;
        self.thread = Some(thread);
        Ok(())
    }

    /// What the system lets its engine have.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.shared.registry.engine().limits()
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the proxies of a configuration: JSON as `POST /populate` takes it, with toxics.
    /// Says how many there are; what was made before an error stays.
    ///
    /// # Errors
    /// As the route.
    pub fn populate(&self, json: &[u8]) -> Result<usize, ApiError> {
        let inputs = routes::with_toxics(json)?;
        let (made, result) = self.shared.registry.populate(&inputs, By::Config);
        result.map(|()| made.len())
    }

    /// Waits until the process is asked to end, by SIGINT or SIGTERM; `ready` is called when it
    /// is being listened for.
    ///
    /// # Errors
    /// The system does not tell of signals, or what `ready` says.
    pub fn until_signal(&self, ready: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(signal(ready))
    }

    /// Stops: no new requests, those under way answered, all proxies closed.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stopping.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic there was reported when it happened.
            let _ = thread.join();
        }
        self.shared.registry.stop();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(unix)]
async fn signal(ready: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    ready()?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn signal(ready: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    ready()?;
    tokio::signal::ctrl_c().await
}

struct Shared {
    registry: Arc<Registry>,
    settings: Settings,
    guard: Guard,
    stopping: watch::Receiver<bool>,
}

fn bind(settings: &Settings) -> Result<(std::net::TcpListener, SocketAddr), ApiError> {
    let host = match settings.host.as_str() {
        host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
        host => host.to_owned(),
    };
    let wanted = format!("{host}:{}", settings.port);
    let in_go = |text| ApiError::system(format!("listen tcp: {text}"));
    let address = address::resolve(&wanted).map_err(in_go)?.to_bind(true);
    let bind = || {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    bind().map_err(|error| ApiError::system(address::listen_error(Transport::Tcp, address, &error)))
}

async fn serve(listener: std::net::TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        // Only a runtime without its driver refuses; ours has one.
        return;
    };
    let leases = tokio::spawn(leases(Arc::clone(&shared)));
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut stopping = shared.stopping.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stopping| *stopping) => break,
        };
        match accepted {
            Ok((stream, _)) => {
                // Closed at once when there are too many.
                if let Ok(place) = Arc::clone(&places).try_acquire_owned() {
                    let shared = Arc::clone(&shared);
                    tokio::spawn(async move {
                        connection(stream, shared).await;
                        drop(place);
                    });
                }
            }
            // Out of files, most likely: wait until some are free again.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
    drop(listener);
    // All places are free when all connections are done.
    let all = u32::try_from(MOST_CONNECTIONS).unwrap_or(u32::MAX);
    let _ = timeout(STOP, places.acquire_many(all)).await;
    leases.abort();
}

/// Removes toxics when their lease is over.
async fn leases(shared: Arc<Shared>) {
    loop {
        let registry = Arc::clone(&shared.registry);
        let next = tokio::task::spawn_blocking(move || registry.expire()).await;
        let begun = shared.registry.leases.notified();
        match next.ok().flatten() {
            Some(at) => {
                let left = (at - crate::clock::now()).0.max(0);
                let left = Duration::from_nanos(left.unsigned_abs());
                let _ = timeout(left, begun).await;
            }
            None => begun.await,
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Answers are short and sent at once; without it, works all the same.
    let _ = stream.set_nodelay(true);
    let mut stopping = shared.stopping.clone();
    let service = service_fn(move |request| respond(Arc::clone(&shared), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .title_case_headers(true)
        .header_read_timeout(READ)
        .max_buf_size(LONGEST_HEAD)
        .serve_connection(TokioIo::new(Patient::new(stream, WRITE)), service);
    let mut connection = std::pin::pin!(connection);
    // An error on a connection is the client's: it went away, or spoke no HTTP.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopping.wait_for(|stopping| *stopping) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

async fn respond(
    shared: Arc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Content>, Infallible> {
    let (head, body) = request.into_parts();
    let Some(path) = decode(head.uri.path()) else {
        return Ok(Reply::plain(400, "400 Bad Request").into_http());
    };
    if let Some(rest) = path.strip_prefix(own::PREFIX) {
        return Ok(respond_own(&shared, &head, rest, body).await.into_http());
    }
    let metrics = shared.settings.proxy_metrics || shared.settings.runtime_metrics;
    let reply = match routes::find(&head.method, &path, metrics) {
        Route::Nowhere => Reply::plain(404, "404 page not found"),
        Route::Method => Reply::empty(405),
        Route::Moved(to) => Reply::moved(&encode(&to, head.uri.query())),
        Route::To(operation) => {
            let reply = match guard::browser(&head.headers) {
                Some(refusal) => refusal,
                None => match read(body).await {
                    Ok(body) => {
                        let shared = Arc::clone(&shared);
                        handle(move || {
                            routes::answer(&shared.registry, &shared.settings, &operation, &body)
                        })
                        .await
                    }
                    Err(error) => error.into(),
                },
            };
            reply.header(REQUEST_ID, &request_id::next())
        }
    };
    Ok(reply.into_http())
}

async fn respond_own(shared: &Arc<Shared>, head: &Parts, path: &str, body: Incoming) -> Reply {
    if let Err(error) = shared.guard.check(&head.headers) {
        return error.into();
    }
    let query = head.uri.query().unwrap_or_default().to_owned();
    if path == "events" && head.method == http::Method::GET {
        let last = head.headers.get("last-event-id");
        let last = last.and_then(|value| value.to_str().ok());
        let after = own::events_after(&shared.registry, last, &query);
        let registry = Arc::clone(&shared.registry);
        return own::events(registry, after, shared.stopping.clone());
    }
    let body = match read(body).await {
        Ok(body) => body,
        Err(error) => return error.into(),
    };
    let (shared, method, path) = (Arc::clone(shared), head.method.clone(), path.to_owned());
    handle(move || {
        let request = own::Request {
            method: &method,
            path: &path,
            query: &query,
            body: &body,
        };
        own::answer(&shared.registry, &request)
    })
    .await
}

/// Does what may block elsewhere, and answers as the original does when it takes too long.
async fn handle(work: impl FnOnce() -> Reply + Send + 'static) -> Reply {
    match timeout(HANDLE, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(_)) => ApiError::system("the operation failed; the server goes on").into(),
        Err(_) => {
            let page =
                "<html><head><title>Timeout</title></head><body><h1>Timeout</h1></body></html>";
            Reply::text(503, "text/html; charset=utf-8", page)
        }
    }
}

/// The whole body, within the limits of time and length.
async fn read(body: Incoming) -> Result<Bytes, ApiError> {
    match timeout(READ, Limited::new(body, LONGEST_BODY).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            let text = "bad request body: http: request body too large";
            Err(ApiError::new(413, text))
        }
        Ok(Err(_)) => Err(ApiError::bad_body("unexpected EOF")),
        Err(_) => Err(ApiError::bad_body("i/o timeout")),
    }
}

/// A path without its percent signs; none if they stand for nothing.
fn decode(path: &str) -> Option<String> {
    let mut bytes = path.bytes();
    let mut decoded = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let code = digit()? << 4 | digit()?;
        decoded.push(u8::try_from(code).ok()?);
    }
    Some(String::from_utf8_lossy(&decoded).into_owned())
}

/// A path as it may stand in a header.
fn encode(path: &str, query: Option<&str>) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    query.map_or(encoded.clone(), |query| format!("{encoded}?{query}"))
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Shared({})", quote(&self.settings.host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_and_encoded() {
        assert_eq!(decode("/a%20b%2fc").as_deref(), Some("/a b/c"));
        for broken in ["/%", "/%2", "/%zz"] {
            assert_eq!(decode(broken), None, "{broken}");
        }
        assert_eq!(encode("/a b\r\n/ü", Some("x=1")), "/a%20b%0D%0A/%C3%BC?x=1");
    }
}
