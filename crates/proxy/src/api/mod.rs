//! Toxiproxy's HTTP API, answered as Toxiproxy answers it, and routes of our own beside it.
//!
//! [`Server::start`] is all there is to call. From the outside in: `server` (connections and
//! limits), `guard` (who may ask), `routes` and `own` (what is asked), `registry` (what is done),
//! `input`, `toxic` and `gojson` (what bodies say). What a proxy does with bytes is elsewhere in
//! this crate.

mod address;
mod carrier;
mod entry;
mod error;
mod gojson;
mod guard;
mod input;
mod journal;
mod metrics;
mod own;
mod patient;
mod registry;
mod reply;
mod request_id;
mod routes;
mod server;
mod toxic;

pub use error::ApiError;
pub use server::Server;

use crate::EngineOptions;

/// The version of Toxiproxy whose API this is. Clients use `PATCH` from 2.6.0 on.
pub const VERSION: &str = "2.12.0";

/// How a server is to be.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the API listens. Anything but loopback is consent to be reached from elsewhere.
    pub host: String,
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// What random draws follow from.
    pub seed: u64,
    /// Whether `/metrics` has the bytes of proxies.
    pub proxy_metrics: bool,
    /// Whether `/metrics` has figures of the process.
    pub runtime_metrics: bool,
    /// What requests to routes of our own must know. Without one they are refused unless the
    /// server is on loopback.
    pub token: Option<String>,
    /// The engine of the proxies; its seed is the one above.
    pub engine: EngineOptions,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: "localhost".to_owned(),
            port: 8474,
            seed: 0,
            proxy_metrics: false,
            runtime_metrics: false,
            token: None,
            engine: EngineOptions::default(),
        }
    }
}
