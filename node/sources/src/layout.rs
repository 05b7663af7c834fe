//! Layouts of lists of people.

pub mod find;
pub mod heading;
