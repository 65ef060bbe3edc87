//! A flow under faults: reads for its pipe, writes what the pipe says is due, in order.
//!
//! The pipe decides what leaves and when; here is only what sockets and memory add to it: a
//! destination that takes no more, and the bound on what is held.

use super::context::{CHUNK, Context};
use super::flow::{Ends, Step};
use crate::chain::{self, Entry};
use crate::{Cut, What, clock};
use assize_fault::{Begun, Item, Nanos, Order, Origin, Pipe, Size};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Items handed on before other connections have their turn.
const DELIVERIES: usize = 64;

/// What may be taken out of the pipe ahead of a destination that takes no more: enough to see a
/// reset that is due behind it.
const AHEAD: usize = 64;
const AHEAD_BYTES: usize = 512 << 10;

/// When the engine may hold no more, how soon to look whether it may again.
const STARVED: Nanos = Nanos::millis(5);

/// One direction with its faults.
#[derive(Debug)]
pub(super) struct Faulted {
    pipe: Pipe,
    entries: Vec<Arc<Entry>>,
    /// What was due and is not yet sent, in order.
    ahead: VecDeque<Item>,
    ahead_bytes: usize,
    /// How much of the first of these is sent.
    written: usize,
    /// Bytes sent since the flow last asked.
    pub(super) sent: u64,
    pub(super) ended: bool,
    pub(super) finished: bool,
    /// What the engine knows that is held here.
    accounted: usize,
    bounded: u64,
    starved_until: Option<Nanos>,
}

impl Faulted {
    pub(super) fn new(bound: Size, origin: Origin) -> Self {
        Self {
            pipe: Pipe::new(Order::Stream, bound, origin),
            entries: Vec::new(),
            ahead: VecDeque::new(),
            ahead_bytes: 0,
            written: 0,
            sent: 0,
            ended: false,
            finished: false,
            accounted: 0,
            bounded: 0,
            starved_until: None,
        }
    }

    /// Brings the faults in line with `wanted`, which is in order.
    pub(super) fn reconcile(&mut self, now: Nanos, wanted: &[&Arc<Entry>], begun: Begun) {
        chain::reconcile(&mut self.pipe, &mut self.entries, wanted, now, begun);
    }

    /// Takes what was in hand when the first fault came, and the end if it was read already; they
    /// meet the fault as if they came now.
    pub(super) fn begin(
        &mut self,
        now: Nanos,
        in_hand: Vec<Bytes>,
        is_ended: bool,
        is_finished: bool,
    ) {
        let end = (is_ended && !is_finished).then_some(Item::End);
        for item in in_hand.into_iter().map(Item::Data).chain(end) {
            self.pipe.input(now, item);
        }
        self.ended = is_ended;
        self.finished = is_finished;
    }

    /// Whether no fault is left and nothing is held, so that bytes may take a faster way.
    pub(super) fn is_idle(&self) -> bool {
        self.pipe.is_idle() && self.ahead.is_empty()
    }

    /// When to be pumped again whatever the sockets say.
    pub(super) fn next_wake(&self) -> Option<Nanos> {
        let due = self.pipe.next_wake().filter(|_| !self.is_far_ahead());
        due.into_iter().chain(self.starved_until).min()
    }

    /// Hands on what is due, and takes in what there is.
    pub(super) fn turn(&mut self, ends: &mut Ends<'_>, cx: &mut Context) -> Step {
        let step = match self.deliver(ends, cx) {
            Step::Wait => self.take_in(ends, cx),
            other => other,
        };
        self.account(cx);
        step
    }

    /// The connection is over, or the flow goes on without faults: nothing is held any more.
    pub(super) fn release(&mut self, cx: &Context) {
        cx.engine.held.fetch_sub(self.accounted, Relaxed);
        self.accounted = 0;
    }

    /// Sends what is due; [`Step::Wait`] when nothing more can be sent now.
    fn deliver(&mut self, ends: &mut Ends<'_>, cx: &mut Context) -> Step {
        let now = clock::now();
        for _ in 0..DELIVERIES {
            if self.ahead.is_empty() && !self.draw(now) {
                return Step::Wait;
            }
            match self.ahead.front() {
                None => return Step::Wait,
                Some(Item::Close) => return Step::Over(Cut::Close),
                Some(Item::Reset) => return Step::Over(Cut::Reset),
                Some(Item::End) => {
                    ends.finish();
                    self.finished = true;
                    self.ahead.pop_front();
                }
                Some(Item::Data(_)) if !ends.destination.writable => return self.look_ahead(now),
                Some(Item::Data(bytes)) => {
                    let Ok(sent) = ends.send(bytes.get(self.written..).unwrap_or_default()) else {
                        return Step::Broken;
                    };
                    self.sent += sent as u64;
                    self.written += sent;
                    if self.written >= bytes.len() {
                        self.written = 0;
                        if let Some(Item::Data(bytes)) = self.ahead.pop_front() {
                            self.ahead_bytes -= bytes.len();
                            cx.spent(bytes);
                        }
                    }
                }
            }
        }
        Step::Again
    }

    /// A reset comes through although the destination takes nothing before it.
    fn look_ahead(&mut self, now: Nanos) -> Step {
        while !self.is_far_ahead() && self.draw(now) {
            if self.ahead.back() == Some(&Item::Reset) {
                return Step::Over(Cut::Reset);
            }
        }
        Step::Wait
    }

    /// Takes one item out of the pipe if one is due.
    fn draw(&mut self, now: Nanos) -> bool {
        let Some((_, item)) = self.pipe.poll(now) else {
            return false;
        };
        self.ahead_bytes += item.len();
        self.ahead.push_back(item);
        true
    }

    fn is_far_ahead(&self) -> bool {
        self.ahead.len() >= AHEAD || self.ahead_bytes >= AHEAD_BYTES
    }

    /// Reads once from the source, as much as the pipe takes.
    fn take_in(&mut self, ends: &mut Ends<'_>, cx: &mut Context) -> Step {
        self.starved_until = None;
        if self.ended || !ends.source.readable || self.is_far_ahead() {
            return Step::Wait;
        }
        // Without a fault the rest leaves, and then bytes take a faster way; a source that is
        // faster than its destination must not keep it from being the rest.
        if self.entries.is_empty() && !self.is_idle() {
            return Step::Wait;
        }
        let room = self.room(cx);
        if room == 0 {
            if ends.source.failed {
                return self.end_with(Item::Reset);
            }
            self.report_bound(ends);
            return Step::Wait;
        }
        let mut chunk = cx.chunk();
        let read = ends.receive(chunk.get_mut(..room.min(CHUNK)).unwrap_or_default());
        let bytes = cx.filled(chunk, read.unwrap_or_default().unwrap_or_default());
        match read {
            Ok(None) => Step::Wait,
            Ok(Some(0)) => self.end_with(Item::End),
            Ok(Some(_)) => {
                self.pipe.input(clock::now(), Item::Data(bytes));
                Step::Again
            }
            Err(_) => self.end_with(Item::Reset),
        }
    }

    fn end_with(&mut self, item: Item) -> Step {
        self.ended = true;
        self.pipe.input(clock::now(), item);
        Step::Again
    }

    /// What both the pipe and the engine take.
    fn room(&mut self, cx: &Context) -> usize {
        let room = self.pipe.room();
        let left = cx
            .engine
            .max_held
            .saturating_sub(cx.engine.held.load(Relaxed));
        if room > 0 && left == 0 {
            self.starved_until = Some(clock::now() + STARVED);
        }
        room.min(left)
    }

    /// Tells once per connection and direction, and counts always, that the bound held the source
    /// back.
    fn report_bound(&mut self, ends: &Ends<'_>) {
        let bounded = self.pipe.bounded();
        let more = bounded.saturating_sub(self.bounded);
        ends.core.tally.bounded.fetch_add(more, Relaxed);
        if more > 0 && self.bounded == 0 {
            let connection = ends.id;
            ends.core.tell(|| What::Bounded { connection });
        }
        self.bounded = bounded;
    }

    fn account(&mut self, cx: &Context) {
        let held = self.pipe.held() + self.ahead_bytes;
        if held > self.accounted {
            cx.engine.held.fetch_add(held - self.accounted, Relaxed);
        } else if held < self.accounted {
            cx.engine.held.fetch_sub(self.accounted - held, Relaxed);
        }
        self.accounted = held;
    }
}
