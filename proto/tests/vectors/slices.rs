//! Makes the vectors of slices.

use dtsen_proto::{
    column,
    envelope::{self, PayloadType},
    id::{Position, RecordId},
    key::Signer,
    limits,
    merkle::{self, Hash, ProofPlan},
    pb,
    record::RecordKind,
    slice::{Change, PartWriter},
};
use prost::Message as _;
use serde_json::{Value, json};

use crate::make::{deltas, envelope_json, h, node, receipt_key, region};

const NOW: i64 = 1_762_560_000_000;
const DAY: i64 = 86_400_000;
const VERSION: u64 = 3;

fn release_key() -> Signer {
    Signer::from_seed(&[0x44; 32])
}

/// The slice of 52.71: a family and two people.
fn leaves() -> Vec<(RecordKind, RecordId, Vec<u8>)> {
    let position = Position { region: region(), epoch: 1, sequence: 1 };
    let shown = |delta: &dtsen_proto::record::Delta, index| {
        let id = RecordId::new(position, index);
        let blocks = delta.blocks.iter().map(|block| pb::ShownBlock {
            block: Some(block.to_wire()),
            region: "52.71".into(),
            contested: block.number == column::I_DOMISILI,
        });
        let record = pb::SliceRecord {
            kind: delta.kind.to_wire().into(),
            record_id: id.as_bytes().to_vec(),
            domicile: "52.71".into(),
            blocks: blocks.collect(),
        };
        (delta.kind, id, record.encode_to_vec())
    };
    (0..).zip(deltas()).map(|(index, delta)| shown(&delta, index)).collect()
}

/// Everything that a hub offers: two regions, snapshot and difference each.
struct World {
    manifests: Vec<Vec<u8>>,
    release: pb::Release,
    snapshot: Vec<u8>,
    difference: Vec<u8>,
}

fn part(changes: &[Change]) -> (pb::Part, Vec<u8>) {
    let mut writer = PartWriter::new();
    for change in changes {
        assert!(writer.push(change).is_none(), "one part is enough");
    }
    writer.finish().expect("there are lines")
}

fn world(version: u64) -> World {
    let leaves = leaves();
    let root =
        merkle::root(&leaves.iter().map(|(_, _, bytes)| merkle::leaf_hash(bytes)).collect::<Vec<Hash>>());
    let upserts: Vec<Change> = leaves.iter().map(|(k, id, b)| Change::Upsert((*k, *id), b.clone())).collect();
    let gone = RecordId::new(Position { region: region(), epoch: 1, sequence: 1 }, 7);
    let changes =
        [upserts[1].clone(), Change::Tombstone((RecordKind::Individu, gone), pb::TombstoneReason::MovedOut)];
    let (snapshot_part, snapshot) = part(&upserts);
    let (difference_part, difference) = part(&changes);
    let manifest = |region: &str, base, root: Hash, counts: (u64, u64), parts| {
        pb::Manifest {
            region: region.into(),
            profile: "umum".into(),
            version,
            base_version: base,
            root: root.to_vec(),
            keluarga: counts.0,
            individu: counts.1,
            parts,
            generation: 1,
        }
        .encode_to_vec()
    };
    let empty = merkle::empty_root();
    let manifests = vec![
        manifest("52.03", 0, empty, (0, 0), Vec::new()),
        manifest("52.03", 2, empty, (0, 0), Vec::new()),
        manifest("52.71", 0, root, (1, 2), vec![snapshot_part]),
        manifest("52.71", 2, root, (1, 2), vec![difference_part]),
    ];
    let hashes: Vec<Hash> = manifests.iter().map(|m| merkle::leaf_hash(m)).collect();
    let release = pb::Release {
        version,
        generation: 1,
        apply_no: 17,
        manifests_root: merkle::root(&hashes).to_vec(),
        manifests: manifests.len() as u64,
        published_ms: NOW - DAY,
        expires_ms: NOW + 119 * DAY,
    };
    World { manifests, release, snapshot, difference }
}

impl World {
    fn fresh(&self) -> pb::Freshness {
        pb::Freshness {
            version: self.release.version,
            manifests_root: self.release.manifests_root.clone(),
            issued_ms: NOW - 3_600_000,
            expires_ms: NOW + 6 * DAY,
        }
    }

    fn reply(&self, place: usize, release: &pb::Release, fresh: &pb::Freshness) -> pb::SliceReply {
        let hashes: Vec<Hash> = self.manifests.iter().map(|m| merkle::leaf_hash(m)).collect();
        let plan = ProofPlan::inclusion(place as u64, hashes.len() as u64).expect("inside");
        pb::SliceReply {
            release: Some(envelope::sign_message(&release_key(), PayloadType::RELEASE, release)),
            freshness: Some(envelope::sign_message(&receipt_key(), PayloadType::FRESHNESS, fresh)),
            manifest: self.manifests[place].clone(),
            inclusion: Some(pb::InclusionProof {
                index: place as u64,
                size: hashes.len() as u64,
                hashes: plan.of_leaves(&hashes).iter().map(|h| h.to_vec()).collect(),
            }),
        }
    }
}

fn reply_json(reply: &pb::SliceReply) -> Value {
    let inclusion = reply.inclusion.as_ref().expect("made above");
    json!({
        "release": envelope_json(reply.release.as_ref().expect("made above")),
        "freshness": envelope_json(reply.freshness.as_ref().expect("made above")),
        "manifest": h(&reply.manifest),
        "inclusion": {
            "index": inclusion.index,
            "size": inclusion.size,
            "hashes": inclusion.hashes.iter().map(h).collect::<Vec<_>>(),
        },
    })
}

/// Name, reply, version held, generation, time, outcome.
type Case = (&'static str, pb::SliceReply, u64, u64, i64, &'static str);

fn offers(world: &World) -> Vec<Case> {
    let (release, fresh) = (&world.release, world.fresh());
    let snapshot = world.reply(2, release, &fresh);
    let difference = world.reply(3, release, &fresh);
    let newer = pb::Freshness { version: 5, manifests_root: vec![9; 32], ..fresh.clone() };
    let older = pb::Freshness { version: 2, ..fresh.clone() };
    let other_root = pb::Freshness { manifests_root: vec![9; 32], ..fresh.clone() };
    let mut tampered = snapshot.clone();
    tampered.manifest.push(0);
    let mut by_online_key = snapshot.clone();
    by_online_key.release = Some(envelope::sign_message(&receipt_key(), PayloadType::RELEASE, release));
    let mut as_freshness = snapshot.clone();
    as_freshness.release = Some(envelope::sign_message(&release_key(), PayloadType::FRESHNESS, release));
    let mut forged = snapshot.clone();
    forged.freshness.as_mut().expect("made above").signature[3] ^= 1;
    vec![
        ("good snapshot", snapshot.clone(), 0, 1, NOW, "OK"),
        ("good difference", difference.clone(), 2, 1, NOW, "OK"),
        ("a snapshot is always applicable", snapshot.clone(), 1, 1, NOW, "OK"),
        (
            "an older release while the newest is being caught up",
            world.reply(2, release, &newer),
            2,
            1,
            NOW,
            "OK",
        ),
        ("the release expired", snapshot.clone(), 0, 1, NOW + 119 * DAY, "EXPIRED"),
        ("freshness expired: the hub is frozen", snapshot.clone(), 0, 1, NOW + 6 * DAY, "EXPIRED"),
        (
            "rollback: freshness names an older release than the one offered",
            world.reply(2, release, &older),
            0,
            1,
            NOW,
            "ROLLBACK",
        ),
        ("rollback: freshness is older than the version held", snapshot.clone(), 4, 1, NOW, "ROLLBACK"),
        (
            "rollback: the slice is older than the version held",
            world.reply(2, release, &newer),
            4,
            1,
            NOW,
            "ROLLBACK",
        ),
        ("wrong region", world.reply(0, release, &fresh), 0, 1, NOW, "WRONG_REGION"),
        ("the difference is for another base", difference, 1, 1, NOW, "MANIFEST_MISMATCH"),
        ("another generation", snapshot.clone(), 0, 2, NOW, "MANIFEST_MISMATCH"),
        (
            "mix-and-match: freshness of another release",
            world.reply(2, release, &other_root),
            0,
            1,
            NOW,
            "MANIFEST_MISMATCH",
        ),
        ("tampered manifest", tampered, 0, 1, NOW, "MANIFEST_MISMATCH"),
        ("a release signed by the online key", by_online_key, 0, 1, NOW, "KEY_UNKNOWN"),
        ("a release under another payload type", as_freshness, 0, 1, NOW, "PAYLOAD_TYPE"),
        ("forged freshness", forged, 0, 1, NOW, "BAD_SIGNATURE"),
    ]
}

/// Offers at the end of a generation's versions.
fn far_offers() -> Vec<Case> {
    let offer = |version| {
        let world = world(version);
        world.reply(2, &world.release, &world.fresh())
    };
    let last = limits::VERSIONS_PER_GENERATION;
    let beyond = "fast-forward: no version of the generation could follow";
    vec![
        ("the last version of the generation", offer(last), 0, 1, NOW, "OK"),
        (beyond, offer(last + 1), 0, 1, NOW, "MANIFEST_MISMATCH"),
    ]
}

/// Slices: offers, parts, the tree.
pub(crate) fn slices() -> Value {
    let world = world(VERSION);
    let offers: Vec<Value> = offers(&world)
        .into_iter()
        .chain(far_offers())
        .map(|(name, reply, have, generation, now_ms, expect)| {
            json!({ "name": name, "reply": reply_json(&reply), "have": have, "generation": generation, "now_ms": now_ms, "expect": expect })
        })
        .collect();
    let part = |bytes: &[u8], manifest: &[u8]| {
        let manifest = pb::Manifest::decode(manifest).expect("made above");
        let part = &manifest.parts[0];
        (
            h(bytes),
            json!({ "digest": h(&part.digest), "length": part.length, "plain_length": part.plain_length }),
        )
    };
    let (bytes, info) = part(&world.snapshot, &world.manifests[2]);
    let (difference, difference_info) = part(&world.difference, &world.manifests[3]);
    let mut tampered = world.snapshot.clone();
    *tampered.last_mut().expect("bytes") ^= 1;
    let keys: Vec<Value> = leaves()
        .iter()
        .map(|(kind, id, bytes)| json!({ "kind": i32::from(kind.to_wire()), "id": h(id.as_bytes()), "record": h(bytes), "leaf": h(merkle::leaf_hash(bytes)) }))
        .collect();
    json!({
        "about": "Slices offered to the node of 52.71. `have`: version in use; `now_ms`: the node's clock",
        "region": "52.71",
        "release_key": h(release_key().public().as_bytes()),
        "receipt_key": h(receipt_key().public().as_bytes()),
        "not_a_hub_key": h(node().public().as_bytes()),
        "offers": offers,
        "leaves": keys,
        "parts": [
            { "name": "snapshot", "part": info.clone(), "bytes": bytes, "expect": "OK", "upserts": 3, "tombstones": 0 },
            { "name": "difference", "part": difference_info, "bytes": difference, "expect": "OK", "upserts": 1, "tombstones": 1 },
            { "name": "tampered", "part": info.clone(), "bytes": h(&tampered), "expect": "MANIFEST_MISMATCH" },
            { "name": "cut", "part": info, "bytes": h(&world.snapshot[1..]), "expect": "MANIFEST_MISMATCH" },
        ],
    })
}
