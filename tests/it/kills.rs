//! Promises 1 and 2.

use dtsen_tests::faults::{kills, place::Engine};

const KILLS: u32 = 50;

#[test]
fn on_sqlite() -> anyhow::Result<()> {
    crate::scenario("kills", Engine::Sqlite, |place| kills::run(place, KILLS))
}

#[test]
fn on_postgres() -> anyhow::Result<()> {
    crate::scenario("kills", Engine::Postgres, |place| kills::run(place, KILLS))
}
