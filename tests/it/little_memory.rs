//! Promise 2 with too little memory.

use dtsen_tests::faults::{little_memory, place::Engine};

#[test]
fn an_import_without_memory_ends_and_loses_nothing() -> anyhow::Result<()> {
    crate::scenario("little_memory", Engine::Sqlite, little_memory::run)
}
