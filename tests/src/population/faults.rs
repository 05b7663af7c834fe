//! Faults of real files, put into chosen lines.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Population,
    dice::{Dice, Purpose},
    family::{Family, Member},
    household::Relation,
    row::Value,
    truth::{File, SeenBy},
};

/// What is wrong with a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// `3,40413E+15`: a spreadsheet took the NIK for a number and showed it short.
    NikScientific,
    /// `5271011404909010.0`: a number without quotes, its sixteenth digit lost to 0.
    NikLastDigitZero,
    /// The last digit is missing.
    NikShort,
    /// No NIK.
    NikMissing,
    /// Another day of birth than the NIK has.
    BirthDiffers,
    /// Another sex than the NIK has.
    SexDiffers,
    /// A marriage status that no list has.
    MemberCodeRange,
    /// A floor that no list has.
    FamilyCodeRange,
    /// Thousands of cows.
    CountRange,
    /// `17/08/80`: two digits of the year, no ISO date.
    DateForm,
    /// `1980-02-31`.
    DateImpossible,
    /// A village name that no list has.
    VillageMisspelt,
    /// A byte inside the name that is no UTF-8.
    ByteBroken,
    /// The line ends after half of its fields.
    HalfRow,
    /// The line ends inside a quoted name; who reads by quotes loses the next line as well.
    QuoteOpen,
    /// A person of another region; see [`Population::with_guest`].
    ListedElsewhere,
    /// A line older than one that the hub has; see [`super::write_older`].
    Older,
}

pub(super) struct Facts {
    pub(super) code: &'static str,
    pub(super) file: File,
    pub(super) seen_by: SeenBy,
    pub(super) warning: bool,
    /// Whether the region can put it right from its own papers.
    fixable: bool,
}

impl FaultKind {
    /// The kinds that [`Faults`] can plan: those that a node can see.
    pub const IN_FILE: [Self; 15] = [
        Self::NikScientific,
        Self::NikLastDigitZero,
        Self::NikShort,
        Self::NikMissing,
        Self::BirthDiffers,
        Self::SexDiffers,
        Self::MemberCodeRange,
        Self::FamilyCodeRange,
        Self::CountRange,
        Self::DateForm,
        Self::DateImpossible,
        Self::VillageMisspelt,
        Self::ByteBroken,
        Self::HalfRow,
        Self::QuoteOpen,
    ];

    pub(super) fn facts(self) -> Facts {
        let (code, file) = match self {
            Self::NikScientific | Self::NikLastDigitZero => ("NIK_AS_NUMBER", File::Anggota),
            Self::NikShort => ("NIK_FORMAT", File::Anggota),
            Self::NikMissing => ("NIK_MISSING", File::Anggota),
            Self::BirthDiffers => ("NIK_BIRTH_DIFFERS", File::Anggota),
            Self::SexDiffers => ("NIK_SEX_DIFFERS", File::Anggota),
            Self::MemberCodeRange => ("CODE_RANGE", File::Anggota),
            Self::FamilyCodeRange => ("CODE_RANGE", File::Keluarga),
            Self::CountRange => ("COUNT_RANGE", File::Keluarga),
            Self::DateForm | Self::DateImpossible => ("DATE_FORMAT", File::Anggota),
            Self::VillageMisspelt => ("VILLAGE_UNRESOLVED", File::Keluarga),
            Self::ByteBroken => ("BYTES_BROKEN", File::Anggota),
            Self::HalfRow | Self::QuoteOpen => ("ROW_BROKEN", File::Anggota),
            Self::ListedElsewhere => ("CLAIMED_ELSEWHERE", File::Anggota),
            Self::Older => ("STALE", File::Anggota),
        };
        let hub = matches!(self, Self::ListedElsewhere | Self::Older);
        Facts {
            code,
            file,
            seen_by: if hub { SeenBy::Hub } else { SeenBy::Node },
            warning: matches!(self, Self::BirthDiffers | Self::SexDiffers),
            fixable: !hub && self != Self::NikMissing,
        }
    }

    /// The reason code to expect.
    pub fn code(self) -> &'static str {
        self.facts().code
    }

    fn suits(self, member: &Member) -> bool {
        match self {
            // A serial that ends in 0 would be left as it is.
            Self::NikLastDigitZero => !member.person.nik.ends_with('0'),
            // Other rules look at the sexes of head and spouse.
            Self::SexDiffers => member.person.relation == Relation::Child,
            _ => true,
        }
    }
}

/// How many lines get which fault, chosen by a seed.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    seed: u64,
    counts: BTreeMap<FaultKind, u64>,
    repaired: bool,
}

/// Which family has which fault, and in which member.
pub(super) type Plan = BTreeMap<u64, (FaultKind, usize)>;

impl Faults {
    /// A clean file.
    pub fn none() -> Self {
        Self::default()
    }

    /// A plan that chooses by this seed, with nothing in it yet.
    pub fn seeded(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// Every kind that a node can see, so many times each.
    pub fn every(seed: u64, each: u64) -> Self {
        FaultKind::IN_FILE.into_iter().fold(Self::seeded(seed), |faults, kind| faults.with(kind, each))
    }

    /// So many faults of a kind; each falls on a family of its own. Kinds that only the hub sees are refused.
    #[must_use]
    pub fn with(mut self, kind: FaultKind, count: u64) -> Self {
        assert!(FaultKind::IN_FILE.contains(&kind), "{kind:?} is no fault of one file");
        self.counts.insert(kind, count);
        self
    }

    /// The same choices after the region has put right what it can; a missing NIK stays missing.
    #[must_use]
    pub fn fixed(&self) -> Self {
        Self { repaired: true, ..self.clone() }
    }

    pub(super) fn plan(&self, population: &Population) -> Plan {
        let total: u64 = self.counts.values().sum();
        assert!(total * 4 <= population.families, "{total} faults need {} families", total * 4);
        let mut dice = Dice::new(self.seed, population.region.number(), 1, Purpose::Plan);
        let mut taken: BTreeSet<u64> = population.guests.keys().copied().collect();
        let mut plan = Plan::new();
        for (&kind, &count) in &self.counts {
            let mut left = count;
            let mut tries = count * 200;
            while left > 0 {
                assert!(tries > 0, "too few families suit {kind:?}");
                tries -= 1;
                let n = dice.below_u64(population.families);
                let pick = dice.below(u32::MAX) as usize;
                if taken.contains(&n) {
                    continue;
                }
                let family = population.family(n);
                let suitable: Vec<usize> =
                    (0..family.members.len()).filter(|&at| kind.suits(&family.members[at])).collect();
                if !suitable.is_empty() {
                    taken.insert(n);
                    plan.insert(n, (kind, suitable[pick % suitable.len()]));
                    left -= 1;
                }
            }
        }
        plan.retain(|_, (kind, _)| !(self.repaired && kind.facts().fixable));
        plan
    }
}

/// Puts the fault into the line; gives the column. Broken lines are broken by the writer.
pub(super) fn apply(kind: FaultKind, family: &mut Family, member: usize) -> &'static str {
    let person = family.members[member].person.clone();
    let nik = person.nik.as_str();
    let (column, value) = match kind {
        FaultKind::NikScientific => {
            let text = format!("{},{}E+15", &nik[..1], &nik[1..6]);
            ("nomor_induk_kependudukan", Value::text(text))
        }
        FaultKind::NikLastDigitZero => {
            ("nomor_induk_kependudukan", Value::Bare(format!("{}0.0", &nik[..15])))
        }
        FaultKind::NikShort => ("nomor_induk_kependudukan", Value::text(&nik[..15])),
        FaultKind::NikMissing => ("nomor_induk_kependudukan", Value::Empty),
        FaultKind::BirthDiffers => {
            let mut birth = person.birth;
            birth.day = if birth.day < 28 { birth.day + 1 } else { birth.day - 1 };
            ("tanggal_lahir", Value::text(birth.iso()))
        }
        FaultKind::SexDiffers => ("jenis_kelamin", Value::Number(if person.female { 1 } else { 2 })),
        FaultKind::MemberCodeRange => ("status_kawin", Value::Number(77)),
        FaultKind::FamilyCodeRange => ("jenis_lantai_terluas", Value::Number(77)),
        FaultKind::CountRange => ("jumlah_ternak_sapi", Value::Number(5_000)),
        FaultKind::DateForm => {
            let birth = person.birth;
            let text = format!("{:02}/{:02}/{:02}", birth.day, birth.month, birth.year % 100);
            ("tanggal_lahir", Value::text(text))
        }
        FaultKind::DateImpossible => ("tanggal_lahir", Value::text(format!("{}-02-31", person.birth.year))),
        FaultKind::VillageMisspelt => {
            ("kelurahan_desa", Value::text(misspelt(&family.keluarga.text("kelurahan_desa"))))
        }
        FaultKind::ByteBroken => {
            let mut bytes = person.name.into_bytes();
            bytes.insert(1, 0xFF);
            ("nama", Value::Bytes(bytes))
        }
        FaultKind::HalfRow | FaultKind::QuoteOpen => return "",
        FaultKind::ListedElsewhere | FaultKind::Older => unreachable!("no plan holds these"),
    };
    match kind.facts().file {
        File::Keluarga => family.keluarga.set(column, value),
        File::Anggota => family.members[member].anggota.set(column, value),
    }
    column
}

/// Far from every village name.
fn misspelt(name: &str) -> String {
    let turned: String = name.chars().rev().filter(|letter| letter.is_alphanumeric()).collect();
    format!("{turned}XQ")
}
