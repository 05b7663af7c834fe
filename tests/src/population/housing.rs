//! How a family lives, by its wealth. Every skip and consistency rule of the form holds.

use super::{dice::Dice, row::Value};

/// Electric appliances need electricity (R-A2): fridge, air conditioner, water heater, TV, computer.
const ELECTRIC: [usize; 5] = [1, 2, 3, 5, 7];
/// How common each movable asset is, in thousandths at half wealth, in file order; the first follows the fuel.
const COMMON: [u32; 14] = [0, 550, 80, 15, 30, 350, 180, 160, 800, 260, 110, 12, 14, 780];

/// The columns from `status_kepemilikan_rumah` to `jumlah_ternak_kambing_domba`.
pub(super) fn values(dice: &mut Dice, wealth: u32) -> impl Iterator<Item = Value> + use<> {
    let light = if wealth < 40 && dice.chance(500) {
        dice.pick(&[3, 4, 4])
    } else if dice.chance(250 - wealth / 5) {
        2
    } else {
        1
    };
    let power = (light == 1).then(|| dice.graded(wealth, &[5, 4, 3, 3, 2, 2, 1, 1, 1]));
    let fuel = dice.graded(wealth, &[3, 2, 4, 4, 4, 4, 4, 7, 10, 10]);
    let toilet = dice.graded(wealth, &[1, 1, 1, 1, 1, 2, 2, 3, 4, 6]);
    let has_seat = matches!(toilet, 1..=3);
    let housing = [
        Some(u64::from(dice.graded(wealth, &[1_u8, 1, 1, 1, 2, 1, 3, 5]))),
        Some(dice.graded(wealth, &[1_u64, 2, 2, 2, 4, 6, 6, 5, 7, 8])),
        Some(u64::from(12 + wealth / 9 + dice.below(30))),
        Some(dice.graded(wealth, &[1_u64, 1, 1, 1, 3, 2, 3, 4, 6])),
        Some(dice.graded(wealth, &[1_u64, 2, 2, 2, 3, 3, 3, 4, 6, 7])),
        Some(dice.graded(wealth, &[1_u64, 2, 3, 4, 4, 5, 7, 6, 8, 10])),
        Some(light),
        power,
        Some(fuel),
        Some(toilet),
        has_seat.then(|| dice.graded(wealth, &[1, 1, 1, 2, 3, 4])),
        has_seat.then(|| dice.graded(wealth, &[1, 1, 1, 3, 4, 5])),
    ];
    let movable: [bool; 14] = std::array::from_fn(|nth| {
        let owns = dice.chance((COMMON[nth] * (400 + wealth) / 900).min(990));
        match nth {
            0 => matches!(fuel, 2 | 3),
            _ if ELECTRIC.contains(&nth) => owns && light != 4,
            _ => owns,
        }
    });
    let land = [dice.chance(wealth / 4), dice.chance(wealth / 9)];
    let farm = dice.chance(180);
    let livestock: [u64; 5] = std::array::from_fn(|nth| {
        let kept = farm && dice.chance([350, 60, 20, 15, 500][nth]);
        if kept { u64::from(1 + dice.below(6)) } else { 0 }
    });
    let yes_no = |yes: bool| Value::Number(if yes { 1 } else { 2 });
    let any = movable.contains(&true) || land.contains(&true);
    housing
        .into_iter()
        .map(|code| code.map_or(Value::Empty, Value::Number))
        .chain([yes_no(any)])
        .chain(movable.into_iter().chain(land).map(yes_no))
        .chain(livestock.into_iter().map(Value::Number))
}
