//! How names of areas are compared: without case, blanks and punctuation, and without the word for the level.

/// Words in front of a village's name, with the first digit of the last part of such a village's code.
const VILLAGE: &[(&str, Option<u64>)] =
    &[("KELURAHAN", Some(1)), ("KEL", Some(1)), ("DESA ADAT", Some(3)), ("DESA", Some(2)), ("DS", Some(2))];
/// Words in front of a kecamatan's name.
const DISTRICT: &[(&str, Option<u64>)] = &[("KECAMATAN", None), ("KEC", None)];

/// The two kinds of kab/kota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A kabupaten.
    Kabupaten,
    /// A kota.
    Kota,
}

/// The letters and digits of a name, in upper case.
fn letters(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_uppercase())
}

/// Whether two names differ in case, blanks and punctuation only. An empty one is like none.
pub(super) fn same(left: &str, right: &str) -> bool {
    letters(left).next().is_some() && letters(left).eq(letters(right))
}

/// What follows a word in front, if there is one: it ends with a blank or a full stop, and something follows.
fn after<'a>(name: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = name.trim_start().split_at_checked(word.len())?;
    let rest = head.eq_ignore_ascii_case(word).then_some(rest)?;
    let bare = rest.trim_start_matches(['.', ' ', '\u{a0}']);
    (bare.len() < rest.len() && letters(bare).next().is_some()).then_some(bare)
}

/// A kab/kota's kind, if the name says it, and the rest of the name.
pub(super) fn regency_parts(name: &str) -> (Option<Kind>, &str) {
    let words = [
        ("KABUPATEN", Kind::Kabupaten),
        ("KAB", Kind::Kabupaten),
        ("KOTAMADYA", Kind::Kota),
        ("KODYA", Kind::Kota),
        ("KOTA", Kind::Kota),
    ];
    let Some((kind, rest)) = words.iter().find_map(|(word, kind)| Some((*kind, after(name, word)?))) else {
        return (None, name);
    };
    let rest = after(rest, "ADMINISTRASI").or_else(|| after(rest, "ADM")).unwrap_or(rest);
    (Some(kind), rest)
}

/// A name that is looked for.
pub(super) struct Query<'a> {
    words: &'static [(&'static str, Option<u64>)],
    name: &'a str,
    bare: &'a str,
    digit: Option<u64>,
}

impl<'a> Query<'a> {
    pub(super) fn village(name: &'a str) -> Self {
        Self::new(name, VILLAGE)
    }

    pub(super) fn district(name: &'a str) -> Self {
        Self::new(name, DISTRICT)
    }

    fn new(name: &'a str, words: &'static [(&'static str, Option<u64>)]) -> Self {
        let (bare, digit) = bare(name, words);
        Self { words, name, bare, digit }
    }

    /// First digit of the last part of the code, if the word in front says it.
    pub(super) fn digit(&self) -> Option<u64> {
        self.digit
    }

    /// How well an area's name fits, 0 best: as written; but for punctuation; but for the word in front.
    pub(super) fn rank(&self, name: &str) -> Option<u8> {
        // Almost every name fails here, on its first letter.
        if same(self.name, name) {
            let words = |name: &str| name.split_whitespace().map(str::to_uppercase).collect::<Vec<_>>();
            return Some(u8::from(words(self.name) != words(name)));
        }
        (same(self.bare, name) || same(self.bare, bare(name, self.words).0)).then_some(2)
    }
}

/// The name without the word in front, and what that word says.
fn bare<'a>(name: &'a str, words: &[(&str, Option<u64>)]) -> (&'a str, Option<u64>) {
    words.iter().find_map(|(word, digit)| Some((after(name, word)?, *digit))).unwrap_or((name, None))
}
