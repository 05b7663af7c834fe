//! What the columns under one heading are for: by its words, by the layout that it shows, by a mapping.

use std::collections::BTreeMap;

use dtsen_proto::{
    column::Column,
    record::RecordKind,
    rulebook::{Owner, Rulebook},
};

use crate::{
    clean::words::folded,
    layout::{
        find::Heading,
        heading::{Role, role_named},
    },
    preset::{self, Preset},
    value::Reading,
};

/// Columns of a table and what they are for.
pub struct Plan {
    /// The layout.
    pub preset: &'static Preset,
    /// What its rows describe.
    pub kind: RecordKind,
    /// Where each role stands.
    pub roles: BTreeMap<Role, usize>,
    /// Columns that are DTSEN's own, read by the rulebook.
    pub direct: Vec<Direct>,
    /// A BPS code of the village.
    pub bps: Option<usize>,
    /// The heading above each column.
    pub names: Vec<String>,
}

/// A column that is one of DTSEN's.
pub struct Direct {
    /// Its place.
    pub at: usize,
    /// Which one.
    pub column: Column,
    /// How its cells are read.
    pub reading: Reading,
}

impl Plan {
    /// The plan for a heading; `forced` is what the operator chose.
    pub fn of(heading: &Heading, family: bool, rulebook: &Rulebook, forced: Option<&'static Preset>) -> Self {
        let preset = forced.unwrap_or_else(|| preset::recognise(&heading.names));
        let kind = if family { RecordKind::Keluarga } else { RecordKind::Individu };
        let kind = preset.kind.filter(|_| !family).unwrap_or(kind);
        let mut plan = Self {
            preset,
            kind,
            roles: BTreeMap::new(),
            direct: Vec::new(),
            bps: None,
            names: heading.names.clone(),
        };
        for (at, name) in heading.names.iter().enumerate() {
            let folded = folded(name);
            let own = preset.columns.get(&folded).or_else(|| preset.columns.get(preset::question(&folded)?));
            match own.map(String::as_str) {
                Some("-") => {}
                Some("kode_desa_bps") => plan.bps = Some(at),
                Some(target) => match target.strip_prefix("kolom:") {
                    Some(column) => plan.direct(rulebook, at, column),
                    None => plan.role(at, role_named(target)),
                },
                None => match heading.roles.get(at).copied().flatten() {
                    Some(role) if role != Role::Lain && plan.takes(role) => plan.role(at, Some(role)),
                    _ => plan.direct(rulebook, at, &folded.replace(' ', "_")),
                },
            }
        }
        plan
    }

    /// Of families, what is a person's own is read as DTSEN's column if it is one.
    fn takes(&self, role: Role) -> bool {
        self.kind == RecordKind::Individu || !matches!(role, Role::Hubungan | Role::StatusKawin)
    }

    fn role(&mut self, at: usize, role: Option<Role>) {
        if let Some(role) = role {
            self.roles.entry(role).or_insert(at);
        }
    }

    fn direct(&mut self, rulebook: &Rulebook, at: usize, name: &str) {
        let Some(info) = rulebook.column_named(self.kind, name) else { return };
        let hub = rulebook.block(info.block).is_some_and(|block| block.owner == Owner::Hub);
        if !hub && self.direct.iter().all(|direct| direct.column != info.number) {
            self.direct.push(Direct { at, column: info.number, reading: Reading::of(rulebook, info) });
        }
    }

    /// The heading above the column with a role.
    pub fn name(&self, role: Role) -> Option<&str> {
        self.roles.get(&role).and_then(|at| self.names.get(*at)).map(String::as_str)
    }
}
