//! Whether the hub keeps its promise that what it took is in its log within a minute.

use dtsen_proto::{
    checkpoint::Checkpoint,
    envelope,
    merkle::{self, Hash},
    pb,
    refusal::Refusal,
};
use prost::Message as _;

use super::{Report, Session, SyncError};
use crate::store::{BatchRow, setting};

/// Time that the hub has for putting a batch into its log.
const PROMISE_MS: i64 = 60_000;
/// Batches asked for in one exchange.
const AT_ONCE: u32 = 32;

/// Asks for proof of batches whose minute is over. A batch that is not there is told, and nothing else stops: a log that
/// stands still is trouble of the hub, a log that shows another history ends the exchange.
pub(super) async fn check(session: &mut Session<'_>, report: &mut Report) -> Result<(), SyncError> {
    let agent = session.agent;
    let Some(note) = agent.store.text_setting(setting::CHECKPOINT).await? else { return Ok(()) };
    let log = Checkpoint::open(&note, &agent.hub.name, &agent.hub.log)?.into_inner();
    for batch in agent.store.unlogged(AT_ONCE).await? {
        let Some(receipt) = receipt(&batch) else { continue };
        if receipt.custody_ms + PROMISE_MS > session.now_ms {
            break;
        }
        // What was taken in an earlier generation is in the log that ended with it.
        if receipt.generation == session.generation && !prove(session, &batch, &log).await? {
            report.unlogged += 1;
            tracing::error!(batch = %batch.position, "the hub's log does not have a batch that it took");
            continue;
        }
        agent.store.set_logged(batch.position).await?;
    }
    Ok(())
}

fn receipt(batch: &BatchRow) -> Option<pb::Receipt> {
    pb::Receipt::decode(batch.receipt.as_ref()?.payload.as_slice()).ok()
}

async fn prove(session: &mut Session<'_>, batch: &BatchRow, log: &Checkpoint) -> Result<bool, SyncError> {
    let (epoch, sequence) = (batch.position.epoch, batch.position.sequence.into());
    let generation = session.generation;
    let request = pb::InclusionRequest { epoch, sequence, size: log.size, generation };
    let proof = match session.client.inclusion(request).await.map_err(SyncError::from) {
        Ok(reply) => reply.into_inner().proof,
        Err(error) if error.is_not_found() => None,
        Err(other) => return Err(other),
    };
    let Some(proof) = proof else { return Ok(false) };
    let path: Option<Vec<Hash>> = proof.hashes.iter().map(|h| h.as_slice().try_into().ok()).collect();
    let path = path.ok_or(Refusal::Malformed { what: "inclusion proof" })?;
    let leaf = envelope::log_leaf(&batch.header);
    if merkle::root_from_inclusion(leaf, proof.index, log.size, &path) == Some(log.root) {
        Ok(true)
    } else {
        Err(Refusal::LogInconsistent.into())
    }
}
