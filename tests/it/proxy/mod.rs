//! Proxies on loopback, used as a library: bytes arrive whole whatever is done to them on the
//! way, and every control call does at once what it says.

mod control;
mod doors;
mod integrity;
mod limits;
mod net;
