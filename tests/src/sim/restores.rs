//! Whether what came back from an older copy is found before anything goes on under a number that was used.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use dtsen_central::store::Status;
use dtsen_node::store::BatchRow;
use dtsen_proto::{chain::Head, id::BatchId};
use serde::{Deserialize, Serialize};

use super::{
    NODES,
    check::{self, Observed, Seen},
};

/// Restores and copies that had to be found, and were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Nodes that came back with less than the hub holds of them, and emptied ones.
    pub nodes: u32,
    /// Hubs that came back without something that nodes hold receipts for.
    pub hubs: u32,
    /// Copies of nodes that ran beside them.
    pub clones: u32,
}

impl Tally {
    /// Adds what another run found.
    pub(super) fn add(&mut self, other: Self) {
        self.nodes += other.nodes;
        self.hubs += other.hubs;
        self.clones += other.clones;
    }
}

/// What happened to a node.
#[derive(Debug)]
enum What {
    /// It came back with this head, and seals nothing.
    CameBack(Option<Head>),
    /// A copy runs beside it; both may seal until the copy is known for one.
    Copied,
}

/// A node that has less than the hub, or a copy beside it.
#[derive(Debug)]
struct NodeWatch {
    /// Epoch open at the hub.
    epoch: u32,
    what: What,
}

/// A hub that lost what nodes hold receipts for.
#[derive(Debug)]
struct HubWatch {
    generation: u64,
    /// By node that has evidence: batches of its region that the hub has left.
    left: BTreeMap<usize, usize>,
}

/// What has to be found.
#[derive(Debug, Default)]
pub(super) struct Restores {
    hub: Option<HubWatch>,
    /// Generation of a hub that came back from a copy, until the next begins: receipts that it gave before may still be on
    /// their way.
    came_back: Option<u64>,
    nodes: [Option<NodeWatch>; NODES],
    /// What nodes sealed before they came back and may still come in.
    on_the_way: [Vec<BatchId>; NODES],
    pub(super) tally: Tally,
}

async fn at_hub(seen: &Observed, node: &Seen) -> anyhow::Result<Vec<dtsen_central::store::BatchRow>> {
    Ok(seen.hub.store.batches_after(node.region, 0, 0, u32::MAX >> 1).await?)
}

async fn epoch(seen: &Observed, node: &Seen) -> anyhow::Result<u32> {
    Ok(seen.hub.store.head(node.region).await?.map_or(0, |head| head.position.epoch))
}

/// Whether a node holds something of its generation that the hub signed and does not have.
async fn has_lost(seen: &Observed, node: &Seen) -> anyhow::Result<bool> {
    // A generation that a node has not entered says already that something is missing.
    let (entered, generation) = (check::generation(node).await?, seen.hub.generation().await?);
    if entered < generation {
        return Ok(false);
    }
    let own = node.store.setting(dtsen_node::store::setting::GENERATION_STATEMENT).await?;
    let begun = seen.hub.store.setting(dtsen_central::hub::setting::GENERATION_DECISION).await?;
    if entered == generation && own.is_some() && own != begun {
        return Ok(true);
    }
    let end = node.store.feed_end().await?.saturating_sub(1);
    let told = node.store.feed_after(end, 1).await?;
    if !told.is_empty() && told != seen.hub.store.feed_after(node.region, end, 1).await? {
        return Ok(true);
    }
    let kept = at_hub(seen, node).await?;
    let is_lost = |row: &BatchRow| {
        row.receipt.is_some() && !kept.iter().any(|k| k.position == row.position && k.id == row.id)
    };
    Ok(node.store.batches(0, 0, u32::MAX).await?.iter().any(is_lost))
}

impl Restores {
    /// Whether the hub lost something and does not know.
    pub(super) fn hub_is_open(&self) -> bool {
        self.hub.is_some()
    }

    /// Whether a node lost something, or is copied, and nobody knows.
    pub(super) fn node_is_open(&self, node: usize) -> bool {
        self.nodes[node].is_some()
    }

    fn is_copied(&self, node: usize) -> bool {
        matches!(self.nodes[node], Some(NodeWatch { what: What::Copied, .. }))
    }

    /// A copy of a node begins to run.
    pub(super) async fn cloned(&mut self, seen: &Observed, node: usize) -> anyhow::Result<()> {
        let epoch = epoch(seen, &seen.nodes[node]).await?;
        self.nodes[node] = Some(NodeWatch { epoch, what: What::Copied });
        Ok(())
    }

    /// A copy cannot get in any more, whatever it is: there is nothing left to find.
    pub(super) fn copy_is_locked_out(&mut self, node: usize) {
        if self.is_copied(node) {
            self.nodes[node] = None;
        }
    }

    /// A node is about to go on from a copy: what it sealed without a receipt may still be on its way to the hub.
    pub(super) async fn node_goes(&mut self, seen: &Observed, node: usize) -> anyhow::Result<()> {
        let own = seen.nodes[node].store.batches(0, 0, u32::MAX).await?;
        self.on_the_way[node] = own.iter().filter(|row| row.receipt.is_none()).map(|row| row.id).collect();
        Ok(())
    }

    /// A node that had everything when it came back lacks what comes in only now.
    async fn look_at_arrivals(&mut self, seen: &Observed) -> anyhow::Result<()> {
        for at in 0..NODES {
            let sent = &self.on_the_way[at];
            if !sent.is_empty()
                && at_hub(seen, &seen.nodes[at]).await?.iter().any(|row| sent.contains(&row.id))
            {
                self.on_the_way[at].clear();
                if self.nodes[at].is_none() {
                    self.look_at_node(seen, at).await?;
                }
            }
        }
        Ok(())
    }

    /// A node came back.
    pub(super) async fn node_came_back(&mut self, seen: &Observed, node: usize) -> anyhow::Result<()> {
        // A copy that still runs has to be found anyway.
        if !self.is_copied(node) {
            self.nodes[node] = None;
            self.look_at_node(seen, node).await?;
        }
        if self.hub.is_some() {
            // It may be the one that had the evidence.
            self.look_at_hub(seen).await?;
        }
        Ok(())
    }

    /// The hub came back, while copies of some nodes run: it may have forgotten what it knew of them.
    pub(super) async fn hub_came_back(
        &mut self,
        seen: &Observed,
        copies: [bool; NODES],
    ) -> anyhow::Result<()> {
        self.came_back = Some(seen.hub.generation().await?);
        self.look_at_hub(seen).await?;
        for (node, runs) in copies.into_iter().enumerate() {
            if runs || self.is_copied(node) {
                self.cloned(seen, node).await?;
            } else {
                self.nodes[node] = None;
                self.look_at_node(seen, node).await?;
            }
        }
        Ok(())
    }

    async fn look_at_node(&mut self, seen: &Observed, at: usize) -> anyhow::Result<()> {
        let node = &seen.nodes[at];
        let own: BTreeMap<_, _> =
            node.store.batches(0, 0, u32::MAX).await?.into_iter().map(|row| (row.position, row.id)).collect();
        let is_missing = |row: &dtsen_central::store::BatchRow| own.get(&row.position) != Some(&row.id);
        let head = node.store.head().await?;
        let open = seen.hub.store.head(node.region).await?.context("a chain")?.position;
        // Whoever comes before an epoch that nobody has used reads everything back first, whatever it lacks.
        let reads_back = open.sequence == 0 && head.is_none_or(|head| head.position.epoch < open.epoch);
        if !reads_back && at_hub(seen, node).await?.iter().any(is_missing) {
            self.nodes[at] = Some(NodeWatch { epoch: open.epoch, what: What::CameBack(head) });
        }
        Ok(())
    }

    async fn look_at_hub(&mut self, seen: &Observed) -> anyhow::Result<()> {
        let generation = seen.hub.generation().await?;
        let mut left = BTreeMap::new();
        for (at, node) in seen.nodes.iter().enumerate() {
            if has_lost(seen, node).await? {
                left.insert(at, at_hub(seen, node).await?.len());
            }
        }
        self.hub = (!left.is_empty()).then_some(HubWatch { generation, left });
        Ok(())
    }

    /// Looks whether what was open is known by now, while copies of some nodes run. Until then nothing may go on.
    pub(super) async fn look(&mut self, seen: &Observed, copies: [bool; NODES]) -> anyhow::Result<()> {
        self.look_at_arrivals(seen).await?;
        let generation = seen.hub.generation().await?;
        // A hub that was restored twice may have counted to the number of a generation that a node has entered.
        let is_next = self.came_back.take_if(|before| *before < generation).is_some();
        let is_known = self.hub.take_if(|watch| watch.generation < generation).is_some();
        self.tally.hubs += u32::from(is_known);
        if is_next || (self.came_back.is_some() && self.hub.is_none() && seen.hub.stopped().await?.is_none())
        {
            self.look_at_hub(seen).await?;
        }
        if let Some(watch) = &self.hub {
            if seen.hub.stopped().await?.is_some() {
                self.hub = None;
                self.tally.hubs += 1;
            } else {
                for (node, left) in &watch.left {
                    // A copy may know nothing of what was lost.
                    if self.is_copied(*node) {
                        continue;
                    }
                    let node = &seen.nodes[*node];
                    let now = at_hub(seen, node).await?.len();
                    ensure!(
                        now == *left,
                        "a restored hub went on with {} as if nothing were lost",
                        node.region
                    );
                }
                // Verdicts that the hub gives once more in the same words were never lost.
                self.look_at_hub(seen).await?;
            }
        }
        for ((node, open), copy_runs) in seen.nodes.iter().zip(&mut self.nodes).zip(copies) {
            let Some(watch) = open else { continue };
            if copy_runs && matches!(watch.what, What::Copied) {
                // Who opens an epoch as an operator has switched the copy off. In a new generation the hub opens one by
                // itself, for whichever of both comes first, and both may go on in it.
                watch.epoch = watch.epoch.max(epoch(seen, node).await?);
            }
            let row = seen.hub.store.region(node.region).await?.context("a known region")?;
            let stopped = matches!(row.status, Status::Restored | Status::Cloned | Status::Forked);
            if stopped || epoch(seen, node).await? > watch.epoch {
                match watch.what {
                    What::CameBack(_) => self.tally.nodes += 1,
                    What::Copied => self.tally.clones += 1,
                }
                *open = None;
            } else if let What::CameBack(head) = &watch.what {
                let now = node.store.head().await?;
                // Whoever has no head yet is enrolling, and gets the beginning of its chain.
                let same = now == *head || head.is_none();
                ensure!(same, "{} came back from a copy and seals as if it were whole", node.region);
            }
        }
        Ok(())
    }

    /// In the end nothing is open.
    pub(super) fn every_restore_is_found(&self) -> anyhow::Result<()> {
        ensure!(self.hub.is_none(), "the hub lost something and nobody knows");
        for (node, open) in super::REGIONS.iter().zip(&self.nodes) {
            ensure!(
                open.is_none(),
                "nobody knows that {node} came back from a copy, or runs twice: {open:?}"
            );
        }
        Ok(())
    }
}
