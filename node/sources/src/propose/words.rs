//! Words in headings that tell whose a column is, and what it is not.

use std::sync::LazyLock;

use serde::Deserialize;

pub(super) use crate::clean::words::first;
use crate::layout::spelling;

/// The words of `data/proposal.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Words {
    pub(super) others: Vec<String>,
    own: Vec<String>,
    pub(super) numbers: Vec<String>,
    pub(super) events: Vec<String>,
    pub(super) born: Vec<String>,
    pub(super) nik: Vec<String>,
    pub(super) kk: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) things: Vec<String>,
    pub(super) streets: Vec<String>,
    pub(super) ended: Vec<String>,
}

pub(super) static WORDS: LazyLock<Words> = LazyLock::new(|| {
    toml::from_str(include_str!("../../data/proposal.toml")).expect("our own table, which a test reads")
});

/// The word by which a heading is of somebody else than the person of the row.
pub(super) fn others(folded: &str) -> Option<&'static str> {
    let mut text = format!(" {folded} ");
    for own in &WORDS.own {
        text = text.replace(&format!(" {own} "), " ");
    }
    let text = text.trim();
    first(spelling::people(), text).or_else(|| first(&WORDS.others, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clean::words::folded;

    #[test]
    fn every_word_is_folded() {
        let Words { others, own, numbers, events, born, nik, kk, names, things, streets, ended } = &*WORDS;
        for words in [others, own, numbers, events, born, nik, kk, names, things, streets, ended] {
            assert!(words.iter().all(|word| *word == folded(word)), "{words:?}");
        }
    }

    #[test]
    fn whose_a_column_is() {
        for (heading, expected) in [
            ("nik wali", Some("wali")),
            ("nama ibu hamil", None),
            ("nama ibu", Some("ibu")),
            ("nik kepala keluarga", None),
            ("waliyudin", None),
            ("mother s name", Some("mother")),
        ] {
            assert_eq!(others(heading), expected, "{heading}");
        }
    }
}
