//! Words for sex, marriage, relation and the like, as DTSEN's codes.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

/// The first of these words, or of several together, that stands in a folded text, whole.
pub(crate) fn first<'a>(words: &'a [String], folded: &str) -> Option<&'a str> {
    let text = format!(" {folded} ");
    words.iter().map(String::as_str).find(|word| text.contains(&format!(" {word} ")))
}

/// Lower case, letters and digits only, single blanks.
pub fn folded(text: &str) -> String {
    let spaced: String =
        text.to_lowercase().chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

type Tables = HashMap<String, HashMap<String, i64>>;

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    type Written = HashMap<String, BTreeMap<String, Vec<String>>>;
    let written: Written =
        toml::from_str(include_str!("../../data/words.toml")).expect("our own table, which a test reads");
    let by_word = |codes: BTreeMap<String, Vec<String>>| {
        let of = |(code, words): (String, Vec<String>)| {
            let code = code.parse().expect("our own codes, which a test reads");
            words.into_iter().map(move |word| (word, code))
        };
        codes.into_iter().flat_map(of).collect()
    };
    written.into_iter().map(|(table, codes)| (table, by_word(codes))).collect()
});

fn code(table: &str, text: &str) -> Option<i64> {
    let (table, word) = (TABLES.get(table)?, folded(text));
    // "Anak ke 2", "Istri 1": the number tells which of them.
    let bare = word.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
    let bare = bare.strip_suffix(" ke").unwrap_or(bare);
    table.get(&word).or_else(|| table.get(bare)).copied()
}

/// 1 man, 2 woman.
pub fn sex(text: &str) -> Option<i64> {
    code("sex", text)
}

/// Regsosek 408: 1 never, 2 married, 3 divorced, 4 widowed.
pub fn marriage(text: &str) -> Option<i64> {
    code("marriage", text)
}

/// Whether a word tells of marriage, though it may not say which: widowed or divorced.
pub fn is_of_marriage(text: &str) -> bool {
    marriage(text).is_some() || code("ended", text).is_some()
}

/// DTSEN's relation to the head of family, from words; numbers depend on who gives them.
pub fn relation(text: &str) -> Option<i64> {
    code("relation", text)
}

/// DTSEN's certificate, from Dukcapil's highest education, where it is one: SD, SLTP and SLTA do not say which kind of
/// school.
pub fn certificate(text: &str) -> Option<i64> {
    code("certificate", text)
}

/// DTSEN's participation in school, from OpenSID's education under way.
pub fn schooling(text: &str) -> Option<i64> {
    code("schooling", text)
}

/// What a population list says of somebody's being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Lives.
    Alive,
    /// Died.
    Dead,
    /// Moved away.
    Moved,
    /// Missing, or gone for a while.
    Away,
    /// A line that another one replaced.
    Superseded,
}

/// A word for somebody's being there. `TETAP` and `TIDAK TETAP` say nothing of life and death, whatever column they stand in.
pub fn standing(text: &str) -> Option<Standing> {
    let word = folded(text);
    Some(match word.as_str() {
        "hidup" | "aktif" | "ada" => Standing::Alive,
        "mati" | "meninggal" | "meninggal dunia" | "wafat" | "md" | "almarhum" | "almarhumah" => {
            Standing::Dead
        }
        "pindah" | "pindah keluar" | "pindah datang" => Standing::Moved,
        "hilang" | "pergi" | "tidak tetap pergi" => Standing::Away,
        "tidak valid" | "invalid" | "ganda" | "non aktif" | "nonaktif" | "tidak aktif" => {
            Standing::Superseded
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_the_sources_write_them() {
        for (text, expected) in [
            ("L", 1),
            ("Lk", 1),
            ("LAKI-LAKI", 1),
            ("Laki2", 1),
            ("1", 1),
            ("P", 2),
            ("Pr.", 2),
            ("W", 2),
            ("perempuan", 2),
        ] {
            assert_eq!(sex(text), Some(expected), "{text}");
        }
        assert_eq!(sex("X"), None);
        for (text, expected) in [
            ("BK", 1),
            ("Belum Kawin", 1),
            ("K", 2),
            ("KAWIN TERCATAT", 2),
            ("Kawin Belum Tercatat", 2),
            ("CH", 3),
            ("Cerai Mati", 4),
            ("Gadis", 1),
            ("JEJAKA", 1),
            ("Perjaka", 1),
            ("Sdh. Kawin", 2),
            ("Kwn", 2),
            ("Duda Cerai Mati", 4),
            ("Janda (Cerai Hidup)", 3),
        ] {
            assert_eq!(marriage(text), Some(expected), "{text}");
        }
        for either in ["janda", "Janda Cerai", "duda cerai"] {
            assert_eq!(marriage(either), None, "divorced or widowed: {either}");
        }
        for (text, expected) in [
            ("KK", 1),
            ("Kepala Kel.", 1),
            ("KEPALA KELUARGA", 1),
            ("Isteri", 2),
            ("SUAMI", 2),
            ("ANAK", 3),
            ("Anak ke-2", 3),
            ("ANAK 1", 3),
            ("Istri ke 1", 2),
            ("Menantu", 4),
            ("cucu", 5),
            ("ORANG TUA", 6),
            ("Mertua", 6),
            ("ORANG TUA / MERTUA", 6),
            ("Pembantu", 7),
            ("FAMILI LAIN", 8),
            ("Kemenakan", 8),
            ("Ponakan", 8),
            ("Ipar", 8),
            ("Kepala Klg.", 1),
            ("Lainnya", 8),
        ] {
            assert_eq!(relation(text), Some(expected), "{text}");
        }
        assert_eq!(standing("TIDAK TETAP"), None);
        assert_eq!(standing("Tidak Valid"), Some(Standing::Superseded));
    }

    #[test]
    fn schooling_with_any_blanks_around_strokes() {
        for (text, expected) in [
            ("STRATA III", 22),
            ("STRATA II", 21),
            ("DIPLOMA IV/ STRATA I", 19),
            ("DIPLOMA IV / STRATA I", 19),
            ("AKADEMI/ DIPLOMA III/S.MUDA", 18),
            ("AKADEMI/DIPLOMA III/S. MUDA", 18),
            ("DIPLOMA I / II", 18),
            ("BELUM TAMAT SD/SEDERAJAT", 23),
            ("TIDAK / BELUM SEKOLAH", 23),
        ] {
            assert_eq!(certificate(text), Some(expected), "{text}");
        }
        assert_eq!(certificate("SLTA / SEDERAJAT"), None, "SMA, MA, SMK, or Paket C");
        for (text, expected) in [
            ("BELUM MASUK TK/KELOMPOK BERMAIN", 1),
            ("TIDAK PERNAH SEKOLAH", 1),
            ("SEDANG SD / SEDERAJAT", 2),
            ("SEDANG  D-3/SEDERAJAT", 2),
            ("TIDAK TAMAT SD/SEDERAJAT", 3),
            ("TIDAK SEDANG SEKOLAH", 3),
        ] {
            assert_eq!(schooling(text), Some(expected), "{text}");
        }
    }
}
