//! Whole files, good and bad, as regions have them. All people are invented.

use std::{
    fs::File,
    io::{Seek as _, SeekFrom, Write as _},
    path::PathBuf,
    sync::Arc,
};

use dtsen_proto::{
    column,
    record::{Day, RecordKind, Value},
    rulebook::{CheckContext, Files, Rulebook, Severity, reason},
};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

mod bad;
mod good;
mod soup;

/// The heading of members that most tests use.
const MEMBERS: &str = "nomor_induk_kependudukan|nomor_kartu_keluarga|nama|tanggal_lahir|jenis_kelamin";

/// A file of a test, gone with it.
struct Sample {
    path: PathBuf,
    _dir: TempDir,
}

fn file(content: impl AsRef<[u8]>) -> Sample {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("anggota.csv");
    std::fs::write(&path, content).expect("writes");
    Sample { path, _dir: dir }
}

/// A line of members whose NIK ends in this serial.
fn member(serial: u16) -> String {
    format!("\"527101410190{serial}\"|\"5271010101209001\"|\"WARGA CONTOH\"|1990-01-01|2")
}

fn reader() -> RowReader {
    reader_with(Rulebook::builtin())
}

fn reader_with(rulebook: Arc<Rulebook>) -> RowReader {
    let region = "52.71".parse().expect("a region");
    let reference = Day::from_date(jiff::civil::date(2026, 11, 1));
    RowReader::new(rulebook, region, reference, "uji")
}

fn open_sample(sample: &Sample) -> Result<Table, IntakeError> {
    open(&sample.path, &Rulebook::builtin())
}

/// Every row of a file, read fully, by its line.
fn read_all(sample: &Sample) -> Vec<(u64, RowReading)> {
    let mut table = open_sample(sample).expect("a table");
    let (mut reader, mut row, mut all) = (reader(), RawRow::new(), Vec::new());
    while table.next_row(&mut row).expect("reads") {
        all.push((row.line, reader.read_row(&table, &row, None)));
    }
    all
}

/// The reasons that intake gives, with lines and columns.
fn told(all: &[(u64, RowReading)]) -> Vec<(u64, &str, Option<&str>)> {
    let findings = all.iter().flat_map(|(_, reading)| &reading.findings);
    findings.map(|f| (f.line, f.finding.reason.as_ref(), f.column_name.as_deref())).collect()
}

/// Lines of the rows that have a delta.
fn lines(all: &[(u64, RowReading)]) -> Vec<u64> {
    all.iter().filter(|(_, reading)| reading.delta.is_some()).map(|(line, _)| *line).collect()
}
