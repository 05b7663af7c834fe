//! Many nodes at once: everybody is served, and nobody hears anything but "later".

use anyhow::ensure;
use dtsen_tests::{
    bench::outage::{self, Form},
    faults::place::{Engine, Place},
};

/// More than the hub takes in at once.
const CROWD: Form = Form { nodes: 150, batches: 2, deltas: 50 };

fn all_are_served(place: &Place) -> anyhow::Result<()> {
    let found = outage::run(&place.path("semua"), place.database(), CROWD)?;
    ensure!(found.errors.is_empty(), "{found:?}");
    ensure!(found.batches == CROWD.nodes * CROWD.batches, "{found:?}");
    Ok(())
}

#[test]
fn a_crowd_is_served_on_sqlite() -> anyhow::Result<()> {
    crate::scenario("outage", Engine::Sqlite, all_are_served)
}

#[test]
fn a_crowd_is_served_on_postgres() -> anyhow::Result<()> {
    crate::scenario("outage", Engine::Postgres, all_are_served)
}
