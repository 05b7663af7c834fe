//! The columns that a file states, by their numbers: an empty cell of such a column takes a value back.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
};

use dtsen_proto::{column::Column, rulebook::Rulebook};

use crate::intake::{IntakeError, MAX_RECORD_BYTES, Table};

/// Columns of a file with the names that its heading gives them.
pub(super) type Columns = BTreeMap<Column, String>;

/// Reads the heading of an opened file once more.
pub(super) fn columns(table: &Table, rulebook: &Rulebook) -> Result<Columns, IntakeError> {
    let io = |cause| IntakeError::Io { path: table.path().to_owned(), line: 0, cause };
    let limit = u64::try_from(MAX_RECORD_BYTES).expect("a mebibyte");
    let mut lines = BufReader::new(File::open(table.path()).map_err(io)?.take(limit));
    let mut line = Vec::new();
    for _ in 0..table.heading_line() {
        line.clear();
        lines.read_until(b'\n', &mut line).map_err(io)?;
    }
    let line = String::from_utf8_lossy(&line);
    let line = line.trim_start_matches('\u{feff}');
    let split = |delimiter: char| -> Columns {
        line.split(delimiter).filter_map(|name| named(table, rulebook, name)).collect()
    };
    let found = ['|', ';', ',', '\t'].map(split);
    Ok(found.into_iter().max_by_key(BTreeMap::len).unwrap_or_default())
}

fn named(table: &Table, rulebook: &Rulebook, name: &str) -> Option<(Column, String)> {
    let name = name.trim().trim_matches('"').split_whitespace().collect::<Vec<_>>().join("_");
    Some((rulebook.column_named(table.kind(), &name)?.number, name))
}
