//! The same people later: some lines have changed.

use super::{
    Population,
    dice::{Dice, Purpose},
    family::Family,
    row::{Row, Value},
};

/// A round of changes: every line changes with this chance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    number: u32,
    per_mille: u32,
}

impl Population {
    /// The same people after a round that changed 1 % of the lines (see [`Population::changed_by`]).
    #[must_use]
    pub fn changed(&self, round: u32) -> Self {
        self.changed_by(round, 10)
    }

    /// The same people after one more round, which changed so many lines in a thousand: floor area and walls of a
    /// family, field of work of a member who works, chronic disease of one who does not. Who they are stays.
    ///
    /// Rounds add up: `p.changed(1).changed(2)` differs from `p.changed(1)` by round 2 only.
    #[must_use]
    pub fn changed_by(&self, round: u32, per_mille: u32) -> Self {
        let mut later = self.clone();
        later.rounds.push(Round { number: round, per_mille });
        later
    }

    /// The lines of family n that the last round changed: `None` its own, `Some(i)` that of member i.
    pub fn changed_lines(&self, n: u64) -> Vec<Option<usize>> {
        let Some(&round) = self.rounds.last() else { return Vec::new() };
        let residents = super::family::generate(self, n).members.len();
        self.lines_of(round, n, residents)
    }

    fn lines_of(&self, round: Round, n: u64, members: usize) -> Vec<Option<usize>> {
        let seed = self.seed ^ (u64::from(round.number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut dice = Dice::new(seed, self.region.number(), n, Purpose::Change);
        let lines = std::iter::once(None).chain((0..members).map(Some));
        lines.filter(|_| dice.chance(round.per_mille)).collect()
    }

    pub(super) fn apply_rounds(&self, family: &mut Family) {
        for &round in &self.rounds {
            for line in self.lines_of(round, family.number, family.members.len()) {
                match line {
                    None => change_family(&mut family.keluarga),
                    Some(member) => change_member(&mut family.members[member].anggota),
                }
            }
        }
    }
}

fn change_family(row: &mut Row) {
    let next = |row: &Row, column: &str, step: u64, last: u64| {
        let now = row.number(column).expect("every family has one");
        Value::Number((now - 1 + step) % last + 1)
    };
    let area = next(row, "luas_lantai", 9, 300);
    row.set("luas_lantai", area);
    let walls = next(row, "jenis_dinding_terluas", 1, 7);
    row.set("jenis_dinding_terluas", walls);
}

fn change_member(row: &mut Row) {
    if let Some(field) = row.number("lapangan_usaha_dari_pekerjaan_utama") {
        row.set("lapangan_usaha_dari_pekerjaan_utama", Value::Number(field % 24 + 1));
    } else {
        let healthy = row.number("penyakit_kronis") == Some(1);
        row.set("penyakit_kronis", Value::Number(if healthy { 2 } else { 1 }));
    }
}
