//! `init`.

use clap::Args;
use dtsen_kit::{ambient::Ambient, files, say};

use super::open_store;
use crate::home::{Config, Home};

#[derive(Debug, Args)]
pub(super) struct Init {
    /// Nama pusat, sama seperti di sertifikatnya
    #[arg(long, default_value = "hub.dtsen.internal")]
    name: String,
    /// Basis data: sqlite:FILE atau postgres://…
    #[arg(long, default_value = "sqlite:hub.db")]
    database: String,
    /// Alamat layanan pertukaran
    #[arg(long, default_value = "127.0.0.1:7443")]
    listen: String,
    /// Alamat layanan pendaftaran
    #[arg(long, default_value = "127.0.0.1:7444")]
    enrol_listen: String,
    /// Alamat pertukaran seperti dilihat node (bawaan: https:// + alamat layanan)
    #[arg(long, value_name = "URL")]
    exchange_url: Option<String>,
}

impl Init {
    pub(super) async fn run(self, home: &Home) -> anyhow::Result<()> {
        let exchange_url = self.exchange_url.unwrap_or_else(|| format!("https://{}", self.listen));
        let config = Config {
            name: self.name,
            database: self.database,
            listen: self.listen,
            enrol_listen: self.enrol_listen,
            exchange_url,
        };
        files::private_folder(home.path())?;
        // The database first: keys are made only once there is a place for what they sign.
        open_store(&home.database(&config), true).await?;
        home.create(&config, &Ambient::system())?;
        say!("Pusat {} dibuat di {}", config.name, home.path().display());
        say!("Berikutnya: dtsen-central --home {} serve", home.path().display());
        say!("            dtsen-central --home {} region invite 52.71 --by NAMA", home.path().display());
        say!("Pindahkan keys/release.pem ke tempat luring bila sudah dipakai sungguhan.");
        Ok(())
    }
}
