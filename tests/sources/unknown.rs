//! Databases that nobody knows beforehand: which tables are read, and what their servers make of names and days.

use dtsen_proto::{
    column,
    record::{RecordKind, Value},
};
use dtsen_tests::{
    faults::place::{Engine, Place},
    mariadb::MariaDb,
};
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::{node::Reader, opensid::day};

const TABLE: &str = "CREATE TABLE warga (nik VARCHAR(16), no_kk VARCHAR(16), nama VARCHAR(100), tanggal_lahir DATE, alamat VARCHAR(100))";
const PEOPLE: &str = "INSERT INTO warga VALUES
    ('5201140101809001', '5201140101109001', 'AHMAD', '1980-01-01', 'JL BARU'),
    ('5201144203829002', '5201140101109001', 'SITI', '1982-03-02', 'JL BARU')";

#[test]
fn copies_and_views_are_left_aside_and_later_ones_too() {
    let Some(server) = MariaDb::start() else { return };
    let copy =
        "CREATE TABLE warga_2023 AS SELECT nik, no_kk, nama, tanggal_lahir, 'JL LAMA' AS alamat FROM warga";
    let view = "CREATE VIEW semua_warga AS SELECT * FROM warga UNION ALL SELECT * FROM warga_2023";
    let origin = server.database("satudata", &format!("{TABLE}; {PEOPLE}; {copy}; {view}"));
    let reader = Reader::new();
    let told = reader.run(&["source", "add", "lokal", &origin]);
    assert!(
        told.contains("salinan atau view: semua_warga, warga_2023") && told.contains("--table"),
        "{told}"
    );
    reader.run(&["source", "run", "lokal"]);
    let lives = |reader: &Reader, nik: &str| {
        reader.stated(RecordKind::Individu)[nik].text(column::I_ALAMAT_KTP).map(str::to_owned)
    };
    assert_eq!(lives(&reader, "5201140101809001").as_deref(), Some("JL BARU"));
    reader.take_pending();

    server.run(
        "satudata",
        "CREATE TABLE penduduk AS SELECT nik, no_kk, nama, tanggal_lahir, 'JL SALAH' AS alamat FROM warga",
    );
    reader.run(&["source", "run", "lokal"]);
    assert_eq!(reader.take_pending(), [], "a table that came later");
    server.run("satudata", "RENAME TABLE warga TO warga_lama");
    assert!(reader.fails(&["source", "run", "lokal"]).contains("SUMBER_BERUBAH: tabel warga"));
    reader.run(&["source", "add", "lokal", &origin, "--replace", "--table", "penduduk"]);
    reader.run(&["source", "run", "lokal"]);
    assert_eq!(lives(&reader, "5201140101809001").as_deref(), Some("JL SALAH"), "the one that was chosen");
}

#[test]
fn a_lost_column_is_a_matter_of_the_operator() {
    let Some(server) = MariaDb::start() else { return };
    let origin = server.database("satudata", &format!("{TABLE}; {PEOPLE}"));
    let reader = Reader::new();
    reader.run(&["source", "add", "lokal", &origin]);
    reader.run(&["source", "run", "lokal"]);
    server.run("satudata", "ALTER TABLE warga DROP alamat");
    for command in ["run", "test"] {
        let told = reader.fails(&["source", command, "lokal"]);
        assert!(told.contains("SUMBER_BERUBAH: kolom alamat") && told.contains("--replace"), "{told}");
    }
    reader.run(&["source", "add", "lokal", &origin, "--replace"]);
    reader.run(&["source", "run", "lokal"]);
}

#[test]
fn postgres_keeps_names_and_days() {
    let Some(place) = Place::new(Engine::Postgres, "sources", 1).expect("a place") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let of_region = "SET TimeZone = 'Asia/Makassar'; CREATE SCHEMA \"data desa\";
        CREATE TABLE \"data desa\".\"penduduk.aktif\" (\"NIK\" bigint, \"No. KK\" numeric, \"Nama\" text, \"Tanggal Lahir\" timestamptz);
        INSERT INTO \"data desa\".\"penduduk.aktif\" VALUES
            (5201140101809001, 5201140101109001, 'AHMAD', '1980-01-01'), (5201144203629002, 5201140101109001, 'SITI', '1962-03-02')";
    runtime.block_on(async {
        let mut server = PgConnection::connect(place.database()).await.expect("connects");
        server.execute(of_region).await.expect("makes the table");
        server.close().await.expect("closes");
    });
    let reader = Reader::new();
    reader.run(&["source", "add", "lokal", place.database()]);
    reader.run(&["source", "run", "lokal"]);
    let people = reader.stated(RecordKind::Individu);
    let born = |nik: &str| people[nik].get(column::I_TANGGAL_LAHIR).cloned();
    assert_eq!(born("5201140101809001"), Some(Value::Number(day(1980, 1, 1))));
    assert_eq!(born("5201144203629002"), Some(Value::Number(day(1962, 3, 2))));
    let (missing, _) = place.database().rsplit_once('/').expect("a name");
    assert!(reader.fails(&["preview", &format!("{missing}/tidak_ada")]).contains("SUMBER_TIADA"));
}

#[test]
fn a_day_of_mariadb_is_one_where_the_server_stands() {
    let Some(server) = MariaDb::start() else { return };
    server.run("", "SET GLOBAL time_zone = '+07:00'");
    let sql = format!("{TABLE}; ALTER TABLE warga MODIFY tanggal_lahir TIMESTAMP NULL; {PEOPLE}");
    let origin = server.database("satudata", &sql);
    let reader = Reader::new();
    reader.run(&["source", "add", "lokal", &origin]);
    reader.run(&["source", "run", "lokal"]);
    let people = reader.stated(RecordKind::Individu);
    let born = people["5201140101809001"].get(column::I_TANGGAL_LAHIR).cloned();
    assert_eq!(born, Some(Value::Number(day(1980, 1, 1))));
}

#[test]
fn what_is_no_database_is_said_and_nothing_secret_with_it() {
    let reader = Reader::new();
    let damaged = reader.folder().join("rusak.db");
    let mut bytes = b"SQLite format 3\0".to_vec();
    bytes.resize(8_192, 7);
    std::fs::write(&damaged, bytes).expect("writes");
    let damaged = damaged.to_str().expect("UTF-8");
    assert!(reader.fails(&["source", "add", "lokal", damaged]).contains("SUMBER_RUSAK"));
    assert!(reader.fails(&["source", "add", "lokal", "sqlite:/tidak/ada.db"]).contains("SUMBER_TIADA"));
    for origin in
        ["mysql:/a:rahasia@h/d", "sqlserver://h;password=rahasia", "jdbc:mysql://h/d?password=rahasia"]
    {
        let told = reader.fails(&["source", "add", "lokal", origin]);
        assert!(told.contains("bukan alamat basis data") && !told.contains("rahasia"), "{told}");
    }
}
