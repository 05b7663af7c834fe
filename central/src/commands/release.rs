//! `release`.

use clap::Subcommand;
use dtsen_kit::say;

use super::{By, open, print_json};
use crate::{home::Home, release};

#[derive(Debug, Subcommand)]
pub(super) enum Release {
    /// Membekukan satu potongan registri dan membuat irisan tiap daerah; daerah belum melihatnya
    Prepare {
        #[command(flatten)]
        by: By,
        /// Untuk mesin
        #[arg(long)]
        json: bool,
    },
    /// Menerbitkan rilis yang sudah disiapkan; harus orang kedua
    Publish {
        /// Nomor rilis
        version: u64,
        #[command(flatten)]
        by: By,
    },
}

impl Release {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        match self {
            Self::Prepare { by, json } => {
                let prepared = release::prepare(&hub, &by.by).await?;
                if json {
                    return print_json(&prepared);
                }
                say!(
                    "Rilis {} siap: {} keluarga, {} orang, {} daerah, sampai penerapan {}.",
                    prepared.version,
                    prepared.keluarga,
                    prepared.individu,
                    prepared.regions,
                    prepared.apply_no
                );
                say!(
                    "Berikutnya, oleh orang kedua: dtsen-central release publish {} --by NAMA",
                    prepared.version
                );
            }
            Self::Publish { version, by } => {
                release::publish(&hub, version, by.decided()?).await?;
                say!("Rilis {version} diterbitkan.");
            }
        }
        Ok(())
    }
}
