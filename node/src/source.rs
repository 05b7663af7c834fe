//! What a region already has and where: files and databases, read whole or not at all.

pub mod address;
pub mod config;
pub mod database;
pub mod due;
pub mod emptied;
mod error;
mod kept;
mod mapping;
mod opensid;
mod reading;
pub mod run;
mod sqlite;
pub mod still;
mod tables;
mod taker;

pub use error::SourceError;
pub use mapping::mapping;
pub use reading::{Read, Settings, first_rows_of_sheets, read};
