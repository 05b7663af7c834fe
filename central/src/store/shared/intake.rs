//! Taking batches into custody.

use async_trait::async_trait;
use dtsen_proto::{
    chain::Head,
    id::{BatchId, Position},
    pb,
    region::Region,
};

use super::{Conn, Handle, begin, decisions};
use crate::store::{
    BatchRow, Intake, MakeEntry, NewBatch, Result, StoreError, Totals, batch_leaf, retried,
    value::{Of, signed},
};

const BATCH: Of = Of("batch");
const CHAIN: Of = Of("chain");

type Row = (
    i64,
    i64,
    i64,
    Vec<u8>,
    Vec<u8>,
    Vec<u8>,
    i64,
    Option<Vec<u8>>,
    i64,
    i64,
    Option<i64>,
    i64,
    i64,
    i64,
    i64,
    i64,
);

fn read(row: Row) -> Result<BatchRow> {
    Ok(BatchRow {
        position: BATCH.position(row.0, row.1, row.2)?,
        id: BATCH.batch_id("batch_id", &row.3)?,
        header: row.4,
        receipt: row.5,
        encoding: BATCH.number("encoding", row.6)?,
        body: row.7,
        custody_ms: row.8,
        deltas: BATCH.number("deltas", row.9)?,
        apply_no: row.10.map(|n| BATCH.number("apply_no", n)).transpose()?,
        totals: [
            BATCH.number("accepted", row.11)?,
            BATCH.number("warned", row.12)?,
            BATCH.number("held", row.13)?,
            BATCH.number("rejected", row.14)?,
        ],
        rulebook: BATCH.number("rulebook", row.15)?,
    })
}

fn head(region: Region, (epoch, sequence, id): (i64, i64, Vec<u8>)) -> Result<Head> {
    let position = Position {
        region,
        epoch: CHAIN.number("epoch", epoch)?,
        sequence: CHAIN.number("sequence", sequence)?,
    };
    Ok(Head { position, id: CHAIN.batch_id("head", &id)? })
}

/// Moves the head on if it is still where the batch was judged against it.
async fn advance(conn: &mut Conn, before: &Head, batch: &NewBatch) -> Result<()> {
    let change = sqlx::query(
        "UPDATE chain SET sequence = $5, head = $6
         WHERE region = $1 AND epoch = $2 AND sequence = $3 AND head = $4 AND closed = 0",
    );
    let change = change
        .bind(i64::from(before.position.region.number()))
        .bind(i64::from(before.position.epoch))
        .bind(i64::from(before.position.sequence))
        .bind(before.id.as_bytes().as_slice())
        .bind(i64::from(batch.position.sequence))
        .bind(batch.id.as_bytes().as_slice());
    match change.execute(conn).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

async fn insert(conn: &mut Conn, batch: &NewBatch) -> Result<()> {
    let at = batch.position;
    let (region, epoch, sequence) =
        (i64::from(at.region.number()), i64::from(at.epoch), i64::from(at.sequence));
    let put = sqlx::query(
        "INSERT INTO batch
             (region, epoch, sequence, batch_id, header, receipt, encoding, custody_ms, deltas, apply_no,
              accepted, warned, held, rejected, rulebook)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, 0, 0, 0, $11)",
    );
    put.bind(region)
        .bind(epoch)
        .bind(sequence)
        .bind(batch.id.as_bytes().as_slice())
        .bind(&batch.header)
        .bind(&batch.receipt)
        .bind(i64::from(batch.encoding))
        .bind(batch.custody_ms)
        .bind(signed(batch.deltas))
        .bind(if batch.body.is_none() { Some(0_i64) } else { None })
        .bind(i64::from(batch.rulebook))
        .execute(&mut *conn)
        .await?;
    if let Some(body) = &batch.body {
        let put =
            sqlx::query("INSERT INTO batch_body (region, epoch, sequence, body) VALUES ($1, $2, $3, $4)");
        put.bind(region).bind(epoch).bind(sequence).bind(body).execute(&mut *conn).await?;
    }
    decisions::enqueue(conn, &batch_leaf(at), pb::LeafKind::Batch, &batch.leaf).await?;
    sqlx::query("DELETE FROM piece WHERE region = $1").bind(region).execute(conn).await?;
    Ok(())
}

async fn end_of_pieces(conn: &mut Conn, region: Region, id: BatchId) -> Result<u64> {
    let found = sqlx::query_scalar(
        "SELECT start + length(data) FROM piece WHERE region = $1 AND batch_id = $2 ORDER BY start DESC LIMIT 1",
    );
    let found = found.bind(i64::from(region.number())).bind(id.as_bytes().as_slice());
    let end: Option<i64> = found.fetch_optional(conn).await?;
    Of("piece").number("start", end.unwrap_or(0))
}

/// Closes the open epoch and opens another on its head.
pub(super) async fn open_epoch(
    conn: &mut Conn,
    region: Region,
    from: u32,
    to: u32,
    make: MakeEntry<'_>,
) -> Result<()> {
    let number = i64::from(region.number());
    let close = sqlx::query_scalar(
        "UPDATE chain SET closed = 1 WHERE region = $1 AND epoch = $2 AND closed = 0 RETURNING head",
    );
    let close = close.bind(number).bind(i64::from(from));
    let head: Vec<u8> = close.fetch_optional(&mut *conn).await?.ok_or(StoreError::Conflict)?;
    let statement = make(decisions::append(conn, make).await?);
    let open = sqlx::query(
        "INSERT INTO chain (region, epoch, sequence, head, closed, statement) VALUES ($1, $2, 0, $3, 0, $4)
         ON CONFLICT (region, epoch) DO NOTHING",
    );
    let open = open.bind(number).bind(i64::from(to)).bind(head).bind(statement);
    match open.execute(conn).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

impl Handle {
    async fn try_open_epoch(&self, region: Region, from: u32, to: u32, make: MakeEntry<'_>) -> Result<()> {
        self.section(async {
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            open_epoch(&mut tx, region, from, to, make).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Intake for Handle {
    async fn head(&self, region: Region) -> Result<Option<Head>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT epoch, sequence, head FROM chain WHERE region = $1 AND closed = 0
                 ORDER BY epoch DESC LIMIT 1",
            );
            let found = found.bind(i64::from(region.number())).fetch_optional(&mut *conn).await?;
            found.map(|row| head(region, row)).transpose()
        })
        .await
    }

    async fn heads(&self, region: Region) -> Result<Vec<(Head, bool)>> {
        type Row = (i64, i64, Vec<u8>, i64);

        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as::<_, Row>(
                "SELECT epoch, sequence, head, closed FROM chain WHERE region = $1 ORDER BY epoch",
            );
            let rows = found.bind(i64::from(region.number())).fetch_all(&mut *conn).await?;
            rows.into_iter()
                .map(|(epoch, sequence, id, closed)| Ok((head(region, (epoch, sequence, id))?, closed != 0)))
                .collect()
        })
        .await
    }

    async fn epoch_statement(&self, region: Region, epoch: u32) -> Result<Option<Vec<u8>>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar("SELECT statement FROM chain WHERE region = $1 AND epoch = $2");
            let found = found.bind(i64::from(region.number())).bind(i64::from(epoch));
            Ok(found.fetch_optional(&mut *conn).await?.flatten())
        })
        .await
    }

    async fn open_epoch(&self, region: Region, from: u32, to: u32, make: MakeEntry<'_>) -> Result<()> {
        retried!(self.try_open_epoch(region, from, to, make).await)
    }

    async fn void_epoch(&self, unused: Head) -> Result<Head> {
        self.section(async {
            let region = unused.position.region;
            let number = i64::from(region.number());
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            let void = sqlx::query(
                "DELETE FROM chain WHERE region = $1 AND epoch = $2 AND closed = 0 AND sequence = 0",
            );
            let void = void.bind(number).bind(i64::from(unused.position.epoch));
            let open = sqlx::query_as(
                "UPDATE chain SET closed = 0
                 WHERE region = $1 AND epoch = (SELECT MAX(epoch) FROM chain WHERE region = $1)
                 RETURNING epoch, sequence, head",
            );
            let gone = void.execute(&mut *tx).await?.rows_affected();
            let before = open.bind(number).fetch_optional(&mut *tx).await?;
            let (1, Some(before)) = (gone, before) else { return Err(StoreError::Conflict) };
            tx.commit().await?;
            head(region, before)
        })
        .await
    }

    async fn batch_id(&self, at: Position) -> Result<Option<BatchId>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar(
                "SELECT batch_id FROM batch WHERE region = $1 AND epoch = $2 AND sequence = $3",
            );
            let found = found.bind(i64::from(at.region.number())).bind(i64::from(at.epoch));
            let id: Option<Vec<u8>> = found.bind(i64::from(at.sequence)).fetch_optional(&mut *conn).await?;
            id.map(|id| BATCH.batch_id("batch_id", &id)).transpose()
        })
        .await
    }

    async fn batch(&self, at: Position) -> Result<Option<BatchRow>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT b.region, b.epoch, b.sequence, b.batch_id, b.header, b.receipt, b.encoding, y.body,
                        b.custody_ms, b.deltas, b.apply_no, b.accepted, b.warned, b.held, b.rejected,
                        b.rulebook
                 FROM batch b LEFT JOIN batch_body y
                 ON y.region = b.region AND y.epoch = b.epoch AND y.sequence = b.sequence
                 WHERE b.region = $1 AND b.epoch = $2 AND b.sequence = $3",
            );
            let found = found.bind(i64::from(at.region.number()));
            let found = found.bind(i64::from(at.epoch)).bind(i64::from(at.sequence));
            found.fetch_optional(&mut *conn).await?.map(read).transpose()
        })
        .await
    }

    async fn take_custody(&self, before: Head, batch: &NewBatch) -> Result<()> {
        self.section(async {
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            advance(&mut tx, &before, batch).await?;
            insert(&mut tx, batch).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    async fn keep_evidence(
        &self,
        region: Region,
        id: BatchId,
        header: &[u8],
        seen_ms: i64,
        why: &str,
    ) -> Result<()> {
        self.section(async {
            let mut conn = self.conn().await?;
            let put = sqlx::query(
                "INSERT INTO evidence (region, batch_id, header, seen_ms, why) VALUES ($1, $2, $3, $4, $5)
                 ON CONFLICT (region, batch_id) DO NOTHING",
            );
            let put = put.bind(i64::from(region.number())).bind(id.as_bytes().as_slice());
            put.bind(header).bind(seen_ms).bind(why).execute(&mut *conn).await?;
            Ok(())
        })
        .await
    }

    async fn evidence(&self, region: Region, why: &str) -> Result<Vec<Vec<u8>>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let kept = sqlx::query_scalar("SELECT header FROM evidence WHERE region = $1 AND why = $2");
            Ok(kept.bind(i64::from(region.number())).bind(why).fetch_all(&mut *conn).await?)
        })
        .await
    }

    async fn pieces_end(&self, region: Region, id: BatchId) -> Result<u64> {
        self.section(async { end_of_pieces(&mut *self.read_conn().await?, region, id).await }).await
    }

    async fn add_piece(&self, region: Region, id: BatchId, start: u64, data: &[u8]) -> Result<()> {
        self.section(async {
            let (number, batch) = (i64::from(region.number()), id.as_bytes().as_slice());
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            let others = sqlx::query("DELETE FROM piece WHERE region = $1 AND batch_id <> $2");
            others.bind(number).bind(batch).execute(&mut *tx).await?;
            if end_of_pieces(&mut tx, region, id).await? != start {
                return Err(StoreError::Conflict);
            }
            let put =
                sqlx::query("INSERT INTO piece (region, batch_id, start, data) VALUES ($1, $2, $3, $4)");
            put.bind(number).bind(batch).bind(signed(start)).bind(data).execute(&mut *tx).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }

    async fn drop_pieces(&self, region: Region, id: BatchId) -> Result<()> {
        self.section(async {
            let gone = sqlx::query("DELETE FROM piece WHERE region = $1 AND batch_id = $2");
            let gone = gone.bind(i64::from(region.number())).bind(id.as_bytes().as_slice());
            gone.execute(&mut *self.conn().await?).await?;
            Ok(())
        })
        .await
    }

    async fn pieces(&self, region: Region, id: BatchId) -> Result<Vec<u8>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar(
                "SELECT data FROM piece WHERE region = $1 AND batch_id = $2 ORDER BY start",
            );
            let found = found.bind(i64::from(region.number())).bind(id.as_bytes().as_slice());
            let pieces: Vec<Vec<u8>> = found.fetch_all(&mut *conn).await?;
            Ok(pieces.concat())
        })
        .await
    }

    async fn batches_after(
        &self,
        region: Region,
        epoch: u32,
        sequence: u32,
        limit: u32,
    ) -> Result<Vec<BatchRow>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT b.region, b.epoch, b.sequence, b.batch_id, b.header, b.receipt, b.encoding, y.body,
                        b.custody_ms, b.deltas, b.apply_no, b.accepted, b.warned, b.held, b.rejected,
                        b.rulebook
                 FROM batch b LEFT JOIN batch_body y
                 ON y.region = b.region AND y.epoch = b.epoch AND y.sequence = b.sequence
                 WHERE b.region = $1 AND (b.epoch, b.sequence) > ($2, $3)
                 ORDER BY b.epoch, b.sequence LIMIT $4",
            );
            let found = found.bind(i64::from(region.number()));
            let found = found.bind(i64::from(epoch)).bind(i64::from(sequence)).bind(i64::from(limit));
            found.fetch_all(&mut *conn).await?.into_iter().map(read).collect()
        })
        .await
    }

    async fn recent_batches(&self, region: Option<Region>, limit: u32) -> Result<Vec<BatchRow>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = match region {
                Some(region) => sqlx::query_as(
                    "SELECT region, epoch, sequence, batch_id, header, receipt, encoding, CAST(NULL AS BYTEA),
                            custody_ms, deltas, apply_no, accepted, warned, held, rejected, rulebook
                     FROM batch WHERE region = $1 ORDER BY epoch DESC, sequence DESC LIMIT $2",
                )
                .bind(i64::from(region.number())),
                None => sqlx::query_as(
                    "SELECT region, epoch, sequence, batch_id, header, receipt, encoding, CAST(NULL AS BYTEA),
                            custody_ms, deltas, apply_no, accepted, warned, held, rejected, rulebook
                     FROM batch ORDER BY custody_ms DESC, region, epoch DESC, sequence DESC LIMIT $1",
                ),
            };
            found.bind(i64::from(limit)).fetch_all(&mut *conn).await?.into_iter().map(read).collect()
        })
        .await
    }

    async fn waiting_count(&self) -> Result<(u64, u64)> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT COUNT(*), CAST(COALESCE(SUM(deltas), 0) AS BIGINT) FROM batch WHERE apply_no IS NULL",
            );
            let (batches, deltas): (i64, i64) = found.fetch_one(&mut *conn).await?;
            Ok((BATCH.number("sequence", batches)?, BATCH.number("deltas", deltas)?))
        })
        .await
    }

    async fn totals(&self, region: Region) -> Result<Totals> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT COUNT(*),
                        CAST(COALESCE(SUM(CASE WHEN apply_no = 0 THEN 0 ELSE deltas END), 0) AS BIGINT),
                        CAST(COALESCE(SUM(accepted), 0) AS BIGINT), CAST(COALESCE(SUM(warned), 0) AS BIGINT),
                        CAST(COALESCE(SUM(held), 0) AS BIGINT), CAST(COALESCE(SUM(rejected), 0) AS BIGINT)
                 FROM batch WHERE region = $1",
            );
            let found = found.bind(i64::from(region.number()));
            let row: (i64, i64, i64, i64, i64, i64) = found.fetch_one(&mut *conn).await?;
            Ok(Totals {
                batches: BATCH.number("sequence", row.0)?,
                deltas: BATCH.number("deltas", row.1)?,
                accepted: BATCH.number("accepted", row.2)?,
                warned: BATCH.number("warned", row.3)?,
                held: BATCH.number("held", row.4)?,
                rejected: BATCH.number("rejected", row.5)?,
            })
        })
        .await
    }

    async fn feed_after(&self, region: Region, after: u64, limit: u32) -> Result<Vec<Vec<u8>>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar(
                "SELECT entry FROM feed WHERE region = $1 AND position > $2 ORDER BY position LIMIT $3",
            );
            let found = found.bind(i64::from(region.number())).bind(signed(after)).bind(i64::from(limit));
            Ok(found.fetch_all(&mut *conn).await?)
        })
        .await
    }

    async fn feed_end(&self, region: Region) -> Result<u64> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar("SELECT feed FROM lane WHERE region = $1");
            let found: Option<i64> =
                found.bind(i64::from(region.number())).fetch_optional(&mut *conn).await?;
            Of("lane").number("feed", found.unwrap_or(0))
        })
        .await
    }
}
