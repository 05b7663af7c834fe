//! A weak link.

use dtsen_tests::faults::{place::Engine, weak_link};

#[test]
fn everything_arrives_on_sqlite() -> anyhow::Result<()> {
    crate::scenario("weak_link", Engine::Sqlite, |place| weak_link::run(place, weak_link::SHORT))
}

#[test]
fn everything_arrives_on_postgres() -> anyhow::Result<()> {
    crate::scenario("weak_link", Engine::Postgres, |place| weak_link::run(place, weak_link::SHORT))
}
