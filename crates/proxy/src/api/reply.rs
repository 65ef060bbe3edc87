//! Answers, before they become HTTP.

use super::error::ApiError;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS};
use http::{Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::Receiver;

/// The body of an answer: all of it at once, or as it comes.
#[derive(Debug)]
pub(crate) enum Content {
    /// All of it; empty once it has been sent.
    Whole(bytes::Bytes),
    /// Pieces, until their sender is gone.
    Stream(Receiver<bytes::Bytes>),
}

impl Body for Content {
    type Data = bytes::Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Self::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Self::Stream(pieces) => pieces
                .poll_recv(cx)
                .map(|piece| piece.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(HeaderName, String)>,
    content: Content,
}

impl Reply {
    /// A status and nothing else.
    pub(crate) const fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            content: Content::Whole(bytes::Bytes::new()),
        }
    }

    /// Text of a type.
    pub(crate) fn text(status: u16, kind: &str, text: impl Into<bytes::Bytes>) -> Self {
        let mut reply = Self::empty(status);
        reply.content = Content::Whole(text.into());
        reply.header(CONTENT_TYPE, kind)
    }

    /// JSON.
    pub(crate) fn json(status: u16, text: String) -> Self {
        Self::text(status, "application/json", text)
    }

    /// What Go's `http.Error` sends: plain text that no browser may take for anything else.
    pub(crate) fn plain(status: u16, text: &str) -> Self {
        Self::text(status, "text/plain; charset=utf-8", format!("{text}\n"))
            .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
    }

    /// A refusal: JSON, although it says that it is text. Clients know it so.
    pub(crate) fn refusal(error: &ApiError) -> Self {
        Self::plain(error.status, &format!("{{{}}}", error.members()))
    }

    /// Pieces, as they come.
    pub(crate) fn stream(kind: &str, pieces: Receiver<bytes::Bytes>) -> Self {
        let mut reply = Self::empty(200);
        reply.content = Content::Stream(pieces);
        reply.header(CONTENT_TYPE, kind)
    }

    /// The way to the same thing.
    pub(crate) fn moved(to: &str) -> Self {
        Self::empty(301).header(LOCATION, to)
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The answer as HTTP. A header that HTTP does not allow is left out.
    pub(crate) fn into_http(self) -> Response<Content> {
        let mut response = Response::new(self.content);
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

impl From<ApiError> for Reply {
    fn from(error: ApiError) -> Self {
        Self::refusal(&error)
    }
}
