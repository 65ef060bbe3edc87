//! A toxic as the API knows it: a wire fault, and what clients said about it.
//!
//! Attributes are read by Go's rules and handed to `assize-fault`, which knows what each fault
//! takes; what a toxic does is not known here.

use super::error::ApiError;
use super::gojson::read::names;
use super::gojson::{Fields, Value, number, quote};
use super::input::{ToxicInput, ToxicUpdate};
use crate::{Direction, Peer, Toxic};
use assize_fault::{Kind, Nanos, Wire};

/// The longest lease. Whoever wants more wants none.
const LONGEST_LEASE: Nanos = Nanos::hours(366 * 24);

/// What a body says about the time after which a toxic is gone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Lease {
    /// Nothing.
    Unsaid,
    /// It stays.
    Never,
    /// So long from now.
    For(Nanos),
}

/// A toxic of a proxy.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Kept {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// As it was written, which may be `DownStream`.
    stream: String,
    pub(crate) direction: Direction,
    /// As it was given, which need not be a share.
    pub(crate) toxicity: f32,
    pub(crate) wire: Wire,
    peer: Option<Peer>,
    /// When it is gone, on the clock of the process.
    pub(crate) expires: Option<Nanos>,
}

impl Kept {
    /// What an input describes; a lease counts from `now`.
    pub(crate) fn new(input: &ToxicInput, now: Nanos) -> Result<Self, ApiError> {
        Ok(Self {
            name: input.name.clone(),
            kind: input.kind.clone(),
            stream: input.stream.clone(),
            direction: input.direction,
            toxicity: input.toxicity,
            wire: input.wire()?,
            peer: input.peer,
            expires: input.lease.end(now, None),
        })
    }

    /// All of a list, or what is wrong with one of them.
    pub(crate) fn all(inputs: &[ToxicInput], now: Nanos) -> Result<Vec<Self>, ApiError> {
        let mut all: Vec<Self> = Vec::with_capacity(inputs.len());
        for input in inputs {
            if all.iter().any(|kept| kept.name == input.name) {
                return Err(ApiError::toxic_exists());
            }
            all.push(Self::new(input, now)?);
        }
        Ok(all)
    }

    /// Puts an update over it; nothing has changed if that is an error.
    pub(crate) fn update(&mut self, update: &ToxicUpdate, now: Nanos) -> Result<(), ApiError> {
        self.wire = wire(&self.kind, Some(&self.wire), &update.attributes)?;
        self.toxicity = update.toxicity;
        self.peer = update.peer.unwrap_or(self.peer);
        self.expires = update.lease.end(now, self.expires);
        Ok(())
    }

    /// The share of connections that it touches. The original compares a random number below 1
    /// with the toxicity; so anything below 0 is none, anything above 1 is all.
    pub(crate) fn share(&self) -> f64 {
        f64::from(self.toxicity).clamp(0.0, 1.0)
    }

    /// As the engine takes it.
    pub(crate) fn to_toxic(&self) -> Toxic {
        Toxic {
            name: self.name.clone(),
            stream: self.direction,
            toxicity: self.share(),
            wire: self.wire.clone(),
            peer: self.peer,
        }
    }

    /// As Toxiproxy prints it.
    pub(crate) fn json(&self) -> String {
        format!("{{{}}}", self.members())
    }

    /// As our own routes print it: with whom it touches and until when.
    pub(crate) fn own_json(&self) -> String {
        let mut text = format!("{{{}", self.members());
        if let Some(peer) = self.peer {
            text.push_str(&format!(r#","peer":"{peer}""#));
        }
        if let Some(expires) = self.expires {
            let left = (expires - crate::clock::now()).0.max(0) / 1_000_000;
            text.push_str(&format!(r#","expires_in_ms":{left}"#));
        }
        text.push('}');
        text
    }

    fn members(&self) -> String {
        let values = self.wire.values().into_iter().map(|(name, value)| {
            let text = match value {
                assize_fault::Value::Int(whole) => whole.to_string(),
                assize_fault::Value::Float(x) => number(x, x.abs()),
                assize_fault::Value::Word(word) => quote(&word),
            };
            format!("{}:{text}", quote(name))
        });
        format!(
            r#""attributes":{{{}}},"name":{},"type":{},"stream":{},"toxicity":{}"#,
            values.collect::<Vec<_>>().join(","),
            quote(&self.name),
            quote(&self.kind),
            quote(&self.stream),
            number(self.toxicity, f64::from(self.toxicity.abs()))
        )
    }
}

impl Lease {
    fn end(self, now: Nanos, before: Option<Nanos>) -> Option<Nanos> {
        match self {
            Self::Unsaid => before,
            Self::Never => None,
            Self::For(time) => Some(now + time),
        }
    }
}

/// Whether there is a fault of this type.
pub(crate) fn is_known(kind: &str) -> bool {
    Wire::named(kind).is_some()
}

/// A fault of this type with these attributes over what it had before, or over its defaults.
pub(crate) fn wire(
    kind: &str,
    before: Option<&Wire>,
    attributes: &Value,
) -> Result<Wire, ApiError> {
    let mut wire = match before {
        Some(before) => before.clone(),
        None => Wire::named(kind).ok_or_else(ApiError::invalid_type)?,
    };
    let mut fields = Fields::of(go_name(kind), "attributes.");
    let mut refused = None;
    let structure = format!("toxics.{}", go_name(kind));
    for (key, value) in Fields::members(attributes, &structure).map_err(ApiError::bad_body)? {
        let Some(attribute) = wire.attributes().iter().find(|a| names(key, a.name)) else {
            continue;
        };
        let value = match attribute.kind {
            Kind::Word(_) => {
                let mut word = String::new();
                fields.string(attribute.name, value, &mut word);
                (!word.is_empty()).then_some(assize_fault::Value::Word(word))
            }
            Kind::Int => fields
                .integer(attribute.name, value, go_integer(kind))
                .map(assize_fault::Value::Int),
            Kind::Share => fields
                .float64(attribute.name, value)
                .map(assize_fault::Value::Float),
        };
        if let Some(Err(why)) = value.map(|value| wire.set(attribute.name, value)) {
            refused.get_or_insert(why);
        }
    }
    fields.done().map_err(ApiError::bad_body)?;
    refused.map_or(Ok(wire), |why| Err(ApiError::bad_body(why)))
}

/// What the original's structure for a type is called; it stands in error texts.
pub(crate) fn go_name(kind: &str) -> String {
    if kind == "reset_peer" {
        return "ResetToxic".to_owned();
    }
    let capital = |word: &str| {
        let (first, rest) = word.split_at_checked(1).unwrap_or((word, ""));
        first.to_uppercase() + rest
    };
    kind.split('_').map(capital).collect::<String>() + "Toxic"
}

/// What the original calls the type of a whole number.
fn go_integer(kind: &str) -> &'static str {
    if kind == "slicer" { "int" } else { "int64" }
}

/// Whom a toxic is to touch: an address, a network, or `null` for everybody. None if nothing is
/// said.
pub(crate) fn peer(value: &Value) -> Result<Option<Option<Peer>>, String> {
    match value {
        Value::Null => Ok(Some(None)),
        Value::String(text) => text
            .parse()
            .map(|peer| Some(Some(peer)))
            .map_err(|why: String| format!("peer: {why}")),
        other => Err(format!("peer: an address or null, not a {}", other.kind())),
    }
}

/// How long a toxic is to stay: a duration such as `30s`, a number of seconds, or `never`.
pub(crate) fn lease(value: &Value) -> Result<Lease, String> {
    let wrong =
        || "expires_in: a duration such as `30s`, a number of seconds, or `never`".to_owned();
    let text = match value {
        Value::Null => return Ok(Lease::Unsaid),
        Value::String(text) if text == "never" => return Ok(Lease::Never),
        Value::String(text) => text.clone(),
        Value::Number(seconds) => format!("{seconds}s"),
        _ => return Err(wrong()),
    };
    let time = Nanos::parse(&text).map_err(|_| wrong())?;
    if time <= Nanos(0) || time > LONGEST_LEASE {
        return Err("expires_in: more than nothing and at most a year".to_owned());
    }
    Ok(Lease::For(time))
}

#[cfg(test)]
mod tests {
    use super::super::gojson::scan;
    use super::*;

    fn made(body: &str) -> Result<String, ApiError> {
        let input = ToxicInput::create(body.as_bytes())?;
        Ok(Kept::new(&input, Nanos(0))?.json())
    }

    fn refused(body: &str) -> String {
        made(body).expect_err(body).message
    }

    #[test]
    fn what_is_left_out_or_null_is_the_default() {
        let expected = r#"{"attributes":{"latency":0,"jitter":0},"name":"latency_downstream","type":"latency","stream":"downstream","toxicity":1}"#;
        for body in [
            r#"{"type":"latency"}"#,
            r#"{"type":"latency","attributes":null,"stream":null,"toxicity":null,"name":null}"#,
            r#"{"TYPE":"latency","Attributes":{"LATENCY":null},"more":[1,{}]} and more"#,
        ] {
            assert_eq!(made(body).as_deref(), Ok(expected), "{body}");
        }
    }

    #[test]
    fn what_is_given_comes_back_as_it_was() {
        let body = r#"{"type":"slicer","stream":"UpStream","toxicity":0.1,"attributes":{"Average_Size":10,"delay":5}}"#;
        let expected = r#"{"attributes":{"average_size":10,"size_variation":0,"delay":5},"name":"slicer_UpStream","type":"slicer","stream":"UpStream","toxicity":0.1}"#;
        assert_eq!(made(body).as_deref(), Ok(expected));
        assert!(made(r#"{"type":"timeout","toxicity":0}"#).is_ok_and(|t| t.ends_with(":0}")));
    }

    #[test]
    fn refusals_come_in_the_order_of_the_original() {
        assert_eq!(refused(""), "bad request body: EOF");
        assert_eq!(
            refused(r#"{"stream":"","type":"x"}"#),
            ApiError::invalid_stream().message
        );
        assert_eq!(refused(r#"{"type":"Latency"}"#), "invalid toxic type");
        assert_eq!(
            refused(r#"{"type":"latency","attributes":{"latency":100.5}}"#),
            "bad request body: json: cannot unmarshal number 100.5 into Go struct field \
             LatencyToxic.attributes.latency of type int64"
        );
        assert_eq!(
            refused(r#"{"type":"slicer","attributes":{"delay":"1"}}"#),
            "bad request body: json: cannot unmarshal string into Go struct field \
             SlicerToxic.attributes.delay of type int"
        );
        assert!(refused(r#"{"type":"latency","attributes":7}"#).contains("NoopToxic"));
    }

    #[test]
    fn an_update_keeps_what_it_does_not_mention() {
        let input =
            ToxicInput::create(br#"{"type":"latency","attributes":{"latency":1,"jitter":2}}"#)
                .expect("a toxic");
        let mut kept = Kept::new(&input, Nanos(0)).expect("a toxic");
        let body = br#"{"name":"x","type":"y","stream":"z","attributes":{"latency":9}}"#;
        let update = ToxicUpdate::read(body, &kept.kind, kept.toxicity).expect("an update");
        kept.update(&update, Nanos(0)).expect("it can be set");
        assert!(
            kept.json()
                .contains(r#"{"latency":9,"jitter":2},"name":"latency_downstream""#)
        );
    }

    #[test]
    fn a_share_is_never_more_than_all() {
        let share = |toxicity: &str| {
            let body = format!(r#"{{"type":"latency","toxicity":{toxicity}}}"#);
            let input = ToxicInput::create(body.as_bytes()).expect("a toxic");
            Kept::new(&input, Nanos(0)).expect("a toxic").share()
        };
        assert_eq!(share("-1"), 0.0);
        assert_eq!(share("0.25"), 0.25);
        assert_eq!(share("1e30"), 1.0);
    }

    #[test]
    fn leases_and_peers_are_read_and_refused() {
        let lease = |text: &str| lease(&scan(text.as_bytes()).expect(text));
        assert_eq!(lease(r#""30s""#), Ok(Lease::For(Nanos(30_000_000_000))));
        assert_eq!(lease("5"), Ok(Lease::For(Nanos(5_000_000_000))));
        assert_eq!(lease(r#""never""#), Ok(Lease::Never));
        assert_eq!(lease("null"), Ok(Lease::Unsaid));
        for wrong in ["0", "-1", r#""soon""#, "true", "1e300", r#""1000000h""#] {
            assert!(lease(wrong).is_err(), "{wrong}");
        }
        let body = r#"{"type":"latency","peer":"10.0.0.0/8","expires_in":"1m"}"#;
        let input = ToxicInput::create(body.as_bytes()).expect("a toxic");
        let kept = Kept::new(&input, crate::clock::now()).expect("a toxic");
        assert!(
            kept.own_json()
                .contains(r#","peer":"10.0.0.0/8","expires_in_ms":"#)
        );
        assert!(
            !kept.json().contains("peer"),
            "clients of Toxiproxy see what they know"
        );
        assert!(refused(r#"{"type":"latency","peer":"nobody"}"#).contains("names no clients"));
    }
}
