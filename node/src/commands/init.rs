//! `init`: a home, a store, a region.

use anyhow::bail;
use clap::Args;
use dtsen_proto::{region::Region, rulebook::Rulebook};

use super::{Outcome, regency};
use crate::{config::Config, home::Home, store::setting};

/// Membuat node baru untuk satu kabupaten/kota
#[derive(Debug, Args)]
pub(super) struct Init {
    /// Kode Kemendagri kabupaten/kota, misalnya 52.71
    #[arg(value_name = "WILAYAH", value_parser = regency)]
    region: Region,
}

impl Init {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Outcome> {
        let rulebook = Rulebook::builtin();
        let code = self.region.to_string();
        let Some(name) = rulebook.wilayah().name(&code) else {
            bail!("{code} bukan kabupaten/kota dalam daftar Kemendagri; periksa kodenya");
        };
        let store = home.create(&Config::default()).await?;
        store.set_setting(setting::REGION, code.as_bytes()).await?;
        println!("Node untuk {code} {name} dibuat di {}", home.path().display());
        println!("Berikutnya: dtsen-node import BERKAS…, lalu dtsen-node enrol untuk mendaftar ke pusat");
        Ok(Outcome::Done)
    }
}
