//! What regions already have, as people and spreadsheets write it: cleaning of cells, headings, layouts. Pure.
//!
//! Nothing is guessed: what cannot be known is told and left out.

pub mod clean;
pub mod layout;
