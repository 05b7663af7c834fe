//! A new generation of the hub: the feed is read again from where the hub's copy ended.

use dtsen_proto::{
    chain::Head,
    envelope::{self, PayloadType},
    key::PublicKey,
    pb,
};
use prost::Message as _;
use sqlx::Connection as _;

use super::{BEGIN, Result, Store, StoreError, feed, setting};

const KEPT: &str = "SELECT entry FROM feed ORDER BY position";
/// Everything that follows from the feed.
const FORGET: [&str; 4] = [
    "DELETE FROM feed",
    "DELETE FROM verdict",
    "DELETE FROM notice",
    "UPDATE batch SET judged = 0, accepted = 0, warned = 0, held = 0, rejected = 0",
];

impl Store {
    /// Enters a generation: new epoch, and of the feed only what the hub still has. Verdicts that the hub lost are
    /// given again when it decides what was handed back.
    pub async fn begin_generation(
        &self,
        generation: u64,
        head: &Head,
        feed_end: u64,
        statement: &pb::Envelope,
        key: &PublicKey,
    ) -> Result<()> {
        let wrong = || StoreError::Inconsistent { table: "feed", column: "entry" };
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let entries: Vec<Vec<u8>> = sqlx::query_scalar(KEPT).fetch_all(&mut *tx).await?;
                for text in FORGET {
                    sqlx::query(text).execute(&mut *tx).await?;
                }
                for (position, bytes) in (1..=feed_end).zip(entries) {
                    let entry = pb::Envelope::decode(bytes.as_slice()).map_err(|_| wrong())?;
                    let verdicts =
                        envelope::verify(&entry, PayloadType::VERDICTS, key).map_err(|_| wrong())?;
                    feed::apply(&mut tx, &(verdicts, entry), position).await?;
                }
                setting::set(&mut tx, setting::GENERATION, &generation.to_be_bytes()).await?;
                setting::set(&mut tx, setting::GENERATION_STATEMENT, &statement.encode_to_vec()).await?;
                setting::set(&mut tx, setting::HEAD, &setting::encode_head(head)).await?;
                Ok(tx.commit().await?)
            })
            .await
    }
}
