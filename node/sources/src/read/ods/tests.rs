//! Small files that mean a lot.

use std::io::Write as _;

use zip::{ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::read::MAX_COLUMNS;

fn book(folder: &Path, rows: &str) -> std::path::PathBuf {
    let path = folder.join("a.ods");
    let mut archive = ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    archive.start_file("content.xml", SimpleFileOptions::default()).expect("a part");
    let text = format!("<table:table table:name=\"A &amp; B\">{rows}</table:table>");
    archive.write_all(text.as_bytes()).expect("writes");
    archive.finish().expect("writes");
    path
}

/// The first rows of a sheet: number and texts.
fn rows(rows: &str, most: usize) -> Result<Vec<(u64, Vec<String>)>, ReadError> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut found = Vec::new();
    read(&book(folder.path(), rows), &mut |row: Row| {
        assert_eq!(row.sheet.as_deref(), Some("A & B"));
        let text = |cell: &Cell| if *cell == Cell::Fault { "#".to_owned() } else { cell.text().into_owned() };
        found.push((row.number, row.cells.iter().map(text).collect()));
        if found.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })?;
    Ok(found)
}

fn row(repeats: u64, cells: &str) -> String {
    format!("<table:table-row table:number-rows-repeated=\"{repeats}\">{cells}</table:table-row>")
}

fn cell(repeats: u64, inside: &str) -> String {
    format!(
        "<table:table-cell office:value-type=\"string\" table:number-columns-repeated=\"{repeats}\">{inside}</table:table-cell>"
    )
}

#[test]
fn cells_are_read_as_they_are_shown() {
    let cells = [
        cell(1, "<office:annotation><text:p>no</text:p></office:annotation><text:p>A<text:s text:c=\"2\"/>&lt;<text:span>B</text:span></text:p><text:p>C</text:p>"),
        "<table:table-cell/>".to_owned(),
        "<table:table-cell office:value-type=\"float\" office:value=\"7\"><text:p>7,00</text:p></table:table-cell>".to_owned(),
        "<table:table-cell office:value-type=\"date\" office:date-value=\"1980-08-17T00:00:00\"/>".to_owned(),
        "<table:table-cell office:value-type=\"boolean\" office:boolean-value=\"true\"/>".to_owned(),
        "<table:table-cell office:value-type=\"string\" office:string-value=\"X\"><text:p>Y</text:p></table:table-cell>".to_owned(),
        "<table:table-cell table:formula=\"of:=1\"/>".to_owned(),
        "<table:table-cell office:value-type=\"float\" office:value=\"x\"/>".to_owned(),
        cell(2, "<text:p>Z</text:p>"),
    ];
    let found = rows(&row(1, &cells.concat()), 9).expect("reads");
    assert_eq!(
        found,
        [(
            1,
            ["A  <B C", "", "7", "1980-08-17", "TRUE", "X", "#", "#", "Z", "Z"].map(str::to_owned).to_vec()
        )]
    );
}

#[test]
fn merges_hold_for_the_rows_below() {
    let merged = "<table:table-row><table:covered-table-cell table:number-columns-repeated=\"3\"/>\
        <table:table-cell office:value-type=\"string\" table:number-rows-spanned=\"3\" table:number-columns-spanned=\"2\">\
        <text:p>x</text:p></table:table-cell></table:table-row>";
    let text =
        format!("{}{merged}{}", row(2, "<table:table-cell/>"), row(4_000_000_000, "<table:table-cell/>"));
    let found = rows(&text, 99).expect("reads");
    assert_eq!(
        found.iter().map(|(number, cells)| (*number, cells[3].as_str())).collect::<Vec<_>>(),
        [(3, "x"), (4, "x"), (5, "x")]
    );
}

#[test]
fn what_is_repeated_without_end_costs_nothing() {
    let blank = "<table:table-cell table:number-columns-repeated=\"4000000000\"/>";
    let x = cell(1, "<text:p>x</text:p>");
    let text = format!("{}{}", row(900_000, blank), row(2, &x));
    assert_eq!(
        rows(&text, 9).expect("reads").iter().map(|row| row.0).collect::<Vec<_>>(),
        [900_001, 900_002]
    );
    assert!(matches!(rows(&row(u64::MAX, &x), usize::MAX), Err(ReadError::Damaged { .. })));
    let wide = |cells: String| {
        matches!(rows(&row(1, &cells), 9), Err(ReadError::TooWide { limit: MAX_COLUMNS, .. }))
    };
    assert!(wide(cell(u64::MAX, "<text:p>x</text:p>")) && wide(format!("{blank}{x}")));
    for inside in [
        "<text:p><text:s text:c=\"4000000000\"/>x</text:p>".to_owned(),
        format!("<text:p>{}</text:p>", "A".repeat(70_000)),
    ] {
        assert_eq!(rows(&row(1, &cell(1, &inside)), 9).expect("reads"), [(1, vec!["#".to_owned()])]);
    }
}

#[test]
fn what_is_cut_is_damaged() {
    let text = row(1, &cell(1, "<text:p>x</text:p>"));
    for cut in [&text[..text.len() - 3], &text.replace("<text:p>", "<!--")] {
        let read = rows(cut, 9);
        assert!(matches!(read, Err(ReadError::Damaged { .. })), "{read:?}");
    }
}
