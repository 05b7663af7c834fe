//! Promises 1 and 6 on a disk that forgets: bits flip in the database files.

use dtsen_tests::faults::{bit_rot, place::Engine};

#[test]
fn a_flipped_bit_is_noticed_or_changes_nothing_proven() -> anyhow::Result<()> {
    crate::scenario("bit_rot", Engine::Sqlite, |place| bit_rot::run(place, bit_rot::FLIPS))
}
