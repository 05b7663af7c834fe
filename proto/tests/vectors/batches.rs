//! Makes the vectors of batches and chains.

use dtsen_proto::{
    batch::{self, Draft, Sealed},
    chain::Head,
    envelope::{self, PayloadType},
    id::{BatchId, Position},
    key::Signer,
    limits,
    merkle::{self, ProofPlan},
    pb,
};
use prost::Message as _;
use serde_json::{Value, json};

use crate::make::{deltas, envelope_json, h, head_json, node, region, sealed};

/// A body as the list of what it is made of, so that long ones stay short in the file.
fn whole(bytes: &[u8]) -> Value {
    json!([{ "hex": hex::encode(bytes) }])
}

fn reheaded(sealed: &Sealed, change: impl Fn(&mut pb::BatchHeader)) -> pb::Envelope {
    let mut header = pb::BatchHeader::decode(sealed.envelope.payload.as_slice()).expect("a header");
    change(&mut header);
    envelope::sign(&node(), PayloadType::BATCH_HEADER, header.encode_to_vec())
}

fn alone(first: &Sealed) -> Value {
    let bytes: Vec<Vec<u8>> = deltas().iter().map(|d| with_salt(d, 0xa0)).collect();
    let leaves: Vec<_> = bytes.iter().map(|d| merkle::leaf_hash(d)).collect();
    let path = ProofPlan::inclusion(1, 3).expect("inside").of_leaves(&leaves);
    json!({
        "header": envelope_json(&first.envelope),
        "delta": h(&bytes[1]),
        "index": 1,
        "leaf": h(leaves[1]),
        "path": path.iter().map(h).collect::<Vec<_>>(),
    })
}

fn with_salt(delta: &dtsen_proto::record::Delta, salt: u8) -> Vec<u8> {
    dtsen_proto::record::Delta { salt: [salt; 16], ..delta.clone() }.encode()
}

fn bodies(first: &Sealed) -> Vec<Value> {
    let header = envelope_json(&first.envelope);
    let case = |name: &str, header: &Value, body: Value, arriving: &str, stored: &str| json!({ "name": name, "header": header, "body": body, "arriving": arriving, "stored": stored });
    let erased = batch::erase(&first.body, 1).expect("there is a second");
    let erased_header = envelope_json(&reheaded(first, |h| h.body_length = erased.len() as u64));
    let cut = &first.body[..first.body.len() - 1];
    let cut_header = envelope_json(&reheaded(first, |h| h.body_length = cut.len() as u64));
    let mut swapped = first.body.clone();
    *swapped.last_mut().expect("bytes") ^= 1;
    let long = vec![0xaa; limits::MAX_DELTA_BYTES + 1];
    let draft = Draft {
        position: Position { region: region(), epoch: 1, sequence: 1 },
        previous: BatchId::ZERO,
        rulebook: 1,
        generation: 1,
        log: (0, [0; 32]),
        created_ms: 0,
    };
    let oversized = batch::seal(&node(), &draft, std::slice::from_ref(&long));
    let long_body = json!([{ "hex": "00010001" }, { "repeat": "aa", "times": long.len() }]);
    vec![
        case("good", &header, whole(&first.body), "OK", "OK"),
        case("one delta erased", &header, whole(&erased), "BODY_MISMATCH", "OK"),
        case("erased before it was ever sent", &erased_header, whole(&erased), "ERASED_ON_ARRIVAL", "OK"),
        case("truncated", &header, whole(cut), "BODY_MISMATCH", "BODY_MISMATCH"),
        case("truncated, the length signed", &cut_header, whole(cut), "BODY_MISMATCH", "BODY_MISMATCH"),
        case("one bit changed", &header, whole(&swapped), "BODY_MISMATCH", "BODY_MISMATCH"),
        case(
            "a delta of 64 KiB and one byte",
            &envelope_json(&oversized.envelope),
            long_body,
            "DELTA_TOO_LARGE",
            "OK",
        ),
    ]
}

fn headers(first: &Sealed) -> Vec<Value> {
    let case = |name: &str, envelope: &pb::Envelope, expect: &str| json!({ "name": name, "header": envelope_json(envelope), "key": h(node().public().as_bytes()), "expect": expect });
    let as_receipt = envelope::sign(&node(), PayloadType::RECEIPT, first.envelope.payload.clone());
    let other = Signer::from_seed(&[0x55; 32]);
    let foreign = envelope::sign(&other, PayloadType::BATCH_HEADER, first.envelope.payload.clone());
    let mut forged = first.envelope.clone();
    forged.signature[0] ^= 1;
    let max = limits::MAX_BODY_BYTES as u64;
    let most = u32::try_from(limits::MAX_BATCH_DELTAS).expect("small");
    vec![
        case("good", &first.envelope, "OK"),
        case("wrong payload type", &as_receipt, "PAYLOAD_TYPE"),
        case("a key that is not registered", &foreign, "KEY_UNKNOWN"),
        case("a forged signature", &forged, "BAD_SIGNATURE"),
        case("more than 2 KiB", &reheaded(first, |h| h.purpose = "x".repeat(2_048)), "HEADER_LIMITS"),
        case("a province does not send", &reheaded(first, |h| h.region = "52".into()), "HEADER_LIMITS"),
        case("epoch 0", &reheaded(first, |h| h.epoch = 0), "HEADER_LIMITS"),
        case("sequence 0", &reheaded(first, |h| h.sequence = 0), "HEADER_LIMITS"),
        case("a sequence of 33 bits", &reheaded(first, |h| h.sequence = 1 << 32), "HEADER_LIMITS"),
        case("no delta", &reheaded(first, |h| h.count = 0), "HEADER_LIMITS"),
        case("another schema", &reheaded(first, |h| h.schema = 2), "HEADER_LIMITS"),
        case(
            "a root of 31 bytes",
            &reheaded(first, |h| {
                h.root.pop();
            }),
            "HEADER_LIMITS",
        ),
        case("no message", &envelope::sign(&node(), PayloadType::BATCH_HEADER, vec![0xff]), "MALFORMED"),
        case("a body of 4 MiB and one byte", &reheaded(first, |h| h.body_length = max + 1), "BODY_TOO_LARGE"),
        case("10,001 deltas", &reheaded(first, |h| h.count = most + 1), "TOO_MANY_DELTAS"),
    ]
}

fn chain(first: &Sealed) -> Vec<Value> {
    let at = |epoch, sequence| Position { region: region(), epoch, sequence };
    let second = sealed(&node(), 1, 2, first.id, 0xb0);
    let third = sealed(&node(), 1, 3, second.id, 0xb1);
    let twin = sealed(&node(), 1, 1, BatchId::ZERO, 0xb2);
    let estranged = sealed(&node(), 1, 2, twin.id, 0xb3);
    let next_epoch = sealed(&node(), 2, 1, second.id, 0xb4);
    let start = Head::start(region());
    let head = |batch: &Sealed, epoch, sequence| Head::after(at(epoch, sequence), batch.id);
    let opened = Head::after(at(2, 0), second.id);
    let elsewhere = Head::start("52.03".parse().expect("a region"));
    let case = |name: &str, head: &Head, stored: Option<&Sealed>, batch: &Sealed, expect: &str| {
        json!({
            "name": name,
            "head": head_json(head),
            "in_custody": stored.map(|s| hex::encode(s.id.as_bytes())),
            "header": envelope_json(&batch.envelope),
            "batch_id": h(batch.id.as_bytes()),
            "expect": expect,
        })
    };
    vec![
        case("the first batch", &start, None, first, "NEXT"),
        case("the second", &head(first, 1, 1), None, &second, "NEXT"),
        case("the first of epoch 2 follows the last of epoch 1", &opened, None, &next_epoch, "NEXT"),
        case("replayed", &head(&second, 1, 2), Some(first), first, "REPEAT"),
        case("replayed after its epoch was closed", &opened, Some(&second), &second, "REPEAT"),
        case("gap", &head(first, 1, 1), None, &third, "CHAIN_GAP"),
        case(
            "fork: another batch under a number in custody",
            &head(first, 1, 1),
            Some(first),
            &twin,
            "CHAIN_FORK",
        ),
        case("fork: the next batch follows another one", &head(first, 1, 1), None, &estranged, "CHAIN_FORK"),
        case("closed epoch", &opened, None, &third, "EPOCH_CLOSED"),
        case("an epoch that was never given out", &head(&second, 1, 2), None, &next_epoch, "EPOCH_UNKNOWN"),
        case("wrong region", &elsewhere, None, first, "WRONG_REGION"),
    ]
}

/// Revocation, as data: the list of keys that the hub keeps for a region.
fn revocation(first: &Sealed) -> Value {
    let second = sealed(&node(), 1, 2, first.id, 0xb0);
    let other = Signer::from_seed(&[0x55; 32]);
    let by_new = sealed(&other, 2, 1, second.id, 0xb5);
    let key = |key: &Signer, epoch, revoked_after: Option<u64>| json!({ "public": h(key.public().as_bytes()), "epoch": epoch, "revoked_after": revoked_after });
    json!({
        "about": "A key revoked after sequence 1 of epoch 1. What it signed until then stays valid; the key registered \
                  afterwards signs in a new epoch. The hub runs this rule in central/src/intake.rs",
        "keys": [key(&node(), 1, Some(1)), key(&other, 2, None)],
        "cases": [
            { "name": "sealed before", "header": envelope_json(&first.envelope), "expect": "OK" },
            { "name": "sealed after", "header": envelope_json(&second.envelope), "expect": "KEY_REVOKED" },
            { "name": "sealed with the new key", "header": envelope_json(&by_new.envelope), "expect": "OK" },
            { "name": "sealed with a key that was never registered",
              "header": envelope_json(&sealed(&Signer::from_seed(&[0x66; 32]), 1, 2, first.id, 0xb6).envelope),
              "expect": "KEY_UNKNOWN" },
        ],
    })
}

/// Batches: headers, bodies, chain, one delta alone, revocation.
pub(crate) fn batches() -> Value {
    let first = sealed(&node(), 1, 1, BatchId::ZERO, 0xa0);
    json!({
        "about": "Batches of the invented node of 52.71. `arriving`: what a hub says of a body that arrives; `stored`: \
                  what an auditor says of it in an archive",
        "seed": h([0x11; 32]),
        "good": {
            "envelope": envelope_json(&first.envelope),
            "batch_id": h(first.id.as_bytes()),
            "body": h(&first.body),
            "body_zstd": h(batch::encode_body(&first.body).1),
        },
        "delta_alone": alone(&first),
        "headers": headers(&first),
        "bodies": bodies(&first),
        "chain": chain(&first),
        "revocation": revocation(&first),
    })
}
