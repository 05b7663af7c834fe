//! Going on under a new epoch, and in a new generation of the hub.

use dtsen_proto::{chain::Head, pb};
use prost::Message as _;
use sqlx::Connection as _;

use super::{BEGIN, Result, Store, outbox, receipt, setting};

const CLOSED: &str = "SELECT * FROM batch WHERE receipt IS NULL AND returned IS NULL AND epoch <> $1
    ORDER BY epoch, sequence";
const PUT_STATEMENT: &str = "INSERT INTO epoch (epoch, statement) VALUES ($1, $2)
    ON CONFLICT (epoch) DO UPDATE SET statement = excluded.statement";
const STATEMENT: &str = "SELECT statement FROM epoch WHERE epoch = $1";
/// Everything that follows from the feed.
const FORGET: [&str; 4] = [
    "DELETE FROM feed",
    "DELETE FROM verdict",
    "DELETE FROM notice",
    "UPDATE batch SET judged = 0, accepted = 0, warned = 0, held = 0, rejected = 0",
];

impl Store {
    /// Enters a generation of the hub, by its signed statement. The feed is read again from its beginning: the hub may
    /// have judged anew, and in another order, whatever it lost.
    pub async fn enter_generation(&self, number: u64, statement: &pb::Envelope) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                for text in FORGET {
                    sqlx::query(text).execute(&mut *tx).await?;
                }
                setting::set(&mut tx, setting::GENERATION, &number.to_be_bytes()).await?;
                setting::set(&mut tx, setting::GENERATION_STATEMENT, &statement.encode_to_vec()).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    /// Goes on in another epoch, no longer halted. What was sealed in an earlier one and has no receipt is to be sealed
    /// anew; tells how many batches that are. The first epoch has no statement.
    pub async fn enter_epoch(&self, head: Head, statement: Option<&pb::Envelope>) -> Result<usize> {
        let epoch = head.position.epoch;
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                let rows = sqlx::query(CLOSED).bind(epoch).fetch_all(&mut *tx).await?;
                for row in &rows {
                    let row = outbox::read_batch(row, head.position.region)?;
                    receipt::give_back(&mut tx, &row, "EPOCH_CLOSED").await?;
                }
                if let Some(statement) = statement {
                    let bytes = statement.encode_to_vec();
                    sqlx::query(PUT_STATEMENT).bind(epoch).bind(bytes).execute(&mut *tx).await?;
                }
                setting::set(&mut tx, setting::HEAD, &setting::encode_head(&head)).await?;
                setting::clear(&mut tx, setting::HALTED).await?;
                tx.commit().await?;
                Ok(rows.len())
            })
            .await
    }

    /// The hub's signed word for an epoch; `None` for the first.
    pub async fn epoch_statement(&self, epoch: u32) -> Result<Option<pb::Envelope>> {
        let wrong = |_| super::StoreError::Inconsistent { table: "epoch", column: "statement" };
        let bytes: Option<Vec<u8>> = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query_scalar(STATEMENT).bind(epoch).fetch_optional(&mut *conn).await
            })
            .await?;
        bytes.map(|bytes| pb::Envelope::decode(bytes.as_slice()).map_err(wrong)).transpose()
    }
}
