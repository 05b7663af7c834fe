//! Rules over several values: each with a record that trips it, one that does not, and the partial record that must not.

use super::*;
use crate::record::Value::*;

/// A good record, and the value that makes it bad for this reason and column.
struct Case {
    base: &'static [(u16, i64)],
    bad: (u16, Value),
    expected: (&'static str, u16),
}

fn case(base: &'static [(u16, i64)], bad: (u16, Value), expected: (&'static str, u16)) -> Case {
    Case { base, bad, expected }
}

fn cells(base: &[(u16, i64)]) -> Vec<(u16, Value)> {
    base.iter().map(|(column, number)| (*column, Number(*number))).collect()
}

/// The base gives nothing; with the bad value it gives the reason; the bad value alone gives nothing.
fn run(record: impl Fn(&[(u16, Value)]) -> Delta, cases: Vec<Case>) {
    for Case { base, bad, expected } in cases {
        let base = cells(base);
        expect(&record(&base), None);
        let mut with_bad = base.clone();
        with_bad.retain(|(column, _)| *column != bad.0);
        with_bad.push(bad.clone());
        expect(&record(&with_bad), Some(expected));
        expect(&record(&[bad]), None);
    }
}

#[test]
fn skip_rules_of_families() {
    run(
        family,
        vec![
            case(&[(28, 1), (29, 1)], (29, Cleared), ("SKIP_HOUSING", 29)),
            case(&[(28, 3), (30, 7)], (30, Cleared), ("SKIP_HOUSING", 30)),
            case(&[(28, 4)], (29, Number(1)), ("SKIP_HOUSING", 29)),
            case(&[(28, 6)], (30, Number(1)), ("SKIP_HOUSING", 30)),
            case(&[(25, 1), (26, 7)], (26, Cleared), ("SKIP_HOUSING", 26)),
            case(&[(25, 2)], (26, Number(1)), ("POWER_WITHOUT_METER", 26)),
            case(&[(25, 4)], (26, Number(6)), ("POWER_WITHOUT_METER", 26)),
            case(&[(27, 2), (32, 1)], (32, Number(2)), ("GAS_DIFFERS", 32)),
            case(&[(27, 4), (32, 2)], (32, Number(1)), ("GAS_DIFFERS", 32)),
            case(&[(25, 4), (33, 2)], (33, Number(1)), ("ASSET_WITHOUT_POWER", 33)),
            case(&[(25, 4)], (39, Number(1)), ("ASSET_WITHOUT_POWER", 39)),
        ],
    );
    for good in [
        &[(25, 1), (33, 1), (34, 1)][..],
        // Gold, a bicycle and a telephone need no socket.
        &[(25, 4), (36, 1), (38, 1), (41, 1)],
        // The merged answer of DTSEN v3 says nothing about the cylinder.
        &[(27, 12), (32, 1)],
        &[(27, 12), (32, 2)],
    ] {
        expect(&family(&cells(good)), None);
    }
}

#[test]
fn skip_rules_of_persons() {
    run(
        person,
        vec![
            case(&[(110, 2), (111, 13)], (111, Cleared), ("SKIP_EDUCATION", 111)),
            case(&[(110, 1)], (112, Number(3)), ("SKIP_EDUCATION", 112)),
            case(&[(110, 1)], (113, Number(23)), ("SKIP_EDUCATION", 113)),
            case(&[(114, 1), (115, 12), (116, 1)], (116, Cleared), ("SKIP_WORK", 116)),
            case(&[(114, 2)], (115, Number(12)), ("SKIP_WORK", 115)),
            case(&[(117, 1), (118, 1), (120, 0)], (122, Cleared), ("SKIP_BUSINESS", 122)),
            case(&[(117, 2), (118, 0)], (118, Number(1)), ("SKIP_BUSINESS", 118)),
            case(&[(117, 2)], (119, Number(1)), ("SKIP_BUSINESS", 119)),
            case(&[(117, 2)], (121, Number(1)), ("SKIP_BUSINESS", 121)),
        ],
    );
}

/// Somebody born on this day whose NIK says so; the records are of 22 November 2026.
fn aged(year: i16, month: i8, day: i8, more: &[(u16, Value)]) -> Delta {
    let nik = format!("527101{:02}{month:02}{:02}9001", day + 40, year % 100);
    let mut all = vec![(101, text(&nik)), (104, born(year, month, day))];
    all.extend_from_slice(more);
    person(&all)
}

#[test]
fn ages() {
    let n = Number;
    // The day before the birthday, and the birthday itself.
    for (years, column, value, reason) in [
        (10, 106, n(1), "AGE_HEAD"),
        (12, 109, n(4), "AGE_MARRIED"),
        (5, 110, n(2), "AGE_SCHOOL"),
        (18, 113, n(19), "AGE_DEGREE"),
        (10, 114, n(1), "AGE_WORK"),
        (10, 117, n(1), "AGE_WORK"),
        (2, 124, n(4), "SKIP_HEALTH"),
        (2, 129, n(4), "SKIP_HEALTH"),
        (5, 130, n(4), "SKIP_HEALTH"),
        (5, 133, n(4), "SKIP_HEALTH"),
        (5, 123, Cleared, "SKIP_HEALTH"),
    ] {
        let cell = [(column, value)];
        expect(&aged(2026 - years, 11, 23, &cell), Some((reason, column)));
        // At twelve marriage is still below nineteen.
        let then = (reason == "AGE_MARRIED").then_some(("MARRIED_UNDER_19", column));
        expect(&aged(2026 - years, 11, 22, &cell), then);
        // Without the birth date nobody knows.
        let mut unknown = aged(2026 - years, 11, 23, &cell);
        put(&mut unknown, column::I_IDENTITAS, column::I_TANGGAL_LAHIR, Cleared);
        expect(&unknown, None);
    }
    expect(&aged(2021, 11, 22, &[(123, n(1))]), Some(("SKIP_HEALTH", 123)));
    expect(&aged(2021, 11, 23, &[(123, n(1))]), None);
    expect(&aged(2025, 1, 1, &[(124, Cleared)]), None);
    expect(&aged(2020, 1, 1, &[(124, Cleared)]), Some(("SKIP_HEALTH", 124)));
    expect(&aged(2007, 11, 23, &[(109, n(2))]), Some(("MARRIED_UNDER_19", 109)));
    expect(&aged(2007, 11, 22, &[(109, n(2))]), None);
    expect(&aged(2020, 1, 1, &[(109, n(1)), (110, n(1)), (106, n(3))]), None);
    expect(&aged(1905, 11, 22, &[]), Some(("AGE_UNLIKELY", 104)));
    expect(&aged(1905, 11, 23, &[]), None);
}

#[test]
fn the_age_is_that_of_the_blocks_reference_day() {
    let mut person = aged(2021, 11, 22, &[(123, Number(1))]);
    expect(&person, Some(("SKIP_HEALTH", 123)));
    let block = person.blocks.iter_mut().find(|b| b.number == BlockNo(27)).expect("health");
    block.provenance.reference = Day(today().0 - 1);
    expect(&person, None);
    // Data from before the birth: no age, no rule.
    let block = person.blocks.iter_mut().find(|b| b.number == BlockNo(27)).expect("health");
    block.provenance.reference = Day(i32::MIN);
    expect(&person, None);
}

#[test]
fn findings_are_sorted_and_single() {
    let person = aged(2022, 1, 1, &[(110, Number(1)), (111, Number(3)), (112, Number(3)), (133, Number(4))]);
    let all = found(&person);
    let mut sorted = all.clone();
    sorted.sort_by_key(|(reason, column)| (*column, reason.clone()));
    sorted.dedup();
    assert_eq!(all, sorted);
    assert_eq!(all.len(), 3);
}
