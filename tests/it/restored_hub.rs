//! The hub is put back to an older copy of its database.

use dtsen_tests::faults::{place::Engine, restored_hub};

#[test]
fn regions_notice_and_hand_back_what_is_missing() -> anyhow::Result<()> {
    crate::scenario("restored_hub", Engine::Sqlite, restored_hub::run)
}

#[test]
fn decisions_that_were_lost_are_listed() -> anyhow::Result<()> {
    crate::scenario("restored_hub_decisions", Engine::Sqlite, restored_hub::with_decisions)
}

#[test]
fn a_hub_that_lost_only_tokens_takes_nobody_for_a_copy() -> anyhow::Result<()> {
    crate::scenario("restored_hub_tokens", Engine::Sqlite, restored_hub::without_tokens)
}
