//! Files of `SQLite`: whoever made one decides what its views reckon, and how long its cells are.

use std::{
    borrow::Cow,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use dtsen_sources::{cell::MAX_CELL_BYTES, clean::encoding::decode};
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, Row as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteRow},
};

use super::{SourceError, database::told};

/// What `SQLite` may take in memory, in the whole process: a value that a view reckons has no other limit. The node's own
/// store is content with a quarter, and gives pages back before it lacks any.
const MEMORY: &str = "PRAGMA hard_heap_limit = 134217728";
/// Bytes of a row, of which several wait to be read.
const MAX_ROW_BYTES: usize = 4 * 1024 * 1024;
/// Rows that wait to be read.
const WAITING: usize = 8;
/// Steps of `SQLite` between two looks at whether anybody still waits for it: some milliseconds.
const STEPS: i32 = 100_000;

/// What `SQLite` says that it cannot do, by the first byte of its codes.
const BUSY: u32 = 5;
const LOCKED: u32 = 6;
const NO_MEMORY: u32 = 7;
const TOO_BIG: u32 = 18;

/// An open file, which is read by a thread of its own.
pub(super) struct Sqlite {
    connection: SqliteConnection,
    /// Nobody waits any more: without it, a view without end would be reckoned for ever.
    left: Arc<AtomicBool>,
}

impl Sqlite {
    /// Opens read-only; the file must be there.
    pub(super) async fn open(path: &Path) -> sqlx::Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .read_only(true)
            .create_if_missing(false)
            .row_buffer_size(WAITING)
            .disable_statement_logging();
        let mut connection = SqliteConnection::connect_with(&options).await?;
        let left = Arc::new(AtomicBool::new(false));
        let looked = Arc::clone(&left);
        connection.lock_handle().await?.set_progress_handler(STEPS, move || !looked.load(Ordering::Relaxed));
        connection.execute(MEMORY).await?;
        connection.execute("BEGIN").await?;
        Ok(Self { connection, left })
    }

    pub(super) fn executor(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.left.store(true, Ordering::Relaxed);
    }
}

/// A column of a table with so many as text. What is too long for a cell is not loaded: bytes in its place, one too many,
/// say so.
pub(super) fn as_text(column: &str, columns: usize) -> String {
    let most = MAX_CELL_BYTES.min(MAX_ROW_BYTES / columns.max(1));
    let long = MAX_CELL_BYTES + 1;
    format!("CASE WHEN octet_length({column}) > {most} THEN zeroblob({long}) ELSE CAST({column} AS TEXT) END")
}

/// A column of a row: nothing makes sure that a text is UTF-8.
pub(super) fn text_at(row: &SqliteRow, at: usize) -> sqlx::Result<Option<Cow<'_, str>>> {
    Ok(row.try_get_unchecked::<Option<&[u8]>, _>(at)?.map(|bytes| decode(bytes).0))
}

/// Which of the faults that are not the file's it is.
pub(super) fn fault(cause: &sqlx::Error) -> Option<u32> {
    let sqlx::Error::Database(told) = cause else { return None };
    let code = told.code()?.parse::<u32>().ok()? & 0xFF;
    [BUSY, LOCKED, NO_MEMORY, TOO_BIG].contains(&code).then_some(code)
}

impl SourceError {
    /// Why a file of `SQLite` is not read to its end.
    pub(super) fn of_sqlite(cause: &sqlx::Error, server: String) -> Self {
        match fault(cause) {
            Some(BUSY | LOCKED) => Self::Busy { server },
            Some(_) => Self::TooMuch { origin: server, what: "isian melebihi 128 MB".into() },
            None => Self::Damaged { server, cause: told(cause) },
        }
    }
}

#[cfg(test)]
mod tests;
