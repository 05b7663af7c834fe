//! What an XLS would become in memory: the library that reads it follows the chains of its sectors however long they are,
//! makes room for every cell between the first and the last, and gives each cell a text of its own.

mod compound;
mod texts;

use self::{compound::workbook, texts::Texts};

/// Bytes that a workbook may become in memory: six times those of the largest file.
const MAX_BYTES: u64 = 144 * 1024 * 1024;
/// A cell between the first and the last takes so many bytes.
const CELL_BYTES: u64 = 24;
/// Cells that a sheet claims to have, which costs nothing as long as there is such a sheet: 65 536 rows of 256.
const MAX_CLAIMED: u64 = 65_536 * 256;
/// Bytes of the shortest piece of a formula that names something else, a sheet perhaps.
const NAME_PIECE_BYTES: u64 = 5;

/// Why an XLS is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its sectors cannot be followed.
    Chain,
    /// Its sheets lie upon each other: the same would be read again and again.
    Overlap,
    /// So many cells.
    Cells(u64),
    /// So many bytes in memory, and how many it may have.
    Bytes(u64, u64),
}

/// Looks at a whole file before the library does.
pub(super) fn check(file: &[u8]) -> Result<(), Stop> {
    let stream = workbook(file).ok_or(Stop::Chain)?;
    let texts = Texts::of(&stream);
    let name = longest_name(&stream);
    let (mut all, mut largest, mut walked) = (texts.bytes(), 0, 0);
    for sheet in sheets(&stream) {
        let room = room(stream.get(sheet..).unwrap_or_default(), &texts, name)?;
        walked += room.walked;
        if walked > stream.len() {
            return Err(Stop::Overlap);
        }
        all = all.saturating_add(room.bytes);
        largest = room.bytes.max(largest);
        // The sheet that is read is there twice.
        let bytes = all.saturating_add(largest);
        if bytes > MAX_BYTES {
            return Err(if room.cells > MAX_BYTES / CELL_BYTES {
                Stop::Cells(room.cells)
            } else {
                Stop::Bytes(bytes, MAX_BYTES)
            });
        }
    }
    Ok(())
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes)
}

fn place_at(bytes: &[u8], at: usize) -> Option<usize> {
    u32_at(bytes, at).and_then(|place| usize::try_from(place).ok())
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes.chunks_exact(4).filter_map(|four| u32_at(four, 0))
}

/// Records as kind and content [MS-XLS].
fn records(mut stream: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let (kind, length) = (u16_at(stream, 0)?, usize::from(u16_at(stream, 2)?));
        let record = stream.get(4..4 + length)?;
        stream = &stream[4 + length..];
        Some((kind, record))
    })
}

/// Where sheets begin; nowhere if a password keeps them, which the library tells.
fn sheets(stream: &[u8]) -> Vec<usize> {
    let globals = || records(stream).take_while(|(kind, _)| *kind != 0x000A);
    if globals().any(|(kind, record)| kind == 0x002F && u16_at(record, 0) != Some(0)) {
        return Vec::new();
    }
    globals().filter(|(kind, _)| *kind == 0x0085).filter_map(|(_, record)| place_at(record, 0)).collect()
}

/// Bytes of the longest name that formulas can mention.
fn longest_name(stream: &[u8]) -> u64 {
    let globals = records(stream).take_while(|(kind, _)| *kind != 0x000A);
    let letters = globals.filter_map(|(kind, record)| match kind {
        0x0085 => record.get(6),
        0x0018 => record.get(3),
        _ => None,
    });
    3 * letters.copied().max().map_or(0, u64::from)
}

/// The rectangle around cells.
#[derive(Default)]
struct Around(Option<[u64; 4]>);

impl Around {
    fn add(&mut self, row: u64, first: u64, last: u64) {
        let [top, left, bottom, right] = self.0.unwrap_or([row, first, row, last]);
        self.0 = Some([top.min(row), left.min(first), bottom.max(row), right.max(last)]);
    }

    fn cells(&self) -> u64 {
        self.0.map_or(0, |[top, left, bottom, right]| (bottom - top + 1) * (right - left + 1))
    }
}

/// What a sheet takes in memory.
struct Room {
    cells: u64,
    bytes: u64,
    /// Bytes of the stream that it is written in.
    walked: usize,
}

fn room(sheet: &[u8], texts: &Texts, name: u64) -> Result<Room, Stop> {
    let (mut values, mut formulas) = (Around::default(), Around::default());
    let (mut bytes, mut walked) = (0_u64, 0);
    // Charts inside a sheet are none of it.
    let mut depth = 0_u32;
    for (kind, record) in records(sheet) {
        walked += record.len() + 4;
        let length = u64::try_from(record.len()).expect("64 bits");
        match kind {
            0x0809 => depth += 1,
            0x000A if depth <= 1 => break,
            0x000A => depth -= 1,
            _ if depth > 1 => {}
            0x0200 => claimed(record)?,
            // The text of a formula's result stands behind it. One byte may be a letter of two.
            0x0207 => bytes += 2 * length,
            0x0203..=0x0205 | 0x00D6 | 0x027E | 0x00FD | 0x00BD | 0x0006 => {
                let Some((row, column)) = u16_at(record, 0).zip(u16_at(record, 2)) else { continue };
                // A run of numbers has six bytes for each.
                let more = if kind == 0x00BD { record.len().saturating_sub(12) / 6 } else { 0 };
                let (row, first) = (u64::from(row), u64::from(column));
                let last = first.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
                values.add(row, first, last);
                bytes += match kind {
                    0x0204 | 0x00D6 => 2 * length,
                    0x00FD => u32_at(record, 6).map_or(0, |text| texts.length(text)),
                    0x0006 => length / NAME_PIECE_BYTES * name,
                    _ => 0,
                };
                if kind == 0x0006 {
                    formulas.add(row, first, last);
                }
            }
            _ => {}
        }
    }
    let cells = values.cells().saturating_add(formulas.cells());
    Ok(Room { cells, bytes: bytes.saturating_add(cells.saturating_mul(CELL_BYTES)), walked })
}

/// Looks at the size that a sheet claims, for which room is made at once.
fn claimed(record: &[u8]) -> Result<(), Stop> {
    let short = |at| u16_at(record, at).map_or(0, u32::from);
    let (from, to, mut left, right) = if record.len() == 10 {
        (short(0), short(2), short(4), short(6))
    } else {
        (u32_at(record, 0).unwrap_or(0), u32_at(record, 4).unwrap_or(0), short(8), short(10))
    };
    if left > 0xFF || right < left {
        left = 0;
    }
    let cells = u64::from(to.wrapping_sub(from)).saturating_mul(u64::from(right - left));
    if to > 0 && right > 0 && cells > MAX_CLAIMED { Err(Stop::Cells(cells)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
