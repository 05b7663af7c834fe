//! Time and randomness of a simulated process.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicI64, AtomicU64, Ordering},
};

use dtsen_kit::ambient::{Ambient, Clock, Entropy};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

/// When every simulation begins: 2026-10-20 05:00 UTC, noon in Makassar.
pub(super) const BEGIN_MS: i64 = 1_792_472_400_000;

/// Virtual time as the driver has it; hosts are at most a tick ahead.
#[derive(Debug, Default)]
pub(super) struct Elapsed(AtomicU64);

impl Elapsed {
    /// The driver has come so far.
    pub(super) fn set(&self, ms: u64) {
        self.0.store(ms, Ordering::Relaxed);
    }

    /// Milliseconds since the beginning, of the host that asks or else of the driver.
    pub(super) fn ms(&self) -> u64 {
        let own = turmoil::sim_elapsed().and_then(|elapsed| u64::try_from(elapsed.as_millis()).ok());
        own.unwrap_or_else(|| self.0.load(Ordering::Relaxed))
    }
}

/// The clock of one computer, which may be wrong.
#[derive(Debug, Clone, Default)]
pub(super) struct Watch {
    elapsed: Arc<Elapsed>,
    wrong_ms: Arc<AtomicI64>,
}

impl Watch {
    pub(super) fn new(elapsed: &Arc<Elapsed>) -> Self {
        Self { elapsed: elapsed.clone(), wrong_ms: Arc::default() }
    }

    /// From now on it is so much ahead, or behind.
    pub(super) fn set(&self, wrong_ms: i64) {
        self.wrong_ms.store(wrong_ms, Ordering::Relaxed);
    }
}

impl Clock for Watch {
    fn now_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.elapsed.ms()).expect("simulations are short");
        BEGIN_MS + elapsed + self.wrong_ms.load(Ordering::Relaxed)
    }
}

struct Seeded(Mutex<ChaCha8Rng>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// Choices that follow from a seed, who makes them and in which life.
pub(crate) fn dice(seed: u64, who: &str, life: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&life.to_le_bytes());
    let name = &who.as_bytes()[..who.len().min(16)];
    key[16..16 + name.len()].copy_from_slice(name);
    ChaCha8Rng::from_seed(key)
}

/// 0..n.
pub(crate) fn below(dice: &mut ChaCha8Rng, n: u64) -> u64 {
    dice.next_u64() % n
}

/// low..=high.
pub(crate) fn span(dice: &mut ChaCha8Rng, low: u64, high: u64) -> u64 {
    low + below(dice, high - low + 1)
}

/// One of these.
pub(super) fn one_of<T: Copy>(dice: &mut ChaCha8Rng, values: &[T]) -> T {
    values[usize::try_from(below(dice, values.len() as u64)).expect("one of them")]
}

/// The time of a watch, and randomness from a seed.
pub(super) fn ambient(watch: &Watch, seed: u64, who: &str, life: u64) -> Ambient {
    Ambient::new(Arc::new(watch.clone()), Arc::new(Seeded(Mutex::new(dice(seed, who, life)))))
}
