//! What node and hub must agree on byte for byte, and the checks that both run.
//!
//! No I/O, no clock, no database: everything here is a function of its arguments.

pub mod column;
pub mod id;
pub mod limits;
pub mod mask;
pub mod merkle;
pub mod nik;
pub mod record;
pub mod region;
pub mod rulebook;

/// Version of the exchange protocol that this code speaks.
pub const PROTOCOL_VERSION: u32 = 1;
/// Version of `record.proto` and of the column table.
pub const SCHEMA_VERSION: u32 = 1;
