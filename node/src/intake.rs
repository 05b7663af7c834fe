//! Reading of the files that a region already has: the DTSEN v3 pair and CSV with DTSEN column names.
//!
//! Pure and streaming: memory stays bounded whatever the file holds, nothing is guessed, nothing is lost silently.
//! [`open`] understands a file; [`Table::next_row`] frames, splits and digests its rows, cheaply, so that the rows
//! that the last import already had need no more; [`RowReader::read_row`] reads the others. What is wrong with a
//! row is a [`FileFinding`] with file, line and column, and the other rows go on.
//!
//! The digest of a row covers its bytes, the layout, the rulebook's version and what the file's sample told. It does
//! not cover the region, the reference day, the source, nor the village of a member's family; [`RowReader::village`]
//! gives that one without reading the row.

mod error;
mod finding;
mod layout;
mod place;
mod read;
mod table;

pub use dtsen_sources::{
    key::RowKey,
    read::text::{Broken, MAX_RECORD_BYTES, RawRow},
};
pub use error::IntakeError;
pub use finding::{Detail, FileFinding};
pub use place::{Domicile, FamilyPlaces, PlaceNames};
pub use read::{RowReader, RowReading, row_key};
pub use table::{Table, open};

#[cfg(test)]
mod tests;
