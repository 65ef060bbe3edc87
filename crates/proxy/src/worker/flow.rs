//! One direction of one connection: from a source to a destination, by one of three ways.
//!
//! Without a fault bytes are copied through the worker's scratch, or spliced past user space once
//! they come in bulk. With a fault they go through its [`Pipe`](assize_fault::Pipe). A flow
//! changes from any way to any other between two calls to the system, and takes along what is in
//! hand: bytes of a short write, and bytes in a kernel pipe.

use super::context::Context;
use super::end::End;
use super::faulted::Faulted;
use super::kernel_pipe::KernelPipe;
use crate::chain::Entry;
use crate::core::{Bytes as Tally, Core};
use crate::{Cut, clock};
use assize_fault::{Begun, Direction, Nanos, Origin};
use bytes::Bytes;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, Shutdown};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Transfers before other connections have their turn.
pub(super) const TURNS: u32 = 16;

/// Bytes in reads of at least [`BULK_READ`], one after the other, before splicing pays.
const BULK: usize = 64 << 10;
const BULK_READ: usize = 2 << 10;

/// What came of letting a flow move bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// It waits for a socket or for time.
    Wait,
    /// There is more to do at once.
    Again,
    /// The connection is over.
    Over(Cut),
    /// The destination takes no more, for good: the other direction may still have something.
    Broken,
}

/// One direction.
#[derive(Debug)]
pub(super) struct Flow {
    way: Way,
    /// What a short write left, to go before all else.
    pending: Bytes,
    /// The source's end was read.
    pub(super) ended: bool,
    /// The end was handed on; nothing moves any more.
    pub(super) finished: bool,
    /// Bytes handed on.
    pub(super) sent: u64,
}

#[derive(Debug)]
enum Way {
    Copy { streak: usize },
    Splice(Option<KernelPipe>),
    Faulted(Box<Faulted>),
}

/// Both ends and the books of a flow, for the time of one call.
pub(super) struct Ends<'a> {
    pub(super) source: &'a mut End,
    pub(super) destination: &'a mut End,
    pub(super) core: &'a Core,
    pub(super) direction: Direction,
    /// The connection's number.
    pub(super) id: u64,
}

impl Ends<'_> {
    pub(super) fn tally(&self) -> &Tally {
        self.core.tally.of(self.direction)
    }

    /// Reads from the source; `None` when it has nothing now.
    ///
    /// # Errors
    /// What the source failed with.
    pub(super) fn receive(&mut self, into: &mut [u8]) -> Result<Option<usize>, Errno> {
        let wanted = into.len();
        loop {
            match rustix::net::recv(&self.source.fd, &mut *into, RecvFlags::empty()) {
                Ok((read, _)) => {
                    // Less than asked for: it is drained, and the poller tells when there is more.
                    if read < wanted && !self.source.hung_up {
                        self.source.readable = false;
                    }
                    self.tally().received.fetch_add(read as u64, Relaxed);
                    return Ok(Some(read));
                }
                Err(Errno::AGAIN) => {
                    self.source.readable = false;
                    return Ok(None);
                }
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Sends to the destination as much as it takes now.
    ///
    /// # Errors
    /// What the destination failed with.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<usize, Errno> {
        let mut sent = 0;
        while let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            match rustix::net::send(&self.destination.fd, rest, SendFlags::NOSIGNAL) {
                Ok(more) => sent += more,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    self.destination.writable = false;
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        self.tally().sent.fetch_add(sent as u64, Relaxed);
        Ok(sent)
    }

    /// Hands the end of the stream on.
    pub(super) fn finish(&self) {
        // It fails when the destination is gone, and then its own events say so.
        let _ = rustix::net::shutdown(&self.destination.fd, Shutdown::Write);
    }
}

impl Flow {
    pub(super) const fn new() -> Self {
        Self {
            way: Way::Copy { streak: 0 },
            pending: Bytes::new(),
            ended: false,
            finished: false,
            sent: 0,
        }
    }

    /// Moves what can be moved now.
    pub(super) fn pump(&mut self, ends: &mut Ends<'_>, cx: &mut Context) -> Step {
        let mut turns = TURNS;
        while turns > 0 {
            if self.finished && !matches!(self.way, Way::Faulted(_)) {
                return Step::Wait;
            }
            let step = match &mut self.way {
                Way::Copy { .. } => self.copy(ends, cx),
                Way::Splice(_) => self.splice(ends, cx),
                Way::Faulted(faulted) => {
                    let step = faulted.turn(ends, cx);
                    self.sent += std::mem::take(&mut faulted.sent);
                    self.ended |= faulted.ended;
                    self.finished |= faulted.finished;
                    if faulted.is_idle() {
                        faulted.release(cx);
                        self.way = Way::Copy { streak: 0 };
                    }
                    step
                }
            };
            match step {
                Step::Again => turns -= 1,
                other => return other,
            }
        }
        Step::Again
    }

    /// When it wants to be pumped again whatever the sockets say.
    pub(super) fn next_wake(&self) -> Option<Nanos> {
        match &self.way {
            Way::Faulted(faulted) => faulted.next_wake(),
            Way::Copy { .. } | Way::Splice(_) => None,
        }
    }

    /// Brings the faults in line with `wanted`, which is in order. What is in hand meets a new
    /// fault like what comes later.
    pub(super) fn reconcile(
        &mut self,
        wanted: &[&Arc<Entry>],
        (origin, begun): (Origin, Begun),
        ends: &Ends<'_>,
        cx: &mut Context,
    ) {
        let now = clock::now();
        if let Way::Faulted(faulted) = &mut self.way {
            faulted.reconcile(now, wanted, begun);
        } else if !wanted.is_empty() {
            let in_hand = self.take_in_hand(cx);
            let mut faulted = Box::new(Faulted::new(ends.core.bound, origin));
            faulted.reconcile(now, wanted, begun);
            faulted.begin(now, in_hand, self.ended, self.finished);
            self.way = Way::Faulted(faulted);
        }
    }

    /// Gives back what belongs to the worker; the connection is over.
    pub(super) fn release(&mut self, cx: &mut Context) {
        match std::mem::replace(&mut self.way, Way::Copy { streak: 0 }) {
            Way::Splice(Some(pipe)) => cx.pipes.take_back(pipe),
            Way::Faulted(mut faulted) => faulted.release(cx),
            Way::Copy { .. } | Way::Splice(None) => {}
        }
    }

    /// All that was read and is not yet sent, in its order; the fast ways then hold nothing.
    fn take_in_hand(&mut self, cx: &mut Context) -> Vec<Bytes> {
        let mut in_hand = vec![std::mem::take(&mut self.pending)];
        let way = std::mem::replace(&mut self.way, Way::Copy { streak: 0 });
        if let Way::Splice(Some(mut pipe)) = way {
            while pipe.held > 0 {
                let mut chunk = cx.chunk();
                match pipe.read(&mut chunk) {
                    // The kernel holds what it was given: neither an end nor a failure can come.
                    Ok(0) | Err(_) => pipe.held = 0,
                    Ok(read) => in_hand.push(cx.filled(chunk, read)),
                }
            }
            cx.pipes.take_back(pipe);
        }
        in_hand
    }

    /// Sends what a short write left; `false` while some of it is left still.
    fn flush(&mut self, ends: &mut Ends<'_>) -> Result<bool, Errno> {
        if self.pending.is_empty() {
            return Ok(true);
        }
        if !ends.destination.writable {
            return Ok(false);
        }
        let sent = ends.send(&self.pending)?;
        self.sent += sent as u64;
        if sent < self.pending.len() {
            let _ = self.pending.split_to(sent);
            return Ok(false);
        }
        self.pending = Bytes::new();
        Ok(true)
    }

    fn finish(&mut self, ends: &Ends<'_>) -> Step {
        ends.finish();
        self.finished = true;
        Step::Wait
    }

    /// One transfer through the scratch.
    fn copy(&mut self, ends: &mut Ends<'_>, cx: &mut Context) -> Step {
        match self.flush(ends) {
            Ok(true) => {}
            Ok(false) => return Step::Wait,
            Err(_) => return Step::Broken,
        }
        if self.ended {
            return self.finish(ends);
        }
        if !ends.source.readable {
            return Step::Wait;
        }
        let read = match ends.receive(&mut cx.scratch) {
            Ok(None) => return Step::Wait,
            Ok(Some(read)) => read,
            Err(_) => return Step::Over(Cut::Reset),
        };
        if read == 0 {
            self.ended = true;
            return Step::Again;
        }
        let bytes = cx.scratch.get(..read).unwrap_or_default();
        let Ok(sent) = ends.send(bytes) else {
            return Step::Broken;
        };
        self.sent += sent as u64;
        if let Some(rest) = bytes.get(sent..).filter(|rest| !rest.is_empty()) {
            self.pending = Bytes::copy_from_slice(rest);
        }
        if let Way::Copy { streak } = &mut self.way {
            *streak = if read < BULK_READ { 0 } else { *streak + read };
            if *streak >= BULK {
                self.way = Way::Splice(None);
            }
        }
        Step::Again
    }

    /// One transfer past user space: into the kernel pipe, or out of it.
    fn splice(&mut self, ends: &mut Ends<'_>, cx: &mut Context) -> Step {
        match self.flush(ends) {
            Ok(true) => {}
            Ok(false) => return Step::Wait,
            Err(_) => return Step::Broken,
        }
        let Way::Splice(pipe) = &mut self.way else {
            return Step::Again;
        };
        if let Some(full) = pipe.as_mut().filter(|pipe| pipe.held > 0) {
            if !ends.destination.writable {
                return Step::Wait;
            }
            return match full.drain(&ends.destination.fd) {
                Ok(moved) => {
                    self.sent += moved as u64;
                    let tally = ends.tally();
                    tally.sent.fetch_add(moved as u64, Relaxed);
                    tally.spliced.fetch_add(moved as u64, Relaxed);
                    Step::Again
                }
                Err(Errno::AGAIN) => {
                    ends.destination.writable = false;
                    Step::Wait
                }
                Err(Errno::INTR) => Step::Again,
                Err(_) => Step::Broken,
            };
        }
        // The pipe is empty or not there.
        let goes_on = ends.source.readable && !self.ended;
        if let Some(empty) = pipe.take_if(|pipe| !goes_on || pipe.small) {
            let was_small = empty.small;
            cx.pipes.take_back(empty);
            if was_small {
                self.way = Way::Copy { streak: 0 };
                return Step::Again;
            }
        }
        if self.ended {
            return self.finish(ends);
        }
        if !goes_on {
            return Step::Wait;
        }
        let Some(pipe) = pipe.take().or_else(|| cx.pipes.lend()) else {
            // All are lent: copy on, and ask again after as much more.
            self.way = Way::Copy { streak: 0 };
            return Step::Again;
        };
        self.fill(pipe, ends, cx)
    }

    fn fill(&mut self, mut pipe: KernelPipe, ends: &mut Ends<'_>, cx: &mut Context) -> Step {
        let step = match pipe.fill(&ends.source.fd) {
            Ok(0) => {
                self.ended = true;
                Step::Again
            }
            Ok(moved) => {
                ends.tally().received.fetch_add(moved as u64, Relaxed);
                pipe.small = moved < BULK_READ;
                Step::Again
            }
            Err(Errno::AGAIN) => {
                ends.source.readable = false;
                cx.pipes.take_back(pipe);
                self.way = Way::Splice(None);
                return Step::Wait;
            }
            Err(Errno::INTR) => Step::Again,
            // Some sockets cannot be spliced; what cannot be read either says so when it is read.
            Err(_) => {
                cx.pipes.take_back(pipe);
                self.way = Way::Copy { streak: 0 };
                return Step::Again;
            }
        };
        self.way = Way::Splice(Some(pipe));
        step
    }
}
