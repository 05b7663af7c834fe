use super::{
    ANGGOTA, Faults, FileOptions, KELUARGA, Pbi, Population, folder, population, population_of, read,
    records, villages_of, wilayah, write_csv_semicolon, write_pair,
};

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (one, two, other) = (folder(), folder(), folder());
    let write = |dir: &tempfile::TempDir, seed| {
        let population = population_of(seed, "52.71", 500);
        write_pair(dir.path(), &population, &Faults::every(1, 3), FileOptions::default()).expect("written")
    };
    let (a, b, c) = (write(&one, 7), write(&two, 7), write(&other, 8));
    assert_eq!(read(&a.keluarga), read(&b.keluarga));
    assert_eq!(read(&a.anggota), read(&b.anggota));
    assert_eq!(a.truth, b.truth);
    assert_ne!(read(&a.anggota), read(&c.anggota));
}

#[test]
fn headers_names_and_fields_are_those_of_dtsen_v3() {
    let dir = folder();
    let population = population("52.71", 300);
    let pair = write_pair(dir.path(), &population, &Faults::none(), FileOptions::default()).expect("written");
    assert!(pair.keluarga.ends_with("keluarga_dtsen_v3_5271.csv"));
    assert!(pair.anggota.ends_with("anggota_keluarga_dtsen_v3_5271.csv"));
    assert!(pair.truth.entries.is_empty());

    let families = records(&read(&pair.keluarga), b'|');
    assert_eq!(families[0], KELUARGA);
    assert!(families.iter().all(|record| record.len() == 52));
    assert_eq!(
        (families[0][12].as_str(), families[0][51].as_str()),
        ("desil_nasional", "jumlah_ternak_kambing_domba")
    );
    assert_eq!(families.len() as u64, pair.families + 1);

    let members = records(&read(&pair.anggota), b'|');
    assert_eq!(members[0], ANGGOTA);
    assert!(members.iter().all(|record| record.len() == 48));
    assert_eq!(
        (members[0][33].as_str(), members[0][47].as_str()),
        ("penyakit_kronis", "pendidikan_akhir_ktp")
    );
    assert_eq!(members.len() as u64, pair.members + 1);

    let family = population.family(0);
    let shown: Vec<_> = family.keluarga.values().iter().map(|value| value.show().into_owned()).collect();
    assert_eq!(families[1], shown);
    assert_eq!(family.keluarga.text("kabupaten_kota"), "KOTA CONTOH 52.71");
    assert_eq!(family.members[0].anggota.text("kode_provinsi_ktp"), "52");
    assert_eq!(family.village, 5_271_011_001);
    assert_ne!(family.keluarga.number("kode_kelurahan_desa"), Some(family.village), "no Kemendagri code");
    let first = String::from_utf8(read(&pair.anggota)).expect("UTF-8");
    let line = first.lines().nth(1).expect("a member");
    assert!(line.starts_with('"') && line.contains("|\"YA\"|") | line.contains("|\"TIDAK\"|"));
}

#[test]
fn variants_differ_in_form_only() {
    let dir = folder();
    // Papua Barat: names there carry letters that are not ASCII.
    let region = "92.02".parse().expect("a region");
    let villages = villages_of(region, &wilayah("92.02", 2, 2).replace("52\t", "92\t"));
    let population = Population::new(1, region, villages, 400);
    let options = FileOptions {
        float_tails: true,
        latin1: true,
        header_upper: true,
        pbi: Pbi::OneOrEmpty,
        ..FileOptions::default()
    };
    let pair = write_pair(dir.path(), &population, &Faults::none(), options).expect("written");
    let bytes = read(&pair.anggota);
    assert!(bytes.contains(&0xC9) && String::from_utf8(bytes.clone()).is_err(), "É of windows-1252");
    let members = records(&bytes, b'|');
    assert_eq!(members[0][0], "NOMOR_INDUK_KEPENDUDUKAN");
    assert!(members[1..].iter().all(|record| matches!(record[6].as_str(), "1" | "")));
    assert!(members[1..].iter().all(|record| record[13].is_empty() || record[13].ends_with(".0")));
    assert!(members[1..].iter().all(|record| record[5].len() == 1 && record[0].len() == 16));

    let plain = write_csv_semicolon(dir.path(), &population, &Faults::none(), FileOptions::default())
        .expect("written");
    assert!(plain.anggota.ends_with("anggota_keluarga_9202.csv"));
    let bytes = read(&plain.anggota);
    assert!(!bytes.contains(&b'"') && !bytes.contains(&b'|'));
    let semicolon = records(&bytes, b';');
    assert_eq!(semicolon[0], ANGGOTA);
    assert_eq!(semicolon.len(), members.len());
    assert_eq!(semicolon[1][0], members[1][0]);
}

/// 562,000 members; prints time and memory. `cargo nextest run --release -p dtsen-tests --run-ignored only half_a_million`.
#[test]
#[ignore = "writes 300 MB"]
fn half_a_million_members_are_written_in_seconds() {
    let dir = folder();
    let population = population("52.71", Population::families_for(562_000));
    let begin = crate::faults::wait::now();
    let pair =
        write_pair(dir.path(), &population, &Faults::every(1, 100), FileOptions::default()).expect("written");
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown");
    println!("{} members in {:?}, {memory}", pair.members, begin.elapsed());
    assert!((550_000..575_000).contains(&pair.members));
}
