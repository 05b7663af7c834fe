//! Random choices that depend on nothing but (seed, region, family, purpose).

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng as _, SeedableRng as _},
};

/// What a stream of choices is for; one more choice in one purpose changes no other.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Household,
    Names,
    People,
    Housing,
    Change,
    Plan,
}

/// A stream of choices.
#[derive(Debug, Clone)]
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of one family (or one round, one plan) for one purpose.
    pub(super) fn new(seed: u64, region: u16, number: u64, purpose: Purpose) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..10].copy_from_slice(&region.to_le_bytes());
        key[10] = purpose as u8;
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(number);
        Self(rng)
    }

    /// 0..n, by multiplication: the bias of n / 2^32 does not matter here.
    pub(super) fn below(&mut self, n: u32) -> u32 {
        u32::try_from((u64::from(self.0.next_u32()) * u64::from(n)) >> 32).expect("below n")
    }

    /// low..=high.
    pub(super) fn between(&mut self, low: i16, high: i16) -> i16 {
        let span = u32::try_from(high - low + 1).expect("low <= high");
        low + i16::try_from(self.below(span)).expect("below the span")
    }

    /// low..=high, for codes.
    pub(super) fn code(&mut self, low: u8, high: u8) -> u8 {
        low + u8::try_from(self.below(u32::from(high - low) + 1)).expect("below the span")
    }

    /// 0..n for families.
    pub(super) fn below_u64(&mut self, n: u64) -> u64 {
        let wide = (u128::from(self.0.next_u64()) * u128::from(n)) >> 64;
        u64::try_from(wide).expect("below n")
    }

    /// True `per_mille` times in a thousand.
    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    /// One of a list, all alike.
    pub(super) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        let n = u32::try_from(list.len()).expect("a short list");
        list[self.below(n) as usize]
    }

    /// One of a list by weight.
    pub(super) fn weighted<T: Copy>(&mut self, list: &[(u32, T)]) -> T {
        let mut left = self.below(list.iter().map(|(weight, _)| weight).sum());
        for (weight, item) in list {
            if left < *weight {
                return *item;
            }
            left -= weight;
        }
        unreachable!("the weights add up to the bound")
    }

    /// One of a list that runs from rich to poor, near the place of this wealth (0..1000).
    pub(super) fn graded<T: Copy>(&mut self, wealth: u32, list: &[T]) -> T {
        let n = u32::try_from(list.len()).expect("a short list");
        let place = (999 - wealth + self.below(300)).saturating_sub(150).min(999);
        list[(place * n / 1000) as usize]
    }
}
