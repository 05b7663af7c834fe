//! Promise 1 when the hub's database server goes away.

use dtsen_tests::faults::{
    lost_server,
    place::{Engine, server},
};

#[test]
fn a_server_that_stops_or_hangs_loses_nothing() -> anyhow::Result<()> {
    if server().is_none() {
        eprintln!("NOT TESTED: DTSEN_TEST_POSTGRES names no server, so there may be no PostgreSQL here");
        return Ok(());
    }
    crate::scenario("lost_server", Engine::Sqlite, lost_server::run)
}
