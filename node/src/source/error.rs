//! Why a source cannot be read, in the operator's language. Each is a named alarm; nothing was imported.

use dtsen_sources::{mapping::Misfit, place::NotAnArea, read::ReadError};

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] ReadError),
    /// The address is none.
    #[error(
        "{0}: bukan alamat basis data. Contoh: mysql://pembaca@10.0.0.5/opensid, postgres://pembaca@host/satudata, sqlite:/data/desa.sqlite"
    )]
    Address(String),
    /// Nobody answers.
    #[error(
        "SUMBER_MATI: {server} tidak dapat dihubungi ({cause}). Periksa apakah server menyala dan alamatnya benar; node mencoba lagi sendiri"
    )]
    Down {
        /// The server, without account and password.
        server: String,
        /// What the driver says.
        cause: String,
    },
    /// The account may not.
    #[error(
        "SUMBER_DITOLAK: {server} menolak akun ini ({cause}). Periksa nama akun dan kata sandi; cukup hak SELECT"
    )]
    Denied {
        /// The server, without account and password.
        server: String,
        /// What the driver says.
        cause: String,
    },
    /// It answers no more.
    #[error(
        "SUMBER_MACET: {server} tidak menjawab selama {seconds} detik. Tidak ada yang diimpor; node mencoba lagi sendiri"
    )]
    Hangs {
        /// The server, without account and password.
        server: String,
        /// How long.
        seconds: u64,
    },
    /// Another program keeps it locked.
    #[error(
        "SUMBER_MACET: {server} sedang ditulis program lain. Tidak ada yang diimpor; tutup program itu, atau tunggu: node mencoba lagi sendiri"
    )]
    Busy {
        /// The file.
        server: String,
    },
    /// There is more than can be read at once.
    #[error(
        "{origin}: terlalu besar untuk sekali baca ({what}). Tidak ada yang diimpor; pecah sumbernya, misalnya per kecamatan, atau pilih tabelnya dengan --table NAMA"
    )]
    TooMuch {
        /// The file or database.
        origin: String,
        /// What there is too much of.
        what: String,
    },
    /// The connection ended in the middle.
    #[error(
        "SUMBER_PUTUS: {server} terputus di tengah pembacaan ({cause}). Tidak ada yang diimpor; node mencoba lagi sendiri"
    )]
    Cut {
        /// The server, without account and password.
        server: String,
        /// What the driver says.
        cause: String,
    },
    /// There is no such database.
    #[error(
        "SUMBER_TIADA: {server} tidak ada ({cause}). Periksa nama basis data atau berkasnya di akhir alamat"
    )]
    Nowhere {
        /// The server and the database.
        server: String,
        /// What the driver says.
        cause: String,
    },
    /// A file of `SQLite` is damaged.
    #[error(
        "SUMBER_RUSAK: {server} tidak terbaca ({cause}). Tidak ada yang diimpor; buat lagi berkasnya dari aplikasi asal"
    )]
    Damaged {
        /// The file.
        server: String,
        /// What the driver says.
        cause: String,
    },
    /// A table of `OpenSID` is not there, or not for this account.
    #[error(
        "SUMBER_DITOLAK: {name} adalah OpenSID, tetapi tabel {table} tidak ada atau tidak boleh dibaca akun ini. Tidak ada yang diimpor; beri akun itu hak SELECT atas seluruh basis data"
    )]
    Hidden {
        /// The source.
        name: String,
        /// Which table.
        table: &'static str,
    },
    /// A column that is needed is not there.
    #[error("SUMBER_BERUBAH: kolom {} tidak ada lagi di {table}. Tidak ada yang diimpor. Perbaiki sumbernya, lalu coba: dtsen-node source test {name}. Bila memang demikian seterusnya, tambahkan lagi dengan: dtsen-node source add --replace {name} …", .columns.join(", "))]
    Changed {
        /// The source.
        name: String,
        /// The table or sheet.
        table: String,
        /// Which columns.
        columns: Vec<String>,
    },
    /// A table that was chosen, or read before, is not there.
    #[error(
        "SUMBER_BERUBAH: tabel {table} tidak ada di {name}, atau tidak boleh dibaca akun ini. Tidak ada yang diimpor; periksa sumbernya, atau pilih tabelnya dengan: dtsen-node source add --replace … --table NAMA"
    )]
    Lost {
        /// The source.
        name: String,
        /// Which table.
        table: String,
    },
    /// No table is one of people or families.
    #[error(
        "{0}: tidak ada tabel dengan kolom penduduk yang dikenal (sedikitnya NIK, No. KK, atau nama, dan dua kolom lain)"
    )]
    NoTable(String),
    /// OpenSID without its module for Regsosek.
    #[error(
        "{0}: tidak ada modul Regsosek OpenSID (tabel dtsen dan dtsen_anggota, atau dtks dan dtks_anggota). Penduduknya dibaca tanpa --preset"
    )]
    NoAnswers(String),
    /// The mapping cannot be used.
    #[error("{}: {cause}", .path.display())]
    Mapping {
        /// Its file.
        path: std::path::PathBuf,
        /// What is wrong in it.
        cause: String,
    },
    /// The mapping does not fit what was read.
    #[error("{origin}, pemetaan {mapping}: {cause}. Tidak ada yang diimpor")]
    Misfit {
        /// The file or database.
        origin: String,
        /// Name of the mapping.
        mapping: String,
        /// What does not fit.
        cause: Box<Misfit>,
    },
    /// Nothing in the source has the headings of the mapping.
    #[error(
        "{origin}: tidak ada lembar yang memuat sebagian besar kolom pemetaan {mapping}, atau kolom itu tidak menyebut siapa (nik, no_kk, nama, atau nama_kepala). Periksa judulnya di [columns], atau buat usulan baru: dtsen-node source map BERKAS"
    )]
    Unmapped {
        /// The file or database.
        origin: String,
        /// Name of the mapping.
        mapping: String,
    },
    /// The hint is no area.
    #[error(transparent)]
    Area(#[from] NotAnArea),
    /// The password cannot be read.
    #[error(
        "kata sandi sumber tidak terbaca dari {0}. Tulis kata sandi dalam berkas itu (izin 0600), atau dalam variabel lingkungan yang disebut"
    )]
    Password(String),
    /// The file that holds the rows meanwhile failed.
    #[error("berkas sementara gagal ({0}); periksa ruang disk, lalu jalankan lagi")]
    Spool(#[from] std::io::Error),
}
