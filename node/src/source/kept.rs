//! The rows of a database as they were read last. The database marks its rows by ranges of their ids, and only those of
//! ranges that changed are asked for again. Marks are made of what the rows say: columns like `updated_at` do not tell of
//! rows that are gone, of families and addresses joined to a person, or of whoever writes past the application.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use dtsen_sources::{
    cell::Row,
    spool::{Rows, Spooled},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::reading::content_digest;

/// Ids whose rows are marked together: few to be read again for one of them, and some hundred marks for a region.
pub(super) const RANGE: i64 = 1_024;

/// Rows of one query, marked by ranges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Marked {
    /// Table and headings.
    pub(super) columns: Vec<String>,
    /// By the number of the range, a mark that changes if and only if any row in it does.
    pub(super) ranges: BTreeMap<i64, String>,
}

/// Rows that were kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// SHA-256 of the file, hex.
    digest: String,
    rows: u64,
    marked: Vec<Marked>,
}

/// A part of a query's rows.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// As they were, in these ranges.
    Same(i64, i64),
    /// To be asked for.
    Changed(i64, i64),
}

/// Says for all rows what they are, in few bytes.
pub(super) fn fingerprint(marked: &[Marked]) -> Option<String> {
    let text = serde_json::to_vec(marked).expect("texts and numbers");
    (!marked.is_empty()).then(|| hex::encode(Sha256::digest(text)))
}

impl Kept {
    /// Keeps rows in a file that only this account can read.
    pub(super) fn put(path: &Path, rows: &mut Spooled, marked: Vec<Marked>) -> io::Result<Self> {
        let coming = path.with_extension("rows.new");
        let digest = Self::put_beside(&coming, rows).and_then(|digest| {
            fs::rename(&coming, path)?;
            Ok(digest)
        });
        if digest.is_err() {
            let _ = fs::remove_file(&coming);
        }
        Ok(Self { digest: digest?, rows: rows.len(), marked })
    }

    fn put_beside(coming: &Path, rows: &mut Spooled) -> io::Result<String> {
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(coming)?;
        rows.write_to(&mut file)?;
        file.flush()?;
        content_digest(coming).map_err(io::Error::other)
    }

    /// The rows, if the file is there as it was written and the same columns are asked for.
    pub(super) fn open(&self, path: &Path, marked: &[Marked]) -> Option<Spooled> {
        let columns =
            |marked: &[Marked]| marked.iter().map(|table| table.columns.clone()).collect::<Vec<_>>();
        if columns(&self.marked) != columns(marked) || content_digest(path).ok()? != self.digest {
            return None;
        }
        Some(Spooled::new(File::open(path).ok()?, self.rows))
    }

    /// What of a query's rows is as it was.
    pub(super) fn parts(&self, table: usize, now: &Marked) -> Vec<Part> {
        let before = &self.marked[table].ranges;
        let mut parts: Vec<Part> = Vec::new();
        for (range, mark) in &now.ranges {
            let same = before.get(range) == Some(mark);
            match parts.last_mut() {
                Some(Part::Same(_, last)) if same => *last = *range,
                Some(Part::Changed(_, last)) if !same => *last = *range,
                _ if same => parts.push(Part::Same(*range, *range)),
                _ => parts.push(Part::Changed(*range, *range)),
            }
        }
        parts
    }
}

/// Rows that were kept, table after table.
pub(super) struct Before<'a> {
    rows: Rows<'a>,
    next: Option<Row>,
}

impl<'a> Before<'a> {
    pub(super) fn of(rows: &'a mut Spooled) -> io::Result<Self> {
        let mut rows = rows.rows()?;
        let next = rows.next_row()?;
        Ok(Self { rows, next })
    }

    /// The next row of a table in one of these ranges; those before them are left out.
    pub(super) fn next_in(&mut self, table: &str, first: i64, last: i64) -> io::Result<Option<Row>> {
        while let Some(row) = &self.next {
            let of_table = row.sheet.as_deref() == Some(table);
            // A heading has no id.
            let range = row.cells.first().and_then(|id| id.text().parse::<i64>().ok());
            let range = range.map(|id| id.div_euclid(RANGE));
            match range {
                Some(range) if of_table && range > last => return Ok(None),
                Some(range) if of_table && range >= first => {
                    return Ok(std::mem::replace(&mut self.next, self.rows.next_row()?));
                }
                _ => self.next = self.rows.next_row()?,
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use dtsen_sources::{cell::Cell, spool::Spool};

    use super::*;

    fn marked(ranges: &[(i64, &str)]) -> Marked {
        let ranges = ranges.iter().map(|(range, mark)| (*range, (*mark).to_owned())).collect();
        Marked { columns: vec!["t".into()], ranges }
    }

    fn row(table: &str, id: &str) -> Row {
        Row { sheet: Some(table.into()), cells: vec![Cell::Text(id.into())], ..Row::default() }
    }

    #[test]
    fn only_ranges_that_changed_are_asked_for() {
        let before = marked(&[(-1, "z"), (0, "a"), (1, "b"), (2, "c"), (5, "d")]);
        let kept = Kept { digest: String::new(), rows: 0, marked: vec![before] };
        let now = marked(&[(0, "a"), (1, "b"), (2, "x"), (3, "y"), (5, "d")]);
        assert_eq!(kept.parts(0, &now), [Part::Same(0, 1), Part::Changed(2, 3), Part::Same(5, 5)]);
    }

    #[test]
    fn rows_come_back_by_table_and_range_and_not_from_a_damaged_file() {
        let mut spool = Spool::new(tempfile::tempfile().expect("a file"));
        for (table, id) in
            [("a", "id"), ("a", "-3"), ("a", "7"), ("a", "1023"), ("a", "1024"), ("b", "id"), ("b", "9")]
        {
            spool.push(&row(table, id)).expect("writes");
        }
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.rows");
        let tables = vec![marked(&[]), marked(&[])];
        let kept = Kept::put(&path, &mut spool.done().expect("writes"), tables.clone()).expect("writes");
        let mut rows = kept.open(&path, &tables).expect("as it was written");
        let mut before = Before::of(&mut rows).expect("reads");
        let mut ids = |table, first, last| {
            let mut ids = Vec::new();
            while let Some(row) = before.next_in(table, first, last).expect("reads") {
                ids.push(row.cells[0].text().into_owned());
            }
            ids
        };
        assert_eq!(ids("a", 0, 0), ["7", "1023"]);
        assert_eq!(ids("b", 0, 3), ["9"], "what is left of a table is left out");
        assert!(kept.open(&path, &tables[1..]).is_none(), "other tables are asked for");
        let mut bytes = fs::read(&path).expect("reads");
        bytes[9] ^= 1;
        fs::write(&path, bytes).expect("writes");
        assert!(kept.open(&path, &tables).is_none(), "damaged");
    }
}
