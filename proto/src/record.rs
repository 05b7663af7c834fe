//! Records, as deltas change them: blocks of columns with their provenance.

use compact_str::CompactString;
use jiff::civil::Date;

use crate::{
    column::{self, BlockNo, Column},
    id::{DeltaRef, Position, RecordId},
    limits::MAX_SOURCE_BYTES,
    region::Region,
};

/// What a record describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A family.
    Keluarga,
    /// A person.
    Individu,
}

impl RecordKind {
    /// The block that identifies such a record: its number, its name.
    pub fn identity(self) -> BlockNo {
        match self {
            Self::Keluarga => column::K_IDENTITAS,
            Self::Individu => column::I_IDENTITAS,
        }
    }
}

/// What a delta does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Claims for the blocks given.
    Upsert,
    /// The source no longer holds the record: its claims are withdrawn, nobody is retired.
    Gone,
    /// The domicile leaves this region.
    MoveOut,
    /// The domicile enters this region.
    MoveIn,
}

/// A text of the registry. Up to 24 bytes of it, as most names and every number have, stand in the value itself: a batch has
/// ten of them in every delta.
pub type Text = CompactString;

/// Value of a column. A column that is absent keeps what it had.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A code, a count, or a date as days since 1970-01-01.
    Number(i64),
    /// Text as the source wrote it, without outer blanks.
    Text(Text),
    /// The source says that there is no value.
    Cleared,
    /// A raw value that no code list explains.
    Unmapped(Text),
}

/// Values are personal data: only their kind is printed.
impl std::fmt::Debug for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Number(_) => "Number(••••)",
            Self::Text(_) => "Text(••••)",
            Self::Cleared => "Cleared",
            Self::Unmapped(_) => "Unmapped(••••)",
        })
    }
}

/// Where the values of a block come from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Provenance {
    /// Short name of the source inside its region, `[a-z0-9-]{1,32}`.
    pub source: Text,
    /// The day that the data describes.
    pub reference: Day,
}

/// Whether a text may be the short name of a source.
pub fn is_source_name(text: &str) -> bool {
    (1..=MAX_SOURCE_BYTES).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// A day, as days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Western Indonesian time, in which a day of custody is counted: UTC+7.
const WIB_MS: i64 = 7 * 3_600_000;

impl Day {
    /// The day of a date.
    pub fn from_date(date: Date) -> Self {
        let span = date.duration_since(jiff::civil::date(1970, 1, 1));
        Self(i32::try_from(span.as_hours() / 24).expect("a civil date is within five million days"))
    }

    /// The date of this day; `None` outside the years -9999 to 9999.
    pub fn date(self) -> Option<Date> {
        jiff::civil::date(1970, 1, 1)
            .checked_add(jiff::SignedDuration::from_hours(i64::from(self.0) * 24))
            .ok()
    }

    /// The day, in western Indonesia, of a time in milliseconds since 1970 UTC.
    pub fn of_ms(ms: i64) -> Self {
        Self(i32::try_from((ms + WIB_MS).div_euclid(DAY_MS)).unwrap_or(i32::MAX))
    }
}

/// The columns that one owner decides, as one source states them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Which block.
    pub number: BlockNo,
    /// Where the values come from.
    pub provenance: Provenance,
    /// The columns stated, in ascending order; this set is the field mask.
    pub cells: Vec<(Column, Value)>,
}

impl Block {
    /// Value of a column, if stated.
    pub fn get(&self, column: Column) -> Option<&Value> {
        self.cells.binary_search_by_key(&column, |(c, _)| *c).ok().map(|at| &self.cells[at].1)
    }
}

/// One half of a move between regions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// The region at the other end.
    pub other: Region,
    /// The day of the move.
    pub day: Day,
}

/// An earlier delta of the same region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answered {
    /// Epoch of its batch.
    pub epoch: u32,
    /// Sequence of its batch.
    pub sequence: u32,
    /// Its place in the batch.
    pub index: u32,
}

impl Answered {
    /// The delta, by the region that both are of.
    pub fn of(self, region: Region) -> DeltaRef {
        let position = Position { region, epoch: self.epoch, sequence: self.sequence };
        DeltaRef { position, index: self.index }
    }
}

/// One change of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// Random bytes that keep a leaf hash from telling anything.
    pub salt: [u8; 16],
    /// What the record describes.
    pub kind: RecordKind,
    /// What the delta does.
    pub action: Action,
    /// The hub's id, once the node knows it.
    pub record: Option<RecordId>,
    /// Blocks in ascending order.
    pub blocks: Vec<Block>,
    /// For the halves of a move.
    pub transfer: Option<Move>,
    /// The held delta of the same region that this one takes the place of.
    pub answers: Option<Answered>,
}

impl Delta {
    /// A change that says no more than this: without salt, of a record that has no id.
    pub fn new(kind: RecordKind, action: Action, blocks: Vec<Block>) -> Self {
        Self { salt: [0; 16], kind, action, record: None, blocks, transfer: None, answers: None }
    }

    /// A block, if stated.
    pub fn block(&self, number: BlockNo) -> Option<&Block> {
        self.blocks.iter().find(|b| b.number == number)
    }

    /// Value of a column in whichever block states it.
    pub fn get(&self, column: Column) -> Option<&Value> {
        self.blocks.iter().find_map(|b| b.get(column))
    }

    /// A number (code, count or day), if stated as one.
    pub fn number(&self, column: Column) -> Option<i64> {
        match self.get(column)? {
            Value::Number(n) => Some(*n),
            _ => None,
        }
    }

    /// A text, if stated as one.
    pub fn text(&self, column: Column) -> Option<&str> {
        match self.get(column)? {
            Value::Text(t) => Some(t),
            _ => None,
        }
    }

    /// The block of this number, added if it is not stated.
    pub fn block_mut(&mut self, number: BlockNo, provenance: &Provenance) -> &mut Block {
        let blocks = &mut self.blocks;
        let at = blocks.binary_search_by_key(&number, |block| block.number).unwrap_or_else(|at| {
            blocks.insert(at, Block { number, provenance: provenance.clone(), cells: Vec::new() });
            at
        });
        &mut blocks[at]
    }

    /// Puts a block's columns in place of what was stated of them.
    pub fn state(&mut self, block: &Block) {
        let own = self.block_mut(block.number, &block.provenance);
        own.provenance = block.provenance.clone();
        for (column, value) in &block.cells {
            match own.cells.binary_search_by_key(column, |(c, _)| *c) {
                Ok(at) => own.cells[at].1 = value.clone(),
                Err(at) => own.cells.insert(at, (*column, value.clone())),
            }
        }
    }

    /// The number under which the field knows the record: NIK of a person, No. KK of a family.
    pub fn natural_key(&self) -> Option<&str> {
        self.text(match self.kind {
            RecordKind::Keluarga => column::K_NOMOR_KARTU_KELUARGA,
            RecordKind::Individu => column::I_NIK,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree() {
        let date = jiff::civil::date(2026, 11, 22);
        assert_eq!(Day::from_date(date).date(), Some(date));
        assert_eq!(Day::from_date(jiff::civil::date(1969, 12, 31)), Day(-1));
        assert_eq!(Day::of_ms(0), Day(0));
        assert_eq!(Day::of_ms(17 * 3_600_000), Day(1), "midnight in Jakarta");
    }

    #[test]
    fn a_sources_name_is_short_and_plain() {
        for good in ["dtsen", "sekolah-2026", "-", "a234567890123456789012345678901b"] {
            assert!(is_source_name(good), "{good}");
        }
        for wrong in ["", "DTSEN", "a b", "a_b", "dinas/sosial", "é", "a234567890123456789012345678901bc"] {
            assert!(!is_source_name(wrong), "{wrong}");
        }
    }

    #[test]
    fn printing_a_value_shows_nothing_of_it() {
        let printed = format!("{:?}", Value::Text("SITI".into()));
        assert!(!printed.contains("SITI"));
    }
}
