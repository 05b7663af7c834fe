//! Files of a region, whatever their bytes.

use std::{ops::ControlFlow, path::PathBuf, sync::Arc, sync::OnceLock};

use dtsen_proto::{record::Day, rulebook::Rulebook};
use dtsen_sources::{delivery::Delivery, place::Places, read::{self as sources, Format}};
use jiff::civil::date;

use crate::intake::{FamilyPlaces, RawRow, RowReader, open, row_key};

/// A file of this process, in memory where the system has that.
fn path() -> &'static PathBuf {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        folder.join(format!("dtsen-fuzz-{}.csv", std::process::id()))
    })
}

/// Reads a file to its end: every row is told or read, and no row twice.
pub fn read(data: &[u8]) {
    static BOOK: OnceLock<Arc<Rulebook>> = OnceLock::new();
    let book = BOOK.get_or_init(Rulebook::builtin);
    std::fs::write(path(), data).expect("room for the file");
    let table = open(path(), book);
    // Opened it stays readable, and nothing is left behind.
    std::fs::remove_file(path()).expect("it was written");
    let Ok(mut table) = table else { return };
    let region = "52.71".parse().expect("a region");
    let mut reader = RowReader::new(book.clone(), region, Day(20_000), "uji");
    let (mut row, mut families, mut line) = (RawRow::new(), FamilyPlaces::new(), 0);
    while table.next_row(&mut row).expect("the file is whole") {
        assert!(row.line > line, "a line twice");
        line = row.line;
        reader.note_family(&table, &row, &mut families);
        let reading = reader.read_row(&table, &row, Some(&families));
        assert!(reading.delta.is_some() || !reading.findings.is_empty(), "a row is lost silently");
        let _ = (reader.village(&table, &row, Some(&families)), row_key(&table, &row));
    }
}

/// Reads a text file of whatever layout as `preview` does: every line has one key and one digest, and is understood.
pub fn deliver(data: &[u8]) {
    static BOOK: OnceLock<Arc<Rulebook>> = OnceLock::new();
    let book = BOOK.get_or_init(Rulebook::builtin);
    std::fs::write(path(), data).expect("room for the file");
    // Panics of the library for workbooks are caught, which a program built to abort cannot.
    if !matches!(sources::format(path()), Ok(Format::Text)) {
        return std::fs::remove_file(path()).expect("it was written");
    }
    let places = Places::new(book.clone(), Some("52.71")).expect("an area");
    let mut delivery = Delivery::new(book.clone(), date(2026, 11, 23), places, None);
    let mut rows = Vec::new();
    let read = sources::read(path(), &mut |row| {
        rows.push(row.clone());
        delivery.look(row);
        ControlFlow::Continue(())
    });
    std::fs::remove_file(path()).expect("it was written");
    if read.is_err() || !delivery.looked() {
        return;
    }
    let mut lines = Vec::new();
    for row in rows {
        delivery.lines(row, &mut lines);
    }
    delivery.end(&mut lines);
    for line in &lines {
        let (first, second) = (delivery.peek(line), delivery.peek(line));
        assert!(first == second, "two keys for one line");
        let record = delivery.understand(line);
        assert!(!record.values.is_empty() || !record.told.is_empty(), "a row is lost silently");
    }
}
