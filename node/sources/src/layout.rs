//! Where things stand in a sheet: headings, what is said outside the table, rows.

pub mod context;
pub mod find;
pub mod heading;
pub mod keys;
pub mod sheet;
