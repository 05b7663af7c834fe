//! Where the heading of a sheet is: the row, or the two rows, whose words mean most columns.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    beside,
    column::{self, Column, Found},
    heading::{Names, Role, role_of},
    keys, spelling, whose,
};
use crate::{clean::words::folded, derive::Derived, preset};

/// Rows among which the heading is looked for: forms have titles, signatures and dates above it.
pub const LOOKED_AT: usize = 60;
/// Roles from which a row is believed to be a heading.
pub const ROLES_AT_LEAST: usize = 3;

/// Headings below which no layout is looked for.
const LAYOUT_AT_LEAST: usize = 3;
/// Known headings in the first of two lines: less is a title.
const KNOWN_IN_FIRST: usize = 2;

/// A heading that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
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
    /// Columns in whose place another one counts, which says the same more plainly.
    pub passed: Vec<usize>,
    /// It shows a layout that is known, however few of its roles are.
    pub shown: bool,
    /// Its lines, folded, if it has three: each page may begin with them once more.
    pub(crate) lines: Vec<Vec<String>>,
}

impl Heading {
    /// Whether there is none: nobody knows what the cells of its rows are.
    pub fn is_none(&self) -> bool {
        self.rows == 0 && self.names.is_empty()
    }

    /// How many columns the table itself has.
    pub fn own(&self) -> usize {
        self.names.len() - self.derived.len()
    }

    /// How many columns there are up to the last one with a name.
    pub fn last_named(&self) -> usize {
        self.names[..self.own()].iter().rposition(|name| !name.is_empty()).map_or(0, |at| at + 1)
    }

    /// The column with a role.
    pub fn column(&self, role: Role) -> Option<usize> {
        self.roles.iter().position(|found| *found == Some(role))
    }

    /// Different roles that it names, those that are left aside not counted; none without a name or a number, unless a
    /// layout is known by it.
    pub fn worth(&self) -> usize {
        let roles: BTreeSet<Role> =
            self.roles.iter().flatten().copied().filter(|role| *role != Role::Lain).collect();
        let names_people =
            [Role::Nik, Role::Nama, Role::NoKk, Role::NamaKepala].iter().any(|role| roles.contains(role));
        if names_people || self.shown { roles.len() } else { 0 }
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
    let mut first = 0;
    while first < rows.len().min(LOOKED_AT) {
        let found = at(rows, first, names);
        // The second line by itself would not say whose its columns are.
        first += found.rows;
        let useful = found.worth();
        let known = useful >= ROLES_AT_LEAST || found.shown;
        if known && best.as_ref().is_none_or(|(worth, _)| useful > *worth) {
            best = Some((useful, found));
        }
    }
    best.map(|(_, heading)| heading)
}

/// The heading that begins at a row: that row, or with the next one or two if they are one.
fn at(rows: &[Vec<String>], first: usize, names: &Names) -> Heading {
    let one = of(first, &rows[first..=first], names);
    let Some(lines) = rows.get(first..first + 2) else { return one };
    let both = questions(first, lines, names).or_else(|| with_next(&one, lines, names));
    let best = both.unwrap_or(one);
    rows.get(first..first + 3).and_then(|lines| of_three(&best, lines, names)).unwrap_or(best)
}

/// Three lines as one heading, if together they say more than fewer of them, or as much and the first one names columns
/// that the others do not.
fn of_three(best: &Heading, lines: &[Vec<String>], names: &Names) -> Option<Heading> {
    let filled = |line: &[String]| line.iter().filter(|cell| !cell.trim().is_empty()).count();
    let is_title = filled(&lines[0]) < ROLES_AT_LEAST;
    if is_title || filled(&lines[2]) == 0 || lines.iter().any(|line| holds_data(line) || is_numbering(line)) {
        return None;
    }
    let three = of(best.first, &column::in_two(lines), names);
    if !three.is_believed() || three.worth() <= best.worth() {
        return None;
    }
    let below = of(best.first, &lines[1..], names);
    let adds = || (0..three.own()).any(|at| below.names.get(at).is_none_or(String::is_empty));
    let more = three.worth() > below.worth() || (three.worth() == below.worth() && adds());
    let says_whose = || lines[0].iter().any(|cell| spelling::is_of_another(cell));
    let own = || lines.iter().map(|line| line.iter().map(|cell| folded(cell)).collect()).collect();
    (more || says_whose()).then(|| Heading { rows: lines.len(), lines: own(), ..three })
}

/// Two lines as one heading, if together they say more than either, or the first one says whose columns those of the
/// second are.
pub fn with_next(one: &Heading, lines: &[Vec<String>], names: &Names) -> Option<Heading> {
    if holds_data(&lines[1]) {
        return None;
    }
    if are_two(lines, one, &of(one.first + 1, &lines[1..], names)) {
        return None;
    }
    let (next, two) = (of(one.first + 1, &lines[1..], names), of(one.first, lines, names));
    let is_title = one.roles.iter().flatten().count() < KNOWN_IN_FIRST;
    let more = || two.worth() > one.worth().max(next.worth());
    let divides = || two.worth() >= one.worth() && divides(lines, &two);
    (!is_title && (more() || divides()) || groups(lines, one)).then_some(two)
}

/// Whether two lines are two headings, of which the first has no rows: each is believed by itself, and something of its
/// own stands below a column of the first that is never divided.
fn are_two(lines: &[Vec<String>], one: &Heading, next: &Heading) -> bool {
    let cell = |line: usize, at: usize| column::cell(lines, line, at);
    let undivided = |at: &usize| matches!(one.roles[*at], Some(Role::Nik | Role::NoKk | Role::Nama));
    let another = |at: &usize| {
        let below = next.roles.get(*at).copied().flatten();
        below.is_some() && below != Some(Role::Lain) && below != one.roles[*at]
    };
    // What stands above several columns is no name of one; but no number stands below another one.
    let alone = |at: &usize| {
        let numbers = [Some(Role::Nik), Some(Role::NoKk)];
        if numbers.contains(&one.roles[*at]) && numbers.contains(&next.roles.get(*at).copied().flatten()) {
            return true;
        }
        let beside = cell(0, at + 1);
        cell(1, at + 1).is_empty() || !(beside.is_empty() || beside == cell(0, *at))
    };
    one.is_believed()
        && next.is_believed()
        && (0..one.own()).any(|at| undivided(&at) && another(&at) && alone(&at))
}

/// Whether the second line divides columns of the first: at least half of it is understood together with the first, and
/// other columns have no second line.
fn divides(lines: &[Vec<String>], two: &Heading) -> bool {
    let cell = |line: usize, at: usize| column::cell(lines, line, at);
    let below = (0..two.own()).filter(|at| !cell(1, *at).is_empty() && cell(0, *at) != cell(1, *at));
    let (known, unknown): (Vec<usize>, Vec<usize>) =
        below.partition(|at| two.roles[*at].is_some() || two.passed.contains(at));
    let whole = (0..two.own()).any(|at| column::is_whole(lines, at));
    !holds_data(&lines[0]) && !known.is_empty() && known.len() >= unknown.len() && whole
}

/// Whether the first line has nothing but words for whose the columns below are, another's among them: no title, which
/// begins in the first column, and no line of a form, which has values.
fn groups(lines: &[Vec<String>], one: &Heading) -> bool {
    let filled = || lines[0].iter().enumerate().filter(|(_, cell)| !cell.trim().is_empty());
    let is_group = |(at, cell): (usize, &String)| {
        let known = one.roles.get(at).is_some_and(Option::is_some) || spelling::is_of_another(cell);
        at > 0 && known && lines[1].get(at).is_some_and(|below| !below.trim().is_empty())
    };
    filled().all(is_group) && filled().any(|(_, cell)| spelling::is_of_another(cell))
}

/// The heading of a questionnaire in two lines: the numbers of the questions, and their words above or below.
fn questions(first: usize, lines: &[Vec<String>], known: &Names) -> Option<Heading> {
    let is_question = |cell: &str| preset::question(&folded(cell)).is_some();
    let asks = |line: &[String]| {
        // Nothing but questions and words, and those of a questionnaire: "001" may be somebody's RT.
        let plain =
            |cell: &String| cell.is_empty() || is_question(cell) || cell.contains(char::is_alphabetic);
        line.iter().all(plain)
            && preset::is_known(line)
            && line.iter().filter(|cell| is_question(cell)).count() >= ROLES_AT_LEAST
    };
    let filled = |line: &[String]| line.iter().filter(|cell| !cell.is_empty()).count();
    let is_words = |line: &[String]| {
        // An answer is a number.
        filled(line) >= KNOWN_IN_FIRST
            && !holds_data(line)
            && line.iter().all(|cell| cell.parse::<f64>().is_err())
    };
    let (numbers, words) = match lines {
        [top, bottom] if asks(top) && is_words(bottom) && !asks(bottom) => (top, bottom),
        [top, bottom] if asks(bottom) && is_words(top) && !asks(top) => (bottom, top),
        _ => return None,
    };
    let columns = numbers.len().max(words.len());
    let cell = |line: &[String], at: usize| line.get(at).map_or("", |cell| cell.trim()).to_owned();
    let names = (0..columns).map(|at| match (cell(numbers, at), cell(words, at)) {
        (number, _) if !is_question(&number) && known.meaning(&number).is_some() => number,
        (number, word) => format!("{number} {word}").trim().to_owned(),
    });
    Some(read(first, lines.len(), &names.map(Column::of).collect::<Vec<_>>(), known))
}

/// Whether a line has something that no heading has: a long number, a date.
pub fn holds_data(line: &[String]) -> bool {
    line.iter().any(|cell| cell.chars().filter(char::is_ascii_digit).count() >= 4)
}

/// The heading that these lines would be. Unless a mapping or the operator says what its columns are, the layout that it
/// shows does.
pub fn of(first: usize, lines: &[Vec<String>], known: &Names) -> Heading {
    read(first, lines.len(), &column::columns(lines), known)
}

fn read(first: usize, rows: usize, columns: &[Column], known: &Names) -> Heading {
    let heading = named(first, rows, columns, known);
    let written = heading.names.iter().filter(|name| !name.is_empty()).count();
    if heading.roles.iter().flatten().count() == 0 || written < LAYOUT_AT_LEAST {
        return heading;
    }
    let Some(layout) = preset::shown(&heading.names[..heading.own()]) else { return heading };
    let heading = if known.is_empty() { named(first, rows, columns, &layout.names()) } else { heading };
    Heading { shown: true, ..heading }
}

/// The heading of these columns by these names, with what is made out of them.
fn named(first: usize, rows: usize, columns: &[Column], known: &Names) -> Heading {
    let mut names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let mut found: Vec<Option<Found>> = columns.iter().map(|column| column.read(known)).collect();
    beside::give(columns, &mut found);
    keys::give(known, &mut names, &mut found);
    let mut derived = known.derived(&names);
    for column in &derived {
        let made = role_of(&column.target);
        for found in found.iter_mut().flatten().filter(|found| found.role == made) {
            // What a mapping makes holds in place of a column that is merely called so.
            found.role = Role::Lain;
        }
    }
    for (parts, column) in column::in_parts(columns, &found, known) {
        for at in parts {
            found[at] = Some(Found { role: Role::Lain, rank: (0, 0) });
        }
        derived.push(column);
    }
    for column in &derived {
        names.push(column.name.clone());
        found.push(Some(Found { role: role_of(&column.target), rank: (0, 0) }));
    }
    let (roles, passed) = settled(&found);
    Heading { first, rows, names, roles, derived, passed, ..Heading::default() }
}

/// One column for each role, the one that says it most plainly, and those in whose place it counts.
fn settled(found: &[Option<Found>]) -> (Vec<Option<Role>>, Vec<usize>) {
    let mut best: BTreeMap<Role, usize> = BTreeMap::new();
    for (at, column) in found.iter().enumerate() {
        let Some(column) = column.filter(|column| column.role != Role::Lain) else { continue };
        let before = best.entry(column.role).or_insert(at);
        if found[*before].is_some_and(|before| column.rank < before.rank) {
            *before = at;
        }
    }
    let mut passed = Vec::new();
    let mut roles: Vec<Option<Role>> = found.iter().map(|column| column.map(|column| column.role)).collect();
    let deputies = whose::deputies(|role| best.contains_key(&role));
    for (at, role) in roles.iter_mut().enumerate() {
        let Some(own) = role.filter(|own| *own != Role::Lain) else { continue };
        let deputy = deputies.iter().find(|(its, _)| *its == own);
        if best.get(&own) != Some(&at) {
            passed.push(at);
            *role = None;
        } else if let Some((_, own)) = deputy {
            *role = Some(*own);
        } else if whose::is_deputy(own) {
            *role = Some(Role::Lain);
        }
    }
    (roles, passed)
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

/// Whether a row is one of the three lines of this heading.
pub fn is_line_of(heading: &Heading, row: &[String]) -> bool {
    let is = |line: &Vec<String>| {
        let width = line.len().max(row.len());
        (0..width)
            .all(|at| folded(row.get(at).map_or("", |cell| cell)) == line.get(at).map_or("", |cell| cell))
    };
    !heading.lines.is_empty() && !holds_data(row) && heading.lines.iter().any(is)
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
    fn three_rows_are_one_heading() {
        for text in [
            "NO|IDENTITAS WARGA|||||ALAMAT|||KET\n|NOMOR||NAMA|KELAHIRAN||DUSUN|RUKUN|\n|KK|NIK||TEMPAT|TANGGAL||RT|RW",
            "NO|NO KK|NIK|NAMA|KELAHIRAN||ALAMAT|||KET\n||||TEMPAT|TANGGAL|DUSUN|RUKUN|\n|||||||RT|RW",
        ] {
            let rows = rows(&format!(
                "DATA WARGA\n{text}\n1|2|3|4|5|6|7|8|9|10\n1|5271010101909001|5271010101909002"
            ));
            let heading = find(&rows, &Names::default()).expect("a heading");
            assert_eq!((heading.first, heading.rows), (1, 3), "{text}");
            let roles = [
                Role::NoKk,
                Role::Nik,
                Role::Nama,
                Role::TempatLahir,
                Role::TanggalLahir,
                Role::Dusun,
                Role::Rt,
                Role::Rw,
            ];
            assert_eq!(roles.map(|role| heading.column(role)), [1, 2, 3, 4, 5, 6, 7, 8].map(Some), "{text}");
        }
        // Whose they are is said in the first of them.
        let rows = rows(
            "NO KK|NAMA|DATA IBU|||ALAMAT|\n|||KELAHIRAN||RUKUN|\n||NIK|TEMPAT|TANGGAL|RT|RW\n5271010101909001|SITI|5271010101909001",
        );
        let heading = find(&rows, &Names::default()).expect("a heading");
        assert_eq!(
            (heading.rows, heading.column(Role::Nik), heading.column(Role::TanggalLahir)),
            (3, None, None)
        );
    }

    #[test]
    fn a_person_is_no_second_line_of_the_heading() {
        let rows = rows("NIK|NAMA|SHDK|X\n5271010101909001|SITI|ANAK|KEPALA KELUARGA");
        assert_eq!(find(&rows, &Names::default()).map(|heading| heading.rows), Some(1));
    }

    #[test]
    fn words_of_questions_stand_below_their_numbers_or_above() {
        for text in [
            "No KK|402|403|404|405|409\n|Nama|NIK|Ada|L/P|Hub",
            "|Nama|NIK|Ada|L/P|Hub\nNo KK|402|403|404|405|409",
        ] {
            let heading = find(&rows(text), &Names::default()).expect("a heading");
            assert_eq!((heading.rows, heading.names[3].as_str()), (2, "404 Ada"));
            assert_eq!(heading.column(Role::KeberadaanAnggota), Some(3));
        }
    }

    #[test]
    fn a_person_in_an_rt_is_no_line_of_questions() {
        let rows = rows("NIK|NAMA|RT DOMISILI|RT|RW|NO RUMAH\n5271010101909001|SITI|099|001|002|301");
        assert_eq!(find(&rows, &Names::default()).map(|heading| heading.rows), Some(1));
    }

    #[test]
    fn what_names_nobody_is_no_heading() {
        assert_eq!(find(&rows("Kode|Harga|Jumlah\n1|2|3"), &Names::default()), None);
    }
}
