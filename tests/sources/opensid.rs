//! OpenSID in three generations: one command to add it, one to read it, no mapping written by hand.

use dtsen_proto::{
    column::{self, Column},
    record::{Day, Delta, RecordKind, Value},
};
use jiff::civil::date;

use dtsen_tests::mariadb::MariaDb;

use crate::node::Reader;

pub(crate) const GENERATIONS: [(&str, &str, bool); 3] = [
    ("g2016", include_str!("opensid/g2016.sql"), false),
    ("g2022", include_str!("opensid/g2022.sql"), false),
    ("g2024", include_str!("opensid/g2024.sql"), true),
];

/// A database of the second generation, of one village.
pub(crate) fn second(server: &MariaDb, name: &str) -> String {
    let (_, ddl, _) = GENERATIONS[1];
    server.database(name, &format!("{ddl}{}", people(false)))
}

/// Rows of the tables; all people are invented. With `config_id` there is a second village.
pub(crate) fn people(with_config: bool) -> String {
    let (column, value) = if with_config { ("config_id, ", "1, ") } else { ("", "") };
    let mut sql = format!(
        "INSERT INTO config (id, nama_desa, kode_desa, nama_kecamatan, nama_kabupaten, nama_propinsi) VALUES
            (1, 'Senggig1', '5201142006', 'Batulay4r', 'Lombok Bart', 'NTB');
         INSERT INTO tweb_wil_clusterdesa (id, {column}rt, rw, dusun) VALUES
            (1, {value}'0', '0', 'KERANDANGAN'), (2, {value}'0', '2', 'KERANDANGAN'),
            (3, {value}'1', '2', 'KERANDANGAN'), (4, {value}'-', '-', 'LOCO');
         INSERT INTO tweb_keluarga (id, {column}no_kk, nik_kepala, alamat, id_cluster) VALUES
            (1, {value}'5201140101109001', '1', 'JL RAYA', 3), (2, {value}'5201140101109002', '7', NULL, 4);
         INSERT INTO tweb_penduduk (id, {column}nama, nik, id_kk, kk_level, sex, tanggallahir, pendidikan_kk_id,
            pendidikan_sedang_id, pekerjaan_id, status_kawin, id_cluster, alamat_sekarang, status_dasar) VALUES
            (1, {value}'AHMAD YANI', '5201140101809001', 1, 1, 1, '1980-01-01', 5, 18, 9, 2, 3, '', 1),
            (2, {value}'SITI AMINAH', '5201144203829002', 1, 3, 2, '1982-03-02', 4, 18, 2, 2, 3, '', 1),
            (3, {value}'BUDI', '5201140505109003', 1, 4, 1, '2010-05-05', 2, 4, 3, 1, 3, '', 1),
            (4, {value}'AYU', '0520114200600001', 1, 4, 2, '2024-05-05', 1, 1, 1, 1, 3, '', 1),
            (5, {value}'INAQ AHMAD', '5201144505509014', 1, 7, 2, '1950-05-05', 1, 18, 9, 4, 3, '', 2),
            (6, {value}'DEWI', '5201144505009016', 1, 5, 2, '2000-05-05', 8, 18, 65, 2, 3, '', 1),
            (7, {value}'SUPARDI', '5201140606709005', 2, 1, 1, '1970-06-06', 1, 18, 19, 4, 4, 'JL KECIL', 1),
            (8, {value}'SALAH KETIK', '5201140606709006', 2, 4, 1, '1970-06-06', 1, 18, 19, 4, 4, NULL, 9);"
    );
    if with_config {
        sql.push_str(
            "INSERT INTO config (id, nama_desa, kode_desa) VALUES (2, 'Batulayar', '5201142001');
             INSERT INTO tweb_wil_clusterdesa (id, config_id, rt, rw, dusun) VALUES (11, 2, '7', '8', 'TIMUR');
             INSERT INTO tweb_keluarga (id, config_id, no_kk, nik_kepala, alamat, id_cluster) VALUES
                (11, 2, '5201140101109011', '11', 'JL DESA LAIN', 11);
             INSERT INTO tweb_penduduk (id, config_id, nama, nik, id_kk, kk_level, sex, tanggallahir, status_kawin, id_cluster)
                VALUES (11, 2, 'NUR', '5201140101809011', 11, 1, 1, '1980-01-01', 1, 11);",
        );
    }
    sql
}

fn number(delta: &Delta, column: Column) -> Option<i64> {
    delta.number(column)
}

pub(crate) fn day(year: i16, month: i8, day: i8) -> i64 {
    Day::from_date(date(year, month, day)).0.into()
}

#[test]
fn three_generations_need_no_mapping() {
    let Some(server) = MariaDb::start() else { return };
    for (name, ddl, with_config) in GENERATIONS {
        let origin = server.database(name, &format!("{ddl}{}", people(with_config)));
        let reader = Reader::new();
        reader.run(&["source", "add", "opensid", &origin]);
        reader.run(&["source", "run", "opensid"]);
        everybody_is_there(&reader, name, with_config);
        assert_eq!(reader.take_pending().len(), if with_config { 11 } else { 9 }, "{name}");
        let again = reader.run(&["source", "run", "opensid"]);
        assert!(again.contains("tidak ada yang berubah"), "{again}");
        changes_are_exactly_those(&server, &reader, name, with_config);
    }
}

fn everybody_is_there(reader: &Reader, generation: &str, with_config: bool) {
    let people = reader.stated(RecordKind::Individu);
    let expected = [
        // Number, relation, marriage, birth, No. KK.
        ("5201140101809001", Some(1), Some(2), day(1980, 1, 1), "5201140101109001"),
        ("5201144203829002", Some(2), Some(2), day(1982, 3, 2), "5201140101109001"),
        ("5201140505109003", Some(3), Some(1), day(2010, 5, 5), "5201140101109001"),
        ("AYU", Some(3), Some(1), day(2024, 5, 5), "5201140101109001"),
        ("5201144505509014", Some(6), Some(4), day(1950, 5, 5), "5201140101109001"),
        ("5201144505009016", Some(4), Some(2), day(2000, 5, 5), "5201140101109001"),
        ("5201140606709005", Some(1), Some(4), day(1970, 6, 6), "5201140101109002"),
    ];
    for (key, relation, marriage, born, family) in expected {
        let person =
            people.get(key).unwrap_or_else(|| panic!("{generation}: {key} is missing of {:?}", people.len()));
        assert_eq!(number(person, column::I_STATUS_HUBUNGAN), relation, "{generation} {key}");
        assert_eq!(number(person, column::I_STATUS_KAWIN), marriage, "{generation} {key}");
        assert_eq!(number(person, column::I_TANGGAL_LAHIR), Some(born), "{generation} {key}");
        assert_eq!(person.text(column::I_NOMOR_KARTU_KELUARGA), Some(family), "{generation} {key}");
        assert_eq!(person.text(column::I_KODE_WILAYAH), Some("52.01.14.2006"), "{generation} {key}");
    }
    assert_eq!(people.len(), expected.len() + usize::from(with_config), "{generation}: nobody else");
    let dead = &people["5201144505509014"];
    assert_eq!(number(dead, column::I_KEBERADAAN), Some(2), "{generation}");
    let ahmad = &people["5201140101809001"];
    let texts = [
        column::I_RT_KTP,
        column::I_RW_KTP,
        column::I_DUSUN_KTP,
        column::I_ALAMAT_KTP,
        column::I_PEKERJAAN_KTP,
    ];
    let texts = texts.map(|column| ahmad.text(column).unwrap_or_default().to_owned());
    assert_eq!(texts, ["001", "002", "KERANDANGAN", "JL RAYA", "PETANI/PEKEBUN"], "{generation}");
    let supardi = &people["5201140606709005"];
    assert_eq!(
        (supardi.text(column::I_RT_KTP), supardi.text(column::I_ALAMAT_KTP)),
        (None, Some("JL KECIL")),
        "{generation}"
    );
    let families = reader.stated(RecordKind::Keluarga);
    assert_eq!(families.len(), 2 + usize::from(with_config), "{generation}");
    let family = &families["5201140101109001"];
    assert_eq!(family.text(column::K_NAMA_KEPALA), Some("AHMAD YANI"), "{generation}");
    assert_eq!(number(family, column::K_JUMLAH_ANGGOTA), Some(5), "{generation}: the dead are not counted");
    assert_eq!(family.text(column::K_KODE_WILAYAH), Some("52.01.14.2006"), "{generation}");
    if with_config {
        let other = &people["5201140101809011"];
        assert_eq!(other.text(column::I_KODE_WILAYAH), Some("52.01.14.2001"), "the other village");
        assert_eq!(other.text(column::I_RT_KTP), Some("007"));
    }
}

fn changes_are_exactly_those(server: &MariaDb, reader: &Reader, database: &str, with_config: bool) {
    let (column, value) = if with_config { ("config_id, ", "1, ") } else { ("", "") };
    let changed = |sql: &str| {
        server.run(database, sql);
        reader.run(&["source", "run", "opensid"]);
        let mut pending = reader.take_pending();
        pending.sort_by(|one, other| one.0.cmp(&other.0));
        pending
    };
    let names =
        |pending: &[(String, Delta)]| pending.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    // The address of a family is its members' too.
    let moved = changed("UPDATE tweb_keluarga SET alamat = 'JL BARU' WHERE id = 2");
    assert_eq!(names(&moved), ["5201140101109002", "5201140606709005"], "{database}");
    let birth = changed(&format!(
        "INSERT INTO tweb_penduduk (id, {column}nama, nik, id_kk, kk_level, sex, tanggallahir, status_kawin, id_cluster)
         VALUES (9, {value}'BAYI', '5201140101269009', 2, 4, 1, '2026-01-01', 1, 4)"
    ));
    assert_eq!(names(&birth), ["5201140101109002", "5201140101269009"], "{database}");
    let death = changed("UPDATE tweb_penduduk SET status_dasar = 2 WHERE id = 2");
    assert_eq!(names(&death), ["5201140101109001", "5201144203829002"], "{database}");
    assert_eq!(number(&death[1].1, column::I_KEBERADAAN), Some(2), "{database}");
    let left = changed("UPDATE tweb_penduduk SET status_dasar = 3 WHERE id = 6");
    assert_eq!(names(&left), ["5201140101109001", "5201144505009016"], "{database}");
    assert_eq!(number(&left[1].1, column::I_KEBERADAAN), Some(3), "{database}");
    // From one family to the other: the person and both families.
    let joined = changed("UPDATE tweb_penduduk SET id_kk = 2 WHERE id = 3");
    assert_eq!(names(&joined), ["5201140101109001", "5201140101109002", "5201140505109003"], "{database}");
    let nothing = changed("UPDATE tweb_penduduk SET hamil = 2 WHERE id = 1");
    assert_eq!(names(&nothing), Vec::<String>::new(), "{database}");
    let emptied = changed("UPDATE tweb_keluarga SET alamat = NULL WHERE id = 1");
    let value = |delta: &Delta| delta.get(column::I_ALAMAT_KTP).cloned();
    assert!(emptied.iter().any(|(_, delta)| value(delta) == Some(Value::Cleared)), "{database}: taken back");
}

/// Two villages in one database that number their rows alike.
#[test]
fn villages_that_number_alike_stay_apart() {
    let Some(server) = MariaDb::start() else { return };
    let (_, tables, _) = GENERATIONS[2];
    let keys = ["tweb_penduduk", "tweb_keluarga", "tweb_wil_clusterdesa"]
        .map(|table| format!("ALTER TABLE {table} DROP PRIMARY KEY, ADD PRIMARY KEY (id, config_id);"));
    let mut sql = format!("{tables}; {} {}", people(true), keys.concat());
    sql += "UPDATE tweb_wil_clusterdesa SET id = 3 WHERE config_id = 2;
        UPDATE tweb_keluarga SET id = 1, id_cluster = 3 WHERE config_id = 2;
        UPDATE tweb_penduduk SET id = 1, id_kk = 1, id_cluster = 3 WHERE config_id = 2";
    let origin = server.database("gabungan", &sql);
    let reader = Reader::new();
    reader.run(&["source", "add", "opensid", &origin]);
    reader.run(&["source", "run", "opensid"]);
    let people = reader.stated(RecordKind::Individu);
    let of = |nik: &str, column| people[nik].text(column).map(str::to_owned);
    let kk = |nik: &str| of(nik, column::I_NOMOR_KARTU_KELUARGA);
    assert_eq!(kk("5201140101809001").as_deref(), Some("5201140101109001"));
    assert_eq!(kk("5201140101809011").as_deref(), Some("5201140101109011"));
    assert_eq!(of("5201140101809011", column::I_RT_KTP).as_deref(), Some("007"));
    assert_eq!(reader.stated(RecordKind::Keluarga).len(), 3);
}

#[test]
fn what_an_account_may_not_see_is_an_alarm() {
    let Some(server) = MariaDb::start() else { return };
    let origin = second(&server, "desa");
    let reader = Reader::new();
    server.run(
        "",
        "REVOKE SELECT ON desa.* FROM pembaca@'%'; GRANT SELECT ON desa.tweb_penduduk TO pembaca@'%'",
    );
    let told = reader.fails(&["source", "add", "opensid", &origin]);
    assert!(told.contains("SUMBER_DITOLAK") && told.contains("tweb_keluarga"), "{told}");
    server.run(
        "",
        "REVOKE SELECT ON desa.tweb_penduduk FROM pembaca@'%'; GRANT SELECT (id, nama) ON desa.tweb_penduduk TO pembaca@'%'",
    );
    let told = reader.fails(&["source", "add", "opensid", &origin]);
    assert!(told.contains("SUMBER_DITOLAK: kolom nik, id_kk") && told.contains("sebagian kolom"), "{told}");
    server.run("", "GRANT SELECT ON desa.* TO pembaca@'%'");
    reader.run(&["source", "add", "opensid", &origin]);
    reader.run(&["source", "run", "opensid"]);
    reader.take_pending();
    server.run("desa", "ALTER TABLE tweb_keluarga CHANGE alamat alamat_kk VARCHAR(200)");
    let told = reader.fails(&["source", "run", "opensid"]);
    assert!(told.contains("SUMBER_BERUBAH: kolom alamat"), "{told}");
    assert_eq!(reader.take_pending(), [], "nobody loses an address");
}

#[test]
fn a_state_that_does_not_hold_or_that_nobody_knows_is_told() {
    let Some(server) = MariaDb::start() else { return };
    let origin = second(&server, "desa");
    let reader = Reader::new();
    reader.run(&["source", "add", "opensid", &origin]);
    let codes = || {
        let found = reader.node.json(&["findings", "--all"]).expect("lists").to_string();
        ["ROW_NOT_VALID", "CODE_RANGE"].map(|code| found.matches(&format!("\"{code}\"")).count())
    };
    reader.run(&["source", "run", "opensid"]);
    assert_eq!(codes(), [1, 0], "SALAH KETIK");
    reader.take_pending();
    server.run("desa", "UPDATE tweb_penduduk SET status_dasar = 9 WHERE id = 2; UPDATE tweb_penduduk SET status_dasar = 7 WHERE id = 3");
    let ran = reader.node.json(&["source", "run", "opensid"]).expect("runs");
    assert_eq!(ran[0]["files"][0]["errors"], 2, "{ran}");
    assert_eq!(codes(), [2, 1]);
    server.run("desa", "UPDATE tweb_penduduk SET status_dasar = 1 WHERE id IN (2, 3)");
    reader.run(&["source", "run", "opensid"]);
    let family = &reader.stated(RecordKind::Keluarga)["5201140101109001"];
    assert_eq!(number(family, column::K_JUMLAH_ANGGOTA), Some(5), "whole again");
    assert_eq!(codes(), [1, 0], "mended");
}

#[test]
fn people_of_no_village_are_told() {
    let Some(server) = MariaDb::start() else { return };
    let origin = second(&server, "desa");
    server.run("desa", "DELETE FROM config");
    let reader = Reader::new();
    let shown = reader.run(&["preview", &origin, "--format", "jsonl"]);
    let told = |line: &&str| line.contains("VILLAGE_UNRESOLVED");
    assert_eq!(shown.lines().filter(told).count(), 8, "{shown}");
    let shown = reader.run(&["preview", &origin, "--format", "jsonl", "--wilayah", "52.01.14.2006"]);
    assert_eq!(shown.lines().filter(told).count(), 0, "the operator names it");
}
