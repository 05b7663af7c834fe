//! What an import did, for the operator and for programs.

use std::fmt;

use super::gone::{GONE_PERCENT, GoneOutcome};
use crate::store::Counts;

/// What was done with one file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FileSummary {
    /// Its name, without its folder.
    pub file: String,
    /// `keluarga` or `anggota`.
    pub kind: &'static str,
    /// Things told of the file as a whole.
    pub notices: u64,
    /// Its rows.
    #[serde(flatten)]
    pub counts: Counts,
}

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ImportSummary {
    /// The source.
    pub source: String,
    /// The day that the data describes, in days since 1970-01-01.
    pub reference_day: i32,
    /// Families first.
    pub files: Vec<FileSummary>,
    /// What became of the rows that are no longer there.
    pub gone: GoneOutcome,
}

impl ImportSummary {
    /// Rows with errors, over all files.
    pub fn errors(&self) -> u64 {
        self.files.iter().map(|file| file.counts.errors).sum()
    }

    /// Whether rows were to be withdrawn and were not.
    pub fn gone_refused(&self) -> bool {
        !matches!(self.gone, GoneOutcome::NotAsked | GoneOutcome::Withdrawn(_))
    }
}

impl fmt::Display for FileSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Counts { rows, new, changed, unchanged, errors, warnings, gone, queued } = self.counts;
        writeln!(f, "{} ({})", self.file, self.kind)?;
        writeln!(
            f,
            "  {rows} baris dibaca: {new} baru, {changed} berubah, {unchanged} tetap, {errors} bermasalah"
        )?;
        if warnings > 0 {
            writeln!(f, "  {warnings} baris dengan peringatan (tetap dikirim)")?;
        }
        if gone > 0 {
            writeln!(f, "  {gone} baris tidak ada lagi (klaimnya ditarik)")?;
        }
        write!(f, "  {queued} perubahan masuk antrean kirim")
    }
}

impl fmt::Display for GoneOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAsked => Ok(()),
            Self::Withdrawn(gone) => write!(f, "{gone} baris lama tidak ada lagi dan ditarik"),
            Self::NeedsConfirmation { gone, known } => write!(
                f,
                "{gone} dari {known} baris lama tidak ada lagi dalam berkas, lebih dari {GONE_PERCENT} %: belum ada yang \
                 ditarik. Periksa apakah berkasnya lengkap. Jika memang benar, jalankan perintah yang sama dengan \
                 --confirm-gone {gone}"
            ),
            Self::Differs { confirmed, gone } => write!(
                f,
                "--confirm-gone {confirmed} tidak sama dengan jumlah sebenarnya, {gone}: belum ada yang ditarik. Periksa \
                 berkasnya, lalu jalankan lagi dengan --confirm-gone {gone}"
            ),
            Self::Unidentified { rows, gone } => write!(
                f,
                "{rows} baris tidak dapat dikenali (rusak, atau NIK/No. KK salah), jadi tidak dapat dipastikan siapa \
                 yang tidak ada lagi: {gone} baris lama belum ditarik. Perbaiki baris itu \
                 (dtsen-node findings), lalu impor lagi; bila semuanya memang orang lain, jalankan perintah yang sama \
                 dengan --confirm-gone {gone}"
            ),
        }
    }
}

impl fmt::Display for ImportSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, file) in self.files.iter().enumerate() {
            if at > 0 {
                writeln!(f)?;
            }
            write!(f, "{file}")?;
        }
        if !matches!(self.gone, GoneOutcome::NotAsked | GoneOutcome::Withdrawn(0)) {
            write!(f, "\n{}", self.gone)?;
        }
        Ok(())
    }
}
