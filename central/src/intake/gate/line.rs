//! The line at the gate: pure.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, HashMap},
};

use dtsen_proto::region::Region;

/// Calls that are served at once: enough to share the database's commits, few enough that each is quick.
pub(super) const AT_ONCE: usize = 16;
/// Calls in line: as many as are served in about this time, at the pace of the last ones, so that nobody waits much longer.
const IN_LINE_MS: f64 = 500.0;
/// But not more, so that a hub that was fast is not full of bodies when it becomes slow; nor fewer, so that it never waits
/// for somebody to come again.
const IN_LINE: (usize, usize) = (8, 128);
/// Pace before there is one, and how much the last call weighs in it.
const FIRST_PACE_MS: f64 = 20.0;
const LAST: f64 = 0.05;
/// Calls of one region, served or in line: a chain goes on batch by batch, and a second call is one whose link broke.
const OF_REGION: usize = 2;
/// Turns that a region may have missed and still gets before the others: who was told to come again has not been away.
const CATCH_UP: u64 = 8;
/// Shortest and longest delay for who finds no place, by chance, so that they do not come back together: for who was served
/// less often than others, as often, more often. The last stay away while the first take their places; and the first must be
/// there again before the line is empty, or those who stood in it are served once more.
const COME_AGAIN_MS: [(u64, u64); 3] = [(200, 800), (200, 1_500), (1_500, 3_000)];

/// Place in line: times that the region was served while others waited, then order of arrival.
pub type Place = (u64, u64);

/// Who is served and who waits. `W` wakes one who waits; dropped, it sends them away.
pub struct Line<W> {
    arrivals: u64,
    /// Places of those who are served, with their regions.
    served: BTreeMap<u64, Region>,
    waiting: BTreeMap<Place, (Region, W)>,
    /// Turns of regions. One that stayed away long joins near the others: absence earns little.
    turns: HashMap<Region, u64>,
    turn: u64,
    /// Milliseconds between two calls that end while others wait, and when the last ended if others waited then.
    pace_ms: f64,
    ended_ms: Option<i64>,
}

/// What becomes of one who comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// At once.
    Served(Place),
    /// In line.
    Waits(Place),
    /// Sent away.
    Full,
}

impl<W> Default for Line<W> {
    /// Nobody is there.
    fn default() -> Self {
        Self {
            arrivals: 0,
            served: BTreeMap::new(),
            waiting: BTreeMap::new(),
            turns: HashMap::new(),
            turn: 0,
            pace_ms: FIRST_PACE_MS,
            ended_ms: None,
        }
    }
}

impl<W> Line<W> {
    /// Calls that are served, and those in line.
    pub fn len(&self) -> (usize, usize) {
        (self.served.len(), self.waiting.len())
    }

    /// Whether a region had fewer turns than those served now, as many, or more.
    pub fn compare(&self, region: Region) -> Ordering {
        self.turns.get(&region).copied().unwrap_or_default().cmp(&self.turn)
    }

    /// Calls that may be in line.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number above zero")]
    fn room(&self) -> usize {
        let (least, most) = IN_LINE;
        ((IN_LINE_MS / self.pace_ms) as usize).clamp(least, most)
    }

    fn of_region(&self, region: Region) -> usize {
        let waiting = self.waiting.values().map(|(region, _)| region);
        self.served.values().chain(waiting).filter(|other| **other == region).count()
    }

    fn turn_of(&self, region: Region) -> u64 {
        let had = self.turns.get(&region).copied().unwrap_or_default();
        had.max(self.turn.saturating_sub(CATCH_UP))
    }

    /// Whether a call of this region would be sent away now.
    pub fn is_full_for(&self, region: Region) -> bool {
        let last = self.waiting.last_key_value().map(|((turn, _), _)| *turn);
        let full = self.served.len() >= AT_ONCE && self.waiting.len() >= self.room();
        self.of_region(region) >= OF_REGION || full && last.is_none_or(|last| self.turn_of(region) >= last)
    }

    /// Somebody comes; `wake` is for when their turn is.
    pub fn arrive(&mut self, region: Region, wake: W) -> Arrival {
        if self.is_full_for(region) {
            return Arrival::Full;
        }
        let place = (self.turn_of(region), self.arrivals);
        self.arrivals += 1;
        if self.served.len() < AT_ONCE {
            self.serve(place, region);
            return Arrival::Served(place);
        }
        self.waiting.insert(place, (region, wake));
        if self.waiting.len() > self.room() {
            self.waiting.pop_last();
        }
        Arrival::Waits(place)
    }

    fn serve(&mut self, place: Place, region: Region) {
        self.turn = self.turn.max(place.0);
        self.turns.insert(region, place.0 + 1);
        self.served.insert(place.1, region);
    }

    /// One goes, served or not. Gives who is served next.
    pub fn leave(&mut self, place: Place, now_ms: i64) -> Option<W> {
        self.waiting.remove(&place);
        self.served.remove(&place.1)?;
        if let Some(before) = self.ended_ms {
            let interval = u32::try_from(now_ms - before).map_or(0.0, f64::from);
            self.pace_ms += LAST * (interval - self.pace_ms);
        }
        self.ended_ms = (!self.waiting.is_empty()).then_some(now_ms);
        let (next, (region, wake)) = self.waiting.pop_first()?;
        self.serve(next, region);
        Some(wake)
    }
}

/// The delay for who finds no place, by how their turns compare with the others'.
pub fn come_again_ms(turns: Ordering, random: u32) -> u64 {
    let (shortest, longest) = COME_AGAIN_MS[match turns {
        Ordering::Less => 0,
        Ordering::Equal => 1,
        Ordering::Greater => 2,
    }];
    shortest + u64::from(random) * (longest - shortest) / u64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(number: u32) -> Region {
        Region::from_number(1101 + number).expect("a region")
    }

    #[test]
    fn all_regions_at_once_stay_within_one_batch_of_one_another() {
        const REGIONS: u32 = 98;
        let mut line = Line::default();
        let mut had = [0_u32; REGIONS as usize];
        let (mut served, mut asking): (Vec<(Place, u32)>, Vec<u32>) =
            (Vec::new(), (0..REGIONS).rev().collect());
        for round in 0..10_000 {
            // Everybody who is neither served nor in line comes again and again, the same ones first.
            for number in std::mem::take(&mut asking) {
                match line.arrive(region(number), number) {
                    Arrival::Served(place) => served.push((place, number)),
                    Arrival::Waits(_) => {}
                    Arrival::Full => asking.push(number),
                }
            }
            let (place, number) = served.swap_remove(round % served.len());
            had[number as usize] += 1;
            asking.push(number);
            if let Some(next) = line.leave(place, 0) {
                let place = line.served.iter().find(|(_, of)| **of == region(next));
                let (ticket, _) = place.expect("served");
                served.push(((line.turns[&region(next)] - 1, *ticket), next));
            }
        }
        let (least, most) = (had.iter().min().expect("some"), had.iter().max().expect("some"));
        assert!(most - least <= 2, "between {least} and {most}");
    }

    #[test]
    fn a_full_line_sends_away_who_was_served_most_and_no_region_has_it_alone() {
        let mut line = Line::default();
        let mut come = |number: u32| line.arrive(region(number), number);
        assert!(matches!(come(0), Arrival::Served(_)));
        assert!(matches!(come(0), Arrival::Served(_)));
        assert_eq!(come(0), Arrival::Full, "two of one region are there");
        let room = line.room();
        let mut come = |number: u32| line.arrive(region(number), number);
        let many = u32::try_from(AT_ONCE - 2 + room).expect("small");
        for number in 1..=many {
            // Beyond the kab/kota of one province.
            let number = number / 90 * 100 + number % 90 + 1;
            assert_ne!(come(number), Arrival::Full, "{number}");
        }
        assert_eq!(line.waiting.len(), room);
        let served = *line.served.first_key_value().expect("some").0;
        line.turns.insert(region(5_000), 7);
        assert_eq!(line.arrive(region(5_000), 5_000), Arrival::Full, "it had its turns");
        assert!(
            matches!(line.arrive(region(5_001), 5_001), Arrival::Full),
            "the line is full of equals, who came before"
        );
        line.turns.insert(region(1), 3);
        let last = *line.waiting.last_key_value().expect("some").0;
        line.waiting.insert((9, last.1 + 1_000), (region(5_002), 5_002));
        line.waiting.remove(&last);
        assert!(
            matches!(line.arrive(region(5_003), 5_003), Arrival::Waits(_)),
            "in the place of one served more often"
        );
        assert!(line.waiting.values().all(|(_, number)| *number != 5_002));
        assert!(line.leave((0, served), 0).is_some());
    }

    #[test]
    fn the_line_is_as_long_as_the_pace_allows() {
        let mut line = Line::default();
        let (mut number, mut now) = (0, 0);
        let mut rooms = Vec::new();
        for pace in [2, 500, 2] {
            for _ in 0..200 {
                while let Arrival::Served(_) = line.arrive(region(number / 90 * 100 + number % 90), ()) {
                    number = (number + 1) % 4_000;
                }
                number = (number + 1) % 4_000;
                now += pace;
                let first = *line.served.first_key_value().expect("some").0;
                line.leave((0, first), now);
            }
            rooms.push(line.room());
        }
        assert_eq!(rooms, [IN_LINE.1, IN_LINE.0, IN_LINE.1]);
    }
}
