//! Versions of the rulebook: which one judges, and how the next one is loaded.
//!
//! A version is never changed. Custody names the one in force, and the lane, stewards and a rebuild judge a batch with the
//! one that custody named, so that a running hub, a second one and a replay come to the same.

mod explain;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use dtsen_proto::{
    limits, pb,
    rulebook::{Files, Rulebook, RulebookError},
};
use sha2::{Digest, Sha256};

pub use self::explain::explain;
use crate::{
    hub::{Decided, Hub},
    release,
    store::{Store, StoreError},
};

/// Versions kept in memory; each is some megabytes. A lane needs the one in force and, after loading, the one before.
const KEPT: usize = 4;

/// A version of the rulebook, read and checked.
pub struct Loaded {
    /// The rulebook.
    pub book: Arc<Rulebook>,
    /// SHA-256 of its bundle.
    pub digest: [u8; 32],
}

impl Loaded {
    fn new(book: Arc<Rulebook>) -> Self {
        let digest = Sha256::digest(book.packed()).into();
        Self { book, digest }
    }

    /// Its number.
    pub fn version(&self) -> u32 {
        self.book.version()
    }
}

/// The versions that a process has read.
#[derive(Default)]
pub struct Rulebooks {
    read: Mutex<BTreeMap<u32, Arc<Loaded>>>,
    /// One at a time: after a start all regions ask for it at once, and each reading takes megabytes.
    reading: tokio::sync::Mutex<()>,
}

impl Rulebooks {
    /// The version in force: the last one loaded, or the built-in one while there is none.
    pub async fn in_force(&self, store: &dyn Store) -> Result<Arc<Loaded>, StoreError> {
        let last = store.last_rulebook().await?;
        self.version(store, last.unwrap_or_else(|| Rulebook::builtin().version())).await
    }

    /// Whether the hub has this version.
    pub async fn has(&self, store: &dyn Store, version: u32) -> Result<bool, StoreError> {
        if self.cached(version).is_some() || version == Rulebook::builtin().version() {
            return Ok(true);
        }
        Ok(store.rulebook_versions().await?.contains(&version))
    }

    /// A version.
    pub async fn version(&self, store: &dyn Store, version: u32) -> Result<Arc<Loaded>, StoreError> {
        if let Some(loaded) = self.cached(version) {
            return Ok(loaded);
        }
        let _one = self.reading.lock().await;
        if let Some(loaded) = self.cached(version) {
            return Ok(loaded);
        }
        let wrong = |column| StoreError::Inconsistent { table: "rulebook", column };
        let book = match store.rulebook(version).await? {
            Some(bundle) => Arc::new(Rulebook::from_bundle(&bundle).map_err(|_| wrong("bundle"))?),
            None => Rulebook::builtin(),
        };
        if book.version() != version {
            return Err(wrong("version"));
        }
        let loaded = Arc::new(Loaded::new(book));
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.insert(version, loaded.clone());
        while read.len() > KEPT {
            read.pop_first();
        }
        Ok(loaded)
    }

    fn cached(&self, version: u32) -> Option<Arc<Loaded>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&version).cloned()
    }
}

/// What is to be loaded.
pub enum Change {
    /// A whole bundle, which states its own version.
    Bundle(Vec<u8>),
    /// Files of the one in force, by their names in a bundle, with their new texts.
    Files(Vec<(&'static str, String)>),
}

/// What loading did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new version is in force.
    Loaded(u32),
    /// It is the one in force already.
    Same(u32),
}

/// A rulebook that is not loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It is none, or does not fit this program.
    #[error("buku aturan tidak dimuat: {}", explain(.0))]
    Unfit(RulebookError),
    /// Releases need a profile that it lacks.
    #[error(
        "buku aturan tidak dimuat: rulebook.toml tidak memiliki profil {}, yang dipakai rilis",
        release::PROFILE
    )]
    Profile,
    /// The bundle states a version that is taken.
    #[error(
        "bundel ini versi {given}; versi berikutnya harus {next} atau lebih: ganti baris version di rulebook.toml"
    )]
    NotAbove {
        /// What it states.
        given: u32,
        /// The lowest that may come next.
        next: u32,
    },
    /// Another process loaded one at the same time.
    #[error("proses pusat lain baru saja memuat buku aturan; lihat dengan: dtsen-central rulebook show")]
    Race,
}

/// Not as a source: its own text is for programmers, the operator gets [`explain`].
impl From<RulebookError> for LoadError {
    fn from(error: RulebookError) -> Self {
        Self::Unfit(error)
    }
}

/// Puts the built-in rulebook into an empty table, so that a later program with another one still judges as this one.
pub async fn ensure_first(hub: &Hub) -> Result<(), StoreError> {
    if hub.store.last_rulebook().await?.is_some() {
        return Ok(());
    }
    let decided = Decided::by_rule("buku aturan bawaan program");
    match put(hub, &Loaded::new(Rulebook::builtin()), decided).await {
        Err(error) if error.is_conflict() => Ok(()),
        other => other,
    }
}

/// Loads the next version.
pub async fn load(hub: &Hub, change: Change, decided: Decided) -> Result<Outcome, LoadError> {
    ensure_first(hub).await?;
    let now = hub.rulebook().await?;
    let next = next_version(now.version(), hub.generation().await?);
    let held = Files::unpack(now.book.packed())?;
    let bundle = match change {
        Change::Bundle(bundle) => {
            if Files::unpack(&bundle)? == held {
                return Ok(Outcome::Same(now.version()));
            }
            bundle
        }
        Change::Files(changed) => {
            let mut files = held.clone();
            for (name, text) in changed {
                files.replace(name, text);
            }
            // The version is the hub's to give: a file that differs in it alone changes nothing.
            if files.clone().numbered(now.version())? == held.numbered(now.version())? {
                return Ok(Outcome::Same(now.version()));
            }
            files.numbered(next)?.pack()?
        }
    };
    let loaded = Loaded::new(Arc::new(Rulebook::from_bundle(&bundle)?));
    let given = loaded.version();
    if given < next {
        return Err(LoadError::NotAbove { given, next });
    }
    if loaded.book.profile(release::PROFILE).is_none() {
        return Err(LoadError::Profile);
    }
    match put(hub, &loaded, decided).await {
        Ok(()) => {
            hub.log_work.notify_one();
            Ok(Outcome::Loaded(given))
        }
        Err(error) if error.is_conflict() => Err(LoadError::Race),
        Err(error) => Err(error.into()),
    }
}

fn next_version(last: u32, generation: u64) -> u32 {
    let floor = generation.saturating_sub(1).saturating_mul(limits::VERSIONS_PER_GENERATION);
    u32::try_from(floor).unwrap_or(u32::MAX).max(last).saturating_add(1)
}

async fn put(hub: &Hub, loaded: &Loaded, decided: Decided) -> Result<(), StoreError> {
    let act = pb::decision::Act::Rulebook(pb::RulebookAct {
        version: loaded.version(),
        digest: loaded.digest.to_vec(),
    });
    let make = hub.decision_entry(hub.generation().await?, decided, act);
    hub.store.put_rulebook(loaded.version(), loaded.book.packed(), &make).await
}
