use std::collections::HashSet;

use dtsen_proto::nik::{Fault, Number, parse};

use super::{
    FaultKind, Faults, File, FileOptions, Population, SeenBy, Truth, TruthEntry, fields, folder, population,
    read, write_older, write_pair, write_some,
};

fn lines(path: &std::path::Path) -> Vec<Vec<u8>> {
    read(path).split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect()
}

/// The field at fault as the file has it.
fn written(entry: &TruthEntry, line: &[u8]) -> String {
    let columns: &[&str] = match entry.file {
        File::Keluarga => &super::KELUARGA,
        File::Anggota => &super::ANGGOTA,
    };
    let at = columns.iter().position(|name| *name == entry.column).expect("a column");
    fields(line, b'|')[at].clone()
}

#[test]
fn faults_lie_where_the_truth_says_and_nowhere_else() {
    let (dirty, clean) = (folder(), folder());
    let population = population("52.71", 2_000);
    let pair = write_pair(dirty.path(), &population, &Faults::every(5, 20), FileOptions::default())
        .expect("written");
    let right =
        write_pair(clean.path(), &population, &Faults::none(), FileOptions::default()).expect("written");
    assert_eq!(pair.truth.entries.len(), 20 * FaultKind::IN_FILE.len());

    for (file, got, want) in [
        (File::Keluarga, lines(&pair.keluarga), lines(&right.keluarga)),
        (File::Anggota, lines(&pair.anggota), lines(&right.anggota)),
    ] {
        assert_eq!(got.len(), want.len());
        let entries: Vec<_> = pair.truth.entries.iter().filter(|entry| entry.file == file).collect();
        let at_fault: HashSet<u64> = entries.iter().map(|entry| entry.line).collect();
        let differ: HashSet<u64> = (1..)
            .zip(got.iter().zip(&want))
            .filter(|(_, (got, want))| got != want)
            .map(|(line, _)| line)
            .collect();
        assert_eq!(differ, at_fault);
        for entry in entries {
            let at = usize::try_from(entry.line).expect("a line") - 1;
            assert_eq!(entry.seen_by, SeenBy::Node);
            assert_eq!(entry.code, entry.kind.code());
            assert!(fields(&want[at], b'|').contains(&entry.key), "the key of the line");
            if !entry.column.is_empty() {
                assert_eq!(written(entry, &got[at]), entry.written);
                assert_eq!(written(entry, &want[at]), entry.right);
                assert_ne!(entry.written, entry.right);
            }
            check(entry, &got[at]);
        }
    }
    assert_eq!(Truth::from_json(&pair.truth.to_json()).expect("JSON"), pair.truth);
}

fn check(entry: &TruthEntry, line: &[u8]) {
    let text = entry.written.as_str();
    match entry.kind {
        FaultKind::NikScientific => assert!(text.ends_with("E+15") && text.as_bytes()[1] == b','),
        FaultKind::NikLastDigitZero => {
            assert!(text.ends_with("0.0") && text[..15] == entry.key[..15]);
            assert_ne!(line[0], b'"');
        }
        FaultKind::NikShort => assert_eq!(parse(text, Number::Nik), Err(Fault::Format)),
        FaultKind::NikMissing => assert!(text.is_empty()),
        FaultKind::BirthDiffers => {
            let day = parse(&entry.key, Number::Nik).expect("a NIK").day;
            assert_ne!(text[8..], format!("{day:02}"));
            assert!(entry.warning && text.len() == 10);
        }
        FaultKind::SexDiffers => {
            let female = parse(&entry.key, Number::Nik).expect("a NIK").female;
            assert!(entry.warning && (text == "2") != female);
        }
        FaultKind::DateForm => assert_eq!(text.len(), 8),
        FaultKind::DateImpossible => assert!(text.ends_with("-02-31")),
        FaultKind::MemberCodeRange | FaultKind::FamilyCodeRange => assert_eq!(text, "77"),
        FaultKind::CountRange => assert_eq!(text, "5000"),
        FaultKind::VillageMisspelt => assert!(!text.contains("DESA")),
        FaultKind::ByteBroken => assert!(String::from_utf8(line.to_vec()).is_err()),
        FaultKind::HalfRow => assert_eq!(fields(line, b'|').len(), 24),
        FaultKind::QuoteOpen => assert!(line.ends_with(b"|\"TERPUTU")),
        FaultKind::ListedElsewhere | FaultKind::Older => unreachable!("no plan holds these"),
    }
}

#[test]
fn what_the_region_can_fix_is_gone_and_the_rest_stays() {
    let (first, second) = (folder(), folder());
    let population = population("52.71", 1_000);
    let faults = Faults::every(5, 4);
    let before = write_pair(first.path(), &population, &faults, FileOptions::default()).expect("written");
    let after =
        write_pair(second.path(), &population, &faults.fixed(), FileOptions::default()).expect("written");
    let missing: Vec<_> = before.truth.of(FaultKind::NikMissing).collect();
    assert_eq!(missing.len(), 4);
    assert_eq!(after.truth.entries.iter().collect::<Vec<_>>(), missing);
}

#[test]
fn changes_fall_on_the_lines_that_are_said_to_change() {
    let before = population("52.71", 3_000);
    let after = before.changed(1).changed_by(2, 20);
    let between = before.changed(1);
    let mut changed = 0;
    for n in 0..before.families() {
        let (old, new) = (between.family(n), after.family(n));
        let mut differ = Vec::new();
        if old.keluarga != new.keluarga {
            differ.push(None);
        }
        for (at, (old, new)) in old.members.iter().zip(&new.members).enumerate() {
            assert_eq!(old.person, new.person);
            if old.anggota != new.anggota {
                differ.push(Some(at));
            }
        }
        assert_eq!(differ, after.changed_lines(n));
        changed += differ.len();
    }
    // About 12,100 lines, 2 % of them.
    assert!((180..=310).contains(&changed), "{changed}");
}

#[test]
fn guests_are_in_both_regions_and_in_the_truth() {
    let dir = folder();
    let home = population("52.01", 500);
    let host = population("52.71", 500).with_guests_from(&home, 10);
    let faults = Faults::seeded(1).with(FaultKind::NikShort, 5);
    let pair = write_pair(dir.path(), &host, &faults, FileOptions::default()).expect("written");
    let guests: Vec<_> = pair.truth.of(FaultKind::ListedElsewhere).collect();
    assert_eq!((guests.len(), pair.truth.entries.len()), (10, 15));
    let niks: HashSet<String> = home.iter().flat_map(|f| f.members).map(|m| m.person.nik).collect();
    let members = lines(&pair.anggota);
    for guest in guests {
        assert!(niks.contains(&guest.key) && guest.seen_by == SeenBy::Hub);
        let record = fields(&members[usize::try_from(guest.line).expect("a line") - 1], b'|');
        assert_eq!((&record[0], &record[1]), (&guest.key, &host.family(guest.family).kk));
    }
}

#[test]
fn older_lines_are_all_stale_and_all_differ() {
    let (now, old) = (folder(), folder());
    let population: Population = population("52.71", 400);
    let pair = write_older(old.path(), &population, 40, FileOptions::default()).expect("written");
    let chosen: Vec<u64> = (0..40).map(|nth| nth * 10).collect();
    let same = write_some(now.path(), &population, &chosen, FileOptions::default()).expect("written");
    assert_eq!((pair.families, pair.members), (40, same.members));
    assert_eq!(pair.truth.entries.len() as u64, pair.families + pair.members);
    assert!(pair.truth.entries.iter().all(|e| e.code == "STALE" && e.seen_by == SeenBy::Hub));
    for (got, want) in [(&pair.keluarga, &same.keluarga), (&pair.anggota, &same.anggota)] {
        let (got, want) = (lines(got), lines(want));
        assert_eq!(got[0], want[0]);
        assert!(got[1..got.len() - 1].iter().zip(&want[1..]).all(|(got, want)| got != want));
    }
}
