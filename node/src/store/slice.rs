//! The slice: staged in parts, switched in one transaction after root and counts were verified.

mod check;

use dtsen_proto::{
    envelope::Verified,
    id::RecordId,
    merkle::{self, Frontier},
    pb,
    record::RecordKind,
    refusal::Refusal,
    slice::{self, Change, LeafKey, Offer},
};
use futures::TryStreamExt as _;
use prost::Message as _;
use sqlx::{Connection as _, Row as _, SqliteConnection};

use super::{BEGIN, Result, Store, StoreError, bulk, setting, unsigned};

/// Settings of the slice in use.
const STATE: &str = "slice";

/// A slice that was not taken; the one before stays in use.
#[derive(Debug, thiserror::Error)]
pub enum SliceError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Parts, root or counts do not fit the manifest.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl From<sqlx::Error> for SliceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// The slice in use.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct SliceState {
    /// Its version; 0 if there is none.
    pub version: u64,
    /// Families in it.
    pub keluarga: u64,
    /// People in it.
    pub individu: u64,
    /// After this it may not be taken any more, and exports are flagged.
    pub expires_ms: i64,
    /// Root over its leaves, hex.
    pub root: String,
}

const PART_LENGTH: &str = "SELECT coalesce(max(length(body)), 0) FROM slice_part WHERE digest = $1";
const PUT_PART: &str = "INSERT INTO slice_part (digest, body) VALUES ($1, $2)
    ON CONFLICT (digest) DO UPDATE SET body = slice_part.body || excluded.body";
const PART: &str = "SELECT body FROM slice_part WHERE digest = $1";
const CLEAR_PARTS: &str = "DELETE FROM slice_part";
const CLEAR: &str = "DELETE FROM slice_leaf";
const PUT: &str = "INSERT INTO slice_leaf (kind, id, number, family, leaf, record) ";
const REPLACE: &str =
    " ON CONFLICT (kind, id) DO UPDATE SET number = excluded.number, family = excluded.family,
    leaf = excluded.leaf, record = excluded.record";
const REMOVE: &str = "DELETE FROM slice_leaf WHERE kind = $1 AND id = $2";
const LEAVES: &str = "SELECT kind, leaf FROM slice_leaf ORDER BY kind, id";
const RECORDS: &str =
    "SELECT kind, id, leaf, record FROM slice_leaf WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3";
const BY_NUMBER: &str = "SELECT record FROM slice_leaf WHERE kind = $1 AND number = $2";
const MEMBERS: &str = "SELECT record FROM slice_leaf WHERE kind = 2 AND family = $1 ORDER BY id";

fn read_state(bytes: Option<Vec<u8>>) -> Result<SliceState> {
    let Some(bytes) = bytes else { return Ok(SliceState::default()) };
    let wrong = StoreError::Inconsistent { table: "setting", column: STATE };
    let (expires, manifest) = bytes.split_first_chunk::<8>().ok_or(wrong)?;
    let wrong = |_| StoreError::Inconsistent { table: "setting", column: STATE };
    let manifest = pb::Manifest::decode(manifest).map_err(wrong)?;
    Ok(SliceState {
        version: manifest.version,
        keluarga: manifest.keluarga,
        individu: manifest.individu,
        expires_ms: i64::from_be_bytes(*expires),
        root: hex::encode(manifest.root),
    })
}

/// NIK or No. KK of a leaf, and the No. KK of a person's family, for looking up.
fn numbers(record: &[u8]) -> (Option<String>, Option<String>) {
    let Ok(record) = pb::SliceRecord::decode(record) else { return (None, None) };
    let text = |column: u16| {
        record.blocks.iter().filter_map(|b| b.block.as_ref()).find_map(|block| {
            let at = block.text_columns.iter().position(|c| *c == u32::from(column))?;
            block.texts.get(at).cloned()
        })
    };
    match RecordKind::from_wire(record.kind) {
        Some(RecordKind::Individu) => {
            (text(dtsen_proto::column::I_NIK.0), text(dtsen_proto::column::I_NOMOR_KARTU_KELUARGA.0))
        }
        _ => (text(dtsen_proto::column::K_NOMOR_KARTU_KELUARGA.0), None),
    }
}

async fn apply_part(
    conn: &mut SqliteConnection,
    changes: Vec<Change>,
) -> std::result::Result<(), SliceError> {
    let mut upserts: Vec<(LeafKey, Vec<u8>)> = Vec::with_capacity(changes.len());
    for change in changes {
        match change {
            Change::Upsert(key, record) => upserts.push((key, record)),
            Change::Tombstone((kind, id), _) => {
                let kind = i32::from(kind.to_wire());
                sqlx::query(REMOVE).bind(kind).bind(&id.as_bytes()[..]).execute(&mut *conn).await?;
            }
        }
    }
    bulk::insert(conn, PUT, REPLACE, &upserts, |values, ((kind, id), record)| {
        let (number, family) = numbers(record);
        values
            .push_bind(i32::from(kind.to_wire()))
            .push_bind(id.as_bytes().to_vec())
            .push_bind(number)
            .push_bind(family)
            .push_bind(merkle::leaf_hash(record).to_vec())
            .push_bind(record.clone());
    })
    .await?;
    Ok(())
}

/// Root and counts over everything that is in the table now.
async fn measure(conn: &mut SqliteConnection) -> std::result::Result<(Frontier, u64, u64), SliceError> {
    let (mut tree, mut keluarga, mut individu) = (Frontier::default(), 0, 0);
    let mut rows = sqlx::query(LEAVES).fetch(conn);
    while let Some(row) = rows.try_next().await? {
        let leaf: &[u8] = row.try_get(1)?;
        tree.push(leaf.try_into().map_err(|_| Refusal::ManifestMismatch)?);
        match RecordKind::from_wire(row.try_get(0)?) {
            Some(RecordKind::Keluarga) => keluarga += 1,
            _ => individu += 1,
        }
    }
    Ok((tree, keluarga, individu))
}

impl Store {
    /// The slice in use.
    pub async fn slice_state(&self) -> Result<SliceState> {
        read_state(self.setting(STATE).await?)
    }

    /// Version of the slice in use; 0 if there is none.
    pub async fn slice_version(&self) -> Result<u64> {
        Ok(self.slice_state().await?.version)
    }

    /// Bytes held of a part that is still arriving.
    pub async fn part_length(&self, digest: &[u8]) -> Result<usize> {
        let length: i64 = self
            .db
            .section(async {
                let mut conn = self.db.reader().await;
                sqlx::query_scalar(PART_LENGTH).bind(digest).fetch_one(&mut *conn).await
            })
            .await?;
        unsigned(length, "slice_part", "body")
    }

    /// Adds bytes at the end of a part.
    pub async fn add_part(&self, digest: &[u8], data: &[u8]) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                sqlx::query(PUT_PART).bind(digest).bind(data).execute(&mut *conn).await?;
                Ok(())
            })
            .await
    }

    /// Throws staged parts away: one of them was damaged.
    pub async fn clear_parts(&self) -> Result<()> {
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                sqlx::query(CLEAR_PARTS).execute(&mut *conn).await?;
                Ok(())
            })
            .await
    }

    /// Switches to the offered slice, or leaves everything as it was.
    pub async fn apply_slice(&self, offer: &Verified<Offer>) -> std::result::Result<(), SliceError> {
        let manifest = &offer.get().manifest;
        self.db
            .section(async {
                let mut conn = self.db.writer().await;
                let mut tx = conn.begin_with(BEGIN).await?;
                if manifest.base_version == 0 {
                    sqlx::query(CLEAR).execute(&mut *tx).await?;
                }
                for part in &manifest.parts {
                    let query = sqlx::query_scalar(PART).bind(&part.digest);
                    let bytes: Option<Vec<u8>> = query.fetch_optional(&mut *tx).await?;
                    let changes = slice::open_part(part, &bytes.unwrap_or_default())?;
                    apply_part(&mut tx, changes).await?;
                }
                let (tree, keluarga, individu) = measure(&mut tx).await?;
                let fits = tree.root().as_slice() == manifest.root
                    && keluarga == manifest.keluarga
                    && individu == manifest.individu;
                if !fits {
                    return Err(Refusal::ManifestMismatch.into());
                }
                let expires = offer.get().expires_ms.to_be_bytes();
                let state = [expires.as_slice(), &manifest.encode_to_vec()].concat();
                setting::set(&mut tx, STATE, &state).await?;
                sqlx::query(CLEAR_PARTS).execute(&mut *tx).await?;
                Ok(tx.commit().await?)
            })
            .await
    }

    /// Leaves after a kind and id, in the order of the tree.
    pub async fn slice_page(&self, kind: i32, id: &[u8], limit: u32) -> Result<Vec<(LeafKey, Vec<u8>)>> {
        let wrong = |column| StoreError::Inconsistent { table: "slice_leaf", column };
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let query = sqlx::query(RECORDS).bind(kind).bind(id).bind(limit);
                let rows = query.fetch_all(&mut *conn).await?;
                rows.iter()
                    .map(|row| {
                        let kind = RecordKind::from_wire(row.try_get(0)?).ok_or(wrong("kind"))?;
                        let id = RecordId::from_slice(row.try_get(1)?).ok_or(wrong("id"))?;
                        Ok(((kind, id), row.try_get(3)?))
                    })
                    .collect()
            })
            .await
    }

    /// Leaves with this NIK or No. KK.
    pub async fn slice_by_number(&self, kind: RecordKind, number: &str) -> Result<Vec<Vec<u8>>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let query = sqlx::query_scalar(BY_NUMBER).bind(i32::from(kind.to_wire())).bind(number);
                Ok(query.fetch_all(&mut *conn).await?)
            })
            .await
    }

    /// Leaves of the people of a family.
    pub async fn slice_members(&self, family: &str) -> Result<Vec<Vec<u8>>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                Ok(sqlx::query_scalar(MEMBERS).bind(family).fetch_all(&mut *conn).await?)
            })
            .await
    }
}
