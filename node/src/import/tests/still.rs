//! Files that somebody writes while they are imported.

use super::*;

/// More members than are stored at once, twice over.
const FAMILIES: u32 = 3_000;

/// Renames everybody in a file that is being read, in place and without another length.
fn rename_all(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).expect("reads");
    fs::write(path, text.replace(from, to)).expect("writes");
}

#[tokio::test]
async fn a_file_that_is_written_while_it_is_imported_is_imported_as_it_is_then() {
    let node = Node::new().await;
    let [members, families] = node.pair(&families(FAMILIES));
    let mut written = false;
    let summary = node
        .importer()
        .run(&[members.clone(), families], &options(), &mut |file, _, _| {
            if file == "anggota.csv" && !std::mem::replace(&mut written, true) {
                rename_all(&members, "BINTI", "BINTE");
            }
        })
        .await
        .expect("imports");
    assert_eq!(figures(&summary)[3], 0, "no row is torn");
    let known = fold(&node.pending().await);
    let names: Vec<&Value> = known.values().filter_map(|values| values.get(&column::I_NAMA)).collect();
    let is_new = |name: &&Value| matches!(name, Value::Text(name) if name.contains("BINTE"));
    assert_eq!((names.len(), names.into_iter().filter(is_new).count()), (6_000, 6_000));
}

#[tokio::test]
async fn a_file_that_is_never_still_withdraws_nobody() {
    let node = Node::new().await;
    let scope = Scope::parse("semua", region(), &rulebook()).expect("a scope");
    let whole = ImportOptions { complete: Some(scope), ..options() };
    let some = families(FAMILIES);
    node.import_as(&some, &whole).await;
    let before = node.pending().await;
    let [members, families] = node.pair(&some[..2_990]);
    let mut names = ["BINTI", "BINTE"];
    let error = node
        .importer()
        .run(&[members.clone(), families], &whole, &mut |file, _, _| {
            if file == "keluarga.csv" {
                // Before the members are read: their file was opened by then.
                rename_all(&members, names[0], names[1]);
                names.swap(0, 1);
            }
        })
        .await
        .expect_err("never still");
    assert!(matches!(error, ImportError::Moving { .. }), "{error}");
    assert_eq!(node.pending().await, before, "nothing of it");
}
