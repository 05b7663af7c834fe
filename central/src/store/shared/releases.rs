//! Releases: putting down, publishing, clearing away.

use async_trait::async_trait;
use dtsen_proto::{pb, region::Region};
use prost::Message as _;

use super::{Conn, Handle, begin, decisions};
use crate::store::{
    MakeEntry, ManifestRow, ReleasePlanner, ReleaseRow, Releases, Result, StoreError, retried,
    value::{Of, signed},
};

const RELEASE: Of = Of("release");
const MANIFEST: Of = Of("manifest");

/// Snapshots of so many releases are kept, for nodes that are taking one while the next is published.
const SNAPSHOTS_KEPT: u64 = 3;

type Row = (i64, i64, i64, Vec<u8>, Vec<u8>, String);

fn read((version, apply_no, published, entry, freshness, prepared_by): Row) -> Result<ReleaseRow> {
    Ok(ReleaseRow {
        version: RELEASE.number("version", version)?,
        apply_no: RELEASE.number("apply_no", apply_no)?,
        published: published != 0,
        entry,
        freshness,
        prepared_by,
    })
}

/// Writes a release that is not published yet.
async fn put(conn: &mut Conn, release: &ReleaseRow, published: bool) -> Result<()> {
    let change = sqlx::query(
        "INSERT INTO release (version, apply_no, published, entry, freshness, prepared_by)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (version) DO UPDATE
         SET apply_no = excluded.apply_no, published = excluded.published, entry = excluded.entry,
             freshness = excluded.freshness, prepared_by = excluded.prepared_by
         WHERE release.published = 0",
    );
    let change = change
        .bind(signed(release.version))
        .bind(signed(release.apply_no))
        .bind(i64::from(published))
        .bind(&release.entry)
        .bind(&release.freshness)
        .bind(&release.prepared_by);
    match change.execute(conn).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

/// Deletes the leaves of a range of versions, a region at a time so that no transaction grows long.
async fn clear_leaves(conn: &mut Conn, from: u64, to: u64) -> Result<()> {
    loop {
        let next = sqlx::query_as(
            "SELECT version, region FROM slice_leaf WHERE version >= $1 AND version < $2
             ORDER BY version, region LIMIT 1",
        );
        let next = next.bind(signed(from)).bind(signed(to)).fetch_optional(&mut *conn).await?;
        let Some((version, region)): Option<(i64, i64)> = next else { return Ok(()) };
        let clear = sqlx::query("DELETE FROM slice_leaf WHERE version = $1 AND region = $2");
        clear.bind(version).bind(region).execute(&mut *conn).await?;
    }
}

/// Deletes the parts of snapshots that no node takes any more; what changed since then stays.
async fn clear_snapshots(conn: &mut Conn, newest: u64) -> Result<()> {
    let to = newest.saturating_sub(SNAPSHOTS_KEPT);
    let found = sqlx::query_as(
        "SELECT version, region, body FROM manifest WHERE base = 0 AND version > $1 AND version <= $2
         ORDER BY version, place",
    );
    let found = found.bind(signed(to.saturating_sub(SNAPSHOTS_KEPT))).bind(signed(to));
    let manifests: Vec<(i64, i64, Vec<u8>)> = found.fetch_all(&mut *conn).await?;
    for (version, region, body) in manifests {
        let manifest = pb::Manifest::decode(body.as_slice()).map_err(|_| MANIFEST.wrong("body"))?;
        let digests = super::blobs(manifest.parts.iter().map(|part| part.digest.as_slice()));
        let clear = sqlx::query(concat!(
            "DELETE FROM part WHERE region = $1 AND version = $2 AND digest ",
            in_blobs!(3)
        ));
        clear.bind(region).bind(version).bind(digests).execute(&mut *conn).await?;
    }
    Ok(())
}

/// Whether regions see a version.
async fn is_published(conn: &mut Conn, version: u64) -> Result<bool> {
    let found = sqlx::query_scalar("SELECT published FROM release WHERE version = $1");
    let published: Option<i64> = found.bind(signed(version)).fetch_optional(conn).await?;
    Ok(published.is_some_and(|p| p != 0))
}

/// Removes what a build of a version left; a published one stays.
pub(super) async fn discard(conn: &mut Conn, version: u64) -> Result<()> {
    if is_published(conn, version).await? {
        return Err(StoreError::Conflict);
    }
    clear_leaves(conn, version, version + 1).await?;
    for text in [
        "DELETE FROM part WHERE version = $1",
        "DELETE FROM manifest WHERE version = $1",
        "DELETE FROM release WHERE version = $1 AND published = 0",
    ] {
        sqlx::query(text).bind(signed(version)).execute(&mut *conn).await?;
    }
    Ok(())
}

impl Handle {
    async fn try_publish(&self, release: &ReleaseRow, make: MakeEntry<'_>) -> Result<()> {
        self.section(async {
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            put(&mut tx, release, true).await?;
            decisions::append(&mut tx, make).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Releases for Handle {
    async fn build_release(
        &self,
        version: u64,
        base: u64,
        planner: &mut (dyn ReleasePlanner + Send),
    ) -> Result<()> {
        self.section(self.build(version, base, planner)).await
    }

    async fn discard_release(&self, version: u64) -> Result<()> {
        self.section(async { discard(&mut *self.conn().await?, version).await }).await
    }

    async fn publish(&self, release: &ReleaseRow, make: MakeEntry<'_>) -> Result<()> {
        retried!(self.try_publish(release, make).await)?;
        self.section(async {
            let mut conn = self.conn().await?;
            clear_leaves(&mut conn, 0, release.version).await?;
            clear_snapshots(&mut conn, release.version).await
        })
        .await
    }

    async fn put_release(&self, release: &ReleaseRow) -> Result<()> {
        self.section(async { put(&mut *self.conn().await?, release, release.published).await }).await
    }

    async fn release(&self, version: Option<u64>) -> Result<Option<ReleaseRow>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = match version {
                Some(version) => sqlx::query_as(
                    "SELECT version, apply_no, published, entry, freshness, prepared_by FROM release WHERE version = $1",
                )
                .bind(signed(version)),
                None => sqlx::query_as(
                    "SELECT version, apply_no, published, entry, freshness, prepared_by FROM release WHERE published = 1
                     ORDER BY version DESC LIMIT 1",
                ),
            };
            found.fetch_optional(&mut *conn).await?.map(read).transpose()
        })
        .await
    }

    async fn release_versions(&self) -> Result<Vec<u64>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar("SELECT version FROM release ORDER BY version");
            let versions: Vec<i64> = found.fetch_all(&mut *conn).await?;
            versions.into_iter().map(|version| RELEASE.number("version", version)).collect()
        })
        .await
    }

    async fn last_version(&self) -> Result<u64> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let last = sqlx::query_scalar("SELECT COALESCE(MAX(version), 0) FROM release");
            RELEASE.number("version", last.fetch_one(&mut *conn).await?)
        })
        .await
    }

    async fn refresh(&self, version: u64, freshness: &[u8]) -> Result<()> {
        self.section(async {
            let mut conn = self.conn().await?;
            let change = sqlx::query("UPDATE release SET freshness = $2 WHERE version = $1");
            let change = change.bind(signed(version)).bind(freshness).execute(&mut *conn).await?;
            if change.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Conflict) }
        })
        .await
    }

    async fn manifests(&self, version: u64) -> Result<Vec<ManifestRow>> {
        type Row = (i64, i64, i64, Vec<u8>);

        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as::<_, Row>(
                "SELECT place, region, base, body FROM manifest WHERE version = $1 ORDER BY place",
            );
            let read = |(place, region, base, body): Row| {
                let (place, base) = (MANIFEST.number("place", place)?, MANIFEST.number("base", base)?);
                Ok(ManifestRow { place, region: MANIFEST.region(region)?, base, body })
            };
            let rows = found.bind(signed(version)).fetch_all(&mut *conn).await?;
            rows.into_iter().map(read).collect()
        })
        .await
    }

    async fn part(&self, region: Region, digest: &[u8]) -> Result<Option<Vec<u8>>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar(
                "SELECT body FROM part WHERE region = $1 AND digest = $2 ORDER BY version DESC LIMIT 1",
            );
            let found = found.bind(i64::from(region.number())).bind(digest);
            Ok(found.fetch_optional(&mut *conn).await?)
        })
        .await
    }
}
