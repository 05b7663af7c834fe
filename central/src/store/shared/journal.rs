//! The transparency log: places, nodes and checkpoints.

use std::collections::BTreeMap;

use async_trait::async_trait;
use dtsen_proto::merkle::{Frontier, Hash, Node};

use super::{Conn, Handle, add, apply, begin, decisions, regions, stored_nodes, texts};
use crate::store::{
    Fence, Journal, LeafRow, MakeEntry, Result, Session, SignLog, StoreError,
    bulk::Rows,
    copy, retried, setting,
    value::{Of, signed},
};

const LEAF: Of = Of("log_leaf");
const NODE: Of = Of("log_node");
const QUEUE: Of = Of("log_queue");
const CHECKPOINT: Of = Of("checkpoint");

async fn last_size(conn: &mut Conn, generation: u64) -> Result<Option<u64>> {
    let found = sqlx::query_scalar("SELECT size FROM checkpoint WHERE generation = $1");
    let size: Option<i64> = found.bind(signed(generation)).fetch_optional(conn).await?;
    size.map(|size| CHECKPOINT.number("size", size)).transpose()
}

/// Hashes of stored nodes, in the order asked for.
async fn load(conn: &mut Conn, generation: u64, nodes: &[Node]) -> Result<Vec<Hash>> {
    let mut found = BTreeMap::new();
    for (level, place, hash) in stored_nodes(conn, signed(generation), nodes).await? {
        let node = Node { level: NODE.number("level", level)?, index: NODE.number("place", place)? };
        found.insert(node, NODE.hash("hash", &hash)?);
    }
    nodes.iter().map(|node| found.get(node).copied().ok_or(NODE.wrong("place"))).collect()
}

/// Puts the checkpoint in the place of the one of the old size.
async fn put_checkpoint(
    conn: &mut Conn,
    generation: u64,
    old: Option<u64>,
    size: u64,
    note: &str,
) -> Result<()> {
    let change = match old {
        Some(old) => {
            sqlx::query("UPDATE checkpoint SET size = $2, note = $3 WHERE generation = $1 AND size = $4")
                .bind(signed(generation))
                .bind(signed(size))
                .bind(note)
                .bind(signed(old))
        }
        None => sqlx::query(
            "INSERT INTO checkpoint (generation, size, note) VALUES ($1, $2, $3)
             ON CONFLICT (generation) DO NOTHING",
        )
        .bind(signed(generation))
        .bind(signed(size))
        .bind(note),
    };
    match change.execute(conn).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

/// An entry that waits: name, kind, leaf.
type Queued = (String, i64, Vec<u8>);

/// The generation in force.
async fn generation_in_force(conn: &mut Conn) -> Result<u64> {
    let found = sqlx::query_scalar("SELECT value FROM setting WHERE name = $1");
    let value: Option<Vec<u8>> = found.bind(setting::GENERATION).fetch_optional(conn).await?;
    Ok(setting::read_generation(value))
}

/// Puts the generation in the place of another, if that is in force.
async fn replace_generation(conn: &mut Conn, old: u64, new: u64) -> Result<()> {
    if generation_in_force(conn).await? != old {
        return Err(StoreError::Conflict);
    }
    let change = sqlx::query(
        "INSERT INTO setting (name, value) VALUES ($1, $2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE setting.value = $3",
    );
    let change = change.bind(setting::GENERATION).bind(new.to_be_bytes().to_vec());
    match change.bind(old.to_be_bytes().to_vec()).execute(conn).await?.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict),
    }
}

/// Gives waiting entries their places.
async fn place(conn: &mut Conn, generation: u64, queue: &[Queued], sign: SignLog<'_>) -> Result<()> {
    let old = last_size(conn, generation).await?;
    let size = old.unwrap_or(0);
    let edge = load(conn, generation, &Frontier::nodes(size)).await?;
    let mut tree = Frontier::resume(size, edge).ok_or(NODE.wrong("place"))?;
    let (mut leaves, mut nodes) = (Rows::new(&copy::LOG_LEAF, ""), Rows::new(&copy::LOG_NODE, ""));
    for (name, kind, leaf) in queue {
        let hash = QUEUE.hash("leaf", leaf)?;
        leaves.push([
            generation.into(),
            tree.size().into(),
            (*kind).into(),
            name.as_str().into(),
            leaf.as_slice().into(),
        ]);
        for (node, hash) in tree.push(hash) {
            let level = u32::from(node.level);
            nodes.push([generation.into(), level.into(), node.index.into(), hash.as_slice().into()]);
        }
    }
    add(conn, leaves).await?;
    add(conn, nodes).await?;
    let note = sign(tree.size(), tree.root());
    put_checkpoint(conn, generation, old, tree.size(), &note).await?;
    let placed = sqlx::query(concat!("DELETE FROM log_queue WHERE name ", in_texts!(1)));
    placed.bind(texts(queue.iter().map(|(name, ..)| name.as_str()))).execute(conn).await?;
    Ok(())
}

impl Handle {
    async fn try_begin_generation(
        &self,
        old: u64,
        new: u64,
        make: MakeEntry<'_>,
        sign: SignLog<'_>,
    ) -> Result<()> {
        self.section(async {
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            replace_generation(&mut tx, old, new).await?;
            let number = decisions::append(&mut tx, make).await?;
            let own = sqlx::query_as("SELECT name, kind, leaf FROM log_queue WHERE name = $1");
            let own: Queued = own.bind(decisions::log_name(number)).fetch_one(&mut *tx).await?;
            place(&mut tx, new, &[own], sign).await?;
            regions::put_setting(&mut tx, setting::GENERATION_DECISION, make(number)).await?;
            sqlx::query("DELETE FROM setting WHERE name IN ($1, $2)")
                .bind(setting::STOPPED)
                .bind(setting::LOST_EVIDENCE)
                .execute(&mut *tx)
                .await?;
            let open = Session::open();
            sqlx::query("UPDATE session SET current = $1, before = $1, other = $1, suspect = $1")
                .bind(open.current)
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}

#[async_trait]
impl Journal for Handle {
    async fn checkpoint(&self, generation: u64) -> Result<Option<(u64, String)>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as("SELECT size, note FROM checkpoint WHERE generation = $1");
            let row: Option<(i64, String)> =
                found.bind(signed(generation)).fetch_optional(&mut *conn).await?;
            row.map(|(size, note)| Ok((CHECKPOINT.number("size", size)?, note))).transpose()
        })
        .await
    }

    async fn sequence(&self, fence: &Fence, generation: u64, limit: u32, sign: SignLog<'_>) -> Result<u32> {
        self.section(async {
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            apply::hold(&mut tx, fence).await?;
            if generation_in_force(&mut tx).await? != generation {
                return Err(StoreError::Conflict);
            }
            let found = sqlx::query_as("SELECT name, kind, leaf FROM log_queue ORDER BY name LIMIT $1");
            let queue: Vec<Queued> = found.bind(i64::from(limit)).fetch_all(&mut *tx).await?;
            if queue.is_empty() {
                tx.rollback().await?;
                return Ok(0);
            }
            place(&mut tx, generation, &queue, sign).await?;
            tx.commit().await?;
            QUEUE.number("name", signed(queue.len() as u64))
        })
        .await
    }

    async fn begin_generation(
        &self,
        old: u64,
        new: u64,
        make: MakeEntry<'_>,
        sign: SignLog<'_>,
    ) -> Result<()> {
        retried!(self.try_begin_generation(old, new, make, sign).await)
    }

    async fn leaf_place(&self, generation: u64, name: &str) -> Result<Option<u64>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_scalar("SELECT place FROM log_leaf WHERE name = $1 AND generation = $2");
            let place: Option<i64> =
                found.bind(name).bind(signed(generation)).fetch_optional(&mut *conn).await?;
            place.map(|place| LEAF.number("place", place)).transpose()
        })
        .await
    }

    async fn nodes(&self, generation: u64, nodes: &[Node]) -> Result<Vec<Hash>> {
        self.section(async { load(&mut *self.read_conn().await?, generation, nodes).await }).await
    }

    async fn unlogged(&self) -> Result<Vec<String>> {
        self.section(async {
            let mut conn = self.read_conn().await?;
            Ok(sqlx::query_scalar("SELECT name FROM log_queue ORDER BY name").fetch_all(&mut *conn).await?)
        })
        .await
    }

    async fn leaves(&self, generation: u64, from: u64, limit: u32) -> Result<Vec<LeafRow>> {
        type Row = (i64, i64, String, Vec<u8>);

        self.section(async {
            let mut conn = self.read_conn().await?;
            let found = sqlx::query_as::<_, Row>(
                "SELECT place, kind, name, leaf FROM log_leaf
                 WHERE generation = $1 AND place >= $2 ORDER BY place LIMIT $3",
            );
            let found = found.bind(signed(generation)).bind(signed(from)).bind(i64::from(limit));
            let read = |(place, kind, name, leaf): Row| {
                let (place, kind) = (LEAF.number("place", place)?, LEAF.number("kind", kind)?);
                Ok(LeafRow { place, kind, name, leaf: LEAF.hash("leaf", &leaf)? })
            };
            found.fetch_all(&mut *conn).await?.into_iter().map(read).collect()
        })
        .await
    }
}
