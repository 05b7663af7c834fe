//! Names put together at random; whoever bears one does so by chance.

use super::{
    dice::Dice,
    name_lists::{ARABIC, BALINESE, BUGIS, EASTERN, Flavour, GORONTALO, JAVANESE, SASAK, SUNDANESE},
};

/// One flavour per family, so that its members' names go together; the weights are percent of the province.
pub(super) fn flavour(dice: &mut Dice, province: u16) -> &'static Flavour {
    match province {
        52 => dice.weighted(&[(60, &SASAK), (25, &ARABIC), (8, &BALINESE), (7, &JAVANESE)]),
        51 => dice.weighted(&[(80, &BALINESE), (10, &ARABIC), (10, &JAVANESE)]),
        75 => dice.weighted(&[(65, &GORONTALO), (30, &ARABIC), (5, &BUGIS)]),
        64 | 65 => dice.weighted(&[(35, &ARABIC), (30, &BUGIS), (25, &JAVANESE), (10, &EASTERN)]),
        72..=74 | 76 => dice.weighted(&[(60, &BUGIS), (35, &ARABIC), (5, &EASTERN)]),
        32 | 36 => dice.weighted(&[(55, &SUNDANESE), (25, &ARABIC), (20, &JAVANESE)]),
        33..=35 => dice.weighted(&[(75, &JAVANESE), (25, &ARABIC)]),
        53 | 71 | 81..=96 => dice.weighted(&[(70, &EASTERN), (20, &ARABIC), (10, &BUGIS)]),
        _ => dice.weighted(&[(55, &ARABIC), (25, &JAVANESE), (10, &SUNDANESE), (10, &EASTERN)]),
    }
}

/// A name of one to four words, upper case, of one word in four cases of ten.
pub(super) fn name(dice: &mut Dice, flavour: &Flavour, female: bool) -> String {
    let (firsts, seconds, titles) = if female {
        (flavour.women, flavour.women_second, flavour.women_titles)
    } else {
        (flavour.men, flavour.men_second, flavour.men_titles)
    };
    let words = dice.weighted(&[(40, 1), (37, 2), (16, 3), (7, 4)]);
    let mut parts: Vec<&str> = Vec::with_capacity(4);
    if words > 1 && !titles.is_empty() && dice.chance(350) {
        let title = dice.pick(titles);
        // A title of two words ("I MADE") takes the place of two.
        parts.push(title);
    }
    parts.push(dice.pick(firsts));
    let count = |parts: &[&str]| parts.iter().map(|part| part.split(' ').count()).sum::<usize>();
    while count(&parts) < words {
        let next = dice.pick(if count(&parts) + 1 < words { firsts } else { seconds });
        if !parts.contains(&next) {
            parts.push(next);
        }
    }
    parts.join(" ")
}
