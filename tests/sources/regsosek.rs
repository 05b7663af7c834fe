//! The answers of Regsosek 2022-K in OpenSID's module, in both of its generations: DTSEN's columns and codes, under the
//! identity of Regsosek.

use dtsen_proto::{
    record::{Day, Delta, RecordKind},
    rulebook::Rulebook,
};

use dtsen_tests::mariadb::MariaDb;

use crate::{
    node::Reader,
    opensid::{GENERATIONS, day, people, second},
};

const SOURCE: &str = "regsosek-senggigi";
const DTKS: &str = include_str!("opensid/dtks.sql");
/// What 2026 has besides: more questions, and room for more than one disease.
const OF_2026: &str = "ALTER TABLE dtsen_anggota MODIFY kd_penyakit_kronis_menahun VARCHAR(50),
    ADD kd_keterampilan_khusus_sertifikat VARCHAR(2), ADD kd_pendapatan_sebulan_terakhir VARCHAR(2);
    UPDATE dtsen_anggota SET kd_penyakit_kronis_menahun = '2,6' WHERE id = 6;";

/// Forms and members: invented, as all people are. The first form is of 2022, the second has no day and two meters.
const ANSWERS: &str = "
    UPDATE tweb_penduduk SET pendidikan_sedang_id = 11 WHERE id = 6;
    INSERT INTO dtks (id, config_id, id_keluarga, versi_kuisioner, tanggal_pendataan, kd_hasil_pendataan_keluarga,
        kd_stat_bangunan_tinggal, luas_lantai, kd_jenis_lantai_terluas, kd_jenis_dinding, kd_jenis_atap, kd_sumber_air_minum,
        kd_sumber_penerangan_utama, kd_daya_terpasang, kd_bahan_bakar_memasak, kd_fasilitas_tempat_bab, kd_jenis_kloset,
        kd_pembuangan_akhir_tinja, kd_tabung_gas_5_5_kg, kd_televisi, kd_sepeda_motor, kd_mobil, kd_lahan, jumlah_sapi,
        jumlah_babi) VALUES
        (1, 1, 1, '2', '2022-11-01', '1', '1', 45, '6', '1', '5', '4', '1', '2', '12', '1', '1', '1', '2', '1', '1', '0', '2', 2, 0),
        (2, 1, 2, '2', NULL, '2', '3', NULL, '', '6', '6', NULL, '1', '1', '4', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    -- Another questionnaire, and one that nobody answered.
    INSERT INTO dtks (id, config_id, id_keluarga, versi_kuisioner, kd_hasil_pendataan_keluarga, kd_jenis_atap) VALUES
        (3, 1, 1, '1', '1', '1'), (4, 2, 11, '2', '4', '1');
    UPDATE dtks SET kd_daya_terpasang2 = '2' WHERE id = 2;
    INSERT INTO dtks_anggota (id, config_id, id_dtks, id_penduduk, id_keluarga, kd_ket_keberadaan_art, kd_hubungan_dg_kk,
        kd_partisipasi_sekolah, kd_pendidikan_tertinggi, kd_kelas_tertinggi, kd_ijazah_tertinggi, kd_bekerja_seminggu_lalu,
        kd_lapangan_usaha_pekerjaan, kd_kedudukan_di_pekerjaan, kd_punya_usaha_sendiri_bersama, jumlah_usaha_sendiri_bersama,
        jumlah_pekerja_dibayar, kd_omset_usaha_perbulan, kd_sulit_penglihatan, kd_sering_sedih_depresi,
        kd_penyakit_kronis_menahun) VALUES
        (1, 1, 1, 1, 1, '1', '1', '2', '13', '8', '13', '1', '1', '2', '1', 1, 0, '3', '3', '4', '2'),
        (2, 1, 1, 2, 1, '1', '2', '2', '8', '8', '8', '2', NULL, NULL, '2', NULL, NULL, NULL, '4', '4', '18'),
        (4, 1, 1, 4, 1, '1', '3', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '4', NULL, '1'),
        (5, 1, 1, 5, 1, '1', '6', '2', NULL, NULL, '23', '2', NULL, NULL, NULL, NULL, NULL, NULL, '1', '4', '2'),
        (6, 1, 1, 6, 1, '1', '8', '2', '19', '8', '19', '2', NULL, NULL, NULL, NULL, NULL, NULL, '4', '4', '1'),
        (7, 1, 3, 7, 2, '1', '1', '2', '3', '8', '3', '1', '1', '6', NULL, NULL, NULL, NULL, '4', '4', '1');";

/// A column by DTSEN's name.
fn value(delta: &Delta, name: &str) -> Option<i64> {
    let rulebook = Rulebook::builtin();
    delta.number(rulebook.column_named(delta.kind, name).expect("a column of the table").number)
}

/// The days that its blocks describe: identity, then answers.
fn days(delta: &Delta) -> (Day, Vec<Day>) {
    let identity = delta.kind.identity();
    let of = |own: bool| {
        let blocks = delta.blocks.iter().filter(move |block| (block.number == identity) == own);
        blocks.filter(|block| !matches!(block.number.0, 2 | 23)).map(|block| block.provenance.reference)
    };
    (of(true).next().expect("an identity"), of(false).collect())
}

fn begin(server: &MariaDb, module: &str) -> Reader {
    let (_, ddl, _) = GENERATIONS[2];
    let more = if module == "dtsen" { OF_2026 } else { "" };
    let sql = format!("{DTKS}{ANSWERS}").replace("dtks", module);
    let origin = server.database(module, &format!("{ddl}{}{sql}{more}", people(true)));
    let reader = Reader::new();
    let told = reader.fails(&["source", "add", "opensid-senggigi", &origin, "--preset", "opensid-regsosek"]);
    assert!(told.contains("diawali jenisnya"), "{told}");
    reader.run(&["source", "add", SOURCE, &origin, "--preset", "opensid-regsosek"]);
    reader.run(&["source", "run", SOURCE]);
    reader
}

#[test]
fn answers_are_dtsens_columns_in_both_generations() {
    let Some(server) = MariaDb::start() else { return };
    for module in ["dtks", "dtsen"] {
        let reader = begin(&server, module);
        families_are_there(&reader, module);
        members_are_there(&reader, module);
        assert_eq!(reader.take_pending().len(), 5, "{module}");
        let again = reader.run(&["source", "run", SOURCE]);
        assert!(again.contains("tidak ada yang berubah"), "{again}");
        changes_are_exactly_those(&server, &reader, module);
    }
}

fn families_are_there(reader: &Reader, module: &str) {
    let families = reader.stated(RecordKind::Keluarga);
    assert_eq!(families.keys().collect::<Vec<_>>(), ["5201140101109001", "5201140101109002"], "{module}");
    let first = &families["5201140101109001"];
    for (name, expected) in [
        ("status_kepemilikan_rumah", Some(1)),
        ("jenis_lantai_terluas", Some(6)),
        ("luas_lantai", Some(45)),
        ("jenis_dinding_terluas", Some(1)),
        // 5 is wood with OpenSID, and 6 with DTSEN.
        ("jenis_atap_terluas", Some(6)),
        ("sumber_air_minum_utama", Some(4)),
        ("sumber_penerangan_utama", Some(1)),
        ("daya_terpasang", Some(2)),
        ("bahan_bakar_utama_memasak", Some(0)),
        ("fasilitas_bab", Some(1)),
        ("jenis_kloset", Some(1)),
        ("pembuangan_akhir_tinja", Some(1)),
        ("aset_bergerak_tabung_gas", Some(2)),
        ("aset_bergerak_tv_datar", Some(1)),
        ("aset_bergerak_sepeda_motor", Some(1)),
        // A field that was left at 0 is no answer; a number of animals is one.
        ("aset_bergerak_mobil", None),
        ("aset_tidak_bergerak_lahan_lainnya", Some(2)),
        ("jumlah_ternak_sapi", Some(2)),
        ("jumlah_ternak_babi", Some(0)),
        ("jumlah_anggota_keluarga", Some(5)),
    ] {
        assert_eq!(value(first, name), expected, "{module} {name}");
    }
    let texts = [dtsen_proto::column::K_NAMA_KEPALA, dtsen_proto::column::K_KODE_WILAYAH];
    let texts = texts.map(|column| first.text(column).unwrap_or_default().to_owned());
    assert_eq!(texts, ["AHMAD YANI", "52.01.14.2006"], "{module}");
    assert!(first.blocks.iter().all(|block| block.provenance.source == SOURCE), "{module}");
    let (today, asked) = days(first);
    let interview = Day(i32::try_from(day(2022, 11, 1)).expect("a day"));
    assert!(today > interview, "{module}: who they are, they are today");
    assert!(asked.iter().all(|day| *day == interview) && asked.len() == 3, "{module}: {asked:?}");
    let second = &families["5201140101109002"];
    assert_eq!(second.text(dtsen_proto::column::K_ALAMAT), Some("JL KECIL"), "{module}: the head's");
    for (name, expected) in [
        ("status_kepemilikan_rumah", Some(3)),
        ("jenis_lantai_terluas", None),
        ("jenis_atap_terluas", Some(5)),
        // Two meters, and DTSEN has one column.
        ("daya_terpasang", None),
        ("bahan_bakar_utama_memasak", Some(4)),
    ] {
        assert_eq!(value(second, name), expected, "{module} {name}");
    }
    let (today, asked) = days(second);
    assert!(asked.iter().all(|day| *day == today), "{module}: a form without a day");
}

fn members_are_there(reader: &Reader, module: &str) {
    let members = reader.stated(RecordKind::Individu);
    // Nobody without a NIK, nobody who died, nobody of another questionnaire.
    let expected = ["5201140101809001", "5201144203829002", "5201144505009016"];
    assert_eq!(members.keys().collect::<Vec<_>>(), expected, "{module}");
    let [ahmad, siti, dewi] = expected.map(|nik| &members[nik]);
    for (person, name, expected) in [
        (ahmad, "status_hubungan_keluarga", Some(1)),
        (ahmad, "status_kawin", Some(2)),
        (ahmad, "jenjang_tertinggi_yang_diduduki", Some(13)),
        (ahmad, "kelas_tertinggi_yang_diduduki", Some(8)),
        (ahmad, "ijazah_tertinggi_yang_dimiliki", Some(13)),
        (ahmad, "status_bekerja", Some(1)),
        (ahmad, "lapangan_usaha_dari_pekerjaan_utama", Some(1)),
        (ahmad, "status_dalam_pekerjaan_utama", Some(2)),
        (ahmad, "kepemilikan_usaha", Some(1)),
        (ahmad, "jumlah_usaha", Some(1)),
        (ahmad, "jumlah_pekerja_yang_dibayar_dari_usaha_utama", Some(0)),
        (ahmad, "omzet_usaha_utama", Some(3)),
        (ahmad, "penglihatan", Some(3)),
        (ahmad, "kesedihan_depresi", Some(4)),
        (ahmad, "penyakit_kronis", Some(2)),
        // The module writes these by itself, and wrongly.
        (ahmad, "partisipasi_sekolah", None),
        (ahmad, "keberadaan_anggota", None),
        (siti, "status_hubungan_keluarga", Some(2)),
        (siti, "penyakit_kronis", None),
        // She studies: what the module says of her certificate is not so yet. A child-in-law, whatever the copy says.
        (dewi, "status_hubungan_keluarga", Some(4)),
        (dewi, "jenjang_tertinggi_yang_diduduki", Some(19)),
        (dewi, "kelas_tertinggi_yang_diduduki", None),
        (dewi, "ijazah_tertinggi_yang_dimiliki", None),
        (dewi, "penyakit_kronis", (module == "dtks").then_some(1)),
    ] {
        assert_eq!(value(person, name), expected, "{module} {name}");
    }
}

fn changes_are_exactly_those(server: &MariaDb, reader: &Reader, module: &str) {
    let changed = |sql: &str| {
        server.run(module, &sql.replace("dtks", module));
        reader.run(&["source", "run", SOURCE]);
        reader.take_pending()
    };
    let names =
        |pending: &[(String, Delta)]| pending.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let roof = changed("UPDATE dtks SET kd_jenis_atap = '2' WHERE id = 1");
    assert_eq!(names(&roof), ["5201140101109001"], "{module}");
    assert_eq!(value(&roof[0].1, "jenis_atap_terluas"), Some(2), "{module}");
    // Said otherwise on a form whose day stayed: known since today, else another source's older word would hold.
    let (today, asked) = days(&roof[0].1);
    assert_eq!(asked, [today], "{module}: housing alone");
    let work = changed("UPDATE dtks_anggota SET kd_kedudukan_di_pekerjaan = '4' WHERE id = 1");
    assert_eq!(names(&work), ["5201140101809001"], "{module}");
    let nothing =
        changed("UPDATE dtks_anggota SET kd_partisipasi_sekolah = '3', kd_jamkes_setahun = '1' WHERE id = 1");
    assert_eq!(names(&nothing), Vec::<String>::new(), "{module}");
    server.run(module, &format!("ALTER TABLE {module} CHANGE kd_ac kd_pendingin VARCHAR(2)"));
    let told = reader.fails(&["source", "run", SOURCE]);
    assert!(told.contains("SUMBER_BERUBAH: kolom kd_ac"), "{told}");
    assert_eq!(reader.take_pending().len(), 0, "{module}: nothing is taken back");
}

#[test]
fn without_the_module_or_beside_an_emptied_one() {
    let Some(server) = MariaDb::start() else { return };
    let origin = second(&server, "tanpa");
    let reader = Reader::new();
    let add = ["source", "add", SOURCE, &origin, "--preset", "opensid-regsosek"];
    assert!(reader.fails(&add).contains("tidak ada modul Regsosek"));
    // The tables of both generations, after an update that has not moved the forms yet; no config_id.
    let both = format!("{DTKS}{ANSWERS}{}", DTKS.replace("dtks", "dtsen"));
    server.run("tanpa", &both.replace("(4, 2, 11,", "(4, 2, 2,"));
    reader.run(&add);
    reader.run(&["source", "run", SOURCE]);
    assert_eq!(reader.stated(RecordKind::Keluarga).len(), 2);
}
