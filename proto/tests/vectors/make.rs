//! Makes the vectors from our own code. All people are invented; NIK serials begin at 9001.

use dtsen_proto::{
    batch::{self, Draft, Sealed},
    chain::Head,
    checkpoint::Checkpoint,
    column::{self, BlockNo, Column},
    enrol::{self, Token},
    envelope::{self, PayloadType},
    id::{BatchId, Position, RecordId},
    key::{Signer, fingerprint},
    merkle::{self, ProofPlan},
    pb,
    record::{Action, Block, Day, Delta, Move, Provenance, RecordKind, Value as Cell},
    region::Region,
};
use prost::Message as _;
use serde_json::{Value, json};

pub(crate) fn node() -> Signer {
    Signer::from_seed(&[0x11; 32])
}

pub(crate) fn receipt_key() -> Signer {
    Signer::from_seed(&[0x22; 32])
}

pub(crate) fn region() -> Region {
    "52.71".parse().expect("a region")
}

pub(crate) fn h(bytes: impl AsRef<[u8]>) -> Value {
    json!(hex::encode(bytes))
}

pub(crate) fn envelope_json(envelope: &pb::Envelope) -> Value {
    json!({
        "payload_type": envelope.payload_type,
        "payload": h(&envelope.payload),
        "key_id": h(&envelope.key_id),
        "signature": h(&envelope.signature),
    })
}

fn text(column: Column, text: &str) -> (Column, Cell) {
    (column, Cell::Text(text.into()))
}

fn block(number: BlockNo, cells: Vec<(Column, Cell)>) -> Block {
    Block { number, provenance: Provenance { source: "dtsen".into(), reference: Day(20_400) }, cells }
}

fn family() -> Delta {
    Delta {
        salt: [0xa0; 16],
        kind: RecordKind::Keluarga,
        action: Action::Upsert,
        record: None,
        blocks: vec![
            block(
                column::K_IDENTITAS,
                vec![
                    text(column::K_NOMOR_KARTU_KELUARGA, "5271010101109001"),
                    (column::K_JUMLAH_ANGGOTA, Cell::Number(2)),
                    text(column::K_NAMA_KEPALA, "CONTOH SATU"),
                ],
            ),
            block(column::K_DOMISILI, vec![text(column::K_KODE_WILAYAH, "52.71.01.1004")]),
        ],
        transfer: None,
        answers: None,
    }
}

fn person(salt: u8, nik: &str, name: &str, born: i64, sex: i64) -> Delta {
    Delta {
        salt: [salt; 16],
        kind: RecordKind::Individu,
        action: Action::Upsert,
        record: None,
        blocks: vec![
            block(
                column::I_IDENTITAS,
                vec![
                    text(column::I_NIK, nik),
                    text(column::I_NOMOR_KARTU_KELUARGA, "5271010101109001"),
                    text(column::I_NAMA, name),
                    (column::I_TANGGAL_LAHIR, Cell::Number(born)),
                    (column::I_JENIS_KELAMIN, Cell::Number(sex)),
                ],
            ),
            block(column::I_DOMISILI, vec![text(column::I_KODE_WILAYAH, "52.71.01.1004")]),
        ],
        transfer: None,
        answers: None,
    }
}

/// A family, a woman born 1990-01-01 and a man born 1985-03-02.
pub(crate) fn deltas() -> Vec<Delta> {
    vec![
        family(),
        person(0xa1, "5271014101909001", "CONTOH SATU", 7_305, 2),
        person(0xa2, "5271010203859002", "CONTOH DUA", 5_539, 1),
    ]
}

pub(crate) fn sealed(signer: &Signer, epoch: u32, sequence: u32, previous: BatchId, salt: u8) -> Sealed {
    let draft = Draft {
        position: Position { region: region(), epoch, sequence },
        previous,
        rulebook: 1,
        generation: 1,
        log: (0, [0; 32]),
        created_ms: 1_762_560_000_000,
    };
    let deltas: Vec<Vec<u8>> =
        deltas().into_iter().map(|d| Delta { salt: [salt; 16], ..d }.encode()).collect();
    batch::seal(signer, &draft, &deltas)
}

/// RFC 8032 §7.1, tests 1 to 3, and what must be refused.
pub(crate) fn keys() -> Value {
    let rfc = [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    let rfc: Vec<Value> = rfc
        .iter()
        .map(|(seed, public, message, signature)| {
            json!({ "seed": seed, "public": public, "message": message, "signature": signature })
        })
        .collect();
    let signer = node();
    let good = signer.sign(b"dtsen");
    json!({
        "about": "Ed25519: RFC 8032 section 7.1, key ids, fingerprints, and keys and signatures that must be refused",
        "rfc8032": rfc,
        "key_ids": [{ "public": h(signer.public().as_bytes()), "key_id": h(signer.id().as_bytes()) }],
        "fingerprints": [{
            "parts": [h(b"ab"), h(b"c")],
            "fingerprint": fingerprint(&[b"ab", b"c"]),
        }],
        "refused_keys": [
            { "name": "neutral element", "public": "0100000000000000000000000000000000000000000000000000000000000000" },
            { "name": "point of order 8", "public": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a" },
            { "name": "second encoding of y = 3", "public": "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" },
            { "name": "31 bytes", "public": "01".repeat(31) },
        ],
        "signatures": [
            { "name": "good", "public": h(signer.public().as_bytes()), "message": h(b"dtsen"), "signature": h(good), "valid": true },
            { "name": "S plus the group order", "public": h(signer.public().as_bytes()), "message": h(b"dtsen"),
              "signature": h(with_order_added(good)), "valid": false },
            { "name": "another message", "public": h(signer.public().as_bytes()), "message": h(b"dtsem"), "signature": h(good), "valid": false },
            { "name": "63 bytes", "public": h(signer.public().as_bytes()), "message": h(b"dtsen"), "signature": h(&good[..63]), "valid": false },
        ],
    })
}

/// The same signature with a second S, which lenient verifiers take.
pub(crate) fn with_order_added(mut signature: [u8; 64]) -> [u8; 64] {
    const ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let mut carry = 0;
    for (byte, order) in signature[32..].iter_mut().zip(hex::decode(ORDER).expect("hex")) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = sum.to_le_bytes()[0];
        carry = sum >> 8;
    }
    signature
}

/// The published example of DSSE's pre-authentication encoding, and ours.
pub(crate) fn dsse() -> Value {
    let case = |payload_type: &str, payload: &[u8]| json!({ "payload_type": payload_type, "payload": h(payload), "pae": h(envelope::pae(payload_type, payload)) });
    json!({
        "about": "DSSE v1 pre-authentication encoding; the first is the example of the specification",
        "pae": [
            { "payload_type": "http://example.com/HelloWorld", "payload": h(b"hello world"),
              "pae": h(b"DSSEv1 29 http://example.com/HelloWorld 11 hello world") },
            case("", b""),
            case(PayloadType::RECEIPT.as_str(), &[0, 0xff]),
        ],
    })
}

/// The tree of RFC 6962's reference implementation.
pub(crate) fn merkle() -> Value {
    let data =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let leaves: Vec<_> = data.iter().map(|d| merkle::leaf_hash(&hex::decode(d).expect("hex"))).collect();
    let hashes = |plan: &ProofPlan, size: usize| -> Vec<Value> {
        plan.of_leaves(&leaves[..size]).iter().map(h).collect()
    };
    let inclusion = |index: u64, size: u64| {
        let plan = ProofPlan::inclusion(index, size).expect("inside");
        json!({ "index": index, "size": size, "hashes": hashes(&plan, usize::try_from(size).expect("small")) })
    };
    let consistency = |old: u64, new: u64| {
        let plan = ProofPlan::consistency(old, new).expect("older");
        json!({ "old": old, "new": new, "hashes": hashes(&plan, usize::try_from(new).expect("small")) })
    };
    json!({
        "about": "RFC 6962: leaves and roots of the reference implementation (root n is over the first n leaves), with paths and consistency proofs",
        "leaves": data,
        "leaf_hashes": leaves.iter().map(h).collect::<Vec<_>>(),
        "roots": roots,
        "inclusion": [inclusion(0, 1), inclusion(0, 8), inclusion(5, 8), inclusion(2, 3), inclusion(1, 5)],
        "consistency": [consistency(0, 8), consistency(1, 1), consistency(1, 8), consistency(6, 8), consistency(2, 5), consistency(4, 8)],
    })
}

fn refused_envelopes(good: &pb::Envelope) -> Vec<Value> {
    let case = |name: &str, envelope: &pb::Envelope, key: &[u8], expect: &str| json!({ "name": name, "envelope": envelope_json(envelope), "expected_type": PayloadType::RECEIPT.as_str(), "key": h(key), "expect": expect });
    let key = receipt_key();
    let public = *key.public().as_bytes();
    let verdicts = envelope::sign(&key, PayloadType::VERDICTS, good.payload.clone());
    let relabelled = pb::Envelope { payload_type: PayloadType::RECEIPT.as_str().into(), ..verdicts.clone() };
    let mut longer = good.clone();
    longer.payload.push(0);
    let signature: [u8; 64] = good.signature.as_slice().try_into().expect("64 bytes");
    let second_s = pb::Envelope { signature: with_order_added(signature).to_vec(), ..good.clone() };
    let no_message = envelope::sign(&key, PayloadType::RECEIPT, vec![0xff]);
    vec![
        case("good", good, &public, "OK"),
        case("signed for another purpose", &verdicts, &public, "PAYLOAD_TYPE"),
        case("signed for another purpose, type changed afterwards", &relabelled, &public, "BAD_SIGNATURE"),
        case("a byte more", &longer, &public, "BAD_SIGNATURE"),
        case("S is not canonical", &second_s, &public, "BAD_SIGNATURE"),
        case(
            "signed with another key",
            &envelope::sign(&node(), PayloadType::RECEIPT, good.payload.clone()),
            &public,
            "KEY_UNKNOWN",
        ),
        case("the payload is no message", &no_message, &public, "MALFORMED"),
    ]
}

/// Envelopes, good and bad.
pub(crate) fn envelopes() -> Value {
    let receipt = pb::Receipt {
        region: region().to_string(),
        epoch: 1,
        sequence: 1,
        batch_id: sealed(&node(), 1, 1, BatchId::ZERO, 0xa0).id.as_bytes().to_vec(),
        generation: 1,
        rulebook: 1,
        custody_ms: 1_762_560_060_000,
        body_refused: String::new(),
    };
    let good = envelope::sign_message(&receipt_key(), PayloadType::RECEIPT, &receipt);
    // Any message "verifies" under a small-order key with this signature, if the key is taken at all.
    let mut neutral = [0; 32];
    neutral[0] = 1;
    let mut anything = vec![0; 64];
    anything[0] = 1;
    let forged = pb::Envelope { signature: anything, ..good.clone() };
    json!({
        "about": "Envelopes. `expect` is OK or the refusal's code; keys in `weak_keys` are refused before any signature is looked at",
        "cases": refused_envelopes(&good),
        "weak_keys": [{ "name": "small-order key whose one signature fits every message", "key": h(neutral), "envelope": envelope_json(&forged) }],
        "log_leaf": { "envelope": envelope_json(&good), "leaf": h(envelope::log_leaf(&good)), "digest": h(envelope::digest(&good)) },
    })
}

fn rename(delta: &mut pb::Delta, source: &str) {
    let provenance = delta.blocks[0].provenance.as_mut().expect("has one");
    provenance.source = source.into();
}

/// Deltas: how they are written, and bytes that are none.
pub(crate) fn records() -> Value {
    let good: Vec<Value> =
        deltas().iter().map(|d| json!({ "delta": h(d.encode()), "expect": "OK", "reasons": [] })).collect();
    let base = pb::Delta::decode(family().encode().as_slice()).expect("just encoded");
    let broken = |name: &str, change: fn(&mut pb::Delta)| {
        let mut delta = base.clone();
        change(&mut delta);
        json!({ "name": name, "delta": h(delta.encode_to_vec()), "expect": "DELTA_UNREADABLE" })
    };
    let odd = person(0xa3, "5271014101909001", "CONTOH SATU", 7_305, 1);
    let desil = Delta {
        blocks: vec![block(column::K_PERINGKAT, vec![(column::K_DESIL_NASIONAL, Cell::Number(1))])],
        record: Some(RecordId::new(Position { region: region(), epoch: 1, sequence: 1 }, 0)),
        ..family()
    };
    let bad_nik = person(0xa4, "5271014113909001", "CONTOH TIGA", 7_305, 2);
    let checked = |name: &str, delta: &Delta, reasons: &[&str]| json!({ "name": name, "delta": h(delta.encode()), "expect": "OK", "reasons": reasons });
    json!({
        "about": "Deltas: bytes, whether they can be read, and the reasons that the built-in rulebook gives",
        "region": "52.71",
        "today": 20_400,
        "good": good,
        "checked": [
            checked("the sex differs from the NIK", &odd, &["NIK_SEX_DIFFERS"]),
            checked("a region sets a decile", &desil, &["HUB_COLUMN", "HUB_COLUMN"]),
            checked("month 13 in a NIK", &bad_nik, &["NIK_DATE"]),
        ],
        "unreadable": [
            broken("salt of 15 bytes", |d| { d.salt.pop(); }),
            broken("kind 0", |d| d.kind = 0),
            broken("action 9", |d| d.action = 9),
            broken("record id of 8 bytes", |d| d.record_id = vec![1; 8]),
            broken("blocks do not ascend", |d| d.blocks.reverse()),
            broken("no provenance", |d| d.blocks[0].provenance = None),
            broken("columns and values are not in step", |d| d.blocks[0].numbers.clear()),
            broken("columns do not ascend", |d| d.blocks[0].text_columns.reverse()),
            broken("a column is named twice", |d| d.blocks[0].cleared_columns.push(10)),
            broken("the region of a move is no code", |d| d.r#move = Some(pb::Move { other_region: "5203".into(), day: 1 })),
            broken("a source's name in capitals", |d| rename(d, "DTSEN")),
            broken("a source's name of 33 bytes", |d| rename(d, &"a".repeat(33))),
        ],
        "ids": [{
            "region": "52.71", "epoch": 1, "sequence": 1, "index": 300,
            "id": h(RecordId::new(Position { region: region(), epoch: 1, sequence: 1 }, 300).as_bytes()),
        }],
        "numbers": numbers(),
    })
}

fn numbers() -> Value {
    let case = |text: &str, kind: &str, expect: &str| json!({ "text": text, "kind": kind, "expect": expect });
    json!([
        case("5271014101909001", "NIK", "OK"),
        case("5271012902009001", "NIK", "OK"),
        case("5271010101109001", "KK", "OK"),
        case("5271014101909001", "KK", "DATE"),
        case("527101410190900", "NIK", "FORMAT"),
        case("5271O14101909001", "NIK", "FORMAT"),
        case("5200014101909001", "NIK", "AREA"),
        case("5271013002909001", "NIK", "DATE"),
        case("5271014101900000", "NIK", "SERIAL"),
    ])
}

/// A move, for the shape of its bytes.
pub(crate) fn move_out() -> Delta {
    Delta {
        salt: [0xa5; 16],
        action: Action::MoveOut,
        blocks: Vec::new(),
        record: Some(RecordId::new(Position { region: region(), epoch: 1, sequence: 1 }, 0)),
        transfer: Some(Move { other: "52.03".parse().expect("a region"), day: Day(20_390) }),
        ..family()
    }
}

/// The log's notes.
pub(crate) fn checkpoints() -> Value {
    let signer = Signer::from_seed(&[0x33; 32]);
    let name = "hub.dtsen.test";
    let checkpoint = Checkpoint { origin: Checkpoint::origin_of(name, 1), size: 20_852_163, root: [7; 32] };
    let note = checkpoint.sign(name, &signer);
    let case = |title: &str, note: &str, name: &str, expect: &str| json!({ "name": title, "note": note, "signer": name, "expect": expect });
    json!({
        "about": "C2SP signed notes (tlog-checkpoint)",
        "key": h(signer.public().as_bytes()),
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": h(checkpoint.root),
        "cases": [
            case("good", &note, name, "OK"),
            case("a witness signed too", &format!("{note}— witness.test AAAAAAAA\n"), name, "OK"),
            case("another size", &note.replace("20852163", "20852164"), name, "BAD_SIGNATURE"),
            case("another name", &note, "other.test", "BAD_SIGNATURE"),
            case("no note", "nothing", name, "MALFORMED"),
        ],
    })
}

/// Enrolment: token, proof, fingerprint.
pub(crate) fn enrolment() -> Value {
    let token = Token { region: region(), hub: "hub.dtsen.test".into(), authority: [3; 32], secret: [4; 32] };
    let csr = b"stands for the bytes of a PKCS#10 request";
    let secret = token.secret_text();
    let statement = enrol::proof_statement(csr, secret.as_bytes());
    let signer = node();
    json!({
        "about": "The one-time token, the proof of possession and the fingerprint",
        "token": token.to_string(),
        "region": "52.71",
        "hub": token.hub,
        "authority": h(token.authority),
        "secret_text": secret,
        "csr": h(csr),
        "signing_key": h(signer.public().as_bytes()),
        "statement": h(&statement),
        "proof": h(signer.sign(&envelope::pae(PayloadType::ENROLMENT.as_str(), &statement))),
        "fingerprint": enrol::fingerprint_of(signer.public().as_bytes(), csr),
        "not_tokens": ["dtsen1.xx", "dtsen2.CgU1Mi43MQ", ""],
    })
}

pub(crate) fn head_json(head: &Head) -> Value {
    json!({
        "region": head.position.region.to_string(),
        "epoch": head.position.epoch,
        "sequence": head.position.sequence,
        "id": h(head.id.as_bytes()),
    })
}
