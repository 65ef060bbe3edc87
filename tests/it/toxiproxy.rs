//! The drop-in for Toxiproxy, asked over HTTP on real sockets: what is specified of the original,
//! row by row, and what goes beyond it.

mod behaviour;
mod beyond;
mod hostile;
mod lax;
mod process;
mod proxies;
mod refusals;
mod server;
mod surface;
mod toxics;
