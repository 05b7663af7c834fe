//! The hub's receipts, and deltas that have to be sealed anew.

use dtsen_proto::{
    batch::{self, Frame},
    envelope::Verified,
    id::{Position, RecordId},
    pb,
    record::{Action, Delta},
};
use prost::Message as _;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{BEGIN, Result, Store, StoreError, bulk, ids, outbox, outbox::BatchRow, setting, unsigned};

const SET_RECEIPT: &str = "UPDATE batch SET receipt = $3 WHERE epoch = $1 AND sequence = $2";
const SET_RETURNED: &str = "UPDATE batch SET returned = $3 WHERE epoch = $1 AND sequence = $2";
const SENT: &str = "SELECT s.place, s.record, s.pending, r.delta, r.hub_id FROM sent s
    JOIN record r ON r.id = s.record WHERE s.epoch = $1 AND s.sequence = $2 ORDER BY s.place";
/// Ids begin with 1; 0 is none.
const FIRST_PENDING: &str = "SELECT min(0, coalesce((SELECT min(id) FROM pending), 0),
    coalesce((SELECT min(pending) FROM sent), 0))";
const FORGET_SENT: &str = "DELETE FROM sent WHERE epoch = $1 AND sequence = $2";
/// A delta with what its record states by now: what was sealed later must not be undone by what is sealed anew.
pub(super) fn refreshed(mut delta: Delta, record: &Delta) -> Delta {
    delta.salt = [0; 16];
    if delta.action == Action::Upsert {
        for block in &mut delta.blocks {
            if let Some(now) = record.block(block.number) {
                block.clone_from(now);
            }
        }
    }
    delta
}

/// Puts the deltas of a batch back where they stood among the pending ones; those of a batch that was read back, and so
/// never stood there, before all others.
pub(super) async fn give_back(conn: &mut SqliteConnection, row: &BatchRow, why: &str) -> Result<()> {
    let wrong = |column| StoreError::Inconsistent { table: "batch", column };
    let length = usize::try_from(row.body_length).map_err(|_| wrong("body_length"))?;
    let body = batch::decode_body(row.encoding, &row.body, length).ok_or(wrong("body"))?;
    let frames = batch::frames(&body).ok_or(wrong("body"))?;
    let Position { epoch, sequence, .. } = row.position;
    let mut pending: Vec<(i64, i64, Vec<u8>)> = Vec::with_capacity(frames.len());
    let first: i64 = sqlx::query_scalar(FIRST_PENDING).fetch_one(&mut *conn).await?;
    let before = first - i64::try_from(frames.len()).map_err(|_| wrong("deltas"))?;
    for sent in sqlx::query(SENT).bind(epoch).bind(sequence).fetch_all(&mut *conn).await? {
        let place: usize = unsigned(sent.try_get(0)?, "sent", "place")?;
        let Some(Frame::Delta(bytes)) = frames.get(place) else { return Err(wrong("body")) };
        let delta = Delta::decode(bytes).map_err(|_| wrong("body"))?;
        let unreadable = StoreError::Inconsistent { table: "record", column: "delta" };
        let record = Delta::decode(sent.try_get(3)?).map_err(|_| unreadable)?;
        // The id in the delta may have come from a batch that the hub lost.
        let hub_id = sent.try_get::<Option<&[u8]>, _>(4)?.and_then(RecordId::from_slice);
        let delta = ids::addressed(refreshed(delta, &record), &record, hub_id);
        let id = match sent.try_get(2)? {
            0 => before + sent.try_get::<i64, _>(0)?,
            id => id,
        };
        pending.push((id, sent.try_get(1)?, delta.encode()));
    }
    bulk::insert(conn, "INSERT INTO pending (id, record, delta) ", "", &pending, |values, row| {
        values.push_bind(row.0).push_bind(row.1).push_bind(&row.2);
    })
    .await?;
    sqlx::query(FORGET_SENT).bind(epoch).bind(sequence).execute(&mut *conn).await?;
    sqlx::query(SET_RETURNED).bind(epoch).bind(sequence).bind(why).execute(&mut *conn).await?;
    Ok(())
}

/// Puts down the receipt of a batch that has none. If the hub took the header alone, its deltas go back.
pub(super) async fn put(
    conn: &mut SqliteConnection,
    row: &BatchRow,
    receipt: &pb::Envelope,
    body_refused: &str,
) -> Result<()> {
    let Position { epoch, sequence, .. } = row.position;
    let bytes = receipt.encode_to_vec();
    sqlx::query(SET_RECEIPT).bind(epoch).bind(sequence).bind(bytes).execute(&mut *conn).await?;
    if !body_refused.is_empty() && row.returned.is_none() {
        give_back(conn, row, body_refused).await?;
    }
    Ok(())
}

impl Store {
    /// Stores a receipt of the hub. If it took the header alone, the deltas become pending again.
    ///
    /// The same receipt again changes nothing.
    pub async fn store_receipt(
        &self,
        receipt: &Verified<pb::Receipt>,
        envelope: &pb::Envelope,
    ) -> Result<()> {
        let receipt = receipt.get();
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let head = setting::head(&mut tx).await?.ok_or(StoreError::NoEpoch)?;
                let sequence = u32::try_from(receipt.sequence).unwrap_or(u32::MAX);
                let position = Position { epoch: receipt.epoch, sequence, ..head.position };
                let row = outbox::batch_at(&mut tx, position).await?;
                let row = row.ok_or(StoreError::UnknownBatch(position))?;
                if receipt.batch_id != row.id.as_bytes() {
                    return Err(StoreError::OtherBatch(position));
                }
                if row.receipt.is_some() {
                    return Ok(());
                }
                put(&mut tx, &row, envelope, &receipt.body_refused).await?;
                Ok(tx.commit().await?)
            })
            .await
    }
}
