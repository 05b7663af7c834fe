//! Which column of a sheet is which, by the headings as they went out: their order is free, others may stand among them.

use std::collections::HashMap;

use dtsen_sources::cell::{Cell, Row};

use super::{
    answers::AnswerError,
    key::{LINE, OWN, named},
};

/// Most missing columns that are named.
const MOST_NAMED: usize = 5;

/// The columns of a sheet.
pub(super) struct Columns {
    key: usize,
    line: usize,
    /// The source's columns in its own order, with their places in the sheet.
    own: Vec<(String, usize)>,
    /// Headings of the columns that are none of ours, by place; those behind the last heading have none.
    added: HashMap<usize, String>,
    /// Columns that have a heading, or could have one.
    width: usize,
}

impl Columns {
    /// Out of a heading; `None` if the row is none of ours.
    pub(super) fn of(sheet: &str, row: &Row) -> Result<Option<Self>, AnswerError> {
        let Some((key, names)) =
            row.cells.iter().enumerate().find_map(|(at, cell)| Some((at, named(&cell.text())?)))
        else {
            return Ok(None);
        };
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, cell) in row.cells.iter().enumerate().filter(|(at, _)| *at != key) {
            places.entry(cell.text().into_owned()).or_default().push(at);
        }
        let (mut own, mut missing) = (Vec::new(), Vec::new());
        for name in std::iter::once(LINE.to_owned()).chain(names) {
            match places.remove(&name).as_deref() {
                Some([at]) => own.push((name, *at)),
                Some(_) => return Err(AnswerError::TwoColumns { sheet: sheet.to_owned(), column: name }),
                None => missing.push(name),
            }
        }
        if !missing.is_empty() {
            missing.truncate(MOST_NAMED);
            return Err(AnswerError::Missing { sheet: sheet.to_owned(), columns: missing });
        }
        let (_, line) = own.remove(0);
        let added = places.into_iter().filter(|(name, _)| !OWN.contains(&name.as_str()));
        let added = added.flat_map(|(name, all)| all.into_iter().map(move |at| (at, name.clone()))).collect();
        Ok(Some(Self { key, line, own, added, width: row.cells.len() }))
    }

    /// The cell that says which row it is.
    pub(super) fn key<'a>(&self, row: &'a Row) -> &'a Cell {
        row.cell(self.key)
    }

    /// The cell that says where the row stands in its source.
    pub(super) fn line<'a>(&self, row: &'a Row) -> &'a Cell {
        row.cell(self.line)
    }

    /// The source's columns in its own order, and where each stands.
    pub(super) fn own(&self) -> impl Iterator<Item = (&str, usize)> {
        self.own.iter().map(|(name, at)| (name.as_str(), *at))
    }

    /// The added columns in which a row has something.
    pub(super) fn added(&self, row: &Row) -> impl Iterator<Item = String> {
        let filled = row.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty());
        filled.filter_map(|(at, _)| match self.added.get(&at) {
            Some(name) if !name.is_empty() => Some(name.clone()),
            Some(_) => Some(letters(at)),
            None => (at >= self.width).then(|| letters(at)),
        })
    }
}

/// What a spreadsheet calls a column: A, B … Z, AA.
pub(super) fn letters(at: usize) -> String {
    /// Letters of the alphabet.
    const ALL: usize = 26;
    let last = char::from(b'A' + u8::try_from(at % ALL).expect("below 26"));
    let before = if at < ALL { String::new() } else { letters(at / ALL - 1) };
    format!("{before}{last}")
}

#[cfg(test)]
mod tests {
    use super::{super::key::heading, *};

    fn row(cells: &[&str]) -> Row {
        let cells = cells.iter().map(|text| Cell::Text((*text).to_owned())).collect();
        Row { cells, ..Row::default() }
    }

    fn names() -> String {
        heading(&["NIK".to_owned(), "RT".to_owned(), "RW".to_owned()])
    }

    #[test]
    fn columns_are_found_by_name_in_any_order() {
        let names = names();
        let heading = row(&["", &names, LINE, "RW", "CATATAN", "NIK", "RT", ""]);
        let columns = Columns::of("1", &heading).expect("fits").expect("ours");
        assert_eq!(columns.own().collect::<Vec<_>>(), [("NIK", 5), ("RT", 6), ("RW", 3)]);
        let filled = row(&["", "{}", "2", "001", "dicek", "5271", "002", "x", "y"]);
        assert_eq!(columns.added(&filled).collect::<Vec<_>>(), ["CATATAN", "H", "I"]);
        assert!(Columns::of("1", &row(&["NIK", "RT", "RW"])).expect("no error").is_none());
    }

    #[test]
    fn a_missing_or_doubled_column_is_named() {
        let names = names();
        let error = Columns::of("1 warga", &row(&[&names, LINE, "NIK", "RT", "R W"])).err().expect("missing");
        let text = error.to_string();
        assert!(text.contains("1 warga") && text.contains("\"RW\"") && !text.contains("\"RT\""), "{text}");
        let error =
            Columns::of("1 warga", &row(&[&names, LINE, "NIK", "RT", "RW", "RT"])).err().expect("two");
        assert!(error.to_string().contains("\"RT\" ada dua kali"), "{error}");
    }

    #[test]
    fn letters_are_those_of_a_spreadsheet() {
        assert_eq!([0, 25, 26, 51, 52, 511].map(letters), ["A", "Z", "AA", "AZ", "BA", "SR"]);
    }
}
