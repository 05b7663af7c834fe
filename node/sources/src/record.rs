//! What a row says once it is understood.

use std::{collections::BTreeMap, sync::Arc};

use dtsen_proto::{
    column::{self, BlockNo, Column},
    record::{Action, Day, Delta, Provenance, RecordKind, Value},
    rulebook::Rulebook,
};

use crate::read::text::Broken;

/// Blocks that say who and where somebody is: of today, whenever the others were asked. 22 is the address of the KTP.
const OF_TODAY: [BlockNo; 5] =
    [column::K_IDENTITAS, column::K_DOMISILI, column::I_IDENTITAS, BlockNo(22), column::I_DOMISILI];

/// Presence that makes a member: living with the family, or new in it (Regsosek 404).
const PRESENT: [i64; 2] = [1, 5];

/// A person or a family as a source states it, in DTSEN's columns.
#[derive(Debug, Clone)]
pub struct Record {
    /// The sheet or table.
    pub sheet: Option<Arc<str>>,
    /// The row in it, or the line in the file, from 1.
    pub row: u64,
    /// What it describes.
    pub kind: RecordKind,
    /// Its values.
    pub values: BTreeMap<Column, Value>,
    /// Three digits.
    pub rt: Option<String>,
    /// Three digits.
    pub rw: Option<String>,
    /// Kemendagri code of the village, with dots.
    pub village: Option<Arc<str>>,
    /// The day of the interview that its answers are of, if it says one.
    pub asked: Option<Day>,
    /// What is to be told.
    pub told: Vec<Told>,
}

/// Something to be told of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Code in the catalogue of reasons.
    pub code: &'static str,
    /// The DTSEN column.
    pub column: Option<Column>,
    /// The column as the source names it.
    pub heading: Option<String>,
    /// Why the row has no cells.
    pub broken: Option<Broken>,
    /// What is certain of a number that lost its last digit: the first fifteen, for whoever looks for the person.
    pub prefix: Option<String>,
}

impl Record {
    /// Tells something of a column.
    pub fn tell(&mut self, code: &'static str, column: Option<Column>, heading: Option<&str>) {
        let told = Told { code, column, heading: heading.map(str::to_owned), broken: None, prefix: None };
        if !self.told.contains(&told) {
            self.told.push(told);
        }
    }

    /// Whether something was told of it.
    pub fn is_told(&self, code: &str) -> bool {
        self.told.iter().any(|told| told.code == code)
    }

    /// Whether somebody is there: nothing says otherwise.
    pub fn is_present(&self) -> bool {
        self.number(column::I_KEBERADAAN).is_none_or(|there| PRESENT.contains(&there))
    }

    /// A code of a list.
    pub fn number(&self, column: Column) -> Option<i64> {
        match self.values.get(&column) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// A text.
    pub fn text(&self, column: Column) -> Option<&str> {
        match self.values.get(&column) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// States a text, unless it is empty.
    pub fn say(&mut self, column: Column, text: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.values.insert(column, Value::Text(text.into()));
        }
    }

    /// What it claims, without salt and without the hub's id.
    pub fn delta(&self, rulebook: &Rulebook, provenance: &Provenance) -> Delta {
        let mut delta = delta(self.kind, &self.values, rulebook, provenance);
        if let Some(asked) = self.asked {
            let answers = delta.blocks.iter_mut().filter(|block| !OF_TODAY.contains(&block.number));
            answers.for_each(|block| block.provenance.reference = asked);
        }
        delta
    }
}

/// What these values claim of a record, without salt and without the hub's id.
pub fn delta(
    kind: RecordKind,
    values: &BTreeMap<Column, Value>,
    rulebook: &Rulebook,
    provenance: &Provenance,
) -> Delta {
    let mut delta = Delta::new(kind, Action::Upsert, Vec::new());
    for (column, value) in values {
        let Some(info) = rulebook.column(*column) else { continue };
        delta.block_mut(info.block, provenance).cells.push((*column, value.clone()));
    }
    delta
}
