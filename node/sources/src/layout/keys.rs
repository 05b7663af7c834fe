//! What mappings call the columns of a table: by the heading, the second of the same by its number, by the place where no
//! heading stands. And where the heading is that a mapping speaks of.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, HashSet},
};

use super::{
    column::Found,
    find::{self, Heading, LOOKED_AT, holds_data},
    heading::{Names, Role},
};
use crate::{clean::words::folded, read::MAX_COLUMNS};

/// What a mapping says is not weighed against other words.
const PLAINEST: (usize, usize) = (0, 0);
/// How a column without a heading is called, its place from 1 behind it.
const BY_PLACE: &str = "kolom";
/// What a key has behind it if another column is called so.
const ONCE_MORE: &str = " lagi";

/// The key of every column, in the form of [`folded`]: `nama`, the second `nama 2`, the third without a heading `kolom 3`.
/// What stands in a heading comes first, and no key is there twice.
pub fn keys(names: &[String]) -> Vec<String> {
    let folded: Vec<String> = names.iter().map(|name| folded(name)).collect();
    let mut taken: HashSet<String> = folded.iter().cloned().collect();
    let mut met: HashMap<&str, usize> = HashMap::new();
    let mut keys = Vec::with_capacity(folded.len());
    for (at, name) in folded.iter().enumerate() {
        let times = met.entry(name).or_insert(0);
        *times += 1;
        let mut key = match (name.is_empty(), *times) {
            (true, _) => format!("{BY_PLACE} {}", at + 1),
            (false, 1) => {
                keys.push(name.clone());
                continue;
            }
            (false, times) => format!("{name} {times}"),
        };
        while !taken.insert(key.clone()) {
            key.push_str(ONCE_MORE);
        }
        keys.push(key);
    }
    keys
}

/// The place from 0 that a key names, if it is one without a heading.
pub fn by_place(key: &str) -> Option<usize> {
    let (word, place) = key.split_once(' ')?;
    let place: usize = place.parse().ok().filter(|place| (1..=MAX_COLUMNS).contains(place))?;
    (word == BY_PLACE).then(|| place - 1)
}

/// The heading that a mapping speaks of: the lines in which most of its columns stand, more than half of them. A mapping
/// that names columns by their place alone is for a table without any.
pub(super) fn spoken_of(rows: &[Vec<String>], known: &Names) -> Option<Heading> {
    let all = known.mapped()?;
    let mut best = None;
    for first in 0..rows.len().min(LOOKED_AT) {
        for lines in (1..=2).filter_map(|lines| rows.get(first..first + lines)) {
            if lines.iter().any(|line| holds_data(line)) {
                continue;
            }
            let found = find::of(first, lines, known);
            let written = rows[first].iter().any(|cell| !folded(cell).is_empty());
            let own: HashSet<String> = keys(&found.names[..found.own()]).into_iter().collect();
            let met = all.keys().filter(|key| own.contains(*key)).count();
            let rank = (met, found.worth(), Reverse(lines.len()));
            let fits = written && met * 2 > all.len() && found.worth() > 0;
            if fits && best.as_ref().is_none_or(|(before, _)| rank > *before) {
                best = Some((rank, found));
            }
        }
    }
    if best.is_none() && all.keys().all(|key| by_place(key).is_some()) {
        let first = rows.iter().take(LOOKED_AT).position(|row| holds_data(row))?;
        return Some(find::of(first, &[], known)).filter(|heading| heading.worth() > 0);
    }
    best.map(|(_, found)| found)
}

/// Gives every column what a mapping says of it by its key, and a column without a heading its key as name. A column that
/// is merely called as if it had a role that the mapping gives to another one is left aside.
pub(super) fn give(known: &Names, names: &mut Vec<String>, found: &mut Vec<Option<Found>>) {
    let Some(all) = known.mapped() else { return };
    let widest = all.keys().filter_map(|key| by_place(key)).max().map_or(0, |last| last + 1);
    names.resize(names.len().max(widest), String::new());
    found.resize(names.len(), None);
    let keys = keys(names);
    let taken: BTreeSet<Role> =
        keys.iter().filter_map(|key| all.get(key)).copied().filter(|role| *role != Role::Lain).collect();
    for (at, key) in keys.into_iter().enumerate() {
        match all.get(&key) {
            Some(role) => {
                found[at] = Some(Found { role: *role, rank: PLAINEST });
                if names[at].trim().is_empty() {
                    names[at] = key;
                }
            }
            None if found[at].is_some_and(|found| taken.contains(&found.role)) => {
                found[at] = Some(Found { role: Role::Lain, rank: PLAINEST });
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_column_has_one_key() {
        let names = ["Nama", "NIK", "", "nama", "Nama (2)", "", "Kolom 6", "NAMA"].map(str::to_owned);
        let expected =
            ["nama", "nik", "kolom 3", "nama 2 lagi", "nama 2", "kolom 6 lagi", "kolom 6", "nama 3"];
        assert_eq!(keys(&names), expected);
        assert_eq!(by_place("kolom 3"), Some(2));
        for no in ["kolom", "kolom 0", "kolom 99999", "kolom3", "nama 2"] {
            assert_eq!(by_place(no), None, "{no}");
        }
    }

    #[test]
    fn a_mapping_finds_its_heading_and_its_columns() {
        let rows = |text: &str| -> Vec<Vec<String>> {
            text.lines().map(|line| line.split(';').map(str::to_owned).collect()).collect()
        };
        let names = |columns: &[(&str, Role)]| {
            let columns = columns.iter().map(|(key, role)| ((*key).to_owned(), *role));
            Names::new(columns, Vec::new()).of_mapping()
        };
        let twice = rows("DAFTAR\nNama;NIK;Nama;NIK\nA;5271010101809001;B;5271010505109003");
        let second = names(&[("nama 2", Role::Nama), ("nik 2", Role::Nik)]);
        let found = find::find(&twice, &second).expect("a heading");
        assert_eq!((found.first, found.column(Role::Nama), found.column(Role::Nik)), (1, Some(2), Some(3)));
        // Two columns that nobody knows, and one whose heading is empty.
        let few = rows("Orang;Rumah;\nBUDI;MAWAR;5271010505109003");
        let own = names(&[("orang", Role::Nama), ("kolom 3", Role::Nik)]);
        let found = find::find(&few, &own).expect("a heading");
        assert_eq!((found.rows, found.column(Role::Nik), &*found.names[2]), (1, Some(2), "kolom 3"));
        assert_eq!(find::find(&few, &Names::default()), None);
        // No heading at all.
        let bare = rows("1;BUDI;5271010505109003\n2;SITI;5271014203829002");
        let own = names(&[("kolom 2", Role::Nama), ("kolom 3", Role::Nik)]);
        let found = find::find(&bare, &own).expect("a table");
        assert_eq!((found.first, found.rows, found.column(Role::Nik)), (0, 0, Some(2)));
    }
}
