//! `verify`: chains, receipts, feeds, decisions, log, registry and slices, against their signatures and each other.

mod chains;
mod decisions;
mod log;
mod registry;
mod rulebooks;
mod slices;
mod verdicts;

use futures::future::BoxFuture;
use serde::Serialize;

use crate::{hub::Hub, store::StoreError};

/// Rows read at once.
const PAGE: u32 = 500;
/// Faults told in full; a damaged disk may give millions.
const TOLD: usize = 100;

/// What was looked at, and what does not fit.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
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
pub fn verify(hub: &Hub) -> BoxFuture<'_, Result<Audit, StoreError>> {
    Box::pin(async move {
        let mut audit = Audit::default();
        let mut named = log::Named::default();
        let mut decided = decisions::verify(hub, &mut audit, &mut named).await?;
        rulebooks::verify(hub, &mut audit, &decided).await?;
        for row in hub.store.regions().await? {
            let said = verdicts::verify_feed(hub, row.region, &mut audit, &mut named).await?;
            chains::verify(hub, row.region, &mut audit, &mut named, &mut decided, said).await?;
        }
        log::verify(hub, &mut audit, &named).await?;
        registry::verify(hub, &mut audit, &mut decided).await?;
        slices::verify(hub, &mut audit, &decided).await?;
        decided.report_left(&mut audit);
        Ok(audit)
    })
}

/// Whether a store call found a row that cannot be read; that is a fault of the row, not of the call.
fn unreadable<T>(result: Result<T, StoreError>) -> Result<Result<T, String>, StoreError> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(StoreError::Inconsistent { table, column }) => Ok(Err(format!("{table}.{column}"))),
        Err(other) => Err(other),
    }
}
