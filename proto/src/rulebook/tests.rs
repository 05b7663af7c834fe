//! The tables, and the makers of records that the tests of the rules share.

use std::collections::BTreeSet;

use super::*;
use crate::{
    column,
    record::{Action, Block, Day, Provenance, Value},
    region::Region,
};

mod forms;
mod never_panics;
mod over_families;
mod over_values;

/// The day on which the tests stand: 22 November 2026.
pub(super) fn today() -> Day {
    Day::from_date(jiff::civil::date(2026, 11, 22))
}

pub(super) fn ctx() -> CheckContext {
    CheckContext { region: "52.71".parse().expect("a kota"), today: today() }
}

pub(super) fn born(year: i16, month: i8, day: i8) -> Value {
    Value::Number(i64::from(Day::from_date(jiff::civil::date(year, month, day)).0))
}

pub(super) fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// A delta that states these cells, each in the block where the table has it.
pub(super) fn delta(kind: RecordKind, cells: &[(u16, Value)]) -> Delta {
    let book = Rulebook::builtin();
    let mut delta = Delta::new(kind, Action::Upsert, Vec::new());
    for (number, value) in cells {
        let block = book.column(Column(*number)).expect("a column of the table").block;
        put(&mut delta, block, Column(*number), value.clone());
    }
    delta
}

/// States a value, replacing what was stated.
pub(super) fn put(delta: &mut Delta, number: BlockNo, column: Column, value: Value) {
    let at = delta.blocks.iter().position(|b| b.number >= number).unwrap_or(delta.blocks.len());
    if delta.blocks.get(at).is_none_or(|b| b.number != number) {
        let provenance = Provenance { source: "uji".into(), reference: today() };
        delta.blocks.insert(at, Block { number, provenance, cells: Vec::new() });
    }
    let cells = &mut delta.blocks[at].cells;
    cells.retain(|(c, _)| *c != column);
    cells.push((column, value));
    cells.sort_by_key(|(c, _)| *c);
}

/// An invented woman of Mataram, 36 years old; further cells are added or replace hers.
pub(super) fn person(more: &[(u16, Value)]) -> Delta {
    let mut all = vec![
        (101, text("5271014101909001")),
        (102, text("5271010101209001")),
        (103, text("CONTOH SATU")),
        (104, born(1990, 1, 1)),
        (105, Value::Number(2)),
        (161, text("52.71.01.1006")),
    ];
    for (number, value) in more {
        all.retain(|(n, _)| n != number);
        all.push((*number, value.clone()));
    }
    delta(RecordKind::Individu, &all)
}

/// An invented family of Mataram.
pub(super) fn family(more: &[(u16, Value)]) -> Delta {
    let mut all = vec![(10, text("5271010101209001")), (61, text("52.71.01.1006"))];
    for (number, value) in more {
        all.retain(|(n, _)| n != number);
        all.push((*number, value.clone()));
    }
    delta(RecordKind::Keluarga, &all)
}

/// Reasons and columns of a check, in order.
pub(super) fn found(delta: &Delta) -> Vec<(String, Option<u16>)> {
    let found = Rulebook::builtin().check(delta, &ctx());
    found.into_iter().map(|f| (f.reason.into_owned(), f.column.map(|c| c.0))).collect()
}

/// Asserts that a record gives just this finding, or none.
#[track_caller]
pub(super) fn expect(delta: &Delta, expected: Option<(&str, u16)>) {
    let expected: Vec<_> = expected.into_iter().map(|(r, c)| (r.to_owned(), Some(c))).collect();
    assert_eq!(found(delta), expected);
}

#[test]
fn the_reasons_named_in_code_are_the_catalogue() {
    let book = Rulebook::builtin();
    let named: BTreeSet<&str> = reason::ALL.iter().copied().collect();
    let listed: BTreeSet<&str> = book.reasons().iter().map(|r| r.code.as_str()).collect();
    assert_eq!(named, listed);
    assert_eq!(named.len(), reason::ALL.len());
    for r in book.reasons() {
        for text in [&r.text_id, &r.text_en, &r.fix_id, &r.fix_en] {
            assert!(!text.trim().is_empty() && !text.ends_with('.'), "{}", r.code);
        }
        assert!(r.code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_'));
    }
}

#[test]
fn a_region_learns_nothing_of_another() {
    let book = Rulebook::builtin();
    assert_eq!(book.reason(reason::CLAIMED_ELSEWHERE).map(|r| r.text_id.as_str()), Some("Perlu klarifikasi"));
}

#[test]
fn severities_that_the_hub_relies_on() {
    let book = Rulebook::builtin();
    for (code, severity) in [
        (reason::NIK_FORMAT, Severity::Error),
        (reason::NIK_MISSING, Severity::Hold),
        (reason::NIK_AREA_UNKNOWN, Severity::Warning),
        (reason::VILLAGE_UNRESOLVED, Severity::Hold),
        (reason::VILLAGE_ELSEWHERE, Severity::Error),
        (reason::HUB_COLUMN, Severity::Error),
        (reason::CLAIMED_ELSEWHERE, Severity::Hold),
        (reason::CONTESTED, Severity::Notice),
        (reason::STALE, Severity::Error),
    ] {
        assert_eq!(book.finding(code, None).severity, severity, "{code}");
    }
    assert!(Severity::Notice < Severity::Warning && Severity::Warning < Severity::Hold);
    assert!(Severity::Hold < Severity::Error);
    let both = [book.finding(reason::CONTESTED, None), book.finding(reason::MOVE_HALF, None)];
    assert_eq!(Finding::worst(&both), Some(Severity::Hold));
    assert_eq!(Finding::worst(&[]), None);
}

#[test]
fn columns_are_those_of_dtsen_and_ours() {
    let book = Rulebook::builtin();
    let count = |kind, ours: &[u16]| book.columns(kind).filter(|c| !ours.contains(&c.number.0)).count();
    assert_eq!(count(RecordKind::Keluarga, &[61, 62, 63]), 52);
    assert_eq!(count(RecordKind::Individu, &[161, 162]), 48);
    for (number, name) in column::NAMED {
        assert_eq!(book.column(*number).map(|c| c.name.as_str()), Some(*name));
    }
    for (number, name) in column::NAMED_BLOCKS {
        assert_eq!(book.block(*number).map(|b| b.name.as_str()), Some(*name));
    }
    assert_eq!(book.column(Column(0)), None);
    assert_eq!(book.column(Column(u16::MAX)), None);
    let named = |kind, name| book.column_named(kind, name).map(|c| c.number.0);
    assert_eq!(named(RecordKind::Keluarga, " KODE_PROVINSI "), Some(1));
    assert_eq!(named(RecordKind::Keluarga, "nama_anggota_keluarga"), Some(12));
    assert_eq!(named(RecordKind::Keluarga, "Nomor_Kartu_Keluarga"), Some(10));
    assert_eq!(named(RecordKind::Individu, "Nomor_Kartu_Keluarga"), Some(102));
    assert_eq!(named(RecordKind::Individu, "agama"), None);
}

#[test]
fn blocks_have_one_owner_and_all_columns() {
    let book = Rulebook::builtin();
    let owner = |no| book.block(BlockNo(no)).map(|b| b.owner);
    assert_eq!(
        (owner(1), owner(2), owner(4)),
        (Some(Owner::Dukcapil), Some(Owner::Region), Some(Owner::Pln))
    );
    assert_eq!((owner(6), owner(8), owner(9)), (Some(Owner::Bpjs), Some(Owner::Hub), None));
    assert_eq!(
        (book.blocks(RecordKind::Keluarga).count(), book.blocks(RecordKind::Individu).count()),
        (8, 11)
    );
    for block in book.blocks(RecordKind::Keluarga).chain(book.blocks(RecordKind::Individu)) {
        assert!(book.columns(block.kind).any(|c| c.block == block.number), "{} is empty", block.name);
        assert_eq!(block.spesifik, matches!(block.number.0, 27 | 28));
    }
}

#[test]
fn profiles_leave_out_what_is_specific() {
    let book = Rulebook::builtin();
    let (general, full) = (book.profile("umum").expect("umum"), book.profile("lengkap").expect("lengkap"));
    for block in book.blocks(RecordKind::Keluarga).chain(book.blocks(RecordKind::Individu)) {
        assert!(full.holds(block.number));
        assert_eq!(general.holds(block.number), !block.spesifik, "{}", block.name);
    }
    assert_eq!(book.profile("x"), None);
    assert_eq!(book.edition(), "dtsen-v3-2026");
}

#[test]
fn code_lists_are_those_of_the_edition() {
    let book = Rulebook::builtin();
    for (column, code, label) in [
        (23, 5, "Bambu"),
        (23, 6, "Kayu/sirap"),
        (27, 0, "Tidak memasak di rumah"),
        (27, 12, "Listrik/gas"),
        (106, 3, "Anak"),
        (124, 1, "Ya, sama sekali tidak bisa"),
        (16, 2, "Tidak"),
        (123, 8, "Tidak tahu"),
    ] {
        assert_eq!(book.label(Column(column), code), Some(label));
    }
    for (column, codes) in [
        (20, 10),
        (22, 7),
        (23, 9),
        (24, 12),
        (26, 7),
        (27, 13),
        (30, 7),
        (13, 10),
        (111, 22),
        (113, 23),
        (115, 26),
        (116, 8),
        (122, 7),
        (123, 4),
        (133, 4),
        (134, 18),
        (162, 6),
    ] {
        assert_eq!(book.codes(Column(column)).len(), codes, "column {column}");
    }
    assert!(!book.is_code(Column(123), 4) && !book.is_code(Column(9), 1) && !book.is_code(Column(999), 1));
    assert_eq!((book.list_name(Column(20)), book.list_name(Column(9))), (Some("lantai"), None));
}

#[test]
fn printing_findings_shows_no_values() {
    let all = Rulebook::builtin().check(&person(&[(101, text("527101")), (103, text("RAHASIA 7"))]), &ctx());
    let printed = format!("{all:?}");
    assert!(!all.is_empty() && !printed.contains("RAHASIA") && !printed.contains("527101"));
}
