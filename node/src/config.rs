//! `config.toml` of a node. Every key may be left out; one that is unknown is an error.

use std::path::{Path, PathBuf};

use dtsen_kit::files::{self, FileError};
use serde::{Deserialize, Serialize};

/// What an operator may set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Short name of the source of imported files, `[a-z0-9-]{1,32}`.
    pub source: String,
}

impl Default for Config {
    fn default() -> Self {
        Self { source: crate::import::DEFAULT_SOURCE.to_owned() }
    }
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// Its content.
    #[error("konfigurasi {path} salah; perbaiki baris itu, atau hapus berkasnya untuk memakai bawaan")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<toml::de::Error>,
    },
}

impl Config {
    /// Reads a configuration.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Reads the file; the defaults if there is none.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = String::from_utf8_lossy(&files::read(path)?).into_owned();
        let content = |source| ConfigError::Content { path: path.to_owned(), source: Box::new(source) };
        Self::parse(&text).map_err(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_as_usual_and_what_is_unknown_is_refused() {
        assert_eq!(Config::parse("").expect("defaults"), Config::default());
        assert_eq!(Config::parse("source = \"opensid\"").expect("reads").source, "opensid");
        assert!(Config::parse("sourse = \"opensid\"").is_err());
    }
}
