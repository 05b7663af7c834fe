//! Turns: one call of a region at a time reads the hub's store, so that whoever asks for much at once holds up nobody but
//! itself.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use dtsen_proto::region::Region;
use tokio::sync::OwnedMutexGuard;

/// Turns of all regions.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<Region, Arc<tokio::sync::Mutex<()>>>>);

/// A region's turn, until it is dropped.
pub(super) type Turn = OwnedMutexGuard<()>;

impl Turns {
    /// Waits until the region's calls before are answered.
    pub(super) async fn take(&self, region: Region) -> Turn {
        let turn = self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(region).or_default().clone();
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn regions_wait_for_themselves_alone() {
        let turns = Turns::default();
        let [one, other] = [5271, 5203].map(|number| Region::from_number(number).expect("a region"));
        let first = turns.take(one).await;
        let _other = turns.take(other).await;
        assert!(futures::FutureExt::now_or_never(turns.take(one)).is_none(), "one at a time");
        drop(first);
        assert!(futures::FutureExt::now_or_never(turns.take(one)).is_some());
    }
}
