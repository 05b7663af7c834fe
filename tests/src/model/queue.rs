//! Events in the order of their time.

use std::{cmp::Reverse, collections::BinaryHeap};

/// What happens when. Events of one moment happen in the order in which they were planned.
pub(super) struct Queue<E> {
    now: u64,
    planned: u64,
    events: BinaryHeap<Reverse<(u64, u64, E)>>,
}

impl<E: Ord> Queue<E> {
    pub(super) fn new() -> Self {
        Self { now: 0, planned: 0, events: BinaryHeap::new() }
    }

    /// Virtual milliseconds since the beginning.
    pub(super) fn now(&self) -> u64 {
        self.now
    }

    pub(super) fn after(&mut self, delay_ms: u64, event: E) {
        self.planned += 1;
        self.events.push(Reverse((self.now + delay_ms, self.planned, event)));
    }

    pub(super) fn next(&mut self, end: u64) -> Option<E> {
        let Reverse((at, _, event)) = self.events.pop()?;
        self.now = at;
        (at <= end).then_some(event)
    }
}
