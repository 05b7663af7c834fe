//! Promise 2 without power: nothing said is lost, whatever the disk had not written yet.

use dtsen_tests::faults::{place::Engine, power};

/// Cuts; half the hub's, half the node's.
const CUTS: u64 = 1_000;

#[test]
fn power_cuts_lose_nothing_that_was_said() -> anyhow::Result<()> {
    crate::scenario("power", Engine::Sqlite, |place| power::run(place, CUTS))
}
