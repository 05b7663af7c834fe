//! A region's node.

pub mod intake;
