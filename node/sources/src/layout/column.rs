//! What the words above one column say, in one line or in two.

use super::{
    context::{is_of_family, is_place},
    heading::{Names, Role},
    spelling,
};
use crate::{
    clean::words::{self, folded},
    derive::{self, Derived},
};

/// How headings call the day, the month and the year.
const PARTS_OF_BIRTH: [&[&str]; 3] =
    [&["tgl", "tanggal", "hari"], &["bln", "bulan"], &["thn", "tahun", "th"]];
/// And how they say that they are of somebody's birth.
const OF_BIRTH: &[&str] = &["lahir", "lhr", "kelahiran"];
/// Between the parts of a date.
const DATE_MARK: &str = "-";
/// What the columns of men and of women mean where they are marked, in the order of their codes.
const SEXES: [&str; 2] = ["L", "P"];

/// The words above a column.
pub(super) struct Column {
    /// All of them.
    pub(super) name: String,
    /// Those that stand above several columns; empty if there are none.
    group: String,
    /// Its own.
    own: String,
    /// Nothing shows whether it still stands below those words.
    loose: bool,
}

/// What a column is for, and how plainly its own words and those above them say so: less is plainer.
#[derive(Clone, Copy)]
pub(super) struct Found {
    pub(super) role: Role,
    pub(super) rank: (usize, usize),
}

/// A cell of one of the lines of a heading, without the blanks around it.
pub(super) fn cell(lines: &[Vec<String>], line: usize, at: usize) -> &str {
    lines.get(line).and_then(|line| line.get(at)).map_or("", |cell| cell.trim())
}

/// Whether a column takes both lines: nothing, or the same once more, stands below its words.
pub(super) fn is_whole(lines: &[Vec<String>], at: usize) -> bool {
    let (top, below) = (cell(lines, 0, at), cell(lines, 1, at));
    !top.is_empty() && (below.is_empty() || below == top)
}

/// Three lines as two: of each column the lowest, and what stands above that, with whose it is if the first line says so.
pub(super) fn in_two(lines: &[Vec<String>]) -> [Vec<String>; 2] {
    let width = lines.iter().map(Vec::len).max().unwrap_or(0);
    let (mut above, mut between) = ("", "");
    let column = |at: usize| {
        let [top, middle, lowest] = [0, 1, 2].map(|line| cell(lines, line, at));
        if !top.is_empty() || (middle.is_empty() && lowest.is_empty()) {
            (above, between) = (top, "");
        }
        if !middle.is_empty() {
            between = middle;
        }
        let whose = spelling::is_of_another(above) || spelling::is_head(above);
        match (lowest, between) {
            ("", _) if middle.is_empty() => (top.to_owned(), String::new()),
            ("", _) => (above.to_owned(), middle.to_owned()),
            (_, "") => (above.to_owned(), lowest.to_owned()),
            _ if whose => (format!("{above} {between}"), lowest.to_owned()),
            _ => (between.to_owned(), lowest.to_owned()),
        }
    };
    (0..width).map(column).unzip::<_, _, Vec<_>, Vec<_>>().into()
}

/// The columns under one line or two.
pub(super) fn columns(lines: &[Vec<String>]) -> Vec<Column> {
    let mut above = "";
    let width = lines.iter().map(Vec::len).max().unwrap_or(0);
    // Without a column that takes both lines, the last words above have no end.
    let ends = (0..width).any(|at| is_whole(lines, at));
    let column = |at: usize| {
        let (top, below) = (cell(lines, 0, at), cell(lines, 1, at));
        if !top.is_empty() {
            above = top;
        } else if below.is_empty() {
            above = "";
        }
        let group = if below.is_empty() || above == below { "" } else { above };
        let own = if below.is_empty() { above } else { below };
        let name = format!("{group} {own}").trim().to_owned();
        let loose = !ends && top.is_empty();
        Column { name, group: group.to_owned(), own: own.to_owned(), loose }
    };
    (0..width).map(column).collect()
}

impl Column {
    /// A column under these words alone.
    pub(super) fn of(name: String) -> Self {
        Self { own: name.clone(), name, group: String::new(), loose: false }
    }

    /// What it is for: "Alamat" over "RT" and "RW", "Tanggal" over "Lahir", "Ibu" over "NIK".
    pub(super) fn read(&self, known: &Names) -> Option<Found> {
        let group = known.meaning(&self.group);
        let rank = group.map_or(0, |group| group.rank);
        let found = |role, own| Found { role, rank: (own, rank) };
        let together = known.meaning(&self.name).or_else(|| known.meaning(&self.with_group(known)));
        if let Some(meaning) = together {
            return Some(found(meaning.role, meaning.rank));
        }
        let meaning = known.meaning(&self.own)?;
        let role = if self.is_of_another(meaning.role) { Role::Lain } else { meaning.role };
        Some(found(role, meaning.rank))
    }

    /// Its own words first, as they would stand in one line: `TEMPAT LAHIR`.
    fn with_group(&self, known: &Names) -> String {
        let of_birth = self.is_under(known, &[Role::TanggalLahir, Role::TempatTanggalLahir])
            || OF_BIRTH.contains(&&*folded(&self.group));
        format!("{} {}", self.own, if of_birth { OF_BIRTH[0] } else { &self.group })
    }

    fn is_under(&self, known: &Names, roles: &[Role]) -> bool {
        !self.group.is_empty() && known.meaning(&self.group).is_some_and(|group| roles.contains(&group.role))
    }

    /// Whether the words above it name somebody else; where the head of family lives, the person does too.
    fn is_of_another(&self, role: Role) -> bool {
        let of_family = is_of_family(role) || is_place(role);
        if self.loose && !spelling::is_who(role) {
            return false;
        }
        if spelling::is_head(&self.group) { !of_family } else { spelling::is_of_another(&self.group) }
    }
}

/// Where day, month and year of birth stand, each in a column of its own, among folded headings.
pub(crate) fn parts_of_birth(folded: &[String]) -> Option<[usize; 3]> {
    let at = PARTS_OF_BIRTH.map(|parts| {
        folded.iter().position(|heading| {
            let words = heading.split_once(' ');
            words.is_some_and(|(part, of)| parts.contains(&part) && OF_BIRTH.contains(&of))
        })
    });
    let [Some(day), Some(month), Some(year)] = at else { return None };
    Some([day, month, year])
}

/// What stands in several columns: a birth date in three, the sex in two that are ticked.
pub(super) fn in_parts(
    columns: &[Column],
    found: &[Option<Found>],
    known: &Names,
) -> Vec<(Vec<usize>, Derived)> {
    let is_whole = |role: Role, parts: &[usize]| {
        let others = found.iter().enumerate().filter(|(at, _)| !parts.contains(at));
        known.has(role) || others.filter_map(|(_, found)| *found).any(|found| found.role == role)
    };
    let names = |parts: &[usize]| parts.iter().map(|at| &*columns[*at].name).collect::<Vec<_>>();
    let mut made = Vec::new();
    let phrases: Vec<String> = columns.iter().map(|column| folded(&column.with_group(known))).collect();
    if let Some(parts) = parts_of_birth(&phrases).filter(|parts| !is_whole(Role::TanggalLahir, parts)) {
        made.push((parts.to_vec(), derive::joined("tanggal_lahir", &names(&parts), &parts, DATE_MARK)));
    }
    let sex = |code: i64| {
        columns.iter().position(|column| {
            words::sex(&column.own) == Some(code) && column.is_under(known, &[Role::JenisKelamin])
        })
    };
    // Side by side they need no words above them.
    let bare = || {
        let is =
            |at: usize, sex: &str| columns[at].group.is_empty() && columns[at].own.eq_ignore_ascii_case(sex);
        let at = (1..columns.len()).find(|at| is(at - 1, SEXES[0]) && is(*at, SEXES[1]))?;
        found.iter().flatten().any(|found| found.role == Role::Nik).then_some((at - 1, at))
    };
    if let Some((men, women)) = sex(1).zip(sex(2)).or_else(bare)
        && !is_whole(Role::JenisKelamin, &[men, women])
    {
        let parts = [men, women];
        made.push((parts.to_vec(), derive::marked("jenis_kelamin", &names(&parts), &parts, &SEXES)));
    }
    made
}
