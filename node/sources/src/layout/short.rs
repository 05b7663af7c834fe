//! Rows of a text that end early: spreadsheets leave out what is empty at the end, and files are cut off in the middle.

use super::{find::Heading, heading::Role, sheet::digits};
use crate::{
    cell::{Cell, Row},
    clean::{address, words},
    read::text::Broken,
};

/// Digits of a number of persons or families, at least: fewer are damage.
const NUMBER_DIGITS: usize = 10;
/// Digits of a year, which a date that stands last must have: another one may be cut off.
const YEAR_DIGITS: usize = 4;
/// Known columns that a row may lack at its end: where more are missing, the line was cut off.
const MISSING_AT_MOST: usize = 2;
/// Who somebody is: a row that ends before these is broken.
const NEEDED: [Role; 6] =
    [Role::Nik, Role::NoKk, Role::Nama, Role::NamaKepala, Role::TanggalLahir, Role::TempatTanggalLahir];

/// Takes a row for whole that has fewer fields than the heading, if only the last ones are missing: who somebody is
/// stands before, and every known column holds what it is for. A field that is missing further in moves all that follow.
pub(super) fn mend(heading: &Heading, row: &mut Row) {
    let Some(Broken::Fields { expected, found }) = row.broken else { return };
    if found >= expected || row.cells.len() != found {
        return;
    }
    let known = |role: &Option<Role>| role.filter(|role| *role != Role::Lain);
    let roles = || heading.roles.iter().enumerate().filter_map(|(at, role)| Some((at, known(role)?)));
    let missing = roles().filter(|(at, _)| *at >= found).count();
    let complete = roles().filter(|(_, role)| NEEDED.contains(role)).all(|(at, _)| at < found);
    let fits = roles().filter(|(at, _)| *at < found).all(|(at, role)| fits(role, row.cell(at)));
    let last = roles().find(|(at, _)| at + 1 == found).is_none_or(|(at, role)| is_whole(role, row.cell(at)));
    if missing <= MISSING_AT_MOST && complete && fits && last {
        row.broken = None;
    }
}

/// Whether a cell may stand in a column with this role.
fn fits(role: Role, cell: &Cell) -> bool {
    let text = cell.text();
    let digits = digits(cell);
    let letters = text.chars().any(char::is_alphabetic);
    match role {
        Role::Nik | Role::NoKk => !letters && digits >= NUMBER_DIGITS,
        Role::Nama | Role::NamaKepala => letters && digits < YEAR_DIGITS,
        Role::TanggalLahir | Role::TempatTanggalLahir => (YEAR_DIGITS..NUMBER_DIGITS).contains(&digits),
        _ if text.is_empty() => true,
        Role::JenisKelamin => words::sex(&text).is_some(),
        Role::Hubungan => words::relation(&text).is_some() || is_code(&text),
        Role::StatusKawin => words::marriage(&text).is_some() || is_code(&text),
        Role::Rt | Role::Rw => {
            is_code(&text) || address::labelled(&text).is_some_and(|found| found != (None, None))
        }
        Role::RtRw | Role::RwRt => digits > 0,
        Role::Desa | Role::Kecamatan | Role::Kabupaten | Role::Provinsi => letters,
        Role::TempatLahir | Role::Dusun | Role::Pekerjaan | Role::Pendidikan => digits < YEAR_DIGITS,
        _ => digits < NUMBER_DIGITS,
    }
}

/// Whether a cell that stands last cannot be the first part of a longer one.
fn is_whole(role: Role, cell: &Cell) -> bool {
    let text = cell.text();
    match role {
        Role::Nama | Role::NamaKepala => false,
        Role::Nik | Role::NoKk => digits(cell) == dtsen_proto::nik::DIGITS,
        Role::TanggalLahir | Role::TempatTanggalLahir => {
            text.split(|c: char| !c.is_ascii_digit()).any(|part| part.len() == YEAR_DIGITS)
        }
        _ => true,
    }
}

/// A number of one to three digits.
fn is_code(text: &str) -> bool {
    (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{find, heading::Names};

    fn is_broken(line: &str) -> bool {
        let names = "No KK;NIK;Nama;Tgl Lahir;L/P;Hubungan;Alamat;RT;RW;Desa;Keterangan;Catatan";
        let cells = |line: &str| line.split(';').map(str::to_owned).collect::<Vec<_>>();
        let heading = find::of(0, &[cells(names)], &Names::default());
        let cells = cells(line);
        let broken = Some(Broken::Fields { expected: heading.names.len(), found: cells.len() });
        let cell = |text: String| if text.is_empty() { Cell::Empty } else { Cell::Text(text) };
        let mut row = Row { cells: cells.into_iter().map(cell).collect(), broken, ..Row::default() };
        mend(&heading, &mut row);
        row.broken.is_some()
    }

    #[test]
    fn what_is_left_out_at_the_end_is_empty_and_what_is_cut_in_the_middle_broken() {
        let who = "5271010101109001;5271011203859005;SUBARI";
        for (rest, broken) in [
            (";12-03-1985;L;ANAK;JL MAWAR;1;2;SENGGIGI", false),
            (";12-03-1985;L;ANAK;JL MAWAR;1;2", false),
            (";12-03-1985;L;ANAK;JL MAWAR;1", false),
            (";12-03-1985;L;ANAK;JL MAWAR", true),
            (";12-03-1985", true),
            // A field is missing further in.
            (";12-03-1985;ANAK;JL MAWAR;1;2;SENGGIGI", true),
            (";L;ANAK;JL MAWAR;1;2;SENGGIGI", true),
            (";12-03-1985;L;ANAK;JL MAWAR;1;SENGGIGI", true),
        ] {
            assert_eq!(is_broken(&format!("{who}{rest}")), broken, "{rest}");
        }
        assert!(is_broken("5271011203859005;SUBARI;12-03-1985;L;ANAK"));
        // Cut off in the cell that tells who somebody is.
        for (cell, whole) in [("12-03-1985", true), ("12-03-85", false), ("12-03-198", false), ("", false)] {
            let cell = if cell.is_empty() { Cell::Empty } else { Cell::Text(cell.into()) };
            let stays = fits(Role::TanggalLahir, &cell) && is_whole(Role::TanggalLahir, &cell);
            assert_eq!(stays, whole, "{}", cell.text());
        }
        assert!(is_broken("5271010101109001;SUBARI;12-03-1985;L;ANAK;JL MAWAR"));
    }
}
