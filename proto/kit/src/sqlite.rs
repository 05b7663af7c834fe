//! SQLite as both processes use it: one file, WAL, `synchronous=FULL`, one connection that writes and one that reads.

use std::{io::Write as _, path::Path, time::Duration};

use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    error::DatabaseError as _,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteError, SqliteJournalMode, SqliteLockingMode, SqliteSynchronous},
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
    options: SqliteConnectOptions,
    mode: Mode,
}

/// SQLite's own code of an error.
fn code(error: &sqlx::Error) -> Option<i32> {
    match error {
        sqlx::Error::Database(told) => told.try_downcast_ref::<SqliteError>()?.code()?.parse().ok(),
        _ => None,
    }
}

/// Writes what a process left in the log ahead of the database anew, and copies it into the database.
///
/// A commit whose flush failed stays in the log's file, and who opens it next finds it there, though perhaps not on the
/// disk: the kernel forgets what it failed to write. Nothing may be built on it before it was written once more. Whoever
/// has the database open has done so already, and knows which commits failed.
async fn settle(options: &SqliteConnectOptions, path: &Path) -> Result<(), sqlx::Error> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if !std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        return Ok(());
    }
    let alone = options.clone().locking_mode(SqliteLockingMode::Exclusive).busy_timeout(Duration::ZERO);
    let conn = match alone.connect().await {
        Err(error) if code(&error).is_some_and(|code| matches!(code & 0xff, 5 | 6)) => return Ok(()),
        conn => conn?,
    };
    // As long as this connection holds the database, nobody else writes into the log.
    let bytes = std::fs::read(&log)?;
    let mut file = std::fs::OpenOptions::new().write(true).open(&log)?;
    file.write_all(&bytes)?;
    file.sync_all()?;
    conn.close().await
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
            if mode == Mode::Production {
                settle(&options, path).await?;
            }
            let mut writer = options.connect().await?;
            migrations.run(&mut writer).await?;
            let reader = options.connect().await?;
            Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader), options, mode })
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

    /// The connection that writes. After a failed commit SQLite has rolled back by itself and the driver, whose own rollback
    /// then fails, believes for ever that the transaction is open: such a connection is replaced.
    pub async fn writer(&self) -> MutexGuard<'_, SqliteConnection> {
        let mut writer = self.writer.lock().await;
        // The rollback of a transaction that was dropped may still be on its way; a ping comes after it.
        let stuck =
            writer.is_in_transaction() && (writer.ping().await.is_err() || writer.is_in_transaction());
        if stuck && let Ok(fresh) = self.options.connect().await {
            *writer = fresh;
        }
        writer
    }

    /// The connection that reads. Long reads do not hold up the writer.
    pub async fn reader(&self) -> MutexGuard<'_, SqliteConnection> {
        self.reader.lock().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NO_TABLES: Migrator = Migrator::DEFAULT;

    #[tokio::test]
    async fn a_transaction_that_sqlite_ended_by_itself_does_not_stop_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.db");
        let db = Sqlite::open(&path, true, Mode::Production, &NO_TABLES).await.expect("opens");
        {
            let mut writer = db.writer().await;
            let mut tx = writer.begin().await.expect("begins");
            // As SQLite does when a commit fails: the driver does not hear of it.
            sqlx::raw_sql("ROLLBACK").execute(&mut *tx).await.expect("rolls back");
            assert!(tx.commit().await.is_err());
        }
        for _ in 0..2 {
            let mut writer = db.writer().await;
            let tx = writer.begin_with("BEGIN IMMEDIATE").await.expect("the next one begins");
            tx.commit().await.expect("and ends");
        }
    }

    #[tokio::test]
    async fn what_a_process_left_in_the_log_is_written_anew_unless_another_has_it_open() {
        let folder = tempfile::tempdir().expect("a folder");
        let (live, left) = (folder.path().join("a.db"), folder.path().join("b.db"));
        let db = Sqlite::open(&live, true, Mode::Production, &NO_TABLES).await.expect("opens");
        let make = sqlx::raw_sql("CREATE TABLE a (b); INSERT INTO a VALUES (1)");
        make.execute(&mut *db.writer().await).await.expect("writes");
        // As after a crash: database and log, and nobody who has them open.
        for (from, to) in [("a.db", "b.db"), ("a.db-wal", "b.db-wal")] {
            std::fs::copy(folder.path().join(from), folder.path().join(to)).expect("copies");
        }
        settle(&db.options, &live).await.expect("leaves alone what is in use");
        settle(&db.options.clone().filename(&left), &left).await.expect("settles");
        assert!(folder.path().join("a.db-wal").is_file());
        assert!(!folder.path().join("b.db-wal").exists(), "all of it is in the database");
        let db = Sqlite::open(&left, false, Mode::Production, &NO_TABLES).await.expect("opens");
        let held: i64 =
            sqlx::query_scalar("SELECT b FROM a").fetch_one(&mut *db.reader().await).await.expect("reads");
        assert_eq!(held, 1);
    }
}
