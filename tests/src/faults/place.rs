//! A folder and a database of one's own for every test; a failing test shows its seed and the logs' ends.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::wait;
use crate::federation;

/// Which database the hub uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A file in the hub's home.
    Sqlite,
    /// A database of one's own on the test server.
    Postgres,
}

/// Lines of every log that a failing test shows.
const TAIL: usize = 25;

/// A folder, and with PostgreSQL a database, that go when the test ends.
#[derive(Debug)]
pub struct Place {
    folder: tempfile::TempDir,
    database: String,
    made: Option<(String, String)>,
    seed: u64,
}

/// Address of the test server, if there is one. Where it must be there, its absence fails.
pub fn server() -> Option<String> {
    let address = std::env::var("DTSEN_TEST_POSTGRES").ok();
    let is = |name: &str, value: &str| std::env::var(name).is_ok_and(|v| v == value);
    let required = is("CI", "true") || is("DTSEN_TEST_REQUIRE_POSTGRES", "1");
    assert!(address.is_some() || !required, "DTSEN_TEST_POSTGRES names no server, and here one is required");
    address
}

impl Place {
    /// A place; `None` with a notice where PostgreSQL is asked for and there is no server.
    pub fn new(engine: Engine, name: &str, seed: u64) -> anyhow::Result<Option<Self>> {
        let folder = tempfile::Builder::new().prefix(&format!("dtsen-{name}.")).tempdir()?;
        if engine == Engine::Sqlite {
            return Ok(Some(Self { folder, database: "sqlite:hub.db".into(), made: None, seed }));
        }
        let Some(server) = server() else {
            eprintln!("NOT TESTED: DTSEN_TEST_POSTGRES names no server");
            return Ok(None);
        };
        let own = format!("t{}_{name}_{seed}", std::process::id());
        run(&server, format!("CREATE DATABASE {own} LOCALE 'C.UTF-8' TEMPLATE template0"))?;
        let (host, _) = server.rsplit_once('/').context("an address with a database")?;
        let database = format!("{host}/{own}");
        Ok(Some(Self { folder, database, made: Some((server, own)), seed }))
    }

    /// A folder in the place.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The database, as `init` takes it.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Seed and ends of all logs.
    pub fn story(&self) -> String {
        let mut story = format!("seed {}\n", self.seed);
        story += &tails(self.folder.path());
        story
    }

    /// Runs a scenario; a failure comes with the story.
    pub fn tell<T>(&self, result: anyhow::Result<T>) -> anyhow::Result<T> {
        result.map_err(|error| anyhow::anyhow!("{error:?}\n{}", self.story()))
    }
}

fn tails(folder: &Path) -> String {
    let mut text = federation::log_tail(folder, TAIL);
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            text += &tails(&entry.path());
        }
    }
    text
}

fn run(server: &str, statement: String) -> anyhow::Result<()> {
    wait::block_on(async {
        let mut admin = PgConnection::connect(server).await?;
        admin.execute(AssertSqlSafe(statement)).await?;
        Ok(())
    })
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((server, own)) = self.made.take()
            && let Err(error) = run(&server, format!("DROP DATABASE {own} WITH (FORCE)"))
        {
            eprintln!("database {own} was not dropped: {error:#}");
        }
    }
}
