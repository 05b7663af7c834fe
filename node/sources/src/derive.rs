//! Columns that are made out of others, as a mapping says: joined, split, under a condition, by an expression.

mod column;
mod date;
mod script;

use serde::{Deserialize, Deserializer, Serialize};

pub use column::Derived;
pub(crate) use column::{again, derived, extend, joined, marked};
use script::Script;

use crate::clean::words::folded;

/// A rule by which a column is made out of others. Of several for the same column the first that gives something counts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Derive {
    /// A role or `kolom:` and a DTSEN column, `@` and a table of codes behind it, as in `columns`.
    #[serde(rename = "for")]
    pub target: String,
    /// The headings of the columns that it is made of, one or more.
    #[serde(default, deserialize_with = "one_or_more")]
    pub from: Vec<String>,
    /// What stands between the columns joined; those that hold nothing are left out.
    #[serde(default)]
    join: Option<String>,
    /// What stands between the parts of the one column.
    #[serde(default)]
    split: Option<String>,
    /// Which part of it: from 1, or from -1 counted from the end.
    #[serde(default)]
    part: Option<i64>,
    /// How the one column writes its dates, as in strftime: `%Y%m%d`; of several the first that fits.
    #[serde(default, deserialize_with = "one_or_more")]
    date: Vec<String>,
    /// The rows for which the rule holds.
    #[serde(default)]
    when: Option<When>,
    /// A script that gives the text.
    #[serde(default)]
    expression: Option<String>,
    /// The same, compiled.
    #[serde(skip)]
    script: Option<Script>,
}

/// A condition: one of `is` and `empty`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The heading.
    column: String,
    /// Its cell is one of these, in whatever case.
    #[serde(default)]
    is: Option<Vec<String>>,
    /// Its cell holds nothing, or something.
    #[serde(default)]
    empty: Option<bool>,
}

/// What is wrong with a rule.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeriveError {
    /// It is for nothing that there is.
    #[error("for tidak dikenal. Pakai peran seperti tanggal_lahir, alamat, rt, atau kolom:NAMA_KOLOM_DTSEN")]
    Target,
    /// It is made of nothing.
    #[error("tanpa kolom asal. Tulis judulnya: from = [\"judul kolom\"]")]
    Source,
    /// More than one way to make it.
    #[error("pakai hanya satu dari join, split, date, dan expression")]
    Ways,
    /// Several columns, and nothing says how they become one.
    #[error("beberapa kolom asal memerlukan join = \"pemisah\" atau expression")]
    Several,
    /// Only one column is split, or read as a date.
    #[error("split dan date hanya untuk satu kolom asal di from")]
    OnlyOne,
    /// The format tells no whole date, or is none.
    #[error(
        "date = {0:?} bukan susunan tanggal. Tulis hari, bulan, dan tahun, misalnya \"%d.%m.%Y\" atau \"%Y%m%d\""
    )]
    Date(String),
    /// Nothing to split at.
    #[error("split kosong. Tulis pemisahnya, misalnya split = \"/\"")]
    Separator,
    /// No such part.
    #[error(
        "split memerlukan part = 1, 2, … atau -1, -2, … dari belakang, dan part hanya berlaku bersama split"
    )]
    Part,
    /// Neither condition, or both.
    #[error("when memerlukan column dan salah satu dari is = [\"kata\"] atau empty = true / false")]
    When,
    /// A column is for the same.
    #[error("kolom {0:?} sudah untuk hal yang sama. Ubah kolom itu menjadi \"-\", atau hapus derive ini")]
    Column(String),
    /// A rule before it looks its words up elsewhere.
    #[error("derive sebelumnya untuk hal yang sama memakai tabel lain di belakang @. Samakan")]
    OtherTable,
    /// The expression is none.
    #[error(
        "expression tidak dapat dibaca; periksa tanda kurung, tanda kutip, titik koma, dan ejaan nama [{0}]"
    )]
    Script(String),
    /// The expression calls something that there is not.
    #[error("expression memakai fungsi yang tidak ada, atau dengan isi yang tidak cocok: {0}")]
    Function(String),
    /// The expression asks for a column that it is not made of.
    #[error("expression memakai kolom({0:?}) yang tidak ada di from. Tambahkan judul itu ke from")]
    Unlisted(String),
    /// The expression gives something that no cell holds.
    #[error("expression harus menghasilkan teks, bilangan bulat, atau () untuk kosong")]
    Result,
}

/// What a target is without the table behind it.
pub(crate) fn bare(target: &str) -> &str {
    target.split_once('@').map_or(target, |(bare, _)| bare)
}

impl Derive {
    /// Looks at everything that no file is needed for, and compiles the expression.
    pub(crate) fn prepare(&mut self) -> Result<(), DeriveError> {
        let dates = !self.date.is_empty();
        let ways = [self.join.is_some(), self.split.is_some(), dates, self.expression.is_some()];
        let ways = ways.into_iter().filter(|way| *way).count();
        if self.from.is_empty() || self.from.iter().any(|heading| folded(heading).is_empty()) {
            return Err(DeriveError::Source);
        }
        match (&self.split, self.from.len()) {
            _ if ways > 1 => return Err(DeriveError::Ways),
            (None, 2..) if ways == 0 => return Err(DeriveError::Several),
            (_, 2..) if self.split.is_some() || dates => return Err(DeriveError::OnlyOne),
            (Some(separator), _) if separator.is_empty() => return Err(DeriveError::Separator),
            _ => {}
        }
        if let Some(format) = self.date.iter().find(|format| !date::is_format(format)) {
            return Err(DeriveError::Date(format.clone()));
        }
        if self.split.is_some() != self.part.is_some() || self.part == Some(0) {
            return Err(DeriveError::Part);
        }
        if let Some(when) = &self.when {
            let words = when.is.as_ref().is_some_and(|words| !words.is_empty());
            if folded(&when.column).is_empty() || when.empty.is_some() == words || when.is.is_some() != words
            {
                return Err(DeriveError::When);
            }
        }
        if let Some(text) = &self.expression {
            self.script = Some(Script::new(text, &self.from)?);
        }
        Ok(())
    }

    /// The headings that it needs.
    pub(crate) fn headings(&self) -> impl Iterator<Item = &String> {
        self.from.iter().chain(self.when.as_ref().map(|when| &when.column))
    }
}

/// `"judul"` or `["judul", "judul"]`.
fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "tulis satu teks, atau daftar teks dalam [ ]")]
    enum Written {
        One(String),
        More(Vec<String>),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::One(heading) => vec![heading],
        Written::More(headings) => headings,
    })
}

#[cfg(test)]
mod tests;
