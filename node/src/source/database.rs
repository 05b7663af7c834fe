//! Databases of regions: read-only, in one snapshot, with patience that ends.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
    time::Duration,
};

use dtsen_sources::{cell::Cell, read::ReadError};
use futures::{StreamExt as _, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, ColumnIndex, Connection as _, Decode, Executor, MySqlConnection, PgConnection, Row, Type,
    error::DatabaseError, mysql::MySqlDatabaseError,
};

use super::{
    SourceError,
    address::Address,
    sqlite::{self, Sqlite},
};

/// How long a connection may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);

/// What MySQL answers who asks for a database that is none: `ER_BAD_DB_ERROR`.
const MYSQL_NO_DATABASE: u16 = 1_049;
/// What PostgreSQL answers then: `invalid_catalog_name`.
const POSTGRES_NO_DATABASE: &str = "3D000";

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
    Sqlite(Sqlite),
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
        if let Address::Sqlite(path) = address
            && path.exists()
        {
            match dtsen_sources::read::format(path) {
                Err(cause @ ReadError::Cut { .. }) => {
                    return Err(SourceError::Damaged { server: server(), cause: cause.to_string() });
                }
                format => format?,
            };
        }
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
                Address::Sqlite(path) => Open::Sqlite(Sqlite::open(path).await?),
            })
        };
        match tokio::time::timeout(CONNECT_PATIENCE.min(patience), connecting).await {
            Ok(Ok(connection)) => Ok(Self { address: address.clone(), connection, patience }),
            Ok(Err(cause)) => {
                let (server, short) = (server(), told(&cause));
                Err(match (address, cause) {
                    (Address::Sqlite(_), cause) if sqlite::fault(&cause).is_some() => {
                        SourceError::of_sqlite(&cause, server)
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

    /// A column of a table with so many as text, whatever its type.
    pub fn as_text(&self, column: &str, columns: usize) -> String {
        match &self.connection {
            Open::MySql(_) => format!("CAST({column} AS CHAR)"),
            Open::Postgres(_) => format!("CAST({column} AS TEXT)"),
            Open::Sqlite(_) => sqlite::as_text(column, columns),
        }
    }

    /// Whether it is a file, whose views nobody has tried.
    pub fn is_file(&self) -> bool {
        matches!(self.connection, Open::Sqlite(_))
    }

    /// Reads rows of a query of so many columns, all text.
    pub async fn read(
        &mut self,
        sql: &str,
        columns: usize,
        each: &mut OnCells<'_>,
    ) -> Result<u64, SourceError> {
        let from =
            From { server: self.address.to_string(), is_file: self.is_file(), patience: self.patience };
        let sql = sql.to_owned();
        match &mut self.connection {
            Open::MySql(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **connection);
                drain(rows, columns, &from, (text_at, each)).await
            }
            Open::Postgres(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **connection);
                drain(rows, columns, &from, (text_at, each)).await
            }
            Open::Sqlite(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch(connection.executor());
                drain(rows, columns, &from, (sqlite::text_at, each)).await
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

/// A column of a row, as text.
type TextAt<R> = for<'r> fn(&'r R, usize) -> sqlx::Result<Option<Cow<'r, str>>>;

fn text_at<R>(row: &R, at: usize) -> sqlx::Result<Option<Cow<'_, str>>>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> &'r str: Decode<'r, R::Database> + Type<R::Database>,
{
    Ok(row.try_get_unchecked::<Option<&str>, _>(at)?.map(Cow::Borrowed))
}

async fn drain<R>(
    mut rows: BoxStream<'_, sqlx::Result<R>>,
    columns: usize,
    from: &From,
    (text_at, each): (TextAt<R>, &mut OnCells<'_>),
) -> Result<u64, SourceError> {
    let mut count = 0;
    loop {
        let next = tokio::time::timeout(from.patience, rows.next()).await;
        let hangs = |_| SourceError::Hangs { server: from.server.clone(), seconds: from.patience.as_secs() };
        let next = next.map_err(hangs)?;
        let cut = |cause: &sqlx::Error| {
            let server = from.server.clone();
            if from.is_file {
                SourceError::of_sqlite(cause, server)
            } else {
                SourceError::Cut { server, cause: told(cause) }
            }
        };
        let Some(row) = next.transpose().map_err(|cause| cut(&cause))? else { return Ok(count) };
        let mut cells = Vec::with_capacity(columns);
        for at in 0..columns {
            let text = text_at(&row, at).map_err(|cause| cut(&cause))?;
            cells.push(text.map_or(Cell::Empty, |text| Cell::of_text(&text)));
        }
        count += 1;
        if each(cells).is_break() {
            return Ok(count);
        }
    }
}

fn is_no_database(told: &dyn DatabaseError) -> bool {
    let mysql = told.try_downcast_ref::<MySqlDatabaseError>().map(MySqlDatabaseError::number);
    mysql == Some(MYSQL_NO_DATABASE) || told.code().as_deref() == Some(POSTGRES_NO_DATABASE)
}

/// What a server says, or else its driver.
pub(super) fn told(cause: &sqlx::Error) -> String {
    if let sqlx::Error::Database(told) = cause { short(told) } else { short(cause) }
}

/// What a driver says, on one line; values of rows are never in it.
fn short(cause: &impl std::fmt::Display) -> String {
    cause.to_string().lines().next().unwrap_or_default().to_owned()
}
