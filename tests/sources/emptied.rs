//! Rows that say less than they did: nothing of the reading is imported, the alarm has a name, and it recovers by itself.

use dtsen_tests::{mariadb::MariaDb, opensid::village};

use crate::node::Reader;

const PEOPLE: u64 = 300;

/// What is lost, how it comes back, and the column that the alarm names.
const LOSSES: [(&str, &str, &str); 7] = [
    ("DELETE FROM tweb_keluarga WHERE id > 30", "tweb_keluarga", "no_kk"),
    ("DELETE FROM tweb_keluarga", "tweb_keluarga", "alamat"),
    ("DELETE FROM tweb_wil_clusterdesa", "tweb_wil_clusterdesa", "dusun"),
    ("DELETE FROM config", "config", "kode_desa"),
    ("UPDATE tweb_penduduk SET tanggallahir = NULL", "tweb_penduduk", "tanggallahir"),
    ("UPDATE tweb_penduduk SET status_dasar = 3", "tweb_penduduk", "opensid_status_dasar"),
    ("UPDATE tweb_penduduk SET nik = NULL", "tweb_penduduk", "nik"),
];

fn begin(server: &MariaDb) -> Reader {
    let origin = server.database("desa", &village(PEOPLE));
    let reader = Reader::new();
    reader.run(&["source", "add", "opensid", &origin]);
    reader.run(&["source", "run", "opensid"]);
    reader.take_pending();
    reader
}

fn alarm(reader: &Reader) -> Option<String> {
    let list = reader.node.json(&["source", "list"]).expect("lists");
    list[0]["alarm"].as_str().map(str::to_owned)
}

#[test]
fn nothing_of_an_emptied_table_or_column_is_imported() {
    let Some(server) = MariaDb::start() else { return };
    let reader = begin(&server);
    for (loss, table, column) in LOSSES {
        server.run("desa", &format!("CREATE TABLE aside AS SELECT * FROM {table}; {loss}"));
        let told = reader.fails(&["source", "run", "opensid"]);
        assert!(
            told.contains("SUMBER_KOSONG") && told.contains(&format!("kolom {column} (")),
            "{loss}: {told}"
        );
        assert!(alarm(&reader).is_some_and(|alarm| alarm.contains("SUMBER_KOSONG")), "{loss}");
        assert_eq!(reader.take_pending(), [], "{loss}: nothing half-imported");
        let back = format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM aside; DROP TABLE aside");
        server.run("desa", &back);
        reader.run(&["source", "run", "opensid"]);
        assert_eq!((alarm(&reader), reader.take_pending().len()), (None, 0), "{loss}: as before");
    }
}

#[test]
fn a_person_confirms_the_exact_number_of_cells() {
    let Some(server) = MariaDb::start() else { return };
    let reader = begin(&server);
    server.run("desa", "UPDATE tweb_penduduk SET tempatlahir = '-', tanggallahir = NULL WHERE id <= 42");
    let told = reader.fails(&["source", "run", "opensid"]);
    assert!(told.contains("source run opensid --confirm-emptied 80"), "{told}");
    assert!(
        reader
            .fails(&["source", "run", "opensid", "--confirm-emptied", "1"])
            .contains("--confirm-emptied 80")
    );
    assert_eq!(reader.take_pending(), [], "another number is no consent");
    reader.run(&["source", "run", "opensid", "--confirm-emptied", "80"]);
    assert_eq!((alarm(&reader), reader.take_pending().len()), (None, 40));
}

#[test]
fn what_a_village_does_in_a_day_needs_nobody() {
    let Some(server) = MariaDb::start() else { return };
    let reader = begin(&server);
    server.run("desa", "UPDATE tweb_penduduk SET status_dasar = 3 WHERE id_kk = 2; UPDATE tweb_keluarga SET alamat = '' WHERE id < 4");
    reader.run(&["source", "run", "opensid"]);
    assert_eq!(alarm(&reader), None);
    assert!(!reader.take_pending().is_empty());
}
