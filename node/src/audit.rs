//! `verify`: everything that this node keeps, against the signatures over it.

mod verdicts;

use dtsen_proto::{
    batch,
    chain::Head,
    envelope::{self, PayloadType},
    key::PublicKey,
    pb,
};
use futures::future::BoxFuture;
use prost::Message as _;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use self::verdicts::Said;
use crate::{
    store::{BatchRow, Store, StoreError, setting},
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
pub fn verify(agent: &Agent) -> BoxFuture<'_, Result<Audit, SyncError>> {
    Box::pin(async move { Ok(verify_store(&agent.store, &agent.signer.public(), &agent.hub.receipt).await?) })
}

/// Looks at everything that a store keeps, under the keys of its node and its hub.
async fn verify_store(store: &Store, node: &PublicKey, hub: &PublicKey) -> Result<Audit, StoreError> {
    let mut audit = Audit::default();
    let mut said = verdicts::feed(store, hub, &mut audit).await?;
    chain(store, [node, hub], &mut said, &mut audit).await?;
    verdicts::table(store, said, &mut audit).await?;
    rulebook(store, hub, &mut audit).await?;
    let state = store.slice_state().await?;
    audit.slice_version = state.version;
    if !store.verify_slice().await? {
        audit
            .faults
            .push(format!("irisan versi {} tidak sama dengan yang ditandatangani pusat", state.version));
    }
    Ok(audit)
}

/// The rulebook in use is the one that the hub signed.
async fn rulebook(store: &Store, hub: &PublicKey, audit: &mut Audit) -> Result<(), StoreError> {
    let bundle = store.setting(setting::RULEBOOK).await?;
    let statement = store.setting(setting::RULEBOOK_STATEMENT).await?;
    let read = statement.as_deref().map(|bytes| {
        let entry = pb::Envelope::decode(bytes).unwrap_or_default();
        envelope::verify::<pb::RulebookStatement>(&entry, PayloadType::RULEBOOK, hub).ok()
    });
    let fits = match (&bundle, read) {
        (None, None) => true,
        (Some(bundle), Some(Some(read))) => read.get().digest == Sha256::digest(bundle).as_slice(),
        _ => false,
    };
    if !fits {
        audit.faults.push("buku aturan bukan yang ditandatangani pusat".into());
    }
    Ok(())
}

async fn chain(
    store: &Store,
    keys: [&PublicKey; 2],
    said: &mut Said,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let mut before: Option<BatchRow> = None;
    let (mut epoch, mut sequence) = (0, 0);
    loop {
        let mut page = store.batches(epoch, sequence, PAGE).await?;
        let Some(last) = page.last() else { break };
        (epoch, sequence) = (last.position.epoch, last.position.sequence);
        for row in &page {
            audit.batches += 1;
            let why = check_batch(keys, row, before.as_ref(), audit).or_else(|| said.check_totals(row));
            if let Some(why) = why {
                audit.faults.push(format!("kiriman {}: {why}", row.position));
            }
            if in_chain(row) {
                before = Some(BatchRow { body: Vec::new(), ..row.clone() });
            }
        }
        page.clear();
    }
    let stored = store.head().await?;
    if let Some(last) = before {
        let at = |head: Head| {
            let begins = head.position.sequence == 0 && head.position.epoch > last.position.epoch;
            head.id == last.id && (head.position == last.position || begins)
        };
        if !stored.is_some_and(at) {
            audit.faults.push("kepala rantai bukan kiriman terakhir".into());
        }
    }
    Ok(())
}

/// Whether the next batch names this one: not if its epoch closed before the hub had it.
fn in_chain(row: &BatchRow) -> bool {
    row.receipt.is_some() || row.returned.is_none()
}

/// What is wrong with a batch, if anything.
fn check_batch(
    [node, hub]: [&PublicKey; 2],
    row: &BatchRow,
    before: Option<&BatchRow>,
    audit: &mut Audit,
) -> Option<&'static str> {
    let own = row.header.key_id == node.id().as_bytes();
    // What an earlier key of this region signed stands by the hub's receipt; without one it is no part of the chain.
    let stands = own || row.receipt.is_some() || row.returned.is_some();
    if !stands || (own && batch::open(&row.header, node).is_err()) {
        return Some("tanda tangan kepala kiriman tidak sah");
    }
    let header = batch::peek(&row.header).ok().filter(|h| h.position == row.position);
    let Some(header) = header.filter(|_| batch::id(&row.header) == row.id) else {
        return Some("identitas tidak cocok");
    };
    if in_chain(row) && before.is_some_and(|b| b.id != header.previous) {
        return Some("tidak menyambung kiriman sebelumnya");
    }
    let one_more = |b: &BatchRow| b.position.sequence + 1 == row.position.sequence;
    let same_epoch = before.filter(|b| b.position.epoch == row.position.epoch);
    if in_chain(row) && !same_epoch.map_or(row.position.sequence == 1 || before.is_none(), one_more) {
        return Some("nomor urut melompat");
    }
    if row.deltas != header.count || row.body_length != header.body_length {
        return Some("jumlah atau panjang isi tidak cocok dengan kepala");
    }
    // Of a batch read back whose body the hub refused there is the header alone.
    if !(row.returned.is_some() && row.body.is_empty()) {
        let length = usize::try_from(row.body_length).unwrap_or(0);
        let body = batch::decode_body(row.encoding, &row.body, length);
        if body.is_none_or(|body| batch::check_frames(&header, &body).is_err()) {
            return Some("isi tidak cocok dengan akar yang ditandatangani");
        }
    }
    let Some(receipt) = &row.receipt else {
        return row.judged.map(|_| "diputus pusat, tetapi tanda terimanya tidak ada");
    };
    audit.receipts += 1;
    // The hub takes batches in their order.
    if same_epoch.is_some_and(|b| b.receipt.is_none()) {
        return Some("tanda terima kiriman sebelumnya tidak ada");
    }
    match envelope::verify::<pb::Receipt>(receipt, PayloadType::RECEIPT, hub) {
        Ok(receipt) if receipt.get().batch_id != row.id.as_bytes() => Some("tanda terima milik kiriman lain"),
        Ok(receipt) if receipt.get().body_refused.is_empty() == row.returned.is_none() => None,
        // It went back when its epoch was closed, before the receipt came.
        Ok(_) if row.returned.is_some() => None,
        Ok(_) => Some("isinya ditolak pusat, tetapi datanya tidak kembali ke antrean"),
        Err(_) => Some("tanda terima tidak sah"),
    }
}

#[cfg(test)]
mod tests;
