//! A deterministic simulation of the real hub and three real nodes: turmoil's network and virtual time, real SQLite files,
//! real mTLS, real imports of DTSEN files. Everything that happens follows from a seed.
//!
//! Phase 1 breaks things by the seed's plan while three imports per region, two releases and their slices go through;
//! `operators` do what the documents tell people to do. After every fault, and every few virtual seconds, the promises
//! in [`check`] must hold. Phase 2 breaks nothing: within [`PATIENCE_MS`] everything must be judged, released and held by
//! every node with the contents of an undisturbed run.

mod act;
pub(crate) mod ambient;
pub mod check;
mod contents;
mod driver;
mod homes;
mod hosts;
mod ledger;
mod net;
mod operators;
mod plan;
pub mod planted;
mod restores;
mod run;
mod sweep;
mod template;
mod trace;
pub(crate) mod world;

pub use self::{
    act::{Act, Fault},
    contents::{Contents, Shown},
    driver::PATIENCE_MS,
    plan::Plan,
    restores::Tally,
    run::{Outcome, run, run_plan},
    sweep::Sweep,
    trace::Event,
};

/// Nodes of the federation, and for each the copy that a plan may run beside it.
const NODES: usize = 3;
/// Regions of the nodes: two of one province, one of another.
const REGIONS: [&str; NODES] = ["52.71", "75.71", "52.03"];
/// Names of the hosts.
const HUB: &str = "hub";
const NODE_NAMES: [&str; NODES] = ["node-5271", "node-7571", "node-5203"];
const TWIN_NAMES: [&str; NODES] = ["twin-5271", "twin-7571", "twin-5203"];
/// Where the hub listens.
const EXCHANGE_PORT: u16 = 7443;
const ENROLMENT_PORT: u16 = 7444;
/// Imports of every region.
const ROUNDS: usize = 3;
