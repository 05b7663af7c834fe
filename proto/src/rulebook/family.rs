//! Rules over a family and its members. All warn: a family may arrive over several batches. They bind at a release.

use super::{Finding, Rulebook, reason};
use crate::{
    column,
    record::{Action, Delta},
};

const HEAD: i64 = 1;
const SPOUSE: i64 = 2;
const CHILD: i64 = 3;
/// Dead, moved inside Indonesia or abroad, not found.
const ABSENT: [i64; 4] = [2, 3, 4, 6];

/// Findings with the place of the record they concern.
pub(super) fn check(book: &Rulebook, family: Option<&Delta>, members: &[&Delta]) -> Vec<(usize, Finding)> {
    let mut found = Vec::new();
    let mut add = |at: usize, code, column| found.push((at, book.finding(code, Some(column))));
    let present: Vec<(usize, &Delta)> = members
        .iter()
        .enumerate()
        .map(|(at, member)| (at + 1, *member))
        .filter(|(_, m)| is_present(m))
        .collect();
    let related = |relation| {
        present.iter().filter(move |(_, m)| m.number(column::I_STATUS_HUBUNGAN) == Some(relation)).copied()
    };

    // R-HH1. Without everybody's relation nobody can say that a head is missing.
    let all_stated = present.iter().all(|(_, m)| m.number(column::I_STATUS_HUBUNGAN).is_some());
    if !present.is_empty() && all_stated && related(HEAD).next().is_none() {
        add(0, reason::HEAD_MISSING, column::I_STATUS_HUBUNGAN);
    }
    for (relation, code) in [(HEAD, reason::HEAD_SEVERAL), (SPOUSE, reason::SPOUSE_SEVERAL)] {
        if related(relation).count() > 1 {
            related(relation).for_each(|(at, _)| add(at, code, column::I_STATUS_HUBUNGAN));
        }
    }
    let mut heads = related(HEAD);
    if let (Some((_, head)), None) = (heads.next(), heads.next()) {
        for (at, _) in related(CHILD).filter(|(_, child)| is_older(child, head)) {
            add(at, reason::CHILD_OLDER_THAN_HEAD, column::I_TANGGAL_LAHIR);
        }
        let sex = head.number(column::I_JENIS_KELAMIN);
        for (at, _) in
            related(SPOUSE).filter(|(_, m)| sex.is_some() && m.number(column::I_JENIS_KELAMIN) == sex)
        {
            add(at, reason::SPOUSE_SEX_SAME, column::I_JENIS_KELAMIN);
        }
        let names = family.and_then(|f| f.text(column::K_NAMA_KEPALA)).zip(head.text(column::I_NAMA));
        if names.is_some_and(|(family, member)| !same_name(family, member)) {
            add(0, reason::HEAD_NAME_DIFFERS, column::K_NAMA_KEPALA);
        }
    }
    let Some(family) = family else { return found };
    // R-HH2
    let listed = i64::try_from(present.len()).ok();
    if family.number(column::K_JUMLAH_ANGGOTA).is_some_and(|stated| listed != Some(stated)) {
        add(0, reason::MEMBERS_DIFFER, column::K_JUMLAH_ANGGOTA);
    }
    if let Some(number) = family.text(column::K_NOMOR_KARTU_KELUARGA) {
        for (at, member) in &present {
            if member.text(column::I_NOMOR_KARTU_KELUARGA).is_some_and(|own| own != number) {
                add(*at, reason::MEMBER_KK_DIFFERS, column::I_NOMOR_KARTU_KELUARGA);
            }
        }
    }
    found
}

fn is_present(member: &Delta) -> bool {
    let stays = matches!(member.action, Action::Upsert | Action::MoveIn);
    stays && !member.number(column::I_KEBERADAAN).is_some_and(|code| ABSENT.contains(&code))
}

fn is_older(child: &Delta, head: &Delta) -> bool {
    let born = |person: &Delta| person.number(column::I_TANGGAL_LAHIR);
    matches!((born(child), born(head)), (Some(child), Some(head)) if child < head)
}

/// Whether two names differ in case, blanks and punctuation only.
fn same_name(left: &str, right: &str) -> bool {
    let letters = |name: &str| -> String {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
    };
    letters(left) == letters(right)
}
