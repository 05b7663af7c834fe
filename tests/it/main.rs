//! Faults in a federation of real processes, on both databases. `DTSEN_TEST_QUICK=1` skips them with a notice.

mod bit_rot;
mod forked_chain;
mod hostile_to_hub;
mod hostile_to_node;
mod kills;
mod little_memory;
mod local_service;
mod lost_server;
mod outage;
mod power;
mod privacy;
mod restored_hub;
mod restored_node;
mod rulebook;
mod steps;
mod strangers;
mod two_hubs;
mod way_back;
mod weak_link;

/// Whether long tests are to be skipped.
fn quick(name: &str) -> bool {
    let quick = std::env::var("DTSEN_TEST_QUICK").is_ok_and(|v| v == "1");
    if quick {
        eprintln!("NOT TESTED: {name} is long, and DTSEN_TEST_QUICK asks for a quick run");
    }
    quick
}

/// Runs a scenario in a place of its own, with its story if it fails.
fn scenario<T: std::fmt::Debug>(
    name: &str,
    engine: dtsen_tests::faults::place::Engine,
    run: impl FnOnce(&dtsen_tests::faults::place::Place) -> anyhow::Result<T>,
) -> anyhow::Result<()> {
    if quick(name) {
        return Ok(());
    }
    let seed = std::env::var("DTSEN_TEST_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(1);
    let Some(place) = dtsen_tests::faults::place::Place::new(engine, name, seed)? else { return Ok(()) };
    let found = place.tell(run(&place))?;
    eprintln!("{name}: {found:?}");
    Ok(())
}
