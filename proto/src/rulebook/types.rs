//! What the rulebook's tables hold, and what its checks say.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::{
    column::{BlockNo, Column},
    record::{Day, RecordKind},
    region::Region,
};

/// What a finding does to a record, mildest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Told, nothing to do.
    Notice,
    /// Applied, and told.
    Warning,
    /// Kept but not shown, until somebody acts.
    Hold,
    /// Not applied.
    Error,
}

/// Something to tell about a record. Never holds a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Finding {
    /// Code in the catalogue of reasons.
    pub reason: Cow<'static, str>,
    /// As the catalogue has it.
    pub severity: Severity,
    /// The column concerned, if it is one.
    pub column: Option<Column>,
}

impl Finding {
    /// The gravest severity of several findings.
    pub fn worst(findings: &[Self]) -> Option<Severity> {
        findings.iter().map(|f| f.severity).max()
    }
}

/// Who decides the values of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Owner {
    /// The civil registry; a region's value is a claim.
    Dukcapil,
    /// The region of domicile.
    Region,
    /// The electricity company.
    Pln,
    /// The health insurance.
    Bpjs,
    /// The hub alone.
    Hub,
}

/// What a column may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// Any text.
    Text,
    /// A code of the list at this index; see [`super::Rulebook::codes`].
    Code(u16),
    /// A number from 0.
    Count {
        /// The largest that is believed.
        max: i64,
    },
    /// Days since 1970-01-01.
    Date,
    /// A NIK.
    Nik,
    /// A No. KK.
    Kk,
    /// A Kemendagri area code with dots, as text.
    Area,
    /// The digits of a BPS code, as text.
    Bps,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnInfo {
    /// Its number.
    pub number: Column,
    /// The name that DTSEN gives it.
    pub name: String,
    /// The record it belongs to.
    pub kind: RecordKind,
    /// The block it stands in.
    pub block: BlockNo,
    /// What it may hold.
    pub shape: Shape,
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockInfo {
    /// Its number.
    pub number: BlockNo,
    /// Its name.
    pub name: String,
    /// The record it belongs to.
    pub kind: RecordKind,
    /// Who decides it.
    pub owner: Owner,
    /// Specific personal data of UU 27/2022: health and disability.
    pub spesifik: bool,
}

/// A reason as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonInfo {
    /// Its code.
    pub code: String,
    /// What it does to a record.
    pub severity: Severity,
    /// What is wrong, in Indonesian.
    pub text_id: String,
    /// What is wrong, in English.
    pub text_en: String,
    /// What to do, in Indonesian.
    pub fix_id: String,
    /// What to do, in English.
    pub fix_en: String,
}

/// The blocks that a slice for some purpose may hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: String,
    /// Its blocks.
    pub blocks: Vec<BlockNo>,
}

impl Profile {
    /// Whether the block may be in such a slice.
    pub fn holds(&self, block: BlockNo) -> bool {
        self.blocks.contains(&block)
    }
}

/// A code list, sorted by code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CodeList {
    pub(super) name: String,
    pub(super) codes: Vec<(i64, String)>,
}

/// What a check must know besides the record.
#[derive(Debug, Clone, Copy)]
pub struct CheckContext {
    /// The region that sends.
    pub region: Region,
    /// The day of custody, or of the import.
    pub today: Day,
}
