//! Proxies that stand between a client and a server, and through which faults are injected.
//!
//! A [`Proxy`] listens, connects to its upstream for each client, and moves bytes both ways: at
//! full speed while no fault is attached, through the [`Pipe`](assize_fault::Pipe) of
//! `assize-fault` while one is. The proxies of one [`Engine`] share its threads.
//!
//! This crate decides nothing about faults: what leaves, and when, is said by `assize-fault`.

pub mod api;
mod chain;
pub mod client;
mod clock;
mod core;
mod engine;
mod error;
mod event;
mod files;
mod http;
mod inbox;
mod info;
mod listener;
mod poll;
mod proxy;
mod resolve;
mod socket;
mod toxic;
mod udp;
mod worker;

pub use assize_fault::Direction;
pub use engine::{Engine, EngineOptions, Limits};
pub use error::Error;
pub use event::{Event, Events, What};
pub use http::{Act, HttpBuilder, HttpCounters, HttpFault, HttpProxy, Match};
pub use info::{ConnectionInfo, Counters, Traffic};
pub use proxy::{Builder, Cut, Listening, Proxy};
pub use toxic::{Change, Peer, Toxic};
pub use udp::{UdpBuilder, UdpProxy};
