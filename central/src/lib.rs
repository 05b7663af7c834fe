//! The hub: takes signed deltas into custody, validates and merges them, gives every region its slice back.

pub mod audit;
pub mod authority;
pub mod commands;
pub mod door;
pub mod engine;
pub mod enrolment;
pub mod erasure;
pub mod generation;
pub mod grpc;
pub mod hello;
pub mod home;
pub mod hub;
pub mod intake;
pub mod journal;
pub mod lane;
pub mod lease;
pub mod registry;
pub mod release;
pub mod replay;
pub mod rulebook;
pub mod serve;
pub mod session;
pub mod stewardship;
pub mod store;
