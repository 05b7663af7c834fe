//! The rulebook that this node uses: the built-in one until the hub's came, then the hub's, with the word that it signed.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use dtsen_proto::{pb, rulebook::Rulebook};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::store::{Result, Store, StoreError, setting};

/// What is in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its number.
    pub version: u32,
    /// SHA-256 of its bundle.
    pub digest: Vec<u8>,
    /// Generation of the hub that it was taken in; `None` for the built-in one.
    pub generation: Option<u64>,
}

/// Number and digest of the built-in one; every exchange asks for them.
static BUILTIN: LazyLock<(u32, Vec<u8>)> = LazyLock::new(|| {
    let book = Rulebook::builtin();
    (book.version(), Sha256::digest(book.packed()).to_vec())
});

/// What is in use, without reading it.
pub async fn held(store: &Store) -> Result<Held> {
    let wrong = || StoreError::Inconsistent { table: "setting", column: setting::RULEBOOK_STATEMENT };
    let Some(statement) = store.setting(setting::RULEBOOK_STATEMENT).await? else {
        let (version, digest) = BUILTIN.clone();
        return Ok(Held { version, digest, generation: None });
    };
    let statement = pb::Envelope::decode(statement.as_slice()).map_err(|_| wrong())?;
    let said = pb::RulebookStatement::decode(statement.payload.as_slice()).map_err(|_| wrong())?;
    let generation = store.setting(setting::RULEBOOK_GENERATION).await?;
    let generation = generation.and_then(|bytes| bytes.try_into().ok()).map_or(1, u64::from_be_bytes);
    Ok(Held { version: said.version, digest: said.digest, generation: Some(generation) })
}

/// Whether the bytes in use are still those that the hub signed.
pub async fn is_whole(store: &Store, held: &Held) -> Result<bool> {
    match store.setting(setting::RULEBOOK).await? {
        Some(bundle) => Ok(Sha256::digest(bundle).as_slice() == held.digest),
        None => Ok(held.generation.is_none()),
    }
}

/// Version in use.
pub async fn version(store: &Store) -> Result<u32> {
    match store.setting(setting::RULEBOOK_STATEMENT).await? {
        Some(_) => Ok(held(store).await?.version),
        None => Ok(Rulebook::builtin().version()),
    }
}

/// Version that checked the last import.
pub async fn imported(store: &Store) -> Result<Option<u32>> {
    let stored = store.setting(setting::RULEBOOK_IMPORTED).await?;
    Ok(stored.and_then(|bytes| bytes.try_into().ok()).map(u32::from_be_bytes))
}

/// Reads what is in use.
pub async fn load(store: &Store) -> Result<Arc<Rulebook>> {
    let wrong = |_| StoreError::Inconsistent { table: "setting", column: setting::RULEBOOK };
    match store.setting(setting::RULEBOOK).await? {
        Some(bundle) => Ok(Arc::new(Rulebook::from_bundle(&bundle).map_err(wrong)?)),
        None => Ok(Rulebook::builtin()),
    }
}

/// Uses what the hub gave, from now on. `generation` is the hub's.
pub async fn keep(store: &Store, bundle: &[u8], statement: &pb::Envelope, generation: u64) -> Result<()> {
    let (statement, generation) = (statement.encode_to_vec(), generation.to_be_bytes());
    let settings: [(&str, Option<&[u8]>); 4] = [
        (setting::RULEBOOK, Some(bundle)),
        (setting::RULEBOOK_STATEMENT, Some(&statement)),
        (setting::RULEBOOK_GENERATION, Some(&generation)),
        (setting::RULEBOOK_UNFIT, None),
    ];
    store.set_settings(&settings).await
}

/// What a long-running process uses: read again when an exchange, in whatever process, took another.
pub struct Current {
    read: Mutex<Option<Read>>,
}

/// What was read, and the statement that was there then.
struct Read {
    statement: Option<Vec<u8>>,
    book: Arc<Rulebook>,
}

impl Current {
    /// Nothing read yet.
    pub fn new() -> Self {
        Self { read: Mutex::new(None) }
    }

    /// The rulebook in use now.
    pub async fn get(&self, store: &Store) -> Result<Arc<Rulebook>> {
        let statement = store.setting(setting::RULEBOOK_STATEMENT).await?;
        {
            let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(read) = read.as_ref().filter(|read| read.statement == statement) {
                return Ok(read.book.clone());
            }
        }
        let book = load(store).await?;
        *self.read.lock().unwrap_or_else(PoisonError::into_inner) =
            Some(Read { statement, book: book.clone() });
        Ok(book)
    }
}

impl Default for Current {
    fn default() -> Self {
        Self::new()
    }
}
