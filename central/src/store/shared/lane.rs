//! What the lane reads, and what others read of its work.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dtsen_proto::{
    id::{DeltaRef, Position},
    record::Text,
    region::Region,
};

use super::{Conn, Handle, apply, begin};
use crate::{
    registry::view::{View, Wanted},
    store::{
        Application, Applied, Counts, Decide, Erasure, Fence, Lane, RecordRow, Result, VerdictRow, Waiting,
        retried,
        value::{Of, signed},
    },
};

const BATCH: Of = Of("batch");
const VERDICT: Of = Of("verdict");
const RECORD: Of = Of("record");
const APPLICATION: Of = Of("application");

type VerdictTuple = (i64, i64, i64, i64, i64, i64, Option<String>, i64, Vec<u8>);

fn verdict(row: VerdictTuple) -> Result<VerdictRow> {
    let position = VERDICT.position(row.0, row.1, row.2)?;
    Ok(VerdictRow {
        delta: DeltaRef { position, index: VERDICT.number("place", row.3)? },
        revision: VERDICT.number("revision", row.4)?,
        judgement: VERDICT.judgement(row.5)?,
        subject: row.6.map(Text::from),
        action: VERDICT.action(row.7)?,
        detail: row.8,
    })
}

/// Waiting batches of a region after a place, in order.
async fn waiting_of(conn: &mut Conn, region: i64, after: (i64, i64), limit: i64) -> Result<Vec<Waiting>> {
    type Row = (i64, i64, Vec<u8>, Vec<u8>, i64, Vec<u8>, i64, i64);

    let found = sqlx::query_as::<_, Row>(
        "SELECT b.epoch, b.sequence, b.batch_id, b.header, b.encoding, y.body, b.custody_ms, b.rulebook
         FROM batch b JOIN batch_body y
         ON y.region = b.region AND y.epoch = b.epoch AND y.sequence = b.sequence
         WHERE b.region = $1 AND b.apply_no IS NULL AND (b.epoch, b.sequence) > ($2, $3)
         ORDER BY b.epoch, b.sequence LIMIT $4",
    );
    let rows = found.bind(region).bind(after.0).bind(after.1).bind(limit).fetch_all(conn).await?;
    rows.into_iter()
        .map(|(epoch, sequence, id, header, encoding, body, custody_ms, rulebook)| {
            Ok(Waiting {
                position: BATCH.position(region, epoch, sequence)?,
                id: BATCH.batch_id("batch_id", &id)?,
                header,
                encoding: BATCH.number("encoding", encoding)?,
                body,
                custody_ms,
                rulebook: BATCH.number("rulebook", rulebook)?,
            })
        })
        .collect()
}

/// Every waiting region gets the same share; what one does not use goes round again.
async fn fair_share(conn: &mut Conn, after: &BTreeMap<Region, Position>, limit: u32) -> Result<Vec<Waiting>> {
    let found = sqlx::query_scalar(
        "SELECT l.region FROM lane l
         WHERE EXISTS (SELECT 1 FROM batch b WHERE b.region = l.region AND b.apply_no IS NULL)
         ORDER BY l.apply_no, l.region LIMIT $1",
    );
    let mut regions: Vec<i64> = found.bind(i64::from(limit)).fetch_all(&mut *conn).await?;
    let mut left = i64::from(limit);
    let place = |at: &Position| (i64::from(at.epoch), i64::from(at.sequence));
    let mut after: BTreeMap<i64, (i64, i64)> =
        after.iter().map(|(region, at)| (i64::from(region.number()), place(at))).collect();
    let mut taken = Vec::new();
    while left > 0 && !regions.is_empty() {
        let count = i64::try_from(regions.len()).expect("at most the limit");
        let share = (left / count).max(1);
        let mut again = Vec::new();
        for region in regions {
            let from = after.get(&region).copied().unwrap_or((0, 0));
            let more = waiting_of(conn, region, from, share.min(left)).await?;
            left -= i64::try_from(more.len()).expect("at most the limit");
            if let Some(last) = more.last().map(|w| w.position) {
                after.insert(region, (last.epoch.into(), last.sequence.into()));
                again.push(region);
            }
            taken.extend(more);
        }
        regions = again;
    }
    Ok(taken)
}

fn application(row: (i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>)) -> Result<Application> {
    let what = match row {
        (_, Some(region), Some(epoch), Some(sequence), None) => {
            Applied::Batch(APPLICATION.position(region, epoch, sequence)?)
        }
        (_, None, None, None, Some(number)) => Applied::Decision(APPLICATION.number("decision", number)?),
        _ => return Err(APPLICATION.wrong("decision")),
    };
    Ok(Application { apply_no: APPLICATION.number("apply_no", row.0)?, what })
}

#[async_trait]
impl Lane for Handle {
    async fn waiting(&self, after: &BTreeMap<Region, Position>, limit: u32) -> Result<Vec<Waiting>> {
        self.section(async { fair_share(&mut *self.read_conn().await?, after, limit).await }).await
    }

    async fn apply(&self, fence: &Fence, wanted: &Wanted, decide: &mut Decide<'_>) -> Result<()> {
        self.section(async {
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            apply::hold(&mut tx, fence).await?;
            let view = apply::load(&mut tx, wanted).await?;
            let state = apply::state(&mut tx).await?;
            apply::write(&mut tx, decide(view, state)).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    async fn view(&self, wanted: &Wanted) -> Result<View> {
        self.section(async { apply::load(&mut *self.read_conn().await?, wanted).await }).await
    }

    async fn erase(&self, erasure: &Erasure<'_>) -> Result<u64> {
        retried!(self.try_erase(erasure).await)
    }

    async fn verdict(&self, delta: DeltaRef) -> Result<Option<VerdictRow>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT region, epoch, sequence, place, revision, judgement, subject, action, detail
                 FROM verdict WHERE region = $1 AND epoch = $2 AND sequence = $3 AND place = $4",
            );
            let at = delta.position;
            let found = found.bind(i64::from(at.region.number())).bind(i64::from(at.epoch));
            let found = found.bind(i64::from(at.sequence)).bind(i64::from(delta.index));
            found.fetch_optional(&mut *conn).await?.map(verdict).transpose()
        })
        .await
    }

    async fn held(&self, region: Option<Region>, limit: u32) -> Result<Vec<VerdictRow>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = match region {
                Some(region) => sqlx::query_as(
                    "SELECT region, epoch, sequence, place, revision, judgement, subject, action, detail
                     FROM verdict WHERE judgement = 3 AND region = $1
                     ORDER BY epoch, sequence, place LIMIT $2",
                )
                .bind(i64::from(region.number())),
                None => sqlx::query_as(
                    "SELECT v.region, v.epoch, v.sequence, v.place, v.revision, v.judgement, v.subject, v.action,
                            v.detail
                     FROM verdict v JOIN batch b
                     ON b.region = v.region AND b.epoch = v.epoch AND b.sequence = v.sequence
                     WHERE v.judgement = 3
                     ORDER BY b.custody_ms, v.region, v.epoch, v.sequence, v.place LIMIT $1",
                ),
            };
            found.bind(i64::from(limit)).fetch_all(&mut *conn).await?.into_iter().map(verdict).collect()
        })
        .await
    }

    async fn verdicts(&self, at: Position) -> Result<Vec<VerdictRow>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT region, epoch, sequence, place, revision, judgement, subject, action, detail
                 FROM verdict WHERE region = $1 AND epoch = $2 AND sequence = $3 ORDER BY place",
            );
            let found = found.bind(i64::from(at.region.number()));
            let found = found.bind(i64::from(at.epoch)).bind(i64::from(at.sequence));
            found.fetch_all(&mut *conn).await?.into_iter().map(verdict).collect()
        })
        .await
    }

    async fn applications(&self, after: u64, limit: u32) -> Result<Vec<Application>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT apply_no, region, epoch, sequence, decision FROM application
                 WHERE apply_no > $1 ORDER BY apply_no LIMIT $2",
            );
            let found = found.bind(signed(after)).bind(i64::from(limit));
            found.fetch_all(&mut *conn).await?.into_iter().map(application).collect()
        })
        .await
    }

    async fn records_after(&self, after: &[u8], limit: u32) -> Result<Vec<RecordRow>> {
        type Row = (Vec<u8>, i64, i64, Vec<u8>, Vec<u8>);

        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as::<_, Row>(
                "SELECT id, region, kind, hash, body FROM record WHERE id > $1 ORDER BY id LIMIT $2",
            );
            let rows = found.bind(after).bind(i64::from(limit)).fetch_all(&mut *conn).await?;
            let read = |(id, region, kind, hash, body): Row| {
                let (region, kind) = (RECORD.region(region)?, RECORD.kind(kind)?);
                Ok(RecordRow { id: RECORD.record_id(&id)?, region, kind, hash, body })
            };
            rows.into_iter().map(read).collect()
        })
        .await
    }

    async fn holders_after(&self, after: &str, limit: u32) -> Result<Vec<(String, Vec<u8>)>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found =
                sqlx::query_as("SELECT number, id FROM holder WHERE number > $1 ORDER BY number LIMIT $2");
            Ok(found.bind(after).bind(i64::from(limit)).fetch_all(&mut *conn).await?)
        })
        .await
    }

    async fn counts(&self) -> Result<Counts> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT (SELECT COUNT(*) FROM record WHERE kind = 1), (SELECT COUNT(*) FROM record WHERE kind = 2),
                        (SELECT COALESCE(MAX(apply_no), 0) FROM application),
                        (SELECT COALESCE(MAX(number), 0) FROM decision)",
            );
            let row: (i64, i64, i64, i64) = found.fetch_one(&mut *conn).await?;
            Ok(Counts {
                keluarga: RECORD.number("kind", row.0)?,
                individu: RECORD.number("kind", row.1)?,
                applications: APPLICATION.number("apply_no", row.2)?,
                decisions: Of("decision").number("number", row.3)?,
            })
        })
        .await
    }
}
