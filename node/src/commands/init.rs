//! `init`.

use clap::Args;
use dtsen_kit::say;
use dtsen_proto::{region::Region, rulebook::Rulebook};

use super::Done;
use crate::home::Home;

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Kode Kemendagri kab/kota, misalnya 52.71
    #[arg(long)]
    region: Region,
}

impl Init {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let code = self.region.to_string();
        let rulebook = Rulebook::builtin();
        let name = rulebook.wilayah().name(&code).filter(|_| self.region.is_regency());
        let name = name
            .ok_or_else(|| anyhow::anyhow!("{code} bukan kode kab/kota Kemendagri; tulis seperti 52.71"))?;
        home.create(self.region).await?;
        say!("Node untuk {code} {name} dibuat di {}", home.path().display());
        say!("Berikutnya: dtsen-node --home {} enrol --hub URL --token-file BERKAS", home.path().display());
        Ok(Done::Well)
    }
}
