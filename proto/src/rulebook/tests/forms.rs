//! Forms of values, and what a delta must state.

use super::*;
use crate::{
    id::RecordId,
    record::{Answered, Move, Value::*},
};

fn known_id() -> Option<RecordId> {
    RecordId::from_slice(&[1; 16])
}

fn nik_of(number: &str) -> Delta {
    person(&[(101, text(number)), (104, Cleared)])
}

#[test]
fn good_records_give_nothing() {
    expect(&person(&[]), None);
    expect(&family(&[]), None);
}

#[test]
fn numbers_of_persons_and_families() {
    for (number, reason) in [
        ("527101410190900", "NIK_FORMAT"),
        ("5.27101E+15", "NIK_FORMAT"),
        ("5271004101909001", "NIK_AREA"),
        ("5271014113909001", "NIK_DATE"),
        ("5271014101900000", "NIK_SERIAL"),
        ("5299014101909001", "NIK_AREA_UNKNOWN"),
    ] {
        expect(&nik_of(number), Some((reason, 101)));
    }
    for (number, reason) in [
        ("52710101012090", "KK_FORMAT"),
        ("5271000101209001", "KK_AREA"),
        ("5271014101209001", "KK_DATE"),
        ("5271010101200000", "KK_SERIAL"),
    ] {
        expect(&family(&[(10, text(number))]), Some((reason, 10)));
        expect(&person(&[(102, text(number))]), Some((reason, 102)));
    }
    expect(&person(&[(104, born(1990, 1, 2))]), Some(("NIK_BIRTH_DIFFERS", 104)));
    expect(&person(&[(105, Number(1))]), Some(("NIK_SEX_DIFFERS", 105)));
    // Either century.
    expect(&person(&[(101, text("5271014101209001")), (104, born(2020, 1, 1))]), None);
}

#[test]
fn what_identity_must_state() {
    for (number, reason) in [(101, "NIK_MISSING"), (103, "NAME_MISSING"), (102, "MEMBER_WITHOUT_FAMILY")] {
        expect(&person(&[(number, Cleared)]), Some((reason, number)));
    }
    expect(&person(&[(103, text(" "))]), Some(("NAME_MISSING", 103)));
    expect(&family(&[(10, Cleared)]), Some(("KK_MISSING", 10)));
    // A new family must state its number, a known one may keep it.
    let mut partial = delta(RecordKind::Keluarga, &[(12, text("CONTOH SATU"))]);
    assert_eq!(found(&partial), [("KK_MISSING".to_owned(), Some(10))]);
    partial.record = known_id();
    expect(&partial, None);
    let mut partial = delta(RecordKind::Individu, &[(104, born(1990, 1, 1))]);
    partial.record = known_id();
    expect(&partial, None);
    // A number that no code list explains is no number.
    let unmapped = found(&person(&[(101, Unmapped("tidak ada".into()))]));
    assert_eq!(unmapped, [("CODE_UNMAPPED".to_owned(), Some(101)), ("NIK_MISSING".to_owned(), Some(101))]);
}

#[test]
fn values_fit_their_columns() {
    let long = "x".repeat(crate::limits::MAX_TEXT_BYTES + 1);
    for (number, value, reason) in [
        (20, Number(11), "CODE_RANGE"),
        (20, Number(-1), "CODE_RANGE"),
        (20, Unmapped("keramik kw 2".into()), "CODE_UNMAPPED"),
        (20, text("2"), "SHAPE_DIFFERS"),
        (21, Number(-1), "COUNT_RANGE"),
        (21, Number(998), "COUNT_RANGE"),
        (48, Number(i64::MIN), "COUNT_RANGE"),
        (9, text(&long), "TEXT_TOO_LONG"),
        (20, Unmapped(long.as_str().into()), "TEXT_TOO_LONG"),
        (9, text("a\0b"), "TEXT_CONTROL"),
        (9, Number(1), "SHAPE_DIFFERS"),
        (10, Number(5_271_010_101_209_001), "SHAPE_DIFFERS"),
        (12, text("CONTOH 7"), "NAME_CHARACTERS"),
        (7, text("52.71.01.1006"), "BPS_FORMAT"),
        (61, Number(1), "SHAPE_DIFFERS"),
    ] {
        expect(&family(&[(number, value)]), Some((reason, number)));
    }
    for (number, value, reason) in [
        (103, text("CONTOH #1"), "NAME_CHARACTERS"),
        (104, Number(i64::MAX), "DATE_IMPOSSIBLE"),
        (104, born(1810, 1, 1), "DATE_IMPOSSIBLE"),
        (141, text("5271011006"), "AREA_FORMAT"),
        (141, text("52.71.01.1999"), "AREA_UNKNOWN"),
    ] {
        expect(&person(&[(number, value)]), Some((reason, number)));
    }
    let tomorrow = Number(i64::from(today().0) + 1);
    let future = found(&person(&[(104, tomorrow)]));
    assert!(future.contains(&("DATE_FUTURE".to_owned(), Some(104))), "{future:?}");
    for (number, value) in [
        (103, text("H. MA'RUF CONTOH-SATU, S.Pd")),
        (103, text("Contoh d’Ua")),
        (141, text("52.71.01.1006")),
        (137, text("52.71")),
        (148, Cleared),
    ] {
        expect(&person(&[(number, value)]), None);
    }
    for (number, value) in
        [(1, text("52")), (5, text("5271010")), (21, Number(0)), (21, Number(997)), (27, Number(0))]
    {
        expect(&family(&[(number, value)]), None);
    }
}

#[test]
fn columns_stand_in_their_blocks() {
    let hub = found(&family(&[(13, Number(1))]));
    assert_eq!(hub, [("HUB_COLUMN".to_owned(), None), ("HUB_COLUMN".to_owned(), Some(13))]);
    let put_in = |block: u8, number: u16| {
        let mut delta = family(&[]);
        put(&mut delta, BlockNo(block), Column(number), Number(1));
        found(&delta)
    };
    assert_eq!(put_in(5, 20), [("COLUMN_MISPLACED".to_owned(), Some(20))]);
    assert_eq!(put_in(5, 60), [("COLUMN_UNKNOWN".to_owned(), Some(60))]);
    assert_eq!(put_in(99, 20), [("COLUMN_UNKNOWN".to_owned(), None)]);
    assert_eq!(put_in(24, 110), [("KIND_DIFFERS".to_owned(), None)]);
    // Hiding a decile in another block does not help.
    let hidden = put_in(3, 13);
    assert!(hidden.contains(&("HUB_COLUMN".to_owned(), Some(13))), "{hidden:?}");
}

#[test]
fn the_village_is_the_senders() {
    for (code, reason) in [
        ("52.71.01.1006", None),
        ("52.71.01.1999", Some("VILLAGE_UNRESOLVED")),
        ("52.71.01", Some("VILLAGE_UNRESOLVED")),
        ("5271011006", Some("VILLAGE_UNRESOLVED")),
        ("52.03.01.2004", Some("VILLAGE_ELSEWHERE")),
    ] {
        expect(&family(&[(61, text(code))]), reason.map(|r| (r, 61)));
        expect(&person(&[(161, text(code))]), reason.map(|r| (r, 161)));
    }
    expect(&person(&[(161, Cleared)]), Some(("VILLAGE_UNRESOLVED", 161)));
    let stated =
        |number| delta(RecordKind::Keluarga, &[(10, text("5271010101209001")), (number, text("Pejeruk"))]);
    expect(&stated(9), Some(("VILLAGE_UNRESOLVED", 61)));
    // A known record keeps its village when only the address changes, not when the village's name does.
    let known = |number| Delta { record: known_id(), ..stated(number) };
    expect(&known(9), None);
    expect(&known(8), Some(("VILLAGE_UNRESOLVED", 61)));
    // A province contains its kab/kota.
    let province = CheckContext { region: "52".parse().expect("a province"), ..ctx() };
    assert_eq!(Rulebook::builtin().check(&family(&[]), &province), []);
}

#[test]
fn what_a_delta_must_say() {
    let bare = |action| Delta { action, ..delta(RecordKind::Individu, &[]) };
    let incomplete = [("DELTA_INCOMPLETE".to_owned(), None)];
    for action in [Action::Upsert, Action::Gone, Action::MoveOut, Action::MoveIn] {
        assert_eq!(found(&bare(action)), incomplete);
    }
    assert_eq!(found(&delta(RecordKind::Individu, &[(110, Number(1))])), incomplete, "whose school?");
    let known = Delta { record: known_id(), ..bare(Action::Gone) };
    expect(&known, None);
    let answers = Some(Answered { epoch: 1, sequence: 1, index: 0 });
    expect(&Delta { answers, ..bare(Action::Gone) }, None);
    assert_eq!(found(&Delta { answers, ..bare(Action::MoveOut) }), incomplete, "who moves?");
    let key = delta(RecordKind::Individu, &[(101, text("5271014101909001"))]);
    expect(&Delta { action: Action::Gone, ..key.clone() }, None);
    let mut late = Delta { action: Action::Gone, ..key.clone() };
    late.blocks[0].provenance.reference = Day(today().0 + 1);
    assert_eq!(found(&late), [("REFERENCE_FUTURE".to_owned(), None)]);

    let moving = |other: &str, days| {
        let transfer = Move { other: other.parse().expect("a region"), day: Day(today().0 + days) };
        found(&Delta { action: Action::MoveOut, transfer: Some(transfer), ..key.clone() })
    };
    assert_eq!(moving("75.71", 0), []);
    assert_eq!(moving("75.71", 1), [("DATE_FUTURE".to_owned(), None)]);
    for other in ["52.71", "75", "75.99"] {
        assert_eq!(moving(other, 0), [("MOVE_REGION".to_owned(), None)], "{other}");
    }
    assert_eq!(found(&Delta { action: Action::MoveOut, ..key }), incomplete);
    let transfer = Some(Move { other: "75.71".parse().expect("a kota"), day: today() });
    expect(&Delta { action: Action::MoveIn, transfer, ..person(&[]) }, None);
}
