//! The workbook that goes out: a sheet for every table, in the source's own columns, the cells to correct marked.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use dtsen_proto::rulebook::Rulebook;
use rust_xlsxwriter::{Color, Format, FormatAlign, Note, Workbook, Worksheet, XlsxError};

use super::{
    Row,
    key::{Key, OWN, heading, names},
    rows::Left,
};
use crate::store::{Origin, ToMend};

/// Longest name of a sheet that spreadsheets take.
const SHEET_NAME: usize = 31;

const HOW: &[&str] = &[
    "Daftar baris yang belum dapat diterima, satu lembar untuk setiap tabel, dalam kolom sumbernya sendiri.",
    "1. Perbaiki sel kuning; alasan dan sarannya ada di kolom Masalah dan Perbaikan. Sel lain pada baris itu boleh diperbaiki juga.",
    "2. Ketik NIK dan No. KK sebagai teks, lengkap 16 angka. Jangan mengubah kolom A yang tersembunyi atau judul kolom, dan jangan menambah baris.",
    "3. Sel biru sudah diperbaiki sebelumnya; untuk mencabut perbaikan itu, tulis lagi isi menurut sumber yang disebut di kolom Masalah.",
    "4. Simpan, lalu jalankan: dtsen-node findings import BERKAS-INI.xlsx",
    "Hanya baris yang diubah yang dikirim. Berkas ini memuat data pribadi: jangan disebarkan, hapus setelah dipakai.",
];

/// Rows below one heading in the workbook, in the columns of one table.
type Table<'a> = (&'a str, &'a str, Option<&'a str>, &'a [String]);

struct Formats {
    head: Format,
    told: Format,
    text: Format,
    mark: Format,
    corrected: Format,
}

/// The workbook in bytes.
pub(super) fn made(rows: &[Row], others: &[Left], rulebook: &Rulebook) -> Result<Vec<u8>, XlsxError> {
    let text = Format::new().set_num_format("@");
    let formats = Formats {
        head: Format::new().set_bold().set_background_color(Color::RGB(0x00D9_E1F2)),
        told: Format::new().set_text_wrap().set_align(FormatAlign::Top),
        mark: text.clone().set_background_color(Color::Yellow),
        corrected: text.clone().set_background_color(Color::RGB(0x00BD_D7EE)),
        text,
    };
    let mut book = Workbook::new();
    let sheet = book.add_worksheet().set_name("Petunjuk")?;
    sheet.set_column_width(0, 110)?;
    for (at, line) in (0..).zip(HOW) {
        sheet.write_string_with_format(at, 0, *line, &formats.told)?;
    }
    let mut tables: BTreeMap<Table<'_>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let table = (row.source.as_str(), row.file.as_str(), row.sheet.as_deref(), row.headings.as_slice());
        tables.entry(table).or_default().push(row);
    }
    for (number, ((source, file, sheet, headings), rows)) in (1..).zip(tables) {
        let name: String = format!("{number} {source} {}", sheet.unwrap_or(file))
            .chars()
            .map(|c| if "[]:*?/\\'".contains(c) { ' ' } else { c })
            .take(SHEET_NAME)
            .collect();
        table_sheet(book.add_worksheet().set_name(name.trim())?, headings, &rows, rulebook, &formats)?;
    }
    if !others.is_empty() {
        others_sheet(book.add_worksheet().set_name("Lain-lain")?, others, rulebook, &formats)?;
    }
    book.save_to_buffer()
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
    let columns = rows.iter().map(|row| row.cells.len()).max().unwrap_or_default().max(headings.len());
    let names = names(headings, columns);
    let key = heading(&names);
    let own = std::iter::once(key.as_str()).chain(OWN[1..].iter().copied());
    for (at, name) in own.chain(names.iter().map(String::as_str)).enumerate() {
        sheet.write_string_with_format(0, column(at), name, &formats.head)?;
    }
    sheet.set_column_hidden(0)?.set_column_width(1, 45)?.set_column_width(2, 45)?;
    sheet.set_freeze_panes(1, column(OWN.len()))?;
    for at in 0..columns {
        sheet.set_column_width(column(OWN.len() + at), 20)?;
    }
    for (line, row) in (1..).zip(rows) {
        let (told, fix) = texts(row, &names, rulebook);
        sheet.write_string(line, 0, Key::of(row).text())?;
        sheet.write_string_with_format(line, 1, told, &formats.told)?;
        sheet.write_string_with_format(line, 2, fix, &formats.told)?;
        sheet.write_string(line, 3, row.sheet.as_deref().unwrap_or_default())?;
        sheet.write_string(line, 4, row.number.to_string())?;
        for (at, cell) in row.cells.iter().enumerate() {
            let told = row.told.iter().find(|(_, place)| *place == Some(at)).map(|(told, _)| told);
            let format = match (told, row.own.contains_key(&at)) {
                (Some(_), _) => &formats.mark,
                (None, true) => &formats.corrected,
                (None, false) => &formats.text,
            };
            sheet.write_string_with_format(line, column(OWN.len() + at), cell, format)?;
            if let Some(fix) = told.and_then(|told| rulebook.reason(&told.reason)) {
                let note = Note::new(format!("{}. {}", fix.text_id, fix.fix_id)).set_author("dtsen-node");
                sheet.insert_note(line, column(OWN.len() + at), &note)?;
            }
        }
    }
    Ok(())
}

/// What is wrong with a row, and what mends it.
fn texts(row: &Row, names: &[String], rulebook: &Rulebook) -> (String, String) {
    let (mut told, mut fixes): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let is_same =
        |(one, at): &(ToMend, _), (other, place): &(ToMend, _)| one.reason == other.reason && at == place;
    for (number, one) in row.told.iter().enumerate() {
        // This node and the hub may tell the same.
        if row.told[..number].iter().any(|before| is_same(before, one)) {
            continue;
        }
        let Some(info) = rulebook.reason(&one.0.reason) else { continue };
        let name = one.1.and_then(|at| names.get(at)).map_or_else(String::new, |name| format!("{name}: "));
        let by_hub = row.told.iter().any(|other| is_same(other, one) && other.0.origin == Origin::Hub);
        let by = if by_hub { " [pusat]" } else { "" };
        told.push(format!("{name}{} ({}){by}", info.text_id, one.0.reason));
        fixes.push(info.fix_id.clone());
    }
    let notes: BTreeSet<&str> = row.told.iter().filter_map(|(told, _)| told.note.as_deref()).collect();
    told.extend(notes.into_iter().map(|note| format!("Pusat: {note}")));
    for (at, own) in &row.own {
        let name = names.get(*at).map_or("", String::as_str);
        let own = if own.is_empty() { "(kosong)" } else { own };
        told.push(format!("{name}: sudah diperbaiki; menurut sumber: {own}"));
    }
    if !row.own.is_empty() {
        fixes.push("Untuk mencabut perbaikan, tulis lagi isi menurut sumber di sel biru".to_owned());
    }
    fixes.dedup();
    (told.join("\n"), fixes.join("\n"))
}

/// Findings without a row to correct.
fn others_sheet(
    sheet: &mut Worksheet,
    others: &[Left],
    rulebook: &Rulebook,
    formats: &Formats,
) -> Result<(), XlsxError> {
    let names = ["Sumber", "Berkas", "Lembar", "Baris", "Nomor", "Kolom", "Masalah", "Perbaikan"];
    for (at, name) in names.into_iter().enumerate() {
        sheet.write_string_with_format(0, column(at), name, &formats.head)?;
    }
    for (line, Left { told: one, members }) in (1..).zip(others) {
        let (sheets, lines) = stands(one, members);
        let info = rulebook.reason(&one.reason);
        let text = info.map_or(one.reason.as_str(), |info| &info.text_id);
        let text = one.note.as_ref().map_or_else(|| text.to_owned(), |note| format!("{text}. Pusat: {note}"));
        let own = one.column.and_then(|column| rulebook.column(column)).map(|info| info.name.as_str());
        let cells = [
            one.source.as_str(),
            &one.file,
            &sheets,
            &lines,
            one.number.as_deref().unwrap_or_default(),
            one.column_name.as_deref().or(own).unwrap_or_default(),
            &text,
            info.map_or("", |info| &info.fix_id),
        ];
        for (at, cell) in cells.into_iter().enumerate() {
            sheet.write_string_with_format(line, column(at), cell, &formats.told)?;
        }
    }
    Ok(())
}

/// Sheets and rows in which something is mended. A family that was made of its members is mended in their rows: those of one
/// sheet have commas between them, those of several semicolons, in the order of the sheets.
fn stands(told: &ToMend, members: &BTreeMap<Option<Arc<str>>, Vec<u64>>) -> (String, String) {
    if members.is_empty() {
        return (told.sheet.clone().unwrap_or_default(), told.line.to_string());
    }
    let sheets: Vec<&str> = members.keys().map(|sheet| sheet.as_deref().unwrap_or_default()).collect();
    let lines = |lines: &Vec<u64>| lines.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    (sheets.join("; "), members.values().map(lines).collect::<Vec<_>>().join("; "))
}
