//! The yardstick: a bare binary heap of timed events, and nothing done with any of them.
//!
//! It is what any next-event simulator pays at least, so a ratio to it says what the model costs
//! on top, on whatever machine it is measured.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

/// Events that wait at any time.
pub(crate) const WAITING: u64 = 1_024;

/// A heap in which every event that is taken puts one back, later.
pub(crate) struct Loop {
    heap: BinaryHeap<Reverse<(u64, u64)>>,
    state: u64,
}

impl Loop {
    /// A full heap.
    pub(crate) fn new() -> Self {
        let mut this = Self {
            heap: BinaryHeap::new(),
            state: 1,
        };
        for name in 0..WAITING {
            let at = this.step();
            this.heap.push(Reverse((at, name)));
        }
        this
    }

    /// Takes so many events; gives how many were taken.
    pub(crate) fn take(&mut self, events: u64) -> u64 {
        let mut taken = 0;
        while taken < events {
            let Some(Reverse((at, name))) = self.heap.pop() else {
                break;
            };
            let next = at + 1 + self.step();
            self.heap.push(Reverse(black_box((next, name))));
            taken += 1;
        }
        taken
    }

    /// A spread of waits that costs next to nothing: xorshift, up to about a second.
    fn step(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state >> 34
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_of_time_and_none_is_lost() {
        let mut this = Loop::new();
        let mut last = 0;
        for _ in 0..10_000 {
            let Some(Reverse((at, _))) = this.heap.peek() else {
                panic!("the heap is empty")
            };
            assert!(*at >= last);
            last = *at;
            assert_eq!(this.take(1), 1);
            assert_eq!(this.heap.len() as u64, WAITING);
        }
        assert!(last > 0);
    }
}
