//! `held`.

use clap::Subcommand;
use dtsen_kit::say;
use dtsen_proto::{id::DeltaRef, region::Region};

use super::{By, batch::Shown, open, print_json};
use crate::{home::Home, stewardship};

#[derive(Debug, Subcommand)]
pub(super) enum Held {
    /// Data yang ditahan, terlama lebih dulu
    List {
        /// Hanya daerah ini
        #[arg(long)]
        region: Option<Region>,
        /// Paling banyak
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Untuk mesin
        #[arg(long)]
        json: bool,
    },
    /// Menerima: data masuk walau ditahan
    Accept {
        /// DAERAH/EPOCH/URUT/NOMOR seperti di held list
        delta: DeltaRef,
        #[command(flatten)]
        by: By,
    },
    /// Menolak
    Reject {
        /// DAERAH/EPOCH/URUT/NOMOR seperti di held list
        delta: DeltaRef,
        #[command(flatten)]
        by: By,
    },
}

impl Held {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        let (delta, accept, by) = match self {
            Self::List { region, limit, json } => {
                let rows = hub.store.held(region, limit).await?;
                let rulebook = hub.rulebook().await?;
                let shown: Vec<Shown> = rows.iter().map(|v| Shown::new(v, &rulebook.book)).collect();
                if json {
                    return print_json(&shown);
                }
                Shown::print(&shown);
                return Ok(());
            }
            Self::Accept { delta, by } => (delta, true, by),
            Self::Reject { delta, by } => (delta, false, by),
        };
        anyhow::ensure!(!by.reason.trim().is_empty(), "keputusan petugas perlu alasan: --reason \"…\"");
        let word = if accept { "diterima" } else { "ditolak" };
        if stewardship::decide(&hub, delta, accept, by.decided()?).await? {
            say!("Data {delta} {word}.");
        } else {
            say!("Data {delta} sudah {word} sebelumnya; tidak ada keputusan baru yang dicatat.");
        }
        Ok(())
    }
}
