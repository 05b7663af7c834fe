//! What the same rows cost PostgreSQL alone: COPY into a table with the same key and index, and logical replication from
//! one database to another on the same server.

use std::{str::FromStr as _, time::Duration};

use anyhow::{Context as _, ensure};
use futures::TryStreamExt as _;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, PgConnection,
    postgres::PgConnectOptions,
};

use super::report::per_second;
use crate::faults::wait;

/// The hub's table of records, as its migration makes it.
const TABLE: &str = "CREATE TABLE record (id BYTEA NOT NULL PRIMARY KEY, region BIGINT NOT NULL,
    kind BIGINT NOT NULL, hash BYTEA NOT NULL, body BYTEA NOT NULL) WITH (fillfactor = 85);
    CREATE INDEX record_region ON record (region, kind, id);";
const COPY_OUT: &str = "COPY record (id, region, kind, hash, body) TO STDOUT (FORMAT binary)";
/// Rows to come, numbered in the order of their ids, so that they can be taken in parts.
const STAGE: &str =
    "CREATE UNLOGGED TABLE stage AS SELECT row_number() OVER (ORDER BY id) AS n, copied.* FROM copied;
    CREATE INDEX ON stage (n); ANALYZE stage;";
/// Rows that change, spread over all, with another body of the same length.
const CHANGES: &str = "CREATE UNLOGGED TABLE change AS
    SELECT row_number() OVER (ORDER BY id) AS n, id, region, kind, set_byte(hash, 0, 255 - get_byte(hash, 0)) AS hash,
           set_byte(body, 40, 255 - get_byte(body, 40)) AS body
    FROM stage WHERE n % $EVERY = 0;
    CREATE INDEX ON change (n); ANALYZE change;";
/// Rows in one transaction: as many as the hub's lane decides in one.
const PART: i64 = 16_000;
/// Slot and publication.
const NAME: &str = "dtsen_bench";
/// Longest wait for the subscriber.
const PATIENCE: Duration = Duration::from_mins(10);

/// Rows a second.
#[derive(Debug, Clone, Copy)]
pub struct Rate {
    /// Into an empty table.
    pub new: f64,
    /// Onto rows that are there.
    pub changed: f64,
}

/// The rows of a hub's registry, to be measured again without the hub.
pub struct Baseline {
    server: String,
    copied: Vec<u8>,
    rows: u64,
    every: u64,
}

async fn connect(address: &str) -> anyhow::Result<PgConnection> {
    Ok(PgConnectOptions::from_str(address)?.disable_statement_logging().connect().await?)
}

async fn run(conn: &mut PgConnection, sql: String) -> anyhow::Result<()> {
    conn.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    Ok(())
}

async fn count(conn: &mut PgConnection, sql: &'static str) -> anyhow::Result<i64> {
    Ok(sqlx::query_scalar(sql).fetch_one(conn).await?)
}

/// Does at once what PostgreSQL does by itself some time after many new rows: done while a few changed ones are measured, it
/// would take one of two processors from them.
pub async fn tidy(database: &str) -> anyhow::Result<()> {
    let mut conn = connect(database).await?;
    conn.execute("VACUUM (ANALYZE)").await?;
    conn.execute("CHECKPOINT").await?;
    Ok(())
}

/// A database of the server that goes with [`Scratch::drop`].
struct Scratch {
    conn: PgConnection,
    name: &'static str,
}

impl Baseline {
    /// Takes the rows of a hub's database; of every so-manieth one it is measured what a change costs.
    pub async fn of(server: &str, hub: &str, every: u64) -> anyhow::Result<Self> {
        let mut conn = connect(hub).await?;
        let rows = u64::try_from(count(&mut conn, "SELECT COUNT(*) FROM record").await?)?;
        let parts: Vec<_> = conn.copy_out_raw(COPY_OUT).await?.try_collect().await?;
        Ok(Self { server: server.to_owned(), copied: parts.concat(), rows, every })
    }

    /// An empty database with the table of records, and beside it what is to come.
    async fn scratch(&self, name: &'static str) -> anyhow::Result<Scratch> {
        let mut admin = connect(&self.server).await?;
        run(&mut admin, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
        run(&mut admin, format!("CREATE DATABASE {name} LOCALE 'C.UTF-8' TEMPLATE template0")).await?;
        let (host, _) = self.server.rsplit_once('/').context("an address with a database")?;
        let mut conn = connect(&format!("{host}/{name}")).await?;
        run(&mut conn, TABLE.to_owned()).await?;
        Ok(Scratch { conn, name })
    }

    async fn discard(&self, scratch: Scratch) -> anyhow::Result<()> {
        scratch.conn.close().await?;
        run(&mut connect(&self.server).await?, format!("DROP DATABASE {} WITH (FORCE)", scratch.name)).await
    }

    async fn copy_in(&self, conn: &mut PgConnection, table: &str) -> anyhow::Result<()> {
        let sql = format!("COPY {table} (id, region, kind, hash, body) FROM STDIN (FORMAT binary)");
        let mut copy = conn.copy_in_raw(&sql).await?;
        copy.send(self.copied.as_slice()).await?;
        ensure!(copy.finish().await? == self.rows, "not every row was copied");
        Ok(())
    }

    async fn stage(&self, conn: &mut PgConnection) -> anyhow::Result<i64> {
        run(conn, "CREATE UNLOGGED TABLE copied (LIKE record)".into()).await?;
        self.copy_in(conn, "copied").await?;
        run(conn, STAGE.into()).await?;
        run(conn, CHANGES.replace("$EVERY", &self.every.to_string())).await?;
        run(conn, "CHECKPOINT".into()).await?;
        count(conn, "SELECT COUNT(*) FROM change").await
    }

    /// COPY of all rows into the table; changes by COPY beside it and one statement.
    pub async fn copy(&self) -> anyhow::Result<Rate> {
        let mut scratch = self.scratch("dtsen_bench_copy").await?;
        let conn = &mut scratch.conn;
        run(conn, "CHECKPOINT".into()).await?;
        let begun = wait::now();
        self.copy_in(conn, "record").await?;
        let new = per_second(self.rows, begun.elapsed());
        let coming = self.stage(conn).await?;
        let taken: Vec<_> = conn
            .copy_out_raw("COPY (SELECT id, region, kind, hash, body FROM change) TO STDOUT (FORMAT binary)")
            .await?
            .try_collect()
            .await?;
        let begun = wait::now();
        run(conn, "CREATE TEMP TABLE coming (LIKE record)".into()).await?;
        let mut copy = conn.copy_in_raw("COPY coming FROM STDIN (FORMAT binary)").await?;
        copy.send(taken.concat().as_slice()).await?;
        copy.finish().await?;
        let merge = "INSERT INTO record SELECT * FROM coming
            ON CONFLICT (id) DO UPDATE SET region = excluded.region, hash = excluded.hash, body = excluded.body";
        run(conn, merge.into()).await?;
        let changed = per_second(u64::try_from(coming)?, begun.elapsed());
        self.discard(scratch).await?;
        Ok(Rate { new, changed })
    }

    /// Logical replication of all rows, and of changes, from the first transaction at the publisher until the subscriber has
    /// the last row. `None` where the server does not keep what replication needs (`wal_level = logical`).
    pub async fn replication(&self) -> anyhow::Result<Option<Rate>> {
        let mut admin = connect(&self.server).await?;
        let level: String = sqlx::query_scalar("SHOW wal_level").fetch_one(&mut admin).await?;
        if level != "logical" {
            return Ok(None);
        }
        let mut publisher = self.scratch("dtsen_bench_from").await?;
        let mut subscriber = self.scratch("dtsen_bench_to").await?;
        let options = PgConnectOptions::from_str(&self.server)?;
        let (host, port) = (options.get_host().to_owned(), options.get_port());
        let user = options.get_username().to_owned();
        let coming = self.stage(&mut publisher.conn).await?;
        let publish = format!("CREATE PUBLICATION {NAME} FOR TABLE record");
        run(&mut publisher.conn, publish).await?;
        // One server cannot make a slot for a subscription to itself while it makes the subscription.
        run(&mut publisher.conn, format!("SELECT pg_create_logical_replication_slot('{NAME}', 'pgoutput')"))
            .await?;
        let subscribe = format!(
            "CREATE SUBSCRIPTION {NAME} CONNECTION 'host={host} port={port} user={user} dbname={}' PUBLICATION {NAME}
             WITH (create_slot = false, slot_name = '{NAME}', copy_data = false)",
            publisher.name
        );
        run(&mut subscriber.conn, subscribe).await?;
        let insert =
            "INSERT INTO record SELECT id, region, kind, hash, body FROM stage WHERE n > $1 AND n <= $2";
        let begun = wait::now();
        in_parts(&mut publisher.conn, insert, i64::try_from(self.rows)?).await?;
        arrived(&mut publisher.conn, &mut subscriber.conn, 1).await?;
        let new = per_second(self.rows, begun.elapsed());
        let update = "UPDATE record r SET hash = c.hash, body = c.body FROM change c
            WHERE c.id = r.id AND c.n > $1 AND c.n <= $2";
        let begun = wait::now();
        in_parts(&mut publisher.conn, update, coming).await?;
        arrived(&mut publisher.conn, &mut subscriber.conn, 2).await?;
        let changed = per_second(u64::try_from(coming)?, begun.elapsed());
        let rows = count(&mut subscriber.conn, "SELECT COUNT(*) FROM record").await?;
        ensure!(rows == i64::try_from(self.rows)? + 2, "the subscriber has {rows} rows");
        run(&mut subscriber.conn, format!("DROP SUBSCRIPTION {NAME}")).await?;
        self.discard(subscriber).await?;
        self.discard(publisher).await?;
        Ok(Some(Rate { new, changed }))
    }
}

/// One transaction for every part.
async fn in_parts(conn: &mut PgConnection, sql: &'static str, rows: i64) -> anyhow::Result<()> {
    let mut done = 0;
    while done < rows {
        sqlx::query(sql).bind(done).bind(done + PART).execute(&mut *conn).await?;
        done += PART;
    }
    Ok(())
}

/// A last row goes the same way; when it is there, all before it are.
async fn arrived(from: &mut PgConnection, to: &mut PgConnection, mark: u8) -> anyhow::Result<()> {
    let id = vec![u8::MAX, mark];
    let put = sqlx::query("INSERT INTO record (id, region, kind, hash, body) VALUES ($1, 0, 0, '', '')");
    put.bind(&id).execute(from).await?;
    let until = wait::now() + PATIENCE;
    loop {
        let there: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM record WHERE id = $1)")
            .bind(&id)
            .fetch_one(&mut *to)
            .await?;
        if there {
            return Ok(());
        }
        ensure!(wait::now() < until, "the subscriber did not get everything within {PATIENCE:?}");
        wait::pass(Duration::from_millis(10));
    }
}
