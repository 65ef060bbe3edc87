//! The yardstick: a bare binary heap of timed events, and nothing done with any of them.
//!
//! It is what any next-event simulator pays at least, so a ratio to it says what the model costs
//! on top, on whatever machine it is measured. The comparison is like with like: the simulator's
//! own key, an instant and the rank of an element; as many events; one taken and one put back
//! for each.

use assize_fault::Nanos;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hint::black_box;

/// Events that wait at any time: as many as elements with a timer in a network of some size.
pub(crate) const WAITING: u32 = 1_024;

/// A heap in which every event that is taken puts one back, later.
pub(crate) struct Loop {
    heap: BinaryHeap<Reverse<(Nanos, u32)>>,
    state: u64,
}

impl Loop {
    /// A full heap.
    pub(crate) fn new() -> Self {
        let mut this = Self {
            heap: BinaryHeap::new(),
            state: 1,
        };
        for rank in 0..WAITING {
            let at = Nanos(this.step());
            this.heap.push(Reverse((at, rank)));
        }
        this
    }

    /// Takes so many events; gives how many were taken.
    pub(crate) fn take(&mut self, events: u64) -> u64 {
        let mut taken = 0;
        while taken < events {
            let Some(Reverse((at, rank))) = self.heap.pop() else {
                break;
            };
            let next = Nanos(at.0 + 1 + self.step());
            self.heap.push(Reverse(black_box((next, rank))));
            taken += 1;
        }
        taken
    }

    /// A spread of waits that costs next to nothing: xorshift, up to about a second.
    fn step(&mut self) -> i64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 34) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_in_order_of_time_and_none_is_lost() {
        let mut this = Loop::new();
        let mut last = Nanos(0);
        for _ in 0..10_000 {
            let Some(Reverse((at, _))) = this.heap.peek() else {
                panic!("the heap is empty")
            };
            assert!(*at >= last);
            last = *at;
            assert_eq!(this.take(1), 1);
            assert_eq!(this.heap.len(), WAITING as usize);
        }
        assert!(last > Nanos(0));
    }
}
