//! Versions of the rulebook: added, never changed.

use async_trait::async_trait;

use super::{Handle, begin, decisions};
use crate::store::{MakeEntry, Result, Rulebooks, StoreError, retried, value::Of};

const RULEBOOK: Of = Of("rulebook");

impl Handle {
    async fn try_put_rulebook(&self, version: u32, bundle: &[u8], make: MakeEntry<'_>) -> Result<()> {
        self.section(async {
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            // First, because it lets nobody else append: two processes cannot both find their version to be the last.
            decisions::append(&mut tx, make).await?;
            let put = sqlx::query(
                "INSERT INTO rulebook (version, bundle)
                 SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM rulebook WHERE version >= $1)",
            );
            let put = put.bind(i64::from(version)).bind(bundle);
            if put.execute(&mut *tx).await?.rows_affected() == 0 {
                return Err(StoreError::Conflict);
            }
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Rulebooks for Handle {
    async fn last_rulebook(&self) -> Result<Option<u32>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar("SELECT MAX(version) FROM rulebook");
            let last: Option<i64> = found.fetch_one(&mut *conn).await?;
            last.map(|version| RULEBOOK.number("version", version)).transpose()
        })
        .await
    }

    async fn rulebook_versions(&self) -> Result<Vec<u32>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar("SELECT version FROM rulebook ORDER BY version");
            let versions: Vec<i64> = found.fetch_all(&mut *conn).await?;
            versions.into_iter().map(|version| RULEBOOK.number("version", version)).collect()
        })
        .await
    }

    async fn rulebook(&self, version: u32) -> Result<Option<Vec<u8>>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar("SELECT bundle FROM rulebook WHERE version = $1");
            Ok(found.bind(i64::from(version)).fetch_optional(&mut *conn).await?)
        })
        .await
    }

    async fn put_rulebook(&self, version: u32, bundle: &[u8], make: MakeEntry<'_>) -> Result<()> {
        retried!(self.try_put_rulebook(version, bundle, make).await)
    }
}
