//! Ids of the hub for records, and what becomes of them when the hub lost the batch that they came from.

use dtsen_proto::{
    id::{Position, RecordId},
    record::Delta,
};
use sqlx::{Row as _, SqliteConnection};

use super::{Result, StoreError, receipt};

const WAITING: &str = "SELECT p.id, p.delta, r.delta FROM pending p JOIN record r ON r.id = p.record
    WHERE r.hub_id BETWEEN $1 AND $2";
const SET_PENDING: &str = "UPDATE pending SET delta = $2 WHERE id = $1";
const FORGET: &str = "UPDATE record SET hub_id = NULL WHERE hub_id BETWEEN $1 AND $2";

/// A delta that says by the hub's id which record it is about, or by the number while there is none: what was made when
/// the id was known may not name the number, so the identity that the record states by now comes with it.
pub(super) fn addressed(mut delta: Delta, record: &Delta, id: Option<RecordId>) -> Delta {
    let has_number = delta.natural_key().is_some();
    match record.block(record.kind.identity()) {
        _ if id.is_some() || has_number => delta.record = id,
        Some(identity) if record.natural_key().is_some() => {
            delta.record = None;
            delta.state(identity);
        }
        // Nothing else says which record is meant.
        _ => {}
    }
    delta
}

/// Forgets the ids that came from a batch: it is not at the hub and never comes back, and another batch in its place
/// gives the same ids to other records.
pub(super) async fn forget(conn: &mut SqliteConnection, batch: Position) -> Result<()> {
    let wrong = |table| StoreError::Inconsistent { table, column: "delta" };
    let [first, last] = [0, u32::MAX].map(|index| RecordId::new(batch, index).as_bytes().to_vec());
    for row in sqlx::query(WAITING).bind(&first).bind(&last).fetch_all(&mut *conn).await? {
        let id: i64 = row.try_get(0)?;
        let delta = Delta::decode(row.try_get(1)?).map_err(|_| wrong("pending"))?;
        let record = Delta::decode(row.try_get(2)?).map_err(|_| wrong("record"))?;
        let delta = addressed(receipt::refreshed(delta, &record), &record, None).encode();
        sqlx::query(SET_PENDING).bind(id).bind(delta).execute(&mut *conn).await?;
    }
    sqlx::query(FORGET).bind(first).bind(last).execute(conn).await?;
    Ok(())
}
