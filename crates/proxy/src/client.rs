//! A client of the API for programs that wait for each answer: `assize ctl`, tests.
//!
//! One connection per request, a limit on the time of each, no retries. It knows HTTP and
//! nothing of proxies.

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http::{Method, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// An answer must have come within this time.
const LIMIT: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const LONGEST: usize = 64 << 20;

/// Where an API is, and what it must be told.
#[derive(Clone, Debug)]
pub struct Client {
    host: String,
    port: u16,
    token: Option<String>,
}

/// What came back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// All of the body.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address of the API cannot be read.
    #[error("`{0}` is no address of an API; write `http://localhost:8474`")]
    Address(String),
    /// Nobody answers there.
    #[error("no answer from {address}: {reason}; is `assize proxy` running there?")]
    Unreachable {
        /// Where.
        address: String,
        /// Why, in words.
        reason: String,
    },
}

impl Client {
    /// A client of the API at `http://host:port`; scheme and port may be left out.
    ///
    /// # Errors
    /// [`ClientError::Address`].
    pub fn new(url: &str, token: Option<String>) -> Result<Self, ClientError> {
        let wrong = || ClientError::Address(url.to_owned());
        let rest = url.strip_prefix("http://").unwrap_or(url);
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() || rest.contains(['/', '@', ' ']) {
            return Err(wrong());
        }
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| wrong())?)
            }
            _ => (rest, 8474),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            host: host.to_owned(),
            port,
            token,
        })
    }

    /// Sends a request and waits for the whole answer, whatever its status.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub fn send(&self, method: &str, path: &str, body: &str) -> Result<Answer, ClientError> {
        self.wait(async {
            let request = self.request(method, path, body)?;
            let whole = async {
                let response = self.exchange(request).await?;
                let status = response.status().as_u16();
                let body = Limited::new(response.into_body(), LONGEST);
                let body = body.collect().await.map_err(|e| e.to_string())?.to_bytes();
                Ok(Answer { status, body })
            };
            let late = || format!("it took more than {} s", LIMIT.as_secs());
            timeout(LIMIT, whole).await.unwrap_or_else(|_| Err(late()))
        })
    }

    /// Sends a request and hands over the answer piece by piece, as it comes, until it ends or
    /// `take` says that it is enough. Returns the status.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`].
    pub fn follow(
        &self,
        path: &str,
        mut take: impl FnMut(&[u8]) -> bool,
    ) -> Result<u16, ClientError> {
        self.wait(async {
            let request = self.request("GET", path, "")?;
            let late = || "it does not answer".to_owned();
            let response = timeout(LIMIT, self.exchange(request)).await;
            let response = response.unwrap_or_else(|_| Err(late()))?;
            let status = response.status().as_u16();
            let mut body = response.into_body();
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| error.to_string())?;
                if frame.data_ref().is_some_and(|data| !take(data)) {
                    break;
                }
            }
            Ok(status)
        })
    }

    /// `host:port`, as people write it.
    #[must_use]
    pub fn address(&self) -> String {
        if self.host.contains(':') {
            return format!("[{}]:{}", self.host, self.port);
        }
        format!("{}:{}", self.host, self.port)
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<Request<Full<Bytes>>, String> {
        let method: Method = method.parse().map_err(|_| format!("no method {method}"))?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.address());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        request
            .body(Full::new(Bytes::copy_from_slice(body.as_bytes())))
            .map_err(|error| error.to_string())
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<http::Response<hyper::body::Incoming>, String> {
        let words = |error: std::io::Error| error.to_string();
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await;
        let io = TokioIo::new(stream.map_err(words)?);
        let connection = hyper::client::conn::http1::handshake(io).await;
        let (mut sender, connection) = connection.map_err(|error| error.to_string())?;
        // What goes wrong on the connection is told by the request.
        tokio::spawn(connection);
        let response = sender.send_request(request).await;
        response.map_err(|error| error.to_string())
    }

    fn wait<T>(&self, work: impl Future<Output = Result<T, String>>) -> Result<T, ClientError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let result = match runtime {
            Ok(runtime) => runtime.block_on(work),
            Err(error) => Err(error.to_string()),
        };
        result.map_err(|reason| ClientError::Unreachable {
            address: self.address(),
            reason,
        })
    }
}

/// A name as it may stand in a path.
#[must_use]
pub fn segment(name: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    };
    name.bytes().map(encode).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        for (url, address) in [
            ("http://localhost:8474", "localhost:8474"),
            ("localhost", "localhost:8474"),
            ("http://127.0.0.1:1/", "127.0.0.1:1"),
            ("[::1]:9", "[::1]:9"),
            ("http://[::1]", "[::1]:8474"),
        ] {
            let client = Client::new(url, None).expect(url);
            assert_eq!(client.address(), address);
        }
        for wrong in ["", "http://", "https://x:1", "host:port", "a b", ":1"] {
            assert!(Client::new(wrong, None).is_err(), "{wrong}");
        }
    }

    #[test]
    fn nobody_there_is_said_with_what_to_do() {
        let port = {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
            listener.local_addr().expect("its address").port()
        };
        let client = Client::new(&format!("127.0.0.1:{port}"), None).expect("an address");
        let error = client
            .send("GET", "/version", "")
            .expect_err("nobody is there");
        assert!(
            error
                .to_string()
                .contains("is `assize proxy` running there?"),
            "{error}"
        );
    }

    #[test]
    fn names_are_encoded() {
        assert_eq!(segment("a b/ü"), "a%20b%2F%C3%BC");
    }
}
