//! A row of a list of people or families, from cells to DTSEN's columns.

mod address;
mod codes;
mod identity;

use std::sync::Arc;

use dtsen_proto::{
    column::Column,
    record::{RecordKind, Value},
    rulebook::{Rulebook, reason},
};
use jiff::civil::Date;

pub(crate) use codes::is_crosswalk;

use crate::{
    cell::{Cell, Row},
    clean::text::{is_missing, without_zero_fraction},
    layout::{context::Context, heading::Role, sheet::Line},
    place::Places,
    plan::Plan,
    record::{Record, Told},
    survey::Table,
    value,
};

/// Reads rows.
pub struct Reader {
    pub(crate) rulebook: Arc<Rulebook>,
    /// Nothing is dated later.
    pub(crate) today: Date,
    /// Finds villages.
    pub places: Places,
}

/// A row while it is read.
struct Reading<'a> {
    plan: &'a Plan,
    table: &'a mut Table,
    row: &'a Row,
    context: &'a Context,
    today: Date,
    out: Record,
}

/// Whom a row is about, and what decides whether it counts.
pub struct Identity {
    /// What it says of that.
    pub record: Record,
    /// It says itself that another row, or nothing, holds in its place.
    pub superseded: bool,
    /// When it was last changed.
    pub changed: Option<Date>,
}

/// Whom a row is about.
pub struct KeyParts {
    /// The NIK of a person, the No. KK of a family, if it is sound.
    pub number: Option<u64>,
    /// What else tells it apart.
    pub others: Vec<String>,
}

impl Reader {
    /// A reader.
    pub fn new(rulebook: Arc<Rulebook>, today: Date, places: Places) -> Self {
        Self { rulebook, today, places }
    }

    /// Reads whom a row is about, and nothing else.
    pub fn identity(&self, line: &Line, plan: &Plan, table: &mut Table) -> Identity {
        let mut reading = self.begin(line, plan, table);
        if reading.is_of_several() {
            return Identity { record: reading.out, superseded: true, changed: None };
        }
        let superseded = match plan.kind {
            RecordKind::Individu => {
                reading.person();
                reading.standing()
            }
            RecordKind::Keluarga => {
                reading.family();
                false
            }
        };
        let changed = reading.changed();
        Identity { record: reading.out, superseded, changed }
    }

    /// Whom a row is about, as little as tells it apart from the others.
    pub fn key_parts(&self, line: &Line, plan: &Plan, table: &mut Table) -> KeyParts {
        let mut reading = self.begin(line, plan, table);
        let (role, names) = match plan.kind {
            RecordKind::Individu => {
                (Role::Nik, [Role::NoKk, Role::Nama, Role::TanggalLahir, Role::TempatTanggalLahir])
            }
            RecordKind::Keluarga => (Role::NoKk, [Role::NamaKepala, Role::Nama, Role::Alamat, Role::Desa]),
        };
        let number = if reading.is_of_several() { None } else { reading.sound(role) };
        let mut others = Vec::new();
        if number.is_none() {
            others.extend(names.map(|role| reading.text(role)));
            if others[..2].iter().all(String::is_empty) {
                // Without a name it is anybody's.
                others = line.row.cells.iter().map(|cell| cell.text().into_owned()).collect();
                others.push(line.row.number.to_string());
            }
        }
        KeyParts { number, others }
    }

    /// The No. KK of a row, if it is sound.
    pub fn family_number(&self, line: &Line, plan: &Plan, table: &mut Table) -> Option<u64> {
        self.begin(line, plan, table).sound(Role::NoKk)
    }

    fn begin<'a>(&self, line: &'a Line, plan: &'a Plan, table: &'a mut Table) -> Reading<'a> {
        let out = Record {
            sheet: line.row.sheet.clone(),
            row: line.row.number,
            kind: plan.kind,
            values: std::collections::BTreeMap::new(),
            rt: None,
            rw: None,
            village: None,
            asked: None,
            told: Vec::new(),
        };
        Reading { plan, table, row: &line.row, context: &line.context, today: self.today, out }
    }

    /// Reads one row.
    pub fn read(&mut self, line: &Line, plan: &Plan, table: &mut Table) -> Record {
        let (row, kind) = (&line.row, plan.kind);
        let mut reading = self.begin(line, plan, table);
        if let Some(broken) = row.broken {
            reading.out.told.push(Told {
                code: broken.reason(),
                column: None,
                heading: None,
                broken: Some(broken),
                prefix: None,
            });
            return reading.out;
        }
        if line.heading.is_none() {
            reading.out.tell(reason::HEADING_UNKNOWN, None, None);
            return reading.out;
        }
        if reading.is_of_several() {
            let heading = plan.name(Role::Nama).map(str::to_owned);
            reading.out.tell(reason::ROW_SEVERAL, None, heading.as_deref());
            return reading.out;
        }
        match kind {
            RecordKind::Individu => reading.person(),
            RecordKind::Keluarga => reading.family(),
        }
        reading.direct();
        reading.asked();
        reading.address(&mut self.places);
        if kind == RecordKind::Individu {
            reading.standing();
        }
        reading.faults();
        reading.out
    }
}

impl<'a> Reading<'a> {
    fn cell(&self, role: Role) -> &'a Cell {
        self.plan.cell(role, self.row).0
    }

    /// The text of a cell, or else what was said above the row; empty if neither says anything.
    fn text(&self, role: Role) -> String {
        let own = self.cell(role).text();
        let text = if is_nothing(&own) { self.context.get(role).unwrap_or_default() } else { &own };
        let text =
            if is_nothing(text) { self.plan.constants.get(&role).map_or("", String::as_str) } else { text };
        if is_nothing(text) { String::new() } else { squeezed(text) }
    }

    fn tell(&mut self, code: &'static str, column: Column, role: Role) {
        let heading = self.plan.name(role).map(str::to_owned);
        self.out.tell(code, Some(column), heading.as_deref());
    }

    fn say_code(&mut self, column: Column, code: i64) {
        self.out.values.insert(column, Value::Number(code));
    }

    /// The columns that are DTSEN's own.
    fn direct(&mut self) {
        for direct in &self.plan.direct {
            let text = self.row.cell(direct.at).text();
            let beside = direct.alone.iter().any(|at| !is_nothing(&self.row.cell(*at).text()));
            if beside || self.out.values.contains_key(&direct.column) {
                continue;
            }
            let name = self.plan.names.get(direct.at).map(String::as_str);
            if let Some(table) = &direct.table {
                match codes::meaning(self.plan, table, &text) {
                    Ok(Some(code)) => {
                        self.out.values.insert(direct.column, Value::Number(code));
                    }
                    Ok(None) => {}
                    Err(code) => self.out.tell(code, Some(direct.column), name),
                }
                continue;
            }
            if let Some(digits) = direct.digits {
                match counted(&text, digits) {
                    Ok(text) => self.out.say(direct.column, text),
                    Err(code) => self.out.tell(code, Some(direct.column), name),
                }
                continue;
            }
            match direct.reading.read(&text) {
                value::Cell::Missing => {}
                value::Cell::Value(value) => {
                    self.out.values.insert(direct.column, value);
                }
                value::Cell::Fault(code) => self.out.tell(code, Some(direct.column), name),
            }
        }
    }

    /// Cells that hold an error of the spreadsheet, or letters whose bytes are lost.
    fn faults(&mut self) {
        let direct = self.plan.direct.iter().map(|direct| direct.at);
        let areas = self.plan.bps.into_iter().chain(self.plan.parts.into_iter().flatten());
        let wanted = self.plan.roles.values().copied().chain(direct).chain(areas);
        for at in wanted {
            let code = match self.row.cell(at) {
                Cell::Fault => reason::CELL_FAULT,
                Cell::Text(text) if text.contains(char::REPLACEMENT_CHARACTER) => reason::BYTES_BROKEN,
                _ => continue,
            };
            self.out.tell(code, None, self.plan.names.get(at).map(String::as_str));
        }
    }
}

/// A number of so many digits, which people part with blanks and the like. One that is shorter has lost its first zeros or
/// its last digits: which, nobody knows.
fn counted(text: &str, digits: usize) -> Result<String, &'static str> {
    if is_nothing(text) {
        return Ok(String::new());
    }
    let whole = without_zero_fraction(text);
    let packed: String = whole.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '\'' | '’')).collect();
    let fits = packed.len() == digits && packed.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(packed) } else { Err(reason::NUMBER_FORMAT) }
}

/// Whether a text says that there is nothing.
fn is_nothing(text: &str) -> bool {
    let text = text.trim();
    is_missing(text) || text.chars().all(|c| !c.is_alphanumeric())
}

/// Capitals, single blanks.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase()
}
