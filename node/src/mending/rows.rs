//! The rows to mend, out of their sources.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use dtsen_proto::{record::RecordKind, rulebook::Rulebook};
use dtsen_sources::{
    clean::{encoding::decode, text::clean},
    correction::Corrections,
    key::KeyBytes,
    layout::sheet::Line,
};

use super::{MendError, Row};
use crate::{
    import::{ImportError, heading_columns},
    intake::{self, RawRow, row_key},
    source::{
        self, Read, Settings, config,
        run::{RunError, Runner},
    },
    store::ToMend,
};

/// What was found of a source.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) rows: Vec<Row>,
    /// Findings whose row is not there any more, or that are about a whole file.
    pub(super) left: Vec<ToMend>,
}

/// What is wanted of a source, by the key of the row or by its line.
struct Wanted {
    by_key: HashMap<(RecordKind, KeyBytes), Vec<ToMend>>,
    by_line: HashMap<(RecordKind, u64), Vec<ToMend>>,
}

impl Wanted {
    fn new(wanted: Vec<ToMend>) -> Self {
        let (mut by_key, mut by_line) = (HashMap::new(), HashMap::new());
        for one in wanted {
            match one.key {
                Some(key) => by_key.entry((one.kind, key)).or_insert_with(Vec::new).push(one),
                None => by_line.entry((one.kind, one.line)).or_insert_with(Vec::new).push(one),
            }
        }
        Self { by_key, by_line }
    }

    fn is_empty(&self) -> bool {
        self.by_key.is_empty() && self.by_line.is_empty()
    }

    /// What is told of a row: taken out, because a row that stands twice is mended where it stands first.
    fn take(&mut self, kind: RecordKind, key: KeyBytes, line: u64) -> Vec<ToMend> {
        let mut told = self.by_key.remove(&(kind, key)).unwrap_or_default();
        told.extend(self.by_line.remove(&(kind, line)).unwrap_or_default());
        told
    }

    fn left(self) -> Vec<ToMend> {
        self.by_key.into_values().chain(self.by_line.into_values()).flatten().collect()
    }
}

/// Reads a source again for what is wanted of it.
pub(super) async fn of(
    runner: &Runner<'_>,
    rulebook: &Arc<Rulebook>,
    source: &str,
    wanted: &[ToMend],
) -> Result<Reading, MendError> {
    let corrections = runner.store.corrections(source).await?;
    let Ok(config) = config::load(runner.home, source) else {
        return Ok(of_files(rulebook, source, wanted, &corrections));
    };
    let settings = runner.settings(&config, Arc::clone(rulebook))?;
    let settings = Settings { corrections: Some(corrections), ..settings };
    let password = config.password().map_err(RunError::Source)?;
    let read =
        source::read(&config.origin, password.as_deref(), &settings).await.map_err(RunError::Source)?;
    let found = of_source(source, read, Wanted::new(wanted.to_vec())).map_err(ImportError::Spool);
    Ok(found.map_err(RunError::Import)?)
}

fn of_source(source: &str, read: Read, mut wanted: Wanted) -> std::io::Result<Reading> {
    let Read { mut delivery, mut spooled, label, .. } = read;
    let names = [RecordKind::Keluarga, RecordKind::Individu].map(|kind| (kind, delivery.columns(kind)));
    let names: HashMap<_, _> = names.into();
    let (mut found, mut left, mut lines, mut more) = (Vec::new(), Vec::new(), Vec::new(), true);
    let mut input = spooled.rows()?;
    while more && !wanted.is_empty() {
        more = delivery.next_lines(&mut input, &mut lines)?;
        for line in lines.drain(..) {
            let kind = delivery.kind(&line);
            let key = delivery.peek(&line).0.to_bytes();
            let told = wanted.take(kind, key, line.row.number);
            let Some(mark) = line.mark.filter(|_| !told.is_empty()) else {
                // A row without cells is mended where it stands.
                left.extend(told);
                continue;
            };
            let Line { heading, row, .. } = &line;
            let place = |one: &ToMend| {
                let by_name = |name: &String| heading.names.iter().position(|heading| heading == name);
                let own = || one.column.and_then(|column| by_name(names[&kind].get(&column)?));
                one.column_name.as_ref().and_then(by_name).or_else(own)
            };
            found.push(Row {
                source: source.to_owned(),
                table: row.sheet.as_deref().unwrap_or(&label).to_owned(),
                headings: heading.names.clone(),
                number: row.number,
                mark,
                key,
                cells: (0..heading.names.len().max(row.cells.len()))
                    .map(|at| row.cell(at).text().into_owned())
                    .collect(),
                told: told.into_iter().map(|one| (one.clone(), place(&one))).collect(),
            });
        }
    }
    left.extend(wanted.left());
    Ok(Reading { rows: found, left })
}

/// The same out of the files that were imported by hand. One that is not there any more leaves its findings.
fn of_files(rulebook: &Rulebook, source: &str, wanted: &[ToMend], corrections: &Corrections) -> Reading {
    let mut by_file: HashMap<Option<String>, Vec<ToMend>> = HashMap::new();
    for one in wanted {
        by_file.entry(one.path.clone()).or_default().push(one.clone());
    }
    let mut all = Reading::default();
    for (path, wanted) in by_file {
        let read = match path.map(PathBuf::from).filter(|path| path.exists()) {
            Some(path) => of_file(rulebook, source, &path, wanted.clone(), corrections),
            None => None,
        };
        let Reading { rows, left } = read.unwrap_or(Reading { rows: Vec::new(), left: wanted });
        all.rows.extend(rows);
        all.left.extend(left);
    }
    all
}

fn of_file(
    rulebook: &Rulebook,
    source: &str,
    path: &std::path::Path,
    wanted: Vec<ToMend>,
    corrections: &Corrections,
) -> Option<Reading> {
    let mut table = intake::open(path, rulebook).ok()?;
    let names = heading_columns(&table, rulebook);
    let headings = table.headings().to_vec();
    let kind = table.kind();
    let (mut row, mut found) = (RawRow::new(), Vec::new());
    // Of another kind in the same file: there is none.
    let (wanted, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|one| one.kind == kind);
    let mut wanted = Wanted::new(wanted);
    while !wanted.is_empty() && table.next_row(&mut row).ok()? {
        if row.broken.is_some() {
            continue;
        }
        let mark = row.digest;
        if let Some(correction) = corrections.get(&mark) {
            table.replace(&mut row, &correction.cells);
        }
        let key = row_key(&table, &row).to_bytes();
        let told = wanted.take(kind, key, row.line);
        if told.is_empty() {
            continue;
        }
        let place = |one: &ToMend| {
            let name = one.column_name.as_ref().or_else(|| names.get(&one.column?));
            name.and_then(|name| {
                headings.iter().position(|heading| heading.trim().eq_ignore_ascii_case(name.trim()))
            })
        };
        found.push(Row {
            source: source.to_owned(),
            table: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            headings: headings.clone(),
            number: row.line,
            mark,
            key,
            cells: (0..row.len()).map(|at| clean(&decode(row.field(at)).0).into_owned()).collect(),
            told: told.into_iter().map(|one| (one.clone(), place(&one))).collect(),
        });
    }
    let mut left = wanted.left();
    left.extend(others);
    Some(Reading { rows: found, left })
}
