//! Records as this node's sources state them.

use dtsen_proto::{
    id::RecordId,
    record::{Delta, RecordKind},
};
use sqlx::{Connection as _, Row as _, SqliteConnection, sqlite::SqliteRow};

use super::{BEGIN, Result, Store, StoreError, outbox, undo};

/// A record as one source last stated it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// Its number in this store.
    pub id: i64,
    /// The source.
    pub source: String,
    /// The hub's id, once known.
    pub hub_id: Option<RecordId>,
    /// Everything the source states.
    pub content: Delta,
}

/// A change to be sent, and the record it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The record; `None` if this node's sources do not have it.
    pub record: Option<i64>,
    /// The change.
    pub delta: Delta,
}

const SELECT: &str = "SELECT r.id, s.name, r.hub_id, r.delta FROM record r JOIN source s ON s.id = r.source
    WHERE r.kind = $1 AND r.number = $2 ORDER BY r.id";
const MEMBERS: &str = "SELECT r.id, s.name, r.hub_id, r.delta FROM record r JOIN source s ON s.id = r.source
    WHERE r.kind = $1 AND r.family = $2 ORDER BY r.id";
const PUT_SOURCE: &str = "INSERT INTO source (name, kind) VALUES ($1, $2) ON CONFLICT DO NOTHING";
const SOURCE: &str = "SELECT id FROM source WHERE name = $1 AND kind = $2";
const PUT: &str = "INSERT INTO record (source, kind, number, family, hub_id, delta)
    VALUES ($1, $2, $3, $4, $5, $6) RETURNING id";
/// Those whose row the source no longer has count no more.
const COUNTS: &str = "SELECT count(*) FILTER (WHERE kind = 1), count(*) FILTER (WHERE kind = 2) FROM record
    WHERE id NOT IN (SELECT record FROM known_row WHERE gone = 1)";

/// Number of the source in this store, made if it is new.
pub(super) async fn source(conn: &mut SqliteConnection, name: &str, kind: RecordKind) -> Result<i64> {
    let kind: i32 = kind.to_wire().into();
    sqlx::query(PUT_SOURCE).bind(name).bind(kind).execute(&mut *conn).await?;
    Ok(sqlx::query_scalar(SOURCE).bind(name).bind(kind).fetch_one(conn).await?)
}

/// No. KK that a person's record states.
pub(crate) fn family_of(delta: &Delta) -> Option<&str> {
    match delta.kind {
        RecordKind::Keluarga => None,
        RecordKind::Individu => delta.text(dtsen_proto::column::I_NOMOR_KARTU_KELUARGA),
    }
}

fn read(row: &SqliteRow) -> Result<StoredRecord> {
    let wrong = |column| StoreError::Inconsistent { table: "record", column };
    let hub_id = row.try_get::<Option<&[u8]>, _>(2)?;
    Ok(StoredRecord {
        id: row.try_get(0)?,
        source: row.try_get(1)?,
        hub_id: hub_id.map(|id| RecordId::from_slice(id).ok_or(wrong("hub_id"))).transpose()?,
        content: Delta::decode(row.try_get(3)?).map_err(|_| wrong("delta"))?,
    })
}

/// A record for a change about one that no source has: what the change itself states.
pub(super) async fn put(conn: &mut SqliteConnection, source: i64, delta: &Delta) -> Result<i64> {
    let kind: i32 = delta.kind.to_wire().into();
    let id = sqlx::query_scalar(PUT)
        .bind(source)
        .bind(kind)
        .bind(delta.natural_key())
        .bind(family_of(delta))
        .bind(delta.record.map(|id| id.as_bytes().to_vec()))
        .bind(delta.encode())
        .fetch_one(conn)
        .await?;
    Ok(id)
}

impl Store {
    async fn records_where(
        &self,
        sql: &'static str,
        kind: RecordKind,
        text: &str,
    ) -> Result<Vec<StoredRecord>> {
        let kind: i32 = kind.to_wire().into();
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let rows = sqlx::query(sql).bind(kind).bind(text).fetch_all(&mut *conn).await?;
                rows.iter().map(read).collect()
            })
            .await
    }

    /// The records with this NIK or No. KK, one for each source that has it.
    pub async fn records_by_number(&self, kind: RecordKind, number: &str) -> Result<Vec<StoredRecord>> {
        self.records_where(SELECT, kind, number).await
    }

    /// The persons with this No. KK.
    pub async fn members(&self, family: &str) -> Result<Vec<StoredRecord>> {
        self.records_where(MEMBERS, RecordKind::Individu, family).await
    }

    /// How many families and persons the sources of this node state.
    pub async fn record_counts(&self) -> Result<(u64, u64)> {
        let row = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query(COUNTS).fetch_one(&mut *conn).await
            })
            .await?;
        Ok((
            super::unsigned(row.try_get(0)?, "record", "kind")?,
            super::unsigned(row.try_get(1)?, "record", "kind")?,
        ))
    }

    /// Appends changes to what is pending, all or none. A record that is new here belongs to `source`.
    pub async fn queue(&self, source_name: &str, changes: &[Change]) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let mut deltas = Vec::with_capacity(changes.len());
                for change in changes {
                    let record = if let Some(record) = change.record {
                        record
                    } else {
                        let source = source(&mut tx, source_name, change.delta.kind).await?;
                        put(&mut tx, source, &change.delta).await?
                    };
                    deltas.push((record, change.delta.encode()));
                }
                outbox::queue(&mut tx, &deltas).await?;
                // What an import before it queued cannot be told apart any more.
                undo::end(&mut tx).await?;
                Ok(tx.commit().await?)
            })
            .await
    }
}
