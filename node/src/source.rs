//! What a region already has and where: files and databases, read whole or not at all.

pub mod address;
pub mod config;
pub mod database;
mod error;
mod opensid;
mod reading;
pub mod run;
mod tables;

pub use error::SourceError;
pub use reading::{Read, Settings, look, read};
