//! A record as the hub keeps it: where it lived when, and what every source says of it.

use dtsen_proto::{
    id::{DeltaRef, RecordId},
    record::{Block, Day, RecordKind},
    region::Region,
};

use super::claim::Claim;

/// Domicile from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// Where.
    pub region: Region,
    /// From this day, until the next stay begins.
    pub from: Day,
}

/// Beginning of the first stay: before every day, as nobody knows better.
pub const ALWAYS: Day = Day(i32::MIN);

/// Which half of a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The region that lets the record go.
    Out,
    /// The region that takes it.
    In,
}

/// One half of a move that waits for the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Half {
    /// Which half.
    pub direction: Direction,
    /// The delta that is held.
    pub delta: DeltaRef,
    /// The region at the other end.
    pub other: Region,
    /// The day that this half names.
    pub day: Day,
    /// What an incoming half states; becomes claims when the move is complete.
    pub blocks: Vec<Block>,
}

/// A family or a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Identity, for ever.
    pub id: RecordId,
    /// Family or person.
    pub kind: RecordKind,
    /// Domiciles, oldest first; never empty.
    pub stays: Vec<Stay>,
    /// What every source says, by (block, region, source).
    pub claims: Vec<Claim>,
    /// Halves of moves that wait.
    pub halves: Vec<Half>,
}

impl Record {
    /// A record that nobody knew; its first assignment to a region is part of the batch's recorded verdicts.
    pub fn new(id: RecordId, kind: RecordKind, region: Region) -> Self {
        Self { id, kind, stays: vec![Stay { region, from: ALWAYS }], claims: Vec::new(), halves: Vec::new() }
    }

    /// Where the record lives now.
    pub fn domicile(&self) -> Region {
        self.stays.last().expect("a record always has a domicile").region
    }

    /// Where the record lived on a day.
    pub fn domicile_on(&self, day: Day) -> Region {
        let stay = self.stays.iter().rev().find(|s| s.from <= day).or(self.stays.first());
        stay.expect("a record always has a domicile").region
    }

    /// Moves the record. A day before the last move counts as that day, so that stays stay in order.
    pub fn settle(&mut self, region: Region, day: Day) {
        let from = self.stays.last().map_or(day, |last| last.from.max(day));
        self.stays.push(Stay { region, from });
    }
}
