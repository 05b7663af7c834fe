//! The golden vectors of `testdata/`: each file is read and our code checked against it, and is what our code makes.
//!
//! `UPDATE_VECTORS=1 cargo test -p dtsen-proto --test vectors` writes them anew. A change that is not an addition breaks
//! other implementations: it needs a new protocol version.

#[path = "vectors/batches.rs"]
mod batches;
#[path = "vectors/make.rs"]
mod make;
#[path = "vectors/slices.rs"]
mod slices;

use std::{fs, path::PathBuf};

use dtsen_proto::{
    batch,
    chain::{self, Head, Step},
    checkpoint::Checkpoint,
    enrol::{self, Token},
    envelope::{self, PayloadType, Verified},
    id::{BatchId, Position, RecordId},
    key::{PublicKey, Signer, fingerprint},
    merkle::{self, Hash},
    nik, pb,
    record::{Day, Delta},
    refusal::Refusal,
    region::Region,
    rulebook::{CheckContext, Rulebook},
    slice::{self, Change, Expectation},
};
use serde_json::Value;

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata").join(format!("{name}.json"))
}

fn read(name: &str) -> Value {
    let text = fs::read_to_string(path(name)).expect("the file is there");
    serde_json::from_str(&text).expect("the file is JSON")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    let items = value[name].as_array().unwrap_or_else(|| panic!("no list {name}"));
    assert!(!items.is_empty(), "{name} is empty");
    items
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value}"))
}

fn bytes(value: &Value, name: &str) -> Vec<u8> {
    hex::decode(text(value, name)).expect("hex")
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_else(|| panic!("no number {name}"))
}

fn small(value: &Value, name: &str) -> u32 {
    u32::try_from(number(value, name)).expect("32 bits")
}

fn hash(value: &Value, name: &str) -> Hash {
    bytes(value, name).try_into().expect("32 bytes")
}

fn hashes(value: &Value, name: &str) -> Vec<Hash> {
    let hash = |v: &Value| hex::decode(v.as_str().expect("text")).expect("hex").try_into().expect("32 bytes");
    value[name].as_array().expect("a list").iter().map(hash).collect()
}

fn key(value: &Value, name: &str) -> PublicKey {
    PublicKey::from_slice(&bytes(value, name)).expect("a good key")
}

fn region(value: &Value) -> Region {
    text(value, "region").parse().expect("a region")
}

fn envelope_of(value: &Value) -> pb::Envelope {
    pb::Envelope {
        payload_type: text(value, "payload_type").to_owned(),
        payload: bytes(value, "payload"),
        key_id: bytes(value, "key_id"),
        signature: bytes(value, "signature"),
    }
}

/// `OK`, or the code of the refusal.
fn outcome<T>(result: Result<T, Refusal>) -> &'static str {
    result.map_or_else(|refusal| refusal.code(), |_| "OK")
}

#[test]
fn files_are_what_this_code_makes() {
    let made = [
        ("batches", batches::batches()),
        ("checkpoints", make::checkpoints()),
        ("dsse", make::dsse()),
        ("enrolment", make::enrolment()),
        ("envelopes", make::envelopes()),
        ("keys", make::keys()),
        ("merkle", make::merkle()),
        ("records", make::records()),
        ("slices", slices::slices()),
    ];
    for (name, value) in made {
        let fresh = format!("{}\n", serde_json::to_string_pretty(&value).expect("JSON"));
        if std::env::var_os("UPDATE_VECTORS").is_some() {
            fs::write(path(name), &fresh).expect("the file is written");
        }
        let committed = fs::read_to_string(path(name)).unwrap_or_default();
        assert!(
            committed == fresh,
            "testdata/{name}.json differs: run with UPDATE_VECTORS=1 and look at the difference"
        );
    }
}

#[test]
fn keys() {
    let file = read("keys");
    for case in list(&file, "rfc8032") {
        let signer = Signer::from_seed(&hash(case, "seed"));
        assert_eq!(signer.public().as_bytes().as_slice(), bytes(case, "public"));
        assert_eq!(signer.sign(&bytes(case, "message")).as_slice(), bytes(case, "signature"));
        assert!(key(case, "public").verifies(&bytes(case, "message"), &bytes(case, "signature")));
    }
    for case in list(&file, "key_ids") {
        assert_eq!(key(case, "public").id().as_bytes(), &hash(case, "key_id"));
    }
    for case in list(&file, "fingerprints") {
        let parts: Vec<Vec<u8>> = list(case, "parts")
            .iter()
            .map(|p| hex::decode(p.as_str().expect("text")).expect("hex"))
            .collect();
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        assert_eq!(fingerprint(&parts), text(case, "fingerprint"));
    }
    for case in list(&file, "refused_keys") {
        assert!(PublicKey::from_slice(&bytes(case, "public")).is_err(), "{}", text(case, "name"));
    }
    for case in list(&file, "signatures") {
        let valid = key(case, "public").verifies(&bytes(case, "message"), &bytes(case, "signature"));
        assert_eq!(Some(valid), case["valid"].as_bool(), "{}", text(case, "name"));
    }
}

#[test]
fn pre_authentication_encoding() {
    for case in list(&read("dsse"), "pae") {
        assert_eq!(envelope::pae(text(case, "payload_type"), &bytes(case, "payload")), bytes(case, "pae"));
    }
}

#[test]
fn trees() {
    let file = read("merkle");
    let data = list(&file, "leaves").iter().map(|l| hex::decode(l.as_str().expect("text")).expect("hex"));
    let leaves: Vec<Hash> = data.map(|d| merkle::leaf_hash(&d)).collect();
    assert_eq!(leaves, hashes(&file, "leaf_hashes"));
    let roots = hashes(&file, "roots");
    for (size, root) in roots.iter().enumerate() {
        assert_eq!(merkle::root(&leaves[..size]), *root, "size {size}");
    }
    let at = |n: u64| usize::try_from(n).expect("small");
    for case in list(&file, "inclusion") {
        let (index, size) = (number(case, "index"), number(case, "size"));
        let root = merkle::root_from_inclusion(leaves[at(index)], index, size, &hashes(case, "hashes"));
        assert_eq!(root, Some(roots[at(size)]));
    }
    for case in list(&file, "consistency") {
        let (old, new) = (number(case, "old"), number(case, "new"));
        let proof = hashes(case, "hashes");
        assert!(merkle::is_consistent(old, &roots[at(old)], new, &roots[at(new)], &proof), "{old} {new}");
        assert!(old == 0 || !merkle::is_consistent(old, &[0; 32], new, &roots[at(new)], &proof));
    }
}

#[test]
fn envelopes() {
    let file = read("envelopes");
    for case in list(&file, "cases") {
        let envelope = envelope_of(&case["envelope"]);
        assert_eq!(text(case, "expected_type"), PayloadType::RECEIPT.as_str());
        let opened = envelope::verify::<pb::Receipt>(&envelope, PayloadType::RECEIPT, &key(case, "key"));
        assert_eq!(outcome(opened), text(case, "expect"), "{}", text(case, "name"));
    }
    for case in list(&file, "weak_keys") {
        assert!(PublicKey::from_slice(&bytes(case, "key")).is_err(), "{}", text(case, "name"));
    }
    let leaf = &file["log_leaf"];
    assert_eq!(envelope::log_leaf(&envelope_of(&leaf["envelope"])), hash(leaf, "leaf"));
    assert_eq!(envelope::digest(&envelope_of(&leaf["envelope"])), hash(leaf, "digest"));
}

#[test]
fn records() {
    let file = read("records");
    let today = Day(i32::try_from(number(&file, "today")).expect("a day"));
    let context = CheckContext { region: region(&file), today };
    let book = Rulebook::builtin();
    for case in list(&file, "good").iter().chain(list(&file, "checked")) {
        let raw = bytes(case, "delta");
        let delta = Delta::decode(&raw).expect("a delta");
        assert_eq!(delta.encode(), raw, "one delta, one encoding");
        let expected: Vec<&str> =
            case["reasons"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        let found = book.check(&delta, &context);
        let found: Vec<&str> = found.iter().map(|f| f.reason.as_ref()).collect();
        assert_eq!(found, expected, "{case}");
    }
    for case in list(&file, "unreadable") {
        assert!(Delta::decode(&bytes(case, "delta")).is_err(), "{}", text(case, "name"));
        assert_eq!(text(case, "expect"), "DELTA_UNREADABLE");
    }
    for case in list(&file, "ids") {
        let position =
            Position { region: region(case), epoch: small(case, "epoch"), sequence: small(case, "sequence") };
        assert_eq!(RecordId::new(position, small(case, "index")).as_bytes().as_slice(), bytes(case, "id"));
    }
    for case in list(&file, "numbers") {
        let kind = if text(case, "kind") == "NIK" { nik::Number::Nik } else { nik::Number::Kk };
        let found = match nik::parse(text(case, "text"), kind) {
            Ok(_) => "OK",
            Err(nik::Fault::Format) => "FORMAT",
            Err(nik::Fault::Area) => "AREA",
            Err(nik::Fault::Date) => "DATE",
            Err(nik::Fault::Serial) => "SERIAL",
        };
        assert_eq!(found, text(case, "expect"), "{case}");
    }
    let halves = Delta::decode(&make::move_out().encode()).expect("a move");
    assert_eq!(halves, make::move_out());
}

/// A body from its pieces.
fn body_of(case: &Value) -> Vec<u8> {
    let mut body = Vec::new();
    for piece in list(case, "body") {
        match piece["times"].as_u64() {
            Some(times) => body.extend(bytes(piece, "repeat").repeat(usize::try_from(times).expect("small"))),
            None => body.extend(bytes(piece, "hex")),
        }
    }
    body
}

#[test]
fn batches_and_bodies() {
    let file = read("batches");
    let signer = Signer::from_seed(&hash(&file, "seed"));
    let good = &file["good"];
    let envelope = envelope_of(&good["envelope"]);
    assert_eq!(batch::id(&envelope).as_bytes(), &hash(good, "batch_id"));
    let body = bytes(good, "body");
    let encoding = pb::BodyEncoding::Zstd.into();
    assert_eq!(batch::decode_body(encoding, &bytes(good, "body_zstd"), body.len()), Some(body));

    for case in list(&file, "headers") {
        let opened = batch::open(&envelope_of(&case["header"]), &key(case, "key"));
        let found = match opened.as_ref().map(|h| batch::refused_by_header(h.get())) {
            Ok(None) => "OK",
            Ok(Some(body)) => body.code(),
            Err(refusal) => refusal.code(),
        };
        assert_eq!(found, text(case, "expect"), "{}", text(case, "name"));
    }
    for case in list(&file, "bodies") {
        let header = batch::open(&envelope_of(&case["header"]), &signer.public()).expect("signed");
        let body = body_of(case);
        let arriving = match batch::check_body(header.get(), &body) {
            Ok(None) => "OK",
            Ok(Some(refused)) => refused.code(),
            Err(refusal) => refusal.code(),
        };
        assert_eq!(arriving, text(case, "arriving"), "{}", text(case, "name"));
        let stored = batch::check_frames(header.get(), &body);
        assert_eq!(outcome(stored), text(case, "stored"), "{}", text(case, "name"));
    }
    let alone = &file["delta_alone"];
    let header = batch::open(&envelope_of(&alone["header"]), &signer.public()).expect("signed").into_inner();
    let leaf = merkle::leaf_hash(&bytes(alone, "delta"));
    assert_eq!(leaf, hash(alone, "leaf"));
    let path = hashes(alone, "path");
    let root = merkle::root_from_inclusion(leaf, number(alone, "index"), header.count.into(), &path);
    assert_eq!(root, Some(header.root));
}

#[test]
fn chains() {
    for case in list(&read("batches"), "chain") {
        let at = &case["head"];
        let position =
            Position { region: region(at), epoch: small(at, "epoch"), sequence: small(at, "sequence") };
        let head = Head::after(position, BatchId::new(hash(at, "id")));
        let stored = case["in_custody"].as_str().map(|_| BatchId::new(hash(case, "in_custody")));
        let envelope = envelope_of(&case["header"]);
        let id = batch::id(&envelope);
        assert_eq!(id.as_bytes(), &hash(case, "batch_id"));
        let header = batch::peek(&envelope).expect("a header");
        let found = match chain::judge(head, stored, &header, id) {
            Ok(Step::Next) => "NEXT",
            Ok(Step::Repeat) => "REPEAT",
            Err(refusal) => refusal.code(),
        };
        assert_eq!(found, text(case, "expect"), "{}", text(case, "name"));
    }
}

/// The rule of revocation over the list of keys; the hub's own is in `central/src/intake.rs`.
#[test]
fn revoked_keys() {
    let file = read("batches");
    let keys = list(&file["revocation"], "keys");
    for case in list(&file["revocation"], "cases") {
        let envelope = envelope_of(&case["header"]);
        let opened = keys.iter().map(|k| (k, batch::open(&envelope, &key(k, "public"))));
        let found = opened.into_iter().find(|(_, opened)| outcome(opened.clone()) != "KEY_UNKNOWN");
        let found = match found {
            None => "KEY_UNKNOWN",
            Some((known, Ok(header))) => {
                let at = header.get().position;
                let revoked = known["revoked_after"].as_u64().is_some_and(|after| {
                    (u64::from(at.epoch), u64::from(at.sequence)) > (number(known, "epoch"), after)
                });
                if revoked { "KEY_REVOKED" } else { "OK" }
            }
            Some((_, Err(refusal))) => refusal.code(),
        };
        assert_eq!(found, text(case, "expect"), "{}", text(case, "name"));
    }
}

#[test]
fn checkpoints() {
    let file = read("checkpoints");
    for case in list(&file, "cases") {
        let opened = Checkpoint::open(text(case, "note"), text(case, "signer"), &key(&file, "key"));
        if let Ok(opened) = opened.clone().map(Verified::into_inner) {
            assert_eq!(opened.origin, text(&file, "origin"));
            assert_eq!((opened.size, opened.root), (number(&file, "size"), hash(&file, "root")));
        }
        assert_eq!(outcome(opened), text(case, "expect"), "{}", text(case, "name"));
    }
}

#[test]
fn enrolment() {
    let file = read("enrolment");
    let token: Token = text(&file, "token").parse().expect("a token");
    assert_eq!((token.region, token.hub.as_str()), (region(&file), text(&file, "hub")));
    assert_eq!(
        (token.authority, token.secret_text().as_str()),
        (hash(&file, "authority"), text(&file, "secret_text"))
    );
    for wrong in list(&file, "not_tokens") {
        assert!(wrong.as_str().expect("text").parse::<Token>().is_err(), "{wrong}");
    }
    let csr = bytes(&file, "csr");
    let statement = enrol::proof_statement(&csr, text(&file, "secret_text").as_bytes());
    assert_eq!(statement, bytes(&file, "statement"));
    let signing_key = key(&file, "signing_key");
    let signed = envelope::pae(PayloadType::ENROLMENT.as_str(), &statement);
    assert!(signing_key.verifies(&signed, &bytes(&file, "proof")));
    assert_eq!(enrol::fingerprint_of(signing_key.as_bytes(), &csr), text(&file, "fingerprint"));
}

fn reply_of(value: &Value) -> pb::SliceReply {
    let inclusion = &value["inclusion"];
    pb::SliceReply {
        release: Some(envelope_of(&value["release"])),
        freshness: Some(envelope_of(&value["freshness"])),
        manifest: bytes(value, "manifest"),
        inclusion: Some(pb::InclusionProof {
            index: number(inclusion, "index"),
            size: number(inclusion, "size"),
            hashes: hashes(inclusion, "hashes").iter().map(|h| h.to_vec()).collect(),
        }),
    }
}

#[test]
fn slices() {
    let file = read("slices");
    let (release_key, receipt_key) = (key(&file, "release_key"), key(&file, "receipt_key"));
    let mut root = None;
    for case in list(&file, "offers") {
        let expected = Expectation {
            region: region(&file),
            have: number(case, "have"),
            generation: number(case, "generation"),
            now_ms: case["now_ms"].as_i64().expect("a time"),
            release_key: &release_key,
            receipt_key: &receipt_key,
        };
        let offer = slice::check_offer(&reply_of(&case["reply"]), &expected);
        if let Ok(offer) = &offer {
            root = Some(offer.get().manifest.root.clone());
        }
        assert_eq!(outcome(offer), text(case, "expect"), "{}", text(case, "name"));
    }
    let mut leaves = Vec::new();
    for leaf in list(&file, "leaves") {
        assert_eq!(merkle::leaf_hash(&bytes(leaf, "record")), hash(leaf, "leaf"));
        leaves.push(hash(leaf, "leaf"));
    }
    assert_eq!(
        root,
        Some(merkle::root(&leaves).to_vec()),
        "the leaves give the root that the manifest signs"
    );
    for case in list(&file, "parts") {
        let info = &case["part"];
        let part = pb::Part {
            digest: bytes(info, "digest"),
            length: number(info, "length"),
            plain_length: number(info, "plain_length"),
        };
        let opened = slice::open_part(&part, &bytes(case, "bytes"));
        if let Ok(changes) = &opened {
            let upserts = changes.iter().filter(|c| matches!(c, Change::Upsert(..))).count() as u64;
            let tombstones = changes.len() as u64 - upserts;
            assert_eq!((upserts, tombstones), (number(case, "upserts"), number(case, "tombstones")));
        }
        assert_eq!(outcome(opened), text(case, "expect"), "{}", text(case, "name"));
    }
}
