//! Whose a bare heading is where it stands more than once: his whose name stands before it.

use std::collections::BTreeSet;

use super::{
    column::{Column, Found},
    heading::{Names, Role},
    spelling,
};
use crate::clean::words::folded;

/// What stands beside a name without saying whose it is.
const BARE: [Role; 5] =
    [Role::Nik, Role::TempatLahir, Role::TanggalLahir, Role::TempatTanggalLahir, Role::JenisKelamin];
/// Whose name is the person's, the likeliest first.
const NAMES: [Role; 4] = [Role::Nama, Role::NamaPenerima, Role::NamaPengurus, Role::NamaKepala];

/// Leaves aside what stands beside the name of another, of columns with the same role: the person's own counts in its
/// place, and where there is none beside the person's name, none.
pub(super) fn give(columns: &[Column], found: &mut [Option<Found>]) {
    for (at, is_alone) in theirs(columns, found) {
        let Some(column) = &mut found[at] else { continue };
        if is_alone {
            column.role = Role::Lain;
        } else {
            column.rank.0 = usize::MAX;
        }
    }
}

/// The columns under these headings that are left aside.
pub(crate) fn anothers(headings: &[String], known: &Names) -> BTreeSet<usize> {
    let columns: Vec<Column> = headings.iter().cloned().map(Column::of).collect();
    let found: Vec<Option<Found>> = columns.iter().map(|column| column.read(known)).collect();
    theirs(&columns, &found).into_iter().map(|(at, _)| at).collect()
}

/// What stands beside the name of another, and whether nothing like it stands beside the person's.
fn theirs(columns: &[Column], found: &[Option<Found>]) -> Vec<(usize, bool)> {
    let with = |role: Role| -> Vec<usize> {
        (0..found.len()).filter(|at| found[*at].is_some_and(|found| found.role == role)).collect()
    };
    let own = NAMES.into_iter().find(|role| !with(*role).is_empty());
    // Of every column, whether it is the name of the person, or of another; none if it is no name.
    let names: Vec<Option<bool>> = columns
        .iter()
        .zip(found.iter())
        .map(|(column, found)| match found.map(|found| found.role) {
            Some(role) if NAMES.contains(&role) => Some(Some(role) == own),
            _ => is_anothers(&column.name).then_some(false),
        })
        .collect();
    let is_own = |at: &usize| {
        let before = names[..*at].iter().rev().flatten().next();
        *before.or_else(|| names[*at..].iter().flatten().next()).unwrap_or(&true)
    };
    let of_role = |role: Role| {
        let all = with(role);
        let repeated = all.len() > 1;
        let (mine, theirs): (Vec<usize>, Vec<usize>) = all.iter().partition(|at| is_own(at));
        theirs.into_iter().filter(move |_| repeated).map(move |at| (at, mine.is_empty()))
    };
    BARE.into_iter().flat_map(of_role).collect()
}

/// Whether a heading is the name of somebody else: "Nama Ayah", "Ibu Kandung".
fn is_anothers(heading: &str) -> bool {
    let folded = folded(heading);
    let named = folded.split(' ').any(|word| matches!(word, "nama" | "nm"));
    spelling::is_of_another(heading) && (named || spelling::people().contains(&folded))
}
