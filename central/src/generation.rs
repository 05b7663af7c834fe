//! A new generation: after the hub was restored from an older copy and an operator confirmed it.

pub mod lost;

use dtsen_proto::{checkpoint::Checkpoint, merkle, pb};
use prost::Message as _;

use crate::{
    hub::{Decided, Hub, setting},
    store::StoreError,
};

/// A generation that cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum GenerationError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Nothing is wrong.
    #[error(
        "penerimaan tidak berhenti: tidak ada daerah yang menunjukkan data yang hilang, jadi tidak ada yang dikonfirmasi"
    )]
    NotStopped,
}

/// What regions showed and the hub does not hold.
pub async fn evidence(hub: &Hub) -> Result<pb::GenerationAct, StoreError> {
    let stored = hub.store.setting(setting::LOST_EVIDENCE).await?;
    Ok(stored.and_then(|b| pb::GenerationAct::decode(b.as_slice()).ok()).unwrap_or_default())
}

/// Begins the next generation: a new log whose first entry names both ends of the break; every region goes on under
/// a new epoch; intake opens again.
pub async fn confirm(hub: &Hub, decided: Decided) -> Result<u64, GenerationError> {
    if hub.stopped().await?.is_none() {
        return Err(GenerationError::NotStopped);
    }
    let old = hub.generation().await?;
    let shown = evidence(hub).await?;
    let generation = old.max(shown.generation) + 1;
    let ended = match hub.store.checkpoint(old).await? {
        Some((_, note)) => Checkpoint::open(&note, &hub.name, &hub.keys.log.public())
            .map_err(|_| StoreError::Inconsistent { table: "checkpoint", column: "note" })?
            .into_inner(),
        None => Checkpoint { origin: String::new(), size: 0, root: merkle::root(&[]) },
    };
    let act = pb::GenerationAct {
        generation,
        heads: heads(hub).await?,
        log_size: ended.size,
        log_root: ended.root.to_vec(),
        evidence: shown.evidence,
    };
    let make = hub.decision_entry(generation, decided, pb::decision::Act::GenerationAct(act));
    let origin = Checkpoint::origin_of(&hub.name, generation);
    let sign = |size, root| Checkpoint { origin: origin.clone(), size, root }.sign(&hub.name, &hub.keys.log);
    hub.store.begin_generation(old, generation, &make, &sign).await?;
    hub.log_work.notify_one();
    Ok(generation)
}

/// What this hub holds of every region.
async fn heads(hub: &Hub) -> Result<Vec<pb::RegionHead>, StoreError> {
    let mut heads = Vec::new();
    for row in hub.store.regions().await? {
        let Some(head) = hub.store.head(row.region).await? else { continue };
        heads.push(pb::RegionHead {
            region: row.region.to_string(),
            epoch: head.position.epoch,
            sequence: head.position.sequence.into(),
            batch_id: head.id.as_bytes().to_vec(),
            feed: hub.store.feed_end(row.region).await?,
        });
    }
    Ok(heads)
}
