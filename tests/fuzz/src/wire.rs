//! What comes over the wire: nothing may panic, give more than its limit, or be read as something else than was signed.

use dtsen_proto::{
    batch::{self, Frame, Header},
    checkpoint::Checkpoint,
    envelope::{self, PayloadType},
    key::Signer,
    limits, merkle, pb,
    record::Delta,
    rulebook::{Files, Rulebook},
    slice::{self, Expectation},
};
use prost::Message as _;
use sha2::{Digest as _, Sha256};

use crate::bytes::Bytes;

fn signer() -> Signer {
    Signer::from_seed(&[7; 32])
}

/// An envelope as it arrives, and a payload that a key of ours signed whatever it is.
pub fn header(data: &[u8]) {
    let key = signer();
    if let Ok(envelope) = pb::Envelope::decode(data) {
        let _ = batch::peek(&envelope);
        // Only the seeds are signed; an envelope that verifies says what they say.
        if let Ok(header) = batch::open(&envelope, &key.public()) {
            assert_eq!(header.digest(), envelope::digest(&envelope));
        }
        let _ = envelope::log_leaf(&envelope);
        let _ = batch::refused_before(&envelope);
    }
    let signed = envelope::sign(&key, PayloadType::BATCH_HEADER, data.to_vec());
    if let Ok(header) = batch::open(&signed, &key.public()) {
        let header: Header = header.into_inner();
        assert!(header.count > 0 && header.position.epoch > 0 && header.position.sequence > 0);
        let _ = batch::refused_by_header(&header);
    }
    for purpose in [PayloadType::RECEIPT, PayloadType::ENROLMENT] {
        let other = envelope::sign(&key, purpose, data.to_vec());
        assert!(batch::open(&other, &key.public()).is_err(), "a signature for another purpose");
    }
    let _ = pb::HelloRequest::decode(data);
    let _ = pb::SubmitRequest::decode(data);
    let _ = pb::EnrolRequest::decode(data);
}

/// A body as transported, and its frames.
pub fn body(data: &[u8]) {
    let mut bytes = Bytes(data);
    let [encoding, shift] = bytes.take();
    let length = (1_usize << (shift % 23)).min(limits::MAX_BODY_BYTES);
    if let Some(plain) = batch::decode_body(i32::from(encoding), bytes.0, length) {
        assert!(plain.len() <= length, "more than was allowed");
        frames(&plain);
    }
    frames(data);
}

fn frames(plain: &[u8]) {
    let Some(frames) = batch::frames(plain) else { return };
    let deltas: Option<Vec<&[u8]>> = frames
        .iter()
        .map(|frame| match frame {
            Frame::Delta(bytes) => Some(*bytes),
            Frame::Erased(_) => None,
        })
        .collect();
    if let Some(deltas) = deltas {
        assert_eq!(batch::frame(deltas.iter().copied()), plain, "framed again it is the same");
        for delta in deltas {
            if let Ok(read) = Delta::decode(delta) {
                assert_eq!(Delta::decode(&read.encode()), Ok(read), "written again it reads the same");
            }
        }
    }
    let leaves = |frames: &[Frame<'_>]| frames.iter().map(Frame::leaf).collect::<Vec<_>>();
    if !frames.is_empty() {
        let erased = batch::erase(plain, frames.len() - 1).expect("there is one");
        let after = batch::frames(&erased).expect("what we wrote");
        assert_eq!(merkle::root(&leaves(&frames)), merkle::root(&leaves(&after)), "erasing keeps the root");
    }
}

/// An offer, a manifest and a part whose digest fits.
pub fn slice(data: &[u8]) {
    let key = signer().public();
    let region = "52.71".parse().expect("a region");
    let expected =
        Expectation { region, have: 1, generation: 1, now_ms: 0, release_key: &key, receipt_key: &key };
    if let Ok(reply) = pb::SliceReply::decode(data) {
        let _ = slice::check_offer(&reply, &expected);
    }
    // The same with release and freshness that our key signed over whatever stands there.
    let mut bytes = Bytes(data);
    let [first, second] = bytes.take().map(usize::from);
    let (release, rest) = bytes.0.split_at(first.min(bytes.0.len()));
    let (fresh, manifest) = rest.split_at(second.min(rest.len()));
    let inclusion = pb::InclusionProof { size: 1, ..Default::default() };
    let reply = pb::SliceReply {
        release: Some(envelope::sign(&signer(), PayloadType::RELEASE, release.to_vec())),
        freshness: Some(envelope::sign(&signer(), PayloadType::FRESHNESS, fresh.to_vec())),
        manifest: manifest.to_vec(),
        inclusion: Some(inclusion),
        ..Default::default()
    };
    if let Ok(offer) = slice::check_offer(&reply, &expected) {
        let manifest = &offer.get().manifest;
        assert!(
            manifest.region == "52.71" && manifest.version >= 1 && manifest.parts.len() <= limits::MAX_PARTS
        );
    }
    let mut bytes = Bytes(data);
    let plain_length = bytes.number() % (2 * limits::MAX_PART_PLAIN_BYTES as u64);
    let part =
        pb::Part { digest: Sha256::digest(bytes.0).to_vec(), length: bytes.0.len() as u64, plain_length };
    let opened = slice::open_part(&part, bytes.0);
    assert!(opened.is_err() || plain_length <= limits::MAX_PART_PLAIN_BYTES as u64, "more than was allowed");
}

/// A note as it arrives, and a text that a key of ours signed whatever it is.
pub fn checkpoint(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (signer, name) = (signer(), "hub.dtsen.test");
    let _ = Checkpoint::open(text, name, &signer.public());
    let mut lines = text.splitn(3, '\n');
    let (origin, size) = (lines.next().unwrap_or_default(), lines.next().and_then(|s| s.parse().ok()));
    let root = Sha256::digest(text).into();
    let made = Checkpoint { origin: origin.to_owned(), size: size.unwrap_or(0), root };
    let opened = Checkpoint::open(&made.sign(name, &signer), name, &signer.public());
    match opened {
        Ok(opened) => assert_eq!(opened.into_inner(), made, "another checkpoint than was signed"),
        Err(_) => {
            assert!(origin.is_empty() || origin.contains('\r'), "what we signed does not open: {made:?}")
        }
    }
}

/// Proofs of anything, and of trees that exist.
pub fn proof(data: &[u8]) {
    let mut bytes = Bytes(data);
    let (one, two) = (bytes.number(), bytes.number());
    let [first, second]: [[u8; 32]; 2] = [bytes.take(), bytes.take()];
    let hashes = bytes.hashes();
    let _ = merkle::root_from_inclusion(first, one, two, &hashes);
    if one == two && merkle::is_consistent(one, &first, two, &second, &hashes) {
        assert_eq!(first, second, "two trees of one size");
    }
    let _ = merkle::is_consistent(one, &first, two, &second, &hashes);
    // A tree of our own: what is made for a leaf leads to its root, and to no other leaf's.
    let (size, index) = (two % 200 + 1, one % (two % 200 + 1));
    let leaves: Vec<_> = (0..size).map(|nth| merkle::leaf_hash(&nth.to_be_bytes())).collect();
    let at = |nth: u64| leaves[usize::try_from(nth).expect("small")];
    let plan = merkle::ProofPlan::inclusion(index, size).expect("it is in the tree");
    let path = plan.of_leaves(&leaves);
    let root = merkle::root(&leaves);
    assert_eq!(merkle::root_from_inclusion(at(index), index, size, &path), Some(root));
    // The fuzzer sees what is compared and hands it back: the leaf itself may come as input.
    if first != at(index) {
        assert_ne!(merkle::root_from_inclusion(first, index, size, &path), Some(root), "another leaf");
    }
    if hashes != path {
        assert_ne!(merkle::root_from_inclusion(at(index), index, size, &hashes), Some(root), "another path");
    }
}

/// A bundle, and one of its files put into an otherwise good one.
pub fn rulebook(data: &[u8]) {
    let _ = Files::unpack(data);
    let _ = Rulebook::from_bundle(data);
    let Some((which, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let names = ["rulebook.toml", "columns.toml", "codes.toml", "reasons.toml", "wilayah.tsv", "bridge.csv"];
    let mut files = Files { wilayah: "52\tNUSA\n52.71\tKOTA\n".into(), ..Files::builtin() };
    files.replace(names[usize::from(*which) % names.len()], text.to_owned());
    let Ok(packed) = files.pack() else { return };
    assert_eq!(Files::unpack(&packed).expect("what we packed"), files);
    if let Ok(book) = Rulebook::from_bundle(&packed) {
        assert_eq!(book.packed(), packed);
        let _ = book.wilayah().from_bps("5271");
    }
}
