//! Taking batches into custody: verify, keep, sign the receipt, commit, and only then send it.

pub mod gate;

use dtsen_proto::{
    batch::{self, BodyRefusal, Header},
    chain::{self, Head, Step},
    envelope::{self, PayloadType, Verified},
    id::{BatchId, Position},
    key::PublicKey,
    limits, pb,
    refusal::Refusal,
    region::Region,
};
use futures::future::BoxFuture;
use prost::Message as _;

use crate::{
    hello,
    hub::{Decided, Hub},
    store::{BatchRow, NewBatch, RegionChange, RegionRow, Status, StoreError},
};

pub use self::gate::Gate;

/// Why a request was not served.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The peer is at fault.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The hub is.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Tries after another hub process was first.
const CONFLICT_TRIES: u32 = 5;
/// Guess at what the lane decides in a second, for the estimate only.
const LANE_DELTAS_PER_SECOND: u64 = 10_000;

/// What the hub has of a batch after a piece.
pub struct Progress {
    /// Everything before this is held.
    pub next_offset: u64,
    /// Set once in custody.
    pub receipt: Option<pb::Envelope>,
}

/// Takes a piece of a batch, and the batch when it is whole.
pub fn submit<'a>(
    hub: &'a Hub,
    region: &'a RegionRow,
    request: &'a pb::SubmitRequest,
) -> BoxFuture<'a, Result<Progress, Fault>> {
    Box::pin(async move {
        let envelope = request.header.as_ref().ok_or(Refusal::Malformed { what: "submit request" })?;
        let header = verify_header(hub, region, envelope, request.receipt.as_ref()).await?;
        let id = BatchId::new(header.digest());
        for _ in 0..CONFLICT_TRIES {
            match try_submit(hub, region, request, envelope, &header, id).await {
                Err(Fault::Store(e)) if e.is_conflict() => {}
                other => return other,
            }
        }
        Err(Refusal::Quota { retry_after_ms: 1_000 }.into())
    })
}

/// Finds the key that must have signed the header, and checks that it did. A batch that comes back to a hub that lost its
/// key, too, stands by the receipt: this hub checked the signature before it gave it.
async fn verify_header(
    hub: &Hub,
    region: &RegionRow,
    envelope: &pb::Envelope,
    receipt: Option<&pb::Envelope>,
) -> Result<Verified<Header>, Fault> {
    let peeked = batch::peek(envelope)?;
    if peeked.position.region != region.region {
        return Err(Refusal::WrongRegion.into());
    }
    let by_receipt = |refusal: Refusal| -> Result<Verified<Header>, Refusal> {
        let key = hub.keys.receipt.public();
        let receipt = receipt.ok_or(refusal)?;
        let receipt = envelope::verify::<pb::Receipt>(receipt, PayloadType::RECEIPT, &key)?;
        batch::open_by_receipt(envelope, &receipt)
    };
    let keys = hub.store.region_keys(region.region).await?;
    let found = keys
        .iter()
        .filter_map(|row| PublicKey::from_slice(&row.public_key).ok().map(|key| (key, row.last)))
        .find(|(key, _)| envelope.key_id == key.id().as_bytes());
    let Some((key, last)) = found else { return Ok(by_receipt(Refusal::KeyUnknown)?) };
    let header = batch::open(envelope, &key)?;
    let at = header.get().position;
    if last.is_some_and(|last| (at.epoch, at.sequence) > last) {
        return Ok(by_receipt(Refusal::KeyRevoked)?);
    }
    Ok(header)
}

async fn try_submit(
    hub: &Hub,
    region: &RegionRow,
    request: &pb::SubmitRequest,
    envelope: &pb::Envelope,
    header: &Verified<Header>,
    id: BatchId,
) -> Result<Progress, Fault> {
    let position = header.get().position;
    let mut head = hub.store.head(region.region).await?.ok_or(Refusal::Suspended)?;
    let stored = hub.store.batch(position).await?;
    let again = if position.epoch > head.position.epoch {
        epoch_again(hub, head, request, header.get(), id).await
    } else {
        Ok(head)
    };
    let judged = again.and_then(|from| {
        head = from;
        Ok(chain::judge(head, stored.as_ref().map(|b| b.id), header.get(), id)?)
    });
    match judged {
        Ok(Step::Next) => {}
        Ok(Step::Repeat) => return repeat(stored),
        Err(Fault::Refused(fork @ Refusal::ChainFork { .. })) => {
            freeze(
                hub,
                region,
                Status::Forked,
                Some((id, envelope)),
                "dua kiriman berbeda pada satu nomor urut",
            )
            .await?;
            return Err(fork.into());
        }
        Err(other) => return Err(other),
    }
    let handed_back = request.receipt.as_ref().and_then(batch::refused_before);
    if let Some(refusal) = batch::refused_by_header(header.get()).or(handed_back) {
        return take(hub, head, header.get(), id, envelope, request, Err(refusal)).await;
    }
    match collect(hub, region.region, request, id).await? {
        Collected::More(next_offset) => Ok(Progress { next_offset, receipt: None }),
        Collected::Whole(body) => {
            let body = match check(header.get(), request.encoding, body) {
                Ok(body) => body,
                Err(refusal) => {
                    // One damaged piece must not stand in the way of the same batch for ever.
                    hub.store.drop_pieces(region.region, id).await?;
                    return Err(refusal.into());
                }
            };
            take(hub, head, header.get(), id, envelope, request, body).await
        }
    }
}

/// A whole body against its header: the encoded bytes, or why the header is taken alone.
fn check(header: &Header, encoding: i32, encoded: Vec<u8>) -> Result<Result<Vec<u8>, BodyRefusal>, Refusal> {
    let length = usize::try_from(header.body_length).unwrap_or(usize::MAX).min(limits::MAX_BODY_BYTES);
    let plain = batch::decode_body(encoding, &encoded, length).ok_or(Refusal::BodyMismatch)?;
    Ok(match batch::check_body(header, &plain)? {
        None => Ok(encoded),
        Some(refusal) => Err(refusal),
    })
}

fn repeat(stored: Option<BatchRow>) -> Result<Progress, Fault> {
    let stored = stored.ok_or(Refusal::NotFound { what: "batch" })?;
    let receipt = pb::Envelope::decode(stored.receipt.as_slice())
        .map_err(|_| StoreError::Inconsistent { table: "batch", column: "receipt" })?;
    Ok(Progress { next_offset: 0, receipt: Some(receipt) })
}

enum Collected {
    More(u64),
    Whole(Vec<u8>),
}

/// Joins the pieces of a body. A piece that does not begin where the hub's bytes end is answered with where they do, and
/// so is an empty one.
async fn collect(
    hub: &Hub,
    region: Region,
    request: &pb::SubmitRequest,
    id: BatchId,
) -> Result<Collected, Fault> {
    let end = request.offset.saturating_add(request.data.len() as u64);
    let too_much = request.encoded_length > limits::MAX_BODY_BYTES as u64
        || request.data.len() > limits::MAX_CHUNK_BYTES;
    if too_much || end > request.encoded_length {
        return Err(Refusal::HeaderLimits { field: "encoded_length" }.into());
    }
    if request.offset == 0 && end == request.encoded_length {
        return Ok(Collected::Whole(request.data.clone()));
    }
    let held = hub.store.pieces_end(region, id).await?;
    if request.offset != held || request.data.is_empty() {
        return Ok(Collected::More(held));
    }
    if end < request.encoded_length {
        hub.store.add_piece(region, id, request.offset, &request.data).await?;
        return Ok(Collected::More(end));
    }
    let mut body = hub.store.pieces(region, id).await?;
    body.extend_from_slice(&request.data);
    Ok(Collected::Whole(body))
}

/// Custody: receipt signed, everything committed, the lane told.
async fn take(
    hub: &Hub,
    before: Head,
    header: &Header,
    id: BatchId,
    envelope: &pb::Envelope,
    request: &pb::SubmitRequest,
    body: Result<Vec<u8>, BodyRefusal>,
) -> Result<Progress, Fault> {
    let custody_ms = hub.ambient.now_ms();
    let rulebook = judging(hub, request.receipt.as_ref()).await?;
    let receipt = match &request.receipt {
        Some(old) => handed_back(hub, old, header, id)?,
        None => envelope::sign_message(
            &hub.keys.receipt,
            PayloadType::RECEIPT,
            &pb::Receipt {
                region: header.position.region.to_string(),
                epoch: header.position.epoch,
                sequence: header.position.sequence.into(),
                batch_id: id.as_bytes().to_vec(),
                generation: hub.generation().await?,
                rulebook,
                custody_ms,
                body_refused: body.as_ref().err().map_or_else(String::new, |r| r.code().to_owned()),
            },
        ),
    };
    let batch = NewBatch {
        position: header.position,
        id,
        header: envelope.encode_to_vec(),
        receipt: receipt.encode_to_vec(),
        encoding: request.encoding,
        deltas: if body.is_ok() { header.count.into() } else { 0 },
        body: body.ok(),
        custody_ms: receipt_day(&receipt).unwrap_or(custody_ms),
        rulebook,
        leaf: envelope::log_leaf(envelope),
    };
    hub.store.take_custody(before, &batch).await?;
    tracing::debug!(batch = %header.position, deltas = batch.deltas, "custody");
    hub.lane_work.notify_one();
    hub.log_work.notify_one();
    Ok(Progress { next_offset: request.encoded_length, receipt: Some(receipt) })
}

/// Version of the rulebook that judges a batch: that of the receipt that comes back with it, else the one in force. A
/// version that this hub lost and the one in force judged differently: the entry of the batch says which did.
async fn judging(hub: &Hub, receipt: Option<&pb::Envelope>) -> Result<u32, StoreError> {
    let said = receipt.and_then(|old| pb::Receipt::decode(old.payload.as_slice()).ok()).map(|r| r.rulebook);
    match said {
        Some(version) if hub.rulebooks.has(&*hub.store, version).await? => Ok(version),
        _ => Ok(hub.rulebook().await?.version()),
    }
}

/// A batch that this hub lost comes back with the receipt that it once gave: the same receipt stays.
fn handed_back(
    hub: &Hub,
    receipt: &pb::Envelope,
    header: &Header,
    id: BatchId,
) -> Result<pb::Envelope, Fault> {
    let read = envelope::verify::<pb::Receipt>(receipt, PayloadType::RECEIPT, &hub.keys.receipt.public())?;
    if batch::is_receipt_of(read.get(), header.position, id) {
        Ok(receipt.clone())
    } else {
        Err(Refusal::Malformed { what: "receipt handed back" }.into())
    }
}

/// An epoch that this hub lost opens again, on its own signed word that it once did: the statement, or the receipt of the
/// first batch in it. A node that read the epoch back itself has only that.
async fn epoch_again(
    hub: &Hub,
    head: Head,
    request: &pb::SubmitRequest,
    header: &Header,
    id: BatchId,
) -> Result<Head, Fault> {
    let unfit = Refusal::Malformed { what: "epoch statement" };
    let opened = match (&request.epoch_statement, &request.receipt) {
        (Some(statement), _) => match hello::decided(hub, statement)? {
            // It names the epoch that it closed. Between that one and the hub's there may be some that nobody used, but no
            // batch.
            Some(pb::decision::Act::Epoch(act)) if act.region == head.position.region.to_string() => {
                if act.head != head.id.as_bytes() {
                    // A copy of the node sent another batch in the place of the one that this hub lost.
                    return Err(Refusal::ChainFork { sequence: header.position.sequence }.into());
                }
                act.opened
            }
            _ => return Err(unfit.into()),
        },
        (None, Some(receipt)) if header.position.sequence == 1 && header.previous == head.id => {
            handed_back(hub, receipt, header, id)?;
            header.position.epoch
        }
        _ => return Ok(head),
    };
    if opened <= head.position.epoch {
        return Err(unfit.into());
    }
    let decided = Decided::by_rule("epoch dikembalikan oleh daerah");
    let make = hub.decision_entry(hub.generation().await?, decided, hello::epoch_act(head, opened));
    hub.store.open_epoch(head.position.region, head.position.epoch, opened, &make).await?;
    Ok(Head { position: Position { epoch: opened, sequence: 0, ..head.position }, ..head })
}

/// The day of custody is the day of the receipt, so that a batch handed back is judged as it would have been.
fn receipt_day(receipt: &pb::Envelope) -> Option<i64> {
    pb::Receipt::decode(receipt.payload.as_slice()).ok().map(|r| r.custody_ms)
}

/// Stops a region by rule, with the evidence.
pub async fn freeze(
    hub: &Hub,
    region: &RegionRow,
    status: Status,
    evidence: Option<(BatchId, &pb::Envelope)>,
    why: &str,
) -> Result<(), StoreError> {
    if let Some((id, header)) = evidence {
        let now = hub.ambient.now_ms();
        hub.store.keep_evidence(region.region, id, &header.encode_to_vec(), now, status.as_str()).await?;
    }
    if region.status == status {
        return Ok(());
    }
    tracing::error!(region = %region.region, status = status.as_str(), "region stopped: {why}");
    let act = pb::decision::Act::Region(pb::RegionAct {
        what: pb::region_act::What::Suspended.into(),
        region: region.region.to_string(),
        ..Default::default()
    });
    let make = hub.decision_entry(hub.generation().await?, Decided::by_rule(why), act);
    let row = RegionRow { status, reason: why.to_owned(), ..region.clone() };
    let change = RegionChange { decision: Some(&make), ..Default::default() };
    match hub.store.put_region(&row, change).await {
        Err(e) if e.is_conflict() => Ok(()),
        other => other,
    }
}

/// How many batches wait, and for about how long.
pub async fn queue(hub: &Hub) -> Result<pb::Queue, StoreError> {
    let (batches_ahead, deltas) = hub.store.waiting_count().await?;
    Ok(pb::Queue { batches_ahead, estimate_ms: deltas * 1_000 / LANE_DELTAS_PER_SECOND })
}
