//! The store against its promises: sealed once, the chain goes on, verdicts land where they belong.

use std::path::Path;

use dtsen_kit::sqlite::Mode;
use dtsen_proto::{
    batch,
    chain::Head,
    column,
    envelope::{self, PayloadType},
    id::{BatchId, Position, RecordId},
    key::Signer,
    pb,
    record::{Action, Block, Day, Delta, Provenance, RecordKind, Value},
    region::Region,
    rulebook::Severity,
};

use super::*;

const NIK: &str = "5271014101909001";

fn region() -> Region {
    "52.71".parse().expect("a region")
}

fn node_key() -> Signer {
    Signer::from_seed(&[1; 32])
}

fn hub_key() -> Signer {
    Signer::from_seed(&[2; 32])
}

async fn open(dir: &Path) -> Store {
    Store::open(&dir.join("node.db"), true, Mode::Production).await.expect("opens")
}

async fn enrolled(dir: &Path) -> Store {
    let store = open(dir).await;
    store.enter_epoch(Head::start(region()), None).await.expect("an epoch");
    store
}

fn person(nik: &str, name: &str) -> Delta {
    let provenance = Provenance { source: "dtsen".into(), reference: Day(20_000) };
    let cells = vec![(column::I_NIK, Value::Text(nik.into())), (column::I_NAMA, Value::Text(name.into()))];
    let block = Block { number: column::I_IDENTITAS, provenance, cells };
    Delta::new(RecordKind::Individu, Action::Upsert, vec![block])
}

/// Queues so many persons, each a record of its own.
async fn queue(store: &Store, count: u32) {
    let change = |n| Change { record: None, delta: person(&format!("52710141019{:05}", 9001 + n), "SITI") };
    store.queue("dtsen", &(0..count).map(change).collect::<Vec<_>>()).await.expect("queues");
}

async fn seal_with(store: &Store, max_deltas: usize, max_bytes: usize) -> Result<Option<BatchRow>> {
    let signer = node_key();
    let sealing = Sealing {
        now_ms: 5,
        max_deltas,
        max_bytes,
        rulebook: 1,
        generation: 1,
        log: (0, [0; 32]),
        salt: &|| [9; 16],
        seal: &|draft, deltas| batch::seal(&signer, draft, deltas),
    };
    store.seal(&sealing).await
}

async fn seal(store: &Store, max_deltas: usize) -> Result<Option<BatchRow>> {
    seal_with(store, max_deltas, usize::MAX).await
}

async fn seal_within(store: &Store, max_bytes: usize) -> BatchRow {
    seal_with(store, 10, max_bytes).await.expect("seals").expect("something was pending")
}

async fn sealed(store: &Store, max_deltas: usize) -> BatchRow {
    seal(store, max_deltas).await.expect("seals").expect("something was pending")
}

async fn give_receipt(store: &Store, batch: &BatchRow, body_refused: &str) -> Result<()> {
    let receipt = pb::Receipt {
        region: batch.position.region.to_string(),
        epoch: batch.position.epoch,
        sequence: batch.position.sequence.into(),
        batch_id: batch.id.as_bytes().to_vec(),
        body_refused: body_refused.into(),
        ..Default::default()
    };
    let envelope = envelope::sign_message(&hub_key(), PayloadType::RECEIPT, &receipt);
    let verified = envelope::verify(&envelope, PayloadType::RECEIPT, &hub_key().public()).expect("good");
    store.store_receipt(&verified, &envelope).await
}

fn entry(position: u64, batch: &BatchRow, totals: [u32; 4], verdicts: Vec<pb::Verdict>) -> FeedEntry {
    let entry = pb::Verdicts {
        region: batch.position.region.to_string(),
        position,
        epoch: batch.position.epoch,
        sequence: batch.position.sequence.into(),
        batch_id: batch.id.as_bytes().to_vec(),
        verdicts,
        accepted: totals[0],
        warned: totals[1],
        held: totals[2],
        rejected: totals[3],
        revision_only: position > 1,
        ..Default::default()
    };
    let envelope = envelope::sign_message(&hub_key(), PayloadType::VERDICTS, &entry);
    let verified = envelope::verify(&envelope, PayloadType::VERDICTS, &hub_key().public()).expect("good");
    (verified, envelope)
}

fn verdict(index: u32, revision: u32, judgement: pb::Judgement, reason: &str) -> pb::Verdict {
    let severity =
        if judgement == pb::Judgement::Rejected { pb::Severity::Error } else { pb::Severity::Hold };
    let finding = pb::Finding { reason: reason.into(), severity: severity.into(), column: 0 };
    pb::Verdict {
        index,
        revision,
        judgement: judgement.into(),
        findings: vec![finding],
        ..Default::default()
    }
}

async fn hub_id(store: &Store, number: &str) -> Option<RecordId> {
    let mut found = store.records_by_number(RecordKind::Individu, number).await.expect("reads");
    found.pop().expect("the record").hub_id
}

#[tokio::test]
async fn a_sealed_batch_keeps_its_bytes_and_the_chain_goes_on_after_reopening() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = enrolled(dir.path()).await;
    queue(&store, 5).await;
    let first = sealed(&store, 3).await;
    assert_eq!((first.deltas, store.pending_count().await.expect("counts")), (3, 2));
    drop(store);

    let store = open(dir.path()).await;
    assert_eq!(store.oldest_unreceipted().await.expect("reads"), Some(first.clone()));
    assert_eq!(store.head().await.expect("reads"), Some(Head::after(first.position, first.id)));
    let second = sealed(&store, 3).await;
    assert_eq!((second.position.sequence, second.deltas), (2, 2));
    let header = batch::open(&second.header, &node_key().public()).expect("signed").into_inner();
    assert_eq!(header.previous, first.id);
    let length = usize::try_from(second.body_length).expect("small");
    let body = batch::decode_body(second.encoding, &second.body, length).expect("a body");
    assert_eq!(batch::check_body(&header, &body), Ok(None));
    assert_eq!(seal(&store, 3).await.expect("nothing"), None, "nothing is sealed twice");
    assert_eq!(store.batches(0, 0, 10).await.expect("reads"), [first, second]);
}

#[tokio::test]
async fn sealing_needs_an_epoch_and_a_node_that_is_not_halted() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path()).await;
    queue(&store, 1).await;
    assert!(matches!(seal(&store, 1).await, Err(StoreError::NoEpoch)));
    store.set_setting(setting::HALTED, b"CHAIN_FORK").await.expect("stores");
    assert!(matches!(seal(&store, 1).await, Err(StoreError::Halted(why)) if why == "CHAIN_FORK"));
    store.enter_epoch(Head::start(region()), None).await.expect("an epoch");
    assert!(seal(&store, 1).await.expect("seals").is_some());
}

#[tokio::test]
async fn a_body_is_at_most_as_long_as_asked_for_and_never_empty() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = enrolled(dir.path()).await;
    queue(&store, 3).await;
    let one = seal_within(&store, 1).await;
    assert_eq!(one.deltas, 1);
    let room = usize::try_from(one.body_length * 2).expect("small");
    assert_eq!(seal_within(&store, room).await.deltas, 2);
}

#[tokio::test]
async fn a_receipt_is_stored_once_and_only_for_the_batch_it_names() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = enrolled(dir.path()).await;
    queue(&store, 2).await;
    let batch = sealed(&store, 10).await;
    let other = BatchRow { id: BatchId::new([7; 32]), ..batch.clone() };
    assert!(matches!(give_receipt(&store, &other, "").await, Err(StoreError::OtherBatch(_))));
    let position = Position { sequence: 9, ..batch.position };
    let unknown = BatchRow { position, ..batch.clone() };
    assert!(matches!(give_receipt(&store, &unknown, "").await, Err(StoreError::UnknownBatch(_))));
    for _ in 0..2 {
        give_receipt(&store, &batch, "").await.expect("stores");
    }
    assert_eq!(store.oldest_unreceipted().await.expect("reads"), None);
    let totals = store.totals().await.expect("sums");
    assert_eq!((totals.batches, totals.sent, totals.waiting, totals.sealed), (1, 2, 2, 0));
}

#[tokio::test]
async fn a_refused_body_and_a_closed_epoch_give_deltas_back_in_their_order() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = enrolled(dir.path()).await;
    queue(&store, 4).await;
    let before = store.pending(10).await.expect("reads");
    let (first, _second) = (sealed(&store, 2).await, sealed(&store, 1).await);
    give_receipt(&store, &first, "DELTA_TOO_LARGE").await.expect("stores");
    assert_eq!(store.pending_count().await.expect("counts"), 3);
    let next = Position { epoch: 2, sequence: 0, region: region() };
    let returned = store.enter_epoch(Head { position: next, id: first.id }, None).await.expect("opens");
    assert_eq!(returned, 1, "the second had no receipt");
    assert_eq!(store.pending(10).await.expect("reads"), before);
    let totals = store.totals().await.expect("sums");
    assert_eq!((totals.sent, totals.sealed, totals.pending), (0, 0, 4));
    assert_eq!(sealed(&store, 10).await.position, Position { sequence: 1, ..next });
    assert_eq!(store.oldest_unreceipted().await.expect("reads").map(|b| b.position.epoch), Some(2));
}

#[tokio::test]
async fn verdicts_give_ids_totals_and_findings() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = enrolled(dir.path()).await;
    queue(&store, 4).await;
    let batch = sealed(&store, 10).await;
    give_receipt(&store, &batch, "").await.expect("stores");
    let known = RecordId::new(Position { sequence: 77, ..batch.position }, 3);
    let listed = vec![
        verdict(1, 1, pb::Judgement::Rejected, "STALE"),
        pb::Verdict {
            record_id: known.as_bytes().to_vec(),
            ..verdict(2, 1, pb::Judgement::Warned, "AGE_WORK")
        },
        verdict(3, 1, pb::Judgement::Held, "DUPLICATE_NIK"),
    ];
    let gap = store.apply_feed(&[entry(2, &batch, [1, 1, 1, 1], Vec::new())]).await;
    assert!(matches!(gap, Err(StoreError::FeedGap { expected: 1, found: 2 })));
    let first = entry(1, &batch, [1, 1, 1, 1], listed);
    assert_eq!(store.apply_feed(std::slice::from_ref(&first)).await.expect("applies"), 1);
    assert_eq!(store.apply_feed(&[first]).await.expect("applies"), 0, "held already");
    let totals = store.totals().await.expect("sums");
    let figures = (totals.accepted, totals.warned, totals.held, totals.rejected, totals.waiting);
    assert_eq!(figures, (1, 1, 1, 1, 0));
    assert_eq!(hub_id(&store, "5271014101909001").await, Some(RecordId::new(batch.position, 0)));
    assert_eq!(hub_id(&store, "5271014101909002").await, None);
    assert_eq!(hub_id(&store, "5271014101909003").await, Some(known));
    assert_eq!(hub_id(&store, "5271014101909004").await, None);

    // A steward accepts what was held: it creates its record now.
    let later =
        entry(2, &batch, [2, 1, 0, 1], vec![verdict(3, 2, pb::Judgement::Accepted, "STEWARD_ACCEPTED")]);
    store.apply_feed(&[later]).await.expect("applies");
    assert_eq!(hub_id(&store, "5271014101909004").await, Some(RecordId::new(batch.position, 3)));
    let filter = FindingFilter { origin: None, at_least: Severity::Hold, limit: 10 };
    let found = store.findings(&filter).await.expect("reads");
    let [stale] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((stale.reason.as_str(), stale.number.as_deref()), ("STALE", Some("••••9002")));
    assert_eq!(stale.delta.map(|delta| delta.to_string()).as_deref(), Some("52.71/1/1/1"));

    // What is sent later replaces it.
    let record = store.records_by_number(RecordKind::Individu, "5271014101909002").await.expect("reads");
    let change = Change { record: Some(record[0].id), delta: person("5271014101909002", "SITI AMINAH") };
    store.queue("dtsen", &[change]).await.expect("queues");
    sealed(&store, 10).await;
    assert_eq!(store.findings(&filter).await.expect("reads"), []);
}

#[tokio::test]
async fn a_delta_that_waited_learns_the_id_that_came_meanwhile() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = enrolled(dir.path()).await;
    queue(&store, 1).await;
    let batch = sealed(&store, 10).await;
    let record = store.records_by_number(RecordKind::Individu, NIK).await.expect("reads")[0].id;
    let change = Change { record: Some(record), delta: person(NIK, "SITI AMINAH") };
    store.queue("dtsen", &[change]).await.expect("queues");
    give_receipt(&store, &batch, "").await.expect("stores");
    store.apply_feed(&[entry(1, &batch, [1, 0, 0, 0], Vec::new())]).await.expect("applies");
    let next = sealed(&store, 10).await;
    let body = batch::decode_body(next.encoding, &next.body, 100_000).expect("a body");
    let frames = batch::frames(&body).expect("frames");
    let [batch::Frame::Delta(bytes)] = frames[..] else { panic!("one delta") };
    let delta = Delta::decode(bytes).expect("a delta");
    assert_eq!((delta.record, delta.salt), (Some(RecordId::new(batch.position, 0)), [9; 16]));
}

#[tokio::test]
async fn ids_from_a_batch_that_the_hub_lost_are_void() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = enrolled(dir.path()).await;
    queue(&store, 1).await;
    let first = sealed(&store, 10).await;
    give_receipt(&store, &first, "").await.expect("stores");
    store.apply_feed(&[entry(1, &first, [1, 0, 0, 0], Vec::new())]).await.expect("applies");
    let id = Some(RecordId::new(first.position, 0));
    assert_eq!(hub_id(&store, NIK).await, id);
    let record = store.records_by_number(RecordKind::Individu, NIK).await.expect("reads")[0].id;
    // By the id alone, as an import makes it: one is sealed, one waits.
    let mut delta = Delta { record: id, ..person(NIK, "SITI") };
    delta.blocks[0].number = column::BlockNo(31);
    delta.blocks[0].cells = vec![(column::I_KEBERADAAN, Value::Number(1))];
    store.queue("dtsen", &[Change { record: Some(record), delta: delta.clone() }]).await.expect("queues");
    let second = sealed(&store, 10).await;
    store.queue("dtsen", &[Change { record: Some(record), delta }]).await.expect("queues");

    store.set_aside(first.position).await.expect("gives back");
    let next = Position { epoch: 2, sequence: 0, region: region() };
    store.enter_epoch(Head { position: next, id: BatchId::ZERO }, None).await.expect("opens");
    assert_eq!(hub_id(&store, NIK).await, None);
    let pending = store.pending(10).await.expect("reads");
    let said: Vec<_> = pending.iter().map(|d| (d.record, d.natural_key(), d.blocks.len())).collect();
    assert_eq!(said, [(None, Some(NIK), 1), (None, Some(NIK), 2), (None, Some(NIK), 2)]);
    assert_eq!(store.batch(second.position).await.expect("reads").map(|b| b.receipt), Some(None));
}

#[tokio::test]
async fn notices_of_the_hub_are_findings() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = enrolled(dir.path()).await;
    let notice = pb::Notice { record_id: vec![1; 16], reason: "CLAIMED_ELSEWHERE".into() };
    let entry = pb::Verdicts { position: 1, notices: vec![notice], ..Default::default() };
    let envelope = envelope::sign_message(&hub_key(), PayloadType::VERDICTS, &entry);
    let verified = envelope::verify(&envelope, PayloadType::VERDICTS, &hub_key().public()).expect("good");
    store.apply_feed(&[(verified, envelope)]).await.expect("applies");
    let filter = FindingFilter { origin: Some(Origin::Hub), at_least: Severity::Notice, limit: 10 };
    let found = store.findings(&filter).await.expect("reads");
    assert_eq!(found.first().map(|f| f.reason.as_str()), Some("CLAIMED_ELSEWHERE"));
    assert_eq!(
        (store.feed_end().await.expect("reads"), store.feed_after(0, 5).await.expect("reads").len()),
        (1, 1)
    );
}

#[test]
fn store_calls_can_be_spawned() {
    fn is_send<T: Send>(_: &T) {}
    let store: Option<Store> = None;
    let Some(store) = store.as_ref() else { return };
    is_send(&store.pending_count());
    is_send(&seal(store, 1));
    is_send(&store.apply_feed(&[]));
    is_send(&store.enter_epoch(Head::start(region()), None));
}
