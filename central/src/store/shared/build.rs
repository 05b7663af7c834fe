//! Building a release: the registry and the leaves last published, side by side, from one snapshot.

use std::{cmp::Ordering, collections::VecDeque};

use dtsen_proto::{merkle::Hash, record::RecordKind};

use super::{Conn, Handle, add, begin, begin_snapshot, releases};
use crate::store::{
    ReleaseLine, ReleasePlanner, ReleaseWrite, Result,
    bulk::Rows,
    copy,
    value::{Of, kind_number, signed},
};

/// Lines read at once; what is written at once follows from it, and what memory a build takes.
const PAGE: i64 = 4096;
/// Bytes of parts and manifests that wait to be written.
const WAITING_BYTES: usize = 8 << 20;

const RECORD: Of = Of("record");
const LEAF: Of = Of("slice_leaf");

/// Region, kind and id, by which both sides are sorted.
type Key = (i64, i64, Vec<u8>);

/// One side: pages of (key, value) after the last key read.
struct Side<T> {
    page: VecDeque<(Key, T)>,
    last: Key,
    end: bool,
}

impl<T> Side<T> {
    fn new() -> Self {
        Self { page: VecDeque::new(), last: (0, 0, Vec::new()), end: false }
    }

    fn wants_page(&self) -> bool {
        self.page.is_empty() && !self.end
    }

    fn put(&mut self, rows: Vec<(Key, T)>) {
        self.end = rows.is_empty();
        if let Some((key, _)) = rows.last() {
            self.last.clone_from(key);
        }
        self.page = rows.into();
    }

    fn key(&self) -> Option<&Key> {
        self.page.front().map(|(key, _)| key)
    }

    fn take(&mut self) -> Option<T> {
        self.page.pop_front().map(|(_, value)| value)
    }
}

/// Records by (region, kind, id).
async fn records(conn: &mut Conn, after: &Key) -> Result<Vec<(Key, Vec<u8>)>> {
    let found = sqlx::query_as::<_, (i64, i64, Vec<u8>, Vec<u8>)>(
        "SELECT region, kind, id, body FROM record WHERE (region, kind, id) > ($1, $2, $3)
         ORDER BY region, kind, id LIMIT $4",
    );
    let rows = found.bind(after.0).bind(after.1).bind(&after.2).bind(PAGE).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(region, kind, id, body)| ((region, kind, id), body)).collect())
}

/// Leaf, and the region where the record lives now.
type Published = (Vec<u8>, Option<i64>);

/// Leaves of a version by (region, kind, id), with the region where the record lives now.
async fn leaves(conn: &mut Conn, version: u64, after: &Key) -> Result<Vec<(Key, Published)>> {
    let found = sqlx::query_as::<_, (i64, i64, Vec<u8>, Vec<u8>, Option<i64>)>(
        "SELECT s.region, s.kind, s.id, s.leaf, r.region
         FROM slice_leaf s LEFT JOIN record r ON r.id = s.id
         WHERE s.version = $1 AND (s.region, s.kind, s.id) > ($2, $3, $4)
         ORDER BY s.region, s.kind, s.id LIMIT $5",
    );
    let found = found.bind(signed(version)).bind(after.0).bind(after.1).bind(&after.2).bind(PAGE);
    let rows = found.fetch_all(conn).await?;
    Ok(rows.into_iter().map(|(region, kind, id, leaf, home)| ((region, kind, id), (leaf, home))).collect())
}

fn line(key: &Key, record: Option<Vec<u8>>, published: Option<Published>) -> Result<ReleaseLine> {
    let of = if record.is_some() { RECORD } else { LEAF };
    let home = published.as_ref().and_then(|(_, home)| *home);
    let leaf: Option<Hash> = published.map(|(leaf, _)| LEAF.hash("leaf", &leaf)).transpose()?;
    Ok(ReleaseLine {
        region: of.region(key.0)?,
        kind: of.kind(key.1)?,
        id: of.record_id(&key.2)?,
        lives_elsewhere: record.is_none() && home.is_some_and(|home| home != key.0),
        record,
        published: leaf,
    })
}

/// What waits to be written.
struct Out {
    version: u64,
    leaves: Rows,
    parts: Rows,
    manifests: Rows,
    bytes: usize,
}

impl Out {
    fn new(version: u64) -> Self {
        Self {
            version,
            leaves: Rows::new(&copy::SLICE_LEAF, ""),
            parts: Rows::new(&copy::PART, "ON CONFLICT (region, digest, version) DO NOTHING"),
            manifests: Rows::new(&copy::MANIFEST, ""),
            bytes: 0,
        }
    }

    fn extend(&mut self, writes: Vec<ReleaseWrite>) {
        for write in writes {
            match write {
                ReleaseWrite::Leaf(region, kind, id, leaf) => self.leaf(region, kind, id.as_bytes(), &leaf),
                ReleaseWrite::Part(region, digest, body) => {
                    self.bytes += body.len();
                    self.parts.push([region.into(), digest.into(), self.version.into(), body.into()]);
                }
                ReleaseWrite::Manifest(row) => {
                    self.bytes += row.body.len();
                    self.manifests.push([
                        self.version.into(),
                        row.place.into(),
                        row.region.into(),
                        row.base.into(),
                        row.body.into(),
                    ]);
                }
            }
        }
    }

    fn leaf(&mut self, region: dtsen_proto::region::Region, kind: RecordKind, id: &[u8; 16], leaf: &Hash) {
        self.leaves.push([
            self.version.into(),
            region.into(),
            kind_number(kind).into(),
            id.as_slice().into(),
            leaf.as_slice().into(),
        ]);
    }

    fn is_full(&self) -> bool {
        self.leaves.len >= usize::try_from(PAGE).expect("a small number") || self.bytes >= WAITING_BYTES
    }
}

impl Handle {
    pub(super) async fn build(
        &self,
        version: u64,
        base: u64,
        planner: &mut (dyn ReleasePlanner + Send),
    ) -> Result<()> {
        releases::discard(&mut *self.conn().await?, version).await?;
        let mut conn = self.snapshot_conn().await?;
        let mut snapshot = begin_snapshot(&mut conn).await?;
        let last = sqlx::query_scalar("SELECT COALESCE(MAX(apply_no), 0) FROM application");
        planner.begin(Of("application").number("apply_no", last.fetch_one(&mut *snapshot).await?)?);
        let mut now = Side::new();
        let mut before = Side::new();
        let mut out = Out::new(version);
        loop {
            if now.wants_page() {
                now.put(records(&mut snapshot, &now.last).await?);
            }
            if before.wants_page() {
                before.put(leaves(&mut snapshot, base, &before.last).await?);
            }
            let (order, key) = match (now.key(), before.key()) {
                (None, None) => break,
                (Some(key), None) => (Ordering::Less, key.clone()),
                (None, Some(key)) => (Ordering::Greater, key.clone()),
                (Some(a), Some(b)) => (a.cmp(b), a.min(b).clone()),
            };
            let record = if order.is_le() { now.take() } else { None };
            let published = if order.is_ge() { before.take() } else { None };
            out.extend(planner.line(line(&key, record, published)?));
            if out.is_full() {
                self.put_down(std::mem::replace(&mut out, Out::new(version))).await?;
            }
        }
        snapshot.rollback().await?;
        out.extend(planner.finish());
        self.put_down(out).await
    }

    async fn put_down(&self, out: Out) -> Result<()> {
        let mut conn = self.conn().await?;
        let mut tx = begin(&mut conn).await?;
        add(&mut tx, out.leaves).await?;
        add(&mut tx, out.parts).await?;
        add(&mut tx, out.manifests).await?;
        tx.commit().await?;
        Ok(())
    }
}
