//! `verify`: chains, receipts, feeds, decisions, log, registry and slices, against their signatures and each other.

mod chains;
mod log;
mod registry;

use serde::Serialize;

use crate::{hub::Hub, store::StoreError};

/// Rows read at once.
const PAGE: u32 = 500;
/// Faults told in full; a damaged disk may give millions.
const TOLD: usize = 100;

/// What was looked at, and what does not fit.
#[derive(Debug, Default, Serialize)]
pub struct Audit {
    /// Batches looked at.
    pub batches: u64,
    /// Feed entries looked at.
    pub feed: u64,
    /// Decisions looked at.
    pub decisions: u64,
    /// Leaves of the log looked at.
    pub leaves: u64,
    /// Records looked at.
    pub records: u64,
    /// Slices looked at.
    pub slices: u64,
    /// SHA-256 over ids and hashes of all records.
    pub state_hash: String,
    /// Number of faults.
    pub faults_total: u64,
    /// The first of them, in words.
    pub faults: Vec<String>,
}

impl Audit {
    fn fault(&mut self, what: String) {
        self.faults_total += 1;
        if self.faults.len() < TOLD {
            self.faults.push(what);
        }
    }
}

/// Looks at everything.
pub async fn verify(hub: &Hub) -> Result<Audit, StoreError> {
    let mut audit = Audit::default();
    let mut named = log::Named::default();
    chains::verify(hub, &mut audit, &mut named).await?;
    log::verify(hub, &mut audit, &named).await?;
    registry::verify(hub, &mut audit).await?;
    registry::verify_slices(hub, &mut audit).await?;
    Ok(audit)
}
