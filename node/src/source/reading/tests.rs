//! Files that somebody writes while they are read.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::*;

const HEADING: &str = "NIK,No KK,Nama,Jenis Kelamin,Tanggal Lahir\n";

fn list(of: &str) -> String {
    let row = |n: u32| format!("52010101018090{n:02},5201010101109001,{of} {n},L,01-01-1980\n");
    let rows: String = (1..=60).map(row).collect();
    [HEADING, &rows].concat()
}

/// Reads a list over which somebody writes, in place, at so many readings; what was read in the end.
async fn read_while_written(times: u32) -> Result<Vec<String>, SourceError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("warga.csv");
    std::fs::write(&path, list("LAMA")).expect("writes");
    let written = AtomicU32::new(0);
    // Asked once its bytes are digested, before its rows are read.
    let is_same = |_: &str| {
        if written.fetch_add(1, Relaxed) < times {
            std::fs::write(&path, list("BARU")).expect("writes");
        }
        false
    };
    let settings = Settings {
        rulebook: Rulebook::builtin(),
        today: jiff::civil::date(2026, 11, 1),
        hint: Some("52.01".into()),
        preset: None,
        tables: Vec::new(),
        patience: Duration::from_secs(1),
        corrections: None,
    };
    let origin = path.display().to_string();
    let read = read_again(&origin, None, &settings, Last { is_same: &is_same, kept: None }).await?;
    let mut read = read.expect("it is not as it was");
    assert_eq!(read.fingerprint, content_digest(&path).ok(), "the digest of what was read");
    let (mut rows, mut names) = (read.spooled.rows().expect("reads"), Vec::new());
    while let Some(row) = rows.next_row().expect("reads") {
        names.push(row.cell(2).text().into_owned());
    }
    Ok(names)
}

#[tokio::test]
async fn a_file_that_is_written_while_it_is_read_is_read_again() {
    let names = read_while_written(1).await.expect("reads");
    assert_eq!((names.len(), names[1].as_str(), names[60].as_str()), (61, "BARU 1", "BARU 60"));
}

#[tokio::test]
async fn one_that_is_written_at_every_reading_is_not_taken() {
    let error = read_while_written(u32::MAX).await.expect_err("never still").to_string();
    assert!(error.starts_with("SUMBER_BERGERAK: ") && error.contains("3 kali"), "{error}");
}
