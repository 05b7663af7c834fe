//! Cells, one kind a file: what they say, and what had to be mended.

pub mod address;
pub mod date;
pub mod encoding;
pub mod name;
pub mod number;
pub mod text;
pub mod words;
