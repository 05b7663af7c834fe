//! Two copies of one node's home, both at work.

use std::time::Duration;

use anyhow::ensure;

use super::{
    ledger,
    place::Place,
    source::{self, Source},
    wait,
};
use crate::federation::{Hub, Node};

const REGIONS: [(&str, u64); 2] = [("52.71", 20), ("75.71", 20)];
const PATIENCE: Duration = Duration::from_secs(20);

struct Stage {
    hub: Hub,
    own: Source,
    other: Source,
    copy: Node,
}

/// A region with one batch in custody, a copy of its node, and a region that has nothing to do with it.
fn stage(place: &Place) -> anyhow::Result<Stage> {
    let plans = source::plans(place.seed(), &REGIONS)?;
    let mut hub = Hub::create(&place.path("pusat"), place.database())?;
    hub.start()?;
    let own = Source::enrol(&hub, &place.path("node"), &plans[0])?;
    let other = Source::enrol(&hub, &place.path("node"), &plans[1])?;
    own.load(0)?;
    own.node.sync()?;
    let copy = own.node.clone_to(&place.path("kembar"))?;
    Ok(Stage { hub, own, other, copy })
}

fn load(source: &Source, node: &Node, day: u32) -> anyhow::Result<()> {
    let arguments = source.import(day)?;
    node.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())?;
    Ok(())
}

/// Both sides say that they stopped, and why; nothing more comes in; the other region goes on.
fn everybody_knows(stage: &Stage, stop: &str, at_hub: &str, word: &str) -> anyhow::Result<()> {
    let before = stage.hub.json(&["status"])?["regions"].clone();
    for node in [&stage.own.node, &stage.copy] {
        node.try_sync(PATIENCE)?;
        let again = node.try_sync(PATIENCE)?;
        ensure!(!again.well && again.report["stopped"] == stop, "not stopped as {stop}: {again:?}");
        ensure!(again.told.contains(word), "the operator is not told: {}", again.told);
        let status = node.json(&["status"])?;
        ensure!(status["halted"].as_str().is_some_and(|h| h.contains(word)), "status: {status}");
        ensure!(node.run(&["status"])?.contains("BERHENTI"), "the node's status does not say it");
    }
    let after = stage.hub.json(&["status"])?["regions"].clone();
    ensure!(before == after, "something came in after the stop");
    let region = stage.own.node.region.to_string();
    let line = after.as_array().into_iter().flatten().find(|l| l["region"] == region.as_str()).cloned();
    let line = line.unwrap_or_default();
    ensure!(line["status"] == at_hub, "the hub says {line}");
    ensure!(stage.hub.run(&["status"])?.contains(word), "the operator of the hub is not told");
    stage.other.load(0)?;
    stage.other.node.sync()?;
    ledger::every_delta_has_one_verdict(&stage.hub, &[&stage.other.node])?;
    ledger::everybody_verifies(&stage.hub, &[&stage.other.node])
}

/// An operator switches off one of the two and opens a new epoch: the other goes on, whichever it is, with everything
/// that it had to say.
fn one_goes_on(stage: &Stage, survivor: &Node) -> anyhow::Result<()> {
    stage.hub.run(&["region", "new-epoch", &survivor.region.to_string(), "--by", "petugas"])?;
    survivor.sync()?;
    let status = survivor.json(&["status"])?;
    ensure!(status["halted"].is_null() && status["epoch"] == 2, "status: {status}");
    load(&stage.own, survivor, 3)?;
    survivor.sync()?;
    let totals = ledger::totals(survivor)?;
    ensure!(totals.waiting + totals.pending + totals.sealed == 0, "left behind: {totals:?}");
    ledger::check(&stage.hub, &[survivor, &stage.other.node])
}

/// The original goes on, then the copy comes with a session token that is long gone.
pub fn through_the_token(place: &Place) -> anyhow::Result<()> {
    let stage = stage(place)?;
    // Both have the same batches: nothing but the token tells them apart.
    for _ in 0..3 {
        stage.own.node.sync()?;
    }
    load(&stage.own, &stage.copy, 1)?;
    let refused = stage.copy.try_sync(PATIENCE)?;
    ensure!(!refused.well && refused.report["stopped"] == "cloned", "the copy got in: {refused:?}");
    everybody_knows(&stage, "cloned", "cloned", "salinan")?;
    one_goes_on(&stage, &stage.own.node)
}

/// The copy has the token of the original: its batch stands where the original's does.
pub fn through_the_chain(place: &Place) -> anyhow::Result<()> {
    let mut stage = stage(place)?;
    // The copy seals while the hub dies under it, so that its head is another one than the original's will be.
    load(&stage.own, &stage.copy, 1)?;
    seal(&mut stage)?;
    stage.own.load(2)?;
    stage.own.node.sync()?;
    hand_token(&stage)?;
    let refused = stage.copy.try_sync(PATIENCE)?;
    ensure!(!refused.well && refused.report["stopped"] == "forked", "the copy got in: {refused:?}");
    everybody_knows(&stage, "forked", "forked", "bercabang")?;
    one_goes_on(&stage, &stage.copy)
}

/// The copy is ahead of the original: the hub learns of the fork from the batch itself.
pub fn through_a_batch(place: &Place) -> anyhow::Result<()> {
    let stage = stage(place)?;
    stage.own.load(2)?;
    stage.own.node.sync()?;
    hand_token(&stage)?;
    // Sealed on the old head, under the number that the original has used.
    load(&stage.own, &stage.copy, 1)?;
    seal_beside(&stage, 2)?;
    let refused = stage.copy.try_sync(PATIENCE)?;
    ensure!(!refused.well, "the copy got in: {refused:?}");
    everybody_knows(&stage, "forked", "forked", "bercabang")?;
    one_goes_on(&stage, &stage.copy)
}

fn seal(stage: &mut Stage) -> anyhow::Result<()> {
    seal_beside(stage, 1)
}

/// Seals what the copy has pending, in so many batches, without sending: a node that was killed right after sealing.
fn seal_beside(stage: &Stage, batches: usize) -> anyhow::Result<()> {
    use dtsen_proto::{batch, key::Signer};
    let pem = std::fs::read_to_string(stage.copy.home().join("keys/signing.pem"))?;
    let signer = Signer::from_pem(&pem).map_err(|_| anyhow::anyhow!("the signing key"))?;
    wait::block_on(async {
        let store = stage.copy.store().await?;
        let pending = usize::try_from(store.pending_count().await?)?;
        ensure!(pending >= batches, "only {pending} changes to seal");
        for _ in 0..batches {
            let sealing = dtsen_node::store::Sealing {
                now_ms: dtsen_kit::ambient::Ambient::system().now_ms(),
                max_deltas: pending.div_ceil(batches),
                max_bytes: dtsen_proto::limits::MAX_BODY_BYTES,
                rulebook: 1,
                generation: 1,
                log: (0, [0; 32]),
                salt: &|| [7; 16],
                seal: &|draft, deltas| batch::seal(&signer, draft, deltas),
            };
            ensure!(store.seal(&sealing).await?.is_some(), "nothing was sealed");
        }
        Ok(())
    })
}

/// The copy gets the original's newest session token and checkpoint, as a thief of the whole home would have them.
fn hand_token(stage: &Stage) -> anyhow::Result<()> {
    use dtsen_node::store::setting::SESSION;
    wait::block_on(async {
        let token = stage.own.node.store().await?.setting(SESSION).await?.unwrap_or_default();
        Ok(stage.copy.store().await?.set_setting(SESSION, &token).await?)
    })
}
