//! A lease: of all hub processes one does the work. Every write under it is fenced in the same transaction.

use std::time::Duration;

use dtsen_kit::telemetry::chain;
use tokio::time::Instant;

use crate::{
    hub::Hub,
    store::{Fence, StoreError},
};

/// How long a lease lasts without renewal: a hub process that stops is replaced after this.
pub const LEASE_MS: i64 = 10_000;
/// How often a lease is renewed. Between two renewals nothing is written while there is nothing to do, and who lost the
/// lease meanwhile learns it from the fence.
const RENEWAL: Duration = Duration::from_millis(2_500);

/// A lease that a process holds, or would like to.
pub(crate) struct Lease {
    name: &'static str,
    holder: String,
    fence: Option<Fence>,
    renewed: Instant,
}

impl Lease {
    /// One that is not held yet. `holder` names this process.
    pub(crate) fn new(name: &'static str, holder: String) -> Self {
        Self { name, holder, fence: None, renewed: Instant::now() }
    }

    /// Takes it, or renews it when it is time. Tells whether another process may have had it in between.
    pub(crate) async fn renew(&mut self, hub: &Hub) -> Result<bool, StoreError> {
        if self.fence.is_some() && self.renewed.elapsed() < RENEWAL {
            return Ok(false);
        }
        let now = hub.ambient.now_ms();
        let taken = hub.store.take_lease(self.name, &self.holder, now, now + LEASE_MS).await?;
        let changed = taken != self.fence;
        (self.fence, self.renewed) = (taken, Instant::now());
        Ok(changed)
    }

    /// What writes check; `None` while another process holds it.
    pub(crate) fn fence(&self) -> Option<&Fence> {
        self.fence.as_ref()
    }

    /// Something failed: it is asked for before the next step.
    pub(crate) fn doubt(&mut self) {
        self.fence = None;
    }

    /// Gives it back, so that another process need not wait for its end.
    pub(crate) async fn give(self, hub: &Hub) {
        if let Some(fence) = self.fence
            && let Err(error) = hub.store.give_lease(&fence).await
        {
            tracing::warn!(lease = self.name, error = %chain(&error), "the lease was not given back");
        }
    }
}
