//! `verify`: everything that this node keeps, against the signatures over it.

use dtsen_proto::{
    batch,
    chain::Head,
    envelope::{self, PayloadType},
    pb,
};
use prost::Message as _;
use serde::Serialize;

use crate::{
    store::{BatchRow, StoreError},
    sync::{Agent, SyncError},
};

/// Rows read at once.
const PAGE: u32 = 64;

/// What was looked at, and what does not fit.
#[derive(Debug, Default, Serialize)]
pub struct Audit {
    /// Batches looked at.
    pub batches: u64,
    /// Receipts looked at.
    pub receipts: u64,
    /// Feed entries looked at.
    pub feed: u64,
    /// Slice looked at.
    pub slice_version: u64,
    /// Faults, in words.
    pub faults: Vec<String>,
}

/// Looks at everything.
pub async fn verify(agent: &Agent) -> Result<Audit, SyncError> {
    let mut audit = Audit::default();
    chain(agent, &mut audit).await?;
    feed(agent, &mut audit).await?;
    let state = agent.store.slice_state().await?;
    audit.slice_version = state.version;
    if !agent.store.verify_slice().await? {
        audit
            .faults
            .push(format!("irisan versi {} tidak sama dengan yang ditandatangani pusat", state.version));
    }
    Ok(audit)
}

async fn chain(agent: &Agent, audit: &mut Audit) -> Result<(), StoreError> {
    let mut head: Option<Head> = None;
    let (mut epoch, mut sequence) = (0, 0);
    loop {
        let page = agent.store.batches(epoch, sequence, PAGE).await?;
        let Some(last) = page.last() else { break };
        (epoch, sequence) = (last.position.epoch, last.position.sequence);
        for row in &page {
            audit.batches += 1;
            if let Some(why) = check_batch(agent, row, head, audit) {
                audit.faults.push(format!("kiriman {}: {why}", row.position));
            }
            if in_chain(row) {
                head = Some(Head::after(row.position, row.id));
            }
        }
    }
    let stored = agent.store.head().await?;
    if head.is_some() && stored.map(|h| h.id) != head.map(|h| h.id) {
        audit.faults.push("kepala rantai bukan kiriman terakhir".into());
    }
    Ok(())
}

/// Whether the next batch names this one: not if its epoch closed before the hub had it.
fn in_chain(row: &BatchRow) -> bool {
    row.receipt.is_some() || row.returned.is_none()
}

/// What is wrong with a batch, if anything.
fn check_batch(
    agent: &Agent,
    row: &BatchRow,
    before: Option<Head>,
    audit: &mut Audit,
) -> Option<&'static str> {
    let own = row.header.key_id == agent.signer.id().as_bytes();
    // What an earlier key of this region signed stands by the hub's receipt.
    if !(own || row.receipt.is_some()) || (own && batch::open(&row.header, &agent.signer.public()).is_err()) {
        return Some("tanda tangan kepala kiriman tidak sah");
    }
    let header = batch::peek(&row.header).ok().filter(|h| h.position == row.position);
    let Some(header) = header.filter(|_| batch::id(&row.header) == row.id) else {
        return Some("identitas tidak cocok");
    };
    if in_chain(row) && before.is_some_and(|b| b.id != header.previous) {
        return Some("tidak menyambung kiriman sebelumnya");
    }
    // Of a batch read back whose body the hub refused there is the header alone.
    if !(row.returned.is_some() && row.body.is_empty()) {
        let length = usize::try_from(row.body_length).unwrap_or(0);
        let body = batch::decode_body(row.encoding, &row.body, length);
        if body.is_none_or(|body| batch::check_frames(&header, &body).is_err()) {
            return Some("isi tidak cocok dengan akar yang ditandatangani");
        }
    }
    let receipt = row.receipt.as_ref()?;
    audit.receipts += 1;
    match envelope::verify::<pb::Receipt>(receipt, PayloadType::RECEIPT, &agent.hub.receipt) {
        Ok(receipt) if receipt.get().batch_id == row.id.as_bytes() => None,
        Ok(_) => Some("tanda terima milik kiriman lain"),
        Err(_) => Some("tanda terima tidak sah"),
    }
}

async fn feed(agent: &Agent, audit: &mut Audit) -> Result<(), StoreError> {
    let mut at = 0;
    loop {
        let page = agent.store.feed_after(at, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for bytes in page {
            at += 1;
            audit.feed += 1;
            let verified = pb::Envelope::decode(bytes.as_slice()).ok().and_then(|entry| {
                envelope::verify::<pb::Verdicts>(&entry, PayloadType::VERDICTS, &agent.hub.receipt).ok()
            });
            if verified.is_none_or(|v| v.get().position != at) {
                audit.faults.push(format!("putusan {at}: tanda tangan atau nomornya tidak sah"));
            }
        }
    }
}
