//! What becomes of rows: new, as they were, changed, broken, twice.

use super::*;

#[tokio::test]
async fn the_same_files_again_change_nothing() {
    let node = Node::new().await;
    let families = families(20);
    let first = node.import(&families).await;
    assert_eq!(figures(&first), [60, 0, 0, 0, 60], "{first:#?}");
    assert_eq!(first.files[0].kind, "keluarga", "families first, in whatever order they are given");
    let pending = node.pending().await;
    assert_eq!(figures(&node.import(&families).await), [0, 0, 60, 0, 0]);
    assert_eq!(node.pending().await, pending);
    let member = pending.iter().find(|delta| delta.kind == RecordKind::Individu).expect("a member");
    assert_eq!(member.text(column::I_KODE_WILAYAH), Some("52.71.01.1012"), "the village of its family");
}

#[tokio::test]
async fn a_simulated_store_does_the_same() {
    let node = Node::in_mode(Mode::Simulated).await;
    assert_eq!(figures(&node.import(&families(20)).await), [60, 0, 0, 0, 60]);
    crate::store::testing::accept_all(&node.store).await;
    assert_eq!(figures(&node.import(&families(20)).await), [0, 0, 60, 0, 0]);
}

#[tokio::test]
async fn one_changed_cell_is_one_delta_with_one_block() {
    let node = Node::new().await;
    let mut families = families(5);
    node.import(&families).await;
    let before = node.pending().await.len();
    families[2].floor = "4".into();
    assert_eq!(figures(&node.import(&families).await), [0, 1, 14, 0, 1]);
    let pending = node.pending().await;
    let [delta] = &pending[before..] else { panic!("{} deltas", pending.len() - before) };
    // The hub's id is not known yet: the block with the number goes along.
    let numbers: Vec<u8> = delta.blocks.iter().map(|block| block.number.0).collect();
    assert_eq!((numbers.len(), numbers[0]), (2, column::K_IDENTITAS.0));
}

#[tokio::test]
async fn once_the_hub_has_named_the_record_the_block_goes_alone() {
    let node = Node::new().await;
    let mut families = families(1);
    node.import(&families).await;
    crate::store::testing::accept_all(&node.store).await;
    families[0].floor = "4".into();
    node.import(&families).await;
    let pending = node.pending().await;
    let [delta] = pending.as_slice() else { panic!("{} deltas", pending.len()) };
    assert!(delta.record.is_some() && delta.blocks.len() == 1, "{:?}", delta.blocks);
}

#[tokio::test]
async fn what_was_rejected_goes_whole_when_it_is_mended() {
    let node = Node::new().await;
    let mut families = families(1);
    node.import(&families).await;
    let whole = node.pending().await;
    crate::store::testing::reject_all(&node.store).await;
    families[0].floor = "4".into();
    node.import(&families).await;
    let pending = node.pending().await;
    let [delta] = pending.as_slice() else { panic!("{} deltas", pending.len()) };
    assert_eq!(delta.blocks.len(), whole[0].blocks.len());
}

#[tokio::test]
async fn a_village_that_changes_moves_the_members_too() {
    let node = Node::new().await;
    let mut families = families(3);
    node.import(&families).await;
    families[1].village = "AMPENAN TENGAH";
    assert_eq!(figures(&node.import(&families).await), [0, 3, 6, 0, 3]);
    // The member file by itself gets the villages of the last family file.
    let [anggota, _] = node.pair(&families);
    assert_eq!(figures(&node.import_files(&[anggota], &options()).await), [0, 0, 6, 0, 0]);
}

#[tokio::test]
async fn broken_rows_stay_and_are_told_again_until_they_are_mended() {
    let node = Node::new().await;
    let mut families = families(4);
    families[1].members[0].marital = "77".into();
    families[2].members[1].nik = "3,40413E+15".into();
    for _ in 0..2 {
        let summary = node.import(&families).await;
        assert_eq!(summary.errors(), 2);
        let found = node.findings(Severity::Error).await;
        let told: Vec<_> =
            found.iter().map(|f| (f.reason.as_str(), f.line, f.column_name.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("CODE_RANGE", Some(4), Some("status_kawin")),
                ("NIK_AS_NUMBER", Some(7), Some("nomor_induk_kependudukan")),
            ]
        );
        assert_eq!(found[0].file.as_deref(), Some("anggota.csv"));
        assert_eq!(found[0].number.as_deref(), Some("••••0002"), "masked");
    }
    assert_eq!(node.pending().await.len(), 4 + 6);
    families[1].members[0].marital = "2".into();
    families[2].members[1] = family(2).members[1].clone();
    assert_eq!(figures(&node.import(&families).await), [2, 0, 10, 0, 2]);
    assert_eq!(node.findings(Severity::Error).await, []);
}

#[tokio::test]
async fn a_good_row_that_breaks_keeps_what_was_sent() {
    let node = Node::new().await;
    let mut families = families(2);
    node.import(&families).await;
    let before = node.pending().await;
    families[0].members[0].marital = "77".into();
    assert_eq!(figures(&node.import(&families).await), [0, 0, 5, 1, 0]);
    families[0].members[0].marital = "1".into();
    assert_eq!(figures(&node.import(&families).await), [0, 0, 6, 0, 0]);
    assert_eq!(node.pending().await, before);
}

#[tokio::test]
async fn of_a_row_twice_the_last_counts_now_and_next_time() {
    let node = Node::new().await;
    let mut twice = families(3);
    let mut later = family(0);
    later.floor = "5".into();
    later.members.clear();
    twice.push(later);
    node.import(&twice).await;
    let pending = node.pending().await;
    let floor = rulebook().column_named(RecordKind::Keluarga, "jenis_lantai_terluas").map(|c| c.number);
    let known = fold(&pending);
    assert_eq!(known[&family(0).kk].get(&floor.expect("a column")), Some(&Value::Number(5)));
    let twice_told = |found: Vec<FindingRow>| found.iter().filter(|f| f.reason == "DUPLICATE_ROW").count();
    assert_eq!(twice_told(node.findings(Severity::Warning).await), 1);
    for _ in 0..2 {
        assert_eq!(node.import(&twice).await.files[0].counts.queued, 0);
        assert_eq!(twice_told(node.findings(Severity::Warning).await), 1);
    }
    // The later one is taken away: the first says what it says again.
    let summary = node.import(&families(3)).await;
    assert_eq!(summary.files[0].counts.queued, 1);
    let known = fold(&node.pending().await);
    assert_eq!(known[&family(0).kk].get(&floor.expect("a column")), Some(&Value::Number(3)));
    assert_eq!(node.import(&families(3)).await.files[0].counts.queued, 0);
}

#[tokio::test]
async fn an_import_that_is_killed_and_run_again_queues_the_same() {
    use std::{
        future::poll_fn,
        sync::atomic::{AtomicBool, Ordering},
        task::Poll,
    };
    let families = families(4_500);
    let undisturbed = Node::new().await;
    undisturbed.import(&families).await;
    let node = Node::new().await;
    let files = node.pair(&families);
    let stop = AtomicBool::new(false);
    {
        let importer = node.importer();
        let options = options();
        let mut chunks = 0;
        let mut progress = |_: &str, _: u64, _: u64| {
            chunks += 1;
            // In the middle of the second file: between two files no import is open.
            stop.store(chunks >= 5, Ordering::Relaxed);
        };
        let import = std::pin::pin!(importer.run(&files, &options, &mut progress));
        let killed = std::pin::pin!(poll_fn(|_| if stop.load(Ordering::Relaxed) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }));
        let ended = futures::future::select(import, killed).await;
        assert!(matches!(ended, futures::future::Either::Right(_)), "killed");
    }
    let some = node.pending().await.len();
    assert!((1..13_500).contains(&some), "{some}");
    assert_eq!(node.store.imports(1).await.expect("reads")[0].finished_ms, None);
    node.import(&families).await;
    assert_eq!(node.pending().await, undisturbed.pending().await);
}

#[tokio::test]
async fn what_cannot_be_read_is_refused_before_anything_is_stored() {
    let node = Node::new().await;
    let [anggota, _] = node.pair(&families(2));
    let empty = node.write("kosong.csv", "");
    let refused = node.importer().run(&[anggota, empty], &options(), &mut |_, _, _| {}).await;
    assert!(matches!(refused, Err(ImportError::Intake(IntakeError::EmptyFile { .. }))));
    let [anggota, keluarga] = node.pair(&families(2));
    let twice = [anggota.clone(), keluarga, anggota];
    let refused = node.importer().run(&twice, &options(), &mut |_, _, _| {}).await;
    assert!(matches!(refused, Err(ImportError::SameFile(_))));
    let wrong = ImportOptions { source: "Dinas Sosial".into(), ..options() };
    let refused = node.importer().run(&node.pair(&families(2)), &wrong, &mut |_, _, _| {}).await;
    assert!(matches!(refused, Err(ImportError::Source(_))));
    let future = ImportOptions { reference: Some(Day(i32::MAX)), ..options() };
    let refused = node.importer().run(&node.pair(&families(2)), &future, &mut |_, _, _| {}).await;
    assert!(matches!(refused, Err(ImportError::Future(_))));
    assert_eq!(node.pending().await, []);
}
