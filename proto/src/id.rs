//! Identifiers: of a record, of a batch, of a position in a chain.

use std::{fmt, str::FromStr};

use crate::region::Region;

/// Identity of a record: where the delta stood that created it.
///
/// Sixteen bytes, each part big-endian in four bytes, so ids sort by region, then age, and a replay gives the same ids.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId([u8; 16]);

impl RecordId {
    /// The id of the record created by delta `index` of the batch at `position`.
    pub fn new(position: Position, index: u32) -> Self {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&u32::from(position.region.number()).to_be_bytes());
        bytes[4..8].copy_from_slice(&position.epoch.to_be_bytes());
        bytes[8..12].copy_from_slice(&position.sequence.to_be_bytes());
        bytes[12..].copy_from_slice(&index.to_be_bytes());
        Self(bytes)
    }

    /// The id of the record that a delta creates, if it creates one.
    pub fn created_by(delta: DeltaRef) -> Self {
        Self::new(delta.position, delta.index)
    }

    /// The bytes, as stored and sent.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads the bytes of an id; `None` unless there are sixteen.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    fn part(self, at: usize) -> u32 {
        let bytes: [u8; 4] = self.0[at..at + 4].try_into().expect("four bytes of sixteen");
        u32::from_be_bytes(bytes)
    }

    /// Place of the creating delta in its batch.
    pub fn index(self) -> u32 {
        self.part(12)
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}-{}", self.part(0), self.part(4), self.part(8), self.part(12))
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Place of a batch: region, epoch and sequence. Never used twice.
///
/// A sequence has 32 bits inside an id; a region that sends a batch every second fills them in 136 years.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// The region whose chain it is.
    pub region: Region,
    /// Epoch, from 1.
    pub epoch: u32,
    /// Sequence inside the epoch, from 1; 0 stands before the first batch.
    pub sequence: u32,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.region, self.epoch, self.sequence)
    }
}

impl fmt::Debug for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One delta by its batch and place, as operators write it: `52.71/1/17/3`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DeltaRef {
    /// The batch.
    pub position: Position,
    /// Place of the delta in it, from 0.
    pub index: u32,
}

impl fmt::Display for DeltaRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.position, self.index)
    }
}

/// Why a text names no delta.
#[derive(Debug, thiserror::Error)]
#[error("a delta is named REGION/EPOCH/SEQUENCE/INDEX, for example 52.71/1/17/3")]
pub struct NotADeltaRef;

impl FromStr for DeltaRef {
    type Err = NotADeltaRef;

    fn from_str(text: &str) -> Result<Self, NotADeltaRef> {
        let mut parts = text.split('/');
        let mut next = || parts.next().ok_or(NotADeltaRef);
        let region = next()?.parse().map_err(|_| NotADeltaRef)?;
        let mut number = || -> Result<u32, NotADeltaRef> { next()?.parse().map_err(|_| NotADeltaRef) };
        let (epoch, sequence, index) = (number()?, number()?, number()?);
        if parts.next().is_some() {
            return Err(NotADeltaRef);
        }
        Ok(Self { position: Position { region, epoch, sequence }, index })
    }
}

/// Identity of a batch: SHA-256 of the pre-authentication encoding of its header, without the signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId([u8; 32]);

impl BatchId {
    /// What stands before the first batch of a region.
    pub const ZERO: Self = Self([0; 32]);

    /// Wraps a digest.
    pub const fn new(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// Reads the bytes of an id; `None` unless there are 32.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The digest.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0[..8]))
    }
}

impl fmt::Debug for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_by_age_inside_a_region() {
        let region = "52.71".parse().expect("a region");
        let at = |epoch, sequence| Position { region, epoch, sequence };
        let ids = [
            RecordId::new(at(1, 1), 0),
            RecordId::new(at(1, 1), 300),
            RecordId::new(at(1, 2), 0),
            RecordId::new(at(2, 1), 0),
        ];
        assert!(ids.is_sorted());
        assert_eq!(ids[1].to_string(), "5271-1-1-300");
        assert_eq!(RecordId::from_slice(ids[1].as_bytes()), Some(ids[1]));
    }

    #[test]
    fn a_delta_is_named_by_four_parts() {
        let delta: DeltaRef = "52.71/1/17/3".parse().expect("a delta");
        assert_eq!(delta.to_string(), "52.71/1/17/3");
        for wrong in ["52.71/1/17", "52.71/1/17/3/4", "x/1/1/1", "52.71/1/-1/3", ""] {
            assert!(wrong.parse::<DeltaRef>().is_err(), "{wrong}");
        }
    }
}
