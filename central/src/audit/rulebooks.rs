//! Versions of the rulebook against the decisions that loaded them, and batches against the versions that judge them.

use dtsen_proto::{pb, rulebook::Rulebook};
use sha2::{Digest as _, Sha256};

use super::{Audit, decisions::Decided};
use crate::{
    hub::Hub,
    store::{BatchRow, StoreError},
};

/// Every version is the one that its decision names, and none is missing.
pub(super) async fn verify(hub: &Hub, audit: &mut Audit, decided: &Decided) -> Result<(), StoreError> {
    let versions = hub.store.rulebook_versions().await?;
    for version in &versions {
        let bundle = hub.store.rulebook(*version).await?.unwrap_or_default();
        let fits = decided.rulebooks.get(version).is_some_and(|d| *d == Sha256::digest(&bundle).as_slice());
        if !fits {
            audit.fault(format!("buku aturan {version}: bukan yang disebut keputusannya"));
        } else if Rulebook::from_bundle(&bundle).map(|book| book.version()).ok() != Some(*version) {
            audit.fault(format!("buku aturan {version}: tidak terbaca oleh program ini"));
        }
    }
    for version in decided.rulebooks.keys().filter(|version| !versions.contains(version)) {
        audit.fault(format!("buku aturan {version}: hilang, padahal ada keputusannya"));
    }
    Ok(())
}

/// Whether a batch is judged by the version that its receipt names. One that a restored hub lost cannot judge.
pub(super) fn judges(row: &BatchRow, receipt: &pb::Receipt, decided: &Decided) -> bool {
    let known = decided.rulebooks.contains_key(&receipt.rulebook)
        || receipt.rulebook == Rulebook::builtin().version();
    row.rulebook == receipt.rulebook || !known
}
