//! Headings: what the words above a column mean.

use std::{collections::HashMap, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::{
    clean::words::folded,
    derive::{self, Derive, Derived, bare},
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
}

static ROLES: LazyLock<HashMap<String, Role>> = LazyLock::new(|| {
    let table: HashMap<Role, Vec<String>> =
        toml::from_str(include_str!("../../data/headings.toml")).expect("our own table, which a test reads");
    table.into_iter().flat_map(|(role, names)| names.into_iter().map(move |name| (name, role))).collect()
});

/// The role of a heading, if it is one that is known.
pub fn role(heading: &str) -> Option<Role> {
    let folded = folded(heading);
    let known = |name: &str| ROLES.get(name).copied();
    // "403. NIK" of a questionnaire, "2. Nama".
    let numbered =
        || folded.split_once(' ').filter(|(number, _)| number.starts_with(|c: char| c.is_ascii_digit()));
    known(&folded).or_else(|| known(numbered()?.1))
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
        let sources = derives.iter().flat_map(Derive::headings).map(|heading| folded(heading));
        for heading in sources.filter(|heading| role(heading).is_none()) {
            roles.entry(heading).or_insert(Role::Lain);
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

    /// The role of a heading, the mapping's word first.
    pub fn role(&self, heading: &str) -> Option<Role> {
        let own = if self.roles.is_empty() { None } else { self.roles.get(&folded(heading)).copied() };
        own.or_else(|| role(heading))
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
        ] {
            assert_eq!(role(heading), Some(expected), "{heading}");
        }
        assert_eq!(role("Luas Lantai"), None);
    }

    #[test]
    fn every_name_is_folded_and_has_one_role() {
        let table: HashMap<Role, Vec<String>> =
            toml::from_str(include_str!("../../data/headings.toml")).expect("the table");
        let names: Vec<&String> = table.values().flatten().collect();
        assert!(names.iter().all(|name| **name == folded(name)), "not folded");
        assert_eq!(names.len(), ROLES.len(), "a name has two roles");
    }
}
