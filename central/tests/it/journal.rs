//! The transparency log.

use std::sync::Mutex;

use dtsen_central::store::{Session, StoreError, setting};
use dtsen_proto::merkle::{self, Hash, ProofPlan};

use crate::{
    place::Place,
    regions::{entry, lease, start},
};

pub(crate) async fn the_log_grows_and_proves_itself(place: Place) {
    let store = place.open().await;
    let fence = lease(&*store, "log", "one").await;
    let signed: Mutex<Vec<(u64, Hash)>> = Mutex::new(Vec::new());
    let sign = |size: u64, root: Hash| {
        signed.lock().expect("not poisoned").push((size, root));
        format!("note {size}")
    };
    assert_eq!(store.sequence(&fence, 1, 10, &sign).await.expect("sequences"), 0);
    assert_eq!(store.checkpoint(1).await.expect("reads"), None, "nothing to do, nothing written");
    for (appended, limit, placed) in
        [(1, 10, 1), (2, 10, 2), (5, 3, 3), (0, 10, 2), (130, 1000, 130), (3, 9, 3)]
    {
        for _ in 0..appended {
            store.append_decision(&entry).await.expect("appends");
        }
        assert_eq!(store.sequence(&fence, 1, limit, &sign).await.expect("sequences"), placed);
    }
    assert_eq!(store.checkpoint(1).await.expect("reads"), Some((141, "note 141".to_owned())));
    let leaves = store.leaves(1, 0, 1000).await.expect("reads");
    assert!(leaves.iter().enumerate().all(|(at, leaf)| leaf.place == at as u64 && leaf.kind == 3));
    assert_eq!(leaves[140].name, format!("d/{:020}", 141));
    assert_eq!(store.leaves(1, 139, 1).await.expect("reads"), leaves[139..140]);
    let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf.leaf).collect();
    let signed = signed.into_inner().expect("not poisoned");
    assert_eq!(signed.iter().map(|(size, _)| *size).collect::<Vec<_>>(), [1, 3, 6, 8, 138, 141]);
    for (size, root) in &signed {
        let size_here = usize::try_from(*size).expect("small");
        assert_eq!(*root, merkle::root(&hashes[..size_here]));
        for (at, leaf) in hashes[..size_here].iter().enumerate() {
            let plan = ProofPlan::inclusion(at as u64, *size).expect("is inside");
            let nodes = store.nodes(1, &plan.nodes()).await.expect("reads");
            let path = plan.build(&nodes).expect("as many as asked for");
            assert_eq!(merkle::root_from_inclusion(*leaf, at as u64, *size, &path), Some(*root));
        }
        let plan = ProofPlan::consistency(*size, 141).expect("is smaller");
        let nodes = store.nodes(1, &plan.nodes()).await.expect("reads");
        let proof = plan.build(&nodes).expect("as many as asked for");
        assert!(merkle::is_consistent(*size, root, 141, &signed[5].1, &proof));
    }
    assert!(store.nodes(1, &[merkle::Node { level: 0, index: 141 }]).await.is_err());
    assert!(store.nodes(2, &[merkle::Node { level: 0, index: 0 }]).await.is_err());
}

fn sign_nothing(_: u64, _: Hash) -> String {
    String::new()
}

pub(crate) async fn a_lost_lease_signs_nothing(place: Place) {
    let (one, two) = (place.open().await, place.open().await);
    one.append_decision(&entry).await.expect("appends");
    let old = lease(&*one, "log", "one").await;
    let new = two.take_lease("log", "two", 2_001, 3_000).await.expect("asks").expect("takes over");
    let lost = one.sequence(&old, 1, 10, &|_, _| panic!("signs")).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost("log"))), "{lost:?}");
    let (a, b) =
        tokio::join!(two.sequence(&new, 1, 10, &sign_nothing), one.sequence(&new, 1, 10, &sign_nothing));
    let placed = [a.expect("sequences"), b.expect("sequences")];
    assert_eq!(placed.iter().sum::<u32>(), 1, "once, whoever comes first");
}

pub(crate) async fn a_generation_begins_with_its_statement(place: Place) {
    let store = place.open().await;
    let mataram = start(&*store, "52.71").await;
    store.append_decision(&entry).await.expect("appends");
    store.set_setting(setting::STOPPED, b"why".to_vec()).await.expect("writes");
    let sign: &(dyn Fn(u64, Hash) -> String + Send + Sync) = &|size, _| format!("size {size}");
    let refused = store.begin_generation(2, 3, &entry, sign).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "not the one in force: {refused:?}");
    store.begin_generation(1, 2, &entry, sign).await.expect("begins");
    let refused = store.begin_generation(1, 2, &entry, sign).await;
    assert!(matches!(refused, Err(StoreError::Conflict)), "once: {refused:?}");
    assert_eq!(store.setting(setting::GENERATION_DECISION).await.expect("reads"), Some(entry(2)));
    assert_eq!(store.setting(setting::STOPPED).await.expect("reads"), None);
    assert_eq!(store.session(mataram).await.expect("reads"), Some(Session::open()));
    assert_eq!(store.checkpoint(2).await.expect("reads"), Some((1, "size 1".into())));
    let fence = lease(&*store, "log", "one").await;
    let old = store.sequence(&fence, 1, 10, sign).await;
    assert!(matches!(old, Err(StoreError::Conflict)), "nothing is added to the log that ended: {old:?}");
    assert_eq!(store.sequence(&fence, 2, 10, sign).await.expect("sequences"), 1);
    let leaves = store.leaves(2, 0, 10).await.expect("reads");
    let names: Vec<&str> = leaves.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(
        names,
        ["d/00000000000000000002", "d/00000000000000000001"],
        "the statement, then what waited"
    );
    assert_eq!(store.leaf_place(2, "d/00000000000000000001").await.expect("reads"), Some(1));
    assert_eq!(store.leaf_place(1, "d/00000000000000000001").await.expect("reads"), None);
    store.begin_generation(2, 7, &entry, sign).await.expect("begins another");
}
