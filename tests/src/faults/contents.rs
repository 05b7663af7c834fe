//! What the registry says, without what depends on when batches were cut: no ids, no places in chains.

use std::fmt::Write as _;

use dtsen_central::{
    registry::{claim, codec, record::Record},
    store::{self, Store},
};
use dtsen_kit::sqlite::Mode;
use dtsen_proto::{
    column,
    record::{RecordKind, Value},
};

use super::wait;

/// Records read at once.
const PAGE: u32 = 1_000;

/// One line for every record, in order: kind, natural key, domicile, and for every block shown its source, its
/// reference days and its values.
pub fn of_database(address: &str) -> anyhow::Result<Vec<String>> {
    wait::block_on(async {
        let store = store::open(address, false, Mode::Production).await?;
        read(store.as_ref()).await
    })
}

async fn read(store: &dyn Store) -> anyhow::Result<Vec<String>> {
    let mut lines = Vec::new();
    let mut after = Vec::new();
    loop {
        let page = store.records_after(&after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.id.as_bytes().to_vec();
        for row in &page {
            let record = codec::decode(&row.body).map_err(|e| anyhow::anyhow!("a record: {e}"))?;
            anyhow::ensure!(row.hash == codec::hash(&row.body), "a record's hash is not that of its bytes");
            anyhow::ensure!(row.region == record.domicile(), "a record's region is not its domicile");
            lines.push(line(&record));
        }
    }
    lines.sort_unstable();
    Ok(lines)
}

fn line(record: &Record) -> String {
    let key = match record.kind {
        RecordKind::Keluarga => column::K_NOMOR_KARTU_KELUARGA,
        RecordKind::Individu => column::I_NIK,
    };
    let key = match claim::shown_value(record, key) {
        Some(Value::Text(text)) => text.to_string(),
        other => format!("{other:?}"),
    };
    let mut line = format!("{:?} {key} {}", record.kind, record.domicile());
    for shown in claim::shown(record) {
        let own = shown.claim;
        let contested = if shown.contested { " contested" } else { "" };
        let _ = write!(line, " | {} {} {:?}{contested}:", own.region, own.source, own.block);
        for cell in &own.cells {
            let _ = write!(line, " {:?}={:?}@{}", cell.column, cell.value, cell.stamp.reference.0);
        }
    }
    line
}

/// Compares two registries of invented people, and shows the first differences.
pub fn compare(found: &[String], expected: &[String]) -> anyhow::Result<()> {
    if found == expected {
        return Ok(());
    }
    let only = |some: &[String], others: &[String]| -> Vec<String> {
        some.iter().filter(|line| others.binary_search(line).is_err()).take(3).cloned().collect()
    };
    anyhow::bail!(
        "the registries differ: {} records here, {} expected\nonly here: {:#?}\nonly expected: {:#?}",
        found.len(),
        expected.len(),
        only(found, expected),
        only(expected, found)
    )
}
