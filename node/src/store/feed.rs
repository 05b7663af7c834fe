//! The verdict feed: what the hub decided about what was sent.

use dtsen_proto::{
    envelope::Verified,
    id::{Position, RecordId},
    pb,
};
use prost::Message as _;
use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::{BEGIN, Result, Store, StoreError, bulk, setting, unsigned};

const LAST: &str = "SELECT coalesce(max(position), 0) FROM feed";
const APPEND: &str = "INSERT INTO feed (position, entry) VALUES ($1, $2)";
const AFTER: &str = "SELECT entry FROM feed WHERE position > $1 ORDER BY position LIMIT $2";
const BATCH_ID: &str = "SELECT batch_id FROM batch WHERE epoch = $1 AND sequence = $2";
const SET_TOTALS: &str = "UPDATE batch SET judged = 1, accepted = $3, warned = $4, held = $5, rejected = $6
    WHERE epoch = $1 AND sequence = $2";
const BEFORE: &str =
    "SELECT judgement, revision FROM verdict WHERE epoch = $1 AND sequence = $2 AND place = $3";
const MOVE_TOTALS: &str = "UPDATE batch SET accepted = accepted + $3, warned = warned + $4, held = held + $5,
    rejected = rejected + $6 WHERE epoch = $1 AND sequence = $2";
const PUT_VERDICT: &str = "INSERT INTO verdict (epoch, sequence, place, revision, judgement, detail) ";
const NEWER: &str = " ON CONFLICT (epoch, sequence, place) DO UPDATE SET revision = excluded.revision,
    judgement = excluded.judgement, detail = excluded.detail WHERE excluded.revision > verdict.revision";
const PUT_NOTICE: &str = "INSERT INTO notice (position, place, hub_id, reason) ";
/// Deltas that are not listed are accepted, and create the record whose id says where they stood.
const CREATED: &str = "UPDATE record SET hub_id = unhex($3 || printf('%08X', s.place)) FROM sent s
    WHERE s.epoch = $1 AND s.sequence = $2 AND s.creates = 1 AND record.id = s.record
    AND NOT EXISTS (SELECT 1 FROM verdict v
        WHERE v.epoch = s.epoch AND v.sequence = s.sequence AND v.place = s.place)";
const TOLD: &str = ") UPDATE record
    SET hub_id = coalesce(told.id, CASE WHEN s.creates = 1 THEN told.own END, record.hub_id),
        resend = max(record.resend, told.resend)
    FROM told, sent s WHERE s.place = told.place AND record.id = s.record AND s.epoch = ";

const VERDICTS: &str = "SELECT epoch, sequence, place, revision, judgement, detail FROM verdict
    WHERE (epoch, sequence, place) > ($1, $2, $3) ORDER BY epoch, sequence, place LIMIT $4";

/// Which delta a verdict is on: epoch, sequence, place.
pub type VerdictKey = (u32, u32, u32);
/// A verdict as kept: its delta, revision, judgement as the wire numbers it, encoded `pb::Verdict`.
pub type KeptVerdict = (VerdictKey, u32, i32, Vec<u8>);

/// An entry of the feed, verified, with its bytes as the hub sent them.
pub type FeedEntry = (Verified<pb::Verdicts>, pb::Envelope);

/// Record ids out of the listed verdicts, and the records of which the hub does not show what was sent.
async fn tell(conn: &mut SqliteConnection, at: Position, verdicts: &[pb::Verdict]) -> Result<()> {
    for group in verdicts.chunks(bulk::GROUP) {
        let mut query = QueryBuilder::<Sqlite>::new("WITH told (place, id, own, resend) AS (");
        query.push_values(group, |mut values, verdict| {
            let accepted = matches!(verdict.judgement(), pb::Judgement::Accepted | pb::Judgement::Warned);
            let own = accepted.then(|| RecordId::new(at, verdict.index).as_bytes().to_vec());
            let id = RecordId::from_slice(&verdict.record_id).map(|id| id.as_bytes().to_vec());
            values.push_bind(verdict.index).push_bind(id).push_bind(own).push_bind(!accepted);
        });
        query.push(TOLD).push_bind(at.epoch).push(" AND s.sequence = ").push_bind(at.sequence);
        query.build().execute(&mut *conn).await?;
    }
    Ok(())
}

/// A later decision on single deltas: the batch's totals follow from what stood before.
async fn revise(conn: &mut SqliteConnection, at: Position, verdicts: &[pb::Verdict]) -> Result<()> {
    for verdict in verdicts {
        let before = sqlx::query_as(BEFORE).bind(at.epoch).bind(at.sequence).bind(verdict.index);
        let before: Option<(i32, u32)> = before.fetch_optional(&mut *conn).await?;
        let (judgement, revision) = before.unwrap_or((pb::Judgement::Accepted.into(), 0));
        if verdict.revision <= revision {
            continue;
        }
        let change = |which: pb::Judgement| {
            i64::from(verdict.judgement == i32::from(which)) - i64::from(judgement == i32::from(which))
        };
        sqlx::query(MOVE_TOTALS)
            .bind(at.epoch)
            .bind(at.sequence)
            .bind(change(pb::Judgement::Accepted))
            .bind(change(pb::Judgement::Warned))
            .bind(change(pb::Judgement::Held))
            .bind(change(pb::Judgement::Rejected))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

/// What a batch's own entry says.
async fn total(conn: &mut SqliteConnection, at: Position, entry: &pb::Verdicts) -> Result<()> {
    let id: Option<Vec<u8>> =
        sqlx::query_scalar(BATCH_ID).bind(at.epoch).bind(at.sequence).fetch_optional(&mut *conn).await?;
    if id.ok_or(StoreError::UnknownBatch(at))? != entry.batch_id {
        return Err(StoreError::OtherBatch(at));
    }
    sqlx::query(SET_TOTALS)
        .bind(at.epoch)
        .bind(at.sequence)
        .bind(entry.accepted)
        .bind(entry.warned)
        .bind(entry.held)
        .bind(entry.rejected)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// Applies what an entry says of a batch.
async fn judge(conn: &mut SqliteConnection, at: Position, entry: &pb::Verdicts) -> Result<()> {
    if entry.revision_only {
        revise(conn, at, &entry.verdicts).await?;
    } else {
        total(conn, at, entry).await?;
    }
    bulk::insert(conn, PUT_VERDICT, NEWER, &entry.verdicts, |values, verdict| {
        values
            .push_bind(at.epoch)
            .push_bind(at.sequence)
            .push_bind(verdict.index)
            .push_bind(verdict.revision)
            .push_bind(verdict.judgement)
            .push_bind(verdict.encode_to_vec());
    })
    .await?;
    if !entry.revision_only {
        let own = RecordId::new(at, 0);
        let prefix = hex::encode(&own.as_bytes()[..12]);
        sqlx::query(CREATED).bind(at.epoch).bind(at.sequence).bind(prefix).execute(&mut *conn).await?;
    }
    tell(conn, at, &entry.verdicts).await
}

pub(super) async fn apply(conn: &mut SqliteConnection, entry: &FeedEntry, expected: u64) -> Result<bool> {
    let verdicts = entry.0.get();
    if verdicts.position < expected {
        return Ok(false);
    }
    if verdicts.position > expected {
        return Err(StoreError::FeedGap { expected, found: verdicts.position });
    }
    let position = i64::try_from(expected).unwrap_or(i64::MAX);
    sqlx::query(APPEND).bind(position).bind(entry.1.encode_to_vec()).execute(&mut *conn).await?;
    // An entry may hold notices alone.
    if verdicts.sequence > 0 {
        let head = setting::head(conn).await?.ok_or(StoreError::NoEpoch)?;
        let sequence = u32::try_from(verdicts.sequence).unwrap_or(u32::MAX);
        let at = Position { epoch: verdicts.epoch, sequence, ..head.position };
        judge(conn, at, verdicts).await?;
    }
    let notices: Vec<(i64, &pb::Notice)> = (0..).zip(&verdicts.notices).collect();
    bulk::insert(conn, PUT_NOTICE, "", &notices, |values, (place, notice)| {
        values.push_bind(position).push_bind(*place).push_bind(&notice.record_id).push_bind(&notice.reason);
    })
    .await?;
    Ok(true)
}

impl Store {
    /// Applies entries in the order of their positions; those held already are passed over. Tells how many were new.
    pub async fn apply_feed(&self, entries: &[FeedEntry]) -> Result<u64> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let last: i64 = sqlx::query_scalar(LAST).fetch_one(&mut *tx).await?;
                let last: u64 = unsigned(last, "feed", "position")?;
                let mut next = last + 1;
                for entry in entries {
                    next += u64::from(apply(&mut tx, entry, next).await?);
                }
                tx.commit().await?;
                Ok(next - 1 - last)
            })
            .await
    }

    /// Position of the last entry held.
    pub async fn feed_end(&self) -> Result<u64> {
        let last: i64 = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query_scalar(LAST).fetch_one(&mut *conn).await
            })
            .await?;
        unsigned(last, "feed", "position")
    }

    /// Entries after a position as the hub sent them, encoded.
    pub async fn feed_after(&self, after: u64, limit: u32) -> Result<Vec<Vec<u8>>> {
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let rows = sqlx::query(AFTER).bind(after).bind(limit).fetch_all(&mut *conn).await?;
                rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
            })
            .await
    }

    /// Verdicts kept after one, in order. Sequences begin at 1.
    pub async fn verdicts_after(&self, after: VerdictKey, limit: u32) -> Result<Vec<KeptVerdict>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let query = sqlx::query_as::<_, (u32, u32, u32, u32, i32, Vec<u8>)>(VERDICTS);
                let query = query.bind(after.0).bind(after.1).bind(after.2).bind(limit);
                let rows = query.fetch_all(&mut *conn).await?;
                Ok(rows.into_iter().map(|row| ((row.0, row.1, row.2), row.3, row.4, row.5)).collect())
            })
            .await
    }
}
