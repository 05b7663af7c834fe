//! What a region already has and where: files and databases, read whole or not at all.

use std::{path::Path, sync::Arc};

use dtsen_proto::rulebook::Rulebook;
use dtsen_sources::preset::Preset;

pub mod address;
pub mod config;
pub mod database;
pub mod due;
mod error;
mod kept;
mod opensid;
mod reading;
pub mod run;
mod tables;
mod taker;

pub use error::SourceError;
pub use reading::{Read, Settings, first_rows, read};

/// Reads a mapping that a region wrote itself.
pub fn mapping(path: &Path, rulebook: &Rulebook) -> Result<Arc<Preset>, SourceError> {
    let wrong = |cause: String| SourceError::Mapping { path: path.to_owned(), cause };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    Preset::mapping(&text, rulebook).map(Arc::new).map_err(|error| wrong(error.to_string()))
}
