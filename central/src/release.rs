//! Releases: a cut of the registry, one slice for every region, signed once.

mod plan;

use dtsen_proto::{
    envelope::{self, PayloadType},
    limits,
    merkle::{self, Hash},
    pb,
    refusal::Refusal,
    region::Region,
};
use futures::future::BoxFuture;
use prost::Message as _;

use crate::{
    hub::{Decided, Hub},
    intake::Fault,
    store::{ManifestRow, ReleaseRow, Status, StoreError},
};

/// Days that a release may be taken: a quarter and a month of grace.
const RELEASE_DAYS: i64 = 120;
/// Days that a freshness statement lives; renewed daily while the hub runs.
const FRESHNESS_DAYS: i64 = 7;
const DAY_MS: i64 = 86_400_000;
/// Purpose profile of the slices.
pub const PROFILE: &str = "umum";

/// A release that cannot be made or published.
#[derive(Debug, thiserror::Error)]
pub enum ReleaseError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rulebook lacks the profile.
    #[error("buku aturan tidak memuat profil {PROFILE}")]
    Profile,
    /// The release key is not here.
    #[error("kunci rilis tidak ada di sini; letakkan keys/release.pem lalu ulangi")]
    NoKey,
    /// Nothing was prepared.
    #[error("tidak ada rilis {0} yang siap; jalankan: dtsen-central release prepare")]
    NotPrepared(u64),
    /// The same person prepared it.
    #[error("yang menyiapkan rilis ({0}) tidak boleh menerbitkannya; minta orang kedua (--by)")]
    SamePerson(String),
}

/// What was prepared.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Prepared {
    /// Version.
    pub version: u64,
    /// The cut.
    pub apply_no: u64,
    /// Families and people in all slices.
    pub keluarga: u64,
    /// Families and people in all slices.
    pub individu: u64,
    /// Regions.
    pub regions: usize,
}

/// Builds the slices of every region from one cut and signs the release. Regions do not see it yet.
pub fn prepare<'a>(hub: &'a Hub, by: &'a str) -> BoxFuture<'a, Result<Prepared, ReleaseError>> {
    Box::pin(async move {
        let signer = hub.keys.release.as_ref().ok_or(ReleaseError::NoKey)?;
        let profile = hub.rulebook().await?.book.profile(PROFILE).ok_or(ReleaseError::Profile)?.clone();
        let base = hub.store.release(None).await?.map_or(0, |r| r.version);
        let version = next_version(hub, base).await?;
        hub.store.discard_release(version).await?;
        let generation = hub.generation().await?;
        let regions: Vec<Region> = hub
            .store
            .regions()
            .await?
            .into_iter()
            .filter(|r| r.status != Status::Invited && r.status != Status::Waiting)
            .map(|r| r.region)
            .collect();
        let count = regions.len();
        let mut planner = plan::Planner::new(profile, regions, version, base, generation);
        hub.store.build_release(version, base, &mut planner).await?;
        let now = hub.ambient.now_ms();
        let release = pb::Release {
            version,
            generation,
            apply_no: planner.apply_no(),
            manifests_root: merkle::root(planner.leaves()).to_vec(),
            manifests: planner.leaves().len() as u64,
            published_ms: now,
            expires_ms: now + RELEASE_DAYS * DAY_MS,
        };
        let row = ReleaseRow {
            version,
            apply_no: planner.apply_no(),
            published: false,
            entry: envelope::sign_message(signer, PayloadType::RELEASE, &release).encode_to_vec(),
            freshness: freshness(hub, &release).encode_to_vec(),
            prepared_by: by.to_owned(),
        };
        hub.store.put_release(&row).await?;
        let (keluarga, individu) = planner.totals();
        Ok(Prepared { version, apply_no: row.apply_no, keluarga, individu, regions: count })
    })
}

/// The newest release that nodes of this generation may take. After a new generation began there is none until the next
/// release: one of before would be refused by everybody who has entered it.
pub async fn newest(hub: &Hub, generation: u64) -> Result<Option<u64>, StoreError> {
    let version = hub.store.release(None).await?.map(|release| release.version);
    Ok(version.filter(|version| *version > (generation - 1) * limits::VERSIONS_PER_GENERATION))
}

/// Above every version that this hub, or the one that it was restored from, ever gave.
async fn next_version(hub: &Hub, base: u64) -> Result<u64, StoreError> {
    let before = (hub.generation().await? - 1) * limits::VERSIONS_PER_GENERATION;
    let last = hub.store.last_version().await?;
    // An unpublished version was never seen by anybody and may be built again.
    let unpublished = hub.store.release(Some(last)).await?.is_some_and(|r| !r.published);
    let next = if unpublished { last } else { last + 1 };
    Ok(next.max(before + 1).max(base + 1))
}

fn freshness(hub: &Hub, release: &pb::Release) -> pb::Envelope {
    let issued_ms = hub.ambient.now_ms();
    let statement = pb::Freshness {
        version: release.version,
        manifests_root: release.manifests_root.clone(),
        issued_ms,
        expires_ms: issued_ms + FRESHNESS_DAYS * DAY_MS,
    };
    envelope::sign_message(&hub.keys.receipt, PayloadType::FRESHNESS, &statement)
}

fn read_release(row: &ReleaseRow) -> Result<(pb::Envelope, pb::Release), StoreError> {
    let bad = || StoreError::Inconsistent { table: "release", column: "entry" };
    let envelope = pb::Envelope::decode(row.entry.as_slice()).map_err(|_| bad())?;
    let release = pb::Release::decode(envelope.payload.as_slice()).map_err(|_| bad())?;
    Ok((envelope, release))
}

/// Makes a prepared release visible: a second person's act, and a decision in the log.
pub fn publish(hub: &Hub, version: u64, decided: Decided) -> BoxFuture<'_, Result<(), ReleaseError>> {
    Box::pin(async move {
        let row = hub.store.release(Some(version)).await?.ok_or(ReleaseError::NotPrepared(version))?;
        if row.published {
            return Ok(());
        }
        if row.prepared_by == decided.actor {
            return Err(ReleaseError::SamePerson(decided.actor));
        }
        let (_, release) = read_release(&row)?;
        let act = pb::decision::Act::Release(pb::ReleaseAct {
            version,
            apply_no: row.apply_no,
            manifests_root: release.manifests_root.clone(),
        });
        let make = hub.decision_entry(hub.generation().await?, decided, act);
        let row = ReleaseRow { freshness: freshness(hub, &release).encode_to_vec(), ..row };
        hub.store.publish(&row, &make).await?;
        hub.log_work.notify_one();
        Ok(())
    })
}

/// Renews the freshness of the newest release when a day of it is gone.
pub async fn refresh(hub: &Hub) -> Result<(), StoreError> {
    let Some(row) = hub.store.release(None).await? else { return Ok(()) };
    let (_, release) = read_release(&row)?;
    let expires = pb::Envelope::decode(row.freshness.as_slice())
        .ok()
        .and_then(|e| pb::Freshness::decode(e.payload.as_slice()).ok())
        .map_or(0, |f| f.expires_ms);
    if expires - hub.ambient.now_ms() > (FRESHNESS_DAYS - 1) * DAY_MS {
        return Ok(());
    }
    hub.store.refresh(row.version, &freshness(hub, &release).encode_to_vec()).await
}

/// What a region is offered: the difference to the version that it holds where there is one, else a snapshot.
pub async fn offer(hub: &Hub, region: Region, have: u64) -> Result<pb::SliceReply, Fault> {
    let row = hub.store.release(None).await?.ok_or(Refusal::NotFound { what: "release" })?;
    let (release, _) = read_release(&row)?;
    let manifests = hub.store.manifests(row.version).await?;
    let of_base = |base| manifests.iter().find(|m| m.region == region && m.base == base);
    let chosen = Some(have).filter(|h| *h > 0).and_then(of_base).or_else(|| of_base(0));
    let chosen: &ManifestRow = chosen.ok_or(Refusal::NotFound { what: "slice of this region" })?;
    let leaves: Vec<Hash> = manifests.iter().map(|m| merkle::leaf_hash(&m.body)).collect();
    let size = leaves.len() as u64;
    let plan =
        merkle::ProofPlan::inclusion(chosen.place, size).ok_or(Refusal::NotFound { what: "manifest" })?;
    let hashes = plan.of_leaves(&leaves).iter().map(|h| h.to_vec()).collect();
    let freshness = pb::Envelope::decode(row.freshness.as_slice())
        .map_err(|_| StoreError::Inconsistent { table: "release", column: "freshness" })?;
    Ok(pb::SliceReply {
        release: Some(release),
        freshness: Some(freshness),
        manifest: chosen.body.clone(),
        inclusion: Some(pb::InclusionProof { index: chosen.place, size, hashes }),
    })
}
