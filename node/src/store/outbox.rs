//! Changes on their way to the hub: pending, sealed, sent.

use std::collections::BTreeMap;

use dtsen_proto::{
    batch::{self, Draft, Sealed},
    chain::Head,
    id::{BatchId, Position, RecordId},
    limits,
    merkle::Hash,
    pb,
    record::{Action, Answered, Delta},
    region::Region,
};
use futures::future::BoxFuture;
use prost::Message as _;
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{BEGIN, Result, Store, StoreError, bulk, setting, unsigned};

/// A sealed batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchRow {
    /// Where it stands.
    pub position: Position,
    /// Its identity.
    pub id: BatchId,
    /// The signed header.
    pub header: pb::Envelope,
    /// How the body is compressed, as the wire numbers it.
    pub encoding: i32,
    /// The body as transported.
    pub body: Vec<u8>,
    /// Bytes of the body before compression.
    pub body_length: u64,
    /// How many deltas.
    pub deltas: u32,
    /// When it was sealed.
    pub sealed_ms: i64,
    /// The hub's receipt, once it came.
    pub receipt: Option<pb::Envelope>,
    /// Why its deltas went back to be sealed anew.
    pub returned: Option<String>,
    /// Current verdicts: accepted, warned, held, rejected; none before the first.
    pub judged: Option<[u32; 4]>,
}

/// Deltas by what has become of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Totals {
    /// Batches in the hub's custody.
    pub batches: u64,
    /// Deltas in the hub's custody: the five figures that follow add up to it.
    pub sent: u64,
    /// Accepted.
    pub accepted: u64,
    /// Accepted with warnings.
    pub warned: u64,
    /// Held.
    pub held: u64,
    /// Rejected.
    pub rejected: u64,
    /// In custody, without a verdict yet.
    pub waiting: u64,
    /// Sealed, without a receipt yet.
    pub sealed: u64,
    /// Not sealed yet.
    pub pending: u64,
}

/// What sealing needs besides the deltas.
pub struct Sealing<'a> {
    /// The node's clock.
    pub now_ms: i64,
    /// Most deltas, at most [`limits::MAX_BATCH_DELTAS`].
    pub max_deltas: usize,
    /// Most bytes of the body before compression, at most [`limits::MAX_BODY_BYTES`]. One delta always fits.
    pub max_bytes: usize,
    /// Version of the rulebook that checked the deltas.
    pub rulebook: u32,
    /// Generation of the hub last seen.
    pub generation: u64,
    /// Last checkpoint held.
    pub log: (u64, Hash),
    /// Random bytes for one delta.
    pub salt: &'a (dyn Fn() -> [u8; 16] + Send + Sync),
    /// Signs; [`batch::seal`] with the region's key.
    pub seal: &'a (dyn Fn(&Draft, &[Vec<u8>]) -> Sealed + Send + Sync),
}

/// A pending delta taken for sealing.
struct Taken {
    pending: i64,
    record: i64,
    creates: bool,
}

/// With the last delta sent on the record, if the hub holds it or may hold it: of a record that it gave an id there is a verdict.
const PENDING: &str = "SELECT p.id, p.record, p.delta, r.hub_id, h.epoch, h.sequence, h.place
    FROM pending p JOIN record r ON r.id = p.record LEFT JOIN sent h ON (h.epoch, h.sequence, h.place) =
        (SELECT s.epoch, s.sequence, s.place FROM sent s WHERE s.record = p.record
            ORDER BY s.epoch DESC, s.sequence DESC, s.place DESC LIMIT 1)
        AND coalesce((SELECT v.judgement FROM verdict v WHERE v.epoch = h.epoch AND v.sequence = h.sequence
            AND v.place = h.place), CASE WHEN r.hub_id IS NULL THEN 3 END) = 3
    ORDER BY p.id LIMIT $1";
const DELETE_PENDING: &str = "DELETE FROM pending WHERE id <= $1";
const INSERT_BATCH: &str = "INSERT INTO batch
    (epoch, sequence, batch_id, deltas, sealed_ms, body_length, encoding, header, body, receipt, returned)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
const INSERT_SENT: &str = "INSERT INTO sent (epoch, sequence, place, record, pending, creates) ";
const PENDING_COUNT: &str = "SELECT count(*) FROM pending";
const OLDEST: &str = "SELECT * FROM batch WHERE receipt IS NULL AND returned IS NULL
    ORDER BY epoch, sequence LIMIT 1";
const LAST_RECEIPT: &str =
    "SELECT receipt FROM batch WHERE receipt IS NOT NULL ORDER BY epoch DESC, sequence DESC LIMIT 1";
const UNLOGGED: &str = "SELECT * FROM batch WHERE receipt IS NOT NULL AND logged = 0
    ORDER BY epoch, sequence LIMIT $1";
const SET_LOGGED: &str = "UPDATE batch SET logged = 1 WHERE epoch = $1 AND sequence = $2";
const ONE: &str = "SELECT * FROM batch WHERE epoch = $1 AND sequence = $2";
const AFTER: &str =
    "SELECT * FROM batch WHERE (epoch, sequence) > ($1, $2) ORDER BY epoch, sequence LIMIT $3";
const TOTALS: &str = "SELECT
    coalesce(sum(receipt IS NOT NULL AND returned IS NULL), 0),
    coalesce(sum(deltas) FILTER (WHERE receipt IS NOT NULL AND returned IS NULL), 0),
    coalesce(sum(accepted), 0), coalesce(sum(warned), 0), coalesce(sum(held), 0), coalesce(sum(rejected), 0),
    coalesce(sum(deltas) FILTER (WHERE receipt IS NOT NULL AND returned IS NULL AND judged = 0), 0),
    coalesce(sum(deltas) FILTER (WHERE receipt IS NULL AND returned IS NULL), 0),
    (SELECT count(*) FROM pending)
    FROM batch";

/// Appends deltas to what is pending, in order.
pub(super) async fn queue(conn: &mut SqliteConnection, deltas: &[(i64, Vec<u8>)]) -> Result<()> {
    if let Some((_, delta)) = deltas.iter().find(|(_, delta)| delta.len() > limits::MAX_DELTA_BYTES) {
        return Err(StoreError::DeltaTooLarge { bytes: delta.len() });
    }
    let head = "INSERT INTO pending (record, delta) ";
    bulk::insert(conn, head, "", deltas, |values, (record, delta)| {
        values.push_bind(record).push_bind(delta);
    })
    .await
}

/// Refuses while the node is halted or has no epoch.
async fn ready(conn: &mut SqliteConnection) -> Result<Head> {
    if let Some(why) = setting::get(conn, setting::HALTED).await? {
        return Err(StoreError::Halted(String::from_utf8_lossy(&why).into_owned()));
    }
    setting::head(conn).await?.ok_or(StoreError::NoEpoch)
}

/// The oldest pending deltas that fit, salted, with the hub's id where it is known by now, and with the delta before on the
/// same record if the hub may hold that one: it need not be looked at any more.
async fn take(
    conn: &mut SqliteConnection,
    next: Position,
    sealing: &Sealing<'_>,
) -> Result<(Vec<Taken>, Vec<Vec<u8>>)> {
    let unreadable = |column| StoreError::Inconsistent { table: "pending", column };
    let most = sealing.max_deltas.clamp(1, limits::MAX_BATCH_DELTAS);
    let room = sealing.max_bytes.min(limits::MAX_BODY_BYTES);
    let limit = i64::try_from(most).expect("below the limit");
    let rows = sqlx::query(PENDING).bind(limit).fetch_all(conn).await?;
    let (mut taken, mut deltas, mut bytes) = (Vec::new(), Vec::new(), 0);
    let mut last = BTreeMap::new();
    for (index, row) in (0..).zip(rows) {
        let record: i64 = row.try_get(1)?;
        let mut delta = Delta::decode(row.try_get(2)?).map_err(|_| unreadable("delta"))?;
        delta.salt = (sealing.salt)();
        let hub_id = row.try_get::<Option<&[u8]>, _>(3)?;
        if delta.record.is_none()
            && let Some(id) = hub_id
        {
            delta.record = Some(RecordId::from_slice(id).ok_or(unreadable("hub_id"))?);
        }
        delta.answers = match (last.insert(record, index).filter(|_| hub_id.is_none()), row.try_get(4)?) {
            (Some(index), _) => Some(Answered { epoch: next.epoch, sequence: next.sequence, index }),
            (None, Some(epoch)) => {
                Some(Answered { epoch, sequence: row.try_get(5)?, index: row.try_get(6)? })
            }
            (None, None) => None,
        };
        let creates = delta.record.is_none() && matches!(delta.action, Action::Upsert | Action::MoveIn);
        let encoded = delta.encode();
        bytes += encoded.len() + size_of::<u32>();
        if bytes > room && !deltas.is_empty() {
            break;
        }
        taken.push(Taken { pending: row.try_get(0)?, record, creates });
        deltas.push(encoded);
    }
    Ok((taken, deltas))
}

pub(super) async fn put_batch(conn: &mut SqliteConnection, batch: &BatchRow) -> Result<()> {
    sqlx::query(INSERT_BATCH)
        .bind(batch.position.epoch)
        .bind(batch.position.sequence)
        .bind(&batch.id.as_bytes()[..])
        .bind(batch.deltas)
        .bind(batch.sealed_ms)
        .bind(i64::try_from(batch.body_length).expect("a body is small"))
        .bind(batch.encoding)
        .bind(batch.header.encode_to_vec())
        .bind(&batch.body)
        .bind(batch.receipt.as_ref().map(pb::Envelope::encode_to_vec))
        .bind(&batch.returned)
        .execute(conn)
        .await?;
    Ok(())
}

async fn put(conn: &mut SqliteConnection, batch: &BatchRow, taken: &[Taken]) -> Result<()> {
    put_batch(conn, batch).await?;
    let Position { epoch, sequence, .. } = batch.position;
    let rows: Vec<(i64, &Taken)> = (0..).zip(taken).collect();
    bulk::insert(conn, INSERT_SENT, "", &rows, |values, (place, taken)| {
        values
            .push_bind(epoch)
            .push_bind(sequence)
            .push_bind(*place)
            .push_bind(taken.record)
            .push_bind(taken.pending)
            .push_bind(taken.creates);
    })
    .await
}

pub(super) fn read_batch(row: &SqliteRow, region: Region) -> Result<BatchRow> {
    let wrong = |column| StoreError::Inconsistent { table: "batch", column };
    let envelope = |bytes: &[u8], column| pb::Envelope::decode(bytes).map_err(|_| wrong(column));
    let number = |column: &'static str| -> Result<u32> { unsigned(row.try_get(column)?, "batch", column) };
    let judged = if row.try_get::<i64, _>("judged")? == 0 {
        None
    } else {
        Some([number("accepted")?, number("warned")?, number("held")?, number("rejected")?])
    };
    let receipt = row.try_get::<Option<&[u8]>, _>("receipt")?;
    Ok(BatchRow {
        position: Position { region, epoch: number("epoch")?, sequence: number("sequence")? },
        id: BatchId::from_slice(row.try_get("batch_id")?).ok_or(wrong("batch_id"))?,
        header: envelope(row.try_get("header")?, "header")?,
        encoding: row.try_get("encoding")?,
        body: row.try_get("body")?,
        body_length: unsigned(row.try_get("body_length")?, "batch", "body_length")?,
        deltas: number("deltas")?,
        sealed_ms: row.try_get("sealed_ms")?,
        receipt: receipt.map(|bytes| envelope(bytes, "receipt")).transpose()?,
        returned: row.try_get("returned")?,
        judged,
    })
}

pub(super) async fn batch_at(conn: &mut SqliteConnection, position: Position) -> Result<Option<BatchRow>> {
    let row = sqlx::query(ONE).bind(position.epoch).bind(position.sequence).fetch_optional(conn).await?;
    row.map(|row| read_batch(&row, position.region)).transpose()
}

impl Store {
    /// How many deltas wait to be sealed.
    pub async fn pending_count(&self) -> Result<u64> {
        let count: i64 = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query_scalar(PENDING_COUNT).fetch_one(&mut *conn).await
            })
            .await?;
        unsigned(count, "pending", "id")
    }

    /// The oldest changes that wait to be sealed, with a salt of zeros.
    pub async fn pending(&self, limit: u32) -> Result<Vec<Delta>> {
        let wrong = StoreError::Inconsistent { table: "pending", column: "delta" };
        let rows = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query(PENDING).bind(limit).fetch_all(&mut *conn).await
            })
            .await?;
        let read = |row: &SqliteRow| Delta::decode(row.try_get(2).ok()?).ok();
        rows.iter().map(read).collect::<Option<_>>().ok_or(wrong)
    }

    /// Seals the oldest pending deltas on top of the head; `None` if there are none.
    ///
    /// Batch, new head and the end of the pending rows are one transaction: nothing is sealed twice.
    pub fn seal<'a>(&'a self, sealing: &'a Sealing<'a>) -> BoxFuture<'a, Result<Option<BatchRow>>> {
        Box::pin(async move {
            self.db
                .section(async {
                    let mut conn = self.db.writer().await;
                    let mut tx = conn.begin_with(BEGIN).await?;
                    let head = ready(&mut tx).await?;
                    let position = Position { sequence: head.position.sequence + 1, ..head.position };
                    let (taken, deltas) = take(&mut tx, position, sealing).await?;
                    let Some(last) = taken.last().map(|taken| taken.pending) else { return Ok(None) };
                    let draft = Draft {
                        position,
                        previous: head.id,
                        rulebook: sealing.rulebook,
                        generation: sealing.generation,
                        log: sealing.log,
                        created_ms: sealing.now_ms,
                    };
                    let sealed = (sealing.seal)(&draft, &deltas);
                    let (encoding, body) = batch::encode_body(&sealed.body);
                    let row = BatchRow {
                        position,
                        id: sealed.id,
                        header: sealed.envelope,
                        encoding: encoding.into(),
                        body,
                        body_length: sealed.body.len() as u64,
                        deltas: u32::try_from(deltas.len()).expect("below the limit"),
                        sealed_ms: sealing.now_ms,
                        receipt: None,
                        returned: None,
                        judged: None,
                    };
                    put(&mut tx, &row, &taken).await?;
                    let head = Head::after(position, row.id);
                    setting::set(&mut tx, setting::HEAD, &setting::encode_head(&head)).await?;
                    sqlx::query(DELETE_PENDING).bind(last).execute(&mut *tx).await?;
                    tx.commit().await?;
                    Ok(Some(row))
                })
                .await
        })
    }

    /// The first batch that the hub has not taken into custody.
    pub async fn oldest_unreceipted(&self) -> Result<Option<BatchRow>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let Some(head) = setting::head(&mut conn).await? else { return Ok(None) };
                let row = sqlx::query(OLDEST).fetch_optional(&mut *conn).await?;
                row.map(|row| read_batch(&row, head.position.region)).transpose()
            })
            .await
    }

    /// The receipt of the last batch that has one.
    pub async fn last_receipt(&self) -> Result<Option<pb::Envelope>> {
        let wrong = |_| StoreError::Inconsistent { table: "batch", column: "receipt" };
        let bytes: Option<Vec<u8>> = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query_scalar(LAST_RECEIPT).fetch_optional(&mut *conn).await
            })
            .await?;
        bytes.map(|bytes| pb::Envelope::decode(bytes.as_slice()).map_err(wrong)).transpose()
    }

    /// Batches in custody of which the hub has not proved that they are in its log, oldest first.
    pub async fn unlogged(&self, limit: u32) -> Result<Vec<BatchRow>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let Some(head) = setting::head(&mut conn).await? else { return Ok(Vec::new()) };
                let rows = sqlx::query(UNLOGGED).bind(limit).fetch_all(&mut *conn).await?;
                rows.iter().map(|row| read_batch(row, head.position.region)).collect()
            })
            .await
    }

    /// The hub proved that a batch is in its log.
    pub async fn set_logged(&self, position: Position) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let query = sqlx::query(SET_LOGGED).bind(position.epoch).bind(position.sequence);
                query.execute(&mut *conn).await?;
                Ok(())
            })
            .await
    }

    /// One batch.
    pub async fn batch(&self, position: Position) -> Result<Option<BatchRow>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                batch_at(&mut conn, position).await
            })
            .await
    }

    /// Batches after an epoch and sequence, oldest first.
    pub fn batches(&self, epoch: u32, sequence: u32, limit: u32) -> BoxFuture<'_, Result<Vec<BatchRow>>> {
        Box::pin(async move {
            self.db
                .section(async {
                    let mut conn = self.db.reader().await;
                    let Some(head) = setting::head(&mut conn).await? else { return Ok(Vec::new()) };
                    let query = sqlx::query(AFTER).bind(epoch).bind(sequence).bind(limit);
                    let rows = query.fetch_all(&mut *conn).await?;
                    rows.iter().map(|row| read_batch(row, head.position.region)).collect()
                })
                .await
        })
    }

    /// Deltas by what has become of them.
    pub fn totals(&self) -> BoxFuture<'_, Result<Totals>> {
        Box::pin(async move {
            let row = self
                .db
                .section(async {
                    let mut conn = self.db.reader().await;
                    sqlx::query(TOTALS).fetch_one(&mut *conn).await
                })
                .await?;
            let figure = |at: usize| -> Result<u64> { unsigned(row.try_get(at)?, "batch", "deltas") };
            Ok(Totals {
                batches: figure(0)?,
                sent: figure(1)?,
                accepted: figure(2)?,
                warned: figure(3)?,
                held: figure(4)?,
                rejected: figure(5)?,
                waiting: figure(6)?,
                sealed: figure(7)?,
                pending: figure(8)?,
            })
        })
    }
}
