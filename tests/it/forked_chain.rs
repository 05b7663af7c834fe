//! Two copies of one node at work.

use dtsen_tests::faults::{forked_chain, place::Engine};

#[test]
fn token_on_sqlite() -> anyhow::Result<()> {
    crate::scenario("forked_token", Engine::Sqlite, forked_chain::through_the_token)
}

#[test]
fn token_on_postgres() -> anyhow::Result<()> {
    crate::scenario("forked_token", Engine::Postgres, forked_chain::through_the_token)
}

#[test]
fn chain_on_sqlite() -> anyhow::Result<()> {
    crate::scenario("forked_chain", Engine::Sqlite, forked_chain::through_the_chain)
}

#[test]
fn chain_on_postgres() -> anyhow::Result<()> {
    crate::scenario("forked_chain", Engine::Postgres, forked_chain::through_the_chain)
}

#[test]
fn batch_on_sqlite() -> anyhow::Result<()> {
    crate::scenario("forked_batch", Engine::Sqlite, forked_chain::through_a_batch)
}

#[test]
fn batch_on_postgres() -> anyhow::Result<()> {
    crate::scenario("forked_batch", Engine::Postgres, forked_chain::through_a_batch)
}
