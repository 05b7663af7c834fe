//! The slice in use against what the hub signed.

use dtsen_proto::{
    merkle::{self, Frontier},
    pb,
    record::RecordKind,
};
use prost::Message as _;

use super::{Result, Store, numbers};

const WHOLE: &str = "SELECT kind, id, number, family, leaf, record FROM slice_leaf
    WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3";
/// Leaves read at once.
const PAGE: u32 = 2_000;

/// A leaf as kept: kind, id, number, number of the family, hash, record.
type Leaf = (i32, Vec<u8>, Option<String>, Option<String>, Vec<u8>, Vec<u8>);

/// Whether what stands beside a record follows from it.
fn fits((kind, id, number, family, leaf, record): &Leaf) -> bool {
    let read = pb::SliceRecord::decode(record.as_slice()).unwrap_or_default();
    (read.kind, &read.record_id) == (*kind, id)
        && merkle::leaf_hash(record).as_slice() == leaf
        && numbers(record) == (number.clone(), family.clone())
}

impl Store {
    /// Whether the slice in use is, leaf for leaf, what the hub signed.
    pub async fn verify_slice(&self) -> Result<bool> {
        let state = self.slice_state().await?;
        let (mut tree, mut counts) = (Frontier::default(), [0, 0]);
        let mut after = (0, Vec::new());
        loop {
            let page = self.whole_leaves(&after).await?;
            let Some(last) = page.last() else { break };
            after = (last.0, last.1.clone());
            for leaf in &page {
                if !fits(leaf) {
                    return Ok(false);
                }
                tree.push(merkle::leaf_hash(&leaf.5));
                counts[usize::from(RecordKind::from_wire(leaf.0) != Some(RecordKind::Keluarga))] += 1;
            }
        }
        if state.version == 0 {
            return Ok(tree.size() == 0);
        }
        Ok(hex::encode(tree.root()) == state.root && counts == [state.keluarga, state.individu])
    }

    async fn whole_leaves(&self, after: &(i32, Vec<u8>)) -> Result<Vec<Leaf>> {
        self.db
            .section(async {
                let mut conn = self.db.reader().await;
                let query = sqlx::query_as(WHOLE).bind(after.0).bind(&after.1).bind(PAGE);
                Ok(query.fetch_all(&mut *conn).await?)
            })
            .await
    }
}
