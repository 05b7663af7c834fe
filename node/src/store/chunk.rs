//! A chunk of an import: one read of what is known, one pure decision, one bulk write.

use std::sync::Arc;

use dtsen_proto::{id::RecordId, record::Delta};
use sqlx::{Connection as _, QueryBuilder, Row as _, Sqlite, SqliteConnection, sqlite::SqliteRow};

use super::{
    BEGIN, NewFinding, Result, SourceId, Store, StoreError, Taken, bulk, corrections, gone, imports, outbox,
    records, undo,
};

/// Key of a row and digest of its content.
pub type KeyDigest = ([u8; 16], [u8; 16]);

/// What the store knows of a row that was asked for.
#[derive(Debug, Clone)]
pub struct KnownRow {
    /// Digest of the row that was stored.
    pub digest: [u8; 16],
    /// Whether it was declared gone since.
    pub gone: bool,
    /// Whether the digest asked for is that of a row that a later one of the same file replaced.
    pub superseded: bool,
    /// Its record.
    pub record: i64,
    /// The hub's id of the record, once known.
    pub hub_id: Option<RecordId>,
    /// Whether the next change has to send every block.
    pub resend: bool,
    /// Everything that the source states of the record.
    pub content: Delta,
}

/// A row to be stored.
#[derive(Debug)]
pub struct RowWrite {
    /// Its key.
    pub key: [u8; 16],
    /// Digest of its content.
    pub digest: [u8; 16],
    /// The village, as digits of its code.
    pub place: Option<i64>,
    /// The record it changes; `None` for a new one.
    pub record: Option<i64>,
    /// The sheet or table that it stands in.
    pub sheet: Option<Arc<str>>,
    /// Where it stands there.
    pub line: u64,
    /// Everything that the source states by now.
    pub content: Delta,
    /// Whether the next change still has to send every block.
    pub resend: bool,
    /// The change to be sent.
    pub queue: Option<Delta>,
}

/// What a chunk writes.
#[derive(Debug, Default)]
pub struct ChunkWrites {
    /// Rows to be stored.
    pub rows: Vec<RowWrite>,
    /// Keys whose earlier findings end.
    pub reread: Vec<[u8; 16]>,
    /// What there is to tell.
    pub findings: Vec<NewFinding>,
    /// Rows that were replaced by a later one of the same file.
    pub superseded: Vec<KeyDigest>,
    /// Keys of rows that were read but not stored: what is known of them is no longer what was read last, and a row
    /// that comes back as it is known is nothing unchanged.
    pub set_aside: Vec<[u8; 16]>,
}

const WANTED: &str = "WITH wanted (place, key, digest) AS (";
const KNOWN: &str = ") SELECT w.place, k.digest, k.gone, k.record, r.hub_id, r.resend, r.delta,
    EXISTS (SELECT 1 FROM superseded_row s WHERE s.source = k.source AND s.key = w.key AND s.digest = w.digest)
    FROM wanted w CROSS JOIN known_row k ON k.key = w.key JOIN record r ON r.id = k.record WHERE k.source = ";
const LAST_RECORD: &str = "SELECT coalesce(max(id), 0) FROM record";
const PUT_RECORD: &str =
    "INSERT INTO record (id, source, kind, number, family, resend, import, sheet, line, delta) ";
const RECORD_AGAIN: &str =
    " ON CONFLICT (id) DO UPDATE SET number = excluded.number, family = excluded.family,
    resend = excluded.resend, import = excluded.import, sheet = excluded.sheet,
    line = excluded.line, delta = excluded.delta";
const PUT_KNOWN: &str = "INSERT INTO known_row (source, key, digest, record, place) ";
const KNOWN_AGAIN: &str = " ON CONFLICT (source, key) DO UPDATE SET digest = excluded.digest,
    record = excluded.record, place = excluded.place, gone = 0";
const PUT_SUPERSEDED: &str = "INSERT INTO superseded_row (source, key, digest) ";
const OR_NOTHING: &str = " ON CONFLICT DO NOTHING";

fn read_known(row: &SqliteRow) -> Result<(usize, KnownRow)> {
    let wrong = |column| StoreError::Inconsistent { table: "known_row", column };
    let digest = row.try_get::<&[u8], _>(1)?;
    let hub_id = row.try_get::<Option<&[u8]>, _>(4)?;
    let known = KnownRow {
        digest: digest.try_into().map_err(|_| wrong("digest"))?,
        gone: row.try_get(2)?,
        record: row.try_get(3)?,
        hub_id: hub_id.map(|id| RecordId::from_slice(id).ok_or(wrong("hub_id"))).transpose()?,
        resend: row.try_get(5)?,
        content: Delta::decode(row.try_get(6)?).map_err(|_| wrong("delta"))?,
        superseded: row.try_get(7)?,
    };
    Ok((super::unsigned(row.try_get(0)?, "known_row", "key")?, known))
}

async fn known(
    conn: &mut SqliteConnection,
    source: SourceId,
    wanted: &[KeyDigest],
) -> Result<Vec<Option<KnownRow>>> {
    let mut found = vec![None; wanted.len()];
    let numbered: Vec<(i64, &KeyDigest)> = (0..).zip(wanted).collect();
    for group in numbered.chunks(bulk::GROUP) {
        let mut query = QueryBuilder::<Sqlite>::new(WANTED);
        query.push_values(group, |mut values, (place, (key, digest))| {
            values.push_bind(*place).push_bind(&key[..]).push_bind(&digest[..]);
        });
        query.push(KNOWN).push_bind(source.0);
        for row in query.build().fetch_all(&mut *conn).await? {
            let (place, known) = read_known(&row)?;
            found[place] = Some(known);
        }
    }
    Ok(found)
}

async fn write(
    conn: &mut SqliteConnection,
    (import, source): (i64, SourceId),
    writes: &ChunkWrites,
    taken: &[Taken],
) -> Result<()> {
    let rekeyed = |key| taken.iter().any(|taken| taken.key == key);
    let changed = writes.rows.iter().filter(|row| row.record.is_some() && !rekeyed(row.key));
    if writes.rows.iter().any(|row| row.record.is_none()) {
        undo::change(conn).await?;
    }
    undo::keep(conn, source, &changed.map(|row| row.key).collect::<Vec<_>>()).await?;
    let mut last: i64 = sqlx::query_scalar(LAST_RECORD).fetch_one(&mut *conn).await?;
    let rows: Vec<(i64, &RowWrite)> = writes
        .rows
        .iter()
        .map(|row| {
            let id = row.record.unwrap_or_else(|| {
                last += 1;
                last
            });
            (id, row)
        })
        .collect();
    bulk::insert(conn, PUT_RECORD, RECORD_AGAIN, &rows, |values, (id, row)| {
        let kind: i32 = row.content.kind.to_wire().into();
        values
            .push_bind(id)
            .push_bind(source.0)
            .push_bind(kind)
            .push_bind(row.content.natural_key())
            .push_bind(records::family_of(&row.content))
            .push_bind(row.resend)
            .push_bind(import)
            .push_bind(row.sheet.as_deref())
            .push_bind(i64::try_from(row.line).unwrap_or(i64::MAX))
            .push_bind(row.content.encode());
    })
    .await?;
    bulk::insert(conn, PUT_KNOWN, KNOWN_AGAIN, &rows, |values, (id, row)| {
        values
            .push_bind(source.0)
            .push_bind(&row.key[..])
            .push_bind(&row.digest[..])
            .push_bind(id)
            .push_bind(row.place);
    })
    .await?;
    let queued: Vec<(i64, Vec<u8>)> =
        rows.iter().filter_map(|(id, row)| Some((*id, row.queue.as_ref()?.encode()))).collect();
    outbox::queue(conn, &queued).await?;
    bulk::insert(conn, PUT_SUPERSEDED, OR_NOTHING, &writes.superseded, |values, (key, digest)| {
        values.push_bind(source.0).push_bind(&key[..]).push_bind(&digest[..]);
    })
    .await?;
    gone::doubt(conn, source, &writes.set_aside).await?;
    imports::put_findings(conn, (import, source), &writes.reread, &writes.findings).await
}

impl Store {
    /// Stores a chunk of an import. `decide` gets what is known of every row in `wanted`, in that order. Rows that were
    /// corrected are `taken`.
    pub async fn import_chunk(
        &self,
        import: i64,
        source: SourceId,
        wanted: &[KeyDigest],
        taken: &[Taken],
        decide: &mut (dyn FnMut(Vec<Option<KnownRow>>) -> ChunkWrites + Send),
    ) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                undo::keep(&mut tx, source, &taken.iter().map(|taken| taken.before).collect::<Vec<_>>())
                    .await?;
                corrections::take(&mut tx, source, taken).await?;
                let known = known(&mut tx, source, wanted).await?;
                let writes = decide(known);
                write(&mut tx, (import, source), &writes, taken).await?;
                corrections::tie(&mut tx, (import, source), taken).await?;
                Ok(tx.commit().await?)
            })
            .await
    }
}
