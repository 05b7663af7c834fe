//! Taking back the last run of imports while nothing of it was sent.

use dtsen_sources::key::KeyBytes;
use serde::{Deserialize, Serialize};
use sqlx::{Connection as _, QueryBuilder, Sqlite, SqliteConnection};

use super::{BEGIN, Result, SourceId, Store, bulk, setting};

/// Where the store stood before the last run.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Before {
    run: i64,
    record: i64,
    pending: i64,
}

/// Whether the last run was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Undone {
    /// It was: so many deltas are not sent, and so many records are as they were or gone.
    Done {
        /// Sources that were imported.
        sources: Vec<String>,
        /// Changes that are not sent.
        pending: u64,
        /// Records that were new.
        new: u64,
        /// Records that were changed.
        changed: u64,
    },
    /// There is none, or something else was queued since.
    Nothing,
    /// Something of it was sent.
    Sent,
}

const LAST: &str =
    "SELECT (SELECT coalesce(max(id), 0) FROM record), (SELECT coalesce(max(seq), 0) FROM sqlite_sequence
    WHERE name = 'pending')";
const KEEP: &str = "INSERT OR IGNORE INTO undo_row
        (source, key, digest, record, place, gone, number, family, resend, import, sheet, line, delta)
    SELECT k.source, k.key, k.digest, k.record, k.place, k.gone, r.number, r.family, r.resend, r.import, r.sheet,
        r.line, r.delta FROM known_row k JOIN record r ON r.id = k.record WHERE r.id <= ";
const ANY: &str = "SELECT 1 FROM known_row k WHERE";
const SENT: &str = "SELECT EXISTS (SELECT 1 FROM sent WHERE pending > $1)";
const RESTORE_RECORDS: &str = "UPDATE record SET number = u.number, family = u.family, resend = u.resend,
    import = u.import, sheet = u.sheet, line = u.line, delta = u.delta FROM undo_row u WHERE u.record = record.id";
const RESTORE_ROWS: &str = "INSERT INTO known_row (source, key, digest, record, place, gone)
    SELECT source, key, digest, record, place, gone FROM undo_row";
/// Sources that were read since, and whether anything of them changed.
const SOURCES: &str = "SELECT s.name, max(i.finished_ms IS NULL OR i.new + i.changed + i.gone > 0)
    FROM import i JOIN source s ON s.id = i.source WHERE i.run >= $1 GROUP BY s.name ORDER BY s.name";
/// Whether the run before was interrupted and this one begins with a source of it.
const CONTINUES: &str =
    "WITH last AS (SELECT i.finished_ms, s.name FROM import i JOIN source s ON s.id = i.source
        WHERE i.run = (SELECT run FROM import WHERE id < $1 ORDER BY id DESC LIMIT 1))
    SELECT EXISTS (SELECT 1 FROM last WHERE finished_ms IS NULL) AND EXISTS (SELECT 1 FROM last
        WHERE name = (SELECT s.name FROM import i JOIN source s ON s.id = i.source WHERE i.id = $1))";
/// A source is read again though it is as it was: what was read of it is taken back. See [`crate::source::config::State`].
const READ_AGAIN: &str =
    "UPDATE setting SET value = CAST(json_remove(CAST(value AS TEXT), '$.fingerprint', '$.settled') AS BLOB)
    WHERE name = 'source.' || $1";

/// Begins a run: once it changes something, it can be gone back to here, or to where the run that it continues began.
pub(super) async fn begin(conn: &mut SqliteConnection, run: i64) -> Result<()> {
    // Of a run that changed nothing there is nothing to go on with: what can be gone back to is of the one before it.
    let unchanged = setting::get(conn, setting::UNDO_NEXT).await?.is_some();
    if let Some(before) = before(conn, setting::UNDO).await?.filter(|_| !unchanged)
        && sqlx::query_scalar(CONTINUES).bind(run).fetch_one(&mut *conn).await?
        && !sent(conn, before).await?
    {
        return Ok(());
    }
    let (record, pending) = sqlx::query_as(LAST).fetch_one(&mut *conn).await?;
    let before = serde_json::to_vec(&Before { run, record, pending }).expect("numbers");
    setting::set(conn, setting::UNDO_NEXT, &before).await
}

/// The run changes something: what the run before replaced is not kept any more.
pub(super) async fn change(conn: &mut SqliteConnection) -> Result<()> {
    let Some(next) = setting::get(conn, setting::UNDO_NEXT).await? else { return Ok(()) };
    end(conn).await?;
    setting::set(conn, setting::UNDO, &next).await
}

/// Keeps rows as they are before they change; keys of which there is no row change nothing.
pub(super) async fn keep(conn: &mut SqliteConnection, source: SourceId, keys: &[KeyBytes]) -> Result<()> {
    for group in keys.chunks(bulk::GROUP) {
        let among = |mut query: QueryBuilder<Sqlite>| {
            query.push(" k.source = ").push_bind(source.0).push(" AND k.key IN");
            bulk::among(&mut query, group);
            query
        };
        if setting::get(conn, setting::UNDO_NEXT).await?.is_some() {
            let any =
                among(QueryBuilder::new(ANY)).build_query_scalar::<i64>().fetch_optional(&mut *conn).await?;
            if any.is_none() {
                continue;
            }
            change(conn).await?;
        }
        let Some(before) = before(conn, setting::UNDO).await? else { return Ok(()) };
        let mut query = QueryBuilder::new(KEEP);
        query.push_bind(before.record).push(" AND ");
        among(query).build().execute(&mut *conn).await?;
    }
    Ok(())
}

async fn before(conn: &mut SqliteConnection, name: &str) -> Result<Option<Before>> {
    Ok(setting::get(conn, name).await?.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
}

async fn sent(conn: &mut SqliteConnection, before: Before) -> Result<bool> {
    Ok(sqlx::query_scalar(SENT).bind(before.pending).fetch_one(conn).await?)
}

/// Ends the possibility: something else was queued.
pub(super) async fn end(conn: &mut SqliteConnection) -> Result<()> {
    sqlx::query("DELETE FROM undo_row").execute(&mut *conn).await?;
    setting::clear(conn, setting::UNDO_NEXT).await?;
    setting::clear(conn, setting::UNDO).await
}

impl Store {
    /// Takes the last run of imports back, if nothing of it was sent.
    pub async fn undo(&self) -> Result<Undone> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let Some(before) = before(&mut tx, setting::UNDO).await? else { return Ok(Undone::Nothing) };
                if sent(&mut tx, before).await? {
                    return Ok(Undone::Sent);
                }
                let read: Vec<(String, bool)> =
                    sqlx::query_as(SOURCES).bind(before.run).fetch_all(&mut *tx).await?;
                for (name, _) in &read {
                    sqlx::query(READ_AGAIN).bind(name).execute(&mut *tx).await?;
                }
                let sources =
                    read.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect();
                let by = |sql: &'static str, number: i64| sqlx::query(sql).bind(number);
                let pending =
                    by("DELETE FROM pending WHERE id > $1", before.pending).execute(&mut *tx).await?;
                let changed = sqlx::query(RESTORE_RECORDS).execute(&mut *tx).await?;
                sqlx::query("DELETE FROM known_row WHERE record IN (SELECT record FROM undo_row)")
                    .execute(&mut *tx)
                    .await?;
                sqlx::query(RESTORE_ROWS).execute(&mut *tx).await?;
                by("DELETE FROM known_row WHERE record > $1", before.record).execute(&mut *tx).await?;
                let new = by("DELETE FROM record WHERE id > $1", before.record).execute(&mut *tx).await?;
                by("DELETE FROM finding WHERE import >= $1", before.run).execute(&mut *tx).await?;
                by("DELETE FROM import WHERE run >= $1", before.run).execute(&mut *tx).await?;
                end(&mut tx).await?;
                tx.commit().await?;
                Ok(Undone::Done {
                    sources,
                    pending: pending.rows_affected(),
                    new: new.rows_affected(),
                    changed: changed.rows_affected(),
                })
            })
            .await
    }
}

#[cfg(test)]
mod tests;
