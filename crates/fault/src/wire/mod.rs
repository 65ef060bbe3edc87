//! Faults on the wire: one file each, and one line each in the registry below.
//!
//! A fault's file holds its manual (the text at its top), its settings and its machine. A machine
//! decides about one item at a time, when and how it leaves; the order of a stream, the bound on
//! what is held and the rest of the chain are the [`Pipe`](crate::Pipe)'s.

use crate::chance::Dice;
use crate::pipe::{Begun, Item};
use crate::settings::{Attribute, Kind, Refused, Settings, Value};
use crate::time::Nanos;
use core::fmt;

pub mod bandwidth;
pub mod corrupt;
pub mod duplicate;
pub mod latency;
pub mod limit_data;
pub mod packet_loss;
pub mod reorder;
pub mod reset_peer;
pub mod slicer;
pub mod slow_close;
pub mod timeout;

macro_rules! registry {
    ($($module:ident $kind:ident;)*) => {
        /// A wire fault with its settings.
        #[derive(Clone, PartialEq, Debug)]
        pub enum Wire {
            $(
                #[doc = concat!("See `assize faults ", stringify!($module), "`.")]
                $kind($module::$kind),
            )*
        }

        impl Wire {
            /// Every kind of wire fault, in alphabetical order.
            pub const KINDS: &'static [&'static str] = &[$(stringify!($module)),*];

            /// The fault of this kind with default settings; kinds are lower case, as in the API.
            #[must_use]
            pub fn named(kind: &str) -> Option<Self> {
                match kind {
                    $(stringify!($module) => Some(Self::$kind($module::$kind::default())),)*
                    _ => None,
                }
            }

            /// Its kind, such as `latency`.
            #[must_use]
            pub const fn kind(&self) -> &'static str {
                match self { $(Self::$kind(_) => stringify!($module),)* }
            }

            /// What can be set, in the order in which the original prints it.
            #[must_use]
            pub const fn attributes(&self) -> &'static [Attribute] {
                match self { $(Self::$kind(_) => <$module::$kind as Settings>::ATTRIBUTES,)* }
            }

            fn get(&self, index: usize) -> Value {
                match self { $(Self::$kind(settings) => settings.get(index),)* }
            }

            fn put(&mut self, index: usize, value: Value) -> Result<(), String> {
                match self { $(Self::$kind(settings) => settings.put(index, value),)* }
            }

            /// The machine that carries the fault out on one pipe from `now` on.
            pub(crate) fn machine(&self, now: Nanos, begun: Begun) -> Box<dyn Machine> {
                match self { $(Self::$kind(settings) => settings.machine(now, begun),)* }
            }
        }

        /// The manual of a kind, as Markdown.
        #[must_use]
        pub fn manual(kind: &str) -> Option<String> {
            let source = match kind {
                $(stringify!($module) => include_str!(concat!(stringify!($module), ".rs")),)*
                _ => return None,
            };
            let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
            let text: Vec<&str> = lines.map(|l| l.strip_prefix(' ').unwrap_or(l)).collect();
            Some(text.join("\n"))
        }
    };
}
registry! {
    bandwidth Bandwidth;
    corrupt Corrupt;
    duplicate Duplicate;
    latency Latency;
    limit_data LimitData;
    packet_loss PacketLoss;
    reorder Reorder;
    reset_peer ResetPeer;
    slicer Slicer;
    slow_close SlowClose;
    timeout Timeout;
}

impl Wire {
    /// Sets one attribute; `name` is exact, see [`Wire::attributes`].
    ///
    /// # Errors
    /// There is no such attribute, or it does not take this value; nothing has changed then.
    pub fn set(&mut self, name: &str, value: Value) -> Result<(), Refused> {
        let attributes = self.attributes();
        let Some(index) = attributes.iter().position(|a| a.name == name) else {
            let name = name.to_owned();
            return Err(Refused::Unknown { name });
        };
        let name = attributes[index].name;
        self.put(index, value)
            .map_err(|takes| Refused::Wrong { name, takes })
    }

    /// What is set, as the API prints it: every attribute of the original, and of our own those
    /// that differ from their default.
    #[must_use]
    pub fn values(&self) -> Vec<(&'static str, Value)> {
        let default = Self::named(self.kind());
        let list = self.attributes().iter().enumerate();
        list.map(|(index, attribute)| (index, attribute, self.get(index)))
            .filter(|(index, attribute, value)| {
                !attribute.beyond || default.as_ref().is_none_or(|d| d.get(*index) != *value)
            })
            .map(|(_, attribute, value)| (attribute.name, value))
            .collect()
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(n) => s.serialize_i64(*n),
            // The original prints a whole number without a fraction.
            Self::Float(x) if *x == 0.0 => s.serialize_i64(0),
            Self::Float(x) if *x == 1.0 => s.serialize_i64(1),
            Self::Float(x) => s.serialize_f64(*x),
            Self::Word(word) => s.serialize_str(word),
        }
    }
}

/// The attributes as one object.
impl serde::Serialize for Wire {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_map(self.values())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int => f.write_str("whole number"),
            Self::Share => f.write_str("number from 0 to 1"),
            Self::Word(words) => f.write_str(&words.join("|")),
        }
    }
}

/// The item that a machine decides about.
pub(crate) struct Head<'a> {
    /// When it came to this fault.
    pub arrived: Nanos,
    /// It cannot leave before: it has arrived, what was before it in a stream has left, and the
    /// settings are those of now.
    pub earliest: Nanos,
    /// What it is. A machine may alter its bytes, not its length.
    pub item: &'a mut Item,
    /// Bytes that wait here, those of the item included; counted up to [`Machine::looks_ahead`].
    pub waiting: usize,
    /// Whether the item must stay whole, being a datagram.
    pub whole: bool,
}

impl Head<'_> {
    /// The bytes of the item; none if it is not data.
    pub(crate) fn len(&self) -> usize {
        self.item.len()
    }

    /// It leaves as soon as it can.
    pub(crate) fn pass(&self) -> Fate {
        Fate::Leave {
            at: self.earliest,
            len: usize::MAX,
        }
    }

    /// It leaves so long after it arrived.
    pub(crate) fn after(&self, delay: Nanos) -> Fate {
        let at = later(self.arrived, delay).max(self.earliest);
        Fate::Leave {
            at,
            len: usize::MAX,
        }
    }
}

/// What becomes of an item.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fate {
    /// Its first `len` bytes leave, or all of it if it has no more; at least one leaves.
    Leave { at: Nanos, len: usize },
    /// It leaves twice.
    Twice { at: Nanos },
    /// It is gone.
    Drop { at: Nanos },
    /// Its first `len` bytes leave, then both directions are closed.
    Shut { at: Nanos, len: usize },
    /// It stays until the settings change or the fault ends.
    Stay,
}

impl Fate {
    pub(crate) const fn at(self) -> Option<Nanos> {
        match self {
            Self::Leave { at, .. }
            | Self::Twice { at }
            | Self::Drop { at }
            | Self::Shut { at, .. } => Some(at),
            Self::Stay => None,
        }
    }
}

/// One fault on one pipe.
pub(crate) trait Machine: Send + Sync + fmt::Debug {
    /// Takes new settings; `false` if they are of another kind.
    fn change(&mut self, now: Nanos, wire: &Wire) -> bool;

    /// Decides about the item at the head. Called again for the same item only after a change.
    fn decide(&mut self, head: Head<'_>, dice: &mut Dice) -> Fate;

    /// An item has come; it is decided about later.
    fn arrived(&mut self, _at: Nanos) {}

    /// So many bytes have left as decided.
    fn left(&mut self, _at: Nanos, _len: usize) {}

    /// When the fault acts of its own accord.
    fn timer(&self) -> Option<Nanos> {
        None
    }

    /// What the fault does then.
    fn fire(&mut self) -> Item {
        Item::Close
    }

    /// What the fault leaves behind when it ends, instead of what it held.
    fn ends_with(&self) -> Option<Item> {
        None
    }

    /// Whether datagrams leave in the order in which they came. Streams always do.
    fn keeps_order(&self) -> bool {
        true
    }

    /// How many waiting bytes matter to it.
    fn looks_ahead(&self) -> usize {
        0
    }

    /// How many bytes may wait here and on their way here before the source is held back, when
    /// the way takes `span`.
    fn limit(&self, _span: Nanos) -> usize {
        usize::MAX
    }

    /// How long what comes at a steady rate is under way here.
    fn span(&self) -> Nanos {
        Nanos::ZERO
    }
}

/// `at` and so much later, without overflow.
pub(crate) fn later(at: Nanos, delay: Nanos) -> Nanos {
    Nanos(at.0.saturating_add(delay.0).min(Nanos::NEVER.0))
}

/// So many milliseconds; what is longer than a hundred years counts as a hundred years.
pub(crate) fn millis(ms: i64) -> Nanos {
    Nanos(ms.saturating_mul(1_000_000).clamp(0, Nanos::LONGEST.0))
}

/// So many microseconds; bounded like milliseconds.
pub(crate) fn micros(us: i64) -> Nanos {
    Nanos(us.saturating_mul(1_000).clamp(0, Nanos::LONGEST.0))
}

/// Bytes of data in one packet of a stream: Ethernet's 1,500 less the headers of IPv4 and TCP.
pub(crate) const PACKET: usize = 1_460;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_whole_manual() {
        assert!(Wire::KINDS.is_sorted());
        for kind in Wire::KINDS {
            let manual = manual(kind).unwrap_or_default();
            let wire = Wire::named(kind).expect("a kind of the list");
            assert!(manual.contains("Attributes:"), "{kind}");
            for attribute in wire.attributes() {
                let name = format!("`{}`", attribute.name);
                assert!(manual.contains(&name), "{kind} lacks {name}");
            }
        }
        assert!(Wire::named("down").is_none() && manual("down").is_none());
    }

    #[test]
    fn attributes_are_printed_as_the_original_prints_them() {
        let mut latency = Wire::named("latency").expect("a kind");
        let plain = |wire: &Wire| format!("{:?}", wire.values());
        let zeros = r#"[("latency", Int(0)), ("jitter", Int(0))]"#;
        assert_eq!(plain(&latency), zeros);
        latency
            .set("distribution", Value::Word("normal".into()))
            .expect("a word of the list");
        assert!(plain(&latency).ends_with(r#"("distribution", Word("normal"))]"#));
    }

    #[test]
    fn hostile_values_are_refused_in_words() {
        let refused = |kind: &str, name: &str, value: Value| {
            let mut wire = Wire::named(kind).expect("a kind");
            let before = wire.clone();
            let why = wire.set(name, value).expect_err("refused").to_string();
            assert_eq!(wire, before);
            why
        };
        assert_eq!(
            refused("bandwidth", "rate", Value::Int(-1)),
            "`rate` must be a whole number, 0 or more"
        );
        for x in [f64::NAN, f64::INFINITY, -0.1, 1.1] {
            assert_eq!(
                refused("packet_loss", "loss_rate", Value::Float(x)),
                "`loss_rate` must be a number from 0 to 1"
            );
        }
        assert_eq!(
            refused("latency", "distribution", Value::Word("round".into())),
            "`distribution` must be one of `uniform` `normal` `pareto`"
        );
        assert_eq!(
            refused("latency", "late", Value::Int(1)),
            "there is no attribute `late`"
        );
    }
}
