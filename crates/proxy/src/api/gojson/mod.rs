//! JSON as Go's `encoding/json` reads and writes it.
//!
//! Clients of Toxiproxy rely on its laxity (keys in any case, `null` for "leave it as it is",
//! whatever follows the first value ignored) and print its error texts; a strict parser would
//! refuse what they have always sent. [`scan`] finds values, [`read`] puts them into fields,
//! [`write`](mod@write) makes text. It knows nothing of proxies.

pub(crate) mod read;
pub(crate) mod scan;
pub(crate) mod write;

pub(crate) use read::Fields;
pub(crate) use scan::{Value, scan};
pub(crate) use write::{number, quote};
