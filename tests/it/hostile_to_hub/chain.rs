//! The same batch again, a batch too far, another batch in its place.

use anyhow::{Context as _, ensure};
use dtsen_kit::ambient::Ambient;
use dtsen_node::home::Home;
use dtsen_proto::{
    batch::{self, Draft},
    id::{BatchId, Position},
    pb,
};
use dtsen_tests::{
    faults::place::Place,
    federation::Node,
    wire::{peer::Peer, stage::Stage},
};

use super::send;

pub(super) fn run(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    let (first, second) = (stage.deltas[..20].to_vec(), stage.deltas[20..40].to_vec());
    let sealed = stage.peer.seal(&first);
    let request = stage.peer.request(&sealed);
    let failed = |refused| anyhow::anyhow!("{refused:?}");
    let given = stage.peer.submit(request.clone()).map_err(failed)?;
    ensure!(given.receipt.is_some(), "no receipt: {given:?}");
    let start = stage.peer.head;
    stage.peer.head = dtsen_proto::chain::Head::after(stage.peer.draft().position, sealed.id);
    let after_first = stage.state()?;
    for _ in 0..3 {
        let again = stage.peer.submit(request.clone()).map_err(failed)?;
        ensure!(again.receipt == given.receipt, "another receipt for the same batch");
    }
    ensure!(after_first == stage.state()?, "a replay changed something");
    stage.peer.deliver(&second)?;
    let after_second = stage.state()?;
    let again = stage.peer.submit(request).map_err(failed)?;
    ensure!(again.receipt == given.receipt, "another receipt for a batch of before");
    ensure!(after_second == stage.state()?, "a late replay changed something");
    stage.refused("a gap", "CHAIN_GAP", |peer, deltas| {
        let draft = peer.draft();
        let position = Position { sequence: draft.position.sequence + 1, ..draft.position };
        send(peer, &Draft { position, ..draft }, &deltas[40..])
    })?;
    stage.honest_goes_on()?;

    // A fork stops the region: that is all that changes.
    let before = stage.hostile_line()?;
    let draft = stage.peer.draft();
    let fork =
        Draft { position: Position { sequence: 1, ..draft.position }, previous: start.id, ..draft.clone() };
    let third = stage.deltas[40..].to_vec();
    let refused = send(&mut stage.peer, &fork, &third).err();
    ensure!(refused.as_ref().is_some_and(|r| r.reason == "CHAIN_FORK"), "a fork: {refused:?}");
    let mut after = stage.hostile_line()?;
    ensure!(after["status"] == "forked", "the region goes on: {after}");
    after["status"] = before["status"].clone();
    ensure!(before == after, "a fork changed {before} to {after}");
    // What would have been the next batch finds the region stopped.
    stage.refused("a batch after a fork", "SUSPENDED", |peer, deltas| {
        let draft = peer.draft();
        send(peer, &draft, &deltas[40..])
    })?;
    stage.refused("a fork again", "SUSPENDED", |peer, deltas| {
        let draft = Draft { previous: BatchId::ZERO, ..peer.draft() };
        send(peer, &draft, &deltas[40..])
    })?;
    stage.end()
}

/// Closed epochs and keys of before count no further.
pub(super) fn closed(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    let region = stage.peer.region.to_string();
    let (first, second) = (stage.deltas[..20].to_vec(), stage.deltas[20..40].to_vec());
    stage.peer.deliver(&first)?;
    let failed = |refused| anyhow::anyhow!("{refused:?}");
    stage.hub.run(&["region", "new-epoch", &region, "--by", "petugas"])?;
    let reply = stage.peer.hello().map_err(failed)?;
    ensure!(reply.standing() == pb::Standing::NewEpoch && reply.epoch == 2, "no new epoch: {reply:?}");
    stage.refused("a batch of the closed epoch", "EPOCH_CLOSED", |peer, deltas| {
        let draft = peer.draft();
        send(peer, &draft, &deltas[40..])
    })?;
    let start = Position { region: stage.peer.region, epoch: 2, sequence: 0 };
    stage.peer.head = dtsen_proto::chain::Head { position: start, ..stage.peer.head };
    stage.peer.hello().map_err(failed)?;
    stage.peer.deliver(&second)?;
    // The region enrols again, and its old node goes on with the old signing key.
    let again = Node::create(&place.path("node-baru"), stage.peer.region)?;
    stage.hub.enrol(&again)?;
    let mut renewed = Peer::of(&again, &stage.hub)?;
    let reply = renewed.hello().map_err(failed)?;
    ensure!(reply.standing() == pb::Standing::NewEpoch && reply.epoch == 3, "no new epoch: {reply:?}");
    renewed.head = stage.peer.head;
    renewed.head.position = Position { epoch: 3, sequence: 0, ..start };
    renewed.hello().map_err(failed)?;
    stage.refused("the key of before in the new epoch", "KEY_REVOKED", |peer, deltas| {
        let draft = Draft { position: Position { epoch: 3, sequence: 1, ..start }, ..peer.draft() };
        let sealed = batch::seal(&peer.signer, &draft, &deltas[40..]);
        renewed.submit(pb::SubmitRequest { session: renewed.session.clone(), ..peer.request(&sealed) })
    })?;
    let third = stage.deltas[40..].to_vec();
    renewed.deliver(&third)?;
    enrols_with_the_key_of_before(&stage, place)?;
    stage.end()
}

/// A key that was replaced is no key to enrol with: the node drops it and makes another.
fn enrols_with_the_key_of_before(stage: &Stage, place: &Place) -> anyhow::Result<()> {
    let node = Node::create(&place.path("node-lama"), stage.peer.region)?;
    Home::at(node.home()).applicant(&Ambient::system())?;
    std::fs::write(node.home().join("keys/applicant.pem"), stage.peer.signer.to_pem())?;
    let token = node.home().join("token");
    let token = token.to_str().context("a path in UTF-8")?;
    let region = stage.peer.region.to_string();
    stage.hub.run(&["region", "invite", &region, "--token-file", token, "--by", "pengundang"])?;
    let enrol = ["enrol", "--hub", &stage.hub.enrol_url(), "--token-file", token, "--no-wait"];
    let refused = node.run(&enrol).err().context("a revoked key enrols")?;
    ensure!(format!("{refused:#}").contains("sudah dicabut pusat dan dibuang"), "{refused:#}");
    ensure!(node.run(&enrol)?.contains("Menunggu konfirmasi"), "new keys are not taken");
    Ok(())
}
