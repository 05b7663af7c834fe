//! Whole tables, for backup, restore and rebuild.

use async_trait::async_trait;
use sqlx::{QueryBuilder, Row as _};

use super::{Conn, Db, Handle, add, begin};
use crate::store::{
    Cell, CellType, Result, Table, Tables,
    bulk::{Rows, names},
    value::Of,
};

fn bind(query: &mut QueryBuilder<Db>, cell: &Cell) {
    match cell {
        Cell::Number(value) => query.push_bind(*value),
        Cell::Bytes(value) => query.push_bind(value.clone()),
        Cell::Text(value) => query.push_bind(value.clone()),
    };
}

/// Rows after a key, in order of keys.
async fn read(
    conn: &mut Conn,
    table: &'static Table,
    after: Option<&[Cell]>,
    limit: u32,
) -> Result<Vec<Vec<Cell>>> {
    let key = names(&table.columns[..table.key]);
    let mut query = QueryBuilder::<Db>::new(format!("SELECT {} FROM {}", names(table.columns), table.name));
    if let Some(after) = after {
        if after.len() != table.key {
            return Err(Of(table.name).wrong(table.columns[0].0));
        }
        query.push(format!(" WHERE ({key}) > ("));
        for (at, cell) in after.iter().enumerate() {
            if at > 0 {
                query.push(", ");
            }
            bind(&mut query, cell);
        }
        query.push(")");
    }
    query.push(format!(" ORDER BY {key} LIMIT "));
    query.push_bind(i64::from(limit));
    let rows = query.build().fetch_all(conn).await?;
    let mut read = Vec::with_capacity(rows.len());
    for row in rows {
        let mut cells = Vec::with_capacity(table.columns.len());
        for (at, (_, of)) in table.columns.iter().enumerate() {
            cells.push(match of {
                CellType::Number => Cell::Number(row.try_get(at)?),
                CellType::Bytes => Cell::Bytes(row.try_get(at)?),
                CellType::Text => Cell::Text(row.try_get(at)?),
            });
        }
        read.push(cells);
    }
    Ok(read)
}

#[async_trait]
impl Tables for Handle {
    async fn read_table(
        &self,
        table: &'static Table,
        after: Option<&[Cell]>,
        limit: u32,
    ) -> Result<Vec<Vec<Cell>>> {
        self.section(async { read(&mut *self.read_conn().await?, table, after, limit).await }).await
    }

    async fn write_table(&self, table: &'static Table, rows: Vec<Vec<Cell>>) -> Result<()> {
        self.section(async {
            let mut all = Rows::new(table, "");
            for row in rows {
                all.push(row);
            }
            let mut conn = self.conn().await?;
            let mut tx = begin(&mut conn).await?;
            add(&mut tx, all).await?;
            tx.commit().await?;
            Ok(())
        })
        .await
    }
}
