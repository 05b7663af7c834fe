//! Erasing a delta from a stored body.

use super::{Conn, Handle, begin, decisions, take_turn};
use crate::store::{Erasure, Result, StoreError};

/// Puts the new body in the place of the old one, if that is still there.
async fn replace(conn: &mut Conn, erasure: &Erasure<'_>) -> Result<()> {
    let at = erasure.delta.position;
    let change = sqlx::query(
        "UPDATE batch_body SET body = $5 WHERE region = $1 AND epoch = $2 AND sequence = $3 AND body = $4",
    );
    let change = change.bind(i64::from(at.region.number())).bind(i64::from(at.epoch));
    let change = change.bind(i64::from(at.sequence)).bind(erasure.before).bind(erasure.after);
    match change.execute(conn).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

/// What a verdict was about is a NIK or a No. KK, and serves only while the delta is held.
async fn forget_subject(conn: &mut Conn, erasure: &Erasure<'_>) -> Result<()> {
    let at = erasure.delta.position;
    let change = sqlx::query(
        "UPDATE verdict SET subject = NULL WHERE region = $1 AND epoch = $2 AND sequence = $3 AND place = $4",
    );
    let change = change.bind(i64::from(at.region.number())).bind(i64::from(at.epoch));
    let change = change.bind(i64::from(at.sequence)).bind(i64::from(erasure.delta.index));
    change.execute(conn).await?;
    Ok(())
}

impl Handle {
    pub(super) async fn try_erase(&self, erasure: &Erasure<'_>) -> Result<u64> {
        self.section(async {
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            take_turn(&mut tx).await?;
            replace(&mut tx, erasure).await?;
            forget_subject(&mut tx, erasure).await?;
            let number = decisions::append(&mut tx, erasure.make).await?;
            tx.commit().await?;
            Ok(number)
        })
        .await
    }
}
