//! What an XLS would become in memory: the library that reads it follows the chains of its sectors however long they are,
//! and makes room for every cell between the first and the last.

/// Cells between the first and the last of all sheets, formulas besides: each takes 24 bytes.
const MAX_CELLS: u64 = 6_000_000;
/// Cells that a sheet claims to have, which costs nothing as long as there is such a sheet: 65 536 rows of 256.
const MAX_CLAIMED: u64 = 65_536 * 256;
/// Bytes of a mini sector, and of the smallest stream that has none.
const MINI_BYTES: usize = 64;
const SMALLEST_BYTES: usize = 4_096;
/// Sectors end with this one.
const END: u32 = 0xFFFF_FFFE;
/// Numbers of sectors lie below, in the list of the table's sectors.
const NO_SECTOR: u32 = 0xFFFF_FFFC;

/// Why an XLS is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its sectors cannot be followed.
    Chain,
    /// So many cells.
    Cells(u64),
}

/// Looks at a whole file before the library does.
pub(super) fn check(file: &[u8]) -> Result<(), Stop> {
    let stream = workbook(file).ok_or(Stop::Chain)?;
    let mut cells = 0_u64;
    for sheet in sheets(&stream) {
        cells = cells.saturating_add(room(stream.get(sheet..).unwrap_or_default())?);
        if cells > MAX_CELLS {
            return Err(Stop::Cells(cells));
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

/// The stream of the workbook in a compound file [MS-CFB].
fn workbook(file: &[u8]) -> Option<Vec<u8>> {
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

/// The cells that a sheet takes in memory.
fn room(sheet: &[u8]) -> Result<u64, Stop> {
    let (mut values, mut formulas) = (Around::default(), Around::default());
    // Charts inside a sheet are none of it.
    let mut depth = 0_u32;
    for (kind, record) in records(sheet) {
        match kind {
            0x0809 => depth += 1,
            0x000A if depth <= 1 => break,
            0x000A => depth -= 1,
            _ if depth > 1 => {}
            0x0200 => claimed(record)?,
            0x0203..=0x0205 | 0x00D6 | 0x027E | 0x00FD | 0x00BD | 0x0006 => {
                let Some((row, column)) = u16_at(record, 0).zip(u16_at(record, 2)) else { continue };
                // A run of numbers has six bytes for each.
                let more = if kind == 0x00BD { record.len().saturating_sub(12) / 6 } else { 0 };
                let (row, first) = (u64::from(row), u64::from(column));
                let last = first.saturating_add(u64::try_from(more).unwrap_or(u64::MAX));
                values.add(row, first, last);
                if kind == 0x0006 {
                    formulas.add(row, first, last);
                }
            }
            _ => {}
        }
    }
    Ok(values.cells().saturating_add(formulas.cells()))
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
