//! Tables of a database that nobody knows beforehand: those whose columns are called as the columns of lists of people
//! are.

use dtsen_sources::layout::{find, heading::Names};

use super::database::{Database, Schema};

/// A table to be read.
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
}

/// The tables that look like lists of people or families, the best first.
pub(super) fn worth_reading(schema: &Schema, names: &Names) -> Vec<Table> {
    let mut found: Vec<(usize, Table)> = schema
        .iter()
        .filter_map(|(name, columns)| {
            let heading = find::of(0, std::slice::from_ref(columns), names);
            let table = Table { name: name.clone(), columns: columns.clone() };
            (heading.worth() >= find::ROLES_AT_LEAST).then(|| (heading.worth(), table))
        })
        .collect();
    found.sort_by_key(|(worth, table)| (std::cmp::Reverse(*worth), table.name.clone()));
    found.into_iter().map(|(_, table)| table).collect()
}

/// Everything in a table, in an order that stays if there is one.
pub(super) fn everything(database: &Database, table: &Table) -> String {
    let columns: Vec<String> =
        table.columns.iter().map(|column| database.as_text(&database.quoted(column))).collect();
    let order = table.columns.iter().find(|column| column.eq_ignore_ascii_case("id"));
    let order = order.map_or_else(String::new, |column| format!(" ORDER BY {}", database.quoted(column)));
    format!("SELECT {} FROM {}{order}", columns.join(", "), database.quoted(&table.name))
}
