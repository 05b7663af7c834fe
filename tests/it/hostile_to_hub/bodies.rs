//! Bodies that are not what their header promises, and those that are but must not be taken.

use std::io::Write as _;

use anyhow::{Context as _, ensure};
use dtsen_proto::{
    batch::{self, Sealed},
    limits, pb,
};
use dtsen_tests::{
    faults::place::Place,
    wire::{
        client::{self, Refused},
        peer::{self, Peer},
        stage::Stage,
    },
};
use prost::Message as _;
use tonic::Code;

/// What is altered in a good request.
type Change = fn(&mut pb::SubmitRequest);

/// The hub's memory never goes above this, whatever comes.
const MEMORY_KIB: u64 = 512 * 1024;
/// What a bomb unpacks to.
const BOMB: usize = 1 << 30;
/// How many of them come.
const BOMBS: usize = 12;

fn submit(
    peer: &mut Peer,
    deltas: &[Vec<u8>],
    change: impl FnOnce(&mut pb::SubmitRequest),
) -> Result<pb::SubmitReply, Refused> {
    let mut request = peer.request(&peer.seal(deltas));
    change(&mut request);
    peer.submit(request)
}

pub(super) fn run(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    let refused = stage.refused("a message over the limit", "", |peer, deltas| {
        submit(peer, deltas, |r| r.data = vec![0; limits::MAX_MESSAGE_BYTES + 1])
    })?;
    ensure!(refused.code == Code::OutOfRange, "a message over the limit: {refused:?}");
    let changes: [(&str, &str, Change); 8] = [
        ("a byte of the body is another", "BODY_MISMATCH", |r| {
            let plain = batch::decode_body(r.encoding, &r.data, limits::MAX_BODY_BYTES).expect("made here");
            r.encoding = pb::BodyEncoding::Identity.into();
            r.encoded_length = plain.len() as u64;
            r.data = plain;
            r.data[100] ^= 1;
        }),
        ("a byte of the packed body is another", "BODY_MISMATCH", |r| {
            let middle = r.data.len() / 2;
            r.data[middle] ^= 1;
        }),
        ("the body is cut", "BODY_MISMATCH", |r| {
            r.data.pop();
            r.encoded_length -= 1;
        }),
        ("no encoding", "BODY_MISMATCH", |r| r.encoding = 0),
        ("an encoding that nobody knows", "BODY_MISMATCH", |r| r.encoding = 77),
        ("less announced than there is", "HEADER_LIMITS", |r| r.encoded_length -= 1),
        ("more announced than may be", "HEADER_LIMITS", |r| r.encoded_length = 1 << 40),
        ("a piece over the limit", "HEADER_LIMITS", |r| {
            r.data = vec![0; limits::MAX_CHUNK_BYTES + 1];
            r.encoded_length = r.data.len() as u64;
        }),
    ];
    for (what, reason, change) in changes {
        stage.refused(what, reason, |peer, deltas| submit(peer, deltas, change))?;
    }
    stage.refused("an offset at the end of all numbers", "HEADER_LIMITS", |peer, deltas| {
        submit(peer, deltas, |r| r.offset = u64::MAX)
    })?;
    bombs(&mut stage)?;
    pieces(&mut stage)?;
    stage.end()
}

/// Bodies of a megabyte that unpack to a gigabyte.
fn bombs(stage: &mut Stage) -> anyhow::Result<()> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1)?;
    let zeros = vec![0; 1 << 20];
    for _ in 0..BOMB / zeros.len() {
        encoder.write_all(&zeros)?;
    }
    let bomb = encoder.finish()?;
    ensure!(bomb.len() < limits::MAX_CHUNK_BYTES, "the bomb has {} bytes", bomb.len());
    for nth in 0..BOMBS {
        stage.refused("a bomb", "BODY_MISMATCH", |peer, deltas| {
            submit(peer, deltas, |r| {
                r.encoding = pb::BodyEncoding::Zstd.into();
                r.encoded_length = bomb.len() as u64;
                r.data.clone_from(&bomb);
            })
        })?;
        let peak = client::memory_kib(stage.hub.pid().context("the hub runs")?, "VmHWM")?;
        ensure!(peak < MEMORY_KIB, "after {nth} bombs the hub had {peak} KiB");
        if nth + 1 == BOMBS {
            eprintln!("hub after {BOMBS} bombs of {BOMB} bytes: VmHWM {peak} KiB");
        }
    }
    Ok(())
}

/// Sends bytes of a batch from an offset on; gives where the hub's bytes end, or `None` with a receipt.
fn piece(
    peer: &mut Peer,
    sealed: &Sealed,
    offset: usize,
    data: &[u8],
    length: usize,
) -> Result<Option<u64>, Refused> {
    let request = pb::SubmitRequest {
        offset: offset as u64,
        data: data.to_vec(),
        encoded_length: length as u64,
        ..peer.request(sealed)
    };
    let reply = peer.submit(request)?;
    Ok(if reply.receipt.is_some() { None } else { Some(reply.next_offset) })
}

/// Pieces in the wrong order and of the wrong body; then the same batch in good order.
fn pieces(stage: &mut Stage) -> anyhow::Result<()> {
    let sealed = stage.peer.seal(&stage.deltas);
    let (_, body) = batch::encode_body(&sealed.body);
    let (length, half) = (body.len(), body.len() / 2);
    let before = stage.state()?;
    let peer = &mut stage.peer;
    let failed = |refused: Refused| anyhow::anyhow!("{refused:?}");
    let held = piece(peer, &sealed, half, &body[half..], length).map_err(failed)?;
    ensure!(held == Some(0), "the second half before the first: {held:?}");
    for _ in 0..2 {
        let held = piece(peer, &sealed, 0, &[], length).map_err(failed)?;
        ensure!(held == Some(0), "asked before anything came: {held:?}");
    }
    let held = piece(peer, &sealed, 0, &body[..half], length).map_err(failed)?;
    ensure!(held == Some(half as u64), "the first half: {held:?}");
    for asked_at in [0, half] {
        let held = piece(peer, &sealed, asked_at, &[], length).map_err(failed)?;
        ensure!(held == Some(half as u64), "asked after the first half: {held:?}");
    }
    for _ in 0..2 {
        let held = piece(peer, &sealed, 0, &body[..half], length).map_err(failed)?;
        ensure!(held == Some(half as u64), "the first half again: {held:?}");
    }
    let held = piece(peer, &sealed, half + 10, &body[half + 10..], length).map_err(failed)?;
    ensure!(held == Some(half as u64), "with ten bytes left out: {held:?}");
    // The second half is of another body: refused, and nothing of the batch is kept.
    let mut wrong = body[half..].to_vec();
    wrong[5] ^= 1;
    let refused = piece(peer, &sealed, half, &wrong, length).err().context("a wrong half was taken")?;
    ensure!(refused.reason == "BODY_MISMATCH", "a wrong half: {refused:?}");
    let held = piece(peer, &sealed, half, &body[half..], length).map_err(failed)?;
    ensure!(held == Some(0), "pieces of a wrong body were kept: {held:?}");
    // A length that changes on the way.
    let held = piece(peer, &sealed, 0, &body[..half], length + 50).map_err(failed)?;
    ensure!(held == Some(half as u64), "the first half of a longer body: {held:?}");
    let held = piece(peer, &sealed, half, &body[half..], length + 50).map_err(failed)?;
    ensure!(held == Some(length as u64), "all, and more is announced: {held:?}");
    let refused = piece(peer, &sealed, length, &[0; 50], length + 50).err().context("more was taken")?;
    ensure!(refused.reason == "BODY_MISMATCH", "fifty bytes too many: {refused:?}");
    ensure!(before == stage.state()?, "pieces changed something");
    let peer = &mut stage.peer;
    let held = piece(peer, &sealed, 0, &body[..half], length).map_err(failed)?;
    ensure!(held == Some(half as u64), "from the beginning: {held:?}");
    let done = piece(peer, &sealed, half, &body[half..], length).map_err(failed)?;
    ensure!(done.is_none(), "the whole batch gives no receipt: {done:?}");
    Ok(())
}

/// What the hub takes the header of alone; the chain goes on every time.
pub(super) fn limits(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    let good = stage.deltas.clone();
    let people = |stage: &Stage| -> anyhow::Result<_> {
        let status = stage.state()?["status"].clone();
        Ok((status["keluarga"].clone(), status["individu"].clone(), status["applications"].clone()))
    };
    let before = people(&stage)?;
    let large = [good[0].clone(), vec![0; limits::MAX_DELTA_BYTES + 1], good[1].clone()];
    let many = vec![vec![0; 20]; limits::MAX_BATCH_DELTAS + 1];
    let long = vec![vec![0; limits::MAX_DELTA_BYTES]; limits::MAX_BODY_BYTES / limits::MAX_DELTA_BYTES];
    let cases = [(&large[..], "DELTA_TOO_LARGE"), (&many, "TOO_MANY_DELTAS"), (&long, "BODY_TOO_LARGE")];
    for (deltas, code) in cases {
        // Only what is needed of the body travels: the header alone tells the other two.
        let sealed = stage.peer.seal(deltas);
        let mut request = stage.peer.request(&sealed);
        if request.data.len() > limits::MAX_CHUNK_BYTES {
            request.data.clear();
        }
        taken_alone(&mut stage, &sealed, request, code)?;
    }
    let mut sealed = stage.peer.seal(&good[..3]);
    sealed.body = batch::erase(&sealed.body, 1).context("a second delta")?;
    let header = pb::BatchHeader::decode(sealed.envelope.payload.as_slice())?;
    let header = pb::BatchHeader { body_length: sealed.body.len() as u64, ..header };
    sealed.envelope = dtsen_proto::envelope::sign(
        &stage.peer.signer,
        dtsen_proto::envelope::PayloadType::BATCH_HEADER,
        header.encode_to_vec(),
    );
    sealed.id = batch::id(&sealed.envelope);
    let request = stage.peer.request(&sealed);
    taken_alone(&mut stage, &sealed, request, "ERASED_ON_ARRIVAL")?;
    ensure!(before == people(&stage)?, "a refused body was decided");
    let receipt = stage.peer.deliver(&good)?;
    ensure!(
        receipt.sequence == 5 && receipt.body_refused.is_empty(),
        "the chain does not go on: {receipt:?}"
    );
    let line = stage.hostile_line()?;
    ensure!(line["sequence"] == 5 && line["deltas"] == good.len(), "the hub counts {line}");
    stage.end()
}

fn taken_alone(
    stage: &mut Stage,
    sealed: &Sealed,
    request: pb::SubmitRequest,
    code: &str,
) -> anyhow::Result<()> {
    let reply =
        stage.peer.submit(request.clone()).map_err(|refused| anyhow::anyhow!("{code}: {refused:?}"))?;
    let receipt = peer::receipt(&reply)?;
    ensure!(receipt.body_refused == code, "{code}: the receipt says {:?}", receipt.body_refused);
    let again = stage.peer.submit(request).map_err(|refused| anyhow::anyhow!("{code}: {refused:?}"))?;
    ensure!(again.receipt == reply.receipt, "{code}: another receipt for the same batch");
    stage.peer.head = dtsen_proto::chain::Head::after(stage.peer.draft().position, sealed.id);
    Ok(())
}

/// Block and column that are the hub's alone.
const RANKING: u32 = 8;
const DECILE: u32 = 13;

pub(super) fn decile(place: &Place) -> anyhow::Result<()> {
    let mut stage = Stage::set(place)?;
    let mut deltas = stage.deltas.clone();
    let mut ranked = None;
    for (at, bytes) in deltas.iter_mut().enumerate() {
        let mut delta = pb::Delta::decode(bytes.as_slice())?;
        if delta.kind != i32::from(pb::RecordKind::Keluarga) {
            continue;
        }
        let block = pb::Block {
            block: RANKING,
            number_columns: vec![DECILE],
            numbers: vec![1],
            ..delta.blocks.last().context("a family has blocks")?.clone()
        };
        let block = pb::Block {
            text_columns: vec![],
            texts: vec![],
            cleared_columns: vec![],
            unmapped: vec![],
            ..block
        };
        delta.blocks.retain(|b| b.block < RANKING);
        delta.blocks.push(block);
        *bytes = delta.encode_to_vec();
        ranked = Some(at);
        break;
    }
    let ranked = ranked.context("a family among the deltas")?;
    stage.peer.deliver(&deltas)?;
    stage.state()?;
    let shown = stage.hub.json(&["batch", "show", "52.71/1/1"])?;
    let judged = &shown["batch"];
    ensure!(judged["rejected"] == 1, "not one refused alone: {judged}");
    let verdicts = shown["verdicts"].as_array().context("verdicts")?;
    let name = format!("52.71/1/1/{ranked}");
    for verdict in verdicts {
        let own = verdict["delta"] == name.as_str();
        ensure!(own == (verdict["verdict"] == "ditolak"), "the others were harmed: {verdict}");
        ensure!(own == (verdict["reasons"][0]["code"] == "HUB_COLUMN"), "told {verdict}");
    }
    let taken = ["accepted", "warned", "held"].map(|name| judged[name].as_u64().unwrap_or(0));
    ensure!(taken.iter().sum::<u64>() == deltas.len() as u64 - 1, "the others were harmed: {judged}");
    stage.end()
}
