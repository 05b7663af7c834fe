//! A whole delivery, read twice: first what all rows tell together, then one row after the other.

mod tables;

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    io,
    sync::Arc,
};

use dtsen_proto::{
    column::{self, Column},
    record::{Day, Provenance, RecordKind, Value},
    region::Region,
    rulebook::{CheckContext, Rulebook, Severity, reason},
};
use jiff::civil::Date;
use sha2::{Digest as _, Sha256};

use self::tables::{Known, Tables};
use crate::{
    cell::{Cell, Row},
    clean::number,
    correction::{self, Corrections, Mark},
    derive,
    filled::Counts,
    join::{Joined, Place},
    key::RowKey,
    layout::{
        context::Context,
        heading::Role,
        sheet::{Line, Sheets},
    },
    person::Reader,
    place::Places,
    plan::Plan,
    preset::Preset,
    record::Record,
    spool::Rows,
    survey::{Families, People, Standing, Table},
    unused::Unused,
};

/// Bytes that the numbers of all rows take in memory while they are compared: about 3.5 million people.
const MAX_NUMBERS_BYTES: usize = 160 * 1024 * 1024;
/// A region for checks in which none is asked for.
const ANY_REGION: u32 = 1101;

/// Reads deliveries.
pub struct Delivery {
    reader: Reader,
    forced: Option<Arc<Preset>>,
    sheets: Sheets,
    tables: Tables,
    people: People,
    families: Families,
    /// The number of the family above, where it is written once, and the sheet.
    family: Option<(Option<Arc<str>>, String)>,
    /// Families that stand on more than one sheet.
    joined: Joined,
    /// Rows that are read otherwise than the source has them; none if nobody asks for the marks of rows.
    corrections: Option<Corrections>,
    /// Cells as the source has them, of the rows that are corrected.
    own: HashMap<Mark, Vec<Cell>>,
}

/// A table that was found.
pub struct Found<'a> {
    /// The sheet.
    pub sheet: Option<&'a str>,
    /// The plan of its columns.
    pub plan: &'a Plan,
    /// Rows that describe somebody.
    pub rows: u64,
    /// Rows that the mapping leaves out.
    pub skipped: u64,
    /// Columns from which nothing is taken, at which somebody should look.
    pub unused: Vec<Unused>,
}

impl Delivery {
    /// A delivery of data from an area, as it is on a day.
    pub fn new(rulebook: Arc<Rulebook>, today: Date, places: Places, forced: Option<Arc<Preset>>) -> Self {
        let names = forced.as_ref().map(|forced| forced.names()).unwrap_or_default();
        let (sheets, tables) = (Sheets::new(names), Tables::default());
        let (people, families) = (People::default(), Families::default());
        let reader = Reader::new(rulebook, today, places);
        let (joined, own) = (Joined::default(), HashMap::new());
        Self {
            reader,
            forced,
            sheets,
            tables,
            people,
            families,
            family: None,
            joined,
            corrections: None,
            own,
        }
    }

    /// Reads these rows otherwise than the source has them, and marks every row.
    #[must_use]
    pub fn corrected_by(self, corrections: Corrections) -> Self {
        Self { corrections: Some(corrections), ..self }
    }

    /// First reading: looks at a row.
    pub fn look(&mut self, row: Row) {
        let mut lines = Vec::new();
        self.sheets.push(row, &mut lines);
        self.look_at_all(lines);
    }

    /// Whether there are more people or families than can be compared.
    pub fn is_full(&self) -> bool {
        self.people.bytes() + self.families.bytes() + self.joined.bytes() > MAX_NUMBERS_BYTES
    }

    fn look_at_all(&mut self, lines: Vec<Line>) {
        for mut line in lines {
            self.correct(&mut line);
            self.look_at(&line);
        }
    }

    /// Marks a line, and puts what the operator wrote in the place of what the source has.
    fn correct(&mut self, line: &mut Line) {
        let Some(corrections) = self.corrections.as_ref().filter(|_| line.row.broken.is_none()) else {
            return;
        };
        let mark = mark(line);
        if let Some(correction) = corrections.get(&mark) {
            self.own.entry(mark).or_insert_with(|| line.row.cells.clone());
            correction::apply(&mut line.row, &correction.cells);
            derive::again(&mut line.row, line.heading.own(), &line.heading.derived);
            // A derived cell may be corrected itself.
            correction::apply(&mut line.row, &correction.cells);
            line.corrected = Some(correction.key);
        }
        line.mark = Some(mark);
    }

    /// The cells of a corrected row as the source has them.
    pub fn own(&self, mark: &Mark) -> Option<&[Cell]> {
        self.own.get(mark).map(Vec::as_slice)
    }

    /// Ends the first reading; whether any sheet had a heading.
    pub fn looked(&mut self) -> bool {
        let mut lines = Vec::new();
        self.sheets.end(&mut lines);
        self.look_at_all(lines);
        let tables = &self.tables.known;
        self.people.decide(|table| tables[table].table.against_niks().is_some());
        let found = self.begin().found_heading();
        for known in &mut self.tables.known {
            known.seed = known.seed(&self.reader.rulebook);
        }
        found
    }

    /// Begins a reading from the first row.
    fn begin(&mut self) -> Sheets {
        self.tables.last = None;
        self.family = None;
        self.joined.begin();
        let fresh = self.sheets.fresh();
        std::mem::replace(&mut self.sheets, fresh)
    }

    /// The place of the table that a line is of.
    fn table(&mut self, line: &Line) -> usize {
        self.tables.of(line, &self.reader.rulebook, self.forced.as_ref())
    }

    fn look_at(&mut self, line: &Line) {
        let at = self.table(line);
        let known = &mut self.tables.known[at];
        if known.plan.skips(&line.row) {
            known.skipped += 1;
            return;
        }
        known.rows += 1;
        if line.row.broken.is_some() {
            return;
        }
        known.unused.look(&line.row, self.reader.today);
        if known.plan.kind == RecordKind::Keluarga
            && let Some(number) = self.joined_number(line, at)
        {
            self.joined.note(number, line.at);
        }
        let known = &mut self.tables.known[at];
        let plan = Arc::clone(&known.plan);
        known.table.look(|role| plan.cell(role, &line.row), self.reader.today);
        let person = self.reader.identity(line, &plan, &mut Table::default());
        known.count(&line.row, person.record.is_present() && !person.superseded);
        match plan.kind {
            RecordKind::Individu => {
                self.people.note(at, line.at, &person.record, person.superseded, person.changed);
            }
            RecordKind::Keluarga => self.families.note(at, line.at, &person.record, person.changed),
        }
    }

    /// The tables with a heading that the first reading found.
    pub fn found(&self) -> impl Iterator<Item = Found<'_>> {
        let titled = self.tables.known.iter().filter(|known| !known.plan.names.is_empty());
        titled.map(|Known { plan, sheet, rows, skipped, unused, .. }| Found {
            sheet: sheet.as_deref(),
            plan,
            rows: *rows,
            skipped: *skipped,
            unused: unused.told(),
        })
    }

    /// How many rows say something under each heading that is used.
    pub fn filled(&self) -> Counts {
        let mut counts = Counts::new();
        for known in &self.tables.known {
            let named = known.filled.iter().map(|(at, filled)| (known.plan.names.get(*at), *filled));
            for (name, filled) in named.filter_map(|(name, filled)| Some((name?, filled))) {
                let all = counts.entry(name.clone()).or_default();
                (all.rows, all.filled) = (all.rows + known.rows, all.filled + filled);
            }
        }
        counts
    }

    /// Whether no heading has a row below it.
    pub fn is_empty(&self) -> bool {
        self.tables.known.is_empty()
    }

    /// The layout that the operator chose, if any.
    pub fn forced(&self) -> Option<&Preset> {
        self.forced.as_deref()
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

    /// Whether a mapping leaves this line out.
    fn skips(&mut self, line: &Line) -> bool {
        let at = self.table(line);
        self.tables.known[at].plan.skips(&line.row)
    }

    /// Later readings: the lines that a row, or those before it, turn out to be.
    pub fn lines(&mut self, row: Row, out: &mut Vec<Line>) {
        let mut lines = Vec::new();
        self.sheets.push(row, &mut lines);
        self.give(lines, out);
    }

    /// Reads the next spooled row into lines; `false` after the last one, when another reading may begin.
    pub fn next_lines(&mut self, rows: &mut Rows<'_>, out: &mut Vec<Line>) -> io::Result<bool> {
        if let Some(row) = rows.next_row()? {
            self.lines(row, out);
            return Ok(true);
        }
        self.end(out);
        Ok(false)
    }

    fn give(&mut self, mut lines: Vec<Line>, out: &mut Vec<Line>) {
        for line in &mut lines {
            self.correct(line);
            if line.corrected.is_some() && self.is_superseded(line) {
                // Of equal rows one counts: what was known of them goes on with that one.
                line.corrected = Some(self.peek(line).0.to_bytes());
            }
        }
        lines.retain(|line| !self.skips(line));
        self.number_families(&mut lines);
        for line in &mut lines {
            self.join(line);
        }
        out.append(&mut lines);
    }

    /// The No. KK under which a row is one of several of its family.
    fn joined_number(&mut self, line: &Line, at: usize) -> Option<u64> {
        let known = &mut self.tables.known[at];
        let joins = known.plan.preset.joined && known.plan.kind == RecordKind::Keluarga;
        // Of families no habit of a column is known, in whichever reading.
        let mut table = Table::default();
        joins.then(|| self.reader.family_number(line, &known.plan, &mut table)).flatten()
    }

    /// Keeps what a row says for the last one of its family, or gives that one what the others said.
    fn join(&mut self, line: &mut Line) {
        let at = self.table(line);
        let Some(number) = self.joined_number(line, at).filter(|_| line.row.broken.is_none()) else { return };
        if self.families.standing(at, line.at, number) == Standing::Superseded {
            return;
        }
        match self.joined.place(number, line.at) {
            Place::Part => {
                line.part = true;
                let digest = self.peek(line).1;
                let record = self.understand(line);
                self.joined.keep(number, record, digest);
            }
            Place::Last => line.parts = self.joined.take(number).map(Arc::new),
            Place::Alone => {}
        }
    }

    /// Ends a later reading; another may begin.
    pub fn end(&mut self, out: &mut Vec<Line>) {
        let mut lines = Vec::new();
        self.sheets.end(&mut lines);
        self.give(lines, out);
        self.begin();
    }

    fn number_families(&mut self, lines: &mut [Line]) {
        for line in lines {
            let at = self.table(line);
            let plan = &self.tables.known[at].plan;
            if plan.preset.family_once && plan.kind == RecordKind::Individu {
                family_once(&mut self.family, line, plan);
            }
        }
    }

    /// Under what a line is compared with the last delivery, and the digest of everything that its reading depends on.
    pub fn peek(&mut self, line: &Line) -> (RowKey, [u8; 16]) {
        let at = self.table(line);
        let known = &mut self.tables.known[at];
        let mut hash = Sha256::new_with_prefix(known.seed);
        hash_line(line, &mut hash);
        for digest in line.parts.iter().flat_map(|parts| &parts.digests) {
            hash.update(digest);
        }
        let mut parts = self.reader.key_parts(line, &known.plan, &mut known.table);
        if let Some(number) = parts.number {
            let standing = match known.plan.kind {
                RecordKind::Individu => self.people.standing(line.at, number),
                RecordKind::Keluarga => self.families.standing(at, line.at, number),
            };
            hash.update([standing as u8]);
            if standing == Standing::Counts {
                let person = known.plan.kind == RecordKind::Individu;
                return (if person { RowKey::Nik(number) } else { RowKey::Kk(number) }, head(hash));
            }
            if standing == Standing::NotTheirs
                && let Some(at) = known.plan.roles.get(&Role::Nik)
            {
                // Whose number is somebody else's are told apart like those who have none.
                let mut line = line.clone();
                line.row.cells.get_mut(*at).into_iter().for_each(|cell| *cell = Cell::Empty);
                parts = self.reader.key_parts(&line, &known.plan, &mut known.table);
            }
        }
        (RowKey::digest(parts.others.iter().map(String::as_bytes)), head(hash))
    }

    /// Whether another row of the same person counts.
    fn is_superseded(&mut self, line: &Line) -> bool {
        let at = self.table(line);
        let known = &mut self.tables.known[at];
        let number = self.reader.key_parts(line, &known.plan, &mut known.table).number;
        let standing = number.map(|number| self.people.standing(line.at, number));
        known.plan.kind == RecordKind::Individu && standing == Some(Standing::Superseded)
    }

    /// What a line describes.
    pub fn kind(&mut self, line: &Line) -> RecordKind {
        let at = self.table(line);
        self.tables.known[at].plan.kind
    }

    /// The No. KK of a line, if it is sound.
    pub fn family_number(&mut self, line: &Line) -> Option<u64> {
        let at = self.table(line);
        let known = &mut self.tables.known[at];
        self.reader.family_number(line, &known.plan, &mut known.table)
    }

    /// The columns that the tables of a kind have, with the names that their headings give them.
    pub fn columns(&self, kind: RecordKind) -> BTreeMap<Column, String> {
        let plans = self.tables.known.iter().map(|known| &known.plan).filter(|plan| plan.kind == kind);
        plans.flat_map(|plan| plan.columns()).collect()
    }

    /// Understands a line.
    pub fn understand(&mut self, line: &Line) -> Record {
        let at = self.table(line);
        let known = &mut self.tables.known[at];
        let plan = Arc::clone(&known.plan);
        let mut record = self.reader.read(line, &plan, &mut known.table);
        if let Some(parts) = &line.parts {
            parts.join(&mut record);
        }
        if line.row.broken.is_none() && !line.heading.is_none() {
            match record.kind {
                RecordKind::Individu => self.judge(&mut record, line.at),
                RecordKind::Keluarga => self.judge_family(&mut record, at, line.at),
            }
            self.settle(&mut record);
        }
        record
    }

    /// Takes out the values for which the hub would refuse the whole record, and tells them.
    fn settle(&self, record: &mut Record) {
        let context = check_context(record, self.region(), self.reader.today);
        let provenance = Provenance { source: "".into(), reference: context.today };
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
    fn judge(&self, record: &mut Record, at: u64) {
        let nik = record.text(column::I_NIK).and_then(|nik| nik.parse::<u64>().ok());
        match nik.map(|nik| self.people.standing(at, nik)) {
            Some(Standing::Superseded) => {
                // That another row is valid says more than that this one is not.
                record.told.retain(|told| told.code != reason::ROW_NOT_VALID);
                record.tell(reason::ROW_SUPERSEDED, Some(column::I_NIK), None);
            }
            Some(Standing::NotTheirs) => {
                record.values.remove(&column::I_NIK);
                record.tell(reason::NIK_SHARED, Some(column::I_NIK), None);
            }
            Some(Standing::Cut) => {
                let cut = record.values.remove(&column::I_NIK);
                record.tell(reason::NIK_AS_NUMBER, Some(column::I_NIK), None);
                if let (Some(Value::Text(text)), Some(told)) = (cut, record.told.last_mut()) {
                    told.prefix = number::prefix(&text);
                }
            }
            Some(Standing::Counts) | None => {}
        }
        if nik.is_none() && record.text(column::I_NAMA).is_none() && !record.is_told(reason::ROW_SEVERAL) {
            record.tell(reason::ROW_NOBODY, None, None);
        }
    }

    /// Whether another row of its table counts in the place of a family's. One that nothing tells from another cannot be sent.
    fn judge_family(&self, record: &mut Record, table: usize, at: u64) {
        let column = column::K_NOMOR_KARTU_KELUARGA;
        let number = record.text(column).and_then(|number| number.parse().ok());
        if number.is_some_and(|number| self.families.standing(table, at, number) == Standing::Superseded) {
            record.tell(reason::ROW_SUPERSEDED, Some(column), None);
        }
        if [column, column::K_NAMA_KEPALA].iter().all(|column| record.text(*column).is_none()) {
            record.tell(reason::KK_MISSING, Some(column), None);
        }
    }
}

fn head(hash: Sha256) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.finalize()[..16]);
    digest
}

/// What a line says under which headings, before anybody corrected it.
fn mark(line: &Line) -> Mark {
    let mut hash = Sha256::new_with_prefix(b"dtsen source row");
    for name in &line.heading.names {
        hash.update((name.len() as u64).to_be_bytes());
        hash.update(name.as_bytes());
    }
    hash_line(line, &mut hash);
    head(hash)
}

/// Everything that a line says, the lines above it that hold for it too.
fn hash_line(line: &Line, hash: &mut Sha256) {
    if line.row.since_1904 {
        hash.update([7]);
    }
    for (cell, quoted) in line.row.cells.iter().zip(line.row.quoted.iter().chain(std::iter::repeat(&true))) {
        match cell {
            Cell::Empty => hash.update([0]),
            Cell::Text(text) => {
                hash.update([1, u8::from(*quoted)]);
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text.as_bytes());
            }
            Cell::Number(number) => {
                hash.update([2]);
                hash.update(number.to_bits().to_be_bytes());
            }
            Cell::Whole(number) => {
                hash.update([3]);
                hash.update(number.to_be_bytes());
            }
            Cell::Day(day) => {
                hash.update([4]);
                hash.update(Day::from_date(*day).0.to_be_bytes());
            }
            Cell::Fault => hash.update([5]),
        }
    }
    for (role, text) in line.context.all() {
        hash.update([6, *role as u8]);
        hash.update((text.len() as u64).to_be_bytes());
        hash.update(text.as_bytes());
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
fn family_once(family: &mut Option<(Option<Arc<str>>, String)>, line: &mut Line, plan: &Plan) {
    let Some(cell) = plan.roles.get(&Role::NoKk).map(|at| line.row.cell(*at)) else { return };
    if !cell.is_empty() {
        *family = Some((line.row.sheet.clone(), cell.said().into_owned()));
    } else if let Some((_, number)) = family.as_ref().filter(|(sheet, _)| *sheet == line.row.sheet) {
        let mut context: Context = (*line.context).clone();
        context.say(Role::NoKk, number);
        line.context = Arc::new(context);
    }
}
