//! `slice`.

use std::path::PathBuf;

use clap::Subcommand;
use dtsen_kit::{ambient::Ambient, say};
use dtsen_proto::record::RecordKind;
use serde::Serialize;

use super::{Done, print_json};
use crate::{export, home::Home, store::SliceState};

#[derive(Debug, Subcommand)]
pub(super) enum Slice {
    /// Versi, jumlah, dan masa berlaku irisan yang dipakai
    Status {
        /// Untuk mesin
        #[arg(long)]
        json: bool,
    },
    /// Menulis irisan sebagai CSV dengan nama kolom DTSEN
    Export {
        /// Berkas keluarga
        #[arg(long, value_name = "BERKAS")]
        keluarga: Option<PathBuf>,
        /// Berkas anggota
        #[arg(long, value_name = "BERKAS")]
        anggota: Option<PathBuf>,
        /// Tujuan pemakaian; dicatat pada node
        #[arg(long, value_name = "TEKS")]
        purpose: String,
    },
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    state: SliceState,
    expired: bool,
}

impl Slice {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, _) = home.store().await?;
        let state = store.slice_state().await?;
        let expired = state.version > 0 && state.expires_ms <= Ambient::system().now_ms();
        match self {
            Self::Status { json: true } => print_json(&Shown { state, expired })?,
            Self::Status { json: false } => {
                say!("Irisan versi {}: {} keluarga, {} orang", state.version, state.keluarga, state.individu);
                warn_if(expired);
            }
            Self::Export { keluarga, anggota, purpose } => {
                anyhow::ensure!(!purpose.trim().is_empty(), "isi tujuan pemakaian: --purpose \"…\"");
                anyhow::ensure!(state.version > 0, "belum ada irisan; jalankan: dtsen-node sync --once");
                anyhow::ensure!(
                    keluarga.is_some() || anggota.is_some(),
                    "pilih --keluarga BERKAS dan/atau --anggota BERKAS"
                );
                warn_if(expired);
                let rulebook = home.rulebook(&store).await?;
                for (kind, path) in [(RecordKind::Keluarga, keluarga), (RecordKind::Individu, anggota)] {
                    let Some(path) = path else { continue };
                    let rows = export::write(&store, &rulebook, kind, &path).await?;
                    say!("{rows} baris ditulis ke {}", path.display());
                }
                tracing::info!(version = state.version, "slice exported");
            }
        }
        Ok(Done::Well)
    }
}

fn warn_if(expired: bool) {
    if expired {
        eprintln!("PERINGATAN: masa berlaku irisan ini sudah lewat; sambungkan ke pusat untuk yang terbaru.");
    }
}
