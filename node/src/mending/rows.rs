//! The rows to mend, out of their sources.

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};

use dtsen_proto::{
    column::{self, Column},
    record::RecordKind,
    rulebook::{Rulebook, reason},
};
use dtsen_sources::{
    cell::Row as SheetRow,
    clean::{encoding::decode, text::clean},
    correction::Corrections,
    delivery::Delivery,
    key::{KeyBytes, RowKey},
    layout::{heading::Role, sheet::Line},
};

use super::{MendError, Row, What};
use crate::{
    import::{ImportError, heading_columns},
    intake::{self, RawRow, row_key},
    source::{
        self, Read, Settings, config,
        run::{RunError, Runner},
    },
    store::ToMend,
};

/// Columns that say in which village a member lives, the first that there is.
const VILLAGE: [Role; 3] = [Role::KodeDesa, Role::Desa, Role::Kecamatan];
/// The same in a file of families or people that was imported by hand.
const PLACES: [Column; 4] =
    [column::K_KELURAHAN_DESA, column::I_KELURAHAN_DESA_KTP, column::K_KECAMATAN, column::I_KECAMATAN_KTP];
/// What is told of a family because of them.
const OF_VILLAGE: [&str; 2] = [reason::VILLAGE_UNRESOLVED, reason::VILLAGE_AMBIGUOUS];

/// What was found of a source.
#[derive(Default)]
pub(super) struct Reading {
    pub(super) rows: Vec<Row>,
    pub(super) left: Vec<Left>,
}

/// A finding whose row is not there any more, or that is about a whole file, or about a family made of its members.
#[derive(Clone)]
pub(super) struct Left {
    pub(super) told: ToMend,
    /// The rows of the members, by sheet.
    pub(super) members: BTreeMap<Option<Arc<str>>, Vec<u64>>,
}

impl From<ToMend> for Left {
    fn from(told: ToMend) -> Self {
        Self { told, members: BTreeMap::new() }
    }
}

/// What is wanted of a source, by the key of the row or by its line.
pub(super) struct Wanted {
    by_key: HashMap<(RecordKind, KeyBytes), Vec<Left>>,
    by_line: HashMap<(RecordKind, u64), Vec<Left>>,
    what: What,
}

impl Wanted {
    pub(super) fn new(wanted: Vec<ToMend>, what: What) -> Self {
        let (mut by_key, mut by_line) = (HashMap::new(), HashMap::new());
        for one in wanted {
            match one.key {
                Some(key) => by_key.entry((one.kind, key)).or_insert_with(Vec::new).push(one.into()),
                None => by_line.entry((one.kind, one.line)).or_insert_with(Vec::new).push(one.into()),
            }
        }
        Self { by_key, by_line, what }
    }

    fn is_empty(&self) -> bool {
        self.what == What::Findings && self.by_key.is_empty() && self.by_line.is_empty()
    }

    /// What is told of a row: taken out, because a row that stands twice is mended where it stands first.
    fn take(&mut self, kind: RecordKind, key: KeyBytes, line: u64) -> Vec<ToMend> {
        let mut told = self.by_key.remove(&(kind, key)).unwrap_or_default();
        told.extend(self.by_line.remove(&(kind, line)).unwrap_or_default());
        told.into_iter().map(|left| left.told).collect()
    }

    /// What is told of the family of a row, which is noted as one of its members.
    fn of_family(&mut self, number: u64, row: &SheetRow) -> &[Left] {
        let family = self.by_key.get_mut(&(RecordKind::Keluarga, RowKey::Kk(number).to_bytes()));
        let family = family.map(Vec::as_mut_slice).unwrap_or_default();
        for left in family.iter_mut() {
            left.members.entry(row.sheet.clone()).or_default().push(row.number);
        }
        family
    }

    fn left(self) -> Vec<Left> {
        self.by_key.into_values().chain(self.by_line.into_values()).flatten().collect()
    }
}

/// Reads a source again for what is wanted of it.
pub(super) async fn of(
    runner: &Runner<'_>,
    rulebook: &Arc<Rulebook>,
    source: &str,
    wanted: Wanted,
) -> Result<Reading, MendError> {
    let corrections = runner.store.corrections(source).await?;
    let Ok(config) = config::load(runner.home, source) else {
        let last = runner.store.last_files(source).await?;
        let files = last.into_iter().map(|file| file.path).collect();
        return Ok(of_files(rulebook, source, wanted, files, &corrections));
    };
    let state = config::state(runner.store, source).await?;
    let settings = runner.settings(&config, Arc::clone(rulebook))?.of_tables(&state.tables);
    let settings = Settings { corrections: Some(corrections.clone()), ..settings };
    let password = config.password().map_err(RunError::Source)?;
    let read =
        source::read(&config.origin, password.as_deref(), &settings).await.map_err(RunError::Source)?;
    let found = of_source(source, read, wanted, &corrections).map_err(ImportError::Spool);
    Ok(found.map_err(RunError::Import)?)
}

fn of_source(
    source: &str,
    read: Read,
    mut wanted: Wanted,
    corrections: &Corrections,
) -> std::io::Result<Reading> {
    let Read { mut delivery, mut spooled, label, .. } = read;
    let names = [RecordKind::Keluarga, RecordKind::Individu].map(|kind| (kind, delivery.columns(kind)));
    let names: HashMap<_, _> = names.into();
    let (mut found, mut left, mut lines, mut more) = (Vec::new(), Vec::new(), Vec::new(), true);
    // Families with rows of their own are mended there.
    let made = delivery.found().all(|found| found.plan.kind == RecordKind::Individu);
    let mut input = spooled.rows()?;
    while more && !wanted.is_empty() {
        more = delivery.next_lines(&mut input, &mut lines)?;
        for line in lines.drain(..) {
            let kind = delivery.kind(&line);
            let key = delivery.peek(&line).0.to_bytes();
            let told = wanted.take(kind, key, line.row.number);
            let place = |one: &ToMend| {
                let by_name = |name: &String| line.heading.names.iter().position(|heading| heading == name);
                let own = || one.column.and_then(|column| by_name(names[&kind].get(&column)?));
                one.column_name.as_ref().and_then(by_name).or_else(own)
            };
            let mut told: Vec<_> = told.into_iter().map(|one| (one.clone(), place(&one))).collect();
            if made {
                told.extend(of_family(&mut delivery, &line, &mut wanted));
            }
            let corrected = line.mark.and_then(|mark| corrections.get(&mark));
            let corrected = corrected.filter(|correction| !correction.cells.is_empty());
            if told.is_empty() && (wanted.what == What::Findings || corrected.is_none()) {
                continue;
            }
            let Some(mark) = line.mark else {
                // A row without cells is mended where it stands.
                left.extend(told.into_iter().map(|(told, _)| Left::from(told)));
                continue;
            };
            let own = delivery.own(&mark);
            let own = |at: &usize| Some((*at, own?.get(*at)?.text().into_owned()));
            found.push(Row {
                source: source.to_owned(),
                file: label.clone(),
                sheet: line.row.sheet.as_deref().map(str::to_owned),
                headings: line.heading.names.clone(),
                number: line.row.number,
                mark,
                key,
                cells: (0..line.heading.names.len().max(line.row.cells.len()))
                    .map(|at| line.row.cell(at).text().into_owned())
                    .collect(),
                own: corrected
                    .into_iter()
                    .flat_map(|correction| correction.cells.keys())
                    .filter_map(own)
                    .collect(),
                told,
            });
        }
    }
    left.extend(wanted.left());
    Ok(Reading { rows: once(found), left })
}

/// What is told of a family that was made of its members, for the members in whose cells it is mended.
fn of_family(delivery: &mut Delivery, line: &Line, wanted: &mut Wanted) -> Vec<(ToMend, Option<usize>)> {
    let Some(number) = delivery.family_number(line) else { return Vec::new() };
    let family = wanted.of_family(number, &line.row);
    let told = family.iter().map(|left| &left.told).filter(|told| OF_VILLAGE.contains(&told.reason.as_str()));
    let Some(at) = VILLAGE.iter().find_map(|role| line.heading.column(*role)) else { return Vec::new() };
    let told: Vec<_> = told.map(|told| (told.clone(), Some(at))).collect();
    if told.is_empty() || delivery.understand(line).village.is_some() {
        return Vec::new();
    }
    told
}

/// Equal rows have one correction: they go out as one.
fn once(rows: Vec<Row>) -> Vec<Row> {
    let mut at: HashMap<_, usize> = HashMap::new();
    let mut kept: Vec<Row> = Vec::new();
    for row in rows {
        match at.entry(row.mark) {
            std::collections::hash_map::Entry::Occupied(first) => kept[*first.get()].told.extend(row.told),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(row);
            }
        }
    }
    kept
}

/// The same out of the files that were imported by hand. One that is not there any more leaves its findings.
fn of_files(
    rulebook: &Rulebook,
    source: &str,
    wanted: Wanted,
    last: Vec<String>,
    corrections: &Corrections,
) -> Reading {
    let what = wanted.what;
    let mut by_file: HashMap<Option<String>, Vec<ToMend>> = HashMap::new();
    if what == What::Corrected {
        by_file.extend(last.into_iter().map(|path| (Some(path), Vec::new())));
    }
    for Left { told, .. } in wanted.left() {
        by_file.entry(told.path.clone()).or_default().push(told);
    }
    let mut all = Reading::default();
    for (path, wanted) in by_file {
        let read = match path.map(PathBuf::from).filter(|path| path.exists()) {
            Some(path) => of_file(rulebook, source, &path, (wanted.clone(), what), corrections),
            None => None,
        };
        let left = || Reading { rows: Vec::new(), left: wanted.into_iter().map(Left::from).collect() };
        let Reading { rows, left } = read.unwrap_or_else(left);
        all.rows.extend(rows);
        all.left.extend(left);
    }
    Reading { rows: once(all.rows), ..all }
}

fn of_file(
    rulebook: &Rulebook,
    source: &str,
    path: &std::path::Path,
    (wanted, what): (Vec<ToMend>, What),
    corrections: &Corrections,
) -> Option<Reading> {
    let mut table = intake::open(path, rulebook).ok()?;
    let names = heading_columns(&table, rulebook);
    let headings = table.headings().to_vec();
    let kind = table.kind();
    let (mut row, mut found) = (RawRow::new(), Vec::new());
    // Of another kind in the same file: there is none.
    let (wanted, others): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|one| one.kind == kind);
    let mut wanted = Wanted::new(wanted, what);
    while !wanted.is_empty() && table.next_row(&mut row).ok()? {
        if row.broken.is_some() {
            continue;
        }
        let mark = row.digest;
        let correction = corrections.get(&mark).filter(|correction| !correction.cells.is_empty());
        let mut own = BTreeMap::new();
        if let Some(correction) = correction {
            own.extend(correction.cells.keys().map(|at| (*at, cell(&row, *at))));
            table.replace(&mut row, &correction.cells);
        }
        let key = row_key(&table, &row).to_bytes();
        let told = wanted.take(kind, key, row.line);
        if told.is_empty() && (what == What::Findings || correction.is_none()) {
            continue;
        }
        let by_name = |name: &String| {
            headings.iter().position(|heading| heading.trim().eq_ignore_ascii_case(name.trim()))
        };
        let place = |one: &ToMend| {
            let own = one.column_name.as_ref().and_then(by_name);
            let own = own.or_else(|| by_name(names.get(&one.column?)?));
            // A village is told of under the code that DTSEN has for it, which the file need not have.
            let village = || {
                let mut names = PLACES.iter().filter_map(|column| names.get(column));
                names.find_map(by_name).filter(|_| OF_VILLAGE.contains(&one.reason.as_str()))
            };
            own.or_else(village)
        };
        found.push(Row {
            source: source.to_owned(),
            file: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            sheet: None,
            headings: headings.clone(),
            number: row.line,
            mark,
            key,
            cells: (0..row.len()).map(|at| cell(&row, at)).collect(),
            own,
            told: told.into_iter().map(|one| (one.clone(), place(&one))).collect(),
        });
    }
    let mut left = wanted.left();
    left.extend(others.into_iter().map(Left::from));
    Some(Reading { rows: found, left })
}

/// The text of a field.
fn cell(row: &RawRow, at: usize) -> String {
    clean(&decode(row.field(at)).0).into_owned()
}
