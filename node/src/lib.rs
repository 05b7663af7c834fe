//! The node: a region's server, CLI and local page.

pub mod audit;
pub mod commands;
pub mod enrol;
pub mod export;
pub mod follow;
pub mod home;
pub mod identity;
pub mod import;
pub mod intake;
pub mod local;
pub mod mending;
pub mod rulebook;
pub mod source;
pub mod store;
pub mod sync;
