//! The node's home folder: database, keys, identity.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use dtsen_kit::{
    ambient::Ambient,
    files::{self, FileError, HomeLock},
    net::Dial,
    sqlite::Mode,
};
use dtsen_proto::{chain::Head, key::Signer, pb, region::Region, rulebook::Rulebook};
use futures::future::{BoxFuture, LocalBoxFuture};
use prost::Message as _;

use crate::{
    enrol::{Applicant, Granted},
    identity::{Identity, IdentityError},
    rulebook,
    store::{Store, StoreError, setting},
    sync::{Agent, Pinned},
};

/// A home that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store.
    #[error("basis data node tidak dapat dibuka")]
    Store(#[from] StoreError),
    /// The identity.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Nothing there.
    #[error("{0} belum berisi node; jalankan: dtsen-node --home {0} init --region 52.71")]
    Missing(PathBuf),
    /// Something there.
    #[error("{0} sudah berisi node untuk daerah {1}; tidak ada yang diubah")]
    Exists(PathBuf, Region),
    /// Another process writes.
    #[error("proses dtsen-node lain sedang memakai {0}; tunggu sampai selesai atau hentikan dulu")]
    Locked(PathBuf),
    /// Not enrolled.
    #[error("node belum terdaftar; jalankan: dtsen-node enrol --hub URL --token-file BERKAS")]
    NotEnrolled,
    /// A key file is damaged.
    #[error("berkas kunci {0} rusak; pulihkan dari cadangan atau daftarkan lagi")]
    Key(PathBuf),
    /// The pinned keys are damaged.
    #[error("kunci pusat yang disematkan rusak; daftarkan lagi dengan: dtsen-node enrol")]
    Pinned,
    /// The rulebook is damaged.
    #[error("buku aturan yang tersimpan rusak; ambil lagi dengan: dtsen-node sync --once")]
    Rulebook,
}

/// What a process does alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Exchanges with the hub.
    Exchange,
    /// Takes data in.
    Import,
}

impl Work {
    fn name(self) -> &'static str {
        match self {
            Self::Exchange => "exchange.lock",
            Self::Import => "import.lock",
        }
    }
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

    /// The database file.
    pub fn database(&self) -> PathBuf {
        self.path.join("node.db")
    }

    fn key_path(&self, name: &str) -> PathBuf {
        self.path.join("keys").join(name)
    }

    /// The identity's file.
    pub fn identity(&self) -> Identity {
        Identity::at(&self.key_path("identity.pem"))
    }

    /// Makes a node for a region. Never over an existing one.
    pub fn create(&self, region: Region) -> LocalBoxFuture<'_, Result<(), HomeError>> {
        Box::pin(async move {
            files::private_folder(&self.path.join("keys"))?;
            let exists = self.database().exists();
            if !exists {
                // SQLite's files get the mode of the database, which would follow the umask: a private one is there first.
                files::write_private(&self.database(), &[])?;
            }
            let store = Store::open(&self.database(), true, Mode::Production).await?;
            if let Some(region) = store.region().await?.filter(|_| exists) {
                return Err(HomeError::Exists(self.path.clone(), region));
            }
            Ok(store.set_setting(setting::REGION, region.to_string().as_bytes()).await?)
        })
    }

    /// Opens the store of a home that was made.
    pub async fn store(&self) -> Result<(Arc<Store>, Region), HomeError> {
        if !self.database().exists() {
            return Err(HomeError::Missing(self.path.clone()));
        }
        let store = Store::open(&self.database(), false, Mode::Production).await?;
        let region = store.region().await?.ok_or(HomeError::Missing(self.path.clone()))?;
        Ok((Arc::new(store), region))
    }

    /// The lock of one kind of work. Imports and the exchange do not disturb each other.
    pub fn lock(&self, work: Work) -> Result<HomeLock, HomeError> {
        files::lock_home(&self.path, work.name())?.ok_or_else(|| HomeError::Locked(self.path.clone()))
    }

    /// Where the token of the local port is kept.
    pub fn local_token_path(&self) -> PathBuf {
        self.key_path("local.token")
    }

    /// The token of the local port, made when it is first asked for.
    pub fn local_token(&self, ambient: &Ambient) -> Result<String, HomeError> {
        let path = self.local_token_path();
        if !path.exists() {
            files::write_private(&path, hex::encode(ambient.bytes::<32>()).as_bytes())?;
        }
        Ok(String::from_utf8_lossy(&files::read(&path)?).into_owned())
    }

    /// The rulebook in force: the hub's, or the built-in one before the first exchange.
    pub async fn rulebook(&self, store: &Store) -> Result<Arc<Rulebook>, HomeError> {
        rulebook::load(store).await.map_err(|error| match error {
            StoreError::Inconsistent { .. } => HomeError::Rulebook,
            other => HomeError::Store(other),
        })
    }

    fn signer(&self, name: &str) -> Result<Signer, HomeError> {
        let path = self.key_path(name);
        let text = String::from_utf8_lossy(&files::read(&path)?).into_owned();
        Signer::from_pem(&text).map_err(|_| HomeError::Key(path))
    }

    /// Keys of an enrolment: those of one that was interrupted, or new ones.
    pub fn applicant(&self, ambient: &Ambient) -> Result<Applicant, crate::sync::SyncError> {
        let (signing, tls) = (self.key_path("applicant.pem"), self.key_path("applicant.tls"));
        let found = self.signer("applicant.pem").ok().zip(files::read(&tls).ok());
        let csr = files::read(&self.key_path("applicant.csr")).ok();
        if let Some(((signer, tls_key), csr)) = found.zip(csr) {
            return Ok(Applicant { signer, tls_key, csr });
        }
        let applicant = Applicant::create(ambient)?;
        let write =
            |path: &Path, bytes: &[u8]| files::write_private(path, bytes).map_err(IdentityError::from);
        write(&signing, applicant.signer.to_pem().as_bytes())?;
        write(&self.key_path("applicant.csr"), &applicant.csr)?;
        write(&tls, &applicant.tls_key)?;
        Ok(applicant)
    }

    /// Keeps what the hub granted. The keys of the enrolment become the node's own.
    pub fn keep<'a>(
        &'a self,
        store: &'a Store,
        applicant: &'a Applicant,
        granted: &'a Granted,
    ) -> BoxFuture<'a, Result<(), HomeError>> {
        Box::pin(async move {
            files::write_private(&self.key_path("signing.pem"), applicant.signer.to_pem().as_bytes())?;
            self.identity().replace(&applicant.tls_key, &granted.certificate)?;
            let hub = granted.hub.encode_to_vec();
            let mut settings: Vec<(&str, Option<&[u8]>)> = vec![
                (setting::HUB, Some(&hub)),
                (setting::HUB_URL, Some(granted.url.as_bytes())),
                (setting::SESSION, Some(&granted.session)),
                (setting::TOKEN, Some(&granted.token)),
                // Signed by the keys pinned before, which may be another hub's: the first exchange brings the one in force.
                (setting::RULEBOOK, None),
                (setting::RULEBOOK_STATEMENT, None),
                (setting::RULEBOOK_GENERATION, None),
            ];
            // A region that exchanged before goes on from what this node holds of it, be that nothing: the first Hello says
            // which epoch, and what to read back.
            let (head, generation) =
                (setting::encode_head(&Head::start(granted.region)), granted.generation.to_be_bytes());
            if store.head().await?.is_none() {
                settings.push((setting::HEAD, Some(&head)));
                settings.push((setting::GENERATION, Some(&generation)));
            }
            store.set_settings(&settings).await?;
            self.forget_applicant();
            Ok(())
        })
    }

    /// Forgets the keys of an enrolment, so that the next one makes others.
    pub fn forget_applicant(&self) {
        for name in ["applicant.pem", "applicant.tls", "applicant.csr"] {
            // Kept twice is harmless; a missing file is what we want.
            let _ = std::fs::remove_file(self.key_path(name));
        }
    }

    /// A node that can speak with its hub.
    pub fn agent(
        &self,
        store: Arc<Store>,
        region: Region,
        dial: Arc<dyn Dial>,
    ) -> BoxFuture<'_, Result<Agent, HomeError>> {
        Box::pin(async move {
            let hub = store.setting(setting::HUB).await?.ok_or(HomeError::NotEnrolled)?;
            let hub = pb::HubKeys::decode(hub.as_slice()).map_err(|_| HomeError::Pinned)?;
            let url = store.text_setting(setting::HUB_URL).await?.ok_or(HomeError::NotEnrolled)?;
            Ok(Agent {
                store,
                region,
                signer: self.signer("signing.pem")?,
                identity: self.identity(),
                hub: Pinned::from_wire(&hub, &url).map_err(|_| HomeError::Pinned)?,
                ambient: Ambient::system(),
                dial,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn a_home_is_private_made_once_and_locked_by_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let home = Home::at(&dir.path().join("node"));
        let region: Region = "52.71".parse().expect("a region");
        assert!(matches!(home.store().await, Err(HomeError::Missing(_))));
        home.create(region).await.expect("makes");
        assert!(matches!(home.create(region).await, Err(HomeError::Exists(..))));
        let (_store, found) = home.store().await.expect("opens");
        assert_eq!(found, region);
        for (path, mode) in [(home.path().to_owned(), 0o700), (home.database(), 0o600)] {
            let found = path.metadata().expect("is there").permissions().mode() & 0o777;
            assert_eq!(found, mode, "{}", path.display());
        }
        let _lock = home.lock(Work::Import).expect("locks");
        assert!(matches!(home.lock(Work::Import), Err(HomeError::Locked(_))));
    }
}
