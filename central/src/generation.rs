//! A new generation: after the hub was restored from an older copy and an operator confirmed it.

use dtsen_proto::pb;
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

/// Begins the next generation: a new log whose first entry names both ends of the break; intake opens again.
pub async fn confirm(hub: &Hub, decided: Decided) -> Result<u64, GenerationError> {
    if hub.stopped().await?.is_none() {
        return Err(GenerationError::NotStopped);
    }
    let old = hub.generation().await?;
    let shown = evidence(hub).await?;
    let generation = old.max(shown.generation) + 1;
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
    let last = hub.store.checkpoint(old).await?;
    let act = pb::GenerationAct {
        generation,
        heads,
        log_size: last.as_ref().map_or(0, |(size, _)| *size),
        log_root: Vec::new(),
        evidence: shown.evidence.clone(),
    };
    // The statement is the first entry of the new log: the generation counts from here on.
    let make = hub.decision(generation, decided, pb::decision::Act::GenerationAct(act));
    let number = hub.store.append_decision(&|number| make(number).encode_to_vec()).await?;
    let statement = make(number).encode_to_vec();
    hub.store.set_setting(setting::GENERATION_DECISION, statement).await?;
    hub.store.set_setting(setting::GENERATION, generation.to_be_bytes().to_vec()).await?;
    hub.store.set_setting(setting::STOPPED, Vec::new()).await?;
    hub.log_work.notify_one();
    Ok(generation)
}
