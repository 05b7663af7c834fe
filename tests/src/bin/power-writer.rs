//! Writes rows through kit's SQLite and tells each commit: the control of the power cuts, which wants to see what a
//! weaker `synchronous` loses. `power-writer DATABASE FULL|NORMAL COMMITS`

use std::{io::Write as _, path::Path};

use anyhow::{Context as _, ensure};
use dtsen_kit::sqlite::{Mode, Sqlite};
use sqlx::{AssertSqlSafe, migrate::Migrator};

static NO_MIGRATIONS: Migrator = Migrator::DEFAULT;
/// Bytes of a row: a commit writes more than one page now and then.
const ROW: usize = 600;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [database, synchronous, commits] = arguments.as_slice() else {
        anyhow::bail!("usage: power-writer DATABASE FULL|NORMAL COMMITS");
    };
    ensure!(["FULL", "NORMAL"].contains(&synchronous.as_str()), "FULL or NORMAL");
    let commits: i64 = commits.parse().context("a number of commits")?;
    let db = Sqlite::open(Path::new(database), true, Mode::Production, &NO_MIGRATIONS).await?;
    let mut conn = db.writer().await;
    sqlx::query("CREATE TABLE line (number INTEGER PRIMARY KEY, data BLOB NOT NULL) STRICT")
        .execute(&mut *conn)
        .await?;
    if synchronous == "NORMAL" {
        sqlx::raw_sql(AssertSqlSafe("PRAGMA synchronous = NORMAL".to_owned())).execute(&mut *conn).await?;
    }
    let mut out = std::io::stdout();
    for number in 1..=commits {
        let data = vec![number.to_be_bytes()[7]; ROW];
        sqlx::query("INSERT INTO line (number, data) VALUES ($1, $2)")
            .bind(number)
            .bind(data)
            .execute(&mut *conn)
            .await?;
        writeln!(out, "{number}")?;
        out.flush()?;
    }
    Ok(())
}
