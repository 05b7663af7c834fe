//! `generation`.

use clap::Subcommand;
use dtsen_kit::say;

use super::{By, batch::judgement, open, print_json};
use crate::{
    generation::{
        self,
        lost::{self, Lost},
    },
    home::Home,
};

#[derive(Debug, Subcommand)]
pub(super) enum Generation {
    /// Apa yang ditunjukkan daerah dan tidak ada di pusat ini
    Show,
    /// Keputusan petugas yang hilang dengan pemulihan dan belum diputuskan lagi
    Lost {
        /// Untuk mesin
        #[arg(long)]
        json: bool,
    },
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
            Self::Lost { json } => {
                let lost = lost::list(&hub).await?;
                if json {
                    return print_json(&lost);
                }
                print_lost(&lost);
            }
            Self::Confirm { by } => {
                let number = generation::confirm(&hub, by.decided()?).await?;
                say!("Generasi {number} dimulai. Daerah mengembalikan yang hilang saat menyambung.");
                say!(
                    "Setelah semua kembali, lihat keputusan petugas yang perlu diambil lagi: dtsen-central generation lost"
                );
                say!("Lalu terbitkan rilis baru: dtsen-central release prepare, lalu release publish");
            }
        }
        Ok(())
    }
}

fn print_lost(lost: &Lost) {
    if lost.decisions.is_empty() && lost.unknown.is_empty() {
        say!("Tidak ada keputusan yang diketahui hilang.");
        return;
    }
    for decision in &lost.decisions {
        let now = decision.now.map_or("belum dikembalikan daerah", |now| judgement(now.0));
        say!(
            "Keputusan {}: data {} {}; sekarang {now}",
            decision.number,
            decision.delta,
            judgement(decision.judged.0)
        );
    }
    if !lost.decisions.is_empty() {
        say!("Putuskan lagi: dtsen-central held accept|reject DATA --by NAMA --reason ALASAN");
    }
    if !lost.unknown.is_empty() {
        let numbers: Vec<String> = lost.unknown.iter().map(u64::to_string).collect();
        say!(
            "Tidak dipegang siapa pun: keputusan nomor {}. Cocokkan dengan catatan petugas.",
            numbers.join(", ")
        );
    }
}
