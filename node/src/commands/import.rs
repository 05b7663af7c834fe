//! `import`: files of a region become pending changes.

use std::path::PathBuf;

use clap::Args;
use dtsen_kit::progress::Progress;
use dtsen_proto::record::Day;

use super::{Node, Outcome, date, print_json, say};
use crate::{
    home::Home,
    import::{ImportOptions, Scope},
};

/// Mengimpor berkas keluarga dan/atau anggota keluarga
///
/// Berkas DTSEN v3 (dipisah |) atau CSV dengan nama kolom DTSEN. Berikan berkas keluarga dan anggota bersama-sama agar
/// desa anggota mengikuti keluarganya. Hanya yang baru atau berubah sejak impor terakhir dari sumber yang sama yang
/// masuk antrean kirim. Impor yang terputus cukup dijalankan sekali lagi.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// Berkas yang diimpor
    #[arg(required = true, value_name = "BERKAS")]
    files: Vec<PathBuf>,
    /// Tanggal acuan data, misalnya 2026-10-31 [bawaan: hari ini]
    #[arg(long, value_name = "TANGGAL", value_parser = date)]
    as_of: Option<Day>,
    /// Nama singkat sumber data [bawaan: dari config.toml, dtsen]
    #[arg(long, value_name = "NAMA")]
    source: Option<String>,
    /// Berkas ini lengkap untuk cakupan itu: kode kab/kota, kecamatan, atau desa, atau kata semua. Baris lama dalam
    /// cakupan yang tidak ada lagi ditarik
    #[arg(long, value_name = "CAKUPAN")]
    complete: Option<String>,
    /// Menyetujui penarikan tepat sebanyak ini, bila lebih dari 2 %
    #[arg(long, value_name = "JUMLAH", requires = "complete")]
    confirm_gone: Option<u64>,
    /// Ringkasan sebagai JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Outcome> {
        let node = Node::open(home).await?;
        let _lock = home.lock_import()?;
        let scope = |text: &String| Scope::parse(text, node.region, &node.rulebook);
        let options = ImportOptions {
            source: self.source.clone().unwrap_or_else(|| node.config.source.clone()),
            reference: self.as_of,
            complete: self.complete.as_ref().map(scope).transpose()?,
            confirm_gone: self.confirm_gone,
        };
        let mut shown: Option<(String, Progress)> = None;
        let mut progress = |file: &str, done: u64, total: u64| {
            if shown.as_ref().is_none_or(|(name, _)| name != file) {
                if let Some((_, before)) = shown.take() {
                    before.finish();
                }
                shown = Some((file.to_owned(), Progress::new(file, total)));
            }
            if let Some((_, bar)) = &mut shown {
                bar.at(done);
            }
        };
        let summary = node.importer().run(&self.files, &options, &mut progress).await;
        if let Some((_, bar)) = &shown {
            bar.finish();
        }
        let summary = summary?;
        if self.json {
            print_json(&summary)?;
        } else {
            say(&summary)?;
        }
        Ok(if summary.gone_refused() {
            Outcome::Refused
        } else if summary.errors() > 0 {
            Outcome::WithErrors
        } else {
            Outcome::Done
        })
    }
}
