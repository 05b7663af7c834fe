//! Taking batches into custody.

use dtsen_central::store::{NewBatch, Store, StoreError};
use dtsen_proto::{
    chain::Head,
    id::{BatchId, Position},
    merkle::leaf_hash,
    region::Region,
};

use crate::{
    place::Place,
    regions::{entry, lease, start},
};

/// A batch after a head; `mark` tells it from others at the same place.
pub(crate) fn batch(head: Head, mark: u8, deltas: u64) -> NewBatch {
    let position = Position { sequence: head.position.sequence + 1, ..head.position };
    let mut id = [mark; 32];
    id[..4].copy_from_slice(&position.sequence.to_be_bytes());
    id[4..6].copy_from_slice(&position.region.number().to_be_bytes());
    NewBatch {
        position,
        id: BatchId::new(id),
        header: vec![1, mark],
        receipt: vec![2, mark],
        encoding: 3,
        body: Some(vec![mark; 5]),
        custody_ms: i64::from(position.sequence) * 10,
        deltas,
        rulebook: 1,
        leaf: leaf_hash(&id),
    }
}

/// Takes the next batch of a region.
pub(crate) async fn take(store: &dyn Store, region: Region, deltas: u64) -> Position {
    let head = store.head(region).await.expect("reads").expect("has a chain");
    let batch = batch(head, 1, deltas);
    store.take_custody(head, &batch).await.expect("takes custody");
    batch.position
}

pub(crate) async fn custody_continues_the_head_once(place: Place) {
    let store = place.open().await;
    let mataram = start(&*store, "52.71").await;
    let before = Head::start(mataram);
    let first = batch(before, 7, 3);
    store.take_custody(before, &first).await.expect("takes custody");
    let head = Head::after(first.position, first.id);
    assert_eq!(store.head(mataram).await.expect("reads"), Some(head));
    for wrong in [before, Head { id: BatchId::ZERO, ..head }, Head::start("11.01".parse().expect("a region"))]
    {
        let refused = store.take_custody(wrong, &batch(wrong, 8, 1)).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
    }
    let kept = store.batch(first.position).await.expect("reads").expect("is there");
    assert_eq!((kept.id, kept.header, kept.receipt), (first.id, first.header, first.receipt));
    assert_eq!((kept.body, kept.encoding, kept.custody_ms), (first.body, 3, 10));
    assert_eq!((kept.deltas, kept.apply_no, kept.totals), (3, None, [0; 4]));
    let refused = NewBatch { body: None, ..batch(head, 9, 4) };
    store.take_custody(head, &refused).await.expect("takes the header alone");
    let kept = store.batch(refused.position).await.expect("reads").expect("is there");
    assert_eq!((kept.body, kept.apply_no), (None, Some(0)), "there is nothing to decide");
    let totals = store.totals(mataram).await.expect("reads");
    assert_eq!((totals.batches, totals.deltas), (2, 3));
    assert_eq!(store.waiting_count().await.expect("reads"), (1, 3));
    let fence = lease(&*store, "log", "one").await;
    store.sequence(&fence, 1, 10, &|_, _| String::new()).await.expect("sequences");
    let names: Vec<String> =
        store.leaves(1, 0, 10).await.expect("reads").into_iter().map(|l| l.name).collect();
    assert_eq!(names, ["b/05271/0000000001/0000000001", "b/05271/0000000001/0000000002"]);
    for why in ["first", "second"] {
        store.keep_evidence(mataram, first.id, &[1], 5, why).await.expect("keeps");
    }
}

pub(crate) async fn two_processes_cannot_take_two_batches_under_one_number(place: Place) {
    let stores = [place.open().await, place.open().await];
    let mataram = start(&*stores[0], "52.71").await;
    for round in 0..10 {
        let head = stores[0].head(mataram).await.expect("reads").expect("a chain");
        let [one, two] = [batch(head, 1, 1), batch(head, 2, 1)];
        let (a, b) = tokio::join!(stores[0].take_custody(head, &one), stores[1].take_custody(head, &two));
        let winner = match (a, b) {
            (Ok(()), Err(e)) if e.is_conflict() => one,
            (Err(e), Ok(())) if e.is_conflict() => two,
            other => panic!("round {round}: {other:?}"),
        };
        let now = stores[1].head(mataram).await.expect("reads");
        assert_eq!(now, Some(Head::after(winner.position, winner.id)));
    }
    assert_eq!(stores[1].waiting_count().await.expect("reads"), (10, 10));
}

pub(crate) async fn an_epoch_starts_from_the_head_before(place: Place) {
    let store = place.open().await;
    let mataram = start(&*store, "52.71").await;
    let at = take(&*store, mataram, 1).await;
    let old = store.head(mataram).await.expect("reads").expect("a chain");
    store.open_epoch(mataram, 1, 2, &entry).await.expect("opens");
    let head = store.head(mataram).await.expect("reads").expect("a chain");
    assert_eq!(head, Head { position: Position { epoch: 2, sequence: 0, ..at }, id: old.id });
    assert_eq!(store.void_epoch(head).await.expect("takes back an epoch that nobody used"), old);
    assert_eq!(store.head(mataram).await.expect("reads"), Some(old));
    let refused = store.void_epoch(old).await;
    assert!(refused.expect_err("it was used").is_conflict());
    store.open_epoch(mataram, 1, 2, &entry).await.expect("opens again");
    let refused = store.take_custody(old, &batch(old, 5, 1)).await;
    assert!(refused.expect_err("the epoch is closed").is_conflict());
    for (from, to) in [(1, 3), (2, 1), (2, 2)] {
        let refused = store.open_epoch(mataram, from, to, &entry).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{from} {to} {refused:?}");
    }
    take(&*store, mataram, 1).await;
    let heads = store.heads(mataram).await.expect("reads");
    let places: Vec<_> =
        heads.iter().map(|(h, closed)| (h.position.epoch, h.position.sequence, *closed)).collect();
    assert_eq!(places, [(1, 1, true), (2, 1, false)]);
    assert_eq!(store.decisions(0, 10).await.expect("reads").len(), 2);
    let after = store.batches_after(mataram, 1, 0, 10).await.expect("reads");
    assert_eq!(after.iter().map(|b| b.position.epoch).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(store.batches_after(mataram, 1, 1, 10).await.expect("reads").len(), 1);
}

pub(crate) async fn pieces_join_in_order(place: Place) {
    let store = place.open().await;
    let mataram = start(&*store, "52.71").await;
    let head = Head::start(mataram);
    let (id, other) = (batch(head, 1, 1).id, batch(head, 2, 1).id);
    assert_eq!(store.pieces_end(mataram, id).await.expect("reads"), 0);
    store.add_piece(mataram, id, 0, &[1, 2, 3]).await.expect("adds");
    store.add_piece(mataram, id, 3, &[4]).await.expect("adds");
    for start in [0, 3, 5] {
        let refused = store.add_piece(mataram, id, start, &[9]).await;
        assert!(refused.expect_err("does not follow").is_conflict());
    }
    assert_eq!(store.pieces_end(mataram, id).await.expect("reads"), 4);
    assert_eq!(store.pieces(mataram, id).await.expect("reads"), [1, 2, 3, 4]);
    store.drop_pieces(mataram, other).await.expect("drops nothing");
    assert_eq!(store.pieces_end(mataram, id).await.expect("reads"), 4, "another batch's pieces");
    store.drop_pieces(mataram, id).await.expect("drops");
    assert_eq!(store.pieces_end(mataram, id).await.expect("reads"), 0, "begins again");
    store.add_piece(mataram, id, 0, &[1]).await.expect("adds");
    store.add_piece(mataram, other, 0, &[7]).await.expect("adds");
    assert_eq!(store.pieces_end(mataram, id).await.expect("reads"), 0, "another batch takes its place");
    take(&*store, mataram, 1).await;
    assert_eq!(store.pieces(mataram, other).await.expect("reads"), [0; 0], "custody ends it");
}

pub(crate) async fn batches_are_listed_and_counted(place: Place) {
    let store = place.open().await;
    let (aceh, mataram) = (start(&*store, "11.01").await, start(&*store, "52.71").await);
    for _ in 0..3 {
        take(&*store, aceh, 2).await;
    }
    take(&*store, mataram, 5).await;
    let recent = store.recent_batches(None, 3).await.expect("reads");
    let places: Vec<_> = recent.iter().map(|b| (b.position.region, b.position.sequence)).collect();
    assert_eq!(places, [(aceh, 3), (aceh, 2), (aceh, 1)], "newest first, then by region");
    assert!(recent.iter().all(|b| b.body.is_none()));
    let own = store.recent_batches(Some(mataram), 3).await.expect("reads");
    assert_eq!(own.len(), 1);
    assert_eq!(store.waiting_count().await.expect("reads"), (4, 11));
    let page = store.batches_after(aceh, 1, 1, 1).await.expect("reads");
    assert_eq!(page.iter().map(|b| (b.position.sequence, b.body.is_some())).collect::<Vec<_>>(), [(2, true)]);
    assert_eq!(store.feed_end(aceh).await.expect("reads"), 0);
    assert_eq!(store.totals("99".parse().expect("a region")).await.expect("reads").batches, 0);
}
