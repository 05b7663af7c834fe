//! What a region already has and where: files and databases, read whole or not at all.

pub mod address;
pub mod database;
mod error;
mod opensid;
mod reading;
mod tables;

pub use error::SourceError;
pub use reading::{Read, Settings, look, read};
