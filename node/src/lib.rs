//! The node: a region's server, CLI and local page.

pub mod commands;
pub mod config;
pub mod enrol;
pub mod home;
pub mod identity;
pub mod import;
pub mod intake;
pub mod store;
pub mod sync;
