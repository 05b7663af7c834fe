//! `verify` finds what somebody edited in the database, and says where.

use dtsen_central::{
    audit,
    registry::codec,
    store::{Cell, Store, StoreError, TABLES, Table},
};

use crate::{
    place::Place,
    world::{World, story},
};

/// Tables whose rows are edited, with a word of the fault that must come of it.
const EDITED: &[(&str, &[&str])] = &[
    ("rulebook", &["buku aturan"]),
    ("chain", &["kepala rantai", "epoch"]),
    ("batch", &["kiriman"]),
    ("batch_body", &["kiriman"]),
    ("lane", &["jalur", "umpan"]),
    ("feed", &["umpan", "putusan"]),
    ("verdict", &["putusan"]),
    ("decision", &["keputusan", "d/"]),
    ("application", &["penerapan"]),
    ("record", &["data "]),
    ("holder", &["pemegang nomor"]),
    ("log_leaf", &["log"]),
    ("log_node", &["log"]),
    ("checkpoint", &["log"]),
    ("release", &["rilis"]),
    ("manifest", &["rilis"]),
    ("part", &["irisan"]),
    ("slice_leaf", &["irisan"]),
];

/// Columns that nothing else speaks of, and why that is no harm.
fn is_free(table: &str, column: &str, row: &[Cell]) -> bool {
    const HELD: Cell = Cell::Number(Some(3));
    match (table, column) {
        // Who prepared a release matters until it is published, the version of a part until it is cleared away.
        ("release", "prepared_by") | ("part", "version") => true,
        // A refused body has no encoding.
        ("batch", "encoding") => row[9] == Cell::Number(Some(0)),
        // What a verdict is about serves only while it is held.
        ("verdict", "subject" | "action") => row[5] != HELD,
        _ => false,
    }
}

/// Another value of the same type. Keys go far away, so that no other row has them.
fn changed(cell: &Cell, is_key: bool) -> Cell {
    match cell.clone() {
        Cell::Number(value) if is_key => Cell::Number(value.map(|n| n + 1_000)),
        Cell::Number(value) => Cell::Number(Some(value.unwrap_or(0) ^ 1)),
        Cell::Bytes(value) => {
            let mut value = value.unwrap_or_default();
            match value.last_mut() {
                Some(last) => *last ^= if is_key { 0x80 } else { 1 },
                None => value.push(1),
            }
            Cell::Bytes(Some(value))
        }
        Cell::Text(value) => Cell::Text(Some(value.unwrap_or_default() + "x")),
    }
}

fn conditions(table: &Table, from: usize) -> String {
    let one = |(at, (name, _)): (usize, &(&str, _))| format!("{name} = ${}", at + from);
    table.columns[..table.key].iter().enumerate().map(one).collect::<Vec<_>>().join(" AND ")
}

/// What `verify` says, or the table that it could not read.
async fn faults(world: &World) -> Vec<String> {
    match audit::verify(&world.hub).await {
        Ok(found) => found.faults,
        Err(StoreError::Inconsistent { table, column }) => vec![format!("unreadable: {table}.{column}")],
        Err(other) => panic!("{other}"),
    }
}

/// The first row, the last and one between. A number that its record was given later, or no longer says, is for a
/// rebuild to find, as is a part that no slice of the newest release needs to be taken away.
async fn rows(store: &dyn Store, table: &'static Table) -> Vec<Vec<Cell>> {
    let all = store.read_table(table, None, 10_000).await.expect("reads");
    let mut kept = Vec::new();
    for row in all {
        let Cell::Bytes(Some(id)) = &row[1] else {
            kept.push(row);
            continue;
        };
        if table.name == "holder" {
            let page = store.records_after(&[], 100).await.expect("reads");
            let record = page.iter().find(|r| r.id.as_bytes().as_slice() == id).expect("is there");
            let record = codec::decode(&record.body).expect("a record");
            if record.stays.len() > 1 || record.claims.is_empty() {
                continue;
            }
        }
        if table.name == "part" && row[2] != Cell::Number(Some(2)) {
            continue;
        }
        kept.push(row);
    }
    assert!(!kept.is_empty(), "{}: nothing to edit", table.name);
    let last = kept.len() - 1;
    let mut places = vec![0, last / 2, last];
    places.dedup();
    places.into_iter().map(|at| kept[at].clone()).collect()
}

/// Whether a fault of this table was found, in its words or by the name of the table.
fn names(found: &[String], table: &str, words: &[&str]) -> bool {
    let unreadable = format!("unreadable: {table}.");
    found.iter().any(|fault| fault.starts_with(&unreadable) || words.iter().any(|word| fault.contains(word)))
}

pub(crate) async fn verify_finds_every_value_edited_by_hand(place: Place) {
    let world = World::new(place.open().await).await;
    story(&world).await;
    assert_eq!(faults(&world).await, [""; 0]);
    let mut missed = Vec::new();
    for (name, words) in EDITED {
        let table = TABLES.iter().find(|t| t.name == *name).expect("is a table");
        for row in rows(&*world.hub.store, table).await {
            for (at, (column, _)) in table.columns.iter().enumerate() {
                if is_free(name, column, &row) {
                    continue;
                }
                let edited = changed(&row[at], at < table.key);
                let mut key = row[..table.key].to_vec();
                let text = format!("UPDATE {name} SET {column} = $1 WHERE {}", conditions(table, 2));
                assert_eq!(
                    place.execute(&text, &[std::slice::from_ref(&edited), &key[..]].concat()).await,
                    1
                );
                let found = faults(&world).await;
                if !names(&found, name, words) {
                    missed.push(format!("{name}.{column}: {found:?}"));
                }
                if at < table.key {
                    key[at] = edited;
                }
                place.execute(&text, &[std::slice::from_ref(&row[at]), &key[..]].concat()).await;
            }
        }
    }
    assert!(missed.is_empty(), "not found: {missed:#?}");
    assert_eq!(faults(&world).await, [""; 0], "everything is as it was");
}

pub(crate) async fn verify_finds_every_row_taken_away(place: Place) {
    let world = World::new(place.open().await).await;
    story(&world).await;
    let mut missed = Vec::new();
    for (name, words) in EDITED {
        let table = TABLES.iter().find(|t| t.name == *name).expect("is a table");
        for row in rows(&*world.hub.store, table).await {
            let text = format!("DELETE FROM {name} WHERE {}", conditions(table, 1));
            assert_eq!(place.execute(&text, &row[..table.key]).await, 1);
            let found = faults(&world).await;
            if !names(&found, name, words) {
                missed.push(format!("{name} {:?}: {found:?}", &row[0]));
            }
            world.hub.store.write_table(table, vec![row]).await.expect("puts back");
        }
    }
    assert!(missed.is_empty(), "not found: {missed:#?}");
    assert_eq!(faults(&world).await, [""; 0], "everything is as it was");
}

/// Nobody erases a delta without saying so: the frame alone still fits root and header.
pub(crate) async fn verify_finds_an_erasure_without_a_decision(place: Place) {
    let world = World::new(place.open().await).await;
    let told = story(&world).await;
    let at = told.second;
    let row = world.hub.store.batch(at).await.expect("reads").expect("is there");
    let body = row.body.expect("is kept");
    let plain = dtsen_proto::batch::decode_body(row.encoding, &body, 1 << 20).expect("unpacks");
    let erased = dtsen_proto::batch::erase(&plain, 1).expect("is there");
    assert_eq!(row.encoding, i32::from(dtsen_proto::pb::BodyEncoding::Identity));
    let text = "UPDATE batch_body SET body = $1 WHERE body = $2";
    assert_eq!(place.execute(text, &[Cell::from(erased), Cell::from(body)]).await, 1);
    assert_eq!(faults(&world).await, [format!("data {at}/1: terhapus tanpa keputusan")]);
}
