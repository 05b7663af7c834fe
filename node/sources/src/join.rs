//! What several sheets of a questionnaire say of one family: one record, of which the last row has everything.

use std::collections::{BTreeMap, HashMap};

use dtsen_proto::{
    column::Column,
    record::{Day, Value},
};

use crate::record::{Record, Told};

/// Families of which something waits for their last row, about 1 kB each. Of more, each row is a record of its own.
const MAX_WAITING: usize = 100_000;

/// Bytes of a family in memory, with what keeps it.
const FAMILY_BYTES: usize = 24;

/// What the rows before the last one say of a family.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parts {
    /// Digests of these rows.
    pub(crate) digests: Vec<[u8; 16]>,
    values: Vec<(Column, Value)>,
    asked: Option<Day>,
    told: Vec<Told>,
}

impl Parts {
    fn add(&mut self, record: Record, digest: [u8; 16]) {
        self.digests.push(digest);
        self.values.extend(record.values);
        self.asked = record.asked.or(self.asked);
        self.told.extend(record.told);
    }

    /// Puts them beside what the last row says; a value of a later row counts.
    pub(crate) fn join(&self, record: &mut Record) {
        for (column, value) in self.values.iter().rev() {
            record.values.entry(*column).or_insert_with(|| value.clone());
        }
        record.asked = record.asked.or(self.asked);
        let told = self.told.iter().filter(|told| !record.told.contains(told)).cloned();
        let told: Vec<Told> = told.collect();
        record.told.extend(told);
    }
}

/// What a row is beside the others of its family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A later row on another sheet will have what this one says.
    Part,
    /// It has what the others say.
    Last,
    /// Too much waits already.
    Alone,
}

/// Families and the sheets that they stand on.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// The place of the last row, by No. KK; the first reading finds it.
    last: BTreeMap<u64, u64>,
    waiting: HashMap<u64, Parts>,
}

impl Joined {
    /// Bytes that it takes in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.last.len() * FAMILY_BYTES
    }

    /// First reading: a row of a family.
    pub(crate) fn note(&mut self, number: u64, at: u64) {
        self.last.insert(number, at);
    }

    /// Later readings: what a row is that counts on its sheet.
    pub(crate) fn place(&self, number: u64, at: u64) -> Place {
        let room = || self.waiting.len() < MAX_WAITING || self.waiting.contains_key(&number);
        match self.last.get(&number) {
            Some(last) if at < *last && room() => Place::Part,
            Some(last) if at < *last => Place::Alone,
            _ => Place::Last,
        }
    }

    /// Keeps what a row says for the last one.
    pub(crate) fn keep(&mut self, number: u64, record: Record, digest: [u8; 16]) {
        self.waiting.entry(number).or_default().add(record, digest);
    }

    /// What the rows before the last one said.
    pub(crate) fn take(&mut self, number: u64) -> Option<Parts> {
        self.waiting.remove(&number)
    }

    /// Begins a reading from the first row.
    pub(crate) fn begin(&mut self) {
        self.waiting.clear();
    }
}
