//! Databases of regions: read-only, in one snapshot, with patience that ends.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    time::Duration,
};

use dtsen_sources::{cell::Cell, clean::text::clean};
use futures::{StreamExt as _, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, ColumnIndex, Connection as _, Decode, Executor, MySqlConnection, PgConnection, Row,
    SqliteConnection, Type, error::DatabaseError, mysql::MySqlDatabaseError,
};

use super::{
    SourceError,
    address::{self, Address},
};

/// How long a connection may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);

/// What MySQL answers who asks for a database that is none: `ER_BAD_DB_ERROR`.
const MYSQL_NO_DATABASE: u16 = 1_049;
/// What PostgreSQL answers then: `invalid_catalog_name`.
const POSTGRES_NO_DATABASE: &str = "3D000";
/// What `SQLite` answers while another program writes, or has the file to itself: `SQLITE_BUSY` and `SQLITE_LOCKED`.
const SQLITE_BUSY: [i32; 2] = [5, 6];
/// Behind the eight bits of such a code stands why.
const SQLITE_CODE: i32 = 0xff;

/// Tables with their columns, in the order in which they stand.
pub type Schema = BTreeMap<String, Vec<String>>;

/// An open database.
pub struct Database {
    address: Address,
    connection: Open,
    patience: Duration,
}

enum Open {
    MySql(Box<MySqlConnection>),
    Postgres(Box<PgConnection>),
    Sqlite(Box<SqliteConnection>),
}

/// Takes the cells of a row, until it has had enough.
pub type OnCells<'a> = dyn FnMut(Vec<Cell>) -> ControlFlow<()> + Send + 'a;

const MYSQL_SCHEMA: &str = "SELECT CAST(table_name AS CHAR), CAST(column_name AS CHAR)
    FROM information_schema.columns WHERE table_schema = database() AND data_type NOT LIKE '%blob' AND data_type <> 'geometry'
    ORDER BY table_name, ordinal_position";
/// How a table of `PostgreSQL` is called here: by its name, or with its schema and a dot in front of it.
const POSTGRES_NAME: &str =
    "SELECT CASE WHEN table_schema = 'public' AND strpos(table_name, '.') = 0 THEN table_name
        ELSE table_schema || '.' || table_name END";
const POSTGRES_SCHEMA: &str = ", column_name::text FROM information_schema.columns
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND data_type <> 'bytea'
    ORDER BY table_schema, table_name, ordinal_position";
const SQLITE_SCHEMA: &str = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid";

const MYSQL_COVERED: &str = "SELECT CAST(column_name AS CHAR) FROM information_schema.column_privileges WHERE table_schema = database()";
const MYSQL_VIEWS: &str =
    "SELECT CAST(table_name AS CHAR) FROM information_schema.views WHERE table_schema = database()";
const POSTGRES_VIEWS: &str = " FROM information_schema.views";
const SQLITE_VIEWS: &str = "SELECT name FROM sqlite_master WHERE type = 'view'";

impl Database {
    /// Connects, and begins a snapshot in which nothing can be written.
    pub async fn open(address: &Address, patience: Duration) -> Result<Self, SourceError> {
        let server = || address.to_string();
        let connecting = async {
            Ok::<_, sqlx::Error>(match address {
                Address::MySql(options) => {
                    let mut connection = MySqlConnection::connect_with(options).await?;
                    connection.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
                    connection.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY").await?;
                    Open::MySql(Box::new(connection))
                }
                Address::Postgres(options) => {
                    let mut connection = PgConnection::connect_with(options).await?;
                    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
                    Open::Postgres(Box::new(connection))
                }
                Address::Sqlite(path) => {
                    let mut connection = SqliteConnection::connect_with(&address::sqlite(path)).await?;
                    connection.execute("BEGIN").await?;
                    Open::Sqlite(Box::new(connection))
                }
            })
        };
        match tokio::time::timeout(CONNECT_PATIENCE.min(patience), connecting).await {
            Ok(Ok(connection)) => Ok(Self { address: address.clone(), connection, patience }),
            Ok(Err(cause)) => {
                let (server, short) = (server(), told(&cause));
                Err(match (address, cause) {
                    (Address::Sqlite(_), cause) if is_busy(&cause) => {
                        SourceError::Busy { server, cause: short }
                    }
                    (Address::Sqlite(path), _) if path.exists() => {
                        SourceError::Damaged { server, cause: short }
                    }
                    (Address::Sqlite(_), _) => SourceError::Nowhere { server, cause: short },
                    (_, sqlx::Error::Database(told)) if is_no_database(&*told) => {
                        SourceError::Nowhere { server, cause: short }
                    }
                    (_, sqlx::Error::Database(_)) => SourceError::Denied { server, cause: short },
                    _ => SourceError::Down { server, cause: short },
                })
            }
            Err(_) => Err(SourceError::Hangs {
                server: server(),
                seconds: CONNECT_PATIENCE.min(patience).as_secs(),
            }),
        }
    }

    /// Its tables.
    pub async fn schema(&mut self) -> Result<Schema, SourceError> {
        let sql = match &self.connection {
            Open::MySql(_) => MYSQL_SCHEMA.to_owned(),
            Open::Postgres(_) => format!("{POSTGRES_NAME}{POSTGRES_SCHEMA}"),
            Open::Sqlite(_) => SQLITE_SCHEMA.to_owned(),
        };
        let mut schema = Schema::new();
        self.read(&sql, 2, &mut |cells| {
            let (table, column) = (cells[0].text().into_owned(), cells[1].text().into_owned());
            schema.entry(table).or_default().push(column);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(schema)
    }

    /// Which of its tables are views.
    pub async fn views(&mut self) -> Result<BTreeSet<String>, SourceError> {
        let sql = match &self.connection {
            Open::MySql(_) => MYSQL_VIEWS.to_owned(),
            Open::Postgres(_) => format!("{POSTGRES_NAME}{POSTGRES_VIEWS}"),
            Open::Sqlite(_) => SQLITE_VIEWS.to_owned(),
        };
        let mut views = BTreeSet::new();
        self.read(&sql, 1, &mut |cells| {
            views.insert(cells[0].text().into_owned());
            ControlFlow::Continue(())
        })
        .await?;
        Ok(views)
    }

    /// Whether this account may read some columns of a table, and no others: then its schema does not name those. Only
    /// MySQL is asked, for the tables of `OpenSID`.
    pub(super) async fn is_covered(&mut self, table: &str) -> Result<bool, SourceError> {
        if !matches!(self.connection, Open::MySql(_)) {
            return Ok(false);
        }
        let sql = format!("{MYSQL_COVERED} AND table_name = '{}' LIMIT 1", table.replace('\'', "''"));
        Ok(self.read(&sql, 1, &mut |_| ControlFlow::Continue(())).await? > 0)
    }

    /// A name as this database quotes it.
    pub fn quoted(&self, name: &str) -> String {
        match &self.connection {
            Open::MySql(_) => format!("`{}`", name.replace('`', "``")),
            Open::Postgres(_) | Open::Sqlite(_) => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// A table as its schema has it: in PostgreSQL, what stands before the first dot is not part of its name.
    pub fn quoted_table(&self, name: &str) -> String {
        match (&self.connection, name.split_once('.')) {
            (Open::Postgres(_), Some((schema, table))) => {
                format!("{}.{}", self.quoted(schema), self.quoted(table))
            }
            _ => self.quoted(name),
        }
    }

    /// An expression as text, whatever its type.
    pub fn as_text(&self, expression: &str) -> String {
        match &self.connection {
            Open::MySql(_) => format!("CAST({expression} AS CHAR)"),
            Open::Postgres(_) | Open::Sqlite(_) => format!("CAST({expression} AS TEXT)"),
        }
    }

    /// Reads rows of a query of so many columns, all text.
    pub async fn read(
        &mut self,
        sql: &str,
        columns: usize,
        each: &mut OnCells<'_>,
    ) -> Result<u64, SourceError> {
        let from = From {
            server: self.address.to_string(),
            is_file: matches!(self.address, Address::Sqlite(_)),
            patience: self.patience,
        };
        let sql = sql.to_owned();
        match &mut self.connection {
            Open::MySql(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **connection);
                drain(rows, columns, &from, each).await
            }
            Open::Postgres(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **connection);
                drain(rows, columns, &from, each).await
            }
            Open::Sqlite(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **connection);
                drain(rows, columns, &from, each).await
            }
        }
    }
}

/// Where rows are from.
struct From {
    server: String,
    is_file: bool,
    patience: Duration,
}

async fn drain<R>(
    mut rows: BoxStream<'_, sqlx::Result<R>>,
    columns: usize,
    from: &From,
    each: &mut OnCells<'_>,
) -> Result<u64, SourceError>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> &'r str: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut count = 0;
    loop {
        let next = tokio::time::timeout(from.patience, rows.next()).await;
        let hangs = |_| SourceError::Hangs { server: from.server.clone(), seconds: from.patience.as_secs() };
        let next = next.map_err(hangs)?;
        let cut = |why: &sqlx::Error| {
            let (server, cause) = (from.server.clone(), told(why));
            if from.is_file && is_busy(why) {
                SourceError::Busy { server, cause }
            } else if from.is_file {
                SourceError::Damaged { server, cause }
            } else {
                SourceError::Cut { server, cause }
            }
        };
        let Some(row) = next.transpose().map_err(|cause| cut(&cause))? else { return Ok(count) };
        let mut cells = Vec::with_capacity(columns);
        for at in 0..columns {
            let text: Option<&str> = row.try_get_unchecked(at).map_err(|cause| cut(&cause))?;
            cells.push(text.map_or(Cell::Empty, |text| match clean(text) {
                text if text.is_empty() => Cell::Empty,
                text => Cell::Text(text.into_owned()),
            }));
        }
        count += 1;
        if each(cells).is_break() {
            return Ok(count);
        }
    }
}

fn is_busy(cause: &sqlx::Error) -> bool {
    let code = cause.as_database_error().and_then(|told| told.code()?.parse::<i32>().ok());
    code.is_some_and(|code| SQLITE_BUSY.contains(&(code & SQLITE_CODE)))
}

fn is_no_database(told: &dyn DatabaseError) -> bool {
    let mysql = told.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
    mysql == Some(MYSQL_NO_DATABASE) || told.code().as_deref() == Some(POSTGRES_NO_DATABASE)
}

/// What a server says, or else its driver.
fn told(cause: &sqlx::Error) -> String {
    if let sqlx::Error::Database(told) = cause { short(told) } else { short(cause) }
}

/// What a driver says, on one line; values of rows are never in it.
fn short(cause: &impl std::fmt::Display) -> String {
    cause.to_string().lines().next().unwrap_or_default().to_owned()
}
