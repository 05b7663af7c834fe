//! What regions already have, read and cleaned: files row by row, headings, layouts, cells as people and spreadsheets
//! write them.
//!
//! Nothing is guessed: what cannot be known is told and left out.

pub mod cell;
pub mod clean;
pub mod correction;
pub mod delivery;
pub mod derive;
pub mod filled;
mod join;
pub mod key;
pub mod layout;
pub mod mapping;
pub mod person;
pub mod place;
pub mod plan;
pub mod preset;
pub mod preview;
pub mod propose;
pub mod read;
pub mod record;
pub mod spool;
pub mod survey;
pub mod unused;
pub mod value;
