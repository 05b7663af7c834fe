//! Imports: their beginning and end, what they counted and found.

use std::sync::Arc;

use dtsen_proto::{
    column::Column,
    record::{Day, RecordKind},
    rulebook::Severity,
};
use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::{BEGIN, Result, Store, StoreError, bulk, records, undo, unsigned};

/// One kind of records of one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SourceId(pub(super) i64);

/// An import that begins.
#[derive(Debug, Clone)]
pub struct NewImport<'a> {
    /// Of which source.
    pub source: SourceId,
    /// Name of the file, without its folder.
    pub file: &'a str,
    /// The day that the data describes.
    pub reference: Day,
    /// The scope that the file was declared complete for.
    pub scope: Option<&'a str>,
    /// Where the file is, if it was named by hand.
    pub path: Option<&'a str>,
    /// The number of the first import of the same command, be it this one: what has the same is taken back as one.
    pub run: i64,
    /// The node's clock.
    pub now_ms: i64,
}

/// Rows of an import by what was done with them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Rows read, the broken ones too.
    pub rows: u64,
    /// Stored for the first time.
    pub new: u64,
    /// Stored with something changed.
    pub changed: u64,
    /// As at the last import.
    pub unchanged: u64,
    /// With errors, and so left here.
    pub errors: u64,
    /// Stored, with warnings or reasons to hold them.
    pub warnings: u64,
    /// No longer in the file.
    pub gone: u64,
    /// Deltas made.
    pub queued: u64,
}

/// A file that was named by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastFile {
    /// Where it is.
    pub path: String,
    /// The day that its data describes, in days since 1970-01-01.
    pub reference_day: i32,
    /// The first import of the same command.
    pub run: i64,
}

/// An import as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ImportRow {
    /// Its number.
    pub id: i64,
    /// The source.
    pub source: String,
    /// What its rows describe, `keluarga` or `anggota`.
    pub kind: &'static str,
    /// Name of the file.
    pub file: String,
    /// The day that the data describes, in days since 1970-01-01.
    pub reference_day: i32,
    /// When it began.
    pub started_ms: i64,
    /// When it ended; `None` if it was interrupted.
    pub finished_ms: Option<i64>,
    /// What it counted.
    pub counts: Counts,
}

/// Something to tell about a row or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFinding {
    /// Key of the row; `None` if it is about the file.
    pub key: Option<[u8; 16]>,
    /// The sheet or table.
    pub sheet: Option<Arc<str>>,
    /// The physical line.
    pub line: u64,
    /// The column.
    pub column: Option<Column>,
    /// The column as the file names it.
    pub column_name: Option<String>,
    /// Code in the catalogue of reasons.
    pub reason: String,
    /// Severity.
    pub severity: Severity,
    /// Figures that help to find the spot.
    pub detail: Option<String>,
    /// NIK or No. KK of the row.
    pub number: Option<String>,
    /// Whether it stays until the row is read again: its row was stored. The others end with the next import.
    pub stays: bool,
}

const BEGIN_IMPORT: &str = "INSERT INTO import (source, file, reference_day, scope, started_ms, path, run)
    VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
const NEXT: &str = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'import'";
const FINISH: &str = "UPDATE import SET finished_ms = $2, rows = $3, new = $4, changed = $5, unchanged = $6,
    errors = $7, warnings = $8, gone = gone + $9, queued = queued + $10 WHERE id = $1";
const END_FINDINGS: &str = "DELETE FROM finding WHERE source = (SELECT source FROM import WHERE id = $1)
    AND import < (SELECT run FROM import WHERE id = $1) AND stays = 0";
const INSERT_FINDING: &str = "INSERT INTO finding
    (import, source, key, sheet, line, column_no, column_name, reason, severity, detail, number, stays) ";
const FORGET_ROWS: &str = "UPDATE known_row SET digest = zeroblob(16) WHERE (source, key) IN
    (SELECT source, key FROM finding WHERE source IN (SELECT id FROM source WHERE name = $1))";
const FORGET_FINDINGS: &str = "DELETE FROM finding WHERE source IN (SELECT id FROM source WHERE name = $1)";
const LAST_FILES: &str = "SELECT path, reference_day, run FROM import i WHERE path IS NOT NULL
    AND source IN (SELECT id FROM source WHERE name = $1)
    AND run = (SELECT max(l.run) FROM import l WHERE l.source = i.source)
    GROUP BY path, reference_day, run ORDER BY run, min(id)";
const LIST: &str = "SELECT i.*, s.name, s.kind FROM import i JOIN source s ON s.id = i.source
    ORDER BY i.id DESC LIMIT $1";

/// A severity as stored, which sorts by gravity.
pub(super) fn severity_number(severity: Severity) -> i64 {
    match severity {
        Severity::Notice => 1,
        Severity::Warning => 2,
        Severity::Hold => 3,
        Severity::Error => 4,
    }
}

/// A severity from its number.
pub(super) fn severity_of(number: i64) -> Option<Severity> {
    [Severity::Notice, Severity::Warning, Severity::Hold, Severity::Error]
        .into_iter()
        .find(|severity| severity_number(*severity) == number)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Removes the findings of rows that are read again, and adds new ones.
pub(super) async fn put_findings(
    conn: &mut SqliteConnection,
    (import, source): (i64, SourceId),
    reread: &[[u8; 16]],
    findings: &[NewFinding],
) -> Result<()> {
    for group in reread.chunks(bulk::GROUP) {
        let mut query = QueryBuilder::<Sqlite>::new("DELETE FROM finding WHERE source = ");
        query.push_bind(source.0).push(" AND key IN");
        bulk::among(&mut query, group);
        query.build().execute(&mut *conn).await?;
    }
    bulk::insert(conn, INSERT_FINDING, "", findings, |values, finding| {
        values
            .push_bind(import)
            .push_bind(source.0)
            .push_bind(finding.key.as_ref().map(|key| &key[..]))
            .push_bind(finding.sheet.as_deref())
            .push_bind(signed(finding.line))
            .push_bind(finding.column.map_or(0, |column| i64::from(column.0)))
            .push_bind(finding.column_name.as_deref())
            .push_bind(&finding.reason)
            .push_bind(severity_number(finding.severity))
            .push_bind(finding.detail.as_deref())
            .push_bind(finding.number.as_deref())
            .push_bind(finding.stays);
    })
    .await
}

impl Store {
    /// The source of this name and kind, made if it is new.
    pub async fn source(&self, name: &str, kind: RecordKind) -> Result<SourceId> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                records::source(&mut conn, name, kind).await.map(SourceId)
            })
            .await
    }

    /// The number of the import that begins next. Only who holds the lock of imports can rely on it.
    pub async fn next_import(&self) -> Result<i64> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                Ok(sqlx::query_scalar(NEXT).fetch_one(&mut *conn).await?)
            })
            .await
    }

    /// Ends what this node found in a source that nobody reads any more; how much it was. Should it be read again, these
    /// rows are looked at anew.
    pub async fn end_findings(&self, name: &str) -> Result<u64> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                sqlx::query(FORGET_ROWS).bind(name).execute(&mut *tx).await?;
                let ended = sqlx::query(FORGET_FINDINGS).bind(name).execute(&mut *tx).await?.rows_affected();
                tx.commit().await?;
                Ok(ended)
            })
            .await
    }

    /// Begins an import, with what is told of the file as a whole.
    pub async fn begin_import(&self, new: &NewImport<'_>, findings: &[NewFinding]) -> Result<i64> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let import: i64 = sqlx::query_scalar(BEGIN_IMPORT)
                    .bind(new.source.0)
                    .bind(new.file)
                    .bind(new.reference.0)
                    .bind(new.scope)
                    .bind(new.now_ms)
                    .bind(new.path)
                    .bind(new.run)
                    .fetch_one(&mut *tx)
                    .await?;
                if import == new.run {
                    undo::begin(&mut tx, import).await?;
                }
                put_findings(&mut tx, (import, new.source), &[], findings).await?;
                tx.commit().await?;
                Ok(import)
            })
            .await
    }

    /// Ends an import: its rows are all read. Findings of earlier ones that it did not repeat end too.
    pub async fn finish_import(&self, import: i64, counts: &Counts, now_ms: i64) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let Counts { rows, new, changed, unchanged, errors, warnings, gone, queued } = *counts;
                let mut query = sqlx::query(FINISH).bind(import).bind(now_ms);
                for figure in [rows, new, changed, unchanged, errors, warnings, gone, queued] {
                    query = query.bind(signed(figure));
                }
                query.execute(&mut *tx).await?;
                sqlx::query(END_FINDINGS).bind(import).execute(&mut *tx).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    /// The files that the last imports of a source read, of families and of people, where they were named by hand.
    pub async fn last_files(&self, source: &str) -> Result<Vec<LastFile>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let rows = sqlx::query(LAST_FILES).bind(source).fetch_all(&mut *conn).await?;
                let read = |row: &sqlx::sqlite::SqliteRow| {
                    let (path, reference_day, run) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
                    Ok(LastFile { path, reference_day, run })
                };
                rows.iter().map(read).collect()
            })
            .await
    }

    /// The newest imports, newest first.
    pub async fn imports(&self, limit: u32) -> Result<Vec<ImportRow>> {
        let rows = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query(LIST).bind(limit).fetch_all(&mut *conn).await
            })
            .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| -> Result<ImportRow> {
            let figure = |column: &'static str| unsigned(row.try_get(column)?, "import", column);
            let kind = RecordKind::from_wire(row.try_get("kind")?);
            Ok(ImportRow {
                id: row.try_get("id")?,
                source: row.try_get("name")?,
                kind: kind_word(kind.ok_or(StoreError::Inconsistent { table: "source", column: "kind" })?),
                file: row.try_get("file")?,
                reference_day: row.try_get("reference_day")?,
                started_ms: row.try_get("started_ms")?,
                finished_ms: row.try_get("finished_ms")?,
                counts: Counts {
                    rows: figure("rows")?,
                    new: figure("new")?,
                    changed: figure("changed")?,
                    unchanged: figure("unchanged")?,
                    errors: figure("errors")?,
                    warnings: figure("warnings")?,
                    gone: figure("gone")?,
                    queued: figure("queued")?,
                },
            })
        };
        rows.iter().map(read).collect()
    }
}

/// What operators call records of a kind.
pub fn kind_word(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Keluarga => "keluarga",
        RecordKind::Individu => "anggota",
    }
}
