//! Where things stand in a sheet: headings, what is said outside the table, rows.

pub(crate) mod beside;
pub(crate) mod column;
pub mod context;
pub mod find;
pub mod footer;
mod group;
pub mod heading;
pub mod keys;
pub mod sheet;
mod short;
pub(crate) mod spelling;
mod untitled;
pub(crate) mod whose;
