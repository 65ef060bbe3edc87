//! What a request can be refused with, in Toxiproxy's words and numbers.

use super::gojson::quote;

/// A refusal: what clients read in `error`, and the HTTP status.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What is wrong.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
}

impl ApiError {
    /// A refusal of this status.
    pub(crate) fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status,
        }
    }

    /// A body that cannot be read, or holds what cannot be.
    pub(crate) fn bad_body(why: impl std::fmt::Display) -> Self {
        Self::new(400, format!("bad request body: {why}"))
    }

    /// A field that must be there.
    pub(crate) fn missing(field: impl std::fmt::Display) -> Self {
        Self::new(400, format!("missing required field: {field}"))
    }

    /// There is no proxy of the name.
    pub(crate) fn proxy_not_found() -> Self {
        Self::new(404, "proxy not found")
    }

    /// There is a proxy of the name.
    pub(crate) fn proxy_exists() -> Self {
        Self::new(409, "proxy already exists")
    }

    /// A stream that is neither of the two.
    pub(crate) fn invalid_stream() -> Self {
        let text = "stream was invalid, can be either upstream or downstream";
        Self::new(400, text)
    }

    /// A type that no fault has.
    pub(crate) fn invalid_type() -> Self {
        Self::new(400, "invalid toxic type")
    }

    /// The proxy has a toxic of the name, in either direction.
    pub(crate) fn toxic_exists() -> Self {
        Self::new(409, "toxic already exists")
    }

    /// The proxy has no toxic of the name.
    pub(crate) fn toxic_not_found() -> Self {
        Self::new(404, "toxic not found")
    }

    /// The system did not allow it; Go answers with its error text and 500.
    pub(crate) fn system(text: impl Into<String>) -> Self {
        Self::new(500, text)
    }

    /// `"error":…,"status":…`, without braces.
    pub(crate) fn members(&self) -> String {
        format!(
            r#""error":{},"status":{}"#,
            quote(&self.message),
            self.status
        )
    }
}
