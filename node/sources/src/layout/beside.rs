//! Whose a bare heading is where it stands more than once: his whose name stands before it.

use super::{
    column::{Column, Found},
    heading::Role,
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
    let with = |found: &[Option<Found>], role: Role| -> Vec<usize> {
        (0..found.len()).filter(|at| found[*at].is_some_and(|found| found.role == role)).collect()
    };
    let own = NAMES.into_iter().find(|role| !with(found, *role).is_empty());
    // Of every column, whether it is the name of the person, or of another; none if it is no name.
    let names: Vec<Option<bool>> = columns
        .iter()
        .zip(found.iter())
        .map(|(column, found)| match found.map(|found| found.role) {
            Some(role) if NAMES.contains(&role) => Some(Some(role) == own),
            _ => is_anothers(&column.name).then_some(false),
        })
        .collect();
    for role in BARE {
        let all = with(found, role);
        let is_own = |at: &usize| {
            let before = names[..*at].iter().rev().flatten().next();
            *before.or_else(|| names[*at..].iter().flatten().next()).unwrap_or(&true)
        };
        let (mine, theirs): (Vec<usize>, Vec<usize>) = all.iter().partition(|at| is_own(at));
        if all.len() < 2 {
            continue;
        }
        for at in theirs {
            let Some(column) = &mut found[at] else { continue };
            if mine.is_empty() {
                column.role = Role::Lain;
            } else {
                column.rank.0 = usize::MAX;
            }
        }
    }
}

/// Whether a heading is the name of somebody else: "Nama Ayah", "Ibu Kandung".
fn is_anothers(heading: &str) -> bool {
    let folded = folded(heading);
    let named = folded.split(' ').any(|word| matches!(word, "nama" | "nm"));
    spelling::is_of_another(heading) && (named || spelling::people().contains(&folded))
}
