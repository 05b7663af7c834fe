//! Rows that an operator corrected.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use dtsen_sources::{
    correction::{Cells, Correction, Corrections, Mark},
    key::{KeyBytes, is_number},
};
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{BEGIN, Result, SourceId, Store, StoreError};

/// A correction to be kept.
#[derive(Debug)]
pub struct NewCorrection {
    /// Which row.
    pub mark: Mark,
    /// The key that the row had.
    pub key: KeyBytes,
    /// The cells that are otherwise.
    pub set: Cells,
    /// Corrected cells that are the source's own again.
    pub ended: BTreeSet<usize>,
    /// Codes of the reasons that it answers.
    pub answers: String,
    /// The file or database, as it is shown.
    pub file: String,
    /// The sheet or table.
    pub sheet: Option<String>,
    /// The row there.
    pub line: u64,
}

/// A corrected row that was read.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// Which row.
    pub mark: Mark,
    /// The key that it had.
    pub before: KeyBytes,
    /// The key that it has.
    pub key: KeyBytes,
}

impl Taken {
    /// Whether the row had no number before: what is known of it goes on under its new key. A number that was wrong is
    /// somebody else's, and what was stated under it is withdrawn like any row that is gone.
    pub fn goes_on(&self) -> bool {
        !is_number(&self.before) && self.before != self.key
    }
}

const BEFORE: &str = "SELECT cells FROM correction WHERE source = $1 AND mark = $2";
/// A row that is corrected again is known by the key that it got.
const PUT: &str =
    "INSERT INTO correction (source, mark, key, cells, answers, made_ms, file, sheet, line, since)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, (SELECT coalesce(max(seq), 0) FROM sqlite_sequence
        WHERE name = 'pending'))
    ON CONFLICT (source, mark) DO UPDATE SET key = coalesce(new_key, key), cells = excluded.cells,
    answers = excluded.answers, made_ms = excluded.made_ms, file = excluded.file, sheet = excluded.sheet,
    line = excluded.line, since = excluded.since, used = NULL, record = NULL, new_key = NULL";
const OF_SOURCE: &str = "SELECT mark, key, cells FROM correction WHERE source = $1";
const SOURCES: &str = "SELECT DISTINCT source FROM correction WHERE cells <> '{}' ORDER BY source";
const REKEY: &str = "UPDATE OR IGNORE known_row SET key = $3 WHERE source = $1 AND key = $2";
const REKEY_FINDINGS: &str = "UPDATE finding SET key = $3 WHERE source = $1 AND key = $2";
const TAKEN: &str =
    "UPDATE correction SET record = (SELECT record FROM known_row WHERE source = $1 AND key = $3),
    new_key = $3, used = $4 WHERE source = (SELECT name FROM source WHERE id = $1) AND mark = $2";
/// The last reading of what it stands in used it.
const USED: &str = "SELECT c.mark FROM correction c JOIN import i ON i.id = c.used
    WHERE c.source = $1 AND NOT EXISTS (SELECT 1 FROM import l
        WHERE l.source = i.source AND l.run > i.run AND l.finished_ms IS NOT NULL)";

pub(super) fn cells_of(text: &str) -> Result<Cells> {
    serde_json::from_str(text).map_err(|_| StoreError::Inconsistent { table: "correction", column: "cells" })
}

pub(super) fn sixteen(bytes: &[u8], column: &'static str) -> Result<[u8; 16]> {
    bytes.try_into().map_err(|_| StoreError::Inconsistent { table: "correction", column })
}

/// Notes that corrected rows were read: a record that had no number keeps its place under the one that it has now.
pub(super) async fn take(conn: &mut SqliteConnection, source: SourceId, taken: &[Taken]) -> Result<()> {
    for Taken { before, key, .. } in taken.iter().filter(|taken| taken.goes_on()) {
        for sql in [REKEY, REKEY_FINDINGS] {
            sqlx::query(sql).bind(source.0).bind(&before[..]).bind(&key[..]).execute(&mut *conn).await?;
        }
    }
    Ok(())
}

/// Ties corrections to the records of their rows, and to the import that used them.
pub(super) async fn tie(
    conn: &mut SqliteConnection,
    (import, source): (i64, SourceId),
    taken: &[Taken],
) -> Result<()> {
    for Taken { mark, key, .. } in taken {
        let tie = sqlx::query(TAKEN).bind(source.0).bind(&mark[..]).bind(&key[..]).bind(import);
        tie.execute(&mut *conn).await?;
    }
    Ok(())
}

/// Keeps one correction. Tells whether anything of an earlier one ended.
async fn put(conn: &mut SqliteConnection, source: &str, new: &NewCorrection, now_ms: i64) -> Result<bool> {
    let before: Option<String> =
        sqlx::query_scalar(BEFORE).bind(source).bind(&new.mark[..]).fetch_optional(&mut *conn).await?;
    let before = before.map_or_else(|| Ok(Cells::new()), |text| cells_of(&text))?;
    let mut cells = before.clone();
    cells.retain(|at, _| !new.ended.contains(at));
    let ended = cells.len() < before.len();
    cells.extend(new.set.clone());
    if cells == before {
        return Ok(false);
    }
    let text = serde_json::to_string(&cells).expect("numbers and texts");
    sqlx::query(PUT)
        .bind(source)
        .bind(&new.mark[..])
        .bind(&new.key[..])
        .bind(text)
        .bind(&new.answers)
        .bind(now_ms)
        .bind(&new.file)
        .bind(new.sheet.as_deref())
        .bind(i64::try_from(new.line).unwrap_or(i64::MAX))
        .execute(conn)
        .await?;
    Ok(ended)
}

impl Store {
    /// Keeps corrections by source, all or none; cells corrected earlier stay corrected unless they are the source's own
    /// again. A correction of which nothing is left stays as one without cells, by which its record is found again. Tells
    /// of how many something ended.
    pub async fn put_corrections(
        &self,
        new: &BTreeMap<&str, Vec<&NewCorrection>>,
        now_ms: i64,
    ) -> Result<u64> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let mut ended = 0;
                for (source, all) in new {
                    for one in all {
                        ended += u64::from(put(&mut tx, source, one, now_ms).await?);
                    }
                }
                tx.commit().await?;
                Ok(ended)
            })
            .await
    }

    /// The corrections of a source. Those without cells were taken back.
    pub async fn corrections(&self, source: &str) -> Result<Corrections> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let rows = sqlx::query(OF_SOURCE).bind(source).fetch_all(&mut *conn).await?;
                let read = |row: &sqlx::sqlite::SqliteRow| {
                    let key = sixteen(row.try_get(1)?, "key")?;
                    let cells = cells_of(row.try_get(2)?)?;
                    Ok((sixteen(row.try_get(0)?, "mark")?, Correction { key, cells }))
                };
                rows.iter().map(read).collect()
            })
            .await
    }

    /// The sources that have corrections.
    pub async fn corrected_sources(&self) -> Result<Vec<String>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                Ok(sqlx::query_scalar(SOURCES).fetch_all(&mut *conn).await?)
            })
            .await
    }

    /// The corrections that the last reading of a source used.
    pub async fn used_corrections(&self, source: &str) -> Result<HashSet<Mark>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let marks: Vec<Vec<u8>> = sqlx::query_scalar(USED).bind(source).fetch_all(&mut *conn).await?;
                marks.iter().map(|mark| sixteen(mark, "mark")).collect()
            })
            .await
    }
}
