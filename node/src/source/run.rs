//! One reading of a source into the store, and the alarm if there was one.

use std::{collections::BTreeSet, sync::Arc};

use dtsen_kit::{ambient::Ambient, files::HomeLock};
use dtsen_proto::{record::Day, region::Region, rulebook::Rulebook};
use dtsen_sources::{correction, delivery::Delivery, preset};
use futures::future::BoxFuture;

use super::{
    Read, Settings, SourceError,
    config::{self, Config, ConfigError, State},
    emptied::{Emptied, emptied},
    kept::Kept,
    reading::{Last, read_again},
};
use crate::{
    home::{Home, HomeError, Work},
    import::{
        Delivered, GoneOutcome, ImportError, ImportOptions, ImportSummary, Importer, OnProgress, Scope,
    },
    store::Store,
};

/// Goes into every fingerprint: one more whenever a source is asked for other things.
const ASKED_VERSION: u32 = 1;

/// What a reading ended with.
#[derive(Debug)]
pub enum Ran {
    /// Nothing has changed since the last reading.
    Unchanged,
    /// So much was imported.
    Imported(ImportSummary),
}

/// Why a source was not imported.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It cannot be read now.
    #[error("{cause}. {}", next_try(.name, *.by_itself))]
    Later {
        /// Why.
        cause: SourceError,
        /// The source.
        name: String,
        /// Whether the running node reads it.
        by_itself: bool,
    },
    /// Its file is of no use.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The import failed.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The home is busy.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The layout was never seen, and nobody has confirmed it.
    #[error(
        "susunan {title} adalah perkiraan; periksa dahulu dengan: dtsen-node preview {name}, lalu setujui: dtsen-node source add --preset {preset} --replace {name} …"
    )]
    Unconfirmed {
        /// The source.
        name: String,
        /// The layout.
        title: String,
        /// Its short name.
        preset: String,
    },
    /// The preset is none.
    #[error("susunan {0} tidak dikenal")]
    Preset(String),
}

impl RunError {
    /// With the next step, where nothing has to be mended.
    fn of(self, name: &str, config: &Config) -> Self {
        match self {
            Self::Source(cause) if cause.passes() => {
                Self::Later { cause, name: name.to_owned(), by_itself: config.every.is_some() }
            }
            other => other,
        }
    }
}

fn next_try(name: &str, by_itself: bool) -> String {
    if by_itself {
        "Node yang berjalan (serve) mencoba lagi sendiri".to_owned()
    } else {
        format!("Coba lagi dengan: dtsen-node source run {name}")
    }
}

/// What a person looked at and found true, by the exact number.
#[derive(Debug, Clone, Copy, Default)]
pub struct Confirmed {
    /// Rows that are gone.
    pub gone: Option<u64>,
    /// Cells that are empty now.
    pub emptied: Option<u64>,
}

/// Everything a reading needs.
pub struct Runner<'a> {
    /// The node's home.
    pub home: &'a Home,
    /// Its store.
    pub store: &'a Store,
    /// Its region.
    pub region: Region,
    /// Clock.
    pub ambient: Ambient,
}

/// One command of an operator, or one reading by the running node: nobody else imports meanwhile, and all that it imports is
/// taken back as one.
pub struct Turn {
    /// The number of its first import.
    pub(crate) run: i64,
    _lock: HomeLock,
}

impl Runner<'_> {
    /// Begins a turn.
    pub async fn turn(&self) -> Result<Turn, RunError> {
        let lock = self.home.lock(Work::Import)?;
        let run = self.store.next_import().await.map_err(ImportError::Store)?;
        Ok(Turn { run, _lock: lock })
    }

    /// Reads a source and imports what changed. An alarm is kept until the next reading that goes well.
    pub fn run<'a>(
        &'a self,
        turn: &'a Turn,
        name: &'a str,
        confirmed: Confirmed,
        progress: &'a mut OnProgress<'a>,
    ) -> BoxFuture<'a, Result<Ran, RunError>> {
        Box::pin(async move {
            let config = config::load(self.home, name)?;
            let mut state = config::state(self.store, name).await?;
            state.tried_ms = self.ambient.now_ms();
            let result = self.once((turn, name), &config, confirmed, &mut state, progress).await;
            let result = result.map_err(|error| error.of(name, &config));
            match &result {
                Ok(ran) => {
                    state.alarm = alarm(self.home, name, ran);
                    state.well_ms = self.ambient.now_ms();
                }
                Err(error) => state.alarm = Some(error.to_string()),
            }
            config::set_state(self.store, name, &state).await?;
            result
        })
    }

    /// How a source is read.
    pub fn settings(&self, config: &Config, rulebook: Arc<Rulebook>) -> Result<Settings, RunError> {
        let preset = match (&config.mapping, &config.preset) {
            (Some(path), _) => Some(super::mapping(path, &rulebook)?),
            (None, Some(name)) => Some(preset::named(name).ok_or_else(|| RunError::Preset(name.clone()))?),
            (None, None) => None,
        };
        let today = Day::of_ms(self.ambient.now_ms()).date().unwrap_or_default();
        let hint = config.wilayah.clone().unwrap_or_else(|| self.region.to_string());
        Ok(Settings {
            rulebook,
            today,
            hint: Some(hint),
            preset,
            tables: config.tables.clone(),
            patience: config.patience()?,
            corrections: None,
        })
    }

    async fn once<'a>(
        &'a self,
        (turn, name): (&Turn, &'a str),
        config: &Config,
        confirmed: Confirmed,
        state: &mut State,
        progress: &'a mut OnProgress<'a>,
    ) -> Result<Ran, RunError> {
        let rulebook = self.home.rulebook(self.store).await?;
        let corrections = self.store.corrections(name).await.map_err(ImportError::Store)?;
        let corrected = hex::encode(correction::digest(&corrections));
        let corrections = (!corrections.is_empty()).then_some(corrections);
        let settings = self.settings(config, Arc::clone(&rulebook))?.of_tables(&state.tables);
        let settings = Settings { corrections, ..settings };
        let password = config.password()?;
        // What a mapping says, not where it is: whoever changes it wants its rows read anew.
        let layout = settings.preset.as_ref().map(|preset| hex::encode(preset.digest()));
        let (version, hint) = (rulebook.version(), &settings.hint);
        let asked = format!("{ASKED_VERSION} {version} {layout:?} {hint:?} {corrected} ");
        let seen = |found: &str| format!("{asked}{found}");
        let path = config::rows_path(self.home, name);
        let before = Last {
            is_same: &|found| state.settled && state.fingerprint.as_ref() == Some(&seen(found)),
            kept: state.kept.as_ref().map(|kept| (kept, path.as_path())),
        };
        let read = read_again(&config.origin, password.as_deref(), &settings, before)
            .await
            .map_err(|error| error.of(name))?;
        let Some(read) = read else { return Ok(Ran::Unchanged) };
        chosen(name, config, &read.delivery)?;
        let headings = same_headings(name, state, &read)?;
        let Read { mut delivery, mut spooled, fingerprint, marked, label, tables, .. } = read;
        let rows = delivery.found().map(|found| found.rows).sum();
        // Of a source without rows, all are gone: that is asked below.
        let filled = if rows == 0 { state.filled.clone() } else { delivery.filled() };
        self.nothing_emptied(name, emptied(&state.filled, &filled), confirmed)?;
        let complete = config.complete.then(|| Scope::parse("semua", self.region, &rulebook));
        let options = ImportOptions {
            source: name.to_owned(),
            reference: None,
            complete: complete.transpose().expect("a word of our own"),
            confirm_gone: confirmed.gone,
            run: Some(turn.run),
        };
        let importer =
            Importer { store: self.store, rulebook, region: self.region, ambient: self.ambient.clone() };
        let settled = std::mem::take(&mut state.settled);
        // Before anything is written: who ends this process in between leaves a source that is not settled.
        config::set_state(self.store, name, state).await?;
        let delivered = Delivered { delivery: &mut delivery, spooled: &mut spooled, label: &label, settled };
        let summary = importer.deliver(delivered, &options, progress).await?;
        // What was not withdrawn is looked at again.
        state.settled = !summary.gone_refused();
        (state.rows, state.filled) = (rows, filled);
        (state.headings, state.tables) = (headings, tables);
        // Without them the next reading is a whole one.
        state.kept = (!marked.is_empty()).then(|| Kept::put(&path, &mut spooled, marked).ok()).flatten();
        state.fingerprint = fingerprint.as_deref().map(seen);
        Ok(Ran::Imported(summary))
    }

    /// Nothing was emptied, or somebody confirmed the number of cells.
    fn nothing_emptied(
        &self,
        name: &str,
        emptied: Vec<Emptied>,
        confirmed: Confirmed,
    ) -> Result<(), SourceError> {
        let cells = emptied.iter().map(|emptied| emptied.rows).sum();
        if emptied.is_empty() || confirmed.emptied == Some(cells) {
            return Ok(());
        }
        let node = format!("dtsen-node --home {}", self.home.path().display());
        Err(SourceError::Emptied { node, name: name.to_owned(), emptied, cells })
    }
}

/// A layout that nobody has seen is used only if somebody chose it.
fn chosen(name: &str, config: &Config, delivery: &Delivery) -> Result<(), RunError> {
    let guess = delivery.found().map(|found| &found.plan.preset).find(|preset| !preset.seen);
    match guess {
        Some(preset) if config.preset.is_none() && config.mapping.is_none() => Err(RunError::Unconfirmed {
            name: name.to_owned(),
            title: preset.title.clone(),
            preset: preset.name.clone(),
        }),
        _ => Ok(()),
    }
}

/// The columns that are used, if all that were used before are still there. A table without rows uses none, but has them.
pub fn same_headings(name: &str, state: &State, read: &Read) -> Result<BTreeSet<String>, SourceError> {
    let used = read.delivery.found().flat_map(|found| found.plan.headings()).map(str::to_owned);
    let used: BTreeSet<String> = used.chain(read.besides.iter().cloned()).collect();
    let is_gone = |column: &&String| !used.contains(*column) && !read.columns.contains(*column);
    let columns: Vec<String> = state.headings.iter().filter(is_gone).cloned().collect();
    if columns.is_empty() {
        return Ok(&used | &state.headings);
    }
    Err(SourceError::Changed { name: name.to_owned(), table: read.label.clone(), columns })
}

/// What an operator must look at although the reading went well.
fn alarm(home: &Home, name: &str, ran: &Ran) -> Option<String> {
    let Ran::Imported(summary) = ran else { return None };
    let node = format!("dtsen-node --home {}", home.path().display());
    let confirm = |gone| format!("Bila memang benar: {node} source run {name} --confirm-gone {gone}");
    match summary.gone {
        GoneOutcome::NeedsConfirmation { gone, known } => Some(format!(
            "SUMBER_SUSUT: {gone} dari {known} baris tidak ada lagi di {name}; belum ditarik. {}",
            confirm(gone)
        )),
        GoneOutcome::Differs { gone, .. } => Some(format!(
            "SUMBER_SUSUT: kini {gone} baris tidak ada lagi di {name}; belum ditarik. {}",
            confirm(gone)
        )),
        GoneOutcome::Unidentified { rows, gone } => Some(format!(
            "SUMBER_RAGU: {rows} baris di {name} tanpa nomor yang sah; {gone} yang tidak ada lagi belum ditarik. Perbaiki barisnya, lihat: {node} findings. \
             Bila semuanya memang orang lain: {node} source run {name} --confirm-gone {gone}"
        )),
        GoneOutcome::NotAsked | GoneOutcome::Withdrawn(_) => None,
    }
}
