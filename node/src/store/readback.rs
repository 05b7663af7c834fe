//! Batches of this region that only the hub still has: after this node was restored from an older copy, or began anew.

use dtsen_proto::{
    batch::{self, Frame},
    chain::Head,
    column::BlockNo,
    id::{BatchId, Position},
    record::{Action, Block, Delta, RecordKind},
};
use prost::Message as _;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{
    BEGIN, Result, Store, StoreError, bulk, ids, outbox, outbox::BatchRow, receipt, records, setting,
};
use crate::intake::RowKey;

const KEEP_BRANCH: &str = "INSERT INTO branch (batch_id, header) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const BRANCHES: &str = "SELECT batch_id FROM branch";
const DROP_BATCH: &str = "DELETE FROM batch WHERE epoch = $1 AND sequence = $2";
const BY_ID: &str = "SELECT id, delta FROM record WHERE hub_id = $1 AND source = $2 LIMIT 1";
const BY_NUMBER: &str = "SELECT id, delta FROM record WHERE number = $1 AND source = $2 LIMIT 1";
const SET_CONTENT: &str =
    "UPDATE record SET number = $2, family = $3, delta = $4, hub_id = coalesce($5, hub_id) WHERE id = $1";
const PENDING: &str = "SELECT id, delta FROM pending WHERE record = $1";
const SET_PENDING: &str = "UPDATE pending SET delta = $2 WHERE id = $1";
const LAST: &str = "SELECT epoch, sequence, batch_id FROM batch WHERE receipt IS NOT NULL
    ORDER BY epoch DESC, sequence DESC LIMIT 1";
/// With a digest of zeros: the next import compares the row with what the record states.
const PUT_KNOWN: &str = "INSERT INTO known_row (source, key, digest, record, gone)
    VALUES ($1, $2, zeroblob(16), $3, $4)
    ON CONFLICT (source, key) DO UPDATE SET digest = excluded.digest, gone = excluded.gone";
const INSERT_SENT: &str = "INSERT INTO sent (epoch, sequence, place, record, pending, creates) ";

/// Source of a delta that states nothing, as no node seals it.
const NO_SOURCE: &str = "pusat";

/// Whether the record's newest statement of a block is to be replaced by one that was sent.
fn is_newer(stored: &Delta, sent: &Block, has_pending: bool) -> bool {
    stored.block(sent.number).is_none_or(|own| {
        match own.provenance.reference.cmp(&sent.provenance.reference) {
            std::cmp::Ordering::Less => true,
            // What waits here was stated after the copy was made.
            std::cmp::Ordering::Equal => !has_pending,
            std::cmp::Ordering::Greater => false,
        }
    })
}

/// The record that a delta is about, with what it states by now.
async fn record(conn: &mut SqliteConnection, delta: &Delta) -> Result<i64> {
    let source = delta.blocks.first().map_or(NO_SOURCE, |b| b.provenance.source.as_str());
    let source = records::source(conn, source, delta.kind).await?;
    let mut found = None;
    if let Some(id) = &delta.record {
        let query = sqlx::query(BY_ID).bind(&id.as_bytes()[..]).bind(source);
        found = query.fetch_optional(&mut *conn).await?;
    }
    if let Some(number) = delta.natural_key().filter(|_| found.is_none()) {
        found = sqlx::query(BY_NUMBER).bind(number).bind(source).fetch_optional(&mut *conn).await?;
    }
    let Some(found) = found else {
        let id = records::put(conn, source, delta).await?;
        known(conn, source, id, delta).await?;
        return Ok(id);
    };
    let id: i64 = found.try_get(0)?;
    let wrong = |table| StoreError::Inconsistent { table, column: "delta" };
    let mut content = Delta::decode(found.try_get(1)?).map_err(|_| wrong("record"))?;
    let pending = sqlx::query(PENDING).bind(id).fetch_all(&mut *conn).await?;
    if delta.action == Action::Upsert {
        let newer = delta.blocks.iter().filter(|block| is_newer(&content, block, !pending.is_empty()));
        let numbers: Vec<BlockNo> = newer.map(|block| block.number).collect();
        for block in delta.blocks.iter().filter(|block| numbers.contains(&block.number)) {
            content.state(block);
        }
    }
    let hub_id = delta.record.map(|id| id.as_bytes().to_vec());
    sqlx::query(SET_CONTENT)
        .bind(id)
        .bind(content.natural_key())
        .bind(records::family_of(&content))
        .bind(content.encode())
        .bind(hub_id)
        .execute(&mut *conn)
        .await?;
    for row in pending {
        let waiting = Delta::decode(row.try_get(1)?).map_err(|_| wrong("pending"))?;
        let at: i64 = row.try_get(0)?;
        let now = receipt::refreshed(waiting, &content).encode();
        sqlx::query(SET_PENDING).bind(at).bind(now).execute(&mut *conn).await?;
    }
    known(conn, source, id, delta).await?;
    Ok(id)
}

/// The row that the record came from is known, so that a complete file without it withdraws it.
async fn known(conn: &mut SqliteConnection, source: i64, record: i64, delta: &Delta) -> Result<()> {
    let gone = match delta.action {
        Action::Upsert => 0,
        Action::Gone => 1,
        Action::MoveOut | Action::MoveIn => return Ok(()),
    };
    let Some(number) = delta.natural_key().and_then(|number| number.parse().ok()) else { return Ok(()) };
    let key = match delta.kind {
        RecordKind::Individu => RowKey::Nik(number),
        RecordKind::Keluarga => RowKey::Kk(number),
    };
    let key = key.to_bytes();
    sqlx::query(PUT_KNOWN).bind(source).bind(&key[..]).bind(record).bind(gone).execute(conn).await?;
    Ok(())
}

/// A batch as it was before this node lost it, with the records of its deltas.
async fn put(conn: &mut SqliteConnection, row: &BatchRow, deltas: &[Frame<'_>]) -> Result<()> {
    outbox::put_batch(conn, row).await?;
    let Position { epoch, sequence, .. } = row.position;
    let mut sent: Vec<(u32, i64, bool)> = Vec::with_capacity(deltas.len());
    for (place, frame) in (0..).zip(deltas) {
        let Frame::Delta(bytes) = frame else { continue };
        // The hub refused what cannot be read; its verdict says so.
        let Ok(delta) = Delta::decode(bytes) else { continue };
        let creates = delta.record.is_none() && matches!(delta.action, Action::Upsert | Action::MoveIn);
        sent.push((place, record(conn, &delta).await?, creates));
    }
    bulk::insert(conn, INSERT_SENT, "", &sent, |values, (place, record, creates)| {
        values
            .push_bind(epoch)
            .push_bind(sequence)
            .push_bind(*place)
            .push_bind(*record)
            .push_bind(0_i64)
            .push_bind(*creates);
    })
    .await
}

/// Another batch stands in the place of this one: its deltas are to be sealed anew, its header stays as evidence. No
/// record has an id from it any more.
async fn drop_batch(conn: &mut SqliteConnection, own: &BatchRow) -> Result<()> {
    ids::forget(conn, own.position).await?;
    if own.returned.is_none() {
        receipt::give_back(conn, own, "CHAIN_FORK").await?;
    }
    let header = own.header.encode_to_vec();
    sqlx::query(KEEP_BRANCH).bind(own.id.as_bytes().to_vec()).bind(header).execute(&mut *conn).await?;
    let Position { epoch, sequence, .. } = own.position;
    sqlx::query(DROP_BATCH).bind(epoch).bind(sequence).execute(conn).await?;
    Ok(())
}

impl Store {
    /// The last batch in the hub's custody that is known here.
    pub async fn last_in_custody(&self) -> Result<Option<Head>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let Some(head) = setting::head(&mut conn).await? else { return Ok(None) };
                let Some(row) = sqlx::query(LAST).fetch_optional(&mut *conn).await? else { return Ok(None) };
                let wrong = StoreError::Inconsistent { table: "batch", column: "batch_id" };
                let position = Position {
                    epoch: super::unsigned(row.try_get(0)?, "batch", "epoch")?,
                    sequence: super::unsigned(row.try_get(1)?, "batch", "sequence")?,
                    ..head.position
                };
                let id = BatchId::from_slice(row.try_get(2)?).ok_or(wrong)?;
                Ok(Some(Head { position, id }))
            })
            .await
    }

    /// Stores a batch that the hub read back, with its receipt. The same batch again changes nothing; another one that
    /// was sealed here in its place gives its deltas back and is kept as evidence of a copy.
    ///
    /// `row` is complete and was checked against the hub's receipt in it.
    pub async fn store_back(&self, row: &BatchRow) -> Result<()> {
        let wrong = |column| StoreError::Inconsistent { table: "batch", column };
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let own = outbox::batch_at(&mut tx, row.position).await?;
                match own {
                    Some(own) if own.id == row.id => {
                        if let Some(given) = row.receipt.as_ref().filter(|_| own.receipt.is_none()) {
                            let refused = row.returned.as_deref().unwrap_or_default();
                            receipt::put(&mut tx, &own, given, refused).await?;
                        }
                        return Ok(tx.commit().await?);
                    }
                    Some(own) if own.receipt.is_some() => return Err(StoreError::OtherBatch(row.position)),
                    Some(own) => drop_batch(&mut tx, &own).await?,
                    None => {}
                }
                let body = if row.returned.is_some() {
                    Vec::new()
                } else {
                    let length = usize::try_from(row.body_length).map_err(|_| wrong("body_length"))?;
                    batch::decode_body(row.encoding, &row.body, length).ok_or(wrong("body"))?
                };
                let frames = batch::frames(&body).ok_or(wrong("body"))?;
                put(&mut tx, row, &frames).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    /// A batch that the hub lost, and in whose place the chain went on without it: its deltas are sealed anew.
    pub async fn set_aside(&self, position: Position) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let own = outbox::batch_at(&mut tx, position).await?;
                drop_batch(&mut tx, &own.ok_or(StoreError::UnknownBatch(position))?).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    /// Ids of batches that stood here where others stand in the chain by now. What was in them was sealed anew.
    pub async fn branches(&self) -> Result<Vec<BatchId>> {
        let wrong = StoreError::Inconsistent { table: "branch", column: "batch_id" };
        let ids: Vec<Vec<u8>> = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query_scalar(BRANCHES).fetch_all(&mut *conn).await
            })
            .await?;
        ids.iter().map(|id| BatchId::from_slice(id)).collect::<Option<_>>().ok_or(wrong)
    }
}
