//! Hello: heads, log and generation are compared; the session token is stored before it is used.

use dtsen_proto::{
    chain::Head,
    checkpoint::Checkpoint,
    merkle::{self, Hash},
    pb,
    refusal::Refusal,
};
use prost::Message as _;
use tonic::transport::Channel;

use super::{Agent, Session, Stop, SyncError, epoch};
use crate::store::{StoreError, setting};

/// Says Hello and acts on the answer. `None`: heads have changed, and Hello has to be said again.
///
/// A halted node says Hello too: only the hub can tell that an operator has opened a new epoch for it.
pub(super) async fn greet(
    agent: &Agent,
    mut client: pb::exchange_client::ExchangeClient<Channel>,
) -> Result<Option<Session<'_>>, SyncError> {
    let head = agent.store.head().await?.ok_or(Refusal::NotFound { what: "enrolment" })?;
    let request = request(agent, head).await?;
    let generation = request.generation;
    let reply = client.hello(request).await?.into_inner();
    if !reply.session.is_empty() {
        agent.store.set_setting(setting::SESSION, &reply.session).await?;
    }
    let (token, release) = (reply.session.clone(), reply.release);
    let rulebook = (reply.rulebook, reply.rulebook_digest.clone());
    let mut session = Session { agent, client, token, generation, release, now_ms: reply.now_ms, rulebook };
    match pb::Standing::try_from(reply.standing).unwrap_or(pb::Standing::Unspecified) {
        pb::Standing::Ok => {
            go_on(agent).await?;
            check_log(&mut session, reply.checkpoint.as_ref()).await?;
            Ok(Some(session))
        }
        pb::Standing::HandBack => {
            epoch::hand_back(&mut session, &reply).await?;
            Ok(None)
        }
        pb::Standing::NewEpoch => {
            epoch::enter(&mut session, &reply).await?;
            Ok(None)
        }
        pb::Standing::HubBehind => Err(SyncError::Stopped(Stop::HubBehind)),
        pb::Standing::NodeBehind => Err(halt(agent, Stop::NodeBehind).await?),
        pb::Standing::Forked => Err(halt(agent, Stop::Forked).await?),
        pb::Standing::Cloned => Err(halt(agent, Stop::Cloned).await?),
        pb::Standing::Suspended => Err(SyncError::Stopped(Stop::Suspended)),
        pb::Standing::Unspecified => Err(Refusal::Malformed { what: "hello reply" }.into()),
    }
}

/// Stops sealing until the hub opens a new epoch: an operator has to act.
async fn halt(agent: &Agent, stop: Stop) -> Result<SyncError, SyncError> {
    tracing::error!(region = %agent.region, "{stop}");
    agent.store.set_setting(setting::HALTED, stop.to_string().as_bytes()).await?;
    Ok(SyncError::Stopped(stop))
}

/// The hub lets this node go on. One that is halted was stopped by a word that the hub no longer knows: it was restored
/// to a time before.
async fn go_on(agent: &Agent) -> Result<(), SyncError> {
    if agent.store.text_setting(setting::HALTED).await?.is_some() {
        tracing::warn!(region = %agent.region, "halted until now; the hub was restored and lets this node go on");
        agent.store.set_settings(&[(setting::HALTED, None)]).await?;
    }
    Ok(())
}

/// A batch was refused because another one stands in its place: nothing may be sealed on either branch.
pub(super) async fn halt_if_forked(agent: &Agent, error: SyncError) -> Result<SyncError, SyncError> {
    let is_fork = error.is_refusal(Refusal::ChainFork { sequence: 0 }.code());
    if is_fork { halt(agent, Stop::Forked).await } else { Ok(error) }
}

async fn request(agent: &Agent, head: Head) -> Result<pb::HelloRequest, SyncError> {
    let store = &agent.store;
    let last = store.batch(head.position).await?;
    let receipt = store.last_receipt().await?;
    let checkpoint = store.text_setting(setting::CHECKPOINT).await?;
    let feed = store.feed_end().await?;
    let verdicts = store.feed_after(feed.saturating_sub(1), 1).await?;
    let verdicts = verdicts.first().map(|entry| pb::Envelope::decode(entry.as_slice())).transpose();
    let unreadable = |_| StoreError::Inconsistent { table: "setting", column: setting::GENERATION_STATEMENT };
    let statement = store.setting(setting::GENERATION_STATEMENT).await?;
    let statement = statement.map(|bytes| pb::Envelope::decode(bytes.as_slice()).map_err(unreadable));
    Ok(pb::HelloRequest {
        protocol: dtsen_proto::PROTOCOL_VERSION,
        session: store.setting(setting::SESSION).await?.unwrap_or_default(),
        epoch: head.position.epoch,
        sequence: head.position.sequence.into(),
        head: head.id.as_bytes().to_vec(),
        receipt,
        feed,
        slice_version: store.slice_version().await?,
        checkpoint: checkpoint.map(|note| pb::Checkpoint { note }),
        generation: generation(agent).await?,
        sealed_unreceipted: u64::from(store.oldest_unreceipted().await?.is_some()),
        software: env!("CARGO_PKG_VERSION").to_owned(),
        now_ms: agent.ambient.now_ms(),
        header: last.map(|b| b.header),
        generation_statement: statement.transpose()?,
        epoch_statement: store.epoch_statement(head.position.epoch).await?,
        verdicts: verdicts.map_err(|_| StoreError::Inconsistent { table: "feed", column: "entry" })?,
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
        let request = pb::ConsistencyRequest {
            old_size: held.size,
            new_size: now.size,
            generation: session.generation,
        };
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
