//! A source read once, whole: looked at and spooled, ready to be previewed or imported.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    ops::ControlFlow,
    path::Path,
    sync::Arc,
    time::Duration,
};

use dtsen_proto::rulebook::Rulebook;
use dtsen_sources::{
    cell::{Cell, Row},
    correction::Corrections,
    delivery::Delivery,
    layout::find::LOOKED_AT,
    place::Places,
    preset::Preset,
    propose::ROWS,
    read::{self as files, Format, ReadError},
    spool::{Spool, Spooled},
};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use super::{
    SourceError,
    address::{Address, is_address, without_account},
    database::Database,
    opensid,
    tables::{everything, worth_reading},
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
    /// How long a database may think before its next row.
    pub patience: Duration,
    /// Rows that are read otherwise than the source has them; none if nobody asks for the marks of rows.
    pub corrections: Option<Corrections>,
}

/// A source that was read.
pub struct Read {
    /// Looked at once.
    pub delivery: Delivery,
    /// Its rows.
    pub spooled: Spooled,
    /// Changed if and only if any row did; none if the source cannot tell.
    pub fingerprint: Option<String>,
    /// What it is, as it is shown.
    pub label: String,
}

/// Looks whether a source changed since a fingerprint was taken; `None`: it cannot tell.
pub async fn look(
    origin: &str,
    password: Option<&str>,
    settings: &Settings,
) -> Result<Option<String>, SourceError> {
    if !is_address(origin) {
        return Ok(Some(content_digest(Path::new(origin))?));
    }
    let mut database = Database::open(&Address::parse(origin, password)?, settings.patience).await?;
    let schema = database.schema().await?;
    if !opensid::is_opensid(&schema) || opensid::missing(&schema).is_some() {
        return Ok(None);
    }
    let asked = opensid::asked(&mut database, &schema, settings.preset.as_deref()).await?;
    opensid::fingerprint(&mut database, &asked).await
}

/// The digest of a file's bytes: an export that says the same again has another time, but not another digest.
fn content_digest(path: &Path) -> Result<String, ReadError> {
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
    let places = Places::new(Arc::clone(&settings.rulebook), settings.hint.as_deref())?;
    let mut delivery =
        Delivery::new(Arc::clone(&settings.rulebook), settings.today, places, settings.preset.clone());
    if let Some(corrections) = &settings.corrections {
        delivery = delivery.corrected_by(corrections.clone());
    }
    let mut taker = Taker { delivery, spool: Spool::new(private_file()?), failed: None };
    let sqlite = || {
        !is_address(origin) && files::format(Path::new(origin)).is_ok_and(|format| format == Format::Sqlite)
    };
    let (label, fingerprint) = if is_address(origin) || sqlite() {
        let address = if is_address(origin) { origin.to_owned() } else { format!("sqlite:{origin}") };
        let address = Address::parse(&address, password)?;
        let mut database = Database::open(&address, settings.patience).await?;
        (address.to_string(), from_database(&mut database, origin, (&mut taker, settings)).await?)
    } else {
        let before = look(origin, None, settings).await?;
        from_file(origin, &mut taker)?;
        let name = Path::new(origin).file_name().map_or_else(|| origin.into(), |name| name.to_string_lossy());
        (name.into_owned(), before)
    };
    if let Some(cause) = taker.failed {
        return Err(SourceError::Spool(cause));
    }
    if !taker.delivery.looked() {
        return Err(ReadError::NoHeading { path: without_account(origin).into(), searched: LOOKED_AT }.into());
    }
    Ok(Read { delivery: taker.delivery, spooled: taker.spool.done()?, fingerprint, label })
}

/// A file that only this process can reach, and that ends with it.
fn private_file() -> std::io::Result<File> {
    tempfile::tempfile()
}

struct Taker {
    delivery: Delivery,
    spool: Spool,
    failed: Option<std::io::Error>,
}

impl Taker {
    fn take(&mut self, row: Row) -> ControlFlow<()> {
        if let Err(cause) = self.spool.push(&row) {
            self.failed = Some(cause);
            return ControlFlow::Break(());
        }
        self.delivery.look(row);
        ControlFlow::Continue(())
    }
}

impl Taker {
    /// Takes a table of a database: its columns as a heading, then its rows, numbered as they come or by a column.
    async fn table(
        &mut self,
        database: &mut Database,
        (name, headings): (&str, &[String]),
        sql: &str,
        numbered_by: Option<usize>,
    ) -> Result<(), SourceError> {
        let sheet: Option<Arc<str>> = Some(name.into());
        let cells = headings.iter().cloned().map(Cell::Text).collect();
        // What fails here is kept, and told at the end.
        let _ = self.take(Row { sheet: sheet.clone(), cells, ..Row::default() });
        let mut number = 0;
        let each = &mut |cells: Vec<Cell>| {
            number = numbered_by.map_or(number + 1, |at| cells[at].text().parse().unwrap_or_default());
            self.take(Row { sheet: sheet.clone(), number, cells, ..Row::default() })
        };
        database.read(sql, headings.len(), each).await?;
        Ok(())
    }
}

fn from_file(path: &str, taker: &mut Taker) -> Result<(), SourceError> {
    Ok(files::read(Path::new(path), &mut |row| taker.take(row))?)
}

async fn from_database(
    database: &mut Database,
    origin: &str,
    (taker, settings): (&mut Taker, &Settings),
) -> Result<Option<String>, SourceError> {
    let schema = database.schema().await?;
    if opensid::is_opensid(&schema) {
        if let Some((table, columns)) = opensid::missing(&schema) {
            let name = without_account(origin);
            return Err(SourceError::Changed { name, table: table.to_owned(), columns });
        }
        let asked = opensid::asked(database, &schema, settings.preset.as_deref()).await?;
        if asked.is_empty() {
            return Err(SourceError::NoAnswers(without_account(origin)));
        }
        let fingerprint = opensid::fingerprint(database, &asked).await?;
        for query in asked {
            taker.table(database, (query.table, &query.headings), &query.sql, Some(0)).await?;
        }
        return Ok(fingerprint);
    }
    let names = settings.preset.as_ref().map(|preset| preset.names()).unwrap_or_default();
    let tables = worth_reading(&schema, &names);
    if tables.is_empty() {
        return Err(SourceError::NoTable(without_account(origin)));
    }
    for table in tables {
        let sql = everything(database, &table);
        taker.table(database, (&table.name, &table.columns), &sql, None).await?;
    }
    Ok(None)
}

/// The first rows of a file, as they are, for a proposal of a mapping: those of its fullest sheet.
pub fn first_rows(path: &Path) -> Result<Vec<Row>, SourceError> {
    let mut sheets: Vec<Vec<Row>> = Vec::new();
    files::read(path, &mut |row| {
        match sheets.last_mut().filter(|rows| rows.last().is_some_and(|last| last.sheet == row.sheet)) {
            Some(rows) if rows.len() < ROWS => rows.push(row),
            Some(_) => {}
            None => sheets.push(vec![row]),
        }
        ControlFlow::Continue(())
    })?;
    Ok(sheets.into_iter().max_by_key(Vec::len).unwrap_or_default())
}
