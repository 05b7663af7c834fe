//! Rows that a complete file no longer has.

use dtsen_proto::record::Delta;
use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite, SqliteConnection};

use super::{BEGIN, Result, SourceId, Store, StoreError, bulk, outbox, undo};

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

/// A page in one text, because the driver hands every row from thread to thread: key, digest and place in hex.
const PAGE: &str = "SELECT group_concat(hex(key) || hex(digest) || printf('%016X', coalesce(place, 0)), '')
    FROM (SELECT key, digest, place FROM known_row WHERE source = $1 AND key > $2 AND gone = 0
        ORDER BY key LIMIT $3)";
/// Digits of one row in a page.
const PAGE_DIGITS: usize = 32 + 32 + 16;
/// With whether the hub has it before it or may have: it waits here, or was sent and is not judged, or is held (3).
const RECORD: &str = "SELECT r.id, r.hub_id, r.delta, EXISTS (SELECT 1 FROM pending p WHERE p.record = r.id)
        OR EXISTS (SELECT 1 FROM sent s LEFT JOIN verdict v ON v.epoch = s.epoch AND v.sequence = s.sequence
            AND v.place = s.place WHERE s.record = r.id AND coalesce(v.judgement, 3) = 3)
    FROM known_row k JOIN record r ON r.id = k.record WHERE k.source = $1 AND k.key = $2 AND k.gone = 0";
const SET_GONE: &str = "UPDATE known_row SET gone = 1 WHERE source = $1 AND key = $2";
const SET_RESEND: &str = "UPDATE record SET resend = 1 WHERE id = $1";
const DOUBT: &str = "UPDATE known_row SET digest = zeroblob(16) WHERE source = ";
const FAMILIES: &str = "SELECT k.key, r.family FROM known_row k JOIN record r ON r.id = k.record
    WHERE r.family IS NOT NULL AND k.source = ";
const COUNT: &str = "UPDATE import SET gone = gone + $2, queued = queued + $3 WHERE id = $1";

fn read_row(digits: &[u8]) -> Option<GoneRow> {
    let mut bytes = [0; PAGE_DIGITS / 2];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    let (key, rest) = bytes.split_first_chunk::<16>()?;
    let (digest, place) = rest.split_first_chunk::<16>()?;
    let place = i64::from_be_bytes(place.try_into().ok()?);
    Some(GoneRow { key: *key, digest: *digest, place: (place != 0).then_some(place) })
}

/// Has rows looked at again the next time, though they be the same: a digest of zeros is that of none.
pub(super) async fn doubt(conn: &mut SqliteConnection, source: SourceId, keys: &[[u8; 16]]) -> Result<()> {
    for group in keys.chunks(bulk::GROUP) {
        let mut query = QueryBuilder::<Sqlite>::new(DOUBT);
        query.push_bind(source.0).push(" AND key IN");
        bulk::among(&mut query, group);
        query.build().execute(&mut *conn).await?;
    }
    Ok(())
}

impl Store {
    /// Rows of a source that are known, after a key, in order of keys.
    pub async fn known_page(&self, source: SourceId, after: &[u8], limit: u32) -> Result<Vec<GoneRow>> {
        let wrong = StoreError::Inconsistent { table: "known_row", column: "key" };
        let page: Option<String> = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query_scalar(PAGE).bind(source.0).bind(after).bind(limit).fetch_one(&mut *conn).await
            })
            .await?;
        let page = page.unwrap_or_default();
        let rows: Option<Vec<GoneRow>> = page.as_bytes().chunks(PAGE_DIGITS).map(read_row).collect();
        let mut rows = rows.ok_or(wrong)?;
        rows.sort_unstable_by_key(|row| row.key);
        Ok(rows)
    }

    /// Withdraws rows: `withdraw` makes the delta out of what the source stated last. There is none if the hub neither knows
    /// the record by anything nor has to decide on it. Tells how many deltas were made.
    pub async fn mark_gone(
        &self,
        import: i64,
        source: SourceId,
        keys: &[[u8; 16]],
        withdraw: &(dyn Fn(Delta) -> Delta + Send + Sync),
    ) -> Result<u64> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                undo::keep(&mut tx, source, keys).await?;
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
                    let addressed = content.record.is_some() || content.natural_key().is_some();
                    if addressed || row.try_get(3)? {
                        deltas.push((record, withdraw(content).encode()));
                    }
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

    /// Has rows looked at again the next time, though they be the same: who is missing may be one of them.
    pub async fn doubt(&self, source: SourceId, keys: &[[u8; 16]]) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                doubt(&mut tx, source, keys).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    /// No. KK of the families that the records of these rows state, with the row's key.
    pub async fn families_of(&self, source: SourceId, keys: &[[u8; 16]]) -> Result<Vec<([u8; 16], String)>> {
        self.db
            .section(async {
                let wrong = |_| StoreError::Inconsistent { table: "known_row", column: "key" };
                let mut conn = self.db.reader().await;
                let mut families = Vec::new();
                for group in keys.chunks(bulk::GROUP) {
                    let mut query = QueryBuilder::<Sqlite>::new(FAMILIES);
                    query.push_bind(source.0).push(" AND k.key IN");
                    bulk::among(&mut query, group);
                    for row in query.build().fetch_all(&mut *conn).await? {
                        let key = row.try_get::<&[u8], _>(0)?.try_into().map_err(wrong)?;
                        families.push((key, row.try_get(1)?));
                    }
                }
                Ok(families)
            })
            .await
    }
}
