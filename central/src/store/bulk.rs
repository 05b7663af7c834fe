//! Rows on their way into a table, column by column: PostgreSQL takes whole columns, SQLite takes rows in chunks.

use dtsen_proto::region::Region;

use super::{Cell, CellType, Table, value::signed};

/// Values of a column.
#[derive(Debug)]
pub(super) enum Column {
    Number(Vec<Option<i64>>),
    Bytes(Vec<Option<Vec<u8>>>),
    Text(Vec<Option<String>>),
}

/// Rows for one table.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: &'static Table,
    /// What to do with a row whose key is there: a clause of SQL, or nothing for a conflict.
    pub(super) conflict: &'static str,
    pub(super) columns: Vec<Column>,
    pub(super) len: usize,
}

impl Rows {
    pub(super) fn new(table: &'static Table, conflict: &'static str) -> Self {
        let column = |(_, of): &(&str, CellType)| match of {
            CellType::Number => Column::Number(Vec::new()),
            CellType::Bytes => Column::Bytes(Vec::new()),
            CellType::Text => Column::Text(Vec::new()),
        };
        Self { table, conflict, columns: table.columns.iter().map(column).collect(), len: 0 }
    }

    /// Adds a row; its cells stand as the table's columns do.
    pub(super) fn push(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut cells = cells.into_iter();
        for column in &mut self.columns {
            match (column, cells.next()) {
                (Column::Number(values), Some(Cell::Number(value))) => values.push(value),
                (Column::Bytes(values), Some(Cell::Bytes(value))) => values.push(value),
                (Column::Text(values), Some(Cell::Text(value))) => values.push(value),
                _ => panic!("a row of {} is unlike its columns", self.table.name),
            }
        }
        assert!(cells.next().is_none(), "a row of {} is longer than its columns", self.table.name);
        self.len += 1;
    }

    /// About how many bytes they take in a message.
    pub(super) fn bytes(&self) -> usize {
        let values = |column: &Column| match column {
            Column::Number(values) => values.len() * size_of::<i64>(),
            Column::Bytes(values) => values.iter().flatten().map(Vec::len).sum(),
            Column::Text(values) => values.iter().flatten().map(String::len).sum(),
        };
        self.columns.iter().map(|column| values(column) + self.len * size_of::<i32>()).sum()
    }

    /// `INSERT INTO table (columns) `.
    pub(super) fn insert_into(&self) -> String {
        format!("INSERT INTO {} ({}) ", self.table.name, names(self.table.columns))
    }
}

/// Column names with commas between.
pub(super) fn names(columns: &[(&'static str, CellType)]) -> String {
    columns.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

impl From<i64> for Cell {
    fn from(value: i64) -> Self {
        Self::Number(Some(value))
    }
}

impl From<u32> for Cell {
    fn from(value: u32) -> Self {
        Self::Number(Some(value.into()))
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Self::Number(Some(signed(value)))
    }
}

impl From<Option<u64>> for Cell {
    fn from(value: Option<u64>) -> Self {
        Self::Number(value.map(signed))
    }
}

impl From<Region> for Cell {
    fn from(value: Region) -> Self {
        Self::Number(Some(value.number().into()))
    }
}

impl From<Vec<u8>> for Cell {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

impl From<&[u8]> for Cell {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(Some(value.to_vec()))
    }
}

impl From<&str> for Cell {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Cell {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<String>> for Cell {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}
