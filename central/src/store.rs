//! What the hub keeps, in the application's words. Two engines behind it, from the same statements.
//!
//! Every mutating method is one transaction. Methods that decide take the pure decider as an argument; none hands out a
//! transaction. `docs/STORAGE.md` says for every table what if it is lost.

mod bulk;
mod copy;
mod postgres;
mod rows;
mod sqlite;
mod value;

use std::{collections::BTreeMap, path::Path, sync::Arc};

use async_trait::async_trait;
use dtsen_kit::sqlite::Mode;
use dtsen_proto::{
    chain::Head,
    id::{BatchId, DeltaRef, Position},
    merkle::{Hash, Node},
    region::Region,
};
use futures::future::LocalBoxFuture;

pub use crate::session::Session;
pub use copy::TABLES;
pub use rows::*;

use crate::registry::view::{View, Wanted};

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
    /// Another process has the lease.
    #[error("another hub process has taken over the {0}")]
    LeaseLost(&'static str),
    /// Another process changed the same row first; read it again.
    #[error("another process was first; try again")]
    Conflict,
}

impl StoreError {
    /// Whether two processes took the same number; the next one is free.
    fn is_race(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(e)) if e.is_unique_violation())
    }

    /// Whether the same call may succeed when everything is read again.
    pub fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict) || self.is_race()
    }
}

/// Names of settings.
pub mod setting {
    /// Generation, as eight bytes.
    pub const GENERATION: &str = "generation";
    /// The signed decision that began the generation.
    pub const GENERATION_DECISION: &str = "generation_decision";
    /// Why intake is stopped; absent while it is open.
    pub const STOPPED: &str = "stopped";
    /// Heads that regions showed and the hub did not have, encoded `pb::GenerationAct` evidence.
    pub const LOST_EVIDENCE: &str = "lost_evidence";

    /// The generation in the setting; 1 before the first restore.
    pub fn read_generation(value: Option<Vec<u8>>) -> u64 {
        value.and_then(|b| b.try_into().ok()).map_or(1, u64::from_be_bytes)
    }
}

/// Result of a store call.
pub type Result<T> = std::result::Result<T, StoreError>;

/// How often a call is made again whose number another process took first.
const RETRIES: u32 = 8;

/// Makes a call again while another process takes its number first.
macro_rules! retried {
    ($call:expr) => {{
        let mut left = crate::store::RETRIES;
        loop {
            match $call {
                Err(e) if left > 0 && e.is_race() => left -= 1,
                result => break result,
            }
        }
    }};
}
use retried;

/// Settings, leases, regions, sessions, decisions.
#[async_trait]
pub trait Regions: Send + Sync {
    /// A setting.
    async fn setting(&self, name: &'static str) -> Result<Option<Vec<u8>>>;
    /// Changes a setting.
    async fn set_setting(&self, name: &'static str, value: Vec<u8>) -> Result<()>;
    /// All regions, in order.
    async fn regions(&self) -> Result<Vec<RegionRow>>;
    /// One region.
    async fn region(&self, region: Region) -> Result<Option<RegionRow>>;
    /// Writes a region if its version is still `row.version` (0: new), with the decision that changed it.
    async fn put_region(&self, row: &RegionRow, change: RegionChange<'_>) -> Result<()>;
    /// Signing keys of a region, newest last.
    async fn region_keys(&self, region: Region) -> Result<Vec<KeyRow>>;
    /// Session tokens of a region.
    async fn session(&self, region: Region) -> Result<Option<Session>>;
    /// Replaces the tokens if the current one is still `expected`.
    async fn put_session(&self, region: Region, expected: &[u8], session: &Session) -> Result<bool>;
    /// Appends a decision outside the lane and returns its number.
    async fn append_decision(&self, make: MakeEntry<'_>) -> Result<u64>;
    /// Decisions after a number, in order.
    async fn decisions(&self, after: u64, limit: u32) -> Result<Vec<(u64, Option<u64>, Vec<u8>)>>;
    /// Takes or renews a lease; `None` while another holder's has not run out.
    async fn take_lease(
        &self,
        name: &'static str,
        holder: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Result<Option<Fence>>;
    /// Gives a lease back, so that another process need not wait for its end.
    async fn give_lease(&self, fence: &Fence) -> Result<()>;
}

/// Versions of the rulebook.
#[async_trait]
pub trait Rulebooks: Send + Sync {
    /// Number of the last version; `None` before there is one.
    async fn last_rulebook(&self) -> Result<Option<u32>>;
    /// Numbers of all versions, in order.
    async fn rulebook_versions(&self) -> Result<Vec<u32>>;
    /// The bundle of a version.
    async fn rulebook(&self, version: u32) -> Result<Option<Vec<u8>>>;
    /// Adds a version with its decision; a conflict if there is one that is not below it.
    async fn put_rulebook(&self, version: u32, bundle: &[u8], make: MakeEntry<'_>) -> Result<()>;
}

/// Taking batches into custody.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Head of a region's open epoch.
    async fn head(&self, region: Region) -> Result<Option<Head>>;
    /// Heads of all epochs of a region, oldest first: position, id, closed.
    async fn heads(&self, region: Region) -> Result<Vec<(Head, bool)>>;
    /// The decision that opened an epoch; `None` for the first.
    async fn epoch_statement(&self, region: Region, epoch: u32) -> Result<Option<Vec<u8>>>;
    /// Closes the open epoch and opens another, from the same head.
    async fn open_epoch(&self, region: Region, from: u32, to: u32, make: MakeEntry<'_>) -> Result<()>;
    /// Takes back an epoch that nobody used: the one before is open again. Returns its head.
    async fn void_epoch(&self, head: Head) -> Result<Head>;
    /// Id of a batch in custody.
    async fn batch_id(&self, position: Position) -> Result<Option<BatchId>>;
    /// A batch in custody.
    async fn batch(&self, position: Position) -> Result<Option<BatchRow>>;
    /// Takes custody if the head is still `before`: batch, head and log entry in one transaction.
    async fn take_custody(&self, before: Head, batch: &NewBatch) -> Result<()>;
    /// Keeps a signed header as evidence.
    async fn keep_evidence(
        &self,
        region: Region,
        id: BatchId,
        header: &[u8],
        seen_ms: i64,
        why: &str,
    ) -> Result<()>;
    /// Headers kept as evidence of why a region was stopped.
    async fn evidence(&self, region: Region, why: &str) -> Result<Vec<Vec<u8>>>;
    /// Bytes held of a batch that is still arriving.
    async fn pieces_end(&self, region: Region, id: BatchId) -> Result<u64>;
    /// Adds a piece at the end of what is held; anything of other batches of the region goes.
    async fn add_piece(&self, region: Region, id: BatchId, start: u64, data: &[u8]) -> Result<()>;
    /// Forgets the pieces of a batch: together they were not its body.
    async fn drop_pieces(&self, region: Region, id: BatchId) -> Result<()>;
    /// All pieces joined.
    async fn pieces(&self, region: Region, id: BatchId) -> Result<Vec<u8>>;
    /// Batches of a region after a position, oldest first.
    async fn batches_after(
        &self,
        region: Region,
        epoch: u32,
        sequence: u32,
        limit: u32,
    ) -> Result<Vec<BatchRow>>;
    /// Newest batches of all regions or one, without bodies.
    async fn recent_batches(&self, region: Option<Region>, limit: u32) -> Result<Vec<BatchRow>>;
    /// Batches in custody that wait for the lane, and the deltas in them.
    async fn waiting_count(&self) -> Result<(u64, u64)>;
    /// Current totals of a region: batches, deltas, accepted, warned, held, rejected, waiting deltas.
    async fn totals(&self, region: Region) -> Result<Totals>;
    /// Feed entries after a position.
    async fn feed_after(&self, region: Region, after: u64, limit: u32) -> Result<Vec<Vec<u8>>>;
    /// Last feed position.
    async fn feed_end(&self, region: Region) -> Result<u64>;
}

/// The one lane that decides and writes.
#[async_trait]
pub trait Lane: Send + Sync {
    /// Batches to apply next after these places: fair over regions, in chain order within a region.
    async fn waiting(&self, after: &BTreeMap<Region, Position>, limit: u32) -> Result<Vec<Waiting>>;
    /// One step of the lane: checks the fence, reads what is wanted, lets `decide` decide, writes. One transaction.
    async fn apply(&self, fence: &Fence, wanted: &Wanted, decide: &mut Decide<'_>) -> Result<()>;
    /// Reads what is wanted, outside a step.
    async fn view(&self, wanted: &Wanted) -> Result<View>;
    /// Erases a delta of a decided batch with its decision, and returns the decision's number. A conflict if the body is
    /// not the one expected any more.
    async fn erase(&self, erasure: &Erasure<'_>) -> Result<u64>;
    /// Current verdict of a delta, where it is not plainly accepted.
    async fn verdict(&self, delta: DeltaRef) -> Result<Option<VerdictRow>>;
    /// Held deltas, oldest first.
    async fn held(&self, region: Option<Region>, limit: u32) -> Result<Vec<VerdictRow>>;
    /// Verdicts of a batch that are not plainly accepted.
    async fn verdicts(&self, position: Position) -> Result<Vec<VerdictRow>>;
    /// Applications after a number, in order.
    async fn applications(&self, after: u64, limit: u32) -> Result<Vec<Application>>;
    /// Records after an id, in order of ids.
    async fn records_after(&self, after: &[u8], limit: u32) -> Result<Vec<RecordRow>>;
    /// Natural numbers and their holders, after a number, in order.
    async fn holders_after(&self, after: &str, limit: u32) -> Result<Vec<(String, Vec<u8>)>>;
    /// Numbers of records and of applications.
    async fn counts(&self) -> Result<Counts>;
}

/// The transparency log.
#[async_trait]
pub trait Journal: Send + Sync {
    /// Last checkpoint of a generation: size and note.
    async fn checkpoint(&self, generation: u64) -> Result<Option<(u64, String)>>;
    /// One step of the sequencer: gives waiting entries their place and signs. `sign` gets the new size and root.
    /// Returns how many entries were placed.
    async fn sequence(&self, fence: &Fence, generation: u64, limit: u32, sign: SignLog<'_>) -> Result<u32>;
    /// Begins generation `new` in the place of `old`, if that is in force: the decision is kept as its statement and
    /// is the first leaf of its log, every session is open, intake goes on.
    async fn begin_generation(
        &self,
        old: u64,
        new: u64,
        make: MakeEntry<'_>,
        sign: SignLog<'_>,
    ) -> Result<()>;
    /// Hashes of stored nodes, in the order asked for.
    async fn nodes(&self, generation: u64, nodes: &[Node]) -> Result<Vec<Hash>>;
    /// Names of entries that wait for their place.
    async fn unlogged(&self) -> Result<Vec<String>>;
    /// Place of an entry in a log, by its name.
    async fn leaf_place(&self, generation: u64, name: &str) -> Result<Option<u64>>;
    /// Leaves from a place on: place, kind, name, hash.
    async fn leaves(&self, generation: u64, from: u64, limit: u32) -> Result<Vec<LeafRow>>;
}

/// Releases and the slices in them.
#[async_trait]
pub trait Releases: Send + Sync {
    /// Builds a release from one snapshot of the registry. The planner gets every record beside its last published
    /// leaf, by (region, kind, id), and says what to write.
    async fn build_release(
        &self,
        version: u64,
        base: u64,
        planner: &mut (dyn ReleasePlanner + Send),
    ) -> Result<()>;
    /// Removes what an unpublished build left behind.
    async fn discard_release(&self, version: u64) -> Result<()>;
    /// Makes a built release visible, with its decision.
    async fn publish(&self, release: &ReleaseRow, make: MakeEntry<'_>) -> Result<()>;
    /// Puts a prepared release down, in place of an unpublished one of the same version.
    async fn put_release(&self, release: &ReleaseRow) -> Result<()>;
    /// A release; `None`: the newest published.
    async fn release(&self, version: Option<u64>) -> Result<Option<ReleaseRow>>;
    /// All versions, published or not, in order.
    async fn release_versions(&self) -> Result<Vec<u64>>;
    /// Highest version ever given, published or not.
    async fn last_version(&self) -> Result<u64>;
    /// Replaces the freshness statement of a release.
    async fn refresh(&self, version: u64, freshness: &[u8]) -> Result<()>;
    /// Manifests of a release, in order.
    async fn manifests(&self, version: u64) -> Result<Vec<ManifestRow>>;
    /// A part of a region's slices.
    async fn part(&self, region: Region, digest: &[u8]) -> Result<Option<Vec<u8>>>;
}

/// Copying whole tables, for backup, restore and rebuild.
#[async_trait]
pub trait Tables: Send + Sync {
    /// Rows of a table, in order of its key, after the row with this key.
    async fn read_table(
        &self,
        table: &'static Table,
        after: Option<&[Cell]>,
        limit: u32,
    ) -> Result<Vec<Vec<Cell>>>;
    /// Adds rows to a table.
    async fn write_table(&self, table: &'static Table, rows: Vec<Vec<Cell>>) -> Result<()>;
}

/// A store.
pub trait Store: Regions + Rulebooks + Intake + Lane + Journal + Releases + Tables {}
impl<T: Regions + Rulebooks + Intake + Lane + Journal + Releases + Tables> Store for T {}

/// Opens the store at an address: `sqlite:FILE` or `postgres://…`. With `create`, a missing SQLite file is made.
pub fn open(address: &str, create: bool, mode: Mode) -> LocalBoxFuture<'_, Result<Arc<dyn Store>>> {
    Box::pin(async move {
        let store: Arc<dyn Store> = match address.strip_prefix("sqlite:") {
            Some(path) => Arc::new(sqlite::Handle::open(Path::new(path), create, mode).await?),
            None => Arc::new(postgres::Handle::open(address).await?),
        };
        Ok(store)
    })
}
