//! The hub's PostgreSQL is stopped, killed and paused in the middle of traffic. The hub says so, and goes on by itself.

use std::{process::Stdio, time::Duration};

use anyhow::ensure;

use super::{
    ledger,
    place::Place,
    server::{End, Server},
    source::{self, Source},
    wait,
};
use crate::federation::Hub;

/// Families of the region.
const FAMILIES: u64 = 30;
/// The server is away so long: longer than a call's patience with one connection, shorter than a test's.
const AWAY: Duration = Duration::from_millis(1_500);
/// Time for a node to come through again: connections are renewed and a lease runs out.
const PATIENCE: Duration = Duration::from_mins(2);
/// Exchanges begin at this long before the server goes.
const MOMENTS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(60), Duration::from_millis(200)];

/// What a run was like.
#[derive(Debug, Default)]
pub struct Tally {
    /// Times that the server went.
    pub ends: u32,
    /// Times that it was paused.
    pub pauses: u32,
    /// Exchanges of the node that failed meanwhile.
    pub failed: u32,
    /// Lines in the hub's log about its store and its connections.
    pub told: usize,
    /// Deltas in the end.
    pub deltas: u64,
}

/// One run.
pub fn run(place: &Place) -> anyhow::Result<Tally> {
    let mut server = Server::create()?;
    let plans = source::plans(place.seed(), &[("52.71", FAMILIES)])?;
    let mut hub = Hub::create(&place.path("pusat"), &server.address())?;
    hub.start()?;
    let source = Source::enrol(&hub, &place.path("node"), &plans[0])?;
    let (mut tally, mut day) = (Tally::default(), 0);
    for moment in MOMENTS {
        for how in [Some(End::Fast), Some(End::Immediate), Some(End::Kill), None] {
            source.load(day)?;
            day += 1;
            let mut traffic = source.node.command(&["sync", "--once", "--wait", "5"])?;
            let mut traffic = traffic.stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
            wait::pass(moment);
            if let Some(how) = how {
                tally.ends += 1;
                server.end(how)?;
                wait::pass(AWAY);
                server.start()?;
            } else {
                tally.pauses += 1;
                server.pause()?;
                wait::pass(AWAY);
                server.resume()?;
            }
            tally.failed += u32::from(!traffic.wait()?.success());
            wait::until(PATIENCE, || {
                let exchange = source.node.try_sync(Duration::from_secs(5)).map_err(|e| format!("{e:#}"))?;
                let left = ledger::totals(&source.node).map_err(|e| format!("{e:#}"))?;
                let done = exchange.well && left.pending + left.sealed + left.waiting == 0;
                if done { Ok(()) } else { Err(format!("{how:?}: {left:?} {}", exchange.told)) }
            })?;
        }
    }
    let log = std::fs::read_to_string(hub.home().join("hub.log"))?;
    // A hub that is idle meanwhile has nothing that fails; that its connections went it says in any case.
    let tells =
        |line: &&str| ["store failed", "pauses", "terminating connection"].iter().any(|w| line.contains(w));
    tally.told = log.lines().filter(tells).count();
    tally.deltas = ledger::totals(&source.node)?.sent;
    ensure!(tally.told > 0, "the hub never said that its database was gone: {tally:?}");
    ledger::check(&hub, &[&source.node])?;
    hub.stop()?;
    Ok(tally)
}
