use std::sync::Arc;

use dtsen_proto::{column, record::RecordKind, rulebook::Rulebook};
use jiff::civil::date;

use super::*;
use crate::{
    cell::{Cell, Row},
    delivery::Delivery,
    mapping::MappingError,
    place::Places,
    preset::Preset,
};

fn row(cells: &[&str]) -> Row {
    let cell = |text: &&str| if text.is_empty() { Cell::Empty } else { Cell::Text((*text).to_owned()) };
    Row { number: 2, cells: cells.iter().map(cell).collect(), ..Row::default() }
}

fn mapping(rest: &str) -> Result<Preset, MappingError> {
    let head = "name = \"uji\"\ntitle = \"Uji\"\nsource = \"lokal\"\n";
    Preset::mapping(&format!("{head}{rest}"), &Rulebook::builtin()).map_err(|wrong| wrong.cause)
}

fn columns(rest: &str, names: &[&str]) -> Vec<Derived> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    derived(&mapping(rest).expect("a mapping").derive, &names)
}

fn one(rest: &str, names: &[&str], cells: &[&str]) -> Cell {
    let mut row = row(cells);
    extend(&mut row, names.len(), &columns(&format!("[[derive]]\n{rest}"), names));
    row.cell(names.len()).clone()
}

#[test]
fn columns_are_joined_without_those_that_hold_nothing() {
    let join = "for = \"alamat\"\nfrom = [\"Jalan\", \"nomor\", \"Blok\"]\njoin = \" \"";
    let names = ["JALAN", "Nomor", "Blok"];
    assert_eq!(one(join, &names, &["Jl Mawar", "5", "C"]).text(), "Jl Mawar 5 C");
    assert_eq!(one(join, &names, &["Jl Mawar", "", "-"]).text(), "Jl Mawar");
    assert_eq!(one(join, &names, &["Jl Mawar"]).text(), "Jl Mawar");
    assert_eq!(one(join, &names, &["", "-", ""]), Cell::Empty);
    // A table that lacks a heading has no such column.
    assert!(columns(&format!("[[derive]]\n{join}"), &["Jalan", "Nomor"]).is_empty());
}

#[test]
fn a_part_is_counted_from_either_end() {
    for (split, part, text, expected) in [
        ("/", 1, "002/005", "002"),
        ("/", 2, "002/005", "005"),
        ("/", 3, "002/005", ""),
        ("/", -1, "AHMAD / 5271", "5271"),
        ("/", -2, "AHMAD / 5271", "AHMAD"),
        ("/", -3, "AHMAD / 5271", ""),
        (" ", -1, "RT  002", "002"),
        ("/", 2, "002", ""),
        ("/", i64::MIN, "002", ""),
        ("/", i64::MAX, "002", ""),
    ] {
        let rest = format!("for = \"rt\"\nfrom = \"isi\"\nsplit = \"{split}\"\npart = {part}");
        assert_eq!(one(&rest, &["Isi"], &[text]).text(), expected, "{split} {part} {text}");
    }
}

#[test]
fn the_first_rule_that_gives_something_counts() {
    let rules = "[[derive]]\nfor = \"nik\"\nfrom = \"nomor\"\nwhen = { column = \"jenis\", is = [\"KTP\", \"e-ktp\"] }\n\
        [[derive]]\nfor = \"nik\"\nfrom = \"cadangan\"\nwhen = { column = \"jenis\", empty = true }\n\
        [[derive]]\nfor = \"nik\"\nfrom = [\"cadangan\", \"jenis\"]\njoin = \"+\"\nwhen = { column = \"nomor\", empty = false }";
    let names = ["Nomor", "Jenis", "Cadangan"];
    let columns = columns(rules, &names);
    assert_eq!((columns.len(), &*columns[0].name), (1, "nik (dari Nomor, Cadangan, Jenis)"));
    for (cells, expected) in [
        (["1", "ktp", "2"], "1"),
        (["1", "E KTP", "2"], "1"),
        (["1", "-", "2"], "2"),
        (["1", "SIM", "2"], "2+SIM"),
        (["", "SIM", "2"], ""),
    ] {
        assert_eq!(columns[0].cell(&row(&cells)).0.text(), expected, "{cells:?}");
    }
}

#[test]
fn what_cannot_be_known_is_a_fault() {
    let names = ["A", "B"];
    let join = "[[derive]]\nfor = \"nik\"\nfrom = [\"a\", \"b\"]\njoin = \"\"";
    let copy = "[[derive]]\nfor = \"nik\"\nfrom = \"a\"\nwhen = { column = \"b\", is = [\"x\"] }";
    let endless = "[[derive]]\nfor = \"nik\"\nfrom = \"a\"\nexpression = \"loop {}\"";
    let cell = |rule: &str, cells: [Cell; 2]| {
        columns(rule, &names)[0].cell(&Row { cells: cells.into(), ..Row::default() }).0
    };
    let text = || Cell::Text("x".into());
    assert_eq!(cell(join, [text(), Cell::Fault]), Cell::Fault);
    assert_eq!(cell(copy, [text(), Cell::Fault]), Cell::Fault);
    // The last digit of a spreadsheet's number is lost, and stays so.
    let lost = Cell::Number(5_271_010_101_809_010.0);
    assert_eq!(cell(join, [lost.clone(), text()]), Cell::Fault);
    assert_eq!(cell(copy, [lost.clone(), text()]), lost);
    assert_eq!(cell(join, [Cell::Number(12.0), text()]), Cell::Text("12x".into()));
    assert_eq!(cell(endless, [text(), text()]), Cell::Fault);
    let dated = "[[derive]]\nfor = \"tanggal_lahir\"\nfrom = \"a\"\ndate = [\"%Y%m%d\", \"%d.%m.%Y\"]";
    assert_eq!(cell(dated, [text(), text()]), Cell::Fault, "no date in these forms");
    assert_eq!(cell(dated, [Cell::Number(19_800_817.0), text()]).text(), "1980-08-17");
    assert_eq!(cell(dated, [Cell::Text("17.8.1980".into()), text()]).text(), "1980-08-17");
    assert_eq!(
        cell(dated, [Cell::Day(date(1980, 8, 17)), text()]),
        Cell::Day(date(1980, 8, 17)),
        "is one already"
    );
    assert_eq!(cell(dated, [Cell::Empty, text()]), Cell::Empty);
    assert_eq!(cell(endless, [Cell::Empty, text()]), Cell::Empty);
}

#[test]
fn derived_cells_stand_behind_the_last_heading() {
    let columns = columns("[[derive]]\nfor = \"rt\"\nfrom = \"a\"", &["A", "B"]);
    for (cells, quoted, expected) in [
        (&["1"][..], &[][..], &["1", "", "1"][..]),
        (&["1", "2", "3"], &[false, true, true], &["1", "2", "1", "3"]),
    ] {
        let mut row = Row { quoted: quoted.to_vec(), ..row(cells) };
        extend(&mut row, 2, &columns);
        let texts: Vec<_> = row.cells.iter().map(Cell::text).collect();
        assert_eq!(texts, expected);
        assert_eq!(row.is_quoted(2), quoted.is_empty(), "as what it is made of");
        assert!(row.is_quoted(3));
    }
}

#[test]
fn what_is_wrong_with_a_rule_is_told() {
    for (rule, expected) in [
        ("for = \"umur\"\nfrom = \"a\"", DeriveError::Target),
        ("for = \"-\"\nfrom = \"a\"", DeriveError::Target),
        ("for = \"kolom:tidak_ada\"\nfrom = \"a\"", DeriveError::Target),
        ("for = \"rt\"", DeriveError::Source),
        ("for = \"rt\"\nfrom = []", DeriveError::Source),
        ("for = \"rt\"\nfrom = [\"a\", \" \"]\njoin = \"\"", DeriveError::Source),
        ("for = \"rt\"\nfrom = \"a\"\njoin = \"\"\nexpression = \"1\"", DeriveError::Ways),
        ("for = \"rt\"\nfrom = [\"a\", \"b\"]", DeriveError::Several),
        ("for = \"rt\"\nfrom = [\"a\", \"b\"]\nsplit = \"/\"\npart = 1", DeriveError::OnlyOne),
        ("for = \"tanggal_lahir\"\nfrom = [\"a\", \"b\"]\ndate = \"%Y%m%d\"", DeriveError::OnlyOne),
        ("for = \"tanggal_lahir\"\nfrom = \"a\"\ndate = \"%Y%m\"", DeriveError::Date("%Y%m".into())),
        ("for = \"tanggal_lahir\"\nfrom = \"a\"\ndate = \"%Y%m%d\"\njoin = \"\"", DeriveError::Ways),
        ("for = \"rt\"\nfrom = \"a\"\nsplit = \"\"\npart = 1", DeriveError::Separator),
        ("for = \"rt\"\nfrom = \"a\"\nsplit = \"/\"", DeriveError::Part),
        ("for = \"rt\"\nfrom = \"a\"\nsplit = \"/\"\npart = 0", DeriveError::Part),
        ("for = \"rt\"\nfrom = \"a\"\npart = 1", DeriveError::Part),
        ("for = \"rt\"\nfrom = \"a\"\nwhen = { column = \"b\" }", DeriveError::When),
        ("for = \"rt\"\nfrom = \"a\"\nwhen = { column = \"b\", is = [] }", DeriveError::When),
        ("for = \"rt\"\nfrom = \"a\"\nwhen = { column = \"b\", is = [], empty = true }", DeriveError::When),
        (
            "for = \"rt\"\nfrom = \"a\"\nwhen = { column = \"b\", is = [\"x\"], empty = true }",
            DeriveError::When,
        ),
        ("for = \"nama@x\"\nfrom = \"a\"", DeriveError::Column("yang".into())),
        ("for = \"rt\"\nfrom = \"a\"\nexpression = \"kolom(\"", DeriveError::Script(String::new())),
    ] {
        match mapping(&format!("columns = {{ Yang = \"nama\" }}\n[[derive]]\n{rule}")) {
            Err(MappingError::Derive { number: 1, cause, .. }) => {
                let same = cause == expected
                    || matches!((&cause, &expected), (DeriveError::Script(_), DeriveError::Script(_)));
                assert!(same, "{rule}: {cause}");
            }
            other => panic!("{rule}: {other:?}"),
        }
    }
    let twice = "[tables.x]\na = 1\n[tables.y]\na = 1\n[[derive]]\nfor = \"hubungan@x\"\nfrom = \"a\"\n[[derive]]\nfor = \"hubungan@y\"\nfrom = \"b\"";
    assert!(matches!(
        mapping(twice),
        Err(MappingError::Derive { number: 2, cause: DeriveError::OtherTable, .. })
    ));
    let error = mapping("[[derive]]\nfor = \"rt\"\nfrom = \"a\"\nexpression = '''\nkolom(\"a\") +\n'''");
    let error = error.expect_err("no expression").to_string();
    assert!(error.contains("[[derive]] ke-1 (for = \"rt\"): expression tidak dapat dibaca"), "{error}");
}

/// Codes that are told, with their headings.
type Told = Vec<(&'static str, Option<String>)>;

/// Both readings of these rows: the delivery, and what is told of each.
fn delivered(rest: &str, rows: &[&[&str]]) -> (Delivery, Vec<Told>) {
    let book = Rulebook::builtin();
    let places = Places::new(book.clone(), None).expect("everywhere");
    let mapping = Arc::new(mapping(rest).expect("a mapping"));
    let mut delivery = Delivery::new(book, date(2026, 11, 23), places, Some(mapping));
    for cells in rows {
        delivery.look(row(cells));
    }
    assert!(delivery.looked(), "no heading");
    let mut lines = Vec::new();
    for cells in rows {
        delivery.lines(row(cells), &mut lines);
    }
    delivery.end(&mut lines);
    let told = lines.iter().map(|line| {
        let told = delivery.understand(line).told;
        told.into_iter().map(|told| (told.code, told.heading)).collect()
    });
    let told = told.collect();
    (delivery, told)
}

#[test]
fn the_first_reading_looks_at_derived_columns() {
    let rules = "columns = { Orang = \"nama\" }\n\
        [[derive]]\nfor = \"nik\"\nfrom = \"Isi\"\nsplit = \";\"\npart = 1\n\
        [[derive]]\nfor = \"tanggal_lahir\"\nfrom = \"Isi\"\nsplit = \";\"\npart = 2";
    let (delivery, told) = delivered(
        rules,
        &[
            &["Orang", "Isi"],
            &["AHMAD YANI", "5271010101809010;01-31-1980"],
            &["SITI AMINAH", "5271014203829020;02-30-1982"],
            &["BUDI SANTOSO", "5271010505109030;05-05-2010"],
        ],
    );
    // All of them end in 0: their last digit is lost, as it would be in a column of the file.
    let name = || Some("nik (dari Isi)".to_owned());
    assert!(told.iter().all(|told| told.contains(&("NIK_AS_NUMBER", name()))), "{told:?}");
    let columns = delivery.columns(RecordKind::Individu);
    assert_eq!(columns.get(&column::I_NIK), name().as_ref());
    assert_eq!(columns.get(&column::I_TANGGAL_LAHIR).map(String::as_str), Some("tanggal_lahir (dari Isi)"));
}

#[test]
fn a_birth_date_with_a_part_missing_is_none() {
    let rules = "[[derive]]\nfor = \"tanggal_lahir\"\nfrom = [\"Tgl\", \"Bln\", \"Thn\"]\njoin = \"-\"";
    let heading: &[&str] = &["NIK", "Nama", "Tgl", "Bln", "Thn"];
    for (parts, code) in [
        (["", "5", "1980"], "DATE_FORMAT"),
        (["12", "", "1980"], "DATE_FORMAT"),
        (["12", "5", ""], "DATE_FORMAT"),
        (["", "", "1980"], "DATE_YEAR_ONLY"),
        (["31", "2", "1980"], "DATE_IMPOSSIBLE"),
    ] {
        let cells = ["5271010101809001", "AHMAD YANI", parts[0], parts[1], parts[2]];
        let (_, told) = delivered(rules, &[heading, &cells]);
        assert!(told[0].iter().any(|(told, _)| *told == code), "{parts:?} {told:?}");
    }
}
