//! Chains of batches: headers, bodies and receipts against their signatures and the columns beside them.

use dtsen_proto::{
    batch::{self, Frame, Header},
    chain::Head,
    envelope::{self, PayloadType, Verified},
    id::BatchId,
    key::PublicKey,
    limits, pb,
    region::Region,
};
use prost::Message as _;

use super::{
    Audit,
    decisions::Decided,
    log::Named,
    rulebooks,
    verdicts::{self, Said},
};
use crate::{
    hello,
    hub::Hub,
    store::{Applied, BatchRow, StoreError, batch_leaf},
};

/// Bodies are large: fewer batches at once.
const BATCHES: u32 = 16;

pub(super) async fn verify(
    hub: &Hub,
    region: Region,
    audit: &mut Audit,
    named: &mut Named,
    decided: &mut Decided,
    mut said: Said,
) -> Result<(), StoreError> {
    let keys = hub.store.region_keys(region).await?;
    let keys: Vec<PublicKey> =
        keys.iter().filter_map(|row| PublicKey::from_slice(&row.public_key).ok()).collect();
    let mut before: Option<Head> = None;
    let mut heads = Vec::new();
    let (mut epoch, mut sequence, mut applied) = (0, 0, 0);
    loop {
        let page = hub.store.batches_after(region, epoch, sequence, BATCHES).await?;
        let Some(last) = page.last() else { break };
        (epoch, sequence) = (last.position.epoch, last.position.sequence);
        for row in &page {
            audit.batches += 1;
            let plain = row.body.as_ref().map(|body| {
                batch::decode_body(row.encoding, body, limits::MAX_BODY_BYTES).unwrap_or_default()
            });
            let frames = plain.as_ref().and_then(|plain| batch::frames(plain)).unwrap_or_default();
            match check_batch(hub, &keys, row, plain.as_deref(), before, decided) {
                Ok(leaf) => named.expect(batch_leaf(row.position), leaf),
                Err(why) => audit.fault(format!("kiriman {}: {why}", row.position)),
            }
            erased(row, &frames, decided, audit);
            application(hub, row, audit).await?;
            verdicts::verify(hub, row, &frames, &mut said, audit).await?;
            applied = applied.max(row.apply_no.unwrap_or(0));
            let head = Head::after(row.position, row.id);
            if before.is_some_and(|b| b.position.epoch != row.position.epoch) {
                heads.extend(before);
            }
            before = Some(head);
        }
    }
    heads.extend(before);
    verdicts::report_left(said, audit);
    chain(hub, region, &heads, audit).await?;
    verdicts::verify_lane(hub, region, applied, audit).await
}

/// The head of every epoch is its last batch, or where the epoch began; the last epoch alone is open.
async fn chain(hub: &Hub, region: Region, heads: &[Head], audit: &mut Audit) -> Result<(), StoreError> {
    let stored = hub.store.heads(region).await?;
    let known = |epoch| heads.iter().find(|h| h.position.epoch == epoch);
    let mut before: Option<Head> = None;
    for (at, (head, closed)) in stored.iter().enumerate() {
        let fits = match known(head.position.epoch) {
            Some(last) => head == last,
            None => head.position.sequence == 0 && head.id == before.map_or(BatchId::ZERO, |b| b.id),
        };
        if !opened(hub, *head, before).await? {
            let epoch = head.position.epoch;
            audit.fault(format!("daerah {region}: kepala rantai epoch {epoch} dibuka tanpa keputusan"));
        }
        if !fits || *closed == (at + 1 == stored.len()) {
            let epoch = head.position.epoch;
            audit.fault(format!("daerah {region}: kepala rantai epoch {epoch} bukan kiriman terakhir"));
        }
        before = Some(*head);
    }
    for head in heads {
        if !stored.iter().any(|(s, _)| s.position.epoch == head.position.epoch) {
            audit.fault(format!("daerah {region}: epoch {} tidak ada", head.position.epoch));
        }
    }
    Ok(())
}

/// Whether the decision that opened the epoch names the head that it begins with; the first has none.
async fn opened(hub: &Hub, head: Head, before: Option<Head>) -> Result<bool, StoreError> {
    let statement = hub.store.epoch_statement(head.position.region, head.position.epoch).await?;
    let act = statement.as_ref().map(|bytes| {
        let entry = pb::Envelope::decode(bytes.as_slice()).unwrap_or_default();
        hello::decided(hub, &entry).ok().flatten()
    });
    Ok(act == before.map(|before| Some(hello::epoch_act(before, head.position.epoch))))
}

/// Leaf of a batch in the log, if everything about it fits.
fn check_batch(
    hub: &Hub,
    keys: &[PublicKey],
    row: &BatchRow,
    plain: Option<&[u8]>,
    before: Option<Head>,
    decided: &Decided,
) -> Result<[u8; 32], &'static str> {
    let envelope = pb::Envelope::decode(row.header.as_slice()).map_err(|_| "kepala tidak terbaca")?;
    let header = keys.iter().find_map(|key| batch::open(&envelope, key).ok());
    let header = header.or_else(|| by_receipt(hub, keys, row, &envelope));
    let header = header.ok_or("tanda tangan kepala tidak sah")?;
    if header.digest() != *row.id.as_bytes() || header.get().position != row.position {
        return Err("identitas tidak cocok");
    }
    if header.get().previous != before.map_or(BatchId::ZERO, |b| b.id) {
        return Err("tidak menyambung kiriman sebelumnya");
    }
    let expected =
        before.filter(|b| b.position.epoch == row.position.epoch).map_or(1, |b| b.position.sequence + 1);
    if row.position.sequence != expected {
        return Err("nomor urut melompat");
    }
    if let Some(plain) = plain {
        batch::check_frames(header.get(), plain)
            .map_err(|_| "isi tidak cocok dengan akar yang ditandatangani")?;
    }
    let deltas = if plain.is_some() { u64::from(header.get().count) } else { 0 };
    if row.deltas != deltas {
        return Err("jumlah data tidak cocok dengan kepala");
    }
    check_receipt(hub, row, decided)?;
    Ok(envelope::log_leaf(&envelope))
}

/// A batch that came back to this hub after it lost the key of the region: it stands by the receipt.
fn by_receipt(
    hub: &Hub,
    keys: &[PublicKey],
    row: &BatchRow,
    header: &pb::Envelope,
) -> Option<Verified<Header>> {
    if keys.iter().any(|key| header.key_id == key.id().as_bytes()) {
        return None;
    }
    let receipt = pb::Envelope::decode(row.receipt.as_slice()).ok()?;
    let key = hub.keys.receipt.public();
    let receipt = envelope::verify::<pb::Receipt>(&receipt, PayloadType::RECEIPT, &key).ok()?;
    batch::open_by_receipt(header, &receipt).ok()
}

fn check_receipt(hub: &Hub, row: &BatchRow, decided: &Decided) -> Result<(), &'static str> {
    let receipt = pb::Envelope::decode(row.receipt.as_slice()).map_err(|_| "tanda terima tidak terbaca")?;
    let receipt = envelope::verify::<pb::Receipt>(&receipt, PayloadType::RECEIPT, &hub.keys.receipt.public());
    let receipt = receipt.map_err(|_| "tanda terima tidak sah")?;
    let receipt = receipt.get();
    if receipt.batch_id != row.id.as_bytes() {
        return Err("tanda terima milik kiriman lain");
    }
    if receipt.custody_ms != row.custody_ms {
        return Err("waktu terima tidak cocok dengan tanda terima");
    }
    if !rulebooks::judges(row, receipt, decided) {
        return Err("versi buku aturannya bukan yang di tanda terima");
    }
    if row.body.is_none() && receipt.body_refused.is_empty() {
        return Err("isi hilang, padahal tanda terima menyatakan isi diterima");
    }
    Ok(())
}

/// A delta is missing from a body only by a decision.
fn erased(row: &BatchRow, frames: &[Frame<'_>], decided: &mut Decided, audit: &mut Audit) {
    for (index, frame) in (0..).zip(frames) {
        if let Frame::Erased(leaf) = frame
            && !decided.take_erased(row.id, index, leaf)
        {
            audit.fault(format!("data {}/{index}: terhapus tanpa keputusan", row.position));
        }
    }
}

/// The application that a batch names names the batch.
async fn application(hub: &Hub, row: &BatchRow, audit: &mut Audit) -> Result<(), StoreError> {
    let fits = match row.apply_no {
        None => row.body.is_some(),
        Some(0) => row.body.is_none(),
        Some(number) => {
            let named = hub.store.applications(number - 1, 1).await?;
            named.first().is_some_and(|a| a.apply_no == number && a.what == Applied::Batch(row.position))
        }
    };
    if !fits {
        audit.fault(format!("kiriman {}: penerapannya tidak cocok", row.position));
    }
    Ok(())
}
