//! Single values, and the head of the chain.

use dtsen_proto::{
    chain::Head,
    id::{BatchId, Position},
    region::Region,
};
use futures::future::BoxFuture;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{BEGIN, Result, Store, StoreError};

/// Kemendagri code of the region, as text.
pub const REGION: &str = "region";
/// Head of the chain, in the form of [`encode_head`].
pub const HEAD: &str = "head";
/// Why the node is halted, as text; absent while it is not.
pub const HALTED: &str = "halted";
/// Generation of the hub last seen, eight bytes big-endian.
pub const GENERATION: &str = "generation";
/// Session token of the last Hello.
pub const SESSION: &str = "session";
/// Last checkpoint of the hub's log that was verified, encoded.
pub const CHECKPOINT: &str = "checkpoint";

/// A checkpoint of the hub that does not continue the one held: evidence.
pub const HUB_FORK: &str = "hub_fork";
/// The hub's signed statement about the generation that this node last entered.
pub const GENERATION_STATEMENT: &str = "generation_statement";
/// SHA-256 of the one-time token of the last enrolment that was granted.
pub const TOKEN: &str = "token";
/// The hub's keys as pinned, an encoded `HubKeys`.
pub const HUB: &str = "hub";
/// Where the exchange listens.
pub const HUB_URL: &str = "hub_url";
/// The hub's rulebook bundle in use; absent while the built-in one is.
pub const RULEBOOK: &str = "rulebook";
/// The hub's signed statement about it.
pub const RULEBOOK_STATEMENT: &str = "rulebook_statement";
/// Generation of the hub in which it was taken, eight bytes big-endian.
pub const RULEBOOK_GENERATION: &str = "rulebook_generation";
/// Program, version and digest of a rulebook of the hub that this program cannot read, as text.
pub const RULEBOOK_UNFIT: &str = "rulebook_unfit";
/// Version of the rulebook of the last import, four bytes big-endian.
pub const RULEBOOK_IMPORTED: &str = "rulebook_imported";

/// Where the store stood before the last run of imports; absent once that cannot be taken back.
pub const UNDO: &str = "undo";
/// Where it stood before the run that goes on, as long as that one changed nothing.
pub const UNDO_NEXT: &str = "undo_next";

const GET: &str = "SELECT value FROM setting WHERE name = $1";
const SET: &str = "INSERT INTO setting (name, value) VALUES ($1, $2)
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";
const CLEAR: &str = "DELETE FROM setting WHERE name = $1";

/// Bytes of a stored head: region, epoch, sequence, id.
const HEAD_BYTES: usize = 2 + 4 + 4 + 32;

/// A head as the setting holds it.
pub fn encode_head(head: &Head) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES);
    bytes.extend_from_slice(&head.position.region.number().to_be_bytes());
    bytes.extend_from_slice(&head.position.epoch.to_be_bytes());
    bytes.extend_from_slice(&head.position.sequence.to_be_bytes());
    bytes.extend_from_slice(head.id.as_bytes());
    bytes
}

/// The head in the setting; `None` if the bytes are none.
pub fn decode_head(bytes: &[u8]) -> Option<Head> {
    let (region, rest) = bytes.split_first_chunk::<2>()?;
    let (epoch, rest) = rest.split_first_chunk::<4>()?;
    let (sequence, id) = rest.split_first_chunk::<4>()?;
    let position = Position {
        region: Region::from_number(u16::from_be_bytes(*region).into())?,
        epoch: u32::from_be_bytes(*epoch),
        sequence: u32::from_be_bytes(*sequence),
    };
    Some(Head { position, id: BatchId::from_slice(id)? })
}

pub(super) async fn get(conn: &mut SqliteConnection, name: &str) -> Result<Option<Vec<u8>>> {
    let row = sqlx::query(GET).bind(name).fetch_optional(conn).await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

pub(super) async fn set(conn: &mut SqliteConnection, name: &str, value: &[u8]) -> Result<()> {
    sqlx::query(SET).bind(name).bind(value).execute(conn).await?;
    Ok(())
}

pub(super) async fn clear(conn: &mut SqliteConnection, name: &str) -> Result<()> {
    sqlx::query(CLEAR).bind(name).execute(conn).await?;
    Ok(())
}

pub(super) async fn head(conn: &mut SqliteConnection) -> Result<Option<Head>> {
    let wrong = StoreError::Inconsistent { table: "setting", column: HEAD };
    get(conn, HEAD).await?.map(|bytes| decode_head(&bytes).ok_or(wrong)).transpose()
}

impl Store {
    /// A setting.
    pub async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                get(&mut conn, name).await
            })
            .await
    }

    /// A setting that is text.
    pub fn text_setting(&self, name: &'static str) -> BoxFuture<'_, Result<Option<String>>> {
        Box::pin(async move {
            let wrong = |_| StoreError::Inconsistent { table: "setting", column: name };
            self.setting(name).await?.map(|bytes| String::from_utf8(bytes).map_err(wrong)).transpose()
        })
    }

    /// The region; `None` before `init`.
    pub async fn region(&self) -> Result<Option<Region>> {
        let wrong = |_| StoreError::Inconsistent { table: "setting", column: REGION };
        self.text_setting(REGION).await?.map(|text| text.parse().map_err(wrong)).transpose()
    }

    /// Changes settings together; `None` takes one away.
    pub async fn set_settings(&self, settings: &[(&str, Option<&[u8]>)]) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                for (name, value) in settings {
                    match value {
                        Some(value) => set(&mut tx, name, value).await?,
                        None => clear(&mut tx, name).await?,
                    }
                }
                Ok(tx.commit().await?)
            })
            .await
    }

    /// Changes a setting.
    pub async fn set_setting(&self, name: &str, value: &[u8]) -> Result<()> {
        self.set_settings(&[(name, Some(value))]).await
    }

    /// Last batch sealed; `None` before enrolment.
    pub async fn head(&self) -> Result<Option<Head>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                head(&mut conn).await
            })
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_survives_its_setting() {
        let position = Position { region: "52.71".parse().expect("a region"), epoch: 3, sequence: 70_000 };
        let head = Head { position, id: BatchId::new([7; 32]) };
        assert_eq!(decode_head(&encode_head(&head)), Some(head));
        assert_eq!(decode_head(&encode_head(&head)[1..]), None);
    }
}
