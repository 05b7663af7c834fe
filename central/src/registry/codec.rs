//! Bytes of a record in the store. The same record always has the same bytes: its hash is the hash of them.

use dtsen_proto::{
    column::BlockNo,
    id::{DeltaRef, Position, RecordId},
    pb,
    record::{Block, Day, RecordKind},
    region::Region,
};
use prost::Message as _;
use sha2::{Digest, Sha256};

use super::{
    claim::{Cell, Claim, Stamp},
    record::{Direction, Half, Record, Stay},
};

mod write;

pub use self::write::encode;

/// The form that is read; [`encode`] writes the same without making it first.
#[derive(Clone, PartialEq, prost::Message)]
struct Stored {
    #[prost(bytes = "vec", tag = "1")]
    id: Vec<u8>,
    #[prost(enumeration = "pb::RecordKind", tag = "2")]
    kind: i32,
    #[prost(message, repeated, tag = "3")]
    stays: Vec<StoredStay>,
    #[prost(message, repeated, tag = "4")]
    claims: Vec<StoredClaim>,
    #[prost(message, repeated, tag = "5")]
    halves: Vec<StoredHalf>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct StoredStay {
    #[prost(uint32, tag = "1")]
    region: u32,
    #[prost(sint32, tag = "2")]
    from: i32,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
struct StoredStamp {
    #[prost(sint32, tag = "1")]
    reference: i32,
    #[prost(uint32, tag = "2")]
    epoch: u32,
    #[prost(uint32, tag = "3")]
    sequence: u32,
    #[prost(uint32, tag = "4")]
    index: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredClaim {
    #[prost(uint32, tag = "1")]
    region: u32,
    /// Values; the reference day in its provenance is not used.
    #[prost(message, optional, tag = "2")]
    block: Option<pb::Block>,
    /// Most claims come whole in one delta: one stamp. Otherwise one more for every change of stamp.
    #[prost(message, repeated, tag = "3")]
    stamps: Vec<StoredStamp>,
    /// For each cell in ascending order of columns its stamp's place, left out while there is one stamp.
    #[prost(uint32, repeated, tag = "4")]
    which: Vec<u32>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct StoredHalf {
    #[prost(bool, tag = "1")]
    incoming: bool,
    #[prost(uint32, tag = "2")]
    region: u32,
    #[prost(uint32, tag = "3")]
    epoch: u32,
    #[prost(uint32, tag = "4")]
    sequence: u32,
    #[prost(uint32, tag = "5")]
    index: u32,
    #[prost(uint32, tag = "6")]
    other: u32,
    #[prost(sint32, tag = "7")]
    day: i32,
    #[prost(message, repeated, tag = "8")]
    blocks: Vec<pb::Block>,
}

/// Stored bytes that are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored bytes are no record ({0})")]
pub struct NotARecord(&'static str);

/// Hash of a stored record.
pub fn hash(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Reads stored bytes.
pub fn decode(bytes: &[u8]) -> Result<Record, NotARecord> {
    let stored = Stored::decode(bytes).map_err(|_| NotARecord("protobuf"))?;
    let stays: Vec<Stay> = stored
        .stays
        .iter()
        .map(|s| Ok(Stay { region: region(s.region)?, from: Day(s.from) }))
        .collect::<Result<_, _>>()?;
    if stays.is_empty() {
        return Err(NotARecord("no domicile"));
    }
    Ok(Record {
        id: RecordId::from_slice(&stored.id).ok_or(NotARecord("id"))?,
        kind: RecordKind::from_wire(stored.kind).ok_or(NotARecord("kind"))?,
        stays,
        claims: stored.claims.into_iter().map(claim_in).collect::<Result<_, _>>()?,
        halves: stored.halves.into_iter().map(half_in).collect::<Result<_, _>>()?,
    })
}

fn region(number: u32) -> Result<Region, NotARecord> {
    Region::from_number(number).ok_or(NotARecord("region"))
}

fn block_in(block: pb::Block) -> Result<Block, NotARecord> {
    Block::from_wire(block).map_err(|_| NotARecord("block"))
}

fn claim_in(stored: StoredClaim) -> Result<Claim, NotARecord> {
    let block = block_in(stored.block.ok_or(NotARecord("block"))?)?;
    let stamps: Vec<Stamp> = stored
        .stamps
        .iter()
        .map(|s| Stamp { reference: Day(s.reference), epoch: s.epoch, sequence: s.sequence, index: s.index })
        .collect();
    let mut cells = Vec::with_capacity(block.cells.len());
    for (at, (column, value)) in block.cells.into_iter().enumerate() {
        let which = stored.which.get(at).copied().unwrap_or(0) as usize;
        let stamp = *stamps.get(which).ok_or(NotARecord("stamp"))?;
        cells.push(Cell { column, value, stamp });
    }
    let number: BlockNo = block.number;
    Ok(Claim { block: number, region: region(stored.region)?, source: block.provenance.source, cells })
}

fn half_in(stored: StoredHalf) -> Result<Half, NotARecord> {
    let position =
        Position { region: region(stored.region)?, epoch: stored.epoch, sequence: stored.sequence };
    Ok(Half {
        direction: if stored.incoming { Direction::In } else { Direction::Out },
        delta: DeltaRef { position, index: stored.index },
        other: region(stored.other)?,
        day: Day(stored.day),
        blocks: stored.blocks.into_iter().map(block_in).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests;
