//! The rulebook: the one body of checks that node and hub both run, and the tables it runs on.
//!
//! Columns, code lists, reasons and areas are data, because the instrument changes every year; the rules over
//! them are code. A record that passes at the node fails at the hub only for what the node cannot know.

use std::{
    borrow::Cow,
    sync::{Arc, LazyLock},
};

use crate::{
    column::{BlockNo, Column},
    record::{Delta, RecordKind},
};

mod bundle;
mod check;
mod family;
pub mod reason;
mod rules;
mod tables;
mod types;
mod wilayah;

pub use bundle::{Files, RulebookError};
use types::CodeList;
pub use types::{BlockInfo, CheckContext, ColumnInfo, Finding, Owner, Profile, ReasonInfo, Severity, Shape};
pub use wilayah::{Resolution, Wilayah};

/// The rulebook.
pub struct Rulebook {
    version: u32,
    edition: String,
    profiles: Vec<Profile>,
    blocks: Vec<BlockInfo>,
    columns: Vec<ColumnInfo>,
    /// Index in `columns` by number.
    column_at: Vec<Option<u16>>,
    names: Vec<(RecordKind, String, Column)>,
    lists: Vec<CodeList>,
    reasons: Vec<ReasonInfo>,
    wilayah: Wilayah,
    /// The bytes it was made from; none for the one that is built in.
    source: Option<Vec<u8>>,
}

static BUILTIN: LazyLock<Arc<Rulebook>> = LazyLock::new(|| {
    let built = Rulebook::from_files(Files::builtin(), None);
    Arc::new(built.expect("the built-in rulebook fits this code: a test reads it"))
});
static BUILTIN_BUNDLE: LazyLock<Vec<u8>> =
    LazyLock::new(|| Files::builtin().pack().expect("the built-in rulebook is below the limit"));

impl Rulebook {
    /// The rulebook that this program was built with.
    pub fn builtin() -> Arc<Self> {
        Arc::clone(&BUILTIN)
    }

    /// The bundle of the built-in rulebook.
    pub fn builtin_bundle() -> Vec<u8> {
        BUILTIN_BUNDLE.clone()
    }

    /// Reads a bundle. The caller has verified the hub's signature over its digest.
    pub fn from_bundle(bytes: &[u8]) -> Result<Self, RulebookError> {
        Self::from_files(Files::unpack(bytes)?, Some(bytes.to_vec()))
    }

    /// The exact bytes that it was made from.
    pub fn packed(&self) -> &[u8] {
        self.source.as_deref().unwrap_or(&BUILTIN_BUNDLE)
    }

    fn from_files(files: Files, source: Option<Vec<u8>>) -> Result<Self, RulebookError> {
        let (version, edition, profiles) = tables::main(&files.rulebook)?;
        let lists = tables::codes(&files.codes)?;
        let reasons = tables::reasons(&files.reasons)?;
        let (blocks, columns, names) = tables::columns(&files.columns, &lists)?;
        let unknown =
            profiles.iter().flat_map(|p| &p.blocks).find(|no| !blocks.iter().any(|b| b.number == **no));
        if let Some(unknown) = unknown {
            return Err(RulebookError::Inconsistent(format!("rulebook.toml: no block {}", unknown.0)));
        }
        let mut wilayah = Wilayah::parse(files.wilayah)?;
        if let Some(bridge) = &files.bridge {
            wilayah = wilayah.with_bridge(bridge)?;
        }
        let highest = columns.last().map_or(0, |c| usize::from(c.number.0));
        let mut column_at = vec![None; highest + 1];
        for (at, column) in columns.iter().enumerate() {
            column_at[usize::from(column.number.0)] = u16::try_from(at).ok();
        }
        Ok(Self {
            version,
            edition,
            profiles,
            blocks,
            columns,
            column_at,
            names,
            lists,
            reasons,
            wilayah,
            source,
        })
    }

    /// Its number; the hub counts.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The instrument that its code lists follow.
    pub fn edition(&self) -> &str {
        &self.edition
    }

    /// A column.
    pub fn column(&self, column: Column) -> Option<&ColumnInfo> {
        let at = (*self.column_at.get(usize::from(column.0))?)?;
        self.columns.get(usize::from(at))
    }

    /// The column with this name or alias, whatever the case and the blanks around it.
    pub fn column_named(&self, kind: RecordKind, name: &str) -> Option<&ColumnInfo> {
        let name = name.trim().to_lowercase();
        let wanted = (kind, name.as_str());
        let at = self.names.binary_search_by(|(k, n, _)| (*k, n.as_str()).cmp(&wanted)).ok()?;
        self.column(self.names[at].2)
    }

    /// The columns of a kind of record, by number.
    pub fn columns(&self, kind: RecordKind) -> impl Iterator<Item = &ColumnInfo> {
        self.columns.iter().filter(move |c| c.kind == kind)
    }

    /// A block.
    pub fn block(&self, block: BlockNo) -> Option<&BlockInfo> {
        self.blocks.binary_search_by_key(&block, |b| b.number).ok().map(|at| &self.blocks[at])
    }

    /// The blocks of a kind of record, by number.
    pub fn blocks(&self, kind: RecordKind) -> impl Iterator<Item = &BlockInfo> {
        self.blocks.iter().filter(move |b| b.kind == kind)
    }

    /// The codes of a column with their Indonesian labels; empty if it holds no codes.
    pub fn codes(&self, column: Column) -> &[(i64, String)] {
        match self.column(column).map(|c| c.shape) {
            Some(Shape::Code(list)) => &self.lists[usize::from(list)].codes,
            _ => &[],
        }
    }

    /// Indonesian label of a code.
    pub fn label(&self, column: Column, code: i64) -> Option<&str> {
        let codes = self.codes(column);
        codes.binary_search_by_key(&code, |(c, _)| *c).ok().map(|at| codes[at].1.as_str())
    }

    /// Whether the column has such a code.
    pub fn is_code(&self, column: Column, code: i64) -> bool {
        self.label(column, code).is_some()
    }

    /// Name of the code list of a column.
    pub fn list_name(&self, column: Column) -> Option<&str> {
        match self.column(column)?.shape {
            Shape::Code(list) => Some(&self.lists[usize::from(list)].name),
            _ => None,
        }
    }

    /// A reason of the catalogue.
    pub fn reason(&self, code: &str) -> Option<&ReasonInfo> {
        self.reasons.binary_search_by(|r| r.code.as_str().cmp(code)).ok().map(|at| &self.reasons[at])
    }

    /// Every reason of the catalogue, by code.
    pub fn reasons(&self) -> &[ReasonInfo] {
        &self.reasons
    }

    /// A finding with the severity that the catalogue gives it.
    pub fn finding(&self, code: &'static str, column: Option<Column>) -> Finding {
        // Loading refuses a catalogue without one of `reason::ALL`; another code is a mistake that must not pass.
        let severity = self.reason(code).map_or(Severity::Error, |r| r.severity);
        Finding { reason: Cow::Borrowed(code), severity, column }
    }

    /// The blocks that a slice of this profile may hold.
    pub fn profile(&self, name: &str) -> Option<&Profile> {
        self.profiles.iter().find(|p| p.name == name)
    }

    /// Kemendagri's areas.
    pub fn wilayah(&self) -> &Wilayah {
        &self.wilayah
    }

    /// Everything that one record by itself tells: sorted, without doubles, the same for the same arguments.
    pub fn check(&self, delta: &Delta, ctx: &CheckContext) -> Vec<Finding> {
        let mut found = Findings { book: self, found: Vec::new() };
        check::delta(&mut found, delta, *ctx);
        let mut found = found.found;
        found.sort_unstable_by(|a, b| (a.column, &a.reason).cmp(&(b.column, &b.reason)));
        found.dedup();
        found
    }

    /// What a family and its members tell together, all warnings: 0 is the family, `n` is `members[n - 1]`.
    ///
    /// The caller gives the family as it is known to be complete. `_ctx` is there so that a rule that needs the
    /// day does not change every caller.
    pub fn check_family(
        &self,
        family: Option<&Delta>,
        members: &[&Delta],
        _ctx: &CheckContext,
    ) -> Vec<(usize, Finding)> {
        let mut found = family::check(self, family, members);
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Collects findings.
struct Findings<'a> {
    book: &'a Rulebook,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, code: &'static str, column: impl Into<Option<Column>>) {
        self.found.push(self.book.finding(code, column.into()));
    }
}

#[cfg(test)]
mod tests;
