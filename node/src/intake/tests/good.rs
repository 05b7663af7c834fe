//! Files as they should be, in every form that they come in.

use super::*;

/// The members' heading of DTSEN v3, all 48 columns.
const MEMBERS_V3: &str = include_str!("members_v3.txt");
/// The families' heading of DTSEN v3, all 52 columns.
const FAMILIES_V3: &str = include_str!("families_v3.txt");

/// A row under a heading, with these columns filled.
fn row(heading: &str, filled: &[(&str, &str)]) -> String {
    let names: Vec<&str> = heading.trim().split('|').collect();
    assert!(filled.iter().all(|(name, _)| names.contains(name)), "a column of the heading");
    let cell = |name: &&str| filled.iter().find(|(n, _)| n == name).map_or("", |(_, value)| *value);
    names.iter().map(cell).collect::<Vec<_>>().join("|")
}

fn context() -> CheckContext {
    let today = Day::from_date(jiff::civil::date(2026, 11, 22));
    CheckContext { region: "52.71".parse().expect("a region"), today }
}

/// A family file as it is delivered: byte order mark, heading in upper case, a line break in the address.
fn families() -> Sample {
    let family = row(
        FAMILIES_V3,
        &[
            ("kode_kelurahan_desa", "5271010004"),
            ("kabupaten_kota", "KOTA MATARAM"),
            ("kecamatan", "AMPENAN"),
            ("kelurahan_desa", "\"DAYAN PEKEN\""),
            ("alamat", "\"JL. CONTOH NO. 9\nRT 01\""),
            ("nomor_kartu_keluarga", "\"5271010101209001\""),
            ("jumlah_anggota_keluarga", "3.0"),
            ("nama_kepala_keluarga", "\"WARGA CONTOH\""),
            ("desil_nasional", "2"),
            ("pbi_nas", "YA"),
            ("jenis_lantai_terluas", "3.0"),
            ("bahan_bakar_utama_memasak", "0"),
            ("aset_bergerak_mobil", "0"),
        ],
    );
    file(format!("\u{feff}{}\n{family}\n", FAMILIES_V3.trim().to_uppercase()))
}

#[test]
fn the_v3_family_file_is_read_whole() {
    let families = families();
    let mut table = open_sample(&families).expect("a table");
    assert_eq!(table.kind(), RecordKind::Keluarga);
    let [notice] = table.notices() else { panic!("one notice: {:?}", table.notices()) };
    assert_eq!(notice.finding.reason, reason::COLUMN_DROPPED);
    assert_eq!(notice.finding.severity, Severity::Notice);
    assert_eq!(notice.column_name.as_deref(), Some("DESIL_NASIONAL, DESIL_PROVINSI, DESIL_KABUPATEN_KOTA"));

    let (mut reader, mut raw) = (reader(), RawRow::new());
    assert!(table.next_row(&mut raw).expect("reads"));
    let reading = reader.read_row(&table, &raw, None);
    let delta = reading.delta.expect("a delta");
    assert_eq!((reading.findings, raw.line), (vec![], 2));
    assert_eq!(reading.key, RowKey::Kk(5_271_010_101_209_001));
    assert_eq!(reading.place.kelurahan_desa.as_deref(), Some("DAYAN PEKEN"));
    assert_eq!(delta.text(column::K_KODE_WILAYAH), Some("52.71.01.1012"));
    assert_eq!(delta.text(column::K_ALAMAT), Some("JL. CONTOH NO. 9 RT 01"));
    assert_eq!(delta.get(column::K_DESIL_NASIONAL), None);
    let blocks: Vec<u8> = delta.blocks.iter().map(|block| block.number.0).collect();
    assert_eq!(blocks, [1, 2, 3, 5, 6]);
    for block in &delta.blocks {
        assert!(block.cells.is_sorted_by_key(|(column, _)| *column));
        assert_eq!((block.provenance.source.as_str(), block.provenance.reference), ("uji", Day(20_758)));
    }
    assert_eq!(Rulebook::builtin().check(&delta, &context()), [], "nothing for the rulebook to say");
    assert!(!table.next_row(&mut raw).expect("reads"));
    assert_eq!(table.bytes_read(), table.total_bytes());
}

#[test]
fn members_live_where_their_family_does() {
    let (mut reader, mut raw, mut places) = (reader(), RawRow::new(), FamilyPlaces::new());
    let families = families();
    let mut table = open_sample(&families).expect("a table");
    assert!(table.next_row(&mut raw).expect("reads"));
    reader.note_family(&table, &raw, &mut places);
    // The KTP is from elsewhere; the member lives where the family does.
    let member = row(
        MEMBERS_V3,
        &[
            ("nomor_induk_kependudukan", "5271014101909001"),
            ("nomor_kartu_keluarga", "5271010101209001"),
            ("nama", "WARGA CONTOH"),
            ("tanggal_lahir", "01-01-1990"),
            ("jenis_kelamin", "P"),
            ("status_hubungan_keluarga", "1"),
            ("kode_kelurahan_desa_ktp", "1101012001"),
        ],
    );
    let members = file(format!("{}\n{member}\n", MEMBERS_V3.trim()));
    let mut table = open_sample(&members).expect("a table");
    assert_eq!((table.kind(), table.notices()), (RecordKind::Individu, &[][..]));
    assert!(table.next_row(&mut raw).expect("reads"));
    let reading = reader.read_row(&table, &raw, Some(&places));
    let delta = reading.delta.expect("a delta");
    assert_eq!((reading.key, reading.findings), (RowKey::Nik(5_271_014_101_909_001), vec![]));
    assert_eq!(delta.text(column::I_KODE_WILAYAH), Some("52.71.01.1012"));
    assert_eq!(delta.text(column::I_KODE_KELURAHAN_DESA_KTP), Some("11.01.01.2001"));
    assert_eq!(delta.number(column::I_JENIS_KELAMIN), Some(2));
    assert_eq!(Rulebook::builtin().check(&delta, &context()), []);

    // Without the family the KTP is no answer, because it lies elsewhere.
    let reading = reader.read_row(&table, &raw, None);
    assert_eq!(reading.delta.expect("a delta").get(column::I_KODE_WILAYAH), None);
    assert_eq!(reading.findings[0].finding.reason, reason::VILLAGE_UNRESOLVED);
}

#[test]
fn the_ktp_places_a_member_only_inside_the_region() {
    let heading =
        format!("{MEMBERS}|kabupaten_kota_ktp|kecamatan_ktp|kelurahan_desa_ktp|kode_kelurahan_desa_ktp");
    for (place, village, says) in [
        ("|||5271011012", Some("52.71.01.1012"), None),
        ("|||52.71.01.1012", Some("52.71.01.1012"), None),
        ("KOTA MATARAM|AMPENAN|DAYAN PEKEN|", Some("52.71.01.1012"), None),
        // A BPS code is another village, or none: the names decide.
        ("KOTA MATARAM|AMPENAN|DAYAN PEKEN|5271010001", Some("52.71.01.1012"), None),
        ("KABUPATEN ACEH SELATAN|BAKONGAN|KEUDE BAKONGAN|", None, Some(reason::VILLAGE_UNRESOLVED)),
        ("|||1101012001", None, Some(reason::VILLAGE_UNRESOLVED)),
        ("|||", None, None),
    ] {
        let all = read_all(&file(format!("{heading}\n{}|{place}\n", member(9001))));
        let reading = &all[0].1;
        assert_eq!(reading.delta.as_ref().expect("a delta").text(column::I_KODE_WILAYAH), village, "{place}");
        let told: Vec<&str> = reading.findings.iter().map(|f| f.finding.reason.as_ref()).collect();
        assert_eq!(told, Vec::from_iter(says), "{place}");
    }
}

#[test]
fn a_bps_code_names_a_village_only_through_a_bridge() {
    let mut files = Files::builtin();
    let bridge = "kode_bps,nama_bps,kode_dagri,nama_dagri\n5271010,AMPENAN,52.71.01,Ampenan\n\
        5271010004,DAYAN PEKEN,52.71.01.1012,Dayan Peken\n";
    files.replace("bridge.csv", bridge.into());
    let bundle = files.numbered(2).and_then(|files| files.pack()).expect("packs");
    let bridged = Arc::new(Rulebook::from_bundle(&bundle).expect("a rulebook"));
    let heading = "nomor_kartu_keluarga|nama_kepala_keluarga|alamat|kabupaten_kota|kecamatan|kelurahan_desa\
        |kode_kecamatan|kode_kelurahan_desa";
    let dayan_peken = Some("52.71.01.1012");
    for (place, without, with) in [
        ("|||5271010|5271010004", None, dayan_peken),
        ("|||5271010.0|5271010004.0", None, dayan_peken),
        ("||DAYAN PEKEN|5271010|", dayan_peken, dayan_peken),
        ("KOTA MATARAM||DAYAN PEKEN|5271010|5271010009", dayan_peken, dayan_peken),
        ("KOTA MATARAM|AMPENAN|TIDAK BERNAMA||5271010004", None, dayan_peken),
        // Names and code of two villages.
        ("KOTA MATARAM|AMPENAN|AMPENAN TENGAH||5271010004", Some("52.71.01.1005"), None),
        // No code of the bridge: as before.
        ("|||5271010|5271010009", None, None),
    ] {
        let content = format!("{heading}\n5271010101209001|WARGA CONTOH|JL. CONTOH NO. 9|{place}\n");
        let sample = file(content);
        for (book, village) in [(Rulebook::builtin(), without), (Arc::clone(&bridged), with)] {
            let mut table = open_sample(&sample).expect("a table");
            let (mut reader, mut raw) = (reader_with(book), RawRow::new());
            assert!(table.next_row(&mut raw).expect("reads"));
            let reading = reader.read_row(&table, &raw, None);
            let delta = reading.delta.expect("a delta");
            assert_eq!(delta.text(column::K_KODE_WILAYAH), village, "{place}");
        }
    }
}

#[test]
fn every_form_of_file_gives_the_same_rows() {
    let rows = [member(9001), member(9002)].join("\n");
    let pipes = format!("{MEMBERS}\n{rows}\n");
    let expected = read_all(&file(&pipes));
    assert_eq!((lines(&expected), told(&expected)), (vec![2, 3], vec![]));
    let deltas = |all: &[(u64, RowReading)]| all.iter().map(|(_, r)| r.delta.clone()).collect::<Vec<_>>();
    for other in [
        pipes.replace('|', ";"),
        pipes.replace('|', ","),
        pipes.replace('|', "\t"),
        pipes.replace('|', " | "),
        pipes.replace('\n', "\r\n"),
        format!("\u{feff}{pipes}"),
        format!("DATA TERPADU\nKota Mataram; 2026\n\n{pipes}"),
        pipes.replace(MEMBERS, &MEMBERS.to_uppercase().replace('|', " | ")),
        pipes.replace(MEMBERS, &MEMBERS.to_uppercase().replace('_', " ")),
        // Files put together, with the heading again.
        format!("{pipes}{}\n{MEMBERS}\n", "\n||||\n"),
        // Every row ends with a delimiter, the heading does not.
        pipes.replace("|2\n", "|2|\n"),
        pipes.replace("\"WARGA CONTOH\"", "\u{a0}WARGA CONTOH\u{200b} "),
        pipes.trim_end().to_owned(),
    ] {
        let all = read_all(&file(&other));
        assert_eq!(told(&all), [], "{other}");
        assert_eq!(deltas(&all), deltas(&expected), "{other}");
    }
}

#[test]
fn foreign_columns_are_named_once() {
    let sample = file(format!("no|{MEMBERS}|desil_nasional|gaji\n1|{}|3|900\n", member(9001)));
    let table = open_sample(&sample).expect("a table");
    let [notice] = table.notices() else { panic!("one notice") };
    assert_eq!(notice.column_name.as_deref(), Some("no, desil_nasional, gaji"));
    assert_eq!((notice.finding.severity, notice.detail), (Severity::Notice, Some(Detail::Foreign)));
    assert_eq!(lines(&read_all(&sample)), [2]);
}

#[test]
fn older_names_are_understood_and_the_one_of_today_counts() {
    let heading = "nomor_kartu_keluarga|alamat|nama_anggota_keluarga|nama_kepala_keluarga";
    let all = read_all(&file(format!("{heading}\n5271010101209001|JL. CONTOH|LAMA|BARU\n")));
    let delta = all[0].1.delta.as_ref().expect("a delta");
    assert_eq!(delta.text(column::K_NAMA_KEPALA), Some("BARU"));
}

#[test]
fn what_is_missing_is_not_stated_and_what_nobody_knows_is_kept() {
    let heading = format!("{MEMBERS}|status_kawin|partisipasi_sekolah|pbi_nas|penyakit_kronis");
    let all = read_all(&file(format!("{heading}\n5271014101909001|-|NaN|null||-1|-1.0||batuk\n")));
    let delta = all[0].1.delta.as_ref().expect("a delta");
    let cells: Vec<_> = delta.blocks.iter().flat_map(|block| &block.cells).collect();
    assert_eq!(cells.len(), 2, "NIK and the unknown word");
    assert_eq!(cells[1].1, Value::Unmapped("batuk".into()));
}

#[test]
fn a_digest_follows_the_bytes_and_the_meaning() {
    let digests = |content: String| {
        let sample = file(content);
        let (mut table, mut row, mut all) =
            (open_sample(&sample).expect("a table"), RawRow::new(), Vec::new());
        while table.next_row(&mut row).expect("reads") {
            all.push(row.digest);
        }
        all
    };
    let rows = format!("{}\n{}\n{}", member(9001), member(9002), member(9001));
    let first = digests(format!("{MEMBERS}\n{rows}\n"));
    assert_eq!(first[0], first[2]);
    assert_ne!(first[0], first[1]);
    assert_eq!(first, digests(format!("LAPORAN\r\n{MEMBERS}\r\n{}", rows.replace('\n', "\r\n"))));
    // The same bytes under other names mean something else.
    let swapped = MEMBERS.replace("nama|tanggal_lahir", "tanggal_lahir|nama");
    assert_ne!(first[0], digests(format!("{swapped}\n{rows}\n"))[0]);
}

#[test]
fn keys_are_stable_without_a_number() {
    let key = |line: &str| read_all(&file(format!("{MEMBERS}\n{line}\n")))[0].1.key;
    let one = key("-|5271010101209001|WARGA CONTOH|1990-01-01|2");
    assert_eq!(one, key("3,40413E+15|5271010101209001| WARGA CONTOH|1990-01-01|L"));
    assert_ne!(one, key("-|5271010101209001|WARGA LAIN|1990-01-01|2"));
    assert_ne!(key("-|5271010101209001||1990-01-01|2"), key("-|5271010101209001||1990-01-01|1"));
    assert_ne!(RowKey::Nik(5).to_bytes(), RowKey::Kk(5).to_bytes());
}

#[test]
fn nothing_prints_a_value() {
    let all = read_all(&file(format!("{MEMBERS}\n{}\n", member(9001))));
    let printed = format!("{all:?}");
    assert!(!printed.contains("WARGA") && !printed.contains("9001"), "{printed}");
}
