//! Settings, leases, regions and their sessions.

use async_trait::async_trait;
use dtsen_proto::{chain::Head, region::Region};

use super::{Conn, Handle, begin, decisions, intake};
use crate::store::{
    ChainChange, Fence, KeyRow, MakeEntry, RegionChange, RegionRow, Regions, Result, Session, Status,
    StoreError, retried, value::Of,
};

const REGION: Of = Of("region");
const KEY: Of = Of("region_key");
/// How far the clocks of two hub processes may be apart. A lease that ends later than that was taken by a clock that was
/// wrong, and would keep everybody out until then.
const CLOCKS_MS: i64 = 10 * 60 * 1_000;

type Row = (
    i64,
    String,
    i64,
    Option<Vec<u8>>,
    Option<i64>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    Option<Vec<u8>>,
    String,
);

fn read(row: Row) -> Result<RegionRow> {
    Ok(RegionRow {
        region: REGION.region(row.0)?,
        status: Status::parse(&row.1).ok_or(REGION.wrong("status"))?,
        version: row.2,
        token_hash: row.3,
        token_expires_ms: row.4,
        csr: row.5,
        pending_key: row.6,
        signing_key: row.7,
        certificate: row.8,
        certificate_hash: row.9,
        previous_hash: row.10,
        reason: row.11,
    })
}

/// Writes the row if its version is still the one read.
async fn write(conn: &mut Conn, row: &RegionRow) -> Result<()> {
    let text = if row.version == 0 {
        "INSERT INTO region
             (region, status, version, token_hash, token_expires_ms, csr, pending_key, signing_key, certificate,
              certificate_hash, previous_hash, reason)
         VALUES ($1, $2, $3 + 1, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         ON CONFLICT (region) DO NOTHING"
    } else {
        "UPDATE region
         SET status = $2, version = $3 + 1, token_hash = $4, token_expires_ms = $5, csr = $6, pending_key = $7,
             signing_key = $8, certificate = $9, certificate_hash = $10, previous_hash = $11, reason = $12
         WHERE region = $1 AND version = $3"
    };
    let change = sqlx::query(text)
        .bind(i64::from(row.region.number()))
        .bind(row.status.as_str())
        .bind(row.version)
        .bind(&row.token_hash)
        .bind(row.token_expires_ms)
        .bind(&row.csr)
        .bind(&row.pending_key)
        .bind(&row.signing_key)
        .bind(&row.certificate)
        .bind(&row.certificate_hash)
        .bind(&row.previous_hash)
        .bind(&row.reason);
    match change.execute(conn).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

/// Changes a setting.
pub(super) async fn put_setting(conn: &mut Conn, name: &str, value: Vec<u8>) -> Result<()> {
    let change = sqlx::query(
        "INSERT INTO setting (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    );
    change.bind(name).bind(value).execute(conn).await?;
    Ok(())
}

/// The chain's start and the lane's.
async fn start(conn: &mut Conn, head: &Head) -> Result<()> {
    let region = i64::from(head.position.region.number());
    sqlx::query(
        "INSERT INTO chain (region, epoch, sequence, head, closed)
         SELECT $1, $2, $3, $4, 0 WHERE NOT EXISTS (SELECT 1 FROM chain WHERE region = $1)",
    )
    .bind(region)
    .bind(i64::from(head.position.epoch))
    .bind(i64::from(head.position.sequence))
    .bind(head.id.as_bytes().as_slice())
    .execute(&mut *conn)
    .await?;
    sqlx::query(
        "INSERT INTO lane (region, feed, apply_no) VALUES ($1, 0, 0) ON CONFLICT (region) DO NOTHING",
    )
    .bind(region)
    .execute(conn)
    .await?;
    Ok(())
}

/// Keys registered so far count no further than here; those that ended before stay ended there.
async fn revoke(conn: &mut Conn, region: i64, (epoch, sequence): (u32, u32)) -> Result<()> {
    sqlx::query(
        "UPDATE region_key SET last_epoch = $2, last_sequence = $3 WHERE region = $1 AND last_epoch IS NULL",
    )
    .bind(region)
    .bind(i64::from(epoch))
    .bind(i64::from(sequence))
    .execute(conn)
    .await?;
    Ok(())
}

async fn add_key(conn: &mut Conn, region: i64, key_id: &[u8], public_key: &[u8]) -> Result<()> {
    sqlx::query(
        "INSERT INTO region_key (region, key_id, public_key, place)
         SELECT $1, $2, $3, COALESCE(MAX(place), 0) + 1 FROM region_key WHERE region = $1
         ON CONFLICT (region, key_id) DO NOTHING",
    )
    .bind(region)
    .bind(key_id)
    .bind(public_key)
    .execute(conn)
    .await?;
    Ok(())
}

async fn begin_session(conn: &mut Conn, region: i64, session: &Session) -> Result<()> {
    sqlx::query(
        "INSERT INTO session (region, current, before, other, suspect) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (region) DO UPDATE SET current = excluded.current, before = excluded.before,
         other = excluded.other, suspect = excluded.suspect",
    )
    .bind(region)
    .bind(&session.current)
    .bind(&session.before)
    .bind(&session.other)
    .bind(&session.suspect)
    .execute(conn)
    .await?;
    Ok(())
}

impl Handle {
    async fn try_put_region(&self, row: &RegionRow, change: &RegionChange<'_>) -> Result<()> {
        self.section(async {
            let region = i64::from(row.region.number());
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            write(&mut tx, row).await?;
            if let Some(last) = change.revoke {
                revoke(&mut tx, region, last).await?;
            }
            if let Some((key_id, public_key)) = &change.key {
                add_key(&mut tx, region, key_id, public_key).await?;
            }
            if let Some(make) = change.decision {
                decisions::append(&mut tx, make).await?;
            }
            match &change.chain {
                Some(ChainChange::Start(head)) => start(&mut tx, head).await?,
                Some(ChainChange::Epoch { from, to, make }) => {
                    intake::open_epoch(&mut tx, row.region, *from, *to, *make).await?;
                }
                None => {}
            }
            if let Some(session) = &change.session {
                begin_session(&mut tx, region, session).await?;
            }
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Regions for Handle {
    async fn setting(&self, name: &'static str) -> Result<Option<Vec<u8>>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar("SELECT value FROM setting WHERE name = $1");
            Ok(found.bind(name).fetch_optional(&mut *conn).await?)
        })
        .await
    }

    async fn set_setting(&self, name: &'static str, value: Vec<u8>) -> Result<()> {
        self.section(async { put_setting(&mut *self.conn().await?, name, value).await }).await
    }

    async fn regions(&self) -> Result<Vec<RegionRow>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT region, status, version, token_hash, token_expires_ms, csr, pending_key, signing_key,
                        certificate, certificate_hash, previous_hash, reason
                 FROM region ORDER BY region",
            );
            found.fetch_all(&mut *conn).await?.into_iter().map(read).collect()
        })
        .await
    }

    async fn region(&self, region: Region) -> Result<Option<RegionRow>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as(
                "SELECT region, status, version, token_hash, token_expires_ms, csr, pending_key, signing_key,
                        certificate, certificate_hash, previous_hash, reason
                 FROM region WHERE region = $1",
            );
            found.bind(i64::from(region.number())).fetch_optional(&mut *conn).await?.map(read).transpose()
        })
        .await
    }

    async fn put_region(&self, row: &RegionRow, change: RegionChange<'_>) -> Result<()> {
        retried!(self.try_put_region(row, &change).await)
    }

    async fn region_keys(&self, region: Region) -> Result<Vec<KeyRow>> {
        type Row = (Vec<u8>, Option<i64>, Option<i64>);

        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as::<_, Row>(
                "SELECT public_key, last_epoch, last_sequence FROM region_key WHERE region = $1
                 ORDER BY place, key_id",
            );
            let rows = found.bind(i64::from(region.number())).fetch_all(&mut *conn).await?;
            let read = |(public_key, epoch, sequence): Row| {
                let last = match epoch.zip(sequence) {
                    Some((e, s)) => Some((KEY.number("last_epoch", e)?, KEY.number("last_sequence", s)?)),
                    None => None,
                };
                Ok(KeyRow { public_key, last })
            };
            rows.into_iter().map(read).collect()
        })
        .await
    }

    async fn session(&self, region: Region) -> Result<Option<Session>> {
        type Row = (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>);

        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as::<_, Row>(
                "SELECT current, before, other, suspect FROM session WHERE region = $1",
            );
            let row = found.bind(i64::from(region.number())).fetch_optional(&mut *conn).await?;
            let read = |(current, before, other, suspect)| Session { current, before, other, suspect };
            Ok(row.map(read))
        })
        .await
    }

    async fn put_session(&self, region: Region, expected: &[u8], session: &Session) -> Result<bool> {
        self.section(async {
            let mut conn = self.conn().await?;
            let change = sqlx::query(
                "UPDATE session SET current = $3, before = $4, other = $5, suspect = $6
                 WHERE region = $1 AND current = $2",
            );
            let change = change.bind(i64::from(region.number())).bind(expected).bind(&session.current);
            let change = change.bind(&session.before).bind(&session.other).bind(&session.suspect);
            Ok(change.execute(&mut *conn).await?.rows_affected() == 1)
        })
        .await
    }

    async fn append_decision(&self, make: MakeEntry<'_>) -> Result<u64> {
        retried!(self.try_append(make).await)
    }

    async fn decisions(&self, after: u64, limit: u32) -> Result<Vec<(u64, Option<u64>, Vec<u8>)>> {
        self.decisions_after(after, limit).await
    }

    async fn take_lease(
        &self,
        name: &'static str,
        holder: &str,
        now_ms: i64,
        until_ms: i64,
    ) -> Result<Option<Fence>> {
        self.section(async {
            let mut conn = self.conn().await?;
            let taken = sqlx::query_scalar(
                "INSERT INTO lease (name, holder, fence, expires_ms) VALUES ($1, $2, 1, $4)
                 ON CONFLICT (name) DO UPDATE
                 SET fence = CASE WHEN lease.holder = excluded.holder THEN lease.fence ELSE lease.fence + 1 END,
                     holder = excluded.holder,
                     expires_ms = excluded.expires_ms
                 WHERE lease.holder IN (excluded.holder, '') OR lease.expires_ms NOT BETWEEN $3 AND $5
                 RETURNING fence",
            );
            let taken = taken.bind(name).bind(holder).bind(now_ms).bind(until_ms).bind(until_ms.saturating_add(CLOCKS_MS));
            let fence: Option<i64> = taken.fetch_optional(&mut *conn).await?;
            Ok(fence.map(|fence| Fence { name, holder: holder.to_owned(), fence }))
        })
        .await
    }

    async fn give_lease(&self, fence: &Fence) -> Result<()> {
        self.section(async {
            let mut conn = self.conn().await?;
            let change = sqlx::query(
                "UPDATE lease SET holder = '', expires_ms = 0 WHERE name = $1 AND holder = $2 AND fence = $3",
            );
            change.bind(fence.name).bind(&fence.holder).bind(fence.fence).execute(&mut *conn).await?;
            Ok(())
        })
        .await
    }
}
