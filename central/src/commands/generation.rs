//! `generation`.

use clap::Subcommand;
use dtsen_kit::say;

use super::{By, open};
use crate::{generation, home::Home};

#[derive(Debug, Subcommand)]
pub(super) enum Generation {
    /// Apa yang ditunjukkan daerah dan tidak ada di pusat ini
    Show,
    /// Memulai generasi baru: log baru, epoch baru; daerah mengembalikan yang hilang
    Confirm {
        #[command(flatten)]
        by: By,
    },
}

impl Generation {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let hub = open(home).await?;
        match self {
            Self::Show => {
                say!("Generasi {}", hub.generation().await?);
                match hub.stopped().await? {
                    None => say!("Penerimaan berjalan; tidak ada yang perlu dikonfirmasi."),
                    Some(why) => say!("Penerimaan BERHENTI: {why}"),
                }
                for head in generation::evidence(&hub).await?.evidence {
                    say!(
                        "  {}: epoch {} urut {}, umpan {}",
                        head.region,
                        head.epoch,
                        head.sequence,
                        head.feed
                    );
                }
            }
            Self::Confirm { by } => {
                let number = generation::confirm(&hub, by.decided()).await?;
                say!("Generasi {number} dimulai. Daerah mengembalikan yang hilang saat menyambung.");
            }
        }
        Ok(())
    }
}
