//! Why a file cannot be read at all, in the operator's language.

use std::{io, path::PathBuf};

/// Why a file cannot be read. Each text says which file, where, why, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The file holds nothing.
    #[error("{}: berkas kosong (0 baris). Salin atau ekspor ulang berkas dari sumbernya", .path.display())]
    EmptyFile {
        /// The file.
        path: PathBuf,
    },
    /// The file is not text.
    #[error("{}: bukan berkas teks melainkan {what}. Simpan sebagai CSV UTF-8, dengan kolom NIK dan No. KK sebagai teks", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// No line holds the name of a DTSEN column.
    #[error("{}: baris judul tidak ditemukan dalam {searched} baris pertama. Baris judul harus memuat nama kolom DTSEN, misalnya nomor_kartu_keluarga", .path.display())]
    NoHeader {
        /// The file.
        path: PathBuf,
        /// Lines that were looked at.
        searched: usize,
    },
    /// The heading is neither that of families nor that of persons.
    #[error("{} baris {line}: judul bukan susunan DTSEN yang dikenal, hanya mengenali kolom {}. Pakai nama kolom DTSEN v3 untuk keluarga atau anggota keluarga", .path.display(), .known.join(", "))]
    UnknownLayout {
        /// The file.
        path: PathBuf,
        /// Line of the heading.
        line: u64,
        /// The columns that were recognised.
        known: Vec<String>,
    },
    /// A column that every such file must have is missing.
    #[error("{} baris {line}: kolom {} tidak ada. Ekspor ulang dengan kolom itu, atau perbaiki namanya pada baris judul", .path.display(), .columns.join(", "))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// Line of the heading.
        line: u64,
        /// The missing columns.
        columns: Vec<String>,
    },
    /// A column occurs twice.
    #[error("{} baris {line}: kolom {column} ada dua kali, di urutan {first} dan {second}. Hapus salah satu", .path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// Line of the heading.
        line: u64,
        /// Name of the column.
        column: String,
        /// Where it occurs first, from 1.
        first: usize,
        /// Where it occurs again.
        second: usize,
    },
    /// The operating system refused.
    #[error("{}: tidak dapat dibaca{}: {}", .path.display(), after(*.line), dtsen_kit::files::reason(.cause))]
    Io {
        /// The file.
        path: PathBuf,
        /// Last line that was read; 0 before the first.
        line: u64,
        /// What it said.
        cause: io::Error,
    },
}

/// Where reading stopped, if it had begun.
fn after(line: u64) -> String {
    if line == 0 { String::new() } else { format!(" setelah baris {line}") }
}
