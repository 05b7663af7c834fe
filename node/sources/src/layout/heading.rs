//! Headings: what the words above a column mean.

use std::{collections::HashMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

use super::spelling;
use crate::{
    clean::words::folded,
    derive::{self, Derive, Derived, bare},
    preset::question,
};

/// What a column of a list of people is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// NIK.
    Nik,
    /// No. KK.
    NoKk,
    /// Name of the person.
    Nama,
    /// Name of the head of family.
    NamaKepala,
    /// Sex.
    JenisKelamin,
    /// Place of birth.
    TempatLahir,
    /// Date of birth.
    TanggalLahir,
    /// Both in one cell.
    TempatTanggalLahir,
    /// Relation to the head of family.
    Hubungan,
    /// Marriage.
    StatusKawin,
    /// Street, or a whole address.
    Alamat,
    /// Dusun or lingkungan.
    Dusun,
    /// RT.
    Rt,
    /// RW.
    Rw,
    /// Both in one cell.
    RtRw,
    /// Both in one cell, RW first.
    RwRt,
    /// Where a member is: question 404 of Regsosek.
    KeberadaanAnggota,
    /// When the row was last changed.
    Diubah,
    /// The day of the interview that the answers are of.
    Pendataan,
    /// Name of the village.
    Desa,
    /// Name of the kecamatan.
    Kecamatan,
    /// Name of the kab/kota.
    Kabupaten,
    /// Name of the province.
    Provinsi,
    /// Kemendagri code of the village.
    KodeDesa,
    /// Occupation.
    Pekerjaan,
    /// Highest education.
    Pendidikan,
    /// Education under way.
    PendidikanSedang,
    /// Alive, dead, moved.
    StatusDasar,
    /// Members of the family.
    JumlahAnggota,
    /// Known, and not taken over.
    Lain,
    /// NIK of who receives aid: the person, or one of the family.
    NikPenerima,
    /// And the name.
    NamaPenerima,
    /// NIK of who acts for the family.
    NikPengurus,
    /// And the name.
    NamaPengurus,
    /// NIK of the head of family.
    NikKepala,
    /// Whether the row is in force, as SIAK flags it: 0 is.
    FlagStatus,
}

/// What a heading says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// What its column is for.
    pub role: Role,
    /// How plainly it says so: of two columns for the same the one with less counts.
    pub rank: usize,
}

/// By name, those in which short words are written out among them.
static ROLES: LazyLock<HashMap<String, Meaning>> = LazyLock::new(|| {
    let table: HashMap<Role, Vec<String>> =
        toml::from_str(include_str!("../../data/headings.toml")).expect("our own table, which a test reads");
    let names = || {
        let of = |(role, names): (&Role, &Vec<String>)| {
            let role = *role;
            let ranked = names.clone().into_iter().enumerate();
            ranked.map(move |(rank, name)| (name, Meaning { role, rank: rank + 1 })).collect::<Vec<_>>()
        };
        table.iter().flat_map(of)
    };
    let mut roles: HashMap<String, Meaning> = names().collect();
    for (name, meaning) in names() {
        let known = roles.entry(spelling::long(&name)).or_insert(meaning);
        known.rank = known.rank.min(meaning.rank);
    }
    roles
});

/// The role of a heading, if it is one that is known by its words alone.
pub fn role(heading: &str) -> Option<Role> {
    by_words(&folded(heading)).map(|meaning| meaning.role)
}

fn by_words(folded: &str) -> Option<Meaning> {
    let known = |name: &str| ROLES.get(name).or_else(|| ROLES.get(&spelling::long(name))).copied();
    // "2. Nama"; of a questionnaire, "404. Keberadaan", the number says more than the word.
    let numbered =
        || folded.split_once(' ').filter(|(number, _)| number.starts_with(|c: char| c.is_ascii_digit()));
    known(folded).or_else(|| known(question(folded)?)).or_else(|| known(numbered()?.1))
}

/// What a heading says, whatever it says besides in parentheses or in other words.
pub fn meaning(heading: &str) -> Option<Meaning> {
    spelling::read(heading, |text| by_words(&folded(text)))
}

/// Headings that a mapping knows besides, in the form of [`folded`].
#[derive(Debug, Clone, Default)]
pub struct Names {
    roles: HashMap<String, Role>,
    derives: Vec<Derive>,
    /// A region wrote them for its own tables.
    of_mapping: bool,
}

impl Names {
    /// These headings, and columns made out of others.
    pub fn new(names: impl IntoIterator<Item = (String, Role)>, derives: Vec<Derive>) -> Self {
        let mut roles: HashMap<String, Role> = names.into_iter().collect();
        // What a column is made of is known too, if only for that.
        let sources = derives.iter().flat_map(Derive::headings);
        for heading in sources.filter(|heading| meaning(heading).is_none()) {
            roles.entry(folded(heading)).or_insert(Role::Lain);
        }
        Self { roles, derives, of_mapping: false }
    }

    /// These, as a mapping names columns: by their keys.
    #[must_use]
    pub fn of_mapping(self) -> Self {
        Self { of_mapping: true, ..self }
    }

    /// What a mapping says of columns, by their keys; none if this is no mapping, or one without columns.
    pub(super) fn mapped(&self) -> Option<&HashMap<String, Role>> {
        Some(&self.roles).filter(|roles| self.of_mapping && !roles.is_empty())
    }

    /// Whether nobody named any.
    pub fn is_empty(&self) -> bool {
        self.roles.is_empty() && self.derives.is_empty()
    }

    /// What a heading says, the mapping's word first.
    pub fn meaning(&self, heading: &str) -> Option<Meaning> {
        let own = if self.roles.is_empty() { None } else { self.roles.get(&folded(heading)).copied() };
        own.map(|role| Meaning { role, rank: 0 }).or_else(|| meaning(heading))
    }

    /// Whether the mapping says itself which column is for this.
    pub fn has(&self, role: Role) -> bool {
        self.roles.values().any(|own| *own == role)
    }

    /// The columns that are made out of others in a table with these headings.
    pub fn derived(&self, names: &[String]) -> Vec<Derived> {
        if self.derives.is_empty() { Vec::new() } else { derive::derived(&self.derives, names) }
    }
}

/// The role with this name, as mappings write it.
pub fn role_named(name: &str) -> Option<Role> {
    let name = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(name);
    Role::deserialize(name).ok()
}

/// The role that a mapping names for a column, whatever table stands behind it.
pub fn role_of(target: &str) -> Role {
    role_named(bare(target)).unwrap_or(Role::Lain)
}

/// The name of a role, as mappings write it.
pub fn role_name(role: Role) -> String {
    serde_json::to_value(role).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_the_field() {
        for (heading, expected) in [
            ("NIK", Role::Nik),
            ("No. KK", Role::NoKk),
            ("NOMOR KARTU KELUARGA", Role::NoKk),
            ("nomor_kartu_keluarga", Role::NoKk),
            ("Tempat/Tgl. Lahir", Role::TempatTanggalLahir),
            ("L/P", Role::JenisKelamin),
            ("RT/RW", Role::RtRw),
            ("SHDK", Role::Hubungan),
            ("Desa/Kel", Role::Desa),
            ("STAT_HBKEL", Role::Hubungan),
            ("NIK KEPALA KELUARGA", Role::NikKepala),
        ] {
            assert_eq!(role(heading), Some(expected), "{heading}");
        }
        assert_eq!(role("Luas Lantai"), None);
    }

    #[test]
    fn every_name_is_folded_and_has_one_role() {
        let table: HashMap<Role, Vec<String>> =
            toml::from_str(include_str!("../../data/headings.toml")).expect("the table");
        let names: Vec<(&String, Role)> =
            table.iter().flat_map(|(role, names)| names.iter().map(|name| (name, *role))).collect();
        for (name, role) in &names {
            assert_eq!(**name, folded(name), "not folded");
            for known in [&ROLES[*name], &ROLES[&spelling::long(name)]] {
                assert_eq!(known.role, *role, "{name} has two roles");
            }
        }
    }
}
