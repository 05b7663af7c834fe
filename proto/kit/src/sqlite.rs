//! SQLite as both processes use it: one file, WAL, `synchronous=FULL`, one connection that writes and one that reads.

use std::{path::Path, time::Duration};

use sqlx::{
    ConnectOptions as _, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::{Mutex, MutexGuard};

/// How store calls run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// As ordinary futures.
    Production,
    /// Each to its end without giving way, so that the worker thread of the driver cannot race virtual time.
    Simulated,
}

/// How long a writer waits for another process (a backup, an operator's command) before it gives up.
const BUSY: Duration = Duration::from_secs(30);

/// One SQLite database.
#[derive(Debug)]
pub struct Sqlite {
    writer: Mutex<SqliteConnection>,
    reader: Mutex<SqliteConnection>,
    mode: Mode,
}

impl Sqlite {
    /// Opens the file, making it if `create`, and brings its tables up to date.
    pub async fn open(
        path: &Path,
        create: bool,
        mode: Mode,
        migrations: &'static Migrator,
    ) -> Result<Self, MigrateError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .disable_statement_logging();
        let open = async {
            let mut writer = options.connect().await?;
            migrations.run(&mut writer).await?;
            let reader = options.connect().await?;
            Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader), mode })
        };
        match mode {
            Mode::Production => open.await,
            Mode::Simulated => futures::executor::block_on(open),
        }
    }

    /// Runs one store call. In a simulation it runs to its end here; the locks in it count against the budget of
    /// tokio's task, which a call that never gives way would use up, so they do not count.
    pub async fn section<F: Future>(&self, call: F) -> F::Output {
        match self.mode {
            Mode::Production => call.await,
            Mode::Simulated => futures::executor::block_on(tokio::task::unconstrained(call)),
        }
    }

    /// The connection that writes.
    pub async fn writer(&self) -> MutexGuard<'_, SqliteConnection> {
        self.writer.lock().await
    }

    /// The connection that reads. Long reads do not hold up the writer.
    pub async fn reader(&self) -> MutexGuard<'_, SqliteConnection> {
        self.reader.lock().await
    }
}
