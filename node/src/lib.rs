//! The node: a region's server, CLI and local page.

pub mod intake;
pub mod store;
