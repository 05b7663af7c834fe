//! Settings, leases, regions, sessions, decisions.

use dtsen_central::store::{
    ChainChange, Fence, KeyRow, RegionChange, RegionRow, Session, Status, Store, StoreError,
};
use dtsen_proto::{chain::Head, pb, region::Region};
use prost::Message as _;

use crate::place::Place;

pub(crate) fn region(code: &str) -> Region {
    code.parse().expect("a region")
}

/// Entry of a decision: an envelope that carries its number.
pub(crate) fn entry(number: u64) -> Vec<u8> {
    pb::Envelope { payload: number.to_be_bytes().to_vec(), ..Default::default() }.encode_to_vec()
}

/// An active region with a chain and a lane.
pub(crate) async fn start(store: &dyn Store, code: &str) -> Region {
    let region = region(code);
    let change = RegionChange {
        chain: Some(ChainChange::Start(Head::start(region))),
        session: Some(Session::new(vec![0; 16])),
        ..RegionChange::default()
    };
    let row = RegionRow { status: Status::Active, ..RegionRow::new(region) };
    store.put_region(&row, change).await.expect("starts a region");
    region
}

pub(crate) async fn lease(store: &dyn Store, name: &'static str, holder: &str) -> Fence {
    store.take_lease(name, holder, 1_000, 2_000).await.expect("asks for the lease").expect("takes it")
}

pub(crate) async fn settings_are_replaced(place: Place) {
    let store = place.open().await;
    assert_eq!(store.setting("name").await.expect("reads"), None);
    for value in [b"one".to_vec(), b"two".to_vec(), Vec::new()] {
        store.set_setting("name", value.clone()).await.expect("writes");
        assert_eq!(store.setting("name").await.expect("reads"), Some(value));
    }
}

pub(crate) async fn a_region_changes_once_per_version(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let mataram = region("52.71");
    let mut row = RegionRow { token_hash: Some(vec![7; 32]), ..RegionRow::new(mataram) };
    let decided = || RegionChange { decision: Some(&entry), ..RegionChange::default() };
    one.put_region(&row, decided()).await.expect("writes");
    let again = two.put_region(&row, decided()).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
    row.version = 1;
    assert_eq!(two.region(mataram).await.expect("reads"), Some(row.clone()));
    let changed = RegionRow {
        status: Status::Cloned,
        token_hash: None,
        token_expires_ms: Some(5),
        csr: Some(vec![1]),
        signing_key: Some(vec![2]),
        certificate: Some(vec![3]),
        certificate_hash: Some(vec![4]),
        previous_hash: Some(vec![5]),
        pending_key: Some(vec![6]),
        reason: "salinan".into(),
        ..row.clone()
    };
    one.put_region(&changed, decided()).await.expect("writes");
    let stale = two.put_region(&row, decided()).await;
    assert!(stale.expect_err("is stale").is_conflict());
    assert_eq!(two.regions().await.expect("reads"), [RegionRow { version: 2, ..changed }]);
    let numbers: Vec<u64> =
        one.decisions(0, 10).await.expect("reads").into_iter().map(|(number, ..)| number).collect();
    assert_eq!(numbers, [1, 2], "a refused change leaves no decision");
    start(&*one, "11.01").await;
    let all: Vec<Region> = one.regions().await.expect("reads").iter().map(|r| r.region).collect();
    assert_eq!(all, [region("11.01"), mataram]);
}

pub(crate) async fn keys_and_sessions_follow_the_region(place: Place) {
    let store = place.open().await;
    let mataram = start(&*store, "52.71").await;
    for (version, key) in [(1, 9_u8), (2, 3), (3, 9), (4, 1)] {
        let row = RegionRow { version, ..RegionRow::new(mataram) };
        let change = RegionChange { key: Some((vec![key], vec![key, key])), ..RegionChange::default() };
        store.put_region(&row, change).await.expect("writes");
    }
    let keys = store.region_keys(mataram).await.expect("reads");
    let key = |n: u8, last| KeyRow { public_key: vec![n, n], last };
    assert_eq!(keys, [key(9, None), key(3, None), key(1, None)], "each once, newest last");
    let renewed = RegionChange {
        revoke: Some((1, 7)),
        key: Some((vec![5], vec![5, 5])),
        chain: Some(ChainChange::Epoch { from: 1, to: 2, make: &entry }),
        session: Some(Session::open()),
        ..RegionChange::default()
    };
    store.put_region(&RegionRow { version: 5, ..RegionRow::new(mataram) }, renewed).await.expect("writes");
    let revoked = RegionChange { revoke: Some((2, 3)), ..RegionChange::default() };
    store.put_region(&RegionRow { version: 6, ..RegionRow::new(mataram) }, revoked).await.expect("writes");
    let keys = store.region_keys(mataram).await.expect("reads");
    let (first, second) = (Some((1, 7)), Some((2, 3)));
    assert_eq!(keys, [key(9, first), key(3, first), key(1, first), key(5, second)], "an end stays");
    let head = store.head(mataram).await.expect("reads").expect("a chain");
    assert_eq!((head.position.epoch, head.position.sequence), (2, 0));
    assert_eq!(store.epoch_statement(mataram, 2).await.expect("reads"), Some(entry(1)));
    assert_eq!(store.epoch_statement(mataram, 1).await.expect("reads"), None);
    assert_eq!(store.session(mataram).await.expect("reads"), Some(Session::open()));
    let fresh = Session::new(vec![0; 16]);
    assert!(store.put_session(mataram, &[], &fresh).await.expect("writes"));
    assert_eq!(store.session(mataram).await.expect("reads"), Some(fresh.clone()));
    assert_eq!(store.session(region("11.01")).await.expect("reads"), None);
    let other = place.open().await;
    let (one, two) = (fresh.rotated(&[0; 16], vec![1]), fresh.rotated(&[0; 16], vec![2]));
    assert!(other.put_session(mataram, &fresh.current, &one).await.expect("writes"));
    assert!(!store.put_session(mataram, &fresh.current, &two).await.expect("writes"));
    assert_eq!(store.session(mataram).await.expect("reads"), Some(one));
}

pub(crate) async fn decisions_have_dense_numbers_whoever_writes(place: Place) {
    let stores = [place.open().await, place.open().await];
    let mut writers = tokio::task::JoinSet::new();
    for at in 0..4 {
        let store = stores[at % 2].clone();
        writers.spawn(async move {
            let mut numbers = Vec::new();
            for _ in 0..10 {
                numbers.push(store.append_decision(&entry).await.expect("appends"));
            }
            numbers
        });
    }
    let mut numbers = writers.join_all().await.concat();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=40).collect::<Vec<u64>>());
    let kept = stores[0].decisions(0, 100).await.expect("reads");
    assert!(kept.iter().all(|(number, apply_no, bytes)| apply_no.is_none() && *bytes == entry(*number)));
    assert_eq!(kept.len(), 40);
    let page = stores[1].decisions(38, 100).await.expect("reads");
    assert_eq!(page.iter().map(|(number, ..)| *number).collect::<Vec<_>>(), [39, 40]);
    let fence = lease(&*stores[0], "log", "one").await;
    let placed = stores[0].sequence(&fence, 1, 100, &|_, _| String::new()).await.expect("sequences");
    assert_eq!(placed, 40, "every decision is on its way into the log");
    let broken = stores[0].append_decision(&|_| vec![0xff]).await;
    assert!(matches!(broken, Err(StoreError::Inconsistent { table: "decision", .. })), "{broken:?}");
}

pub(crate) async fn a_lease_has_one_holder(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    let first = one.take_lease("lane", "one", 10, 20).await.expect("asks").expect("takes");
    assert_eq!(two.take_lease("lane", "two", 15, 25).await.expect("asks"), None);
    let renewed = one.take_lease("lane", "one", 15, 30).await.expect("asks").expect("renews");
    assert_eq!(renewed, first, "a renewal keeps the fence");
    assert_eq!(two.take_lease("lane", "two", 30, 40).await.expect("asks"), None, "until 30 includes 30");
    let taken = two.take_lease("lane", "two", 31, 40).await.expect("asks").expect("takes over");
    assert_eq!(taken.fence, first.fence + 1);
    one.give_lease(&first).await.expect("an old fence gives nothing back");
    assert_eq!(one.take_lease("lane", "one", 35, 50).await.expect("asks"), None);
    two.give_lease(&taken).await.expect("gives back");
    let back = one.take_lease("lane", "one", 35, 50).await.expect("asks").expect("takes at once");
    assert_eq!(back.fence, taken.fence + 1);
    assert!(two.take_lease("log", "two", 35, 50).await.expect("asks").is_some(), "another lease");
    let years = 5 * 365 * 24 * 3_600_000;
    two.take_lease("clock", "two", years, years + 10).await.expect("asks").expect("takes, years ahead");
    let taken = one.take_lease("clock", "one", 35, 45).await.expect("asks");
    assert!(taken.is_some(), "a lease that a wrong clock took keeps nobody out");
    let mut askers = tokio::task::JoinSet::new();
    for (store, holder) in [(one, "one"), (two, "two"), (place.open().await, "three")] {
        askers.spawn(async move { store.take_lease("race", holder, 1, 9).await.expect("asks") });
    }
    assert_eq!(askers.join_all().await.into_iter().flatten().count(), 1);
}
