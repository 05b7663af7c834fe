//! The first call of every connection: heads are compared, the session token is rotated.

use dtsen_proto::{
    batch,
    chain::Head,
    checkpoint::Checkpoint,
    envelope::{self, PayloadType},
    id::{BatchId, Position},
    key::PublicKey,
    merkle, pb,
    refusal::Refusal,
};
use prost::Message as _;
use sha2::{Digest, Sha256};

use crate::{
    hub::{Decided, Hub, setting},
    intake::{Fault, freeze},
    store::{RegionRow, Status},
};

/// Answers a Hello.
pub async fn hello(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
) -> Result<pb::HelloReply, Fault> {
    if request.protocol != dtsen_proto::PROTOCOL_VERSION {
        return Err(Refusal::ProtocolVersion { needed: dtsen_proto::PROTOCOL_VERSION }.into());
    }
    let head = hub.store.head(region.region).await?.ok_or(Refusal::Suspended)?;
    let generation = hub.generation().await?;
    let mut reply = base(hub, region, head, generation).await?;
    let stopped = match region.status {
        Status::Active => None,
        Status::Forked => Some(pb::Standing::Forked),
        Status::Cloned => Some(pb::Standing::Cloned),
        _ => Some(pb::Standing::Suspended),
    };
    if let Some(standing) = stopped {
        reply.standing = standing.into();
        return Ok(reply);
    }
    // While the hub is behind no token moves: what it remembers of them may be as old as its copy.
    if shows_what_is_lost(hub, region, request, head, generation).await? {
        stop_intake(hub, region, request).await?;
        reply.standing = pb::Standing::HubBehind.into();
        return Ok(reply);
    }
    if hub.stopped().await?.is_some() {
        reply.standing = pb::Standing::HubBehind.into();
        return Ok(reply);
    }
    // The first Hello of a region in a new generation: its last tokens were lost with everything else.
    let forgotten = request.generation < generation && request.epoch >= head.position.epoch;
    if !rotate(hub, region, request, forgotten, &mut reply).await? {
        freeze(hub, region, Status::Cloned, None, "token sesi lama dipakai: salinan node sedang berjalan")
            .await?;
        reply.standing = pb::Standing::Cloned.into();
        return Ok(reply);
    }
    let standing = compare(hub, region, request, head, generation).await?;
    reply.standing = standing.into();
    if standing == pb::Standing::HandBack && request.sealed_unreceipted == 0 {
        finish_hand_back(hub, region, request, head, generation, &mut reply).await?;
    }
    Ok(reply)
}

async fn base(hub: &Hub, region: &RegionRow, head: Head, generation: u64) -> Result<pb::HelloReply, Fault> {
    let checkpoint = hub.store.checkpoint(generation).await?;
    let decision = match hub.store.setting(setting::GENERATION_DECISION).await? {
        Some(bytes) => pb::Envelope::decode(bytes.as_slice()).ok(),
        None => None,
    };
    Ok(pb::HelloReply {
        standing: pb::Standing::Unspecified.into(),
        session: Vec::new(),
        epoch: head.position.epoch,
        sequence: head.position.sequence.into(),
        head: head.id.as_bytes().to_vec(),
        checkpoint: checkpoint.map(|(_, note)| pb::Checkpoint { note }),
        generation,
        generation_decision: decision,
        feed: hub.store.feed_end(region.region).await?,
        rulebook: hub.rulebook().version(),
        rulebook_digest: Sha256::digest(&hub.rulebook).to_vec(),
        release: hub.store.release(None).await?.map_or(0, |r| r.version),
        now_ms: hub.ambient.now_ms(),
        next_epoch: 0,
    })
}

/// Rotates the session token. The one before stays valid for a reply that was lost; anything older is a copy.
async fn rotate(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
    forgotten: bool,
    reply: &mut pb::HelloReply,
) -> Result<bool, Fault> {
    let Some((current, before)) = hub.store.session(region.region).await? else { return Ok(false) };
    if request.session != current && request.session != before && !forgotten {
        return Ok(false);
    }
    let fresh = hub.ambient.bytes::<16>().to_vec();
    let rotated = hub.store.rotate_session(region.region, &current, &fresh, &request.session).await?;
    reply.session = fresh;
    // Two connections at once with the same token: the slower one says Hello again.
    if rotated { Ok(true) } else { Err(Refusal::Quota { retry_after_ms: 200 }.into()) }
}

/// Compares what the node holds with what the hub holds.
async fn compare(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
    head: Head,
    generation: u64,
) -> Result<pb::Standing, Fault> {
    let node = node_head(region, request)?;
    if request.generation < generation {
        // A version that a region holds is never given again.
        remember_version(hub, request.slice_version).await?;
        return Ok(pb::Standing::HandBack);
    }
    let at_same_place = match node.position.sequence {
        _ if node.position == head.position => Some(head.id),
        0 => None,
        _ => hub.store.batch(node.position).await?.map(|b| b.id),
    };
    if at_same_place.is_some_and(|id| id != node.id) {
        let evidence = request.header.as_ref().map(|h| (batch::id(h), h));
        freeze(hub, region, Status::Forked, evidence, "kepala rantai node dan pusat berbeda").await?;
        return Ok(pb::Standing::Forked);
    }
    if node.position.epoch < head.position.epoch || node.position.sequence < head.position.sequence {
        return Ok(pb::Standing::NodeBehind);
    }
    Ok(pb::Standing::Ok)
}

/// Whether the node shows what this hub once had and now has not: the hub was restored from an older copy.
async fn shows_what_is_lost(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
    head: Head,
    generation: u64,
) -> Result<bool, Fault> {
    if request.generation != generation {
        return Ok(request.generation > generation);
    }
    Ok(request.epoch > head.position.epoch
        || shows_lost_receipt(hub, region, request).await?
        || shows_lost_log(hub, request, generation).await?)
}

/// Whether the node shows a checkpoint of this generation's log that the log does not continue.
async fn shows_lost_log(hub: &Hub, request: &pb::HelloRequest, generation: u64) -> Result<bool, Fault> {
    let Some(shown) = &request.checkpoint else { return Ok(false) };
    let open = |note: &str| Checkpoint::open(note, &hub.name, &hub.keys.log.public());
    let shown = open(&shown.note)?.into_inner();
    if shown.origin != Checkpoint::origin_of(&hub.name, generation) {
        return Ok(false);
    }
    let Some((_, note)) = hub.store.checkpoint(generation).await? else { return Ok(true) };
    let own = open(&note)?.into_inner();
    let Some(plan) = merkle::ProofPlan::consistency(shown.size, own.size) else { return Ok(true) };
    let hashes = hub.store.nodes(generation, &plan.nodes()).await?;
    let proof = plan.build(&hashes).ok_or(Refusal::NotFound { what: "log node" })?;
    Ok(!merkle::is_consistent(shown.size, &shown.root, own.size, &own.root, &proof))
}

/// Keeps the highest version of a slice that a region showed.
async fn remember_version(hub: &Hub, version: u64) -> Result<(), Fault> {
    let mut evidence = crate::generation::evidence(hub).await?;
    if version > evidence.log_size {
        evidence.log_size = version;
        hub.store.set_setting(setting::LOST_EVIDENCE, evidence.encode_to_vec()).await?;
    }
    Ok(())
}

fn node_head(region: &RegionRow, request: &pb::HelloRequest) -> Result<Head, Refusal> {
    let malformed = Refusal::Malformed { what: "hello request" };
    let sequence = u32::try_from(request.sequence).map_err(|_| malformed.clone())?;
    let id = BatchId::from_slice(&request.head).ok_or(malformed)?;
    Ok(Head::after(Position { region: region.region, epoch: request.epoch, sequence }, id))
}

/// Whether the node shows a receipt of this hub for a batch that the hub does not have: the hub was restored.
async fn shows_lost_receipt(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
) -> Result<bool, Fault> {
    let Some(receipt) = &request.receipt else { return Ok(false) };
    let key = PublicKey::from_slice(hub.keys.receipt.public().as_bytes()).map_err(|_| Refusal::KeyUnknown)?;
    let receipt = envelope::verify::<pb::Receipt>(receipt, PayloadType::RECEIPT, &key)?.into_inner();
    if receipt.region != region.region.to_string() {
        return Err(Refusal::WrongRegion.into());
    }
    let sequence = u32::try_from(receipt.sequence).map_err(|_| Refusal::Malformed { what: "receipt" })?;
    let position = Position { region: region.region, epoch: receipt.epoch, sequence };
    let stored = hub.store.batch(position).await?;
    Ok(stored.is_none_or(|b| b.id.as_bytes() != receipt.batch_id.as_slice()))
}

/// Intake stops for everybody until an operator confirms a new generation.
async fn stop_intake(hub: &Hub, region: &RegionRow, request: &pb::HelloRequest) -> Result<(), Fault> {
    let mut evidence = match hub.store.setting(setting::LOST_EVIDENCE).await? {
        Some(bytes) => pb::GenerationAct::decode(bytes.as_slice()).unwrap_or_default(),
        None => pb::GenerationAct::default(),
    };
    let name = region.region.to_string();
    evidence.evidence.retain(|h| h.region != name);
    evidence.evidence.push(pb::RegionHead {
        region: name,
        epoch: request.epoch,
        sequence: request.sequence,
        batch_id: request.head.clone(),
        feed: request.feed,
    });
    // Versions that regions hold are never given again.
    evidence.log_size = evidence.log_size.max(request.slice_version);
    evidence.generation = evidence.generation.max(request.generation);
    hub.store.set_setting(setting::LOST_EVIDENCE, evidence.encode_to_vec()).await?;
    if hub.stopped().await?.is_none() {
        let why = format!("daerah {} menunjukkan tanda terima yang tidak ada di pusat ini", region.region);
        tracing::error!(region = %region.region, "intake stopped: the hub was restored from an older copy");
        hub.store.set_setting(setting::STOPPED, why.into_bytes()).await?;
    }
    Ok(())
}

/// The node has handed back everything: the old epoch closes, the next opens.
async fn finish_hand_back(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
    head: Head,
    generation: u64,
    reply: &mut pb::HelloReply,
) -> Result<(), Fault> {
    let node = node_head(region, request)?;
    let opened_before = Position { epoch: node.position.epoch + 1, sequence: 0, ..node.position };
    if head.position == opened_before && head.id == node.id {
        // The reply was lost, and the node says it again.
        reply.next_epoch = head.position.epoch;
        return Ok(());
    }
    if node.position != head.position || node.id != head.id {
        return Ok(());
    }
    let (closed, opened) = (head.position.epoch, head.position.epoch + 1);
    let act = pb::decision::Act::Epoch(pb::EpochAct {
        region: region.region.to_string(),
        closed,
        opened,
        last_sequence: head.position.sequence.into(),
    });
    let make = hub.decision_entry(generation, Decided::by_rule("generasi baru pusat"), act);
    hub.store.open_epoch(region.region, closed, opened, &make).await?;
    hub.log_work.notify_one();
    reply.next_epoch = opened;
    Ok(())
}
