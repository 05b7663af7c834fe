//! The first call of every connection: heads are compared, the session token is rotated.

mod evidence;
mod judge;

use dtsen_proto::{
    batch,
    chain::Head,
    id::{BatchId, Position},
    pb,
    refusal::Refusal,
};
use prost::Message as _;

pub use self::{
    evidence::decided,
    judge::{Facts, Judgement, Way, judge},
};
use crate::{
    hub::{Decided, Hub, setting},
    intake::{Fault, freeze},
    release,
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
    let mut head = hub.store.head(region.region).await?.ok_or(Refusal::Suspended)?;
    let generation = hub.generation().await?;
    let mut reply = base(hub, region, head, generation).await?;
    if let Some(standing) = standing_of(region.status) {
        reply.standing = standing.into();
        return Ok(reply);
    }
    // While the hub is behind no token moves: what it remembers of them may be as old as its copy.
    let session = hub.store.session(region.region).await?.unwrap_or_else(Session::open);
    let shown = evidence::weigh(hub, region, request, head, &session, &reply).await?;
    if shown.lost {
        evidence::stop_intake(hub, region, request, &shown).await?;
    }
    if shown.lost || hub.stopped().await?.is_some() {
        reply.standing = pb::Standing::HubBehind.into();
        return Ok(reply);
    }
    let facts = Facts {
        node,
        hub: head,
        used: if shown.missing { last_used(hub, head).await? } else { None },
        stored: if node.position.sequence == 0 { None } else { hub.store.batch_id(node.position).await? },
        last: shown.last.unwrap_or(BatchId::ZERO),
        entered: request.generation >= generation,
        session: &session,
        token: &request.session,
    };
    let way = match judge(&facts) {
        Judgement::Stop(status, why) => {
            accuse(hub, region, &session, request, status, why).await?;
            reply.standing = standing_of(status).unwrap_or(pb::Standing::Suspended).into();
            return Ok(reply);
        }
        Judgement::UnknownEpoch => {
            return Err(Refusal::EpochUnknown { open: head.position.epoch }.into());
        }
        Judgement::Go(way, from) => {
            while head.position.epoch > from.position.epoch {
                head = hub.store.void_epoch(head).await?;
            }
            way
        }
    };
    (reply.epoch, reply.sequence) = (head.position.epoch, head.position.sequence.into());
    rotate(hub, region, &session, request, &mut reply).await?;
    let standing = match way {
        Way::On => pb::Standing::Ok,
        Way::HandBack => pb::Standing::HandBack,
        Way::Enter => pb::Standing::NewEpoch,
        Way::OpenNext => {
            open_next(hub, region, node, head, generation, &mut reply).await?;
            pb::Standing::NewEpoch
        }
    };
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

/// The hub's head in the last epoch that somebody used, if what was lost after it can come back: not where it was refused
/// already, because a copy of the node has gone on in its place.
async fn last_used(hub: &Hub, open: Head) -> Result<Option<Head>, Fault> {
    let region = open.position.region;
    let heads = hub.store.heads(region).await?;
    let used = heads.iter().map(|(head, _)| *head).rfind(|head| head.position.sequence > 0);
    let Some(used) = used.or(heads.first().map(|(head, _)| *head)) else { return Ok(None) };
    for header in hub.store.evidence(region, Status::Forked.as_str()).await? {
        let header = pb::Envelope::decode(header.as_slice())
            .map_err(|_| StoreError::Inconsistent { table: "evidence", column: "header" })?;
        if batch::peek(&header)?.position >= used.position {
            return Ok(None);
        }
    }
    Ok(Some(used))
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
        release: release::newest(hub, generation).await?.unwrap_or(0),
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
    let token = session.next(reply.generation).issue(&hub.keys.receipt, region.region);
    let rotated = session.rotated(&request.session, token);
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
