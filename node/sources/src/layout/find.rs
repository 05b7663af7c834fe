//! Where the heading of a sheet is: the row, or the two rows, whose words mean most columns.

use std::collections::BTreeSet;

use super::heading::{Role, role};
use crate::clean::words::folded;

/// Rows among which the heading is looked for: forms have titles, signatures and dates above it.
pub const LOOKED_AT: usize = 60;
/// Roles from which a row is believed to be a heading.
const ROLES_AT_LEAST: usize = 3;

/// A heading that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Its first row, from 0 among those looked at.
    pub first: usize,
    /// Rows that it takes.
    pub rows: usize,
    /// What stands above each column.
    pub names: Vec<String>,
    /// What each column is for.
    pub roles: Vec<Option<Role>>,
}

impl Heading {
    /// The column with a role.
    pub fn column(&self, role: Role) -> Option<usize> {
        self.roles.iter().position(|found| *found == Some(role))
    }
}

/// Finds the heading among the first rows of a sheet.
pub fn find(rows: &[Vec<String>]) -> Option<Heading> {
    let mut best: Option<(usize, Heading)> = None;
    for first in 0..rows.len().min(LOOKED_AT) {
        for height in [1, 2] {
            let Some(lines) = rows.get(first..first + height) else { continue };
            let heading = of(first, lines);
            let useful = worth(&heading);
            // A second row counts only if it adds something.
            if useful >= ROLES_AT_LEAST && best.as_ref().is_none_or(|(worth, _)| useful > *worth) {
                best = Some((useful, heading));
            }
        }
    }
    best.map(|(_, heading)| heading)
}

/// Different roles that a heading names, those that are left aside not counted; none without a name or a number.
fn worth(heading: &Heading) -> usize {
    let roles: BTreeSet<Role> =
        heading.roles.iter().flatten().copied().filter(|role| *role != Role::Lain).collect();
    let names_people =
        roles.contains(&Role::Nik) || roles.contains(&Role::Nama) || roles.contains(&Role::NoKk);
    if names_people { roles.len() } else { 0 }
}

fn of(first: usize, lines: &[Vec<String>]) -> Heading {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |line: &Vec<String>, at: usize| line.get(at).map_or("", String::as_str).trim().to_owned();
    let (mut names, mut roles) = (Vec::new(), Vec::new());
    let mut above = String::new();
    for at in 0..columns {
        let own: Vec<String> = lines.iter().map(|line| cell(line, at)).collect();
        let (name, found) = match &own[..] {
            [only] => (only.clone(), role(only)),
            [top, bottom] => {
                if !top.is_empty() {
                    above.clone_from(top);
                } else if bottom.is_empty() {
                    above.clear();
                }
                // "Alamat" over "RT" and "RW"; "Tanggal" over "Lahir".
                let joined = format!("{above} {bottom}").trim().to_owned();
                let found = role(&joined).or_else(|| role(bottom)).or_else(|| {
                    let alone = bottom.is_empty() && !top.is_empty();
                    if alone { role(top) } else { None }
                });
                (joined, found)
            }
            _ => (String::new(), None),
        };
        names.push(name);
        roles.push(found);
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
    Heading { first, rows: lines.len(), names, roles }
}

/// What a row below the heading is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Nothing in it.
    Blank,
    /// `(1) (2) (3)`, which a spreadsheet may keep as −1 −2 −3.
    Numbering,
    /// The heading once more.
    Heading,
    /// A family's row above its members: its No. KK.
    Group(String),
    /// A person, or what may be one.
    Row,
}

/// Tells what a row is.
pub fn kind(heading: &Heading, row: &[String]) -> Kind {
    let filled: Vec<(usize, &str)> = row
        .iter()
        .enumerate()
        .map(|(at, cell)| (at, cell.trim()))
        .filter(|(_, cell)| !cell.is_empty())
        .collect();
    if filled.is_empty() {
        return Kind::Blank;
    }
    let number = |cell: &str| {
        let digits = cell.trim_matches(|c: char| matches!(c, '(' | ')' | '-' | ' ')).trim_end_matches(".0");
        digits.parse::<usize>().ok()
    };
    let numbers: Option<Vec<usize>> = filled.iter().map(|(_, cell)| number(cell)).collect();
    if let Some(numbers) = numbers
        && numbers.len() >= ROLES_AT_LEAST
        && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1)
    {
        return Kind::Numbering;
    }
    let same = filled.iter().filter(|(at, cell)| {
        heading.names.get(*at).is_some_and(|name| !name.is_empty() && folded(name).ends_with(&folded(cell)))
            && cell.chars().any(char::is_alphabetic)
    });
    if same.count() * 2 > filled.len() && filled.len() >= ROLES_AT_LEAST {
        return Kind::Heading;
    }
    if let Some(number) = filled.iter().take(2).find_map(|(_, cell)| group(cell)) {
        return Kind::Group(number);
    }
    Kind::Row
}

/// The number in `No. KK : 5271…`, whatever stands behind it.
fn group(cell: &str) -> Option<String> {
    let word = folded(cell);
    let labelled = ["no kk", "nomor kk", "no kartu keluarga", "nomor kartu keluarga", "nkk"];
    labelled.iter().any(|label| word.starts_with(label)).then_some(())?;
    let digits: String = cell
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(|c| c.is_ascii_digit() || *c == ' ')
        .collect();
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= 10).then_some(digits)
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
        let heading = find(&rows).expect("a heading");
        assert_eq!((heading.first, heading.rows), (2, 2));
        let column = |role| heading.column(role);
        assert_eq!(
            [Role::Nik, Role::Nama, Role::Rt, Role::Rw, Role::JenisKelamin].map(column),
            [Some(1), Some(2), Some(4), Some(5), Some(6)]
        );
        assert_eq!(kind(&heading, &rows[4]), Kind::Numbering);
        assert_eq!(kind(&heading, &rows[5]), Kind::Row);
        assert_eq!(kind(&heading, &rows[2]), Kind::Heading);
        assert_eq!(
            kind(&heading, &["No. KK : 5202010101019001 \u{a0}".to_owned()]),
            Kind::Group("5202010101019001".into())
        );
    }

    #[test]
    fn what_names_nobody_is_no_heading() {
        assert_eq!(find(&rows("Kode|Harga|Jumlah\n1|2|3")), None);
    }
}
