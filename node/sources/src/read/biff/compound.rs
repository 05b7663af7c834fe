//! The sectors of a compound file [MS-CFB], in which an XLS stands.

use super::{numbers, place_at, u16_at, u32_at};

/// Bytes of a mini sector, and of the smallest stream that has none.
const MINI_BYTES: usize = 64;
const SMALLEST_BYTES: usize = 4_096;
/// Sectors end with this one.
const END: u32 = 0xFFFF_FFFE;
/// Numbers of sectors lie below, in the list of the table's sectors.
const NO_SECTOR: u32 = 0xFFFF_FFFC;

/// The sectors of a file, or of its stream of small ones.
struct Sectors<'a> {
    bytes: &'a [u8],
    size: usize,
    table: Vec<u32>,
}

impl Sectors<'_> {
    fn sector(&self, sector: u32) -> Option<&[u8]> {
        let from = usize::try_from(sector).ok()?.checked_mul(self.size)?;
        // The last one may be cut.
        self.bytes.get(from..self.bytes.len().min(from.checked_add(self.size)?))
    }

    /// A chain to its end or so many bytes of it; none if it leads nowhere or goes round.
    fn chain(&self, mut sector: u32, bytes: usize) -> Option<Vec<u8>> {
        let mut chain = Vec::new();
        for _ in 0..=self.table.len() {
            if sector == END || chain.len() >= bytes {
                chain.truncate(bytes);
                return Some(chain);
            }
            chain.extend_from_slice(self.sector(sector)?);
            sector = self.table.get(usize::try_from(sector).ok()?).copied().unwrap_or(END);
        }
        None
    }
}

/// The stream of the workbook.
pub(super) fn workbook(file: &[u8]) -> Option<Vec<u8>> {
    let size = match u16_at(file, 30)? {
        9 => 512,
        12 => 4_096,
        _ => return None,
    };
    let mut sectors = Sectors { bytes: file.get(size..)?, size, table: Vec::new() };
    let mut lists: Vec<u32> = numbers(file.get(76..512)?).collect();
    let mut next = u32_at(file, 68)?;
    for _ in 0..=sectors.bytes.len() / size {
        if next >= NO_SECTOR - 2 {
            break;
        }
        lists.extend(numbers(sectors.sector(next)?));
        next = lists.pop()?;
    }
    for list in lists.into_iter().filter(|list| *list < NO_SECTOR) {
        let numbers: Vec<u32> = numbers(sectors.sector(list)?).collect();
        sectors.table.extend(numbers);
    }
    let entries = sectors.chain(u32_at(file, 48)?, usize::MAX)?;
    let place = |entry: &[u8]| u32_at(entry, 116).zip(place_at(entry, 120));
    let named = |name: &str| entries.chunks_exact(128).find(|entry| is_named(entry, name));
    let (start, bytes) = place(named("Workbook").or_else(|| named("Book"))?)?;
    let (root, minis) = place(&entries)?;
    let small = place_at(file, 64)? > 0;
    let mut mini = Sectors { bytes: &[], size: MINI_BYTES, table: Vec::new() };
    let stream = if small { sectors.chain(root, minis)? } else { Vec::new() };
    if small {
        let table = sectors.chain(u32_at(file, 60)?, place_at(file, 64)?.checked_mul(size)?)?;
        mini = Sectors { bytes: &stream, size: MINI_BYTES, table: numbers(&table).collect() };
    }
    if bytes < SMALLEST_BYTES { mini.chain(start, bytes) } else { sectors.chain(start, bytes) }
}

fn is_named(entry: &[u8], name: &str) -> bool {
    let letters = entry.chunks_exact(2).map(|two| u16::from_le_bytes([two[0], two[1]]));
    let letters = char::decode_utf16(letters.take(32)).map_while(Result::ok);
    letters.take_while(|letter| *letter != '\0').collect::<String>().eq_ignore_ascii_case(name)
}
