//! Promise 2 without power: nothing said is lost, whatever the disk had not written yet.

use dtsen_tests::faults::{place::Engine, power};

/// Cuts; half the hub's, half the node's.
const CUTS: u64 = 1_000;

#[test]
fn power_cuts_lose_nothing_that_was_said() -> anyhow::Result<()> {
    crate::scenario("power", Engine::Sqlite, |place| power::run(place, CUTS))
}

/// Flushes fail now and then: whatever was said meanwhile is on the disk. strace counts each thread's; one exchange of a
/// node makes eight or more in one thread.
#[test]
fn a_flush_that_fails_is_not_believed() -> anyhow::Result<()> {
    crate::scenario("failing_flush", Engine::Sqlite, |place| {
        power::with_failing(place, "fsync,fdatasync:error=EIO:when=9+10")
    })
}

/// Writes to the databases fail now and then, as on a disk that is full. Less often than the longest transaction
/// writes, or it would never come through.
#[test]
fn a_full_disk_loses_nothing_that_was_said() -> anyhow::Result<()> {
    crate::scenario("full_disk", Engine::Sqlite, |place| {
        power::with_failing(place, "pwrite64:error=ENOSPC:when=200+809")
    })
}
