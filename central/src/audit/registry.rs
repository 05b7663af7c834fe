//! Records against their hashes and holders, applications without gaps.

use dtsen_proto::{
    column,
    id::{DeltaRef, Position, RecordId},
    pb,
    record::{RecordKind, Value},
    rulebook::reason,
};
use prost::Message as _;

use super::{Audit, PAGE, decisions::Decided};
use crate::{
    hub::Hub,
    registry::{
        claim::Cell,
        codec,
        record::Record,
        view::{HolderKey, Wanted},
    },
    replay,
    store::{Applied, RecordRow, StoreError},
};

pub(super) async fn verify(hub: &Hub, audit: &mut Audit, decided: &mut Decided) -> Result<(), StoreError> {
    let mut after = Vec::new();
    loop {
        let rows = hub.store.records_after(&after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id.as_bytes().to_vec();
        let mut whole = Vec::new();
        for row in &rows {
            audit.records += 1;
            match check_record(row) {
                Ok(record) => whole.push(record),
                Err(why) => audit.fault(format!("data {}: {why}", row.id)),
            }
        }
        numbers(hub, &whole, audit).await?;
    }
    audit.state_hash = hex::encode(replay::state_hash(&*hub.store).await?);
    holders(hub, audit).await?;
    applications(hub, audit, decided).await
}

fn check_record(row: &RecordRow) -> Result<Record, &'static str> {
    if codec::hash(&row.body).as_slice() != row.hash {
        return Err("isi tidak cocok dengan sidiknya");
    }
    match codec::decode(&row.body) {
        Err(_) => Err("isi tidak terbaca"),
        Ok(record) if record.id != row.id || record.kind != row.kind => Err("isi milik data lain"),
        Ok(record) if record.domicile() != row.region => Err("domisili tidak cocok"),
        Ok(record) => Ok(record),
    }
}

/// The number that a record has by its own region, with the delta that said so.
fn own_number(record: &Record) -> Option<(HolderKey, DeltaRef)> {
    // In a record that moved a region may have said a number that it was not given.
    let [stay] = record.stays.as_slice() else { return None };
    let (Cell { value: Value::Text(number), stamp, .. }, region) =
        numbers_of(record).filter(|(_, region)| *region == stay.region).max_by_key(|(cell, _)| cell.stamp)?
    else {
        return None;
    };
    let position = Position { region, epoch: stamp.epoch, sequence: stamp.sequence };
    Some((HolderKey::new(record.kind, number), DeltaRef { position, index: stamp.index }))
}

fn numbers_of(record: &Record) -> impl Iterator<Item = (&Cell, dtsen_proto::region::Region)> {
    let column = match record.kind {
        RecordKind::Keluarga => column::K_NOMOR_KARTU_KELUARGA,
        RecordKind::Individu => column::I_NIK,
    };
    let cells = record.claims.iter().flat_map(|c| c.cells.iter().map(|cell| (cell, c.region)));
    cells.filter(move |(cell, _)| cell.column == column)
}

fn says(record: &Record, key: &HolderKey) -> bool {
    numbers_of(record).any(|(cell, _)| match &cell.value {
        Value::Text(number) => HolderKey::new(record.kind, number) == *key,
        _ => false,
    })
}

/// Records hold the numbers that they were given.
async fn numbers(hub: &Hub, records: &[Record], audit: &mut Audit) -> Result<(), StoreError> {
    let mut wanted = Wanted::default();
    wanted.holders.extend(records.iter().filter_map(own_number).map(|(key, _)| key));
    let view = hub.store.view(&wanted).await?;
    for record in records {
        let Some((key, delta)) = own_number(record) else { continue };
        let fits = match view.holder(&key) {
            None => false,
            Some(holder) if holder == record.id => true,
            // Two records may say one number; it was given to one of them.
            Some(other) => {
                view.record(other).is_some_and(|other| says(other, &key)) || by_steward(hub, delta).await?
            }
        };
        if !fits {
            audit.fault(format!("pemegang nomor data {}: tidak cocok dengan datanya", record.id));
        }
    }
    Ok(())
}

/// A steward may accept a number that another record holds.
async fn by_steward(hub: &Hub, delta: DeltaRef) -> Result<bool, StoreError> {
    let verdict = hub.store.verdict(delta).await?;
    let detail = verdict.and_then(|v| pb::Verdict::decode(v.detail.as_slice()).ok()).unwrap_or_default();
    Ok(detail.findings.iter().any(|f| f.reason == reason::STEWARD_ACCEPTED))
}

/// Every number is held by a record that is there, and of its kind.
async fn holders(hub: &Hub, audit: &mut Audit) -> Result<(), StoreError> {
    let mut after = String::new();
    loop {
        let page = hub.store.holders_after(&after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok(()) };
        after.clone_from(last);
        let ids = |page: &[(String, Vec<u8>)]| -> Vec<Option<RecordId>> {
            page.iter().map(|(_, id)| RecordId::from_slice(id)).collect()
        };
        let wanted = Wanted { records: ids(&page).into_iter().flatten().collect(), ..Wanted::default() };
        let view = hub.store.view(&wanted).await?;
        for ((number, _), id) in page.iter().zip(ids(&page)) {
            let kind = if number.starts_with('k') { RecordKind::Keluarga } else { RecordKind::Individu };
            if id.and_then(|id| view.record(id)).is_none_or(|record| record.kind != kind) {
                let id = id.map_or_else(String::new, |id| id.to_string());
                audit.fault(format!("pemegang nomor: data {id} tidak ada atau lain jenisnya"));
            }
        }
    }
}

async fn applications(hub: &Hub, audit: &mut Audit, decided: &mut Decided) -> Result<(), StoreError> {
    let mut done = 0;
    loop {
        let page = hub.store.applications(done, PAGE).await?;
        if page.is_empty() {
            return Ok(());
        }
        for application in page {
            done += 1;
            if application.apply_no != done {
                audit.fault(format!("penerapan {done} hilang"));
                return Ok(());
            }
            let fits = match application.what {
                Applied::Batch(position) => {
                    hub.store.batch(position).await?.is_some_and(|b| b.apply_no == Some(done))
                }
                Applied::Decision(number) => decided.take_applied(done, number),
            };
            if !fits {
                audit.fault(format!("penerapan {done}: yang ditunjuk tidak menunjuk balik"));
            }
        }
    }
}
