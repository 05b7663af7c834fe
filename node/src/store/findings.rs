//! What there is to mend: what this node found in the files, and what the hub found in what was sent.

use dtsen_proto::{
    column::Column,
    id::{DeltaRef, Position},
    mask::Masked,
    pb,
    record::RecordKind,
    rulebook::Severity,
};
use dtsen_sources::key::KeyBytes;
use prost::Message as _;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{Result, Store, StoreError, imports, setting, unsigned};

/// Who found it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// This node, in a file.
    Lokal,
    /// The hub, in a delta.
    Hub,
}

/// Which findings are wanted.
#[derive(Debug, Clone, Copy)]
pub struct FindingFilter {
    /// By whom; `None`: both.
    pub origin: Option<Origin>,
    /// The mildest.
    pub at_least: Severity,
    /// Most rows of either origin.
    pub limit: u32,
}

/// A finding, fit to be shown: numbers are masked, values are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindingRow {
    /// Who found it.
    pub origin: Origin,
    /// Code in the catalogue of reasons.
    pub reason: String,
    /// Severity.
    pub severity: Severity,
    /// What the hub decided on the delta; `None` for what this node found.
    pub judgement: Option<pb::Judgement>,
    /// The column.
    pub column: Option<Column>,
    /// The column as the file names it.
    pub column_name: Option<String>,
    /// NIK or No. KK, masked.
    pub number: Option<String>,
    /// The file that the record was read from.
    pub file: Option<String>,
    /// The sheet or table in it.
    pub sheet: Option<String>,
    /// The line there.
    pub line: Option<u64>,
    /// Figures that help to find the spot.
    pub detail: Option<String>,
    /// The delta that the hub judged.
    pub delta: Option<DeltaRef>,
}

/// A finding for which somebody must act, with what it takes to find its row again.
#[derive(Debug, Clone)]
pub struct ToMend {
    /// The source.
    pub source: String,
    /// What the row describes.
    pub kind: RecordKind,
    /// Key of the row; `None`: only its line is known.
    pub key: Option<KeyBytes>,
    /// The file or database, as it is shown.
    pub file: String,
    /// Where the file is, if it was named by hand.
    pub path: Option<String>,
    /// The sheet or table.
    pub sheet: Option<String>,
    /// The row.
    pub line: u64,
    /// The column.
    pub column: Option<Column>,
    /// The column as the source names it.
    pub column_name: Option<String>,
    /// Codes of the reasons.
    pub reason: String,
    /// NIK or No. KK, masked.
    pub number: Option<String>,
    /// Who found it.
    pub origin: Origin,
    /// What a steward of the hub wrote to it.
    pub note: Option<String>,
}

/// Of a cell that must be mended also the warnings, first: they say what is wrong with it.
const MEND_LOCAL: &str =
    "SELECT s.name, s.kind, f.key, i.file, i.path, f.sheet, f.line, f.number, f.column_no,
    f.column_name, f.reason FROM finding f JOIN import i ON i.id = f.import JOIN source s ON s.id = f.source
    WHERE f.severity >= $1 OR f.severity >= $3 AND EXISTS (SELECT 1 FROM finding g
        WHERE g.source = f.source AND g.key = f.key AND g.column_no = f.column_no AND g.severity >= $1)
    ORDER BY f.source, f.sheet, f.line, f.severity LIMIT $2";
const MEND_HUB: &str = "SELECT o.name, o.kind, k.key, i.file, i.path, r.sheet, r.line, r.number, v.detail
    FROM verdict v JOIN sent s ON s.epoch = v.epoch AND s.sequence = v.sequence AND s.place = v.place
    JOIN record r ON r.id = s.record JOIN source o ON o.id = r.source
    JOIN known_row k ON k.source = r.source AND k.record = r.id LEFT JOIN import i ON i.id = r.import
    WHERE v.judgement >= $1 AND NOT EXISTS (SELECT 1 FROM sent l
        WHERE l.record = s.record AND (l.epoch, l.sequence, l.place) > (s.epoch, s.sequence, s.place))
    ORDER BY o.name, r.sheet, r.line LIMIT $2";
const LOCAL: &str = "SELECT f.*, i.file FROM finding f JOIN import i ON i.id = f.import
    WHERE f.severity >= $1 ORDER BY f.severity DESC, f.import DESC, f.sheet, f.line LIMIT $2";
/// The verdict on the last delta sent of each record: what was sent since has taken the place of the others.
const HUB: &str =
    "SELECT v.epoch, v.sequence, v.place, v.judgement, v.detail, r.number, i.file, r.line, r.sheet
    FROM verdict v JOIN sent s ON s.epoch = v.epoch AND s.sequence = v.sequence AND s.place = v.place
    JOIN record r ON r.id = s.record LEFT JOIN import i ON i.id = r.import
    WHERE v.judgement >= $1 AND NOT EXISTS (SELECT 1 FROM sent l
        WHERE l.record = s.record AND (l.epoch, l.sequence, l.place) > (s.epoch, s.sequence, s.place))
    ORDER BY v.judgement DESC, v.epoch, v.sequence, v.place LIMIT $2";
const NOTICES: &str = "SELECT n.reason, r.number, i.file, r.line, r.sheet FROM notice n
    LEFT JOIN record r ON r.hub_id = n.hub_id LEFT JOIN import i ON i.id = r.import
    ORDER BY n.position DESC, n.place LIMIT $1";
const ALL_LOCAL: &str = "SELECT count(*) FROM finding WHERE severity >= $1";
const ALL_HUB: &str = "SELECT count(*) FROM verdict v
    JOIN sent s ON s.epoch = v.epoch AND s.sequence = v.sequence AND s.place = v.place
    WHERE v.judgement >= $1 AND NOT EXISTS (SELECT 1 FROM sent l
        WHERE l.record = s.record AND (l.epoch, l.sequence, l.place) > (s.epoch, s.sequence, s.place))";
const ALL_NOTICES: &str = "SELECT count(*) FROM notice";
const LOCAL_COUNTS: &str =
    "SELECT count(*) FILTER (WHERE severity = 4), count(*) FILTER (WHERE severity IN (2, 3))
    FROM finding";

fn masked(number: Option<&str>) -> Option<String> {
    number.map(|number| Masked(number).to_string())
}

fn column_of(number: i64) -> Option<Column> {
    u16::try_from(number).ok().filter(|number| *number > 0).map(Column)
}

fn read_local(row: &SqliteRow) -> Result<FindingRow> {
    let wrong = StoreError::Inconsistent { table: "finding", column: "severity" };
    Ok(FindingRow {
        origin: Origin::Lokal,
        reason: row.try_get("reason")?,
        severity: imports::severity_of(row.try_get("severity")?).ok_or(wrong)?,
        judgement: None,
        column: column_of(row.try_get("column_no")?),
        column_name: row.try_get("column_name")?,
        number: masked(row.try_get("number")?),
        file: row.try_get("file")?,
        sheet: row.try_get("sheet")?,
        line: Some(unsigned(row.try_get("line")?, "finding", "line")?),
        detail: row.try_get("detail")?,
        delta: None,
    })
}

/// The findings of one verdict; the verdict itself if it gives none.
fn read_verdict(row: &SqliteRow, head: Position) -> Result<Vec<FindingRow>> {
    let wrong = |column| StoreError::Inconsistent { table: "verdict", column };
    let part = |at: usize| unsigned(row.try_get(at)?, "verdict", "place");
    let delta =
        DeltaRef { position: Position { epoch: part(0)?, sequence: part(1)?, ..head }, index: part(2)? };
    let judgement = pb::Judgement::try_from(row.try_get::<i32, _>(3)?).map_err(|_| wrong("judgement"))?;
    let verdict = pb::Verdict::decode(row.try_get::<&[u8], _>(4)?).map_err(|_| wrong("detail"))?;
    let line: Option<i64> = row.try_get(7)?;
    let shown = FindingRow {
        origin: Origin::Hub,
        reason: String::new(),
        severity: Severity::Notice,
        judgement: Some(judgement),
        column: None,
        column_name: None,
        number: masked(row.try_get(5)?),
        file: row.try_get(6)?,
        sheet: row.try_get(8)?,
        line: line.map(|line| unsigned(line, "record", "line")).transpose()?,
        detail: None,
        delta: Some(delta),
    };
    if verdict.findings.is_empty() {
        return Ok(vec![shown]);
    }
    let note = note_of(&verdict);
    let findings = verdict.findings.into_iter().map(|finding| FindingRow {
        severity: severity_of_wire(finding.severity()),
        column: column_of(finding.column.into()),
        reason: finding.reason,
        detail: note.clone(),
        ..shown.clone()
    });
    Ok(findings.collect())
}

/// What a steward of the hub wrote to a verdict.
fn note_of(verdict: &pb::Verdict) -> Option<String> {
    Some(verdict.note.clone()).filter(|note| !note.is_empty())
}

fn severity_of_wire(severity: pb::Severity) -> Severity {
    match severity {
        pb::Severity::Unspecified | pb::Severity::Notice => Severity::Notice,
        pb::Severity::Warning => Severity::Warning,
        pb::Severity::Hold => Severity::Hold,
        pb::Severity::Error => Severity::Error,
    }
}

/// The mildest judgement whose findings may be as grave.
fn mildest_judgement(at_least: Severity) -> i32 {
    let mildest = match at_least {
        Severity::Notice => pb::Judgement::Accepted,
        Severity::Warning => pb::Judgement::Warned,
        Severity::Hold => pb::Judgement::Held,
        Severity::Error => pb::Judgement::Rejected,
    };
    mildest.into()
}

async fn from_hub(conn: &mut SqliteConnection, filter: &FindingFilter) -> Result<Vec<FindingRow>> {
    let Some(head) = setting::head(conn).await? else { return Ok(Vec::new()) };
    let rows = sqlx::query(HUB)
        .bind(mildest_judgement(filter.at_least))
        .bind(filter.limit)
        .fetch_all(&mut *conn)
        .await?;
    let mut found = Vec::new();
    for row in &rows {
        found.extend(read_verdict(row, head.position)?);
    }
    found.retain(|finding| finding.severity >= filter.at_least || finding.reason.is_empty());
    let notices = sqlx::query(NOTICES).bind(filter.limit).fetch_all(conn).await?;
    for row in notices.iter().filter(|_| filter.at_least == Severity::Notice) {
        let line: Option<i64> = row.try_get(3)?;
        found.push(FindingRow {
            origin: Origin::Hub,
            reason: row.try_get(0)?,
            severity: Severity::Notice,
            judgement: None,
            column: None,
            column_name: None,
            number: masked(row.try_get(1)?),
            file: row.try_get(2)?,
            sheet: row.try_get(4)?,
            line: line.map(|line| unsigned(line, "record", "line")).transpose()?,
            detail: None,
            delta: None,
        });
    }
    Ok(found)
}

fn read_to_mend(row: &SqliteRow, origin: Origin) -> Result<ToMend> {
    let wrong = |column| StoreError::Inconsistent { table: "finding", column };
    let key = row.try_get::<Option<&[u8]>, _>(2)?;
    let line: Option<i64> = row.try_get(6)?;
    Ok(ToMend {
        source: row.try_get(0)?,
        kind: RecordKind::from_wire(row.try_get(1)?).ok_or(wrong("kind"))?,
        key: key.map(|key| key.try_into().map_err(|_| wrong("key"))).transpose()?,
        file: row.try_get::<Option<String>, _>(3)?.unwrap_or_default(),
        path: row.try_get(4)?,
        sheet: row.try_get(5)?,
        line: line.map_or(Ok(0), |line| unsigned(line, "finding", "line"))?,
        number: masked(row.try_get(7)?),
        column: None,
        column_name: None,
        reason: String::new(),
        origin,
        note: None,
    })
}

impl Store {
    /// The findings for which somebody must act, this node's own before the hub's; so many of either at most.
    pub async fn to_mend(&self, limit: u32) -> Result<Vec<ToMend>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let mut found = Vec::new();
                let gravest = imports::severity_number(Severity::Hold);
                let beside = imports::severity_number(Severity::Warning);
                let local = sqlx::query(MEND_LOCAL).bind(gravest).bind(limit).bind(beside);
                for row in local.fetch_all(&mut *conn).await? {
                    found.push(ToMend {
                        column: column_of(row.try_get(8)?),
                        column_name: row.try_get(9)?,
                        reason: row.try_get(10)?,
                        ..read_to_mend(&row, Origin::Lokal)?
                    });
                }
                let held = i32::from(pb::Judgement::Held);
                for row in sqlx::query(MEND_HUB).bind(held).bind(limit).fetch_all(&mut *conn).await? {
                    let wrong = StoreError::Inconsistent { table: "verdict", column: "detail" };
                    let verdict = pb::Verdict::decode(row.try_get::<&[u8], _>(8)?).map_err(|_| wrong)?;
                    let mend = ToMend { note: note_of(&verdict), ..read_to_mend(&row, Origin::Hub)? };
                    found.extend(verdict.findings.into_iter().map(|finding| ToMend {
                        column: column_of(finding.column.into()),
                        reason: finding.reason,
                        ..mend.clone()
                    }));
                }
                Ok(found)
            })
            .await
    }

    /// What there is to mend, gravest first, this node's own before the hub's.
    pub async fn findings(&self, filter: &FindingFilter) -> Result<Vec<FindingRow>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let mut found = Vec::new();
                if filter.origin != Some(Origin::Hub) {
                    let mildest = imports::severity_number(filter.at_least);
                    let query = sqlx::query(LOCAL).bind(mildest).bind(filter.limit);
                    for row in query.fetch_all(&mut *conn).await? {
                        found.push(read_local(&row)?);
                    }
                }
                if filter.origin != Some(Origin::Lokal) {
                    found.extend(from_hub(&mut conn, filter).await?);
                }
                Ok(found)
            })
            .await
    }

    /// How many there are to be shown whatever the limit: this node's own, the hub's verdicts, the hub's notices.
    pub async fn most_findings(&self, filter: &FindingFilter) -> Result<[u64; 3]> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let (severity, judgement) =
                    (imports::severity_number(filter.at_least), mildest_judgement(filter.at_least));
                let local = sqlx::query_scalar(ALL_LOCAL).bind(severity).fetch_one(&mut *conn).await?;
                let hub = sqlx::query_scalar(ALL_HUB).bind(judgement).fetch_one(&mut *conn).await?;
                let notices = match filter.at_least {
                    Severity::Notice => sqlx::query_scalar(ALL_NOTICES).fetch_one(&mut *conn).await?,
                    _ => 0,
                };
                let count = |count: i64| unsigned(count, "finding", "id");
                Ok([count(local)?, count(hub)?, count(notices)?])
            })
            .await
    }

    /// How many local findings are errors, and how many warnings or reasons to hold.
    pub async fn local_finding_counts(&self) -> Result<(u64, u64)> {
        let row = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query(LOCAL_COUNTS).fetch_one(&mut *conn).await
            })
            .await?;
        Ok((unsigned(row.try_get(0)?, "finding", "id")?, unsigned(row.try_get(1)?, "finding", "id")?))
    }
}
