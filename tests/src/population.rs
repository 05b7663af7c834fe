//! An invented population for demonstrations, tests and measurements, and the DTSEN v3 files that carry it.
//!
//! Family n follows from (seed, region, n) alone, so files of any size are streamed and any family can be made
//! again. No number or name is taken from a person; every serial is 9001 or above, so invented people can be told.
//! Without faults no rule of the form finds anything, at any reference date in 2026.

mod change;
mod dice;
mod family;
mod faults;
mod household;
mod housing;
mod name_lists;
mod names;
mod number;
mod person;
mod row;
mod truth;
mod village;
mod writer;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use dtsen_proto::{region::Region, rulebook::Rulebook};

use self::{
    change::Round,
    dice::{Dice, Purpose},
    number::{FAMILIES_PER_KECAMATAN, Position},
    village::{Kecamatan, Place},
};
pub use self::{
    family::{Family, Member, Person},
    faults::{FaultKind, Faults},
    household::{AGES_AT, Relation},
    number::Day,
    row::{ANGGOTA, KELUARGA, Row, Value},
    truth::{File, SeenBy, Truth, TruthEntry},
    village::{VillageName, villages, villages_of},
    writer::{FileOptions, FilePair, Pbi, write_csv_semicolon, write_older, write_pair, write_some},
};

/// The families of one region.
#[derive(Debug, Clone)]
pub struct Population {
    seed: u64,
    region: Region,
    places: Arc<Vec<Place>>,
    kecamatan: Arc<Vec<Kecamatan>>,
    families: u64,
    rounds: Vec<Round>,
    guests: BTreeMap<u64, Vec<Member>>,
}

impl Population {
    /// So many families over these villages, one after the other; family n is the same for every total.
    ///
    /// Panics if a village lies outside the kab/kota, or if a kecamatan would need more than 97,090 families.
    pub fn new(seed: u64, region: Region, mut villages: Vec<VillageName>, families: u64) -> Self {
        assert!(region.is_regency() && !villages.is_empty(), "a kab/kota with villages");
        villages.sort_by(|a, b| a.code.cmp(&b.code));
        villages.dedup_by(|a, b| a.code == b.code);
        for village in &villages {
            assert!(region.contains(&village.code), "{} is not in {region}", village.code);
        }
        let (places, kecamatan) = village::places(&villages);
        let rounds = families.div_ceil(places.len() as u64);
        for kecamatan in &kecamatan {
            let needed = rounds * kecamatan.villages;
            assert!(needed <= FAMILIES_PER_KECAMATAN, "too many families for {}", kecamatan.prefix);
        }
        Self {
            seed,
            region,
            places: Arc::new(places),
            kecamatan: Arc::new(kecamatan),
            families,
            rounds: Vec::new(),
            guests: BTreeMap::new(),
        }
    }

    /// About how many families hold so many people.
    pub fn families_for(members: u64) -> u64 {
        members * 1000 / 3035
    }

    /// The region they live in.
    pub fn region(&self) -> Region {
        self.region
    }

    /// How many families there are.
    pub fn families(&self) -> u64 {
        self.families
    }

    /// Family n, from 0, as a file without faults shows it.
    pub fn family(&self, n: u64) -> Family {
        assert!(n < self.families, "there are {} families", self.families);
        let mut family = family::generate(self, n);
        self.apply_rounds(&mut family);
        for guest in self.guests.get(&n).into_iter().flatten() {
            family.add_guest(guest);
        }
        family
    }

    /// All families in order.
    pub fn iter(&self) -> impl Iterator<Item = Family> + '_ {
        (0..self.families).map(|n| self.family(n))
    }

    /// The same, with a person of another region listed in family n as well; the hub sees one NIK in two regions.
    #[must_use]
    pub fn with_guest(mut self, n: u64, guest: &Member) -> Self {
        assert!(n < self.families, "there are {} families", self.families);
        assert_ne!(guest.person.region, self.region, "a guest is from another region");
        self.guests.entry(n).or_default().push(guest.clone());
        self
    }

    /// The same, with so many people of another population listed here as well, each in a family of its own.
    #[must_use]
    pub fn with_guests_from(mut self, other: &Self, count: u64) -> Self {
        assert!(count * 2 <= self.families.min(other.families), "too many guests");
        let mut dice = self.dice(0, Purpose::Plan);
        let (first_host, first_guest) = (dice.below_u64(self.families), dice.below_u64(other.families));
        for nth in 0..count {
            let host = (first_host + nth * (self.families / count)) % self.families;
            let family = other.family((first_guest + nth * (other.families / count)) % other.families);
            let own = family.members.iter().rfind(|member| member.person.region == other.region);
            self = self.with_guest(host, own.expect("a family has a head"));
        }
        self
    }

    fn dice(&self, number: u64, purpose: Purpose) -> Dice {
        Dice::new(self.seed, self.region.number(), number, purpose)
    }

    fn place(&self, n: u64) -> (&Place, Position) {
        let villages = self.places.len() as u64;
        let place = &self.places[usize::try_from(n % villages).expect("one of the villages")];
        let position = Position {
            region: self.region.number(),
            family: n,
            in_kecamatan: n / villages * self.kecamatan[place.kecamatan].villages + place.ordinal,
            kecamatan: place.kecamatan,
        };
        (place, position)
    }
}

/// The regions of the country, or the first of them: kab/kota, then provinces.
pub fn every_region(count: usize) -> anyhow::Result<Vec<Region>> {
    let book = Rulebook::builtin();
    let areas = book.wilayah();
    let below = areas.provinces().flat_map(|(province, _)| areas.children(province));
    let codes = below.chain(areas.provinces()).take(count).map(|(code, _)| code.parse());
    let regions: Vec<Region> = codes.collect::<Result<_, _>>()?;
    anyhow::ensure!(regions.len() == count, "there are {} regions", regions.len());
    Ok(regions)
}
