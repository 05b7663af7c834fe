use std::sync::Arc;

use dtsen_proto::rulebook::Rulebook;
use jiff::civil::date;

use super::*;
use crate::{place::Places, preset::Preset};

fn rows(text: &str) -> Vec<Row> {
    let cells = |line: &str| {
        let cell = |cell: &str| if cell.is_empty() { Cell::Empty } else { Cell::Text(cell.to_owned()) };
        line.split(';').map(cell).collect()
    };
    (1..)
        .zip(text.lines())
        .map(|(number, line)| Row { number, cells: cells(line), ..Row::default() })
        .collect()
}

fn proposed(text: &str) -> Proposal {
    propose(&rows(text), date(2026, 11, 23)).expect("a table")
}

/// What each column is used for; in brackets what is proposed and left aside.
fn targets(text: &str) -> Vec<String> {
    let proposal = proposed(text);
    let book = Rulebook::builtin();
    let written = proposal.to_toml("uji", "");
    Preset::mapping(&written, &book).unwrap_or_else(|wrong| panic!("{wrong}: {written}"));
    let shown = |column: &Column| match (column.used(), &column.target) {
        (Some(target), _) => target.to_owned(),
        (None, Some(target)) => format!("({target})"),
        (None, None) => "-".to_owned(),
    };
    proposal.columns.iter().map(shown).collect()
}

fn mapped(text: &str) -> Preset {
    Preset::mapping(text, &Rulebook::builtin()).expect("a mapping")
}

#[test]
fn words_first_then_shapes() {
    let text = "DAFTAR\nIdentitas;Kartu;Orang;Lhr;Gol;Posisi;RT;Warna\n\
        5271010101809001;5271010101109001;AHMAD YANI;01-02-1980;L;Kepala Keluarga;1;MERAH TUA\n\
        5271014203829002;5271010101109001;SITI AMINAH;02-03-1982;P;Istri;1;MERAH TUA\n\
        5271010505109003;5271010101109001;BUDI SANTOSO;05-05-2010;L;Anak;1;MERAH TUA";
    let expected = ["nik", "no_kk", "nama", "tanggal_lahir", "jenis_kelamin", "hubungan", "rt", "-"];
    assert_eq!(targets(text), expected);
    assert_eq!(proposed(text).row, Some(2));
    let mapping = mapped(&proposed(text).to_toml("uji", ""));
    assert_eq!(mapping.columns.get("identitas").map(String::as_str), Some("nik"));
}

#[test]
fn what_stands_beside_the_name_of_another_is_the_others() {
    let text = "Nama Ibu;NIK;Tgl Lahir;Nama Balita;NIK;Tgl Lahir\n\
        INDAH;5271014101809001;01-01-1980;AHMAD YANI;5271010503209002;05-03-2020\n\
        SITI AMINAH;5271014203829003;02-03-1982;BUDI SANTOSO;5271010505219004;05-05-2021\n\
        RAHAYU;5271014607839005;06-07-1983;LESTARI;5271014808199006;08-08-2019";
    assert_eq!(targets(text), ["-", "-", "-", "nama", "nik", "tanggal_lahir"]);
    let fathers = text.replace("Nama Ibu", "Nama Ayah").replace("Balita", "Lengkap");
    assert_eq!(targets(&fathers), ["-", "-", "-", "nama", "nik", "tanggal_lahir"]);
}

#[test]
fn a_birth_date_in_three_columns_is_joined() {
    let text = "NIK;Nama;Tgl. Lahir;Bln. Lahir;Thn. Lahir\n5271010101809001;AHMAD YANI;1;1;1980";
    let written = proposed(text).to_toml("uji", "");
    let mapping = mapped(&written);
    let [born] = &mapping.derive[..] else { panic!("{written}") };
    assert_eq!(
        (&*born.target, born.from.join("+")),
        ("tanggal_lahir", "tgl lahir+bln lahir+thn lahir".into())
    );
    assert_eq!(mapping.columns.get("tgl lahir").map(String::as_str), Some("-"));
    // What it shows as an example is one.
    let example = written.split_once("bila tidak dipakai sendiri.\n").expect("an example").1;
    let example = example.split("\n\n").next().unwrap_or_default().replace("# ", "");
    mapped(&format!("name = \"a\"\ntitle = \"a\"\nsource = \"lokal\"\n{example}"));
}

/// Four people, three of them women, with what stands beside their names: `{nik}`, `{lahir}`, `{kk}`, `{jk}` are theirs,
/// `{wali}` is the NIK of somebody else, `{tahun_ini}` a day of this year.
fn people(heading: &str, line: &str) -> String {
    let mut text = heading.to_owned();
    for (nik, born, sex, other, lately) in [
        ("5271014101809001", "01/01/1980", "P", "5271010202609011", "03/02/2026"),
        ("5271014203829002", "02/03/1982", "P", "5271010303619012", "04/05/2026"),
        ("5271010505109003", "05/05/2010", "L", "5271014404629013", "06/07/2026"),
        ("5271015206999004", "12/06/1999", "P", "5271010909639014", "08/09/2026"),
    ] {
        let name = ["AHMAD YANI", "SITI AMINAH", "BUDI SANTOSO", "RATNA DEWI"]
            [usize::from(nik.as_bytes()[15] - b'1')];
        let kk = format!("52710101011{}9021", &nik[14..15]);
        let line = line.replace("{nik}", nik).replace("{lahir}", born).replace("{jk}", sex);
        let line = line.replace("{wali}", other).replace("{tahun_ini}", lately).replace("{nama}", name);
        text = format!("{text}\n{}", line.replace("{kk}", &kk[..16]));
    }
    text
}

#[test]
fn a_nik_of_somebody_else_is_left_aside() {
    for (heading, line, expected) in [
        (
            "Nama Lansia;NIK Wali;NIK Lansia;Tanggal Lahir",
            "{nama};{wali};{nik};{lahir}",
            &["nama", "-", "nik", "tanggal_lahir"][..],
        ),
        (
            "Nama Suami;NIK Suami;Tgl Nikah",
            "{nama};{nik};{tahun_ini}",
            &["(nama)", "(nik)", "(tanggal_lahir)"],
        ),
        // Without a word: it is of another birth date.
        ("A;B;C;D", "{nama};{lahir};{jk};{wali}", &["nama", "tanggal_lahir", "jenis_kelamin", "(nik)"]),
        ("A;B;C;D", "{nama};{lahir};{jk};{nik}", &["nama", "tanggal_lahir", "jenis_kelamin", "nik"]),
        // With a heading that is known.
        (
            "Nama Ibu;NIK;Nama Anak;Tgl Lahir;JK",
            "IBU;{wali};{nama};{lahir};{jk}",
            &["-", "(nik)", "nama", "tanggal_lahir", "jenis_kelamin"],
        ),
        ("Nama;No Rekening;NIK", "{nama};{wali};{nik}", &["nama", "-", "nik"]),
        // Nothing says which of two is meant.
        ("Nama;NIK;Nama Terlapor;NIK Terlapor", "SAKSI;{wali};{nama};{nik}", &["nama", "(nik)", "-", "-"]),
        // Two people in a row: the sex is of one of them, and so is the name beside the NIK.
        (
            "Nama;NIK;Nama;NIK;Tgl Lahir;L/P",
            "IBU;{wali};{nama};{nik};{lahir};{jk}",
            &["-", "-", "nama", "nik", "tanggal_lahir", "jenis_kelamin"],
        ),
        (
            "Nama;NIK;Lahir;Nama;NIK;Tgl Lahir;L/P",
            "IBU;5271010202609011;02/02/1960;{nama};{nik};{lahir};{jk}",
            &["-", "-", "-", "nama", "nik", "tanggal_lahir", "jenis_kelamin"],
        ),
        ("Nama Anggota;No Anggota;Alamat", "{nama};{nik};JL MAWAR", &["nama", "(nik)", "alamat"]),
        ("Orang;Kode;Rumah", "{nama};{nik};JL MAWAR 5", &["nama", "(nik)", "-"]),
    ] {
        assert_eq!(targets(&people(heading, line)), expected, "{heading}");
    }
}

#[test]
fn a_number_of_a_family_is_no_nik() {
    let text = people("Urut;Peserta;Kartu;Identitas;Kel", "1;{nama};{kk};{nik};{jk}");
    let found = targets(&text);
    assert_eq!((&*found[1], &*found[3], &*found[4]), ("nama", "nik", "jenis_kelamin"), "{found:?}");
    assert_ne!(found[2], "nik");
    let repeated = text.lines().map(|line| {
        let cells: Vec<&str> = line.split(';').collect();
        format!("{};{};5271010101109021;{}", cells[0], cells[1], cells[4])
    });
    let repeated = repeated.collect::<Vec<_>>().join("\n").replacen("5271010101109021", "Kartu", 1);
    assert_eq!(targets(&repeated)[2], "no_kk");
}

#[test]
fn the_upper_line_of_a_heading_says_whose_it_is() {
    let text =
        people(";;;Orang Tua;;\nNo;Nama Balita;Tgl Lahir;Nama;NIK;JK", "1;{nama};{lahir};IBU;{wali};{jk}");
    let found = targets(&text);
    assert!(found[4] != "nik", "{found:?}");
    let text =
        people("No;Suami;Tgl Lahir;Alamat;Istri;\n;Nama;;;Nama;NIK", "1;{nama};{lahir};MAWAR;IBU;{wali}");
    let found = targets(&text);
    assert!(found[1] != "nama" && found[5] != "nik", "{found:?}");
}

#[test]
fn a_date_is_of_birth_if_the_nik_or_decades_say_so() {
    for (heading, line, expected) in [
        (
            "NIK;Nama;Tgl Cair;Alamat",
            "{nik};{nama};{tahun_ini};JL MAWAR",
            &["nik", "nama", "(tanggal_lahir)", "alamat"][..],
        ),
        (
            "NIK;Nama;HPHT;Alamat",
            "{nik};{nama};{tahun_ini};JL MAWAR",
            &["nik", "nama", "(tanggal_lahir)", "alamat"],
        ),
        (
            "NIK;Nama;X;Alamat",
            "{nik};{nama};{tahun_ini};JL MAWAR",
            &["nik", "nama", "(tanggal_lahir)", "alamat"],
        ),
        (
            "NIK;Nama;Tgl Meninggal;Tgl Lahir Alm",
            "{nik};{nama};{tahun_ini};{lahir}",
            &["nik", "nama", "-", "tanggal_lahir"],
        ),
        ("Orang;Rumah;Hari", "{nama};MAWAR 5;{lahir}", &["nama", "-", "tanggal_lahir"]),
        ("Orang;Rumah;Hari", "{nama};MAWAR 5;{tahun_ini}", &["nama", "-", "(tanggal_lahir)"]),
    ] {
        assert_eq!(targets(&people(heading, line)), expected, "{heading}");
    }
}

#[test]
fn a_heading_that_lies_is_found_out() {
    for (heading, line, expected) in [
        (
            "NIK;No KK;Nama;Tgl Lahir",
            "{kk};{nik};{nama};{lahir}",
            &["-", "(nik)", "nama", "tanggal_lahir"][..],
        ),
        (
            "Nama;NIK;Tanggal Lahir;Tanggal",
            "{nama};{nik};{tahun_ini};{lahir}",
            &["nama", "nik", "-", "tanggal_lahir"],
        ),
        (
            "Nama;Alamat;NIK;Tgl Lahir",
            "JL MAWAR 5;{nama};{nik};{lahir}",
            &["(nama)", "(alamat)", "nik", "tanggal_lahir"],
        ),
        ("Nama;NIK;Tgl Lahir", "{nama};081234567890;{lahir}", &["nama", "(nik)", "tanggal_lahir"]),
        ("Nama;NIK;KK;Kel.", "{nama};{nik};AGUS SALIM;{jk}", &["nama", "nik", "(no_kk)", "jenis_kelamin"]),
        ("Nama;NIK;Alamat;Status", "{nama};{nik};JL MAWAR;Kawin", &["nama", "nik", "alamat", "status_kawin"]),
        ("Nama;NIK;Alamat;JK", "{nama};{nik};JL MAWAR;KTP", &["nama", "nik", "alamat", "(jenis_kelamin)"]),
        (
            "Nama;NIK;Tgl Lahir;Hubungan dg Penyandang",
            "{nama};{nik};{lahir};Kakak",
            &["nama", "nik", "tanggal_lahir", "(hubungan)"],
        ),
    ] {
        let found = targets(&people(heading, line));
        assert_eq!(found, expected, "{heading}");
    }
}

#[test]
fn what_is_written_can_always_be_read_and_used() {
    let book = Rulebook::builtin();
    let tried = |text: &str, name: &str| {
        let written = proposed(text).to_toml(name, "Lembar: A\u{7}\nB");
        let mapping = Arc::new(mapped(&written));
        let places = Places::new(book.clone(), None).expect("everywhere");
        (try_out(&rows(text), &mapping, (&book, places, date(2026, 11, 23)), 10), mapping)
    };
    let nik = |tried: &Tried| tried.after.fields.get("nomor_induk_kependudukan").cloned();
    // Two columns with one heading, and none above others.
    let twice = people("Nama;NIK;Alamat;Nama;NIK;;Tgl Lahir", "{nama};{nik};JL MAWAR;WALI;{wali};x;{lahir}");
    let (rows_tried, mapping) = tried(&twice, "a \"b\" \\c\nd");
    assert_eq!((rows_tried.len(), &*mapping.name), (4, "a \"b\" \\c d"));
    assert!(mapping.columns.contains_key("nama 2") && mapping.columns.contains_key("kolom 6"));
    assert_eq!(nik(&rows_tried[0]), Some("5271014101809001".into()));
    assert_eq!(rows_tried[0].before[1], ("nik".into(), "5271014101809001".into()));
    // Headings that stand empty, and a file without any.
    for heading in ["No;Nama;;;;Alamat\n", ""] {
        let text = people(heading, "1;{nama};{nik};{lahir};{jk};JL MAWAR 5");
        let text = if heading.is_empty() { text.trim_start() } else { &text.replace("\n\n", "\n") };
        let (rows_tried, _) = tried(text, "x");
        assert_eq!(rows_tried.len(), 4, "{text}");
        assert_eq!(nik(&rows_tried[3]), Some("5271015206999004".into()), "{text}");
    }
    // A number left of the name that is used for nothing: the row does not vanish.
    let (rows_tried, _) = tried(&people("NIP;Nama;Tgl Lahir", "198001012005011001;{nama};{lahir}"), "x");
    assert_eq!(rows_tried.len(), 4);
    // One column that is known, and rows of nothing but a name.
    let (rows_tried, _) =
        tried(&people("No;Nama Kepala Keluarga;Jml Jiwa;No HP", "1;{nama};3;081234567890"), "x");
    assert_eq!(rows_tried[0].after.fields.get("nama_kepala_keluarga"), Some(&"AHMAD YANI".into()));
}

#[test]
fn a_layout_that_is_recognised_keeps_its_identity() {
    let proposal = proposed(&people("Noka;NIK;NMPST;Kelas Rawat;Faskes;PISA", "00012;{nik};{nama};3;PKM;1"));
    let mapping = mapped(&proposal.to_toml("bpjs", ""));
    assert_eq!((&*mapping.source, &*proposal.preset.name), ("bpjs", "bpjs"));
    assert_eq!(mapping.columns.get("pisa").map(String::as_str), Some("-"));
    let meters = people("Idpel;Nama Pelanggan;Tarif;Daya;Alamat", "520000000001;{nama};R1;900;JL MAWAR 5");
    let mapping = mapped(&proposed(&meters).to_toml("pln", ""));
    assert_eq!(mapping.columns.get("idpel").map(String::as_str), Some("kolom:id_pelanggan_pln"));
    assert_eq!(
        mapping.columns.get("nama pelanggan").map(String::as_str),
        Some("-"),
        "of whoever had the meter first"
    );
}
