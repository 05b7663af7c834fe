//! The node: a region's server, CLI and local page.

pub mod import;
pub mod intake;
pub mod store;
