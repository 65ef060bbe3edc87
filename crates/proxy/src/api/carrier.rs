//! What moves the bytes of a proxy of the API: TCP on the engine, or UDP.
//!
//! The original has TCP only; a proxy whose address to listen on begins with `udp://` carries
//! datagrams. What differs between the two is hidden here.

use super::address::Transport;
use crate::{
    Builder, Change, ConnectionInfo, Counters, Cut, Engine, Error, Listening, Proxy, Toxic,
    UdpBuilder, UdpProxy,
};
use std::net::SocketAddr;

/// A proxy of one kind or the other.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// It can be switched off and pointed elsewhere.
    Tcp(Proxy),
    /// To be off is not to be.
    Udp(UdpProxy),
}

/// What a proxy is made of.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) name: &'a str,
    pub(crate) transport: Transport,
    pub(crate) listen: SocketAddr,
    pub(crate) upstream: &'a str,
    pub(crate) toxics: Vec<Toxic>,
}

impl Carrier {
    /// Starts one that listens at once.
    pub(crate) fn start(engine: &Engine, plan: Plan<'_>) -> Result<Self, Error> {
        let listen = plan.listen.to_string();
        match plan.transport {
            Transport::Tcp => {
                let builder = Proxy::tcp(listen).name(plan.name).upstream(plan.upstream);
                let toxics = plan.toxics.into_iter();
                let builder = toxics.fold(builder.on(engine), Builder::toxic);
                builder.start().map(Self::Tcp)
            }
            Transport::Udp => {
                let upstream = plan.upstream;
                let upstream = upstream.strip_prefix(Transport::UDP).unwrap_or(upstream);
                let builder = Proxy::udp(listen).name(plan.name).upstream(upstream);
                let builder = builder.seed(engine.options().seed);
                let builder = plan.toxics.into_iter().fold(builder, UdpBuilder::toxic);
                builder.start().map(Self::Udp)
            }
        }
    }

    /// Where it listens, as clients of the API see it.
    pub(crate) fn listen(&self) -> String {
        match self {
            Self::Tcp(proxy) => proxy.addr().to_string(),
            Self::Udp(proxy) => format!("{}{}", Transport::UDP, proxy.addr()),
        }
    }

    pub(crate) fn attach(&self, toxic: Toxic) -> Result<(), Error> {
        match self {
            Self::Tcp(proxy) => proxy.attach(toxic),
            Self::Udp(proxy) => proxy.attach(toxic),
        }
    }

    pub(crate) fn change(&self, name: &str, change: Change) -> Result<(), Error> {
        match self {
            Self::Tcp(proxy) => proxy.change(name, change),
            Self::Udp(proxy) => proxy.change(name, change),
        }
    }

    pub(crate) fn detach(&self, name: &str) -> Result<(), Error> {
        match self {
            Self::Tcp(proxy) => proxy.detach(name),
            Self::Udp(proxy) => proxy.detach(name),
        }
    }

    /// Ends what is open; there is only one way to end a session of datagrams.
    pub(crate) fn cut(&self, how: Cut) -> Result<usize, Error> {
        match self {
            Self::Tcp(proxy) => proxy.cut(how),
            Self::Udp(proxy) => proxy.cut(),
        }
    }

    pub(crate) fn connections(&self) -> Result<Vec<ConnectionInfo>, Error> {
        match self {
            Self::Tcp(proxy) => proxy.connections(),
            Self::Udp(proxy) => proxy.sessions(),
        }
    }

    /// What it has done; nothing if it does not answer.
    pub(crate) fn counters(&self) -> Counters {
        match self {
            Self::Tcp(proxy) => proxy.counters(),
            Self::Udp(proxy) => proxy.counters().unwrap_or_default(),
        }
    }

    /// What its listener does; datagrams have none that could refuse.
    pub(crate) fn listening(&self) -> Listening {
        match self {
            Self::Tcp(proxy) => proxy.listening(),
            Self::Udp(_) => Listening::Open,
        }
    }

    pub(crate) fn stop(self) -> Result<(), Error> {
        match self {
            Self::Tcp(proxy) => proxy.stop(),
            Self::Udp(proxy) => {
                proxy.stop();
                Ok(())
            }
        }
    }
}
