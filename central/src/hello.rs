//! The first call of every connection: heads are compared, the session token is rotated.

mod compare;
mod evidence;

use dtsen_proto::{
    batch,
    chain::Head,
    id::{BatchId, Position},
    pb,
    refusal::Refusal,
};
use prost::Message as _;

use self::compare::Compared;
pub use self::evidence::decided;
use crate::{
    hub::{Decided, Hub, setting},
    intake::{Fault, freeze},
    store::{RegionRow, Session, Status, StoreError},
};

/// Delay before a Hello that has to be said again.
const AGAIN_MS: u64 = 200;
/// Counters that a node states are below this; above it they would not fit the databases.
const MAX_COUNTER: u64 = i64::MAX as u64;

/// Answers a Hello.
pub async fn hello(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::HelloRequest,
) -> Result<pb::HelloReply, Fault> {
    if request.protocol != dtsen_proto::PROTOCOL_VERSION {
        return Err(Refusal::ProtocolVersion { needed: dtsen_proto::PROTOCOL_VERSION }.into());
    }
    let node = node_head(region, request)?;
    let head = hub.store.head(region.region).await?.ok_or(Refusal::Suspended)?;
    let generation = hub.generation().await?;
    let mut reply = base(hub, region, head, generation).await?;
    if let Some(standing) = standing_of(region.status) {
        reply.standing = standing.into();
        return Ok(reply);
    }
    // While the hub is behind no token moves: what it remembers of them may be as old as its copy.
    let shown = evidence::weigh(hub, region, request, head).await?;
    if shown.lost {
        evidence::stop_intake(hub, region, request, &shown).await?;
    }
    if shown.lost || hub.stopped().await?.is_some() {
        reply.standing = pb::Standing::HubBehind.into();
        return Ok(reply);
    }
    let stored = if node.position.sequence == 0 { None } else { hub.store.batch_id(node.position).await? };
    let compared = compare::compare(node, head, stored, request.generation >= generation);
    let session = hub.store.session(region.region).await?.unwrap_or_else(Session::open);
    if let Some((status, why)) = stop(compared, session.admits(&request.session)) {
        accuse(hub, region, &session, request, status, why).await?;
        reply.standing = standing_of(status).unwrap_or(pb::Standing::Suspended).into();
        return Ok(reply);
    }
    let mut standing = match compared {
        Compared::NewEpoch => pb::Standing::NewEpoch,
        Compared::HandBack => pb::Standing::HandBack,
        Compared::UnknownEpoch => {
            return Err(Refusal::EpochUnknown { open: head.position.epoch }.into());
        }
        Compared::Even | Compared::Fork | Compared::Behind => pb::Standing::Ok,
    };
    rotate(hub, region, &session, request, &mut reply).await?;
    if compared == Compared::HandBack && request.sealed_unreceipted == 0 && compare::is_back(node, head) {
        open_next(hub, region, node, head, generation, &mut reply).await?;
        standing = pb::Standing::NewEpoch;
    }
    if standing == pb::Standing::NewEpoch {
        let statement = hub.store.epoch_statement(region.region, reply.epoch).await?;
        reply.epoch_statement = statement.and_then(|b| pb::Envelope::decode(b.as_slice()).ok());
    }
    reply.standing = standing.into();
    tracing::debug!(region = %region.region, node = %node.position, hub = %head.position, ?standing, "hello");
    Ok(reply)
}

/// What a region that is stopped is told; `None` while it exchanges.
fn standing_of(status: Status) -> Option<pb::Standing> {
    match status {
        Status::Active => None,
        Status::Forked => Some(pb::Standing::Forked),
        Status::Cloned => Some(pb::Standing::Cloned),
        Status::Restored => Some(pb::Standing::NodeBehind),
        Status::Suspended | Status::Revoked | Status::Invited | Status::Waiting => {
            Some(pb::Standing::Suspended)
        }
    }
}

/// Why a region has to be stopped, if it has to.
fn stop(compared: Compared, admitted: bool) -> Option<(Status, &'static str)> {
    match compared {
        Compared::Fork => Some((Status::Forked, "kepala rantai node dan pusat berbeda")),
        Compared::Behind => Some((
            Status::Restored,
            "node menunjukkan data yang lebih lama: dipulihkan dari salinan, atau salinannya berjalan",
        )),
        _ if !admitted => Some((Status::Cloned, "token sesi lama dipakai: salinan node sedang berjalan")),
        _ => None,
    }
}

async fn base(hub: &Hub, region: &RegionRow, head: Head, generation: u64) -> Result<pb::HelloReply, Fault> {
    let checkpoint = hub.store.checkpoint(generation).await?;
    let decision = match hub.store.setting(setting::GENERATION_DECISION).await? {
        Some(bytes) => pb::Envelope::decode(bytes.as_slice()).ok(),
        None => None,
    };
    let rulebook = hub.rulebook().await?;
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
        rulebook: rulebook.version(),
        rulebook_digest: rulebook.digest.to_vec(),
        release: hub.store.release(None).await?.map_or(0, |r| r.version),
        now_ms: hub.ambient.now_ms(),
        epoch_statement: None,
    })
}

/// Stops the region, the second time that the same token asks for it: once may be an old message that came late.
async fn accuse(
    hub: &Hub,
    region: &RegionRow,
    session: &Session,
    request: &pb::HelloRequest,
    status: Status,
    why: &str,
) -> Result<(), Fault> {
    let (again, noted) = session.accuse(&request.session);
    if !again {
        hub.store.put_session(region.region, &session.current, &noted).await?;
        return Err(Refusal::Quota { retry_after_ms: AGAIN_MS }.into());
    }
    let header = if status == Status::Forked { request.header.as_ref() } else { None };
    let evidence = header.map(|h| (batch::id(h), h));
    Ok(freeze(hub, region, status, evidence, why).await?)
}

async fn rotate(
    hub: &Hub,
    region: &RegionRow,
    session: &Session,
    request: &pb::HelloRequest,
    reply: &mut pb::HelloReply,
) -> Result<(), Fault> {
    let rotated = session.rotated(&request.session, hub.ambient.bytes::<16>().to_vec());
    if !hub.store.put_session(region.region, &session.current, &rotated).await? {
        // Two connections at once with the same token: the slower one says Hello again.
        return Err(Refusal::Quota { retry_after_ms: AGAIN_MS }.into());
    }
    reply.session = rotated.current;
    Ok(())
}

fn node_head(region: &RegionRow, request: &pb::HelloRequest) -> Result<Head, Refusal> {
    let malformed = Refusal::Malformed { what: "hello request" };
    let counters = [request.feed, request.slice_version, request.generation];
    if counters.iter().any(|n| *n > MAX_COUNTER) || request.epoch == u32::MAX {
        return Err(malformed);
    }
    let sequence = u32::try_from(request.sequence).map_err(|_| malformed.clone())?;
    let id = BatchId::from_slice(&request.head).ok_or(malformed)?;
    Ok(Head::after(Position { region: region.region, epoch: request.epoch, sequence }, id))
}

/// The node has handed back everything: the old epoch closes, the next opens. One that nobody ever used, also not
/// in the time that the hub lost.
async fn open_next(
    hub: &Hub,
    region: &RegionRow,
    node: Head,
    head: Head,
    generation: u64,
    reply: &mut pb::HelloReply,
) -> Result<(), StoreError> {
    let closed = head.position.epoch;
    let opened = closed.max(node.position.epoch) + 1;
    let act = epoch_act(head, opened);
    let make = hub.decision_entry(generation, Decided::by_rule("generasi baru pusat"), act);
    hub.store.open_epoch(region.region, closed, opened, &make).await?;
    hub.log_work.notify_one();
    (reply.epoch, reply.sequence) = (opened, 0);
    Ok(())
}

/// The decision that closes the epoch of a head and opens another.
pub fn epoch_act(head: Head, opened: u32) -> pb::decision::Act {
    pb::decision::Act::Epoch(pb::EpochAct {
        region: head.position.region.to_string(),
        closed: head.position.epoch,
        opened,
        last_sequence: head.position.sequence.into(),
        head: head.id.as_bytes().to_vec(),
    })
}
