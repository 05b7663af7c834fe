//! A workbook that was changed in ways that nobody thought of: what is meant is taken, all else is refused and named.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, ensure};
use calamine::Reader as _;
use dtsen_tests::{
    faults::place::{Engine, Place},
    federation::Node,
};
use serde_json::Value;

use super::{LIST, SITI, reasons, text};

/// The sheets of a workbook, cell by cell.
pub(super) struct Book {
    pub(super) sheets: Vec<(String, Vec<Vec<String>>)>,
    /// Cells that hold an error, by sheet, row and column.
    errors: Vec<(usize, u32, u16)>,
}

impl Book {
    pub(super) fn open(path: &std::path::Path) -> anyhow::Result<Self> {
        let mut book: calamine::Xlsx<_> = calamine::open_workbook(path)?;
        let rows = |range: calamine::Range<calamine::Data>| {
            range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
        };
        let sheets = book.worksheets().into_iter().map(|(name, range)| (name, rows(range))).collect();
        Ok(Self { sheets, errors: Vec::new() })
    }

    pub(super) fn save(&self, path: &std::path::Path) -> anyhow::Result<()> {
        let mut out = rust_xlsxwriter::Workbook::new();
        for (number, (name, rows)) in self.sheets.iter().enumerate() {
            let sheet = out.add_worksheet().set_name(name)?;
            for (line, row) in (0..).zip(rows) {
                for (at, cell) in (0_u16..).zip(row).filter(|(_, cell)| !cell.is_empty()) {
                    sheet.write_string(line, at, cell)?;
                }
            }
            for (_, line, at) in self.errors.iter().filter(|(sheet, ..)| *sheet == number) {
                // Without a value that was reckoned.
                sheet.write_formula(*line, *at, rust_xlsxwriter::Formula::new("=NA()").set_result("#N/A"))?;
            }
        }
        Ok(out.save(path)?)
    }

    /// The first sheet with rows of a source.
    pub(super) fn rows(&mut self) -> &mut Vec<Vec<String>> {
        &mut self.sheets[1].1
    }

    pub(super) fn at(&self, column: &str) -> usize {
        self.sheets[1].1[0].iter().position(|name| name == column).expect("the column")
    }

    /// The row of the sheet that has this in a cell.
    pub(super) fn line(&self, with: &str) -> usize {
        self.sheets[1].1.iter().position(|row| row.iter().any(|cell| cell == with)).expect("the row")
    }

    pub(super) fn set(&mut self, column: &str, with: &str, value: &str) {
        let (at, line) = (self.at(column), self.line(with));
        value.clone_into(&mut self.rows()[line][at]);
    }
}

/// A node with a source that was read, and its workbook.
pub(super) fn exported(place: &Place, list: &str) -> anyhow::Result<(Node, PathBuf, PathBuf)> {
    let node = Node::create(&place.path("node"), "52.71".parse()?)?;
    let file = place.path("warga.csv");
    std::fs::write(&file, list)?;
    node.run(&["source", "add", "lokal-warga", text(&file)?, "--partial"])?;
    node.run(&["source", "run"])?;
    let out = place.path("temuan.xlsx");
    node.run(&["findings", "export", text(&out)?])?;
    Ok((node, file, out))
}

/// How an import ended, what it printed, and what it complained of.
pub(super) fn imported(node: &Node, path: &std::path::Path) -> anyhow::Result<(i32, Value, String)> {
    let output = node.command(&["findings", "import", text(path)?, "--json"])?.output()?;
    let told = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let code = output.status.code().context("an exit code")?;
    Ok((code, told, String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[test]
fn columns_are_found_by_their_headings() -> anyhow::Result<()> {
    crate::scenario("way_back_columns", Engine::Sqlite, by_heading)
}

fn by_heading(place: &Place) -> anyhow::Result<()> {
    let (node, _, out) = exported(place, LIST)?;
    let (back, before) = (place.path("perbaikan.xlsx"), node.json(&["status"])?);
    let refused = |what: &str, book: &Book, words: &[&str]| -> anyhow::Result<()> {
        book.save(&back)?;
        let (code, _, error) = imported(&node, &back)?;
        ensure!(code == 1 && words.iter().all(|word| error.contains(word)), "{what}: {code} {error}");
        ensure!(node.json(&["status"])? == before, "{what}: something was taken");
        ensure!(node.json(&["findings", "answered"])?.as_array().is_some_and(Vec::is_empty), "{what}");
        Ok(())
    };
    let with_nik = || -> anyhow::Result<Book> {
        let mut book = Book::open(&out)?;
        book.set("NIK", "SITI UJI", SITI);
        Ok(book)
    };
    let mut book = with_nik()?;
    let at = book.at("RT");
    book.rows()[0][at] = "R.T.".into();
    refused("renamed", &book, &["\"RT\"", "lembar 1 lokal-warga"])?;
    let mut book = with_nik()?;
    let at = book.at("Nama");
    book.rows().iter_mut().for_each(|row| drop(row.remove(at)));
    refused("deleted", &book, &["\"Nama\""])?;
    let mut book = with_nik()?;
    book.rows().iter_mut().for_each(|row| drop(row.remove(0)));
    refused("without keys", &book, &["kolom A"])?;
    let mut book = with_nik()?;
    let (first, at) = (book.rows()[1][0].clone(), book.at("Nama"));
    let mut copy = book.rows()[1].clone();
    copy[at] = "ORANG LAIN".into();
    book.rows().push(copy);
    refused("a copied row", &book, &["baris 2", "baris 4"])?;
    let mut book = with_nik()?;
    let second = std::mem::replace(&mut book.rows()[2][0], first);
    book.rows()[1][0] = second;
    refused("sorted without the keys", &book, &["Baris di sumber"])?;
    let mut book = with_nik()?;
    let (at, line) = (u16::try_from(book.at("Nama"))?, u32::try_from(book.line("SITI UJI"))?);
    book.errors.push((1, line, at));
    refused("an error in a cell", &book, &["Nama (H", "rumus"])?;

    // Columns that changed places, one that was added, and one of ours that is gone.
    let mut book = with_nik()?;
    let (rt, rw) = (book.at("RT"), book.at("RW"));
    for (number, row) in book.rows().iter_mut().enumerate() {
        row.swap(rt, rw);
        row.insert(rt, if number == 0 { "CATATAN".into() } else { "sudah dicek".into() });
        row.remove(1);
    }
    book.save(&back)?;
    let (code, told, error) = imported(&node, &back)?;
    ensure!(code == 3 || code == 0, "{code} {told} {error}");
    ensure!(told["corrected"] == 1 && told["unchanged"] == 1 && told["unfit"]["count"] == 0, "{told}");
    ensure!(told["added_columns"][0][1] == "CATATAN", "{told}");
    ensure!(super::queued(&told) == 1, "{told}");
    let found = reasons(&node)?;
    ensure!(found == ["ROW_NOBODY"], "{found:?}");
    Ok(())
}

#[test]
fn what_fits_nothing_is_told() -> anyhow::Result<()> {
    crate::scenario("way_back_unfit", Engine::Sqlite, unfit)
}

fn unfit(place: &Place) -> anyhow::Result<()> {
    let list = LIST.replace("ANI UJI", "");
    let (node, file, out) = exported(place, &list)?;
    let back = place.path("perbaikan.xlsx");
    let mut book = Book::open(&out)?;
    book.set("NIK", "SITI UJI", SITI);
    book.set("Nama", "5271014503159003", "ANI UJI");
    book.save(&back)?;
    // Another node, without and with a source of this name.
    let other = Node::create(&place.path("lain"), "52.71".parse()?)?;
    let (code, told, error) = imported(&other, &back)?;
    ensure!(code == 1 && told["corrected"] == 0 && told["unfit"]["count"] == 2, "{code} {told} {error}");
    ensure!(error.contains("findings export"), "{error}");
    ensure!(other.json(&["findings", "answered"])?.as_array().is_some_and(Vec::is_empty), "kept for nobody");
    std::fs::write(place.path("lain.csv"), list.replace("JL CONTOH 1", "JL LAIN 1"))?;
    other.run(&["source", "add", "lokal-warga", text(&place.path("lain.csv"))?])?;
    let (code, told, _) = imported(&other, &back)?;
    ensure!(code == 1 && told["unfit"]["count"] == 2, "{code} {told}");
    let answered = other.json(&["findings", "answered"])?;
    ensure!(answered[0]["state"] == "unused", "{answered}");
    // One of the rows changed in the source meanwhile.
    std::fs::write(&file, list.replace("SITI UJI,P,01-01-1992", "SITI UJI,P,01-01-1993"))?;
    let (code, told, _) = imported(&node, &back)?;
    ensure!(code == 3 && told["corrected"] == 1 && told["unfit"]["count"] == 1, "{code} {told}");
    let row = Book::open(&back)?.line("SITI UJI") + 1;
    ensure!(told["unfit"]["first"][0]["row"] == row, "{told}");
    let states = states(&node)?;
    ensure!(states == BTreeMap::from([(3, "unused".to_owned()), (4, "waiting".to_owned())]), "{states:?}");
    Ok(())
}

/// What became of corrections, by the row of the source.
pub(super) fn states(node: &Node) -> anyhow::Result<BTreeMap<u64, String>> {
    let answered = node.json(&["findings", "answered"])?;
    let all = answered.as_array().context("a list")?;
    Ok(all
        .iter()
        .filter_map(|one| Some((one["line"].as_u64()?, one["state"].as_str()?.to_owned())))
        .collect())
}

#[test]
fn a_row_is_named_with_its_sheet() -> anyhow::Result<()> {
    crate::scenario("way_back_sheets", Engine::Sqlite, of_sheets)
}

/// The same line of two sheets: one is to be mended, the other is not.
fn of_sheets(place: &Place) -> anyhow::Result<()> {
    let (mut hub, node) = super::begin(place)?;
    let list = place.path("warga.xlsx");
    let rows = |from: &str| from.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let good = LIST.lines().next().context("a heading")?.to_owned()
        + "\n5271010303859007,5271010101209007,DEDI UJI,L,03-03-1985,Kepala Keluarga,Kawin,JL CONTOH 2,001,002,52.71.01.1004";
    let sheets = vec![("RT 01".into(), rows(&good)), ("RT 02".into(), rows(LIST))];
    Book { sheets, errors: Vec::new() }.save(&list)?;
    node.run(&["source", "add", "lokal-warga", text(&list)?])?;
    node.run(&["source", "run"])?;
    let found = node.json(&["findings"])?;
    let sheets: Vec<&str> =
        found.as_array().into_iter().flatten().filter_map(|one| one["sheet"].as_str()).collect();
    ensure!(!sheets.is_empty() && sheets.iter().all(|sheet| *sheet == "RT 02"), "{found}");
    ensure!(node.run(&["findings"])?.contains("RT 02"), "the list does not name the sheet");
    let out = place.path("temuan.xlsx");
    node.run(&["findings", "export", text(&out)?])?;
    let book = Book::open(&out)?;
    let (at, line) = (book.at("Lembar di sumber"), book.line("SITI UJI"));
    ensure!(book.sheets[1].1[line][at] == "RT 02", "{:?}", book.sheets[1].1[line]);
    hub.stop()
}
