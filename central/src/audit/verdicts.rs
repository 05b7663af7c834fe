//! Verdicts against the signed feed and the bodies, totals against verdicts.

use std::collections::BTreeMap;

use dtsen_proto::{
    batch::Frame,
    envelope::{self, PayloadType},
    id::{DeltaRef, Position},
    pb,
    record::Delta,
    region::Region,
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{Audit, PAGE, log::Named};
use crate::{
    hub::Hub,
    registry::{decide::Judgement, view::subject},
    store::{BatchRow, Cell, StoreError, TABLES, VerdictRow},
};

/// What the feed of a region says last of each delta: revision, and hash of the verdict. Entries go as they are met.
pub(super) type Said = BTreeMap<DeltaRef, (u32, [u8; 32])>;

/// Checks the feed of a region and returns what it says.
pub(super) async fn verify_feed(
    hub: &Hub,
    region: Region,
    audit: &mut Audit,
    named: &mut Named,
) -> Result<Said, StoreError> {
    let (mut said, mut at) = (Said::new(), 0);
    let key = hub.keys.receipt.public();
    loop {
        let page = hub.store.feed_after(region, at, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for bytes in page {
            at += 1;
            audit.feed += 1;
            let entry = pb::Envelope::decode(bytes.as_slice()).unwrap_or_default();
            match envelope::verify::<pb::Verdicts>(&entry, PayloadType::VERDICTS, &key) {
                Ok(v) if v.get().position == at && v.get().region == region.to_string() => {
                    let name = format!("v/{:05}/{at:020}", region.number());
                    named.expect(name, envelope::log_leaf(&entry));
                    hear(&mut said, region, v.get());
                }
                _ => audit.fault(format!("umpan {region} nomor {at}: tanda tangan atau nomornya tidak sah")),
            }
        }
    }
    if hub.store.feed_end(region).await? != at {
        audit.fault(format!("umpan {region}: akhir tidak cocok"));
    }
    Ok(said)
}

fn hear(said: &mut Said, region: Region, entry: &pb::Verdicts) {
    let sequence = u32::try_from(entry.sequence).unwrap_or(0);
    let position = Position { region, epoch: entry.epoch, sequence };
    for verdict in &entry.verdicts {
        let delta = DeltaRef { position, index: verdict.index };
        let newest = said.get(&delta).is_none_or(|(revision, _)| *revision < verdict.revision);
        if newest {
            said.insert(delta, (verdict.revision, Sha256::digest(verdict.encode_to_vec()).into()));
        }
    }
}

/// Verdicts of a batch: each is what the feed says, and the totals are theirs.
pub(super) async fn verify(
    hub: &Hub,
    row: &BatchRow,
    frames: &[Frame<'_>],
    said: &mut Said,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let mut counted = [0u64; 4];
    for verdict in hub.store.verdicts(row.position).await? {
        counted[verdict.judgement as usize] += 1;
        let told = said.remove(&verdict.delta);
        if let Some(why) = check(&verdict, told, frames) {
            audit.fault(format!("putusan {}: {why}", verdict.delta));
        }
    }
    let decided = row.apply_no.is_some_and(|no| no > 0);
    let listed: u64 = counted.iter().sum();
    counted[0] += if decided { row.deltas.saturating_sub(listed) } else { 0 };
    if counted != row.totals || decided && row.totals.iter().sum::<u64>() != row.deltas {
        audit.fault(format!("kiriman {}: jumlah putusan tidak cocok", row.position));
    }
    Ok(())
}

fn check(row: &VerdictRow, told: Option<(u32, [u8; 32])>, frames: &[Frame<'_>]) -> Option<&'static str> {
    let hash: [u8; 32] = Sha256::digest(&row.detail).into();
    if told != Some((row.revision, hash)) {
        return Some("tidak sama dengan umpan yang ditandatangani");
    }
    let judgement = pb::Verdict::decode(row.detail.as_slice()).map(|v| v.judgement());
    let same = match row.judgement {
        Judgement::Accepted => pb::Judgement::Accepted,
        Judgement::Warned => pb::Judgement::Warned,
        Judgement::Held => pb::Judgement::Held,
        Judgement::Rejected => pb::Judgement::Rejected,
    };
    if judgement != Ok(same) {
        return Some("putusannya lain dari rinciannya");
    }
    // What it is about and what it asks for serves only while it is held.
    if row.judgement != Judgement::Held {
        return None;
    }
    let frame = frames.get(row.delta.index as usize);
    let delta = frame.and_then(|frame| match frame {
        Frame::Delta(bytes) => Delta::decode(bytes).ok(),
        Frame::Erased(_) => None,
    });
    let fits = delta.is_some_and(|delta| subject(&delta) == row.subject && delta.action == row.action);
    if fits { None } else { Some("pokok atau tindakannya lain dari datanya") }
}

/// What the feed says and no verdict keeps.
pub(super) fn report_left(said: Said, audit: &mut Audit) {
    for delta in said.into_keys() {
        audit.fault(format!("putusan {delta}: ada dalam umpan, tidak ada dalam tabel"));
    }
}

/// What the lane knows of a region: its last application.
pub(super) async fn verify_lane(
    hub: &Hub,
    region: Region,
    applied: u64,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let table = TABLES.iter().find(|t| t.name == "lane").expect("is a table");
    let before = [Cell::from(u32::from(region.number()) - 1)];
    let row = hub.store.read_table(table, Some(&before), 1).await?.into_iter().next();
    let expected = [Cell::from(region), Cell::from(applied)];
    let fits = row.is_some_and(|row| [&row[0], &row[2]] == expected.each_ref());
    if !fits && applied > 0 {
        audit.fault(format!("jalur {region}: penerapan terakhir tidak cocok"));
    }
    Ok(())
}
