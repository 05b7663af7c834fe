//! Promises that hold at every moment, whatever breaks. Each check reads the databases beside the running processes.

use std::{collections::BTreeSet, sync::Arc};

use anyhow::{Context as _, bail, ensure};
use dtsen_central::{
    hub::Hub,
    registry::decide::Judgement,
    store::{Applied, BatchRow, Status},
};
use dtsen_node::{
    audit,
    store::{BatchRow as OwnBatch, Store, setting},
    sync::Agent,
};
use dtsen_proto::{batch, chain::Head, id::Position, pb, region::Region};
use prost::Message as _;

/// Everything that a check may read. The processes have connections of their own.
pub struct Observed {
    /// The hub, as operators' commands open it.
    pub hub: Arc<Hub>,
    /// The nodes.
    pub nodes: Vec<Seen>,
    /// Whether the hub ever came back from an older copy. Until it is known it may take another batch in the place of one
    /// that it lost.
    pub hub_came_back: bool,
    /// Whether the hub came back without something, and does not know it yet.
    pub hub_lost: bool,
}

/// A node, which nobody lets speak.
pub struct Seen {
    /// Its region.
    pub region: Region,
    /// What it keeps.
    pub store: Arc<Store>,
    /// Whether something happened that may stop it.
    pub stirred: bool,
    /// Whether it came back without something, or is copied, and nobody knows it yet.
    pub lost: bool,
}

/// All checks that hold at every moment; the first that fails is named.
pub async fn all(seen: &Observed) -> anyhow::Result<()> {
    nobody_is_halted(seen).await.context("nobody_is_halted")?;
    nothing_is_applied_twice(seen).await.context("nothing_is_applied_twice")?;
    for node in &seen.nodes {
        let read = Read::of(seen, node).await?;
        every_receipted_batch_is_at_the_hub_with_the_same_bytes(&read, seen.hub_came_back)
            .context("every_receipted_batch_is_at_the_hub_with_the_same_bytes")?;
        each_delta_has_one_current_verdict(seen, &read)
            .await
            .context("each_delta_has_one_current_verdict")?;
        chains_have_no_gap_or_fork(&read).context("chains_have_no_gap_or_fork")?;
        feeds_say_the_same(&read).context("feeds_say_the_same")?;
        slice_is_what_the_hub_signed(node).await.context("slice_is_what_the_hub_signed")?;
    }
    Ok(())
}

/// What node and hub keep of a region.
struct Read<'a> {
    node: &'a Seen,
    /// Whether both know of each other what there is to know: same epoch, same generation, nothing stopped.
    settled: bool,
    head: Option<Head>,
    own: Vec<OwnBatch>,
    kept: Vec<BatchRow>,
    taken: Vec<Vec<u8>>,
    given: Vec<Vec<u8>>,
}

impl<'a> Read<'a> {
    async fn of(seen: &Observed, node: &'a Seen) -> anyhow::Result<Self> {
        let hub = &seen.hub.store;
        Ok(Self {
            node,
            settled: is_settled(seen, node).await?,
            head: node.store.head().await?,
            own: node.store.batches(0, 0, u32::MAX).await?,
            kept: hub.batches_after(node.region, 0, 0, u32::MAX >> 1).await?,
            taken: node.store.feed_after(0, u32::MAX).await?,
            given: hub.feed_after(node.region, 0, u32::MAX >> 1).await?,
        })
    }
}

/// The generation that a node has entered.
pub async fn generation(node: &Seen) -> anyhow::Result<u64> {
    let stored = node.store.setting(setting::GENERATION).await?;
    Ok(stored.and_then(|bytes| bytes.try_into().ok()).map_or(1, u64::from_be_bytes))
}

/// Whether a region exchanges, in the same epoch and generation on both sides, and nobody lost anything unknown.
pub async fn is_settled(seen: &Observed, node: &Seen) -> anyhow::Result<bool> {
    let row = seen.hub.store.region(node.region).await?.context("a known region")?;
    let epochs = (seen.hub.store.head(node.region).await?, node.store.head().await?);
    let same_epoch = matches!(epochs, (Some(a), Some(b)) if a.position.epoch == b.position.epoch);
    Ok(!seen.hub_lost
        && !node.lost
        && row.status == Status::Active
        && same_epoch
        && seen.hub.stopped().await?.is_none()
        && generation(node).await? == seen.hub.generation().await?)
}

/// Crashes, lost messages and lost replies never look like a copy, a fork or a restored hub; and whatever happens, the
/// hub never shows another history.
async fn nobody_is_halted(seen: &Observed) -> anyhow::Result<()> {
    for node in &seen.nodes {
        if let Some(why) = node.store.text_setting(setting::HUB_FORK).await? {
            bail!("{} sees another history: {why}", node.region);
        }
        if node.stirred {
            continue;
        }
        let row = seen.hub.store.region(node.region).await?.context("a known region")?;
        ensure!(row.status == Status::Active, "{} is {}: {}", node.region, row.status.as_str(), row.reason);
        if let Some(why) = node.store.text_setting(setting::HALTED).await? {
            bail!("{} is halted: {why}", node.region);
        }
    }
    Ok(())
}

/// What a node holds a receipt for is at the hub: header, body and receipt, byte for byte. A hub that came back from an
/// older copy may lack it until it is handed back, or sealed anew because a copy of the node sent another in its place.
fn every_receipted_batch_is_at_the_hub_with_the_same_bytes(
    read: &Read<'_>,
    hub_came_back: bool,
) -> anyhow::Result<()> {
    for sent in &read.own {
        let Some(receipt) = &sent.receipt else { continue };
        let Some(kept) = read.kept.iter().find(|kept| kept.position == sent.position) else {
            ensure!(!read.settled, "the hub has no batch {}", sent.position);
            continue;
        };
        if kept.id != sent.id {
            ensure!(!read.settled && hub_came_back, "batch {} has another id at the hub", sent.position);
            continue;
        }
        ensure!(kept.header == sent.header.encode_to_vec(), "another header of {}", sent.position);
        ensure!(kept.receipt == receipt.encode_to_vec(), "another receipt of {}", sent.position);
        let same = kept.body.is_none() || kept.body.as_deref() == Some(sent.body.as_slice());
        ensure!(same, "another body of {}", sent.position);
    }
    Ok(())
}

/// A decided batch has as many current verdicts as deltas, one for each; an undecided one has none. A node that has
/// taken up the whole feed says the same.
async fn each_delta_has_one_current_verdict(seen: &Observed, read: &Read<'_>) -> anyhow::Result<()> {
    for batch in &read.kept {
        let told: u64 = batch.totals.iter().sum();
        let due = if batch.apply_no.is_some() { batch.deltas } else { 0 };
        ensure!(told == due, "batch {}: {told} verdicts, {due} due", batch.position);
        let kept = seen.hub.store.verdicts(batch.position).await?;
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
        if read.settled && read.taken.len() == read.given.len() {
            let own = read.own.iter().find(|own| own.position == batch.position);
            let told = own.context("a batch of this node")?.judged.map(|judged| judged.map(u64::from));
            let due = batch.apply_no.map(|_| batch.totals);
            ensure!(told == due, "{}: the node has {told:?}, the hub {due:?}", batch.position);
        }
    }
    Ok(())
}

/// Applications are numbered without gaps, and no batch or decision has two.
async fn nothing_is_applied_twice(seen: &Observed) -> anyhow::Result<()> {
    let (mut batches, mut decisions) = (BTreeSet::<Position>::new(), BTreeSet::new());
    for (number, application) in (1..).zip(seen.hub.store.applications(0, u32::MAX >> 1).await?) {
        ensure!(application.apply_no == number, "application {number} is {}", application.apply_no);
        match application.what {
            Applied::Batch(at) => ensure!(batches.insert(at), "batch {at} is applied twice"),
            Applied::Decision(at) => ensure!(decisions.insert(at), "decision {at} is applied twice"),
        }
    }
    Ok(())
}

/// The place and name of the batch after a head: the next number of its epoch, or the first of a later one.
fn follows(head: Head, position: Position, header: &pb::Envelope) -> anyhow::Result<Head> {
    let next = position == Position { sequence: head.position.sequence + 1, ..head.position };
    let anew = position.epoch > head.position.epoch && position.sequence == 1;
    ensure!(next || anew, "a gap before {position}");
    let peeked = batch::peek(header)?;
    ensure!(peeked.position == position, "{position} says that it is {}", peeked.position);
    ensure!(peeked.previous == head.id, "{position} follows another batch");
    Ok(Head::after(position, batch::id(header)))
}

/// Chains are dense and name their batches in order, through all epochs. What a node sealed in an epoch that closed
/// before the hub had it is no part of its chain. Both have the same batches as far as both have any.
fn chains_have_no_gap_or_fork(read: &Read<'_>) -> anyhow::Result<()> {
    let mut head = Head::start(read.node.region);
    for kept in &read.kept {
        head = follows(head, kept.position, &pb::Envelope::decode(kept.header.as_slice())?)?;
        ensure!(head.id == kept.id, "{} has another id", kept.position);
    }
    let mut head = Head::start(read.node.region);
    let in_chain = |own: &&OwnBatch| own.receipt.is_some() || own.returned.is_none();
    for own in read.own.iter().filter(in_chain) {
        head = follows(head, own.position, &own.header)?;
    }
    if read.settled {
        let begins = |stored: Head| stored.position.sequence == 0 && stored.id == head.id;
        let is_last =
            |stored: Head| (stored.position == head.position && stored.id == head.id) || begins(stored);
        ensure!(read.head.is_none_or(is_last), "the head is not the last batch");
        for kept in &read.kept {
            let own = read.own.iter().find(|own| own.position == kept.position);
            let own =
                own.with_context(|| format!("the hub has {}, which nobody here sealed", kept.position))?;
            ensure!(kept.id == own.id, "another batch at {}", own.position);
        }
    }
    Ok(())
}

/// The feed that a node took up is the beginning of the hub's.
fn feeds_say_the_same(read: &Read<'_>) -> anyhow::Result<()> {
    if read.settled {
        for (number, (taken, given)) in (1..).zip(read.taken.iter().zip(&read.given)) {
            ensure!(taken == given, "entry {number} for {} is another one at the hub", read.node.region);
        }
    }
    Ok(())
}

/// Leaf for leaf.
async fn slice_is_what_the_hub_signed(node: &Seen) -> anyhow::Result<()> {
    ensure!(node.store.verify_slice().await?, "the slice of {} is not", node.region);
    Ok(())
}

/// In the end every feed is here whole.
pub(super) async fn feeds_are_whole(seen: &Observed) -> anyhow::Result<()> {
    for node in &seen.nodes {
        let (own, there) = (node.store.feed_end().await?, seen.hub.store.feed_end(node.region).await?);
        ensure!(own == there, "the feed of {} ends at {own} and at the hub at {there}", node.region);
    }
    Ok(())
}

/// What an operator's `verify` says in the end, at the nodes and at the hub.
pub(super) async fn audits_find_nothing(hub: &Hub, nodes: &[Agent]) -> anyhow::Result<()> {
    for node in nodes {
        let found = audit::verify(node).await?;
        ensure!(found.faults.is_empty(), "{}: {}", node.region, found.faults.join("; "));
    }
    let found = dtsen_central::audit::verify(hub).await?;
    ensure!(found.faults_total == 0, "hub: {}", found.faults.join("; "));
    Ok(())
}
