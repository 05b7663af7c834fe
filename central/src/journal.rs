//! The log's sequencer: gives committed entries their place, signs the checkpoint.

use std::{sync::Arc, time::Duration};

use dtsen_kit::telemetry::chain;
use dtsen_proto::{
    checkpoint::Checkpoint,
    id::Position,
    merkle::{Hash, ProofPlan},
    pb,
    refusal::Refusal,
};
use tokio_util::sync::CancellationToken;

use crate::{
    hub::Hub,
    intake::Fault,
    lease::Lease,
    store::{Fence, StoreError, batch_leaf},
};

/// Name of the lease.
pub const LEASE: &str = "log";
/// Entries placed in one transaction.
const ENTRIES: u32 = 1_024;
/// How often an idle sequencer looks; entries are to be in the log within 60 s.
const IDLE: Duration = Duration::from_secs(1);

/// Sequences until told to stop.
pub async fn run(hub: Arc<Hub>, holder: String, stop: CancellationToken) {
    let mut lease = Lease::new(LEASE, holder);
    while !stop.is_cancelled() {
        match turn(&hub, &mut lease).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(error = %chain(&error), "the log pauses");
                lease.doubt();
            }
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = hub.log_work.notified() => {}
            () = tokio::time::sleep(IDLE) => {}
        }
    }
    lease.give(&hub).await;
}

async fn turn(hub: &Hub, lease: &mut Lease) -> Result<bool, StoreError> {
    lease.renew(hub).await?;
    match lease.fence() {
        Some(fence) => Ok(step(hub, fence).await? > 0),
        None => Ok(false),
    }
}

/// Places waiting entries. Returns how many.
pub async fn step(hub: &Hub, fence: &Fence) -> Result<u32, StoreError> {
    let generation = hub.generation().await?;
    let origin = Checkpoint::origin_of(&hub.name, generation);
    let sign = |size, root| Checkpoint { origin: origin.clone(), size, root }.sign(&hub.name, &hub.keys.log);
    hub.store.sequence(fence, generation, ENTRIES, &sign).await
}

/// The size of the checkpoint of the generation in force. Of another generation nothing is proved: whoever asks spoke with
/// this hub before it was restored, or before the next generation began, and has to say Hello.
async fn size_in_force(hub: &Hub, generation: u64) -> Result<u64, Fault> {
    if generation != hub.generation().await? {
        return Err(Refusal::LogInconsistent.into());
    }
    Ok(hub.store.checkpoint(generation).await?.map_or(0, |(size, _)| size))
}

/// The hashes of a proof from the log of a generation.
pub async fn prove(hub: &Hub, generation: u64, plan: &ProofPlan) -> Result<Vec<Hash>, Fault> {
    let hashes = hub.store.nodes(generation, &plan.nodes()).await?;
    Ok(plan.build(&hashes).ok_or(Refusal::NotFound { what: "log node" })?)
}

fn wire(proof: Vec<Hash>) -> Vec<Vec<u8>> {
    proof.into_iter().map(Vec::from).collect()
}

/// Proof that a batch is among the first `size` leaves of the log of a generation.
pub async fn inclusion(
    hub: &Hub,
    generation: u64,
    batch: Position,
    size: u64,
) -> Result<pb::InclusionProof, Fault> {
    let missing = Refusal::NotFound { what: "entry in a log of that size" };
    let held = size_in_force(hub, generation).await?;
    let index = hub.store.leaf_place(generation, &batch_leaf(batch)).await?.ok_or(missing.clone())?;
    let plan = ProofPlan::inclusion(index, size).filter(|_| size <= held).ok_or(missing)?;
    Ok(pb::InclusionProof { index, size, hashes: wire(prove(hub, generation, &plan).await?) })
}

/// Proof that the log of a generation only grew from one size to another.
pub async fn consistency(hub: &Hub, asked: pb::ConsistencyRequest) -> Result<pb::ConsistencyProof, Fault> {
    let pb::ConsistencyRequest { old_size, new_size, generation } = asked;
    let held = size_in_force(hub, generation).await?;
    let plan = ProofPlan::consistency(old_size, new_size).filter(|_| new_size <= held);
    let plan = plan.ok_or(Refusal::NotFound { what: "log of that size" })?;
    Ok(pb::ConsistencyProof { old_size, new_size, hashes: wire(prove(hub, generation, &plan).await?) })
}
