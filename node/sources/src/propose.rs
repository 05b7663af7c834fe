//! What the columns of an unknown table may be for: by the words above them, by what stands in them, and by what they tell
//! of each other. A proposal, for a person to look at: what is doubtful is proposed, and left aside.

mod alone;
mod column;
mod together;
mod trial;
mod words;
mod written;

use std::sync::Arc;

use jiff::civil::Date;

use crate::{
    cell::{Cell, Row},
    layout::{
        beside,
        column::parts_of_birth,
        find::{self, Heading, holds_data},
        heading::{Names, Role, role_name, role_named},
        keys::keys,
    },
    preset::{self, Preset},
    survey::agreement::{HALF, MOST, PAIRS_AT_LEAST, PERSONS},
};
use column::Cells;
use together::Together;
pub use trial::{Tried, try_out};

/// Rows by which a column is judged.
pub const ROWS: usize = 500;
/// Confidence, in percent, from which a column is used unless somebody says otherwise.
const ACTIVE: u8 = 50;
/// How sure a layout that was recognised makes of its own columns.
const RECOGNISED: u8 = 90;
/// Text cells from which a row may be a heading.
const WORDS_AT_LEAST: usize = 3;

/// A proposal for one table.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The row of the heading, from 1; none if there is none above the data.
    pub row: Option<u64>,
    /// Its columns.
    pub columns: Vec<Column>,
    /// The keys of day, month and year, if the birth date stands in three columns.
    pub born: Option<[String; 3]>,
    /// The layout that the headings show: whose data it is.
    pub preset: Arc<Preset>,
}

/// What one column may be for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// How a mapping calls it.
    pub key: String,
    /// What it is likely to be for, as a mapping writes it.
    pub target: Option<String>,
    /// How sure that is, in percent.
    pub confidence: u8,
    /// Why, for people.
    pub why: String,
}

impl Column {
    /// What it is used for unless somebody says otherwise.
    pub fn used(&self) -> Option<&str> {
        self.target.as_deref().filter(|_| self.confidence >= ACTIVE)
    }
}

/// What a column seems to be for.
#[derive(Debug, Clone)]
struct Guess {
    role: Option<Role>,
    confidence: u8,
    why: String,
}

impl Guess {
    fn of(role: Role, confidence: u8, why: impl Into<String>) -> Self {
        Self { role: Some(role), confidence, why: why.into() }
    }

    fn none(why: impl Into<String>) -> Self {
        Self { role: None, confidence: 0, why: why.into() }
    }

    fn doubted(self, at_most: u8, why: &str) -> Self {
        Self { confidence: self.confidence.min(at_most), why: format!("{}, tetapi {why}", self.why), ..self }
    }
}

/// Proposes what the columns of the rows of one sheet are for.
pub fn propose(rows: &[Row], today: Date) -> Option<Proposal> {
    let texts: Vec<Vec<String>> =
        rows.iter().map(|row| row.cells.iter().map(|cell| cell.text().into_owned()).collect()).collect();
    let mut heading = heading(&texts)?;
    // What a reader makes out of others by itself is no column of the table.
    let own = heading.own();
    heading.names.truncate(own);
    heading.roles.truncate(own);
    heading.derived.clear();
    let keys = keys(&heading.names);
    let body = heading.first + heading.rows;
    // Signatures and totals hold no data, and say nothing of the columns.
    let people: Vec<&Row> =
        (body..rows.len()).filter(|at| holds_data(&texts[*at])).map(|at| &rows[at]).collect();
    let column = |at| Cells::new(people.iter().map(|row| row.cell(at)).collect::<Vec<&Cell>>(), today);
    let cells: Vec<Cells<'_>> = (0..keys.len()).map(column).collect();
    let names = Names::default();
    let anothers = beside::anothers(&heading.names, &names);
    let mut guesses: Vec<Guess> = (0..keys.len())
        .map(|at| {
            let name = &heading.names[at];
            let whole = names.meaning(name).map(|meaning| meaning.role);
            // Of two lines the lower one may be known, and the upper one say whose it is.
            let lower = heading.roles[at].filter(|_| words::others(&keys[at]).is_none());
            let known = whole.or(lower);
            if anothers.contains(&at) {
                return Guess::none("di samping nama orang lain");
            }
            alone::guess(&keys[at], known, &cells[at])
        })
        .collect();
    let preset = preset::recognise(&heading.names);
    let said: Vec<Option<&String>> = keys.iter().map(|key| preset.columns.get(key)).collect();
    for (at, target) in said.iter().enumerate() {
        match target.and_then(|target| role_named(target)) {
            Some(role) if guesses[at].role != Some(role) => {
                guesses[at] = Guess::of(role, RECOGNISED, format!("susunan {}", preset.title));
            }
            None if target.is_some() => guesses[at] = Guess::none(format!("susunan {}", preset.title)),
            _ => {}
        }
    }
    let born = born(&keys, &mut guesses);
    Together { keys: &keys, cells: &cells, guesses: &mut guesses }.compare();
    let columns = keys.into_iter().zip(guesses).zip(said).map(|((key, guess), said)| {
        let direct = said.filter(|target| target.starts_with("kolom:"));
        let role = guess.role.filter(|role| *role != Role::Lain).map(role_name);
        let confidence = if direct.is_some() { RECOGNISED } else { guess.confidence };
        Column { key, target: direct.cloned().or(role), confidence, why: guess.why }
    });
    let row = (heading.rows > 0).then(|| rows[heading.first].number);
    Some(Proposal { row, columns: columns.collect(), born, preset })
}

/// Day, month and year of birth in columns of their own, each of which is nothing by itself.
fn born(keys: &[String], guesses: &mut [Guess]) -> Option<[String; 3]> {
    let parts = parts_of_birth(keys)?;
    for at in parts {
        guesses[at] = Guess::none("bagian dari tanggal lahir, di bawah");
    }
    Some(parts.map(|at| keys[at].clone()))
}

/// The heading that a reader finds; else the row with most words among those that hold no data, above rows that do; else
/// none above a table of nothing but data.
fn heading(texts: &[Vec<String>]) -> Option<Heading> {
    let names = Names::default();
    if let Some(found) = find::find(texts, &names) {
        return Some(found);
    }
    let words = |row: &Vec<String>| row.iter().filter(|cell| cell.chars().any(char::is_alphabetic)).count();
    let may_be = |at: &usize| {
        let row = &texts[*at];
        words(row) >= WORDS_AT_LEAST
            && !holds_data(row)
            && texts[at + 1..].iter().take(3).any(|next| holds_data(next))
    };
    let best = (0..texts.len()).filter(may_be).max_by_key(|at| (words(&texts[*at]), std::cmp::Reverse(*at)));
    if let Some(at) = best {
        return Some(find::of(at, &texts[at..=at], &names));
    }
    let data = texts.iter().position(|row| holds_data(row) && words(row) > 0)?;
    let width = texts[data..].iter().map(Vec::len).max()?;
    let bare = Heading {
        first: data,
        rows: 0,
        names: vec![String::new(); width],
        roles: vec![None; width],
        derived: Vec::new(),
        ..Heading::default()
    };
    let all_data = texts[data..].iter().filter(|row| holds_data(row)).count() >= PAIRS_AT_LEAST;
    all_data.then_some(bare)
}

#[cfg(test)]
mod tests;
