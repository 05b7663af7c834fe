use dtsen_kit::sqlite::Mode;
use dtsen_proto::{
    batch::seal,
    chain::Head,
    column,
    id::{Position, RecordId},
    key::Signer,
    merkle,
    record::{Action, Block, Day, Delta, Provenance, RecordKind, Value},
    region::Region,
    slice::{Change, Expectation, PartWriter, check_offer},
};
use prost::Message as _;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tempfile::TempDir;

use super::*;
use crate::store::{Change as Queued, Sealing};

/// A node's store in a folder of its own.
struct Place {
    dir: TempDir,
    store: Store,
}

fn region() -> Region {
    "52.71".parse().expect("a region")
}

fn key(seed: u8) -> Signer {
    Signer::from_seed(&[seed; 32])
}

fn person(n: u32) -> Delta {
    let provenance = Provenance { source: "dtsen".into(), reference: Day(20_000) };
    let nik = Value::Text(format!("527101020385{:04}", 9_000 + n).into());
    let cells = vec![(column::I_NIK, nik), (column::I_NAMA, Value::Text("CONTOH".into()))];
    Delta::new(
        RecordKind::Individu,
        Action::Upsert,
        vec![Block { number: column::I_IDENTITAS, provenance, cells }],
    )
}

impl Place {
    /// Two batches with receipts, the first judged and revised later, and a slice.
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let store = Store::open(&dir.path().join("node.db"), true, Mode::Production).await.expect("opens");
        store.enter_epoch(Head::start(region()), None).await.expect("an epoch");
        let place = Self { dir, store };
        for n in 0..6 {
            let change = Queued { record: None, delta: person(n) };
            place.store.queue("dtsen", &[change]).await.expect("queues");
        }
        for _ in 0..2 {
            place.seal().await;
        }
        place.judge().await;
        place.take_slice().await;
        place
    }

    async fn seal(&self) {
        let sealing = Sealing {
            now_ms: 5,
            max_deltas: 3,
            max_bytes: usize::MAX,
            rulebook: 1,
            generation: 1,
            log: (0, [0; 32]),
            salt: &|| [9; 16],
            seal: &|draft, deltas| seal(&key(1), draft, deltas),
        };
        let row = self.store.seal(&sealing).await.expect("seals").expect("something was pending");
        let receipt = pb::Receipt {
            region: "52.71".into(),
            epoch: row.position.epoch,
            sequence: row.position.sequence.into(),
            batch_id: row.id.as_bytes().to_vec(),
            ..Default::default()
        };
        let envelope = envelope::sign_message(&key(2), PayloadType::RECEIPT, &receipt);
        let verified = envelope::verify(&envelope, PayloadType::RECEIPT, &key(2).public()).expect("good");
        self.store.store_receipt(&verified, &envelope).await.expect("stores");
    }

    async fn judge(&self) {
        let batch = self.store.batches(0, 0, 1).await.expect("reads").remove(0);
        let verdict = |index, revision, judgement: pb::Judgement| pb::Verdict {
            index,
            revision,
            judgement: judgement.into(),
            ..Default::default()
        };
        let of = |position, verdicts| pb::Verdicts {
            position,
            epoch: 1,
            sequence: 1,
            verdicts,
            ..Default::default()
        };
        let own = pb::Verdicts {
            batch_id: batch.id.as_bytes().to_vec(),
            accepted: 1,
            held: 1,
            rejected: 1,
            ..of(1, vec![verdict(0, 1, pb::Judgement::Held), verdict(2, 1, pb::Judgement::Rejected)])
        };
        let later =
            pb::Verdicts { revision_only: true, ..of(2, vec![verdict(0, 2, pb::Judgement::Accepted)]) };
        for entry in [own, later] {
            let envelope = envelope::sign_message(&key(2), PayloadType::VERDICTS, &entry);
            let verified =
                envelope::verify(&envelope, PayloadType::VERDICTS, &key(2).public()).expect("good");
            self.store.apply_feed(&[(verified, envelope)]).await.expect("applies");
        }
    }

    async fn take_slice(&self) {
        let mut writer = PartWriter::new();
        let mut leaves = Vec::new();
        for n in 0..3 {
            let position = Position { region: region(), epoch: 1, sequence: 1 };
            let id = RecordId::new(position, n);
            let shown = person(n).blocks.remove(0).to_wire();
            let record = pb::SliceRecord {
                kind: pb::RecordKind::Individu.into(),
                record_id: id.as_bytes().to_vec(),
                domicile: "52.71".into(),
                blocks: vec![pb::ShownBlock { block: Some(shown), ..Default::default() }],
            };
            let record = record.encode_to_vec();
            leaves.push(merkle::leaf_hash(&record));
            assert!(writer.push(&Change::Upsert((RecordKind::Individu, id), record)).is_none());
        }
        let (part, bytes) = writer.finish().expect("three lines");
        self.store.add_part(&part.digest, &bytes).await.expect("stages");
        let manifest = pb::Manifest {
            region: "52.71".into(),
            profile: "umum".into(),
            version: 1,
            root: merkle::root(&leaves).to_vec(),
            individu: 3,
            parts: vec![part],
            generation: 1,
            ..Default::default()
        };
        let manifest = manifest.encode_to_vec();
        let root = merkle::root(&[merkle::leaf_hash(&manifest)]).to_vec();
        let release = pb::Release {
            version: 1,
            generation: 1,
            manifests_root: root.clone(),
            manifests: 1,
            expires_ms: 100,
            ..Default::default()
        };
        let fresh = pb::Freshness { version: 1, manifests_root: root, expires_ms: 100, ..Default::default() };
        let reply = pb::SliceReply {
            release: Some(envelope::sign_message(&key(3), PayloadType::RELEASE, &release)),
            freshness: Some(envelope::sign_message(&key(2), PayloadType::FRESHNESS, &fresh)),
            manifest,
            inclusion: Some(pb::InclusionProof { index: 0, size: 1, hashes: Vec::new() }),
        };
        let expected = Expectation {
            region: region(),
            have: 0,
            generation: 1,
            now_ms: 5,
            release_key: &key(3).public(),
            receipt_key: &key(2).public(),
        };
        let offer = check_offer(&reply, &expected).expect("a good offer");
        self.store.apply_slice(&offer).await.expect("takes it");
    }

    /// Runs statements behind the store's back.
    async fn execute(&self, text: &str) {
        let address = format!("sqlite:{}", self.dir.path().join("node.db").display());
        let mut conn = SqliteConnection::connect(&address).await.expect("connects");
        sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut conn).await.expect("changes");
    }

    /// What `verify` says, or the table that it could not read.
    async fn faults(&self) -> Vec<String> {
        match verify_store(&self.store, &key(1).public(), &key(2).public()).await {
            Ok(found) => found.faults,
            Err(StoreError::Inconsistent { table, column }) => vec![format!("unreadable: {table}.{column}")],
            Err(other) => panic!("{other}"),
        }
    }
}

/// Other bytes of the same length.
fn blanked(column: &str) -> String {
    format!("{column} = zeroblob(length({column}))")
}

#[tokio::test]
async fn verify_finds_what_somebody_edited() {
    let edits = [
        ("batch", "UPDATE batch SET {header} WHERE sequence = 1", "kiriman"),
        ("batch", "UPDATE batch SET {body} WHERE sequence = 2", "kiriman"),
        ("batch", "UPDATE batch SET {batch_id} WHERE sequence = 2", "kiriman"),
        ("batch", "UPDATE batch SET deltas = 4 WHERE sequence = 1", "kiriman"),
        ("batch", "UPDATE batch SET body_length = body_length + 1 WHERE sequence = 1", "kiriman"),
        ("batch", "UPDATE batch SET encoding = 1 WHERE sequence = 1", "kiriman"),
        ("batch", "UPDATE batch SET accepted = 3, held = 0 WHERE sequence = 1", "jumlah putusan"),
        ("batch", "UPDATE batch SET judged = 0 WHERE sequence = 1", "jumlah putusan"),
        ("batch", "UPDATE batch SET judged = 1, accepted = 3 WHERE sequence = 2", "jumlah putusan"),
        ("batch", "UPDATE batch SET receipt = NULL WHERE sequence = 1", "tanda terima"),
        (
            "batch",
            "UPDATE batch SET receipt = (SELECT b.receipt FROM batch b WHERE b.sequence = 1) WHERE sequence = 2",
            "tanda terima",
        ),
        ("batch", "UPDATE batch SET {receipt} WHERE sequence = 1", "tanda terima"),
        ("batch", "DELETE FROM batch WHERE sequence = 1", "kiriman"),
        ("batch", "DELETE FROM batch WHERE sequence = 2", "kepala rantai"),
        ("feed", "UPDATE feed SET {entry} WHERE position = 2", "putusan 2"),
        ("feed", "DELETE FROM feed WHERE position = 1", "putusan 1"),
        ("feed", "DELETE FROM feed WHERE position = 2", "putusan atas data 1/1/0"),
        ("verdict", "UPDATE verdict SET judgement = 4 WHERE place = 0", "putusan atas data 1/1/0"),
        ("verdict", "UPDATE verdict SET revision = 9 WHERE place = 2", "putusan atas data 1/1/2"),
        ("verdict", "UPDATE verdict SET detail = x'' WHERE place = 2", "putusan atas data 1/1/2"),
        ("verdict", "UPDATE verdict SET place = 1 WHERE place = 2", "putusan atas data 1/1/1"),
        ("verdict", "DELETE FROM verdict WHERE place = 0", "putusan atas data 1/1/0"),
        ("slice_leaf", "UPDATE slice_leaf SET {record}", "irisan"),
        ("slice_leaf", "UPDATE slice_leaf SET {leaf}", "irisan"),
        ("slice_leaf", "UPDATE slice_leaf SET number = '0'", "irisan"),
        ("slice_leaf", "UPDATE slice_leaf SET family = '0'", "irisan"),
        ("slice_leaf", "UPDATE slice_leaf SET kind = 1", "irisan"),
        ("slice_leaf", "DELETE FROM slice_leaf WHERE id = (SELECT max(id) FROM slice_leaf)", "irisan"),
        ("setting", "UPDATE setting SET {value} WHERE name = 'head'", "kepala rantai"),
        ("setting", "DELETE FROM setting WHERE name = 'slice'", "irisan"),
    ];
    let place = Place::new().await;
    assert_eq!(place.faults().await, [""; 0]);
    for (table, edit, word) in edits {
        let text = match (edit.find('{'), edit.find('}')) {
            (Some(from), Some(to)) => {
                format!("{}{}{}", &edit[..from], blanked(&edit[from + 1..to]), &edit[to + 1..])
            }
            _ => edit.to_owned(),
        };
        place.execute(&format!("CREATE TABLE kept AS SELECT * FROM {table}; {text}")).await;
        let found = place.faults().await;
        let unreadable = format!("unreadable: {table}.");
        let named = found.iter().any(|fault| fault.contains(word) || fault.starts_with(&unreadable));
        assert!(named, "{edit}: {found:?}");
        let back = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept");
        place.execute(&back).await;
    }
    assert_eq!(place.faults().await, [""; 0], "everything is as it was");
}
