//! Rows that an operator corrected.

use dtsen_sources::{
    correction::{Cells, Correction, Corrections, Mark},
    key::{KeyBytes, is_number},
};
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{BEGIN, Result, SourceId, Store, StoreError, unsigned};

/// A correction to be kept.
#[derive(Debug)]
pub struct NewCorrection {
    /// Which row.
    pub mark: Mark,
    /// The cells that are otherwise, and the key that the row had.
    pub correction: Correction,
    /// Codes of the reasons that it answers.
    pub answers: String,
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

/// A correction, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Answered {
    /// The source.
    pub source: String,
    /// Codes of the reasons that were told of the row.
    pub answers: Vec<String>,
    /// When it came.
    pub made_ms: i64,
    /// What became of the record's last change.
    pub state: AnswerState,
}

/// What became of a corrected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerState {
    /// Its source was not read since, or the row is still refused here.
    Open,
    /// To be sent.
    Waiting,
    /// Sent, no verdict yet.
    Sent,
    /// The hub took it.
    Accepted,
    /// The hub holds it.
    Held,
    /// The hub refused it.
    Rejected,
}

const CELLS: &str = "SELECT cells FROM correction WHERE source = $1 AND mark = $2";
const PUT: &str =
    "INSERT INTO correction (source, mark, key, cells, answers, made_ms) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (source, mark) DO UPDATE SET cells = excluded.cells, answers = excluded.answers,
    made_ms = excluded.made_ms, record = NULL";
const OF_SOURCE: &str = "SELECT mark, key, cells FROM correction WHERE source = $1";
const REKEY: &str = "UPDATE OR IGNORE known_row SET key = $3 WHERE source = $1 AND key = $2";
const REKEY_FINDINGS: &str = "UPDATE finding SET key = $3 WHERE source = $1 AND key = $2";
const TAKEN: &str =
    "UPDATE correction SET record = (SELECT record FROM known_row WHERE source = $1 AND key = $3)
    WHERE source = (SELECT name FROM source WHERE id = $1) AND mark = $2";
const LIST: &str = "SELECT c.source, c.answers, c.made_ms, c.record,
        EXISTS (SELECT 1 FROM pending p WHERE p.record = c.record) AS waiting,
        (SELECT CASE WHEN b.judged = 0 THEN 0 ELSE coalesce(v.judgement, 1) END
            FROM sent s JOIN batch b ON b.epoch = s.epoch AND b.sequence = s.sequence
            LEFT JOIN verdict v ON v.epoch = s.epoch AND v.sequence = s.sequence AND v.place = s.place
            WHERE s.record = c.record ORDER BY s.epoch DESC, s.sequence DESC, s.place DESC LIMIT 1) AS judgement
    FROM correction c ORDER BY c.made_ms DESC, c.source, c.mark LIMIT $1";

fn cells_of(text: &str) -> Result<Cells> {
    serde_json::from_str(text).map_err(|_| StoreError::Inconsistent { table: "correction", column: "cells" })
}

fn sixteen(bytes: &[u8], column: &'static str) -> Result<[u8; 16]> {
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

/// Ties corrections to the records of their rows.
pub(super) async fn tie(conn: &mut SqliteConnection, source: SourceId, taken: &[Taken]) -> Result<()> {
    for Taken { mark, key, .. } in taken {
        sqlx::query(TAKEN).bind(source.0).bind(&mark[..]).bind(&key[..]).execute(&mut *conn).await?;
    }
    Ok(())
}

impl Store {
    /// Keeps corrections of a source; cells corrected earlier stay corrected.
    pub async fn put_corrections(&self, source: &str, new: &[NewCorrection], now_ms: i64) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                for NewCorrection { mark, correction, answers } in new {
                    let before: Option<String> = sqlx::query_scalar(CELLS)
                        .bind(source)
                        .bind(&mark[..])
                        .fetch_optional(&mut *tx)
                        .await?;
                    let mut cells = before.map_or_else(|| Ok(Cells::new()), |text| cells_of(&text))?;
                    cells.extend(correction.cells.clone());
                    let text = serde_json::to_string(&cells).expect("numbers and texts");
                    let put = sqlx::query(PUT).bind(source).bind(&mark[..]).bind(&correction.key[..]);
                    put.bind(text).bind(answers).bind(now_ms).execute(&mut *tx).await?;
                }
                Ok(tx.commit().await?)
            })
            .await
    }

    /// The corrections of a source.
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

    /// The newest corrections and what became of them.
    pub async fn answered(&self, limit: u32) -> Result<Vec<Answered>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let rows = sqlx::query(LIST).bind(limit).fetch_all(&mut *conn).await?;
                rows.iter().map(read_answered).collect()
            })
            .await
    }
}

fn read_answered(row: &sqlx::sqlite::SqliteRow) -> Result<Answered> {
    let judgement: Option<i64> = row.try_get("judgement")?;
    let judgement: Option<u8> = judgement.map(|n| unsigned(n, "verdict", "judgement")).transpose()?;
    let state = match (row.try_get::<Option<i64>, _>("record")?, row.try_get("waiting")?, judgement) {
        (None, ..) => AnswerState::Open,
        (_, true, _) => AnswerState::Waiting,
        (_, false, Some(0)) => AnswerState::Sent,
        (_, false, Some(3)) => AnswerState::Held,
        (_, false, Some(4)) => AnswerState::Rejected,
        (_, false, _) => AnswerState::Accepted,
    };
    let answers: String = row.try_get("answers")?;
    Ok(Answered {
        source: row.try_get("source")?,
        answers: answers.split(',').filter(|code| !code.is_empty()).map(str::to_owned).collect(),
        made_ms: row.try_get("made_ms")?,
        state,
    })
}
