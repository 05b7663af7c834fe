//! The store on PostgreSQL, for hubs that outgrow one file. Several hub processes may share it.

use std::{collections::BTreeSet, str::FromStr as _};

use dtsen_proto::{id::DeltaRef, merkle::Node, record::Text, region::Region};
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, PgPool, QueryBuilder, Transaction,
    migrate::Migrator,
    pool::PoolConnection,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions},
};

use super::{
    BatchTotals, Result,
    bulk::{Column, Rows},
    value::signed,
};

/// `IN` a set of texts or blobs that is bound as one parameter.
macro_rules! in_texts {
    ($n:literal) => {
        concat!("= ANY($", $n, ")")
    };
}
macro_rules! in_blobs {
    ($n:literal) => {
        concat!("= ANY($", $n, ")")
    };
}

#[path = "shared/apply.rs"]
mod apply;
#[path = "shared/build.rs"]
mod build;
#[path = "shared/decisions.rs"]
mod decisions;
#[path = "shared/erasure.rs"]
mod erasure;
#[path = "shared/intake.rs"]
mod intake;
#[path = "shared/journal.rs"]
mod journal;
#[path = "shared/lane.rs"]
mod lane;
#[path = "shared/regions.rs"]
mod regions;
#[path = "shared/releases.rs"]
mod releases;
#[path = "shared/rulebooks.rs"]
mod rulebooks;
#[path = "shared/tables.rs"]
mod tables;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// Connections of one hub process: the lane, the sequencer and a build have one each, the rest serves calls.
const CONNECTIONS: u32 = 16;
/// A process that is stopped in the middle of a transaction loses it after this, and its successor goes on.
const IDLE_IN_TRANSACTION: &str = "5s";
/// A process that stops taking rows or acknowledging loses its connection after this, for the same reason.
const SILENT: &str = "10s";
/// Longer than the two above, so that a successor outlives a stopped holder's lock instead of failing.
const LOCK: &str = "12s";
/// No statement of the exchange takes this long; one that does is stuck.
const STATEMENT: &str = "60s";

/// Rows of one statement pass through a list in the server, which is a file when it is longer than this.
const WORK_MEMORY: &str = "32MB";

type Db = sqlx::Postgres;
type Conn = PgConnection;

/// The store.
pub(super) struct Handle {
    pool: PgPool,
}

impl Handle {
    /// Connects and brings the tables up to date.
    pub(super) async fn open(address: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(address)?
            .application_name("dtsen-central")
            .options([
                ("idle_in_transaction_session_timeout", IDLE_IN_TRANSACTION),
                ("tcp_user_timeout", SILENT),
                ("lock_timeout", LOCK),
                ("statement_timeout", STATEMENT),
                ("synchronous_commit", "on"),
                ("work_mem", WORK_MEMORY),
            ])
            .disable_statement_logging();
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options).await?;
        MIGRATIONS.run(&pool).await?;
        Ok(Self { pool })
    }

    /// Runs one store call.
    async fn section<F: Future>(&self, call: F) -> F::Output {
        call.await
    }

    async fn conn(&self) -> Result<PoolConnection<Db>> {
        // Making a connection is a large future, and every call would carry it.
        Ok(Box::pin(self.pool.acquire()).await?)
    }

    async fn read_conn(&self) -> Result<PoolConnection<Db>> {
        self.conn().await
    }

    async fn snapshot_conn(&self) -> Result<PoolConnection<Db>> {
        self.conn().await
    }
}

async fn begin(conn: &mut Conn) -> Result<Transaction<'_, Db>> {
    Ok(conn.begin().await?)
}

/// A snapshot may stand still while the hub writes what it read; it holds no locks that others wait for.
async fn begin_snapshot(conn: &mut Conn) -> Result<Transaction<'_, Db>> {
    let mut tx = conn.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    sqlx::query("SET LOCAL idle_in_transaction_session_timeout = 0").execute(&mut *tx).await?;
    Ok(tx)
}

/// Waits for its turn to number a decision, so that writers do not chase one another's numbers. A conflict, as with the
/// lane, which does not wait here, is still found by the key.
async fn take_turn(conn: &mut Conn) -> Result<()> {
    let turn = i64::from_be_bytes(*b"decision");
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(turn).execute(conn).await?;
    Ok(())
}

/// A set of texts as one parameter.
fn texts<'a>(set: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    set.collect()
}

/// A set of blobs as one parameter.
fn blobs<'a>(set: impl Iterator<Item = &'a [u8]>) -> Vec<&'a [u8]> {
    set.collect()
}

/// Adds rows to their table.
async fn add(conn: &mut Conn, rows: Rows) -> Result<()> {
    use sqlx::Arguments as _;

    if rows.len == 0 {
        return Ok(());
    }
    let insert_into = rows.insert_into();
    let mut arguments = PgArguments::default();
    // Grown by doubling, megabytes of bodies would be copied over and over into fresh pages.
    arguments.reserve(rows.columns.len(), rows.bytes());
    let mut arrays = Vec::new();
    for (at, column) in rows.columns.into_iter().enumerate() {
        let of = match &column {
            Column::Number(_) => "bigint",
            Column::Bytes(_) => "bytea",
            Column::Text(_) => "text",
        };
        arrays.push(format!("${}::{of}[]", at + 1));
        match column {
            Column::Number(values) => arguments.add(values),
            Column::Bytes(values) => arguments.add(values),
            Column::Text(values) => arguments.add(values),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    let text = format!("{insert_into}SELECT * FROM UNNEST({}) {}", arrays.join(", "), rows.conflict);
    QueryBuilder::<Db>::with_arguments(text, arguments).build().execute(conn).await?;
    Ok(())
}

/// An open hold: region, epoch, sequence, place, revision, subject, action.
type Hold = (i64, i64, i64, i64, i64, Option<String>, i64);

/// Open holds on subjects.
async fn holds(conn: &mut Conn, subjects: &BTreeSet<(Region, Text)>) -> Result<Vec<Hold>> {
    let (regions, subjects): (Vec<i64>, Vec<&str>) =
        subjects.iter().map(|(region, subject)| (i64::from(region.number()), subject.as_str())).unzip();
    let found = sqlx::query_as(
        "SELECT v.region, v.epoch, v.sequence, v.place, v.revision, v.subject, v.action
         FROM UNNEST($1::bigint[], $2::text[]) AS w (region, subject)
         JOIN verdict v ON v.region = w.region AND v.subject = w.subject
         WHERE v.judgement = 3
         ORDER BY v.region, v.epoch, v.sequence, v.place",
    );
    Ok(found.bind(regions).bind(subjects).fetch_all(conn).await?)
}

/// Of these deltas those that are still held.
async fn answered(conn: &mut Conn, deltas: &BTreeSet<DeltaRef>) -> Result<Vec<Hold>> {
    let column = |of: fn(&DeltaRef) -> i64| deltas.iter().map(of).collect::<Vec<_>>();
    let found = sqlx::query_as(
        "SELECT v.region, v.epoch, v.sequence, v.place, v.revision, CAST(NULL AS TEXT), v.action
         FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (region, epoch, sequence, place)
         JOIN verdict v
         ON v.region = w.region AND v.epoch = w.epoch AND v.sequence = w.sequence AND v.place = w.place
         WHERE v.judgement = 3",
    );
    let found =
        found.bind(column(|d| d.position.region.number().into())).bind(column(|d| d.position.epoch.into()));
    let found = found.bind(column(|d| d.position.sequence.into())).bind(column(|d| d.index.into()));
    Ok(found.fetch_all(conn).await?)
}

/// Stored nodes: level, place, hash.
async fn stored_nodes(conn: &mut Conn, generation: i64, nodes: &[Node]) -> Result<Vec<(i64, i64, Vec<u8>)>> {
    let (levels, places): (Vec<i64>, Vec<i64>) =
        nodes.iter().map(|n| (i64::from(n.level), signed(n.index))).unzip();
    let found = sqlx::query_as(
        "SELECT n.level, n.place, n.hash
         FROM UNNEST($2::bigint[], $3::bigint[]) AS w (level, place)
         JOIN log_node n ON n.generation = $1 AND n.level = w.level AND n.place = w.place",
    );
    Ok(found.bind(generation).bind(levels).bind(places).fetch_all(conn).await?)
}

/// Adds to the totals of batches and returns how many there were.
async fn add_totals(conn: &mut Conn, batches: &[BatchTotals]) -> Result<u64> {
    let column = |of: fn(&BatchTotals) -> i64| batches.iter().map(of).collect::<Vec<_>>();
    let change = sqlx::query(
        "UPDATE batch b
         SET apply_no = COALESCE(w.apply_no, b.apply_no), accepted = b.accepted + w.accepted,
             warned = b.warned + w.warned, held = b.held + w.held, rejected = b.rejected + w.rejected
         FROM UNNEST($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
                     $7::bigint[], $8::bigint[])
              AS w (region, epoch, sequence, apply_no, accepted, warned, held, rejected)
         WHERE b.region = w.region AND b.epoch = w.epoch AND b.sequence = w.sequence",
    );
    let change = change
        .bind(column(|(at, ..)| at.region.number().into()))
        .bind(column(|(at, ..)| at.epoch.into()))
        .bind(column(|(at, ..)| at.sequence.into()))
        .bind(batches.iter().map(|(_, apply_no, _)| apply_no.map(signed)).collect::<Vec<_>>())
        .bind(column(|(.., totals)| totals[0]))
        .bind(column(|(.., totals)| totals[1]))
        .bind(column(|(.., totals)| totals[2]))
        .bind(column(|(.., totals)| totals[3]));
    Ok(change.execute(conn).await?.rows_affected())
}
