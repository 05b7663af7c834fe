//! Files that were made to be read without end.

use std::time::Duration;

use dtsen_proto::rulebook::Rulebook;
use sqlx::AssertSqlSafe;

use super::*;
use crate::source::{Read, Settings, read};

const PEOPLE: &str = "CREATE TABLE warga (nik TEXT, nama TEXT, jk TEXT, no_kk TEXT, catatan TEXT)";
const SITI: &str = "INSERT INTO warga VALUES ('5271014101909001', 'SITI', 'P', '5271010101909001', 'x')";
/// Numbers without end.
const ENDLESS: &str = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT";

async fn made(path: &Path, statements: &[&str]) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("opens");
    for statement in statements {
        sqlx::query(AssertSqlSafe((*statement).to_owned())).execute(&mut connection).await.expect("runs");
    }
    connection
}

async fn read_of(path: &Path, tables: &[&str]) -> Result<Read, SourceError> {
    let settings = Settings {
        rulebook: Rulebook::builtin(),
        today: jiff::civil::date(2026, 11, 23),
        hint: None,
        preset: None,
        tables: tables.iter().map(|table| (*table).to_owned()).collect(),
        patience: Duration::from_secs(2),
        corrections: None,
    };
    read(path.to_str().expect("plain"), None, &settings).await
}

async fn told(path: &Path) -> String {
    read_of(path, &[]).await.err().map(|error| error.to_string()).unwrap_or_default()
}

/// The most memory that this process had, in megabytes.
fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("on Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("has one");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1_024
}

#[tokio::test]
async fn long_cells_are_told_and_not_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let long =
        "INSERT INTO warga VALUES ('5271014101909002', 'ANI', 'P', '5271010101909001', zeroblob(300000000))";
    made(&path, &[PEOPLE, SITI, long]).await.close().await.expect("closes");
    let before = peak_megabytes();
    let mut read = read_of(&path, &[]).await.expect("reads");
    let mut rows = read.spooled.rows().expect("reads");
    let mut faults = Vec::new();
    while let Some(row) = rows.next_row().expect("reads") {
        faults.push(row.cells[4] == dtsen_sources::cell::Cell::Fault);
    }
    assert_eq!(faults, [false, false, true]);
    assert!(peak_megabytes() < before.max(100) + 50, "{} MB", peak_megabytes());
}

#[tokio::test]
async fn what_a_view_reckons_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let view = "CREATE VIEW warga AS SELECT '5271014101909002' AS nik, printf('%.*c', 500000000, 'x') AS nama, 'P' AS jk, 1 AS no_kk";
    made(&path, &[view]).await.close().await.expect("closes");
    let told = told(&path).await;
    assert!(told.contains("terlalu besar untuk sekali baca") && peak_megabytes() < 256, "{told}");
}

#[tokio::test]
async fn a_view_that_never_gives_a_row_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let view =
        format!("CREATE VIEW warga AS {ENDLESS} n AS nik, n AS nama, n AS jk, n AS no_kk FROM c WHERE n < 0");
    made(&path, &[&view]).await.close().await.expect("closes");
    let told = told(&path).await;
    assert!(told.contains("SUMBER_MACET"), "{told}");
    // The thread that reckons it ends, too.
    let threads = || {
        let all = std::fs::read_dir("/proc/self/task").expect("on Linux").flatten();
        let name =
            |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        all.map(name).filter(|name| name.starts_with("sqlx-sqlite")).count()
    };
    let ended = async {
        while threads() > 0 {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(20), ended).await.is_ok());
}

#[tokio::test]
async fn a_view_with_an_id_is_not_sorted_without_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let view = format!(
        "CREATE VIEW warga AS {ENDLESS} n AS id, 5271014101900000 + n AS nik, n AS nama, 'P' AS jk, printf('%.*c', 60000, 'x') AS alamat FROM c LIMIT 3"
    );
    made(&path, &[&view]).await.close().await.expect("closes");
    let read = read_of(&path, &[]).await.expect("reads");
    assert_eq!(read.spooled.len(), 4, "the heading, too");
}

#[tokio::test]
async fn a_file_that_somebody_writes_is_not_called_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let held = made(&path, &[PEOPLE, SITI, "BEGIN EXCLUSIVE"]).await;
    let told = told(&path).await;
    assert!(told.contains("SUMBER_MACET") && !told.contains("RUSAK"), "{told}");
    held.close().await.expect("closes");
}

#[tokio::test]
async fn what_is_cut_wide_or_no_utf_8_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    made(
        &path,
        &[PEOPLE, SITI, "INSERT INTO warga SELECT nik, CAST(x'53FF54' AS TEXT), jk, no_kk, '' FROM warga"],
    )
    .await
    .close()
    .await
    .expect("closes");
    let mut read = read_of(&path, &[]).await.expect("reads");
    let mut rows = read.spooled.rows().expect("reads");
    let mut names = Vec::new();
    while let Some(row) = rows.next_row().expect("reads") {
        names.push(row.cells[1].text().into_owned());
    }
    assert_eq!(names[1..], ["SITI", "SÿT"]);
    let whole = std::fs::read(&path).expect("reads");
    std::fs::write(&path, &whole[..whole.len() - 1_000]).expect("writes");
    assert!(told(&path).await.contains("terpotong"));

    let wide = folder.path().join("wide.db");
    let columns: Vec<String> = (0..600).map(|at| format!(", k{at} TEXT")).collect();
    let table = format!("CREATE TABLE warga (nik TEXT, nama TEXT, jk TEXT, no_kk TEXT{})", columns.concat());
    made(&wide, &[&table]).await.close().await.expect("closes");
    assert!(told(&wide).await.contains("memuat 604 kolom, batasnya 512"), "{}", told(&wide).await);
}
