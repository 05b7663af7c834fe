//! Where things stand in a sheet: headings, what is said outside the table, rows.

pub mod context;
pub mod find;
pub mod footer;
pub mod heading;
pub mod sheet;
