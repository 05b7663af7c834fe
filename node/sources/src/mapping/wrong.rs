//! Why a mapping cannot be used, in the operator's language, and in which line that stands.

use toml::de::{DeTable, DeValue};

use crate::{clean::words::folded, derive::DeriveError, preset};

/// Why a mapping cannot be used, and where.
#[derive(Debug, thiserror::Error)]
#[error("{}{cause}", .line.map_or_else(String::new, |line| format!("baris {line}: ")))]
pub struct WrongMapping {
    /// The line, from 1.
    pub line: Option<usize>,
    /// What is wrong there.
    pub cause: MappingError,
}

/// What is wrong in a mapping.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// It is no TOML, or has other keys.
    #[error("{what} [{said}]")]
    Form {
        /// What, and what to do.
        what: String,
        /// What the library says.
        said: String,
    },
    /// An identity that no mapping may have.
    #[error(
        "source = {claimed:?} bukan jenis sumber yang boleh dipakai pemetaan. Pakai \"lokal\", \"lokal-\" dan nama sendiri, atau bila memang dari sana: {}",
        identities()
    )]
    Identity {
        /// The identity.
        claimed: String,
    },
    /// A column is for nothing that there is.
    #[error(
        "kolom {heading:?} = {target:?} tidak dikenal. Pakai peran seperti nik, no_kk, nama, tanggal_lahir, atau kolom:NAMA_KOLOM_DTSEN, atau - untuk diabaikan"
    )]
    Target {
        /// The heading.
        heading: String,
        /// What it should be for.
        target: String,
    },
    /// A heading stands there in two spellings that are the same.
    #[error(
        "kolom {0:?} ditulis dua kali (huruf besar dan tanda baca tidak membedakan). Hapus salah satu; kolom kedua berjudul sama ditulis \"judul (2)\""
    )]
    Twice(String),
    /// A word of a table has two codes in spellings that are the same.
    #[error(
        "kata {0:?} di [tables] punya dua arti (huruf besar dan tanda baca tidak membedakan). Hapus salah satu"
    )]
    WordTwice(String),
    /// A constant is for no role.
    #[error("constants {0:?} bukan peran. Pakai peran seperti desa, kecamatan, kabupaten, kode_desa")]
    Constant(String),
    /// A constant that one person alone can have.
    #[error(
        "constants {0:?} berbeda tiap orang, tidak mungkin sama untuk semua baris. Hapus, atau sebutkan kolomnya di [columns]"
    )]
    OnePersons(String),
    /// A constant that says nothing.
    #[error(
        "constants {role} = {text:?} tidak dapat dibaca sebagai {role}. Perbaiki isinya, misalnya desa = \"SENGGIGI\", kode_desa = \"52.01.14.2006\", jenis_kelamin = \"P\""
    )]
    ConstantText {
        /// The role.
        role: String,
        /// What stands there.
        text: String,
    },
    /// A condition without column or words.
    #[error("[[skip]] memerlukan column = \"judul\" dan is = [\"kata\"]")]
    Skip,
    /// Words are to be looked up in a table that there is not.
    #[error(
        "tabel {table:?} di {target:?} tidak ada. Tulis artinya di [tables.{table}], atau hapus @{table}"
    )]
    Table {
        /// What a column is for.
        target: String,
        /// The name behind `@`.
        table: String,
    },
    /// A column cannot be made out of others.
    #[error("[[derive]] ke-{number} (for = {target:?}): {cause}")]
    Derive {
        /// Which one, from 1.
        number: usize,
        /// What it should be for.
        target: String,
        /// What is wrong with it.
        cause: DeriveError,
    },
}

/// The identities of layouts that are known.
fn identities() -> String {
    let mut all: Vec<&str> = preset::all().iter().map(|preset| &*preset.source).collect();
    all.sort_unstable();
    all.dedup();
    all.join(", ")
}

impl WrongMapping {
    /// What the library for TOML refuses, told by its kind: its own words are English.
    pub(super) fn form(error: &toml::de::Error, text: &str) -> Self {
        let said = error.message().lines().collect::<Vec<_>>().join(" ");
        let named = said.split('`').nth(1).unwrap_or_default();
        let what = if said.starts_with("duplicate key") {
            "kunci atau judul ini sudah ditulis di atas. Hapus salah satu; kolom kedua berjudul sama ditulis \"judul (2)\"".to_owned()
        } else if said.starts_with("missing field") {
            format!(
                "{named} belum ditulis. Pemetaan memerlukan name, title, dan source di baris-baris pertama, column dan is di [[skip]], for dan from di [[derive]]"
            )
        } else if said.starts_with("unknown field") {
            format!(
                "{named} tidak dikenal di sini. Perbaiki ejaannya menurut daftar dalam kurung, atau hapus"
            )
        } else if said.starts_with("unknown variant") {
            format!("{named} bukan pilihan. Pakai salah satu dari daftar dalam kurung")
        } else if said.starts_with("invalid type") || said.starts_with("invalid value") {
            "isinya salah jenis. Tulis teks dalam tanda kutip, kode sebagai angka, daftar dalam [ ]"
                .to_owned()
        } else {
            "bukan TOML yang benar. Tulis \"judul\" = \"peran\" dengan tanda kutip, satu di tiap baris"
                .to_owned()
        };
        let line = error.span().map(|span| line_at(text, span.start));
        Self { line, cause: MappingError::Form { what, said } }
    }
}

/// Something in the text of a mapping.
pub(super) enum Place {
    /// A key at the top.
    Top(&'static str),
    /// A key of a table at the top.
    Key(&'static str, String),
    /// One of a list of tables, from 0.
    Item(&'static str, usize),
}

/// The line from 1 in which something stands.
pub(super) fn line(text: &str, place: &Place) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let find = |table: &DeTable<'_>, name: &str| {
        let same = |key: &str| key == name || folded(key) == folded(name);
        // Of two spellings the second is the one too many.
        table.keys().filter(|key| same(key.get_ref())).map(|key| key.span().start).max()
    };
    let inner = |name: &str| document.get_ref().get(name).map(toml::Spanned::get_ref);
    let at = match place {
        Place::Top(name) => find(document.get_ref(), name)?,
        Place::Key(table, name) => match inner(table)? {
            DeValue::Table(table) => find(table, name)?,
            _ => return None,
        },
        Place::Item(list, at) => match inner(list)? {
            DeValue::Array(list) => list.get(*at)?.span().start,
            _ => return None,
        },
    };
    Some(line_at(text, at))
}

fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
