//! Promises that hold at every moment, whatever breaks. Each check reads the databases beside the running processes.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, bail, ensure};
use dtsen_central::{
    registry::decide::Judgement,
    store::{Applied, BatchRow, Status, Store},
};
use dtsen_node::{audit, store::setting, sync::Agent};
use dtsen_proto::{chain::Head, id::Position, pb};
use prost::Message as _;

/// Everything that a check may read. The processes have connections of their own.
pub struct Observed {
    /// The hub's store.
    pub hub: Arc<dyn Store>,
    /// The nodes, which nobody lets speak.
    pub nodes: Vec<Agent>,
}

/// All checks; the first that fails is named.
pub async fn all(seen: &Observed) -> anyhow::Result<()> {
    nobody_is_halted(seen).await.context("nobody_is_halted")?;
    every_receipted_batch_is_at_the_hub_with_the_same_bytes(seen)
        .await
        .context("every_receipted_batch_is_at_the_hub_with_the_same_bytes")?;
    each_delta_has_one_current_verdict(seen).await.context("each_delta_has_one_current_verdict")?;
    nothing_is_applied_twice(seen).await.context("nothing_is_applied_twice")?;
    chains_have_no_gap_or_fork(seen).await.context("chains_have_no_gap_or_fork")?;
    slice_is_what_the_hub_signed(seen).await.context("slice_is_what_the_hub_signed")
}

async fn batches_of(seen: &Observed, node: &Agent) -> anyhow::Result<Vec<BatchRow>> {
    Ok(seen.hub.batches_after(node.region, 0, 0, u32::MAX >> 1).await?)
}

/// Crashes, lost messages and lost replies never look like a copy, a fork or a restored hub.
async fn nobody_is_halted(seen: &Observed) -> anyhow::Result<()> {
    for node in &seen.nodes {
        let row = seen.hub.region(node.region).await?.context("a known region")?;
        ensure!(row.status == Status::Active, "{} is {}: {}", node.region, row.status.as_str(), row.reason);
        for name in [setting::HALTED, setting::HUB_FORK] {
            if let Some(why) = node.store.text_setting(name).await? {
                bail!("{} is halted: {why}", node.region);
            }
        }
    }
    Ok(())
}

/// What a node holds a receipt for is at the hub: header, body and receipt, byte for byte.
async fn every_receipted_batch_is_at_the_hub_with_the_same_bytes(seen: &Observed) -> anyhow::Result<()> {
    for node in &seen.nodes {
        for sent in node.store.batches(0, 0, u32::MAX).await? {
            let Some(receipt) = &sent.receipt else { continue };
            let kept = seen.hub.batch(sent.position).await?;
            let kept = kept.with_context(|| format!("the hub has no batch {}", sent.position))?;
            ensure!(kept.id == sent.id, "batch {} has another id at the hub", sent.position);
            ensure!(kept.header == sent.header.encode_to_vec(), "another header of {}", sent.position);
            ensure!(kept.receipt == receipt.encode_to_vec(), "another receipt of {}", sent.position);
            let same = kept.body.is_none() || kept.body.as_deref() == Some(sent.body.as_slice());
            ensure!(same, "another body of {}", sent.position);
        }
    }
    Ok(())
}

/// A decided batch has as many current verdicts as deltas, one for each; an undecided one has none. A node that has
/// taken up the whole feed says the same.
async fn each_delta_has_one_current_verdict(seen: &Observed) -> anyhow::Result<()> {
    for node in &seen.nodes {
        for batch in batches_of(seen, node).await? {
            let told: u64 = batch.totals.iter().sum();
            let due = if batch.apply_no.is_some() { batch.deltas } else { 0 };
            ensure!(told == due, "batch {}: {told} verdicts, {due} due", batch.position);
            let kept = seen.hub.verdicts(batch.position).await?;
            let mut places = BTreeSet::new();
            for verdict in &kept {
                let place = verdict.delta.index;
                ensure!(places.insert(place), "two verdicts on {}", verdict.delta);
                ensure!(u64::from(place) < batch.deltas, "a verdict on nothing: {}", verdict.delta);
            }
            let count = |which| kept.iter().filter(|v| v.judgement == which).count() as u64;
            let [_, warned, held, rejected] = batch.totals;
            let fits = [count(Judgement::Warned), count(Judgement::Held), count(Judgement::Rejected)];
            ensure!(fits == [warned, held, rejected], "batch {}: totals without verdicts", batch.position);
            let own = node.store.batch(batch.position).await?.context("a batch of this node")?;
            if node.store.feed_end().await? == seen.hub.feed_end(node.region).await? {
                let told = own.judged.map(|judged| judged.map(u64::from));
                let due = batch.apply_no.map(|_| batch.totals);
                ensure!(told == due, "{}: the node has {told:?}, the hub {due:?}", batch.position);
            }
        }
    }
    Ok(())
}

/// Applications are numbered without gaps, and no batch or decision has two.
async fn nothing_is_applied_twice(seen: &Observed) -> anyhow::Result<()> {
    let (mut batches, mut decisions) = (BTreeSet::<Position>::new(), BTreeSet::new());
    for (number, application) in (1..).zip(seen.hub.applications(0, u32::MAX >> 1).await?) {
        ensure!(application.apply_no == number, "application {number} is {}", application.apply_no);
        match application.what {
            Applied::Batch(at) => ensure!(batches.insert(at), "batch {at} is applied twice"),
            Applied::Decision(at) => ensure!(decisions.insert(at), "decision {at} is applied twice"),
        }
    }
    Ok(())
}

/// Every chain is dense and names its batches in order; the hub's is a beginning of the node's; feeds too.
async fn chains_have_no_gap_or_fork(seen: &Observed) -> anyhow::Result<()> {
    for node in &seen.nodes {
        let own = node.store.batches(0, 0, u32::MAX).await?;
        let mut head = Head::start(node.region);
        for (batch, sequence) in own.iter().zip(1..) {
            ensure!(
                batch.position == Position { sequence, ..head.position },
                "a gap before {}",
                batch.position
            );
            let header = pb::BatchHeader::decode(batch.header.payload.as_slice())?;
            ensure!(header.previous == head.id.as_bytes(), "{} follows another batch", batch.position);
            head = Head::after(batch.position, batch.id);
        }
        let stored = node.store.head().await?.context("a head")?;
        ensure!(stored.position == head.position && stored.id == head.id, "the head is not the last batch");
        let kept = batches_of(seen, node).await?;
        ensure!(kept.len() <= own.len(), "the hub has batches that {} never sealed", node.region);
        for (kept, own) in kept.iter().zip(&own) {
            ensure!(kept.position == own.position && kept.id == own.id, "another batch at {}", own.position);
        }
        let taken = node.store.feed_after(0, u32::MAX).await?;
        let given = seen.hub.feed_after(node.region, 0, u32::MAX >> 1).await?;
        ensure!(given.starts_with(&taken), "the feed of {} is not a beginning of the hub's", node.region);
    }
    Ok(())
}

/// Leaf for leaf.
async fn slice_is_what_the_hub_signed(seen: &Observed) -> anyhow::Result<()> {
    for node in &seen.nodes {
        ensure!(node.store.verify_slice().await?, "the slice of {} is not", node.region);
    }
    Ok(())
}

/// What an operator's `verify` says in the end.
pub(super) async fn audits_find_nothing(seen: &Observed) -> anyhow::Result<()> {
    for node in &seen.nodes {
        let found = audit::verify(node).await?;
        ensure!(found.faults.is_empty(), "{}: {}", node.region, found.faults.join("; "));
    }
    Ok(())
}
