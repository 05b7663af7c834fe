//! OpenDocument sheets, cell by cell: what a file writes once and repeats a billion times is never there as often.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use calamine::Dimensions;
use quick_xml::{escape::unescape, events::BytesStart};

use super::{
    ReadError, Sink, guard,
    guard::damaged,
    merged::Merged,
    workbook::{flag, iso, put},
    xml::{Piece, number},
};
use crate::cell::{Cell, MAX_CELL_BYTES, Row};

/// Rows of the longest sheet that any office program writes.
const MAX_ROWS: u64 = 1_048_576;

/// Reads the sheets of an ODS.
pub(super) fn read(path: &Path, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let mut sheets = Sheets {
        path,
        sink,
        depth: 0,
        row: Row::default(),
        repeats: 1,
        column: 0,
        merged: Merged::default(),
        cell: None,
    };
    let mut ended = None;
    guard::ods(path, |piece| match sheets.take(piece) {
        Ok(ControlFlow::Continue(())) => ControlFlow::Continue(()),
        Ok(ControlFlow::Break(())) => stop(&mut ended, Ok(())),
        Err(error) => stop(&mut ended, Err(error)),
    })?;
    match ended {
        Some(ended) => ended,
        None if sheets.depth > 0 => Err(damaged(path, &"isinya terpotong")),
        None => Ok(()),
    }
}

fn stop<T>(ended: &mut Option<T>, with: T) -> ControlFlow<()> {
    *ended = Some(with);
    ControlFlow::Break(())
}

/// The place in a file that is reached.
struct Sheets<'a, 'b> {
    path: &'a Path,
    sink: &'a mut Sink<'b>,
    /// Tables within tables; rows are those of the outermost.
    depth: usize,
    /// The row that comes next: its sheet, number and cells so far.
    row: Row,
    /// How often it stands there.
    repeats: u64,
    /// Of the cell that comes next, from 0.
    column: u64,
    merged: Merged,
    cell: Option<Open>,
}

/// A cell until its end.
struct Open {
    repeats: u64,
    value: Cell,
    /// What stands in it, if that is its value.
    text: Option<String>,
    /// A formula without a result is a fault.
    formula: bool,
    paragraphs: usize,
    /// Comments beside the cell, within each other.
    comments: usize,
}

impl Sheets<'_, '_> {
    fn take(&mut self, piece: Piece<'_>) -> Result<ControlFlow<()>, ReadError> {
        match piece {
            Piece::Start(start) => match start.name().as_ref() {
                "table:table" => self.begin_table(start),
                _ if self.depth != 1 => {}
                "table:table-row" => {
                    self.end_cell()?;
                    self.repeats = number(start, "table:number-rows-repeated").unwrap_or(1);
                    self.row.cells.clear();
                    self.column = 0;
                }
                "table:table-cell" | "table:covered-table-cell" => {
                    self.end_cell()?;
                    self.merge(start);
                    self.cell = Some(Open::of(start));
                }
                name => self.cell.iter_mut().for_each(|cell| cell.begin(name, start)),
            },
            Piece::End("table:table") => {
                self.end_cell()?;
                self.depth = self.depth.saturating_sub(1);
            }
            Piece::End(_) if self.depth != 1 => {}
            Piece::End("table:table-cell" | "table:covered-table-cell") => self.end_cell()?,
            Piece::End("table:table-row") => {
                self.end_cell()?;
                return self.end_row();
            }
            Piece::End("office:annotation") => {
                self.cell.iter_mut().for_each(|cell| cell.comments = cell.comments.saturating_sub(1));
            }
            Piece::Text(text) if self.depth == 1 => self.cell.iter_mut().for_each(|cell| cell.add(text)),
            Piece::End(_) | Piece::Text(_) => {}
        }
        Ok(ControlFlow::Continue(()))
    }

    fn begin_table(&mut self, start: &BytesStart<'_>) {
        self.depth += 1;
        if self.depth == 1 {
            let sheet: Arc<str> = attribute(start, "table:name").unwrap_or_default().into();
            self.row = Row { sheet: Some(sheet), number: 1, ..Row::default() };
            self.merged = Merged::default();
        }
    }

    /// Keeps that the cell which begins here reaches into the rows below.
    fn merge(&mut self, start: &BytesStart<'_>) {
        let spans = |name| number(start, name).unwrap_or(1).max(1) - 1;
        let (down, right) = (spans("table:number-rows-spanned"), spans("table:number-columns-spanned"));
        let place = |row: u64, column: u64| Some((u32::try_from(row).ok()?, u32::try_from(column).ok()?));
        let (row, column) = (self.row.number.saturating_sub(1), self.column);
        let end = place(row.saturating_add(down), column.saturating_add(right));
        if let Some((start, end)) = place(row, column).zip(end) {
            self.merged.add(Dimensions { start, end });
        }
    }

    fn end_cell(&mut self) -> Result<(), ReadError> {
        let Some(open) = self.cell.take() else { return Ok(()) };
        let (repeats, cell) = (open.repeats, open.ended());
        let end = self.column.saturating_add(repeats);
        if !cell.is_empty() {
            // The first that stands too far right ends it.
            for column in self.column..end {
                put(self.path, &mut self.row, usize::try_from(column).unwrap_or(usize::MAX), cell.clone())?;
            }
        }
        self.column = end;
        Ok(())
    }

    fn end_row(&mut self) -> Result<ControlFlow<()>, ReadError> {
        let end = self.row.number.saturating_add(self.repeats);
        while self.row.number < end {
            if self.row.is_blank() && self.merged.is_idle() {
                self.row.number = end;
                break;
            }
            if self.row.number > MAX_ROWS {
                return Err(damaged(self.path, &format!("lebih dari {MAX_ROWS} baris dalam satu lembar")));
            }
            let mut row = self.row.clone();
            self.merged.fill(u32::try_from(row.number - 1).unwrap_or(u32::MAX), &mut row.cells);
            self.row.number += 1;
            if !row.is_blank() && (self.sink)(row).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.row.cells.clear();
        Ok(ControlFlow::Continue(()))
    }
}

impl Open {
    fn of(start: &BytesStart<'_>) -> Self {
        let has = |name, value| attribute(start, name).is_some_and(|found| found == value);
        let value = value(start);
        // An error has an empty text as its value, and its name in the cell.
        let told = has("office:value-type", "string") || has("calcext:value-type", "error");
        Self {
            repeats: number(start, "table:number-columns-repeated").unwrap_or(1),
            text: (value.is_empty() && told).then(String::new),
            value,
            formula: attribute(start, "table:formula").is_some(),
            paragraphs: 0,
            comments: 0,
        }
    }

    /// An element inside of the cell.
    fn begin(&mut self, name: &str, start: &BytesStart<'_>) {
        match name {
            "office:annotation" => self.comments += 1,
            "text:p" => {
                self.paragraphs += 1;
                if self.paragraphs > 1 {
                    self.add("\n");
                }
            }
            "text:tab" => self.add("\t"),
            "text:line-break" => self.add("\n"),
            // Blanks in a row are written as their number.
            "text:s" => {
                let blanks = number(start, "text:c").and_then(|blanks| usize::try_from(blanks).ok());
                self.add(&" ".repeat(blanks.unwrap_or(1).min(MAX_CELL_BYTES + 1)));
            }
            _ => {}
        }
    }

    /// More text; of what is too long for a cell, no more than shows it.
    fn add(&mut self, more: &str) {
        if let Some(text) =
            self.text.as_mut().filter(|text| self.comments == 0 && text.len() <= MAX_CELL_BYTES)
        {
            text.push_str(more);
        }
    }

    fn ended(self) -> Cell {
        match self.text.map_or(self.value, |text| Cell::of_text(&text)) {
            Cell::Empty if self.formula => Cell::Fault,
            cell => cell,
        }
    }
}

/// The value that the attributes of a cell have.
fn value(start: &BytesStart<'_>) -> Cell {
    if let Some(value) = attribute(start, "office:value") {
        return value.trim().parse().map_or(Cell::Fault, Cell::Number);
    }
    if let Some(value) = attribute(start, "office:date-value") {
        return iso(&value);
    }
    if let Some(value) = attribute(start, "office:boolean-value") {
        return flag(value.eq_ignore_ascii_case("true"));
    }
    let text = ["office:time-value", "office:string-value"].iter().find_map(|name| attribute(start, name));
    text.map_or(Cell::Empty, |text| Cell::of_text(&text))
}

fn attribute(start: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = start.try_get_attribute(name).ok().flatten()?;
    unescape(&found.value).ok().map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests;
