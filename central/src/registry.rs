//! The registry's pure core: records as sets of claims, merging, and the decision on every delta.
//!
//! Nothing here reads a clock, a database or a network. A replay of the same inputs gives the same registry.

pub mod claim;
pub mod codec;
mod death;
pub mod decide;
pub mod identity;
pub mod moves;
pub mod record;
pub mod steward;
pub mod view;
