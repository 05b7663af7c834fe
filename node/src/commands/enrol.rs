//! `enrol`.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use dtsen_kit::{ambient::Ambient, files, net::Tcp, say};
use dtsen_proto::{enrol::Token, key::fingerprint};

use super::Done;
use crate::{
    enrol,
    home::{Home, Work},
    store::setting,
    sync::SyncError,
};

/// How often the hub is asked whether an operator has confirmed.
const ASK_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Enrol {
    /// Alamat pendaftaran pusat, misalnya https://10.0.0.5:7444
    #[arg(long, value_name = "URL")]
    hub: String,
    /// Berkas berisi token sekali pakai
    #[arg(long, value_name = "BERKAS")]
    token_file: PathBuf,
    /// Jangan menunggu konfirmasi; jalankan perintah yang sama lagi nanti
    #[arg(long)]
    no_wait: bool,
}

impl Enrol {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<Done> {
        let (store, region) = home.store().await?;
        let _lock = home.lock(Work::Exchange)?;
        let text = String::from_utf8_lossy(&files::read(&self.token_file)?).into_owned();
        let token: Token = text.parse().map_err(|_| {
            anyhow::anyhow!(
                "{} tidak berisi token pendaftaran (dimulai dengan dtsen1.); minta lagi kepada petugas pusat",
                self.token_file.display()
            )
        })?;
        anyhow::ensure!(
            token.region == region,
            "token ini untuk daerah {}, node ini untuk {region}; minta token yang benar",
            token.region
        );
        if store.setting(setting::TOKEN).await?.is_some_and(|last| last == enrol::fingerprint_of(&token)) {
            say!("Node {region} sudah terdaftar dengan token ini; tidak ada yang diubah.");
            return Ok(Done::Well);
        }
        let ambient = Ambient::system();
        let applicant = home.applicant(&ambient)?;
        say!("Sidik jari node {region}: {}", applicant.fingerprint());
        let mut told = false;
        loop {
            match enrol::ask(Arc::new(Tcp), &self.hub, &token, &applicant, &ambient).await {
                Ok(Some(granted)) => {
                    home.keep(&store, &applicant, &granted).await?;
                    say!("Terdaftar pada pusat {} ({}).", granted.hub.name, granted.url);
                    say!("Sidik jari kunci pusat: {}", fingerprint(&[&granted.hub.receipt_key]));
                    return Ok(Done::Well);
                }
                Ok(None) if self.no_wait => {
                    say!("Menunggu konfirmasi petugas pusat. Bacakan sidik jari itu lewat telepon.");
                    return Ok(Done::Well);
                }
                Ok(None) => {}
                // A link that breaks while people talk on the phone is no reason to stop.
                Err(error @ (SyncError::Connect(_) | SyncError::Broken(_))) if told => {
                    tracing::warn!("{error}; mencoba lagi");
                }
                Err(error) if error.is_revoked_key() => {
                    home.forget_applicant();
                    anyhow::bail!(
                        "kunci yang disiapkan node ini sudah dicabut pusat dan dibuang; jalankan lagi perintah ini, kunci baru dibuat dengan sendirinya"
                    );
                }
                Err(error) => return Err(error.into()),
            }
            if !told {
                told = true;
                say!("Bacakan sidik jari itu kepada petugas pusat lewat telepon; menunggu konfirmasi …");
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }
}
