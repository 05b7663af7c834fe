//! New epochs and generations: what the hub lost is handed back, what this node lost is read back.

use dtsen_proto::{
    batch,
    chain::Head,
    envelope::{self, PayloadType},
    id::{BatchId, Position},
    limits, pb,
    refusal::Refusal,
};

use prost::Message as _;

use super::{Agent, Session, SyncError, feed, upload};
use crate::store::{BatchRow, StoreError};

const REPLY: Refusal = Refusal::Malformed { what: "hello reply" };
const STATEMENT: Refusal = Refusal::Malformed { what: "epoch statement" };
const READ_BACK: Refusal = Refusal::Malformed { what: "batch read back" };

fn act(agent: &Agent, statement: Option<&pb::Envelope>) -> Result<Option<pb::decision::Act>, Refusal> {
    let Some(statement) = statement else { return Ok(None) };
    let key = &agent.hub.receipt;
    Ok(envelope::verify::<pb::Decision>(statement, PayloadType::DECISION, key)?.into_inner().act)
}

/// A new generation counts only with the hub's signed statement of it.
fn generation(agent: &Agent, reply: &pb::HelloReply) -> Result<pb::GenerationAct, Refusal> {
    match act(agent, reply.generation_decision.as_ref())? {
        Some(pb::decision::Act::GenerationAct(act)) if act.generation == reply.generation => Ok(act),
        _ => Err(Refusal::Malformed { what: "generation statement" }),
    }
}

fn hub_head(agent: &Agent, reply: &pb::HelloReply) -> Result<Head, Refusal> {
    let sequence = u32::try_from(reply.sequence).map_err(|_| REPLY)?;
    let position = Position { region: agent.region, epoch: reply.epoch, sequence };
    Ok(Head::after(position, BatchId::from_slice(&reply.head).ok_or(REPLY)?))
}

/// Hands back what the hub lost.
pub(super) async fn hand_back(session: &mut Session<'_>, reply: &pb::HelloReply) -> Result<(), SyncError> {
    generation(session.agent, reply)?;
    tracing::warn!(region = %session.agent.region, "the hub was restored: handing back what it lost");
    let head = hub_head(session.agent, reply)?;
    upload::hand_back(session, head).await
}

/// Shows the hub the entries of the feed that stewards' decisions made and that it lost: it lists them for its operators,
/// who decide again. This node's feed is read anew in the new generation, so it is the last time.
async fn hand_back_verdicts(session: &mut Session<'_>, began: &pb::GenerationAct) -> Result<(), SyncError> {
    let store = &session.agent.store;
    let region = session.agent.region.to_string();
    let mut after = began.heads.iter().find(|head| head.region == region).map_or(0, |head| head.feed);
    let page = u32::try_from(limits::MAX_FEED_ENTRIES).expect("small");
    loop {
        let held = store.feed_after(after, page).await?;
        if held.is_empty() {
            return Ok(());
        }
        after += held.len() as u64;
        let entries = held.iter().map(|entry| pb::Envelope::decode(entry.as_slice()));
        let entries: Result<Vec<_>, _> = entries.collect();
        let mut entries = entries.map_err(|_| StoreError::Inconsistent { table: "feed", column: "entry" })?;
        entries.retain(|entry| {
            pb::Verdicts::decode(entry.payload.as_slice()).is_ok_and(|told| told.decision > 0)
        });
        if !entries.is_empty() {
            let request = pb::HandBackVerdictsRequest { session: session.token.clone(), entries };
            session.client.hand_back_verdicts(request).await?;
        }
    }
}

/// Enters the epoch that the hub opened: everything that it holds of this region is here first.
pub(super) async fn enter(session: &mut Session<'_>, reply: &pb::HelloReply) -> Result<(), SyncError> {
    let agent = session.agent;
    let head = hub_head(agent, reply)?;
    let statement = reply.epoch_statement.as_ref();
    let own = agent.store.head().await?.map_or(0, |h| h.position.epoch);
    let fits = matches!(act(agent, statement)?, Some(pb::decision::Act::Epoch(act))
        if act.region == agent.region.to_string() && act.opened == head.position.epoch && act.head == reply.head);
    if !fits || head.position.sequence != 0 || head.position.epoch <= own {
        return Err(STATEMENT.into());
    }
    // Before the generation is entered: in it, a receipt for what the hub lost says that it was restored once more.
    let common = common(session, head, reply.generation).await?;
    if reply.generation > session.generation {
        let began = generation(agent, reply)?;
        hand_back_verdicts(session, &began).await?;
        if let Some(statement) = &reply.generation_decision {
            agent.store.enter_generation(reply.generation, statement).await?;
        }
    }
    read_back(session, common, head).await?;
    let anew = agent.store.enter_epoch(head, statement).await?;
    tracing::warn!(
        region = %agent.region, epoch = head.position.epoch, sealed_anew = anew, "a new epoch begins"
    );
    Ok(())
}

/// The last batch that both have. What the hub lost, and in whose place a copy of this node sent others since, is sealed
/// anew; within one generation a hub loses nothing that it gave a receipt for.
async fn common(session: &mut Session<'_>, until: Head, generation: u64) -> Result<Head, SyncError> {
    let agent = session.agent;
    loop {
        let start = Position { region: agent.region, epoch: 0, sequence: 0 };
        let kept = agent.store.last_in_custody().await?;
        let last = kept.unwrap_or(Head { position: start, id: BatchId::ZERO });
        if last.id == until.id {
            return Ok(last);
        }
        if let Some(row) = fetch(session, last.position).await?
            && follows(&row, last)?
        {
            return Ok(last);
        }
        let row = agent.store.batch(last.position).await?.ok_or(READ_BACK)?;
        let receipt = row.receipt.ok_or(READ_BACK)?;
        let key = &agent.hub.receipt;
        let given = envelope::verify::<pb::Receipt>(&receipt, PayloadType::RECEIPT, key)?.into_inner();
        if given.generation >= generation {
            return Err(READ_BACK.into());
        }
        tracing::warn!(region = %agent.region, batch = %last.position, "the hub lost a batch: it is sealed anew");
        agent.store.set_aside(last.position).await?;
    }
}

/// Reads back what the hub holds after a batch that both have, up to its head. Verdicts are taken up as far as each batch
/// goes: the next one may address a record by the id that they give.
async fn read_back(session: &mut Session<'_>, mut last: Head, until: Head) -> Result<(), SyncError> {
    let mut verdicts = feed::Reader::default();
    while last.id != until.id {
        let row = fetch(session, last.position).await?.ok_or(READ_BACK)?;
        if !follows(&row, last)? {
            return Err(READ_BACK.into());
        }
        session.agent.store.store_back(&row).await?;
        last = Head { position: row.position, id: row.id };
        verdicts.until(session, last.position).await?;
    }
    Ok(())
}

fn follows(row: &BatchRow, last: Head) -> Result<bool, Refusal> {
    let later = (row.position.epoch, row.position.sequence) > (last.position.epoch, last.position.sequence);
    Ok(later && batch::peek(&row.header)?.previous == last.id)
}

/// One batch with its body, in pieces; `None` if there is none after this place.
async fn fetch(session: &mut Session<'_>, after: Position) -> Result<Option<BatchRow>, SyncError> {
    let mut body = Vec::new();
    loop {
        let request = pb::ReadBackRequest {
            epoch: after.epoch,
            after: after.sequence.into(),
            session: session.token.clone(),
            offset: body.len() as u64,
        };
        let reply = session.client.read_back(request).await?.into_inner();
        if reply.last {
            return Ok(None);
        }
        let length = usize::try_from(reply.encoded_length).ok().filter(|l| *l <= limits::MAX_BODY_BYTES);
        let length = length.ok_or(READ_BACK)?;
        if body.len() + reply.body.len() > length || (reply.body.is_empty() && body.len() < length) {
            return Err(READ_BACK.into());
        }
        body.extend_from_slice(&reply.body);
        if body.len() == length {
            return Ok(Some(check(session.agent, reply, body)?));
        }
    }
}

/// A batch read back is this region's if the hub's receipt says so: an earlier key of the region may have signed it.
fn check(agent: &Agent, reply: pb::ReadBackReply, body: Vec<u8>) -> Result<BatchRow, Refusal> {
    let header = reply.header.ok_or(READ_BACK)?;
    let receipt = reply.receipt.ok_or(READ_BACK)?;
    let key = &agent.hub.receipt;
    let read = envelope::verify::<pb::Receipt>(&receipt, PayloadType::RECEIPT, key)?.into_inner();
    let (id, read_header) = (batch::id(&header), batch::peek(&header)?);
    let at = read_header.position;
    if at.region != agent.region || !batch::is_receipt_of(&read, at, id) {
        return Err(READ_BACK);
    }
    if header.key_id == agent.signer.id().as_bytes() {
        batch::open(&header, &agent.signer.public())?;
    }
    let refused = !read.body_refused.is_empty();
    if !refused {
        let length =
            usize::try_from(read_header.body_length).unwrap_or(usize::MAX).min(limits::MAX_BODY_BYTES);
        let plain = batch::decode_body(reply.encoding, &body, length).ok_or(Refusal::BodyMismatch)?;
        batch::check_frames(&read_header, &plain)?;
    }
    Ok(BatchRow {
        position: at,
        id,
        header,
        encoding: reply.encoding,
        body,
        body_length: read_header.body_length,
        deltas: read_header.count,
        sealed_ms: read.custody_ms,
        receipt: Some(receipt),
        returned: refused.then_some(read.body_refused),
        judged: None,
    })
}
