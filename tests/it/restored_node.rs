//! A node comes back from an older copy, from nothing, and with new keys.

use dtsen_tests::faults::{place::Engine, restored_node};

#[test]
fn from_a_copy_on_sqlite() -> anyhow::Result<()> {
    crate::scenario("restored_copy", Engine::Sqlite, restored_node::from_a_copy)
}

#[test]
fn from_a_copy_on_postgres() -> anyhow::Result<()> {
    crate::scenario("restored_copy", Engine::Postgres, restored_node::from_a_copy)
}

#[test]
fn from_nothing_on_sqlite() -> anyhow::Result<()> {
    crate::scenario("restored_nothing", Engine::Sqlite, restored_node::from_nothing)
}

#[test]
fn from_nothing_on_postgres() -> anyhow::Result<()> {
    crate::scenario("restored_nothing", Engine::Postgres, restored_node::from_nothing)
}

#[test]
fn with_new_keys_on_sqlite() -> anyhow::Result<()> {
    crate::scenario("new_keys", Engine::Sqlite, restored_node::with_new_keys)
}

#[test]
fn with_new_keys_on_postgres() -> anyhow::Result<()> {
    crate::scenario("new_keys", Engine::Postgres, restored_node::with_new_keys)
}
