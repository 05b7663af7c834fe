//! Batches up: sealed when they are sent, in pieces sized to the link, resumed where they broke.

use std::time::Duration;

use dtsen_proto::{
    batch,
    chain::Head,
    checkpoint::Checkpoint,
    envelope::{self, PayloadType, Verified},
    limits, pb,
    refusal::Refusal,
};
use tokio::time::Instant;

use super::{Report, Session, SyncError};
use crate::{
    rulebook,
    store::{BatchRow, Sealing, setting},
};

/// First piece on a new connection: small, so that a weak link shows at once, and that it arrives before the next cut.
const FIRST_PIECE: usize = 16 * 1024;
/// A piece should take about this long.
const PIECE: Duration = Duration::from_secs(4);
/// A batch should take about this long.
const BATCH: Duration = Duration::from_mins(1);
/// Bodies shrink to about a quarter; sealing counts bytes before compression.
const COMPRESSION: usize = 4;
/// Smallest batch, however slow the link: below this the header weighs more than the deltas.
const SMALLEST_BATCH: usize = 64 * 1024;

/// What a connection shows of its link.
struct Link {
    piece: usize,
    bytes_per_second: Option<usize>,
}

impl Link {
    fn new() -> Self {
        Self { piece: FIRST_PIECE, bytes_per_second: None }
    }

    fn took(&mut self, bytes: usize, time: Duration) {
        let millis = usize::try_from(time.as_millis()).unwrap_or(usize::MAX).max(1);
        let rate = bytes.saturating_mul(1_000) / millis;
        let seconds = usize::try_from(PIECE.as_secs()).expect("small");
        self.bytes_per_second = Some(rate);
        self.piece = (rate.saturating_mul(seconds)).clamp(FIRST_PIECE / 2, limits::MAX_CHUNK_BYTES);
    }

    /// Bytes before compression that a batch may have.
    fn batch_bytes(&self) -> usize {
        let seconds = usize::try_from(BATCH.as_secs()).expect("small");
        let fits = self.bytes_per_second.map(|rate| rate.saturating_mul(seconds * COMPRESSION));
        fits.unwrap_or(limits::MAX_BODY_BYTES).clamp(SMALLEST_BATCH, limits::MAX_BODY_BYTES)
    }
}

/// Sends everything that waits.
pub(super) async fn upload(session: &mut Session<'_>, report: &mut Report) -> Result<(), SyncError> {
    let mut link = Link::new();
    loop {
        let unreceipted = session.agent.store.oldest_unreceipted().await?;
        let (batch, sent) = match unreceipted {
            Some(batch) => (batch, Sent::Perhaps),
            None => match seal(session, &link).await? {
                Some(batch) => (batch, Sent::Never),
                None => return Ok(()),
            },
        };
        let receipt = send(session, &batch, sent, &mut link, &mut report.bytes).await?;
        let read = check_receipt(session, &batch, &receipt)?;
        session.agent.store.store_receipt(&read, &receipt).await?;
        let refused = !read.get().body_refused.is_empty();
        if refused {
            report.bodies_refused += 1;
        } else {
            report.batches += 1;
            report.deltas += u64::from(batch.deltas);
        }
    }
}

async fn seal(session: &Session<'_>, link: &Link) -> Result<Option<BatchRow>, SyncError> {
    let agent = session.agent;
    let log = match agent.store.text_setting(setting::CHECKPOINT).await? {
        Some(note) => {
            let checkpoint = Checkpoint::open(&note, &agent.hub.name, &agent.hub.log)?.into_inner();
            (checkpoint.size, checkpoint.root)
        }
        None => (0, [0; 32]),
    };
    let sealing = Sealing {
        now_ms: agent.ambient.now_ms(),
        max_deltas: limits::BATCH_DELTAS,
        max_bytes: link.batch_bytes(),
        rulebook: rulebook::version(&agent.store).await?,
        generation: session.generation,
        log,
        salt: &|| agent.ambient.bytes(),
        seal: &|draft, deltas| batch::seal(&agent.signer, draft, deltas),
    };
    Ok(agent.store.seal(&sealing).await?)
}

/// What a batch has behind it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sent {
    /// Nothing: it was sealed just now.
    Never,
    /// Part of it may be at the hub.
    Perhaps,
    /// It was in custody once, and the hub lost it.
    HandedBack,
}

/// Sends one batch, from where the hub has it.
async fn send(
    session: &mut Session<'_>,
    batch: &BatchRow,
    sent: Sent,
    link: &mut Link,
    taken: &mut u64,
) -> Result<pb::Envelope, SyncError> {
    let mut offset = 0;
    // Asked with an empty piece: on a weak link a piece sent only to hear that it is there costs what would be new.
    let mut asks = sent != Sent::Never;
    let handed_back = sent == Sent::HandedBack;
    // The first batch of an epoch that the hub lost brings the hub's own word for the epoch.
    let first = handed_back && batch.position.sequence == 1;
    let statement =
        if first { session.agent.store.epoch_statement(batch.position.epoch).await? } else { None };
    loop {
        let end = if asks { offset } else { batch.body.len().min(offset + link.piece) };
        let request = pb::SubmitRequest {
            header: Some(batch.header.clone()),
            encoding: batch.encoding,
            encoded_length: batch.body.len() as u64,
            offset: offset as u64,
            data: batch.body[offset..end].to_vec(),
            session: session.token.clone(),
            receipt: if handed_back { batch.receipt.clone() } else { None },
            epoch_statement: statement.clone(),
        };
        let begun = Instant::now();
        let reply = session.client.submit(request).await?.into_inner();
        if !asks {
            link.took(end - offset, begun.elapsed());
        }
        if reply.receipt.is_some() || reply.next_offset == end as u64 {
            *taken += (end - offset) as u64;
        }
        if let Some(receipt) = reply.receipt {
            return Ok(receipt);
        }
        let next = usize::try_from(reply.next_offset).ok().filter(|n| *n < batch.body.len());
        // A hub that neither gives a receipt nor asks for more would keep us here for ever.
        offset = next.filter(|n| asks || *n != offset).ok_or(Refusal::Malformed { what: "submit reply" })?;
        asks = false;
    }
}

fn check_receipt(
    session: &Session<'_>,
    sent: &BatchRow,
    receipt: &pb::Envelope,
) -> Result<Verified<pb::Receipt>, SyncError> {
    let key = &session.agent.hub.receipt;
    let verified = envelope::verify::<pb::Receipt>(receipt, PayloadType::RECEIPT, key)?;
    if batch::is_receipt_of(verified.get(), sent.position, sent.id) {
        Ok(verified)
    } else {
        Err(Refusal::Malformed { what: "receipt of this batch" }.into())
    }
}

/// Sends again, with their old receipts, the batches after the hub's head.
pub(super) async fn hand_back(session: &mut Session<'_>, hub_head: Head) -> Result<(), SyncError> {
    let mut link = Link::new();
    let (mut epoch, mut sequence) = (hub_head.position.epoch, hub_head.position.sequence);
    loop {
        let next = session.agent.store.batches(epoch, sequence, 1).await?;
        let Some(batch) = next.into_iter().next() else { return Ok(()) };
        (epoch, sequence) = (batch.position.epoch, batch.position.sequence);
        // What was never in custody and closed with its epoch was sealed anew later.
        if batch.receipt.is_none() && batch.returned.is_some() {
            continue;
        }
        let receipt = send(session, &batch, Sent::HandedBack, &mut link, &mut 0).await?;
        let read = check_receipt(session, &batch, &receipt)?;
        session.agent.store.store_receipt(&read, &receipt).await?;
    }
}
