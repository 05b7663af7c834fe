//! Rows that a complete file no longer has.

use dtsen_proto::record::Delta;
use sqlx::{Connection as _, Row as _};

use super::{BEGIN, Result, SourceId, Store, StoreError, outbox};

/// A row that is known and was not declared gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GoneRow {
    /// Its key.
    pub key: [u8; 16],
    /// Digest of its content.
    pub digest: [u8; 16],
    /// The village, as digits of its code.
    pub place: Option<i64>,
}

const PAGE: &str = "SELECT key, digest, place FROM known_row WHERE source = $1 AND key > $2 AND gone = 0
    ORDER BY key LIMIT $3";
const RECORD: &str = "SELECT r.id, r.hub_id, r.delta FROM known_row k JOIN record r ON r.id = k.record
    WHERE k.source = $1 AND k.key = $2 AND k.gone = 0";
const SET_GONE: &str = "UPDATE known_row SET gone = 1 WHERE source = $1 AND key = $2";
const SET_RESEND: &str = "UPDATE record SET resend = 1 WHERE id = $1";
const COUNT: &str = "UPDATE import SET gone = gone + $2, queued = queued + $3 WHERE id = $1";

fn sixteen(bytes: &[u8], column: &'static str) -> Result<[u8; 16]> {
    bytes.try_into().map_err(|_| StoreError::Inconsistent { table: "known_row", column })
}

impl Store {
    /// Rows of a source that are known, after a key, in order of keys.
    pub async fn known_page(&self, source: SourceId, after: &[u8], limit: u32) -> Result<Vec<GoneRow>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let query = sqlx::query(PAGE).bind(source.0).bind(after).bind(limit);
                let rows = query.fetch_all(&mut *conn).await?;
                let read = |row: &sqlx::sqlite::SqliteRow| {
                    Ok(GoneRow {
                        key: sixteen(row.try_get(0)?, "key")?,
                        digest: sixteen(row.try_get(1)?, "digest")?,
                        place: row.try_get(2)?,
                    })
                };
                rows.iter().map(read).collect()
            })
            .await
    }

    /// Withdraws rows: `withdraw` makes the delta out of what the source stated last, or none if nobody can address
    /// the record. Tells how many deltas were made.
    pub async fn mark_gone(
        &self,
        import: i64,
        source: SourceId,
        keys: &[[u8; 16]],
        withdraw: &(dyn Fn(Delta) -> Option<Delta> + Send + Sync),
    ) -> Result<u64> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let mut deltas = Vec::with_capacity(keys.len());
                let mut gone = 0i64;
                for key in keys {
                    let query = sqlx::query(RECORD).bind(source.0).bind(&key[..]);
                    let Some(row) = query.fetch_optional(&mut *tx).await? else { continue };
                    let wrong = |column| StoreError::Inconsistent { table: "record", column };
                    let mut content = Delta::decode(row.try_get(2)?).map_err(|_| wrong("delta"))?;
                    if let Some(id) = row.try_get::<Option<&[u8]>, _>(1)? {
                        content.record = dtsen_proto::id::RecordId::from_slice(id);
                    }
                    let record: i64 = row.try_get(0)?;
                    gone += 1;
                    deltas.extend(withdraw(content).map(|delta| (record, delta.encode())));
                    sqlx::query(SET_GONE).bind(source.0).bind(&key[..]).execute(&mut *tx).await?;
                    sqlx::query(SET_RESEND).bind(record).execute(&mut *tx).await?;
                }
                outbox::queue(&mut tx, &deltas).await?;
                let queued = i64::try_from(deltas.len()).unwrap_or(i64::MAX);
                sqlx::query(COUNT).bind(import).bind(gone).bind(queued).execute(&mut *tx).await?;
                tx.commit().await?;
                Ok(deltas.len() as u64)
            })
            .await
    }
}
