//! Deterministic simulations. `DTSEN_TEST_QUICK=1` runs fewer seeds; `DTSEN_SIM_SEED=N … replay` runs one and shows it.

mod country;
mod found;
mod planted;

use std::time::{Duration, Instant};

use dtsen_tests::{
    faults::wait,
    sim::{self, Plan, Sweep},
};

/// Seeds of an ordinary run, unless the time ends first, and of a quick one.
const SEEDS: u64 = 2_000;
const TIME: Duration = Duration::from_mins(4);
const QUICK_SEEDS: u64 = 20;
/// Seeds that are run twice: some of ordinary plans, some of plans that restore.
const TWICE: [u64; 10] = {
    let restores = Plan::RESTORES;
    [1_000, 1_001, 1_002, 1_003, 1_004, 1_005, restores, restores + 1, restores + 2, restores + 3]
};

fn is_quick() -> bool {
    std::env::var_os("DTSEN_TEST_QUICK").is_some_and(|value| value == "1")
}

/// Runs seeds from the first on, with a notice of each that fails.
fn sweep(first: u64, count: u64, end: Instant) -> Sweep {
    let mut sweep = Sweep::default();
    sweep.go_on(first, count, end, |outcome| eprintln!("{outcome}"));
    assert!(
        sweep.failed.is_empty(),
        "{} of {} seeds failed: {:?}",
        sweep.failed.len(),
        sweep.done,
        sweep.failed
    );
    sweep
}

#[test]
fn seeds() {
    let count = if is_quick() { QUICK_SEEDS } else { SEEDS };
    let done = sweep(0, count, wait::now() + TIME);
    println!("{} of {count} seeds in at most {TIME:?}; found {:?}", done.done, done.found);
}

#[test]
fn same_seed_same_trace() {
    for seed in TWICE {
        let (first, second) = (sim::run(seed), sim::run(seed));
        let differ = first.events.iter().zip(&second.events).find(|(a, b)| a != b);
        assert!(
            first.digest == second.digest,
            "seed {seed} has two traces: {} events and {}; first difference {differ:?}",
            first.events.len(),
            second.events.len()
        );
    }
}

/// One seed, told: `DTSEN_SIM_SEED=123 cargo nextest run --release --locked --workspace -E 'binary(sim) & test(replay)' --no-capture`.
#[test]
fn replay() {
    let seed = std::env::var("DTSEN_SIM_SEED").ok().and_then(|seed| seed.parse().ok());
    let outcome = sim::run(seed.unwrap_or(0));
    for event in outcome.events.iter().filter(|event| seed.is_some() && !event.quiet) {
        println!("{:>9} {:<10} {}", event.at_ms, event.who, event.what);
    }
    println!("{outcome}");
    assert!(outcome.failure.is_none(), "seed {} failed", outcome.plan.seed);
}
