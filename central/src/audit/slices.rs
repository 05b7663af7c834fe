//! Releases: signatures, roots over their manifests; of the newest each slice's parts and leaves.

use std::collections::BTreeSet;

use dtsen_proto::{
    envelope::{self, PayloadType},
    key::PublicKey,
    merkle::{self, Frontier, Hash},
    pb,
    region::Region,
    slice::{self, Change},
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use super::{Audit, PAGE, decisions::Decided};
use crate::{
    hub::Hub,
    store::{Cell, ManifestRow, ReleaseRow, StoreError, TABLES, Table},
};

/// Parts are large: fewer at once.
const PARTS: u32 = 8;

pub(super) async fn verify(hub: &Hub, audit: &mut Audit, decided: &Decided) -> Result<(), StoreError> {
    let newest = hub.store.release(None).await?.map_or(0, |r| r.version);
    // Versions are not dense: every generation begins at another million.
    let versions: BTreeSet<u64> = hub.store.release_versions().await?.into_iter().collect();
    for version in decided.released.difference(&versions) {
        audit.fault(format!("rilis {version}: diterbitkan, tetapi tidak ada"));
    }
    for version in versions {
        let row = hub.store.release(Some(version)).await?;
        let published = row.as_ref().is_some_and(|r| r.published);
        if published != decided.released.contains(&version) {
            audit.fault(format!("rilis {version}: terbit atau tidaknya lain dari yang diputuskan"));
        }
        let Some(row) = row else { continue };
        let manifests = hub.store.manifests(version).await?;
        if !check_release(hub, &row, &manifests) {
            audit.fault(format!("rilis {version}: tanda tangan, isi, atau daftar manifesnya tidak sah"));
        }
        if version == newest {
            for manifest in &manifests {
                audit.slices += 1;
                check_slice(hub, version, manifest, audit).await?;
            }
        }
    }
    parts(hub, audit).await
}

/// Whether release and freshness are signed and say what stands beside them.
fn check_release(hub: &Hub, row: &ReleaseRow, manifests: &[ManifestRow]) -> bool {
    let read = || {
        let key = PublicKey::from_slice(&hub.release_key).ok()?;
        let entry = pb::Envelope::decode(row.entry.as_slice()).ok()?;
        let release = envelope::verify::<pb::Release>(&entry, PayloadType::RELEASE, &key).ok()?;
        let fresh = pb::Envelope::decode(row.freshness.as_slice()).ok()?;
        let key = hub.keys.receipt.public();
        let fresh = envelope::verify::<pb::Freshness>(&fresh, PayloadType::FRESHNESS, &key).ok()?;
        Some((release, fresh))
    };
    let Some((release, fresh)) = read() else { return false };
    let (release, fresh) = (release.get(), fresh.get());
    let leaves: Vec<_> = manifests.iter().map(|m| merkle::leaf_hash(&m.body)).collect();
    let of_body = |(place, row): (u64, &ManifestRow)| {
        let read = pb::Manifest::decode(row.body.as_slice()).unwrap_or_default();
        row.place == place && read.region == row.region.to_string() && read.base_version == row.base
    };
    release.version == row.version
        && release.apply_no == row.apply_no
        && fresh.version == row.version
        && fresh.manifests_root == release.manifests_root
        && merkle::root(&leaves).as_slice() == release.manifests_root
        && (0..).zip(manifests).all(of_body)
}

async fn check_slice(
    hub: &Hub,
    version: u64,
    row: &ManifestRow,
    audit: &mut Audit,
) -> Result<(), StoreError> {
    let region = row.region;
    let manifest = pb::Manifest::decode(row.body.as_slice()).unwrap_or_default();
    let mut changes = Vec::new();
    for part in &manifest.parts {
        let body = hub.store.part(region, &part.digest).await?.unwrap_or_default();
        match slice::open_part(part, &body) {
            Ok(read) => changes.extend(read),
            Err(_) => audit.fault(format!("irisan {region} rilis {version}: sebuah bagian rusak")),
        }
    }
    // A snapshot has every leaf.
    if row.base == 0 && !check_leaves(hub, version, region, &manifest, &changes).await? {
        audit.fault(format!("irisan {region} rilis {version}: daun yang terbit tidak cocok"));
    }
    Ok(())
}

/// Leaves kept of a slice, from which the next difference is made, are those of its snapshot and of its root.
async fn check_leaves(
    hub: &Hub,
    version: u64,
    region: Region,
    manifest: &pb::Manifest,
    changes: &[Change],
) -> Result<bool, StoreError> {
    let mut snapshot = changes.iter().map(|change| match change {
        Change::Upsert((kind, id), record) => Some((*kind, *id, merkle::leaf_hash(record))),
        Change::Tombstone(..) => None,
    });
    let mut tree = Frontier::default();
    let table = table("slice_leaf");
    let start = [Cell::from(version), Cell::from(region), Cell::from(0_i64), Cell::from(Vec::new())];
    let mut after = start.to_vec();
    loop {
        let page = hub.store.read_table(table, Some(&after), PAGE).await?;
        for row in &page {
            if row[..2] != start[..2] {
                return Ok(snapshot.next().is_none() && tree.root().as_slice() == manifest.root);
            }
            let Some(Some((kind, id, leaf))) = snapshot.next() else { return Ok(false) };
            let kind = i64::from(i32::from(kind.to_wire()));
            if row[2..] != [kind.into(), id.as_bytes().as_slice().into(), leaf.as_slice().into()] {
                return Ok(false);
            }
            let leaf: Hash = leaf;
            tree.push(leaf);
        }
        let Some(last) = page.last() else {
            return Ok(snapshot.next().is_none() && tree.root().as_slice() == manifest.root);
        };
        after = last[..table.key].to_vec();
    }
}

/// Every part is what its name says, also those of older releases.
async fn parts(hub: &Hub, audit: &mut Audit) -> Result<(), StoreError> {
    let table = table("part");
    let mut after: Option<Vec<Cell>> = None;
    loop {
        let page = hub.store.read_table(table, after.as_deref(), PARTS).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last[..table.key].to_vec());
        for row in &page {
            if let [Cell::Number(region), Cell::Bytes(Some(digest)), _, Cell::Bytes(Some(body))] =
                row.as_slice()
                && Sha256::digest(body).as_slice() != digest
            {
                let region = region.unwrap_or(0);
                audit.fault(format!("irisan {region}: sebuah bagian tidak cocok dengan sidiknya"));
            }
        }
    }
}

fn table(name: &str) -> &'static Table {
    TABLES.iter().find(|t| t.name == name).expect("is a table")
}
