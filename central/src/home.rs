//! The hub's home folder: configuration and keys.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use dtsen_kit::{
    ambient::Ambient,
    files::{self, FileError},
    tls::TlsError,
};
use dtsen_proto::{key::Signer, record::Day};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use crate::{
    authority::Authority,
    engine::Engine,
    hub::{Hub, Keys},
    rulebook::Rulebooks,
    store::Store,
};

/// `hub.toml`. Every key of it is explained in `deploy/config/hub.example.toml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the hub, of its certificate and of its log.
    pub name: String,
    /// `sqlite:FILE` (relative to the home) or `postgres://…`.
    pub database: String,
    /// Where the exchange listens.
    pub listen: String,
    /// Where enrolment listens.
    pub enrol_listen: String,
    /// Where nodes reach the exchange.
    pub exchange_url: String,
}

/// A home that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// TLS material.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// `hub.toml` is wrong.
    #[error("konfigurasi {path} salah")]
    Config {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
    /// Nothing there.
    #[error("{0} belum berisi pusat; jalankan: dtsen-central init --home {0}")]
    Missing(PathBuf),
    /// Something there.
    #[error("{0} sudah berisi pusat; tidak ada yang diubah")]
    Exists(PathBuf),
    /// A key file is damaged.
    #[error("berkas kunci {0} rusak")]
    Key(PathBuf),
}

/// A home folder.
#[derive(Debug, Clone)]
pub struct Home {
    path: PathBuf,
}

impl Home {
    /// At this path, whether it is there or not.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn config_path(&self) -> PathBuf {
        self.path.join("hub.toml")
    }

    fn key_path(&self, name: &str) -> PathBuf {
        self.path.join("keys").join(name)
    }

    /// Makes keys and configuration. Never over existing ones.
    pub fn create(&self, config: &Config, ambient: &Ambient) -> Result<(), HomeError> {
        if self.config_path().exists() {
            return Err(HomeError::Exists(self.path.clone()));
        }
        files::private_folder(&self.path.join("keys"))?;
        for name in ["receipt.pem", "log.pem", "release.pem"] {
            let signer = Signer::from_seed(&ambient.bytes());
            files::write_private(&self.key_path(name), signer.to_pem().as_bytes())?;
        }
        let release = self.signer("release.pem")?;
        files::write_private(
            &self.key_path("release.pub"),
            hex::encode(release.public().as_bytes()).as_bytes(),
        )?;
        let authority = Authority::create(&config.name, Day::of_ms(ambient.now_ms()))?;
        files::write_private(&self.key_path("ca.key"), authority.key())?;
        files::write_private(&self.key_path("ca.crt"), authority.certificate())?;
        self.write_config(config)
    }

    /// Replaces the configuration.
    pub fn write_config(&self, config: &Config) -> Result<(), HomeError> {
        let text = toml::to_string(config).expect("a flat table of texts");
        Ok(files::write_private(&self.config_path(), text.as_bytes())?)
    }

    /// Reads the configuration.
    pub fn config(&self) -> Result<Config, HomeError> {
        let path = self.config_path();
        if !path.exists() {
            return Err(HomeError::Missing(self.path.clone()));
        }
        let text = String::from_utf8_lossy(&files::read(&path)?).into_owned();
        toml::from_str(&text).map_err(|e| HomeError::Config { path, source: Box::new(e) })
    }

    /// Address of the database, with a relative SQLite file resolved against the home.
    pub fn database(&self, config: &Config) -> String {
        match config.database.strip_prefix("sqlite:") {
            Some(file) => format!("sqlite:{}", self.path.join(file).display()),
            None => config.database.clone(),
        }
    }

    fn signer(&self, name: &str) -> Result<Signer, HomeError> {
        let path = self.key_path(name);
        let text = String::from_utf8_lossy(&files::read(&path)?).into_owned();
        Signer::from_pem(&text).map_err(|_| HomeError::Key(path))
    }

    /// The hub's keys. The release key may be elsewhere.
    pub fn keys(&self) -> Result<(Keys, [u8; 32]), HomeError> {
        let release_path = self.key_path("release.pem");
        let release = if release_path.exists() { Some(self.signer("release.pem")?) } else { None };
        let public_path = self.key_path("release.pub");
        let public = hex::decode(files::read(&public_path)?).ok().and_then(|b| b.try_into().ok());
        let public = public.ok_or(HomeError::Key(public_path))?;
        let keys = Keys { receipt: self.signer("receipt.pem")?, log: self.signer("log.pem")?, release };
        Ok((keys, public))
    }

    /// The certificate authority.
    pub fn authority(&self) -> Result<Authority, HomeError> {
        let certificate = files::read(&self.key_path("ca.crt"))?;
        let key = files::read(&self.key_path("ca.key"))?;
        Ok(Authority::load(certificate, key))
    }

    /// A hub with the keys of this home.
    pub fn hub(&self, config: &Config, store: Arc<dyn Store>, ambient: Ambient) -> Result<Hub, HomeError> {
        let (keys, release_key) = self.keys()?;
        Ok(Hub {
            name: config.name.clone(),
            exchange_url: config.exchange_url.clone(),
            store,
            engine: Engine { signer: keys.receipt.clone() },
            keys,
            authority: self.authority()?,
            release_key,
            rulebooks: Rulebooks::default(),
            ambient,
            lane_work: Notify::new(),
            log_work: Notify::new(),
        })
    }
}
