//! Records against their hashes and holders, applications without gaps, slices against their manifests.

use dtsen_proto::{
    envelope::{self, PayloadType},
    key::PublicKey,
    merkle, pb,
};
use prost::Message as _;

use super::{Audit, PAGE};
use crate::{
    hub::Hub,
    registry::codec,
    replay,
    store::{Applied, RecordRow, StoreError},
};

pub(super) async fn verify(hub: &Hub, audit: &mut Audit) -> Result<(), StoreError> {
    let mut after = Vec::new();
    loop {
        let rows = hub.store.records_after(&after, PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id.as_bytes().to_vec();
        for row in &rows {
            audit.records += 1;
            if let Some(why) = check_record(row) {
                audit.fault(format!("data {}: {why}", row.id));
            }
        }
    }
    audit.state_hash = hex::encode(replay::state_hash(&*hub.store).await?);
    applications(hub, audit).await
}

fn check_record(row: &RecordRow) -> Option<&'static str> {
    if codec::hash(&row.body).as_slice() != row.hash {
        return Some("isi tidak cocok dengan sidiknya");
    }
    match codec::decode(&row.body) {
        Err(_) => Some("isi tidak terbaca"),
        Ok(record) if record.id != row.id || record.kind != row.kind => Some("isi milik data lain"),
        Ok(record) if record.domicile() != row.region => Some("domisili tidak cocok"),
        Ok(_) => None,
    }
}

async fn applications(hub: &Hub, audit: &mut Audit) -> Result<(), StoreError> {
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
            if let Applied::Batch(position) = application.what
                && hub.store.batch(position).await?.is_none_or(|b| b.apply_no != Some(done))
            {
                audit.fault(format!("penerapan {done}: kiriman {position} tidak menunjuk balik"));
            }
        }
    }
}

/// The newest release: signature, root over its manifests, and each slice's parts.
pub(super) async fn verify_slices(hub: &Hub, audit: &mut Audit) -> Result<(), StoreError> {
    let Some(row) = hub.store.release(None).await? else { return Ok(()) };
    let entry = pb::Envelope::decode(row.entry.as_slice()).unwrap_or_default();
    let key = PublicKey::from_slice(&hub.release_key);
    let release =
        key.ok().and_then(|key| envelope::verify::<pb::Release>(&entry, PayloadType::RELEASE, &key).ok());
    let Some(release) = release else {
        audit.fault(format!("rilis {}: tanda tangan tidak sah", row.version));
        return Ok(());
    };
    let manifests = hub.store.manifests(row.version).await?;
    let leaves: Vec<_> = manifests.iter().map(|m| merkle::leaf_hash(&m.body)).collect();
    if merkle::root(&leaves).as_slice() != release.get().manifests_root {
        audit.fault(format!("rilis {}: daftar manifes tidak cocok dengan akarnya", row.version));
    }
    for manifest in &manifests {
        audit.slices += 1;
        let read = pb::Manifest::decode(manifest.body.as_slice()).unwrap_or_default();
        for part in &read.parts {
            let body = hub.store.part(manifest.region, &part.digest).await?.unwrap_or_default();
            if dtsen_proto::slice::open_part(part, &body).is_err() {
                audit.fault(format!("irisan {} rilis {}: sebuah bagian rusak", manifest.region, row.version));
            }
        }
    }
    Ok(())
}
