//! The threads that move bytes, and the limits that all their proxies share.

use crate::core::Core;
use crate::files::{self, Budget};
use crate::inbox::{Answer, Answers, Inbox, Message, Operation, lock};
use crate::poll::Poller;
use crate::worker::Worker;
use crate::{Error, Event, Events, What, clock};
use assize_fault::{Nanos, Size};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Events that a subscriber may leave unread before it loses some.
const UNREAD: usize = 8_192;

/// How an engine is to be.
#[derive(Clone, PartialEq, Debug)]
pub struct EngineOptions {
    /// Threads; 0 for one per core.
    pub workers: usize,
    /// What random draws follow from.
    pub seed: u64,
    /// Connections at once over all proxies; more are reset as they come.
    pub max_connections: usize,
    /// Proxies at once.
    pub max_proxies: usize,
    /// Bytes that all pipes together may hold back; at this, sources wait.
    pub max_held: Size,
    /// Whether a worker that waits for little looks again for up to 50 µs before it sleeps: half
    /// the latency of a small exchange for half as much processor time again. Never on one core.
    pub spin: bool,
    /// Whether to use the poller meant for systems other than Linux.
    pub portable: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            workers: 0,
            seed: 0,
            max_connections: 100_000,
            max_proxies: 10_000,
            max_held: Size(1 << 30),
            spin: false,
            portable: false,
        }
    }
}

/// What the system lets the engine have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Files that the process may have open, after the soft limit was raised.
    pub files: u64,
    /// Connections at once, the smaller of what was asked for and what the files allow.
    pub connections: usize,
    /// Whether the hard limit of files is what binds, so that only an administrator can raise it.
    pub hard_limit_binds: bool,
}

/// Threads that carry any number of proxies. Clones are handles of the same engine, which ends
/// with its last handle and its last proxy.
#[derive(Clone, Debug)]
pub struct Engine {
    shared: Arc<Shared>,
    options: Arc<EngineOptions>,
    limits: Limits,
    /// Last, so that the threads end when nothing of the engine is left.
    _threads: Arc<Threads>,
}

/// What workers and handles share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) seed: u64,
    pub(crate) spins: bool,
    pub(crate) max_held: usize,
    /// Bytes that pipes hold back.
    pub(crate) held: AtomicUsize,
    pub(crate) files: Budget,
    /// Connections of each worker.
    pub(crate) loads: Vec<AtomicUsize>,
    pub(crate) inboxes: OnceLock<Vec<Arc<Inbox>>>,
    /// Whether some worker spins.
    pub(crate) spinner: AtomicBool,
    max_connections: usize,
    max_proxies: usize,
    slots: Mutex<Slots>,
    begun: Nanos,
    watched: AtomicBool,
    watchers: Mutex<Vec<SyncSender<Event>>>,
}

/// Which slots of proxies are taken: those below `used` that are not `free`.
#[derive(Default, Debug)]
struct Slots {
    used: usize,
    free: Vec<usize>,
}

#[derive(Debug)]
struct Threads {
    shared: Arc<Shared>,
    handles: Mutex<Vec<JoinHandle<()>>>,
}

impl Engine {
    /// Starts the threads.
    ///
    /// # Errors
    /// [`Error::System`] when a thread or its poller cannot be made.
    pub fn new(options: EngineOptions) -> Result<Self, Error> {
        let cores = thread::available_parallelism().map_or(1, Into::into);
        let workers = match options.workers {
            0 => cores,
            n => n,
        };
        let (limits, files) = files::raise(options.max_connections, options.max_proxies);
        let shared = Arc::new(Shared {
            seed: options.seed,
            spins: options.spin && cores > 1,
            max_held: usize::try_from(options.max_held.0).unwrap_or(usize::MAX),
            held: AtomicUsize::new(0),
            files,
            loads: (0..workers).map(|_| AtomicUsize::new(0)).collect(),
            inboxes: OnceLock::new(),
            spinner: AtomicBool::new(false),
            max_connections: limits.connections,
            max_proxies: options.max_proxies.min(crate::worker::MOST_PROXIES),
            slots: Mutex::default(),
            begun: clock::now(),
            watched: AtomicBool::new(false),
            watchers: Mutex::default(),
        });
        let threads = Threads::start(&shared, workers, options.portable)?;
        Ok(Self {
            shared,
            options: Arc::new(options),
            limits,
            _threads: Arc::new(threads),
        })
    }

    /// What the system lets it have.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// As it was asked to be.
    #[must_use]
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Bytes that the faults of all its proxies hold back now.
    #[must_use]
    pub fn held(&self) -> Size {
        Size(self.shared.held.load(Relaxed) as u64)
    }

    /// Subscribes to events from now on. A subscriber that does not read loses the newest ones
    /// beyond some thousands; none makes the engine wait.
    #[must_use]
    pub fn events(&self) -> Events {
        let (sender, receiver) = sync_channel(UNREAD);
        lock(&self.shared.watchers).push(sender);
        self.shared.watched.store(true, Relaxed);
        Events { receiver }
    }

    pub(crate) const fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }
}

impl Shared {
    /// Has every worker carry out an operation on a proxy, and waits until all have.
    pub(crate) fn order(&self, core: &Arc<Core>, operation: &Operation) -> Result<Answer, Error> {
        let inboxes = self.inboxes.get().map_or(&[][..], Vec::as_slice);
        let answers = Answers::from(inboxes.len());
        for inbox in inboxes {
            let operation = operation.clone();
            inbox.send(Message::Do(
                Arc::clone(core),
                operation,
                Arc::clone(&answers),
            ));
        }
        answers.wait()
    }

    /// How many connections a worker has.
    pub(crate) fn load(&self, worker: usize) -> &AtomicUsize {
        static NOBODY: AtomicUsize = AtomicUsize::new(0);
        self.loads.get(worker).unwrap_or(&NOBODY)
    }

    /// Whether it has as many connections as it may.
    pub(crate) fn is_full(&self) -> bool {
        let loads = self.loads.iter().map(|load| load.load(Relaxed));
        loads.sum::<usize>() >= self.max_connections
    }

    /// A slot for a proxy, and a file for its listener.
    pub(crate) fn take_slot(&self) -> Result<usize, Error> {
        let mut slots = lock(&self.slots);
        let taken = slots.used - slots.free.len();
        if taken >= self.max_proxies || !self.files.take(1) {
            return Err(Error::TooManyProxies(taken));
        }
        Ok(slots.free.pop().unwrap_or_else(|| {
            slots.used += 1;
            slots.used - 1
        }))
    }

    /// The slot of a proxy that all workers have forgotten.
    pub(crate) fn give_slot(&self, slot: usize) {
        lock(&self.slots).free.push(slot);
        self.files.give(1);
    }

    /// Tells subscribers, if there are any.
    pub(crate) fn tell(&self, proxy: &str, what: impl FnOnce() -> What) {
        if !self.watched.load(Relaxed) {
            return;
        }
        let at = (clock::now() - self.begun).0.max(0).unsigned_abs();
        let event = Event {
            at: Duration::from_nanos(at),
            proxy: proxy.to_owned(),
            what: what(),
        };
        let mut watchers = lock(&self.watchers);
        watchers.retain(|watcher| {
            !matches!(
                watcher.try_send(event.clone()),
                Err(TrySendError::Disconnected(_))
            )
        });
        self.watched.store(!watchers.is_empty(), Relaxed);
    }
}

impl Threads {
    fn start(shared: &Arc<Shared>, workers: usize, portable: bool) -> Result<Self, Error> {
        let mut inboxes = Vec::new();
        let mut pollers = Vec::new();
        for _ in 0..workers {
            let (poller, waker) = Poller::new(portable).map_err(Error::system("make a poller"))?;
            inboxes.push(Arc::new(Inbox::new(waker)));
            pollers.push(poller);
        }
        // Before the first worker runs, so that each can reach all others.
        let _ = shared.inboxes.set(inboxes.clone());
        let this = Self {
            shared: Arc::clone(shared),
            handles: Mutex::default(),
        };
        for (index, (poller, inbox)) in pollers.into_iter().zip(inboxes).enumerate() {
            let worker = Worker::new(index, Arc::clone(shared), inbox, poller);
            let handle = thread::Builder::new()
                .name(format!("assize-{index}"))
                .spawn(move || worker.run())
                .map_err(Error::system("start a thread"))?;
            lock(&this.handles).push(handle);
        }
        Ok(this)
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        for inbox in self.shared.inboxes.get().into_iter().flatten() {
            inbox.send(Message::Stop);
        }
        for handle in std::mem::take(&mut *lock(&self.handles)) {
            // A worker that panicked has said so; there is nothing left to do for it.
            let _ = handle.join();
        }
    }
}
