//! The hub is put back to an older copy of its database.

use dtsen_tests::faults::{place::Engine, restored_hub};

#[test]
fn regions_notice_and_hand_back_what_is_missing() -> anyhow::Result<()> {
    crate::scenario("restored_hub", Engine::Sqlite, restored_hub::run)
}
