//! Bad input: an error or a finding with file, line and column; never a crash; the good rows go on.

use super::*;

/// The text of the error that opening gives.
fn refusal(content: impl AsRef<[u8]>) -> String {
    let sample = file(content);
    let error = open_sample(&sample).err().expect("a refusal").to_string();
    let (named, text) = error.split_at(sample.path.to_string_lossy().len());
    assert_eq!(named, sample.path.to_string_lossy(), "names the file");
    text.to_owned()
}

#[test]
fn files_that_are_no_tables_are_refused_with_a_way_out() {
    for (content, says) in [
        (&b""[..], "berkas kosong"),
        (b"\xEF\xBB\xBF\r\n \r\n", "berkas kosong"),
        (b"PK\x03\x04\x14\x00", "Simpan sebagai CSV"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1", ".xls"),
        (b"\xFF\xFEn\0o\0", "UTF-16"),
        (&[0; 4_096], "data nol"),
        (b"a,b,c\n1,2,3\n", "baris judul tidak ditemukan dalam 3 baris"),
        (b"nama;umur\nWARGA;3\n", "baris 1: judul bukan susunan DTSEN"),
        (b"pbi_nas|pbi_pemda|nomor_kartu_keluarga\n", "baris 1: judul bukan susunan DTSEN"),
    ] {
        let text = refusal(content);
        assert!(text.contains(says), "{text}");
    }
}

#[test]
fn a_missing_column_is_named() {
    let text = refusal("LAPORAN\n\nnomor_kartu_keluarga,nama,tanggal_lahir,jenis_kelamin\n");
    assert!(text.contains("baris 3: kolom nomor_induk_kependudukan tidak ada"), "{text}");
    let text = refusal("nomor_induk_kependudukan,tanggal_lahir,jenis_kelamin\n");
    assert!(text.contains("kolom nomor_kartu_keluarga, nama tidak ada"), "{text}");
    let text = refusal("alamat,jenis_lantai_terluas,kecamatan\n");
    assert!(text.contains("kolom nomor_kartu_keluarga tidak ada"), "{text}");
    let text = refusal(format!("{MEMBERS}|Nama \n"));
    assert!(text.contains("kolom Nama ada dua kali, di urutan 3 dan 6"), "{text}");
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let error = open("/tidak/ada.csv".as_ref(), &Rulebook::builtin()).err().expect("a refusal");
    assert!(error.to_string().starts_with("/tidak/ada.csv: tidak dapat dibaca: "), "{error}");
    assert!(error.to_string().ends_with("tidak ada; periksa nama dan foldernya"), "{error}");
}

#[test]
fn a_number_from_a_spreadsheet_is_told_and_not_stated() {
    let rows = [
        member(9001),
        "3,40413E+15|5271010101209001|WARGA|1990-01-01|2".into(),
        // Unquoted and ending in 0, while the others stand in quotes.
        "5271014101909010|\"5271010101209001\"|WARGA|1990-01-01|2".into(),
        member(9020),
        "5271014101909030.0|\"5271010101209001\"|WARGA|1990-01-01|2".into(),
        "0527101100100001|\"5271010101209001\"|WARGA|1990-01-01|2".into(),
        "527101410190900|\"5271010101209001\"|WARGA|1990-01-01|2".into(),
        member(9002),
        member(9003),
    ];
    let all = read_all(&file(format!("{MEMBERS}\n{}\n", rows.join("\n"))));
    let nik = Some("nomor_induk_kependudukan");
    let number = |line| (line, reason::NIK_AS_NUMBER, nik);
    assert_eq!(told(&all), [number(3), number(4), number(6), (7, reason::NIK_PLACEHOLDER, nik)]);
    let stated: Vec<Option<&str>> =
        all.iter().map(|(_, r)| r.delta.as_ref().expect("a delta").natural_key()).collect();
    assert_eq!(stated[..3], [Some("5271014101909001"), None, None]);
    assert_eq!(stated[3..6], [Some("5271014101909020"), None, None]);
    assert_eq!(stated[6], Some("527101410190900"), "left to the rulebook as it is");
}

#[test]
fn a_column_of_lost_digits_is_seen_in_the_sample() {
    let rows: Vec<String> = (901..=909).map(|serial| member(serial * 10).replace('"', "")).collect();
    let sound = member(9001).replace('"', "");
    let all = read_all(&file(format!("{MEMBERS}\n{}\n{sound}\n", rows.join("\n"))));
    assert_eq!(told(&all).len(), 9);
    assert!(told(&all).iter().all(|(_, code, _)| *code == reason::NIK_AS_NUMBER));
}

#[test]
fn broken_rows_are_left_out_alone() {
    let rows = [
        member(9001),
        "kurang|kolom".into(),
        member(9002),
        format!("{}|lebih", member(9003)),
        String::new(),
        member(9004),
        // A quote that never closes.
        "\"5271014101909005\"|\"5271010101209001\"|\"WARGA|1990-01-01|2".into(),
        member(9006),
        member(9007),
        // Cut in the first field: the row after it must not be swallowed.
        "\"52710".into(),
        member(9008),
        "||||".into(),
        member(9009),
    ];
    let all = read_all(&file(format!("{MEMBERS}\r\n{}\r\n", rows.join("\r\n"))));
    let broken = |line| (line, reason::ROW_BROKEN, None);
    assert_eq!(told(&all), [broken(3), broken(5), broken(8), broken(11)]);
    assert_eq!(lines(&all), [2, 4, 7, 9, 10, 12, 14]);
    let text = all[1].1.findings[0].message(&Rulebook::builtin(), "anggota.csv");
    assert!(
        text.starts_with("anggota.csv baris 3: ") && text.contains("judul 5 kolom, baris ini 2 kolom"),
        "{text}"
    );
}

#[test]
fn a_last_line_that_is_cut_is_told() {
    for cut in ["\"52710141019", "\"5271014101909002\"|\"5271010101209001\"|\"WARGA", "5271014101909002|5271"]
    {
        let all = read_all(&file(format!("{MEMBERS}\n{}\n{cut}", member(9001))));
        assert_eq!(told(&all), [(3, reason::LAST_LINE_CUT, None)], "{cut}");
        assert_eq!(lines(&all), [2]);
    }
    let all = read_all(&file(format!("{MEMBERS}\n{}", member(9001))));
    assert_eq!((told(&all), lines(&all)), (vec![], vec![2]), "complete, only without a newline");
}

#[test]
fn a_line_of_two_gigabytes_is_passed_over() {
    let sample = file(format!("{MEMBERS}\n{}\n", member(9001)));
    let mut end = File::options().write(true).open(&sample.path).expect("opens");
    let length = end.metadata().expect("a file").len() + (2 << 30);
    end.set_len(length).expect("a sparse file");
    end.seek(SeekFrom::End(0)).expect("seeks");
    write!(end, "\n{}\n", member(9002)).expect("writes");
    let all = read_all(&sample);
    assert_eq!(told(&all), [(3, reason::LINE_TOO_LONG, None)]);
    assert_eq!(all[1].1.findings[0].detail, Some(Detail::Bytes((2 << 30) + 1)));
    assert_eq!(lines(&all), [2, 4]);
}

#[test]
fn a_record_longer_than_the_limit_is_passed_over_even_with_newlines_in_it() {
    let long = "x".repeat(MAX_RECORD_BYTES / 2);
    let rows = format!("\"{long}\n{long}\n{long}\"|a|b|c\n{}\n", member(9002));
    let all = read_all(&file(format!("{MEMBERS}\n{rows}")));
    assert_eq!(lines(&all), [5]);
    assert!(told(&all).iter().all(|(_, code, _)| *code == reason::ROW_BROKEN));
}

#[test]
fn broken_bytes_are_told_with_their_column() {
    let mut content = format!("{MEMBERS}\n").into_bytes();
    content.extend_from_slice(b"5271014101909001|5271010101209001|MA\x92RUF|1990-01-01|2\n");
    content.extend_from_slice(b"5271014101909002|5271010101209001|AB\xC3|1990-01-01|2\n");
    content.extend_from_slice("5271014101909003|5271010101209001|RENÉ|1990-01-01|2\n".as_bytes());
    let all = read_all(&file(content));
    let broken = |line| (line, reason::BYTES_BROKEN, Some("nama"));
    assert_eq!(told(&all), [broken(2), broken(3)]);
    let names: Vec<&str> = all.iter().filter_map(|(_, r)| r.delta.as_ref()?.text(column::I_NAMA)).collect();
    assert_eq!(names, ["MA’RUF", "AB\u{fffd}", "RENÉ"]);
}
