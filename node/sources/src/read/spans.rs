//! The merges of an ODS, which the library does not tell, and the cells that it would repeat.

use std::collections::HashMap;

use calamine::Dimensions;
use quick_xml::{escape::unescape, events::BytesStart};

use super::xml::{Tag, number};

/// What the tags of an ODS tell of its sheets, met from the first to the last.
#[derive(Default)]
pub(super) struct Spans {
    merges: HashMap<String, Vec<Dimensions>>,
    sheet: String,
    /// The place of the next cell, from 0.
    row: u64,
    column: u64,
    /// How often the row stands there, and the cells with a value in it.
    rows: u64,
    cells: u64,
    repeated: u64,
}

impl Spans {
    /// Cells with a value that rows and columns repeat, and blanks inside of them; blank cells cost nothing.
    pub(super) fn repeated(&self) -> u64 {
        self.repeated
    }

    /// The merges of a sheet.
    pub(super) fn of(&mut self, sheet: &str) -> Vec<Dimensions> {
        self.merges.remove(sheet).unwrap_or_default()
    }

    pub(super) fn tag(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Start(start) => match start.name().as_ref() {
                "table:table" => {
                    self.row = 0;
                    self.sheet = name(start);
                }
                "table:table-row" => {
                    self.rows = number(start, "table:number-rows-repeated").unwrap_or(1);
                    (self.column, self.cells) = (0, 0);
                }
                "table:table-cell" => self.cell(start, true),
                "table:covered-table-cell" => self.cell(start, false),
                // Blanks in a row are written as their number.
                "text:s" => {
                    let blanks = number(start, "text:c").unwrap_or(1);
                    self.repeated = self.repeated.saturating_add(if blanks > 1 { blanks } else { 0 });
                }
                _ => {}
            },
            Tag::End("table:table-row") => {
                self.row = self.row.saturating_add(self.rows);
                if self.rows > 1 {
                    self.repeated = self.repeated.saturating_add(self.rows.saturating_mul(self.cells));
                }
            }
            Tag::End(_) => {}
        }
    }

    fn cell(&mut self, start: &BytesStart<'_>, own: bool) {
        let columns = number(start, "table:number-columns-repeated").unwrap_or(1);
        if start.try_get_attribute("office:value-type").is_ok_and(|kind| kind.is_some()) {
            self.cells = self.cells.saturating_add(columns);
            self.repeated = self.repeated.saturating_add(if columns > 1 { columns } else { 0 });
        }
        let spans = |name| number(start, name).unwrap_or(1).max(1) - 1;
        let (down, right) = (spans("table:number-rows-spanned"), spans("table:number-columns-spanned"));
        if own && down > 0 {
            let place = |row: u64, column: u64| Some((u32::try_from(row).ok()?, u32::try_from(column).ok()?));
            let end = place(self.row.saturating_add(down), self.column.saturating_add(right));
            if let Some((start, end)) = place(self.row, self.column).zip(end) {
                self.merges.entry(self.sheet.clone()).or_default().push(Dimensions { start, end });
            }
        }
        self.column = self.column.saturating_add(columns);
    }
}

fn name(start: &BytesStart<'_>) -> String {
    let name = start.try_get_attribute("table:name").ok().flatten();
    name.and_then(|name| unescape(&name.value).ok().map(std::borrow::Cow::into_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::read::xml;

    fn spans(rows: &str) -> Spans {
        let mut spans = Spans::default();
        let text = format!("<table:table table:name=\"A &amp; B\">{rows}</table:table>");
        assert!(xml::read(text.as_bytes(), 1_000_000, |tag| spans.tag(&tag)).is_ok());
        spans
    }

    #[test]
    fn repeats_are_counted_only_where_they_hold_something() {
        let row = |rows: u64, cells: &str| {
            format!("<table:table-row table:number-rows-repeated=\"{rows}\">{cells}</table:table-row>")
        };
        let full = "<table:table-cell office:value-type=\"string\" table:number-columns-repeated=\"1000\"/>";
        let blank = "<table:table-cell table:number-columns-repeated=\"16384\"/>";
        assert_eq!(spans(&row(1_048_576, blank)).repeated(), 0);
        assert_eq!(spans(&row(1_000, full)).repeated(), 1_001_000);
        assert_eq!(spans("<text:s text:c=\"2000000000\"/>").repeated(), 2_000_000_000);
    }

    #[test]
    fn merges_stand_behind_repeated_rows_and_columns() {
        let mut spans = spans(
            "<table:table-row table:number-rows-repeated=\"2\"><table:table-cell/></table:table-row>\
             <table:table-row><table:covered-table-cell table:number-columns-repeated=\"3\"/>\
             <table:table-cell table:number-rows-spanned=\"4\" table:number-columns-spanned=\"2\"><text:p>x</text:p>\
             </table:table-cell></table:table-row>",
        );
        let found = spans.of("A & B");
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].start, found[0].end), ((2, 3), (5, 4)));
        assert!(spans.of("A & B").is_empty() && spans.of("C").is_empty());
    }
}
