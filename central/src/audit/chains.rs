//! Chains of batches with their receipts, feeds, decisions, totals.

use dtsen_proto::{
    batch,
    chain::Head,
    envelope::{self, PayloadType},
    id::BatchId,
    key::PublicKey,
    limits, pb,
    region::Region,
};
use prost::Message as _;

use super::{Audit, PAGE, log::Named};
use crate::{
    hub::Hub,
    store::{BatchRow, StoreError, batch_leaf},
};

/// Bodies are large: fewer batches at once.
const BATCHES: u32 = 16;

pub(super) async fn verify(hub: &Hub, audit: &mut Audit, named: &mut Named) -> Result<(), StoreError> {
    for row in hub.store.regions().await? {
        chain(hub, row.region, audit, named).await?;
        feed(hub, row.region, audit, named).await?;
    }
    decisions(hub, audit, named).await
}

async fn chain(hub: &Hub, region: Region, audit: &mut Audit, named: &mut Named) -> Result<(), StoreError> {
    let keys: Vec<PublicKey> = hub
        .store
        .region_keys(region)
        .await?
        .iter()
        .filter_map(|row| PublicKey::from_slice(&row.public_key).ok())
        .collect();
    let mut before: Option<Head> = None;
    let (mut epoch, mut sequence) = (0, 0);
    loop {
        let page = hub.store.batches_after(region, epoch, sequence, BATCHES).await?;
        let Some(last) = page.last() else { break };
        (epoch, sequence) = (last.position.epoch, last.position.sequence);
        for row in &page {
            audit.batches += 1;
            match check_batch(hub, &keys, row, before) {
                Ok(leaf) => named.expect(batch_leaf(row.position), leaf),
                Err(why) => audit.fault(format!("kiriman {}: {why}", row.position)),
            }
            totals(hub, row, audit).await?;
            before = Some(Head::after(row.position, row.id));
        }
    }
    let head = hub.store.head(region).await?;
    let stored = before.map_or(BatchId::ZERO, |b| b.id);
    if head.is_some_and(|h| h.id != stored) {
        audit.fault(format!("daerah {region}: kepala rantai bukan kiriman terakhir"));
    }
    Ok(())
}

/// Leaf of a batch in the log, if everything about it fits.
fn check_batch(
    hub: &Hub,
    keys: &[PublicKey],
    row: &BatchRow,
    before: Option<Head>,
) -> Result<[u8; 32], &'static str> {
    let envelope = pb::Envelope::decode(row.header.as_slice()).map_err(|_| "kepala tidak terbaca")?;
    let header = keys.iter().find_map(|key| batch::open(&envelope, key).ok());
    let header = header.ok_or("tanda tangan kepala tidak sah")?;
    if header.digest() != *row.id.as_bytes() || header.get().position != row.position {
        return Err("identitas tidak cocok");
    }
    let start = BatchId::ZERO;
    if header.get().previous != before.map_or(start, |b| b.id) {
        return Err("tidak menyambung kiriman sebelumnya");
    }
    let expected =
        before.filter(|b| b.position.epoch == row.position.epoch).map_or(1, |b| b.position.sequence + 1);
    if row.position.sequence != expected {
        return Err("nomor urut melompat");
    }
    if let Some(body) = &row.body {
        let plain = batch::decode_body(row.encoding, body, limits::MAX_BODY_BYTES).ok_or("isi rusak")?;
        batch::check_frames(header.get(), &plain)
            .map_err(|_| "isi tidak cocok dengan akar yang ditandatangani")?;
    }
    let receipt = pb::Envelope::decode(row.receipt.as_slice()).map_err(|_| "tanda terima tidak terbaca")?;
    let key = hub.keys.receipt.public();
    let receipt = envelope::verify::<pb::Receipt>(&receipt, PayloadType::RECEIPT, &key);
    match receipt {
        Ok(receipt) if receipt.get().batch_id == row.id.as_bytes() => Ok(envelope::log_leaf(&envelope)),
        Ok(_) => Err("tanda terima milik kiriman lain"),
        Err(_) => Err("tanda terima tidak sah"),
    }
}

/// Totals of a decided batch are those of its verdicts, and add up to its deltas.
async fn totals(hub: &Hub, row: &BatchRow, audit: &mut Audit) -> Result<(), StoreError> {
    if row.apply_no.is_none_or(|no| no == 0) {
        return Ok(());
    }
    let mut counted = [0u64; 4];
    for verdict in hub.store.verdicts(row.position).await? {
        counted[verdict.judgement as usize] += 1;
    }
    let listed: u64 = counted.iter().sum();
    counted[0] += row.deltas.saturating_sub(listed);
    if counted != row.totals || row.totals.iter().sum::<u64>() != row.deltas {
        audit.fault(format!("kiriman {}: jumlah putusan tidak cocok", row.position));
    }
    Ok(())
}

async fn feed(hub: &Hub, region: Region, audit: &mut Audit, named: &mut Named) -> Result<(), StoreError> {
    let mut at = 0;
    loop {
        let page = hub.store.feed_after(region, at, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for bytes in page {
            at += 1;
            audit.feed += 1;
            let entry = pb::Envelope::decode(bytes.as_slice()).unwrap_or_default();
            let key = hub.keys.receipt.public();
            match envelope::verify::<pb::Verdicts>(&entry, PayloadType::VERDICTS, &key) {
                Ok(v) if v.get().position == at => {
                    let name = format!("v/{:05}/{at:020}", region.number());
                    named.expect(name, envelope::log_leaf(&entry));
                }
                _ => audit.fault(format!("umpan {region} nomor {at}: tanda tangan atau nomornya tidak sah")),
            }
        }
    }
    if hub.store.feed_end(region).await? != at {
        audit.fault(format!("umpan {region}: akhir tidak cocok"));
    }
    Ok(())
}

async fn decisions(hub: &Hub, audit: &mut Audit, named: &mut Named) -> Result<(), StoreError> {
    let mut at = 0;
    loop {
        let page = hub.store.decisions(at, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for (number, _, bytes) in page {
            at += 1;
            audit.decisions += 1;
            let entry = pb::Envelope::decode(bytes.as_slice()).unwrap_or_default();
            let key = hub.keys.receipt.public();
            match envelope::verify::<pb::Decision>(&entry, PayloadType::DECISION, &key) {
                Ok(d) if d.get().number == number && number == at => {
                    named.expect(format!("d/{number:020}"), envelope::log_leaf(&entry));
                }
                _ => audit.fault(format!("keputusan {number}: tanda tangan atau nomornya tidak sah")),
            }
        }
    }
}
