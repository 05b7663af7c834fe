//! Mappings: layouts that a region writes itself. What is wrong in one is told with its line.

mod fits;
mod wrong;

use std::{collections::BTreeMap, sync::Arc};

use dtsen_proto::{
    record::{RecordKind, is_source_name},
    rulebook::Rulebook,
};

pub use fits::Misfit;
pub use wrong::{MappingError, WrongMapping};
use wrong::{Place, line};

use crate::{
    clean::{
        address,
        words::{self, folded},
    },
    derive::{DeriveError, bare},
    layout::{
        heading::{Names, Role, role_named, role_of},
        spelling::is_who,
    },
    person::is_crosswalk,
    preset::{self, Preset, Skip},
    value,
};

/// The identity of what a region lists itself, alone or with `-` and a word of its own behind it.
const LOCAL: &str = "lokal";
/// Bytes of the longest mapping that is read. That of a questionnaire with 138 columns has 10 KB.
pub const MAX_BYTES: u64 = 256 << 10;
/// DTSEN's columns of who somebody is, and their roles: as such they are cleaned and compared with each other, however a
/// mapping calls them.
const WHO: [(&str, &str); 4] = [
    ("kolom:nomor_induk_kependudukan", "nik"),
    ("kolom:nomor_kartu_keluarga", "no_kk"),
    ("kolom:nama", "nama"),
    ("kolom:tanggal_lahir", "tanggal_lahir"),
];
/// Characters of a village's Kemendagri code, with dots.
const VILLAGE: usize = 13;

/// What is wrong, and where it stands.
type Checked = Result<(), (MappingError, Place)>;

impl Preset {
    /// Reads a mapping: a layout that a region wrote itself.
    pub fn mapping(text: &str, rulebook: &Rulebook) -> Result<Self, WrongMapping> {
        let mut mapping: Self = toml::from_str(text).map_err(|error| WrongMapping::form(&error, text))?;
        mapping.own = true;
        let told = |(cause, place)| WrongMapping { line: line(text, &place), cause };
        mapping.identity().map_err(told)?;
        mapping.fold(rulebook).map_err(told)?;
        let constants = &mapping.constants;
        constants.iter().try_for_each(|(role, text)| constant(role, text, rulebook)).map_err(told)?;
        (0..).zip(&mapping.skip).try_for_each(|(at, skip)| skipping(at, skip)).map_err(told)?;
        mapping.derives(rulebook).map_err(told)?;
        mapping.all_tables().map_err(told)?;
        Ok(mapping)
    }

    /// By the identity the hub weighs what a source says: nobody takes one that there is not, or the civil registry's.
    fn identity(&self) -> Checked {
        let known = preset::all().iter().any(|preset| preset.source == self.source);
        if known || (is_local(&self.source) && is_source_name(&self.source)) {
            return Ok(());
        }
        Err((MappingError::Identity { claimed: self.source.clone() }, Place::Top("source")))
    }

    /// Headings and words in the form in which they are compared.
    fn fold(&mut self, rulebook: &Rulebook) -> Checked {
        let mut columns = BTreeMap::new();
        for (heading, target) in std::mem::take(&mut self.columns) {
            let place = Place::Key("columns", heading.clone());
            let target = as_role(target);
            if !is_target(&target, rulebook) {
                return Err((MappingError::Target { heading, target }, place));
            }
            if columns.insert(folded(&heading), target).is_some() {
                return Err((MappingError::Twice(heading), place));
            }
        }
        self.columns = columns;
        for table in self.tables.values_mut() {
            let mut words = BTreeMap::new();
            for (word, code) in std::mem::take(table) {
                if words.insert(folded(&word), code).is_some_and(|other| other != code) {
                    return Err((MappingError::WordTwice(word), Place::Top("tables")));
                }
            }
            *table = words;
        }
        Ok(())
    }

    /// Looks at the columns that are made out of others, and compiles their expressions.
    fn derives(&mut self, rulebook: &Rulebook) -> Checked {
        let mut targets: Vec<String> = Vec::new();
        for (number, derive) in (1..).zip(&mut self.derive) {
            derive.target = as_role(std::mem::take(&mut derive.target));
            let target = derive.target.clone();
            let name = bare(&target);
            let same = self.columns.iter().find(|(_, other)| bare(other) == name);
            let checked = if matches!(name, "-" | "lain") || !is_target(&target, rulebook) {
                Err(DeriveError::Target)
            } else if let Some((heading, _)) = same {
                Err(DeriveError::Column(heading.clone()))
            } else if targets.iter().any(|other| bare(other) == name && *other != target) {
                Err(DeriveError::OtherTable)
            } else {
                derive.prepare()
            };
            let wrong = |cause| MappingError::Derive { number, target: target.clone(), cause };
            checked.map_err(|cause| (wrong(cause), Place::Item("derive", number - 1)))?;
            targets.push(target);
        }
        Ok(())
    }

    fn all_tables(&self) -> Checked {
        for (heading, target) in &self.columns {
            self.has_table(target).map_err(|error| (error, Place::Key("columns", heading.clone())))?;
        }
        for (at, derive) in (0..).zip(&self.derive) {
            self.has_table(&derive.target).map_err(|error| (error, Place::Item("derive", at)))?;
        }
        Ok(())
    }

    /// Whether there is the table that stands behind a target; a role knows only those of the mapping.
    fn has_table(&self, target: &str) -> Result<(), MappingError> {
        let Some((name, table)) = target.split_once('@') else { return Ok(()) };
        let built_in = name.starts_with("kolom:") && is_crosswalk(table);
        if built_in || self.tables.contains_key(table) {
            return Ok(());
        }
        Err(MappingError::Table { target: target.to_owned(), table: table.to_owned() })
    }

    /// The headings that it knows by itself.
    pub fn names(&self) -> Arc<Names> {
        let roles = self.columns.iter().map(|(heading, target)| (heading.clone(), role_of(target)));
        let names = Names::new(roles, self.derive.clone());
        Arc::new(if self.own { names.of_mapping() } else { names })
    }
}

/// Whether an identity is the region's own.
fn is_local(source: &str) -> bool {
    source.strip_prefix(LOCAL).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

/// A target, as a role if it is one that says who somebody is.
fn as_role(target: String) -> String {
    let role = WHO.iter().find(|(column, _)| *column == target);
    role.map_or(target, |(_, role)| (*role).to_owned())
}

fn is_target(target: &str, rulebook: &Rulebook) -> bool {
    let target = bare(target);
    let column = |name: &str| {
        let kinds = [RecordKind::Individu, RecordKind::Keluarga];
        kinds.into_iter().any(|kind| rulebook.column_named(kind, name).is_some())
    };
    matches!(target, "-" | "kode_desa_bps")
        || role_named(target).is_some()
        || target.strip_prefix("kolom:").is_some_and(column)
}

/// What is the same for all rows: a place or a word, never what one person alone has.
fn constant(name: &str, text: &str, rulebook: &Rulebook) -> Checked {
    let place = || Place::Key("constants", name.to_owned());
    let Some(role) = role_named(name) else { return Err((MappingError::Constant(name.into()), place())) };
    let fits = match role {
        role if is_who(role) || matches!(role, Role::JumlahAnggota | Role::Diubah | Role::Lain) => {
            return Err((MappingError::OnePersons(name.into()), place()));
        }
        Role::JenisKelamin => words::sex(text).is_some(),
        Role::Hubungan => words::relation(text).is_some(),
        Role::StatusKawin => words::marriage(text).is_some(),
        Role::StatusDasar => words::standing(text).is_some(),
        Role::Rt | Role::Rw => address::number(text).is_some(),
        Role::KodeDesa => {
            value::area(text).is_some_and(|code| code.len() == VILLAGE && rulebook.wilayah().exists(&code))
        }
        _ => !folded(text).is_empty(),
    };
    let wrong = || MappingError::ConstantText { role: name.to_owned(), text: text.to_owned() };
    if fits { Ok(()) } else { Err((wrong(), place())) }
}

fn skipping(at: usize, skip: &Skip) -> Checked {
    let sound = !folded(&skip.column).is_empty() && !skip.is.is_empty();
    if sound { Ok(()) } else { Err((MappingError::Skip, Place::Item("skip", at))) }
}

#[cfg(test)]
mod tests;
