//! Rows that have a NIK, in few bytes each: a Kabupaten has some million.

use std::collections::BTreeMap;

use jiff::civil::Date;

/// Parts in which rows are kept: what grows is one of them.
const BUCKETS: usize = 256;
/// Bytes of a row and of what is kept free for the next ones.
const ROW_BYTES: usize = size_of::<Packed>() + size_of::<Packed>() / GROWTH;
/// A bucket grows by one in so many: twice as much as is needed is too much.
const GROWTH: usize = 8;
/// Bytes of names that are kept together.
const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of a day on which a row was changed, and of its place.
const CHANGED_BYTES: usize = 32;
/// No birth date.
const NO_DAY: i32 = i32::MIN;

/// A row that has a NIK.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// Place in the order of reading.
    pub(super) at: u64,
    pub(super) name: &'a str,
    pub(super) born: Option<i32>,
    /// The NIK was issued for this birth date and sex.
    pub(super) fits: bool,
    /// The row says that it is not in force.
    pub(super) superseded: bool,
    /// When it was changed, if the source says it.
    pub(super) changed: Option<Date>,
}

/// A row as it is kept.
#[derive(Clone, Copy)]
struct Packed {
    number: u64,
    at: u32,
    born: i32,
    /// Chunk and place of the name, and its bytes.
    name: u32,
    length: u8,
    fits: bool,
    superseded: bool,
}

/// Rows, each kept by its number without the last digit.
#[derive(Default)]
pub(super) struct Kept {
    buckets: Vec<Vec<Packed>>,
    rows: usize,
    /// Where each table begins, in the order of reading.
    tables: Vec<(u32, usize)>,
    names: Names,
    changed: BTreeMap<u32, Date>,
}

/// The rows of at most ten numbers, which differ in the last digit.
pub(super) struct Ten<'a> {
    rows: &'a [Packed],
    names: &'a Names,
    changed: &'a BTreeMap<u32, Date>,
}

impl Kept {
    pub(super) fn push(&mut self, table: usize, number: u64, seen: Seen<'_>) {
        // Fewer rows are read.
        let at = u32::try_from(seen.at).unwrap_or(u32::MAX);
        if self.tables.last().is_none_or(|(_, last)| *last != table) {
            self.tables.push((at, table));
        }
        if let Some(day) = seen.changed {
            self.changed.insert(at, day);
        }
        let (name, length) = self.names.push(seen.name);
        let born = seen.born.unwrap_or(NO_DAY);
        let Seen { fits, superseded, .. } = seen;
        self.buckets.resize_with(BUCKETS, Vec::new);
        let bucket = &mut self.buckets[bucket(number)];
        if bucket.len() == bucket.capacity() {
            bucket.reserve_exact((bucket.len() / GROWTH).max(GROWTH));
        }
        bucket.push(Packed { number, at, born, name, length, fits, superseded });
        self.rows += 1;
    }

    /// Bytes that it takes in memory.
    pub(super) fn bytes(&self) -> usize {
        let tables = self.tables.capacity() * size_of::<(u32, usize)>();
        self.rows * ROW_BYTES + self.names.0.len() * CHUNK_BYTES + self.changed.len() * CHANGED_BYTES + tables
    }

    /// Gives all rows but those of tables that do not count, and forgets them.
    pub(super) fn each_ten(self, leave: impl Fn(usize) -> bool, mut take: impl FnMut(Ten<'_>)) {
        let table_of = |at: u32| self.tables[self.tables.partition_point(|(from, _)| *from <= at) - 1].1;
        let leaves_any = self.tables.iter().any(|(_, table)| leave(*table));
        for mut bucket in self.buckets {
            if leaves_any {
                bucket.retain(|row| !leave(table_of(row.at)));
            }
            bucket.sort_unstable_by_key(|row| (row.number, row.at));
            for rows in bucket.chunk_by(|one, next| one.number / 10 == next.number / 10) {
                // Most numbers are one person's, once.
                if rows.len() > 1 {
                    take(Ten { rows, names: &self.names, changed: &self.changed });
                }
            }
        }
    }
}

/// Numbers that differ in the last digit stand together.
fn bucket(number: u64) -> usize {
    let mixed = (number / 10).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    usize::from(mixed[0])
}

impl<'a> Ten<'a> {
    /// The numbers, each with its rows as they were read.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (u64, impl Iterator<Item = Seen<'a>> + Clone)> {
        let (names, changed) = (self.names, self.changed);
        self.rows.chunk_by(|one, next| one.number == next.number).map(move |rows| {
            let seen = move |row: &Packed| Seen {
                at: u64::from(row.at),
                name: names.get(row.name, row.length),
                born: Some(row.born).filter(|day| *day != NO_DAY),
                fits: row.fits,
                superseded: row.superseded,
                changed: changed.get(&row.at).copied(),
            };
            (rows[0].number, rows.iter().map(seen))
        })
    }
}

/// Names, one behind the other.
#[derive(Default)]
struct Names(Vec<String>);

impl Names {
    /// Keeps a name, or of a very long one what tells it from others.
    fn push(&mut self, name: &str) -> (u32, u8) {
        let name = &name[..name.floor_char_boundary(usize::from(u8::MAX))];
        if self.0.last().is_none_or(|chunk| chunk.len() + name.len() > CHUNK_BYTES - 1) {
            self.0.push(String::with_capacity(CHUNK_BYTES));
        }
        let chunk = self.0.len() - 1;
        let place = chunk * CHUNK_BYTES + self.0[chunk].len();
        self.0[chunk].push_str(name);
        let length = u8::try_from(name.len()).expect("cut to as many");
        (u32::try_from(place).expect("less is kept than 4 GB"), length)
    }

    fn get(&self, place: u32, length: u8) -> &str {
        let place = usize::try_from(place).expect("32 bits fit");
        let (chunk, from) = (place / CHUNK_BYTES, place % CHUNK_BYTES);
        &self.0[chunk][from..from + usize::from(length)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_by_their_numbers() {
        let mut kept = Kept::default();
        let changed = Some(jiff::civil::date(2024, 1, 2));
        let long = "É".repeat(200);
        for (number, at, name, changed) in [
            (1_013, 7, "SITI", None),
            (1_010, 5, "BUDI", changed),
            (1_010, 3, long.as_str(), None),
            (1_020, 1, "ANI", None),
        ] {
            kept.push(0, number, Seen { at, name, born: None, fits: true, superseded: false, changed });
        }
        let mut found = Vec::new();
        kept.each_ten(
            |_| false,
            |ten| {
                for (number, rows) in ten.numbers() {
                    found.extend(rows.map(|row| (number, row.at, row.name.chars().count(), row.changed)));
                }
            },
        );
        assert_eq!(found, [(1_010, 3, 127, None), (1_010, 5, 4, changed), (1_013, 7, 4, None)]);
    }

    #[test]
    fn rows_of_a_table_are_left_out() {
        let mut kept = Kept::default();
        for (table, at) in [(0, 1), (0, 2), (1, 3), (1, 4), (0, 5), (2, 6)] {
            let seen = Seen { at, name: "ANI", born: None, fits: true, superseded: false, changed: None };
            kept.push(table, 1_010, seen);
        }
        let mut found = Vec::new();
        kept.each_ten(
            |table| table == 0,
            |ten| {
                found.extend(ten.numbers().flat_map(|(_, rows)| rows.map(|row| row.at)));
            },
        );
        assert_eq!(found, [3, 4, 6]);
    }

    #[test]
    fn a_million_people_take_less_than_fifty_megabytes() {
        let mut kept = Kept::default();
        for at in 0..1_000_000 {
            let name = format!("SITI AMINAH {at}");
            kept.push(
                0,
                at,
                Seen { at, name: &name, born: Some(5), fits: true, superseded: false, changed: None },
            );
        }
        let held: usize = kept.buckets.iter().map(|bucket| bucket.capacity() * size_of::<Packed>()).sum();
        assert!(held <= kept.rows * ROW_BYTES + BUCKETS * GROWTH * size_of::<Packed>());
        assert!(kept.bytes() < 50_000_000, "{}", kept.bytes());
    }
}
