//! Layouts that are known: recognised by their headings, data rather than code.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock},
};

use dtsen_proto::record::RecordKind;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{clean::words::folded, derive::Derive};

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
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own in the table")]
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
    /// A region wrote it: a mapping.
    #[serde(skip)]
    pub own: bool,
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

impl Preset {
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

    /// What of it the reading of a row depends on.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(serde_json::to_vec(self).expect("texts and numbers")).into()
    }
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
    use dtsen_proto::rulebook::Rulebook;

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
            assert!(
                preset.need >= 2 && dtsen_proto::record::is_source_name(&preset.source),
                "{}",
                preset.name
            );
        }
    }
}
