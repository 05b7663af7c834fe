//! Plumbing that both processes need and that is no protocol: clock, randomness, private files, SQLite, TLS, network,
//! logs, progress, signals, the terminal. May import `dtsen-proto` only.

/// Decoding and merging make and drop many small values: with the allocator of the C library the hub spent half of its time
/// in it (docs/PERFORMANCE.md).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub mod advice;
pub mod ambient;
pub mod files;
pub mod net;
pub mod program;
pub mod progress;
pub mod secret;
pub mod sqlite;
pub mod stop;
pub mod telemetry;
pub mod terminal;
pub mod tls;
