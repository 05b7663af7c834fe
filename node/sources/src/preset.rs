//! Layouts that are known: recognised by their headings, data rather than code.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use dtsen_proto::record::RecordKind;
use serde::Deserialize;

use crate::clean::words::folded;

/// What the numbers of a coded column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
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
#[derive(Debug, Clone, Copy, Default, Deserialize)]
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

/// A layout.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Short name, for `--preset`.
    pub name: String,
    /// For people.
    pub title: String,
    /// Identity of the source, by which the hub weighs it.
    pub source: String,
    /// What its rows describe, if that is always the same.
    #[serde(default, deserialize_with = "kind")]
    pub kind: Option<RecordKind>,
    /// Whether its headings were ever seen; if not, a person confirms the mapping.
    #[serde(default = "yes")]
    pub seen: bool,
    /// A family's number stands in its first row only.
    #[serde(default)]
    pub family_once: bool,
    #[serde(default)]
    marks: BTreeSet<String>,
    #[serde(default)]
    need: usize,
    /// Headings that mean something else than elsewhere.
    #[serde(default)]
    pub columns: BTreeMap<String, String>,
    /// Code lists.
    #[serde(default)]
    pub codes: Codes,
}

fn yes() -> bool {
    true
}

fn kind<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<RecordKind>, D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "individu" => Ok(Some(RecordKind::Individu)),
        "keluarga" => Ok(Some(RecordKind::Keluarga)),
        other => Err(serde::de::Error::custom(format!("kind = {other:?}; individu or keluarga"))),
    }
}

#[derive(Deserialize)]
struct File {
    presets: Vec<Preset>,
}

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let file: File =
        toml::from_str(include_str!("../data/presets.toml")).expect("our own table, which a test reads");
    file.presets
});

static GENERAL: LazyLock<Preset> = LazyLock::new(|| Preset {
    name: "umum".into(),
    title: "Daftar penduduk dengan judul kolom yang dikenal".into(),
    source: "lokal".into(),
    kind: None,
    seen: true,
    family_once: false,
    marks: BTreeSet::new(),
    need: 0,
    columns: BTreeMap::new(),
    codes: Codes::default(),
});

/// All layouts.
pub fn all() -> &'static [Preset] {
    &PRESETS
}

/// The layout with this name.
pub fn named(name: &str) -> Option<&'static Preset> {
    if name == GENERAL.name { Some(&GENERAL) } else { PRESETS.iter().find(|preset| preset.name == name) }
}

/// The layout that these headings show best, or the general one.
pub fn recognise(headings: &[String]) -> &'static Preset {
    let mut names: BTreeSet<String> = headings.iter().map(|heading| folded(heading)).collect();
    // "403. NIK" of a questionnaire.
    let numbers: Vec<String> = names.iter().filter_map(|name| question(name)).map(str::to_owned).collect();
    names.extend(numbers);
    let met = |preset: &Preset| preset.marks.intersection(&names).count();
    let fits = PRESETS.iter().filter(|preset| met(preset) >= preset.need);
    // What is more particular comes first in the table.
    let best = fits.rev().max_by_key(|preset| met(preset) * 100 / preset.marks.len().min(10));
    best.unwrap_or(&GENERAL)
}

/// The number of a question in front of a heading: three digits and perhaps a letter.
pub fn question(folded: &str) -> Option<&str> {
    let first = folded.split(' ').next()?;
    let digits = first.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let fits = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit()) && first.len() <= 4;
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
        ] {
            let headings: Vec<String> = headings.split(' ').map(str::to_owned).collect();
            assert_eq!(recognise(&headings).name, name);
        }
        let siak: Vec<String> = "Nomor KK,NIK,Nama Penduduk,Status,Tempat Lahir,Tanggal Lahir,Kelamin,NIK Ayah,Ayah,NIK Ibu,Ibu,Status Kawin,SHDK,Agama,Deskripsi Pekerjaan,Cetak KTP"
            .split(',').map(str::to_owned).collect();
        assert_eq!(recognise(&siak).name, "siak-37");
    }

    #[test]
    fn every_mark_is_folded_and_every_name_is_one() {
        let mut names = BTreeSet::new();
        for preset in all() {
            assert!(names.insert(&preset.name), "{}", preset.name);
            for mark in preset.marks.iter().chain(preset.columns.keys()) {
                assert_eq!(*mark, folded(mark), "{}", preset.name);
            }
            assert!(
                preset.need >= 2 && dtsen_proto::record::is_source_name(&preset.source),
                "{}",
                preset.name
            );
        }
    }
}
