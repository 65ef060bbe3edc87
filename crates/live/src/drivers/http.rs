//! The driver `http`: HTTP/1.1 without TLS.
//!
//! A check asks the path `health` and is content with 200 to 399; so is a journey, unless it says
//! which statuses it expects. Every request has a connection of its own, as that of a new user
//! would. The answer is read to its end and thrown away. It keeps no ledger of its own.

use super::protocol::{Protocol, trouble_of};
use crate::ledger;
use crate::replica::{Answer, Call, Entry, Later, Trouble, What};
use assize_model::binding::Request as Asked;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// The most that is read of an answer.
const MAX_BODY: usize = 256 << 20;

/// HTTP towards one replica.
#[derive(Debug)]
pub(super) struct Http {
    /// The name that requests carry.
    host: String,
    health: String,
}

impl Http {
    pub(super) fn new(host: String, health: Option<String>) -> Self {
        Self {
            host,
            health: health.unwrap_or_else(|| "/".into()),
        }
    }

    async fn ask(
        &self,
        via: SocketAddr,
        (method, path, body): (&str, &str, Option<String>),
        expect: &[u16],
    ) -> Result<(), Trouble> {
        let request = self.request(method, path, body)?;
        let stream = TcpStream::connect(via).await.map_err(|e| trouble_of(&e))?;
        // Nagle's algorithm would add its own wait to what is measured.
        let _ = stream.set_nodelay(true);
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|e| of_hyper(&e))?;
        let exchange = async {
            let answer = sender
                .send_request(request)
                .await
                .map_err(|e| of_hyper(&e))?;
            let status = answer.status().as_u16();
            let mut body = answer.into_body();
            let mut read = 0;
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|e| of_hyper(&e))?;
                read += frame.data_ref().map_or(0, Bytes::len);
                if read > MAX_BODY {
                    return Err(Trouble::Answered(format!("more than {MAX_BODY} bytes")));
                }
            }
            Ok(status)
        };
        let mut exchange = std::pin::pin!(exchange);
        let mut connection = std::pin::pin!(connection);
        // The connection is driven here, so that abandoning the request abandons it too.
        let status = tokio::select! {
            biased;
            status = &mut exchange => status,
            ended = &mut connection => match ended {
                Err(error) => Err(of_hyper(&error)),
                Ok(()) => exchange.await,
            },
        }?;
        let good = if expect.is_empty() {
            (200..400).contains(&status)
        } else {
            expect.contains(&status)
        };
        if good {
            Ok(())
        } else {
            // What stands in a query may be meant for nobody else.
            let path = path.split('?').next().unwrap_or(path);
            Err(Trouble::Answered(format!(
                "{method} {path}: status {status}"
            )))
        }
    }

    fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<String>,
    ) -> Result<Request<Full<Bytes>>, Trouble> {
        let bad = |what: &str| Trouble::Harness(format!("`{method} {path}`: {what}"));
        let method = method.parse::<Method>().map_err(|_| bad("no method"))?;
        let uri = path.parse::<Uri>().map_err(|_| bad("no path"))?;
        let host = HeaderValue::from_str(&self.host).map_err(|_| bad("no host"))?;
        let kind = match body.as_deref().map(str::trim_start) {
            Some(text) if text.starts_with(['{', '[']) => "application/json",
            _ => "text/plain; charset=utf-8",
        };
        let has_body = body.is_some();
        let mut request = Request::new(Full::new(Bytes::from(body.unwrap_or_default())));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request.headers_mut().insert(header::HOST, host);
        if has_body {
            let kind = HeaderValue::from_static(kind);
            request.headers_mut().insert(header::CONTENT_TYPE, kind);
        }
        Ok(request)
    }
}

/// What an error of the protocol means for a request.
fn of_hyper(error: &hyper::Error) -> Trouble {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
        if let Some(error) = cause.downcast_ref::<std::io::Error>() {
            return trouble_of(error);
        }
    }
    if error.is_parse() {
        Trouble::Answered(format!("no HTTP: {error}"))
    } else {
        Trouble::Refused(error.to_string())
    }
}

/// A text with the entry's figures in place of `{id}`, `{sequence}`, `{hash}` and `{content}`.
pub(super) fn filled(text: &str, entry: &Entry) -> String {
    text.replace("{id}", &format!("{}-{}", entry.writer, entry.sequence))
        .replace("{sequence}", &entry.sequence.to_string())
        .replace("{hash}", &entry.hash)
        .replace("{content}", &ledger::content(entry.writer, entry.sequence))
}

impl Protocol for Http {
    fn check(&self, via: SocketAddr) -> Later<'_, Result<(), Trouble>> {
        Box::pin(self.ask(via, ("GET", &self.health, None), &[]))
    }

    fn call<'a>(&'a self, via: SocketAddr, call: &'a Call) -> Later<'a, Result<Answer, Trouble>> {
        Box::pin(async move {
            match &call.what {
                What::Plain => self.ask(via, ("GET", &self.health, None), &[]).await?,
                What::Request(request, entry) => match request.as_ref() {
                    Asked::Http {
                        method,
                        path,
                        body,
                        expect,
                        ..
                    } => {
                        let path = filled(path, entry);
                        let body = body.as_ref().map(|body| filled(body, entry));
                        self.ask(via, (method, &path, body), expect).await?;
                    }
                    _ => return Err(Trouble::Unsupported("not a request over HTTP".into())),
                },
                What::Write(_) | What::Read | What::Lookup(_) => {
                    let what = "the driver `http` keeps no ledger and no names".to_string();
                    return Err(Trouble::Unsupported(what));
                }
            }
            Ok(Answer::default())
        })
    }
}
