//! Files that are complete.

use super::*;

fn complete(scope: &str, confirm_gone: Option<u64>) -> ImportOptions {
    let scope = Scope::parse(scope, region(), &rulebook()).expect("a scope");
    ImportOptions { complete: Some(scope), confirm_gone, ..options() }
}

#[tokio::test]
async fn a_few_that_are_no_longer_there_are_withdrawn_once() {
    let node = Node::new().await;
    let all = families(100);
    node.import(&all).await;
    let before = node.pending().await.len();
    let summary = node.import_as(&all[1..], &complete("semua", None)).await;
    assert_eq!(summary.gone, GoneOutcome::Withdrawn(3));
    let pending = node.pending().await;
    let gone = &pending[before..];
    assert!(gone.len() == 3 && gone.iter().all(|delta| delta.action == Action::Gone));
    let numbers: Vec<_> = gone.iter().map(Delta::natural_key).collect();
    assert!(numbers.contains(&Some(family(0).kk.as_str())), "addressed by the number");
    assert_eq!(gone[0].blocks[0].provenance.source, "dtsen");
    let again = node.import_as(&all[1..], &complete("semua", None)).await;
    assert_eq!(again.gone, GoneOutcome::Withdrawn(0));
    // They come back: everything is said again.
    let back = node.import(&all).await;
    assert_eq!(figures(&back), [0, 3, 297, 0, 3]);
    let whole = node.pending().await.split_off(before + 3);
    assert!(whole.iter().any(|delta| delta.kind == RecordKind::Keluarga && delta.blocks.len() > 2));
}

#[tokio::test]
async fn more_than_a_few_wait_for_the_exact_number() {
    let node = Node::new().await;
    let all = families(100);
    node.import(&all).await;
    let pending = node.pending().await;
    let left = &all[3..];
    let summary = node.import_as(left, &complete("52.71", None)).await;
    assert_eq!(summary.gone, GoneOutcome::NeedsConfirmation { gone: 9, known: 300 });
    assert!(summary.to_string().contains("--confirm-gone 9"), "{summary}");
    let summary = node.import_as(left, &complete("52.71", Some(8))).await;
    assert_eq!(summary.gone, GoneOutcome::Differs { confirmed: 8, gone: 9 });
    assert_eq!(node.pending().await, pending);
    let summary = node.import_as(left, &complete("52.71", Some(9))).await;
    assert_eq!((summary.gone, node.pending().await.len()), (GoneOutcome::Withdrawn(9), pending.len() + 9));
}

#[tokio::test]
async fn gone_is_said_inside_the_scope_only() {
    let node = Node::new().await;
    let mut all = families(120);
    for family in &mut all[60..] {
        family.village = "AMPENAN TENGAH";
    }
    node.import(&all).await;
    // The file holds the other village alone, less one family.
    let summary = node.import_as(&all[61..], &complete("52.71.01.1005", None)).await;
    assert_eq!(summary.gone, GoneOutcome::Withdrawn(3));
    let elsewhere = node.import_as(&all[100..], &complete("52.71.02", None)).await;
    assert_eq!(elsewhere.gone, GoneOutcome::Withdrawn(0));
}

#[tokio::test]
async fn nothing_is_gone_while_somebody_cannot_be_told() {
    let node = Node::new().await;
    let mut all = families(100);
    node.import(&all).await;
    all[4].members[0].nik = "3,40413E+15".into();
    let summary = node.import_as(&all, &complete("semua", None)).await;
    assert_eq!(summary.gone, GoneOutcome::Unidentified { rows: 1, gone: 1 });
    assert!(node.pending().await.iter().all(|delta| delta.action == Action::Upsert));
    // Another error does not hide who it is.
    all[4] = family(4);
    all[5].members[0].marital = "77".into();
    let summary = node.import_as(&all, &complete("semua", None)).await;
    assert_eq!((summary.gone, summary.errors()), (GoneOutcome::Withdrawn(0), 1));
}
