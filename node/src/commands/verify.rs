//! `verify`.

use std::sync::Arc;

use clap::Args;
use dtsen_kit::{net::Tcp, say};

use super::{Done, print_json};
use crate::{audit, home::Home};

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// Untuk mesin
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, region) = home.store().await?;
        let agent = home.agent(store, region, Arc::new(Tcp)).await?;
        let found = audit::verify(&agent).await?;
        if self.json {
            print_json(&found)?;
        } else {
            say!(
                "{} kiriman, {} tanda terima, {} putusan, irisan versi {} diperiksa.",
                found.batches,
                found.receipts,
                found.feed,
                found.slice_version
            );
            for fault in &found.faults {
                say!("SALAH: {fault}");
            }
        }
        anyhow::ensure!(
            found.faults.is_empty(),
            "{} hal tidak cocok dengan tanda tangannya",
            found.faults.len()
        );
        if !self.json {
            say!("Semuanya cocok.");
        }
        Ok(Done::Well)
    }
}
