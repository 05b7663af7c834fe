//! A model of the whole country: 552 regions over 90 virtual days, as events in a queue. What decides is the product's own
//! code: the judge of Hellos, session tokens, the chain, the line at the gate, the pauses of nodes. Networks, disks and
//! batches are numbers, so that 90 days pass in seconds; [`crate::sim`] runs the real programs with three nodes.
//!
//! Links break and come back, the hub is down for minutes and hours and comes back from last night's copy, nodes come back
//! from theirs, copies of nodes run beside them. In the end, after two days without trouble, everything that a region ever
//! imported is at the hub, and nobody was stopped who was whole.

mod country;
mod hub;
mod node;
mod queue;

pub use self::country::{Plan, Report, run};
