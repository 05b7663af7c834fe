//! Time and randomness of a simulated process.

use std::sync::{Arc, Mutex, PoisonError};

use dtsen_kit::ambient::{Ambient, Clock, Entropy};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

/// When every simulation begins: 2026-10-20 05:00 UTC, noon in Makassar.
const BEGIN_MS: i64 = 1_792_472_400_000;

struct Virtual;

impl Clock for Virtual {
    fn now_ms(&self) -> i64 {
        let elapsed = turmoil::sim_elapsed().unwrap_or_default();
        BEGIN_MS + i64::try_from(elapsed.as_millis()).expect("simulations are short")
    }
}

struct Seeded(Mutex<ChaCha8Rng>);

impl Entropy for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(bytes);
    }
}

/// Choices that follow from a seed, who makes them and in which life.
pub(super) fn dice(seed: u64, who: &str, life: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&life.to_le_bytes());
    let name = &who.as_bytes()[..who.len().min(16)];
    key[16..16 + name.len()].copy_from_slice(name);
    ChaCha8Rng::from_seed(key)
}

/// 0..n.
pub(super) fn below(dice: &mut ChaCha8Rng, n: u64) -> u64 {
    dice.next_u64() % n
}

/// Virtual time, and randomness from a seed.
pub(super) fn ambient(seed: u64, who: &str, life: u64) -> Ambient {
    Ambient::new(Arc::new(Virtual), Arc::new(Seeded(Mutex::new(dice(seed, who, life)))))
}
