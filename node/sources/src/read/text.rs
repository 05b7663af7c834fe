//! Delimited text: physical lines in bounded memory, rows out of them, and what the file's delimiter is.

mod frame;
mod raw;
mod rows;
mod sniff;

pub use frame::MAX_RECORD_BYTES;
pub use raw::{Broken, RawRow, Splitter};
pub use rows::{Dialect, Rows};
pub use sniff::read;
