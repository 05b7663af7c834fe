//! The hub: takes signed deltas into custody, validates and merges them, gives every region its slice back.

pub mod registry;
