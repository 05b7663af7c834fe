//! Why a source cannot be read, in the operator's language. Each is a named alarm; nothing was imported.

use dtsen_sources::{mapping::Misfit, place::NotAnArea, read::ReadError};

use super::emptied::Emptied;

/// Why a source cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] ReadError),
    /// A database where only a file can be.
    #[error(
        "{0}: ini basis data, bukan berkas; usulan pemetaan hanya dibuat dari berkas. Ekspor tabelnya sebagai CSV, lalu: dtsen-node source map BERKAS. Nama kolomnya sama, jadi pemetaan itu berlaku pula untuk basis datanya"
    )]
    NoFile(String),
    /// The address is none.
    #[error(
        "{0}: bukan alamat basis data. Contoh: mysql://pembaca@10.0.0.5/opensid, postgres://pembaca@host/satudata, sqlite:/data/desa.sqlite"
    )]
    Address(String),
    /// Nobody answers.
    #[error(
        "SUMBER_MATI: {server} tidak dapat dihubungi ({cause}). Periksa apakah server menyala dan alamatnya benar"
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
    #[error("SUMBER_MACET: {server} tidak menjawab selama {seconds} detik. Tidak ada yang diimpor")]
    Hangs {
        /// The server, without account and password.
        server: String,
        /// How long.
        seconds: u64,
    },
    /// Another program keeps it locked.
    #[error(
        "SUMBER_MACET: {server} sedang ditulis program lain. Tidak ada yang diimpor; tutup program itu, atau tunggu"
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
    #[error("SUMBER_PUTUS: {server} terputus di tengah pembacaan ({cause}). Tidak ada yang diimpor")]
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
    /// Its file changed at every reading.
    #[error(
        "SUMBER_BERGERAK: {origin} sedang ditulis program lain dan berubah selagi dibaca, {readings} kali berturut-turut. Tidak ada yang diimpor. Tulislah ke berkas lain, lalu ganti namanya (mv)"
    )]
    Moving {
        /// The file.
        origin: String,
        /// How often it was read.
        readings: u32,
    },
    /// Columns of a table of `OpenSID` are not there for this account.
    #[error(
        "SUMBER_DITOLAK: kolom {} di tabel {table} tidak ada, atau tidak boleh dibaca akun ini: haknya hanya atas sebagian kolom. Tidak ada yang diimpor; beri akun itu hak SELECT atas seluruh basis data", .columns.join(", ")
    )]
    Covered {
        /// The table.
        table: String,
        /// Which columns.
        columns: Vec<String>,
    },
    /// Columns without which a table is not what it seems.
    #[error("SUMBER_BERUBAH: kolom {} tidak ada di tabel {table}. Tidak ada yang diimpor; perbaiki sumbernya, lalu coba lagi", .columns.join(", "))]
    Lacks {
        /// The table.
        table: String,
        /// Which columns.
        columns: Vec<String>,
    },
    /// A column that was used is not there.
    #[error("SUMBER_BERUBAH: kolom {} tidak ada lagi di {table}, atau tidak boleh dibaca akun ini. Tidak ada yang diimpor. Perbaiki sumbernya, lalu coba: dtsen-node source test {name}. Bila memang demikian seterusnya, tambahkan lagi dengan: dtsen-node source add --replace {name} …", .columns.join(", "))]
    Changed {
        /// The source.
        name: String,
        /// The table or sheet.
        table: String,
        /// Which columns.
        columns: Vec<String>,
    },
    /// Rows are still there, but say less than they did.
    #[error(
        "SUMBER_KOSONG: di {name} kini kosong, atau menyatakan orangnya tidak ada lagi: {}. Tidak ada yang diimpor; setelah sumbernya pulih, node membacanya lagi sendiri. Periksa tabel asalnya. Bila memang benar: {node} source run {name} --confirm-emptied {cells}",
        .emptied.iter().map(told).collect::<Vec<_>>().join(", ")
    )]
    Emptied {
        /// The command that the operator uses.
        node: String,
        /// The source.
        name: String,
        /// Which columns.
        emptied: Vec<Emptied>,
        /// How many cells altogether.
        cells: u64,
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

impl SourceError {
    /// The same of a source that was read before: what it lacks was there.
    pub(super) fn of(self, name: &str) -> Self {
        match self {
            Self::Lacks { table, columns } => Self::Changed { name: name.to_owned(), table, columns },
            other => other,
        }
    }

    /// Whether it may pass without anybody mending anything.
    pub fn passes(&self) -> bool {
        matches!(
            self,
            Self::Down { .. }
                | Self::Hangs { .. }
                | Self::Cut { .. }
                | Self::Busy { .. }
                | Self::Moving { .. }
        )
    }
}

fn told(emptied: &Emptied) -> String {
    format!("kolom {} ({} dari {} baris)", emptied.heading, emptied.rows, emptied.before)
}
