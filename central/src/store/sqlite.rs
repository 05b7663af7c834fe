//! The store on SQLite: one file, one connection that writes, one that reads.

use std::{collections::BTreeSet, path::Path};

use dtsen_kit::sqlite::{Mode, Sqlite};
use dtsen_proto::{id::DeltaRef, merkle::Node, record::Text, region::Region};
use serde_json::{Value, json};
use sqlx::{
    ConnectOptions as _, Connection as _, QueryBuilder, SqliteConnection, Transaction,
    migrate::Migrator,
    sqlite::{SqliteArguments, SqliteConnectOptions},
};
use tokio::sync::MutexGuard;

use super::{
    BatchTotals, Result,
    bulk::{Column, Rows},
    value::signed,
};

/// `IN` a set of texts or blobs that is bound as one parameter.
macro_rules! in_texts {
    ($n:literal) => {
        concat!("IN (SELECT value FROM json_each($", $n, "))")
    };
}
macro_rules! in_blobs {
    ($n:literal) => {
        concat!("IN (SELECT unhex(value) FROM json_each($", $n, "))")
    };
}

#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/apply.rs"]
mod apply;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/build.rs"]
mod build;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/decisions.rs"]
mod decisions;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/erasure.rs"]
mod erasure;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/intake.rs"]
mod intake;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/journal.rs"]
mod journal;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/lane.rs"]
mod lane;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/regions.rs"]
mod regions;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/releases.rs"]
mod releases;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/rulebooks.rs"]
mod rulebooks;
#[expect(clippy::duplicate_mod, reason = "same statements for both databases")]
#[path = "shared/tables.rs"]
mod tables;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Rows of one statement: long enough to save the way to the driver's thread, short enough for the statement cache.
const CHUNK: usize = 64;

/// The lane reads and writes all over the registry: 64 MiB of its pages stay in memory, and the log ahead of the file is
/// copied into it every 64 MiB, not at every commit.
const WRITER: &str = "PRAGMA cache_size = -65536; PRAGMA wal_autocheckpoint = 16384;";

type Db = sqlx::Sqlite;
type Conn = SqliteConnection;

/// The store.
pub(super) struct Handle {
    db: Sqlite,
    file: SqliteConnectOptions,
}

impl Handle {
    /// Opens the file and brings its tables up to date.
    pub(super) async fn open(path: &Path, create: bool, mode: Mode) -> Result<Self> {
        let db = Sqlite::open(path, create, mode, &MIGRATIONS).await?;
        db.section(async { sqlx::raw_sql(WRITER).execute(&mut *db.writer().await).await }).await?;
        let file = SqliteConnectOptions::new().filename(path).read_only(true).disable_statement_logging();
        Ok(Self { db, file })
    }

    /// Runs one store call.
    async fn section<F: Future>(&self, call: F) -> F::Output {
        self.db.section(call).await
    }

    async fn conn(&self) -> Result<MutexGuard<'_, Conn>> {
        Ok(self.db.writer().await)
    }

    async fn read_conn(&self) -> Result<MutexGuard<'_, Conn>> {
        Ok(self.db.reader().await)
    }

    /// A connection of its own for a long read, which would hold up the others.
    async fn snapshot_conn(&self) -> Result<Box<Conn>> {
        Ok(Box::new(self.file.connect().await?))
    }
}

async fn begin(conn: &mut Conn) -> Result<Transaction<'_, Db>> {
    Ok(conn.begin_with("BEGIN IMMEDIATE").await?)
}

async fn begin_snapshot(conn: &mut Conn) -> Result<Transaction<'_, Db>> {
    Ok(conn.begin_with("BEGIN").await?)
}

/// One process writes at a time anyway.
async fn take_turn(_: &mut Conn) -> Result<()> {
    Ok(())
}

/// A set of texts as one parameter.
fn texts<'a>(set: impl Iterator<Item = &'a str>) -> String {
    set.collect::<Value>().to_string()
}

/// A set of blobs as one parameter.
fn blobs<'a>(set: impl Iterator<Item = &'a [u8]>) -> String {
    set.map(hex::encode).collect::<Value>().to_string()
}

/// Adds rows to their table.
async fn add(conn: &mut Conn, mut rows: Rows) -> Result<()> {
    let mut at = 0;
    while at < rows.len {
        let n = if rows.len - at >= CHUNK { CHUNK } else { 1 };
        let one = format!("({})", vec!["?"; rows.columns.len()].join(", "));
        let text = format!("{}VALUES {} {}", rows.insert_into(), vec![one; n].join(", "), rows.conflict);
        let arguments = take(&mut rows, at, n)?;
        QueryBuilder::<Db>::with_arguments(text, arguments).build().execute(&mut *conn).await?;
        at += n;
    }
    Ok(())
}

/// Takes the values of rows out, row by row.
fn take(rows: &mut Rows, from: usize, n: usize) -> Result<SqliteArguments> {
    use sqlx::Arguments as _;

    let mut arguments = SqliteArguments::default();
    for at in from..from + n {
        for column in &mut rows.columns {
            match column {
                Column::Number(values) => arguments.add(values[at]),
                Column::Bytes(values) => arguments.add(values[at].take()),
                Column::Text(values) => arguments.add(values[at].take()),
            }
            .map_err(sqlx::Error::Encode)?;
        }
    }
    Ok(arguments)
}

/// An open hold: region, epoch, sequence, place, revision, subject, action.
type Hold = (i64, i64, i64, i64, i64, Option<String>, i64);

/// Open holds on subjects.
async fn holds(conn: &mut Conn, subjects: &BTreeSet<(Region, Text)>) -> Result<Vec<Hold>> {
    let set: Value =
        subjects.iter().map(|(region, subject)| json!([region.number(), subject.as_str()])).collect();
    let found = sqlx::query_as(
        "SELECT v.region, v.epoch, v.sequence, v.place, v.revision, v.subject, v.action
         FROM json_each($1) w CROSS JOIN verdict v ON v.region = w.value ->> 0 AND v.subject = w.value ->> 1
         WHERE v.judgement = 3
         ORDER BY v.region, v.epoch, v.sequence, v.place",
    );
    Ok(found.bind(set.to_string()).fetch_all(conn).await?)
}

/// Of these deltas those that are still held.
async fn answered(conn: &mut Conn, deltas: &BTreeSet<DeltaRef>) -> Result<Vec<Hold>> {
    let parts = |d: &DeltaRef| {
        let at = d.position;
        json!([at.region.number(), at.epoch, at.sequence, d.index])
    };
    let set: Value = deltas.iter().map(parts).collect();
    let found = sqlx::query_as(
        "SELECT v.region, v.epoch, v.sequence, v.place, v.revision, CAST(NULL AS TEXT), v.action
         FROM json_each($1) w CROSS JOIN verdict v ON v.region = w.value ->> 0 AND v.epoch = w.value ->> 1
         AND v.sequence = w.value ->> 2 AND v.place = w.value ->> 3
         WHERE v.judgement = 3",
    );
    Ok(found.bind(set.to_string()).fetch_all(conn).await?)
}

/// Stored nodes: level, place, hash.
async fn stored_nodes(conn: &mut Conn, generation: i64, nodes: &[Node]) -> Result<Vec<(i64, i64, Vec<u8>)>> {
    let set: Value = nodes.iter().map(|n| json!([i64::from(n.level), signed(n.index)])).collect();
    let found = sqlx::query_as(
        "SELECT n.level, n.place, n.hash
         FROM json_each($2) w CROSS JOIN log_node n
         ON n.generation = $1 AND n.level = w.value ->> 0 AND n.place = w.value ->> 1",
    );
    Ok(found.bind(generation).bind(set.to_string()).fetch_all(conn).await?)
}

/// Adds to the totals of batches and returns how many there were.
async fn add_totals(conn: &mut Conn, batches: &[BatchTotals]) -> Result<u64> {
    let mut found = 0;
    for (at, apply_no, [accepted, warned, held, rejected]) in batches {
        let change = sqlx::query(
            "UPDATE batch
             SET apply_no = COALESCE($4, apply_no), accepted = accepted + $5, warned = warned + $6,
                 held = held + $7, rejected = rejected + $8
             WHERE region = $1 AND epoch = $2 AND sequence = $3",
        );
        let change = change.bind(i64::from(at.region.number())).bind(at.epoch).bind(at.sequence);
        let change = change.bind(apply_no.map(signed)).bind(accepted).bind(warned).bind(held).bind(rejected);
        found += change.execute(&mut *conn).await?.rows_affected();
    }
    Ok(found)
}
