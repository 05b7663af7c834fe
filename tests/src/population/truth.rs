//! What is wrong in a written file, said by who made it so.

use serde::{Deserialize, Serialize};

use super::faults::FaultKind;

/// Which file of the pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum File {
    /// The family file.
    Keluarga,
    /// The member file.
    Anggota,
}

/// Who can see a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SeenBy {
    /// The node that reads the file.
    Node,
    /// The hub alone, which knows other regions and earlier days.
    Hub,
}

/// One fault in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TruthEntry {
    /// What is wrong.
    pub kind: FaultKind,
    /// Region of the file: `52.71`.
    pub region: String,
    /// Family number in its population.
    pub family: u64,
    /// Index of the member, if a member's line is at fault.
    pub member: Option<usize>,
    /// The file.
    pub file: File,
    /// Line of the file as an editor counts: the header is line 1.
    pub line: u64,
    /// The right NIK of the member or No. KK of the family, whatever the line says.
    pub key: String,
    /// The column at fault; empty if the line is broken or stale as a whole.
    pub column: String,
    /// What was written there, bad bytes replaced.
    pub written: String,
    /// What belongs there; empty if the line is stale as a whole.
    pub right: String,
    /// Who can see it.
    pub seen_by: SeenBy,
    /// The reason code to expect.
    pub code: String,
    /// Whether the record goes on with a warning.
    pub warning: bool,
}

/// All faults of a written file, in order of family and member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// The faults.
    pub entries: Vec<TruthEntry>,
}

impl Truth {
    /// As JSON, for a file beside the pair.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("strings and numbers only")
    }

    /// Reads what `to_json` wrote.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text)
    }

    /// The faults of one kind.
    pub fn of(&self, kind: FaultKind) -> impl Iterator<Item = &TruthEntry> {
        self.entries.iter().filter(move |entry| entry.kind == kind)
    }
}
