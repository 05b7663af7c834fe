//! Derived columns of a table whose headings are known, and their cells, row by row.

use super::{Derive, When, bare, date, script::Script};
use crate::{
    cell::{Cell, Row},
    clean::{
        number::{self, Cell as Number},
        text::{clean, is_missing},
        words::{self, folded},
    },
    layout::{find::place, keys::keys},
};

/// What stands in a column that is ticked. Wingdings has its tick at the place of a `ü`.
const MARKS: &[&str] = &["1", "v", "x", "√", "✓", "✔", "*", "ü", "ya", "y"];

/// A column made out of others, in a table whose headings are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derived {
    /// What it is for.
    pub target: String,
    /// What stands for its heading in findings.
    pub name: String,
    rules: Vec<Rule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    /// Folded headings and places.
    from: Vec<(String, usize)>,
    when: Option<(usize, Condition)>,
    way: Way,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Is(Vec<String>),
    Empty(bool),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// One column is taken as it is, whatever stands between several.
    Join(String),
    Split(String, i64),
    Date(Vec<String>),
    Script(Script),
    /// What each column means where it alone is marked.
    Marked(Vec<&'static str>),
}

/// The columns that these rules make in a table with these headings.
pub(crate) fn derived(derives: &[Derive], names: &[String]) -> Vec<Derived> {
    let folded = keys(names);
    let mut columns: Vec<(Derived, Vec<&str>)> = Vec::new();
    for derive in derives {
        let Some(rule) = derive.rule(&folded) else { continue };
        let at = columns.iter().position(|(column, _)| column.target == derive.target).unwrap_or_else(|| {
            let (target, name) = (derive.target.clone(), String::new());
            columns.push((Derived { target, name, rules: Vec::new() }, Vec::new()));
            columns.len() - 1
        });
        let (column, sources) = &mut columns[at];
        column.rules.push(rule);
        for (_, at) in column.rules.iter().flat_map(|rule| &rule.from) {
            if !sources.contains(&&*names[*at]) {
                sources.push(&names[*at]);
            }
        }
    }
    let finished = |(mut column, sources): (Derived, Vec<&str>)| {
        let target = bare(&column.target);
        // Only headings of rules that hold: when one of them is gone, so is this name.
        column.name =
            format!("{} (dari {})", target.strip_prefix("kolom:").unwrap_or(target), sources.join(", "));
        column
    };
    columns.into_iter().map(finished).collect()
}

/// A column that these are the parts of, whatever a mapping says.
pub(crate) fn joined(target: &str, names: &[&str], at: &[usize], separator: &str) -> Derived {
    made(target, names, at, Way::Join(separator.to_owned()))
}

/// A column that has the word of whichever of these is marked.
pub(crate) fn marked(target: &str, names: &[&str], at: &[usize], words: &[&'static str]) -> Derived {
    made(target, names, at, Way::Marked(words.to_vec()))
}

fn made(target: &str, names: &[&str], at: &[usize], way: Way) -> Derived {
    let from = names.iter().map(|name| folded(name)).zip(at.iter().copied()).collect();
    let name = format!("{target} (dari {})", names.join(", "));
    Derived { target: target.to_owned(), name, rules: vec![Rule { from, when: None, way }] }
}

/// Puts the derived cells behind the `own` columns of a row. What stands right of those stays behind them.
pub(crate) fn extend(row: &mut Row, own: usize, columns: &[Derived]) {
    if columns.is_empty() || row.broken.is_some() {
        return;
    }
    let (cells, quoted): (Vec<Cell>, Vec<bool>) = columns.iter().map(|column| column.cell(row)).unzip();
    row.cells.resize(row.cells.len().max(own), Cell::Empty);
    row.cells.splice(own..own, cells);
    if !row.quoted.is_empty() {
        row.quoted.resize(row.quoted.len().max(own), true);
        row.quoted.splice(own..own, quoted);
    }
}

/// Makes the derived cells of a row anew, after those that they are made of changed.
pub(crate) fn again(row: &mut Row, own: usize, columns: &[Derived]) {
    for (at, column) in (own..).zip(columns) {
        let (cell, quoted) = column.cell(row);
        row.cells[at] = cell;
        if let Some(place) = row.quoted.get_mut(at) {
            *place = quoted;
        }
    }
}

impl Derive {
    /// The rule for a table with these headings, folded; none if the table lacks one that it needs.
    fn rule(&self, names: &[String]) -> Option<Rule> {
        let at = |heading: &String| place(names, &folded(heading));
        let from: Option<Vec<(String, usize)>> =
            self.from.iter().map(|heading| Some((folded(heading), at(heading)?))).collect();
        let when = match &self.when {
            Some(when) => Some((at(&when.column)?, Condition::of(when))),
            None => None,
        };
        let way = match (&self.join, &self.split, &self.script) {
            (_, _, Some(script)) => Way::Script(script.clone()),
            (_, Some(separator), _) => Way::Split(separator.clone(), self.part.unwrap_or(1)),
            (Some(separator), _, _) => Way::Join(separator.clone()),
            _ if !self.date.is_empty() => Way::Date(self.date.clone()),
            (None, None, None) => Way::Join(String::new()),
        };
        Some(Rule { from: from?, when, way })
    }
}

impl Derived {
    /// Its cell in a row, and whether all that it is made of stands in quotes.
    pub(super) fn cell(&self, row: &Row) -> (Cell, bool) {
        let made = self.rules.iter().map(|rule| (rule, rule.cell(row)));
        let found = made.into_iter().find(|(_, cell)| !cell.is_empty());
        found.map_or((Cell::Empty, true), |(rule, cell)| {
            (cell, rule.from.iter().all(|(_, at)| row.is_quoted(*at)))
        })
    }
}

impl Rule {
    fn cell(&self, row: &Row) -> Cell {
        match &self.when {
            Some((at, _)) if *row.cell(*at) == Cell::Fault => return Cell::Fault,
            Some((at, condition)) if !condition.holds(row.cell(*at)) => return Cell::Empty,
            _ => {}
        }
        let cells = || self.from.iter().map(|(_, at)| row.cell(*at));
        // Nothing is made of nothing, else a line of signatures would be somebody.
        if cells().all(is_nothing) {
            return Cell::Empty;
        }
        match &self.way {
            // As it is: a number stays one, with what is known of its last digit.
            Way::Join(_) if self.from.len() == 1 => row.cell(self.from[0].1).clone(),
            _ if cells().any(is_unsure) => Cell::Fault,
            Way::Join(separator) => {
                let texts: Vec<_> = cells().filter(|cell| !is_nothing(cell)).map(Cell::text).collect();
                text(&texts.join(separator))
            }
            Way::Split(separator, part) => text(nth(&row.cell(self.from[0].1).text(), separator, *part)),
            Way::Date(formats) => match row.cell(self.from[0].1) {
                // As a spreadsheet keeps it.
                day @ Cell::Day(_) => day.clone(),
                other => date::read(&other.text(), formats).map_or(Cell::Fault, Cell::Text),
            },
            Way::Marked(words) => {
                let marks = words.iter().zip(cells()).filter(|(_, cell)| !is_unmarked(cell));
                let said =
                    marks.map(|(word, cell)| if is_mark(cell, word) { (*word).into() } else { cell.text() });
                // Two marks are no word, and are told.
                text(&said.collect::<Vec<_>>().join(" + "))
            }
            Way::Script(script) => {
                let texts =
                    self.from.iter().map(|(name, at)| (name.clone(), row.cell(*at).text().into_owned()));
                script.run(texts).unwrap_or(Cell::Fault)
            }
        }
    }
}

impl Condition {
    fn of(when: &When) -> Self {
        match &when.is {
            Some(words) => Self::Is(words.iter().map(|word| folded(word)).collect()),
            None => Self::Empty(when.empty == Some(true)),
        }
    }

    fn holds(&self, cell: &Cell) -> bool {
        match self {
            Self::Is(words) => words.contains(&folded(&cell.text())),
            Self::Empty(empty) => is_nothing(cell) == *empty,
        }
    }
}

/// Whether a cell holds nothing, or a word for it.
fn is_nothing(cell: &Cell) -> bool {
    *cell != Cell::Fault && is_missing(&cell.text())
}

/// Nothing, or a zero where others have a one.
fn is_unmarked(cell: &Cell) -> bool {
    is_nothing(cell) || cell.text() == "0"
}

/// A tick, a one, or the word itself.
fn is_mark(cell: &Cell, word: &str) -> bool {
    let text = cell.text();
    MARKS.contains(&text.to_lowercase().as_str())
        || words::sex(&text).is_some_and(|said| words::sex(word) == Some(said))
}

/// An error of the spreadsheet, or a number whose last digit is lost: as text it would look sound.
fn is_unsure(cell: &Cell) -> bool {
    let lost = || number::read_cell(cell, number::Column::default(), true) == Number::AsNumber;
    matches!(cell, Cell::Fault) || (matches!(cell, Cell::Number(_)) && lost())
}

fn text(text: &str) -> Cell {
    Cell::Text(clean(text).into_owned())
}

/// The n-th part of a text, from 1 or counted from the end; empty if there are fewer.
fn nth<'a>(text: &'a str, separator: &str, part: i64) -> &'a str {
    let parts: Vec<&str> = if separator.trim().is_empty() {
        // However many blanks there are between two words.
        text.split_whitespace().collect()
    } else {
        text.split(separator).collect()
    };
    let count = usize::try_from(part.unsigned_abs()).unwrap_or(usize::MAX);
    let at = if part > 0 { count.checked_sub(1) } else { parts.len().checked_sub(count) };
    at.and_then(|at| parts.get(at)).copied().unwrap_or_default()
}
