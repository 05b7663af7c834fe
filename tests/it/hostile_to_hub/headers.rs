//! Headers, and calls that show the wrong session or version.

use dtsen_proto::{
    batch::{self, Draft},
    envelope::{self, PayloadType},
    id::Position,
    key::Signer,
    limits, pb,
};
use dtsen_tests::{
    faults::place::Place,
    wire::{client::Refused, peer::Peer, stage::Stage},
};
use prost::Message as _;

use super::send;

/// A good batch whose header is changed, and signed again by the right key.
fn resealed(
    peer: &mut Peer,
    deltas: &[Vec<u8>],
    change: impl FnOnce(&mut pb::BatchHeader),
) -> Result<pb::SubmitReply, Refused> {
    let sealed = peer.seal(deltas);
    let mut header = pb::BatchHeader::decode(sealed.envelope.payload.as_slice()).expect("made here");
    change(&mut header);
    let envelope = envelope::sign(&peer.signer, PayloadType::BATCH_HEADER, header.encode_to_vec());
    let request = pb::SubmitRequest { header: Some(envelope), ..peer.request(&sealed) };
    peer.submit(request)
}

/// A good batch whose envelope is changed and not signed again.
fn tampered(
    peer: &mut Peer,
    deltas: &[Vec<u8>],
    change: impl FnOnce(&mut pb::Envelope),
) -> Result<pb::SubmitReply, Refused> {
    let mut sealed = peer.seal(deltas);
    change(&mut sealed.envelope);
    let request = peer.request(&sealed);
    peer.submit(request)
}

pub(super) fn run(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    let honest = stage.honest.node.region;
    stage.refused("a batch of another region", "WRONG_REGION", |peer, deltas| {
        let draft = peer.draft();
        send(peer, &Draft { position: Position { region: honest, ..draft.position }, ..draft }, deltas)
    })?;
    stage.refused("a header of no region", "HEADER_LIMITS", |peer, deltas| {
        resealed(peer, deltas, |header| header.region = "52".into())
    })?;
    signatures(&mut stage)?;
    places(&mut stage)?;
    ranges(&mut stage)?;
    // After all this the chain is where it was.
    let deltas = stage.deltas.clone();
    stage.peer.deliver(&deltas)?;
    stage.end()
}

fn signatures(stage: &mut Stage) -> anyhow::Result<()> {
    stage.refused("another signature", "BAD_SIGNATURE", |peer, deltas| {
        tampered(peer, deltas, |envelope| envelope.signature[7] ^= 1)
    })?;
    stage.refused("a signature cut short", "BAD_SIGNATURE", |peer, deltas| {
        tampered(peer, deltas, |envelope| envelope.signature.truncate(63))
    })?;
    stage.refused("a header changed after it was signed", "BAD_SIGNATURE", |peer, deltas| {
        tampered(peer, deltas, |envelope| {
            let mut header = pb::BatchHeader::decode(envelope.payload.as_slice()).expect("made here");
            header.created_ms += 1;
            envelope.payload = header.encode_to_vec();
        })
    })?;
    stage.refused("signed for another purpose", "PAYLOAD_TYPE", |peer, deltas| {
        let sealed = peer.seal(deltas);
        let payload = sealed.envelope.payload.clone();
        let envelope = envelope::sign(&peer.signer, PayloadType::RECEIPT, payload);
        let request = pb::SubmitRequest { header: Some(envelope), ..peer.request(&sealed) };
        peer.submit(request)
    })?;
    stage.refused("called a header, signed as a receipt", "BAD_SIGNATURE", |peer, deltas| {
        let sealed = peer.seal(deltas);
        let mut envelope =
            envelope::sign(&peer.signer, PayloadType::RECEIPT, sealed.envelope.payload.clone());
        envelope.payload_type = PayloadType::BATCH_HEADER.as_str().into();
        let request = pb::SubmitRequest { header: Some(envelope), ..peer.request(&sealed) };
        peer.submit(request)
    })?;
    stage.refused("a key that nobody confirmed", "KEY_UNKNOWN", |peer, deltas| {
        let sealed = batch::seal(&Signer::from_seed(&[9; 32]), &peer.draft(), deltas);
        let request = peer.request(&sealed);
        peer.submit(request)
    })?;
    stage.refused(
        "the name of the right key, the signature of another",
        "BAD_SIGNATURE",
        |peer, deltas| {
            let mut sealed = batch::seal(&Signer::from_seed(&[9; 32]), &peer.draft(), deltas);
            sealed.envelope.key_id = peer.signer.id().as_bytes().to_vec();
            let request = peer.request(&sealed);
            peer.submit(request)
        },
    )?;
    Ok(())
}

fn places(stage: &mut Stage) -> anyhow::Result<()> {
    let at = |peer: &Peer, epoch, sequence| {
        let draft = peer.draft();
        Draft { position: Position { epoch, sequence, ..draft.position }, ..draft }
    };
    stage.refused("a batch too far", "CHAIN_GAP", |peer, deltas| {
        let draft = at(peer, 1, 3);
        send(peer, &draft, deltas)
    })?;
    stage.refused("an epoch that nobody opened", "EPOCH_UNKNOWN", |peer, deltas| {
        let draft = at(peer, 2, 1);
        send(peer, &draft, deltas)
    })?;
    stage.refused("epoch 0", "HEADER_LIMITS", |peer, deltas| {
        let draft = at(peer, 0, 1);
        send(peer, &draft, deltas)
    })?;
    Ok(())
}

fn ranges(stage: &mut Stage) -> anyhow::Result<()> {
    type Change = fn(&mut pb::BatchHeader);
    let changes: [(&str, Change); 7] = [
        ("sequence 0", |h| h.sequence = 0),
        ("a sequence of 33 bits", |h| h.sequence = 1 << 32),
        ("another schema", |h| h.schema = 2),
        ("no deltas", |h| h.count = 0),
        ("a root of 31 bytes", |h| h.root.truncate(31)),
        ("a log without root", |h| h.log_size = 1),
        ("a long header", |h| h.purpose = "x".repeat(limits::MAX_HEADER_BYTES)),
    ];
    for (what, change) in changes {
        stage.refused(what, "HEADER_LIMITS", |peer, deltas| resealed(peer, deltas, change))?;
    }
    stage.refused("a payload that is no header", "MALFORMED", |peer, deltas| {
        tampered(peer, deltas, |envelope| envelope.payload = vec![0xff; 40])
    })?;
    stage.refused("no header", "MALFORMED", |peer, deltas| {
        let request = pb::SubmitRequest { header: None, ..peer.request(&peer.seal(deltas)) };
        peer.submit(request)
    })?;
    Ok(())
}

pub(super) fn sessions(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    for protocol in [0, 2, u32::MAX] {
        stage.refused("another protocol", "PROTOCOL_VERSION", |peer, _| {
            let request = pb::HelloRequest { protocol, ..peer.hello_request() };
            peer.client.call(async |hub| hub.hello(request).await)
        })?;
    }
    stage.refused("a head of five bytes", "MALFORMED", |peer, _| {
        let request = pb::HelloRequest { head: vec![1; 5], ..peer.hello_request() };
        peer.client.call(async |hub| hub.hello(request).await)
    })?;
    claims(&mut stage)?;
    // Hello rotates the token; the one before must not serve any call.
    let old = stage.peer.session.clone();
    let before = stage.state()?;
    stage.peer.hello().map_err(|refused| anyhow::anyhow!("{refused:?}"))?;
    anyhow::ensure!(old != stage.peer.session && before == stage.state()?, "the token was not rotated");
    for session in [old, Vec::new(), vec![7; 16], vec![7; 4096]] {
        every_call(&mut stage, &session)?;
    }
    let deltas = stage.deltas.clone();
    stage.peer.deliver(&deltas)?;
    stage.end()
}

/// What a Hello claims: in words, the refusal, how.
type Claim<'a> = (&'a str, &'a str, &'a dyn Fn(&mut pb::HelloRequest));

/// What the hub never signed is no evidence, however it is claimed.
fn claims(stage: &mut Stage) -> anyhow::Result<()> {
    let forged = |act: pb::decision::Act| {
        let decision = pb::Decision { act: Some(act), ..Default::default() };
        let signer = Signer::from_seed(&[9; 32]);
        Some(envelope::sign_message(&signer, PayloadType::DECISION, &decision))
    };
    let generation =
        forged(pb::decision::Act::GenerationAct(pb::GenerationAct { generation: 9, ..Default::default() }));
    let epoch = forged(pb::decision::Act::Epoch(pb::EpochAct {
        region: "52.71".into(),
        closed: 1,
        opened: 9,
        ..Default::default()
    }));
    let claims: [Claim<'_>; 7] = [
        ("a generation that nobody began", "NOT_FOUND", &|r| r.generation = 9),
        ("a generation that does not fit the database", "MALFORMED", &|r| r.generation = u64::MAX),
        ("a slice that does not fit the database", "MALFORMED", &|r| r.slice_version = u64::MAX),
        ("an epoch that nobody opened", "EPOCH_UNKNOWN", &|r| r.epoch = 9),
        ("an epoch that cannot be", "MALFORMED", &|r| r.epoch = u32::MAX),
        ("a generation of somebody else", "KEY_UNKNOWN", &|r| {
            (r.generation, r.generation_statement) = (9, generation.clone());
        }),
        ("an epoch of somebody else", "KEY_UNKNOWN", &|r| (r.epoch, r.epoch_statement) = (9, epoch.clone())),
    ];
    for (what, code, claim) in claims {
        stage.refused(what, code, |peer, _| {
            let mut request = peer.hello_request();
            claim(&mut request);
            peer.client.call(async |hub| hub.hello(request).await)
        })?;
    }
    Ok(())
}

fn every_call(stage: &mut Stage, session: &[u8]) -> anyhow::Result<()> {
    let code = "CLONED";
    let session = || session.to_vec();
    stage.refused("an old token: submit", code, |peer, deltas| {
        let request = pb::SubmitRequest { session: session(), ..peer.request(&peer.seal(deltas)) };
        peer.submit(request)
    })?;
    stage.refused("an old token: feed", code, |peer, _| {
        let request = pb::FeedRequest { session: session(), after: 0 };
        peer.client.call(async |hub| hub.feed(request).await)
    })?;
    stage.refused("an old token: verdicts handed back", code, |peer, _| {
        let request = pb::HandBackVerdictsRequest { session: session(), entries: Vec::new() };
        peer.client.call(async |hub| hub.hand_back_verdicts(request).await)
    })?;
    stage.refused("an old token: read back", code, |peer, _| {
        let request = pb::ReadBackRequest { session: session(), ..Default::default() };
        peer.client.call(async |hub| hub.read_back(request).await)
    })?;
    stage.refused("an old token: slice", code, |peer, _| {
        let request = pb::SliceRequest { session: session(), have_version: 0 };
        peer.client.call(async |hub| hub.slice(request).await)
    })?;
    stage.refused("an old token: slice part", code, |peer, _| {
        let request = pb::SlicePartRequest { session: session(), ..Default::default() };
        peer.client.call(async |hub| hub.slice_part(request).await)
    })?;
    stage.refused("an old token: renew", code, |peer, _| {
        let request = pb::RenewRequest { session: session(), csr: vec![1] };
        peer.client.call(async |hub| hub.renew(request).await)
    })?;
    Ok(())
}
