//! A source read once, whole: looked at and spooled, ready to be previewed or imported.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufRead as _, BufReader},
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use dtsen_kit::ambient::Ambient;
use dtsen_proto::rulebook::Rulebook;
use dtsen_sources::{
    cell::Row,
    correction::Corrections,
    delivery::Delivery,
    layout::find::LOOKED_AT,
    place::Places,
    preset::Preset,
    propose::ROWS,
    read::{self as files, Format, MAX_COLUMNS, ReadError},
    spool::{Spool, Spooled},
};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::{
    SourceError,
    address::{Address, is_address, is_secretive, without_account},
    database::{Database, Schema},
    kept::{self, Kept, Marked},
    opensid,
    still::{self, Version},
    tables::{Table, everything, ordered, table, worth_reading},
    taker::{Failed, Taker},
};

/// How a source is read.
#[derive(Clone)]
pub struct Settings {
    /// The rulebook in force.
    pub rulebook: Arc<Rulebook>,
    /// Nothing is dated later.
    pub today: Date,
    /// Where the data is from: a Kemendagri code of any level.
    pub hint: Option<String>,
    /// The layout, if the operator chose one.
    pub preset: Option<Arc<Preset>>,
    /// Tables of a database that the operator chose; none: those that look like lists of people.
    pub tables: Vec<String>,
    /// How long a database may think before its next row.
    pub patience: Duration,
    /// Rows that are read otherwise than the source has them; none if nobody asks for the marks of rows.
    pub corrections: Option<Corrections>,
}

impl Settings {
    /// With the tables that were read before, if none were chosen.
    #[must_use]
    pub fn of_tables(mut self, before: &[String]) -> Self {
        if self.tables.is_empty() {
            self.tables = before.to_vec();
        }
        self
    }
}

/// A source that was read.
pub struct Read {
    /// Looked at once.
    pub delivery: Delivery,
    /// Its rows.
    pub spooled: Spooled,
    /// Changed if and only if any row did; none if the source cannot tell.
    pub fingerprint: Option<String>,
    /// Marks of its rows, if it has any.
    pub(super) marked: Vec<Marked>,
    /// What it is, as it is shown.
    pub label: String,
    /// Tables that were read, of a database that is not OpenSID's.
    pub tables: Vec<String>,
    /// The columns that its tables have, with or without rows; none of a file, whose headings tell.
    pub columns: BTreeSet<String>,
    /// Those that are used though no heading tells.
    pub besides: BTreeSet<String>,
    /// What else the operator should know of it.
    pub notes: Vec<String>,
}

/// What is known of a source from the last reading.
pub(super) struct Last<'a> {
    /// Whether a fingerprint is the one of then.
    pub(super) is_same: &'a (dyn Fn(&str) -> bool + Sync),
    /// Rows that were kept, and where.
    pub(super) kept: Option<(&'a Kept, &'a Path)>,
}

/// The digest of a file's bytes: an export that says the same again has another time, but not another digest.
pub(super) fn content_digest(path: &Path) -> Result<String, ReadError> {
    let io = |cause| ReadError::Io { path: path.to_owned(), cause };
    let (mut hash, mut file) =
        (Sha256::new(), BufReader::with_capacity(1 << 16, File::open(path).map_err(io)?));
    loop {
        let bytes = file.fill_buf().map_err(io)?;
        if bytes.is_empty() {
            return Ok(hex::encode(hash.finalize()));
        }
        hash.update(bytes);
        let read = bytes.len();
        file.consume(read);
    }
}

/// Reads a file or a database.
pub async fn read(origin: &str, password: Option<&str>, settings: &Settings) -> Result<Read, SourceError> {
    let never = Last { is_same: &|_| false, kept: None };
    Ok(read_again(origin, password, settings, never).await?.expect("it is not as it was"))
}

/// Reads a file or a database, unless it is as it was; only what changed where rows were kept. A file that another
/// program writes meanwhile is read again, and not for ever.
pub(super) async fn read_again(
    origin: &str,
    password: Option<&str>,
    settings: &Settings,
    last: Last<'_>,
) -> Result<Option<Read>, SourceError> {
    let file = file_of(origin);
    let Some(file) = file else { return once(origin, password, settings, &last).await };
    for reading in 1..=still::READINGS {
        let before = still::settled(&file, Ambient::system().now_ms()).await;
        // What fails may do so because of what is being written.
        let read = once(origin, password, settings, &last).await;
        if Version::of(&file) == before {
            return read;
        }
        if reading < still::READINGS {
            tokio::time::sleep(still::PAUSE).await;
        }
    }
    Err(SourceError::Moving { origin: file.display().to_string(), readings: still::READINGS })
}

/// The file that must stay as it is while it is read; none of a database that keeps a snapshot for its readers.
fn file_of(origin: &str) -> Option<PathBuf> {
    let sqlite = origin.strip_prefix("sqlite:").map(|path| path.trim_start_matches("//"));
    if sqlite.is_none() && is_secretive(origin) {
        return None;
    }
    let path = PathBuf::from(sqlite.unwrap_or(origin));
    // Beside its log SQLite may write into the file what its readers do not see.
    let mut log = path.clone().into_os_string();
    log.push("-wal");
    (!Path::new(&log).exists()).then_some(path)
}

/// One reading.
async fn once(
    origin: &str,
    password: Option<&str>,
    settings: &Settings,
    last: &Last<'_>,
) -> Result<Option<Read>, SourceError> {
    let places = Places::new(Arc::clone(&settings.rulebook), settings.hint.as_deref())?;
    let mut delivery =
        Delivery::new(Arc::clone(&settings.rulebook), settings.today, places, settings.preset.clone());
    if let Some(corrections) = &settings.corrections {
        delivery = delivery.corrected_by(corrections.clone());
    }
    // A file that only this process can reach, and that ends with it.
    let mut taker = Taker::new(delivery, Spool::new(tempfile::tempfile()?));
    let address = database_of(origin)?;
    let (label, fingerprint, marked) = if let Some(address) = &address {
        let address = Address::parse(address, password)?;
        let mut database = Database::open(&address, settings.patience).await?;
        let Some(marked) = from_database(&mut database, origin, (&mut taker, settings), last).await? else {
            return Ok(None);
        };
        (address.to_string(), kept::fingerprint(&marked), marked)
    } else {
        let digest = content_digest(Path::new(origin))?;
        if (last.is_same)(&digest) {
            return Ok(None);
        }
        from_file(origin, &mut taker)?;
        let name = Path::new(origin).file_name().map_or_else(|| origin.into(), |name| name.to_string_lossy());
        (name.into_owned(), Some(digest), Vec::new())
    };
    match taker.failed {
        Some(Failed::Io(cause)) => return Err(SourceError::Spool(cause)),
        Some(Failed::TooMuch(what)) => return Err(SourceError::TooMuch { origin: label, what }),
        None => {}
    }
    let mapping = settings.preset.as_ref().filter(|preset| preset.own);
    if !taker.delivery.looked() {
        if let Some(mapping) = mapping {
            return Err(SourceError::Unmapped { origin: label, mapping: mapping.name.clone() });
        }
        return Err(ReadError::NoHeading { path: without_account(origin).into(), searched: LOOKED_AT }.into());
    }
    if let Err(cause) = taker.delivery.fits() {
        let mapping = mapping.map(|mapping| mapping.name.clone()).unwrap_or_default();
        return Err(SourceError::Misfit { origin: label, mapping, cause: Box::new(cause) });
    }
    if address.is_none() && taker.delivery.is_empty() {
        return Err(ReadError::NoRows { path: origin.into() }.into());
    }
    let Taker { delivery, spool, tables, columns, besides, notes, .. } = taker;
    let spooled = spool.done()?;
    Ok(Some(Read { delivery, spooled, fingerprint, marked, label, tables, columns, besides, notes }))
}

/// The address of a database, which a file of SQLite is too; none of any other file. Nothing is read of it yet: from a
/// pipe nothing may ever come.
fn database_of(origin: &str) -> Result<Option<String>, SourceError> {
    if is_address(origin) {
        return Ok(Some(origin.to_owned()));
    }
    if is_secretive(origin) {
        return Err(SourceError::Address(without_account(origin)));
    }
    let format = files::format(Path::new(origin))?;
    Ok((format == Format::Sqlite).then(|| format!("sqlite:{origin}")))
}

fn from_file(path: &str, taker: &mut Taker) -> Result<(), SourceError> {
    Ok(files::read(Path::new(path), &mut |row| taker.take(row))?)
}

async fn from_database(
    database: &mut Database,
    origin: &str,
    (taker, settings): (&mut Taker, &Settings),
    last: &Last<'_>,
) -> Result<Option<Vec<Marked>>, SourceError> {
    let schema = database.schema().await?;
    if opensid::is_opensid(&schema) {
        match opensid::complete(&schema, &without_account(origin)) {
            Err(SourceError::Lacks { table, columns }) if database.is_covered(&table).await? => {
                return Err(SourceError::Covered { table, columns });
            }
            whole => whole?,
        }
        let asked = opensid::asked(database, &schema, settings.preset.as_deref()).await?;
        if asked.is_empty() {
            return Err(SourceError::NoAnswers(without_account(origin)));
        }
        let marked = opensid::marks(database, &asked).await?;
        if kept::fingerprint(&marked).is_some_and(|found| (last.is_same)(&found)) {
            return Ok(None);
        }
        taker.besides.extend(opensid::besides(&schema));
        taker.notes.extend(opensid::note(database, &schema, &asked).await?);
        let kept = last.kept.and_then(|(kept, path)| Some((kept, kept.open(path, &marked)?)));
        if let Some(kept) = kept {
            taker.answers(database, (&asked, &marked), kept).await?;
            return Ok(Some(marked));
        }
        for query in asked {
            let table = (query.table, query.headings.as_slice());
            taker.heading(table);
            taker.rows(database, table, &query.whole(), Some(0)).await?;
        }
        return Ok(Some(marked));
    }
    let views = database.views().await?;
    for table in tables_of(&schema, &views, (taker, settings), origin)? {
        if table.columns.len() > MAX_COLUMNS {
            let what =
                format!("tabel {} memuat {} kolom, batasnya {MAX_COLUMNS}", table.name, table.columns.len());
            return Err(SourceError::TooMuch { origin: without_account(origin), what });
        }
        let sql = everything(database, &table, views.contains(&table.name));
        let of_table = (table.name.as_str(), table.columns.as_slice());
        taker.heading(of_table);
        taker.rows(database, of_table, &sql, None).await?;
        taker.tables.push(table.name);
    }
    Ok(Some(Vec::new()))
}

/// The tables to be read: those that were chosen, or else those that look like it.
fn tables_of(
    schema: &Schema,
    views: &BTreeSet<String>,
    (taker, settings): (&mut Taker, &Settings),
    origin: &str,
) -> Result<Vec<Table>, SourceError> {
    let names = settings.preset.as_ref().map(|preset| preset.names()).unwrap_or_default();
    if !settings.tables.is_empty() {
        let lost = |name: &String| SourceError::Lost { name: without_account(origin), table: name.clone() };
        let chosen = settings.tables.iter().map(|name| table(schema, name, &names).ok_or_else(|| lost(name)));
        return Ok(ordered(chosen.collect::<Result<_, _>>()?));
    }
    let (chosen, aside) = worth_reading(schema, views, &names);
    if chosen.is_empty() {
        return Err(SourceError::NoTable(without_account(origin)));
    }
    if !aside.is_empty() {
        let aside: Vec<String> = aside.into_iter().map(|table| table.name).collect();
        taker.notes.push(format!(
            "Tidak dibaca, karena tampaknya salinan atau view: {}. Untuk memilih sendiri: --table NAMA",
            aside.join(", ")
        ));
    }
    Ok(chosen)
}

/// The first rows of every sheet of a file, as they are, for a proposal of a mapping.
pub fn first_rows_of_sheets(path: &Path) -> Result<Vec<Vec<Row>>, SourceError> {
    let origin = path.to_string_lossy();
    if is_address(&origin) || is_secretive(&origin) {
        return Err(SourceError::NoFile(without_account(&origin)));
    }
    let mut sheets: Vec<Vec<Row>> = Vec::new();
    files::read(path, &mut |row| {
        match sheets.last_mut().filter(|rows| rows.last().is_some_and(|last| last.sheet == row.sheet)) {
            Some(rows) if rows.len() < ROWS => rows.push(row),
            Some(_) => {}
            None => sheets.push(vec![row]),
        }
        ControlFlow::Continue(())
    })?;
    Ok(sheets)
}

#[cfg(test)]
mod tests;
