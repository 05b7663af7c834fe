//! Rows of a sheet as they come: what is heading, what is said for the rows below, what is a person or a family.

use std::sync::Arc;

use super::{
    context::{Context, beside_number, is_form, is_of_family, is_place, labelled, paired, titled},
    find::{self, Heading, LOOKED_AT},
    footer::{self, Footer},
    group,
    heading::{Names, Role, role},
    short, untitled,
};
use crate::{
    cell::{Cell, Row},
    clean::{
        address,
        words::{self, folded},
    },
    correction::Mark,
    derive,
    join::Parts,
    key::KeyBytes,
    preset,
};

/// Cells with a role below which a row without NIK is nobody's: a signature, a remark, a total.
const FILLED_AT_LEAST: usize = 3;

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
    /// A later row of the same family has what this one says: it is no record of its own.
    pub part: bool,
    /// What rows before it say of the same family.
    pub(crate) parts: Option<Arc<Parts>>,
}

impl Line {
    fn new(heading: Arc<Heading>, context: Arc<Context>, row: Row, family: bool) -> Self {
        Self { heading, context, row, family, at: 0, mark: None, corrected: None, part: false, parts: None }
    }
}

/// Reads sheets, row by row.
#[expect(clippy::struct_excessive_bools, reason = "each is about something else that was met")]
#[derive(Default)]
pub struct Sheets {
    sheet: Option<Arc<str>>,
    /// A row was met.
    begun: bool,
    /// Rows at the start of a sheet, until its heading is known.
    waiting: Vec<Row>,
    heading: Option<Arc<Heading>>,
    /// The heading of the sheet before.
    before: Option<Arc<Heading>>,
    context: Arc<Context>,
    /// A row that may be the first line of another heading.
    held: Option<Row>,
    /// A family, until it is known whether its members follow.
    pending: Option<Line>,
    /// People came since something was said above them.
    follows: bool,
    /// What held before that family.
    outside: Arc<Context>,
    /// The table has ended: signatures and remarks follow.
    footer: bool,
    found: bool,
    at: u64,
    /// Headings of a mapping.
    names: Arc<Names>,
}

fn texts(row: &Row) -> Vec<String> {
    row.cells.iter().map(|cell| cell.said().into_owned()).collect()
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
            let before = self.heading.take().or_else(|| self.before.take());
            *self = Self { sheet, begun: true, before, found: self.found, at: self.at, ..self.fresh() };
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
        let Some(mut heading) = find::find(&lines, &self.names) else {
            self.begin_untitled(rows, out);
            return;
        };
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
            context.say_all(&labelled(line), false);
        }
        self.heading = Some(Arc::new(heading));
        for row in rows.into_iter().skip(body) {
            self.body(row, out);
        }
    }

    /// Rows without a heading: they go on with the sheet before, though not in its village, or each that numbers somebody
    /// is told.
    fn begin_untitled(&mut self, rows: Vec<Row>, out: &mut Vec<Line>) {
        self.heading = self.before.clone().filter(|before| untitled::continues(before, &rows));
        let goes_on = self.heading.is_some();
        for row in rows {
            if goes_on {
                self.body(row, out);
            } else if untitled::is_numbered(&row) {
                self.give(Line::new(untitled::none(), Arc::default(), row, false), out);
            }
        }
    }

    /// A row below a heading: what may be a heading's first line waits for the next row.
    fn body(&mut self, row: Row, out: &mut Vec<Line>) {
        let line = texts(&row);
        if self.held.is_none()
            && self.heading.as_ref().is_some_and(|heading| find::is_line_of(heading, &line))
        {
            return;
        }
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
        let one = find::of(0, &pair[..1], &self.names);
        if let Some(two) = find::with_next(&one, &pair, &self.names).filter(Heading::is_believed) {
            self.begin_table(two);
            return true;
        }
        let known = self.heading.as_ref().filter(|heading| find::is_again(heading, &pair[0]));
        let again = known.is_some();
        // The second line alone would not say whose its columns are.
        let below = known.is_some_and(|heading| heading.rows > 1);
        if one.is_believed() && !below {
            self.begin_table(one);
        } else if !again {
            self.row(before, &pair[0], out);
        }
        false
    }

    /// Another heading: of the same table further down, or of the next table.
    fn begin_table(&mut self, heading: Heading) {
        if heading.column(Role::Nik).is_none() && heading.column(Role::NoKk).is_some() {
            // What the family before said does not hold for one whose row is missing.
            Arc::make_mut(&mut self.context).end_family();
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
        short::mend(&heading, &mut row);
        if let Some(said) = group::of(&heading, line).filter(|_| row.broken.is_none()) {
            Arc::make_mut(&mut self.outside).say_group(&said);
            Arc::make_mut(&mut self.context).say_group(&said);
            return;
        }
        if row.broken.is_none() && is_form(line) {
            self.speak(&labelled(line));
            return;
        }
        if row.broken.is_none() && may_be_form(&heading, line) && self.speak(&paired(line)) {
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
        let enough = FILLED_AT_LEAST.min(columns.count().saturating_sub(1)).max(1);
        let last = footer::of(&heading, line);
        // Somebody's office may stand in front of his name.
        let beside =
            name.is_some_and(|name| last == Some(Footer::End) && footer::word(&name.text()).is_none());
        let full = filled >= enough && (last.is_none() || beside);
        let somebody = number.is_some_and(is_number) || (name.is_some() && full);
        if (!somebody || number.is_none()) && self.said(&heading, &row, line, (name.is_some(), full)) {
            return;
        }
        if somebody || full || row.broken.is_some() {
            self.footer = false;
        } else {
            self.footer |= last == Some(Footer::End);
            let named = name.map(Cell::text);
            if self.footer || last.is_some() || footer::is_nobody(line, named.as_deref()) {
                return;
            }
        }
        if !family && row.broken.is_none() && is_of_another(&heading, &row, line) {
            // Whose its number is nobody knows: a family's would be taken for a NIK.
            self.give(Line::new(untitled::none(), Arc::default(), row, false), out);
            return;
        }
        self.emit(heading, row, family, out);
    }

    /// Whether the row says something for those below: labels, or a family's number above its members.
    /// A row that is somebody says nothing but its own, even if its address has labels.
    fn said(&mut self, heading: &Heading, row: &Row, line: &[String], (named, full): (bool, bool)) -> bool {
        let first = line.iter().position(|cell| !cell.is_empty());
        let before_names = |at: usize| heading.column(Role::Nama).is_none_or(|name| at < name);
        let grouped =
            first.filter(|at| is_number(row.cell(*at)) && before_names(*at) && is_running(heading, *at));
        let pairs = if let Some(at) = grouped {
            let mut pairs = beside_number(&line[at + 1..]);
            if pairs.iter().all(|(said, _)| *said != Role::NoKk) {
                pairs.push((Role::NoKk, line[at].clone()));
            }
            pairs
        } else {
            let labels = labelled(line);
            let begins = first.is_some_and(|at| {
                // A row that is full is somebody's unless it begins with a label.
                let own = labelled(&line[at..=at]);
                let any = !(labels.is_empty() || named) && (!full || role(&line[at]).is_some());
                any || !(own.is_empty() || named && full)
            });
            if begins { Self::beside_labels(heading, line, labels) } else { Vec::new() }
        };
        self.speak(&pairs)
    }

    /// What a line with labels says. In a form whose number of the family stands in front, without a label, that is the
    /// number too, be it damaged, and what stands beside it.
    fn beside_labels(heading: &Heading, line: &[String], labels: Vec<(Role, String)>) -> Vec<(Role, String)> {
        let first =
            line.first().filter(|cell| labelled(&[(*cell).clone()]).is_empty() && role(cell).is_none());
        let of_family = labels.iter().any(|(role, _)| is_of_family(*role));
        let own = heading.column(Role::NoKk).is_some() || labels.iter().any(|(role, _)| *role == Role::NoKk);
        let Some(number) = first.filter(|_| of_family && !own && is_running(heading, 0)) else {
            return labels;
        };
        let mut pairs = beside_number(&line[1..]);
        pairs.push((Role::NoKk, number.clone()));
        pairs
    }

    /// Says these for the rows below; whether there is anything to say.
    fn speak(&mut self, pairs: &[(Role, String)]) -> bool {
        if pairs.is_empty() {
            return false;
        }
        let follows = std::mem::take(&mut self.follows);
        if self.pending.is_some() {
            Arc::make_mut(&mut self.outside).say_all(pairs, follows);
        }
        Arc::make_mut(&mut self.context).say_all(pairs, follows);
        true
    }

    fn emit(&mut self, heading: Arc<Heading>, row: Row, family: bool, out: &mut Vec<Line>) {
        if !family {
            self.pending = None;
            self.follows = true;
            let context = Arc::clone(&self.context);
            self.give(Line::new(heading, context, row, family), out);
            return;
        }
        self.flush(out);
        self.outside = Arc::clone(&self.context);
        if row.broken.is_none() {
            // If the heading of members follows, this family is theirs; without a number it is still another one.
            let pairs = heading.roles.iter().enumerate().filter_map(|(at, role)| {
                let cell = row.cell(at);
                let number = *role == Some(Role::NoKk);
                role.filter(|_| number || !cell.is_empty()).map(|role| (role, cell.said().into_owned()))
            });
            let pairs: Vec<_> = pairs.filter(|(role, _)| is_of_family(*role)).collect();
            self.speak(&pairs);
        }
        self.pending = Some(Line::new(heading, Arc::clone(&self.context), row, family));
    }

    /// A family that no heading of members followed is a row of its own, and says nothing for the next one.
    fn flush(&mut self, out: &mut Vec<Line>) {
        if let Some(line) = self.pending.take() {
            self.context = std::mem::take(&mut self.outside);
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

/// Whether a line may be one of a form: where it begins, no row of the table has such words, and it is no signature.
fn may_be_form(heading: &Heading, line: &[String]) -> bool {
    let first = line.iter().position(|cell| !cell.trim().is_empty());
    let role = first.and_then(|at| heading.roles.get(at).copied().flatten());
    let of_rows = |role: Role| is_of_family(role) || is_place(role) || role == Role::Hubungan;
    !role.is_some_and(of_rows) && footer::of(heading, line).is_none()
}

/// Whether a row is of another table than its heading: an address stands where the sex or the relation should, or the
/// heading of a total where the name should.
fn is_of_another(heading: &Heading, row: &Row, line: &[String]) -> bool {
    let address = |role: Role| {
        let text = heading.column(role).map(|at| row.cell(at).text()).unwrap_or_default();
        let known = words::sex(&text).is_some() || words::relation(&text).is_some();
        !known && text.split_whitespace().count() > 1 && address::has_word(&text)
    };
    let name = heading.column(Role::Nama).map(|at| row.cell(at).text()).unwrap_or_default();
    let total = footer::word(&name) == Some(Footer::Total) && !footer::tells_of_somebody(heading, line);
    total || [Role::JenisKelamin, Role::Hubungan].into_iter().any(address)
}

/// Whether a column is of running numbers, or of nothing: any other has numbers of its own, which are of no family.
fn is_running(heading: &Heading, at: usize) -> bool {
    let name = heading.names.get(at).map(|name| folded(name)).unwrap_or_default();
    preset::RUNNING.contains(&name.as_str())
}

/// Sixteen digits or nearly so, as numbers of persons and families are.
pub(super) fn is_number(cell: &Cell) -> bool {
    (10..=20).contains(&digits(cell)) && !cell.text().contains(char::is_alphabetic)
}

/// Digits of a cell.
pub(super) fn digits(cell: &Cell) -> usize {
    cell.text().chars().filter(char::is_ascii_digit).count()
}
