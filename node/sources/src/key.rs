//! Under what a row is compared with the last delivery.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A key in a table of 16-byte keys.
pub type KeyBytes = [u8; 16];

/// First byte of a key without a number.
const DIGEST: u8 = 3;

/// Whether a key is a number: a NIK or a No. KK.
pub fn is_number(key: &KeyBytes) -> bool {
    key[0] != DIGEST
}

/// Key of a row inside its file, stable from one delivery to the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RowKey {
    /// The NIK of a person.
    Nik(u64),
    /// The No. KK of a family.
    Kk(u64),
    /// Of a person without a sound NIK: No. KK, name and birth date. Of a family without a sound No. KK: head and
    /// address. Of a broken row: its bytes.
    Digest([u8; 15]),
}

impl RowKey {
    /// The key for a table of 16-byte keys.
    pub fn to_bytes(self) -> KeyBytes {
        let mut bytes = [0; 16];
        match self {
            Self::Nik(number) | Self::Kk(number) => {
                bytes[0] = if matches!(self, Self::Nik(_)) { 1 } else { 2 };
                bytes[8..].copy_from_slice(&number.to_be_bytes());
            }
            Self::Digest(digest) => {
                bytes[0] = DIGEST;
                bytes[1..].copy_from_slice(&digest);
            }
        }
        bytes
    }

    /// Of a row without a number of its own.
    pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new_with_prefix(b"dtsen row key");
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let mut digest = [0; 15];
        digest.copy_from_slice(&hash.finalize()[..15]);
        Self::Digest(digest)
    }
}

/// Numbers are personal data: only their kind is printed.
impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nik(_) => "Nik(••••)",
            Self::Kk(_) => "Kk(••••)",
            Self::Digest(_) => "Digest",
        })
    }
}
