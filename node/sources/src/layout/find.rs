//! Where the heading of a sheet is: the row, or the two rows, whose words mean most columns.

use std::collections::BTreeSet;

use super::{
    heading::{Names, Role, role_of},
    keys,
};
use crate::{clean::words::folded, derive::Derived, preset};

/// Rows among which the heading is looked for: forms have titles, signatures and dates above it.
pub const LOOKED_AT: usize = 60;
/// Roles from which a row is believed to be a heading.
pub const ROLES_AT_LEAST: usize = 3;

/// Known headings in the first of two lines: less is a title.
const KNOWN_IN_FIRST: usize = 2;

/// A heading that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Its first row, from 0 among those looked at.
    pub first: usize,
    /// Rows that it takes.
    pub rows: usize,
    /// What stands above each column; the derived ones are the last.
    pub names: Vec<String>,
    /// What each column is for.
    pub roles: Vec<Option<Role>>,
    /// Columns that are made out of the others.
    pub derived: Vec<Derived>,
}

impl Heading {
    /// How many columns the table itself has.
    pub fn own(&self) -> usize {
        self.names.len() - self.derived.len()
    }

    /// The column with a role.
    pub fn column(&self, role: Role) -> Option<usize> {
        self.roles.iter().position(|found| *found == Some(role))
    }

    /// Different roles that it names, those that are left aside not counted; none without a name or a number.
    pub fn worth(&self) -> usize {
        let roles: BTreeSet<Role> =
            self.roles.iter().flatten().copied().filter(|role| *role != Role::Lain).collect();
        let names_people =
            [Role::Nik, Role::Nama, Role::NoKk, Role::NamaKepala].iter().any(|role| roles.contains(role));
        if names_people { roles.len() } else { 0 }
    }

    /// Whether these lines name enough to be believed: most of what is written in them is a known heading.
    pub fn is_believed(&self) -> bool {
        let written = self.names.iter().filter(|name| !name.is_empty()).count();
        let known = self.roles.iter().flatten().count();
        self.worth() >= ROLES_AT_LEAST && known * 2 > written
    }
}

/// Finds the heading among the first rows of a sheet: the one that a mapping speaks of, else the one that means most.
pub fn find(rows: &[Vec<String>], names: &Names) -> Option<Heading> {
    if let Some(found) = keys::spoken_of(rows, names) {
        return Some(found);
    }
    let mut best: Option<(usize, Heading)> = None;
    for first in 0..rows.len().min(LOOKED_AT) {
        let found = at(rows, first, names);
        let useful = found.worth();
        if useful >= ROLES_AT_LEAST && best.as_ref().is_none_or(|(worth, _)| useful > *worth) {
            best = Some((useful, found));
        }
    }
    best.map(|(_, heading)| heading)
}

/// The heading that begins at a row: that row, and the next one if together they say more than either.
fn at(rows: &[Vec<String>], first: usize, names: &Names) -> Heading {
    let one = of(first, &rows[first..=first], names);
    let Some(lines) = rows.get(first..first + 2) else { return one };
    let known = one.roles.iter().flatten().count();
    let next = of(first + 1, &lines[1..], names);
    let two = of(first, lines, names);
    let more = two.worth() > one.worth().max(next.worth());
    if known >= KNOWN_IN_FIRST && more && !holds_data(&lines[1]) { two } else { one }
}

/// Whether a line has something that no heading has: a long number, a date.
pub fn holds_data(line: &[String]) -> bool {
    line.iter().any(|cell| cell.chars().filter(char::is_ascii_digit).count() >= 4)
}

/// The heading that these lines would be.
pub fn of(first: usize, lines: &[Vec<String>], known: &Names) -> Heading {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |line: &Vec<String>, at: usize| line.get(at).map_or("", String::as_str).trim().to_owned();
    let (mut names, mut roles) = (Vec::new(), Vec::new());
    let mut above = String::new();
    for at in 0..columns {
        let own: Vec<String> = lines.iter().map(|line| cell(line, at)).collect();
        let (name, found) = match &own[..] {
            [only] => (only.clone(), known.role(only)),
            [top, bottom] => {
                if !top.is_empty() {
                    above.clone_from(top);
                } else if bottom.is_empty() {
                    above.clear();
                }
                // "Alamat" over "RT" and "RW"; "Tanggal" over "Lahir".
                let joined = if above == *bottom {
                    above.clone()
                } else {
                    format!("{above} {bottom}").trim().to_owned()
                };
                let found = known.role(&joined).or_else(|| known.role(bottom)).or_else(|| {
                    let alone = bottom.is_empty() && !top.is_empty();
                    if alone { known.role(top) } else { None }
                });
                (joined, found)
            }
            _ => (String::new(), None),
        };
        names.push(name);
        roles.push(found);
    }
    keys::give(known, &mut names, &mut roles);
    let derived = known.derived(&names);
    let made: BTreeSet<Role> = derived.iter().map(|column| role_of(&column.target)).collect();
    for found in roles.iter_mut().flatten().filter(|found| made.contains(found)) {
        // What a mapping makes holds in place of a column that is merely called so.
        *found = Role::Lain;
    }
    for column in &derived {
        names.push(column.name.clone());
        roles.push(Some(role_of(&column.target)));
    }
    // The second of two columns with one role would hide the first.
    let mut met = BTreeSet::new();
    for found in &mut roles {
        if let Some(role) = *found
            && role != Role::Lain
            && !met.insert(role)
        {
            *found = None;
        }
    }
    Heading { first, rows: lines.len(), names, roles, derived }
}

/// The column with this heading among folded ones, by its words or by the number of a question in front of them.
pub(crate) fn place(names: &[String], folded: &str) -> Option<usize> {
    let by_words = names.iter().position(|name| name == folded);
    by_words.or_else(|| names.iter().position(|name| preset::question(name) == Some(folded)))
}

/// Whether a row is `(1) (2) (3)`, which a spreadsheet may keep as −1 −2 −3.
pub fn is_numbering(row: &[String]) -> bool {
    let number = |cell: &str| {
        let digits = cell.trim_matches(|c: char| matches!(c, '(' | ')' | '-' | ' ')).trim_end_matches(".0");
        digits.parse::<usize>().ok()
    };
    let filled = row.iter().map(|cell| cell.trim()).filter(|cell| !cell.is_empty());
    let numbers: Option<Vec<usize>> = filled.map(number).collect();
    numbers.is_some_and(|numbers| {
        numbers.len() >= ROLES_AT_LEAST && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
    })
}

/// Whether a row is this heading once more, or a line of it.
pub fn is_again(heading: &Heading, row: &[String]) -> bool {
    // Nearly every row does, and the rest costs a good part of a reading.
    if holds_data(row) {
        return false;
    }
    let filled: Vec<(usize, String)> = row
        .iter()
        .enumerate()
        .map(|(at, cell)| (at, folded(cell)))
        .filter(|(_, cell)| !cell.is_empty())
        .collect();
    let same = filled.iter().filter(|(at, cell)| {
        let name = heading.names.get(*at).map(|name| folded(name)).unwrap_or_default();
        !name.is_empty()
            && cell.chars().any(char::is_alphabetic)
            && (name.ends_with(cell) || name.starts_with(cell))
    });
    filled.len() >= 2 && same.count() * 2 > filled.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
    }

    #[test]
    fn titles_above_and_two_rows() {
        let rows = rows(
            "DAFTAR PENDUDUK\n\nNO|NIK|NAMA|ALAMAT|||L/P\n||| JALAN|RT|RW|\n(1)|(2)|(3)|(4)|(5)|(6)|(7)\n1|5271010101909001|SITI|MAWAR|1|2|P",
        );
        let heading = find(&rows, &Names::default()).expect("a heading");
        assert_eq!((heading.first, heading.rows), (2, 2));
        let column = |role| heading.column(role);
        assert_eq!(
            [Role::Nik, Role::Nama, Role::Rt, Role::Rw, Role::JenisKelamin].map(column),
            [Some(1), Some(2), Some(4), Some(5), Some(6)]
        );
        assert!(is_numbering(&rows[4]) && !is_numbering(&rows[5]));
        assert!(
            is_again(&heading, &rows[2]) && is_again(&heading, &rows[3]) && !is_again(&heading, &rows[5])
        );
    }

    #[test]
    fn a_person_is_no_second_line_of_the_heading() {
        let rows = rows("NIK|NAMA|SHDK|X\n5271010101909001|SITI|ANAK|KEPALA KELUARGA");
        assert_eq!(find(&rows, &Names::default()).map(|heading| heading.rows), Some(1));
    }

    #[test]
    fn what_names_nobody_is_no_heading() {
        assert_eq!(find(&rows("Kode|Harga|Jumlah\n1|2|3"), &Names::default()), None);
    }
}
