//! The decision log: dense numbers, each entry on its way into the transparency log.

use dtsen_proto::{envelope, pb};
use prost::Message as _;

use super::{Conn, Handle, begin, take_turn};
use crate::store::{
    MakeEntry, Result,
    value::{Of, signed},
};

const DECISION: Of = Of("decision");

/// Name of a decision in the transparency log.
pub(super) fn log_name(number: u64) -> String {
    format!("d/{number:020}")
}

/// Puts an entry in the queue of the transparency log.
pub(super) async fn enqueue(conn: &mut Conn, name: &str, kind: pb::LeafKind, leaf: &[u8]) -> Result<()> {
    let put = sqlx::query("INSERT INTO log_queue (name, kind, leaf) VALUES ($1, $2, $3)");
    put.bind(name).bind(i64::from(i32::from(kind))).bind(leaf).execute(conn).await?;
    Ok(())
}

/// Number of the last decision.
pub(super) async fn last_number(conn: &mut Conn) -> Result<u64> {
    let (last,): (i64,) =
        sqlx::query_as("SELECT COALESCE(MAX(number), 0) FROM decision").fetch_one(conn).await?;
    DECISION.number("number", last)
}

/// Puts down a decision under its number.
pub(super) async fn put(conn: &mut Conn, number: u64, apply_no: Option<u64>, entry: &[u8]) -> Result<()> {
    let put = sqlx::query("INSERT INTO decision (number, apply_no, entry) VALUES ($1, $2, $3)");
    put.bind(signed(number)).bind(apply_no.map(signed)).bind(entry).execute(conn).await?;
    Ok(())
}

/// Appends a decision outside the lane.
pub(super) async fn append(conn: &mut Conn, make: MakeEntry<'_>) -> Result<u64> {
    take_turn(conn).await?;
    let number = last_number(conn).await? + 1;
    let entry = make(number);
    let envelope = pb::Envelope::decode(entry.as_slice()).map_err(|_| DECISION.wrong("entry"))?;
    put(conn, number, None, &entry).await?;
    let leaf = envelope::log_leaf(&envelope);
    enqueue(conn, &log_name(number), pb::LeafKind::Decision, &leaf).await?;
    Ok(number)
}

impl Handle {
    pub(super) async fn try_append(&self, make: MakeEntry<'_>) -> Result<u64> {
        self.section(async {
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            let number = append(&mut tx, make).await?;
            tx.commit().await?;
            Ok(number)
        })
        .await
    }

    pub(super) async fn decisions_after(
        &self,
        after: u64,
        limit: u32,
    ) -> Result<Vec<(u64, Option<u64>, Vec<u8>)>> {
        type Row = (i64, Option<i64>, Vec<u8>);

        self.section(async {
            let found = sqlx::query_as::<_, Row>(
                "SELECT number, apply_no, entry FROM decision WHERE number > $1 ORDER BY number LIMIT $2",
            );
            let mut conn = self.read_conn().await?;
            let rows = found.bind(signed(after)).bind(i64::from(limit)).fetch_all(&mut *conn).await?;
            let read = |(number, apply_no, entry): Row| {
                let apply_no = apply_no.map(|n| DECISION.number("apply_no", n)).transpose()?;
                Ok((DECISION.number("number", number)?, apply_no, entry))
            };
            rows.into_iter().map(read).collect()
        })
        .await
    }
}
