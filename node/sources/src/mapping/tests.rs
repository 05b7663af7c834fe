use std::sync::Arc;

use jiff::civil::date;

use super::*;
use crate::{
    cell::{Cell, Row},
    delivery::Delivery,
    place::Places,
};

const HEAD: &str = "name = \"a\"\ntitle = \"a\"\nsource = \"lokal\"\n";

fn mapping(rest: &str) -> Result<Preset, WrongMapping> {
    Preset::mapping(&format!("{HEAD}{rest}"), &Rulebook::builtin())
}

fn told(rest: &str) -> String {
    mapping(rest).expect_err("a wrong mapping").to_string()
}

#[test]
fn names_that_there_are_not_are_told() {
    assert!(told("constants = { dessa = \"X\" }").contains("\"dessa\""));
    for rest in [
        "columns = { jk = \"jenis_kelamin@jk\" }",
        "columns = { a = \"kolom:pbi_nas@jk\" }",
        // A table of ours, which only DTSEN's columns are looked up in.
        "columns = { a = \"hubungan@asuransi_pbi\" }",
        "[[derive]]\nfor = \"hubungan@posisi\"\nfrom = \"a\"",
    ] {
        let found = mapping(rest).map_err(|wrong| wrong.cause);
        assert!(matches!(found, Err(MappingError::Table { .. })), "{rest}");
    }
    assert!(mapping("columns = { a = \"kolom:pbi_nas@asuransi_pbi\" }").is_ok());
    assert!(mapping("constants = { desa = \"X\" }").is_ok());
}

#[test]
fn an_error_names_its_line_and_is_indonesian() {
    for (rest, line, words) in [
        ("[columns]\n\"nik\" = \"nik\"\n\"jk\" = jenis\n", 6, "bukan TOML yang benar"),
        ("[columns]\n\"nik\" = \"nik\"\n\"nik\" = \"-\"\n", 6, "sudah ditulis di atas"),
        ("[columns]\n\"nik\" = \"nik\"\n\"Jk\" = \"-\"\n\"JK.\" = \"-\"\n", 7, "ditulis dua kali"),
        ("[columns]\n\"jk\" = 5\n", 5, "salah jenis"),
        ("[columns]\n\"nik\" = \"nik\"\n\"jk\" = \"kelamin\"\n", 6, "tidak dikenal. Pakai peran"),
        ("[kolom]\na = \"b\"\n", 4, "kolom tidak dikenal di sini"),
        ("[codes]\nhubungan = \"siak\"\n", 5, "siak bukan pilihan"),
        ("[constants]\ndesa = \"X\"\ntanggal_lahir = \"32/13/1999\"\n", 6, "berbeda tiap orang"),
        ("[constants]\nkode_desa = \"99.99.99.9999\"\n", 5, "tidak dapat dibaca"),
        ("[constants]\njenis_kelamin = \"3\"\n", 5, "tidak dapat dibaca"),
        (
            "[[skip]]\ncolumn = \"a\"\nis = [\"x\"]\n[[skip]]\ncolumn = \"a\"\nis = []\n",
            7,
            "[[skip]] memerlukan",
        ),
        ("[[derive]]\nfor = \"rt\"\nfrom = \"a\"\n[[derive]]\nfor = \"umur\"\nfrom = \"a\"\n", 7, "ke-2"),
        ("[[derive]]\nfor = \"rt\"\nfrom = \"a\"\nexpression = 'if kolom(\"a\" { 1'\n", 4, "tanda kurung"),
    ] {
        let wrong = mapping(rest).expect_err(rest);
        assert_eq!(wrong.line, Some(line), "{rest}: {wrong}");
        assert!(wrong.to_string().contains(words), "{rest}: {wrong}");
    }
    let nothing = Preset::mapping("", &Rulebook::builtin()).expect_err("nothing").to_string();
    assert!(nothing.contains("name belum ditulis"), "{nothing}");
}

#[test]
fn who_somebody_is_stands_in_its_role_however_it_is_called() {
    let rest = "[columns]\na = \"kolom:nomor_induk_kependudukan\"\nb = \"kolom:nomor_kartu_keluarga\"\nc = \"kolom:nama\"\n[[derive]]\nfor = \"kolom:tanggal_lahir\"\nfrom = \"d\"";
    let mapping = mapping(rest).expect("a mapping");
    assert_eq!(mapping.columns.values().collect::<Vec<_>>(), ["nik", "no_kk", "nama"]);
    assert_eq!(mapping.derive[0].target, "tanggal_lahir");
}

#[test]
fn a_word_with_two_codes_is_told() {
    let wrong = told("[tables.jk]\nCowok = 2\ncowok = 1");
    assert!(wrong.contains("\"cowok\"") && wrong.contains("dua arti"), "{wrong}");
    assert!(mapping("[tables.jk]\nCowok = 1\ncowok = 1").is_ok());
}

#[test]
fn only_known_identities_are_taken() {
    let of = |source: &str| {
        let text = format!("name = \"a\"\ntitle = \"a\"\nsource = \"{source}\"\n");
        Preset::mapping(&text, &Rulebook::builtin()).map_err(|wrong| (wrong.line, wrong.to_string()))
    };
    for good in ["lokal", "lokal-dinsos", "bpjs", "siak"] {
        assert!(of(good).is_ok(), "{good}");
    }
    // At the hub the civil registry alone says that somebody died.
    for wrong in ["dukcapil", "dukcapil-palsu", "lokalsiak", "lokal-Dinsos", "dinsos", ""] {
        let (line, told) = of(wrong).expect_err(wrong);
        assert!(line == Some(3) && told.contains("bukan jenis sumber"), "{told}");
    }
}

fn fits(text: &str, mapping: Preset) -> Result<(), Misfit> {
    let book = Rulebook::builtin();
    let places = Places::new(book.clone(), None).expect("everywhere");
    let mut delivery = Delivery::new(book, date(2026, 11, 23), places, Some(Arc::new(mapping)));
    for (number, line) in (1..).zip(text.lines()) {
        let cells = line.split(';').map(|cell| Cell::Text(cell.to_owned())).collect();
        delivery.look(Row { number, cells, ..Row::default() });
    }
    assert!(delivery.looked(), "no heading");
    delivery.fits()
}

#[test]
fn what_a_mapping_names_must_be_there() {
    let text = "Nama Lengkap;NIK;No KK;JK;Ket\nBUDI;5271010505109003;5271010101109001;L;batal";
    let names = "columns = { \"nama lengkap\" = \"nama\", nik = \"nik\" }\n";
    let told = |rest: &str| {
        fits(text, mapping(&format!("{names}{rest}")).expect("a mapping"))
            .map_err(|misfit| misfit.to_string())
    };
    assert_eq!(told(""), Ok(()));
    assert_eq!(told("[[skip]]\ncolumn = \"KET\"\nis = [\"batal\"]"), Ok(()));
    for rest in [
        "[[skip]]\ncolumn = \"zzz\"\nis = [\"batal\"]",
        "[[derive]]\nfor = \"alamat\"\nfrom = \"zzz\"",
        "[[derive]]\nfor = \"alamat\"\nfrom = \"ket\"\nwhen = { column = \"zzz\", empty = false }",
    ] {
        let misfit = told(rest).expect_err(rest);
        assert!(misfit.contains("\"zzz\"") && misfit.contains("nama lengkap, nik"), "{misfit}");
    }
    let unknown = mapping("columns = { nik = \"nik\", zzz = \"alamat\", yyy = \"-\" }").expect("a mapping");
    assert!(matches!(fits(text, unknown), Err(Misfit::Missing { columns, .. }) if columns == ["zzz"]));
    let twice = mapping("columns = { \"nama lengkap\" = \"nama\", jk = \"nama\", ket = \"-\" }");
    let misfit = fits(text, twice.expect("a mapping"));
    assert!(matches!(misfit, Err(Misfit::Twice { target, .. }) if target == "nama"));
}

#[test]
fn a_mapping_takes_nobody_elses_identity() {
    let text = "Noka;NIK;Nama Peserta;Kelas Rawat;Faskes\n0001;5271010505109003;BUDI;3;PKM";
    let of = |source: &str| {
        let text = format!("name = \"a\"\ntitle = \"a\"\nsource = \"{source}\"\n[columns]\nnik = \"nik\"\n");
        Preset::mapping(&text, &Rulebook::builtin()).expect("a mapping")
    };
    assert_eq!(fits(text, of("bpjs")), Ok(()));
    assert_eq!(fits(text, of("lokal")), Ok(()));
    assert!(matches!(fits(text, of("siak")), Err(Misfit::Identity { found, .. }) if found == "bpjs"));
}

#[test]
fn a_constant_of_rt_and_rw_is_used() {
    let rest = "columns = { nik = \"nik\" }\nconstants = { rt = \"3\", rw = \"5\" }";
    assert!(mapping(rest).is_ok());
    assert!(told("constants = { rt = \"tiga\" }").contains("rt"));
}

#[test]
fn our_own_layouts_are_held_to_the_same() {
    let book = Rulebook::builtin();
    for preset in preset::all() {
        let mut checked = Preset::clone(preset);
        assert!(checked.derives(&book).is_ok() && checked.all_tables().is_ok(), "{}", preset.name);
        assert!(preset.columns.values().all(|target| is_target(target, &book)), "{}", preset.name);
    }
}
