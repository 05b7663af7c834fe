//! What node and hub must agree on byte for byte, and the checks that both run.
//!
//! No I/O, no clock, no database: everything here is a function of its arguments.

pub mod batch;
pub mod chain;
pub mod checkpoint;
pub mod column;
pub mod convert;
pub mod enrol;
pub mod envelope;
pub mod id;
pub mod key;
pub mod limits;
pub mod mask;
pub mod merkle;
pub mod nik;
pub mod record;
pub mod refusal;
pub mod region;
pub mod rulebook;
pub mod slice;

/// Generated from `schema/`; a test regenerates and compares.
#[expect(
    missing_docs,
    unused_qualifications,
    clippy::allow_attributes,
    clippy::pedantic,
    clippy::all,
    reason = "generated"
)]
pub mod pb {
    include!("gen/dtsen.v1.rs");
}

/// Version of the exchange protocol that this code speaks.
pub const PROTOCOL_VERSION: u32 = 1;
/// Version of `record.proto` and of the column table.
pub const SCHEMA_VERSION: u32 = 1;
