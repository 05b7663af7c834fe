//! What the last imports of a source left behind, small enough to hold for the largest region.

use std::{
    collections::HashSet,
    hash::{BuildHasherDefault, DefaultHasher},
};

use dtsen_sources::key::{KeyBytes, is_number};

/// How a row stands to what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Met {
    /// Key and content are those of the last import.
    pub(super) unchanged: bool,
    /// This import has met the key before.
    pub(super) again: bool,
}

/// Sixteen bytes and one bit for every known row: a number is its own key, and 64 bits of a digest tell contents
/// apart but for one change in 10^19.
#[derive(Default)]
pub(super) struct Known {
    rows: Vec<(u64, u64)>,
    seen: Vec<u64>,
    /// Keys of this import that are not among `rows`.
    fresh: HashSet<u64, BuildHasherDefault<DefaultHasher>>,
    /// Known rows that are others of them, as an operator said.
    replaced: HashSet<KeyBytes>,
}

/// A key in eight bytes. Numbers have 16 digits, so the highest bit is free for the others.
fn short(key: &[u8; 16]) -> u64 {
    let number = u64::from_be_bytes(key[8..].try_into().expect("eight of sixteen"));
    if is_number(key) { number } else { number | 1 << 63 }
}

fn head(digest: &[u8; 16]) -> u64 {
    u64::from_be_bytes(digest[..8].try_into().expect("eight of sixteen"))
}

impl Known {
    /// Adds a known row; call [`Self::ready`] after the last one.
    pub(super) fn add(&mut self, key: &[u8; 16], digest: &[u8; 16]) {
        self.rows.push((short(key), head(digest)));
    }

    /// Sorts what was added.
    pub(super) fn ready(&mut self) {
        self.rows.shrink_to_fit();
        self.rows.sort_unstable();
        self.seen = vec![0; self.rows.len().div_ceil(64)];
    }

    fn find(&self, key: u64) -> std::ops::Range<usize> {
        let start = self.rows.partition_point(|(k, _)| *k < key);
        let more = self.rows[start..].iter().take_while(|(k, _)| *k == key).count();
        start..start + more
    }

    fn mark(&mut self, at: usize) -> bool {
        let (word, bit) = (at / 64, 1u64 << (at % 64));
        let before = self.seen[word] & bit != 0;
        self.seen[word] |= bit;
        before
    }

    /// Meets a row of the file.
    pub(super) fn meet(&mut self, key: &[u8; 16], digest: &[u8; 16]) -> Met {
        let key = short(key);
        let found = self.find(key);
        if found.is_empty() {
            return Met { unchanged: false, again: !self.fresh.insert(key) };
        }
        // Two keys that share their eight bytes: whichever content fits.
        let fits = found.clone().find(|at| self.rows[*at].1 == head(digest));
        let again = self.mark(fits.unwrap_or(found.start));
        Met { unchanged: fits.is_some(), again }
    }

    /// Whether the key was known before this import.
    pub(super) fn knows(&self, key: &[u8; 16]) -> bool {
        !self.find(short(key)).is_empty()
    }

    /// Whether nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Notes that every known row is still there.
    pub(super) fn mark_all_met(&mut self) {
        self.seen.fill(u64::MAX);
    }

    /// Notes that a known row is still there, whatever it says.
    pub(super) fn mark_met(&mut self, key: &[u8; 16]) {
        let found = self.find(short(key));
        if !found.is_empty() {
            self.mark(found.start);
        }
    }

    /// Notes that a known row is another one, which is known too.
    pub(super) fn replace(&mut self, key: &KeyBytes) {
        self.replaced.insert(*key);
    }

    /// Whether a known row is another one.
    pub(super) fn is_replaced(&self, key: &KeyBytes) -> bool {
        self.replaced.contains(key)
    }

    /// Whether this import has met the key.
    pub(super) fn was_met(&self, key: &[u8; 16]) -> bool {
        let key = short(key);
        self.fresh.contains(&key) || self.find(key).any(|at| self.seen[at / 64] & 1 << (at % 64) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: u8, number: u64) -> [u8; 16] {
        let mut key = [0; 16];
        key[0] = kind;
        key[8..].copy_from_slice(&number.to_be_bytes());
        key
    }

    #[test]
    fn tells_new_changed_unchanged_and_again() {
        let mut known = Known::default();
        for number in (0..1_000u64).rev() {
            known.add(&key(1, number), &[1; 16]);
        }
        known.ready();
        let mut met = |key, digest| {
            let met = known.meet(&key, &digest);
            (met.unchanged, met.again)
        };
        assert_eq!(met(key(1, 7), [1; 16]), (true, false));
        assert_eq!(met(key(1, 7), [1; 16]), (true, true));
        assert_eq!(met(key(1, 8), [2; 16]), (false, false));
        assert_eq!(met(key(1, 8), [1; 16]), (true, true));
        assert_eq!(met(key(1, 1_000), [1; 16]), (false, false));
        assert_eq!(met(key(1, 1_000), [1; 16]), (false, true));
        assert_eq!(met(key(3, 7), [1; 16]), (false, false), "a digest is no number");
        assert!(known.was_met(&key(1, 8)) && !known.was_met(&key(1, 9)));
    }
}
