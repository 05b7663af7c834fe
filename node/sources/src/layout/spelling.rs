//! How headings are written besides the names that are known: short words, hints in parentheses, two names for one thing.

use std::{collections::HashMap, sync::LazyLock};

use serde::Deserialize;

use super::{
    heading::{Meaning, Role},
    whose::is_deputy,
};
use crate::clean::words::{first, folded};

/// What a rank is more if the heading is known by a part of it alone: a plain one comes first.
const NOT_PLAIN: usize = 1000;

#[derive(Deserialize)]
struct File {
    people: Vec<String>,
    short: HashMap<String, String>,
    words: HashMap<String, Vec<String>>,
}

static FILE: LazyLock<File> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/spelling.toml")).expect("our own table, which a test reads")
});

/// A folded text with its short words written out.
pub(super) fn long(folded: &str) -> String {
    let words = folded.split(' ').map(|word| FILE.short.get(word).map_or(word, String::as_str));
    words.collect::<Vec<_>>().join(" ")
}

/// What a heading says; `known` knows the names.
pub(super) fn read(heading: &str, known: impl Fn(&str) -> Option<Meaning>) -> Option<Meaning> {
    let in_part = |heading: &str| {
        let found = without_hint(heading, &known)
            .or_else(|| alike(heading, &known))
            .or_else(|| without_qualifier(heading, &known))?;
        Some(Meaning { rank: found.rank + NOT_PLAIN, ..found })
    };
    known(heading).or_else(|| in_part(heading)).or_else(|| {
        let apart = apart(heading);
        if apart == heading { None } else { known(&apart).or_else(|| in_part(&apart)) }
    })
}

/// `nomorKK` and `N A M A`, as others write them.
fn apart(heading: &str) -> String {
    let words: Vec<&str> = heading.split_whitespace().collect();
    let letters = |word: &&str| word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    if words.len() > 2 && words.iter().all(letters) {
        return words.concat();
    }
    let mut apart = String::with_capacity(heading.len() + words.len());
    let mut before = None;
    for c in heading.chars() {
        if before.is_some_and(char::is_lowercase) && c.is_uppercase() {
            apart.push(' ');
        }
        apart.push(c);
        before = Some(c);
    }
    apart
}

/// `Nama Lengkap Warga`, `NIK 16 Digit`: what stands behind leaves a column what it is. Nobody else is named.
fn without_qualifier(heading: &str, known: impl Fn(&str) -> Option<Meaning>) -> Option<Meaning> {
    // In parentheses it may be a hint at somebody else.
    if heading.contains(['(', '[']) {
        return None;
    }
    let folded = folded(heading);
    let mut base = folded.as_str();
    loop {
        let behind = |qualifier: &String| base.strip_suffix(qualifier.as_str())?.strip_suffix(' ');
        base = FILE.words["qualifier"].iter().find_map(behind)?;
        if let Some(found) = known(base).filter(|found| found.role != Role::Lain) {
            return Some(found);
        }
    }
}

/// `NIK (16 digit)`, `JENIS KELAMIN 1=L 2=P`, `Nomor Identitas (NIK)`.
fn without_hint(heading: &str, known: impl Fn(&str) -> Option<Meaning>) -> Option<Meaning> {
    let begins = |c: char| matches!(c, '(' | '[') || c.is_ascii_digit() && heading.contains('=');
    let (base, hint) = heading.split_at(heading.find(begins)?);
    match (known(base), known(hint)) {
        (Some(found), Some(same)) if found.role == same.role => Some(found),
        // "AMINAH (P)".
        (Some(found), Some(sex)) if (found.role, sex.role) == (Role::Nama, Role::JenisKelamin) => Some(found),
        (Some(found), Some(_)) if is_who(found.role) => None,
        (Some(found), _) if is_hint(hint, found.role) => Some(found),
        (None, Some(found)) if is_plain_hint(base) => Some(found),
        _ => None,
    }
}

/// `Nomor KK/NKK`: both say the same.
fn alike(heading: &str, known: impl Fn(&str) -> Option<Meaning>) -> Option<Meaning> {
    let mut parts = heading.split('/').map(known);
    let first = parts.next()??;
    let mut rest = parts.peekable();
    rest.peek()?;
    rest.all(|part| part.is_some_and(|part| part.role == first.role)).then_some(first)
}

/// Whether a hint leaves a column what it is. Of relations it may name all: "Hubungan (Kepala/Istri/Anak)".
fn is_hint(hint: &str, role: Role) -> bool {
    if is_who(role) { is_plain_hint(hint) } else { role == Role::Hubungan || !is_of_another(hint) }
}

/// Whether a column says who somebody is: whose it is must be beyond doubt.
pub(crate) fn is_who(role: Role) -> bool {
    matches!(
        role,
        Role::Nik
            | Role::NoKk
            | Role::Nama
            | Role::NamaKepala
            | Role::TanggalLahir
            | Role::TempatTanggalLahir
    ) || is_deputy(role)
}

fn is_plain_hint(hint: &str) -> bool {
    let of_hints = |word: &str| {
        word.bytes().all(|b| b.is_ascii_digit()) || FILE.words["hint"].iter().any(|hint| hint == word)
    };
    long(&folded(hint)).split(' ').all(of_hints)
}

/// Whether these words name somebody else than the person of the row.
pub(crate) fn is_of_another(text: &str) -> bool {
    stands(&FILE.people, text) || has(text, "other")
}

/// Words for people who are not the person of the row, whatever is said of them.
pub(crate) fn people() -> &'static [String] {
    &FILE.people
}

/// Whether these words name the head of the person's family.
pub(super) fn is_head(text: &str) -> bool {
    has(text, "head") || folded(text) == "kk"
}

/// Whether these words are about something that is read.
pub(crate) fn is_telling(text: &str) -> bool {
    has(text, "telling")
}

fn has(text: &str, words: &str) -> bool {
    stands(&FILE.words[words], text)
}

fn stands(words: &[String], text: &str) -> bool {
    first(words, &long(&folded(text))).is_some()
}

#[cfg(test)]
mod tests {
    use super::{super::heading::meaning, *};

    #[test]
    fn other_spellings_say_the_same() {
        for (heading, expected) in [
            ("NIK (16 digit)", Role::Nik),
            ("NIK (sesuai KTP)", Role::Nik),
            ("No. Induk Kependudukan (NIK)", Role::Nik),
            ("Nomor Identitas (NIK)", Role::Nik),
            ("NO KK (16 digit)", Role::NoKk),
            ("Nomor KK/NKK", Role::NoKk),
            ("NAMA LENGKAP (KTP)", Role::Nama),
            ("Nama/Alias", Role::Nama),
            ("Nama Lengkap Warga", Role::Nama),
            ("Nama Jiwa", Role::Nama),
            ("Nama Sasaran", Role::Nama),
            ("Nama Balita", Role::Nama),
            ("NAMA SISWA", Role::Nama),
            ("Nama Lansia", Role::Nama),
            ("N A M A", Role::Nama),
            ("Nama Lengkap Tanpa Gelar", Role::Nama),
            ("Nama sesuai KTP/KK", Role::Nama),
            ("Nama Yang Diusulkan", Role::Nama),
            ("Nama (L/P)", Role::Nama),
            ("Nama PM", Role::NamaPenerima),
            ("NIK 16 Digit", Role::Nik),
            ("NIK Ybs", Role::Nik),
            ("NIK Sasaran", Role::Nik),
            ("NO. NIK / KTP", Role::Nik),
            ("No KTP-el", Role::Nik),
            ("Nomor Induk Kpddkn", Role::Nik),
            ("nomorIndukKependudukan", Role::Nik),
            ("nomorKK", Role::NoKk),
            ("NOMOR KK KPM", Role::NoKk),
            ("TGL LAHIR (TGL-BLN-THN)", Role::TanggalLahir),
            ("Status Hub. dlm Kel.", Role::Hubungan),
            ("Jenis Kelamin (L/P)", Role::JenisKelamin),
            ("JK (L/P)", Role::JenisKelamin),
            ("J. Kelamin", Role::JenisKelamin),
            ("LK/PR", Role::JenisKelamin),
            ("JENIS KELAMIN 1=L 2=P", Role::JenisKelamin),
            ("Hub. Dgn Kepala Keluarga", Role::Hubungan),
            ("Hub. dlm Keluarga", Role::Hubungan),
            ("SHDK (Status Hubungan)", Role::Hubungan),
            ("HUB. DGN KRT", Role::Hubungan),
            ("Status dlm KK", Role::Hubungan),
            ("Hubungan (Kepala Keluarga, Istri, Anak)", Role::Hubungan),
            ("Status Kawin (BK/K/CH/CM)", Role::StatusKawin),
            ("ST. KAWIN", Role::StatusKawin),
            ("Kawin/Belum", Role::StatusKawin),
            ("Tanggal Lahir (hh/bb/tttt)", Role::TanggalLahir),
            ("Almt", Role::Alamat),
            ("Alamat Rumah (Jalan)", Role::Alamat),
            ("Rukun Tetangga", Role::Rt),
            ("Rukun Warga", Role::Rw),
        ] {
            assert_eq!(meaning(heading).map(|meaning| meaning.role), Some(expected), "{heading}");
        }
    }

    #[test]
    fn a_hint_that_may_name_another_is_none() {
        for heading in [
            "NIK (Suami)",
            "NIK (lama)",
            "NIK/KK",
            "NIK (KK)",
            "NIK KK",
            "NO KK/KTP",
            "NIK (L/P)",
            "Nama Anak",
            "Nama Ibu Balita",
            "Nama Lengkap Wali Siswa",
            "NIK Suami Sasaran",
            "nikSuami",
            "Pemilik (NIK)",
            "Nama (panggilan)",
            "Tanggal Lahir (Anak)",
            "Alamat (Kantor)",
            "Jenis Kelamin (Bayi)",
        ] {
            assert_eq!(meaning(heading), None, "{heading}");
        }
    }

    #[test]
    fn every_word_is_folded() {
        let words = FILE.short.iter().flat_map(|(short, long)| [short, long]);
        for word in words.chain(FILE.words.values().flatten()).chain(&FILE.people) {
            assert_eq!(*word, folded(word));
        }
        assert_eq!(FILE.words.len(), 5);
    }
}
