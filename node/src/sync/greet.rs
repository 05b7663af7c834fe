//! Hello: heads, log and generation are compared; the session token is stored before it is used.

use dtsen_proto::{
    chain::Head,
    checkpoint::Checkpoint,
    envelope::{self, PayloadType},
    id::{BatchId, Position},
    merkle::{self, Hash},
    pb,
    refusal::Refusal,
};
use prost::Message as _;
use tonic::transport::Channel;

use super::{Agent, Session, Stop, SyncError};
use crate::store::setting;

/// Says Hello and acts on the answer.
pub(super) async fn greet(
    agent: &Agent,
    mut client: pb::exchange_client::ExchangeClient<Channel>,
) -> Result<Session<'_>, SyncError> {
    if agent.store.setting(setting::HALTED).await?.is_some() {
        let stop = if halted_as(agent, Stop::Cloned).await? { Stop::Cloned } else { Stop::Forked };
        return Err(SyncError::Stopped(stop));
    }
    let head = agent.store.head().await?.ok_or(Refusal::NotFound { what: "enrolment" })?;
    let request = request(agent, head).await?;
    let generation = request.generation;
    let reply = client.hello(request).await?.into_inner();
    if !reply.session.is_empty() {
        agent.store.set_setting(setting::SESSION, &reply.session).await?;
    }
    let standing = pb::Standing::try_from(reply.standing).unwrap_or(pb::Standing::Unspecified);
    if reply.generation > generation && standing == pb::Standing::HandBack {
        check_generation(agent, &reply)?;
    }
    let mut session =
        Session { agent, client, token: reply.session.clone(), generation, release: reply.release };
    match standing {
        pb::Standing::Ok => {
            check_log(&mut session, reply.checkpoint.as_ref()).await?;
            Ok(session)
        }
        pb::Standing::HandBack => hand_back(session, head, &reply).await,
        pb::Standing::HubBehind => Err(SyncError::Stopped(Stop::HubBehind)),
        pb::Standing::NodeBehind => Err(SyncError::Stopped(Stop::NodeBehind)),
        pb::Standing::Forked => Err(halt(agent, Stop::Forked).await?),
        pb::Standing::Cloned => Err(halt(agent, Stop::Cloned).await?),
        pb::Standing::Suspended => Err(SyncError::Stopped(Stop::Suspended)),
        pb::Standing::Unspecified => Err(Refusal::Malformed { what: "hello reply" }.into()),
    }
}

async fn halted_as(agent: &Agent, stop: Stop) -> Result<bool, SyncError> {
    Ok(agent.store.text_setting(setting::HALTED).await?.as_deref() == Some(stop.to_string().as_str()))
}

/// Stops sealing for good: an operator has to act.
async fn halt(agent: &Agent, stop: Stop) -> Result<SyncError, SyncError> {
    tracing::error!(region = %agent.region, "{stop}");
    agent.store.set_setting(setting::HALTED, stop.to_string().as_bytes()).await?;
    Ok(SyncError::Stopped(stop))
}

/// A batch was refused because another one stands in its place: nothing may be sealed on either branch.
pub(super) async fn halt_if_forked(agent: &Agent, error: SyncError) -> Result<SyncError, SyncError> {
    match error {
        SyncError::Refused { reason, .. } if reason == (Refusal::ChainFork { sequence: 0 }).code() => {
            halt(agent, Stop::Forked).await
        }
        other => Ok(other),
    }
}

async fn request(agent: &Agent, head: Head) -> Result<pb::HelloRequest, SyncError> {
    let store = &agent.store;
    let last = store.batch(head.position).await?;
    let receipt = store.last_receipt().await?;
    let checkpoint = store.text_setting(setting::CHECKPOINT).await?;
    Ok(pb::HelloRequest {
        protocol: dtsen_proto::PROTOCOL_VERSION,
        session: store.setting(setting::SESSION).await?.unwrap_or_default(),
        epoch: head.position.epoch,
        sequence: head.position.sequence.into(),
        head: head.id.as_bytes().to_vec(),
        receipt,
        feed: store.feed_end().await?,
        slice_version: store.slice_version().await?,
        checkpoint: checkpoint.map(|note| pb::Checkpoint { note }),
        generation: generation(agent).await?,
        sealed_unreceipted: u64::from(store.oldest_unreceipted().await?.is_some()),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        now_ms: agent.ambient.now_ms(),
        header: last.map(|b| b.header),
    })
}

/// Generation of the hub that this node last saw.
pub(super) async fn generation(agent: &Agent) -> Result<u64, SyncError> {
    let stored = agent.store.setting(setting::GENERATION).await?;
    Ok(stored.and_then(|b| b.try_into().ok()).map_or(1, u64::from_be_bytes))
}

/// The hub's log must be the log of before, grown.
async fn check_log(session: &mut Session<'_>, shown: Option<&pb::Checkpoint>) -> Result<(), SyncError> {
    let agent = session.agent;
    let open = |note: &str| Checkpoint::open(note, &agent.hub.name, &agent.hub.log);
    let held = match agent.store.text_setting(setting::CHECKPOINT).await? {
        Some(note) => Some(open(&note)?.into_inner()),
        None => None,
    };
    let Some(shown) = shown else {
        return if held.is_some() { Err(forked_hub(agent, "").await?) } else { Ok(()) };
    };
    let now = open(&shown.note)?.into_inner();
    if now.origin != Checkpoint::origin_of(&agent.hub.name, session.generation) {
        return Err(Refusal::LogInconsistent.into());
    }
    if let Some(held) = held.filter(|h| h.origin == now.origin) {
        if now.size < held.size {
            return Err(forked_hub(agent, &shown.note).await?);
        }
        let request = pb::ConsistencyRequest { old_size: held.size, new_size: now.size };
        let proof = session.client.consistency(request).await?.into_inner();
        let hashes: Option<Vec<Hash>> = proof.hashes.iter().map(|h| h.as_slice().try_into().ok()).collect();
        let hashes = hashes.ok_or(Refusal::Malformed { what: "consistency proof" })?;
        if !merkle::is_consistent(held.size, &held.root, now.size, &now.root, &hashes) {
            return Err(forked_hub(agent, &shown.note).await?);
        }
    }
    agent.store.set_setting(setting::CHECKPOINT, shown.note.as_bytes()).await?;
    Ok(())
}

/// The hub shows another history: the other checkpoint is kept as evidence, nothing is sent.
async fn forked_hub(agent: &Agent, note: &str) -> Result<SyncError, SyncError> {
    tracing::error!(region = %agent.region, "the hub's log is not a continuation of what this node saw");
    agent.store.set_setting(setting::HUB_FORK, note.as_bytes()).await?;
    Ok(SyncError::Stopped(Stop::HubForked))
}

/// A new generation counts only with the hub's signed statement of it.
fn check_generation(agent: &Agent, reply: &pb::HelloReply) -> Result<(), SyncError> {
    let missing = Refusal::Malformed { what: "generation statement" };
    let statement = reply.generation_decision.as_ref().ok_or(missing.clone())?;
    let decision =
        envelope::verify::<pb::Decision>(statement, PayloadType::DECISION, &agent.hub.receipt)?.into_inner();
    match decision.act {
        Some(pb::decision::Act::GenerationAct(act)) if act.generation == reply.generation => Ok(()),
        _ => Err(missing.into()),
    }
}

/// Hands back what the hub lost, then goes on in the epoch that it opens.
async fn hand_back<'a>(
    mut session: Session<'a>,
    head: Head,
    reply: &pb::HelloReply,
) -> Result<Session<'a>, SyncError> {
    let agent = session.agent;
    let position = |epoch, sequence| Position { region: agent.region, epoch, sequence };
    let hub_sequence =
        u32::try_from(reply.sequence).map_err(|_| Refusal::Malformed { what: "hello reply" })?;
    let hub_head = Head::after(
        position(reply.epoch, hub_sequence),
        BatchId::from_slice(&reply.head).ok_or(Refusal::Malformed { what: "hello reply" })?,
    );
    if reply.next_epoch > 0 {
        // Everything is back: seal on under the new epoch, read the feed again from where the hub's copy ended.
        let next = Head::after(position(reply.next_epoch, 0), head.id);
        let missing = Refusal::Malformed { what: "generation statement" };
        let statement = reply.generation_decision.as_ref().ok_or(missing)?;
        let feed = statement_feed(agent, reply).unwrap_or(0);
        let key = &agent.hub.receipt;
        agent.store.begin_generation(reply.generation, &next, feed, statement, key).await?;
        return Err(SyncError::Refused {
            reason: "GENERATION".into(),
            text: "generasi baru dimulai; sambung lagi".into(),
            retry_ms: Some(0),
        });
    }
    tracing::warn!(region = %agent.region, "the hub was restored: handing back what it lost");
    super::upload::hand_back(&mut session, hub_head).await?;
    Err(SyncError::Refused {
        reason: "GENERATION".into(),
        text: "yang hilang sudah dikembalikan; sambung lagi".into(),
        retry_ms: Some(0),
    })
}

/// Where this region's feed ended in the hub's copy, by its signed statement.
fn statement_feed(agent: &Agent, reply: &pb::HelloReply) -> Option<u64> {
    let statement = reply.generation_decision.as_ref()?;
    let decision = pb::Decision::decode(statement.payload.as_slice()).ok()?;
    let pb::decision::Act::GenerationAct(act) = decision.act? else { return None };
    let own = agent.region.to_string();
    act.heads.into_iter().find(|h| h.region == own).map(|h| h.feed)
}
