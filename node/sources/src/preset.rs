//! Layouts that are known: recognised by their headings, data rather than code.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use dtsen_proto::{record::RecordKind, rulebook::Rulebook};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    clean::words::folded,
    derive::{Derive, DeriveError, bare},
    layout::heading::{Names, role_named, role_of},
    person::is_crosswalk,
};

/// What the numbers of a coded column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum List {
    /// Nobody has said; the values may show it.
    #[default]
    Unknown,
    /// DTSEN's own.
    Dtsen,
    /// Dukcapil's relation to the head of family.
    Shdk,
    /// Dukcapil's education and occupation.
    Dukcapil,
    /// OpenSID's.
    Opensid,
}

/// Code lists of a layout.
#[derive(Debug, Clone, Copy, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Codes {
    /// Relation to the head of family.
    pub hubungan: List,
    /// Marriage.
    pub status_kawin: List,
    /// Highest education.
    pub pendidikan: List,
    /// Education under way.
    pub pendidikan_sedang: List,
    /// Occupation.
    pub pekerjaan: List,
    /// Alive, dead, moved. OpenSID's column counts only as a number: its words are wrong.
    pub status_dasar: List,
}

/// What the rows of a layout describe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// People.
    Individu,
    /// Families.
    Keluarga,
}

impl From<Kind> for RecordKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Individu => Self::Individu,
            Kind::Keluarga => Self::Keluarga,
        }
    }
}

/// A layout.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Short name, for `--preset`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Identity of the source, by which the hub weighs it.
    pub source: String,
    /// What its rows describe, if that is always the same.
    #[serde(default)]
    pub kind: Option<Kind>,
    /// Whether its headings were ever seen; if not, a person confirms the mapping.
    #[serde(default = "yes")]
    pub seen: bool,
    /// A family's number stands in its first row only.
    #[serde(default)]
    pub family_once: bool,
    /// What several sheets say of one family is one record.
    #[serde(default, skip_serializing_if = "is_not")]
    pub joined: bool,
    /// Columns that count only where all of these are empty.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alone: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    marks: BTreeSet<String>,
    #[serde(default)]
    need: usize,
    /// Headings that nothing else has: one of them shows it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    sure: BTreeSet<String>,
    /// Headings that show it if there are no others besides a running number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    whole: Vec<BTreeSet<String>>,
    /// Headings that mean something else than elsewhere.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// How many digits a text of DTSEN has: more or fewer are damaged.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub digits: BTreeMap<String, usize>,
    /// Code lists.
    #[serde(default)]
    pub codes: Codes,
    /// Words and codes of the source, by table, and DTSEN's codes for them.
    #[serde(default)]
    pub tables: Tables,
    /// What no column says, by role: `desa = "SENGGIGI"`.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// Columns that are made out of others. Layouts without such keep the digest that they had before there were any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derive: Vec<Derive>,
    /// Rows that are left out.
    #[serde(default)]
    pub skip: Vec<Skip>,
    /// Dates begin with the month; if nothing is said, the column shows it.
    #[serde(default)]
    pub month_first: Option<bool>,
}

/// By name of the table: words of the source in the form of [`folded`], and codes.
pub type Tables = BTreeMap<String, BTreeMap<String, i64>>;

/// A condition under which a row is left out.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Skip {
    /// The heading.
    pub column: String,
    /// Its cell is one of these, in whatever case.
    pub is: Vec<String>,
}

/// Why a mapping cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is no TOML, or has other keys.
    #[error("pemetaan tidak terbaca: {0}")]
    Form(String),
    /// A column is for nothing that there is.
    #[error(
        "pemetaan: kolom {heading:?} = {target:?} tidak dikenal. Pakai peran seperti nik, no_kk, nama, tanggal_lahir, atau kolom:NAMA_KOLOM_DTSEN, atau - untuk diabaikan"
    )]
    Target {
        /// The heading.
        heading: String,
        /// What it should be for.
        target: String,
    },
    /// A constant is for no role.
    #[error(
        "pemetaan: constants {0:?} bukan peran. Pakai peran seperti desa, kecamatan, kabupaten, kode_desa"
    )]
    Constant(String),
    /// Words are to be looked up in a table that there is not.
    #[error(
        "pemetaan: tabel {table:?} di {target:?} tidak ada. Tulis artinya di [tables.{table}], atau hapus @{table}"
    )]
    Table {
        /// What a column is for.
        target: String,
        /// The name behind `@`.
        table: String,
    },
    /// A column cannot be made out of others.
    #[error("pemetaan: [[derive]] ke-{number} (for = {target:?}): {cause}")]
    Derive {
        /// Which one, from 1.
        number: usize,
        /// What it should be for.
        target: String,
        /// What is wrong with it.
        cause: DeriveError,
    },
}

impl Preset {
    /// Reads a mapping: a layout that a region wrote itself.
    pub fn mapping(text: &str, rulebook: &Rulebook) -> Result<Self, MappingError> {
        let mut mapping: Self =
            toml::from_str(text).map_err(|error| MappingError::Form(error.to_string()))?;
        mapping.columns =
            mapping.columns.into_iter().map(|(heading, target)| (folded(&heading), target)).collect();
        let words = |table: BTreeMap<String, i64>| {
            table.into_iter().map(|(word, code)| (folded(&word), code)).collect()
        };
        mapping.tables = mapping.tables.into_iter().map(|(name, table)| (name, words(table))).collect();
        for (heading, target) in &mapping.columns {
            if !is_target(target, rulebook) {
                return Err(MappingError::Target { heading: heading.clone(), target: target.clone() });
            }
        }
        if let Some(name) = mapping.constants.keys().find(|name| role_named(name).is_none()) {
            return Err(MappingError::Constant(name.clone()));
        }
        mapping.derives(rulebook)?;
        let derived = mapping.derive.iter().map(|derive| &derive.target);
        mapping.columns.values().chain(derived).try_for_each(|target| mapping.has_table(target))?;
        Ok(mapping)
    }

    /// Looks at the columns that are made out of others, and compiles their expressions.
    fn derives(&mut self, rulebook: &Rulebook) -> Result<(), MappingError> {
        let mut targets: Vec<String> = Vec::new();
        for (number, derive) in (1..).zip(&mut self.derive) {
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
            checked.map_err(|cause| MappingError::Derive { number, target: target.clone(), cause })?;
            targets.push(target);
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

    /// How much these headings, folded, show it, in percent; none if they do not.
    fn shown_by(&self, names: &BTreeSet<String>) -> Option<usize> {
        let without = |number: &&String| !RUNNING.contains(&number.as_str());
        let table: BTreeSet<&String> = names.iter().filter(without).collect();
        if self.whole.iter().any(|whole| whole.iter().collect::<BTreeSet<_>>() == table) {
            return Some(100);
        }
        let met = |marks: &BTreeSet<String>| marks.intersection(names).count();
        let met = met(&self.marks) + met(&self.sure) * self.need;
        (self.need > 0 && met >= self.need).then(|| met * 100 / self.marks.len().clamp(1, 10))
    }

    /// The headings that it knows by itself.
    pub fn names(&self) -> Arc<Names> {
        let roles = self.columns.iter().map(|(heading, target)| (heading.clone(), role_of(target)));
        Arc::new(Names::new(roles, self.derive.clone()))
    }

    /// What of it the reading of a row depends on.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(serde_json::to_vec(self).expect("texts and numbers")).into()
    }
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

fn yes() -> bool {
    true
}

/// Layouts without a mark keep the digest that they had before there was one.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_not(mark: &bool) -> bool {
    !mark
}

/// The folded headings of a running number.
pub(crate) const RUNNING: &[&str] = &["", "no", "nomor", "no urut", "nomor urut"];

#[derive(Deserialize)]
struct File {
    general: Preset,
    presets: Vec<Preset>,
}

/// The general layout, and all that are recognised.
static KNOWN: LazyLock<(Arc<Preset>, Vec<Arc<Preset>>)> = LazyLock::new(|| {
    let file: File =
        toml::from_str(include_str!("../data/presets.toml")).expect("our own table, which a test reads");
    (Arc::new(file.general), file.presets.into_iter().map(Arc::new).collect())
});

/// All layouts.
pub fn all() -> &'static [Arc<Preset>] {
    &KNOWN.1
}

/// The layout with this name.
pub fn named(name: &str) -> Option<Arc<Preset>> {
    std::iter::once(&KNOWN.0).chain(all()).find(|preset| preset.name == name).cloned()
}

/// The layout that these headings show best, or the general one.
pub fn recognise(headings: &[String]) -> Arc<Preset> {
    shown(headings).unwrap_or_else(|| Arc::clone(&KNOWN.0))
}

/// The layout that these headings show best, if they show any.
pub fn shown(headings: &[String]) -> Option<Arc<Preset>> {
    let mut names: BTreeSet<String> = headings.iter().map(|heading| folded(heading)).collect();
    // "403. NIK" of a questionnaire.
    let numbers: Vec<String> = names.iter().filter_map(|name| question(name)).map(str::to_owned).collect();
    names.extend(numbers);
    // What is more particular comes first in the table.
    let fits = all().iter().rev().filter_map(|preset| Some((preset.shown_by(&names)?, preset)));
    fits.max_by_key(|(strength, _)| *strength).map(|(_, preset)| Arc::clone(preset))
}

/// Whether these headings are those of a layout.
pub fn is_known(headings: &[String]) -> bool {
    shown(headings).is_some()
}

/// The number of a question in front of a heading: three digits, perhaps a letter, perhaps one more digit (`307b1`).
pub fn question(folded: &str) -> Option<&str> {
    let first = folded.split(' ').next()?;
    let fits = match first.as_bytes() {
        [number @ .., letter, part] if number.len() == 3 => {
            number.iter().all(u8::is_ascii_digit) && letter.is_ascii_lowercase() && part.is_ascii_digit()
        }
        [number @ .., letter] if number.len() == 3 => {
            number.iter().all(u8::is_ascii_digit) && letter.is_ascii_lowercase()
        }
        number => number.len() == 3 && number.iter().all(u8::is_ascii_digit),
    };
    fits.then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_known_by_their_headings() {
        for (headings, name) in [
            (
                "alamat dusun rw rt nama no_kk nik sex tempatlahir tanggallahir agama_id pendidikan_kk_id pendidikan_sedang_id pekerjaan_id status_kawin kk_level",
                "opensid-43",
            ),
            (
                "nomor_induk_kependudukan nomor_kartu_keluarga nama tanggal_lahir jenis_kelamin status_hubungan_keluarga partisipasi_sekolah penglihatan",
                "dtsen-anggota",
            ),
            ("NIK NAMA_LGKP JENIS_KLMIN TMPT_LHR TGL_LHR STAT_KWN STAT_HBKEL", "siak-biodata"),
            ("401 402 403 404 405 406 408 409", "regsosek-2022k"),
            ("NIK NAMA ALAMAT", "umum"),
            // What a list of a village may have besides is no layout of somebody else.
            ("NIK NAMA ALAMAT PKH BPNT PBI", "umum"),
            ("no_kk nik nama desil alamat", "umum"),
            ("nomor_kk nik nama desil pekerjaan", "umum"),
            ("NIK NAMA JK TGL_LAHIR ID_PELANGGAN_PLN DAYA", "umum"),
            ("NIK NAMA ALAMAT KEMISKINAN_EKSTREM", "umum"),
            ("NIK NAMA NO_PROP NO_KAB NO_KEC NO_KEL", "umum"),
            ("nik nama kd_sulit_penglihatan kd_stat_bangunan_tinggal", "umum"),
            ("NO Nomor_KK NIK Nama Desil", "dtks-siksng"),
            ("opensid_regsosek_anggota nik nama", "opensid-regsosek"),
        ] {
            let headings: Vec<String> = headings.split(' ').map(str::to_owned).collect();
            assert_eq!(recognise(&headings).name, name);
        }
        let siak: Vec<String> = "Nomor KK,NIK,Nama Penduduk,Status,Tempat Lahir,Tanggal Lahir,Kelamin,NIK Ayah,Ayah,NIK Ibu,Ibu,Status Kawin,SHDK,Agama,Deskripsi Pekerjaan,Cetak KTP"
            .split(',').map(str::to_owned).collect();
        assert_eq!(recognise(&siak).name, "siak-37");
    }

    #[test]
    fn names_that_there_are_not_are_told() {
        let head = "name = \"a\"\ntitle = \"a\"\nsource = \"lokal\"\n";
        let mapping = |rest: &str| Preset::mapping(&format!("{head}{rest}"), &Rulebook::builtin());
        let told = |rest: &str| mapping(rest).expect_err("a wrong name").to_string();
        assert!(told("constants = { dessa = \"X\" }").contains("\"dessa\""));
        for rest in [
            "columns = { jk = \"jenis_kelamin@jk\" }",
            "columns = { a = \"kolom:pbi_nas@jk\" }",
            // A table of ours, which only DTSEN's columns are looked up in.
            "columns = { a = \"hubungan@asuransi_pbi\" }",
            "[[derive]]\nfor = \"hubungan@posisi\"\nfrom = \"a\"",
        ] {
            assert!(matches!(mapping(rest), Err(MappingError::Table { .. })), "{rest}");
        }
        assert!(mapping("columns = { a = \"kolom:pbi_nas@asuransi_pbi\" }").is_ok());
        assert!(mapping("constants = { desa = \"X\" }").is_ok());
    }

    #[test]
    fn a_rule_of_a_column_is_part_of_the_digest() {
        let head = "name = \"a\"\ntitle = \"a\"\nsource = \"lokal\"\n";
        let digest = |rest: &str| {
            Preset::mapping(&format!("{head}{rest}"), &Rulebook::builtin()).expect("a mapping").digest()
        };
        let rule = |part: &str| digest(&format!("[[derive]]\nfor = \"rt\"\nfrom = \"a\"\n{part}"));
        let rules = [digest(""), rule(""), rule("expression = \"1\""), rule("expression = \"2\"")];
        assert_eq!(rules.iter().collect::<BTreeSet<_>>().len(), rules.len());
        assert_eq!(rule(""), rule(""));
        // Layouts without rules have the digest that they had before there were any.
        let plain = serde_json::to_string(&*KNOWN.0).expect("texts and numbers");
        assert!(!plain.contains("derive"));
    }

    #[test]
    fn every_mark_is_folded_and_every_name_is_one() {
        let mut names = BTreeSet::new();
        for preset in all() {
            assert!(names.insert(&preset.name), "{}", preset.name);
            for mark in preset.marks.iter().chain(preset.columns.keys()) {
                assert_eq!(*mark, folded(mark), "{}", preset.name);
            }
            for mark in preset.sure.iter().chain(preset.whole.iter().flatten()) {
                assert_eq!(*mark, folded(mark), "{}", preset.name);
            }
            for word in preset.tables.values().flat_map(BTreeMap::keys) {
                assert_eq!(*word, folded(word), "{}", preset.name);
            }
            let mut checked = Preset::clone(preset);
            checked.derives(&Rulebook::builtin()).unwrap_or_else(|error| panic!("{}: {error}", preset.name));
            let derived = preset.derive.iter().map(|derive| &derive.target);
            for target in preset.columns.values().chain(derived) {
                assert!(is_target(target, &Rulebook::builtin()), "{}: {target}", preset.name);
                assert!(preset.has_table(target).is_ok(), "{}: {target}", preset.name);
            }
            assert!(
                preset.need >= 2 && dtsen_proto::record::is_source_name(&preset.source),
                "{}",
                preset.name
            );
        }
    }
}
