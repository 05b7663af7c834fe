//! Who lives in a family: relations, sexes, years of birth, marriages.

use super::dice::Dice;

/// Year whose last day the ages are counted at. Nobody is born later.
pub const AGES_AT: i16 = 2025;
/// Whoever was born then would pass the second or fifth birthday, where questions begin or end, during 2026.
const NOBODY_BORN: [i16; 2] = [2021, 2024];

/// Relation to the head of the family, with DTSEN's code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// Head.
    Head = 1,
    /// Wife or husband.
    Spouse = 2,
    /// Child.
    Child = 3,
    /// Child-in-law.
    ChildInLaw = 4,
    /// Grandchild.
    Grandchild = 5,
    /// Parent or parent-in-law.
    Parent = 6,
    /// Anyone else.
    Other = 8,
}

/// A member before names and numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seat {
    pub(super) relation: Relation,
    pub(super) female: bool,
    pub(super) year: i16,
    /// 1 never, 2 married, 3 divorced, 4 widowed.
    pub(super) marriage: u8,
    /// Second of twins: born on the same day as the member before.
    pub(super) twin: bool,
}

struct Seats<'a> {
    dice: &'a mut Dice,
    list: Vec<Seat>,
}

impl Seats<'_> {
    fn add(&mut self, relation: Relation, female: bool, age: i16, marriage: u8) {
        let mut year = AGES_AT - age;
        // Nobody but twins shares a year, so nobody but twins shares a day: see `number`.
        while NOBODY_BORN.contains(&year) || self.list.iter().any(|seat| seat.year == year) {
            year -= 1;
        }
        self.list.push(Seat { relation, female, year, marriage, twin: false });
    }

    fn other(&mut self, head: i16) {
        let age = self.dice.between(15.max(head - 25), (head + 10).clamp(16, 85));
        let marriage = if age < 25 { 1 } else { self.dice.weighted(&[(5, 1), (2, 3), (3, 4)]) };
        let female = self.dice.chance(550);
        self.add(Relation::Other, female, age, marriage);
    }

    fn parent(&mut self, head: i16) {
        let age = head + self.dice.between(20, 31);
        let (female, marriage) = (self.dice.chance(750), self.dice.weighted(&[(85, 4), (15, 3)]));
        self.add(Relation::Parent, female, age, marriage);
    }

    fn lone_head(&mut self) {
        let young = self.dice.chance(400);
        let age = if young { self.dice.between(20, 35) } else { self.dice.between(55, 85) };
        let marriage = if young { 1 } else { self.dice.weighted(&[(2, 1), (2, 3), (6, 4)]) };
        let female = self.dice.chance(550);
        self.add(Relation::Head, female, age, marriage);
    }

    /// Head and spouse, or a single parent, old enough (and not too old) for these children.
    fn elders(&mut self, couple: bool, mother: i16, eldest: Option<i16>, youngest: i16) {
        if !couple {
            let (female, widowed) =
                (self.dice.chance(750), self.dice.chance(if mother >= 55 { 700 } else { 400 }));
            return self.add(Relation::Head, female, mother, if widowed { 4 } else { 3 });
        }
        let older = self.dice.between(-2, 7);
        let father = match eldest {
            Some(eldest) => (mother + older).min(youngest + 42).max(eldest + 19).max(20),
            None => (mother + older).clamp(20, 88),
        };
        if self.dice.chance(970) {
            self.add(Relation::Head, false, father, 2);
            self.add(Relation::Spouse, true, mother, 2);
        } else {
            self.add(Relation::Head, true, mother, 2);
            self.add(Relation::Spouse, false, father, 2);
        }
    }

    fn children(&mut self, ages: &[i16]) {
        for (nth, &age) in ages.iter().enumerate() {
            let female = self.dice.chance(490);
            let marriage = if age >= 25 && self.dice.chance(40) { 3 } else { 1 };
            self.add(Relation::Child, female, age, marriage);
            let before = self.list.len() - 2;
            if nth > 0
                && self.list[before].relation == Relation::Child
                && !self.list[before].twin
                && self.dice.chance(12)
            {
                let (year, marriage) = (self.list[before].year, self.list[before].marriage);
                self.list[before + 1].year = year;
                self.list[before + 1].marriage = marriage;
                self.list[before + 1].twin = true;
            }
        }
    }

    /// The eldest child with husband or wife and their child.
    fn young_family(&mut self, child: i16) {
        let female = self.dice.chance(600);
        let grandchild = self.dice.between(0, child - 20);
        self.add(Relation::Child, female, child, 2);
        let spouse = (child + self.dice.between(-2, 4)).max(grandchild + 20);
        self.add(Relation::ChildInLaw, !female, spouse, 2);
        let girl = self.dice.chance(490);
        self.add(Relation::Grandchild, girl, grandchild, 1);
    }
}

/// Ages of so many children, the eldest first, and the mother's age.
fn ages(dice: &mut Dice, children: usize, grown: bool) -> (Vec<i16>, i16) {
    if children == 0 {
        let mother = if dice.chance(350) { dice.between(20, 29) } else { dice.between(45, 78) };
        return (Vec::new(), mother);
    }
    let many = children >= 4;
    let mut age = if grown { dice.between(22, 29) } else { dice.between(0, 20) };
    let mut ages = vec![age];
    for _ in 1..children {
        let gap = if many { dice.between(2, 3) } else { dice.between(2, 6) };
        age += if grown { -gap } else { gap };
        ages.push(age);
    }
    ages.sort_unstable_by(|a, b| b.cmp(a));
    let first = if many { dice.between(20, 24) } else { dice.between(20, 28) };
    let mother = first + ages[0];
    (ages, mother)
}

/// The members of a family, the head first; 3.035 on average.
pub(super) fn compose(dice: &mut Dice) -> Vec<Seat> {
    let size = dice.weighted(&[(141, 1_usize), (222, 2), (270, 3), (240, 4), (91, 5), (27, 6), (9, 7)]);
    let couple = size > 1 && dice.chance(850);
    let mut rest = size - 1 - usize::from(couple);
    let three_generations = couple && rest >= 3 && dice.chance(350);
    rest -= if three_generations { 3 } else { 0 };
    let parent = rest > 0 && dice.chance(90);
    rest -= usize::from(parent);
    let other = rest > 0 && dice.chance(30);
    rest -= usize::from(other);
    let grandchild = rest == 1 && !three_generations && dice.chance(120);
    rest -= usize::from(grandchild);

    let (ages, mut mother) = ages(dice, rest + usize::from(three_generations), three_generations);
    if grandchild {
        mother = dice.between(48, 70);
    }
    let mut seats = Seats { dice, list: Vec::with_capacity(size) };
    if size == 1 {
        seats.lone_head();
        return seats.list;
    }
    seats.elders(couple, mother, ages.first().copied(), ages.last().copied().unwrap_or(0));
    let head = AGES_AT - seats.list[0].year;
    if three_generations {
        seats.young_family(ages[0]);
    }
    seats.children(&ages[usize::from(three_generations)..]);
    if grandchild {
        let age = seats.dice.between(0, (mother - 44).min(16));
        let girl = seats.dice.chance(490);
        seats.add(Relation::Grandchild, girl, age, 1);
    }
    if parent && head <= 60 {
        seats.parent(head);
    } else if parent {
        seats.other(head);
    }
    if other {
        seats.other(head);
    }
    seats.list
}
