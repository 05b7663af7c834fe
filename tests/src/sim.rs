//! A deterministic simulation of the real hub and two real nodes: turmoil's network and virtual time, real SQLite files,
//! real mTLS, real imports of DTSEN files. Everything that happens follows from a seed.
//!
//! Phase 1 breaks things by the seed's plan while three imports per region, two releases and their slices go through;
//! after every fault, and every few virtual seconds, the promises in [`check`] must hold. Phase 2 breaks nothing: within
//! [`PATIENCE_MS`] everything must be judged, released and held by every node with the contents of an undisturbed run.

mod ambient;
pub mod check;
mod contents;
mod hosts;
mod net;
mod plan;
mod run;
mod template;
mod trace;

pub use self::{
    contents::{Contents, Shown},
    plan::{Act, Plan},
    run::{Outcome, PATIENCE_MS, run},
    trace::Event,
};

/// Regions of the nodes.
const REGIONS: [&str; 2] = ["52.71", "75.71"];
/// Names of the hosts.
const HUB: &str = "hub";
const NODES: [&str; 2] = ["node-5271", "node-7571"];
/// Where the hub listens.
const EXCHANGE_PORT: u16 = 7443;
const ENROLMENT_PORT: u16 = 7444;
/// Imports of every region.
const ROUNDS: usize = 3;
