//! What the hub has acknowledged: receipts that a node once held.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use dtsen_proto::id::{BatchId, Position};
use prost::Message as _;

use super::check::Observed;

/// Batches with a receipt, as they were when it came.
#[derive(Debug, Default)]
pub(super) struct Ledger(BTreeMap<(Position, BatchId), Vec<u8>>);

impl Ledger {
    /// Takes up the receipts that nodes hold. One that is known never changes, unless a restored hub went on without the
    /// batch and its node sealed it anew.
    pub(super) async fn take_up(&mut self, seen: &Observed) -> anyhow::Result<()> {
        for node in &seen.nodes {
            let aside = node.store.branches().await?;
            for ((position, _), _) in self.0.extract_if(.., |(_, id), _| aside.contains(id)) {
                let kept = seen.hub.store.batch(position).await?;
                ensure!(
                    !kept.is_some_and(|kept| aside.contains(&kept.id)),
                    "{position} is set aside, and there"
                );
            }
            for row in node.store.batches(0, 0, u32::MAX).await? {
                let Some(receipt) = row.receipt.map(|receipt| receipt.encode_to_vec()) else { continue };
                let known = self.0.entry((row.position, row.id)).or_insert_with(|| receipt.clone());
                ensure!(*known == receipt, "{} has two receipts", row.position);
                let same_place =
                    |((at, id), _): (&(Position, BatchId), _)| *at == row.position && *id != row.id;
                let two = !seen.hub_came_back && self.0.iter().any(same_place);
                ensure!(!two, "two batches have receipts for {}", row.position);
            }
        }
        Ok(())
    }

    /// Forgets what nobody holds any more, because the hub and the node both came back from older copies. Tells how many.
    pub(super) async fn forget_lost(&mut self, seen: &Observed) -> anyhow::Result<usize> {
        let mut held = BTreeSet::new();
        for node in &seen.nodes {
            // What a node came back to without a receipt it may seal anew, or get another receipt for.
            for row in node.store.batches(0, 0, u32::MAX).await? {
                held.extend(row.receipt.map(|_| (row.position, row.id)));
            }
            for row in seen.hub.store.batches_after(node.region, 0, 0, u32::MAX >> 1).await? {
                held.insert((row.position, row.id));
            }
        }
        let before = self.0.len();
        self.0.retain(|place, _| held.contains(place));
        Ok(before - self.0.len())
    }

    /// Everything acknowledged is at the hub, with the receipt that was given.
    pub(super) async fn nothing_acknowledged_is_lost(&self, seen: &Observed) -> anyhow::Result<()> {
        for ((position, id), receipt) in &self.0 {
            let kept = seen.hub.store.batch(*position).await?;
            let kept = kept.with_context(|| format!("the hub has lost {position}"))?;
            ensure!(kept.id == *id && kept.receipt == *receipt, "the hub has another batch {position}");
        }
        Ok(())
    }
}
