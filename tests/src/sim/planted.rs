//! Deliberate damage, done to the databases of a simulation that has ended well: each checker must see its own.

use anyhow::Context as _;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

use super::{act::Act, ambient::Elapsed, contents::Contents, driver::Driver, plan::Plan, trace::Trace};

/// Whose database is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// The hub's.
    Hub,
    /// That of the first node.
    Node,
}

/// A simulation that has ended well.
pub struct Ended {
    driver: Driver,
    contents: Contents,
}

impl Ended {
    /// Runs one that nothing disturbs.
    pub fn new() -> anyhow::Result<Self> {
        let elapsed = std::sync::Arc::<Elapsed>::default();
        let mut driver = Driver::new(Plan::undisturbed(0), Trace::new(&elapsed), elapsed)?;
        let contents = driver.drive()?;
        Ok(Self { driver, contents })
    }

    /// Changes rows behind everybody's back.
    pub fn damage(&self, place: Where, statement: &'static str) -> anyhow::Result<()> {
        let stage = self.driver.stage();
        let file = match place {
            Where::Hub => stage.hub.join("hub.db"),
            Where::Node => stage.node.join("node.db"),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let mut conn =
                SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await?;
            sqlx::raw_sql(statement).execute(&mut conn).await?;
            Ok(conn.close().await?)
        })
    }

    /// The first node comes back from a home of before it sent anything, and nobody hears of it.
    pub fn roll_back_the_node(&mut self) -> anyhow::Result<()> {
        self.driver.act(Act::EmptyDisk(0))
    }

    /// What all checkers say now.
    pub fn check(&mut self) -> anyhow::Result<()> {
        self.driver.check()?;
        self.driver.end()?;
        let now = self.driver.contents()?;
        match now.difference(&self.contents, true) {
            Some(difference) => Err(anyhow::anyhow!(difference)).context("contents_equal_an_undisturbed_run"),
            None => Ok(()),
        }
    }
}
