use std::collections::BTreeMap;

use super::{AGES_AT, Family, Member, Relation, Row, population};

fn age(member: &Member) -> i16 {
    AGES_AT - member.person.birth.year
}

fn with(family: &Family, relation: Relation) -> impl Iterator<Item = &Member> {
    family.members.iter().filter(move |member| member.person.relation == relation)
}

#[test]
fn sizes_and_names_are_spread_as_in_the_country() {
    let (mut people, mut single_word, mut longest) = (0_u32, 0_u32, 0);
    let families = 20_000;
    for family in population("52.71", families).iter() {
        for member in &family.members {
            people += 1;
            let words = member.person.name.split(' ').count();
            single_word += u32::from(words == 1);
            longest = longest.max(words);
        }
    }
    let mean = f64::from(people) / 20_000.0;
    assert!((2.9..=3.2).contains(&mean), "{mean}");
    let share = f64::from(single_word) / f64::from(people);
    assert!((0.35..=0.45).contains(&share) && longest == 4, "{share} {longest}");
}

#[test]
fn relations_ages_and_marriages_fit() {
    let mut seen: BTreeMap<u64, u32> = BTreeMap::new();
    let mut twins = 0;
    for family in population("52.71", 20_000).iter() {
        let head = &family.members[0];
        assert_eq!(head.person.relation, Relation::Head);
        assert_eq!(with(&family, Relation::Head).count(), 1);
        assert!(age(head) >= 20 && with(&family, Relation::Spouse).count() <= 1);
        let spouse = with(&family, Relation::Spouse).next();
        assert_eq!(spouse.is_some(), head.person.marriage == 2);
        if let Some(spouse) = spouse {
            assert_eq!(spouse.person.marriage, 2);
            assert_ne!(spouse.person.female, head.person.female);
        }
        for child in with(&family, Relation::Child) {
            for parent in [Some(head), spouse].into_iter().flatten() {
                let gap = age(parent) - age(child);
                assert!((16..=45).contains(&gap), "family {}: {gap}", family.number);
            }
        }
        for parent in with(&family, Relation::Parent) {
            assert!((16..=45).contains(&(age(parent) - age(head))), "family {}", family.number);
        }
        for grandchild in with(&family, Relation::Grandchild) {
            assert!(age(head) - age(grandchild) >= 36, "family {}", family.number);
        }
        for member in &family.members {
            *seen.entry(member.person.relation as u64).or_default() += 1;
            assert!((0..=98).contains(&age(member)));
            assert!(age(member) >= 19 || member.person.marriage == 1, "a married child");
            let same = |other: &&Member| other.person.birth == member.person.birth;
            twins += family.members.iter().filter(same).count() - 1;
        }
        assert_eq!(family.keluarga.number("jumlah_anggota_keluarga"), Some(family.members.len() as u64));
        assert_eq!(family.keluarga.text("nama_kepala_keluarga"), head.person.name);
    }
    assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 8]);
    assert!(twins > 20, "{twins}");
}

fn filled(row: &Row, column: &str) -> bool {
    !row.text(column).is_empty()
}

#[test]
fn clean_members_keep_the_skip_rules() {
    let population = population("52.71", 10_000).changed_by(1, 300);
    for member in population.iter().flat_map(|family| family.members) {
        let (row, age) = (&member.anggota, age(&member));
        let schooled = matches!(row.number("partisipasi_sekolah"), Some(2 | 3));
        for column in [
            "jenjang_tertinggi_yang_diduduki",
            "kelas_tertinggi_yang_diduduki",
            "ijazah_tertinggi_yang_dimiliki",
        ] {
            assert_eq!(filled(row, column), schooled, "R-E1 {column}");
        }
        assert_eq!(filled(row, "partisipasi_sekolah"), age >= 5);
        assert_eq!(filled(row, "status_bekerja"), age >= 5);
        let works = row.number("status_bekerja") == Some(1);
        assert!(!works || age >= 17);
        for column in ["lapangan_usaha_dari_pekerjaan_utama", "status_dalam_pekerjaan_utama"] {
            assert_eq!(filled(row, column), works, "R-W1 {column}");
        }
        let owns = row.number("kepemilikan_usaha") == Some(1);
        for column in [
            "jumlah_usaha",
            "lapangan_usaha_dari_usaha_utama",
            "jumlah_pekerja_yang_dibayar_dari_usaha_utama",
            "jumlah_pekerja_yang_tidak_dibayar_dari_usaha_utama",
            "omzet_usaha_utama",
        ] {
            assert_eq!(filled(row, column), owns, "R-W2 {column}");
        }
        assert_eq!(filled(row, "kondisi_gizi"), age < 5, "R-H1");
        assert_eq!(filled(row, "pengendalian_perilaku"), age >= 2, "R-H1");
        assert_eq!(filled(row, "berbicara_komunikasi"), age >= 5, "R-H1");
        assert_eq!(filled(row, "kesedihan_depresi"), age >= 5, "R-H1");
        assert!(![1, 4].contains(&age), "no birthday in 2026 may begin or end a question");
    }
}

#[test]
fn clean_families_keep_the_skip_rules_and_wealth_shows() {
    let mut floors = [(0, 0); 2];
    for family in population("52.71", 10_000).changed_by(1, 300).iter() {
        let row = &family.keluarga;
        let light = row.number("sumber_penerangan_utama");
        assert_eq!(filled(row, "daya_terpasang"), light == Some(1), "R-R1");
        let toilet = matches!(row.number("fasilitas_bab"), Some(1..=3));
        assert_eq!(filled(row, "jenis_kloset"), toilet, "R-R1");
        assert_eq!(filled(row, "pembuangan_akhir_tinja"), toilet, "R-R1");
        let gas = matches!(row.number("bahan_bakar_utama_memasak"), Some(2 | 3));
        assert_eq!(row.number("aset_bergerak_tabung_gas") == Some(1), gas, "R-A1");
        for asset in ["lemari_es", "ac", "pemanas_air", "tv_datar", "komputer_laptop_tablet"] {
            let owned = row.number(&format!("aset_bergerak_{asset}")) == Some(1);
            assert!(!owned || light != Some(4), "R-A2 {asset}");
        }
        assert!((1..=997).contains(&row.number("luas_lantai").expect("a floor")));
        let desil = row.number("desil_nasional").expect("a decile");
        assert_eq!(desil, 1 + u64::from(family.wealth) / 100);
        let (sum, count) = &mut floors[usize::from(family.wealth >= 500)];
        *sum += row.number("jenis_lantai_terluas").expect("a floor");
        *count += 1;
    }
    let [poor, rich] = floors.map(|(sum, count)| sum / count);
    assert!(poor > rich, "{poor} {rich}");
}
