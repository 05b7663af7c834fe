//! Deterministic simulations. `DTSEN_TEST_QUICK=1` runs fewer seeds; `DTSEN_SIM_SEED=N … replay` runs one and shows it.

use std::{
    num::NonZero,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use dtsen_tests::sim::{self, Outcome};

/// Seeds of an ordinary run, and of a quick one.
const SEEDS: u64 = 200;
const QUICK_SEEDS: u64 = 20;
/// Seeds that are run twice.
const TWICE: u64 = 10;

fn is_quick() -> bool {
    std::env::var_os("DTSEN_TEST_QUICK").is_some_and(|value| value == "1")
}

/// Calls with every number below `count`, from as many threads as there are processors.
fn in_parallel(count: u64, call: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(2, NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    call(number);
                }
            });
        }
    });
}

#[test]
fn seeds() {
    let failed = Mutex::new(Vec::<Outcome>::new());
    let count = if is_quick() { QUICK_SEEDS } else { SEEDS };
    in_parallel(count, |seed| {
        let outcome = sim::run(seed);
        if outcome.failure.is_some() {
            eprintln!("{outcome}");
            failed.lock().expect("no panic under the lock").push(outcome);
        }
    });
    let failed = failed.into_inner().expect("no panic under the lock");
    let seeds: Vec<u64> = failed.iter().map(|outcome| outcome.plan.seed).collect();
    assert!(seeds.is_empty(), "{} of {count} seeds failed: {seeds:?}", seeds.len());
}

#[test]
fn same_seed_same_trace() {
    in_parallel(TWICE, |number| {
        let seed = 1_000 + number;
        let (first, second) = (sim::run(seed), sim::run(seed));
        let differ = first.events.iter().zip(&second.events).find(|(a, b)| a != b);
        assert!(
            first.digest == second.digest,
            "seed {seed} has two traces: {} events and {}; first difference {differ:?}",
            first.events.len(),
            second.events.len()
        );
    });
}

/// One seed, told: `DTSEN_SIM_SEED=123 cargo nextest run --release -p dtsen-tests --test sim replay --no-capture`.
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
