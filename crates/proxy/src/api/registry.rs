//! Proxies by name: what the API's operations do, in the order and with the refusals of
//! Toxiproxy.
//!
//! No HTTP here. Calls are synchronous and may wait for the system (a name that is resolved, a
//! worker that answers), so they belong on a thread that may block. Two locks, always taken in
//! this order: the list of proxies, then one proxy.

use super::carrier::Carrier;
use super::entry::{Ground, Snapshot, State, system};
use super::error::ApiError;
use super::gojson::quote;
use super::input::{ProxyInput, ToxicInput, ToxicUpdate};
use super::journal::Journal;
use super::toxic::Kept;
use crate::chain::MOST_TOXICS;
use crate::clock;
use crate::{Change, ConnectionInfo, Cut, Engine, Listening};
use assize_fault::Nanos;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// When a lease that could not be ended is tried again.
const AGAIN: Nanos = Nanos::secs(1);

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

/// A proxy under its lock.
type Entry = Arc<Mutex<State>>;

/// The proxies of a server.
#[derive(Debug)]
pub(crate) struct Registry {
    ground: Ground,
    proxies: Mutex<BTreeMap<String, Entry>>,
    pub(crate) journal: Journal,
    /// Told whenever a lease begins or changes.
    pub(crate) leases: Notify,
}

impl Registry {
    /// An empty one, whose proxies run on this engine.
    pub(crate) fn new(engine: Engine, reachable: bool) -> Self {
        Self {
            ground: Ground { engine, reachable },
            proxies: Mutex::new(BTreeMap::new()),
            journal: Journal::new(),
            leases: Notify::new(),
        }
    }

    /// What the proxies run on.
    pub(crate) const fn engine(&self) -> &Engine {
        &self.ground.engine
    }

    /// All proxies, by name.
    pub(crate) fn list(&self) -> Vec<Snapshot> {
        let entries: Vec<_> = self.proxies().values().cloned().collect();
        entries.iter().map(|entry| lock(entry).snapshot()).collect()
    }

    /// One proxy.
    pub(crate) fn show(&self, name: &str) -> Result<Snapshot, ApiError> {
        self.with(name, |state| Ok(state.snapshot()))
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
        self.with(name, |state| {
            let mut input = ProxyInput::new();
            input.listen.clone_from(&state.listen);
            input.upstream.clone_from(&state.upstream);
            input.enabled = state.enabled;
            let input = input.update(body)?;
            state.retarget(&self.ground, &input)?;
            state.enable(&self.ground, input.enabled)?;
            let snapshot = state.snapshot();
            self.note_proxy("proxy_updated", &snapshot, By::Api);
            Ok(snapshot)
        })
    }

    /// Stops a proxy and forgets it.
    pub(crate) fn delete(&self, name: &str) -> Result<(), ApiError> {
        let entry = self.proxies().remove(name);
        let entry = entry.ok_or_else(ApiError::proxy_not_found)?;
        lock(&entry).stop()?;
        let members = format!(r#""proxy":{}"#, quote(name));
        self.journal.note("proxy_deleted", &members);
        Ok(())
    }

    /// Starts all proxies and removes all toxics; stops at the first that does not start.
    pub(crate) fn reset(&self) -> Result<(), ApiError> {
        let entries: Vec<_> = self.proxies().values().cloned().collect();
        for entry in entries {
            let mut state = lock(&entry);
            if state.gone {
                continue;
            }
            state.enable(&self.ground, true)?;
            while !state.toxics.is_empty() {
                state.remove(0)?;
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
        self.with(proxy, |state| {
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
            self.note_toxic("toxic_added", &state.name, &kept, By::Api);
            Ok(kept)
        })
    }

    /// One toxic.
    pub(crate) fn toxic(&self, proxy: &str, name: &str) -> Result<Kept, ApiError> {
        self.with(proxy, |state| {
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
        self.with(proxy, |state| {
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
            self.note_toxic("toxic_updated", &state.name, &kept, By::Api);
            Ok(kept)
        })
    }

    /// Detaches a toxic.
    pub(crate) fn remove_toxic(&self, proxy: &str, name: &str) -> Result<(), ApiError> {
        self.with(proxy, |state| {
            let at = state.position(name)?;
            let kept = state.remove(at)?;
            self.note_toxic("toxic_removed", &state.name, &kept, By::Api);
            Ok(())
        })
    }

    /// Removes the toxics whose lease has run out; says when the next one will.
    pub(crate) fn expire(&self) -> Option<Nanos> {
        let entries: Vec<_> = self.proxies().values().cloned().collect();
        let mut next = None;
        for entry in entries {
            let mut state = lock(&entry);
            let now = clock::now();
            let is_due = |kept: &Kept| kept.expires.is_some_and(|at| at <= now);
            while let Some(at) = state.toxics.iter().position(is_due) {
                match state.remove(at) {
                    Ok(kept) => self.note_toxic("toxic_removed", &state.name, &kept, By::Lease),
                    // A worker that is stuck: asked again when it may have found its way.
                    Err(_) => state.toxics[at].expires = Some(now + AGAIN),
                }
            }
            let soonest = state.toxics.iter().filter_map(|kept| kept.expires).min();
            next = [next, soonest].into_iter().flatten().min();
        }
        next
    }

    /// The live connections of a proxy.
    pub(crate) fn connections(&self, name: &str) -> Result<Vec<ConnectionInfo>, ApiError> {
        self.with(name, |state| match &state.proxy {
            Some(proxy) => proxy.connections().map_err(system),
            None => Ok(Vec::new()),
        })
    }

    /// Ends the live connections of a proxy; says how many there were.
    pub(crate) fn cut(&self, name: &str, how: Cut) -> Result<usize, ApiError> {
        self.with(name, |state| {
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
        self.with(name, |state| {
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
            // The process or the server is about to end; nobody is left who could be told.
            let _ = lock(&entry).stop();
        }
    }

    fn proxies(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        // A panic elsewhere leaves the list whole: entries are put in and taken out at once.
        self.proxies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(
        &self,
        name: &str,
        body: impl FnOnce(&mut State) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let entry = self.proxies().get(name).cloned();
        let entry = entry.ok_or_else(ApiError::proxy_not_found)?;
        let mut state = lock(&entry);
        if state.gone {
            return Err(ApiError::proxy_not_found());
        }
        body(&mut state)
    }

    /// One proxy of a list: kept if it is there with the same addresses, replaced otherwise.
    fn put(
        &self,
        proxies: &mut BTreeMap<String, Entry>,
        input: &ProxyInput,
        toxics: &[Kept],
        by: By,
    ) -> Result<Snapshot, ApiError> {
        if let Some(entry) = proxies.get(&input.name).cloned() {
            let mut state = lock(&entry);
            if !state.differs(input)? {
                return Ok(state.snapshot());
            }
            // Off before its successor starts, and still listed if that fails.
            state.enable(&self.ground, false)?;
        }
        self.add(proxies, input, toxics.to_vec(), by)
    }

    fn add(
        &self,
        proxies: &mut BTreeMap<String, Entry>,
        input: &ProxyInput,
        toxics: Vec<Kept>,
        by: By,
    ) -> Result<Snapshot, ApiError> {
        let most = self.ground.engine.options().max_proxies;
        if proxies.len() >= most && !proxies.contains_key(&input.name) {
            let text = format!("there are {most} proxies, and may be no more; delete one");
            return Err(ApiError::new(503, text));
        }
        let mut state = State::new(input, toxics);
        state.enable(&self.ground, input.enabled)?;
        let snapshot = state.snapshot();
        let entry = Arc::new(Mutex::new(state));
        if let Some(old) = proxies.insert(input.name.clone(), entry) {
            // It was switched off before; what is left of it holds no port.
            let _ = lock(&old).stop();
        }
        if snapshot.toxics.iter().any(|toxic| toxic.expires.is_some()) {
            self.leases.notify_one();
        }
        self.note_proxy("proxy_created", &snapshot, by);
        Ok(snapshot)
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

fn lock(entry: &Entry) -> MutexGuard<'_, State> {
    entry.lock().unwrap_or_else(PoisonError::into_inner)
}
