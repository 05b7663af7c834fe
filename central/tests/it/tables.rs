//! Copies of whole tables, and that their descriptions are true.

use dtsen_central::store::{Cell, CellType, Store, TABLES, Table};
use sqlx::{Connection as _, PgConnection, SqliteConnection};

use crate::place::Place;

/// Columns that may be empty.
const NULLABLE: &[(&str, &str)] = &[
    ("region", "token_hash"),
    ("region", "token_expires_ms"),
    ("region", "csr"),
    ("region", "signing_key"),
    ("region", "certificate"),
    ("region", "certificate_hash"),
    ("region", "previous_hash"),
    ("region", "pending_key"),
    ("region_key", "last_epoch"),
    ("region_key", "last_sequence"),
    ("chain", "statement"),
    ("batch", "apply_no"),
    ("verdict", "subject"),
    ("decision", "apply_no"),
    ("application", "region"),
    ("application", "epoch"),
    ("application", "sequence"),
    ("application", "decision"),
];

/// Rows of a table.
const N: i64 = 150;

fn rows(table: &Table) -> Vec<Vec<Cell>> {
    let cell = |row: i64, (column, of): &(&'static str, CellType)| {
        let empty = row % 3 == 0 && NULLABLE.contains(&(table.name, column));
        let text = format!("{row:03}é");
        match of {
            CellType::Number => Cell::Number((!empty).then_some(row)),
            CellType::Bytes => Cell::Bytes((!empty).then(|| [&row.to_be_bytes()[..], &[0xff, 0]].concat())),
            CellType::Text => Cell::Text((!empty).then_some(text)),
        }
    };
    (0..N).map(|row| table.columns.iter().map(|column| cell(row, column)).collect()).collect()
}

async fn read(store: &dyn Store, table: &'static Table) -> Vec<Vec<Cell>> {
    let mut all: Vec<Vec<Cell>> = Vec::new();
    loop {
        let after = all.last().map(|row| row[..table.key].to_vec());
        let page = store.read_table(table, after.as_deref(), 40).await.expect("reads");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

pub(crate) async fn a_copy_there_and_back_is_equal(place: Place) {
    let stores = [place.other_sqlite("one").await, place.open().await, place.other_sqlite("two").await];
    for table in TABLES {
        let first = rows(table);
        stores[0].write_table(table, first.clone()).await.expect("writes");
        for pair in stores.windows(2) {
            let copied = read(&*pair[0], table).await;
            pair[1].write_table(table, copied).await.expect("writes");
        }
        assert_eq!(read(&*stores[2], table).await, first, "{}", table.name);
        let again = stores[1].write_table(table, first).await;
        assert!(again.expect_err("is there").is_conflict(), "{}", table.name);
    }
}

/// Table, column, type, place in the key or 0, may be empty.
type Described = (String, String, String, i64, bool);

const SQLITE: &str = "SELECT m.name, p.name, p.type, p.pk, p.\"notnull\" = 0
    FROM sqlite_schema m JOIN pragma_table_info(m.name) p
    WHERE m.type = 'table' AND m.name <> '_sqlx_migrations' ORDER BY m.name, p.cid";

const POSTGRES: &str = "SELECT c.relname::text, a.attname::text,
        CASE WHEN t.typname = 'text' AND l.collname = 'C' THEN 'text C' ELSE t.typname::text END,
        COALESCE(array_position(i.indkey::int2[], a.attnum) + 1, 0)::bigint, NOT a.attnotnull
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_collation l ON l.oid = a.attcollation
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND c.relname <> '_sqlx_migrations'
    ORDER BY c.relname COLLATE \"C\", a.attnum";

pub(crate) async fn descriptions_match_the_database(place: Place) {
    place.open().await;
    let types;
    let found: Vec<Described> = if place.address.starts_with("sqlite") {
        types = ["INTEGER", "BLOB", "TEXT"];
        let mut conn = SqliteConnection::connect(&place.address).await.expect("connects");
        sqlx::query_as(SQLITE).fetch_all(&mut conn).await.expect("reads")
    } else {
        types = ["int8", "bytea", "text C"];
        let mut conn = PgConnection::connect(&place.address).await.expect("connects");
        sqlx::query_as(POSTGRES).fetch_all(&mut conn).await.expect("reads")
    };
    let mut tables: Vec<&Table> = TABLES.iter().collect();
    tables.sort_by_key(|t| t.name);
    let mut expected: Vec<Described> = Vec::new();
    for table in tables {
        for (at, (column, of)) in table.columns.iter().enumerate() {
            let of = match of {
                CellType::Number => types[0],
                CellType::Bytes => types[1],
                CellType::Text => types[2],
            };
            let key = if at < table.key { i64::try_from(at).expect("small") + 1 } else { 0 };
            let nullable = NULLABLE.contains(&(table.name, column));
            expected.push((table.name.into(), (*column).into(), of.into(), key, nullable));
        }
    }
    let unlike: Vec<_> = found.iter().filter(|f| !expected.contains(f)).collect();
    assert!(unlike.is_empty(), "not described so: {unlike:?}");
    assert_eq!(found, expected);
    let derived: Vec<&str> = TABLES.iter().filter(|t| t.derived).map(|t| t.name).collect();
    assert_eq!(derived, ["record", "holder"]);
}
