//! What clients send: proxies and toxics, read from their bodies by Go's rules.
//!
//! Shapes only. Whether a name is taken or an address free is for the registry to find out.

use super::error::ApiError;
use super::gojson::read::names;
use super::gojson::{Fields, Value, scan};
use super::toxic::{self, Lease};
use crate::{Direction, Peer};
use assize_fault::Wire;

/// A proxy as a body describes it; what it does not mention has the value it began with.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ProxyInput {
    pub(crate) name: String,
    pub(crate) listen: String,
    pub(crate) upstream: String,
    pub(crate) enabled: bool,
    /// What it said about toxics; only routes of our own and the configuration look at it.
    toxics: Value,
}

impl ProxyInput {
    /// What a proxy is unless its creator says otherwise.
    pub(crate) const fn new() -> Self {
        Self {
            name: String::new(),
            listen: String::new(),
            upstream: String::new(),
            enabled: true,
            toxics: Value::Null,
        }
    }

    /// Puts what the body says over `self`.
    pub(crate) fn update(mut self, body: &[u8]) -> Result<Self, ApiError> {
        let value = scan(body).map_err(ApiError::bad_body)?;
        self.read(&value, "Proxy", "toxiproxy.Proxy")
            .map_err(ApiError::bad_body)?;
        Ok(self)
    }

    /// A new proxy from a body. Name and upstream must be there.
    pub(crate) fn create(body: &[u8]) -> Result<Self, ApiError> {
        let input = Self::new().update(body)?;
        input.complete("")?;
        Ok(input)
    }

    /// A list of new proxies from a body; the first that is incomplete refuses them all.
    pub(crate) fn list(body: &[u8]) -> Result<Vec<Self>, ApiError> {
        const ITEM: &str = r#"struct { toxiproxy.Proxy; Enabled *bool "json:\"enabled\"" }"#;
        let value = scan(body).map_err(ApiError::bad_body)?;
        let items = Fields::items(&value, &format!("[]{ITEM}")).map_err(ApiError::bad_body)?;
        let mut list = Vec::with_capacity(items.len());
        for item in items {
            let mut input = Self::new();
            input.read(item, "", ITEM).map_err(ApiError::bad_body)?;
            list.push(input);
        }
        for (index, input) in list.iter().enumerate() {
            input.complete(&format!(" at proxy {}", index + 1))?;
        }
        Ok(list)
    }

    /// The toxics that it names, each complete.
    pub(crate) fn toxics(&self) -> Result<Vec<ToxicInput>, ApiError> {
        let items = Fields::items(&self.toxics, "[]toxics.ToxicWrapper");
        let items = items.map_err(ApiError::bad_body)?;
        items.iter().map(ToxicInput::of).collect()
    }

    fn read(&mut self, value: &Value, structure: &str, go: &str) -> Result<(), String> {
        let mut fields = Fields::of(structure, "");
        for (key, value) in Fields::members(value, go)? {
            match key.as_str() {
                key if names(key, "name") => fields.string("name", value, &mut self.name),
                key if names(key, "listen") => fields.string("listen", value, &mut self.listen),
                key if names(key, "upstream") => {
                    fields.string("upstream", value, &mut self.upstream);
                }
                key if names(key, "enabled") => {
                    fields.boolean("enabled", value, &mut self.enabled);
                }
                key if names(key, "toxics") => self.toxics = value.clone(),
                _ => {}
            }
        }
        fields.done()
    }

    fn complete(&self, place: &str) -> Result<(), ApiError> {
        for (field, text) in [("name", &self.name), ("upstream", &self.upstream)] {
            if text.is_empty() {
                return Err(ApiError::missing(format!("{field}{place}")));
            }
        }
        Ok(())
    }
}

/// A new toxic as a body describes it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ToxicInput {
    pub(crate) name: String,
    /// The stream as it was written; clients get it back so.
    pub(crate) stream: String,
    pub(crate) direction: Direction,
    pub(crate) kind: String,
    pub(crate) toxicity: f32,
    pub(crate) attributes: Value,
    pub(crate) peer: Option<Peer>,
    pub(crate) lease: Lease,
}

impl ToxicInput {
    /// A new toxic from a body, without its attributes: they are looked at when the name is
    /// known to be free, so that errors come in the order in which clients expect them.
    pub(crate) fn create(body: &[u8]) -> Result<Self, ApiError> {
        Self::of(&scan(body).map_err(ApiError::bad_body)?)
    }

    /// The fault, if the attributes describe one.
    pub(crate) fn wire(&self) -> Result<Wire, ApiError> {
        toxic::wire(&self.kind, None, &self.attributes)
    }

    fn of(value: &Value) -> Result<Self, ApiError> {
        let mut input = Self {
            name: String::new(),
            stream: "downstream".to_owned(),
            direction: Direction::Downstream,
            kind: String::new(),
            toxicity: 1.0,
            attributes: Value::Null,
            peer: None,
            lease: Lease::Unsaid,
        };
        input.read(value).map_err(ApiError::bad_body)?;
        input.direction = match input.stream.to_lowercase().as_str() {
            "upstream" => Direction::Upstream,
            "downstream" => Direction::Downstream,
            _ => return Err(ApiError::invalid_stream()),
        };
        if input.name.is_empty() {
            input.name = format!("{}_{}", input.kind, input.stream);
        }
        if !toxic::is_known(&input.kind) {
            return Err(ApiError::invalid_type());
        }
        Ok(input)
    }

    fn read(&mut self, value: &Value) -> Result<(), String> {
        let mut fields = Fields::of("ToxicWrapper", "");
        for (key, value) in Fields::members(value, "toxics.ToxicWrapper")? {
            match key.as_str() {
                key if names(key, "attributes") => match value {
                    Value::Object(_) | Value::Null => self.attributes = value.clone(),
                    other => fields.wrong("attributes", other.kind(), "toxics.NoopToxic", other),
                },
                key if names(key, "name") => fields.string("name", value, &mut self.name),
                key if names(key, "type") => fields.string("type", value, &mut self.kind),
                key if names(key, "stream") => fields.string("stream", value, &mut self.stream),
                key if names(key, "toxicity") => {
                    fields.float32("toxicity", value, &mut self.toxicity);
                }
                "peer" => self.peer = toxic::peer(value)?.flatten(),
                "expires_in" => self.lease = toxic::lease(value)?,
                _ => {}
            }
        }
        fields.done()
    }
}

/// What a body wants to change of a toxic.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ToxicUpdate {
    pub(crate) attributes: Value,
    pub(crate) toxicity: f32,
    /// Whom it is to touch from now on, if the body says so.
    pub(crate) peer: Option<Option<Peer>>,
    pub(crate) lease: Lease,
}

impl ToxicUpdate {
    /// Reads a body; `toxicity` is what it is now. `kind` is the type of the toxic.
    pub(crate) fn read(body: &[u8], kind: &str, toxicity: f32) -> Result<Self, ApiError> {
        let value = scan(body).map_err(ApiError::bad_body)?;
        let mut update = Self {
            attributes: Value::Null,
            toxicity,
            peer: None,
            lease: Lease::Unsaid,
        };
        update.put(&value, kind).map_err(ApiError::bad_body)?;
        Ok(update)
    }

    fn put(&mut self, value: &Value, kind: &str) -> Result<(), String> {
        let go = r#"struct { Attributes interface {} "json:\"attributes\""; Toxicity float32 "json:\"toxicity\"" }"#;
        let mut fields = Fields::of("", "");
        for (key, value) in Fields::members(value, go)? {
            match key.as_str() {
                key if names(key, "attributes") => match value {
                    Value::Object(_) | Value::Null => self.attributes = value.clone(),
                    other => {
                        let wanted = format!("toxics.{}", toxic::go_name(kind));
                        fields.wrong("attributes", other.kind(), &wanted, other);
                    }
                },
                key if names(key, "toxicity") => {
                    fields.float32("toxicity", value, &mut self.toxicity);
                }
                "peer" => self.peer = toxic::peer(value)?,
                "expires_in" => self.lease = toxic::lease(value)?,
                _ => {}
            }
        }
        fields.done()
    }
}
