//! A database of one's own for every test.

use std::sync::Arc;

use dtsen_central::store::{self, Cell, Store};
use dtsen_kit::sqlite::Mode;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};

/// Where a test's database is.
pub(crate) struct Place {
    pub(crate) address: String,
    mode: Mode,
    dir: tempfile::TempDir,
}

impl Place {
    /// Another process on the same database.
    pub(crate) async fn open(&self) -> Arc<dyn Store> {
        store::open(&self.address, true, self.mode).await.expect("opens")
    }

    /// Runs a statement on the database behind the store's back. Returns how many rows it changed.
    pub(crate) async fn execute(&self, text: &str, values: &[Cell]) -> u64 {
        macro_rules! run {
            ($connection:ty) => {{
                let mut conn = <$connection>::connect(&self.address).await.expect("connects");
                let mut query = sqlx::query(AssertSqlSafe(text.to_owned()));
                for value in values {
                    query = match value.clone() {
                        Cell::Number(value) => query.bind(value),
                        Cell::Bytes(value) => query.bind(value),
                        Cell::Text(value) => query.bind(value),
                    };
                }
                query.execute(&mut conn).await.expect("changes").rows_affected()
            }};
        }
        if self.address.starts_with("sqlite") { run!(SqliteConnection) } else { run!(PgConnection) }
    }

    /// Takes everything out of the database.
    pub(crate) async fn clear(&self) {
        for table in store::TABLES {
            self.execute(&format!("DELETE FROM {}", table.name), &[]).await;
        }
    }

    /// An empty SQLite database beside it.
    pub(crate) async fn other_sqlite(&self, name: &str) -> Arc<dyn Store> {
        let address = format!("sqlite:{}", self.dir.path().join(name).display());
        store::open(&address, true, self.mode).await.expect("opens")
    }
}

fn sqlite(mode: Mode) -> Place {
    let dir = tempfile::tempdir().expect("a directory");
    Place { address: format!("sqlite:{}", dir.path().join("hub.db").display()), mode, dir }
}

pub(crate) async fn on_sqlite<F: Future<Output = ()>>(test: impl FnOnce(Place) -> F) {
    test(sqlite(Mode::Production)).await;
}

pub(crate) async fn in_simulation<F: Future<Output = ()>>(test: impl FnOnce(Place) -> F) {
    test(sqlite(Mode::Simulated)).await;
}

/// Address of the server, if there is one. Where it must be there, its absence fails.
pub(crate) fn server() -> Option<String> {
    let address = std::env::var("DTSEN_TEST_POSTGRES").ok();
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|v| v == value);
    let required = is("CI", "true") || is("DTSEN_TEST_REQUIRE_POSTGRES", "1");
    assert!(address.is_some() || !required, "DTSEN_TEST_POSTGRES names no server, and here one is required");
    if address.is_none() {
        eprintln!("NOT TESTED: DTSEN_TEST_POSTGRES names no server");
    }
    address
}

pub(crate) async fn on_postgres<F: Future<Output = ()>>(name: &str, test: impl FnOnce(Place) -> F) {
    let Some(address) = server() else { return };
    // PostgreSQL cuts names after 63 bytes.
    let name = format!("t{}_{}", std::process::id(), &name[..name.len().min(50)]);
    let mut admin = PgConnection::connect(&address).await.expect("connects");
    let create = format!("CREATE DATABASE {name} LOCALE 'C.UTF-8' TEMPLATE template0");
    admin.execute(AssertSqlSafe(create)).await.expect("makes a database");
    let (server, _) = address.rsplit_once('/').expect("an address with a database");
    let dir = tempfile::tempdir().expect("a directory");
    test(Place { address: format!("{server}/{name}"), mode: Mode::Production, dir }).await;
    let drop = format!("DROP DATABASE {name} WITH (FORCE)");
    admin.execute(AssertSqlSafe(drop)).await.expect("drops the database");
}
