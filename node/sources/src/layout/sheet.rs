//! Rows of a sheet as they come: what is heading, what is said for the rows below, what is a person or a family.

use std::sync::Arc;

use super::{
    context::{Context, is_of_family, labelled, titled},
    find::{self, Heading, LOOKED_AT},
    heading::{Names, Role},
};
use crate::{
    cell::{Cell, Row},
    clean::address,
    correction::Mark,
    derive,
    key::KeyBytes,
};

/// Cells with a role below which a row without NIK is nobody's: a signature, a remark, a total.
const FILLED_AT_LEAST: usize = 3;
/// First words of rows below a table.
const FOOTERS: &[&str] = &[
    "jumlah",
    "total",
    "keterangan",
    "catatan",
    "mengetahui",
    "dicetak",
    "sumber data",
    "ket",
    "tanda tangan",
    "rekapitulasi",
    "sub total",
    "subtotal",
    "kepala desa",
    "lurah",
    "camat",
    "operator",
    "petugas",
];

/// A row that means something.
#[derive(Debug, Clone)]
pub struct Line {
    /// The heading above it.
    pub heading: Arc<Heading>,
    /// What was said above it.
    pub context: Arc<Context>,
    /// The row.
    pub row: Row,
    /// Whether it describes a family rather than a person.
    pub family: bool,
    /// Its place among all lines of the delivery, from 1.
    pub at: u64,
    /// Its digest as the source has it, if anybody asks for it.
    pub mark: Option<Mark>,
    /// The key that it had before it was corrected.
    pub corrected: Option<KeyBytes>,
}

impl Line {
    fn new(heading: Arc<Heading>, context: Arc<Context>, row: Row, family: bool) -> Self {
        Self { heading, context, row, family, at: 0, mark: None, corrected: None }
    }
}

/// Reads sheets, row by row.
#[derive(Default)]
pub struct Sheets {
    sheet: Option<Arc<str>>,
    /// A row was met.
    begun: bool,
    /// Rows at the start of a sheet, until its heading is known.
    waiting: Vec<Row>,
    heading: Option<Arc<Heading>>,
    context: Arc<Context>,
    /// A row that may be the first line of another heading.
    held: Option<Row>,
    /// A family, until it is known whether its members follow.
    pending: Option<Line>,
    found: bool,
    at: u64,
    /// Headings of a mapping.
    names: Arc<Names>,
}

fn texts(row: &Row) -> Vec<String> {
    row.cells.iter().map(|cell| cell.text().into_owned()).collect()
}

impl Sheets {
    /// Sheets whose headings have these names besides the known ones.
    pub fn new(names: Arc<Names>) -> Self {
        Self { names, ..Self::default() }
    }

    /// The same before the first row.
    #[must_use]
    pub fn fresh(&self) -> Self {
        Self::new(Arc::clone(&self.names))
    }

    /// Takes the next row of the source.
    pub fn push(&mut self, row: Row, out: &mut Vec<Line>) {
        if !self.begun || self.sheet != row.sheet {
            self.end(out);
            let sheet = row.sheet.clone();
            *self = Self { sheet, begun: true, found: self.found, at: self.at, ..self.fresh() };
        }
        if self.heading.is_some() {
            self.body(row, out);
            return;
        }
        if self.waiting.len() < LOOKED_AT {
            self.waiting.push(row);
            if self.waiting.len() == LOOKED_AT {
                self.begin(out);
            }
        }
    }

    /// Ends the source.
    pub fn end(&mut self, out: &mut Vec<Line>) {
        if self.heading.is_none() {
            self.begin(out);
        }
        if let Some(row) = self.held.take() {
            let line = texts(&row);
            self.row(row, &line, out);
        }
        self.flush(out);
    }

    /// Whether any sheet had a heading.
    pub fn found_heading(&self) -> bool {
        self.found
    }

    /// The first rows are there: finds the heading among them.
    fn begin(&mut self, out: &mut Vec<Line>) {
        let rows = std::mem::take(&mut self.waiting);
        let lines: Vec<Vec<String>> = rows.iter().map(texts).collect();
        let Some(mut heading) = find::find(&lines, &self.names) else { return };
        // A family's own heading above that of its members.
        let above = find::find(&lines[..heading.first], &self.names)
            .filter(|above| above.is_believed() && above.column(Role::NoKk).is_some());
        if let Some(above) = above {
            heading = above;
        }
        self.found = true;
        let body = heading.first + heading.rows;
        let context = Arc::make_mut(&mut self.context);
        for line in &lines[..heading.first] {
            // What is labelled says more than what a title seems to say.
            let places = line.iter().flat_map(|cell| titled(cell));
            for (role, value) in places.chain(rt_rw(line)) {
                if context.get(role).is_none() {
                    context.say(role, &value);
                }
            }
            context.say_all(labelled(line));
        }
        self.heading = Some(Arc::new(heading));
        for row in rows.into_iter().skip(body) {
            self.body(row, out);
        }
    }

    /// A row below a heading: what may be a heading's first line waits for the next row.
    fn body(&mut self, row: Row, out: &mut Vec<Line>) {
        let line = texts(&row);
        let is_known = self.heading.as_ref().is_some_and(|heading| find::is_again(heading, &line));
        let may_be_heading = row.broken.is_none()
            && !find::holds_data(&line)
            && (is_known || find::of(0, std::slice::from_ref(&line), &self.names).is_believed());
        if let Some(before) = self.held.take()
            && self.ends_heading(before, &line, out)
        {
            return;
        }
        if may_be_heading {
            self.held = Some(row);
        } else {
            self.row(row, &line, out);
        }
    }

    /// Decides about the row that was held, now that the next one is known; whether that one is of the same heading.
    fn ends_heading(&mut self, before: Row, line: &[String], out: &mut Vec<Line>) -> bool {
        let pair = [texts(&before), line.to_vec()];
        let (two, one) = (find::of(0, &pair, &self.names), find::of(0, &pair[..1], &self.names));
        if !find::holds_data(line) && two.is_believed() && two.worth() > one.worth() {
            self.begin_table(two);
            return true;
        }
        let again = self.heading.as_ref().is_some_and(|heading| find::is_again(heading, &pair[0]));
        if one.is_believed() {
            self.begin_table(one);
        } else if !again {
            self.row(before, &pair[0], out);
        }
        false
    }

    /// Another heading: of the same table further down, or of the next table.
    fn begin_table(&mut self, heading: Heading) {
        if heading.column(Role::Nik).is_some() {
            self.pending = None;
        }
        if self.heading.as_ref().is_none_or(|before| before.roles != heading.roles) {
            self.heading = Some(Arc::new(heading));
        }
    }

    fn row(&mut self, mut row: Row, line: &[String], out: &mut Vec<Line>) {
        let Some(heading) = self.heading.clone() else { return };
        if row.is_blank() || find::is_numbering(line) || find::is_again(&heading, line) {
            return;
        }
        derive::extend(&mut row, heading.own(), &heading.derived);
        let at = |role: Role| heading.column(role).map(|at| row.cell(at)).filter(|cell| !cell.is_empty());
        let columns =
            heading.roles.iter().enumerate().filter(|(_, role)| role.is_some_and(|role| role != Role::Lain));
        let filled = columns.clone().filter(|(at, _)| !row.cell(*at).is_empty()).count();
        let family = heading.column(Role::Nik).is_none() && heading.column(Role::Nama).is_none();
        let number = at(if family { Role::NoKk } else { Role::Nik });
        let name = at(if family { Role::NamaKepala } else { Role::Nama });
        // What numbers a person or a family is one; a name alone is one in a table that has little else.
        let roles = columns.count();
        let enough = FILLED_AT_LEAST.min(roles.saturating_sub(1)).max(1);
        let somebody =
            number.is_some_and(is_number) || (name.is_some() && filled >= enough && !is_footer(line));
        if !somebody || number.is_none() {
            let spoke = self.said(&heading, &row, line, (name.is_some(), somebody));
            let counts = row.broken.is_some() || (filled >= enough && !is_footer(line));
            if spoke || !(somebody || counts) {
                return;
            }
        }
        self.emit(heading, row, family, out);
    }

    /// Whether the row says something for those below: labels, or a family's number above its members.
    fn said(
        &mut self,
        heading: &Heading,
        row: &Row,
        line: &[String],
        (named, somebody): (bool, bool),
    ) -> bool {
        let first = line.iter().position(|cell| !cell.is_empty());
        let labels = labelled(line);
        let begins =
            first.is_some_and(|at| !labelled(&line[at..=at]).is_empty() || !labels.is_empty() && !named);
        let mut pairs = if begins { labels } else { Vec::new() };
        let before_names = |at: usize| heading.column(Role::Nama).is_none_or(|name| at < name);
        // Left of a person with all that a row has, a number is of another column.
        if !somebody
            && pairs.iter().all(|(role, _)| *role != Role::NoKk)
            && let Some(at) = first.filter(|at| is_number(row.cell(*at)) && before_names(*at))
            && heading.column(Role::NoKk) != Some(at)
            && heading.column(Role::Nik) != Some(at)
        {
            pairs.push((Role::NoKk, row.cell(at).text().into_owned()));
            let rest = line.iter().find(|cell| cell.chars().any(char::is_alphabetic));
            pairs.extend(rest.map(|text| (Role::Alamat, text.clone())));
        }
        if pairs.is_empty() {
            return false;
        }
        Arc::make_mut(&mut self.context).say_all(pairs);
        true
    }

    fn emit(&mut self, heading: Arc<Heading>, row: Row, family: bool, out: &mut Vec<Line>) {
        if !family {
            self.pending = None;
            let context = Arc::clone(&self.context);
            self.give(Line::new(heading, context, row, family), out);
            return;
        }
        self.flush(out);
        if row.broken.is_none() {
            // If the heading of members follows, this family is theirs.
            let pairs = heading.roles.iter().enumerate().filter_map(|(at, role)| {
                let cell = row.cell(at);
                role.filter(|_| !cell.is_empty()).map(|role| (role, cell.text().into_owned()))
            });
            let pairs = pairs.filter(|(role, _)| is_of_family(*role)).collect();
            Arc::make_mut(&mut self.context).say_all(pairs);
        }
        self.pending = Some(Line::new(heading, Arc::clone(&self.context), row, family));
    }

    /// A family that no heading of members followed is a row of its own.
    fn flush(&mut self, out: &mut Vec<Line>) {
        if let Some(line) = self.pending.take() {
            self.give(line, out);
        }
    }

    fn give(&mut self, line: Line, out: &mut Vec<Line>) {
        self.at += 1;
        out.push(Line { at: self.at, ..line });
    }
}

/// RT and RW that a title names: `DAFTAR WARGA RT 03 RW 05`.
fn rt_rw(line: &[String]) -> Vec<(Role, String)> {
    let read =
        line.iter().map(|cell| address::read(cell)).find(|read| read.rt.is_some() || read.rw.is_some());
    let read = read.unwrap_or_default();
    [(Role::Rt, read.rt), (Role::Rw, read.rw)]
        .into_iter()
        .filter_map(|(role, text)| Some((role, text?)))
        .collect()
}

/// Sixteen digits or nearly so, as numbers of persons and families are.
fn is_number(cell: &Cell) -> bool {
    let digits = cell.text().chars().filter(char::is_ascii_digit).count();
    let letters = cell.text().chars().filter(|c| c.is_alphabetic()).count();
    (10..=20).contains(&digits) && letters == 0
}

fn is_footer(line: &[String]) -> bool {
    let Some(first) = line.iter().find(|cell| cell.chars().any(char::is_alphabetic)) else { return false };
    let word = crate::clean::words::folded(first);
    let begins = FOOTERS
        .iter()
        .any(|footer| word.strip_prefix(footer).is_some_and(|rest| rest.is_empty() || rest.starts_with(' ')));
    begins && !line.iter().any(|cell| cell.chars().filter(char::is_ascii_digit).count() >= 10)
}
