use std::collections::HashSet;

use dtsen_proto::nik::{Number, parse};

use super::{Population, population, population_of, villages_of, wilayah};

#[test]
fn every_number_is_read_and_says_what_the_line_says() {
    for family in population("52.71", 5_000).iter() {
        let kk = parse(&family.kk, Number::Kk).expect("a No. KK");
        assert!(kk.serial >= 9001 && !kk.female);
        for member in &family.members {
            let person = &member.person;
            let nik = parse(&person.nik, Number::Nik).expect("a NIK");
            let birth = person.birth;
            assert!(nik.serial >= 9001, "{}", person.nik);
            assert_eq!(nik.female, person.female);
            assert_eq!(
                (nik.day.unsigned_abs(), nik.month.unsigned_abs(), nik.year),
                (birth.day, birth.month, birth.year % 100)
            );
            assert_eq!(member.anggota.text("tanggal_lahir"), birth.to_string());
            assert_eq!(member.anggota.text("nomor_induk_kependudukan"), person.nik);
            assert_eq!(member.anggota.text("nomor_kartu_keluarga"), family.kk);
        }
    }
}

#[test]
fn no_number_is_given_twice_in_two_regions_of_a_province() {
    let (mut niks, mut kks, mut people) = (HashSet::new(), HashSet::new(), 0);
    for population in [population("52.71", 35_000), population("52.01", 35_000)] {
        for family in population.iter() {
            assert!(kks.insert(family.kk), "a No. KK twice");
            for member in family.members {
                people += 1;
                assert!(niks.insert(member.person.nik), "a NIK twice");
            }
        }
    }
    assert!(people > 200_000);
}

/// Up to the brim: every block of serials is used, and visitors go both ways.
#[test]
fn a_full_kecamatan_gives_no_number_twice() {
    let region = "52.71".parse().expect("a region");
    for kecamatan in [1, 2] {
        let villages = villages_of(region, &wilayah("52.71", kecamatan, 1));
        let population = Population::new(3, region, villages, 97_000 * kecamatan as u64);
        let mut niks = HashSet::new();
        for n in 0..population.families() {
            assert!(population.family(n).members.into_iter().all(|member| niks.insert(member.person.nik)));
        }
    }
}

#[test]
#[should_panic(expected = "too many families")]
fn more_families_than_numbers_are_refused() {
    let region = "52.71".parse().expect("a region");
    Population::new(1, region, villages_of(region, &wilayah("52.71", 1, 1)), 100_000);
}

#[test]
fn most_niks_are_of_the_own_kecamatan_and_a_few_of_another_region() {
    let (mut own, mut region, mut outside) = (0, 0, 0);
    for family in population("52.71", 10_000).iter() {
        let kecamatan = family.kk[..6].to_owned();
        for member in family.members {
            match &member.person.nik {
                nik if nik.starts_with(&kecamatan) => own += 1,
                nik if nik.starts_with("5271") => region += 1,
                nik => {
                    assert!(nik.starts_with("520101"), "{nik}");
                    outside += 1;
                }
            }
        }
    }
    assert!(own > region * 8 && region > 1_000, "{own} {region}");
    assert!((80..=110).contains(&outside), "{outside}");
}

#[test]
fn a_family_does_not_depend_on_how_many_there_are() {
    assert_eq!(population("52.71", 100).family(42), population("52.71", 9_000).family(42));
    assert_ne!(
        population("52.71", 100).family(42).members[0].person.name,
        population_of(8, "52.71", 100).family(42).members[0].person.name
    );
}
