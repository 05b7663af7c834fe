//! Databases of regions: read-only, in one snapshot, with patience that ends.

use std::{collections::BTreeMap, ops::ControlFlow, time::Duration};

use dtsen_sources::{cell::Cell, clean::text::clean};
use futures::{StreamExt as _, stream::BoxStream};
use sqlx::{
    AssertSqlSafe, ColumnIndex, Connection as _, Decode, Executor, MySqlConnection, PgConnection, Row,
    SqliteConnection, Type,
};

use super::{
    SourceError,
    address::{self, Address},
};

/// How long a connection may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);

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
const POSTGRES_SCHEMA: &str =
    "SELECT CASE table_schema WHEN 'public' THEN table_name ELSE table_schema || '.' || table_name END,
    column_name::text FROM information_schema.columns
    WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND data_type <> 'bytea'
    ORDER BY table_schema, table_name, ordinal_position";
const SQLITE_SCHEMA: &str = "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
    WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid";

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
            Ok(Err(sqlx::Error::Database(cause))) => {
                Err(SourceError::Denied { server: server(), cause: short(&cause) })
            }
            Ok(Err(cause)) => Err(SourceError::Down { server: server(), cause: short(&cause) }),
            Err(_) => Err(SourceError::Hangs {
                server: server(),
                seconds: CONNECT_PATIENCE.min(patience).as_secs(),
            }),
        }
    }

    /// Its tables.
    pub async fn schema(&mut self) -> Result<Schema, SourceError> {
        let sql = match &self.connection {
            Open::MySql(_) => MYSQL_SCHEMA,
            Open::Postgres(_) => POSTGRES_SCHEMA,
            Open::Sqlite(_) => SQLITE_SCHEMA,
        };
        let mut schema = Schema::new();
        self.read(sql, 2, &mut |cells| {
            let (table, column) = (cells[0].text().into_owned(), cells[1].text().into_owned());
            schema.entry(table).or_default().push(column);
            ControlFlow::Continue(())
        })
        .await?;
        Ok(schema)
    }

    /// A name as this database quotes it; a dot parts a schema from a table.
    pub fn quoted(&self, name: &str) -> String {
        match &self.connection {
            Open::MySql(_) => format!("`{}`", name.replace('`', "``")),
            Open::Postgres(_) => {
                let part = |part: &str| format!("\"{}\"", part.replace('"', "\"\""));
                name.split('.').map(part).collect::<Vec<_>>().join(".")
            }
            Open::Sqlite(_) => format!("\"{}\"", name.replace('"', "\"\"")),
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
        let (server, patience) = (self.address.to_string(), self.patience);
        let sql = sql.to_owned();
        match &mut self.connection {
            Open::MySql(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **connection);
                drain(rows, columns, (&server, patience), each).await
            }
            Open::Postgres(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **connection);
                drain(rows, columns, (&server, patience), each).await
            }
            Open::Sqlite(connection) => {
                let rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut **connection);
                drain(rows, columns, (&server, patience), each).await
            }
        }
    }
}

async fn drain<R>(
    mut rows: BoxStream<'_, sqlx::Result<R>>,
    columns: usize,
    (server, patience): (&str, Duration),
    each: &mut OnCells<'_>,
) -> Result<u64, SourceError>
where
    R: Row,
    usize: ColumnIndex<R>,
    for<'r> &'r str: Decode<'r, R::Database> + Type<R::Database>,
{
    let mut count = 0;
    loop {
        let next = tokio::time::timeout(patience, rows.next()).await;
        let next =
            next.map_err(|_| SourceError::Hangs { server: server.to_owned(), seconds: patience.as_secs() })?;
        let cut = |cause: &sqlx::Error| SourceError::Cut { server: server.to_owned(), cause: short(cause) };
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

/// What a driver says, on one line; values of rows are never in it.
fn short(cause: &impl std::fmt::Display) -> String {
    cause.to_string().lines().next().unwrap_or_default().to_owned()
}
