//! Proxies by name: what the API's operations do, in the order and with the refusals of
//! Toxiproxy.
//!
//! No HTTP here. Calls are synchronous and may wait for the system (a name that is resolved, a
//! worker that answers), so they belong on a thread that may block. Two locks, always taken in
//! this order: the list of proxies, then one proxy.

use super::address::{self, Transport};
use super::carrier::{Carrier, Plan};
use super::error::ApiError;
use super::gojson::quote;
use super::input::{ProxyInput, ToxicInput, ToxicUpdate};
use super::journal::Journal;
use super::toxic::Kept;
use crate::chain::MOST_TOXICS;
use crate::clock;
use crate::{Change, ConnectionInfo, Counters, Cut, Direction, Engine, Error, Listening};
use assize_fault::Nanos;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Who asks; part of what the journal says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum By {
    /// A client of the API.
    Api,
    /// The configuration file.
    Config,
    /// A lease that ran out.
    Lease,
}

/// The proxies of a server.
#[derive(Debug)]
pub(crate) struct Registry {
    engine: Engine,
    /// Whether the API listens elsewhere than on loopback, so that proxies may too.
    reachable: bool,
    proxies: Mutex<BTreeMap<String, Arc<Entry>>>,
    pub(crate) journal: Journal,
    /// Told whenever a lease begins or changes.
    pub(crate) leases: Notify,
}

#[derive(Debug)]
struct Entry {
    name: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// As clients see it: what was asked for, or where it listens once it has.
    listen: String,
    upstream: String,
    enabled: bool,
    /// In the order of creation.
    toxics: Vec<Kept>,
    /// Made when it is first enabled.
    proxy: Option<Carrier>,
    /// Taken out of the list while somebody waited for its lock.
    gone: bool,
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

impl Registry {
    /// An empty one, whose proxies run on this engine.
    pub(crate) fn new(engine: Engine, reachable: bool) -> Self {
        Self {
            engine,
            reachable,
            proxies: Mutex::new(BTreeMap::new()),
            journal: Journal::new(),
            leases: Notify::new(),
        }
    }

    /// What the proxies run on.
    pub(crate) const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// All proxies, by name.
    pub(crate) fn list(&self) -> Vec<Snapshot> {
        let entries: Vec<_> = self.proxies().values().cloned().collect();
        let snapshot = |entry: &Arc<Entry>| entry.snapshot(&entry.state());
        entries.iter().map(snapshot).collect()
    }

    /// One proxy.
    pub(crate) fn show(&self, name: &str) -> Result<Snapshot, ApiError> {
        self.with(name, |entry, state| Ok(entry.snapshot(state)))
    }

    /// A new proxy, with the toxics that are there before its first client can be.
    pub(crate) fn create(
        &self,
        input: &ProxyInput,
        toxics: Vec<Kept>,
        by: By,
    ) -> Result<Snapshot, ApiError> {
        let mut proxies = self.proxies();
        if proxies.contains_key(&input.name) {
            return Err(ApiError::proxy_exists());
        }
        self.add(&mut proxies, input, toxics, by)
    }

    /// New proxies, those that exist with the same addresses left as they are; what was done
    /// before an error stays done.
    pub(crate) fn populate(
        &self,
        inputs: &[(ProxyInput, Vec<Kept>)],
        by: By,
    ) -> (Vec<Snapshot>, Result<(), ApiError>) {
        let mut made = Vec::with_capacity(inputs.len());
        let mut proxies = self.proxies();
        for (input, toxics) in inputs {
            match self.put(&mut proxies, input, toxics, by) {
                Ok(snapshot) => made.push(snapshot),
                Err(error) => return (made, Err(error)),
            }
        }
        (made, Ok(()))
    }

    /// Changes what a body mentions: the addresses, and whether it is on.
    pub(crate) fn update(&self, name: &str, body: &[u8]) -> Result<Snapshot, ApiError> {
        self.with(name, |entry, state| {
            let mut input = ProxyInput::new();
            input.listen.clone_from(&state.listen);
            input.upstream.clone_from(&state.upstream);
            input.enabled = state.enabled;
            let input = input.update(body)?;
            self.retarget(entry, state, &input)?;
            self.enable(entry, state, input.enabled)?;
            let snapshot = entry.snapshot(state);
            self.note_proxy("proxy_updated", &snapshot, By::Api);
            Ok(snapshot)
        })
    }

    /// Stops a proxy and forgets it.
    pub(crate) fn delete(&self, name: &str) -> Result<(), ApiError> {
        let entry = self.proxies().remove(name);
        let entry = entry.ok_or_else(ApiError::proxy_not_found)?;
        let mut state = entry.state();
        state.gone = true;
        if let Some(proxy) = state.proxy.take() {
            proxy.stop().map_err(system)?;
        }
        let members = format!(r#""proxy":{}"#, quote(name));
        self.journal.note("proxy_deleted", &members);
        Ok(())
    }

    /// Starts all proxies and removes all toxics; stops at the first that does not start.
    pub(crate) fn reset(&self) -> Result<(), ApiError> {
        let entries: Vec<_> = self.proxies().values().cloned().collect();
        for entry in entries {
            let mut state = entry.state();
            if state.gone {
                continue;
            }
            self.enable(&entry, &mut state, true)?;
            for toxic in std::mem::take(&mut state.toxics) {
                state.detach(&toxic.name)?;
            }
            if let Some(Carrier::Tcp(proxy)) = &state.proxy {
                let opened = proxy.listener(Listening::Open);
                opened.map_err(system)?;
            }
        }
        self.journal.note("reset", r#""by":"api""#);
        Ok(())
    }

    /// Attaches a toxic.
    pub(crate) fn add_toxic(&self, proxy: &str, body: &[u8]) -> Result<Kept, ApiError> {
        self.with(proxy, |entry, state| {
            let input = ToxicInput::create(body)?;
            if state.position(&input.name).is_ok() {
                return Err(ApiError::toxic_exists());
            }
            if state.toxics.len() >= MOST_TOXICS {
                let text = format!("a proxy has at most {MOST_TOXICS} toxics; remove one");
                return Err(ApiError::new(503, text));
            }
            let kept = Kept::new(&input, clock::now())?;
            if let Some(proxy) = &state.proxy {
                proxy.attach(kept.to_toxic()).map_err(system)?;
            }
            state.toxics.push(kept.clone());
            self.note_toxic("toxic_added", &entry.name, &kept, By::Api);
            Ok(kept)
        })
    }

    /// One toxic.
    pub(crate) fn toxic(&self, proxy: &str, name: &str) -> Result<Kept, ApiError> {
        self.with(proxy, |_, state| {
            Ok(state.toxics[state.position(name)?].clone())
        })
    }

    /// Changes what a body mentions of a toxic.
    pub(crate) fn update_toxic(
        &self,
        proxy: &str,
        name: &str,
        body: &[u8],
    ) -> Result<Kept, ApiError> {
        self.with(proxy, |entry, state| {
            let at = state.position(name)?;
            let mut kept = state.toxics[at].clone();
            let update = ToxicUpdate::read(body, &kept.kind, kept.toxicity)?;
            kept.update(&update, clock::now())?;
            if let Some(proxy) = &state.proxy {
                let change = Change {
                    wire: Some(kept.wire.clone()),
                    toxicity: Some(kept.share()),
                    peer: update.peer,
                };
                proxy.change(name, change).map_err(system)?;
            }
            state.toxics[at] = kept.clone();
            self.note_toxic("toxic_updated", &entry.name, &kept, By::Api);
            Ok(kept)
        })
    }

    /// Detaches a toxic.
    pub(crate) fn remove_toxic(&self, proxy: &str, name: &str) -> Result<(), ApiError> {
        self.with(proxy, |entry, state| {
            let at = state.position(name)?;
            let kept = state.toxics.remove(at);
            state.detach(name)?;
            self.note_toxic("toxic_removed", &entry.name, &kept, By::Api);
            Ok(())
        })
    }

    /// Removes the toxics whose lease has run out; says when the next one will.
    pub(crate) fn expire(&self) -> Option<Nanos> {
        let entries: Vec<_> = self.proxies().values().cloned().collect();
        let mut next = None;
        for entry in entries {
            let mut state = entry.state();
            let now = clock::now();
            let is_due = |kept: &Kept| kept.expires.is_some_and(|at| at <= now);
            while let Some(at) = state.toxics.iter().position(is_due) {
                let kept = state.toxics.remove(at);
                // The toxic is no longer listed; a worker that is stuck will still detach it.
                let _ = state.detach(&kept.name);
                self.note_toxic("toxic_removed", &entry.name, &kept, By::Lease);
            }
            let soonest = state.toxics.iter().filter_map(|kept| kept.expires).min();
            next = [next, soonest].into_iter().flatten().min();
        }
        next
    }

    /// The live connections of a proxy.
    pub(crate) fn connections(&self, name: &str) -> Result<Vec<ConnectionInfo>, ApiError> {
        self.with(name, |_, state| match &state.proxy {
            Some(proxy) => proxy.connections().map_err(system),
            None => Ok(Vec::new()),
        })
    }

    /// Ends the live connections of a proxy; says how many there were.
    pub(crate) fn cut(&self, name: &str, how: Cut) -> Result<usize, ApiError> {
        self.with(name, |_, state| {
            let Some(proxy) = &state.proxy else {
                return Ok(0);
            };
            let count = proxy.cut(how).map_err(system)?;
            let how = match how {
                Cut::Close => "close",
                Cut::Reset => "reset",
            };
            let name = quote(name);
            let members = format!(r#""proxy":{name},"how":"{how}","connections":{count}"#);
            self.journal.note("cut", &members);
            Ok(count)
        })
    }

    /// What the listener of a proxy does with new clients.
    pub(crate) fn listener(&self, name: &str, listening: Listening) -> Result<(), ApiError> {
        self.with(name, |_, state| {
            let proxy = match &state.proxy {
                Some(Carrier::Tcp(proxy)) if state.enabled => proxy,
                Some(Carrier::Udp(_)) => {
                    let text = "a UDP proxy has no listener that could refuse";
                    return Err(ApiError::new(409, text));
                }
                _ => {
                    let text = "the proxy is disabled: it has no listener; enable it first";
                    return Err(ApiError::new(409, text));
                }
            };
            let set = proxy.listener(listening);
            set.map_err(system)?;
            let word = super::own::word(listening);
            let name = quote(name);
            let members = format!(r#""proxy":{name},"listener":"{word}""#);
            self.journal.note("listener", &members);
            Ok(())
        })
    }

    /// Stops all proxies.
    pub(crate) fn stop(&self) {
        let entries = std::mem::take(&mut *self.proxies());
        for entry in entries.into_values() {
            let mut state = entry.state();
            state.gone = true;
            // The process or the server is about to end; nobody is left who could be told.
            let _ = state.proxy.take().map(Carrier::stop);
        }
    }

    fn proxies(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Entry>>> {
        // A panic elsewhere leaves the list whole: entries are put in and taken out at once.
        self.proxies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        name: &str,
        body: impl FnOnce(&Entry, &mut State) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let entry = self.proxies().get(name).cloned();
        let entry = entry.ok_or_else(ApiError::proxy_not_found)?;
        let mut state = entry.state();
        if state.gone {
            return Err(ApiError::proxy_not_found());
        }
        body(&entry, &mut state)
    }

    /// One proxy of a list: kept if it is there with the same addresses, replaced otherwise.
    fn put(
        &self,
        proxies: &mut BTreeMap<String, Arc<Entry>>,
        input: &ProxyInput,
        toxics: &[Kept],
        by: By,
    ) -> Result<Snapshot, ApiError> {
        if let Some(entry) = proxies.get(&input.name).cloned() {
            let mut state = entry.state();
            if !state.differs(input)? {
                return Ok(entry.snapshot(&state));
            }
            // Off before its successor starts, and still listed if that fails.
            self.enable(&entry, &mut state, false)?;
        }
        self.add(proxies, input, toxics.to_vec(), by)
    }

    fn add(
        &self,
        proxies: &mut BTreeMap<String, Arc<Entry>>,
        input: &ProxyInput,
        toxics: Vec<Kept>,
        by: By,
    ) -> Result<Snapshot, ApiError> {
        let most = self.engine.options().max_proxies;
        if proxies.len() >= most && !proxies.contains_key(&input.name) {
            let text = format!("there are {most} proxies, and may be no more; delete one");
            return Err(ApiError::new(503, text));
        }
        let entry = Entry {
            name: input.name.clone(),
            state: Mutex::new(State {
                listen: input.listen.clone(),
                upstream: input.upstream.clone(),
                enabled: false,
                toxics,
                proxy: None,
                gone: false,
            }),
        };
        let snapshot = {
            let mut state = entry.state();
            self.enable(&entry, &mut state, input.enabled)?;
            entry.snapshot(&state)
        };
        if let Some(old) = proxies.insert(input.name.clone(), Arc::new(entry)) {
            let mut state = old.state();
            state.gone = true;
            // It was switched off before; what is left of it holds no port.
            let _ = state.proxy.take().map(Carrier::stop);
        }
        if snapshot.toxics.iter().any(|toxic| toxic.expires.is_some()) {
            self.leases.notify_one();
        }
        self.note_proxy("proxy_created", &snapshot, by);
        Ok(snapshot)
    }

    /// Puts new addresses in the place of the old ones, if they are others: connections are
    /// dropped, toxics kept, and the proxy is off until it is enabled.
    fn retarget(
        &self,
        entry: &Entry,
        state: &mut State,
        input: &ProxyInput,
    ) -> Result<(), ApiError> {
        if !state.differs(input)? {
            return Ok(());
        }
        self.enable(entry, state, false)?;
        let moved = Transport::of(&state.listen) != Transport::of(&input.listen);
        state.listen.clone_from(&input.listen);
        state.upstream.clone_from(&input.upstream);
        match &state.proxy {
            // It is made anew when it is enabled.
            _ if moved => state.proxy = None,
            Some(Carrier::Tcp(proxy)) => {
                let resolved = address::resolve(&input.listen).map_err(ApiError::system)?;
                let listen = resolved.to_bind(self.reachable).to_string();
                let pointed = proxy.retarget(Some(&listen), Some(&input.upstream));
                pointed.map_err(system)?;
            }
            Some(Carrier::Udp(_)) | None => {}
        }
        Ok(())
    }

    /// Switches a proxy on or off, if it is not so already.
    fn enable(&self, entry: &Entry, state: &mut State, on: bool) -> Result<(), ApiError> {
        if state.enabled == on {
            return Ok(());
        }
        match &state.proxy {
            Some(Carrier::Tcp(proxy)) => {
                let switched = proxy.enable(on);
                switched.map_err(system)?;
            }
            Some(Carrier::Udp(_)) => state.proxy = None,
            None => state.proxy = Some(self.make(entry, state)?),
        }
        state.enabled = on;
        if let Some(proxy) = state.proxy.as_ref().filter(|_| on) {
            state.listen = proxy.listen();
        }
        Ok(())
    }

    fn make(&self, entry: &Entry, state: &State) -> Result<Carrier, ApiError> {
        let transport = Transport::of(&state.listen);
        let word = transport.word();
        let in_go = |text| ApiError::system(format!("listen {word}: {text}"));
        let resolved = address::resolve(&state.listen).map_err(in_go)?;
        let plan = Plan {
            name: &entry.name,
            transport,
            listen: resolved.to_bind(self.reachable),
            upstream: &state.upstream,
            toxics: state.toxics.iter().map(Kept::to_toxic).collect(),
        };
        Carrier::start(&self.engine, plan).map_err(|error| cannot_listen(transport, error))
    }

    fn note_proxy(&self, op: &str, snapshot: &Snapshot, by: By) {
        let members = format!(
            r#""by":"{}","proxy":{}"#,
            by.word(),
            snapshot.json(Kept::own_json)
        );
        self.journal.note(op, &members);
    }

    fn note_toxic(&self, op: &str, proxy: &str, kept: &Kept, by: By) {
        if kept.expires.is_some() {
            self.leases.notify_one();
        }
        let (by, proxy) = (by.word(), quote(proxy));
        let toxic = kept.own_json();
        let members = format!(r#""by":"{by}","proxy":{proxy},"toxic":{toxic}"#);
        self.journal.note(op, &members);
    }
}

impl By {
    const fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Config => "config",
            Self::Lease => "lease",
        }
    }
}

impl Entry {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self, state: &State) -> Snapshot {
        let of = |direction| {
            let all = state.toxics.iter();
            all.filter(move |toxic| toxic.direction == direction)
                .cloned()
        };
        Snapshot {
            name: self.name.clone(),
            listen: state.listen.clone(),
            upstream: state.upstream.clone(),
            enabled: state.enabled,
            toxics: of(Direction::Upstream)
                .chain(of(Direction::Downstream))
                .collect(),
            counters: state
                .proxy
                .as_ref()
                .map(Carrier::counters)
                .unwrap_or_default(),
            listening: state
                .proxy
                .as_ref()
                .map_or(Listening::Open, Carrier::listening),
        }
    }
}

impl State {
    fn position(&self, name: &str) -> Result<usize, ApiError> {
        let found = self.toxics.iter().position(|toxic| toxic.name == name);
        found.ok_or_else(ApiError::toxic_not_found)
    }

    fn detach(&self, name: &str) -> Result<(), ApiError> {
        self.proxy
            .as_ref()
            .map_or(Ok(()), |proxy| proxy.detach(name).map_err(system))
    }

    /// Whether the addresses are others. The new one is resolved first, the old one is what it
    /// was resolved to; so port 0 always is another address, as in the original.
    fn differs(&self, input: &ProxyInput) -> Result<bool, ApiError> {
        let resolved = address::resolve(&input.listen).map_err(ApiError::system)?;
        Ok(resolved.text != self.listen || input.upstream != self.upstream)
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
fn system(error: Error) -> ApiError {
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
