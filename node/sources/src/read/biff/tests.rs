//! Streams that say more than they hold.

use super::*;

pub(super) fn record(kind: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("short");
    [&kind.to_le_bytes(), &length.to_le_bytes(), content].concat()
}

/// A compound file of one stream, and nothing else.
fn file(mut stream: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(stream.len()).expect("short");
    stream.resize(stream.len().next_multiple_of(512).max(SECTORS_FROM * 512), 0);
    let sectors = u32::try_from(stream.len() / 512).expect("few");
    // The directory is sector 0, then the stream, then the table of sectors.
    let tables = (sectors + 1).div_ceil(127);
    let mut table: Vec<u32> = vec![0xFFFF_FFFE];
    table.extend((2..=sectors).chain([0xFFFF_FFFE]));
    table.resize(128 * tables as usize, 0xFFFF_FFFD);
    let mut head = vec![0; 512];
    head[..8].copy_from_slice(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    head[30..32].copy_from_slice(&9_u16.to_le_bytes());
    head[68..72].copy_from_slice(&0xFFFF_FFFE_u32.to_le_bytes());
    for at in 0..109 {
        let list = if at < tables { sectors + 1 + at } else { 0xFFFF_FFFF };
        let place = 76 + 4 * at as usize;
        head[place..place + 4].copy_from_slice(&list.to_le_bytes());
    }
    let mut directory = vec![0; 512];
    for (at, name, start, bytes) in
        [(0, "Root Entry", 0xFFFF_FFFE_u32, 0), (1, "Workbook", 1, length.max(4_096))]
    {
        let entry = &mut directory[at * 128..][..128];
        for (letter, place) in name.encode_utf16().zip(entry.chunks_exact_mut(2)) {
            place.copy_from_slice(&letter.to_le_bytes());
        }
        entry[116..120].copy_from_slice(&start.to_le_bytes());
        entry[120..124].copy_from_slice(&bytes.to_le_bytes());
    }
    let table: Vec<u8> = table.iter().flat_map(|next| next.to_le_bytes()).collect();
    [head, directory, stream, table].concat()
}

/// Sectors of the smallest stream that has any.
const SECTORS_FROM: usize = 8;

/// A workbook of these records, sheets at these places behind the globals, and what stands there.
fn book(globals: &[u8], places: &[usize], sheets: &[u8]) -> Vec<u8> {
    let begins = record(0x0809, &[0, 6, 5, 0]);
    let from = begins.len() + globals.len() + places.len() * 15 + 4;
    let mut stream = [&begins[..], globals].concat();
    for place in places {
        let at = u32::try_from(from + place).expect("short").to_le_bytes();
        stream.extend(record(0x0085, &[&at[..], &[0, 0, 3, 0, b'A', b'B', b'C']].concat()));
    }
    stream.extend(record(0x000A, &[]));
    assert_eq!(stream.len(), from);
    stream.extend(sheets);
    file(stream)
}

/// A text in a cell of the first column.
fn label(row: u16, text: u32) -> Vec<u8> {
    record(0x00FD, &[&row.to_le_bytes()[..], &[0, 0, 0, 0], &text.to_le_bytes()].concat())
}

fn sheet(cells: &[Vec<u8>]) -> Vec<u8> {
    [record(0x0809, &[0, 6, 16, 0]), cells.concat(), record(0x000A, &[])].concat()
}

#[test]
fn a_text_that_every_cell_shares_is_counted_in_every_cell() {
    let text = [&[0; 8][..], &5_000_u16.to_le_bytes(), &[0], &[b'A'; 5_000]].concat();
    let globals = record(0x00FC, &text);
    let cells = |rows: u16| sheet(&(0..rows).map(|row| label(row, 0)).collect::<Vec<_>>());
    assert_eq!(check(&book(&globals, &[0], &cells(1_000))), Ok(()));
    assert!(matches!(check(&book(&globals, &[0], &cells(60_000))), Err(Stop::Bytes(..))));
}

#[test]
fn formulas_that_name_long_names_are_counted() {
    let long = record(0x0018, &[0, 0, 0, 255]);
    let formula = |row: u16| record(0x0006, &[&row.to_le_bytes()[..], &[0; 4_000]].concat());
    let cells = sheet(&(0..1_000).map(formula).collect::<Vec<_>>());
    assert_eq!(check(&book(&[], &[0], &cells)), Ok(()));
    assert!(matches!(check(&book(&long, &[0], &cells)), Err(Stop::Bytes(..))));
}

#[test]
fn sheets_upon_each_other_are_not_read_again_and_again() {
    let cells = sheet(&(0..1_000).map(|row| label(row, 0)).collect::<Vec<_>>());
    assert_eq!(check(&book(&[], &[0, cells.len()], &[&cells[..], &cells].concat())), Ok(()));
    assert_eq!(check(&book(&[], &[0; 100], &cells)), Err(Stop::Overlap));
}
