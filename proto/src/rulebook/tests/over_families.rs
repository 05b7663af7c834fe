//! Rules over a family with its members.

use super::*;
use crate::record::Value::*;

const WOMAN: &str = "5271014101909001";
const MAN: &str = "5271010101909002";

fn member(nik: &str, sex: i64, relation: i64, year: i16, name: &str) -> Delta {
    let relation = (106, Number(relation));
    person(&[(101, text(nik)), (104, born(year, 1, 1)), (105, Number(sex)), (103, text(name)), relation])
}

fn found(family: Option<&Delta>, members: &[Delta]) -> Vec<(usize, String)> {
    let members: Vec<&Delta> = members.iter().collect();
    let found = Rulebook::builtin().check_family(family, &members, &ctx());
    assert!(found.iter().all(|(_, f)| f.severity == Severity::Warning));
    found.into_iter().map(|(at, f)| (at, f.reason.into_owned())).collect()
}

fn one(at: usize, reason: &str) -> Vec<(usize, String)> {
    vec![(at, reason.to_owned())]
}

fn good() -> (Delta, Vec<Delta>) {
    let family = family(&[(11, Number(3)), (12, text("Contoh Dua"))]);
    let members = vec![
        member(MAN, 1, 1, 1990, "CONTOH  DUA"),
        member(WOMAN, 2, 2, 1990, "CONTOH SATU"),
        member(WOMAN, 2, 3, 2015, "CONTOH TIGA"),
    ];
    (family, members)
}

#[test]
fn a_good_family_gives_nothing() {
    let (family, members) = good();
    assert_eq!(found(Some(&family), &members), []);
    assert_eq!(found(None, &members), []);
    assert_eq!(found(None, &[]), []);
}

#[test]
fn heads_and_spouses() {
    let (family, mut members) = good();
    members[0] = member(MAN, 1, 8, 1990, "CONTOH DUA");
    assert_eq!(found(Some(&family), &members), one(0, "HEAD_MISSING"));
    put(&mut members[2], column::I_IDENTITAS, column::I_STATUS_HUBUNGAN, Cleared);
    assert_eq!(found(Some(&family), &members), [], "somebody's relation is not known");

    let (_, mut members) = good();
    members[1] = member(WOMAN, 2, 1, 1990, "CONTOH SATU");
    let both = [(1, "HEAD_SEVERAL".to_owned()), (2, "HEAD_SEVERAL".to_owned())];
    assert_eq!(found(None, &members), both);

    let (_, mut members) = good();
    members[2] = member(WOMAN, 2, 2, 1995, "CONTOH TIGA");
    let both = [(2, "SPOUSE_SEVERAL".to_owned()), (3, "SPOUSE_SEVERAL".to_owned())];
    assert_eq!(found(None, &members), both);

    let (_, mut members) = good();
    members[1] = member(MAN, 1, 2, 1990, "CONTOH SATU");
    assert_eq!(found(None, &members), one(2, "SPOUSE_SEX_SAME"));
}

#[test]
fn children_and_names() {
    let (family, mut members) = good();
    members[2] = member(WOMAN, 2, 3, 1989, "CONTOH TIGA");
    assert_eq!(found(Some(&family), &members), one(3, "CHILD_OLDER_THAN_HEAD"));

    let (mut family, members) = good();
    put(&mut family, column::K_IDENTITAS, column::K_NAMA_KEPALA, text("CONTOH LAIN"));
    assert_eq!(found(Some(&family), &members), one(0, "HEAD_NAME_DIFFERS"));
    put(&mut family, column::K_IDENTITAS, column::K_NAMA_KEPALA, Cleared);
    assert_eq!(found(Some(&family), &members), []);
}

#[test]
fn members_are_counted_while_they_are_there() {
    let (family, mut members) = good();
    let last = members.pop().expect("three");
    assert_eq!(found(Some(&family), &members), one(0, "MEMBERS_DIFFER"));
    members.push(last);
    // Dead, moved or not found: listed, but not there; the newly arrived are.
    for (presence, expected) in
        [(1, vec![]), (5, vec![]), (2, one(0, "MEMBERS_DIFFER")), (6, one(0, "MEMBERS_DIFFER"))]
    {
        put(&mut members[2], column::I_KEBERADAAN_BLOK, column::I_KEBERADAAN, Number(presence));
        assert_eq!(found(Some(&family), &members), expected, "{presence}");
    }
    put(&mut members[2], column::I_KEBERADAAN_BLOK, column::I_KEBERADAAN, Number(1));
    members[2].action = Action::Gone;
    assert_eq!(found(Some(&family), &members), one(0, "MEMBERS_DIFFER"));
}

#[test]
fn members_carry_the_familys_number() {
    let (family, mut members) = good();
    put(&mut members[1], column::I_IDENTITAS, column::I_NOMOR_KARTU_KELUARGA, text("5271010101209002"));
    assert_eq!(found(Some(&family), &members), one(2, "MEMBER_KK_DIFFERS"));
    put(&mut members[1], column::I_IDENTITAS, column::I_NOMOR_KARTU_KELUARGA, Cleared);
    assert_eq!(found(Some(&family), &members), []);
}
