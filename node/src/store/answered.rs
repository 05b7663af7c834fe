//! What became of the rows that an operator corrected.

use dtsen_proto::mask::Masked;
use dtsen_sources::key::{KeyBytes, is_number};
use sqlx::{Row as _, sqlite::SqliteRow};

use super::{
    Result, Store,
    corrections::{cells_of, sixteen},
    unsigned,
};

/// A correction, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Answered {
    /// The source.
    pub source: String,
    /// The file or database, as it is shown.
    pub file: Option<String>,
    /// The sheet or table.
    pub sheet: Option<String>,
    /// The row there, when it went out.
    pub line: Option<u64>,
    /// NIK or No. KK, masked.
    pub number: Option<String>,
    /// Codes of the reasons that were told of the row.
    pub answers: Vec<String>,
    /// When it came.
    pub made_ms: i64,
    /// What became of what it changed.
    pub state: AnswerState,
}

/// What became of a corrected row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerState {
    /// Its source was not read since.
    Open,
    /// Its source was read, and has no such row.
    Unused,
    /// It was used, and its source has no such row any more.
    Served,
    /// All its cells are the source's own again.
    TakenBack,
    /// The corrected row is refused here too.
    Refused,
    /// It is used, and nothing of it had to be sent.
    Nothing,
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

/// Of what was queued since the correction came alone can be said that it carries it.
const LIST: &str =
    "SELECT c.source, c.file, c.sheet, c.line, c.key, c.new_key, c.cells, c.answers, c.made_ms,
        u.id IS NOT NULL AS once,
        u.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM import l
            WHERE l.source = u.source AND l.run > u.run AND l.finished_ms IS NOT NULL) AS used,
        EXISTS (SELECT 1 FROM import l JOIN source s ON s.id = l.source WHERE s.name = c.source
            AND l.started_ms >= c.made_ms AND l.finished_ms IS NOT NULL) AS reread,
        EXISTS (SELECT 1 FROM finding f JOIN source s ON s.id = f.source
            WHERE s.name = c.source AND f.key = c.new_key AND f.severity = 4) AS refused,
        EXISTS (SELECT 1 FROM pending p WHERE p.record = c.record AND p.id > c.since) AS waiting,
        (SELECT CASE WHEN b.judged = 0 THEN 0 ELSE coalesce(v.judgement, 1) END
            FROM sent s JOIN batch b ON b.epoch = s.epoch AND b.sequence = s.sequence
            LEFT JOIN verdict v ON v.epoch = s.epoch AND v.sequence = s.sequence AND v.place = s.place
            WHERE s.record = c.record AND s.pending > c.since AND b.returned IS NULL
            ORDER BY s.epoch DESC, s.sequence DESC, s.place DESC LIMIT 1) AS judgement
    FROM correction c LEFT JOIN import u ON u.id = c.used
    ORDER BY c.made_ms DESC, c.source, c.file, c.line, c.mark LIMIT $1";
const COUNT: &str = "SELECT count(*) FROM correction";

fn masked(key: &KeyBytes) -> Option<String> {
    let number = u64::from_be_bytes(key[8..].try_into().expect("eight of sixteen"));
    is_number(key).then(|| Masked(&format!("{number:016}")).to_string())
}

fn state(row: &SqliteRow) -> Result<AnswerState> {
    let judgement: Option<i64> = row.try_get("judgement")?;
    let judgement: Option<u8> = judgement.map(|n| unsigned(n, "verdict", "judgement")).transpose()?;
    if cells_of(row.try_get("cells")?)?.is_empty() {
        return Ok(AnswerState::TakenBack);
    }
    if !row.try_get::<bool, _>("used")? {
        let (once, reread) = (row.try_get("once")?, row.try_get("reread")?);
        return Ok(match (once, reread) {
            (true, _) => AnswerState::Served,
            (false, true) => AnswerState::Unused,
            (false, false) => AnswerState::Open,
        });
    }
    Ok(match (row.try_get("refused")?, row.try_get("waiting")?, judgement) {
        (true, ..) => AnswerState::Refused,
        (_, true, _) => AnswerState::Waiting,
        (.., None) => AnswerState::Nothing,
        (.., Some(0)) => AnswerState::Sent,
        (.., Some(3)) => AnswerState::Held,
        (.., Some(4)) => AnswerState::Rejected,
        (.., Some(_)) => AnswerState::Accepted,
    })
}

fn read(row: &SqliteRow) -> Result<Answered> {
    let answers: String = row.try_get("answers")?;
    let line: Option<i64> = row.try_get("line")?;
    let before = sixteen(row.try_get("key")?, "key")?;
    let new: Option<&[u8]> = row.try_get("new_key")?;
    let new = new.map(|key| sixteen(key, "new_key")).transpose()?;
    Ok(Answered {
        source: row.try_get("source")?,
        file: row.try_get("file")?,
        sheet: row.try_get("sheet")?,
        line: line.map(|line| unsigned(line, "correction", "line")).transpose()?,
        number: new.as_ref().and_then(masked).or_else(|| masked(&before)),
        answers: answers.split(',').filter(|code| !code.is_empty()).map(str::to_owned).collect(),
        made_ms: row.try_get("made_ms")?,
        state: state(row)?,
    })
}

impl Store {
    /// The newest corrections and what became of them, and how many there are in all.
    pub async fn answered(&self, limit: u32) -> Result<(Vec<Answered>, u64)> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let rows = sqlx::query(LIST).bind(limit).fetch_all(&mut *conn).await?;
                let all: i64 = sqlx::query_scalar(COUNT).fetch_one(&mut *conn).await?;
                let all = unsigned(all, "correction", "mark")?;
                Ok((rows.iter().map(read).collect::<Result<_>>()?, all))
            })
            .await
    }
}
