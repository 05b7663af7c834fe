//! Sources that a node knows: one small file each, without secrets, and what was seen of it last.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    time::Duration,
};

use dtsen_kit::files::{self, FileError};
use dtsen_proto::record::is_source_name;
use dtsen_sources::filled::Counts;
use serde::{Deserialize, Serialize};

use super::kept::Kept;
use crate::{
    home::Home,
    store::{Store, StoreError},
};

/// Folder of the files, in the home.
const FOLDER: &str = "sources";
/// The shortest time between two readings: a database is not there for us alone.
const SHORTEST: Duration = Duration::from_secs(10);
/// How long a server may think before its next row, if nothing else is said.
const PATIENCE: Duration = Duration::from_mins(1);

/// A source as the operator described it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Path of a file, or address of a database without password.
    pub origin: String,
    /// The layout, if it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// File of a mapping that the region wrote itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mapping: Option<PathBuf>,
    /// Tables of a database that are read, if they were chosen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<String>,
    /// Kemendagri code of where the data is from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wilayah: Option<String>,
    /// How often the running node reads it, as `15m` or `1h`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// How long a database may think before its next row, as `60s`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience: Option<String>,
    /// File that holds the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Environment variable that holds the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
    /// What the source no longer has is withdrawn.
    pub complete: bool,
}

/// What was seen of a source last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// When it was last tried.
    pub tried_ms: i64,
    /// When it was last read well.
    pub well_ms: i64,
    /// Why it is not well; none while it is.
    pub alarm: Option<String>,
    /// Rows that described somebody.
    pub rows: u64,
    /// Whether its last reading was brought to its end: nothing of it was interrupted, nothing waits for a person.
    pub settled: bool,
    /// What its rows were; see [`super::Read::fingerprint`].
    pub fingerprint: Option<String>,
    /// Its rows, where they are kept so that only what changed is asked for again.
    pub kept: Option<Kept>,
    /// Headings that were used.
    pub headings: BTreeSet<String>,
    /// How many rows said something under each of them.
    pub filled: Counts,
    /// Tables that were read: one that comes later, as a copy does, is not.
    pub tables: Vec<String>,
}

/// Why a source's file is of no use.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The name is none.
    #[error(
        "nama sumber {0:?} tidak dapat dipakai; pakai huruf kecil, angka, dan tanda hubung, paling banyak 32, misalnya opensid-senggigi"
    )]
    Name(String),
    /// There is none.
    #[error("sumber {0} tidak ada; lihat: dtsen-node source list")]
    Unknown(String),
    /// There is another one.
    #[error("sumber {0} sudah ada dengan isian lain; tambahkan --replace untuk menggantinya")]
    Exists(String),
    /// The file is damaged.
    #[error("{0} rusak ({1}); perbaiki, atau hapus lalu tambahkan lagi sumbernya")]
    Damaged(PathBuf, String),
    /// How often it is read cannot be understood.
    #[error("--every {0}: tulis misalnya 15m, 1h, atau 1d; paling sering tiap 10 detik")]
    Every(String),
    /// How long a database may think cannot be understood.
    #[error("--patience {0}: tulis misalnya 30s atau 2m")]
    Patience(String),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Config {
    /// How often it is read; `None`: only when somebody says so.
    pub fn pause(&self) -> Result<Option<Duration>, ConfigError> {
        let Some(every) = &self.every else { return Ok(None) };
        let pause = duration(every).filter(|duration| *duration >= SHORTEST);
        pause.map(Some).ok_or_else(|| ConfigError::Every(every.clone()))
    }

    /// How long a database may think before its next row.
    pub fn patience(&self) -> Result<Duration, ConfigError> {
        let Some(patience) = &self.patience else { return Ok(PATIENCE) };
        duration(patience)
            .filter(|patience| !patience.is_zero())
            .ok_or_else(|| ConfigError::Patience(patience.clone()))
    }

    /// The password, if there is one.
    pub fn password(&self) -> Result<Option<String>, super::SourceError> {
        let trimmed = |text: String| text.trim_end_matches(['\r', '\n']).to_owned();
        if let Some(path) = &self.password_file {
            let read = std::fs::read_to_string(path);
            return read
                .map(|text| Some(trimmed(text)))
                .map_err(|_| super::SourceError::Password(path.display().to_string()));
        }
        let Some(name) = &self.password_env else { return Ok(None) };
        std::env::var(name)
            .map(|text| Some(trimmed(text)))
            .map_err(|_| super::SourceError::Password(name.clone()))
    }
}

/// `15m`, `1h`, `1d`.
fn duration(text: &str) -> Option<Duration> {
    let span: jiff::Span = text.parse().ok()?;
    let day = jiff::SpanRelativeTo::days_are_24_hours();
    Duration::try_from(span.to_duration(day).ok()?).ok()
}

fn folder(home: &Home) -> PathBuf {
    home.path().join(FOLDER)
}

fn path(home: &Home, name: &str) -> Result<PathBuf, ConfigError> {
    if is_source_name(name) {
        Ok(folder(home).join(format!("{name}.toml")))
    } else {
        Err(ConfigError::Name(name.to_owned()))
    }
}

/// Where the password of a source is kept that was given in its address.
pub fn secret_path(home: &Home, name: &str) -> PathBuf {
    folder(home).join(format!("{name}.secret"))
}

/// Where the rows of a source are kept.
pub(super) fn rows_path(home: &Home, name: &str) -> PathBuf {
    folder(home).join(format!("{name}.rows"))
}

fn read(path: &Path) -> Result<Config, ConfigError> {
    let bytes = files::read(path)?;
    let damaged = |why: String| ConfigError::Damaged(path.to_owned(), why);
    let text = String::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
    toml::from_str(&text).map_err(|error| damaged(error.message().to_owned()))
}

/// A source by its name.
pub fn load(home: &Home, name: &str) -> Result<Config, ConfigError> {
    let path = path(home, name)?;
    if !path.exists() {
        return Err(ConfigError::Unknown(name.to_owned()));
    }
    read(&path)
}

/// All sources, by name.
pub fn all(home: &Home) -> Result<Vec<(String, Config)>, ConfigError> {
    each(home).into_iter().map(|(name, config)| Ok((name, config?))).collect()
}

/// All sources, by name, or why one of them is of no use.
pub fn each(home: &Home) -> Vec<(String, Result<Config, ConfigError>)> {
    let Ok(entries) = std::fs::read_dir(folder(home)) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "toml"));
    paths.sort();
    let named = |path: PathBuf| {
        let name = path.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        (name, read(&path))
    };
    paths.into_iter().map(named).collect()
}

/// Keeps a source. `false`: it was there already, just so.
pub fn save(home: &Home, name: &str, config: &Config, replace: bool) -> Result<bool, ConfigError> {
    let path = path(home, name)?;
    config.pause()?;
    if path.exists() {
        match read(&path) {
            Ok(before) if before == *config => return Ok(false),
            _ if !replace => return Err(ConfigError::Exists(name.to_owned())),
            _ => {}
        }
    }
    files::private_folder(&folder(home))?;
    let text = toml::to_string(config).expect("texts and flags");
    files::write_private(&path, text.as_bytes())?;
    Ok(true)
}

/// Forgets a source; what it stated stays stated. Tells how many findings end with it.
pub async fn remove(home: &Home, store: &Store, name: &str) -> Result<u64, ConfigError> {
    let path = path(home, name)?;
    if !path.exists() {
        return Err(ConfigError::Unknown(name.to_owned()));
    }
    // The file that makes it a source goes last: until then the command can be repeated.
    for path in [rows_path(home, name), secret_path(home, name), path] {
        files::remove(&path)?;
    }
    store.set_settings(&[(&setting(name), None)]).await?;
    Ok(store.end_findings(name).await?)
}

fn setting(name: &str) -> String {
    format!("source.{name}")
}

/// What was seen of a source last.
pub async fn state(store: &Store, name: &str) -> Result<State, ConfigError> {
    let bytes = store.setting(&setting(name)).await?;
    Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default())
}

/// Keeps what was seen of a source.
pub async fn set_state(store: &Store, name: &str, state: &State) -> Result<(), ConfigError> {
    let bytes = serde_json::to_vec(state).expect("texts and numbers");
    Ok(store.set_setting(&setting(name), &bytes).await?)
}
