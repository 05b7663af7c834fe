//! Two hub processes on one PostgreSQL.

use dtsen_tests::faults::{place::Engine, two_hubs};

#[test]
fn give_the_contents_of_one() -> anyhow::Result<()> {
    crate::scenario("two_hubs", Engine::Postgres, two_hubs::run)
}
