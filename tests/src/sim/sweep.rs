//! Many seeds, resumably: what is done and what failed is in a value that the caller keeps.

use std::{sync::Mutex, time::Instant};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

use super::{
    restores::Tally,
    run::{Outcome, run},
    world::lock,
};
use crate::faults::wait;

/// Simulations at once for each processor: while one waits for its disk in memory another goes on.
const THREADS: usize = 4;

/// The processors that this process may use.
fn processors() -> Vec<usize> {
    let Ok(allowed) = sched_getaffinity(None) else { return vec![0] };
    (0..CpuSet::MAX_CPU).filter(|cpu| allowed.is_set(*cpu)).collect()
}

/// Keeps this thread, and those that it starts, on one processor. A simulation and its database threads wait for each
/// other all the time, and to wake one on another processor costs more than it brings: 40 % more seeds in an hour.
fn stay_on(cpu: usize) {
    let mut only = CpuSet::new();
    only.set(cpu);
    // Where it is not allowed it is slower, no more.
    let _ = sched_setaffinity(None, &only);
}

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
        let processors = processors();
        let until = self.done + count;
        let state = Mutex::new((self.done, std::mem::take(self)));
        std::thread::scope(|scope| {
            for cpu in processors.repeat(THREADS) {
                let (state, tell) = (&state, &tell);
                scope.spawn(move || {
                    stay_on(cpu);
                    while let Some(number) = next(state, until, end) {
                        let outcome = run(first + number);
                        let sweep = &mut lock(state).1;
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
