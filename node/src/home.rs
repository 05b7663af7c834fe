//! The home folder of a node: `node.db`, `keys/`, `config.toml`, readable by their owner only.

use std::path::{Path, PathBuf};

use dtsen_kit::{
    files::{self, FileError, HomeLock},
    sqlite::Mode,
};

use crate::{
    config::{Config, ConfigError},
    store::{Store, StoreError},
};

/// A home that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// A file.
    #[error("folder node tidak dapat dipakai; periksa izin dan ruang penyimpanan")]
    File(#[from] FileError),
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store.
    #[error("basis data {path} tidak dapat dibuka")]
    Store {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// Nothing there.
    #[error("{0} belum berisi node; jalankan: dtsen-node init WILAYAH --home {0}")]
    Missing(PathBuf),
    /// Something there.
    #[error("{0} sudah berisi node; tidak ada yang diubah")]
    Exists(PathBuf),
    /// Another process is at work.
    #[error("{0} sedang dipakai proses dtsen-node lain; tunggu sampai selesai, lalu ulangi")]
    Locked(PathBuf),
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

    /// `~/.dtsen-node`.
    pub fn usual() -> Self {
        Self { path: std::env::home_dir().unwrap_or_default().join(".dtsen-node") }
    }

    /// The path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The store's file.
    pub fn database(&self) -> PathBuf {
        self.path.join("node.db")
    }

    /// The folder of the keys.
    pub fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// A key's file.
    pub fn key(&self, name: &str) -> PathBuf {
        self.keys().join(name)
    }

    fn config_path(&self) -> PathBuf {
        self.path.join("config.toml")
    }

    /// The configuration.
    pub fn config(&self) -> Result<Config, HomeError> {
        Ok(Config::load(&self.config_path())?)
    }

    /// Makes the folders, the configuration and the store. Never over existing ones.
    pub async fn create(&self, config: &Config) -> Result<Store, HomeError> {
        if self.database().exists() {
            return Err(HomeError::Exists(self.path.clone()));
        }
        files::private_folder(&self.keys())?;
        let text = toml::to_string(config).expect("a configuration is a table of texts");
        files::write_private(&self.config_path(), text.as_bytes())?;
        // The store's own files would follow the umask: an empty private one is there before them.
        files::write_private(&self.database(), &[])?;
        self.open().await
    }

    /// Opens the store.
    pub async fn open(&self) -> Result<Store, HomeError> {
        let path = self.database();
        if !path.exists() {
            return Err(HomeError::Missing(self.path.clone()));
        }
        Store::open(&path, false, Mode::Production).await.map_err(|source| HomeError::Store { path, source })
    }

    /// For a process that speaks with the hub or replaces files: one at a time.
    pub fn lock(&self) -> Result<HomeLock, HomeError> {
        lock(&self.path)
    }

    /// For an import: one at a time, beside a process that speaks with the hub.
    pub fn lock_import(&self) -> Result<HomeLock, HomeError> {
        let path = self.path.join("import");
        files::private_folder(&path)?;
        lock(&path)
    }
}

fn lock(path: &Path) -> Result<HomeLock, HomeError> {
    files::lock_home(path)?.ok_or_else(|| HomeError::Locked(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_home_is_private_made_once_and_locked_by_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::at(&dir.path().join("node"));
        assert!(matches!(home.open().await, Err(HomeError::Missing(_))));
        drop(home.create(&Config::default()).await.expect("makes"));
        assert!(matches!(home.create(&Config::default()).await, Err(HomeError::Exists(_))));
        let _store = home.open().await.expect("opens");
        for (path, mode) in [(home.path().to_owned(), 0o700), (home.keys(), 0o700), (home.database(), 0o600)]
        {
            let found = path.metadata().expect("is there").permissions().mode() & 0o777;
            assert_eq!(found, mode, "{}", path.display());
        }
        let (_one, _import) = (home.lock().expect("locks"), home.lock_import().expect("locks"));
        assert!(matches!(home.lock(), Err(HomeError::Locked(_))));
        assert!(matches!(home.lock_import(), Err(HomeError::Locked(_))));
    }
}
