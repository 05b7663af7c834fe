//! Files that mean harm, or are broken: a clear error, in bounded memory and time.

use std::{io::Write as _, ops::ControlFlow, path::Path};

use dtsen_sources::{
    cell::{Cell, Row},
    read::{self, ReadError, text::Broken},
};
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

const MEGABYTE: usize = 1024 * 1024;
const TYPES: &str = r#"<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>"#;
const WORKBOOK: &str = r#"<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="A" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
const RELATIONS: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#;

const ROOT: &str = r#"<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;

/// Writes an XLSX with this sheet, and more parts; a part of nothing but zeros inflates to so many bytes.
fn workbook(path: &Path, sheet: &str, zeros: Option<(&str, usize)>) {
    let mut archive = ZipWriter::new(std::fs::File::create(path).expect("a file"));
    let parts = [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", ROOT),
        ("xl/workbook.xml", WORKBOOK),
        ("xl/_rels/workbook.xml.rels", RELATIONS),
        ("xl/worksheets/sheet1.xml", sheet),
    ];
    for (name, text) in parts {
        part(&mut archive, name, text);
    }
    if let Some((name, megabytes)) = zeros {
        archive.start_file(name, SimpleFileOptions::default()).expect("a part");
        for _ in 0..megabytes {
            archive.write_all(&vec![b' '; MEGABYTE]).expect("writes");
        }
    }
    archive.finish().expect("writes");
}

/// As it is: to deflate what is long takes long.
fn part(archive: &mut ZipWriter<std::fs::File>, name: &str, text: &str) {
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    archive.start_file(name, stored).expect("a part");
    archive.write_all(text.as_bytes()).expect("writes");
}

fn rows(path: &Path) -> Result<u64, ReadError> {
    let mut rows = 0;
    read::read(path, &mut |_| {
        rows += 1;
        ControlFlow::Continue(())
    })?;
    Ok(rows)
}

fn sheet(cells: &str) -> String {
    format!(
        r#"<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{cells}</sheetData></worksheet>"#
    )
}

#[test]
fn bombs_and_giants_end_in_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.xlsx");
    workbook(&path, &sheet(""), Some(("xl/sharedStrings.xml", 300)));
    assert!(matches!(rows(&path), Err(ReadError::TooLarge { .. })), "{:?}", rows(&path));

    workbook(&path, &sheet(r#"<row r="1"><c r="XFD1" t="inlineStr"><is><t>a</t></is></c></row>"#), None);
    let read = rows(&path);
    assert!(matches!(read, Err(ReadError::TooWide { row: 1, .. })), "{read:?}");

    // A formula without a result, an error, an entity that nobody declared.
    workbook(
        &path,
        &sheet(r#"<row r="1"><c r="A1"><f>1+1</f></c><c r="B1" t="e"><v>#REF!</v></c></row>"#),
        None,
    );
    assert_eq!(rows(&path).expect("reads"), 1);
    let entities = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row></sheetData></worksheet>"#;
    workbook(&path, entities, None);
    assert!(rows(&path).map_or(true, |rows| rows <= 1));

    let wide = format!("NIK{}", ",k".repeat(1_000));
    std::fs::write(&path, wide).expect("writes");
    assert!(matches!(rows(&path), Err(ReadError::TooWide { .. })));
}

#[test]
fn what_the_library_would_hold_whole_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    // Few and long pieces: many short ones take long to read.
    let pad = " ".repeat(4_096);
    let long = |piece: &str| piece.replace('_', &pad).repeat(17 * MEGABYTE / pad.len());
    let cell = |text: &str| format!(r#"<row r="1"><c r="A1" t="inlineStr"><is>{text}</is></c></row>"#);
    for (what, cells) in [
        ("blanks", long("_")),
        ("a tag", format!("<row{}/>", long("_"))),
        ("a comment that looks like rows", format!("<!--{}-->", long("<row>_"))),
        ("elements in elements", long("<row_>")),
        ("a cell of many texts", cell(&long("<r><t>_a</t></r>"))),
        ("what is merged", format!("</sheetData>{}", long(r#"<mergeCell_ref="A1:A2"/>"#))),
    ] {
        workbook(&path, &sheet(&cells), None);
        let read = rows(&path);
        assert!(matches!(read, Err(ReadError::TooLarge { limit: 16, .. })), "{what}: {read:?}");
    }
    workbook(&path, &sheet(&long(r#"<row r="1">_<c r="A1"><v>1</v></c></row>"#)), None);
    assert!(rows(&path).is_ok(), "rows of any number");

    for (texts, too_large) in [
        (format!("<sst><si><t>{}</t></si></sst>", long("_a")), true),
        (r#"<sst uniqueCount="4000000000"></sst>"#.to_owned(), false),
    ] {
        let mut archive = ZipWriter::new(std::fs::File::create(&path).expect("a file"));
        part(&mut archive, "xl/workbook.xml", WORKBOOK);
        part(&mut archive, "xl/sharedStrings.xml", &texts);
        archive.finish().expect("writes");
        match rows(&path) {
            Err(ReadError::TooLarge { .. }) if too_large => {}
            Err(ReadError::Damaged { cause, .. }) if !too_large => assert!(cause.contains("teks"), "{cause}"),
            read => panic!("{read:?}"),
        }
    }

    let mut archive = ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    let text = format!(
        "<table:table table:name=\"A\"><table:table-row><table:table-cell>{}</table:table-cell></table:table-row></table:table>",
        long("<text:p>_a</text:p>"),
    );
    part(&mut archive, "content.xml", &text);
    archive.finish().expect("writes");
    assert!(matches!(rows(&path), Err(ReadError::TooLarge { limit: 16, .. })));
}

#[test]
fn a_long_text_that_many_cells_share_is_told_and_not_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.xlsx");
    let shared = |row: u32| {
        format!(r#"<row r="{row}"><c r="A{row}" t="s"><v>0</v></c><c r="B{row}"><v>7</v></c></row>"#)
    };
    let cells: String = (1..=1_000).map(shared).collect();
    let types = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings";
    let text = format!("<sst><si><t>{}</t></si></sst>", "A".repeat(4 * MEGABYTE));
    let mut archive = ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    for (name, text) in [
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", ROOT),
        ("xl/workbook.xml", WORKBOOK),
        (
            "xl/_rels/workbook.xml.rels",
            &RELATIONS.replace(
                "</Relationships>",
                &format!(
                    r#"<Relationship Id="rId2" Type="{types}" Target="sharedStrings.xml"/></Relationships>"#
                ),
            ),
        ),
        ("xl/worksheets/sheet1.xml", &sheet(&cells)),
        ("xl/sharedStrings.xml", &text),
    ] {
        part(&mut archive, name, text);
    }
    archive.finish().expect("writes");
    let mut faults = 0;
    let mut each = |row: Row| {
        faults += u32::from(row.cells == [Cell::Fault, Cell::Number(7.0)]);
        ControlFlow::Continue(())
    };
    read::read(&path, &mut each).expect("reads");
    assert_eq!(faults, 1_000);

    // Many cells that are long enough for one.
    let cell = |column: u8| {
        format!(r#"<c r="{}1" t="inlineStr"><is><t>{}</t></is></c>"#, char::from(column), "A".repeat(60_000))
    };
    let cells: String = (b'A'..=b'Z').map(cell).collect();
    workbook(&path, &sheet(&format!(r#"<row r="1">{cells}</row>"#)), None);
    let mut each = |row: Row| {
        assert!(matches!(row.broken, Some(Broken::TooLong { bytes: 1_560_000 })) && row.cells.is_empty());
        ControlFlow::Continue(())
    };
    read::read(&path, &mut each).expect("reads");
}

#[test]
fn a_reference_beyond_any_sheet_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.xlsx");
    for cell in ["ZZZZZZZ1", "A99999999999", "A4294967296"] {
        workbook(&path, &sheet(&format!(r#"<row r="1"><c r="{cell}"><v>1</v></c></row>"#)), None);
        let read = rows(&path);
        assert!(matches!(read, Err(ReadError::Damaged { .. })), "{cell}: {read:?}");
    }
}

#[test]
fn what_the_library_says_of_its_panics_is_not_shown() {
    let own = std::env::current_exe().expect("this program");
    let run = std::process::Command::new(own)
        .args(["--exact", "a_reference_beyond_any_sheet_is_an_error", "--nocapture"])
        .output()
        .expect("starts");
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && !told.contains("panicked"), "{told}");
}

#[test]
fn a_workbook_of_too_many_formats_or_sheets_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.xlsx");
    let refused = |part_name: &str, text: &str| {
        let mut archive = ZipWriter::new(std::fs::File::create(&path).expect("a file"));
        for (name, of_book) in [("xl/workbook.xml", WORKBOOK), ("xl/_rels/workbook.xml.rels", RELATIONS)] {
            part(&mut archive, name, if name == part_name { text } else { of_book });
        }
        if !part_name.contains("workbook") {
            part(&mut archive, part_name, text);
        }
        archive.finish().expect("writes");
        rows(&path).expect_err("refused").to_string()
    };
    let formats = format!("<styleSheet><cellXfs>{}</cellXfs></styleSheet>", "<xf/>".repeat(300_000));
    assert!(refused("xl/styles.xml", &formats).contains("format"));
    let sheets = |ids: [u32; 2]| ids.map(|id| format!(r#"<sheet name="{id}" r:id="rId{id}"/>"#)).concat();
    let many: String = (0..600).map(|at| sheets([2 * at, 2 * at + 1])).collect();
    assert!(refused("xl/workbook.xml", &format!("<workbook>{many}</workbook>")).contains("1001 lembar"));
    let same = format!("<workbook>{}</workbook>", sheets([1, 1]));
    assert!(refused("xl/workbook.xml", &same).contains("dua lembar"));
    let twice = RELATIONS.replace("<Relationship Id=\"rId1\"", "<Relationship Id=\"rId1\" Type=\"a/worksheet\" Target=\"worksheets/sheet1.xml\"/><Relationship Id=\"rId2\"");
    assert!(refused("xl/_rels/workbook.xml.rels", &twice).contains("dua lembar"));
}

#[test]
fn what_is_no_table_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    for (bytes, what) in [
        (&b"%PDF-1.7"[..], "PDF"),
        (b"<html><table>", "HTML"),
        (b"\xFF\xFEN\0I\0", "UTF-16"),
        (&[0; 600], "nol"),
        (b"", "berkas kosong"),
        (b" ", "baris kosong"),
        (&vec![b'\n'; 100_000][..], "baris kosong"),
        (b"N\0I\0K\0;\0N\0A\0M\0A\0;\0J\0K\0", "UTF-16"),
        (b"\0N\0I\0K\0;\0N\0A\0M\0A\0;\0J\0K", "UTF-16"),
        (b"N\0\0\0I\0\0\0K\0\0\0;\0\0\0J\0\0\0K\0\0\0", "UTF-16"),
        (b"PK\x03\x04damaged", "rusak"),
        (b"\xD0\xCF\x11\xE0damaged", "rusak"),
    ] {
        std::fs::write(&path, bytes).expect("writes");
        let error = rows(&path).expect_err("no table").to_string();
        assert!(error.contains(what), "{error}");
    }
    assert!(
        rows(&folder.path().join("none")).expect_err("no file").to_string().contains("tidak dapat dibaca")
    );
}

#[test]
fn a_table_below_many_blank_lines_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    for blank in ["\n".repeat(2 * MEGABYTE), " \r\n".repeat(MEGABYTE / 2), "\r".repeat(2 * MEGABYTE)] {
        let line = if blank.contains('\n') { "\n" } else { "\r" };
        std::fs::write(&path, format!("{blank}NIK;NAMA;JK{line}1;SITI;P{line}")).expect("writes");
        let mut found = Vec::new();
        let mut each = |row: Row| {
            found.push(row.cells.len());
            ControlFlow::Continue(())
        };
        read::read(&path, &mut each).expect("reads");
        assert_eq!(found, [3, 3]);
    }
}

#[test]
fn a_line_of_many_fields_takes_no_longer_than_its_bytes() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.csv");
    let names: Vec<String> = (0..1_000_000).map(|at| format!("K{at}")).collect();
    std::fs::write(&path, names.join(";")).expect("writes");
    let read = rows(&path);
    assert!(matches!(read, Err(ReadError::TooWide { row: 1, .. })), "{read:?}");
}

#[test]
fn damaged_workbooks_end_in_an_error_or_in_rows() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    for name in ["workbook.xls", "workbook.ods"] {
        let whole = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts").join(name))
            .expect("reads");
        for at in (0..whole.len()).step_by(7) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x41;
            std::fs::write(&path, &bytes).expect("writes");
            assert!(rows(&path).map_or(true, |rows| rows < 1_000));
            std::fs::write(&path, &whole[..at]).expect("writes");
            let _ = rows(&path);
        }
    }
}

#[test]
fn an_xls_that_claims_more_than_it_has_ends_in_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    let whole = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/layouts/workbook.xls"))
        .expect("reads");
    let find = |bytes: &[u8]| whole.windows(bytes.len()).position(|window| window == bytes);
    // The rows that the sheet claims to have, from 0.
    let rows_claimed = find(b"\x00\x02\x0e\x00").expect("a record") + 8;
    // The row and the column of the formula.
    let formula = find(b"\x06\x00\x22\x00\x05\x00\x03\x00").expect("a record") + 4;
    for (at, bytes) in [(rows_claimed, &b"\xff\xff\xff\xff"[..]), (formula, b"\xff\xff\xff\xff")] {
        let mut bad = whole.clone();
        bad[at..at + bytes.len()].copy_from_slice(bytes);
        std::fs::write(&path, &bad).expect("writes");
        let read = rows(&path);
        assert!(matches!(&read, Err(ReadError::Damaged { cause, .. }) if cause.contains("sel")), "{read:?}");
    }
    // The sectors of its directory go round.
    let word = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().expect("four"));
    let (table, directory) = (word(76) as usize, word(48));
    let mut bad = whole.clone();
    let entry = 512 + table * 512 + directory as usize * 4;
    bad[entry..entry + 4].copy_from_slice(&directory.to_le_bytes());
    std::fs::write(&path, &bad).expect("writes");
    assert!(matches!(rows(&path), Err(ReadError::Damaged { .. })));
}

#[test]
fn any_bytes_end_in_rows_or_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    // A small generator of our own: what matters is that it is the same every time.
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let pieces: [&[u8]; 12] = [
        b"NIK",
        b"NAMA",
        b"NO KK",
        b",",
        b";",
        b"|",
        b"\n",
        b"\"",
        b"5271014101909001",
        b"\xFF",
        b"No. KK :",
        b"\r\n",
    ];
    for _ in 0..300 {
        let mut bytes = Vec::new();
        for _ in 0..next() % 400 {
            bytes.extend_from_slice(pieces[usize::try_from(next() % 12).expect("small")]);
        }
        std::fs::write(&path, &bytes).expect("writes");
        let book = dtsen_proto::rulebook::Rulebook::builtin();
        let places = dtsen_sources::place::Places::new(book.clone(), None).expect("no hint");
        let mut delivery =
            dtsen_sources::delivery::Delivery::new(book, jiff::civil::date(2026, 11, 23), places, None);
        let mut all = Vec::new();
        let read = read::read(&path, &mut |row| {
            all.push(row.clone());
            delivery.look(row);
            ControlFlow::Continue(())
        });
        if read.is_err() || !delivery.looked() {
            continue;
        }
        let mut lines = Vec::new();
        for row in all {
            delivery.lines(row, &mut lines);
        }
        delivery.end(&mut lines);
        for line in &lines {
            let (first, second) = (delivery.peek(line), delivery.peek(line));
            assert!(first == second);
            delivery.understand(line);
        }
    }
}

#[test]
fn a_heading_with_nobody_below_it_is_no_delivery() {
    let kept = tempfile::tempdir().expect("a folder");
    let path = kept.path().join("kosong.csv");
    for (text, empty) in [
        ("NIK;NO KK;NAMA;JK\n", true),
        ("DAFTAR\nNIK;NO KK;NAMA;JK\n;;;\nJUMLAH;0;;\n", true),
        ("NIK;NO KK;NAMA;JK\n;;SITI;\n", false),
    ] {
        std::fs::write(&path, text).expect("writes");
        let book = dtsen_proto::rulebook::Rulebook::builtin();
        let places = dtsen_sources::place::Places::new(book.clone(), None).expect("no hint");
        let mut delivery =
            dtsen_sources::delivery::Delivery::new(book, jiff::civil::date(2026, 11, 23), places, None);
        let look = &mut |row| {
            delivery.look(row);
            ControlFlow::Continue(())
        };
        read::read(&path, look).expect("reads");
        assert!(delivery.looked() && delivery.is_empty() == empty, "{text}");
    }
    assert!(ReadError::NoRows { path }.to_string().contains("tidak ada baris di bawah judul"));
}

#[test]
fn what_is_no_file_or_locked_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = |path: &Path| rows(path).expect_err("no table").to_string();
    assert!(told(folder.path()).contains("melainkan folder"));
    let pipe = folder.path().join("pipa.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("starts");
    assert!(made.success() && told(&pipe).contains("melainkan pipa"), "nobody waits for a pipe");
    assert!(told(&folder.path().join("tidak_ada.csv")).contains("berkas tidak ada"));
    let mut container = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
    container.resize(9_000, 0);
    container.extend("EncryptedPackage".encode_utf16().flat_map(u16::to_le_bytes));
    let locked = folder.path().join("rahasia.xlsx");
    std::fs::write(&locked, container).expect("writes");
    assert!(told(&locked).contains("hapus kata sandinya"));
    for parts in [
        [("META-INF/manifest.xml", "<a><b:encryption-data/></a>"), ("content.xml", "\u{1}\u{2}")],
        [("mimetype", "application/vnd.oasis.opendocument.spreadsheet"), ("encrypted-package", "\u{1}\u{2}")],
    ] {
        let mut archive = ZipWriter::new(std::fs::File::create(&locked).expect("a file"));
        for (name, text) in parts {
            part(&mut archive, name, text);
        }
        archive.finish().expect("writes");
        assert!(told(&locked).contains("hapus kata sandinya"));
    }
    let mut archive = ZipWriter::new(std::fs::File::create(&locked).expect("a file"));
    part(&mut archive, "mimetype", "application/vnd.oasis.opendocument.text");
    part(&mut archive, "content.xml", "<table:table/>");
    archive.finish().expect("writes");
    assert!(told(&locked).contains("tanpa lembar kerja"));
    // Every part says that it is encrypted as archives are.
    workbook(&locked, &sheet(""), None);
    let mut bytes = std::fs::read(&locked).expect("reads");
    for (magic, flags) in [(b"PK\x01\x02", 8), (b"PK\x03\x04", 6)] {
        for at in 0..bytes.len() - flags {
            if bytes[at..].starts_with(magic) {
                bytes[at + flags] |= 1;
            }
        }
    }
    std::fs::write(&locked, bytes).expect("writes");
    assert!(told(&locked).contains("hapus kata sandinya"));
}
