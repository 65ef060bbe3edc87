//! What workers are told from outside, and how it is waited for.
//!
//! A worker reads its inbox between events and answers at once: nothing that it is told makes it
//! wait. Who asked waits with a limit all the same.

use crate::chain::Chain;
use crate::core::Core;
use crate::listener::Listener;
use crate::poll::Waker;
use crate::{ConnectionInfo, Cut, Error};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a caller waits for the workers. They answer within a fraction of a millisecond; this
/// is for a machine that is on its knees.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a worker is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// A client that another worker accepted.
    Adopt(Arrival),
    /// An operation on a proxy, to be carried out and answered.
    Do(Arc<Core>, Operation, Arc<Answers>),
    /// The addresses of an upstream that a connection waits for.
    Resolved(u64, Result<Arc<[SocketAddr]>, String>),
    /// The end.
    Stop,
}

/// An accepted client. Its files are accounted for by who accepted it.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) core: Arc<Core>,
    pub(crate) fd: OwnedFd,
    pub(crate) peer: SocketAddr,
    pub(crate) id: u64,
}

/// What to do with a proxy.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Take note of it.
    Add(Arc<Chain>),
    /// Forget it; its connections are closed.
    Remove,
    /// Accept from this listener.
    Listen(Arc<Listener>),
    /// Accept no more, and let go of the listener.
    Unlisten,
    /// Bring all connections in line with these faults.
    Chain(Arc<Chain>),
    /// End all connections.
    Cut(Cut),
    /// Say what connections there are.
    Describe,
}

/// What a worker answers.
#[derive(Default, Debug)]
pub(crate) struct Answer {
    pub(crate) cut: usize,
    pub(crate) connections: Vec<ConnectionInfo>,
    pub(crate) failed: Option<io::Error>,
}

/// Collects the answers of all workers.
#[derive(Debug)]
pub(crate) struct Answers {
    state: Mutex<(usize, Answer)>,
    done: Condvar,
}

impl Answers {
    pub(crate) fn from(workers: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new((workers, Answer::default())),
            done: Condvar::new(),
        })
    }

    /// One worker's answer.
    pub(crate) fn add(&self, answer: Answer) {
        let mut state = lock(&self.state);
        state.0 = state.0.saturating_sub(1);
        state.1.cut += answer.cut;
        state.1.connections.extend(answer.connections);
        state.1.failed = state.1.failed.take().or(answer.failed);
        if state.0 == 0 {
            self.done.notify_all();
        }
    }

    /// All answers together, once the last is in.
    pub(crate) fn wait(&self) -> Result<Answer, Error> {
        let state = lock(&self.state);
        let (mut state, _) = self
            .done
            .wait_timeout_while(state, PATIENCE, |state| state.0 > 0)
            .unwrap_or_else(PoisonError::into_inner);
        if state.0 > 0 {
            return Err(Error::Stuck(PATIENCE));
        }
        Ok(std::mem::take(&mut state.1))
    }
}

/// Messages for one worker.
#[derive(Debug)]
pub(crate) struct Inbox {
    messages: Mutex<Vec<Message>>,
    filled: AtomicBool,
    waker: Waker,
}

impl Inbox {
    pub(crate) fn new(waker: Waker) -> Self {
        Self {
            messages: Mutex::default(),
            filled: AtomicBool::new(false),
            waker,
        }
    }

    /// Adds one, and wakes the worker unless it was woken already.
    pub(crate) fn send(&self, message: Message) {
        let mut messages = lock(&self.messages);
        messages.push(message);
        let was_filled = self.filled.swap(true, Ordering::Release);
        drop(messages);
        if !was_filled {
            self.waker.wake();
        }
    }

    /// Whether there is something, at the price of a load.
    pub(crate) fn is_filled(&self) -> bool {
        self.filled.load(Ordering::Acquire)
    }

    /// All there is, in order.
    pub(crate) fn take(&self) -> Vec<Message> {
        let mut messages = lock(&self.messages);
        self.filled.store(false, Ordering::Release);
        std::mem::take(&mut messages)
    }
}

/// A lock whose holder panicked is taken all the same: what is behind it is whole after each
/// statement, and a worker must answer.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
