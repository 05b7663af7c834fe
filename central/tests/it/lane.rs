//! The lane: fairness, one step at a time, everything or nothing.

use std::collections::BTreeMap;

use dtsen_central::{
    registry::{
        decide::Judgement,
        record::Record,
        view::{HolderKey, OpenHold, View, Wanted},
    },
    store::{Application, Applied, LaneState, Parts, RecordRow, StoreError, VerdictRow, Writes},
};
use dtsen_proto::{
    id::{DeltaRef, Position, RecordId},
    merkle::leaf_hash,
    record::{Action, RecordKind},
    region::Region,
};

use crate::{
    intake::take,
    place::Place,
    regions::{entry, lease, start},
};

/// A step that only counts.
pub(crate) fn counting(at: Position) -> impl FnMut(View, LaneState) -> Parts<'static> + Send {
    move |_, state| counted(at, &state).at_once()
}

fn counted(at: Position, state: &LaneState) -> Writes {
    Writes {
        applications: vec![Application { apply_no: state.apply_no, what: Applied::Batch(at) }],
        ..Writes::default()
    }
}

/// A record that says nothing, to be written.
pub(crate) fn bare(id: RecordId, kind: RecordKind, region: Region, new: bool) -> (RecordRow, bool) {
    ((&Record::new(id, kind, region)).into(), new)
}

fn held(at: Position, index: u32, revision: u32, judgement: Judgement) -> VerdictRow {
    VerdictRow {
        delta: DeltaRef { position: at, index },
        revision,
        judgement,
        subject: (judgement == Judgement::Held).then(|| format!("i{index}").into()),
        action: Action::MoveOut,
        detail: vec![u8::try_from(revision).expect("small")],
    }
}

fn wanted(at: Position, n: u32) -> Wanted {
    Wanted {
        holders: (0..n).map(|i| HolderKey::new(RecordKind::Individu, &i.to_string())).collect(),
        records: [RecordId::new(at, n - 1), RecordId::new(at, n + 5)].into(),
        subjects: (0..n).map(|i| (at.region, format!("i{i}").into())).collect(),
        answered: [9, 10, n + 5].map(|index| DeltaRef { position: at, index }).into(),
    }
}

pub(crate) async fn waiting_is_fair_and_in_chain_order(place: Place) {
    let store = place.open().await;
    let mut regions = Vec::new();
    for (code, batches) in [("11.01", 5), ("32.01", 1), ("52.71", 2)] {
        let region = start(&*store, code).await;
        for _ in 0..batches {
            take(&*store, region, 1).await;
        }
        regions.push(region);
    }
    let places = |waiting: Vec<dtsen_central::store::Waiting>| -> Vec<(Region, u32)> {
        waiting.iter().map(|w| (w.position.region, w.position.sequence)).collect()
    };
    let [aceh, bogor, mataram] = regions[..] else { panic!("three regions") };
    let fair = [(aceh, 1), (aceh, 2), (bogor, 1), (mataram, 1), (mataram, 2), (aceh, 3)];
    assert_eq!(places(store.waiting(&BTreeMap::new(), 6).await.expect("reads")), fair);
    assert_eq!(store.waiting(&BTreeMap::new(), 100).await.expect("reads").len(), 8);
    let after = BTreeMap::from([(aceh, Position { region: aceh, epoch: 1, sequence: 3 })]);
    assert_eq!(places(store.waiting(&after, 3).await.expect("reads")), [(aceh, 4), (bogor, 1), (mataram, 1)]);
    assert_eq!(places(store.waiting(&BTreeMap::new(), 2).await.expect("reads")), [(aceh, 1), (bogor, 1)]);
    let fence = lease(&*store, "lane", "one").await;
    let first = Position { region: aceh, epoch: 1, sequence: 1 };
    let mut apply = |_: View, state: LaneState| {
        let batches = vec![(first, Some(state.apply_no), [1, 0, 0, 0])];
        Writes { batches, ..counted(first, &state) }.at_once()
    };
    store.apply(&fence, &Wanted::default(), &mut apply).await.expect("applies");
    let next = places(store.waiting(&BTreeMap::new(), 3).await.expect("reads"));
    assert_eq!(next, [(bogor, 1), (mataram, 1), (aceh, 2)], "served least recently comes first");
    assert_eq!(store.waiting_count().await.expect("reads"), (7, 7));
}

/// More than one chunk of every set, and a rest.
const N: u32 = 150;

fn first_step(at: Position) -> impl FnMut(View, LaneState) -> Parts<'static> + Send {
    move |view, state| {
        assert_eq!((state.apply_no, state.decision), (1, 1));
        assert_eq!(state.feeds, BTreeMap::from([(at.region, 0)]));
        assert!(view.holder(&HolderKey::new(RecordKind::Individu, "1")).is_none());
        assert!(view.open_holds(at.region, Some("i3"), None).is_empty());
        let id = |i| RecordId::new(at, i);
        Writes {
            records: (0..N).map(|i| bare(id(i), RecordKind::Individu, at.region, true)).collect(),
            holders: (0..N).map(|i| (HolderKey::new(RecordKind::Individu, &i.to_string()), id(i))).collect(),
            verdicts: (0..N)
                .map(|i| held(at, i, 1, if i == 9 { Judgement::Warned } else { Judgement::Held }))
                .collect(),
            batches: vec![(at, Some(1), [10, 1, 7, 0]), (at, None, [1, 0, -1, 0])],
            feed: (1..=u64::from(N)).map(|n| (at.region, n, entry(n), leaf_hash(&n.to_be_bytes()))).collect(),
            applications: vec![
                Application { apply_no: 1, what: Applied::Batch(at) },
                Application { apply_no: 2, what: Applied::Decision(1) },
            ],
            decision: Some((1, 2, entry(1), leaf_hash(b"d"))),
        }
        .at_once()
    }
}

fn second_step(at: Position) -> impl FnMut(View, LaneState) -> Parts<'static> + Send {
    move |view, state| {
        assert_eq!((state.apply_no, state.decision, state.feeds[&at.region]), (3, 2, N.into()));
        let key = |n: u32| HolderKey::new(RecordKind::Individu, &n.to_string());
        for i in 0..N {
            let id = view.holder(&key(i)).expect("holds");
            assert_eq!(
                view.record(id).map(|r| (r.id, r.domicile())),
                Some((RecordId::new(at, i), at.region))
            );
        }
        assert!(view.record(RecordId::new(at, N + 5)).is_none());
        let delta = DeltaRef { position: at, index: 3 };
        let hold = OpenHold { delta, action: Action::MoveOut, revision: 1 };
        assert_eq!(view.open_holds(at.region, Some("i3"), None), [hold]);
        let answered = |index| view.open_holds(at.region, None, Some(DeltaRef { position: at, index }));
        assert_eq!(answered(10).len(), 1);
        assert!(answered(9).is_empty() && answered(N + 5).is_empty(), "not held");
        assert!(view.open_holds(at.region, Some("i9"), None).is_empty(), "a warning is not open");
        let elsewhere = "32.01".parse().expect("a region");
        let moved = |i| bare(RecordId::new(at, i), RecordKind::Individu, elsewhere, false);
        Writes {
            records: (0..100).map(moved).collect(),
            holders: [(key(N), RecordId::new(at, 4))].into(),
            verdicts: vec![held(at, 3, 2, Judgement::Held), held(at, 3, 3, Judgement::Rejected)],
            batches: vec![(at, None, [0, 0, -1, 1])],
            ..Writes::default()
        }
        .at_once()
    }
}

pub(crate) async fn a_step_writes_everything_and_the_next_reads_it(place: Place) {
    let store = place.open().await;
    let mataram = start(&*store, "52.71").await;
    let at = take(&*store, mataram, 20).await;
    let fence = lease(&*store, "lane", "one").await;
    let want = wanted(at, N);
    store.apply(&fence, &want, &mut first_step(at)).await.expect("applies");
    let kept = store.batch(at).await.expect("reads").expect("is there");
    assert_eq!((kept.apply_no, kept.totals), (Some(1), [11, 1, 6, 0]));
    assert_eq!(store.feed_end(mataram).await.expect("reads"), u64::from(N));
    assert_eq!(store.feed_after(mataram, 148, 10).await.expect("reads"), [entry(149), entry(150)]);
    assert_eq!(store.held(None, 1000).await.expect("reads").len(), 149);
    store.apply(&fence, &want, &mut second_step(at)).await.expect("applies");
    let verdict = store.verdict(DeltaRef { position: at, index: 3 }).await.expect("reads").expect("is there");
    assert_eq!((verdict.revision, verdict.judgement), (3, Judgement::Rejected));
    assert_eq!(verdict.subject.as_deref(), Some("i3"), "what it was about stays known");
    assert_eq!(store.held(Some(mataram), 1000).await.expect("reads").len(), 148);
    assert_eq!(store.held(Some(mataram), 2).await.expect("reads")[1].delta.index, 1);
    assert_eq!(store.verdicts(at).await.expect("reads").len(), 150);
    assert_eq!(store.verdict(DeltaRef { position: at, index: 999 }).await.expect("reads"), None);
    let totals = store.totals(mataram).await.expect("reads");
    assert_eq!((totals.accepted, totals.warned, totals.held, totals.rejected), (11, 1, 5, 1));
    let counts = store.counts().await.expect("reads");
    assert_eq!((counts.keluarga, counts.individu, counts.applications, counts.decisions), (0, 150, 2, 1));
    let applied: Vec<Applied> =
        store.applications(0, 10).await.expect("reads").into_iter().map(|a| a.what).collect();
    assert_eq!(applied, [Applied::Batch(at), Applied::Decision(1)]);
    assert_eq!(store.decisions(0, 9).await.expect("reads"), [(1, Some(2), entry(1))]);
    let records = store.records_after(&[], 1000).await.expect("reads");
    let elsewhere: Region = "32.01".parse().expect("a region");
    assert_eq!(records.iter().filter(|r| r.region == elsewhere).count(), 100);
    assert_eq!(store.records_after(RecordId::new(at, 147).as_bytes(), 9).await.expect("reads").len(), 2);
    let holders = store.holders_after("", 1000).await.expect("reads");
    assert_eq!(holders.len(), 151);
    let other = RecordId::new(at, 4).as_bytes().to_vec();
    assert!(holders.contains(&("i150".to_owned(), other)), "a second number of one record");
    let log = lease(&*store, "log", "one").await;
    let placed = store.sequence(&log, 1, 1000, &|_, _| String::new()).await.expect("sequences");
    assert_eq!(placed, N + 2, "the feed, the decision and the batch");
}

pub(crate) async fn a_step_that_fails_writes_nothing(place: Place) {
    let store = place.open().await;
    let mataram = start(&*store, "52.71").await;
    let at = take(&*store, mataram, 1).await;
    let fence = lease(&*store, "lane", "one").await;
    let absent = Position { sequence: 77, ..at };
    let mut wrong = |_: View, state: LaneState| {
        let writes = Writes {
            records: vec![bare(RecordId::new(at, 0), RecordKind::Keluarga, mataram, true)],
            batches: vec![(absent, Some(1), [1, 0, 0, 0])],
            ..counted(at, &state)
        };
        writes.at_once()
    };
    let failed = store.apply(&fence, &Wanted::default(), &mut wrong).await;
    assert!(matches!(failed, Err(StoreError::Inconsistent { table: "batch", .. })), "{failed:?}");
    let mut twice = |_: View, _: LaneState| {
        let writes = Writes {
            records: vec![bare(RecordId::new(at, 0), RecordKind::Keluarga, mataram, true); 2],
            ..Writes::default()
        };
        writes.at_once()
    };
    let failed = store.apply(&fence, &Wanted::default(), &mut twice).await;
    assert!(failed.expect_err("a record is created once").is_conflict());
    let counts = store.counts().await.expect("reads");
    assert_eq!((counts.keluarga, counts.applications), (0, 0));
    store.apply(&fence, &Wanted::default(), &mut counting(at)).await.expect("the next step goes on");
}

pub(crate) async fn a_lost_lease_writes_nothing(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let mataram = start(&*one, "52.71").await;
    let at = take(&*one, mataram, 1).await;
    let old = lease(&*one, "lane", "one").await;
    let new = two.take_lease("lane", "two", 2_001, 3_000).await.expect("asks").expect("takes over");
    let mut decided = false;
    let mut decide = |view: View, state: LaneState| {
        decided = true;
        counting(at)(view, state)
    };
    let lost = one.apply(&old, &Wanted::default(), &mut decide).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost("lane"))), "{lost:?}");
    assert!(!decided);
    two.apply(&new, &Wanted::default(), &mut counting(at)).await.expect("applies");
    two.give_lease(&new).await.expect("gives back");
    let lost = two.apply(&new, &Wanted::default(), &mut counting(at)).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost("lane"))), "given back is lost: {lost:?}");
    assert_eq!(one.counts().await.expect("reads").applications, 1);
}

pub(crate) async fn steps_of_two_processes_do_not_overlap(place: Place) {
    let stores = [place.open().await, place.open().await];
    let mataram = start(&*stores[0], "52.71").await;
    let at = take(&*stores[0], mataram, 1).await;
    let fence = lease(&*stores[0], "lane", "one").await;
    let mut steps = tokio::task::JoinSet::new();
    for store in stores.clone() {
        let fence = fence.clone();
        steps.spawn(async move {
            for _ in 0..20 {
                store.apply(&fence, &Wanted::default(), &mut counting(at)).await.expect("applies");
            }
        });
    }
    steps.join_all().await;
    let numbers: Vec<u64> =
        stores[0].applications(0, 100).await.expect("reads").into_iter().map(|a| a.apply_no).collect();
    assert_eq!(numbers, (1..=40).collect::<Vec<_>>());
}

/// A process that stands still in the middle of a step loses its transaction, and its successor goes on. On SQLite both
/// would be processes of one machine, where whoever supervises them ends the first.
pub(crate) async fn a_step_that_stands_still_holds_nobody_up(place: Place) {
    if place.address.starts_with("sqlite") {
        return;
    }
    let (one, two) = (place.open().await, place.open().await);
    let mataram = start(&*one, "52.71").await;
    let at = take(&*one, mataram, 1).await;
    let old = lease(&*one, "lane", "one").await;
    let (inside, begun) = tokio::sync::oneshot::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let stopped = tokio::spawn(async move {
        let mut inside = Some(inside);
        let mut decide = move |view: View, state: LaneState| {
            inside.take().expect("decides once").send(()).expect("somebody waits");
            tokio::task::block_in_place(|| wait.recv()).expect("is told to go on");
            counting(at)(view, state)
        };
        one.apply(&old, &Wanted::default(), &mut decide).await
    });
    begun.await.expect("is in the middle");
    let limit = std::time::Duration::from_secs(10);
    let next = async {
        let new = two.take_lease("lane", "two", 2_001, 3_000).await.expect("asks").expect("takes over");
        two.apply(&new, &Wanted::default(), &mut counting(at)).await.expect("applies");
    };
    tokio::time::timeout(limit, next).await.expect("within ten seconds");
    go_on.send(()).expect("still waits");
    stopped.await.expect("ends").expect_err("its transaction is gone");
    assert_eq!(two.counts().await.expect("reads").applications, 1);
}

pub(crate) async fn order_is_that_of_bytes(place: Place) {
    let store = place.open().await;
    let mataram = start(&*store, "52.71").await;
    let fence = lease(&*store, "lane", "one").await;
    let mut texts = ["10", "9", "A", "a", "_", "é", "Z", " ", "~", "b-c", "bc"].map(str::to_owned);
    let mut ids: Vec<RecordId> = [0x00, 0x7f, 0x80, 0xff, 0x01]
        .map(|first| RecordId::from_slice(&[&[first][..], &[0xff; 15]].concat()).expect("sixteen"))
        .into();
    let any = ids[0];
    let mut write = |_: View, _: LaneState| {
        let writes = Writes {
            records: ids.iter().map(|id| bare(*id, RecordKind::Keluarga, mataram, true)).collect(),
            holders: texts.iter().map(|t| (HolderKey::from_stored(t.clone()), any)).collect(),
            ..Writes::default()
        };
        writes.at_once()
    };
    store.apply(&fence, &Wanted::default(), &mut write).await.expect("writes");
    texts.sort();
    ids.sort();
    let (mut seen, mut after) = (Vec::new(), String::new());
    while let Some((text, _)) = store.holders_after(&after, 1).await.expect("reads").pop() {
        seen.push(text.clone());
        after = text;
    }
    assert_eq!(seen, texts);
    let (mut seen, mut after) = (Vec::new(), Vec::new());
    while let Some(record) = store.records_after(&after, 1).await.expect("reads").pop() {
        seen.push(record.id);
        after = record.id.as_bytes().to_vec();
    }
    assert_eq!(seen, ids);
}
