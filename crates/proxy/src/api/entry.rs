//! One proxy of the API: what it is, and how it is switched, pointed elsewhere and shown.
//!
//! Which names there are, and who may do what to them, is for the registry.

use super::address::{self, Transport};
use super::carrier::{Carrier, Plan};
use super::error::ApiError;
use super::gojson::quote;
use super::input::ProxyInput;
use super::toxic::Kept;
use crate::{Counters, Direction, Engine, Error, Listening};

/// What all proxies of a server stand on.
#[derive(Debug)]
pub(crate) struct Ground {
    /// What TCP proxies run on.
    pub(crate) engine: Engine,
    /// Whether the API listens elsewhere than on loopback, so that proxies may too.
    pub(crate) reachable: bool,
}

/// A proxy.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: String,
    /// As clients see it: what was asked for, or where it listens once it has.
    pub(crate) listen: String,
    pub(crate) upstream: String,
    pub(crate) enabled: bool,
    /// In the order of creation.
    pub(crate) toxics: Vec<Kept>,
    /// Made when it is first enabled.
    pub(crate) proxy: Option<Carrier>,
    /// Taken out of the list while somebody waited for its lock.
    pub(crate) gone: bool,
}

/// What a proxy is, at one instant.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    pub(crate) name: String,
    pub(crate) listen: String,
    pub(crate) upstream: String,
    pub(crate) enabled: bool,
    /// Upstream first, then downstream, each in the order in which bytes meet them.
    pub(crate) toxics: Vec<Kept>,
    pub(crate) counters: Counters,
    pub(crate) listening: Listening,
}

impl State {
    /// One that is off.
    pub(crate) fn new(input: &ProxyInput, toxics: Vec<Kept>) -> Self {
        Self {
            name: input.name.clone(),
            listen: input.listen.clone(),
            upstream: input.upstream.clone(),
            enabled: false,
            toxics,
            proxy: None,
            gone: false,
        }
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let of = |direction| {
            let all = self.toxics.iter();
            all.filter(move |toxic| toxic.direction == direction)
        };
        let toxics = of(Direction::Upstream).chain(of(Direction::Downstream));
        let proxy = self.proxy.as_ref();
        Snapshot {
            name: self.name.clone(),
            listen: self.listen.clone(),
            upstream: self.upstream.clone(),
            enabled: self.enabled,
            toxics: toxics.cloned().collect(),
            counters: proxy.map(Carrier::counters).unwrap_or_default(),
            listening: proxy.map_or(Listening::Open, Carrier::listening),
        }
    }

    /// The place of a toxic in the list.
    pub(crate) fn position(&self, name: &str) -> Result<usize, ApiError> {
        let found = self.toxics.iter().position(|toxic| toxic.name == name);
        found.ok_or_else(ApiError::toxic_not_found)
    }

    /// Takes the toxic at a place out of what moves the bytes, then out of the list; it is still
    /// listed if that fails.
    pub(crate) fn remove(&mut self, at: usize) -> Result<Kept, ApiError> {
        if let Some(proxy) = &self.proxy {
            match proxy.detach(&self.toxics[at].name) {
                // An earlier call may have done it later than it could wait.
                Ok(()) | Err(Error::NoSuchToxic(_)) => {}
                Err(error) => return Err(system(error)),
            }
        }
        Ok(self.toxics.remove(at))
    }

    /// Whether the addresses are others. The new one is resolved first, the old one is what it
    /// was resolved to; so port 0 always is another address, as in the original.
    pub(crate) fn differs(&self, input: &ProxyInput) -> Result<bool, ApiError> {
        let resolved = address::resolve(&input.listen).map_err(ApiError::system)?;
        Ok(resolved.text != self.listen || input.upstream != self.upstream)
    }

    /// Puts new addresses in the place of the old ones, if they are others: connections are
    /// dropped, toxics kept, and the proxy is off until it is enabled.
    pub(crate) fn retarget(&mut self, ground: &Ground, input: &ProxyInput) -> Result<(), ApiError> {
        if !self.differs(input)? {
            return Ok(());
        }
        self.enable(ground, false)?;
        let moved = Transport::of(&self.listen) != Transport::of(&input.listen);
        self.listen.clone_from(&input.listen);
        self.upstream.clone_from(&input.upstream);
        match &self.proxy {
            // It is made anew when it is enabled.
            _ if moved => self.proxy = None,
            Some(Carrier::Tcp(proxy)) => {
                let resolved = address::resolve(&input.listen).map_err(ApiError::system)?;
                let listen = resolved.to_bind(ground.reachable).to_string();
                let pointed = proxy.retarget(Some(&listen), Some(&input.upstream));
                pointed.map_err(system)?;
            }
            Some(Carrier::Udp(_)) | None => {}
        }
        Ok(())
    }

    /// Switches a proxy on or off, if it is not so already.
    pub(crate) fn enable(&mut self, ground: &Ground, on: bool) -> Result<(), ApiError> {
        if self.enabled == on {
            return Ok(());
        }
        match &self.proxy {
            Some(Carrier::Tcp(proxy)) => {
                let switched = proxy.enable(on);
                switched.map_err(system)?;
            }
            Some(Carrier::Udp(_)) => self.proxy = None,
            None => self.proxy = Some(self.make(ground)?),
        }
        self.enabled = on;
        if let Some(proxy) = self.proxy.as_ref().filter(|_| on) {
            self.listen = proxy.listen();
        }
        Ok(())
    }

    fn make(&self, ground: &Ground) -> Result<Carrier, ApiError> {
        let transport = Transport::of(&self.listen);
        let word = transport.word();
        let in_go = |text| ApiError::system(format!("listen {word}: {text}"));
        let resolved = address::resolve(&self.listen).map_err(in_go)?;
        let plan = Plan {
            name: &self.name,
            transport,
            listen: resolved.to_bind(ground.reachable),
            upstream: &self.upstream,
            toxics: self.toxics.iter().map(Kept::to_toxic).collect(),
        };
        Carrier::start(&ground.engine, plan).map_err(|error| cannot_listen(transport, error))
    }

    /// Ends it for good.
    pub(crate) fn stop(&mut self) -> Result<(), ApiError> {
        self.gone = true;
        self.proxy
            .take()
            .map_or(Ok(()), Carrier::stop)
            .map_err(system)
    }
}

impl Snapshot {
    /// As JSON, with toxics as the caller wants them.
    pub(crate) fn json(&self, toxic: impl Fn(&Kept) -> String) -> String {
        let toxics: Vec<_> = self.toxics.iter().map(toxic).collect();
        format!(
            r#"{{"name":{},"listen":{},"upstream":{},"enabled":{},"toxics":[{}]}}"#,
            quote(&self.name),
            quote(&self.listen),
            quote(&self.upstream),
            self.enabled,
            toxics.join(",")
        )
    }
}

/// An error of the engine, on anything but a first start.
pub(crate) fn system(error: Error) -> ApiError {
    cannot_listen(Transport::Tcp, error)
}

/// An error of the engine in the words in which Go reports the like.
fn cannot_listen(transport: Transport, error: Error) -> ApiError {
    match error {
        Error::Listen { address, source } => match address.parse() {
            Ok(address) => ApiError::system(address::listen_error(transport, address, &source)),
            Err(_) => {
                let word = transport.word();
                ApiError::system(format!("listen {word} {address}: {source}"))
            }
        },
        Error::TooManyProxies(_) | Error::TooManyToxics(_) => ApiError::new(503, error.to_string()),
        other => ApiError::system(other.to_string()),
    }
}
