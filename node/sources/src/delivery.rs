//! A whole delivery, read twice: first what all rows tell together, then one row after the other.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use dtsen_proto::{
    column,
    record::{Day, Provenance, RecordKind},
    region::Region,
    rulebook::{CheckContext, Rulebook, Severity, reason},
};
use jiff::civil::Date;

use crate::{
    cell::{Cell, Row},
    layout::{
        context::Context,
        find::Heading,
        heading::Role,
        sheet::{Line, Sheets},
    },
    person::Reader,
    place::Places,
    plan::Plan,
    preset::Preset,
    record::Record,
    survey::{People, Standing, Table},
};

/// A region for checks in which none is asked for.
const ANY_REGION: u32 = 1101;

/// Reads deliveries.
pub struct Delivery {
    reader: Reader,
    forced: Option<&'static Preset>,
    sheets: Sheets,
    tables: Tables,
    people: People,
    /// Rows met in this reading.
    at: u64,
    /// The number of the family above, where it is written once.
    family: Option<String>,
}

/// The tables of a delivery, by sheet and heading.
#[derive(Default)]
struct Tables {
    known: Vec<Known>,
    by_name: HashMap<(Option<Arc<str>>, Vec<String>, bool), usize>,
    last: Option<(Arc<Heading>, bool, usize)>,
}

struct Known {
    plan: Arc<Plan>,
    table: Table,
    sheet: Option<Arc<str>>,
    rows: u64,
}

/// A table that was found.
pub struct Found<'a> {
    /// The sheet.
    pub sheet: Option<&'a str>,
    /// The plan of its columns.
    pub plan: &'a Plan,
    /// Rows that describe somebody.
    pub rows: u64,
}

impl Tables {
    fn of(&mut self, line: &Line, rulebook: &Rulebook, forced: Option<&'static Preset>) -> usize {
        if let Some((heading, family, at)) = &self.last
            && Arc::ptr_eq(heading, &line.heading)
            && *family == line.family
        {
            return *at;
        }
        let key = (line.row.sheet.clone(), line.heading.names.clone(), line.family);
        let at = *self.by_name.entry(key).or_insert_with(|| {
            let plan = Plan::of(&line.heading, line.family, rulebook, forced);
            self.known.push(Known {
                plan: Arc::new(plan),
                table: Table::default(),
                sheet: line.row.sheet.clone(),
                rows: 0,
            });
            self.known.len() - 1
        });
        self.last = Some((Arc::clone(&line.heading), line.family, at));
        at
    }
}

impl Delivery {
    /// A delivery of data from an area, as it is on a day.
    pub fn new(
        rulebook: Arc<Rulebook>,
        today: Date,
        places: Places,
        forced: Option<&'static Preset>,
    ) -> Self {
        let (sheets, tables, people) = (Sheets::default(), Tables::default(), People::default());
        Self {
            reader: Reader::new(rulebook, today, places),
            forced,
            sheets,
            tables,
            people,
            at: 0,
            family: None,
        }
    }

    /// First reading: looks at a row.
    pub fn look(&mut self, row: Row) {
        let mut lines = Vec::new();
        self.sheets.push(row, &mut |line| lines.push(line));
        lines.into_iter().for_each(|line| self.look_at(line));
    }

    /// Ends the first reading; whether any sheet had a heading.
    pub fn looked(&mut self) -> bool {
        let mut lines = Vec::new();
        self.sheets.end(&mut |line| lines.push(line));
        lines.into_iter().for_each(|line| self.look_at(line));
        self.people.decide();
        self.at = 0;
        self.tables.last = None;
        std::mem::take(&mut self.sheets).found_heading()
    }

    fn look_at(&mut self, line: Line) {
        static EMPTY: Cell = Cell::Empty;
        self.at += 1;
        let at = self.tables.of(&line, &self.reader.rulebook, self.forced);
        let known = &mut self.tables.known[at];
        known.rows += 1;
        if line.row.broken.is_some() || known.plan.kind == RecordKind::Keluarga {
            return;
        }
        let plan = Arc::clone(&known.plan);
        let cell = |role: Role| match plan.roles.get(&role) {
            Some(at) => (line.row.cell(*at), line.row.quoted.get(*at).copied().unwrap_or(true)),
            None => (&EMPTY, true),
        };
        known.table.look(cell, self.reader.today);
        let understood = self.reader.identity(&line, &plan, &mut Table::default());
        self.people.note(self.at, &understood.record, understood.superseded, understood.changed);
    }

    /// The tables that the first reading found.
    pub fn found(&self) -> impl Iterator<Item = Found<'_>> {
        self.tables.known.iter().map(|Known { plan, sheet, rows, .. }| Found {
            sheet: sheet.as_deref(),
            plan,
            rows: *rows,
        })
    }

    /// The rulebook that it is read by.
    pub fn rulebook(&self) -> &Arc<Rulebook> {
        &self.reader.rulebook
    }

    /// The day that it is read on.
    pub fn today(&self) -> Date {
        self.reader.today
    }

    /// The region that the operator named, if any.
    pub fn region(&self) -> Option<Region> {
        self.reader.places.region()
    }

    /// Second reading: understands a row.
    pub fn read(&mut self, row: Row, out: &mut dyn FnMut(Record)) {
        let mut lines = Vec::new();
        self.sheets.push(row, &mut |line| lines.push(line));
        lines.into_iter().for_each(|line| out(self.understand(line)));
    }

    /// Ends the second reading.
    pub fn end(&mut self, out: &mut dyn FnMut(Record)) {
        let mut lines = Vec::new();
        self.sheets.end(&mut |line| lines.push(line));
        lines.into_iter().for_each(|line| out(self.understand(line)));
        self.sheets = Sheets::default();
        self.at = 0;
    }

    fn understand(&mut self, mut line: Line) -> Record {
        self.at += 1;
        let at = self.tables.of(&line, &self.reader.rulebook, self.forced);
        let known = &mut self.tables.known[at];
        let plan = Arc::clone(&known.plan);
        if plan.preset.family_once {
            family_once(&mut self.family, &mut line, &plan);
        }
        let mut record = self.reader.read(&line, &plan, &mut known.table).record;
        if line.row.broken.is_none() {
            if record.kind == RecordKind::Individu {
                self.judge(&mut record);
            }
            self.settle(&mut record);
        }
        record
    }

    /// Takes out the values for which the hub would refuse the whole record, and tells them.
    fn settle(&self, record: &mut Record) {
        let context = check_context(record, self.region(), self.reader.today);
        let provenance = Provenance { source: String::new(), reference: context.today };
        let book = &self.reader.rulebook;
        for finding in book.check(&record.delta(book, &provenance), &context) {
            if let (Severity::Error, Some(column), Cow::Borrowed(code)) =
                (finding.severity, finding.column, finding.reason)
                && record.values.remove(&column).is_some()
            {
                record.tell(code, Some(column), None);
            }
        }
    }

    /// What a row is beside the others of the delivery.
    fn judge(&self, record: &mut Record) {
        let nik = record.text(column::I_NIK).and_then(|nik| nik.parse::<u64>().ok());
        match nik.map(|nik| self.people.standing(self.at, nik)) {
            Some(Standing::Superseded) => record.tell(reason::ROW_SUPERSEDED, Some(column::I_NIK), None),
            Some(Standing::NotTheirs) => {
                record.values.remove(&column::I_NIK);
                record.tell(reason::NIK_SHARED, Some(column::I_NIK), None);
            }
            Some(Standing::Counts) | None => {}
        }
        if nik.is_none() && record.text(column::I_NAMA).is_none() {
            record.tell(reason::ROW_NOBODY, None, None);
        }
    }
}

/// What a record is checked against: the region that the operator named, or the one of its village.
pub fn check_context(record: &Record, region: Option<Region>, today: Date) -> CheckContext {
    let own = || record.village.as_deref()?.get(..5)?.parse().ok();
    // Without either no rule asks for the region.
    let region = region.or_else(own).or(Region::from_number(ANY_REGION)).expect("there is such a number");
    CheckContext { region, today: Day::from_date(today) }
}

/// The number of a family that stands in its first row only.
fn family_once(family: &mut Option<String>, line: &mut Line, plan: &Plan) {
    let Some(cell) = plan.roles.get(&Role::NoKk).map(|at| line.row.cell(*at)) else { return };
    if !cell.is_empty() {
        *family = Some(cell.text().into_owned());
    } else if let Some(number) = family {
        let mut context: Context = (*line.context).clone();
        context.say(Role::NoKk, number);
        line.context = Arc::new(context);
    }
}
