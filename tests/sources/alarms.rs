//! A source that is down, hangs, changes a column or loses rows: nothing is half-imported, the alarm has a name, and it
//! recovers by itself.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Stdio,
    time::Duration,
};

use dtsen_proto::record::{Action, RecordKind};
use dtsen_tests::{
    faults::wait,
    mariadb::{MariaDb, READER},
};

use sqlx::{Connection as _, SqliteConnection};

use crate::node::Reader;

const TABLE: &str = "CREATE TABLE warga (id INT PRIMARY KEY, nik VARCHAR(16), no_kk VARCHAR(16), nama VARCHAR(100), tanggal_lahir DATE, jenis_kelamin CHAR(1), hubungan VARCHAR(30))";
const PEOPLE: u32 = 3_000;

/// Rows of invented people, one family in three.
fn rows() -> String {
    format!(
        "INSERT INTO warga SELECT seq, CONCAT('520114', LPAD(1 + seq MOD 28, 2, '0'), LPAD(1 + (seq DIV 28) MOD 12, 2, '0'), '80', LPAD(9001 + seq DIV 336, 4, '0')),
            CONCAT('5201140101', '10', LPAD(1 + seq DIV 3, 4, '0')), CONCAT('WARGA ', seq), DATE(CONCAT('1980-', 1 + (seq DIV 28) MOD 12, '-', 1 + seq MOD 28)),
            'L', IF(seq MOD 3 = 0, 'KEPALA KELUARGA', 'ANAK') FROM seq_1_to_{PEOPLE}"
    )
}

fn begin(server: &MariaDb) -> Reader {
    let origin = server.database("satudata", &format!("{TABLE}; {}", rows()));
    let reader = Reader::new();
    reader.run(&["source", "add", "lokal", &origin, "--patience", "3s", "--every", "10s"]);
    reader
}

fn alarm(reader: &Reader) -> Option<String> {
    let list = reader.node.json(&["source", "list"]).expect("lists");
    list[0]["alarm"].as_str().map(str::to_owned)
}

#[test]
fn down_hanging_changed_and_shrunk() {
    let Some(mut server) = MariaDb::start() else { return };
    let reader = begin(&server);
    server.kill();
    assert!(reader.fails(&["source", "run", "lokal"]).contains("SUMBER_MATI"));
    assert!(alarm(&reader).is_some_and(|alarm| alarm.contains("SUMBER_MATI")));
    server.begin();
    server.freeze(true);
    assert!(reader.fails(&["source", "run", "lokal"]).contains("SUMBER_MACET"));
    server.freeze(false);
    assert_eq!(reader.stated(RecordKind::Individu).len(), 0, "nothing half-imported");
    reader.run(&["source", "run", "lokal"]);
    assert_eq!((alarm(&reader), reader.stated(RecordKind::Individu).len()), (None, 3_000));
    reader.take_pending();

    server.run("satudata", "ALTER TABLE warga CHANGE hubungan hub_dgn_siapa VARCHAR(30)");
    assert!(reader.fails(&["source", "run", "lokal"]).contains("SUMBER_BERUBAH: kolom hubungan"));
    server.run("satudata", "ALTER TABLE warga CHANGE hub_dgn_siapa hubungan VARCHAR(30)");

    server.run("satudata", "DELETE FROM warga WHERE id > 1500");
    let told = reader.fails(&["source", "run", "lokal"]);
    // 1,500 people, and the 500 families that they were.
    assert!(told.contains("SUMBER_SUSUT: 2000 dari 4001"), "{told}");
    assert!(reader.run(&["status"]).contains("ALARM lokal: SUMBER_SUSUT"), "where one looks");
    assert_eq!(reader.take_pending(), [], "nothing is withdrawn, no family loses members");
    let told = reader.fails(&["source", "run", "lokal", "--confirm-gone", "1999"]);
    assert!(told.contains("--confirm-gone 2000"), "{told}");
    assert_eq!(reader.take_pending(), [], "another number is no consent");
    server.run("satudata", &rows().replace("INSERT INTO", "REPLACE INTO"));
    reader.run(&["source", "run", "lokal"]);
    assert_eq!((alarm(&reader), reader.take_pending().len()), (None, 0), "as before");

    server.run("satudata", "DELETE FROM warga WHERE id = 2999");
    reader.run(&["source", "run", "lokal"]);
    let gone = reader.take_pending();
    assert_eq!(gone.len(), 2, "one person withdrawn, one family smaller");
}

#[test]
fn a_source_that_is_not_added_leaves_the_others_password_alone() {
    let Some(server) = MariaDb::start() else { return };
    let reader = begin(&server);
    let wrong = format!("mysql://pembaca:salah@127.0.0.1:{}/satudata", server.port());
    assert!(reader.fails(&["source", "add", "lokal", &wrong, "--partial"]).contains("SUMBER_DITOLAK"));
    let other = format!("mysql://pembaca:rahasia@127.0.0.1:{}/satudata", server.port());
    assert!(reader.fails(&["source", "add", "lokal", &other, "--partial"]).contains("--replace"));
    reader.run(&["source", "run", "lokal"]);
    assert!(reader.fails(&["source", "add", "lain", &other, "--patience", "lama"]).contains("--patience"));
}

#[test]
fn a_connection_that_ends_in_the_middle_imports_nothing() {
    let Some(server) = MariaDb::start() else { return };
    server.database("satudata", &format!("{TABLE}; {}", rows()));
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("bound").port();
    let target = server.port();
    // Passes so many bytes of every answer, then hangs up: the first connection reads the schema, and is let through.
    std::thread::spawn(move || {
        for (number, client) in listener.incoming().flatten().enumerate() {
            let most = if number == 0 { usize::MAX } else { 60_000 };
            std::thread::spawn(move || relay(client, target, most));
        }
    });
    let reader = Reader::new();
    let origin = format!("mysql://{READER}@127.0.0.1:{port}/satudata");
    reader.run(&["source", "add", "lokal", &origin]);
    assert!(reader.fails(&["source", "run", "lokal"]).contains("SUMBER_PUTUS"));
    assert_eq!(reader.stated(RecordKind::Individu).len(), 0, "nothing half-imported");
    assert_eq!(reader.take_pending(), []);
}

fn relay(client: TcpStream, target: u16, most: usize) {
    let server = TcpStream::connect(("127.0.0.1", target)).expect("connects");
    let (mut up, mut to) = (client.try_clone().expect("clones"), server.try_clone().expect("clones"));
    std::thread::spawn(move || std::io::copy(&mut up, &mut to));
    let (mut from, mut down, mut left, mut bytes) = (server, client, most, [0; 8_192]);
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        let pass = read.min(left);
        if down.write_all(&bytes[..pass]).is_err() || pass < read {
            break;
        }
        left -= pass;
    }
    let _ = down.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}

#[test]
fn the_running_node_reads_by_itself_and_recovers() {
    let Some(mut server) = MariaDb::start() else { return };
    let reader = begin(&server);
    // It does not have to be enrolled to read, but only an enrolled node serves: a hub of its own.
    let mut hub =
        dtsen_tests::federation::Hub::create(&reader.folder().join("hub"), "sqlite:hub.db").expect("a hub");
    hub.start().expect("starts");
    hub.enrol(&reader.node).expect("enrols");
    let log = std::fs::File::create(reader.folder().join("serve.log")).expect("a log");
    let mut serving = reader
        .node
        .command(&["serve"])
        .expect("a command")
        .stdout(log)
        .stderr(Stdio::null())
        .spawn()
        .expect("starts");
    let said = |wanted: &str| {
        let look = || {
            let text = std::fs::read_to_string(reader.folder().join("serve.log")).unwrap_or_default();
            if text.contains(wanted) { Ok(()) } else { Err(text) }
        };
        wait::until(Duration::from_mins(1), look).unwrap_or_else(|error| panic!("{wanted}: {error:#}"));
    };
    said("perubahan masuk antrean kirim");
    server.kill();
    said("ALARM lokal: SUMBER_MATI");
    server.begin();
    said("sumber lokal terbaca lagi");
    serving.kill().expect("runs");
    serving.wait().expect("ends");
    assert_eq!(reader.stated(RecordKind::Individu).len(), 3_000);
    hub.stop().expect("stops");
}

#[test]
fn who_may_stand_there_without_a_number_is_not_withdrawn_later_either() {
    let reader = Reader::new();
    let list = reader.folder().join("warga.csv");
    let nik = |number: u32| format!("52011401018090{number:02}");
    let write = |first: &str, last: u32| {
        let rows = (2..=last)
            .map(|number| format!("{},5201140101109001,WARGA {number},1980-01-01,L\n", nik(number)));
        let rows: String = rows.collect();
        let text = format!(
            "NIK,No KK,Nama,Tanggal Lahir,Jenis Kelamin\n{first},5201140101109001,BUDI,1980-01-01,L\n{rows}"
        );
        std::fs::write(&list, text).expect("writes");
    };
    let gone = || reader.take_pending().into_iter().filter(|(_, delta)| delta.action == Action::Gone).count();
    write(&nik(1), 60);
    reader.run(&["source", "add", "lokal", list.to_str().expect("UTF-8")]);
    reader.run(&["source", "run", "lokal"]);
    write(&nik(1)[..15], 60);
    for _ in 0..3 {
        assert!(reader.fails(&["source", "run", "lokal"]).contains("SUMBER_RAGU"));
        assert_eq!(gone(), 0, "they may be the one without a number");
    }
    assert!(reader.fails(&["source", "run", "lokal", "--confirm-gone", "2"]).contains("--confirm-gone 1"));
    reader.run(&["source", "run", "lokal", "--confirm-gone", "1"]);
    assert_eq!(gone(), 1, "somebody looked");
    write(&nik(1), 60);
    reader.run(&["source", "run", "lokal"]);
    assert_eq!(alarm(&reader), None);
}

#[test]
fn a_column_that_is_used_without_a_heading_of_its_own_is_missed() {
    let Some(server) = MariaDb::start() else { return };
    let origin = server.database("desa", &dtsen_tests::opensid::village(300));
    server.run("desa", "UPDATE tweb_penduduk SET alamat_sekarang = 'KOST 1', id_cluster = 1");
    // Of these families the address of the person counts.
    server.run("desa", "UPDATE tweb_keluarga SET alamat = '' WHERE id % 2 = 0");
    let reader = Reader::new();
    reader.run(&["source", "add", "opensid", &origin]);
    reader.run(&["source", "run", "opensid"]);
    reader.take_pending();
    for (table, column, of) in
        [("tweb_keluarga", "id_cluster", "INT"), ("tweb_penduduk", "alamat_sekarang", "VARCHAR(200)")]
    {
        server.run("desa", &format!("ALTER TABLE {table} CHANGE {column} aside {of}"));
        let told = reader.fails(&["source", "run", "opensid"]);
        assert!(told.contains(&format!("SUMBER_BERUBAH: kolom {table}.{column}")), "{told}");
        assert_eq!(reader.take_pending(), [], "nobody moves");
        server.run("desa", &format!("ALTER TABLE {table} CHANGE aside {column} {of}"));
        reader.run(&["source", "run", "opensid"]);
        assert_eq!((alarm(&reader), reader.take_pending().len()), (None, 0), "as before");
    }
}

#[test]
fn a_table_without_rows_still_has_its_columns_and_what_lacks_one_is_named() {
    let Some(server) = MariaDb::start() else { return };
    let origin = server.database("desa", &dtsen_tests::opensid::village(300));
    let reader = Reader::new();
    reader.run(&["source", "add", "opensid", &origin]);
    reader.run(&["source", "run", "opensid"]);
    reader.take_pending();
    server
        .run("desa", "ALTER TABLE tweb_penduduk CHANGE status_dasar status_lain TINYINT NOT NULL DEFAULT 1");
    let told = reader.fails(&["source", "run", "opensid"]);
    assert!(told.contains("kolom status_dasar") && told.contains("source test opensid."), "{told}");
    server
        .run("desa", "ALTER TABLE tweb_penduduk CHANGE status_lain status_dasar TINYINT NOT NULL DEFAULT 1");
    server.run("desa", "CREATE TABLE aside AS SELECT * FROM tweb_penduduk; DELETE FROM tweb_penduduk");
    let told = reader.fails(&["source", "run", "opensid"]);
    assert!(told.contains("SUMBER_SUSUT: 400 dari 400"), "{told}");
    server.run("desa", "INSERT INTO tweb_penduduk SELECT * FROM aside");
    reader.run(&["source", "run", "opensid"]);
    assert_eq!((alarm(&reader), reader.take_pending().len()), (None, 0), "as before");
}

#[test]
fn a_file_that_another_program_writes_is_not_damaged() {
    let reader = Reader::new();
    let path = reader.folder().join("desa.db");
    let origin = path.to_str().expect("UTF-8");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path).create_if_missing(true);
    let mut writer = runtime.block_on(SqliteConnection::connect_with(&options)).expect("opens");
    let mut run = |sql| {
        runtime.block_on(sqlx::raw_sql(sql).execute(&mut writer)).expect("runs");
    };
    run("CREATE TABLE warga (nik TEXT, nama TEXT, tanggal_lahir TEXT);
        INSERT INTO warga VALUES ('5201140101809001', 'AHMAD', '1980-01-01')");
    reader.run(&["source", "add", "lokal", origin]);
    run("BEGIN EXCLUSIVE");
    let told = reader.fails(&["source", "run", "lokal"]);
    assert!(told.contains("SUMBER_MACET") && told.contains("sedang ditulis program lain"), "{told}");
    run("ROLLBACK");
    reader.run(&["source", "run", "lokal"]);
    assert_eq!(alarm(&reader), None);
}

#[test]
fn a_mapping_is_proposed_for_files_alone() {
    let told = Reader::new().fails(&["source", "map", "postgres://a:rahasia@h/d"]);
    assert!(told.contains("basis data, bukan berkas") && !told.contains("rahasia"), "{told}");
}
