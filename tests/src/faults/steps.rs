//! The fault matrix: every step that is kept fails both ways, not stored, and stored but not reported.
//!
//! On SQLite the process is killed at each of its flushes, by strace's hand: what it was about to flush stays, or loses
//! its last byte as if it had never been written. On PostgreSQL the process lives on: its connection breaks before the
//! server hears of the commit, or after the server did it and before the answer comes.

pub mod commits;
pub mod killed;

use std::{collections::BTreeMap, fmt};

/// How a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Nothing of it is there.
    NotStored,
    /// All of it is there, and nobody was told.
    NotReported,
}

impl Way {
    /// Both.
    pub const ALL: [Self; 2] = [Self::NotStored, Self::NotReported];
}

/// How often each step failed, by its name: not stored, and not reported.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Matrix(pub BTreeMap<String, [u32; 2]>);

impl Matrix {
    /// Counts a failure.
    pub fn add(&mut self, step: &str, way: Way) {
        self.0.entry(step.to_owned()).or_default()[way as usize] += 1;
    }

    /// Steps that failed both ways.
    pub fn both(&self) -> usize {
        self.0.values().filter(|ways| ways.iter().all(|times| *times > 0)).count()
    }
}

impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "not stored / not reported:")?;
        self.0.iter().try_for_each(|(step, [stored, told])| writeln!(f, "{stored:>5} {told:>5}  {step}"))
    }
}
