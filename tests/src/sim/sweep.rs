//! Many seeds, resumably: what is done and what failed is in a value that the caller keeps.

use std::{num::NonZero, sync::Mutex, time::Instant};

use serde::{Deserialize, Serialize};

use super::{
    restores::Tally,
    run::{Outcome, run},
    world::lock,
};
use crate::faults::wait;

/// Simulations at once for each processor: half of the time one waits for a database thread to wake up.
const THREADS: usize = 4;

/// How far a sweep has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sweep {
    /// Seeds that are done.
    pub done: u64,
    /// Those that failed.
    pub failed: Vec<u64>,
    /// Restores that had to be found, and were.
    pub found: Tally,
}

impl Sweep {
    /// Runs those that failed once more, and forgets what is well by now.
    pub fn try_failed_again(&mut self, tell: impl Fn(&Outcome)) {
        self.failed.retain(|seed| {
            let outcome = run(*seed);
            if outcome.failure.is_some() {
                tell(&outcome);
            }
            outcome.failure.is_some()
        });
    }

    /// Runs the next `count` seeds after `first`, or fewer if `end` comes before; `tell` gets every one that failed.
    pub fn go_on(&mut self, first: u64, count: u64, end: Instant, tell: impl Fn(&Outcome) + Sync) {
        let threads = std::thread::available_parallelism().map_or(2, NonZero::get) * THREADS;
        let until = self.done + count;
        let state = Mutex::new((self.done, std::mem::take(self)));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(number) = next(&state, until, end) {
                        let outcome = run(first + number);
                        let sweep = &mut lock(&state).1;
                        sweep.done += 1;
                        sweep.found.add(outcome.found);
                        if outcome.failure.is_some() {
                            sweep.failed.push(outcome.plan.seed);
                            tell(&outcome);
                        }
                    }
                });
            }
        });
        *self = state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).1;
    }
}

/// The number of the next seed. One that was given out is run to its end.
fn next(state: &Mutex<(u64, Sweep)>, until: u64, end: Instant) -> Option<u64> {
    let (next, _) = &mut *lock(state);
    let number = *next;
    (number < until && wait::now() < end).then(|| {
        *next += 1;
        number
    })
}
