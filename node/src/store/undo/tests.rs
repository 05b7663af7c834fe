use std::path::Path;

use dtsen_kit::sqlite::Mode;
use dtsen_proto::{
    chain::Head,
    column,
    record::{Action, Block, Day, Delta, Provenance, RecordKind, Value},
};

use super::*;
use crate::store::{ChunkWrites, Counts, NewImport, RowWrite, testing::accept_all};

async fn open(dir: &Path) -> Store {
    let store = Store::open(&dir.join("node.db"), true, Mode::Production).await.expect("opens");
    store.enter_epoch(Head::start("52.71".parse().expect("a region")), None).await.expect("an epoch");
    store
}

/// A row of somebody new.
fn somebody(number: u8) -> RowWrite {
    let nik = format!("52710141019290{number:02}");
    let provenance = Provenance { source: "lokal".into(), reference: Day(20_000) };
    let cells = vec![(column::I_NIK, Value::Text(nik.as_str().into()))];
    let content = Delta::new(
        RecordKind::Individu,
        Action::Upsert,
        vec![Block { number: column::I_IDENTITAS, provenance, cells }],
    );
    RowWrite {
        key: [number; 16],
        digest: [number; 16],
        place: None,
        record: None,
        sheet: None,
        line: 2,
        content: content.clone(),
        resend: false,
        queue: Some(content),
    }
}

/// Begins an import of a source, and stores whom it has that is new.
async fn begun(store: &Store, (name, run): (&str, i64), new: &[u8]) -> i64 {
    let source = store.source(name, RecordKind::Individu).await.expect("a source");
    let beginning =
        NewImport { source, file: name, reference: Day(20_000), scope: None, path: None, run, now_ms: 1 };
    let import = store.begin_import(&beginning, &[]).await.expect("begins");
    let mut writes = Some(ChunkWrites {
        rows: new.iter().map(|number| somebody(*number)).collect(),
        ..Default::default()
    });
    let mut decide = |_| writes.take().unwrap_or_default();
    store.import_chunk(import, source, &[], &[], &mut decide).await.expect("stores");
    import
}

/// An import that comes to its end.
async fn imported(store: &Store, of: (&str, i64), new: &[u8]) {
    let import = begun(store, of, new).await;
    let counts = Counts { new: new.len() as u64, ..Counts::default() };
    store.finish_import(import, &counts, 2).await.expect("ends");
}

async fn next(store: &Store) -> i64 {
    store.next_import().await.expect("reads")
}

async fn pending(store: &Store) -> u64 {
    store.pending_count().await.expect("counts")
}

/// The sources whose last run was taken back.
async fn undone(store: &Store) -> Vec<String> {
    match store.undo().await.expect("undoes") {
        Undone::Done { sources, .. } => sources,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_run_over_several_sources_is_taken_back_as_one() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path()).await;
    imported(&store, ("lokal-0", next(&store).await), &[1]).await;
    let run = next(&store).await;
    imported(&store, ("lokal-a", run), &[]).await;
    imported(&store, ("lokal-b", run), &[2]).await;
    imported(&store, ("lokal-c", run), &[3, 4]).await;
    assert_eq!(pending(&store).await, 4);
    assert_eq!(undone(&store).await, ["lokal-b", "lokal-c"]);
    assert_eq!(pending(&store).await, 1, "what was before the run");
    assert_eq!(store.undo().await.expect("undoes"), Undone::Nothing);
    // Numbers of imports that were taken back do not come again.
    assert!(next(&store).await > run + 2);
}

#[tokio::test]
async fn nothing_of_a_run_is_taken_back_once_a_part_of_it_was_sealed() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path()).await;
    let run = next(&store).await;
    imported(&store, ("lokal-a", run), &[1]).await;
    accept_all(&store).await;
    imported(&store, ("lokal-b", run), &[2]).await;
    assert_eq!(store.undo().await.expect("undoes"), Undone::Sent);
    assert_eq!(pending(&store).await, 1, "half of it was taken back");
    assert_eq!(store.imports(10).await.expect("reads").len(), 2);
}

#[tokio::test]
async fn a_run_that_was_interrupted_counts_with_the_one_that_completes_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path()).await;
    let run = next(&store).await;
    imported(&store, ("lokal-a", run), &[1]).await;
    begun(&store, ("lokal-b", run), &[2]).await;
    // The same command again: nothing is new in the first source.
    let run = next(&store).await;
    imported(&store, ("lokal-a", run), &[]).await;
    imported(&store, ("lokal-b", run), &[3]).await;
    assert_eq!(undone(&store).await, ["lokal-a", "lokal-b"]);
    assert_eq!(pending(&store).await, 0);
}

#[tokio::test]
async fn a_run_that_was_interrupted_before_it_changed_anything_leaves_the_one_before_it_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path()).await;
    imported(&store, ("lokal-a", next(&store).await), &[1]).await;
    begun(&store, ("lokal-a", next(&store).await), &[]).await;
    imported(&store, ("lokal-a", next(&store).await), &[2]).await;
    assert_eq!(undone(&store).await, ["lokal-a"]);
    assert_eq!(pending(&store).await, 1, "an import that came to its end was taken back too");
}
