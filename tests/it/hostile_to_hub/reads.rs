//! Reading: a region gets what is its own, whatever it asks for.

use anyhow::{Context as _, ensure};
use dtsen_central::store;
use dtsen_kit::sqlite::Mode;
use dtsen_proto::{limits, pb, region::Region};
use dtsen_tests::{
    faults::{place::Place, wait},
    wire::{client::Refused, peer::Peer, stage::Stage},
};
use prost::Message as _;

/// Digests of the parts of a region's slice in a release.
fn parts(stage: &Stage, version: u64, region: Region) -> anyhow::Result<Vec<Vec<u8>>> {
    let address = stage.hub.database();
    let manifests = wait::block_on(async {
        let store = store::open(&address, false, Mode::Production).await?;
        Ok(store.manifests(version).await?)
    })?;
    let mut digests = Vec::new();
    for row in manifests.into_iter().filter(|row| row.region == region) {
        let manifest = pb::Manifest::decode(row.body.as_slice())?;
        digests.extend(manifest.parts.into_iter().map(|part| part.digest));
    }
    Ok(digests)
}

fn part(peer: &mut Peer, digest: Vec<u8>) -> Result<pb::SlicePartReply, Refused> {
    let request = pb::SlicePartRequest { digest, offset: 0, session: peer.session.clone() };
    peer.client.call(async |hub| hub.slice_part(request).await)
}

fn read_back(peer: &mut Peer, epoch: u32, after: u64) -> Result<pb::ReadBackReply, Refused> {
    let session = peer.session.clone();
    let request = pb::ReadBackRequest { epoch, after, session, offset: 0 };
    peer.client.call(async |hub| hub.read_back(request).await)
}

/// Verdicts that the hub did not sign, and another region's, are no evidence.
fn verdicts(stage: &mut Stage) -> anyhow::Result<()> {
    let (address, honest) = (stage.hub.database(), stage.honest.node.region);
    let entry = wait::block_on(async {
        let store = store::open(&address, false, Mode::Production).await?;
        Ok(store.feed_after(honest, 0, 1).await?)
    })?;
    let entry = pb::Envelope::decode(entry.first().context("the honest region has verdicts")?.as_slice())?;
    let mut invented = entry.clone();
    invented.signature[0] ^= 1;
    for (code, entries) in [
        ("WRONG_REGION", vec![entry.clone()]),
        ("BAD_SIGNATURE", vec![invented]),
        ("MALFORMED", vec![entry; limits::MAX_FEED_ENTRIES + 1]),
    ] {
        stage.refused("verdicts that are not its own", code, |peer, _| {
            let request = pb::HandBackVerdictsRequest { session: peer.session.clone(), entries };
            peer.client.call(async |hub| hub.hand_back_verdicts(request).await)
        })?;
    }
    Ok(())
}

pub(super) fn run(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    stage.refused("a slice before there is a release", "NOT_FOUND", |peer, _| {
        let request = pb::SliceRequest { session: peer.session.clone(), have_version: 0 };
        peer.client.call(async |hub| hub.slice(request).await)
    })?;
    let failed = |refused: Refused| anyhow::anyhow!("{refused:?}");
    // The honest region has a batch, the hostile one none: it gets none, from wherever it asks.
    for (epoch, after) in [(0, 0), (1, 0), (1, u64::MAX), (u32::MAX, 0)] {
        let reply = read_back(&mut stage.peer, epoch, after).map_err(failed)?;
        ensure!(reply.header.is_none() && reply.last, "read back {epoch}/{after}: a batch of somebody");
    }
    let feed = pb::FeedRequest { session: stage.peer.session.clone(), after: 0 };
    let feed = stage.peer.client.call(async |hub| hub.feed(feed).await).map_err(failed)?;
    ensure!(feed.entries.is_empty() && feed.last == 0, "verdicts of somebody: {}", feed.entries.len());
    let deltas = stage.deltas.clone();
    stage.peer.deliver(&deltas)?;
    stage.state()?;
    let back = read_back(&mut stage.peer, 1, 0).map_err(failed)?;
    let header = back.header.context("its own batch")?;
    let header = pb::BatchHeader::decode(header.payload.as_slice())?;
    ensure!(header.region == stage.peer.region.to_string(), "a batch of {}", header.region);
    let back = read_back(&mut stage.peer, 1, 1).map_err(failed)?;
    ensure!(back.header.is_none() && back.last, "a batch after its last one");
    slices(&mut stage)?;
    verdicts(&mut stage)?;
    stage.refused("a log of the future", "NOT_FOUND", |peer, _| {
        let request = pb::ConsistencyRequest { old_size: 1, new_size: 1 << 40, generation: 1 };
        peer.client.call(async |hub| hub.consistency(request).await)
    })?;
    stage.refused("a log that shrinks", "NOT_FOUND", |peer, _| {
        let request = pb::ConsistencyRequest { old_size: 2, new_size: 1, generation: 1 };
        peer.client.call(async |hub| hub.consistency(request).await)
    })?;
    stage.refused("growth of another generation's log", "LOG_INCONSISTENT", |peer, _| {
        let request = pb::ConsistencyRequest { old_size: 1, new_size: 2, generation: 2 };
        peer.client.call(async |hub| hub.consistency(request).await)
    })?;
    stage.refused("a place in another generation's log", "LOG_INCONSISTENT", |peer, _| {
        let request = pb::InclusionRequest { epoch: 1, sequence: 1, size: 1, generation: 0 };
        peer.client.call(async |hub| hub.inclusion(request).await)
    })?;
    stage.refused("a rulebook of another version", "NOT_FOUND", |peer, _| {
        let request = pb::RulebookRequest { version: 99, offset: 0 };
        peer.client.call(async |hub| hub.rulebook(request).await)
    })?;
    stage.refused("a certificate for what is no request", "MALFORMED", |peer, _| {
        let request = pb::RenewRequest { csr: vec![0x30; 100], session: peer.session.clone() };
        peer.client.call(async |hub| hub.renew(request).await)
    })?;
    stage.end()
}

fn slices(stage: &mut Stage) -> anyhow::Result<()> {
    let version = stage.hub.release()?;
    let (own, others) =
        (parts(stage, version, stage.peer.region)?, parts(stage, version, stage.honest.node.region)?);
    ensure!(!own.is_empty() && !others.is_empty() && own != others, "no parts to ask for");
    for digest in own {
        let reply = part(&mut stage.peer, digest).map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
        ensure!(!reply.data.is_empty(), "its own part is empty");
    }
    for digest in others.into_iter().chain([vec![0; 32], Vec::new(), vec![1; 5000]]) {
        stage.refused("a part of another region", "NOT_FOUND", |peer, _| part(peer, digest))?;
    }
    let request = pb::SliceRequest { session: stage.peer.session.clone(), have_version: 0 };
    let offer = stage.peer.client.call(async |hub| hub.slice(request).await);
    let manifest = offer.map_err(|refused| anyhow::anyhow!("{refused:?}"))?.manifest;
    let manifest = pb::Manifest::decode(manifest.as_slice())?;
    ensure!(manifest.region == stage.peer.region.to_string(), "a slice of {}", manifest.region);
    Ok(())
}
