//! Many rows in few statements: the driver hands every statement to a thread of its own, which costs more than a row.

use dtsen_sources::key::KeyBytes;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection, query_builder::Separated};

use super::Result;

/// Rows of one statement. Wide enough to make the hand-over cheap; SQLite allows 32,766 values.
pub(super) const GROUP: usize = 250;

/// Ends a condition with `(key, key …)`, for a column that is one of these.
pub(super) fn among(query: &mut QueryBuilder<Sqlite>, keys: &[KeyBytes]) {
    query.push(" (");
    let mut wanted = query.separated(", ");
    for key in keys {
        wanted.push_bind(key.to_vec());
    }
    query.push(")");
}

/// `head VALUES (row), (row) … tail` in groups.
pub(super) async fn insert<T>(
    conn: &mut SqliteConnection,
    head: &'static str,
    tail: &'static str,
    rows: &[T],
    bind: impl Fn(&mut Separated<'_, Sqlite, &'static str>, &T),
) -> Result<()> {
    for group in rows.chunks(GROUP) {
        let mut query = QueryBuilder::<Sqlite>::new(head);
        query.push_values(group, |mut values, row| bind(&mut values, row));
        query.push(tail);
        query.build().execute(&mut *conn).await?;
    }
    Ok(())
}
