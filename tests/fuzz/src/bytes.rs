//! Numbers and hashes taken from the front of an input.

/// What is left of an input.
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    /// So many bytes; zeros where the input ended.
    pub fn take<const N: usize>(&mut self) -> [u8; N] {
        let (front, rest) = self.0.split_at(self.0.len().min(N));
        self.0 = rest;
        let mut taken = [0; N];
        taken[..front.len()].copy_from_slice(front);
        taken
    }

    /// A number of 64 bits.
    pub fn number(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    /// All that is left, in pieces of one hash.
    pub fn hashes(&mut self) -> Vec<[u8; 32]> {
        let mut hashes = Vec::new();
        while !self.0.is_empty() {
            hashes.push(self.take());
        }
        hashes
    }
}
