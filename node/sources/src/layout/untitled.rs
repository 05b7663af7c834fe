//! Sheets without a heading of their own: one that goes on with the table of the sheet before, and one that nobody can read.

use std::sync::{Arc, LazyLock};

use dtsen_proto::nik;

use super::{
    find::Heading,
    heading::Role,
    sheet::{digits, is_number},
};
use crate::{
    cell::{Cell, Row},
    clean::words,
};

/// Cells that must be what the heading of the sheet before says, in a row that goes on with it.
const FITTING_AT_LEAST: usize = 3;

/// The heading of rows that have none.
static NONE: LazyLock<Arc<Heading>> = LazyLock::new(Arc::default);

/// The heading of rows that have none.
pub(super) fn none() -> Arc<Heading> {
    Arc::clone(&NONE)
}

/// Whether rows go on with the table of a heading: none is wider, and most that have a number fit it.
pub(super) fn continues(heading: &Heading, rows: &[Row]) -> bool {
    let width = rows.iter().map(|row| row.cells.len()).max().unwrap_or(0);
    let numbered = rows.iter().filter(|row| is_numbered(row)).count();
    let fitting = rows.iter().filter(|row| is_numbered(row) && fits(heading, row)).count();
    width <= heading.own() && fitting > 0 && fitting * 2 > numbered
}

/// Whether a row has a whole NIK or No. KK somewhere.
pub(super) fn is_numbered(row: &Row) -> bool {
    row.cells.iter().any(|cell| is_number(cell) && digits(cell) == nik::DIGITS)
}

/// Whether all of a row's cells that show what they are stand where the heading has such, at least some.
fn fits(heading: &Heading, row: &Row) -> bool {
    let told = [Role::Nik, Role::NoKk, Role::Nama, Role::NamaKepala, Role::JenisKelamin, Role::TanggalLahir];
    let cells = told.into_iter().filter_map(|role| Some((role, row.cell(heading.column(role)?))));
    let cells: Vec<(Role, &Cell)> = cells.filter(|(_, cell)| !cell.is_empty()).collect();
    cells.len() >= FITTING_AT_LEAST && cells.iter().all(|(role, cell)| is_of(*role, cell))
}

/// Whether a cell may stand in the column of a role.
fn is_of(role: Role, cell: &Cell) -> bool {
    match role {
        Role::Nik | Role::NoKk => is_number(cell),
        Role::Nama | Role::NamaKepala => digits(cell) == 0,
        Role::JenisKelamin => words::sex(&cell.text()).is_some(),
        _ => matches!(cell, Cell::Day(_)) || (digits(cell) > 0 && !is_number(cell)),
    }
}
