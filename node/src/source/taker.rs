//! Rows on their way from a source into the spool.

use std::{collections::BTreeSet, io, ops::ControlFlow, sync::Arc};

use dtsen_sources::{
    cell::{Cell, Row},
    delivery::Delivery,
    spool::{Spool, SpoolError, Spooled},
};

use super::{
    SourceError,
    database::Database,
    kept::{Before, Kept, Marked, Part},
    opensid::Query,
};

/// Takes rows: looks at each and spools it.
pub(super) struct Taker {
    pub(super) delivery: Delivery,
    pub(super) spool: Spool,
    /// Why it takes no more.
    pub(super) failed: Option<Failed>,
    /// Tables that were read.
    pub(super) tables: Vec<String>,
    /// The columns that its tables have.
    pub(super) columns: BTreeSet<String>,
    /// Columns that are used though no heading tells.
    pub(super) besides: BTreeSet<String>,
    /// What else the operator should know.
    pub(super) notes: Vec<String>,
}

/// Why no more rows are taken.
pub(super) enum Failed {
    /// They cannot be kept.
    Io(io::Error),
    /// There are too many of them.
    TooMuch(String),
}

impl From<SpoolError> for Failed {
    fn from(error: SpoolError) -> Self {
        match error {
            SpoolError::Io(cause) => Self::Io(cause),
            error => Self::TooMuch(error.to_string()),
        }
    }
}

impl Taker {
    pub(super) fn new(delivery: Delivery, spool: Spool) -> Self {
        let (columns, besides) = (BTreeSet::new(), BTreeSet::new());
        Self { delivery, spool, failed: None, tables: Vec::new(), columns, besides, notes: Vec::new() }
    }

    /// Takes a row; what fails is kept.
    pub(super) fn take(&mut self, row: Row) -> ControlFlow<()> {
        if let Err(cause) = self.spool.push(&row) {
            self.failed = Some(cause.into());
            return ControlFlow::Break(());
        }
        self.delivery.look(row);
        if self.delivery.is_full() {
            self.failed =
                Some(Failed::TooMuch("lebih dari sekitar 3,5 juta orang atau 2 juta keluarga".into()));
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }

    /// The columns of a table, as a heading.
    pub(super) fn heading(&mut self, (name, headings): (&str, &[String])) {
        self.columns.extend(headings.iter().cloned());
        let cells = headings.iter().cloned().map(Cell::Text).collect();
        let _ = self.take(Row { sheet: Some(name.into()), cells, ..Row::default() });
    }

    /// Takes rows of a table, numbered as they come or by a column.
    pub(super) async fn rows(
        &mut self,
        database: &mut Database,
        (name, headings): (&str, &[String]),
        sql: &str,
        numbered_by: Option<usize>,
    ) -> Result<(), SourceError> {
        let sheet: Option<Arc<str>> = Some(name.into());
        let mut number = 0;
        let each = &mut |cells: Vec<Cell>| {
            number = numbered_by.map_or(number + 1, |at| cells[at].text().parse().unwrap_or_default());
            self.take(Row { sheet: sheet.clone(), number, cells, ..Row::default() }.bounded())
        };
        database.read(sql, headings.len(), each).await?;
        Ok(())
    }

    /// Takes the answers of queries: what is as it was from the rows that were kept, the rest from the database.
    pub(super) async fn answers(
        &mut self,
        database: &mut Database,
        (asked, marked): (&[Query], &[Marked]),
        (kept, mut rows): (&Kept, Spooled),
    ) -> Result<(), SourceError> {
        let mut before = Before::of(&mut rows)?;
        for (at, query) in asked.iter().enumerate() {
            let table = (query.table, query.headings.as_slice());
            self.heading(table);
            for part in kept.parts(at, &marked[at]) {
                match part {
                    Part::Changed(first, last) => {
                        self.rows(database, table, &query.between(first, last), Some(0)).await?;
                    }
                    Part::Same(first, last) => {
                        while let Some(row) = before.next_in(query.table, first, last)? {
                            let _ = self.take(row);
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
