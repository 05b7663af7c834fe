//! The dirty-data table: files as regions have them, one a layout, and what every row must become.
//!
//! `layouts/*.toml` hold sheets (`rows`, `merges`) or a text (`text`, `encoding`), and `expect`: by row, the fields that
//! must be so, the fields that must not be there (`none`), and codes that must be told (`CODE`, or `CODE column`) or must
//! not be (`not`). Rows that are not expected must not come, or come with an error. All people are invented.

use std::{collections::BTreeMap, ops::ControlFlow, path::Path, sync::Arc};

use dtsen_proto::rulebook::{Rulebook, Severity};
use dtsen_sources::{
    delivery::Delivery,
    place::Places,
    preset::{self, Preset},
    preview::{Shown, ShownFinding, show},
    read,
};
use jiff::civil::date;
use rust_xlsxwriter::{Format, Workbook};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    sheet: Vec<Sheet>,
    text: Option<String>,
    /// A file beside this one, for formats that nothing here writes: `write.py` made it.
    file: Option<String>,
    /// `cp1252`; else UTF-8.
    encoding: Option<String>,
    wilayah: Option<String>,
    preset: Option<String>,
    /// A mapping, as a region would write it.
    mapping: Option<String>,
    /// The layout that must be recognised.
    layout: String,
    /// Headings of columns that must be told as not used, by sheet.
    #[serde(default)]
    unused: BTreeMap<String, Vec<String>>,
    /// Rows that the mapping leaves out.
    #[serde(default)]
    skipped: u64,
    expect: Vec<Expect>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sheet {
    name: String,
    #[serde(default)]
    merges: Vec<String>,
    rows: Vec<Vec<toml::Value>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    sheet: Option<String>,
    row: u64,
    #[serde(default)]
    fields: BTreeMap<String, toml::Value>,
    #[serde(default)]
    none: Vec<String>,
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    not: Vec<String>,
    /// The row carries an error.
    #[serde(default)]
    error: bool,
}

fn write_sheets(sheets: &[Sheet], path: &Path) {
    let mut book = Workbook::new();
    let day = Format::new().set_num_format("dd/mm/yyyy");
    for sheet in sheets {
        let page = book.add_worksheet();
        page.set_name(&sheet.name).expect("a name");
        for merge in &sheet.merges {
            let (from, to) = merge.split_once(':').expect("A1:B2");
            let ((row, column), (last_row, last_column)) = (place(from), place(to));
            page.merge_range(row, column, last_row, last_column, "", &Format::new()).expect("a merge");
        }
        for (row, cells) in (0..).zip(&sheet.rows) {
            for (column, cell) in (0..).zip(cells) {
                let written = match cell {
                    toml::Value::String(text) if text.is_empty() => continue,
                    toml::Value::String(text) => page.write_string(row, column, text),
                    #[expect(clippy::cast_precision_loss, reason = "as a spreadsheet keeps it")]
                    toml::Value::Integer(number) => page.write_number(row, column, *number as f64),
                    toml::Value::Float(number) => page.write_number(row, column, *number),
                    toml::Value::Datetime(value) => {
                        let value = value.date.expect("a day");
                        let cell =
                            rust_xlsxwriter::ExcelDateTime::from_ymd(value.year, value.month, value.day);
                        page.write_datetime_with_format(row, column, cell.expect("a day"), &day)
                    }
                    other => panic!("{other:?}"),
                };
                written.expect("a cell");
            }
        }
    }
    book.save(path).expect("writes");
}

/// `C7` as row and column from 0.
fn place(text: &str) -> (u32, u16) {
    let letters: String = text.chars().take_while(char::is_ascii_alphabetic).collect();
    let column = letters.bytes().fold(0, |column, letter| column * 26 + u16::from(letter - b'A') + 1);
    (text[letters.len()..].parse::<u32>().expect("a row") - 1, column - 1)
}

fn bytes(text: &str, encoding: Option<&str>) -> Vec<u8> {
    match encoding {
        None => text.as_bytes().to_vec(),
        Some("cp1252") => text
            .chars()
            .map(|c| match c {
                '’' => 0x92,
                '–' => 0x96,
                c => u8::try_from(u32::from(c)).expect("a letter of cp1252"),
            })
            .collect(),
        Some(other) => panic!("{other}"),
    }
}

/// Reads a file as `preview` does.
fn preview(path: &Path, case: &Case) -> (String, BTreeMap<String, Vec<String>>, Vec<Shown>) {
    let book = Rulebook::builtin();
    let places = Places::new(book.clone(), case.wilayah.as_deref()).expect("an area");
    let today = date(2026, 11, 23);
    let mapped = case.mapping.as_ref().map(|text| Arc::new(Preset::mapping(text, &book).expect("a mapping")));
    let forced = case.preset.as_ref().map(|name| preset::named(name).expect("a layout")).or(mapped);
    let mut delivery = Delivery::new(book.clone(), today, places, forced);
    let look = &mut |row| {
        delivery.look(row);
        ControlFlow::Continue(())
    };
    read::read(path, look).expect("reads");
    assert!(delivery.looked(), "no heading");

    let layout = delivery
        .found()
        .max_by_key(|found| found.rows)
        .map_or("", |found| &found.plan.preset.name)
        .to_owned();
    let mut unused: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for found in delivery.found() {
        let of = unused.entry(found.sheet.unwrap_or_default().to_owned()).or_default();
        of.extend(found.unused.iter().map(|unused| unused.heading.clone()));
    }
    let skipped: u64 = delivery.found().map(|found| found.skipped).sum();
    assert_eq!(skipped, case.skipped, "{}: rows left out", path.display());
    let region = delivery.region();
    let mut shown = Vec::new();
    let mut lines = Vec::new();
    let collect = &mut |row| {
        delivery.lines(row, &mut lines);
        ControlFlow::Continue(())
    };
    read::read(path, collect).expect("reads");
    delivery.end(&mut lines);
    for line in lines {
        shown.push(show(&delivery.understand(&line), &book, region, today));
    }
    (layout, unused, shown)
}

fn same(value: Option<&serde_json::Value>, expected: &toml::Value) -> bool {
    match expected {
        toml::Value::Integer(number) => value.and_then(serde_json::Value::as_i64) == Some(*number),
        toml::Value::Datetime(day) => value.and_then(serde_json::Value::as_str) == Some(&day.to_string()),
        expected => value.and_then(serde_json::Value::as_str) == expected.as_str(),
    }
}

fn check(name: &str, case: &Case, path: &Path) -> Vec<String> {
    let (layout, unused, shown) = preview(path, case);
    let mut wrong = Vec::new();
    for (sheet, headings) in &case.unused {
        if unused.get(sheet) != Some(headings) {
            wrong.push(format!("{name} {sheet}: not used {:?}, not {headings:?}", unused.get(sheet)));
        }
    }
    if layout != case.layout {
        wrong.push(format!("{name}: recognised as {layout}, not {}", case.layout));
    }
    let is_error = |row: &Shown| row.findings.iter().any(|finding| finding.severity == Severity::Error);
    for row in &shown {
        let of =
            |expect: &&Expect| expect.row == row.row && (expect.sheet.is_none() || expect.sheet == row.sheet);
        if case.expect.iter().find(of).is_none() && !is_error(row) {
            wrong.push(format!("{name} row {}: nobody's, but came as {:?}", row.row, row.fields));
        }
    }
    for expect in &case.expect {
        let mut of = shown
            .iter()
            .filter(|row| row.row == expect.row && (expect.sheet.is_none() || expect.sheet == row.sheet));
        let Some(row) = of.next() else {
            wrong.push(format!("{name} row {}: did not come", expect.row));
            continue;
        };
        for (field, value) in &expect.fields {
            if !same(row.fields.get(field), value) {
                wrong.push(format!(
                    "{name} row {} {field}: {:?}, not {value}",
                    row.row,
                    row.fields.get(field)
                ));
            }
        }
        for field in &expect.none {
            if let Some(value) = row.fields.get(field) {
                wrong.push(format!("{name} row {} {field}: {value}, not none", row.row));
            }
        }
        let codes: Vec<&str> = row.findings.iter().map(|finding| finding.code.as_str()).collect();
        let told = |code: &String| {
            let of = |finding: &ShownFinding| match &finding.field {
                Some(field) => finding.code == *code || format!("{} {field}", finding.code) == *code,
                None => finding.code == *code,
            };
            row.findings.iter().any(of)
        };
        for code in expect.codes.iter().filter(|code| !told(code)) {
            wrong.push(format!("{name} row {}: {code} not told, only {codes:?}", row.row));
        }
        for code in expect.not.iter().filter(|code| told(code)) {
            wrong.push(format!("{name} row {}: {code} told", row.row));
        }
        if expect.error != is_error(row) {
            wrong.push(format!("{name} row {}: error {}, told {codes:?}", row.row, is_error(row)));
        }
    }
    wrong
}

#[test]
fn every_dirty_row_becomes_what_it_should() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts");
    let mut names: Vec<_> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    names.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    names.sort();
    let kept = tempfile::tempdir().expect("a folder");
    let mut wrong = Vec::new();
    let mut rows = 0;
    for path in names {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let case: Case = toml::from_str(&std::fs::read_to_string(&path).expect("reads"))
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut file = kept.path().join(format!("{name}.dat"));
        match &case.text {
            None if case.file.is_some() => {
                file = path.with_file_name(case.file.as_deref().unwrap_or_default());
            }
            Some(text) => std::fs::write(&file, bytes(text, case.encoding.as_deref())).expect("writes"),
            None => write_sheets(&case.sheet, &file),
        }
        rows += case.expect.len();
        wrong.extend(check(&name, &case, &file));
    }
    assert!(wrong.is_empty(), "{} of {rows} rows and more:\n{}", wrong.len(), wrong.join("\n"));
}
