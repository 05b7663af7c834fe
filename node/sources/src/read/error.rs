//! Why a file cannot be read at all, in the operator's language.

use std::{io, path::PathBuf};

/// What the system says, in the operator's language where it is common.
fn why(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::NotFound => "berkas tidak ada".into(),
        io::ErrorKind::PermissionDenied => "tidak ada izin membacanya".into(),
        _ => cause.to_string(),
    }
}

/// Why a file cannot be read. Each text says which file, why, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be opened or read.
    #[error("{}: tidak dapat dibaca ({}). Periksa nama dan izin berkas", .path.display(), why(cause))]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// It is a folder, a pipe, a device.
    #[error("{}: bukan berkas melainkan {what}. Sebut nama berkas yang memuat tabelnya", .path.display())]
    NotAFile {
        /// Where it is.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The workbook can be opened with a password alone.
    #[error("{}: buku kerja berkata sandi. Buka dengan Excel atau LibreOffice, hapus kata sandinya, lalu simpan sebagai .xlsx", .path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// The file holds nothing.
    #[error("{}: berkas kosong. Salin atau ekspor ulang berkas dari sumbernya", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file holds nothing but blanks.
    #[error("{}: tidak ada isi selain spasi dan baris kosong. Salin atau ekspor ulang berkas dari sumbernya", .path.display())]
    Blank {
        /// The file.
        path: PathBuf,
    },
    /// It is no table.
    #[error("{}: bukan tabel melainkan {what}. Buka dengan programnya, lalu simpan sebagai .xlsx atau CSV UTF-8", .path.display())]
    NotATable {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// It is larger than what can be read in bounded memory.
    #[error("{}: {what} berukuran {megabytes} MB, batasnya {limit} MB. Simpan sebagai .xlsx atau CSV, atau pecah menjadi beberapa berkas", .path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Which part.
        what: &'static str,
        /// How large it is, at least.
        megabytes: u64,
        /// How large it may be.
        limit: u64,
    },
    /// A row has too many columns.
    #[error("{}{}: baris {row} memuat lebih dari {limit} kolom. Hapus kolom yang tidak perlu", .path.display(), .sheet.as_ref().map_or_else(String::new, |sheet| format!(", lembar {sheet}")))]
    TooWide {
        /// The file.
        path: PathBuf,
        /// The sheet.
        sheet: Option<String>,
        /// The row, from 1.
        row: u64,
        /// Columns that it may have.
        limit: usize,
    },
    /// The workbook is damaged.
    #[error("{}: buku kerja rusak ({cause}). Buka dengan Excel atau LibreOffice dan simpan ulang", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        cause: String,
    },
    /// It ends before its end.
    #[error("{}: berkas terpotong, hanya {bytes} dari {whole} bita. Salin ulang berkas dari sumbernya", .path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// How long it is.
        bytes: u64,
        /// How long it says that it is.
        whole: u64,
    },
    /// No row looks like the heading of a table of people or families.
    #[error("{}: judul kolom tidak ditemukan pada {searched} baris pertama tiap lembar. Judul harus memuat sedikitnya NIK, No. KK, atau nama, dan dua kolom lain yang dikenal; untuk susunan lain buat pemetaan dengan: dtsen-node source map BERKAS", .path.display())]
    NoHeading {
        /// The file.
        path: PathBuf,
        /// Rows that were looked at.
        searched: usize,
    },
    /// There is a heading, and nobody below it.
    #[error("{}: tidak ada baris di bawah judul kolom. Periksa apakah ekspor dari sumbernya lengkap, lalu salin ulang berkas", .path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
    },
}
