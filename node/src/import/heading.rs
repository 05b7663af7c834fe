//! The columns that a file states, by their numbers: an empty cell of such a column takes a value back.

use std::collections::BTreeMap;

use dtsen_proto::{column::Column, rulebook::Rulebook};

use crate::intake::Table;

/// Columns of a file with the names that its heading gives them.
pub(super) type Columns = BTreeMap<Column, String>;

/// The columns of an opened file.
pub fn columns(table: &Table, rulebook: &Rulebook) -> BTreeMap<Column, String> {
    table.headings().iter().filter_map(|name| named(table, rulebook, name)).collect()
}

fn named(table: &Table, rulebook: &Rulebook, name: &str) -> Option<(Column, String)> {
    let name = name.trim().trim_matches('"').split_whitespace().collect::<Vec<_>>().join("_");
    Some((rulebook.column_named(table.kind(), &name)?.number, name))
}
