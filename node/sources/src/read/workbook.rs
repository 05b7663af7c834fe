//! Workbooks of Excel: XLSX cell by cell, XLS whole and therefore only up to a size.

use std::{fs::File, io::BufReader, ops::ControlFlow, path::Path, sync::Arc};

use calamine::{Data, DataRef, ExcelDateTime, Reader as _, Xls, XlsError, Xlsx, open_workbook};
use jiff::civil::Date;

use super::{MAX_COLUMNS, ReadError, Sink, guard, guard::damaged, merged::Merged, parts};
use crate::{
    cell::{Cell, Row},
    clean::date::{without_time, year_of},
};

/// Bytes of an XLS: whole in memory it takes about six times as much.
const MAX_XLS_BYTES: u64 = 24 * guard::MEGABYTE;

/// Reads the sheets of an XLSX, one cell after the other.
pub(super) fn xlsx(path: &Path, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    parts::check(path)?;
    let mut book: Xlsx<BufReader<File>> = open_workbook(path).map_err(|cause| damaged(path, &cause))?;
    let since_1904 = book.has_1904_epoch();
    for name in book.sheet_names() {
        let regions = book.merge_cells_by_sheet_name(&name).unwrap_or_default();
        let mut merged = Merged::new(regions);
        let mut cells = match book.worksheet_cells_reader(&name) {
            Ok(cells) => cells,
            // A sheet that is a chart.
            Err(calamine::XlsxError::NotAWorksheet(_)) => continue,
            Err(cause) => return Err(damaged(path, &cause)),
        };
        let sheet: Arc<str> = name.as_str().into();
        let first = || Row { sheet: Some(Arc::clone(&sheet)), since_1904, ..Row::default() };
        let mut row = Row { number: 1, ..first() };
        loop {
            let next = cells.next_cell_with_formula_metadata().map_err(|cause| damaged(path, &cause))?;
            let at = next.as_ref().map(|cell| u64::from(cell.pos.0) + 1);
            if at != Some(row.number) {
                merged.fill(u32::try_from(row.number - 1).unwrap_or(u32::MAX), &mut row.cells);
                let done = std::mem::replace(&mut row, Row { number: at.unwrap_or_default(), ..first() });
                if !done.is_blank() && sink(done).is_break() {
                    return Ok(());
                }
            }
            let Some(cell) = next else { break };
            let column = usize::try_from(cell.pos.1).expect("32 bits fit");
            let value = match of_ref(&cell.value) {
                Cell::Empty if cell.formula.is_some() => Cell::Fault,
                value => value,
            };
            put(path, &mut row, column, value)?;
        }
    }
    Ok(())
}

pub(super) fn put(path: &Path, row: &mut Row, column: usize, cell: Cell) -> Result<(), ReadError> {
    if cell.is_empty() {
        return Ok(());
    }
    if column >= MAX_COLUMNS {
        return Err(ReadError::TooWide {
            path: path.to_owned(),
            sheet: row.sheet.as_ref().map(ToString::to_string),
            row: row.number,
            limit: MAX_COLUMNS,
        });
    }
    if row.cells.len() <= column {
        row.cells.resize(column + 1, Cell::Empty);
    }
    row.cells[column] = cell;
    Ok(())
}

/// Reads the sheets of an XLS.
pub(super) fn xls(path: &Path, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    guard::unlocked(path)?;
    guard::xls(path, MAX_XLS_BYTES)?;
    let mut book: Xls<BufReader<File>> = open_workbook(path).map_err(|cause| match cause {
        XlsError::Password => ReadError::Locked { path: path.to_owned() },
        cause => damaged(path, &cause),
    })?;
    let since_1904 = book.has_1904_epoch();
    for name in book.sheet_names() {
        let merged = Merged::new(book.merge_cells_by_sheet_name(&name).unwrap_or_default());
        let range = book.worksheet_range(&name).map_err(|cause| damaged(path, &cause))?;
        let formulas = book.worksheet_formula(&name).map_err(|cause| damaged(path, &cause))?;
        if whole(path, (&name, since_1904), (&range, &formulas), merged, sink)?.is_break() {
            break;
        }
    }
    Ok(())
}

fn whole(
    path: &Path,
    (name, since_1904): (&str, bool),
    (range, formulas): (&calamine::Range<Data>, &calamine::Range<String>),
    mut merged: Merged,
    sink: &mut Sink<'_>,
) -> Result<ControlFlow<()>, ReadError> {
    let sheet: Arc<str> = name.into();
    let Some((first, left)) = range.start() else { return Ok(ControlFlow::Continue(())) };
    for (at, values) in (first..).zip(range.rows()) {
        let mut row =
            Row { sheet: Some(Arc::clone(&sheet)), number: u64::from(at) + 1, since_1904, ..Row::default() };
        for (column, value) in (usize::try_from(left).expect("32 bits fit")..).zip(values) {
            let value = match of_data(value) {
                Cell::Empty if has_formula(formulas, at, column) => Cell::Fault,
                value => value,
            };
            put(path, &mut row, column, value)?;
        }
        merged.fill(at, &mut row.cells);
        if !row.is_blank() && sink(row).is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

fn has_formula(formulas: &calamine::Range<String>, row: u32, column: usize) -> bool {
    let place = u32::try_from(column).ok().map(|column| (row, column));
    place.and_then(|place| formulas.get_value(place)).is_some_and(|formula| !formula.is_empty())
}

fn of_ref(value: &DataRef<'_>) -> Cell {
    match value {
        DataRef::Empty => Cell::Empty,
        DataRef::String(value) | DataRef::DurationIso(value) => Cell::of_text(value),
        DataRef::SharedString(value) => Cell::of_text(value),
        DataRef::Float(value) => Cell::Number(*value),
        DataRef::Int(value) => Cell::Whole(*value),
        DataRef::Bool(value) => flag(*value),
        DataRef::DateTime(value) => moment(value),
        DataRef::DateTimeIso(value) => iso(value),
        DataRef::Error(_) => Cell::Fault,
    }
}

fn of_data(value: &Data) -> Cell {
    match value {
        Data::Empty => Cell::Empty,
        Data::String(value) | Data::DurationIso(value) => Cell::of_text(value),
        Data::Float(value) => Cell::Number(*value),
        #[expect(
            clippy::cast_precision_loss,
            reason = "a number of a spreadsheet is a float, whatever it looks like"
        )]
        Data::Int(value) => Cell::Number(*value as f64),
        Data::Bool(value) => flag(*value),
        Data::DateTime(value) => moment(value),
        Data::DateTimeIso(value) => iso(value),
        Data::Error(_) => Cell::Fault,
    }
}

pub(super) fn flag(value: bool) -> Cell {
    Cell::Text(if value { "TRUE" } else { "FALSE" }.to_owned())
}

/// A day of the spreadsheet's calendar; what is none, or a year in a cell that is shown as a day, stays the number that it
/// is.
fn moment(value: &ExcelDateTime) -> Cell {
    let (year, month, day, ..) = value.to_ymd_hms_milli();
    let date = i16::try_from(year).ok().zip(i8::try_from(month).ok()).zip(i8::try_from(day).ok());
    let date = date.and_then(|((year, month), day)| Date::new(year, month, day).ok());
    match date {
        Some(date) if value.is_datetime() && value.as_f64() >= 1.0 && year_of(value.as_f64()).is_none() => {
            Cell::Day(date)
        }
        _ => Cell::Number(value.as_f64()),
    }
}

pub(super) fn iso(value: &str) -> Cell {
    without_time(value).parse().map_or_else(|_| Cell::of_text(value), Cell::Day)
}
