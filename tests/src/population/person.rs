//! What a member's line says beyond who they are: school, work, health. Every skip rule of the form holds.

use super::{
    dice::Dice,
    household::{AGES_AT, Seat},
    row::Value,
};

/// School, work and health of one member.
pub(super) struct Life {
    school: [Option<u8>; 4],
    work: [Option<u8>; 3],
    business: [Option<u8>; 6],
    health: Health,
}

struct Health {
    nutrition: Option<u8>,
    difficulties: [Option<u8>; 10],
    disease: u8,
}

/// Highest certificate by wealth, from rich to poor; 23 is none.
const CERTIFICATES: [u8; 14] = [19, 19, 18, 13, 13, 15, 13, 13, 8, 8, 3, 3, 3, 23];
/// What each certificate is built on.
const BEFORE: [(u8, u8); 6] = [(21, 19), (19, 13), (18, 13), (13, 8), (15, 8), (8, 3)];

impl Life {
    pub(super) fn new(dice: &mut Dice, seat: Seat, wealth: u32) -> Self {
        let age = AGES_AT - seat.year;
        let school = school(dice, age, wealth);
        let pupil = school[0] == Some(2);
        let work = work(dice, age, seat.female, pupil, wealth, school[3]);
        Self { school, work, business: business(dice, age, work, wealth), health: health(dice, age) }
    }

    /// The columns from `partisipasi_sekolah` to `penyakit_kronis`.
    pub(super) fn values(&self) -> impl Iterator<Item = Value> + '_ {
        let health = &self.health;
        let codes = self.school.iter().chain(&self.work).chain(&self.business);
        let codes = codes.chain(std::iter::once(&health.nutrition)).chain(&health.difficulties);
        codes.copied().chain([Some(health.disease)]).map(Value::code)
    }

    /// Occupation in Dukcapil's words.
    pub(super) fn occupation(&self, seat: Seat) -> &'static str {
        match (self.work[1], self.work[2]) {
            (_, Some(5)) => "PEGAWAI NEGERI SIPIL",
            (Some(1..=3 | 5 | 6), Some(6)) => "BURUH TANI/PERKEBUNAN",
            (Some(1..=3 | 5 | 6), _) => "PETANI/PEKEBUN",
            (Some(4), _) => "NELAYAN/PERIKANAN",
            (_, Some(7)) => "BURUH HARIAN LEPAS",
            (_, Some(4)) => "KARYAWAN SWASTA",
            (Some(12), _) => "PEDAGANG",
            (Some(_), _) => "WIRASWASTA",
            _ if self.school[0] == Some(2) => "PELAJAR/MAHASISWA",
            _ if seat.female && seat.marriage != 1 => "MENGURUS RUMAH TANGGA",
            _ => "BELUM/TIDAK BEKERJA",
        }
    }

    /// Highest certificate in Dukcapil's words.
    pub(super) fn education(&self) -> &'static str {
        match self.school {
            [.., Some(3)] => "TAMAT SD/SEDERAJAT",
            [.., Some(8)] => "SLTP/SEDERAJAT",
            [.., Some(13 | 15)] => "SLTA/SEDERAJAT",
            [.., Some(18)] => "AKADEMI/DIPLOMA III/S. MUDA",
            [.., Some(19)] => "DIPLOMA IV/STRATA I",
            [.., Some(21)] => "STRATA II",
            [Some(2 | 3), ..] => "BELUM TAMAT SD/SEDERAJAT",
            _ => "TIDAK/BELUM SEKOLAH",
        }
    }
}

fn before(certificate: u8) -> u8 {
    BEFORE.iter().find(|(level, _)| *level == certificate).map_or(23, |(_, before)| *before)
}

/// Participation, level, class, certificate; the last three only for who ever went to school (R-E1).
fn school(dice: &mut Dice, age: i16, wealth: u32) -> [Option<u8>; 4] {
    let class = |age: i16, start: i16| u8::try_from(age - start).expect("a class");
    let pupil = |level: u8, class: u8| [Some(2), Some(level), Some(class), Some(before(level))];
    let left = |level: u8, class: u8, has: u8| [Some(3), Some(level), Some(class), Some(has)];
    match age {
        ..5 => [None; 4],
        5 | 6 => [Some(1), None, None, None],
        7..=12 => pupil(3, class(age, 6)),
        13..=15 if dice.chance(970) => pupil(8, class(age, 12)),
        13..=15 => left(3, 8, 3),
        16..=18 if dice.chance(600 + wealth / 3) => pupil(dice.pick(&[13, 13, 15]), class(age, 15)),
        16..=18 => left(8, 8, 8),
        19..=22 if dice.chance(wealth / 2) => pupil(19, class(age, 18)),
        _ if age > 60 && dice.chance(150) => [Some(1), None, None, None],
        _ => {
            let reached = dice.graded(wealth, &CERTIFICATES);
            let reached = match reached {
                18 | 19 if age < 24 => 13,
                19 if dice.chance(90) => 21,
                _ => reached,
            };
            if reached == 23 {
                left(3, dice.code(1, 5), 23)
            } else if reached != 3 && dice.chance(80) {
                left(reached, 1, before(reached))
            } else {
                left(reached, 8, reached)
            }
        }
    }
}

/// Works, field of work, position; the last two only for who works (R-W1).
fn work(
    dice: &mut Dice,
    age: i16,
    female: bool,
    pupil: bool,
    wealth: u32,
    has: Option<u8>,
) -> [Option<u8>; 3] {
    let share = match (age, female) {
        (..5, _) => return [None; 3],
        (..17, _) => 0,
        (17..=24, _) => 450,
        (25..=60, false) => 900,
        (25..=60, true) => 520,
        (_, false) => 500,
        (_, true) => 250,
    };
    if pupil || !dice.chance(share) {
        return [Some(2), None, None];
    }
    let learned = matches!(has, Some(18..=22));
    let (field, position) = if learned && dice.chance(600) {
        (dice.pick(&[20, 21, 22, 16]), dice.pick(&[5, 5, 4]))
    } else if dice.chance(650 - wealth / 2) {
        (dice.pick(&[1, 1, 1, 2, 3, 4, 5]), dice.pick(&[1, 1, 2, 6, 6, 8]))
    } else {
        (dice.pick(&[8, 11, 12, 12, 12, 13, 14, 24]), dice.pick(&[1, 2, 3, 4, 4, 4, 7]))
    };
    [Some(1), Some(field), Some(position)]
}

/// Owns a business, how many, field, paid and unpaid workers, turnover; the last five only for owners (R-W2).
fn business(dice: &mut Dice, age: i16, work: [Option<u8>; 3], wealth: u32) -> [Option<u8>; 6] {
    let owner = matches!(work[2], Some(1..=3)) && dice.chance(850);
    if age < 5 || !owner {
        return [(age >= 5).then_some(2), None, None, None, None, None];
    }
    let paid = if work[2] == Some(3) { dice.code(1, 6) } else { 0 };
    let unpaid = if work[2] == Some(2) { dice.code(1, 3) } else { 0 };
    let turnover = dice.graded(wealth, &[4, 3, 2, 2, 1, 1, 1, 1]);
    let many = if dice.chance(40) { 2 } else { 1 };
    [Some(1), Some(many), work[1], Some(paid), Some(unpaid), Some(turnover)]
}

/// Nutrition below 5, six difficulties from 2, the other four from 5 (R-H1), diseases always.
fn health(dice: &mut Dice, age: i16) -> Health {
    let nutrition = (age < 5).then(|| dice.weighted(&[(4, 1), (14, 2), (72, 3), (10, 8)]));
    let weak = if age > 60 { 120 } else { 12 };
    let difficulties = std::array::from_fn(|nth| {
        let asked = if nth < 6 { age >= 2 } else { age >= 5 };
        asked.then(|| if dice.chance(weak) { dice.weighted(&[(6, 1), (18, 2), (76, 3)]) } else { 4 })
    });
    let sick = if age > 50 { 280 } else { 25 };
    let disease =
        if dice.chance(sick) { dice.pick(&[2, 2, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 10, 13, 18]) } else { 1 };
    Health { nutrition, difficulties, disease }
}
