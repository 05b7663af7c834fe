//! What the node keeps, in the application's words: one SQLite file.
//!
//! Every mutating method is one transaction; none hands one out. Nothing here waits for a timer or a socket, so a
//! simulation runs each call to its end. `docs/STORAGE.md` says for every table what if it is lost.

mod answered;
mod bulk;
mod chunk;
mod corrections;
mod epoch;
mod feed;
mod findings;
mod gone;
mod ids;
mod imports;
mod outbox;
mod readback;
mod receipt;
mod records;
pub mod setting;
mod slice;
#[cfg(test)]
pub(crate) mod testing;
mod undo;

use std::path::Path;

use dtsen_kit::sqlite::{Mode, Sqlite};
use dtsen_proto::id::Position;
use futures::future::LocalBoxFuture;
use sqlx::migrate::Migrator;

pub use answered::{AnswerState, Answered};
pub use chunk::{ChunkWrites, KeyDigest, KnownRow, RowWrite};
pub use corrections::{NewCorrection, Taken};
pub use feed::{FeedEntry, KeptVerdict, VerdictKey};
pub use findings::{FindingFilter, FindingRow, Origin, ToMend};
pub use gone::GoneRow;
pub use imports::{Counts, ImportRow, LastFile, NewFinding, NewImport, SourceId, kind_word};
pub use outbox::{BatchRow, Sealing, Totals};
pub use records::{Change, StoredRecord};
pub use slice::{SliceError, SliceState};
pub use undo::Undone;

/// How a transaction that writes begins: it takes the lock at once.
const BEGIN: &str = "BEGIN IMMEDIATE";
/// For the connection that writes: 32 MiB of pages, so that an import does not read its indexes again and again, and
/// a write-ahead log of 32 MiB before it is copied into the database.
const PRAGMAS: [&str; 2] = ["PRAGMA cache_size = -32768", "PRAGMA wal_autocheckpoint = 8192"];
/// The tables.
static MIGRATIONS: Migrator = sqlx::migrate!();

/// A store call that failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused or went away.
    #[error("the database call failed")]
    Database(#[from] sqlx::Error),
    /// The tables could not be brought up to date.
    #[error("the database's tables could not be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A stored row cannot be read.
    #[error("a row of {table} cannot be read ({column})")]
    Inconsistent {
        /// Table.
        table: &'static str,
        /// Column.
        column: &'static str,
    },
    /// The node was halted, for the reason in the setting.
    #[error("the node is halted: {0}")]
    Halted(String),
    /// The node is not enrolled: nobody has given it an epoch.
    #[error("the node has no epoch yet; it must be enrolled first")]
    NoEpoch,
    /// A change is larger than the protocol allows.
    #[error("a change of {bytes} bytes is larger than the protocol allows")]
    DeltaTooLarge {
        /// Its length.
        bytes: usize,
    },
    /// An entry of the feed does not follow the last one held.
    #[error("the feed goes on at {expected}, not at {found}")]
    FeedGap {
        /// The position that comes next.
        expected: u64,
        /// The position given.
        found: u64,
    },
    /// There is no such batch here.
    #[error("there is no batch {0} here")]
    UnknownBatch(Position),
    /// A receipt or verdict names another batch id than the one sealed here.
    #[error("the hub's word on batch {0} names another batch")]
    OtherBatch(Position),
}

/// Result of a store call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// The node's store.
#[derive(Debug)]
pub struct Store {
    db: Sqlite,
}

impl Store {
    /// Opens the store, making it if `create`.
    pub fn open(path: &Path, create: bool, mode: Mode) -> LocalBoxFuture<'_, Result<Self>> {
        Box::pin(async move {
            let store = Self { db: Sqlite::open(path, create, mode, &MIGRATIONS).await? };
            for pragma in PRAGMAS {
                store
                    .db
                    .section(async {
                        let mut conn = store.db.writer().await;
                        sqlx::query(pragma).execute(&mut *conn).await
                    })
                    .await?;
            }
            Ok(store)
        })
    }
}

impl Store {
    /// Copies the database as it is now into a new file.
    pub async fn backup(&self, file: &str) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query("VACUUM INTO $1").bind(file).execute(&mut *conn).await?;
                Ok(())
            })
            .await
    }

    /// Whether SQLite finds its file whole.
    pub async fn quick_check(&self) -> Result<bool> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let told: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut *conn).await?;
                Ok(told == "ok")
            })
            .await
    }
}

/// A number that the table holds as a signed one.
fn unsigned<T: TryFrom<i64>>(value: i64, table: &'static str, column: &'static str) -> Result<T> {
    T::try_from(value).map_err(|_| StoreError::Inconsistent { table, column })
}

#[cfg(test)]
mod tests;
