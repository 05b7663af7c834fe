//! What a node shows and this hub does not have, by this hub's own signatures: it was restored from an older copy.
//! A claim without a signature is evidence of nothing.

use dtsen_proto::{
    chain::Head,
    checkpoint::Checkpoint,
    envelope::{self, PayloadType},
    id::{BatchId, Position},
    merkle, pb,
    refusal::Refusal,
};
use prost::Message as _;

use crate::{
    generation::lost,
    hub::{Hub, setting},
    intake::Fault,
    journal,
    session::{Session, Token},
    store::RegionRow,
};

/// What the node's evidence says.
pub(super) struct Shown {
    /// Whether the hub lost something.
    pub(super) lost: bool,
    /// The highest generation that this hub once signed for the node.
    pub(super) generation: u64,
    /// Id of the last batch that the node has a receipt for.
    pub(super) last: Option<BatchId>,
    /// Whether the hub does not have it.
    pub(super) missing: bool,
}

/// Looks at everything signed that the node shows; `reply` says what is in force here.
pub(super) async fn weigh(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
    head: Head,
    session: &Session,
    reply: &pb::HelloReply,
) -> Result<Shown, Fault> {
    let own = reply.generation;
    let token = Token::read(&hub.keys.receipt, region.region, &request.session);
    let receipt = receipt(hub, region, request)?;
    let checkpoint = checkpoint(hub, request)?;
    let by_statement = match &request.generation_statement {
        Some(statement) => generation_of(hub, statement)?,
        None => 1,
    };
    let generation = by_statement
        .max(receipt.as_ref().map_or(1, |r| r.generation))
        .max(token.map_or(1, |token| token.generation));
    if request.generation > own && request.generation > generation {
        return Err(Refusal::NotFound { what: "statement of that generation" }.into());
    }
    // After a second restore it may have counted to the same number.
    let began_twice = by_statement == own
        && request.generation_statement.is_some()
        && request.generation_statement != reply.generation_decision;
    let missing = receipt_is_lost(hub, region, receipt.as_ref()).await?;
    let lost = generation > own
        || began_twice
        || token.is_some_and(|token| token.generation == own && Some(token) > session.last())
        || epoch_is_lost(hub, region, request, head)?
        || missing
        || verdicts_are_lost(hub, region, request).await?
        || checkpoint_is_lost(hub, own, checkpoint.as_ref()).await?;
    let newest = receipt.and_then(|receipt| BatchId::from_slice(&receipt.batch_id));
    Ok(Shown { lost: lost && request.generation >= own, generation, last: newest, missing })
}

fn receipt(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
) -> Result<Option<pb::Receipt>, Refusal> {
    let Some(shown) = &request.receipt else { return Ok(None) };
    let key = hub.keys.receipt.public();
    let receipt = envelope::verify::<pb::Receipt>(shown, PayloadType::RECEIPT, &key)?.into_inner();
    if receipt.region != region.region.to_string() {
        return Err(Refusal::WrongRegion);
    }
    Ok(Some(receipt))
}

fn checkpoint(hub: &Hub, request: &pb::HelloRequest) -> Result<Option<Checkpoint>, Refusal> {
    let Some(shown) = &request.checkpoint else { return Ok(None) };
    Ok(Some(Checkpoint::open(&shown.note, &hub.name, &hub.keys.log.public())?.into_inner()))
}

/// The act of a decision that this hub signed.
pub fn decided(hub: &Hub, statement: &pb::Envelope) -> Result<Option<pb::decision::Act>, Refusal> {
    let key = hub.keys.receipt.public();
    Ok(envelope::verify::<pb::Decision>(statement, PayloadType::DECISION, &key)?.into_inner().act)
}

fn generation_of(hub: &Hub, statement: &pb::Envelope) -> Result<u64, Refusal> {
    match decided(hub, statement)? {
        Some(pb::decision::Act::GenerationAct(act)) => Ok(act.generation),
        _ => Err(Refusal::Malformed { what: "generation statement" }),
    }
}

/// Whether this hub once opened a later epoch for the region.
fn epoch_is_lost(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
    head: Head,
) -> Result<bool, Refusal> {
    let Some(statement) = &request.epoch_statement else { return Ok(false) };
    match decided(hub, statement)? {
        Some(pb::decision::Act::Epoch(act)) if act.region == region.region.to_string() => {
            Ok(act.opened > head.position.epoch)
        }
        _ => Err(Refusal::Malformed { what: "epoch statement" }),
    }
}

/// Whether the batch that this hub took into custody is not there.
async fn receipt_is_lost(
    hub: &Hub,
    region: &RegionRow,
    receipt: Option<&pb::Receipt>,
) -> Result<bool, Fault> {
    let Some(receipt) = receipt else { return Ok(false) };
    let sequence = u32::try_from(receipt.sequence).map_err(|_| Refusal::Malformed { what: "receipt" })?;
    let position = Position { region: region.region, epoch: receipt.epoch, sequence };
    let stored = hub.store.batch_id(position).await?;
    Ok(stored.is_none_or(|id| id.as_bytes() != receipt.batch_id.as_slice()))
}

/// Whether the last entry of the feed is another one here, or none. A hub that was restored to the time between custody
/// and verdict judges again, in another order.
async fn verdicts_are_lost(hub: &Hub, region: &RegionRow, request: &pb::HelloRequest) -> Result<bool, Fault> {
    let Some(shown) = &request.verdicts else { return Ok(false) };
    Ok(lost::weigh(hub, region.region, shown).await?.1)
}

/// Whether the log is not a continuation of the checkpoint that this hub signed.
async fn checkpoint_is_lost(hub: &Hub, generation: u64, shown: Option<&Checkpoint>) -> Result<bool, Fault> {
    let Some(shown) = shown else { return Ok(false) };
    if shown.origin != Checkpoint::origin_of(&hub.name, generation) {
        // Of an earlier generation, or of a later one, which its statement shows.
        return Ok(false);
    }
    let Some((_, note)) = hub.store.checkpoint(generation).await? else { return Ok(true) };
    let own = Checkpoint::open(&note, &hub.name, &hub.keys.log.public())?.into_inner();
    let Some(plan) = merkle::ProofPlan::consistency(shown.size, own.size) else { return Ok(true) };
    let proof = journal::prove(hub, generation, &plan).await?;
    Ok(!merkle::is_consistent(shown.size, &shown.root, own.size, &own.root, &proof))
}

/// Intake stops for everybody until an operator confirms a new generation.
pub(super) async fn stop_intake(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
    shown: &Shown,
) -> Result<(), Fault> {
    let mut evidence = crate::generation::evidence(hub).await?;
    let name = region.region.to_string();
    evidence.evidence.retain(|h| h.region != name);
    evidence.evidence.push(pb::RegionHead {
        region: name,
        epoch: request.epoch,
        sequence: request.sequence,
        batch_id: request.head.clone(),
        feed: request.feed,
    });
    evidence.generation = evidence.generation.max(shown.generation);
    hub.store.set_setting(setting::LOST_EVIDENCE, evidence.encode_to_vec()).await?;
    if hub.stopped().await?.is_none() {
        let why =
            format!("daerah {} menunjukkan bukti bertanda tangan yang tidak ada di pusat ini", region.region);
        tracing::error!(region = %region.region, "intake stopped: the hub was restored from an older copy");
        hub.store.set_setting(setting::STOPPED, why.into_bytes()).await?;
    }
    Ok(())
}
