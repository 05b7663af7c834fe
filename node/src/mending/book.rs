//! The workbook that goes out: a sheet for every table, in the source's own columns, the cells to correct marked.

use std::{collections::BTreeMap, path::Path};

use dtsen_proto::rulebook::Rulebook;
use rust_xlsxwriter::{Color, Format, FormatAlign, Note, Workbook, Worksheet, XlsxError};
use sha2::{Digest as _, Sha256};

use super::Row;
use crate::store::{Origin, ToMend};

/// Heading of the column by which a row is found again.
pub(super) const KEY: &str = "Kunci (jangan diubah)";
/// Columns before those of the source.
pub(super) const BEFORE: usize = 4;
/// Between the parts of a key.
pub(super) const BETWEEN: char = '|';
/// Longest name of a sheet that spreadsheets take.
const SHEET_NAME: usize = 31;

const HOW: &[&str] = &[
    "Daftar baris yang belum dapat diterima, satu lembar untuk setiap tabel, dalam kolom sumbernya sendiri.",
    "1. Perbaiki sel kuning; alasan dan sarannya ada di kolom Masalah dan Perbaikan. Sel lain pada baris itu boleh diperbaiki juga.",
    "2. Ketik NIK dan No. KK sebagai teks, lengkap 16 angka. Jangan mengubah kolom A yang tersembunyi dan jangan menambah baris.",
    "3. Simpan, lalu jalankan: dtsen-node findings import BERKAS-INI.xlsx",
    "Hanya baris yang diubah yang dikirim. Berkas ini memuat data pribadi: jangan disebarkan, hapus setelah dipakai.",
];

/// What a cell holds, in eight digits: whether it was changed shows without a second copy of it.
pub(super) fn digest(cell: &str) -> String {
    hex::encode(&Sha256::digest(cell)[..4])
}

/// By what a row is found again: source, row, its key, what was told of it, what its cells held.
fn key(row: &Row) -> String {
    let mut codes: Vec<&str> = row.told.iter().map(|(told, _)| told.reason.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    let cells: String = row.cells.iter().map(|cell| digest(cell)).collect();
    let parts = [row.source.clone(), hex::encode(row.mark), hex::encode(row.key), codes.join(","), cells];
    parts.join(&BETWEEN.to_string())
}

struct Formats {
    head: Format,
    told: Format,
    text: Format,
    mark: Format,
}

/// Writes the workbook.
pub(super) fn write(
    path: &Path,
    rows: &[Row],
    others: &[ToMend],
    rulebook: &Rulebook,
) -> Result<(), XlsxError> {
    let text = Format::new().set_num_format("@");
    let formats = Formats {
        head: Format::new().set_bold().set_background_color(Color::RGB(0x00D9_E1F2)),
        told: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        mark: text.clone().set_background_color(Color::Yellow),
        text,
    };
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Petunjuk")?;
    sheet.set_column_width(0, 110)?;
    for (at, line) in (0..).zip(HOW) {
        sheet.write_string_with_format(at, 0, *line, &formats.told)?;
    }
    let mut tables: BTreeMap<(&str, &str, &[String]), Vec<&Row>> = BTreeMap::new();
    for row in rows {
        tables.entry((&row.source, &row.table, &row.headings)).or_default().push(row);
    }
    for (number, ((source, table, headings), rows)) in (1..).zip(tables) {
        let name: String = format!("{number} {source} {table}")
            .chars()
            .map(|c| if "[]:*?/\\'".contains(c) { ' ' } else { c })
            .take(SHEET_NAME)
            .collect();
        table_sheet(book.add_worksheet().set_name(name.trim())?, headings, &rows, rulebook, &formats)?;
    }
    if !others.is_empty() {
        others_sheet(book.add_worksheet().set_name("Lain-lain")?, others, rulebook, &formats)?;
    }
    book.save(path)
}

fn column(at: usize) -> u16 {
    u16::try_from(at).unwrap_or(u16::MAX)
}

fn table_sheet(
    sheet: &mut Worksheet,
    headings: &[String],
    rows: &[&Row],
    rulebook: &Rulebook,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let own = [KEY, "Masalah", "Perbaikan", "Baris di sumber"];
    let names = own.into_iter().chain(headings.iter().map(String::as_str));
    for (at, name) in names.enumerate() {
        sheet.write_string_with_format(0, column(at), name, &formats.head)?;
    }
    sheet.set_column_hidden(0)?.set_column_width(1, 45)?.set_column_width(2, 45)?.set_freeze_panes(1, 4)?;
    for at in 0..headings.len() {
        sheet.set_column_width(column(BEFORE + at), 20)?;
    }
    for (line, row) in (1..).zip(rows) {
        let (told, fix) = texts(row, rulebook);
        sheet.write_string(line, 0, key(row))?;
        sheet.write_string_with_format(line, 1, told, &formats.told)?;
        sheet.write_string_with_format(line, 2, fix, &formats.told)?;
        sheet.write_string(line, 3, row.number.to_string())?;
        for (at, cell) in row.cells.iter().enumerate() {
            let told = row.told.iter().find(|(_, place)| *place == Some(at)).map(|(told, _)| told);
            let format = if told.is_some() { &formats.mark } else { &formats.text };
            sheet.write_string_with_format(line, column(BEFORE + at), cell, format)?;
            if let Some(fix) = told.and_then(|told| rulebook.reason(&told.reason)) {
                let note = Note::new(format!("{}. {}", fix.text_id, fix.fix_id)).set_author("dtsen-node");
                sheet.insert_note(line, column(BEFORE + at), &note)?;
            }
        }
    }
    Ok(())
}

/// What is wrong with a row, and what mends it.
fn texts(row: &Row, rulebook: &Rulebook) -> (String, String) {
    let (mut told, mut fixes): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (one, place) in &row.told {
        let Some(info) = rulebook.reason(&one.reason) else { continue };
        let name =
            place.and_then(|at| row.headings.get(at)).map_or_else(String::new, |name| format!("{name}: "));
        let by = if one.origin == Origin::Hub { " [pusat]" } else { "" };
        told.push(format!("{name}{} ({}){by}", info.text_id, one.reason));
        fixes.push(info.fix_id.clone());
    }
    told.dedup();
    fixes.dedup();
    (told.join("\n"), fixes.join("\n"))
}

/// Findings without a row to correct.
fn others_sheet(
    sheet: &mut Worksheet,
    others: &[ToMend],
    rulebook: &Rulebook,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let names = ["Sumber", "Berkas", "Baris", "Nomor", "Kolom", "Masalah", "Perbaikan"];
    for (at, name) in names.into_iter().enumerate() {
        sheet.write_string_with_format(0, column(at), name, &formats.head)?;
    }
    for (line, one) in (1..).zip(others) {
        let info = rulebook.reason(&one.reason);
        let own = one.column.and_then(|column| rulebook.column(column)).map(|info| info.name.as_str());
        let cells = [
            one.source.as_str(),
            &one.file,
            &one.line.to_string(),
            one.number.as_deref().unwrap_or_default(),
            one.column_name.as_deref().or(own).unwrap_or_default(),
            info.map_or(one.reason.as_str(), |info| &info.text_id),
            info.map_or("", |info| &info.fix_id),
        ];
        for (at, cell) in cells.into_iter().enumerate() {
            sheet.write_string_with_format(line, column(at), cell, &formats.told)?;
        }
    }
    Ok(())
}
