//! Releases.

use std::sync::Arc;

use dtsen_central::{
    registry::{
        codec,
        record::Record,
        view::{View, Wanted},
    },
    store::{
        Cell, LaneState, ManifestRow, ReleaseLine, ReleasePlanner, ReleaseRow, ReleaseWrite, Store,
        StoreError, TABLES, Writes,
    },
};
use dtsen_proto::{
    id::RecordId,
    merkle::{Hash, leaf_hash},
    pb,
    record::RecordKind,
    region::Region,
};
use prost::Message as _;

use crate::{
    intake::take,
    lane::{bare, counting},
    place::Place,
    regions::{entry, lease, start},
};

/// Publishes every record as it is: a leaf each, a snapshot and a difference at the end.
struct Planner {
    version: u64,
    region: Region,
    apply_no: Option<u64>,
    lines: Vec<ReleaseLine>,
}

impl Planner {
    fn new(version: u64, region: Region) -> Self {
        Self { version, region, apply_no: None, lines: Vec::new() }
    }

    fn digest(&self, what: &str) -> Vec<u8> {
        leaf_hash(format!("{what} {}", if what == "same" { 0 } else { self.version }).as_bytes()).to_vec()
    }
}

impl ReleasePlanner for Planner {
    fn begin(&mut self, apply_no: u64) {
        assert!(self.apply_no.replace(apply_no).is_none() && self.lines.is_empty());
    }

    fn line(&mut self, line: ReleaseLine) -> Vec<ReleaseWrite> {
        let leaf = line.record.as_ref().map(|body| leaf_hash(body));
        let writes = leaf.map(|leaf| ReleaseWrite::Leaf(line.region, line.kind, line.id, leaf));
        self.lines.push(line);
        writes.into_iter().collect()
    }

    fn finish(&mut self) -> Vec<ReleaseWrite> {
        let part = |digest: Vec<u8>| pb::Part { digest, ..Default::default() };
        let snapshot = pb::Manifest {
            parts: vec![part(self.digest("snapshot")), part(self.digest("same"))],
            ..Default::default()
        };
        let manifest = |place, base, body| {
            ReleaseWrite::Manifest(ManifestRow { place, region: self.region, base, body })
        };
        vec![
            ReleaseWrite::Part(self.region, self.digest("snapshot"), b"all".to_vec()),
            ReleaseWrite::Part(self.region, self.digest("same"), b"always".to_vec()),
            ReleaseWrite::Part(self.region, self.digest("same"), b"always".to_vec()),
            ReleaseWrite::Part(self.region, self.digest("difference"), b"some".to_vec()),
            manifest(1, self.version - 1, vec![]),
            manifest(0, 0, snapshot.encode_to_vec()),
        ]
    }
}

fn release(version: u64, published: bool) -> ReleaseRow {
    ReleaseRow {
        version,
        apply_no: 1,
        published,
        entry: vec![1],
        freshness: vec![2],
        prepared_by: "ani".into(),
    }
}

async fn build(store: &dyn Store, version: u64, region: Region) -> Planner {
    let mut planner = Planner::new(version, region);
    store.build_release(version, version - 1, &mut planner).await.expect("builds");
    store.put_release(&release(version, false)).await.expect("puts down");
    planner
}

async fn write(store: &dyn Store, records: Vec<(RecordId, RecordKind, Region, bool)>) {
    let fence = lease(store, "lane", "one").await;
    let mut write = |_: View, _: LaneState| {
        let rows = records.iter().map(|(id, kind, region, new)| bare(*id, *kind, *region, *new));
        Writes { records: rows.collect(), ..Writes::default() }.at_once()
    };
    store.apply(&fence, &Wanted::default(), &mut write).await.expect("writes");
}

/// Leaves that are stored, by version.
async fn leaves(store: &dyn Store, version: u64) -> usize {
    let table = TABLES.iter().find(|t| t.name == "slice_leaf").expect("a table");
    let rows = store.read_table(table, None, 1_000_000).await.expect("reads");
    let version = Cell::Number(Some(i64::try_from(version).expect("small")));
    rows.iter().filter(|row| row[0] == version).count()
}

/// More than two pages of a build.
const N: u32 = 9_000;

pub(crate) async fn a_release_sees_what_moved(place: Place) {
    let store = place.open().await;
    let (aceh, mataram) = (start(&*store, "11.01").await, start(&*store, "52.71").await);
    let at = take(&*store, mataram, 1).await;
    let id = |i| RecordId::new(at, i);
    let kind = |i| if i % 3 == 0 { RecordKind::Keluarga } else { RecordKind::Individu };
    write(&*store, (0..N).map(|i| (id(i), kind(i), mataram, true)).collect()).await;
    let fence = lease(&*store, "lane", "one").await;
    store.apply(&fence, &Wanted::default(), &mut counting(at)).await.expect("applies");
    let first = build(&*store, 1, mataram).await;
    assert_eq!(first.apply_no, Some(1));
    let keys = |p: &Planner| -> Vec<(Region, i32, RecordId)> {
        p.lines.iter().map(|l| (l.region, l.kind.to_wire().into(), l.id)).collect()
    };
    assert!(keys(&first).is_sorted() && first.lines.len() == N as usize);
    assert!(first.lines.iter().all(|l| l.record.is_some() && l.published.is_none() && !l.lives_elsewhere));
    store.publish(&release(1, true), &entry).await.expect("publishes");
    write(&*store, vec![(id(5), kind(5), aceh, false), (id(N), kind(N), aceh, true)]).await;
    let table = TABLES.iter().find(|t| t.name == "slice_leaf").expect("a table");
    let gone = [1, 1101, 2].map(|n| Cell::Number(Some(n))).into_iter();
    let gone = gone.chain([Cell::Bytes(Some(vec![9; 16])), Cell::Bytes(Some(vec![9; 32]))]).collect();
    store.write_table(table, vec![gone]).await.expect("a leaf without record");
    let second = build(&*store, 2, mataram).await;
    assert!(keys(&second).is_sorted() && second.lines.len() == N as usize + 3);
    let seen = |region, id: RecordId| {
        let line = second.lines.iter().find(|l| l.region == region && l.id == id).expect("a line");
        (line.record.is_some(), line.published.is_some(), line.lives_elsewhere)
    };
    assert_eq!(seen(mataram, id(4)), (true, true, false), "as before");
    assert_eq!(seen(mataram, id(5)), (false, true, true), "moved away");
    assert_eq!(seen(aceh, id(5)), (true, false, false), "moved here");
    assert_eq!(seen(aceh, id(N)), (true, false, false), "new");
    let nowhere = RecordId::from_slice(&[9; 16]).expect("sixteen");
    assert_eq!(seen(aceh, nowhere), (false, true, false), "gone");
    let leaf: Hash = leaf_hash(&codec::encode(&Record::new(id(4), kind(4), mataram)));
    assert!(second.lines.iter().any(|l| l.id == id(4) && l.published == Some(leaf)));
}

async fn part(store: &Arc<dyn Store>, planner: &Planner, what: &str) -> bool {
    store.part(planner.region, &planner.digest(what)).await.expect("reads").is_some()
}

pub(crate) async fn publishing_clears_what_nobody_needs(place: Place) {
    let store = place.open().await;
    let mataram = start(&*store, "52.71").await;
    let at = take(&*store, mataram, 1).await;
    write(&*store, vec![(RecordId::new(at, 0), RecordKind::Keluarga, mataram, true)]).await;
    assert_eq!(store.release(None).await.expect("reads"), None);
    let mut built = Vec::new();
    for version in 1..=5 {
        built.push(build(&*store, version, mataram).await);
        assert_eq!(store.last_version().await.expect("reads"), version);
        assert_eq!(store.release_versions().await.expect("reads").last(), Some(&version));
        let newest = store.release(None).await.expect("reads").map_or(0, |r| r.version);
        assert_eq!(newest, version - 1, "not visible yet");
        store.publish(&release(version, true), &entry).await.expect("publishes");
        assert_eq!((leaves(&*store, version).await, leaves(&*store, version - 1).await), (1, 0));
    }
    let kept: Vec<_> =
        [part(&store, &built[1], "snapshot").await, part(&store, &built[2], "snapshot").await].into();
    assert_eq!(kept, [false, true], "old snapshots go");
    assert!(part(&store, &built[0], "difference").await, "differences stay");
    assert!(part(&store, &built[0], "same").await, "what a newer release also has stays");
    let manifests = store.manifests(1).await.expect("reads");
    assert_eq!(manifests.iter().map(|m| (m.place, m.base)).collect::<Vec<_>>(), [(0, 0), (1, 0)]);
    let again = store.publish(&release(5, true), &entry).await;
    assert!(again.expect_err("is published").is_conflict());
    assert!(store.discard_release(5).await.expect_err("is published").is_conflict());
    assert!(store.put_release(&release(5, false)).await.expect_err("is published").is_conflict());
    assert_eq!(store.decisions(0, 99).await.expect("reads").len(), 5);
    store.refresh(5, &[9]).await.expect("refreshes");
    assert_eq!(store.release(None).await.expect("reads").map(|r| r.freshness), Some(vec![9]));
    assert!(matches!(store.refresh(6, &[9]).await, Err(StoreError::Conflict)));
    let sixth = build(&*store, 6, mataram).await;
    let rebuilt = build(&*store, 6, mataram).await;
    assert_eq!(rebuilt.lines.len(), sixth.lines.len(), "a build starts afresh");
    store.discard_release(6).await.expect("discards");
    assert!(!part(&store, &sixth, "snapshot").await && part(&store, &sixth, "same").await);
    assert_eq!((leaves(&*store, 6).await, leaves(&*store, 5).await), (0, 1));
    assert_eq!(store.release(Some(6)).await.expect("reads"), None);
    assert!(store.manifests(6).await.expect("reads").is_empty());
}
