//! `import`.

use std::path::PathBuf;

use clap::Args;
use dtsen_kit::{ambient::Ambient, say, terminal::file};
use dtsen_proto::record::{Day, is_source_name};

use super::{Bars, Document, Done, Imported, print_json};
use crate::{
    home::{Home, Work},
    import::{DEFAULT_SOURCE, ImportOptions, ImportSummary, Importer, Scope},
};

#[derive(Debug, Args)]
pub(super) struct Import {
    /// Berkas keluarga dan/atau anggota: DTSEN v3 (pemisah |) atau CSV dengan nama kolom DTSEN
    #[arg(required = true, value_name = "BERKAS", value_parser = file())]
    files: Vec<PathBuf>,
    /// Tanggal acuan data (TTTT-BB-HH); bawaan: hari ini
    #[arg(long, value_name = "TANGGAL")]
    as_of: Option<jiff::civil::Date>,
    /// Berkas ini lengkap untuk wilayah tersebut (kode Kemendagri, atau "semua"): yang tidak ada lagi ditarik klaimnya
    #[arg(long, value_name = "WILAYAH")]
    complete: Option<String>,
    /// Menyetujui penarikan sebanyak N baris, persis seperti yang diminta
    #[arg(long, value_name = "N", requires = "complete")]
    confirm_gone: Option<u64>,
    /// Nama pendek sumber data
    #[arg(long, default_value = DEFAULT_SOURCE)]
    source: String,
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

impl Import {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (json, source) = (self.json, self.source.clone());
        let result = self.import(home).await;
        if json {
            let (done, error) = match &result {
                Ok(summary) => (Imported::from(summary), refused(summary).err()),
                Err(_) => (Imported { source, ..Imported::default() }, None),
            };
            print_json(&Document::new(done, result.as_ref().err().or(error.as_ref())))?;
        }
        let summary = result?;
        if !json {
            say!("{summary}");
            if summary.errors() > 0 {
                let home = home.path().display();
                say!("Baris bermasalah tidak dikirim; lihat dengan: dtsen-node --home {home} findings");
            }
        }
        refused(&summary)?;
        Ok(if summary.errors() > 0 { Done::WithErrors } else { Done::Well })
    }

    async fn import(self, home: &Home) -> anyhow::Result<ImportSummary> {
        anyhow::ensure!(
            is_source_name(&self.source),
            "nama sumber {:?} tidak dapat dipakai; pakai huruf kecil, angka, dan tanda hubung, paling banyak 32: --source dtsen",
            self.source
        );
        let (store, region) = home.store().await?;
        let _lock = home.lock(Work::Import)?;
        let rulebook = home.rulebook(&store).await?;
        let complete = match &self.complete {
            Some(text) => Some(Scope::parse(text, region, &rulebook)?),
            None => None,
        };
        let options = ImportOptions {
            source: self.source,
            reference: self.as_of.map(Day::from_date),
            complete,
            confirm_gone: self.confirm_gone,
            run: None,
        };
        let importer = Importer { store: &store, rulebook, region, ambient: Ambient::system() };
        let mut bars = Bars::default();
        let mut progress = |file: &str, read: u64, total: u64| bars.at(file, read, total);
        let summary = importer.run(&self.files, &options, &mut progress).await;
        bars.finish();
        Ok(summary?)
    }
}

fn refused(summary: &ImportSummary) -> anyhow::Result<()> {
    anyhow::ensure!(!summary.gone_refused(), "penarikan belum dilakukan; lihat keterangan di atas");
    Ok(())
}
